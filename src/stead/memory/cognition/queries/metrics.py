"""The statements about metrics: one a function."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from stead.db import Row, Transaction


async def insert_metrics(
    tx: Transaction,
    tenant_id: UUID,
    run_id: UUID,
    recall_hit_rate: float | None,
    cognitive_load: float | None,
) -> int:
    # What the run and its recall already wrote is read from there, so that the figures cannot disagree.
    return await tx.execute(
        """
        insert into public.cognitive_metrics
          (tenant_id, run_id, profile_id, session_id, agent_name, model, memories_found, memories_injected,
           recall_hit_rate, recall_latency_ms, context_tokens, latency_ms, first_token_ms, input_tokens,
           output_tokens, cognitive_load)
        select r.tenant_id, r.id, r.profile_id, r.session_id, r.agent_name, r.model, coalesce(m.found, 0),
          coalesce(m.injected, 0), case when m.injected > 0 then $3::double precision end, m.latency_ms,
          coalesce(m.context_tokens, 0), r.latency_ms, r.first_token_ms, r.input_tokens, r.output_tokens, $4
        from public.agent_runs r
        left join lateral (
          select jsonb_array_length(l.details -> 'found') as found,
            jsonb_array_length(l.details -> 'injected') as injected,
            (l.details ->> 'context_tokens')::integer as context_tokens,
            (l.details ->> 'latency_ms')::double precision as latency_ms
          from public.memory_logs l
          where l.tenant_id = r.tenant_id and l.run_id = r.id and l.operation = 'recall'
          order by l.id desc limit 1
        ) m on true
        where r.tenant_id = $1 and r.id = $2
        on conflict do nothing
        """,
        tenant_id,
        run_id,
        recall_hit_rate,
        cognitive_load,
    )


async def metrics_by_agent(
    tx: Transaction, tenant_id: UUID, agent_name: str | None, since: datetime, period: str, limit: int
) -> list[Row]:
    return await tx.rows(
        """
        select agent_name, date_trunc($4, created_at, 'UTC') as period, count(*) as runs,
          sum(recall_hit_rate * memories_injected)
            / nullif(sum(memories_injected) filter (where recall_hit_rate is not null), 0) as recall_hit_rate,
          avg(memories_found)::double precision as memories_found,
          avg(memories_injected)::double precision as memories_injected,
          avg(context_tokens)::double precision as context_tokens, avg(recall_latency_ms) as recall_latency_ms,
          percentile_cont(0.5) within group (order by latency_ms) as latency_ms,
          percentile_cont(0.95) within group (order by latency_ms) as latency_p95_ms,
          percentile_cont(0.5) within group (order by first_token_ms) as first_token_ms,
          sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
          avg(cognitive_load) as cognitive_load, max(cognitive_load) as peak_load
        from public.cognitive_metrics
        where tenant_id = $1 and ($2::text is null or agent_name = $2) and created_at >= $3
        group by 1, 2
        order by 2 desc, 1
        limit $5
        """,
        tenant_id,
        agent_name,
        since,
        period,
        limit,
    )
