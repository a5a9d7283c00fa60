"""Ticks fire once: over many firers, killed ones, pauses, restarts."""

from __future__ import annotations

import asyncio
from contextvars import Context
from datetime import timedelta
from itertools import pairwise

import asyncpg
import pytest

from stead.db import CONNECTION_LOST, NOBODY
from stead.identity import tenant_service
from stead.jobs import JobInputInvalid, JobKindUnknown
from stead.scheduling import (
    NewSchedule,
    ScheduleInvalid,
    Scheduler,
    ScheduleRegistry,
    exporting,
    queries,
    schedules,
)
from tests.scheduling.conftest import Clockwork
from tests.support.people import make_tenant
from tests.support.servers import ServerProcess

MINUTE = timedelta(minutes=1)


async def test_many_firers_make_one_job_for_each_tick_and_tenant(clockwork: Clockwork) -> None:
    for _ in range(4):
        await make_tenant(clockwork.access)
    await clockwork.age()
    clockwork.schedules.add("* * * * *", kind="digest", missed="all")
    firers = await asyncio.gather(*(clockwork.firer() for _ in range(6)))
    made = 0
    for _ in range(5):
        # Ticks that the turn before fired are fired again: their jobs are there.
        await clockwork.late(minutes=9)
        made += sum(await asyncio.gather(*(firer.fire() for firer in firers for _ in range(3))))
    rows = await clockwork.admin(
        "select tenant_id, run_at, count(*) as n from public.agent_jobs group by 1, 2"
    )
    assert {row["n"] for row in rows} == {1}
    assert len(rows) == made
    times = sorted({row["run_at"] for row in rows})
    assert len(times) >= 10
    assert {later - earlier for earlier, later in pairwise(times)} == {MINUTE}
    for tenant_id in {row["tenant_id"] for row in rows}:
        assert await clockwork.ticks(tenant_id) == times
    assert len(rows) == 5 * len(times)
    assert (await clockwork.row())["next_at"] == times[-1] + MINUTE


async def test_worker_processes_make_one_job_for_each_tick(clockwork: Clockwork) -> None:
    workers = [
        ServerProcess(
            clockwork.access, "worker", "tests.support.schedule_app:app",
            STEAD_ADMIN_DATABASE_URL=clockwork.access.admin_url or "",
        )
        for _ in range(2)
    ]  # fmt: skip
    await asyncio.gather(*(worker.start() for worker in workers))
    try:
        await clockwork.until("select from stead.schedules where name = 'yearly'")
        await clockwork.admin("update stead.schedules set next_at = next_at - interval '30 years';")
        await clockwork.admin("select pg_notify('stead', '[\"schedules\"]')")
        await clockwork.until("select from stead.schedules where next_at > now()")
        await clockwork.until(
            "select where not exists (select from agent_jobs where completed_at is null)"
        )
    finally:
        for worker in workers:
            await worker.stop()
    rows = await clockwork.admin(
        "select extract(year from run_at)::int as year, status, result from public.agent_jobs order by 1"
    )
    assert len(rows) == 30
    assert len({row["year"] for row in rows}) == 30
    assert {row["status"] for row in rows} == {"completed"}
    assert [row["result"] for row in rows] == [f'"{row["year"]}-01-01T05:00:00Z"' for row in rows]
    assert "schedule_fired" in "\n".join(line for worker in workers for line in worker.log)


async def test_a_firer_that_is_killed_loses_nothing(clockwork: Clockwork) -> None:
    clockwork.schedules.add("* * * * *", kind="digest", missed="all")
    other = await clockwork.firer()
    await clockwork.late(minutes=2)
    before = await clockwork.row()
    db = await clockwork.database()
    with pytest.raises((asyncpg.PostgresError, *CONNECTION_LOST)):  # noqa: PT012 - it is raised by the end
        async with db.transaction(NOBODY) as tx:
            row = await queries.due(tx, [before["id"]])
            assert row is not None
            assert await queries.advance(tx, row["id"], [row["next_at"]], row["next_at"] + MINUTE) == 1
            # It has the row: the other one neither fires nor waits.
            beside = asyncio.create_task(other.fire(), context=Context())
            assert await asyncio.wait_for(beside, 10) == 0
            pid = await tx.value("select pg_backend_pid()")
            await clockwork.admin("select pg_terminate_backend($1)", pid)
            await tx.value("select 1")
    assert await clockwork.ticks() == []
    assert (await clockwork.row())["next_at"] == before["next_at"]
    assert await other.fire() >= 3
    ticks = await clockwork.ticks()
    assert ticks[0] == before["next_at"]
    assert len(ticks) == len(set(ticks))


