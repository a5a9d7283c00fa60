"""Who waits for whom."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from stead import sessions
from stead.agents import AgentUnknown
from stead.apps.marketplace import queries
from stead.apps.marketplace.errors import WaitlistEntryUnknown
from stead.apps.marketplace.models import Page, WaitlistEntry, WaitlistStatus
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal


async def join(
    tx: Transaction,
    principal: Principal,
    *,
    session_id: UUID,
    agent: str,
    email_override: str | None = None,
    message: str | None = None,
) -> tuple[WaitlistEntry, bool]:
    """Puts the person or holder of a session on the waitlist for an agent. Twice in a session is once; an address
    or a message that is given later takes the place of the earlier one.

    Args:
        tx: A transaction as the server.
        principal: Whose session it is, or a service.
        session_id: That of a chat or a comparison.
        agent: The slug of a public agent.
        email_override: Where to write to, if not to the person's own address.
        message: What they want.

    Returns:
        The entry, and whether it is new.

    Raises:
        SessionUnknown: It is not the caller's.
        AgentUnknown: No such agent is for hire.
    """
    session = await sessions.lock(tx, principal, session_id)
    agent_id = await queries.listing_for_hire(tx, principal.tenant.id, agent)
    if agent_id is None:
        raise AgentUnknown("no agent of that name is for hire here", hint="GET /api/agents lists them.")
    made = new_id()
    entry_id = await queries.upsert_entry(
        tx,
        made,
        principal.tenant.id,
        session.profile_id,
        agent_id,
        session.id,
        email_override,
        message,
    )
    assert entry_id is not None  # noqa: S101 - the upsert always returns it
    return await get(tx, principal, entry_id), entry_id == made


async def get(tx: Transaction, principal: Principal, entry_id: UUID) -> WaitlistEntry:
    """An entry.

    Raises:
        WaitlistEntryUnknown: It is not there for this caller.
    """
    return _entry(await queries.entry_by_id(tx, principal.tenant.id, entry_id))


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    status: WaitlistStatus | None = None,
    agent: str | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Page[WaitlistEntry]:
    """The tenant's waitlist, the latest first. For services."""
    at, at_id = before or (None, None)
    rows = await queries.entries_before(tx, principal.tenant.id, status, agent, at, at_id, limit + 1)
    items = [_entry(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


async def set_status(
    tx: Transaction, principal: Principal, entry_id: UUID, status: WaitlistStatus
) -> WaitlistEntry:
    """Notes whether somebody was written to. For services.

    Raises:
        WaitlistEntryUnknown: There is no such entry.
    """
    if not await queries.set_entry_status(tx, principal.tenant.id, entry_id, status):
        raise _unknown()
    return await get(tx, principal, entry_id)


async def link_session(tx: Transaction, principal: Principal, session_id: UUID, profile_id: UUID) -> int:
    """Makes the entries of a session that was linked those of the person; returns how many."""
    return await queries.link_entries(tx, principal.tenant.id, session_id, profile_id)


def _entry(row: Row | None) -> WaitlistEntry:
    if row is None:
        raise _unknown()
    return WaitlistEntry(**dict(row))


def _unknown() -> WaitlistEntryUnknown:
    return WaitlistEntryUnknown("no entry of this id is on your waitlist")
