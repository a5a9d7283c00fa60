"""Storing how attempts ended, many in one statement."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from stead.db import NOBODY, Database
from stead.jobs import queries
from stead.jobs.claimed import ClaimedJob
from stead.jobs.models import Question
from stead.jobs.outcomes import Outcome
from stead.processes import BatchWriter

_log = structlog.stdlib.get_logger(__name__)

Ended = tuple[ClaimedJob, Outcome]


class Settler:
    """Takes outcomes and stores them.

    Args:
        db: The database.
        worker_id: Who held the jobs.
        settled: Called with the number of each outcome that was stored.
    """

    def __init__(self, db: Database, worker_id: UUID, settled: Callable[[str, str, int], None]) -> None:
        self._db = db
        self._worker_id = worker_id
        self._settled = settled
        self._refused: set[UUID] = set()
        self._writer = BatchWriter[Ended]("jobs", self._store, self._instead)
        self.start = self._writer.start
        self.stop = self._writer.stop

    def add(self, job: ClaimedJob, outcome: Outcome) -> None:
        """Takes one."""
        self._writer.add((job, outcome))

    @property
    def waiting(self) -> int:
        """How many outcomes wait to be stored."""
        return self._writer.waiting

    @property
    def ids(self) -> set[UUID]:
        """Of jobs whose outcome waits to be stored, or could not be: they are not to be run again."""
        return self._refused | {job.id for job, _ in self._writer.items}

    async def hand_back(self, leases: Sequence[tuple[UUID, int]]) -> int:
        """Gives up leases of which nothing came; returns how many were still held."""
        nothing: list[None] = [None] * len(leases)
        async with self._db.transaction(NOBODY) as tx:
            rows = await queries.settle(
                tx,
                self._worker_id,
                [job_id for job_id, _ in leases],
                [lease_no for _, lease_no in leases],
                ["released"] * len(leases),
                *([nothing] * 8),
            )
        return len(rows)

    def _instead(self, ended: Ended, error: asyncpg.PostgresError) -> Ended | None:
        instead = _unstorable(ended, error)
        if instead is None:
            # It stays as it stands, with this process, until that ends: then it is rescued.
            self._refused.add(ended[0].id)
        return instead

    async def _store(self, batch: Sequence[Ended]) -> None:
        accepted = await self._write(batch)
        for key, n in Counter((j.kind, o.kind) for j, o in batch if j.id in accepted).items():
            self._settled(*key, n)
        if len(accepted) < len(batch):
            self._settled("", "fenced", len(batch) - len(accepted))
            _log.warning("jobs_fenced", jobs=len(batch) - len(accepted))

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


def _unstorable(ended: Ended, error: asyncpg.PostgresError) -> Ended | None:
    job, outcome = ended
    _log.error("job_not_storable", job_id=str(job.id), reason=type(error).__name__)
    if outcome.kind == "failed":
        return None
    return job, Outcome(
        kind="failed", error="what it ended with cannot be stored", code="job_result_invalid"
    )


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _question(question: Question) -> dict[str, Any]:
    return {name: value for name, value in asdict(question).items() if value is not None}
