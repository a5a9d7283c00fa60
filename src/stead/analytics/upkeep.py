"""Deleting events that are old."""

from __future__ import annotations

from typing import Final

from stead.analytics import queries
from stead.db import NOBODY, Database

_BATCH: Final = 5_000
#: What nobody took to send on for so long is not sent any more: nothing was configured that would have.
_UNSENT_S: Final = 7 * 86_400.0


async def sweep(db: Database, keep_s: float) -> int:
    """Deletes events of more than ``keep_s`` seconds ago; returns how many."""
    async with db.transaction(NOBODY) as tx:
        return await queries.sweep(tx, keep_s, _UNSENT_S, _BATCH)
