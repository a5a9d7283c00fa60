"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from stead.agents.models import RunKind
from stead.db import Row, Transaction

_RUN: Final = """
  id, session_id, profile_id, agent_id, agent_name, kind, message_id, user_message_id, status, model, error,
  finish_reason, latency_ms, first_token_ms, input_tokens, output_tokens, cached_tokens, cost_usd,
  created_at, completed_at
"""
_VERSION: Final = """
  id, agent_id, version, model, temperature, max_tokens, instructions, tools, output_schema, created_at
"""


async def register_code_agent(tx: Transaction, slug: str, name: str, tagline: str) -> UUID:
    return await tx.value("select stead.register_code_agent($1, $2, $3)", slug, name, tagline)


async def agent_by_slug(tx: Transaction, tenant_id: UUID, slug: str) -> Row | None:
    # A tenant's own agent hides a shared one of the same slug.
    return await tx.row(
        """
        select a.id, a.slug, a.name, a.tagline, v.id as version_id, v.model, v.temperature, v.max_tokens,
          v.instructions, v.tools, v.output_schema
        from public.agents a
        left join lateral (
          select * from public.agent_versions v where v.agent_id = a.id order by v.version desc limit 1
        ) v on true
        where a.slug = $2 and (a.tenant_id = $1 or a.tenant_id is null)
        order by a.tenant_id nulls last
        limit 1
        """,
        tenant_id,
        slug,
    )


async def list_agents(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select a.id, a.slug, a.name, a.tagline, a.description, a.visibility::text as visibility, a.generates,
          v.version, v.model, a.tenant_id is null as shared
        from public.agents a
        left join lateral (
          select v.version, v.model from public.agent_versions v
          where v.agent_id = a.id order by v.version desc limit 1
        ) v on true
        where a.tenant_id = $1 or a.tenant_id is null
        order by a.slug
        """,
        tenant_id,
    )


async def upsert_agent(
    tx: Transaction,
    tenant_id: UUID,
    slug: str,
    name: str,
    tagline: str | None,
    description: str | None,
    visibility: str,
    generates: str | None,
) -> UUID:
    return await tx.value(
        """
        insert into public.agents (tenant_id, slug, name, tagline, description, visibility, generates)
        values ($1, $2, $3, $4, $5, $6::public.agent_visibility, $7)
        on conflict (tenant_id, slug) do update
          set name = excluded.name, tagline = excluded.tagline, description = excluded.description,
            visibility = excluded.visibility, generates = excluded.generates
        returning id
        """,
        tenant_id,
        slug,
        name,
        tagline,
        description,
        visibility,
        generates,
    )


async def generators(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select generates, slug from public.agents
        where tenant_id = $1 and generates is not null order by generates
        """,
        tenant_id,
    )


async def lock_agent(tx: Transaction, tenant_id: UUID, slug: str) -> UUID | None:
    # Two versions made at once get different numbers.
    return await tx.value(
        "select id from public.agents where tenant_id = $1 and slug = $2 for update", tenant_id, slug
    )


async def insert_version(
    tx: Transaction,
    tenant_id: UUID,
    agent_id: UUID,
    model: str | None,
    temperature: float | None,
    max_tokens: int | None,
    instructions: str,
    tools: Sequence[str],
    output_schema: dict[str, Any] | None,
    created_by: UUID | None,
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.agent_versions
          (tenant_id, agent_id, version, model, temperature, max_tokens, instructions, tools, output_schema,
           created_by)
        values ($1, $2, (select coalesce(max(version), 0) + 1 from public.agent_versions where agent_id = $2),
          $3, $4, $5, $6, $7, $8, $9)
        returning {_VERSION}
        """,
        tenant_id,
        agent_id,
        model,
        temperature,
        max_tokens,
        instructions,
        list(tools),
        output_schema,
        created_by,
    )


async def list_versions(tx: Transaction, agent_id: UUID) -> list[Row]:
    return await tx.rows(
        f"select {_VERSION} from public.agent_versions where agent_id = $1 order by version desc",
        agent_id,
    )


async def active_run(tx: Transaction, tenant_id: UUID, session_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_RUN} from public.agent_runs
        where tenant_id = $1 and session_id = $2 and status = 'running' and kind = 'chat'
        """,
        tenant_id,
        session_id,
    )


