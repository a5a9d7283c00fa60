"""What a local model server is told to answer, and what it writes down about each request."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Delta = str | Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Token counts. `input_tokens` includes cached and cache-written ones, `output_tokens` reasoning."""

    input_tokens: int = 10
    output_tokens: int = 5
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A tool call the model asks for. A string of `arguments` is sent as it stands, JSON or not."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    call_id: str = "call_1"

    def arguments_json(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)

    def pieces(self, size: int = 8) -> list[str]:
        """The arguments as they are streamed, `size` characters at a time; each counts as one delta."""
        text = self.arguments_json()
        return [text[at : at + size] for at in range(0, len(text), size)]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer: reasoning, then text, then tool calls; or one of the ways in which a vendor fails."""

    text: Sequence[Delta] = ()
    """Deltas. A function is called when its delta is sent: a benchmark can stamp it with the time."""
    reasoning: Sequence[Delta] = ()
    tool_calls: Sequence[ToolCall] = ()
    usage: Usage = Usage()
    stop: Literal["stop", "length"] = "stop"
    """`length`: the answer ends at the model's output limit."""

    delay_first_s: float = 0.0
    """Before the first delta; the stream's opening events are sent without it."""
    delay_each_s: float = 0.0
    """Between deltas, held to a schedule: a late delta does not delay the ones after it."""

    status: int = 200
    """Anything but 200 is answered with the vendor's error body."""
    retry_after_s: float | None = None
    error_message: str | None = None
    error_code: str | None = None
    """OpenAI's `code`, Anthropic's `type`."""
    error_param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further response headers, such as `x-should-retry`."""

    hold_after: int | None = None
    """After so many deltas none follows, until the client is gone."""
    hang: bool = False
    """Accept the request and never answer."""
    drop: bool = False
    """Close the connection without answering."""
    cut_after: int | None = None
    """Close the connection after so many deltas, before the body ends; half of a body not streamed."""
    reset: bool = False
    """Let `cut_after` and `drop` reset the connection (RST) rather than close it (FIN)."""
    error_after: int | None = None
    """After so many deltas the stream carries the vendor's error event."""


@dataclass(kw_only=True, eq=False)
class Request:
    """A request as the server received it, and how its answer went."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    """The parsed JSON; None when there was none."""
    received_s: float = field(default_factory=time.monotonic)
    deltas_sent: int = 0
    disconnected: bool = False
    """The client went away before the answer was complete."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the answer is complete, cut, or the client is gone."""


class CutError(Exception):
    """The script wants the connection closed here."""


class StreamFailedError(Exception):
    """The script wants an error event here."""


class Meter:
    """Holds one answer to its script: the pace of its deltas and where it breaks off."""

    def __init__(self, reply: Reply, request: Request) -> None:
        self._reply = reply
        self._request = request
        self._due_s = 0.0

    def check(self) -> None:
        """Raises CutError or StreamFailedError when the script breaks off after the deltas sent."""
        if self._reply.cut_after is not None and self._request.deltas_sent >= self._reply.cut_after:
            raise CutError
        if self._reply.error_after is not None and self._request.deltas_sent >= self._reply.error_after:
            raise StreamFailedError

    async def next(self, delta: Delta) -> str:
        """Wait until `delta` is due and return its text. Raises as `check` does."""
        self.check()
        if self._reply.hold_after is not None and self._request.deltas_sent >= self._reply.hold_after:
            await asyncio.Event().wait()
        now_s = asyncio.get_running_loop().time()
        if self._request.deltas_sent == 0:
            self._due_s = now_s + self._reply.delay_first_s
        else:
            self._due_s += self._reply.delay_each_s
        await asyncio.sleep(max(0.0, self._due_s - now_s))
        self._request.deltas_sent += 1
        return delta if isinstance(delta, str) else delta()


def whole_text(deltas: Sequence[Delta]) -> str:
    return "".join(delta if isinstance(delta, str) else delta() for delta in deltas)


def whole_duration_s(reply: Reply) -> float:
    """How long an answer that isn't streamed takes."""
    count = len(reply.reasoning) + len(reply.text) + sum(len(call.pieces()) for call in reply.tool_calls)
    return reply.delay_first_s + max(0, count - 1) * reply.delay_each_s
