"""When an attempt is repeated."""

from __future__ import annotations

from typing import Final

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential, wait_random

from stead.outbox.models import Result

#: A provider that asks for more is not waited for that long.
_LONGEST_ASKED_S: Final = 86_400.0
_JITTER: Final = 0.25


def next_delay_s(
    result: Result, *, attempt: int, attempt_limit: int, backoff_s: float, max_backoff_s: float
) -> float | None:
    """Seconds until the next attempt: exponential, with jitter, never before the provider allows it.

    The state of the attempts is a row, and another process may make the next one: only the rules of tenacity are
    used here, not its loop.

    Args:
        result: Of an attempt that may be repeated.
        attempt: Its number, from 1.
        attempt_limit: How many there are, by the tier of risk.
        backoff_s: Before the second.
        max_backoff_s: At most.

    Returns:
        None when there is no next one.
    """
    state = RetryCallState(Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = attempt
    if stop_after_attempt(attempt_limit)(state):
        return None
    wait = wait_exponential(multiplier=backoff_s, max=max_backoff_s) + wait_random(
        0, backoff_s * _JITTER
    )
    pause_s = wait(state)
    if result.retry_after_s is not None:
        pause_s = max(pause_s, min(max(result.retry_after_s, 0.0), _LONGEST_ASKED_S))
    return pause_s
