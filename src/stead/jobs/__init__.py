"""Durable jobs that can wait for a person.

Owns ``agent_jobs``, ``agent_job_steps`` and, privately, events, queues and schedules. What always holds: an
accepted job ends in a terminal state or is visibly waiting; a step that was checkpointed does not run again;
whoever lost its lease writes nothing any more.
"""

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

__all__ = [
    "TERMINAL",
    "Answer",
    "Job",
    "JobContext",
    "JobFunction",
    "JobResult",
    "JobStatus",
    "NewJob",
    "Question",
]
