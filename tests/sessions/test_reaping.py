"""Sessions that nobody uses any more end by themselves; those in use do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from stead import sessions
from stead.agents import queries as runs
from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.assembly.standing import standing_schedules
from stead.db import Database, PoolConfig
from stead.identity import Tenant
from stead.sessions import IdleTimeInvalid
from tests.support.people import make_tenant, service
from tests.support.servers import running_server

DAY_S = 86_400.0


@pytest_asyncio.fixture
async def owner(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(access.admin_url)
    yield connection
    await connection.close()


async def make(
    owner: asyncpg.Connection, tenant: Tenant, count: int = 1, *, idle_h: float = 25, status: str = "in_progress"
) -> list[UUID]:  # fmt: skip
    """Sessions whose last activity was some hours ago."""
    rows = await owner.fetch(
        "insert into public.sessions (tenant_id, status, last_active_at)"
        " select $1, $2, now() - make_interval(secs => $3 * 3600) from generate_series(1, $4) returning id",
        tenant.id,
        status,
        idle_h,
        count,
    )
    return [row["id"] for row in rows]


async def statuses(owner: asyncpg.Connection, tenant: Tenant) -> dict[UUID, str]:
    rows = await owner.fetch("select id, status from public.sessions where tenant_id = $1", tenant.id)
    return {row["id"]: row["status"] for row in rows}


async def running(owner: asyncpg.Connection, tenant: Tenant, session: UUID) -> UUID:
    return await owner.fetchval(
        "insert into public.agent_runs (tenant_id, session_id, agent_name) values ($1, $2, 'x') returning id",
        tenant.id,
        session,
    )


async def test_idle_sessions_time_out_and_others_stay(
    db: Database, owner: asyncpg.Connection, tenant: Tenant
) -> None:
    (idle,) = await make(owner, tenant)
    (fresh,) = await make(owner, tenant, idle_h=23)
    (done,) = await make(owner, tenant, status="completed")

    assert await sessions.count_idle(db, DAY_S, tenant_id=tenant.id) == {tenant.slug: 1}
    assert await sessions.reap(db, DAY_S, tenant_id=tenant.id) == {tenant.slug: 1}
    assert await sessions.reap(db, DAY_S, tenant_id=tenant.id) == {}
    assert await statuses(owner, tenant) == {idle: "timeout", fresh: "in_progress", done: "completed"}
    async with db.transaction(service(tenant)) as tx:
        session = await sessions.get(tx, service(tenant), idle)
    assert session.ended_at is not None


async def test_a_session_that_is_being_answered_is_not_idle(
    db: Database, owner: asyncpg.Connection, tenant: Tenant
) -> None:
    (session,) = await make(owner, tenant, idle_h=1000)
    run = await running(owner, tenant, session)

    assert await sessions.count_idle(db, DAY_S, tenant_id=tenant.id) == {}
    assert await sessions.reap(db, DAY_S, tenant_id=tenant.id) == {}
    await owner.execute(
        "update public.agent_runs set status = 'completed', completed_at = now() where id = $1", run
    )
    assert await sessions.reap(db, DAY_S, tenant_id=tenant.id) == {tenant.slug: 1}


async def test_a_run_that_begins_while_the_reaper_looks_keeps_its_session(fresh: DatabaseAccess) -> None:
    """Begun after the reaper's snapshot and committed before its lock, without a change to the session."""
    tenant = await make_tenant(fresh)
    owner, gate = await asyncpg.connect(fresh.admin_url), await asyncpg.connect(fresh.admin_url)
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=2))
    (first,), (second,) = await make(owner, tenant, idle_h=50), await make(owner, tenant, idle_h=30)
    (third,) = await make(owner, tenant, idle_h=26)
    await running(owner, tenant, first)
    # Whoever reads a run as the function's owner waits for the gate.
    await owner.execute(
        """
        create function stead.at_the_gate() returns boolean language plpgsql as $$
        begin perform pg_advisory_xact_lock_shared(4711); return true; end $$;
        alter policy stead_definer_access on public.agent_runs using (stead.at_the_gate())
        """
    )
    await gate.execute("select pg_advisory_lock(4711)")
    reaping = asyncio.create_task(sessions.reap(db, DAY_S))
    try:
        while not await owner.fetchval(  # noqa: ASYNC110 - the event is in another process
            "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted"
        ):
            await asyncio.sleep(0.01)
        await running(owner, tenant, second)
    finally:
        await gate.close()
        reaped = await reaping
        seen = await statuses(owner, tenant)
        await db.close()
        await owner.close()
    assert reaped == {tenant.slug: 1}
    assert seen == {first: "in_progress", second: "in_progress", third: "timeout"}


