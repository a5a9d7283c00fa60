"""The worker: claims jobs, runs their handlers, stores how they ended."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Literal
from uuid import UUID

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database
from stead.jobs import metrics, queries
from stead.jobs.claimed import ClaimedJob, claimed
from stead.jobs.config import WorkerConfig
from stead.jobs.context import RunningJob
from stead.jobs.execution import carry_out
from stead.jobs.outcomes import Outcome
from stead.jobs.registry import JobRegistry
from stead.jobs.settling import Settler
from stead.jobs.solitary import run_alone
from stead.jobs.waking import HELD_TOPIC, WAKE_TOPIC
from stead.processes import Room
from stead.realtime import Hub, Subscription

_log = structlog.stdlib.get_logger(__name__)
#: More would make one statement long and keep others from their share.
_MOST_AT_ONCE: Final = 500
_MAX_PAUSE_S: Final = 5.0
_SETTLE_S: Final = 5.0

Why = Literal["stopping", "lost"]


class Held:
    """A job that runs here."""

    def __init__(self, running: RunningJob) -> None:
        self.running = running
        self.task: asyncio.Task[None] | None = None
        self.why: Why | None = None

    def cancel(self, why: Why) -> None:
        """Ends the handler wherever it stands."""
        if self.why is None and self.task is not None:
            self.why = why
            self.task.cancel()


class Worker:
    """Works off queues until it is stopped, or takes the jobs that it is given one by one.

    Any number of them against one database.

    Args:
        db: The database.
        hub: Wakes it.
        registry: Its handlers.
        worker_id: The process that it belongs to, whose heartbeat tells others that it lives.
        config: Limits.
        dispatch: Who delivers the jobs that its jobs spawn.
        own_db: For claims and ends; a pool of its own is not kept waiting by handlers.
    """

    def __init__(
        self,
        db: Database,
        hub: Hub,
        registry: JobRegistry,
        worker_id: UUID,
        config: WorkerConfig | None = None,
        *,
        dispatch: str = "postgres",
        own_db: Database | None = None,
    ) -> None:
        self.config = config or WorkerConfig()
        self._db = db
        self._own_db = own_db or db
        self._hub = hub
        self._registry = registry
        self._worker_id = worker_id
        self._dispatch = dispatch
        self._held: dict[UUID, Held] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._alone: set[asyncio.Task[None]] = set()
        self._claims: set[asyncio.Task[Held | None]] = set()
        self._settler = Settler(self._own_db, worker_id, self._stored)
        self._stopping = asyncio.Event()
        self._room = Room(self.config.concurrency, self._taken)
        self._after: dict[str, UUID | None] = {}
        self._unknown: set[tuple[UUID, int]] = set()

    @property
    def running(self) -> int:
        """Jobs that run here."""
        return len(self._held)

    async def run(self) -> None:
        """Works until `stop` is called, or the task is cancelled: then what runs is handed back at once."""
        async with self.ready():
            queues = self.config.queues or self._registry.queues
            self._loops += [
                asyncio.create_task(self._work(queue), name=f"jobs-{queue}") for queue in queues
            ]
            await self._stopping.wait()
            await self.drain()

    def stop(self) -> None:
        """Claims no more; lets jobs end for some seconds, then hands them back."""
        self._stopping.set()

    @asynccontextmanager
    async def ready(self) -> AsyncGenerator[None]:
        """While the block runs, jobs can be taken; at its end what still runs is handed back at once."""
        self._settler.start()
        watch = asyncio.create_task(self._watch(), name="jobs-held")
        try:
            yield
        finally:
            self._stopping.set()
            # Whoever claims ends first: then no more is held than what is handed back.
            await _end(*self._loops, *self._alone)
            await asyncio.gather(*self._claims, return_exceptions=True)
            for held in tuple(self._held.values()):
                held.cancel("stopping")
            await asyncio.gather(*self._tasks(), return_exceptions=True)
            await _end(watch)
            await self._settler.stop(_SETTLE_S)

    async def take(self, job_id: UUID) -> bool:
        """Claims exactly this job and runs it to its end or its next wait; for a worker that is `ready`.

        Any number at once.

        Returns:
            False when it is not to be had: it is not there, not due, held, ended, or this worker stops.
        """
        if self._stopping.is_set():
            return False
        claim = asyncio.create_task(self._claim_one(job_id))
        # Whoever called may go away: what was claimed must be known here, to be handed back.
        self._claims.add(claim)
        claim.add_done_callback(self._claims.discard)
        held = await asyncio.shield(claim)
        if held is None or held.task is None:
            return False
        await asyncio.wait([held.task])
        return True

    async def run_one(self, job_id: UUID) -> bool:
        """Takes exactly this job, in a worker that does nothing else; False when it is not to be had."""
        async with self.ready():
            return await self.take(job_id)

    async def drain(self) -> None:
        """Lets jobs end for some seconds."""
        tasks = self._tasks()
        if tasks:
            _log.info("jobs_draining", jobs=len(tasks))
            await asyncio.wait(tasks, timeout=self.config.drain_s)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [held.task for held in self._held.values() if held.task is not None]

    async def _work(self, queue: str) -> None:
        pause_s = 0.05
        with self._hub.subscribe(WAKE_TOPIC) as wake:
            while not self._stopping.is_set():
                try:
                    await self._room.wait()
                    wanted = min(self._room.free, _MOST_AT_ONCE)
                    jobs = await self._claim(queue, wanted)
                    for job in jobs:
                        self._launch(job)
                    if not jobs:
                        await self._run_suspects(queue)
                        await self._sleep(wake)
                    pause_s = 0.05
                except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                    _log.warning("jobs_claim_failed", queue=queue, reason=type(error).__name__)
                    await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
                    pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    def _taken(self) -> int:
        # What has ended and is not stored yet takes a place too: a slow database is not given more to store.
        return max(len(self._held), self._settler.waiting)

    async def _claim(self, queue: str, wanted: int) -> list[ClaimedJob]:
        async with self._own_db.transaction(NOBODY) as tx:
            rows = await queries.claim(
                tx, self._worker_id, queue, self._registry.kinds, wanted, self._after.get(queue)
            )
        if not rows:
            return []
        self._after[queue] = rows[-1]["last_tenant"]
        return [claimed(row) for row in rows]

    async def _claim_one(self, job_id: UUID) -> Held | None:
        async with self._own_db.transaction(NOBODY) as tx:
            row = await queries.claim_one(tx, self._worker_id, job_id, self._registry.kinds)
        return None if row is None else self._launch(claimed(row))

    async def _sleep(self, wake: Subscription) -> None:
        async with self._own_db.transaction(NOBODY, read_only=True) as tx:
            due_s = await queries.next_due_s(tx)
        wait_s = self.config.poll_s if due_s is None else min(self.config.poll_s, max(due_s, 0.0))
        if wait_s > 0:
            await wake.wait(wait_s)

    async def _run_suspects(self, queue: str) -> None:
        command = self.config.solitary_command
        if command is None or self._alone:
            return
        async with self._own_db.transaction(NOBODY, read_only=True) as tx:
            found = await queries.suspects(tx, queue, self._registry.kinds, 1)
        for job_id in found:
            task = asyncio.create_task(run_alone(command, job_id), name=f"alone-{job_id}")
            self._alone.add(task)
            task.add_done_callback(self._alone.discard)

    def _launch(self, job: ClaimedJob) -> Held:
        # A claim that a crash of the database undid comes again: the first has lost it.
        if job.id in self._held:
            self._held[job.id].cancel("lost")
        held = Held(RunningJob(self._db, self._registry, job, self._worker_id, self._dispatch))
        self._held[job.id] = held
        held.task = asyncio.create_task(self._carry_out(held))
        return held

    async def _carry_out(self, held: Held) -> None:
        job = held.running.job
        outcome: Outcome | None = None
        try:
            handler = self._registry.get(job.kind)
            outcome = await carry_out(held.running, handler, tell_errors=self.config.tell_errors)
        except asyncio.CancelledError:
            if held.why != "lost":
                # Handed back: it costs no attempt, and goes on where its steps end.
                outcome = Outcome(kind="released")
        except SteadError as error:
            outcome = Outcome(kind="failed", error=error.detail, code=error.code)
        finally:
            if outcome is not None:
                self._settler.add(job, outcome)
            # Lost and claimed again by this very worker, another stands in its place.
            if self._held.get(job.id) is held:
                del self._held[job.id]
            self._room.freed()

    def _stored(self, kind: str, outcome: str, n: int) -> None:
        metrics.settled(kind, outcome, n)
        self._room.freed()

    async def _watch(self) -> None:
        """Stores progress, and ends what is no longer this worker's."""
        checked_at = asyncio.get_running_loop().time()
        with self._hub.subscribe(HELD_TOPIC) as told:
            while True:
                # A wake-up says that some job was cancelled: whether it is one of these is looked up.
                asked = await told.wait(self.config.report_s)
                now = asyncio.get_running_loop().time()
                fresh = [h for h in self._held.values() if h.running.unreported is not None]
                late = now - checked_at >= self.config.hold_check_s
                if asked or late:
                    fresh = list(self._held.values())
                if fresh:
                    await self._report(fresh)
                if late:
                    checked_at = now
                    await self._hand_back()

    async def _hand_back(self) -> None:
        """Hands back what is this worker's and not known here: a claim whose answer was lost with its connection.

        What is unknown once may be on its way. Should it still come after it was handed back, its lease is over.
        """
        try:
            async with self._own_db.transaction(NOBODY, read_only=True) as tx:
                rows = await queries.held(tx, self._worker_id)
            known = {(job_id, held.running.job.lease_no) for job_id, held in self._held.items()}
            ending = self._settler.ids
            unknown = {(row["id"], row["lease_no"]) for row in rows if row["id"] not in ending} - known
            lost, self._unknown = unknown & self._unknown, unknown
            if lost:
                _log.warning("jobs_handed_back", jobs=await self._settler.hand_back(sorted(lost)))
        except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
            _log.warning("jobs_check_failed", reason=type(error).__name__)

    async def _report(self, held: list[Held]) -> None:
        said = [each.running.unreported for each in held]
        for each in held:
            each.running.unreported = None
        try:
            async with self._own_db.transaction(NOBODY) as tx:
                lost = await queries.report(
                    tx,
                    self._worker_id,
                    [each.running.id for each in held],
                    [each.running.job.lease_no for each in held],
                    [None if s is None else s[0] for s in said],
                    [None if s is None else s[1] for s in said],
                )
        except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
            _log.warning("jobs_report_failed", reason=type(error).__name__)
            for each, what in zip(held, said, strict=True):
                if each.running.unreported is None:
                    each.running.unreported = what
            return
        for job_id in lost:
            if job_id in self._held:
                self._held[job_id].cancel("lost")


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
