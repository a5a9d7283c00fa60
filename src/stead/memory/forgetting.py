"""Forgetting: a memory, a session, a person; gone from every table, with an audit row that proves the act.

The audit row holds ids and counts, never a text. What the database deletes leaves its files when it vacuums, and
backups when they expire: see `docs/explanation/memory.md`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
import structlog

from stead import audit, realtime
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import CONNECTION_LOST, NOBODY, Database, Row, Transaction
from stead.identity import Principal, Tenant, tenant_service
from stead.memory import queries
from stead.memory.errors import MemoryOwnerUnknown, MemoryUnknown

_log = structlog.stdlib.get_logger(__name__)
_BATCH: Final = 5000
_SMALLEST_BATCH: Final = 50
_TRIES: Final = 5
#: What a step may meet while its person goes on writing, or where rows are large: it is tried again.
_PASSING: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
Subject = Literal["profile", "session"]


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What went.

    Args:
        erased: How many rows, by what they were.
        finished: False where a worker does the rest.
    """

    erased: dict[str, int]
    finished: bool = True


async def forget_memory(
    tx: Transaction, principal: Principal, memory_id: UUID, *, sources: bool = True
) -> Forgotten:
    """Forgets one memory.

    With its sources: the versions that it superseded; the messages that it was said in, the answers to them and
    those that made use of it (they keep their place and lose their words), with their runs and streams; the answer
    in a session's context that it was; and whatever of the same person quotes it word for word. Other facts of the
    same messages stay. A run of that person that is under way ends as failed.

    Args:
        tx: A transaction as the server.
        principal: Whose it is, or the tenant's service.
        memory_id: The memory.
        sources: False: only this row, its index entries and its vectors.

    Raises:
        MemoryUnknown: There is none of this id, or it is somebody else's.
    """
    erased = await queries.erase_memory(tx, memory_id, sources=sources)
    if erased is None:
        raise MemoryUnknown("no memory with this id is yours")
    await realtime.forget(tx)
    profile_id = erased.pop("profile_id")
    await audit.record(
        tx,
        principal,
        category="memory",
        action="forget",
        subject_type="memory",
        subject_id=memory_id,
        subject_profile_id=UUID(profile_id) if profile_id else None,
        payload=erased,
    )
    return Forgotten(erased=erased)


async def forget_all(
    db: Database,
    principal: Principal,
    kind: Subject,
    subject_id: UUID,
    *,
    batch: int = _BATCH,
    budget_s: float | None = None,
) -> Forgotten:
    """Forgets a person or a session, with everything that hangs on it.

    In steps of their own transactions, as much may be there. The request is stored first: runs under way end as
    failed and sessions are closed with it, and if this process dies, a worker goes on (`resume_erasures`).

    Args:
        db: The database; no transaction may be open.
        principal: The person, the holder of the session, or the tenant's service.
        kind: What is forgotten.
        subject_id: Its id.
        batch: Rows at a time.
        budget_s: After so many seconds the rest is left to a worker; None: it is waited for.

    Raises:
        MemoryOwnerUnknown: There is none of this id, or it is somebody else's.
    """
    async with db.transaction(principal.served()) as tx:
        erasure = await queries.request_erasure(tx, kind, subject_id, new_id())
        if erasure is None:
            raise MemoryOwnerUnknown(f"no {kind} with this id is yours")
        await audit.record(
            tx,
            principal,
            category="memory",
            action="forget_requested",
            subject_type=kind,
            subject_id=subject_id,
        )
    return await _erase(db, principal, erasure, kind, subject_id, batch, budget_s)


async def resume_erasures(db: Database, *, batch: int = _BATCH) -> int:
    """Finishes what processes that died, or had no time, had begun to forget; returns how many."""
    async with db.transaction(NOBODY) as tx:
        rows = await queries.claim_erasures(tx, 10)
    done = 0
    for row in rows:
        principal = tenant_service(Tenant(id=row["tenant_id"], slug=row["tenant_slug"]))
        try:
            await _erase(db, principal, row["id"], row["kind"], row["subject_id"], batch, None)
        except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
            # It is due again later; one that cannot be done must not keep the others waiting.
            _log.warning("erasure_failed", erasure_id=str(row["id"]), reason=type(error).__name__)
        else:
            done += 1
    return done


async def _erase(
    db: Database,
    principal: Principal,
    erasure: UUID,
    kind: Subject,
    subject_id: UUID,
    batch: int,
    budget_s: float | None,
) -> Forgotten:
    service = tenant_service(principal.tenant)
    deadline = None if budget_s is None else time.monotonic() + budget_s
    failures = 0
    while True:
        try:
            step = await _step(db, principal, erasure, kind, subject_id, batch)
        except _PASSING:
            failures += 1
            if failures == _TRIES:
                raise
            batch = max(batch // 4, _SMALLEST_BATCH)
            continue
        if step["finished"]:
            return Forgotten(erased=step["erased"])
        if deadline is not None and time.monotonic() >= deadline:
            async with db.transaction(service) as tx:
                await queries.release_erasure(tx, erasure)
            return Forgotten(erased=step["erased"], finished=False)


async def _step(
    db: Database, principal: Principal, erasure: UUID, kind: Subject, subject_id: UUID, batch: int
) -> Row:
    async with db.transaction(tenant_service(principal.tenant)) as tx:
        step = await queries.erase_step(tx, erasure, batch)
        erased: dict[str, Any] = step["erased"]
        # Without counts somebody else has finished it, and recorded it.
        if step["finished"] and erased:
            await realtime.forget(tx)
            await audit.record(
                tx,
                principal,
                category="memory",
                action="forget",
                subject_type=kind,
                subject_id=subject_id,
                payload=erased,
            )
        return step
