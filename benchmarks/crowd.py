"""Thousands of clients of an event stream in one process: sockets, and what is read off their frames.

The writer puts a number and ``time.monotonic_ns()`` into the name of a session: what its change needed from there
to here is read off the change itself.
"""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import time
from collections.abc import Sequence
from typing import Final, cast
from urllib.parse import quote

_FRAME: Final = re.compile(rb"id: ([^\n]+)\n(?:event: (\w+)\ndata: ([^\n]*)\n)?")
_END: Final = re.compile(rb'event: end\ndata: \{"reason": ?"(\w+)"')
_NAME: Final = re.compile(rb'"name":"(\d+)-(\d+)"')
_RESET: Final = b"event: reset\n"
#: What a crowd follows.
QUERY: Final = f"table=sessions&event=UPDATE&filter={quote('name=not.is.null')}"


def allow_sockets(count: int) -> int:
    """Raises the limit of open files as far as it goes; how many sockets that leaves, at most ``count``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, count + 500)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(count, max(soft, wanted) - 500)


class _Wire(asyncio.Protocol):
    """One connection of a client. What arrives over a former one does not count any more."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._client.wire is self:
            self._client.hung_up()

    def data_received(self, data: bytes) -> None:
        if self._client.wire is self:
            self._client.received(data)


class Client:
    """One client.

    Attributes:
        numbers: Of the changes that it was told, in order.
        last_id: Where it would go on from.
        ended: Why the server ended its stream, as it said.
        resets: How often it was told that changes may have been missed.
        latencies_ms: Of its changes; shared by the crowd.
    """

    __slots__ = ("_buffer", "_head", "_ready", "ended", "gone", "last_id", "latencies_ms", "numbers", "resets",
                 "status", "transport", "who", "wire")  # fmt: skip

    def __init__(self, who: int, latencies_ms: list[float]) -> None:
        self.who = who
        self.latencies_ms = latencies_ms
        self.numbers: list[int] = []
        self.last_id: bytes | None = None
        self.ended: str | None = None
        self.resets = 0
        self.status = 0
        self.gone = False
        self.transport: asyncio.Transport | None = None
        self.wire: _Wire | None = None
        self._buffer = b""
        self._head = True
        self._ready: asyncio.Future[None] | None = None

    async def connect(self, port: int, token: str, query: str, *, small: bool = False) -> None:
        """Opens the stream, from where it was if it had begun; returns when it is ready.

        Args:
            small: With a small receive buffer, so that whoever stops reading is felt soon.
        """
        loop = asyncio.get_running_loop()
        self.leave()
        wire = self.wire = _Wire(self)
        made = socket.socket()
        if small:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.setblocking(False)  # noqa: FBT003
        await loop.sock_connect(made, ("127.0.0.1", port))
        self._buffer, self._head, self.gone, self.ended = b"", True, False, None
        self._ready = loop.create_future()
        await loop.create_connection(lambda: wire, sock=made)
        place = f"last-event-id: {self.last_id.decode()}\r\n" if self.last_id else ""
        assert self.transport is not None
        self.transport.write(
            f"GET /v1/changes?{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{place}\r\n".encode()
        )
        await self._ready
        self._ready = None

    def hung_up(self) -> None:
        """The connection is gone."""
        self.gone = True
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ConnectionResetError("before the stream was ready"))

    def received(self, data: bytes) -> None:
        """Something came."""
        now = time.monotonic_ns()
        self._buffer += data
        if self._head:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            self._head, self._buffer, self.status = False, rest, int(head[9:12])
            if self.status != 200 and self._ready is not None:
                self._ready.set_exception(RuntimeError(head.decode()))
        whole, separator, self._buffer = self._buffer.rpartition(b"\n\n")
        if separator:
            self._read(whole + separator, now)

    def _read(self, frames: bytes, now: int) -> None:
        self.resets += frames.count(_RESET)
        for place, event, text in _FRAME.findall(frames):
            self.last_id = place
            if event == b"ready" and self._ready is not None and not self._ready.done():
                self._ready.set_result(None)
            name = _NAME.search(text)
            if name is not None:
                self.numbers.append(int(name[1]))
                self.latencies_ms.append((now - int(name[2])) / 1e6)
        end = _END.search(frames)
        if end is not None:
            self.ended = end[1].decode()
            if self._ready is not None and not self._ready.done():
                self._ready.set_exception(ConnectionResetError("it ended before it was ready"))

    def stop_reading(self) -> None:
        """Stays, and takes nothing more."""
        assert self.transport is not None
        self.transport.pause_reading()

    def leave(self) -> None:
        """Hangs up."""
        if self.transport is not None:
            self.transport.abort()


async def connect_all(
    clients: Sequence[Client],
    port: int,
    tokens: Sequence[str],
    *,
    at_once: int = 100,
    small: bool = False,
) -> float:
    """Connects all, some at once; returns how many a second."""
    began = time.monotonic()
    turns = asyncio.Semaphore(at_once)

    async def one(client: Client) -> None:
        async with turns:
            await client.connect(port, tokens[client.who % len(tokens)], QUERY, small=small)

    await asyncio.gather(*(one(client) for client in clients))
    return len(clients) / (time.monotonic() - began)


async def until_told(clients: Sequence[Client], number: int, patience_s: float) -> None:
    """Waits until every client was told of a change.

    Raises:
        TimeoutError: Somebody was not.
    """
    async with asyncio.timeout(patience_s):
        for client in clients:
            while not client.numbers or client.numbers[-1] < number:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
