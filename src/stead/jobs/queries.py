"""Statements of jobs: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_JOB: Final = """
  j.id, j.tenant_id, j.project_id, j.user_id, j.agent_type as kind, j.status, j.progress, j.result, j.error,
  j.error_code, j.questions, j.queue, j.priority, j.attempts, j.max_attempts, j.run_at, j.parent_id, j.created_at,
  j.started_at, j.completed_at
"""


async def insert_jobs(
    tx: Transaction,
    tenant_id: UUID,
    users: Sequence[UUID | None],
    ids: Sequence[UUID],
    kinds: Sequence[str],
    inputs: Sequence[Any],
    projects: Sequence[UUID | None],
    queues: Sequence[str],
    priorities: Sequence[int],
    run_ats: Sequence[datetime | None],
    keys: Sequence[str | None],
    attempts: Sequence[int],
    timeouts: Sequence[float | None],
    parents: Sequence[UUID | None],
    dispatch: str,
) -> list[UUID]:
    rows = await tx.rows(
        """
        insert into public.agent_jobs (id, tenant_id, user_id, agent_type, input, project_id, queue, priority, run_at,
          ready, dedupe_key, max_attempts, timeout_s, parent_id, dispatch, celery_task_id)
        select u.id, $1, u.user_id, u.kind, u.input, u.project_id, u.queue, u.priority, coalesce(u.run_at, now()),
          coalesce(u.run_at <= now(), true), u.key, u.attempts, u.timeout_s, u.parent_id, $14,
          case when $14 = 'celery' then u.id::text end
        from unnest($2::uuid[], $3::uuid[], $4::text[], $5::jsonb[], $6::uuid[], $7::text[], $8::smallint[], $9::timestamptz[],
          $10::text[], $11::smallint[], $12::real[], $13::uuid[])
          with ordinality as u (user_id, id, kind, input, project_id, queue, priority, run_at, key, attempts, timeout_s,
            parent_id, n)
        order by u.n
        on conflict do nothing
        returning id
        """,
        tenant_id,
        users,
        ids,
        kinds,
        inputs,
        projects,
        queues,
        priorities,
        run_ats,
        keys,
        attempts,
        timeouts,
        parents,
        dispatch,
    )
    return [row["id"] for row in rows]


async def live_by_key(tx: Transaction, tenant_id: UUID, kind: str, key: str) -> UUID | None:
    return await tx.value(
        """
        select j.id from public.agent_jobs j
        where j.tenant_id = $1 and j.agent_type = $2 and j.dedupe_key = $3
          and j.status in ('queued', 'running', 'waiting_for_input')
        """,
        tenant_id,
        kind,
        key,
    )


async def job_by_id(tx: Transaction, tenant_id: UUID, job_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_JOB} from public.agent_jobs j where j.tenant_id = $1 and j.id = $2", tenant_id, job_id
    )


async def lock_job(tx: Transaction, tenant_id: UUID, job_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_JOB}, j.asking from public.agent_jobs j where j.tenant_id = $1 and j.id = $2 for no key update
        """,
        tenant_id,
        job_id,
    )


async def list_jobs(
    tx: Transaction,
    tenant_id: UUID,
    project_id: UUID | None,
    user_id: UUID | None,
    statuses: Sequence[str] | None,
    kind: str | None,
    limit: int,
    offset: int,
) -> list[Row]:
    # Three ways to the rows, each with an index in their order. Whose they are the policy knows, but not the planner.
    whose = (
        "j.project_id = $2"
        if project_id is not None
        else "j.user_id = $2"
        if user_id is not None
        else "$2::uuid is null"
    )
    return await tx.rows(
        f"""
        select {_JOB} from public.agent_jobs j
        where j.tenant_id = $1 and {whose} and ($3::text[] is null or j.status = any ($3))
          and ($4::text is null or j.agent_type = $4)
        order by j.id desc limit $5 offset $6
        """,
        tenant_id,
        project_id or user_id,
        statuses,
        kind,
        limit,
        offset,
    )


async def count_jobs(tx: Transaction, tenant_id: UUID, project_id: UUID) -> int:
    return await tx.value(
        "select count(*) from public.agent_jobs j where j.tenant_id = $1 and j.project_id = $2",
        tenant_id,
        project_id,
    )


async def results_of(tx: Transaction, tenant_id: UUID, ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        """
        select j.id, j.agent_type as kind, j.status, j.result, j.error
        from public.agent_jobs j where j.tenant_id = $1 and j.id = any ($2)
        """,
        tenant_id,
        ids,
    )


