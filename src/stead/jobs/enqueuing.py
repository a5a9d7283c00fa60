"""Making jobs: an INSERT in the caller's transaction, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from stead.core.ids import new_id
from stead.db import Transaction
from stead.identity import Principal
from stead.jobs import queries
from stead.jobs.errors import JobInvalid
from stead.jobs.models import NewJob
from stead.jobs.registry import JobRegistry


@dataclass(frozen=True, kw_only=True)
class Enqueued:
    """A job that is there.

    Args:
        new: False where a job of the same key has not ended yet: it is that one.
    """

    id: UUID
    new: bool


async def enqueue(
    tx: Transaction,
    principal: Principal,
    job: NewJob,
    *,
    registry: JobRegistry | None = None,
    job_id: UUID | None = None,
    dispatch: str = "postgres",
) -> Enqueued:
    """Enqueues one job; it is there when the transaction commits, and only then.

    Args:
        tx: A transaction of the principal, as the server.
        principal: In whose name it will run.
        job: What is to be done.
        registry: Where its handler is looked up, for the defaults of attempts and time; the input is checked.
        job_id: Its id, where the same call made twice must make one job; a new one when None.
        dispatch: Who delivers it to a worker: ``postgres`` or ``celery``.

    Raises:
        JobKindUnknown, JobInputInvalid: By the registry.
        JobInvalid: The key belongs to a job that just ended, twice in a row.
    """
    wanted = job_id or new_id()
    for _ in range(3):
        made = await enqueue_many(
            tx, principal, [job], registry=registry, job_ids=[wanted], dispatch=dispatch
        )
        if made:
            return Enqueued(id=made[0], new=True)
        if job.dedupe_key is not None:
            there = await queries.live_by_key(tx, principal.tenant.id, job.kind, job.dedupe_key)
            if there is not None:
                return Enqueued(id=there, new=False)
        if job_id is not None and await queries.job_by_id(tx, principal.tenant.id, job_id) is not None:
            return Enqueued(id=job_id, new=False)
    raise JobInvalid("a job with this key is being made and ended at the same time", hint="Try again.")


async def enqueue_many(
    tx: Transaction,
    principal: Principal,
    jobs: Sequence[NewJob],
    *,
    registry: JobRegistry | None = None,
    job_ids: Sequence[UUID] | None = None,
    dispatch: str = "postgres",
) -> list[UUID]:
    """Enqueues many in one statement; those whose key or id is taken are left out.

    Args:
        tx: A transaction of the principal, as the server.
        principal: In whose name they will run.
        jobs: What is to be done.
        registry: Where handlers are looked up.
        job_ids: Their ids.
        dispatch: Who delivers them.

    Returns:
        The ids of those that were made.
    """
    attempts: list[int] = []
    timeouts: list[float | None] = []
    for job in jobs:
        handler = registry.get(job.kind) if registry is not None else None
        if handler is not None:
            handler.arguments(job.input)
        attempts.append(job.max_attempts or (handler.max_attempts if handler else 3))
        timeouts.append(job.timeout_s)
    return await queries.insert_jobs(
        tx,
        principal.tenant.id,
        [job.user_id or principal.profile_id for job in jobs],
        list(job_ids) if job_ids is not None else [new_id() for _ in jobs],
        [job.kind for job in jobs],
        [dict(job.input) for job in jobs],
        [job.project_id for job in jobs],
        [job.queue for job in jobs],
        [job.priority for job in jobs],
        [job.run_at for job in jobs],
        [job.dedupe_key for job in jobs],
        attempts,
        timeouts,
        [job.parent_id for job in jobs],
        dispatch,
    )
