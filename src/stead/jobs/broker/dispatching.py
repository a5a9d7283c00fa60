"""Gives jobs to the broker when they are due, and again when they were lost there."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database
from stead.jobs import queries
from stead.jobs.broker.config import BrokerConfig
from stead.jobs.broker.delivery import CeleryDelivery
from stead.jobs.errors import BrokerUnavailable
from stead.jobs.waking import WAKE_TOPIC
from stead.realtime import Hub

_log = structlog.stdlib.get_logger(__name__)
_BATCH: Final = 100
_MOST_LOST: Final = 1_000
_MAX_PAUSE_S: Final = 5.0


class Dispatcher:
    """Sends what the table says is to be sent. Any number of them against one database.

    Whatever makes a job due (its INSERT, an answer, a retry, a rescue) notifies when it commits, and only then: so
    no request waits for the broker, none fails with it, and nothing is sent that is rolled back. A job is marked
    before it is sent; a crash between the two is found like a broker that lost it.

    Args:
        db: The database.
        hub: Wakes it.
        delivery: The broker.
        queues: Whose messages are counted, to tell a long queue from one that was lost.
        config: Limits.
    """

    def __init__(
        self,
        db: Database,
        hub: Hub,
        delivery: CeleryDelivery,
        queues: Iterable[str],
        config: BrokerConfig,
    ) -> None:
        self._db = db
        self._hub = hub
        self._delivery = delivery
        self._queues = set(queues)
        self._config = config
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, in the background."""
        self._task = asyncio.create_task(self._run(), name="dispatch-jobs")

    async def stop(self) -> None:
        """Ends; what was marked and not sent is sent by another."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        pause_s = 0.2
        clock = asyncio.get_running_loop().time
        check_at = clock() + self._config.check_s * random.random()  # noqa: S311
        with self._hub.subscribe(WAKE_TOPIC) as wake:
            while True:
                try:
                    if clock() >= check_at:
                        await self._send_lost_again()
                        check_at = clock() + self._config.check_s * random.uniform(0.8, 1.2)  # noqa: S311
                    if not await self._send_due():
                        await wake.wait(await self._rest_s())
                    pause_s = 0.2
                except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                    # Not woken meanwhile: a broker that is down is not asked once for each job.
                    _log.warning("jobs_dispatch_failed", reason=_reason(error))
                    await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
                    pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    async def _send_due(self) -> int:
        async with self._db.transaction(NOBODY) as tx:
            rows = await queries.undelivered(tx, _BATCH)
        if not rows:
            return 0
        self._queues.update(row["queue"] for row in rows)
        jobs: list[tuple[UUID, str, str]] = [
            (row["id"], row["queue"], row["celery_task_id"] or str(row["id"])) for row in rows
        ]
        taken = 0
        try:
            taken = await self._delivery.send(jobs)
        finally:
            if taken < len(jobs):
                await self._give_back([job_id for job_id, _, _ in jobs[taken:]])
        if taken < len(jobs):
            raise BrokerUnavailable(f"the broker took {taken} of {len(jobs)} jobs")
        return taken

    async def _give_back(self, jobs: list[UUID]) -> None:
        # If that fails too, they are found like those that the broker lost.
        with contextlib.suppress(SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
            async with self._db.transaction(NOBODY) as tx:
                await queries.undeliver(tx, jobs)

    async def _send_lost_again(self) -> None:
        waiting = await self._delivery.waiting(sorted(self._queues))
        empty = [queue for queue, messages in waiting.items() if not messages]
        async with self._db.transaction(NOBODY) as tx:
            config = self._config
            found = await queries.redeliver(
                tx, empty, config.lost_s, config.least_s, config.most_s, _MOST_LOST
            )
        if found:
            _log.warning("jobs_sent_again", jobs=found)

    async def _rest_s(self) -> float:
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            due_s = await queries.next_due_s(tx)
        return self._config.poll_s if due_s is None else min(self._config.poll_s, max(due_s, 0.01))


def _reason(error: Exception) -> str:
    return error.detail if isinstance(error, BrokerUnavailable) else type(error).__name__