async def latest_run(tx: Transaction, tenant_id: UUID, session_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_RUN}, completed_at > now() - interval '10 minutes' as recent from public.agent_runs
        where tenant_id = $1 and session_id = $2 and kind = 'chat' order by created_at desc, number desc limit 1
        """,
        tenant_id,
        session_id,
    )


async def run_by_user_message(tx: Transaction, tenant_id: UUID, message_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_RUN} from public.agent_runs
        where tenant_id = $1 and user_message_id = $2 order by created_at desc, number desc limit 1
        """,
        tenant_id,
        message_id,
    )


async def run_by_id(tx: Transaction, tenant_id: UUID, run_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_RUN} from public.agent_runs where tenant_id = $1 and id = $2", tenant_id, run_id
    )


async def run_output(tx: Transaction, tenant_id: UUID, run_id: UUID) -> Row | None:
    return await tx.row(
        "select status, output, error from public.agent_runs where tenant_id = $1 and id = $2",
        tenant_id,
        run_id,
    )


async def latest_generation(
    tx: Transaction, tenant_id: UUID, session_id: UUID, generates: str
) -> Row | None:
    return await tx.row(
        """
        select id, output from public.agent_runs
        where tenant_id = $1 and session_id = $2 and kind = 'generation' and status = 'completed'
          and input ->> 'type' = $3 and output is not null
        order by created_at desc, number desc limit 1
        """,
        tenant_id,
        session_id,
        generates,
    )


async def run_holder(tx: Transaction, tenant_id: UUID, run_id: UUID) -> Row | None:
    return await tx.row(
        "select profile_id, process_id, status from public.agent_runs where tenant_id = $1 and id = $2",
        tenant_id,
        run_id,
    )


async def list_runs(tx: Transaction, tenant_id: UUID, session_id: UUID, limit: int) -> list[Row]:
    return await tx.rows(
        f"""
        select {_RUN} from public.agent_runs
        where tenant_id = $1 and session_id = $2 order by created_at desc, number desc limit $3
        """,
        tenant_id,
        session_id,
        limit,
    )


