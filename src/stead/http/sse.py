"""Server-sent events: an answer that goes on, with little memory for each client.

While nothing happens, nothing is held but the coroutine that waits for the next event. Frames may come encoded:
what ten thousand clients are told is one object. How fast a client reads is its connection's business
(`stead.http.serving`): `send` waits while the buffer is full, and a client that stays stalled is cut off.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stead.realtime import Hold

MAX_AGE_S: Final = 900.0
#: Names the hook in a request's scope by which a response hears that its server is shutting down.
SHUTDOWN_HOOK: Final = "stead.on_shutdown"
#: Names, in the same place, the list of streams that `Handover` goes on with.
HANDOVER: Final = "stead.handover"
#: What a server may still look at in a request's scope.
_NEEDED: Final = frozenset(
    {"type", "asgi", "http_version", "method", "scheme", "path", "client", "server"}
)
#: A comment: keeps proxies from taking a quiet stream for a dead one.
KEEP_ALIVE: Final = b":\n\n"
_LAST_WORDS_S: Final = 5.0

EndReason = Literal["max_age", "token_expired", "key_ended", "shutdown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSentEvent:
    """One event.

    Args:
        data: Goes out as JSON.
        event: Its type; None: ``message``, as browsers call it.
        id: What a client that comes back sends as ``Last-Event-ID``. No line break.
    """

    data: Any
    event: str | None = None
    id: str | None = None


#: An event, or some that are encoded already, or None: nothing came for a while.
Item: TypeAlias = ServerSentEvent | bytes | None


def encode(event: ServerSentEvent) -> bytes:
    """The lines of one event.

    Raises:
        ValueError: Its id or type would end its line.
    """
    lines: list[str] = []
    for name, value in (("id", event.id), ("event", event.event)):
        if value is not None:
            if "\n" in value or "\r" in value or "\0" in value:
                raise ValueError(f"the {name} of an event has no line break")
            lines.append(f"{name}: {value}\n")
    # JSON has no raw line break, so the data is one line.
    lines.append(f"data: {json.dumps(event.data, ensure_ascii=False, separators=(',', ':'))}\n\n")
    return "".join(lines).encode()


class EventStream(Response):
    """An event stream as a response.

    It ends when its events do, when the client is gone, when it is too old, when the token that opened it has
    expired or the key is good no longer, or when the server shuts down. In the last four cases its last event is
    ``end`` with a ``reason``,
    and a client that reconnects (browsers do so by themselves) goes on from its last id.

    Args:
        events: What to send. It is closed at the end, whatever that is. None in between is sent as a comment.
        max_age_s: After how long it ends.
        expires_at: When the token that opened it expires; None: never.
        hold: What ends it when the key that opened it is revoked or expires; None: no key opened it.
        retry_ms: After how long a client is to come back; spread by half, so that not all do so at once.
        headers: Further ones.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[Item],
        *,
        max_age_s: float = MAX_AGE_S,
        expires_at: datetime | None = None,
        hold: Hold | None = None,
        retry_ms: int = 2000,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            headers={
                "cache-control": "no-cache, no-transform",
                # nginx would keep events back until its buffer is full.
                "x-accel-buffering": "no",
                **(headers or {}),
            }
        )
        # The length of an empty body, which the base class counted.
        del self.headers["content-length"]
        self._events = events
        self._hold = hold
        self._retry_ms = round(retry_ms * random.uniform(0.5, 1.5))  # noqa: S311
        self._ends_in_s = max_age_s
        self._reason: EndReason = "max_age"
        if expires_at is not None:
            left_s = (expires_at - datetime.now(UTC)).total_seconds()
            if left_s < max_age_s:
                self._ends_in_s, self._reason = max(left_s, 0.0), "token_expired"
        self._writer: asyncio.Task[Any] | None = None
        self._cut = False
        self._told: EndReason | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the head, and the events; these from further out, where there is `Handover`."""
        extensions = scope.get("extensions", {})
        waiting: list[EventStream] | None = extensions.get(HANDOVER)
        if waiting is not None:
            waiting.append(self)
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
        except BaseException:
            await self.aclose()
            raise
        if waiting is None:
            await self.follow(extensions.get(SHUTDOWN_HOOK), receive, send)

    async def aclose(self) -> None:
        """Closes the events, begun or not."""
        close = getattr(self._events, "aclose", None)
        if close is not None:
            await close()

    async def follow(
        self, hook: Callable[[Callable[[], None]], None] | None, receive: Receive, send: Send
    ) -> None:
        """Sends the events, to their end."""
        loop = asyncio.get_running_loop()
        self._writer = asyncio.current_task()
        timer = loop.call_later(self._ends_in_s, self.end, self._reason)
        watcher = loop.create_task(self._watch(receive))
        release = None if self._hold is None else self._hold(partial(self.end, "key_ended"))
        if hook is not None:
            hook(self._shut_down)
        try:
            await self._write(send)
        except asyncio.CancelledError:
            task = self._writer
            if not self._cut or (task is not None and task.uncancel() > 0):
                raise
        finally:
            self._writer = None
            timer.cancel()
            watcher.cancel()
            if release is not None:
                release()
            await self.aclose()
        if self._told is not None:
            last = encode(ServerSentEvent(event="end", data={"reason": self._told}))
            await _say(send, last)
        await _say(send, b"", more=False)

    def end(self, reason: EndReason | None) -> None:
        """Ends the stream from outside.

        Args:
            reason: What the client is told; None: nobody is there to be told.
        """
        if self._writer is not None and not self._cut:
            self._cut = True
            self._told = reason
            self._writer.cancel()

    def _shut_down(self) -> None:
        self.end("shutdown")

    async def _write(self, send: Send) -> None:
        await send(_body(b"retry: %d\n\n" % self._retry_ms))
        async for item in self._events:
            frame = KEEP_ALIVE if item is None else item if isinstance(item, bytes) else encode(item)
            await send(_body(frame))

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end(None)


class Handover:
    """Lets event streams go on outside of all that a request needed until its answer began.

    Between here and the answer lie some thirty coroutines with what they hold: several times of what a stream
    itself takes. They end when its head is sent; what is in the scope is let go of.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        waiting: list[EventStream] = []
        extensions = scope.setdefault("extensions", {})
        extensions[HANDOVER] = waiting
        try:
            await self._app(scope, receive, send)
        except BaseException:
            for stream in waiting:
                await stream.aclose()
            raise
        finally:
            del extensions[HANDOVER]
        if waiting:
            hook = extensions.get(SHUTDOWN_HOOK)
            for name in scope.keys() - _NEEDED:
                del scope[name]
            await waiting.pop().follow(hook, receive, send)


def _body(frame: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": frame, "more_body": more}


async def _say(send: Send, frame: bytes, *, more: bool = True) -> None:
    # A client that does not read is not waited for.
    try:
        async with asyncio.timeout(_LAST_WORDS_S):
            await send(_body(frame, more=more))
    except TimeoutError:
        return
