"""HTTP/1.1 as the model servers need it: a script, a record of requests, streams that may break off.

Hand-written on an asyncio protocol: an ASGI application cannot reset a connection within a body, nor
learn at once, while it is sending, that its client has gone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import signal
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Self, cast

from tests.servers.script import CutError, Reply, Request

encode = json.JSONEncoder(separators=(",", ":")).encode


class Connection(asyncio.Protocol):
    """One client's connection: its requests one after another, each answered by a task."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self._received = bytearray()
        self._request: Request | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport
        self._closing = False
        self.closed = asyncio.Event()
        """Set once the connection is gone and nothing is being answered on it any more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # With no buffer allowed, a wait for `_writable` is a wait until the kernel has taken everything.
        self._transport.set_write_buffer_limits(high=0)
        self._server.connections.add(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._start_next()

    def eof_received(self) -> bool:
        self._client_left()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._client_left()
        self._server.connections.discard(self)
        if self._task is None:
            self.closed.set()

    def close(self, *, reset: bool = False) -> None:
        """Close at once, leaving a started body unfinished."""
        self._closing = True
        if reset:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def send(self, data: bytes) -> None:
        self._transport.write(data)
        await self._writable.wait()

    async def send_json(
        self, status: int, body: Any, headers: Mapping[str, str], *, half: bool = False
    ) -> None:
        """Answer with a JSON body; `half` sends the first half of it and raises CutError."""
        data = encode(body).encode()
        head = _head(
            status, {"content-type": "application/json", "content-length": str(len(data)), **headers}
        )
        if half:
            await self.send(head + data[: len(data) // 2])
            raise CutError
        await self.send(head + data)

    async def start_events(self, headers: Mapping[str, str]) -> None:
        fixed = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache",
            "transfer-encoding": "chunked",
        }
        await self.send(_head(200, {**fixed, **headers}))

    async def send_event(self, data: Any, *, name: str | None = None) -> None:
        """Send one server-sent event; a string of `data` goes as it stands."""
        text = data if isinstance(data, str) else encode(data)
        event = (f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n").encode()
        await self.send(b"%x\r\n%b\r\n" % (len(event), event))

    async def end_events(self) -> None:
        await self.send(b"0\r\n\r\n")

    def _start_next(self) -> None:
        if self._task is not None:
            return
        request = _take_request(self._received)
        if request is not None:
            self._request = request
            self._task = asyncio.create_task(self._serve(request))
            self._task.add_done_callback(self._served)

    async def _serve(self, request: Request) -> None:
        try:
            await self._server.serve(request, self)
        finally:
            request.ended.set()

    def _served(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self._request = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._server.errors.append(error)
            self._transport.abort()
        elif not self._transport.is_closing():
            self._start_next()
        if self not in self._server.connections:
            self.closed.set()

    def _client_left(self) -> None:
        if self._task is not None and self._request is not None and not self._request.ended.is_set():
            self._request.disconnected = not self._closing
            self._request.ended.set()
            self._task.cancel()


class ModelServer(ABC):
    """What the vendors' servers share: the script, the record of requests, and the way in and out.

    `async with OpenAIServer(Reply(text=["Hi"])) as server:` listens on 127.0.0.1 until the block ends.
    Replies are taken first in, first out; when none is left, `reply_for(body)` is asked, if it is given,
    or else `default` is sent. Requests that the vendor itself would refuse use up no reply. An error in
    `reply_for` is raised when the block ends.
    """

    prefix = ""
    """What `base_url` has after the port."""
    request_id_header: str
    """The header in which the vendor names the request."""

    def __init__(
        self,
        *replies: Reply,
        default: Reply | None = None,
        reply_for: Callable[[Any], Reply] | None = None,
        api_key: str | None = None,
        record: bool = True,
    ) -> None:
        self.replies = deque(replies)
        self.default = default or Reply(text=["Hello", " there"])
        self.reply_for = reply_for
        self.api_key = api_key
        """The one key accepted; None accepts any."""
        self.record = record
        self.requests: list[Request] = []
        self.connections: set[Connection] = set()
        self.errors: list[BaseException] = []
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, port: int = 0) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), "127.0.0.1", port, backlog=1024
        )
        return self

    async def close(self) -> None:
        """Stop listening and cut every open connection. Raises what went wrong in an answer."""
        if self._server is None:
            return
        self._server.close()
        connections = list(self.connections)
        for connection in connections:
            connection.close()
        await asyncio.gather(*(connection.closed.wait() for connection in connections))
        await self._server.wait_closed()
        self._server = None
        if self.errors:
            raise self.errors[0]

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the server is not running: enter it with `async with`")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def script(self, *replies: Reply) -> None:
        """Add replies behind those that are left."""
        self.replies.extend(replies)

    async def received(self, count: int) -> Request:
        """Wait until `count` requests have arrived in all and return the last of them."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def serve(self, request: Request, out: Connection) -> None:
        """Answer one request as the script says."""
        if self.record:
            async with self._arrived:
                self.requests.append(request)
                self._arrived.notify_all()
        refusal = self.refusal(request)
        reply = refusal or self.choose(request)
        if reply.drop:
            out.close(reset=reply.reset)
            return
        if reply.hang:
            await asyncio.Event().wait()
        try:
            request_id = new_id("req_")
            headers = {self.request_id_header: request_id, **_retry_headers(reply), **reply.headers}
            if reply.status != HTTPStatus.OK:
                await asyncio.sleep(reply.delay_first_s)
                await out.send_json(reply.status, self.error_body(reply, request_id), headers)
            else:
                await self.answer(request, reply, out, headers)
        except CutError:
            out.close(reset=reply.reset)

    def choose(self, request: Request) -> Reply:
        """The next reply of the script."""
        if self.replies:
            return self.replies.popleft()
        return self.reply_for(request.body) if self.reply_for else self.default

    @abstractmethod
    def refusal(self, request: Request) -> Reply | None:
        """The error with which the vendor would refuse this request, if it would."""

    @abstractmethod
    def error_body(self, reply: Reply, request_id: str) -> dict[str, Any]:
        """The vendor's body for `reply.status`."""

    @abstractmethod
    async def answer(
        self, request: Request, reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        """Send the successful answer. Raises CutError where the script breaks it off."""


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def main(server_class: type[ModelServer]) -> None:
    """Run a server as a process of its own. The first line it prints is `{"base_url": ...}`."""
    parser = argparse.ArgumentParser(description=server_class.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--deltas", type=int, default=20, help="how many deltas each answer has")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="between two deltas")
    parser.add_argument("--first-ms", type=float, default=0.0, help="before the first delta")
    parser.add_argument(
        "--stamp",
        action="store_true",
        help="let each delta be time.monotonic_ns() as it is sent, and a space",
    )
    options = parser.parse_args()
    reply = Reply(
        text=[(lambda: f"{time.monotonic_ns()} ") if options.stamp else "word "] * options.deltas,
        delay_first_s=options.first_ms / 1000,
        delay_each_s=options.delay_ms / 1000,
    )
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        runner.run(_run(server_class(default=reply, record=False), options.port))


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:  # as on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _run(server: ModelServer, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start(port)
    print(encode({"base_url": server.base_url}), flush=True)
    await stop.wait()
    await server.close()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:  # Anthropic's 529 is nobody's standard
        phrase = "Overloaded"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _retry_headers(reply: Reply) -> dict[str, str]:
    if reply.retry_after_s is None:
        return {}
    return {
        "retry-after": str(math.ceil(reply.retry_after_s)),
        "retry-after-ms": str(round(reply.retry_after_s * 1000)),
    }


def _take_request(received: bytearray) -> Request | None:
    """Take one whole request off the bytes received, if there is one."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = received[:end].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    total = end + 4 + int(headers.get("content-length", "0"))
    if len(received) < total:
        return None
    raw = bytes(received[end + 4 : total])
    del received[:total]
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    return Request(method=method, path=path, query=query, headers=headers, body=_parsed(raw))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
