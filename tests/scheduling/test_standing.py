"""What workers do themselves by the clock: one worker a tick, paused for all or for one tenant, fired by hand."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from stead import sessions
from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.assembly.standing import standing_schedules
from stead.db import NOBODY
from stead.memory import curation
from stead.scheduling import Clockwork as Works
from stead.scheduling import (
    ScheduleForAll,
    SchedulePaused,
    ScheduleUnknown,
    Standing,
    exporting,
    schedules,
    shared,
)
from tests.scheduling.conftest import Clockwork
from tests.support.people import make_person, make_tenant, service
from tests.support.servers import running_server


class Counted:
    """Work that is there in so many rounds, and says how often it was asked for."""

    def __init__(self, rounds: int) -> None:
        self.left = rounds
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        if not self.left:
            return 0
        self.left -= 1
        return 1


async def works(clockwork: Clockwork, *rounds: Counted, most_s: float = 60) -> Works:
    """What a worker process has."""
    what = Standing(name="tidying", cron="*/10 * * * *", kind="tests.tidy", rounds=rounds)
    made = Works(await clockwork.database(), what, most_s=most_s)
    await made.register()
    return made


async def test_a_tick_is_one_workers(clockwork: Clockwork) -> None:
    work = Counted(0)
    workers = [await works(clockwork, work) for _ in range(5)]
    for worker in workers:
        assert await worker.run() == 0
    assert work.asked == 0, "nothing was due"
    await clockwork.late("tidying", minutes=25)
    await asyncio.gather(*(worker.run() for worker in workers for _ in range(3)))
    assert work.asked == 1
    row = await clockwork.row("tidying")
    assert row["source"] == "system"
    assert row["last_at"] is not None
    assert row["next_at"] > row["last_at"]
    assert row["next_at"].minute % 10 == 0
    assert await clockwork.ticks() == [], "it makes no jobs"


async def test_each_round_is_repeated_until_nothing_is_left(clockwork: Clockwork) -> None:
    first, second = Counted(3), Counted(2)
    worker = await works(clockwork, first, second)
    await clockwork.late("tidying")
    assert await worker.run() == 5
    assert (first.asked, second.asked) == (4, 3)
    assert await worker.run() == 0


async def test_a_tick_has_an_end(clockwork: Clockwork) -> None:
    endless = Counted(10**9)
    worker = await works(clockwork, endless, most_s=0)
    await clockwork.late("tidying")
    assert await worker.run() == 0
    assert endless.asked == 0
    assert (await clockwork.row("tidying"))["next_at"] > datetime.now(UTC)


async def test_a_pause_stops_it_and_what_is_under_way(clockwork: Clockwork) -> None:
    class Pausing(Counted):
        async def __call__(self) -> int:
            if self.asked == 1:
                await clockwork.admin("update stead.schedules set paused = true")
            return await super().__call__()

    work = Pausing(100)
    worker = await works(clockwork, work)
    await clockwork.late("tidying")
    assert await worker.run() == 2
    await clockwork.late("tidying")
    await worker.register()
    assert await worker.run() == 0, "a pause outlives a restart"
    db = await clockwork.database()
    async with db.transaction(NOBODY) as tx:
        (schedule,) = await schedules.every(tx)
        with pytest.raises(SchedulePaused):
            await schedules.fire(tx, schedule)
        await schedules.pause_any(tx, schedule, paused=False)
    row = await clockwork.row("tidying")
    assert row["next_at"] > datetime.now(UTC), "what came meanwhile was not missed"
    assert await worker.run() == 0


async def test_it_is_fired_by_hand_and_by_pg_cron(clockwork: Clockwork) -> None:
    work = Counted(0)
    worker = await works(clockwork, work)
    db = await clockwork.database()
    async with db.transaction(NOBODY) as tx:
        (schedule,) = await schedules.every(tx)
        assert await schedules.fire(tx, schedule) == 0
    await worker.run()
    assert work.asked == 1
    (statement,) = exporting.statements([schedule])
    assert "'*/10 * * * *'" in statement
    assert "stead.fire_schedule(''tidying''" in statement
    # pg_cron comes to the minute of a tick that a worker had already.
    await clockwork.admin("select stead.fire_schedule('tidying', date_trunc('minute', now()))")
    assert await worker.run() == 0
    assert work.asked == 1
    await clockwork.admin("select stead.fire_schedule('tidying', now() + interval '1 s')")
    await worker.run()
    assert work.asked == 2


async def test_a_tenant_pauses_what_serves_every_tenant_for_itself(clockwork: Clockwork) -> None:
    other = await make_tenant(clockwork.access)
    await clockwork.age()
    clockwork.schedules.add("* * * * *", kind="digest")
    firer = await clockwork.firer()
    db = await clockwork.database()
    ours = service(clockwork.tenant)
    async with db.transaction(ours) as tx:
        assert (await shared.pause(tx, "digest", paused=True)).paused_here
        assert (await shared.pause(tx, "digest", paused=True)).paused_here
        with pytest.raises(ScheduleUnknown):
            await shared.pause(tx, "nothing", paused=True)
    async with db.transaction(service(other)) as tx:
        assert [(s.paused, s.paused_here) for s in await shared.listing(tx)] == [(False, False)]
    await clockwork.late()
    assert await firer.fire() == 1
    assert await clockwork.ticks(clockwork.tenant.id) == []
    assert len(await clockwork.ticks(other.id)) == 1
    async with db.transaction(ours) as tx:
        assert not (await shared.pause(tx, "digest", paused=False)).paused_here
    await clockwork.late(minutes=-1)
    await clockwork.admin("update stead.schedules set next_at = date_trunc('minute', now())")
    await firer.fire()
    assert len(await clockwork.ticks(clockwork.tenant.id)) == 1


async def test_people_pause_nothing(clockwork: Clockwork) -> None:
    await works(clockwork, Counted(0))
    db = await clockwork.database()
    person = await make_person(db, clockwork.tenant)
    for sql in (
        "select * from stead.shared_schedules()",
        "select stead.pause_shared_schedule(gen_random_uuid(), true)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction(person.principal.served()) as tx:
                await tx.rows(sql)


async def test_a_tenant_that_paused_them_keeps_its_sessions_and_memories(fresh: DatabaseAccess) -> None:
    async with AsyncExitStack() as stack:
        pausing, other = await make_tenant(fresh), await make_tenant(fresh)
        owner = await asyncpg.connect(fresh.admin_url)
        stack.push_async_callback(owner.close)
        server = await stack.enter_async_context(running_server(fresh, Stead()))
        db = server.parts.db
        for each in standing_schedules(server.parts):
            await Works(db, each).register()
        async with db.transaction(service(pausing)) as tx:
            await shared.pause(tx, "session-reaping", paused=True)
            await shared.pause(tx, "memory-curation", paused=True)
            with pytest.raises(ScheduleForAll):
                await shared.pause(tx, "embedding-reindex", paused=True)
        for tenant in (pausing, other):
            await owner.execute(
                "insert into public.sessions (tenant_id, status, last_active_at)"
                " values ($1, 'in_progress', now() - interval '3 days')",
                tenant.id,
            )
            profile = await owner.fetchval(
                "insert into public.profiles (tenant_id, email) values ($1, 'a@example.com') returning id",
                tenant.id,
            )
            await owner.execute(
                "insert into public.agent_memories (tenant_id, profile_id, kind, source, content, happened_at,"
                " importance, curated_at) values ($1, $2, 'fact', 'api', 'The cat is called Tom.', now(), 0.8,"
                " now() - interval '90 days')",
                tenant.id, profile,
            )  # fmt: skip
        await owner.execute(
            "insert into public.memory_policies (tenant_id, keep_days) select id, 1 from public.tenants"
            " on conflict (tenant_id) do update set keep_days = 1, half_life_days = 90"
        )
        assert await sessions.reap(db, 86_400.0) == {other.slug: 1}
        assert await curation.fade(db) == 2
        kept = await owner.fetch("select tenant_id, importance, curated_at from public.agent_memories")
        importance = {row["tenant_id"]: row["importance"] for row in kept}
        assert importance[pausing.id] == pytest.approx(0.8)
        assert importance[other.id] < 0.7
        await owner.execute("update public.agent_memories set created_at = now() - interval '5 days'")
        assert await curation.expire(db) == 1
        assert [r[0] for r in await owner.fetch("select tenant_id from public.agent_memories")] == [
            pausing.id
        ]
        await owner.execute("update stead.consolidations set requested_at = now() - interval '1 hour'")
        while await curation.consolidate(db, server.parts.runtime.embedder):
            pass
        waiting = await owner.fetch("select distinct tenant_id from stead.consolidations")
        assert [row["tenant_id"] for row in waiting] == [pausing.id]
        # By hand it is done all the same.
        assert await sessions.reap(db, 86_400.0, tenant_id=pausing.id) == {pausing.slug: 1}


async def clockwork_until(owner: asyncpg.Connection, sql: str) -> None:
    """Waits until a statement says true."""
    while not await owner.fetchval(sql):  # noqa: ASYNC110 - a worker makes it
        await asyncio.sleep(0.05)


async def test_the_worker_does_what_is_due(fresh: DatabaseAccess) -> None:
    tenant = await make_tenant(fresh)
    owner = await asyncpg.connect(fresh.admin_url)
    await owner.execute(
        "insert into public.sessions (tenant_id, status, last_active_at)"
        " values ($1, 'in_progress', now() - interval '3 days')",
        tenant.id,
    )
    try:
        async with running_server(fresh, Stead(), worker=True), asyncio.timeout(60):
            await clockwork_until(
                owner, "select 5 = count(*) from stead.schedules where source = 'system'"
            )
            assert await owner.fetchval("select status from public.sessions") == "in_progress"
            await owner.execute("select stead.fire_schedule('session-reaping')")
            await clockwork_until(owner, "select status = 'timeout' from public.sessions")
    finally:
        await owner.close()


async def test_schedules_that_no_worker_knows_any_more_go(clockwork: Clockwork) -> None:
    worker = await works(clockwork, Counted(0))
    await clockwork.admin("update stead.schedules set seen_at = now() - $1::interval", timedelta(days=8))
    await worker.register()
    assert await clockwork.row("tidying")
    await clockwork.admin(
        "update stead.schedules set seen_at = now() - interval '8 days', name = 'gone' where name = 'tidying'"
    )
    await worker.register()
    rows = await clockwork.admin("select name from stead.schedules")
    assert [row["name"] for row in rows] == ["tidying"]
