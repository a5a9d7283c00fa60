"""Sealing what was recorded. Any number of processes may do it; each may be killed at any moment."""

from __future__ import annotations

import asyncpg

from stead.audit import queries
from stead.audit.errors import AuditKeyMissing
from stead.audit.signatures import SigningKey
from stead.db import NOBODY, Database


async def seal(db: Database, key: SigningKey | None = None, *, batch: int = 10_000) -> int:
    """Seals rows of all tenants in one transaction, and returns how many.

    Entries, seals and signatures commit together. While another process is at it, this does nothing.

    Args:
        db: The database.
        key: What seals are signed with; None leaves them unsigned.
        batch: How many new rows at most; up to five times as many are looked through for latecomers.

    Raises:
        AuditKeyMissing: There is no key, and the chains are signed.
    """
    async with db.transaction(NOBODY) as tx:
        try:
            seals = await queries.seal(tx, batch, signing=key is not None)
        except asyncpg.ObjectNotInPrerequisiteStateError as error:
            raise AuditKeyMissing(
                "the seals of this database are signed, and this process has no key: nothing was sealed",
                hint="Set STEAD_SERVICE_SECRET as it is set where the sealing worker runs.",
            ) from error
        if key is not None and seals:
            await queries.sign(
                tx,
                [row["tenant"] for row in seals],
                [row["number"] for row in seals],
                key.public,
                [key.sign(row["seal_digest"]) for row in seals],
            )
    return sum(row["row_count"] for row in seals)
