"""Expiry, escalation, and making outcomes searchable: rounds of the maintenance loop."""

from __future__ import annotations

from typing import Final

import structlog

from stead.actions import queries
from stead.db import NOBODY, Database

_log = structlog.stdlib.get_logger(__name__)
_BATCH: Final = 200


async def expire_approvals(db: Database) -> int:
    """Ends approvals that nobody gave in time, with what they were for."""
    async with db.transaction(NOBODY) as tx:
        expired = await queries.expire_approvals(tx, _BATCH)
    if expired:
        _log.info("approvals_expired", approvals=len(expired))
    return len(expired)


async def escalate_approvals(db: Database) -> int:
    """Tells webhooks of approvals that have waited for half of their time."""
    async with db.transaction(NOBODY) as tx:
        late = await queries.escalate_approvals(tx, _BATCH)
    if late:
        _log.warning("approvals_escalated", approvals=len(late))
    return len(late)


async def index_outcomes(db: Database) -> int:
    """Makes evidence of what became of actions, so that it can be searched and given to agents."""
    async with db.transaction(NOBODY) as tx:
        return await queries.index_outcomes(tx, _BATCH)
