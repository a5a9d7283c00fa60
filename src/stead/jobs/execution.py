"""Carrying out one attempt of one job."""

from __future__ import annotations

import asyncio

import structlog

from stead.jobs.context import RunningJob
from stead.jobs.errors import JobTimedOut
from stead.jobs.outcomes import LeaseLost, Outcome, Suspended, failure
from stead.jobs.registry import Handler
from stead.jobs.values import to_json

_log = structlog.stdlib.get_logger(__name__)


async def carry_out(running: RunningJob, handler: Handler, *, tell_errors: bool) -> Outcome | None:
    """Runs the handler; whatever it raises becomes an outcome.

    Args:
        running: The job.
        handler: What carries out its kind.
        tell_errors: Whether the text of unexpected exceptions is stored with the job.

    Returns:
        None when the job is no longer this worker's.

    Raises:
        asyncio.CancelledError: It was cancelled from outside.
    """
    job = running.job
    limit_s = job.timeout_s or handler.timeout_s
    limit = asyncio.timeout(limit_s)
    try:
        arguments = handler.arguments(job.input)
        async with limit:
            with structlog.contextvars.bound_contextvars(tenant_id=str(job.principal.tenant.id)):
                result = await handler.function(running, **arguments)
        return Outcome(kind="completed", result=to_json(result, job.kind))
    except Suspended as waiting:
        return waiting.outcome
    except LeaseLost:
        _log.warning("job_fenced", job_id=str(job.id), kind=job.kind)
        return None
    except Exception as error:  # noqa: BLE001 - the outermost edge of a handler: whatever it is, the job says it
        if running.database_lost:
            # It is stored as soon as the database is back, and the job goes on where its steps end.
            _log.warning("job_database_lost", job_id=str(job.id), kind=job.kind)
            return Outcome(kind="released")
        raised: Exception = error
        if isinstance(error, TimeoutError) and limit.expired():
            raised = JobTimedOut(f"the attempt took longer than {limit_s:g} s")
        outcome = failure(
            raised,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            backoff_s=handler.backoff_s,
            max_backoff_s=handler.max_backoff_s,
            tell=tell_errors,
        )
        _log.warning(
            "job_attempt_failed",
            job_id=str(job.id),
            kind=job.kind,
            attempt=job.attempt,
            code=outcome.code,
            reason=type(error).__name__,
            again=outcome.kind == "retry",
        )
        return outcome
