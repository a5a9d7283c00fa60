"""Workers whose clocks are an hour off, in both directions: times and quiet hours follow the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from stead import actions
from stead.actions import Proposal, Proposed
from stead.identity import Principal, tenant_service
from tests.guarantees.acts import Works

#: Zones that are off by quarters of an hour, and one whose summer is half an hour.
ZONES = ["Asia/Kathmandu", "Australia/Lord_Howe"]


async def propose(works: Works, who: Principal, order: str, **how: datetime | None) -> UUID:
    """An action with times."""
    proposal = Proposal(tool="send", arguments={"order": order}, **how)  # type: ignore[arg-type]
    async with works.db.transaction(who) as tx:
        proposed = await actions.propose(tx, who, proposal)
    assert isinstance(proposed, Proposed)
    return proposed.envelope.id


async def test_a_wrong_clock_runs_nothing_early_and_takes_nobody_for_dead(acting: Works) -> None:
    now: datetime = await acting.admin.fetchval("select now()")
    soon, later, far = (now + timedelta(seconds=s) for s in (1, 1200, 7200))
    workers = [await acting.worker(CLOCK_OFF_S=offset).start() for offset in ("3600", "-3600")]
    try:
        who = acting.service
        runs = [
            await propose(acting, who, "soon", not_before=soon),
            await propose(acting, who, "good", expires_at=now + timedelta(minutes=30)),
        ]
        waits = [
            await propose(acting, who, "later", not_before=later),
            await propose(acting, who, "far", not_before=far),
        ]
        others = await acting.propose_many([("send", {"order": f"o{n}"}) for n in range(100)])
        await acting.until(
            "select count(*) = $2 from public.outbox where id = any ($1) and status = 'succeeded'",
            [*runs, *others],
            102,
        )
        # What has expired by the database's clock does not run, whoever's clock says that it has not.
        expiring = await propose(acting, who, "late", not_before=later, expires_at=later)
        await acting.admin.execute(
            "update public.outbox set expires_at = now() - interval '1 second' where id = $1", expiring
        )
        await acting.until("select status = 'expired' from public.outbox where id = $1", expiring)
        # Both have beaten, each by the database's clock, and neither has rescued from the other.
        await acting.until(
            """
            select count(*) = 2 from stead.processes
            where heartbeat_at between now() - interval '5 seconds' and now() and heartbeat_at > started_at
            """
        )
    finally:
        codes = [await worker.stop() for worker in workers]
    assert codes == [0, 0]
    assert set((await acting.statuses(waits)).values()) == {"pending"}
    assert [acting.done(i) for i in [*waits, expiring]] == [0, 0, 0]
    assert await acting.admin.fetchval("select max(rescues) = 0 from public.outbox")
    assert await acting.admin.fetchval(
        "select started_at >= $2 from public.outbox_attempts where envelope_id = $1", runs[0], soon
    )
    await acting.check_audit()


async def test_quiet_hours_are_those_of_the_tenants_clock(acting: Works) -> None:
    """Windows that begin and end within the hour by which the workers are wrong."""
    now: datetime = await acting.admin.fetchval("select now()")
    expected: dict[UUID, datetime | None] = {}
    made = []
    for zone in ZONES:
        local = now.astimezone(ZoneInfo(zone))
        for begins_min, ends_min in ((-30, 30), (-50, -20), (20, 50)):
            start, end = (local + timedelta(minutes=m) for m in (begins_min, ends_min))
            tenant = await acting.add_tenant(
                time_zone=zone,
                quiet_hours={"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"},
            )
            service = tenant_service(tenant)
            quiet = begins_min < 0 < ends_min
            until = end.replace(second=0, microsecond=0).astimezone(UTC) if quiet else None
            made.append((service, until))
    ids = []
    for service, until in made:
        envelope_id = await propose(acting, service, "q")
        expected[envelope_id] = until
        ids.append(envelope_id)
    deferred = [i for i, until in expected.items() if until is not None]
    statuses = await acting.statuses(ids)
    assert {statuses[i] for i in deferred} == {"deferred"}
    # As if their time had come: a worker judges them again, and defers them until the same moment.
    await acting.admin.execute(
        "update public.outbox set next_run_at = now() where id = any ($1)", deferred
    )
    workers = [await acting.worker(CLOCK_OFF_S=offset).start() for offset in ("3600", "-3600")]
    try:
        awake = [i for i in ids if i not in deferred]
        await acting.until(
            "select count(*) = $2 from public.outbox where id = any ($1) and status = 'succeeded'",
            awake,
            len(awake),
        )
        await acting.until(
            "select bool_and(status = 'deferred' and next_run_at > now()) from public.outbox where id = any ($1)",
            deferred,
        )
    finally:
        codes = [await worker.stop() for worker in workers]
    assert codes == [0, 0]
    rows = await acting.admin.fetch(
        "select id, next_run_at from public.outbox where id = any ($1)", deferred
    )
    assert {row["id"]: row["next_run_at"] for row in rows} == {i: expected[i] for i in deferred}
    assert [acting.done(i) for i in deferred] == [0] * len(deferred)