@pytest.mark.parametrize(("missed", "jobs"), [("skip", 0), ("once", 1), ("all", 3)])
async def test_after_a_restart_missed_ticks_go_by_the_policy(
    clockwork: Clockwork, missed: str, jobs: int
) -> None:
    clockwork.schedules.add("0 7 * * *", kind="digest", missed=missed, tenant=clockwork.tenant.slug)  # type: ignore[arg-type]
    await clockwork.firer()
    (now,) = await clockwork.admin("select now() as now")
    # As if nobody had fired for three days: the ticks are exactly those of the clock.
    first = (await clockwork.row())["next_at"] - timedelta(days=3)
    await clockwork.admin("update stead.schedules set next_at = $1", first)
    again = await clockwork.firer()
    assert (await clockwork.row())["next_at"] == first
    assert await again.fire() == jobs
    after = await clockwork.row()
    assert after["next_at"] == first + timedelta(days=3) > now["now"]
    wanted = [first + timedelta(days=n) for n in range(3)]
    assert await clockwork.ticks() == wanted[3 - jobs :]
    assert after["last_at"] == (wanted[-1] if jobs else None)
    assert await again.fire() == 0


async def test_a_job_belongs_to_its_tenant_and_runs_as_its_service(clockwork: Clockwork) -> None:
    other = await make_tenant(clockwork.access)
    clockwork.schedules.add(
        "@hourly", kind="digest", tenant=other.slug, tick_argument="at", input={}, queue="mail"
    )
    firer = await clockwork.firer()
    await clockwork.late(minutes=0)
    assert await firer.fire() == 1
    (job,) = await clockwork.admin("select * from public.agent_jobs")
    assert (job["tenant_id"], job["user_id"], job["agent_type"]) == (other.id, None, "digest")
    assert (job["queue"], job["max_attempts"], job["dispatch"]) == ("mail", 3, "postgres")
    assert f"{job['run_at']:%Y-%m-%dT%H:%M:%SZ}" in job["input"]
    # Sorts by its tick, as ids of jobs do.
    (same,) = await clockwork.admin(
        "select id >= stead.id_at(run_at) and id < stead.id_at(run_at + interval '1 ms') as by_time"
        " from public.agent_jobs"
    )
    assert same["by_time"]


async def test_a_tenant_that_came_later_missed_nothing(clockwork: Clockwork) -> None:
    # So seldom that no tick of its own falls into the test.
    clockwork.schedules.add("@yearly", kind="digest", missed="all")
    firer = await clockwork.firer()
    young = await make_tenant(clockwork.access)
    await clockwork.late(minutes=5)
    await firer.fire()
    assert len(await clockwork.ticks(clockwork.tenant.id)) == 1
    assert await clockwork.ticks(young.id) == []


async def test_a_paused_schedule_fires_nothing_and_misses_nothing(clockwork: Clockwork) -> None:
    clockwork.schedules.add("* * * * *", kind="digest", missed="all")
    firer = await clockwork.firer()
    db = await clockwork.database()
    async with db.transaction(NOBODY) as tx:
        (schedule,) = await schedules.every(tx)
        await schedules.pause_any(tx, schedule, paused=True)
    await clockwork.late(minutes=5)
    assert await firer.fire() == 0
    # Registered again by another process, it stays paused.
    assert await (await clockwork.firer()).fire() == 0
    async with db.transaction(NOBODY) as tx:
        (schedule,) = await schedules.every(tx)
        assert schedule.paused
        # By hand it fires all the same, and for one tick once.
        assert await schedules.fire(tx, schedule) == 1
        assert await schedules.fire(tx, schedule) == 0
        await schedules.pause_any(tx, schedule, paused=False)
    (now,) = await clockwork.admin("select now() as now")
    assert now["now"] < (await clockwork.row())["next_at"] <= now["now"] + MINUTE
    assert await firer.fire() in {0, 1}  # a minute may just have begun
    assert len([tick for tick in await clockwork.ticks() if tick < now["now"] - MINUTE]) == 0


async def test_registering_in_many_processes_makes_one_row(clockwork: Clockwork) -> None:
    clockwork.schedules.add("0 7 * * *", kind="digest")
    clockwork.schedules.add("0 8 * * *", kind="digest", name="second", tenant=clockwork.tenant.slug)
    await asyncio.gather(*(clockwork.firer() for _ in range(6)))
    rows = await clockwork.admin("select name, source, tenant_id from stead.schedules order by name")
    assert [tuple(row) for row in rows] == [
        ("digest", "code", None), ("second", "code", clockwork.tenant.id),
    ]  # fmt: skip


