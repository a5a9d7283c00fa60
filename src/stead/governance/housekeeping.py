"""Deleting what no rule looks at any more."""

from __future__ import annotations

from typing import Final

from stead.db import NOBODY, Database
from stead.governance import queries

_BATCH: Final = 5_000


async def sweep(db: Database) -> int:
    """Deletes old counters, and decisions and lessons of more than four hundred days ago; returns how many."""
    async with db.transaction(NOBODY) as tx:
        return await queries.sweep(tx, _BATCH)
