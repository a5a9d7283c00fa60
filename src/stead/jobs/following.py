"""The stream of a job: what it tells from now on, or from a place on, to its end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from stead.db import NOBODY, Database, Transaction
from stead.identity import Principal
from stead.jobs import queries
from stead.jobs.errors import JobUnknown
from stead.jobs.models import TERMINAL
from stead.realtime import Hub
from stead.realtime.fanout import Fanout

_WATCH_S: Final = 60.0
_RENEW_S: Final = 30.0
_TOPIC: Final = "job:"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEvent:
    """Something that a job tells.

    Args:
        seq: Its place in the job's stream.
        event: ``progress``, ``waiting``, ``complete``, ``error`` or ``cancelled`` (004).
        last: Whether the job has ended with it.
    """

    seq: int
    event: str
    data: dict[str, Any]
    last: bool = False


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a stream begins.

    Args:
        first: What is told at once: how the job stands.
        after: The place that follows.
        over: Whether nothing can follow any more.
    """

    first: JobEvent | None
    after: int
    over: bool


class JobStreams:
    """Streams of jobs in this process: one read of the database for all that follow a job.

    Args:
        db: The database.
        hub: Wakes it.
    """

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._watched: dict[UUID, float] = {}
        self._fanout: Fanout[JobEvent] = Fanout(hub, self._load)

    async def start(
        self, tx: Transaction, principal: Principal, job_id: UUID, after: int | None
    ) -> Start:
        """Where a stream begins, for somebody who may see the job.

        Args:
            tx: A transaction of the caller.
            principal: The caller.
            job_id: The job.
            after: The last event that the caller knows; None: it begins with how the job stands.

        Raises:
            JobUnknown: It is not there for this caller.
        """
        state = await queries.state_of(tx, principal.tenant.id, job_id)
        if state is None:
            raise JobUnknown(f"job {job_id} is not there")
        ended = state["status"] in TERMINAL
        if after is not None:
            return Start(first=None, after=after, over=ended and after >= state["event_seq"])
        seq: int = state["event_seq"]
        if ended:
            return Start(first=None, after=seq - 1, over=False)
        data = {"progress": state["progress"], "status": state["status"]}
        if state["questions"] is not None:
            waiting = {"questions": state["questions"], "status": state["status"]}
            return Start(first=JobEvent(seq=seq, event="waiting", data=waiting), after=seq, over=False)
        return Start(first=JobEvent(seq=seq, event="progress", data=data), after=seq, over=False)

    async def follow(self, job_id: UUID, start: Start) -> AsyncGenerator[JobEvent | None]:
        """Every event from there to the job's end; None when nothing came for a while. Holds no transaction."""
        if start.first is not None:
            yield start.first
        if start.over:
            return
        topic = f"{_TOPIC}{job_id}"
        events = self._fanout.follow(topic, start.after)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()
            # Not as soon as nobody listens any more: it runs out by itself.
            if len(self._watched) > 2 * self._fanout.topics + 1000:
                self._forget_old()

    async def _load(self, topic: str, after: int) -> Sequence[JobEvent]:
        job_id = UUID(topic.removeprefix(_TOPIC))
        # Told of first, and read then: whatever happens between is told.
        if self._watched.get(job_id, 0.0) < time.monotonic() - _RENEW_S:
            async with self._db.transaction(NOBODY) as tx:
                await queries.watch(tx, job_id, _WATCH_S)
            self._watched[job_id] = time.monotonic()
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            rows = await queries.tail(tx, job_id, after)
        return [JobEvent(**dict(row)) for row in rows]

    def _forget_old(self) -> None:
        old = time.monotonic() - _WATCH_S
        self._watched = {job: at for job, at in self._watched.items() if at > old}