async def test_what_changes_in_code_changes_and_goes_on(clockwork: Clockwork) -> None:
    clockwork.schedules.add("0 7 * * *", kind="digest", missed="skip")
    await clockwork.firer()
    before = await clockwork.row()
    same = ScheduleRegistry()
    same.add("0 7 * * *", kind="digest", missed="all", input={"at": "x"})
    await clockwork.firer(same)
    changed = await clockwork.row()
    assert (changed["id"], changed["next_at"]) == (before["id"], before["next_at"])
    assert (changed["missed"], changed["input"]) == ("all", '{"at": "x"}')
    other = ScheduleRegistry()
    other.add("30 9 * * *", kind="digest", time_zone="Asia/Kathmandu")
    await clockwork.firer(other)
    moved = await clockwork.row()
    assert (moved["id"], f"{moved['next_at']:%H:%M}") == (before["id"], "03:45")


async def test_what_is_gone_from_code_does_not_fire_and_is_removed(clockwork: Clockwork) -> None:
    clockwork.schedules.add("* * * * *", kind="digest")
    before = await clockwork.firer()
    db = await clockwork.database()
    service = tenant_service(clockwork.tenant)
    async with db.transaction(service) as tx:
        await schedules.save(
            tx, service, NewSchedule(name="mine", cron="* * * * *", kind="digest"), jobs=clockwork.jobs
        )
    without = await clockwork.firer(ScheduleRegistry())
    await clockwork.late("digest", minutes=3)
    await clockwork.late("mine", minutes=3)
    # That of the API fires anywhere, that of code where it is in the code.
    assert await without.fire() == 1
    assert (await clockwork.row("digest"))["last_at"] is None
    assert await before.fire() == 1
    # Nobody has had it for long: it goes. What the API made stays.
    await clockwork.admin("update stead.schedules set seen_at = now() - interval '8 days'")
    await without.register()
    rows = await clockwork.admin("select name from stead.schedules")
    assert [row["name"] for row in rows] == ["mine"]
    # Who still has it makes it again.
    await before.register()
    assert len(await clockwork.admin("select from stead.schedules")) == 2


async def test_seeing_it_keeps_it(clockwork: Clockwork) -> None:
    clockwork.schedules.add("* * * * *", kind="digest")
    holder = await clockwork.firer()
    await clockwork.admin("update stead.schedules set seen_at = now() - interval '6 days'")
    await holder.register()
    (row,) = await clockwork.admin(
        "select seen_at > now() - interval '1 minute' as seen from stead.schedules"
    )
    assert row["seen"]


async def test_a_name_that_the_api_took_is_left_alone(clockwork: Clockwork) -> None:
    db = await clockwork.database()
    service = tenant_service(clockwork.tenant)
    async with db.transaction(service) as tx:
        await schedules.save(
            tx, service, NewSchedule(name="digest", cron="0 1 * * *", kind="digest"), jobs=clockwork.jobs
        )
    clockwork.schedules.add("0 2 * * *", kind="digest", tenant=clockwork.tenant.slug)
    await clockwork.firer()
    row = await clockwork.row()
    assert (row["source"], row["cron"]) == ("api", "0 1 * * *")


async def test_a_tenant_that_is_not_there_yet_is_waited_for(clockwork: Clockwork) -> None:
    clockwork.schedules.add("* * * * *", kind="digest", tenant="later")
    clockwork.schedules.add("* * * * *", kind="digest", name="now")
    firer = await clockwork.firer()
    assert [row["name"] for row in await clockwork.admin("select name from stead.schedules")] == ["now"]
    await clockwork.admin("insert into public.tenants (slug, name) values ('later', 'Later')")
    await clockwork.age()
    await firer.register()
    await clockwork.late("digest", minutes=0)
    assert await firer.fire() == 1


async def test_a_schedule_that_cannot_be_read_stops_and_holds_up_no_other(clockwork: Clockwork) -> None:
    clockwork.schedules.add("* * * * *", kind="digest")
    firer = await clockwork.firer()
    await clockwork.admin(
        "insert into stead.schedules (name, cron, time_zone, kind, source, next_at) "
        "values ('broken', '* * * * *', 'Mars/Olympus', 'digest', 'api', now() - interval '1 hour')"
    )
    await clockwork.late("digest", minutes=0)
    assert await firer.fire() == 1
    assert (await clockwork.row("broken"))["paused"]


async def test_a_waiting_worker_is_woken_by_a_change(clockwork: Clockwork) -> None:
    firer = await clockwork.firer()
    db = await clockwork.database()
    service = tenant_service(clockwork.tenant)
    wanted = NewSchedule(name="mine", cron="0 0 1 1 *", kind="digest")
    # Nothing is due, and nothing will be: it would wait longer than this.
    async with asyncio.timeout(15):
        round_ = asyncio.create_task(firer.round())
        while not round_.done():
            async with db.transaction(service) as tx:
                await schedules.save(tx, service, wanted, jobs=clockwork.jobs)
            await asyncio.sleep(0.05)
    assert round_.result() == 0


