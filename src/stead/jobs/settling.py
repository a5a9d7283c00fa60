"""Storing how attempts ended, many in one statement."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database
from stead.jobs import queries
from stead.jobs.claimed import ClaimedJob
from stead.jobs.models import Question
from stead.jobs.outcomes import Outcome

_log = structlog.stdlib.get_logger(__name__)
_MOST: Final = 500
_MAX_PAUSE_S: Final = 5.0
#: What passes: two transactions in each other's way, or a server that restarts.
_PASSING: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    SteadError,
    *CONNECTION_LOST,
)

Ended = tuple[ClaimedJob, Outcome]


class Settler:
    """Takes outcomes and stores them; while one statement is under way the next batch gathers.

    Args:
        db: The database.
        worker_id: Who held the jobs.
        settled: Called with the number of each outcome that was stored.
    """

    def __init__(self, db: Database, worker_id: UUID, settled: Callable[[str, str, int], None]) -> None:
        self._db = db
        self._worker_id = worker_id
        self._settled = settled
        self._waiting: list[Ended] = []
        self._storing = 0
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def add(self, job: ClaimedJob, outcome: Outcome) -> None:
        """Takes one."""
        self._waiting.append((job, outcome))
        self._idle.clear()
        self._woken.set()

    def start(self) -> None:
        """Begins to store, in the background."""
        self._task = asyncio.create_task(self._run(), name="settle-jobs")

    async def stop(self, timeout_s: float) -> None:
        """Stores what there is, as long as that takes no longer; what remains will be rescued."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            _log.error("jobs_not_settled", jobs=self.waiting)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """How many outcomes wait to be stored."""
        return len(self._waiting) + self._storing

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                self._storing = len(batch)
                await self._store(batch)
                self._storing = 0
            self._idle.set()

    async def _store(self, batch: Sequence[Ended]) -> None:
        pause_s = 0.02
        while True:
            try:
                accepted = await self._write(batch)
            except _PASSING as error:
                _log.warning("jobs_settle_again", jobs=len(batch), reason=type(error).__name__)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
                pause_s = min(pause_s * 2, _MAX_PAUSE_S)
            except asyncpg.PostgresError as error:
                # One of them cannot be stored: the others can, one by one, and that one fails.
                if len(batch) > 1:
                    for ended in batch:
                        await self._store([ended])
                    return
                job, outcome = batch[0]
                _log.error("job_not_storable", job_id=str(job.id), reason=type(error).__name__)
                if outcome.kind == "failed":
                    return
                await self._store(
                    [
                        (
                            job,
                            Outcome(
                                kind="failed",
                                error="what it ended with cannot be stored",
                                code="job_result_invalid",
                            ),
                        )
                    ]
                )
                return
            else:
                for key, n in Counter((j.kind, o.kind) for j, o in batch if j.id in accepted).items():
                    self._settled(*key, n)
                if len(accepted) < len(batch):
                    self._settled("", "fenced", len(batch) - len(accepted))
                    _log.warning("jobs_fenced", jobs=len(batch) - len(accepted))
                return

    async def _write(self, batch: Sequence[Ended]) -> set[UUID]:
        outcomes = [outcome for _, outcome in batch]
        async with self._db.transaction(NOBODY) as tx:
            rows = await queries.settle(
                tx,
                self._worker_id,
                [job.id for job, _ in batch],
                [job.lease_no for job, _ in batch],
                [o.kind for o in outcomes],
                [_json(o.result) for o in outcomes],
                [o.error for o in outcomes],
                [o.code for o in outcomes],
                [o.delay_s for o in outcomes],
                [o.until for o in outcomes],
                [_json([str(job) for job in o.jobs] or None) for o in outcomes],
                [_json([_question(q) for q in o.questions] or None) for o in outcomes],
                [o.asking for o in outcomes],
            )
        return {row["id"] for row in rows}


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _question(question: Question) -> dict[str, Any]:
    return {name: value for name, value in asdict(question).items() if value is not None}
