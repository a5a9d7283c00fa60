"""Which failure an exception of an SDK, or of the network below it, stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import httpx
import openai
from agents.exceptions import (
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelRefusalError,
    ModelTimeoutError,
    UserError,
)

from stead.core.errors import SteadError
from stead.providers.models.errors import (
    ModelFailed,
    ModelInterrupted,
    ModelOverloaded,
    ModelRateLimited,
    ModelRefused,
    ModelTimedOut,
)

_TIMEOUTS: Final = (ModelTimeoutError, openai.APITimeoutError, httpx.TimeoutException, TimeoutError)
_NETWORK_MODULES: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2"})


def failure_of(error: BaseException, *, started: bool, broken: bool = False) -> SteadError:
    """A failure with a stable code, in words that can be shown.

    Providers' own messages are left out: they may quote the request.

    Args:
        error: What a run raised.
        started: Whether the model had begun to answer.
        broken: Whether the provider said within its stream that it failed.
    """
    for cause in _chain(error):
        if isinstance(cause, SteadError):
            return cause
    for cause in _chain(error):
        status = getattr(cause, "status_code", None)
        # An error inside a stream comes with the status of its beginning, which was 200.
        if isinstance(status, int) and status >= 400:
            return _by_status(status)
        if isinstance(cause, _TIMEOUTS) or "Timeout" in type(cause).__name__:
            return ModelTimedOut(
                "the model did not answer in time", hint="Try again, or raise the time-out."
            )
        if isinstance(cause, MaxTurnsExceeded):
            return ModelFailed("the agent took more steps than it may", hint="Simplify the task.")
        if isinstance(cause, ModelRefusalError):
            return ModelRefused("the model declined to answer")
        if isinstance(cause, ModelBehaviorError) and not broken:
            return ModelFailed("the model's answer does not have the form that was asked for")
        if isinstance(cause, UserError):
            return ModelRefused("the agent is not set up in a way that the model accepts")
        if _is_network(cause):
            if started:
                return ModelInterrupted("the answer broke off", hint="Send the message again.")
            return ModelOverloaded(
                "the model's provider cannot be reached", hint="Try again in a moment."
            )
    if started:
        return ModelInterrupted("the answer broke off", hint="Send the message again.")
    if broken:
        return ModelOverloaded("the provider failed while it answered", hint="Try again in a moment.")
    return ModelFailed("the model failed")


def _by_status(status: int) -> ModelFailed:
    if status == 429:
        return ModelRateLimited("the provider's rate limit is reached", hint="Try again in a minute.")
    if status in {408, 504}:
        return ModelTimedOut("the model did not answer in time", hint="Try again.")
    if status >= 500:
        return ModelOverloaded(f"the provider answered {status}", hint="Try again in a moment.")
    if status in {401, 403}:
        return ModelRefused(f"the provider answered {status}", hint="Check the model's API key.")
    return ModelRefused(f"the provider answered {status}", hint="Check the agent's model and settings.")


def _is_network(error: BaseException) -> bool:
    return isinstance(error, openai.APIConnectionError | httpx.TransportError | ConnectionError) or (
        type(error).__module__.partition(".")[0] in _NETWORK_MODULES
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
