"""Schedules as those who look after them see them: listed, made, paused, fired by hand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from stead.db import Row, Transaction
from stead.identity import Principal
from stead.jobs import JobRegistry
from stead.scheduling import queries
from stead.scheduling.cron import Cron
from stead.scheduling.errors import ScheduleInCode, SchedulePaused, ScheduleUnknown
from stead.scheduling.models import NewSchedule, Schedule
from stead.scheduling.waking import wake


def check(schedule: NewSchedule, jobs: JobRegistry) -> tuple[str, int]:
    """Refuses a schedule whose jobs could not run.

    Args:
        schedule: The schedule.
        jobs: The handlers that there are.

    Returns:
        The jobs' queue and attempts.

    Raises:
        JobKindUnknown, JobInputInvalid: Its jobs could not run.
    """
    handler = jobs.get(schedule.kind)
    given = dict(schedule.input)
    if schedule.tick_argument is not None:
        given[schedule.tick_argument] = "2026-01-01T00:00:00Z"
    handler.arguments(given)
    return schedule.queue or handler.queue, handler.max_attempts


async def listing(tx: Transaction, principal: Principal) -> list[Schedule]:
    """The tenant's own schedules.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
    """
    return [_schedule(row, principal) for row in await queries.of_tenant(tx, principal.tenant.id)]


async def get(tx: Transaction, principal: Principal, name: str) -> Schedule:
    """One of the tenant's own schedules, locked.

    Raises:
        ScheduleUnknown: There is none of that name.
    """
    row = await queries.lock_by_name(tx, principal.tenant.id, name)
    if row is None:
        raise ScheduleUnknown(f"{principal.tenant.slug} has no schedule {name!r}")
    return _schedule(row, principal)


async def save(
    tx: Transaction,
    principal: Principal,
    schedule: NewSchedule,
    *,
    jobs: JobRegistry,
    dispatch: str = "postgres",
) -> Schedule:
    """Makes a schedule of the tenant, or changes it. One whose times stay the same goes on where it was.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        schedule: What is wanted.
        jobs: The handlers that there are.
        dispatch: Who delivers its jobs.

    Raises:
        ScheduleInvalid: Its times cannot be read.
        JobKindUnknown, JobInputInvalid: Its jobs could not run.
        ScheduleInCode: One of that name is defined in code.
    """
    queue, attempts = check(schedule, jobs)
    first_at = Cron(schedule.cron, schedule.time_zone).following(await queries.clock(tx))
    made = await queries.save(
        tx,
        principal.tenant.id,
        schedule.name,
        schedule.cron,
        schedule.time_zone,
        schedule.kind,
        dict(schedule.input),
        schedule.tick_argument,
        queue,
        attempts,
        dispatch,
        schedule.missed,
        first_at,
    )
    if made is None:
        raise _in_code(schedule.name)
    await wake(tx)
    return await get(tx, principal, schedule.name)


async def pause(tx: Transaction, principal: Principal, name: str, *, paused: bool) -> Schedule:
    """Pauses a schedule of the tenant, or lets it go on: with the next tick, what came meanwhile was not missed.

    Raises:
        ScheduleUnknown: There is none of that name.
    """
    schedule = await get(tx, principal, name)
    if schedule.paused != paused:
        await queries.pause(tx, principal.tenant.id, schedule.id, paused, await _following(tx, schedule))
        await wake(tx)
    return await get(tx, principal, name)


async def delete(tx: Transaction, principal: Principal, name: str) -> None:
    """Deletes a schedule of the tenant; jobs that it made stay.

    Raises:
        ScheduleUnknown: There is none of that name.
        ScheduleInCode: It is defined in code, which would make it again.
    """
    schedule = await get(tx, principal, name)
    if schedule.source == "code":
        raise _in_code(name)
    await queries.delete(tx, principal.tenant.id, schedule.id)


async def every(tx: Transaction, tenant_id: UUID | None = None) -> list[Schedule]:
    """Every schedule there is, or those of one tenant.

    Args:
        tx: A transaction of nobody (`stead.db.NOBODY`): for who runs the server.
        tenant_id: Only its own.
    """
    return [Schedule(**dict(row)) for row in await queries.every_schedule(tx, tenant_id)]


async def pause_any(tx: Transaction, schedule: Schedule, *, paused: bool) -> None:
    """Pauses a schedule of any tenant or of all, or lets it go on with its next tick.

    Args:
        tx: A transaction of nobody (`stead.db.NOBODY`): for who runs the server.
        schedule: As it was found.
        paused: What it is to be.
    """
    if schedule.paused != paused:
        await queries.pause_for_all(tx, schedule.id, paused, await _following(tx, schedule))
        await wake(tx)


async def fire(tx: Transaction, schedule: Schedule, tick: datetime | None = None) -> int:
    """Fires a schedule by hand, also a paused one. Returns how many jobs were made: for one tick none twice. A
    standing one makes none: workers do it at once.

    Args:
        tx: A transaction of nobody (`stead.db.NOBODY`): for who runs the server.
        schedule: As it was found.
        tick: The tick; now when None.

    Raises:
        SchedulePaused: It is a standing one and is paused: workers would not do it.
    """
    if schedule.source == "system" and schedule.paused:
        raise SchedulePaused(f"{schedule.name!r} is paused", hint="stead schedules resume")
    at = tick or await queries.clock(tx)
    return await queries.fire(tx, schedule.name, at, schedule.tenant_id, even_paused=True)


async def _following(tx: Transaction, schedule: Schedule) -> datetime | None:
    return Cron(schedule.cron, schedule.time_zone).following(await queries.clock(tx))


def _schedule(row: Row, principal: Principal) -> Schedule:
    return Schedule(**dict(row), tenant_slug=principal.tenant.slug)


def _in_code(name: str) -> ScheduleInCode:
    return ScheduleInCode(
        f"{name!r} is defined in code", hint="Change it there; pausing it is possible."
    )
