"""Storing what attempts came to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import asyncpg
import structlog

from stead.db import NOBODY, Database, Transaction
from stead.outbox import metrics, queries
from stead.outbox.config import OutboxConfig
from stead.outbox.models import Claimed, Result
from stead.outbox.retrying import next_delay_s
from stead.processes import BatchWriter

_log = structlog.stdlib.get_logger(__name__)
_SETTLE_S = 5.0
_NOT_STORABLE = "result_not_storable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """An attempt that ended.

    Args:
        outcome: What becomes of the envelope.
        delay_s: For ``retry``: until the next attempt.
    """

    envelope: Claimed
    outcome: Literal["succeeded", "failed", "retry", "unknown", "dead"]
    result: Result
    delay_s: float | None
    duration_ms: int


class Settler:
    """Takes results and stores them, many in one statement.

    Args:
        db: The database.
        worker_id: Who held the envelopes.
        config: Limits.
        stored: Called when there may be room again.
    """

    def __init__(
        self, db: Database, worker_id: UUID, config: OutboxConfig, stored: Callable[[], None]
    ) -> None:
        self._db = db
        self._worker_id = worker_id
        self._config = config
        self._stored = stored
        self._refused: set[UUID] = set()
        self._writer = BatchWriter[Ended]("outbox", self._store, self._instead)
        self.start = self._writer.start

    async def stop(self) -> None:
        """Stores what there is, for some seconds."""
        await self._writer.stop(_SETTLE_S)

    @property
    def waiting(self) -> int:
        """How many results wait to be stored."""
        return self._writer.waiting

    def add(self, envelope: Claimed, result: Result, *, backoff_s: float, began: float) -> None:
        """Takes the result of an attempt."""
        took_s = time.perf_counter() - began
        metrics.took(took_s)
        outcome: Literal["succeeded", "failed", "retry", "unknown", "dead"]
        delay_s: float | None = None
        if result.kind == "succeeded":
            outcome = "succeeded"
        elif result.kind == "permanent":
            outcome = "failed"
        elif result.kind == "unknown" and not envelope.idempotent:
            outcome = "unknown"
        else:
            delay_s = next_delay_s(
                result,
                attempt=envelope.attempt,
                attempt_limit=envelope.attempt_limit,
                backoff_s=backoff_s,
                max_backoff_s=self._config.max_backoff_s,
            )
            outcome = "dead" if delay_s is None else "retry"
        self._writer.add(
            Ended(
                envelope=envelope,
                outcome=outcome,
                result=result,
                delay_s=delay_s,
                duration_ms=round(took_s * 1000),
            )
        )

    @property
    def ids(self) -> set[UUID]:
        """Of what was sent and waits to be stored, or could not be: nobody may take it for never sent."""
        return self._refused | {ended.envelope.id for ended in self._writer.items}

    def _instead(self, ended: Ended, error: asyncpg.PostgresError) -> Ended | None:
        instead = _unstorable(ended, error)
        if instead is None:
            # It stays as it stands, with this process, until that ends: then it is rescued.
            self._refused.add(ended.envelope.id)
        return instead

    async def _store(self, batch: Sequence[Ended]) -> None:
        async with self._db.transaction(NOBODY) as tx:
            rows = await queries.settle(
                tx,
                self._worker_id,
                [e.envelope.id for e in batch],
                [e.envelope.lease_no for e in batch],
                [e.outcome for e in batch],
                [_json(e.result.result) for e in batch],
                [_text(e.result.error) for e in batch],
                [e.result.code for e in batch],
                [e.delay_s for e in batch],
                [e.result.provider_id for e in batch],
                [e.duration_ms for e in batch],
            )
            accepted = {row["id"] for row in rows}
            opened = 0
            if any(e.outcome in _FAILING for e in batch) or (rows and rows[0]["breakers"]):
                opened = await self._count(tx, [e for e in batch if e.envelope.id in accepted])
        if opened:
            metrics.breakers_opened(opened)
            _log.warning("outbox_breakers_opened", breakers=opened)
        metrics.settled(
            (ended.envelope.tenant_slug, _STATUS[ended.outcome], ended.result.code)
            for ended in batch
            if ended.envelope.id in accepted
        )
        if len(accepted) < len(batch):
            metrics.fenced(len(batch) - len(accepted))
            _log.warning("envelopes_fenced", envelopes=len(batch) - len(accepted))
        self._stored()

    async def _count(self, tx: Transaction, batch: Sequence[Ended]) -> int:
        """What failed and may fail again counts for its breaker; where something worked, it is forgotten."""
        return await queries.count_failures(
            tx,
            [e.envelope.id for e in batch],
            [e.outcome in _FAILING for e in batch],
            self._config.breaker_failures,
            self._config.breaker_open_s,
            self._config.breaker_longest_s,
        )


#: What says something of whoever was called; a refusal of what was sent does not.
_FAILING = frozenset({"retry", "unknown", "dead"})
_STATUS: dict[str, metrics.Status] = {
    "succeeded": "success",
    "retry": "retry",
    "failed": "failed",
    "unknown": "failed",
    "dead": "failed",
}


def _unstorable(ended: Ended, error: asyncpg.PostgresError) -> Ended | None:
    _log.error("envelope_not_storable", envelope_id=str(ended.envelope.id), reason=type(error).__name__)
    if ended.result.code == _NOT_STORABLE:
        return None
    # What was done was done: that is stored, without what it answered.
    result = Result(kind=ended.result.kind, error="its result cannot be stored", code=_NOT_STORABLE)
    return replace(ended, result=result)


def _text(error: str | None) -> str | None:
    return None if error is None else error.replace("\x00", "")[:2000]


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
