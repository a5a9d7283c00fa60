"""Ending sessions that nobody uses any more."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from stead.db import NOBODY, Database
from stead.sessions import queries
from stead.sessions.errors import IdleTimeInvalid

#: Shorter ones would end sessions of people who think.
MIN_IDLE_S: Final = 60.0
MAX_IDLE_S: Final = 100 * 365 * 86_400.0


async def reap(
    db: Database, idle_s: float, *, tenant_id: UUID | None = None, batch: int = 500
) -> dict[str, int]:
    """Gives sessions in progress that were idle for so long the status ``timeout``: one batch of them.

    A session with a running run is never idle, however long that takes. Two processes take different ones; one
    that is being written to is left alone.

    Args:
        db: The database.
        idle_s: Seconds since a session's last activity, 60 at least.
        tenant_id: Only of this tenant; None: of all.
        batch: How many at most.

    Returns:
        How many of each tenant, by slug; empty when there is nothing left to do.

    Raises:
        IdleTimeInvalid: ``idle_s`` is out of bounds.
    """
    check_idle(idle_s)
    async with db.transaction(NOBODY) as tx:
        rows = await queries.reap_sessions(tx, idle_s, batch, tenant_id)
    return {row["tenant_slug"]: row["sessions"] for row in rows}


async def count_idle(db: Database, idle_s: float, *, tenant_id: UUID | None = None) -> dict[str, int]:
    """How many sessions of each tenant `reap` would end now, in all its batches.

    Raises:
        IdleTimeInvalid: ``idle_s`` is out of bounds.
    """
    check_idle(idle_s)
    async with db.transaction(NOBODY, read_only=True) as tx:
        rows = await queries.count_idle_sessions(tx, idle_s, tenant_id)
    return {row["tenant_slug"]: row["sessions"] for row in rows}


def check_idle(idle_s: float) -> None:
    """Raises IdleTimeInvalid for an idle time that is too short or too long."""
    if not MIN_IDLE_S <= idle_s <= MAX_IDLE_S:
        raise IdleTimeInvalid(f"{idle_s:g} s is no idle time", hint="A minute to a hundred years.")
