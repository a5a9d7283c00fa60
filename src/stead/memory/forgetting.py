"""Forgetting: a memory, a session, a person; gone from every table, with an audit row that proves the act.

The audit row holds ids and counts, never a text. What the database deletes leaves its files when it vacuums, and
backups when they expire: see `docs/explanation/memory.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from stead import audit
from stead.core.ids import new_id
from stead.db import NOBODY, Database, Transaction
from stead.identity import Principal, Tenant, tenant_service
from stead.memory import queries
from stead.memory.errors import MemoryOwnerUnknown, MemoryUnknown

_BATCH: Final = 5000
Subject = Literal["profile", "session"]


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What went.

    Args:
        erased: How many rows, by what they were.
    """

    erased: dict[str, int]


async def forget_memory(
    tx: Transaction, principal: Principal, memory_id: UUID, *, sources: bool = True
) -> Forgotten:
    """Forgets one memory.

    With its sources: the versions that it superseded, the messages that it was said in (they keep their place and
    lose their words), the runs and streams of those messages, and whatever of the same person quotes it word
    for word.

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
    db: Database, principal: Principal, kind: Subject, subject_id: UUID, *, batch: int = _BATCH
) -> Forgotten:
    """Forgets a person or a session, with everything that hangs on it.

    In steps of their own transactions, as much may be there. The request is stored first: if this process dies,
    a worker goes on (`resume_erasures`).

    Args:
        db: The database; no transaction may be open.
        principal: The person, the holder of the session, or the tenant's service.
        kind: What is forgotten.
        subject_id: Its id.
        batch: Rows of each table at a time.

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
    return await _erase(db, principal, erasure, kind, subject_id, batch)


async def resume_erasures(db: Database, *, batch: int = _BATCH) -> int:
    """Finishes what processes that died had begun to forget; returns how many."""
    async with db.transaction(NOBODY) as tx:
        rows = await queries.claim_erasures(tx, 10)
    for row in rows:
        principal = tenant_service(Tenant(id=row["tenant_id"], slug=row["tenant_slug"]))
        await _erase(db, principal, row["id"], row["kind"], row["subject_id"], batch)
    return len(rows)


async def _erase(
    db: Database, principal: Principal, erasure: UUID, kind: Subject, subject_id: UUID, batch: int
) -> Forgotten:
    service = tenant_service(principal.tenant)
    while True:
        async with db.transaction(service) as tx:
            step = await queries.erase_step(tx, erasure, batch)
            erased: dict[str, Any] = step["erased"]
            if not step["finished"]:
                continue
            if erased:
                await audit.record(
                    tx,
                    principal,
                    category="memory",
                    action="forget",
                    subject_type=kind,
                    subject_id=subject_id,
                    payload=erased,
                )
            return Forgotten(erased=erased)