async def insert_run(
    tx: Transaction,
    run_id: UUID,
    tenant_id: UUID,
    session_id: UUID,
    profile_id: UUID | None,
    agent_id: UUID | None,
    version_id: UUID | None,
    agent_name: str,
    user_message_id: UUID | None,
    message_id: UUID,
    process_id: UUID,
    model: str,
    input_value: dict[str, Any],
    kind: RunKind = "chat",
    trace_id: str | None = None,
) -> None:
    await tx.execute(
        """
        insert into public.agent_runs
          (id, tenant_id, session_id, profile_id, agent_id, agent_version_id, agent_name, user_message_id,
           message_id, process_id, model, input, kind, trace_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        run_id,
        tenant_id,
        session_id,
        profile_id,
        agent_id,
        version_id,
        agent_name,
        user_message_id,
        message_id,
        process_id,
        model,
        input_value,
        kind,
        trace_id,
    )


async def end_run(
    tx: Transaction,
    tenant_id: UUID,
    run_id: UUID,
    process_id: UUID,
    status: str,
    output: dict[str, Any] | None,
    error: dict[str, Any] | None,
    finish_reason: str | None,
    latency_ms: int,
    first_token_ms: int | None,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int,
    requests: int,
    cost_usd: Decimal | None,
) -> bool:
    # Fenced: a run that was rescued from this process is no longer its to end.
    return bool(
        await tx.execute(
            """
            update public.agent_runs set status = $4, output = $5, error = $6, finish_reason = $7,
              latency_ms = $8, first_token_ms = $9, input_tokens = $10, output_tokens = $11,
              cached_tokens = $12, requests = $13, cost_usd = $14, completed_at = now()
            where tenant_id = $1 and id = $2 and process_id = $3 and status = 'running'
            """,
            tenant_id,
            run_id,
            process_id,
            status,
            output,
            error,
            finish_reason,
            latency_ms,
            first_token_ms,
            input_tokens,
            output_tokens,
            cached_tokens,
            requests,
            cost_usd,
        )
    )


async def end_lost_run(
    tx: Transaction, tenant_id: UUID, run_id: UUID, process_id: UUID, error: dict[str, Any]
) -> Row | None:
    return await tx.row(
        """
        update public.agent_runs set status = 'failed', error = $4, completed_at = now(),
          latency_ms = least(extract(epoch from now() - created_at) * 1000, 2147483647)::integer
        where tenant_id = $1 and id = $2 and process_id = $3 and status = 'running'
        returning session_id, message_id, agent_name, model, kind
        """,
        tenant_id,
        run_id,
        process_id,
        error,
    )


async def request_stop(tx: Transaction, tenant_id: UUID, session_id: UUID) -> UUID | None:
    return await tx.value(
        """
        update public.agent_runs set stop_requested = true
        where tenant_id = $1 and session_id = $2 and status = 'running' and kind = 'chat'
        returning id
        """,
        tenant_id,
        session_id,
    )


async def link_runs(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        "update public.agent_runs set profile_id = $3 where tenant_id = $1 and session_id = $2",
        tenant_id,
        session_id,
        profile_id,
    )


async def chunks_after(tx: Transaction, tenant_id: UUID, run_id: UUID, after: int) -> list[Row]:
    return await tx.rows(
        """
        select seq, frames from stead.stream_chunks
        where tenant_id = $1 and run_id = $2 and seq > $3 order by seq
        """,
        tenant_id,
        run_id,
        after,
    )


async def insert_chunks(
    tx: Transaction, tenant_id: UUID, run_id: UUID, first_seq: int, chunks: list[list[dict[str, Any]]]
) -> None:
    await tx.execute(
        """
        insert into stead.stream_chunks (run_id, tenant_id, seq, frames)
        select $1, $2, $3 + c.n - 1, c.frames from jsonb_array_elements($4) with ordinality as c (frames, n)
        on conflict do nothing
        """,
        run_id,
        tenant_id,
        first_seq,
        chunks,
    )


async def append_frames(
    tx: Transaction,
    process_id: UUID,
    run_ids: Sequence[UUID],
    seqs: Sequence[int],
    chunks: list[list[dict[str, Any]]],
) -> list[Row]:
    return await tx.rows(
        "select run_id, gone from stead.append_frames($1, $2, $3, $4)",
        process_id,
        list(run_ids),
        list(seqs),
        chunks,
    )


async def claim_lost_runs(tx: Transaction, process_id: UUID, silent_s: float, batch: int) -> list[Row]:
    return await tx.rows(
        "select id, tenant_id, session_id, profile_id from stead.claim_lost_runs($1, $2, $3)",
        process_id,
        silent_s,
        batch,
    )


async def sweep_runs(tx: Transaction, keep_chunks_s: float) -> int:
    return await tx.value("select stead.sweep_runs($1)", keep_chunks_s)


async def await_extraction(tx: Transaction, tenant_id: UUID, run_id: UUID) -> None:
    await tx.execute(
        """
        insert into stead.extraction_backlog (tenant_id, run_id) values ($1, $2) on conflict do nothing
        """,
        tenant_id,
        run_id,
    )


async def claim_extraction(tx: Transaction, lease_s: float, tries: int) -> Row | None:
    return await tx.row(
        "select run_id, tenant_id, tenant_slug, attempt, ticket from stead.claim_extraction($1, $2)",
        lease_s,
        tries,
    )


async def finish_extraction(tx: Transaction, run_id: UUID, ticket: datetime) -> bool:
    return await tx.value("select stead.finish_extraction($1, $2)", run_id, ticket)


async def call_outcomes(tx: Transaction, tenant_id: UUID, envelope_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        """
        select o.id, o.status, o.arguments, coalesce(v.reason, o.last_error) as last_error, o.error_code, a.result,
          p.id as approval_id
        from public.outbox o
        left join lateral (
          select a.result from public.outbox_attempts a
          where a.tenant_id = o.tenant_id and a.envelope_id = o.id and a.outcome = 'succeeded'
          order by a.lease_no desc limit 1
        ) a on true
        left join lateral (
          select p.id from public.approvals p
          where p.tenant_id = o.tenant_id and p.envelope_id = o.id order by p.envelope_version desc limit 1
        ) p on true
        left join lateral (
          select v.reason from public.approval_votes v
          where v.tenant_id = o.tenant_id and v.approval_id = p.id and v.vote = 'reject' limit 1
        ) v on true
        where o.tenant_id = $1 and o.id = any($2::uuid[])
        """,
        tenant_id,
        list(envelope_ids),
    )


async def insert_waiting(
    tx: Transaction,
    tenant_id: UUID,
    run_id: UUID,
    session_id: UUID,
    state: str,
    sdk_version: str,
    calls: list[dict[str, Any]],
    envelope_ids: Sequence[UUID],
) -> None:
    await tx.execute(
        """
        insert into stead.waiting_runs (tenant_id, run_id, session_id, state, sdk_version, calls, envelope_ids)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        tenant_id,
        run_id,
        session_id,
        state,
        sdk_version,
        calls,
        list(envelope_ids),
    )


