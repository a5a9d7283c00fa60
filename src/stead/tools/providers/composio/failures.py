"""What errors of the client mean.

What surely had no effect: the connection was refused, the request was refused (4xx), or put off (429). Time-outs,
connections that broke and 5xx leave open whether the tool ran: Composio does not recognize a repeated key.
"""

from __future__ import annotations

from typing import Any, cast

import httpx
from composio_client import APIConnectionError, APIError, APIStatusError, APITimeoutError

from stead.tools.models import ToolOutcome
from stead.tools.providers.errors import ToolProviderBusy, ToolProviderUnavailable
from stead.tools.providers.plain import error_text, retry_after_s


def outcome_of(error: APIError, api_key: str) -> ToolOutcome:
    """What a failed call of a tool came to."""
    if isinstance(error, APITimeoutError) and not isinstance(error.__cause__, httpx.ConnectTimeout):
        return ToolOutcome(kind="unknown", code="timeout", error="Composio did not answer in time")
    if isinstance(error, APIConnectionError):
        if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
            return ToolOutcome(kind="retryable", code="unreachable", error="Composio cannot be reached")
        return ToolOutcome(kind="unknown", code="connection_lost", error="the connection broke")
    if not isinstance(error, APIStatusError):
        return ToolOutcome(kind="unknown", code="result_invalid", error="the answer cannot be read")
    status = error.status_code
    said = error_text(message_of(error), [api_key])
    if status == 429:
        wait_s = retry_after_s(error.response.headers.get("retry-after"))
        return ToolOutcome(kind="retryable", code="rate_limited", error=said, retry_after_s=wait_s)
    # 408: it gave up waiting, perhaps for the tool.
    if status >= 500 or status == 408:
        return ToolOutcome(kind="unknown", code=f"http_{status}", error=said)
    return ToolOutcome(kind="permanent", code=f"http_{status}", error=said)


def failure_of(error: APIError, what: str) -> ToolProviderUnavailable | ToolProviderBusy:
    """The error for whatever is no call of a tool, and may be tried again."""
    if isinstance(error, APIStatusError):
        if error.status_code == 429:
            wait_s = retry_after_s(error.response.headers.get("retry-after")) or 60.0
            return ToolProviderBusy(f"Composio puts off {what}", retry_after_s=wait_s)
        return ToolProviderUnavailable(f"Composio answers {what} with {error.status_code}")
    return ToolProviderUnavailable(f"Composio does not answer {what}")


def message_of(error: APIStatusError) -> str:
    """What Composio says is wrong."""
    body: Any = error.body
    if isinstance(body, dict):
        members = cast("dict[str, Any]", body)
        inner = members.get("error", members)
        if isinstance(inner, dict):
            told = cast("dict[str, Any]", inner)
            words = [str(told[name]) for name in ("message", "suggested_fix") if told.get(name)]
            if words:
                return " ".join(words)
        elif isinstance(inner, str):
            return inner
    return f"HTTP {error.status_code}"
