"""What became of a call's message on its way: whether the call may be made again hangs on it.

The client library raises the same error whether a message was never written or its answer was lost. So its
transports are watched here. What a transport does for a call, it does in the context of that call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import anyio
import httpx2

from stead.tools.providers.plain import retry_after_s


@dataclass
class Sending:
    """One call's message.

    Args:
        written: It left, or may have.
        status: Over HTTP: how it was answered.
        retry_after_s: Over HTTP: when the server wants to be asked again.
    """

    written: bool = False
    status: int | None = None
    retry_after_s: float | None = None


current: Final[ContextVar[Sending | None]] = ContextVar("stead_mcp_sending", default=None)


class WatchedStream:
    """The stream to a server's standard input; notes what is written."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def send(self, item: Any) -> None:
        """Hands a message to the writer."""
        sending = current.get()
        was = sending is not None and sending.written
        if sending is not None:
            sending.written = True
        try:
            await self._inner.send(item)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            # The writer had ended: nobody took it.
            if sending is not None:
                sending.written = was
            raise

    def close(self) -> None:
        """Ends the stream."""
        self._inner.close()

    async def aclose(self) -> None:
        """Ends the stream."""
        await self._inner.aclose()

    async def __aenter__(self) -> WatchedStream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class WatchedTransport(httpx2.AsyncHTTPTransport):
    """HTTP; notes what was sent and how it was answered, and ends answers that are too long.

    Args:
        max_bytes: Of one answer. Event streams are bounded by event, not here.
    """

    def __init__(self, *, max_bytes: int) -> None:
        super().__init__(retries=0)
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends one request."""
        sending = current.get()
        was = sending is not None and sending.written
        if sending is not None:
            sending.written = True
        try:
            response = await super().handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            if sending is not None:
                sending.written = was
            raise
        if sending is not None and request.method == "POST":
            sending.status = response.status_code
            sending.retry_after_s = retry_after_s(response.headers.get("retry-after"))
        if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            response.stream = _Bounded(response.stream, self._max_bytes)
        return response


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: Any, max_bytes: int) -> None:
        self._inner = inner
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._left -= len(chunk)
            if self._left < 0:
                # The library answers this kind of error to the caller; any other would end the session.
                raise httpx2.StreamError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
