"""The worker: locks envelopes, has them judged once more, carries them out, stores what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database, Row, Transaction
from stead.outbox import metrics, queries
from stead.outbox.config import OutboxConfig
from stead.outbox.models import Claimed, Executor, Gate, Result, Ruling
from stead.outbox.settling import Settler
from stead.outbox.waking import WAKE_TOPIC
from stead.processes import Room
from stead.realtime import Hub, Subscription

_log = structlog.stdlib.get_logger(__name__)
_MOST_AT_ONCE: Final = 500
_MAX_PAUSE_S: Final = 5.0


class OutboxWorker:
    """Works off the outbox until it is stopped. Any number of them against one database.

    Args:
        db: The database; a pool of its own is not kept waiting by others.
        hub: Wakes it.
        gate: Judges what it locked.
        executor: Carries it out.
        worker_id: The process that it belongs to, whose heartbeat tells others that it lives.
        config: Limits.
    """

    def __init__(
        self,
        db: Database,
        hub: Hub,
        gate: Gate,
        executor: Executor,
        worker_id: UUID,
        config: OutboxConfig | None = None,
    ) -> None:
        self.config = config or OutboxConfig()
        self._db = db
        self._hub = hub
        self._gate = gate
        self._executor = executor
        self._worker_id = worker_id
        self._held: dict[UUID, asyncio.Task[None]] = {}
        self._tenants: Counter[UUID] = Counter()
        self._room = Room(self.config.concurrency, self._taken)
        self._settler = Settler(db, worker_id, self.config, self._room.freed)
        self._stopping = asyncio.Event()
        self._after: UUID | None = None
        self._claiming: asyncio.Task[int] | None = None
        self._claimed_at: float | None = None

    @property
    def running(self) -> int:
        """Actions that run here."""
        return len(self._held)

    @property
    def last_claim_s(self) -> float | None:
        """Seconds since the database last answered a claim; None: it never has. What a health check asks."""
        return None if self._claimed_at is None else time.monotonic() - self._claimed_at

    async def run(self) -> None:
        """Works until `stop` is called, or the task is cancelled.

        What runs then is given some seconds. What does not end in them may have had its effect: its outcome
        is stored as unknown, or, where that does not matter, it is repeated by others.
        """
        self._settler.start()
        loop = asyncio.create_task(self._work(), name="outbox")
        beside = [
            asyncio.create_task(self._watch(), name="outbox-held"),
            asyncio.create_task(self._stopping.wait(), name="outbox-stopping"),
        ]
        try:
            await asyncio.wait([loop, *beside], return_when=asyncio.FIRST_COMPLETED)
            if loop.done():
                # What broke it ends the worker; a process that only seems to work would be worse.
                loop.result()
        finally:
            self._stopping.set()
            if self._claiming is not None:
                await asyncio.gather(self._claiming, return_exceptions=True)
            for task in (loop, *beside):
                task.cancel()
            await asyncio.gather(loop, *beside, return_exceptions=True)
            await self._drain()
            await self._settler.stop()

    def stop(self) -> None:
        """Claims no more; lets actions end for some seconds."""
        self._stopping.set()

    async def run_once(self) -> int:
        """Carries out one batch and returns how many there were: ``stead outbox start --once``."""
        self._settler.start()
        try:
            n = await self._claim(self.config.concurrency)
            await self._drain()
        finally:
            await self._settler.stop()
        return n

    async def _drain(self) -> None:
        tasks = list(self._held.values())
        if not tasks:
            return
        _log.info("outbox_draining", envelopes=len(tasks))
        _, late = await asyncio.wait(tasks, timeout=self.config.drain_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _work(self) -> None:
        pause_s = 0.05
        with self._hub.subscribe(WAKE_TOPIC) as wake:
            while not self._stopping.is_set():
                try:
                    await self._room.wait()
                    # Not cancelled halfway: what was claimed must be known here.
                    self._claiming = asyncio.create_task(
                        self._claim(min(self._room.free, _MOST_AT_ONCE))
                    )
                    if not await asyncio.shield(self._claiming):
                        await self._sleep(wake)
                    pause_s = 0.05
                except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                    _log.warning("outbox_claim_failed", reason=type(error).__name__)
                    await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
                    pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    def _taken(self) -> int:
        # What has ended and is not stored yet takes a place too: a slow database is not given more to store.
        return max(len(self._held), self._settler.waiting)

    async def _claim(self, wanted: int) -> int:
        """Locks, judges and begins a batch in one transaction; returns how many rows were locked."""
        busy = list(self._tenants)
        async with self._db.transaction(NOBODY) as tx:
            rows = await queries.lock_batch(
                tx,
                wanted,
                self.config.most_of_one,
                busy,
                [self._tenants[t] for t in busy],
                self._after,
                self._executor.providers,
                self._executor.functions,
            )
            self._claimed_at = time.monotonic()
            if not rows:
                self._after = None
                return 0
            envelopes = [_claimed(row) for row in rows]
            rulings = await self._gate.judge(tx, envelopes)
            running = {
                e.id: (e, r) for e, r in zip(envelopes, rulings, strict=True) if r.status == "executing"
            }
            held = [(e, r) for e, r in zip(envelopes, rulings, strict=True) if r.status != "executing"]
            if held:
                await self._hold(tx, held)
            begun = await queries.begin(tx, self._worker_id, list(running)) if running else []
        self._after = rows[-1]["last_tenant"]
        for row in begun:
            envelope, ruling = running[row["id"]]
            envelope.lease_no, envelope.attempt = row["lease_no"], row["attempts"]
            self._launch(envelope, ruling.backoff_s)
        metrics.begun(running[row["id"]][0].tenant_slug for row in begun)
        metrics.held((envelope.tenant_slug, ruling.code or ruling.status) for envelope, ruling in held)
        return len(rows)

    async def _hold(self, tx: Transaction, held: Sequence[tuple[Claimed, Ruling]]) -> None:
        await queries.hold(
            tx,
            [e.id for e, _ in held],
            [r.status for _, r in held],
            [r.until for _, r in held],
            [r.reason for _, r in held],
            [r.code for _, r in held],
        )

    async def _watch(self) -> None:
        """Hands back what this process holds and does not know of: a commit whose answer was lost."""
        while True:
            await asyncio.sleep(self.config.hold_check_s * random.uniform(0.8, 1.2))  # noqa: S311
            try:
                if self._claiming is None or self._claiming.done():
                    await self._hand_back()
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                _log.warning("outbox_check_failed", reason=type(error).__name__)

    async def _hand_back(self) -> None:
        known = set(self._held) | self._settler.ids
        async with self._db.transaction(NOBODY) as tx:
            n = await queries.hand_back(tx, self._worker_id, list(known), self.config.hold_check_s)
        if n:
            _log.warning("envelopes_handed_back", envelopes=n)

    async def _sleep(self, wake: Subscription) -> None:
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            due_s = await queries.next_due_s(tx)
        wait_s = self.config.poll_s if due_s is None else min(self.config.poll_s, max(due_s, 0.02))
        await wake.wait(wait_s)

    def _launch(self, envelope: Claimed, backoff_s: float) -> None:
        # Claimed again by this very worker after its first lease was lost: the first is fenced off by its number.
        self._tenants[envelope.tenant_id] += 1
        task = asyncio.create_task(self._carry_out(envelope, backoff_s))
        self._held[envelope.id] = task

    async def _carry_out(self, envelope: Claimed, backoff_s: float) -> None:
        began = time.perf_counter()
        result = Result(kind="unknown", error="the worker was stopped", code="worker_stopped")
        try:
            result = await self._executor.execute(envelope)
        except Exception as error:  # noqa: BLE001 - the outermost edge of an action: whatever it is, its outcome says it
            _log.error("envelope_broken", envelope_id=str(envelope.id), reason=type(error).__name__)
            result = Result(kind="unknown", error=type(error).__name__, code="executor_failed")
        finally:
            self._settler.add(envelope, result, backoff_s=backoff_s, began=began)
            if self._held.get(envelope.id) is asyncio.current_task():
                del self._held[envelope.id]
            self._tenants[envelope.tenant_id] -= 1
            if self._tenants[envelope.tenant_id] <= 0:
                del self._tenants[envelope.tenant_id]
            self._room.freed()


def _claimed(row: Row) -> Claimed:
    return Claimed(
        id=row["id"],
        tenant_id=row["tenant_id"],
        tenant_slug=row["tenant_slug"],
        tool_slug=row["tool_slug"],
        tool_version=row["tool_version"],
        tool_digest=row["tool_digest"],
        provider=row["provider"],
        arguments=row["arguments"],
        account_id=row["connected_account_id"],
        risk=row["risk"],
        attempt=row["attempts"],
        attempt_limit=row["attempt_limit"],
        idempotent=row["idempotent"],
        lease_no=row["lease_no"],
        trust_context=row["trust_context"],
        proposed_by=row["proposed_by"],
        evidence_count=row["evidence_count"],
        expired=row["expired"],
    )
