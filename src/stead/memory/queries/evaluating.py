"""The statement of the evaluation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from stead.db import Row, Transaction


async def evaluate(
    tx: Transaction,
    tenant_id: UUID,
    since: datetime,
    until: datetime,
    bucket: str,
    agent_name: str | None,
    limit: int,
) -> list[Row]:
    # A run recalls once, and what its answer used and got for feedback counts where its recall does: the three are
    # of the same answer, however late the last of them comes. Feedback is the sessions' table: which run it is of is
    # known there, and which embedder a run had only here. A read is later than its recall, so that both are ranges
    # of one index. (`materialized`: two scans and a hash join, however short the planner takes the ranges for.
    # `jsonb_to_record` unpacks a log's details once, not once a member.)
    return await tx.rows(
        """
        with recalls as materialized (
          select l.run_id, l.agent_name, d.embedder,
            case when $4 = 'total' then $2 else date_trunc($4, l.created_at, 'UTC') end as bucket,
            jsonb_array_length(d.found) as found, jsonb_array_length(d.injected) as injected, d.context_tokens,
            d.latency_ms
          from public.memory_logs l
          cross join lateral jsonb_to_record(l.details) as d
            (embedder text, found jsonb, injected jsonb, context_tokens integer, latency_ms double precision)
          where l.tenant_id = $1 and l.operation = 'recall' and l.created_at >= $2 and l.created_at < $3
            and ($5::text is null or l.agent_name = $5)
        ),
        reads as materialized (
          select l.run_id, jsonb_array_length(d.injected) as injected, jsonb_array_length(d.used) as used
          from public.memory_logs l
          cross join lateral jsonb_to_record(l.details) as d (injected jsonb, used jsonb)
          where l.tenant_id = $1 and l.operation = 'read' and l.created_at >= $2
            and ($5::text is null or l.agent_name = $5)
        )
        select r.bucket, r.agent_name, r.embedder, count(*) as recalls,
          avg(r.found)::double precision as found, avg(r.injected)::double precision as injected,
          avg(r.context_tokens)::double precision as context_tokens, count(u.run_id) as judged,
          sum(u.used)::double precision / nullif(sum(u.injected), 0) as hit_rate,
          (count(*) filter (where u.used > 0))::double precision / nullif(count(u.run_id), 0) as used_share,
          count(*) filter (where f.rating = 1) as up, count(*) filter (where f.rating = -1) as down,
          percentile_cont(0.5) within group (order by r.latency_ms) as recall_p50_ms,
          percentile_cont(0.95) within group (order by r.latency_ms) as recall_p95_ms
        from recalls r
        left join reads u on u.run_id = r.run_id
        left join public.message_feedback f on f.tenant_id = $1 and f.run_id = r.run_id
        group by 1, 2, 3
        order by 1 desc, 2, 3
        limit $6
        """,
        tenant_id,
        since,
        until,
        bucket,
        agent_name,
        limit,
    )
