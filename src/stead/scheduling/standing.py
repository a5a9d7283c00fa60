"""What workers do themselves by the clock: listed, paused and fired like schedules that make jobs.

A tick is one worker's: whoever locks the row moves it on and does the work, round by round, until nothing is left
or its time is up. If it dies, what is left waits for the next tick.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from stead.db import NOBODY, Database
from stead.scheduling import queries
from stead.scheduling.cron import Cron

_log = structlog.stdlib.get_logger(__name__)
#: After so long the rest is left to the next tick, and to other workers.
MOST_S: Final = 240.0
_REGISTER_S: Final = 60.0
_UNSEEN_S: Final = 7 * 86_400.0

#: One bounded round of work; returns how much it did.
Round = Callable[[], Awaitable[int]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A standing schedule.

    Args:
        name: Among all that serve every tenant.
        cron: When, by UTC.
        kind: What stands for it in lists, where the kind of job stands for others.
        rounds: What is done, one after the other, each until it finds nothing to do.
    """

    name: str
    cron: str
    kind: str
    rounds: Sequence[Round]


class Clockwork:
    """Does one standing schedule's work when it is due. Any number of workers side by side.

    Args:
        db: The database.
        standing: What and when.
        most_s: How long one tick may take.
    """

    def __init__(self, db: Database, standing: Standing, *, most_s: float = MOST_S) -> None:
        self._db = db
        self._standing = standing
        self._cron = Cron(standing.cron, "UTC")
        self._most_s = most_s
        self._registered_at: float | None = None

    async def register(self) -> None:
        """Makes it known. In any number of processes, again and again."""
        what = self._standing
        async with self._db.transaction(NOBODY) as tx:
            await queries.sweep_standing(tx, _UNSEEN_S)
            first_at = self._cron.following(await queries.clock(tx))
            await queries.register_standing(tx, what.name, what.cron, what.kind, first_at)
        self._registered_at = time.monotonic()

    async def run(self) -> int:
        """Does what is due, if anything is, and returns how much that was."""
        if self._registered_at is None or time.monotonic() - self._registered_at > _REGISTER_S:
            await self.register()
        schedule_id = await self._take()
        if schedule_id is None:
            return 0
        began = time.monotonic()
        done = 0
        for each in self._standing.rounds:
            while time.monotonic() - began < self._most_s and await self._goes_on(schedule_id):
                did = await each()
                done += did
                if not did:
                    break
        _log.info("standing_schedule_done", schedule=self._standing.name, did=done)
        return done

    async def _take(self) -> UUID | None:
        async with self._db.transaction(NOBODY) as tx:
            row = await queries.due_standing(tx, self._standing.name)
            if row is None:
                return None
            # By the row: another program's times may hold.
            following = Cron(row["cron"], "UTC").following(row["asked_at"])
            await queries.advance_standing(tx, row["id"], following)
        return row["id"]

    async def _goes_on(self, schedule_id: UUID) -> bool:
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            return await queries.standing_goes_on(tx, schedule_id)
