"""Statements of the outbox: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from stead.db import Row, Transaction

T = TypeVar("T")

_ENVELOPE: Final = """
  o.id, o.tenant_id, o.tool_slug, o.tool_version, o.tool_digest, o.provider, o.arguments, o.connected_account_id,
  o.risk, o.external_id, o.trust_context, o.metadata, o.status, o.attempts, o.attempt_limit, o.next_run_at,
  o.last_error, o.error_code, o.order_key, o.version, o.digest, o.idempotent, o.redrives, o.proposed_by,
  o.proposer_id, o.by_agent, o.run_id, o.session_id, o.evidence, o.expires_at, o.created_at, o.updated_at,
  o.finished_at
"""
#: The states that few are in at a time, as the index `outbox_tenant_status_idx` holds them.
_FEW: Final = frozenset(
    ("proposed", "deferred", "awaiting_approval", "retry_wait", "outcome_unknown", "dead")
)


async def insert_envelopes(tx: Transaction, tenant_id: UUID, rows: Sequence[str]) -> list[UUID]:
    # As JSON: forty arrays would say the same. What is there already under its key stays as it is.
    found = await tx.rows(
        """
        insert into public.outbox (id, tenant_id, tool_slug, tool_version, tool_digest, provider, arguments,
          connected_account_id, risk, external_id, trust_context, metadata, status, next_run_at, ready, order_key,
          idempotent, attempt_limit, proposed_by, proposer_id, by_agent, run_id, session_id, evidence, expires_at,
          last_error, error_code, finished_at)
        select r.id, $1, r.tool_slug, r.tool_version, r.tool_digest, r.provider, r.arguments,
          r.connected_account_id, r.risk, r.external_id, r.trust_context, r.metadata, r.status,
          coalesce(r.not_before, now()), coalesce(r.not_before <= now(), true), r.order_key, r.idempotent,
          r.attempt_limit, r.proposed_by, r.proposer_id, r.by_agent, r.run_id, r.session_id, r.evidence,
          r.expires_at, r.last_error, r.error_code, case when r.status = 'denied' then now() end
        from unnest($2::text[]) with ordinality as u (j, n)
        cross join lateral jsonb_to_record(u.j::jsonb) as r (id uuid, tool_slug text, tool_version text,
          tool_digest text, provider text, arguments jsonb, connected_account_id text, risk text, external_id text,
          trust_context jsonb, metadata jsonb, status text, not_before timestamptz, order_key text,
          idempotent boolean, attempt_limit smallint, proposed_by text, proposer_id uuid, by_agent boolean,
          run_id uuid, session_id uuid, evidence uuid[], expires_at timestamptz, last_error text, error_code text)
        order by u.n
        on conflict (tenant_id, external_id) where external_id is not null do nothing
        returning id
        """,
        tenant_id,
        rows,
    )
    return [row["id"] for row in found]


async def by_id(tx: Transaction, tenant_id: UUID, envelope_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_ENVELOPE} from public.outbox o where o.tenant_id = $1 and o.id = $2",
        tenant_id,
        envelope_id,
    )


async def by_external_id(tx: Transaction, tenant_id: UUID, external_id: str) -> Row | None:
    return await tx.row(
        f"select {_ENVELOPE} from public.outbox o where o.tenant_id = $1 and o.external_id = $2",
        tenant_id,
        external_id,
    )


async def lock(tx: Transaction, tenant_id: UUID, envelope_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_ENVELOPE} from public.outbox o where o.tenant_id = $1 and o.id = $2 for no key update
        """,
        tenant_id,
        envelope_id,
    )


async def listing(
    tx: Transaction,
    tenant_id: UUID,
    proposer_id: UUID | None,
    statuses: Sequence[str] | None,
    tool: str | None,
    run_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Row]:
    # Each way to the rows has an index in their order; of states that few are in, one that holds those alone.
    whose = (
        "o.run_id = $4"
        if run_id is not None
        else "o.proposer_id = $7"
        if proposer_id is not None
        else """
          o.status in ('proposed', 'deferred', 'awaiting_approval', 'retry_wait', 'outcome_unknown', 'dead')
        """
        if statuses is not None and _FEW.issuperset(statuses)
        else "true"
    )
    return await tx.rows(
        f"""
        select {_ENVELOPE} from public.outbox o
        where o.tenant_id = $1 and {whose} and ($2::text[] is null or o.status = any ($2))
          and ($3::text is null or o.tool_slug = $3) and ($4::uuid is null or o.run_id = $4)
          and ($5::uuid is null or o.id < $5) and ($7::uuid is null or o.proposer_id = $7)
        order by o.id desc limit $6
        """,
        tenant_id,
        statuses,
        tool,
        run_id,
        before,
        limit,
        proposer_id,
    )


