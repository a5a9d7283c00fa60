"""Jobs: run an agent or the pipeline (004), follow, answer, cancel; and what goes beyond."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from stead import jobs
from stead.apps import forge
from stead.db import Transaction
from stead.http.dependencies import (
    Caller,
    OnceOnly,
    Seeing,
    ServiceCaller,
    Writing,
    needs_scope,
    parts_of,
    proven_until,
)
from stead.http.errors import RequestInvalid
from stead.http.job_bodies import (
    Accepted,
    CreateJob,
    JobDetails,
    JobList,
    JobOut,
    JobPage,
    Made,
    QueueOut,
    Respond,
    Resumed,
    RunAgent,
    RunPipeline,
    SaveQueue,
    StatusOut,
)
from stead.http.routing import JsonRoute
from stead.http.sse import EventStream, ServerSentEvent
from stead.identity import Principal
from stead.jobs import JobStatus, NewJob
from stead.jobs.following import JobEvent

router = APIRouter(
    route_class=JsonRoute, prefix="/v1", tags=["jobs"], dependencies=[needs_scope("jobs")]
)

#: What is said while no job of a kind has completed yet (004's own examples).
_USUALLY_S: Final = {"pipeline": 300.0}
_USUALLY_ELSE_S: Final = 30.0


@router.post("/run-agent", response_model=Accepted, summary="Run an agent on a project")
async def run_agent(
    body: RunAgent, request: Request, principal: Caller, tx: Writing, once: OnceOnly
) -> Response:
    """Enqueues a job and answers at once; follow it at `/v1/jobs/{job_id}/stream`."""
    if again := await once.before(tx, principal):
        return again
    project = await forge.projects.working_on(tx, principal, body.project_id)
    job = NewJob(
        kind=body.agent_type,
        input=body.input_context,
        project_id=project.id,
        user_id=project.user_id,
    )
    made, estimate = await _enqueue(request, tx, principal, job)
    return await once.after(tx, principal, Accepted(job_id=made.id, estimated_time=estimate))


@router.post("/run-pipeline", response_model=Accepted, summary="Run the pipeline on a project")
async def run_pipeline(
    body: RunPipeline, request: Request, principal: Caller, tx: Writing, once: OnceOnly
) -> Response:
    """Research, wireframe, code and quality check, one after the other, as one job."""
    if again := await once.before(tx, principal):
        return again
    project = await forge.projects.working_on(tx, principal, body.project_id)
    job = NewJob(
        kind="pipeline", input=body.input_context, project_id=project.id, user_id=project.user_id
    )
    made, estimate = await _enqueue(request, tx, principal, job)
    return await once.after(tx, principal, Accepted(job_id=made.id, estimated_time=estimate))


@router.post("/jobs", response_model=Made, summary="Enqueue a job of any kind")
async def create(
    body: CreateJob, request: Request, principal: Caller, tx: Writing, once: OnceOnly
) -> Response:
    """Enqueues a job for a handler of your application."""
    if again := await once.before(tx, principal):
        return again
    if body.run_at is not None and body.run_at.tzinfo is None:
        raise RequestInvalid("run_at has no time zone", hint="2026-11-21T07:00:00Z")
    if body.project_id is not None:
        await forge.projects.working_on(tx, principal, body.project_id)
    handler = parts_of(request).jobs.get(body.kind)
    job = NewJob(
        kind=body.kind,
        input=body.input,
        project_id=body.project_id,
        queue=body.queue or handler.queue,
        priority=body.priority,
        run_at=body.run_at,
        dedupe_key=body.dedupe_key,
        max_attempts=body.max_attempts,
        timeout_s=body.timeout_s,
    )
    made, estimate = await _enqueue(request, tx, principal, job)
    now = await jobs.jobs.get(tx, principal, made.id)
    return await once.after(
        tx, principal, Made(job_id=made.id, status=now.status, new=made.new, estimated_time=estimate)
    )


@router.get("/jobs", summary="List jobs")
async def listing(
    principal: Caller,
    tx: Seeing,
    status: Annotated[list[JobStatus] | None, Query()] = None,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> JobPage:
    """One's own jobs, or all of the tenant's for its service; the latest first."""
    found = await jobs.jobs.listing(
        tx, principal, statuses=status, kind=kind, limit=limit + 1, offset=offset
    )
    return JobPage(items=[JobOut.of(job) for job in found[:limit]], has_more=len(found) > limit)


@router.get("/jobs/{job_id}", summary="How a job stands")
async def get(job_id: UUID, principal: Caller, tx: Seeing) -> JobOut:
    """Status, progress and result."""
    return JobOut.of(await jobs.jobs.get(tx, principal, job_id))


@router.get("/jobs/{job_id}/details", summary="All there is to know of a job")
async def details(job_id: UUID, principal: Caller, tx: Seeing) -> JobDetails:
    """With its questions, attempts and steps."""
    job = await jobs.jobs.get(tx, principal, job_id)
    return JobDetails.with_steps(job, await jobs.jobs.steps(tx, principal, job_id))


@router.get("/jobs/{project_id}/list", summary="Jobs of a project")
async def of_project(
    project_id: UUID,
    principal: Caller,
    tx: Seeing,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> JobList:
    """The latest first."""
    page = await jobs.jobs.page_of_project(tx, principal, project_id, limit=limit, offset=offset)
    return JobList(
        items=[JobOut.of(job) for job in page.items], total=page.total, has_more=page.has_more
    )


@router.get(
    "/jobs/{job_id}/stream",
    summary="Follow a job",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}, 204: {"description": "It has ended"}},
)
async def stream(
    job_id: UUID,
    request: Request,
    principal: Caller,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> Response:
    """Server-sent events `progress`, `waiting`, `complete`, `error`, `cancelled`; the last three end it.

    It begins with how the job stands, or after `Last-Event-ID`.
    """
    after = _place(last_event_id)
    streams = parts_of(request).job_streams
    async with parts_of(request).db.transaction(principal.served(), read_only=True) as tx:
        start = await streams.start(tx, principal, job_id, after)
    if start.over:
        # Tells a browser not to come back.
        return Response(status_code=204)
    return EventStream(
        _frames(streams.follow(job_id, start)),
        expires_at=proven_until(request),
        hold=parts_of(request).live.keys.of(principal),
    )


@router.post("/jobs/{job_id}/respond", response_model=Resumed, summary="Answer a job's questions")
async def respond(
    job_id: UUID, body: Respond, principal: Caller, tx: Writing, once: OnceOnly
) -> Response:
    """One answer for each question; the job goes on."""
    if again := await once.before(tx, principal):
        return again
    answers = [jobs.Answer(question_id=a.question_id, answer=a.answer) for a in body.responses]
    await jobs.jobs.respond(tx, principal, job_id, answers)
    return await once.after(tx, principal, Resumed())


@router.post("/jobs/{job_id}/cancel", response_model=StatusOut, summary="Cancel a job")
async def cancel(job_id: UUID, request: Request, principal: Caller) -> Response:
    """With all that it spawned; a model call under way is ended."""
    async with parts_of(request).db.transaction(principal.served()) as tx:
        tasks = await jobs.jobs.cancel(tx, principal, job_id)
    await parts_of(request).delivery.revoke(tasks)
    return JSONResponse(StatusOut(status="cancelled").model_dump())


@router.post("/jobs/{job_id}/retry", response_model=StatusOut, summary="Try a job again")
async def retry(job_id: UUID, principal: Caller, tx: Writing) -> StatusOut:
    """One that failed or was cancelled; finished steps are not repeated."""
    await jobs.jobs.try_again(tx, principal, job_id)
    return StatusOut(status="queued")


@router.get("/queues", summary="Queues of the tenant")
async def queues(principal: ServiceCaller, tx: Seeing) -> list[QueueOut]:
    """What waits and runs in each, and how it is limited."""
    return [QueueOut(**row) for row in await jobs.queues.listing(tx, principal)]


@router.patch("/queues/{queue}", summary="Pause, weigh or limit a queue")
async def save_queue(
    queue: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")],
    body: SaveQueue,
    principal: ServiceCaller,
    tx: Writing,
) -> list[QueueOut]:
    """A paused queue's jobs wait; `max_running` null lifts a limit."""
    await jobs.queues.save(
        tx,
        principal,
        queue,
        paused=body.paused,
        weight=body.weight,
        max_running=body.max_running,
        unlimited="max_running" in body.model_fields_set and body.max_running is None,
    )
    return [QueueOut(**row) for row in await jobs.queues.listing(tx, principal)]


async def _enqueue(
    request: Request, tx: Transaction, principal: Principal, job: NewJob
) -> tuple[jobs.Enqueued, str]:
    parts = parts_of(request)
    made = await jobs.enqueue(tx, principal.served(), job, registry=parts.jobs, dispatch=parts.dispatch)
    usual = await jobs.jobs.estimated_s(tx, principal, job.kind)
    return made, _words(_USUALLY_S.get(job.kind, _USUALLY_ELSE_S) if usual is None else usual)


def _words(seconds: float) -> str:
    """As 004 writes times: ``30s``, ``5m``."""
    return f"{max(1, math.ceil(seconds))}s" if seconds < 90 else f"{math.ceil(seconds / 60)}m"


def _place(last_event_id: str | None) -> int | None:
    if last_event_id is None or not last_event_id.isascii() or not last_event_id.isdigit():
        return None
    return min(int(last_event_id), 2**31 - 1)


async def _frames(
    events: AsyncGenerator[JobEvent | None],
) -> AsyncGenerator[ServerSentEvent | None]:
    try:
        async for event in events:
            yield (
                None
                if event is None
                else ServerSentEvent(id=str(event.seq), event=event.event, data=event.data)
            )
    finally:
        await events.aclose()
