"""Wake-ups between processes: hints that may be lost, and a hub that comes back."""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg

from stead.assembly.database import DatabaseAccess
from stead.db import NOBODY, Database
from stead.realtime import Hub, notify


async def _tell(db: Database, *topics: str) -> None:
    async with db.transaction(NOBODY) as tx:
        await notify(tx, topics)


async def test_a_topic_wakes_its_subscribers_in_every_hub(access: DatabaseAccess, db: Database) -> None:
    hubs = [Hub(access.listen_url), Hub(access.listen_url)]
    for hub in hubs:
        await hub.start()
        await asyncio.wait_for(hub.listening.wait(), 10)
    with (
        hubs[0].subscribe("run:a") as one,
        hubs[1].subscribe("run:a") as two,
        hubs[1].subscribe("run:b") as other,
    ):
        await _tell(db, "run:a")
        assert await one.wait(10)
        assert await two.wait(10)
        assert not await other.wait(0.05)
    for hub in hubs:
        await hub.stop()


async def test_nothing_is_told_before_the_commit(access: DatabaseAccess, db: Database) -> None:
    hub = Hub(access.listen_url)
    await hub.start()
    await asyncio.wait_for(hub.listening.wait(), 10)
    with hub.subscribe("run:a") as waiting:
        with contextlib.suppress(ZeroDivisionError):
            async with db.transaction(NOBODY) as tx:
                await notify(tx, ["run:a"])
                raise ZeroDivisionError
        assert not await waiting.wait(0.1)
        await _tell(db, "run:a")
        assert await waiting.wait(10)
    await hub.stop()


async def test_a_wake_up_between_two_waits_is_kept(access: DatabaseAccess) -> None:
    hub = Hub(None)
    with hub.subscribe("x") as waiting:
        hub.wake("x")
        assert await waiting.wait(0.01)
        assert not await waiting.wait(0.01)


async def test_after_a_lost_connection_everybody_looks_again(
    access: DatabaseAccess, db: Database
) -> None:
    hub = Hub(access.listen_url)
    await hub.start()
    await asyncio.wait_for(hub.listening.wait(), 10)
    assert access.admin_url is not None
    with hub.subscribe("run:a") as waiting:
        admin = await asyncpg.connect(access.admin_url)
        killed = await admin.fetchval(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and query ilike 'listen%'
            """
        )
        await admin.close()
        assert killed >= 1
        # Its reconnection wakes it, though nobody notified: what was said meanwhile was not heard.
        assert await waiting.wait(60)
        await asyncio.wait_for(hub.listening.wait(), 10)
        await _tell(db, "run:a")
        assert await waiting.wait(10)
    await hub.stop()


async def test_many_topics_are_told_in_several_messages(access: DatabaseAccess, db: Database) -> None:
    hub = Hub(access.listen_url)
    await hub.start()
    await asyncio.wait_for(hub.listening.wait(), 10)
    topics = [f"run:{n:036}" for n in range(1000)]
    with hub.subscribe(topics[0]) as first, hub.subscribe(topics[-1]) as last:
        await _tell(db, *topics)
        assert await first.wait(10)
        assert await last.wait(10)
    await hub.stop()


async def test_what_is_no_message_of_ours_is_ignored(access: DatabaseAccess, db: Database) -> None:
    hub = Hub(access.listen_url)
    await hub.start()
    await asyncio.wait_for(hub.listening.wait(), 10)
    with hub.subscribe("run:a") as waiting:
        async with db.transaction(NOBODY) as tx:
            for payload in ("", "no json", "{}", "17", '"run:a"'):
                await tx.execute("select pg_notify('stead', $1)", payload)
        await _tell(db, "run:a")
        assert await waiting.wait(10)
    await hub.stop()
