"""Jobs as a caller sees them: read, answered, cancelled, tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction
from stead.identity import Principal
from stead.jobs import queries
from stead.jobs.errors import AnswersInvalid, JobEnded, JobNotEnded, JobNotWaiting, JobUnknown
from stead.jobs.models import TERMINAL, Answer, Job, JobStatus, Question
from stead.jobs.waking import wake_workers

#: How many of the latest jobs of a kind an estimate is made from.
_LATEST: Final = 50


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that a job has done, or was told.

    Args:
        kind: step, write, ask, spawn or sleep.
        duration_ms: None where it took none of the job's own time.
    """

    name: str
    kind: str
    position: int
    result: Any
    duration_ms: int | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some jobs of a project, the latest first."""

    items: Sequence[Job]
    total: int
    has_more: bool


def job_of(row: Row) -> Job:
    """A row of `agent_jobs`."""
    fields = dict(row)
    asked: list[dict[str, Any]] = fields.pop("questions") or []
    fields.pop("asking", None)
    return Job(**fields, questions=[Question(**each) for each in asked])


async def get(tx: Transaction, principal: Principal, job_id: UUID) -> Job:
    """One job.

    Raises:
        JobUnknown: It is not there for this caller.
    """
    row = await queries.job_by_id(tx, principal.tenant.id, job_id)
    if row is None:
        raise JobUnknown(f"job {job_id} is not there")
    return job_of(row)


async def steps(tx: Transaction, principal: Principal, job_id: UUID) -> list[Step]:
    """What a job has done so far, in order."""
    return [Step(**dict(row)) for row in await queries.steps_of(tx, principal.tenant.id, job_id)]


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    project_id: UUID | None = None,
    statuses: Sequence[JobStatus] | None = None,
    kind: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> list[Job]:
    """Jobs, the latest first."""
    rows = await queries.list_jobs(
        tx,
        principal.tenant.id,
        project_id,
        principal.profile_id,
        None if statuses is None else list(statuses),
        kind,
        limit,
        offset,
    )
    return [job_of(row) for row in rows]


async def page_of_project(
    tx: Transaction, principal: Principal, project_id: UUID, *, limit: int, offset: int
) -> Page:
    """Jobs of a project, the latest first (004)."""
    items = await listing(tx, principal, project_id=project_id, limit=limit, offset=offset)
    total = await queries.count_jobs(tx, principal.tenant.id, project_id)
    return Page(items=items, total=total, has_more=offset + len(items) < total)


async def respond(
    tx: Transaction, principal: Principal, job_id: UUID, answers: Sequence[Answer]
) -> None:
    """Answers what a job asked; it goes on.

    Args:
        tx: A transaction of the principal, as the server.
        principal: Whose job it is.
        job_id: The job.
        answers: One for each question.

    Raises:
        JobUnknown: It is not there for this caller.
        JobNotWaiting: It asks nothing, or was answered just now.
        AnswersInvalid: A question has no answer or two, or an answer no question.
    """
    row = await queries.lock_job(tx, principal.tenant.id, job_id)
    if row is None:
        raise JobUnknown(f"job {job_id} is not there")
    if row["status"] != "waiting_for_input":
        raise JobNotWaiting(f"job {job_id} is {row['status']}", hint="Only a waiting job takes answers.")
    asked = [question["id"] for question in row["questions"]]
    given = [answer.question_id for answer in answers]
    missing = [each for each in asked if each not in given]
    strange = [each for each in given if each not in asked]
    if missing or strange or len(given) != len(set(given)):
        raise AnswersInvalid(
            "every question needs one answer",
            hint=f"The questions are: {', '.join(asked)}.",
            missing=missing,
            unknown=strange,
        )
    await queries.answer(
        tx,
        principal.tenant.id,
        job_id,
        row["asking"],
        [{"question_id": a.question_id, "answer": a.answer} for a in answers],
    )
    await wake_workers(tx)


async def cancel(tx: Transaction, principal: Principal, job_id: UUID) -> list[str]:
    """Cancels a job and all that it spawned, at once; a handler that runs is ended within a moment.

    Args:
        tx: A transaction of the principal, as the server.
        principal: Whose job it is.
        job_id: The job.

    Returns:
        Ids of the Celery tasks that may be revoked.

    Raises:
        JobUnknown: It is not there for this caller.
        JobEnded: It ended before, other than by being cancelled.
    """
    row = await queries.job_by_id(tx, principal.tenant.id, job_id)
    if row is None:
        raise JobUnknown(f"job {job_id} is not there")
    cancelled = await queries.cancel(tx, job_id)
    if not any(each["id"] == job_id for each in cancelled):
        now = await get(tx, principal, job_id)
        if now.status != "cancelled":
            raise JobEnded(f"job {job_id} is {now.status}")
    return [each["celery_task_id"] for each in cancelled if each["celery_task_id"] is not None]


async def try_again(tx: Transaction, principal: Principal, job_id: UUID) -> None:
    """Lets a job that failed or was cancelled run again; what it had done stays done.

    Args:
        tx: A transaction of the principal, as the server.
        principal: Whose job it is.
        job_id: The job.

    Raises:
        JobUnknown: It is not there for this caller.
        JobNotEnded: It is under way, or completed.
    """
    row = await queries.lock_job(tx, principal.tenant.id, job_id)
    if row is None:
        raise JobUnknown(f"job {job_id} is not there")
    if row["status"] not in TERMINAL - {"completed"}:
        raise JobNotEnded(
            f"job {job_id} is {row['status']}", hint="Only a failed or cancelled job is retried."
        )
    await queries.try_again(tx, principal.tenant.id, job_id)
    await wake_workers(tx)


async def estimated_s(tx: Transaction, principal: Principal, kind: str) -> float | None:
    """How long jobs of this kind usually take: the median of the latest; None when none has completed."""
    return await queries.typical_duration_s(tx, principal.tenant.id, kind, _LATEST)
