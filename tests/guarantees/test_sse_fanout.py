"""Thousands of event streams on one server: memory with a bound, no gap and no repeat across a restart.

`SSE_CLIENTS=10000` runs it in full, as `python -m benchmarks.sse_fanout` does; the gate takes fewer.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
import pytest_asyncio

from benchmarks.crowd import QUERY, Client, allow_sockets, connect_all, until_told
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity.jwt import SteadTokens
from tests.support.people import SECRET, Person, make_person, make_tenant
from tests.support.servers import ServerProcess

CLIENTS = int(os.environ.get("SSE_CLIENTS", "1500"))
PEOPLE = 30
PATIENCE_S = 120.0
KB_PER_CLIENT = 40
#: What reading large rows takes once, whoever listens.
LARGE_ROWS_KB = 48 * 1024
UPDATE = "update public.sessions set name = $1 || '-' || $2 where profile_id = any ($3)"

pytestmark = pytest.mark.timeout(1200)


@dataclass
class Place:
    """A database of this test's own, people, and a server that can be killed."""

    access: DatabaseAccess
    admin: asyncpg.Connection
    people: list[Person]
    home: Path
    server: ServerProcess
    clients: list[Client] = field(default_factory=list)

    def crowd(self, count: int) -> list[Client]:
        """Clients that have not connected yet."""
        made = [Client(n, []) for n in range(count)]
        self.clients += made
        return made

    async def disperse(self) -> None:
        """All clients hang up."""
        for client in self.clients:
            client.leave()
        while not all(client.gone for client in self.clients if client.transport):  # noqa: ASYNC110
            await asyncio.sleep(0)

    @property
    def tokens(self) -> list[str]:
        return [person.token for person in self.people]

    async def start(self) -> None:
        self.server = ServerProcess(
            self.access,
            STEAD_HOME=str(self.home),
            STEAD_STALL_S="1",
            STEAD_RATE_LIMIT="10000000/minute",
            STEAD_ADDRESS_RATE_LIMIT="10000000/minute",
            STEAD_LOG_LEVEL="warning",
        )
        await self.server.start()

    async def change(self, number: int, people: list[Person], context: str | None = None) -> None:
        """One change of the session of each of those people."""
        if context is not None:
            await self.admin.execute(
                "update public.sessions set context = jsonb_build_object('text', $1::text) "
                "where profile_id = any ($2)",
                context,
                [person.id for person in people],
            )
        await self.admin.execute(
            UPDATE, str(number), str(time.monotonic_ns()), [person.id for person in people]
        )

    @property
    def memory(self) -> int:
        assert self.server.process is not None
        return psutil.Process(self.server.process.pid).memory_info().rss

    async def metric(self, name: str) -> float:
        async with httpx.AsyncClient(base_url=self.server.base_url) as client:
            text = (await client.get("/metrics")).text
        [line] = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(line.rpartition(" ")[2])

    async def until(self, name: str, value: float) -> None:
        """Waits until a metric has that value."""
        async with asyncio.timeout(PATIENCE_S):
            while (there := await self.metric(name)) != value:
                assert there <= PATIENCE_S * 1000
                await asyncio.sleep(0.1)


@pytest_asyncio.fixture
async def place(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Place]:
    admin = await asyncpg.connect(fresh.admin_url)
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=2))
    tenants = [await make_tenant(fresh) for _ in range(3)]
    people = [await make_person(db, tenants[n % 3], f"p{n}") for n in range(PEOPLE)]
    for person in people:
        await admin.execute(
            "insert into public.sessions (tenant_id, profile_id, name) values ($1, $2, '0-0')",
            person.tenant.id,
            person.id,
        )
    await db.close()
    found = Place(fresh, admin, people, tmp_path, ServerProcess(fresh))
    await found.start()
    yield found
    await found.disperse()
    await found.server.stop()
    await admin.close()


