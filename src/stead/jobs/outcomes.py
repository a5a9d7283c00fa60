"""How an attempt ends."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from stead.core.errors import Invalid, RateLimited, SteadError
from stead.jobs.errors import JobFailed
from stead.jobs.models import Question

OutcomeKind = Literal["completed", "failed", "retry", "waiting", "sleeping", "awaiting", "released"]
_MAX_ERROR = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What becomes of a job after an attempt, or a part of one."""

    kind: OutcomeKind
    result: Any = None
    error: str | None = None
    code: str | None = None
    delay_s: float | None = None
    until: datetime | None = None
    jobs: Sequence[UUID] = ()
    questions: Sequence[Question] = ()
    asking: str | None = None


class Suspended(BaseException):
    """Raised through a handler that waits: no ``except Exception`` of its own keeps it."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.kind)


class LeaseLost(BaseException):
    """Raised through a handler whose job is no longer this worker's: it may write nothing any more."""


def failure(
    error: Exception,
    *,
    attempt: int,
    max_attempts: int,
    backoff_s: float,
    max_backoff_s: float,
    tell: bool,
) -> Outcome:
    """What becomes of a job whose handler raised.

    What cannot come right (invalid input, a handler that gives up) fails at once; everything else is tried again
    after ``backoff_s * 2 ** (attempt - 1)`` seconds, between half of it and all ("equal jitter"), or after what a
    rate limit asks for.

    Args:
        error: What was raised.
        attempt: The attempt that it ended, from 1.
        max_attempts: How many there are.
        backoff_s: Before the second.
        max_backoff_s: At most.
        tell: Whether the text of an unexpected exception is stored; it could hold anything.
    """
    if isinstance(error, SteadError):
        text, code = error.detail, error.code
    elif isinstance(error, TimeoutError):
        text, code = "it took longer than it may", "job_timed_out"
    else:
        said = f": {error}" if tell and str(error) else ""
        text, code = f"{type(error).__name__}{said}", "job_handler_failed"
    text = text.replace("\x00", "")[:_MAX_ERROR]
    if attempt >= max_attempts or isinstance(error, Invalid | JobFailed):
        return Outcome(kind="failed", error=text, code=code)
    delay_s = min(backoff_s * 2 ** (attempt - 1), max_backoff_s) * random.uniform(0.5, 1.0)  # noqa: S311
    if isinstance(error, RateLimited):
        delay_s = max(delay_s, min(error.retry_after_s, max_backoff_s))
    return Outcome(kind="retry", error=text, code=code, delay_s=delay_s)
