"""Which failures of an embeddings request are tried again, after how long, and what they are called."""

from __future__ import annotations

import random
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError
from tenacity import RetryCallState

from stead.core.clock import system_clock
from stead.providers.embedders.errors import (
    EmbedderAnswerInvalid,
    EmbedderFailed,
    EmbedderRateLimited,
    EmbedderRefused,
    EmbedderUnreachable,
)

ATTEMPTS: Final = 5
LONGEST_PAUSE_S: Final = 30.0
"""A provider that asks for a longer one gets its way by failing: a job waits better than a call."""


def is_worth_retrying(error: BaseException) -> bool:
    """Whether the same request may do better a little later."""
    if isinstance(error, APIConnectionError):
        return True
    if not isinstance(error, APIStatusError) or _is_out_of_quota(error):
        return False
    if error.status_code not in {408, 429} and error.status_code < 500:
        return False
    return (asked_pause_s(error) or 0.0) <= LONGEST_PAUSE_S


def pause_s(state: RetryCallState) -> float:
    """What the provider asked for; otherwise half a second, doubled each time up to 8 s, with jitter."""
    asked_s = asked_pause_s(state.outcome.exception() if state.outcome else None)
    if asked_s is not None:
        return asked_s
    return min(0.5 * 2 ** (state.attempt_number - 1), 8.0) * random.uniform(0.5, 1.0)  # noqa: S311


def asked_pause_s(error: BaseException | None) -> float | None:
    """Seconds that the answer asks for in ``Retry-After`` (number or date) or ``retry-after-ms``."""
    if not isinstance(error, APIStatusError):
        return None
    headers = error.response.headers
    exact_s = _seconds(headers.get("retry-after-ms", ""), per_second=1000)
    return exact_s if exact_s is not None else _seconds(headers.get("retry-after", ""))


def _seconds(value: str, *, per_second: int = 1) -> float | None:
    try:
        return max(0.0, float(value) / per_second)
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - system_clock.now()).total_seconds())


def failure_of(error: APIError, host: str) -> EmbedderFailed:
    """The failure with a stable code. Without the provider's own message: it may quote the request."""
    if isinstance(error, APITimeoutError):
        return EmbedderUnreachable(f"{host} did not answer in time", hint="Try again in a moment.")
    if isinstance(error, APIConnectionError):
        return EmbedderUnreachable(
            f"{host} cannot be reached", hint="Check the base URL and the network, or try again."
        )
    if isinstance(error, APIStatusError):
        return _by_status(error, f"{host} answered {error.status_code}")
    return EmbedderAnswerInvalid(f"the answer of {host} is of no use: {type(error).__name__}")


def _by_status(error: APIStatusError, what: str) -> EmbedderFailed:
    if error.status_code == 429 and not _is_out_of_quota(error):
        return EmbedderRateLimited(what, hint="Try again later.", retry_after_s=asked_pause_s(error))
    if error.status_code == 408 or error.status_code >= 500:
        return EmbedderUnreachable(what, hint="Try again in a moment.")
    if error.status_code == 429:
        return EmbedderRefused(f"{what}: the quota is used up", hint="Check the account's billing.")
    if error.status_code in {401, 403}:
        return EmbedderRefused(what, hint="Check the embedder's API key.")
    about = f" (about {error.param})" if error.param else ""
    return EmbedderRefused(
        f"{what}{about}", hint="Check STEAD_EMBEDDER (openai/<model>@<dimensions>) and the base URL."
    )


def _is_out_of_quota(error: APIStatusError) -> bool:
    return error.status_code == 429 and error.code == "insufficient_quota"
