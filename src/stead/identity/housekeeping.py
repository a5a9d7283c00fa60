"""What identity leaves behind, swept by the maintenance loop."""

from __future__ import annotations

from stead.db import Transaction
from stead.identity import queries


async def sweep(tx: Transaction) -> int:
    """Deletes nonces and idempotency keys past their time; returns how many."""
    return await queries.sweep(tx)
