"""Rescue and retention: rounds of the maintenance loop."""

from __future__ import annotations

from collections import Counter
from typing import Final

import structlog

from stead.db import NOBODY, Database
from stead.jobs import queries
from stead.jobs.config import WorkerConfig

_log = structlog.stdlib.get_logger(__name__)
_BATCH: Final = 500


async def rescue(db: Database, config: WorkerConfig) -> int:
    """Takes jobs from processes that fell silent; those lost too often fail. Returns how many were taken.

    Args:
        db: The database.
        config: After how long, and how often.
    """
    async with db.transaction(NOBODY) as tx:
        taken = await queries.rescue(
            tx, config.silent_s, config.most_rescues, config.solitary_command is not None, _BATCH
        )
    if taken:
        states = Counter(row["status"] for row in taken)
        _log.warning("jobs_rescued", queued=states["queued"], failed=states["failed"])
    return len(taken)


async def sweep(db: Database, config: WorkerConfig) -> int:
    """Deletes jobs that ended long ago and events that nobody needs any more, some at a time."""
    async with db.transaction(NOBODY) as tx:
        return await queries.sweep(tx, config.keep_s, config.keep_events_s, _BATCH)
