"""Durable jobs that can wait for a person.

Owns ``agent_jobs``, ``agent_job_steps`` and, privately, events, queues and schedules. What always holds: an
accepted job ends in a terminal state or is visibly waiting; a step that was checkpointed does not run again;
whoever lost its lease writes nothing any more.
"""

from stead.jobs import jobs, queues, upkeep
from stead.jobs.config import WorkerConfig
from stead.jobs.delivery import Delivery, PostgresDelivery
from stead.jobs.enqueuing import Enqueued, enqueue, enqueue_many
from stead.jobs.errors import (
    AnswersInvalid,
    JobEnded,
    JobFailed,
    JobInputInvalid,
    JobInvalid,
    JobKindUnknown,
    JobNotEnded,
    JobNotWaiting,
    JobUnknown,
)
from stead.jobs.following import JobEvent, JobStreams
from stead.jobs.models import (
    TERMINAL,
    Answer,
    Job,
    JobContext,
    JobFunction,
    JobResult,
    JobStatus,
    NewJob,
    Question,
)
from stead.jobs.registry import Handler, JobRegistry
from stead.jobs.worker import Worker

__all__ = [
    "TERMINAL",
    "Answer",
    "AnswersInvalid",
    "Delivery",
    "Enqueued",
    "Handler",
    "Job",
    "JobContext",
    "JobEnded",
    "JobEvent",
    "JobFailed",
    "JobFunction",
    "JobInputInvalid",
    "JobInvalid",
    "JobKindUnknown",
    "JobNotEnded",
    "JobNotWaiting",
    "JobRegistry",
    "JobResult",
    "JobStatus",
    "JobStreams",
    "JobUnknown",
    "NewJob",
    "PostgresDelivery",
    "Question",
    "Worker",
    "WorkerConfig",
    "enqueue",
    "enqueue_many",
    "jobs",
    "queues",
    "upkeep",
]
