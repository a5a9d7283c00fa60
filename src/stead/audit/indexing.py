"""What the worker does beside sealing: rows become searchable, changed policies are recorded."""

from __future__ import annotations

from typing import Final

from stead.audit import queries
from stead.db import NOBODY, Database

#: Of each tenant so many of the newest rows can be searched for: as many as an exact search goes through quickly.
SEARCHABLE_ROWS: Final = 20_000


async def index(db: Database, *, batch: int = 500, keep: int = SEARCHABLE_ROWS) -> int:
    """Makes sealed rows of all tenants searchable by words; their vectors follow from the backlog.

    The log itself has no trigger for this: who writes a row does not wait for it. One process works at a time.

    Args:
        db: The database.
        batch: How many rows at most.
        keep: How many rows of a tenant stay searchable; the oldest go first.

    Returns:
        How many rows it looked at; 0 when there is nothing left to do.
    """
    async with db.transaction(NOBODY) as tx:
        return await queries.index(tx, batch, keep)


async def note_policies(db: Database) -> int:
    """Records what was changed in the database's policies, row security and grants since the last look.

    The rows are of category ``auth_policy``, in the chain of no tenant (its id is all zeros). The first look
    records one row, with a digest of all.

    Returns:
        How many changes there were.
    """
    async with db.transaction(NOBODY) as tx:
        return await queries.note_policies(tx)
