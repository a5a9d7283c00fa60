"""Which failures of a rerank request are tried again, after how long, and what they are called."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
from tenacity import RetryCallState

from stead.core.clock import system_clock
from stead.providers.rerankers.errors import (
    RerankerAnswerInvalid,
    RerankerFailed,
    RerankerRateLimited,
    RerankerRefused,
    RerankerUnreachable,
)

ATTEMPTS: Final = 3
LONGEST_PAUSE_S: Final = 5.0
"""Somebody waits for the answer: an order that is a little worse now beats a better one later."""


class StatusError(Exception):
    """The server answered with a status other than 200.

    Args:
        status: The status.
        headers: The answer's headers. Its body is not kept: it may quote the request.
    """

    def __init__(self, status: int, headers: httpx.Headers) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers


def is_worth_retrying(error: BaseException) -> bool:
    """Whether the server itself said that it wants to be asked again, and soon enough."""
    asked_s = asked_pause_s(error)
    return asked_s is not None and asked_s <= LONGEST_PAUSE_S


def pause_s(state: RetryCallState) -> float:
    """What the server asked for, in seconds."""
    return asked_pause_s(state.outcome.exception() if state.outcome else None) or 0.0


def asked_pause_s(error: BaseException | None) -> float | None:
    """Seconds that a 429 or 503 asks for in ``Retry-After`` (number or date)."""
    if not isinstance(error, StatusError) or error.status not in {429, 503}:
        return None
    value = error.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return seconds if 0 <= seconds < float("inf") else None
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - system_clock.now()).total_seconds())


def failure_of(error: Exception, host: str) -> RerankerFailed:
    """The failure with a stable code. Without the server's own message: it may quote the request."""
    if isinstance(error, StatusError):
        return _by_status(error, f"{host} answered {error.status}")
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return RerankerUnreachable(f"{host} did not answer in time", hint="Try again in a moment.")
    if isinstance(error, httpx.DecodingError):
        return RerankerAnswerInvalid(f"the answer of {host} is of no use: it cannot be decompressed")
    return RerankerUnreachable(
        f"{host} cannot be reached", hint="Check STEAD_RERANKER_URL and the network, or try again."
    )


def _by_status(error: StatusError, what: str) -> RerankerFailed:
    if error.status == 429:
        return RerankerRateLimited(what, hint="Try again later.", retry_after_s=asked_pause_s(error))
    if error.status == 408 or error.status >= 500:
        return RerankerUnreachable(what, hint="Try again in a moment.")
    if error.status in {401, 403}:
        return RerankerRefused(what, hint="Check STEAD_RERANKER_API_KEY.")
    return RerankerRefused(what, hint="Check STEAD_RERANKER (http/<model>) and STEAD_RERANKER_URL.")