async def test_pg_cron_and_workers_make_the_same_jobs(clockwork: Clockwork) -> None:
    """Of pg_cron's own function stands one here that keeps what it is told; what it is told is executed."""
    await clockwork.admin("create schema cron")
    await clockwork.admin("create table cron.job (name text, schedule text, command text)")
    await clockwork.admin(
        "create function cron.schedule(text, text, text) returns void language sql"
        " as $$ insert into cron.job values ($1, $2, $3) $$"
    )
    clockwork.schedules.add("*/5 * * * *", kind="digest", name="by-utc")
    clockwork.schedules.add("0 7 * * *", kind="digest", name="o:clock", time_zone="Europe/Lisbon")
    clockwork.schedules.add("0 9 * * mon", kind="digest", name="own", tenant=clockwork.tenant.slug)
    firer = await clockwork.firer()
    db = await clockwork.database()
    async with db.transaction(NOBODY, read_only=True) as tx:
        await exporting.require_pg_cron(tx)
        printed = exporting.statements(await schedules.every(tx))
    for statement in printed:
        await clockwork.admin(statement)
    jobs = {row["name"]: row for row in await clockwork.admin("select * from cron.job")}
    own = f"stead:{clockwork.tenant.slug}:own"
    assert {name: job["schedule"] for name, job in jobs.items()} == {
        "stead:by-utc": "*/5 * * * *", "stead:o:clock": "* * * * *", own: "* * * * *",
    }  # fmt: skip
    # Nothing has come due of those that are looked at every minute.
    for name in ("stead:o:clock", own):
        await clockwork.admin(jobs[name]["command"])
    assert await clockwork.ticks() == []
    for name in ("o:clock", "own"):
        await clockwork.late(name, minutes=1)
    for name in ("stead:o:clock", own) * 2:
        await clockwork.admin(jobs[name]["command"])
    assert len(await clockwork.ticks()) == 2
    # The worker comes to the same ticks, and goes on from there.
    assert await firer.fire() == 0
    assert len(await clockwork.admin("select from stead.schedules where next_at > now()")) == 3
    await clockwork.admin(jobs["stead:by-utc"]["command"])
    assert len(await clockwork.ticks()) == 3


async def test_a_tenant_cannot_touch_what_concerns_all(clockwork: Clockwork) -> None:
    clockwork.schedules.add("* * * * *", kind="digest")
    await clockwork.firer()
    db = await clockwork.database()
    service = tenant_service(clockwork.tenant)
    (schedule_id,) = [row["id"] for row in await clockwork.admin("select id from stead.schedules")]
    for statement, args in (
        ("select * from stead.all_schedules(null)", ()),
        ("select stead.fire_schedule('digest')", ()),
        ("select stead.pause_schedule($1, true, null)", (schedule_id,)),
        ("select stead.save_queue('default', true, null, null, false)", ()),
        (
            (
                "select stead.register_schedule(null, 'x', '* * * * *', 'UTC', 'digest', '{}', null, 'default',"
                " 3, 'postgres', 'once', null)"
            ),
            (),
        ),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction(service) as tx:
                await tx.rows(statement, *args)
    async with db.transaction(service) as tx:
        assert await schedules.listing(tx, service) == []


async def test_jobs_that_could_not_run_are_found_at_the_start(clockwork: Clockwork) -> None:
    db, hub = await clockwork.database(), await clockwork.hub()
    for how, error in (
        ({"kind": "nothing"}, JobKindUnknown),
        ({"kind": "digest", "input": {"no": 1}}, JobInputInvalid),
        ({"kind": "digest", "tick_argument": "when"}, JobInputInvalid),
    ):
        registry = ScheduleRegistry()
        registry.add("* * * * *", **how)  # type: ignore[arg-type]
        with pytest.raises(error):
            Scheduler(db, hub, registry, clockwork.jobs).check()


def test_a_name_is_taken_once() -> None:
    registry = ScheduleRegistry()
    registry.add("* * * * *", kind="digest")
    registry.add("* * * * *", kind="digest", tenant="demo")
    with pytest.raises(ScheduleInvalid, match="already"):
        registry.add("0 7 * * *", kind="digest")
    with pytest.raises(ScheduleInvalid, match="sometimes"):
        registry.add("0 7 * * *", kind="digest", name="x", missed="sometimes")  # type: ignore[arg-type]