async def claim_waiting_runs(tx: Transaction, batch: int) -> list[Row]:
    return await tx.rows(
        """
        select run_id, tenant_id, tenant_slug, session_id, profile_id, input, envelope_ids, unwanted
        from stead.claim_waiting_runs($1)
        """,
        batch,
    )


async def lock_waiting(tx: Transaction, tenant_id: UUID, run_id: UUID) -> Row | None:
    return await tx.row(
        """
        select w.state, w.sdk_version, w.calls, w.tries, r.status = 'running' as resumed, s.agent_name,
          s.message_id, s.user_message_id
        from stead.waiting_runs w
        join public.agent_runs s on s.tenant_id = w.tenant_id and s.id = w.run_id
        left join public.agent_runs r on r.tenant_id = w.tenant_id and r.id = w.resumed_run_id
        where w.tenant_id = $1 and w.run_id = $2
        for update of w
        """,
        tenant_id,
        run_id,
    )


async def look_at_waiting(tx: Transaction, tenant_id: UUID, session_id: UUID) -> None:
    await tx.execute(
        "update stead.waiting_runs set look_at = now() where tenant_id = $1 and session_id = $2",
        tenant_id,
        session_id,
    )


async def take_waiting(tx: Transaction, tenant_id: UUID, run_id: UUID, resumed_run_id: UUID) -> None:
    await tx.execute(
        """
        update stead.waiting_runs set resumed_run_id = $3, tries = tries + 1 where tenant_id = $1 and run_id = $2
        """,
        tenant_id,
        run_id,
        resumed_run_id,
    )


async def release_waiting(
    tx: Transaction, tenant_id: UUID, resumed_run_id: UUID, tries: int
) -> list[dict[str, Any]] | None:
    # What went on and proposed something itself must not go on again from where it began: it would propose that anew.
    return await tx.value(
        """
        update stead.waiting_runs w set resumed_run_id = null, look_at = now() + make_interval(secs => w.tries * w.tries)
        where w.tenant_id = $1 and w.resumed_run_id = $2 and w.tries < $3 and not exists (
          select from public.outbox o where o.tenant_id = w.tenant_id and o.run_id = $2)
        returning w.calls
        """,
        tenant_id,
        resumed_run_id,
        tries,
    )


async def end_waiting(
    tx: Transaction, tenant_id: UUID, resumed_run_id: UUID
) -> list[dict[str, Any]] | None:
    return await tx.value(
        "delete from stead.waiting_runs where tenant_id = $1 and resumed_run_id = $2 returning calls",
        tenant_id,
        resumed_run_id,
    )


async def drop_waiting(tx: Transaction, tenant_id: UUID, run_id: UUID) -> None:
    await tx.execute(
        "delete from stead.waiting_runs where tenant_id = $1 and run_id = $2", tenant_id, run_id
    )