async def typical_duration_s(tx: Transaction, tenant_id: UUID, kind: str, latest: int) -> float | None:
    # The median of the latest that ended well, found by the index of what ended.
    return await tx.value(
        """
        select percentile_cont(0.5) within group (order by d.seconds)
        from (
          select extract(epoch from j.completed_at - j.started_at)::double precision as seconds
          from public.agent_jobs j
          where j.tenant_id = $1 and j.agent_type = $2 and j.status = 'completed'
          order by j.id desc limit $3
        ) d
        """,
        tenant_id,
        kind,
        latest,
    )


async def steps_of(tx: Transaction, tenant_id: UUID, job_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select s.name, s.kind, s.position, s.result, s.duration_ms, s.created_at from public.agent_job_steps s
        where s.tenant_id = $1 and s.job_id = $2 order by s.position, s.created_at
        """,
        tenant_id,
        job_id,
    )


async def checkpoint(
    tx: Transaction,
    worker_id: UUID,
    job_id: UUID,
    lease_no: int,
    name: str,
    kind: str,
    position: int,
    result: Any,
    took_ms: int | None,
) -> bool:
    return await tx.value(
        "select stead.checkpoint_job($1, $2, $3, $4, $5, $6, $7, $8)",
        worker_id,
        job_id,
        lease_no,
        name,
        kind,
        position,
        result,
        took_ms,
    )


async def answer(tx: Transaction, tenant_id: UUID, job_id: UUID, step: str, responses: Any) -> None:
    # The step's position is that of a question: after whatever was done before it.
    await tx.execute(
        """
        with stored as (
          insert into public.agent_job_steps (tenant_id, job_id, name, kind, position, result)
          select $1, $2, $3, 'ask', count(*), $4 from public.agent_job_steps s where s.tenant_id = $1 and s.job_id = $2
        )
        update public.agent_jobs j
        set status = 'queued', ready = true, run_at = now(), resuming = true, asking = null, has_steps = true,
          responses = coalesce(j.responses, '[]') || $4
        where j.tenant_id = $1 and j.id = $2
        """,
        tenant_id,
        job_id,
        step,
        responses,
    )


async def cancel(tx: Transaction, job_id: UUID) -> list[Row]:
    return await tx.rows("select * from stead.cancel_jobs($1)", job_id)


async def try_again(tx: Transaction, tenant_id: UUID, job_id: UUID) -> None:
    await tx.execute(
        """
        update public.agent_jobs j
        set status = 'queued', ready = true, run_at = now(), attempts = 0, rescues = 0, resuming = false, error = null,
          error_code = null, dispatch = case j.dispatch when 'celery' then 'celery' else 'postgres' end, progress = 0,
          -- Workers of Celery remember which tasks were revoked: it is another one now.
          dispatched_at = null, celery_task_id = case j.dispatch when 'celery' then gen_random_uuid()::text end
        where j.tenant_id = $1 and j.id = $2
        """,
        tenant_id,
        job_id,
    )


async def claim(
    tx: Transaction,
    worker_id: UUID,
    queue: str,
    kinds: Sequence[str] | None,
    wanted: int,
    after_tenant: UUID | None,
) -> list[Row]:
    return await tx.rows(
        "select * from stead.claim_jobs($1, $2, $3, $4, $5)",
        worker_id,
        queue,
        kinds,
        wanted,
        after_tenant,
    )


async def claim_one(
    tx: Transaction, worker_id: UUID, job_id: UUID, kinds: Sequence[str] | None
) -> Row | None:
    return await tx.row("select * from stead.claim_job($1, $2, $3)", worker_id, job_id, kinds)


async def held(tx: Transaction, worker_id: UUID) -> list[Row]:
    return await tx.rows("select * from stead.held_jobs($1)", worker_id)


async def suspects(tx: Transaction, queue: str, kinds: Sequence[str] | None, most: int) -> list[UUID]:
    rows = await tx.rows("select s.id from stead.suspect_jobs($1, $2, $3) s", queue, kinds, most)
    return [row["id"] for row in rows]


async def next_due_s(tx: Transaction) -> float | None:
    return await tx.value("select stead.next_job_in_s()")


async def settle(
    tx: Transaction,
    worker_id: UUID,
    ids: Sequence[UUID],
    leases: Sequence[int],
    outcomes: Sequence[str],
    results: Sequence[str | None],
    errors: Sequence[str | None],
    codes: Sequence[str | None],
    delays: Sequence[float | None],
    untils: Sequence[datetime | None],
    awaited: Sequence[str | None],
    asked: Sequence[str | None],
    askings: Sequence[str | None],
) -> list[Row]:
    return await tx.rows(
        "select * from stead.settle_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        worker_id,
        ids,
        leases,
        outcomes,
        results,
        errors,
        codes,
        delays,
        untils,
        awaited,
        asked,
        askings,
    )


async def report(
    tx: Transaction,
    worker_id: UUID,
    ids: Sequence[UUID],
    leases: Sequence[int],
    percents: Sequence[float | None],
    messages: Sequence[str | None],
) -> list[UUID]:
    rows = await tx.rows(
        "select r.id from stead.report_jobs($1, $2, $3, $4, $5) r",
        worker_id,
        ids,
        leases,
        percents,
        messages,
    )
    return [row["id"] for row in rows]


async def rescue(
    tx: Transaction,
    silent_s: float,
    most_rescues: int,
    solitary: bool,  # noqa: FBT001
    batch: int,
) -> list[Row]:
    return await tx.rows(
        "select * from stead.rescue_jobs($1, $2, $3, $4)", silent_s, most_rescues, solitary, batch
    )


async def sweep(tx: Transaction, keep_s: float, keep_events_s: float, batch: int) -> int:
    return await tx.value("select stead.sweep_jobs($1, $2, $3)", keep_s, keep_events_s, batch)


async def undelivered(tx: Transaction, batch: int) -> list[Row]:
    return await tx.rows("select * from stead.undelivered_jobs($1)", batch)


async def undeliver(tx: Transaction, ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.undeliver_jobs($1)", ids)


async def redeliver(
    tx: Transaction,
    empty_queues: Sequence[str],
    lost_s: float,
    least_s: float,
    most_s: float,
    batch: int,
) -> int:
    return await tx.value(
        "select stead.redeliver_jobs($1, $2, $3, $4, $5)", empty_queues, lost_s, least_s, most_s, batch
    )


async def watch(tx: Transaction, job_id: UUID, for_s: float) -> None:
    await tx.execute("select stead.watch_job($1, $2)", job_id, for_s)


async def tail(tx: Transaction, job_id: UUID, after: int) -> list[Row]:
    return await tx.rows("select * from stead.job_tail($1, $2)", job_id, after)


async def state_of(tx: Transaction, tenant_id: UUID, job_id: UUID) -> Row | None:
    return await tx.row(
        """
        select j.status, j.progress, j.event_seq, j.questions from public.agent_jobs j
        where j.tenant_id = $1 and j.id = $2
        """,
        tenant_id,
        job_id,
    )


async def list_queues(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select coalesce(n.queue, q.queue) as queue, coalesce(q.paused, false) as paused,
          coalesce(q.weight, 1) as weight, q.max_running, coalesce(n.queued, 0) as queued,
          coalesce(n.running, 0) as running, coalesce(n.waiting, 0) as waiting
        from (
          select j.queue, count(*) filter (where j.status = 'queued') as queued,
            count(*) filter (where j.status = 'running') as running,
            count(*) filter (where j.status = 'waiting_for_input') as waiting
          from public.agent_jobs j
          where j.tenant_id = $1 and j.status in ('queued', 'running', 'waiting_for_input') group by j.queue
        ) n
        full join (select * from stead.job_queues x where x.tenant_id = $1) q on q.queue = n.queue
        order by 1
        """,
        tenant_id,
    )


async def save_queue_for_all(
    tx: Transaction,
    queue: str,
    paused: bool | None,  # noqa: FBT001
    weight: int | None,
    max_running: int | None,
    unlimited: bool,  # noqa: FBT001
) -> None:
    await tx.execute(
        "select stead.save_queue($1, $2, $3, $4, $5)", queue, paused, weight, max_running, unlimited
    )


async def save_queue(
    tx: Transaction,
    tenant_id: UUID,
    queue: str,
    paused: bool | None,  # noqa: FBT001 - the statement's parameters in their order
    weight: int | None,
    max_running: int | None,
    unlimited: bool,  # noqa: FBT001
) -> None:
    await tx.execute(
        """
        insert into stead.job_queues as q (tenant_id, queue, paused, weight, max_running)
        values ($1, $2, coalesce($3, false), coalesce($4, 1), $5)
        on conflict (tenant_id, queue) do update set paused = coalesce($3, q.paused), weight = coalesce($4, q.weight),
          max_running = case when $6 then null else coalesce($5, q.max_running) end, updated_at = now()
        """,
        tenant_id,
        queue,
        paused,
        weight,
        max_running,
        unlimited,
    )
