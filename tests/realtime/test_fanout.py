"""One tail for many followers: each gets every event once and in order, whatever it costs the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import asyncpg
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.realtime import Fanout, Hub

PATIENCE_S = 20
END = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Line:
    seq: int

    @property
    def last(self) -> bool:
        return self.seq == END


@dataclass
class Log:
    """A table of events, read by a fan-out."""

    pool: asyncpg.Pool
    page: int = 1000
    reads: list[tuple[str, int]] = field(default_factory=list)
    failing: bool = False
    _read: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def load(self, topic: str, after: int) -> Sequence[Line]:
        async with self._read:
            self.reads.append((topic, after))
            self._read.notify_all()
        if self.failing:
            raise ConnectionResetError
        rows = await self.pool.fetch(
            "select seq from scratch.lines where topic = $1 and seq > $2 order by seq limit $3",
            topic,
            after,
            self.page,
        )
        return [Line(seq=row["seq"]) for row in rows]

    async def read(self, times: int = 1) -> None:
        """Waits until it was read so often."""
        async with asyncio.timeout(PATIENCE_S), self._read:
            await self._read.wait_for(lambda: len(self.reads) >= times)

    async def write(self, topic: str, *seqs: int, tell: bool = True) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.executemany(
                "insert into scratch.lines values ($1, $2)", [(topic, seq) for seq in seqs]
            )
            if tell:
                await connection.execute("select pg_notify('stead', $1)", f'["{topic}"]')


@pytest_asyncio.fixture
async def log(fresh: DatabaseAccess) -> AsyncIterator[Log]:
    assert fresh.admin_url is not None
    async with asyncpg.create_pool(fresh.admin_url, min_size=1, max_size=8) as pool:
        await pool.execute(
            "create schema scratch; create table scratch.lines (topic text, seq bigint, primary key (topic, seq))"
        )
        yield Log(pool)


@pytest_asyncio.fixture
async def hub(fresh: DatabaseAccess) -> AsyncIterator[Hub]:
    found = Hub(fresh.listen_url)
    await found.start()
    await asyncio.wait_for(found.listening.wait(), PATIENCE_S)
    yield found
    await found.stop()


async def collect(fanout: Fanout[Line], topic: str, after: int = 0) -> list[int]:
    """All that a follower is told, to the end."""
    async with asyncio.timeout(PATIENCE_S):
        return [event.seq async for event in fanout.follow(topic, after) if event is not None]


async def test_many_followers_cost_one_read_for_one_wake_up(log: Log, hub: Hub) -> None:
    fanout = Fanout(hub, log.load)
    followers = [asyncio.create_task(collect(fanout, "a")) for _ in range(200)]
    await log.write("a", 1)
    await log.read(2)
    await log.write("a", 2, 3)
    await log.write("a", END)

    assert await asyncio.gather(*followers) == [[1, 2, 3, END]] * 200
    # At most: one to begin with, and for each of three notifications one that finds it and one that finds no more.
    assert len(log.reads) <= 7
    assert fanout.topics == 0


async def test_followers_begin_where_they_were(log: Log, hub: Hub) -> None:
    fanout = Fanout(hub, log.load)
    await log.write("a", *range(1, 11))
    late = asyncio.create_task(collect(fanout, "a", after=8))
    early = asyncio.create_task(collect(fanout, "a", after=0))
    ahead = asyncio.create_task(collect(fanout, "a", after=12))
    other = asyncio.create_task(collect(fanout, "b"))
    await log.read(2)
    await log.write("a", 11, 12, 13)
    await log.write("a", END)
    await log.write("b", END)

    assert await late == [9, 10, 11, 12, 13, END]
    assert await early == [*range(1, 14), END]
    assert await ahead == [13, END]
    assert await other == [END]


async def test_a_slow_follower_holds_up_nobody_and_misses_nothing(log: Log, hub: Hub) -> None:
    fanout = Fanout(hub, log.load, ring=8)
    log.page = 50
    slow: list[int] = []
    async with aclosing(fanout.follow("a")) as events:
        await log.write("a", 1)
        first = await anext(events)
        assert first is not None
        slow.append(first.seq)
        quick = asyncio.create_task(collect(fanout, "a"))
        await log.write("a", *range(2, 301))
        await log.write("a", END)
        # The quick one is through to the end while the slow one has read one event.
        assert await quick == [*range(1, 301), END]
        async with asyncio.timeout(PATIENCE_S):
            slow += [event.seq async for event in events if event is not None]
    assert slow == [*range(1, 301), END]


async def test_a_long_page_drives_nobody_to_the_database(log: Log, hub: Hub) -> None:
    fanout = Fanout(hub, log.load, ring=16)
    followers = [asyncio.create_task(collect(fanout, "a")) for _ in range(50)]
    await log.read()
    await log.write("a", *range(1, 401))
    await log.write("a", END)
    assert await asyncio.gather(*followers) == [[*range(1, 401), END]] * 50
    assert len(log.reads) < 10


async def test_a_lost_notification_costs_time_only(log: Log) -> None:
    deaf = Fanout(Hub(None), log.load, silence_s=0.05)
    follower = asyncio.create_task(collect(deaf, "a"))
    await log.read()
    await log.write("a", 1, END, tell=False)
    assert await follower == [1, END]


async def test_a_database_that_does_not_answer_is_asked_again(log: Log, hub: Hub) -> None:
    fanout = Fanout(hub, log.load)
    log.failing = True
    follower = asyncio.create_task(collect(fanout, "a"))
    await log.read(2)
    await log.write("a", 1, END)
    log.failing = False
    assert await follower == [1, END]


async def test_silence_is_told(log: Log, hub: Hub) -> None:
    fanout = Fanout(hub, log.load, silence_s=0.05)
    async with asyncio.timeout(PATIENCE_S), aclosing(fanout.follow("a")) as events:
        assert await anext(events) is None
        await log.write("a", 1)
        async for event in events:
            if event is not None:
                assert event.seq == 1
                break


async def test_nobody_left_nothing_read(log: Log, hub: Hub) -> None:
    fanout = Fanout(hub, log.load)
    events = fanout.follow("a")
    first = asyncio.ensure_future(anext(events))
    await log.read()
    assert fanout.topics == 1
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await events.aclose()
    assert fanout.topics == 0
    left = [task for task in asyncio.all_tasks() if task.get_name() == "tail"]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*left, return_exceptions=True)
    assert len(log.reads) == 1