async def test_a_session_that_somebody_holds_is_left_alone(
    db: Database, owner: asyncpg.Connection, access: DatabaseAccess, tenant: Tenant
) -> None:
    held, free = (await make(owner, tenant))[0], (await make(owner, tenant))[0]
    other = await asyncpg.connect(access.admin_url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("select 1 from public.sessions where id = $1 for update", held)

    assert await sessions.reap(db, DAY_S, tenant_id=tenant.id) == {tenant.slug: 1}
    assert await statuses(owner, tenant) == {held: "in_progress", free: "timeout"}

    # What was written meanwhile counts: it is idle no more.
    await other.execute("update public.sessions set last_active_at = now() where id = $1", held)
    await transaction.commit()
    await other.close()
    assert await sessions.reap(db, DAY_S, tenant_id=tenant.id) == {}


async def test_many_at_once_end_each_session_once(
    db: Database, owner: asyncpg.Connection, tenant: Tenant
) -> None:
    await make(owner, tenant, 700)

    async def worker() -> int:
        done = 0
        while reaped := await sessions.reap(db, DAY_S, tenant_id=tenant.id, batch=50):
            assert sum(reaped.values()) <= 50
            done += sum(reaped.values())
        return done

    done = await asyncio.gather(*(worker() for _ in range(4)))
    # One that finds nothing because others hold the rest stops early; the next round has them.
    done.append(await worker())
    assert sum(done) == 700
    assert set((await statuses(owner, tenant)).values()) == {"timeout"}


async def test_a_batch_goes_over_tenants(fresh: DatabaseAccess) -> None:
    made = [await make_tenant(fresh) for _ in range(3)]
    owner = await asyncpg.connect(fresh.admin_url)
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=2))
    try:
        for tenant in made:
            await make(owner, tenant, 4)
        assert await sessions.count_idle(db, DAY_S) == {tenant.slug: 4 for tenant in made}
        sums = []
        while reaped := await sessions.reap(db, DAY_S, batch=5):
            sums.append(sum(reaped.values()))
        assert sums == [5, 5, 2]
    finally:
        await db.close()
        await owner.close()


async def test_a_tenant_is_reaped_alone(
    db: Database, owner: asyncpg.Connection, tenant: Tenant, other_tenant: Tenant
) -> None:
    await make(owner, tenant)
    await make(owner, other_tenant)

    assert await sessions.reap(db, DAY_S, tenant_id=tenant.id) == {tenant.slug: 1}
    assert set((await statuses(owner, other_tenant)).values()) == {"in_progress"}


async def test_a_session_that_ended_takes_no_message(
    db: Database, owner: asyncpg.Connection, tenant: Tenant
) -> None:
    (session,) = await make(owner, tenant)
    await sessions.reap(db, DAY_S, tenant_id=tenant.id)
    async with db.transaction(service(tenant)) as tx:
        assert (await sessions.lock(tx, service(tenant), session)).status == "timeout"
        assert await runs.active_run(tx, tenant.id, session) is None


@pytest.mark.parametrize("idle_s", [0, -1, 59.9, float("nan"), float("inf"), 1e12])
async def test_what_is_no_idle_time_is_refused(
    db: Database, owner: asyncpg.Connection, tenant: Tenant, idle_s: float
) -> None:
    await make(owner, tenant, idle_h=0.5)
    with pytest.raises(IdleTimeInvalid):
        await sessions.reap(db, idle_s, tenant_id=tenant.id)
    with pytest.raises(IdleTimeInvalid):
        await sessions.count_idle(db, idle_s, tenant_id=tenant.id)
    assert set((await statuses(owner, tenant)).values()) == {"in_progress"}


@pytest.mark.parametrize(("hours", "ended"), [(24.0, 3), (0.0, 0), (1000.0, 0)])
async def test_the_worker_reaps_by_its_setting(fresh: DatabaseAccess, hours: float, ended: int) -> None:
    tenant = await make_tenant(fresh)
    owner = await asyncpg.connect(fresh.admin_url)
    await make(owner, tenant, 3)
    async with running_server(fresh, Stead(), session_timeout_h=hours) as server:
        (reap,) = next(s.rounds for s in standing_schedules(server.parts) if s.name == "session-reaping")
        assert await reap() == ended
        assert await reap() == 0
    found = list((await statuses(owner, tenant)).values())
    await owner.close()
    assert found.count("timeout") == ended
