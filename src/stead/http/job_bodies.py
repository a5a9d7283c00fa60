"""Bodies of the endpoints of jobs (004, sections 5.1 to 5.7, and what goes beyond)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stead.jobs import Job, JobStatus
from stead.jobs.jobs import Step

_QUEUE = r"^[a-z0-9][a-z0-9_.-]{0,62}$"
_KIND = r"^[a-z][a-z0-9_.:-]{0,99}$"
Kind = Annotated[str, Field(pattern=_KIND, examples=["research"])]


class RunAgent(BaseModel):
    """Which agent is to work on a project, and on what."""

    model_config = ConfigDict(extra="forbid")

    project_id: UUID
    agent_type: Kind
    input_context: dict[str, Any] = Field(
        default_factory=dict, examples=[{"user_idea": "A CRM for dog walkers"}]
    )


class RunPipeline(BaseModel):
    """What the whole pipeline is to work on."""

    model_config = ConfigDict(extra="forbid")

    project_id: UUID
    input_context: dict[str, Any] = Field(
        default_factory=dict, examples=[{"user_idea": "A CRM for dog walkers"}]
    )


class Accepted(BaseModel):
    """A job was enqueued."""

    job_id: UUID
    status: Literal["queued"] = "queued"
    estimated_time: str = Field(examples=["30s"])


class CreateJob(BaseModel):
    """A job of any kind that a handler is registered for."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    input: dict[str, Any] = Field(default_factory=dict)
    project_id: UUID | None = None
    queue: str | None = Field(None, pattern=_QUEUE, examples=["default"])
    priority: int = Field(0, ge=-100, le=100)
    run_at: datetime | None = Field(None, examples=["2026-11-21T07:00:00Z"])
    dedupe_key: str | None = Field(None, min_length=1, max_length=255)
    max_attempts: int | None = Field(None, ge=1, le=100)
    timeout_s: float | None = Field(None, gt=0, le=604_800)


class Made(BaseModel):
    """A job, and whether it was made by this call."""

    job_id: UUID
    status: str
    new: bool
    estimated_time: str


class JobOut(BaseModel):
    """A job as 004 shows it."""

    job_id: UUID
    status: JobStatus
    agent_type: str
    project_id: UUID | None
    progress: float
    result: Any
    error: str | None
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobOut:
        """From the job."""
        return cls(
            job_id=job.id,
            status=job.status,
            agent_type=job.kind,
            project_id=job.project_id,
            progress=job.progress,
            result=job.result,
            error=job.error,
            created_at=job.created_at,
            completed_at=job.completed_at,
        )


class JobList(BaseModel):
    """Some jobs of a project (004)."""

    items: list[JobOut]
    total: int
    has_more: bool


class JobPage(BaseModel):
    """Some jobs, the latest first."""

    items: list[JobOut]
    has_more: bool


class QuestionOut(BaseModel):
    """What a job asks."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    question: str
    options: list[str] | None = None


class StepOut(BaseModel):
    """What a job has done."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    kind: str
    result: Any
    duration_ms: int | None
    created_at: datetime


class JobDetails(JobOut):
    """All there is to know of a job."""

    error_code: str | None
    questions: list[QuestionOut]
    queue: str
    priority: int
    attempts: int
    max_attempts: int
    run_at: datetime | None = Field(description="null: when the jobs that it waits for have ended")
    parent_id: UUID | None
    started_at: datetime | None
    steps: list[StepOut]

    @classmethod
    def with_steps(cls, job: Job, steps: Sequence[Step]) -> JobDetails:
        """From the job and what it has done."""
        return cls(
            **JobOut.of(job).model_dump(),
            error_code=job.error_code,
            questions=[QuestionOut.model_validate(q) for q in job.questions],
            queue=job.queue,
            priority=job.priority,
            attempts=job.attempts,
            max_attempts=job.max_attempts,
            run_at=job.run_at if job.run_at.year < 9000 else None,
            parent_id=job.parent_id,
            started_at=job.started_at,
            steps=[StepOut.model_validate(step) for step in steps],
        )


class AnswerIn(BaseModel):
    """The answer to one question."""

    model_config = ConfigDict(extra="forbid")

    question_id: str = Field(min_length=1, max_length=200)
    answer: str = Field(max_length=20_000)


class Respond(BaseModel):
    """Answers to all questions of a job."""

    model_config = ConfigDict(extra="forbid")

    responses: list[AnswerIn] = Field(
        min_length=1, max_length=50, examples=[[{"question_id": "q1", "answer": "The city."}]]
    )


class Resumed(BaseModel):
    """The job goes on."""

    status: Literal["running"] = "running"
    message: str = "Agent resumed with clarifications"


class StatusOut(BaseModel):
    """How the job stands now."""

    status: JobStatus


class QueueOut(BaseModel):
    """A queue of the tenant."""

    queue: str
    paused: bool
    weight: int
    max_running: int | None
    queued: int
    running: int
    waiting: int


class SaveQueue(BaseModel):
    """What is to change of a queue; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    paused: bool | None = Field(None, examples=[True])
    weight: int | None = Field(None, ge=1, le=1000)
    max_running: int | None = Field(None, ge=0, le=1_000_000)
