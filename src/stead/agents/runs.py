"""Reading runs, and handing them over with their session."""

from __future__ import annotations

from uuid import UUID

from stead.agents import queries
from stead.agents.errors import RunUnknown
from stead.agents.models import Run
from stead.db import Transaction
from stead.identity import Principal


async def get_run(tx: Transaction, principal: Principal, run_id: UUID) -> Run:
    """One of the caller's runs.

    Raises:
        RunUnknown: There is none of this id, or it is somebody else's.
    """
    row = await queries.run_by_id(tx, principal.tenant.id, run_id)
    if row is None:
        raise RunUnknown("no run with this id is yours")
    return Run(**dict(row))


async def list_runs(
    tx: Transaction, principal: Principal, session_id: UUID, *, limit: int = 20
) -> list[Run]:
    """The runs of one session, newest first."""
    rows = await queries.list_runs(tx, principal.tenant.id, session_id, limit)
    return [Run(**dict(row)) for row in rows]


async def link_session(tx: Transaction, principal: Principal, session_id: UUID, profile_id: UUID) -> int:
    """Makes the runs of a session that was linked those of the person; returns how many."""
    return await queries.link_runs(tx, principal.tenant.id, session_id, profile_id)