async def test_many_clients_some_stalled_and_a_restart(place: Place) -> None:
    count = allow_sockets(CLIENTS)
    # The stalled ones follow people of their own, whose rows are large.
    quick_people, slow_people = place.people[: PEOPLE - 3], place.people[PEOPLE - 3 :]
    warm = place.crowd(100)
    await connect_all(warm, place.server.port, place.tokens)
    before = place.memory
    crowd, stalled = place.crowd(count - count // 10), place.crowd(count // 10)
    await connect_all(crowd, place.server.port, [p.token for p in quick_people])
    await connect_all(stalled, place.server.port, [p.token for p in slow_people], small=True)
    await place.until("stead_realtime_subscriptions", count + len(warm))
    each_kb = (place.memory - before) / 1024 / count
    assert each_kb < KB_PER_CLIENT, f"{each_kb:.0f} KB for each of {count} clients"
    for client in stalled:
        client.stop_reading()

    # Whoever reads is told of everything, while a tenth takes nothing, and is cut off.
    text = "x" * 60_000
    number = 0
    async with asyncio.timeout(PATIENCE_S):
        while await place.metric("stead_realtime_subscriptions") > count + len(warm) - len(stalled):
            number += 1
            await place.change(number, slow_people, text)
            await place.change(number, quick_people)
            await until_told(crowd, number, PATIENCE_S)
    assert await place.metric("stead_http_stalled_total") == len(stalled)
    growth_kb = (place.memory - before) / 1024
    assert growth_kb < KB_PER_CLIENT * count + LARGE_ROWS_KB, f"{growth_kb:.0f} KB for {count} clients"
    assert all(client.numbers == list(range(1, number + 1)) for client in crowd)
    assert not any(client.gone for client in crowd)

    # The server dies in the middle of it; what happens meanwhile is told to whoever comes back.
    await place.change(number + 1, quick_people)
    await place.server.kill()
    await place.change(number + 2, quick_people)
    await place.start()
    again = asyncio.create_task(connect_all(crowd, place.server.port, [p.token for p in quick_people]))
    await place.change(number + 3, quick_people)
    await again
    await place.change(number + 4, quick_people)
    await until_told(crowd, number + 4, PATIENCE_S)
    expected = list(range(1, number + 5))
    assert [client.numbers for client in crowd if client.numbers != expected] == []
    assert not any(client.resets for client in crowd)

    await place.disperse()
    await place.until("stead_realtime_subscriptions", 0)


async def open_briefly(place: Place, client: Client) -> None:
    """Opens a stream with a token that lives for seconds: for more of them where it was over before the stream was
    open."""
    person = place.people[client.who % len(place.people)]
    for life_s in (2, 4, 8, 16, 32, 64):
        token = SteadTokens(SECRET).issue_development(
            person.tenant.id, person.id, person.email, "authenticated", life_s
        )
        try:
            await client.connect(place.server.port, token, QUERY)
        except ConnectionResetError:
            continue
        return
    raise AssertionError("not within a minute")


async def test_a_token_that_expires_ends_every_stream_that_it_opened(place: Place) -> None:
    lasting = place.crowd(20)
    await connect_all(lasting, place.server.port, place.tokens)
    passing = place.crowd(100)
    for n in range(0, len(passing), 10):
        await asyncio.gather(*(open_briefly(place, client) for client in passing[n : n + 10]))
    async with asyncio.timeout(PATIENCE_S):
        while not all(client.ended for client in passing):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert {client.ended for client in passing} == {"token_expired"}
    await place.until("stead_realtime_subscriptions", len(lasting))
    await place.change(1, place.people)
    await until_told(lasting, 1, PATIENCE_S)
    assert not any(client.numbers for client in passing)
    # With another token they go on from where they were.
    await connect_all(passing, place.server.port, place.tokens)
    await until_told(passing, 1, PATIENCE_S)
    assert [client.numbers for client in passing] == [[1]] * len(passing)
