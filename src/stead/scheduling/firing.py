"""Firing what is due. Any number of workers: whoever locks a schedule's row fires it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from stead.db import NOBODY, Database, Row, Transaction
from stead.identity import tenants
from stead.identity.errors import TenantUnknown
from stead.jobs import JobRegistry
from stead.realtime import Hub
from stead.scheduling import queries
from stead.scheduling.cron import Cron
from stead.scheduling.errors import ScheduleInvalid
from stead.scheduling.models import Missed
from stead.scheduling.registry import CodeSchedule, ScheduleRegistry
from stead.scheduling.schedules import check
from stead.scheduling.waking import TOPIC

_log = structlog.stdlib.get_logger(__name__)
#: A tick that is later than this was missed.
LATE: Final = timedelta(seconds=60)
#: How many missed ticks of one schedule are made up for: the latest.
MOST_MISSED: Final = 100
_AT_ONCE: Final = 100
_JOBS_AT_ONCE: Final = 10_000
_LOOK_S: Final = 30.0
_REGISTER_S: Final = 60.0
_UNSEEN_S: Final = 7 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is fired now, and what is next."""

    ticks: Sequence[datetime]
    following: datetime | None


def plan(cron: Cron, missed: Missed, first: datetime, now: datetime, at_once: int = MOST_MISSED) -> Plan:
    """What becomes of the ticks from one on that has come due.

    Args:
        cron: The times.
        missed: What becomes of ticks that are late.
        first: The first tick that nobody fired.
        now: The moment, not before it.
        at_once: How many are fired together; what remains is next.
    """
    earliest, whole = cron.between(first, now, MOST_MISSED)
    due = earliest if whole else cron.latest(now, MOST_MISSED)
    if missed == "all":
        ticks = due[:at_once]
        return Plan(
            ticks=ticks, following=due[at_once] if len(due) > at_once else cron.following(ticks[-1])
        )
    last = due[-1]
    fires = missed == "once" or now - last <= LATE
    return Plan(ticks=[last] if fires else [], following=cron.following(last))


class Scheduler:
    """Fires schedules: those of this program's code, and those that were made over the API.

    Args:
        db: The database.
        hub: Wakes it.
        registry: Schedules of code.
        jobs: Handlers of jobs.
        dispatch: Who delivers the jobs that schedules of code make.
    """

    def __init__(
        self,
        db: Database,
        hub: Hub,
        registry: ScheduleRegistry,
        jobs: JobRegistry,
        *,
        dispatch: str = "postgres",
    ) -> None:
        self._db = db
        self._hub = hub
        self._registry = registry
        self._jobs = jobs
        self._dispatch = dispatch
        self._held: dict[tuple[str | None, str], UUID] = {}
        self._told: set[tuple[str | None, str]] = set()
        self._registered_at: float | None = None

    def check(self) -> None:
        """Refuses schedules of code whose jobs could not run.

        Raises:
            JobKindUnknown, JobInputInvalid: Their jobs could not run.
        """
        for each in self._registry.all:
            check(each.schedule, self._jobs)

    async def register(self) -> None:
        """Makes the schedules of code known. In any number of processes, again and again."""
        async with self._db.transaction(NOBODY) as tx:
            there = await queries.see(tx, list(self._held.values()))
            await queries.sweep(tx, _UNSEEN_S)
            held = {key: found for key, found in self._held.items() if found in there}
            for each in self._registry.all:
                key = (each.tenant, each.schedule.name)
                if key not in held and (made := await self._register(tx, each)) is not None:
                    held[key] = made
        self._held = held
        self._registered_at = time.monotonic()

    async def fire(self) -> int:
        """Fires what is due, and returns how many jobs were made."""
        made = 0
        for _ in range(_AT_ONCE):
            async with self._db.transaction(NOBODY) as tx:
                row = await queries.due(tx, list(self._held.values()))
                if row is None:
                    break
                made += await self._fire(tx, row)
        return made

    async def _fire(self, tx: Transaction, row: Row) -> int:
        try:
            cron = Cron(row["cron"], row["time_zone"])
        except ScheduleInvalid as error:
            # It was made by a program that knows other time zones.
            _log.error("schedule_stopped", schedule=row["name"], reason=error.detail)
            await queries.stop(tx, row["id"])
            return 0
        at_once = max(1, min(MOST_MISSED, _JOBS_AT_ONCE // max(1, row["tenants"])))
        todo = plan(cron, row["missed"], row["next_at"], row["asked_at"], at_once)
        jobs = await queries.advance(tx, row["id"], todo.ticks, todo.following)
        _log.info("schedule_fired", schedule=row["name"], ticks=len(todo.ticks), jobs=jobs)
        return jobs

    async def round(self) -> int:
        """Fires what is due, or waits until something may be: one round of a worker's loop."""
        if self._registered_at is None or time.monotonic() - self._registered_at > _REGISTER_S:
            await self.register()
        with self._hub.subscribe(TOPIC) as told:
            if made := await self.fire():
                return made
            async with self._db.transaction(NOBODY, read_only=True) as tx:
                due_s = await queries.next_due_s(tx, list(self._held.values()))
            wait_s = _LOOK_S if due_s is None else min(_LOOK_S, due_s)
            if wait_s > 0:
                # A wait has jitter: rather too early, and once more.
                await told.wait(max(wait_s / 1.2, 0.05))
        return 0

    async def _register(self, tx: Transaction, each: CodeSchedule) -> UUID | None:
        schedule = each.schedule
        tenant_id: UUID | None = None
        key = (each.tenant, schedule.name)
        if each.tenant is not None:
            try:
                tenant_id = (await tenants.find(tx, each.tenant)).id
            except TenantUnknown:
                self._tell(key, "tenant_unknown")
                return None
        queue, attempts = check(schedule, self._jobs)
        made = await queries.register(
            tx,
            tenant_id,
            schedule.name,
            schedule.cron,
            schedule.time_zone,
            schedule.kind,
            dict(schedule.input),
            schedule.tick_argument,
            queue,
            attempts,
            self._dispatch,
            schedule.missed,
            Cron(schedule.cron, schedule.time_zone).following(await queries.clock(tx)),
        )
        if made is None:
            self._tell(key, "name_taken")
        else:
            self._told.discard(key)
        return made

    def _tell(self, key: tuple[str | None, str], reason: str) -> None:
        if key not in self._told:
            _log.warning("schedule_not_registered", schedule=key[1], tenant=key[0], reason=reason)
            self._told.add(key)
