"""Rescue, expiry, retention, depths: rounds of the maintenance loop."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

import structlog

from stead.db import NOBODY, Database, Transaction
from stead.outbox import metrics, queries
from stead.outbox.config import OutboxConfig

_log = structlog.stdlib.get_logger(__name__)
_BATCH: Final = 500


async def rescue(db: Database, config: OutboxConfig) -> int:
    """Takes envelopes from processes that fell silent. Returns how many were taken.

    Those that may have had their effect become ``outcome_unknown``; those that may be repeated wait for their next
    attempt, or are given up when that has happened too often.
    """
    async with db.transaction(NOBODY) as tx:
        taken = await queries.rescue(tx, config.silent_s, config.most_rescues, _BATCH)
    if taken:
        states = Counter(row["status"] for row in taken)
        _log.warning(
            "envelopes_rescued",
            unknown=states["outcome_unknown"],
            again=states["retry_wait"],
            dead=states["dead"],
        )
    return len(taken)


async def expire(db: Database) -> int:
    """Ends envelopes whose time has passed, and frees those that wait for nobody any more."""
    async with db.transaction(NOBODY) as tx:
        return await queries.expire(tx, _BATCH)


async def sweep(db: Database, config: OutboxConfig) -> int:
    """Deletes envelopes that ended long ago, some at a time."""
    async with db.transaction(NOBODY) as tx:
        return await queries.sweep(tx, config.keep_s, _BATCH)


async def depths(tx: Transaction, tenant_id: UUID | None = None) -> dict[tuple[str, str], int]:
    """How many envelopes are in each state that is not over, by slug of the tenant; dead letters as ``dlq``."""
    rows = await queries.depths(tx, tenant_id)
    return {(row["tenant_slug"], row["status"]): row["count"] for row in rows}


async def tell(db: Database) -> int:
    """Tells the channels ``outbox:<tenant id>`` what `depths` finds, where somebody listens and it has changed.

    Returns how many tenants were told.
    """
    async with db.transaction(NOBODY) as tx:
        return await queries.tell_depths(tx)


async def measure(db: Database) -> int:
    """Shows the depths in the metrics of this process."""
    async with db.transaction(NOBODY, read_only=True) as tx:
        metrics.depths(await depths(tx))
    return 0
