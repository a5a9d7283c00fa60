"""The life of a session: open, update, link, complete, close."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead import analytics
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.sessions import queries
from stead.sessions.errors import (
    ContextTooLarge,
    SessionAlreadyLinked,
    SessionEnded,
    SessionNotHeld,
    SessionUnknown,
)
from stead.sessions.models import Contact, Session, SessionStatus

MAX_CONTEXT_BYTES: Final = 256 * 1024
MAX_CONTEXT_DEPTH: Final = 32


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some sessions, newest first, and where the next ones begin."""

    items: list[Session]
    next_before: tuple[datetime, UUID] | None


def _session(row: Row | None) -> Session:
    if row is None:
        raise SessionUnknown("no session with this id is yours")
    return Session(**dict(row))


async def open_session(
    tx: Transaction,
    principal: Principal,
    *,
    email: str | None = None,
    agent_id: UUID | None = None,
    context: dict[str, Any] | None = None,
) -> tuple[Session, bool]:
    """A new session, or the one that the proven holder of ``email`` still has open.

    An address that is merely named opens nothing: 003's "return the existing session for this email" is
    for a signed-in person whose provider vouches for that address.

    Args:
        tx: A transaction as the server, on behalf of ``principal``.
        principal: Who it will belong to. An anonymous principal without a session gets a new one.
        email: Address of a returning person.
        agent_id: The agent that owns the session, if it is about one.
        context: First answers.

    Returns:
        The session, and whether it is new.
    """
    _check_context(context or {})
    if email and principal.profile_id and principal.email_verified and _same(email, principal.email):
        row = await queries.open_session_by_email(
            tx, principal.tenant.id, email, principal.profile_id, None
        )
        if row is not None:
            return _session(row), False
    row = await queries.insert_session(
        tx,
        principal.session_id if principal.kind == "anonymous" and principal.session_id else new_id(),
        principal.tenant.id,
        principal.profile_id,
        agent_id,
        principal.external_id,
        principal.tenant.external_org_id or principal.tenant.slug,
        context or {},
    )
    session = _session(row)
    await analytics.events.session_created(tx, principal, session.id)
    if email:
        session = await _write(tx, session, Contact(email=email), {})
    return session, True


async def get(tx: Transaction, principal: Principal, session_id: UUID) -> Session:
    """One of the caller's sessions.

    Raises:
        SessionUnknown: There is none of this id, or it is somebody else's.
    """
    return _session(await queries.session_by_id(tx, principal.tenant.id, session_id))


