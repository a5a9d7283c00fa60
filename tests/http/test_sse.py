"""Event streams over real sockets: how they begin, and every way in which they end."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from stead.http.serving import STALLED, server_options
from stead.http.sse import EventStream, Item, ServerSentEvent, encode
from tests.support.servers import _Server

PATIENCE_S = 20
Events = Callable[[], AsyncGenerator[Item]]


class Closing:
    """Events, and whether they were closed."""

    def __init__(self, events: AsyncGenerator[Item]) -> None:
        self.closed = asyncio.Event()
        self._events = events

    async def run(self) -> AsyncGenerator[Item]:
        try:
            async for item in self._events:
                yield item
        finally:
            await self._events.aclose()
            self.closed.set()


async def forever() -> AsyncGenerator[Item]:
    """One event, then nothing."""
    yield ServerSentEvent(id="1", event="progress", data={"n": 1})
    await asyncio.Event().wait()


@asynccontextmanager
async def serving(
    events: AsyncGenerator[Item], *, stall_s: float = 30.0, **options: Any
) -> AsyncIterator[tuple[str, Closing, uvicorn.Server]]:
    """A server with one stream."""
    closing = Closing(events)

    async def stream(request: Request) -> EventStream:
        return EventStream(closing.run(), **options)

    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", stream)])
    server = _Server(uvicorn.Config(app, **server_options(drain_s=10, stall_s=stall_s)))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", closing, server
    finally:
        server.should_exit = True
        async with asyncio.timeout(PATIENCE_S):
            await task
        listening.close()


async def whole(url: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        return await client.get(url)


async def test_events_keep_alives_and_encoded_frames() -> None:
    async def events() -> AsyncGenerator[Item]:
        yield ServerSentEvent(id="a-1", event="progress", data={"text": "one\ntwo\u2028ä"})
        yield None
        yield encode(ServerSentEvent(data=[1])) + encode(ServerSentEvent(data=[2]))

    async with serving(events(), headers={"x-more": "1"}) as (url, closing, _):
        answer = await whole(url)
        assert closing.closed.is_set()
    retry, _, rest = answer.text.partition("\n\n")
    assert retry.startswith("retry: ")
    assert 1000 <= int(retry.removeprefix("retry: ")) <= 3000
    assert rest == (
        'id: a-1\nevent: progress\ndata: {"text":"one\\ntwo\u2028ä"}\n\n:\n\ndata: [1]\n\ndata: [2]\n\n'
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-more"] == "1"


@pytest.mark.parametrize(("name", "value"), [("id", "1\n2"), ("event", "a\rb"), ("id", "\0")])
def test_nothing_breaks_out_of_its_line(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        encode(ServerSentEvent(data=1, **{name: value}))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"max_age_s": 0.05}, "max_age"),
        ({"expires_at": datetime.now(UTC) + timedelta(seconds=0.05)}, "token_expired"),
        ({"expires_at": datetime.now(UTC) + timedelta(hours=1), "max_age_s": 0.05}, "max_age"),
    ],
)
async def test_it_ends_in_time_and_says_why(options: dict[str, Any], reason: str) -> None:
    async with serving(forever(), **options) as (url, closing, _):
        answer = await whole(url)
        assert closing.closed.is_set()
    assert answer.text.endswith(f'event: end\ndata: {{"reason":"{reason}"}}\n\n')


async def test_a_shutdown_ends_it_at_once() -> None:
    async with serving(forever()) as (url, closing, server), httpx.AsyncClient() as client:
        async with client.stream("GET", url, timeout=PATIENCE_S) as answer:
            lines = answer.aiter_lines()
            async for line in lines:
                if line.startswith("data"):
                    break
            server.should_exit = True
            rest = [line async for line in lines if line]
        assert rest == ["event: end", 'data: {"reason":"shutdown"}']
        assert closing.closed.is_set()


async def test_a_client_that_leaves_ends_it() -> None:
    async with serving(forever()) as (url, closing, _):
        async with httpx.AsyncClient() as client, client.stream("GET", url) as answer:
            await anext(answer.aiter_lines())
        await asyncio.wait_for(closing.closed.wait(), PATIENCE_S)


async def test_a_client_that_does_not_read_is_cut_off_and_its_memory_freed() -> None:
    sent = 0

    async def flood() -> AsyncGenerator[Item]:
        nonlocal sent
        while True:
            sent += 1
            yield b"data: %s\n\n" % (b"x" * 8000)

    before = STALLED._value.get()
    async with serving(flood(), stall_s=0.3) as (url, closing, server):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            port = int(url.rpartition(":")[2])
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            # The client stays, and reads nothing.
            await asyncio.wait_for(closing.closed.wait(), PATIENCE_S)
            assert server.server_state.connections == set()
    assert STALLED._value.get() == before + 1
    # What the sockets' own buffers took and what the server held: megabytes at most, not all there is.
    assert sent * 8000 < 16 * 2**20


async def test_a_slow_client_that_reads_is_not_cut_off() -> None:
    async def some() -> AsyncGenerator[Item]:
        for n in range(400):
            yield encode(ServerSentEvent(data={"n": n, "text": "x" * 8000}))

    async with serving(some(), stall_s=1.0) as (url, _, _), httpx.AsyncClient() as client:
        seen: list[int] = []
        async with client.stream("GET", url, timeout=PATIENCE_S) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    seen.append(json.loads(line[6:])["n"])
                    if len(seen) % 100 == 0:
                        # Long enough for the buffers to fill, more than once.
                        await asyncio.sleep(0.2)
    assert seen == list(range(400))