async def attempts(tx: Transaction, tenant_id: UUID, envelope_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select a.lease_no, a.attempt, a.started_at, a.ended_at, a.outcome, a.result, a.error, a.error_code,
          a.provider_id, a.duration_ms
        from public.outbox_attempts a where a.tenant_id = $1 and a.envelope_id = $2 order by a.lease_no
        """,
        tenant_id,
        envelope_id,
    )


async def move(
    tx: Transaction,
    tenant_id: UUID,
    envelope_id: UUID,
    status: str,
    next_run_at: datetime | None,
    error: str | None,
    code: str | None,
) -> Row | None:
    return await tx.row(
        f"""
        update public.outbox o
        set status = $3, ready = coalesce($4 <= now(), true), next_run_at = coalesce($4, now()), last_error = $5,
          error_code = $6
        where o.tenant_id = $1 and o.id = $2
        returning {_ENVELOPE}
        """,
        tenant_id,
        envelope_id,
        status,
        next_run_at,
        error,
        code,
    )


async def edit(
    tx: Transaction,
    tenant_id: UUID,
    envelope_id: UUID,
    arguments: dict[str, Any],
    risk: str,
    status: str,
    next_run_at: datetime | None,
    error: str | None,
    code: str | None,
) -> Row | None:
    return await tx.row(
        f"""
        update public.outbox o
        set arguments = $3, risk = $4, version = o.version + 1, status = $5, ready = coalesce($6 <= now(), true),
          next_run_at = coalesce($6, now()), last_error = $7, error_code = $8
        where o.tenant_id = $1 and o.id = $2
        returning {_ENVELOPE}
        """,
        tenant_id,
        envelope_id,
        arguments,
        risk,
        status,
        next_run_at,
        error,
        code,
    )


async def redrive(
    tx: Transaction,
    tenant_id: UUID,
    envelope_id: UUID,
    status: str,
    next_run_at: datetime | None,
    error: str | None,
    code: str | None,
    tool_digest: str,
) -> Row | None:
    # A version of its own: what was approved for the first life is not approved for the second.
    return await tx.row(
        f"""
        with gone as (delete from public.outbox_dlq d where d.tenant_id = $1 and d.id = $2 returning d.id)
        update public.outbox o
        set status = $3, ready = coalesce($4 <= now(), true), next_run_at = coalesce($4, now()), last_error = $5,
          error_code = $6, tool_digest = $7, attempts = 0, rescues = 0, redrives = o.redrives + 1,
          version = o.version + 1, expires_at = null
        from gone g where o.tenant_id = $1 and o.id = g.id
        returning {_ENVELOPE}
        """,
        tenant_id,
        envelope_id,
        status,
        next_run_at,
        error,
        code,
        tool_digest,
    )


async def note_outcome(
    tx: Transaction, tenant_id: UUID, envelope_id: UUID, outcome: str, result: str | None
) -> None:
    # The latest attempt is the one whose outcome was not known.
    await tx.execute(
        """
        update public.outbox_attempts a set outcome = $3, result = $4::jsonb, ended_at = coalesce(a.ended_at, now())
        where a.tenant_id = $1 and a.envelope_id = $2 and a.lease_no = (
          select max(x.lease_no) from public.outbox_attempts x where x.tenant_id = $1 and x.envelope_id = $2)
        """,
        tenant_id,
        envelope_id,
        outcome,
        result,
    )


async def letters(tx: Transaction, tenant_id: UUID, before: UUID | None, limit: int) -> list[Row]:
    return await tx.rows(
        """
        select d.id, d.tenant_id, d.tool_slug, d.arguments, d.connected_account_id, d.risk, d.external_id,
          d.trust_context, d.metadata, d.status, d.attempts, d.last_error, d.created_at, d.moved_at
        from public.outbox_dlq d
        where d.tenant_id = $1 and ($2::uuid is null or d.id < $2)
        order by d.id desc limit $3
        """,
        tenant_id,
        before,
        limit,
    )


async def oldest_letters(tx: Transaction, tenant_id: UUID, limit: int) -> list[UUID]:
    rows = await tx.rows(
        "select d.id from public.outbox_dlq d where d.tenant_id = $1 order by d.moved_at limit $2",
        tenant_id,
        limit,
    )
    return [row["id"] for row in rows]


async def unblock(tx: Transaction, envelope_ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.unblock_envelopes($1)", envelope_ids)


async def bury(tx: Transaction, tenant_id: UUID, envelope_id: UUID) -> None:
    await tx.execute(
        """
        with buried as (
          update public.outbox o set status = 'dead', ready = true where o.tenant_id = $1 and o.id = $2 returning o.*
        )
        insert into public.outbox_dlq (id, tenant_id, tool_slug, arguments, connected_account_id, risk, external_id,
          trust_context, metadata, status, attempts, last_error, created_at)
        select b.id, b.tenant_id, b.tool_slug, b.arguments, b.connected_account_id, b.risk, b.external_id,
          b.trust_context, b.metadata, b.status, b.attempts, b.last_error, b.created_at
        from buried b
        """,
        tenant_id,
        envelope_id,
    )


async def lock_batch(
    tx: Transaction,
    wanted: int,
    most_of_one: int,
    busy: Sequence[UUID],
    counts: Sequence[int],
    after_tenant: UUID | None,
    providers: Sequence[str] | None,
    functions: Sequence[str] | None,
) -> list[Row]:
    return await tx.rows(
        "select * from stead.lock_envelopes($1, $2, $3, $4, $5, $6, $7)",
        wanted,
        most_of_one,
        busy,
        counts,
        after_tenant,
        providers,
        functions,
    )


async def begin(tx: Transaction, worker_id: UUID, envelope_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows("select * from stead.begin_envelopes($1, $2)", worker_id, envelope_ids)


async def hold(
    tx: Transaction,
    envelope_ids: Sequence[UUID],
    statuses: Sequence[str],
    untils: Sequence[datetime | None],
    reasons: Sequence[str | None],
    codes: Sequence[str | None],
) -> None:
    await tx.execute(
        "select stead.hold_envelopes($1, $2, $3, $4, $5)", envelope_ids, statuses, untils, reasons, codes
    )


async def settle(
    tx: Transaction,
    worker_id: UUID,
    envelope_ids: Sequence[UUID],
    leases: Sequence[int],
    outcomes: Sequence[str],
    results: Sequence[str | None],
    errors: Sequence[str | None],
    codes: Sequence[str | None],
    delays: Sequence[float | None],
    provider_ids: Sequence[str | None],
    durations: Sequence[int | None],
) -> list[Row]:
    return await tx.rows(
        "select * from stead.settle_envelopes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        worker_id,
        envelope_ids,
        leases,
        outcomes,
        _unless_empty(results),
        _unless_empty(errors),
        _unless_empty(codes),
        _unless_empty(delays),
        _unless_empty(provider_ids),
        durations,
    )


def _unless_empty(values: Sequence[T | None]) -> Sequence[T | None]:
    # Where nothing has a value the database fills up with nulls by itself: that costs less than to send them.
    return values if any(value is not None for value in values) else ()


async def tell_depths(tx: Transaction) -> int:
    return cast("int", await tx.value("select stead.tell_depths()"))


async def hand_back(tx: Transaction, worker_id: UUID, known: Sequence[UUID], older_s: float) -> int:
    return cast(
        "int", await tx.value("select stead.hand_back_envelopes($1, $2, $3)", worker_id, known, older_s)
    )


async def count_failures(
    tx: Transaction,
    envelope_ids: Sequence[UUID],
    failed: Sequence[bool],
    most: int,
    open_s: float,
    longest_s: float,
) -> int:
    return cast(
        "int",
        await tx.value(
            "select stead.count_failures($1, $2, $3, $4, $5)",
            envelope_ids,
            failed,
            most,
            open_s,
            longest_s,
        ),
    )


async def next_due_s(tx: Transaction) -> float | None:
    return await tx.value("select stead.next_envelope_in_s()")


async def rescue(tx: Transaction, silent_s: float, most_rescues: int, batch: int) -> list[Row]:
    return await tx.rows(
        "select * from stead.rescue_envelopes($1, $2, $3)", silent_s, most_rescues, batch
    )


async def expire(tx: Transaction, batch: int) -> int:
    return cast("int", await tx.value("select stead.expire_envelopes($1)", batch))


async def depths(tx: Transaction, tenant_id: UUID | None) -> list[Row]:
    return await tx.rows("select * from stead.outbox_depths($1)", tenant_id)


async def sweep(tx: Transaction, keep_s: float, batch: int) -> int:
    return cast("int", await tx.value("select stead.sweep_envelopes($1, $2)", keep_s, batch))