async def lock(tx: Transaction, principal: Principal, session_id: UUID) -> Session:
    """The same, locked until the end of the transaction."""
    return _session(await queries.lock_session(tx, principal.tenant.id, session_id))


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    status: SessionStatus | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 20,
) -> Page:
    """The caller's sessions, newest first."""
    whose: queries.Whose
    if principal.profile_id is not None:
        whose, their_id = "person", principal.profile_id
    elif principal.kind == "anonymous":
        whose, their_id = "visitor", principal.session_id
    else:
        whose, their_id = "tenant", None
    rows = await queries.sessions_before(
        tx,
        principal.tenant.id,
        whose,
        their_id,
        status,
        before[0] if before else None,
        before[1] if before else None,
        limit + 1,
    )
    items = [_session(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


async def update(
    tx: Transaction,
    principal: Principal,
    session_id: UUID,
    *,
    contact: Contact,
    context: dict[str, Any] | None = None,
) -> Session:
    """Sets contact columns and merges ``context`` deeply into what is there.

    Returns:
        The session; another one than asked for when a signed-in person names an address that the provider
        vouches for and that person's other open session has it: the update then goes there (003).

    Raises:
        SessionUnknown: It is not the caller's.
        ContextTooLarge: The context is, or would become, too large.
    """
    _check_context(context or {})
    session = await lock(tx, principal, session_id)
    if (
        contact.email
        and principal.profile_id
        and principal.email_verified
        and _same(contact.email, principal.email)
    ):
        other = await queries.open_session_by_email(
            tx, principal.tenant.id, contact.email, principal.profile_id, session.id
        )
        if other is not None and not _same(session.email, contact.email):
            session = _session(other)
    return await _write(tx, session, contact, context or {})


async def complete(
    tx: Transaction, principal: Principal, session_id: UUID, context: dict[str, Any] | None = None
) -> Session:
    """Merges last answers and marks the session complete. Completing twice is no error.

    Raises:
        SessionEnded: It ended in another way.
    """
    _check_context(context or {})
    session = await lock(tx, principal, session_id)
    if session.status not in {"in_progress", "completed"}:
        raise SessionEnded(f"the session is {session.status} and cannot be completed")
    if context:
        session = await _write(tx, session, Contact(), context)
    if session.status == "completed":
        return session
    return _session(await queries.end_session(tx, session.tenant_id, session.id, "completed"))


async def close(tx: Transaction, principal: Principal, session_id: UUID) -> Session:
    """000's close: ends the session if it is open, and says when it ended."""
    session = await lock(tx, principal, session_id)
    if session.status != "in_progress":
        return session
    return _session(await queries.end_session(tx, session.tenant_id, session.id, "completed"))


async def link(
    tx: Transaction, principal: Principal, session_id: UUID, clerk_user_id: str
) -> tuple[Session, bool]:
    """Gives an anonymous session to the signed-in person who holds its token.

    Args:
        tx: A transaction of the tenant's service: the session is not yet the person's to see.
        principal: A person, with the session's token beside the bearer token.
        session_id: The session.
        clerk_user_id: Who the caller says it is; must be who the token proves.

    Returns:
        The session, and whether it changed hands just now.

    Raises:
        SessionNotHeld: One of the two proofs is missing, or names somebody else.
        SessionAlreadyLinked: Somebody else was faster.
    """
    if principal.profile_id is None:
        raise SessionNotHeld("sign in first: linking needs the person's bearer token")
    if clerk_user_id not in {principal.external_id, str(principal.profile_id)}:
        raise SessionNotHeld("clerkUserId is not who the bearer token proves")
    row = await queries.lock_session(tx, principal.tenant.id, session_id)
    if row is not None and row["profile_id"] == principal.profile_id:
        return _session(row), False
    if row is None or principal.session_id != session_id:
        # Who does not hold the session learns nothing of it, not even that it is somebody else's.
        raise SessionUnknown("no session with this id is yours")
    if row["profile_id"] is not None:
        raise SessionAlreadyLinked("this session was linked to another person")
    await queries.link_messages(tx, principal.tenant.id, session_id, principal.profile_id)
    await queries.link_feedback(tx, principal.tenant.id, session_id, principal.profile_id)
    linked = await queries.link_session(
        tx,
        principal.tenant.id,
        session_id,
        principal.profile_id,
        principal.external_id,
        principal.tenant.external_org_id,
    )
    await analytics.events.session_authenticated(tx, session_id)
    return _session(linked), True


async def _write(
    tx: Transaction, session: Session, contact: Contact, context: dict[str, Any]
) -> Session:
    written = _session(
        await queries.update_session(
            tx, session.tenant_id, session.id, contact.email, contact.phone, contact.name, context
        )
    )
    _check_context(written.context)
    return written


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.strip().lower() == other.strip().lower()


def _check_context(context: dict[str, Any]) -> None:
    size = len(json.dumps(context, ensure_ascii=False).encode())
    if size > MAX_CONTEXT_BYTES:
        raise ContextTooLarge(
            f"context would hold {size} bytes; at most {MAX_CONTEXT_BYTES} fit",
            hint="Keep files and long texts elsewhere and store a reference.",
        )
    if _depth(context) > MAX_CONTEXT_DEPTH:
        raise ContextTooLarge(f"context is nested more than {MAX_CONTEXT_DEPTH} levels deep")


def _depth(value: object) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, depth = stack.pop()
        deepest = max(deepest, depth)
        if isinstance(item, dict):
            stack.extend((v, depth + 1) for v in item.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
        elif isinstance(item, list):
            stack.extend((v, depth + 1) for v in item)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
    return deepest
