"""What a handler is given: steps, questions, waits."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from stead.core.ids import derived_id
from stead.db import Database, Transaction, assert_no_transaction
from stead.db.errors import DatabaseUnavailable
from stead.identity import Principal
from stead.jobs import queries
from stead.jobs.claimed import ClaimedJob
from stead.jobs.enqueuing import enqueue
from stead.jobs.errors import JobInvalid, JobUnknown, StepsChanged
from stead.jobs.models import TERMINAL, Answer, JobResult, NewJob, Question
from stead.jobs.outcomes import LeaseLost, Outcome, Suspended
from stead.jobs.registry import JobRegistry
from stead.jobs.values import from_json, to_json

R = TypeVar("R")
_MAX_QUESTIONS = 50
#: Of what a lost connection looks like, that which nothing else does.
_DATABASE_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


class RunningJob:
    """A job while its handler runs: implements `JobContext`.

    Args:
        db: The database.
        registry: For the jobs that it spawns.
        job: What was claimed.
        worker_id: The process that claimed it.
        dispatch: Who delivers the jobs that it spawns.
    """

    def __init__(
        self,
        db: Database,
        registry: JobRegistry,
        job: ClaimedJob,
        worker_id: UUID,
        dispatch: str = "postgres",
    ) -> None:
        self.job = job
        #: The latest progress that was not stored yet.
        self.unreported: tuple[float, str | None] | None = None
        #: Whether Stead's own database went away under the handler: no fault of its own.
        self.database_lost = False
        self._db = db
        self._registry = registry
        self._worker_id = worker_id
        self._dispatch = dispatch
        self._done: dict[str, tuple[str, Any]] | None = None if job.has_steps else {}
        self._named: Counter[str] = Counter()
        self._position = 0

    @property
    def id(self) -> UUID:
        """The job."""
        return self.job.id

    @property
    def principal(self) -> Principal:
        """In whose name it works, as the server."""
        return self.job.principal

    @property
    def project_id(self) -> UUID | None:
        """004's project."""
        return self.job.project_id

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        return self.job.attempt

    async def step(self, name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Runs ``await function(*args)`` once and stores its result; later only returns it."""
        key, position = self._next(name)
        found, value = await self._stored(key, "step")
        if not found:
            assert_no_transaction("a step")
            began = time.monotonic()
            value = to_json(await function(*args), f"step {name!r}")
            took_ms = round((time.monotonic() - began) * 1000)
            async with self.transaction() as tx:
                await self._checkpoint(tx, key, "step", position, value, took_ms)
        return from_json(function, value)

    async def write(self, name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Runs ``await function(tx, *args)`` once, in the transaction of its checkpoint."""
        key, position = self._next(name)
        found, value = await self._stored(key, "write")
        if not found:
            began = time.monotonic()
            async with self.transaction() as tx:
                value = to_json(await function(tx, *args), f"step {name!r}")
                took_ms = round((time.monotonic() - began) * 1000)
                await self._checkpoint(tx, key, "write", position, value, took_ms)
        return from_json(function, value)

    async def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Asks a person, and frees the worker until all is answered.

        Raises:
            JobInvalid: There is no question, there are too many, or two have one id.
        """
        ids = [question.id for question in questions]
        if not 1 <= len(ids) <= _MAX_QUESTIONS or len(set(ids)) != len(ids):
            raise JobInvalid(f"a job asks 1 to {_MAX_QUESTIONS} questions with ids of their own")
        key, _ = self._next("ask")
        found, value = await self._stored(key, "ask")
        if not found:
            raise Suspended(Outcome(kind="waiting", questions=questions, asking=key))
        return [Answer(question_id=each["question_id"], answer=each["answer"]) for each in value]

    async def progress(self, percent: float, message: str | None = None) -> None:
        """Notes how far it is; stored with that of others a few times a second."""
        self.unreported = (min(max(percent, 0.0), 100.0), message[:500] if message else None)

    async def sleep_until(self, when: datetime) -> None:
        """Frees the worker until then, by the database's clock.

        Raises:
            JobInvalid: The moment has no time zone.
        """
        if when.tzinfo is None:
            raise JobInvalid("a job sleeps until a moment with a time zone")
        key, position = self._next("sleep")
        found, value = await self._stored(key, "sleep")
        until = datetime.fromisoformat(value) if found else when
        async with self.transaction() as tx:
            if not found:
                await self._checkpoint(tx, key, "sleep", position, when.isoformat(), None)
            past = await tx.value("select $1::timestamptz <= now()", until)
        if not past:
            raise Suspended(Outcome(kind="sleeping", until=until))

    async def spawn(self, kind: str, input: Mapping[str, Any]) -> UUID:  # noqa: A002
        """Enqueues a child in the same project and name, once."""
        key, position = self._next(f"spawn:{kind}")
        found, value = await self._stored(key, "spawn")
        if found:
            return UUID(value)
        handler = self._registry.get(kind)
        child = derived_id(self.id, key)
        async with self.transaction() as tx:
            await enqueue(
                tx,
                self.principal,
                NewJob(
                    kind=kind,
                    input=input,
                    project_id=self.project_id,
                    queue=handler.queue,
                    parent_id=self.id,
                ),
                registry=self._registry,
                job_id=child,
                dispatch=self._dispatch,
            )
            await self._checkpoint(tx, key, "spawn", position, str(child), None)
        return child

    async def wait(self, jobs: Sequence[UUID]) -> list[JobResult]:
        """Frees the worker until these have ended.

        Raises:
            JobUnknown: One of them is not there for this principal.
        """
        async with self.transaction(read_only=True) as tx:
            rows = await queries.results_of(tx, self.principal.tenant.id, list(jobs))
        results = {row["id"]: JobResult(**dict(row)) for row in rows}
        missing = [job for job in jobs if job not in results]
        if missing:
            raise JobUnknown(f"job {missing[0]} is not there to be waited for")
        if any(result.status not in TERMINAL for result in results.values()):
            raise Suspended(Outcome(kind="awaiting", jobs=list(results)))
        return [results[job] for job in jobs]

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncGenerator[Transaction]:
        """A transaction in the name of the job's principal."""
        try:
            async with self._db.transaction(self.principal, read_only=read_only) as tx:
                yield tx
        except (DatabaseUnavailable, *_DATABASE_LOST):
            self.database_lost = True
            raise

    def _next(self, name: str) -> tuple[str, int]:
        if not 1 <= len(name) <= 150:
            raise JobInvalid("a step's name has 1 to 150 characters")
        self._named[name] += 1
        self._position += 1
        count = self._named[name]
        return (name if count == 1 else f"{name}#{count}"), self._position

    async def _stored(self, key: str, kind: str) -> tuple[bool, Any]:
        if self._done is None:
            async with self.transaction(read_only=True) as tx:
                rows = await queries.steps_of(tx, self.principal.tenant.id, self.id)
            self._done = {row["name"]: (row["kind"], row["result"]) for row in rows}
        if key not in self._done:
            return False, None
        was, value = self._done[key]
        if was != kind:
            raise StepsChanged(
                f"step {key!r} was a {was} and now is a {kind}",
                hint="Give steps that mean something else other names, or cancel the jobs under way.",
            )
        return True, value

    async def _checkpoint(
        self, tx: Transaction, key: str, kind: str, position: int, value: Any, took_ms: int | None
    ) -> None:
        held = await queries.checkpoint(
            tx, self._worker_id, self.id, self.job.lease_no, key, kind, position, value, took_ms
        )
        if not held:
            raise LeaseLost
        assert self._done is not None  # noqa: S101 - looked up before
        self._done[key] = (kind, value)
