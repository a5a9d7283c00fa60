"""Messages: stored in one order per session, each of a client's messages once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.sessions import queries
from stead.sessions.errors import SessionFull, SessionUnknown
from stead.sessions.models import Message, MessageRole, Part

MAX_SEQ = 1_048_575


def _message(row: Row) -> Message:
    return Message(**dict(row))


async def add(
    tx: Transaction,
    principal: Principal,
    session_id: UUID,
    *,
    role: MessageRole,
    parts: list[Part],
    message_id: UUID | None = None,
    client_id: str | None = None,
    run_id: UUID | None = None,
    metadata: dict[str, Any] | None = None,
) -> Message:
    """Appends a message to a session.

    Args:
        tx: A transaction as the server.
        principal: Whose session it is.
        session_id: The session.
        role: Who speaks.
        parts: UIMessage parts.
        message_id: Its id; made here when None.
        client_id: The id that the client gave it; its own id when None.
        run_id: The run that wrote it.
        metadata: Anything else.

    Raises:
        SessionUnknown: The session is not the caller's.
        SessionFull: It holds 1,048,575 messages.
    """
    message_id = message_id or new_id()
    row = await queries.append_message(
        tx,
        message_id,
        principal.tenant.id,
        session_id,
        MAX_SEQ,
        client_id or str(message_id),
        run_id,
        role,
        parts,
        metadata or {},
    )
    if row is None:
        raise SessionUnknown("no session with this id is yours")
    if row["id"] is None:
        raise SessionFull("start a new session")
    return _message(row)


async def find(
    tx: Transaction, principal: Principal, session_id: UUID, client_id: str
) -> Message | None:
    """The message that a client knows by this id."""
    row = await queries.message_by_client_id(tx, principal.tenant.id, session_id, client_id)
    return _message(row) if row else None


async def find_with_latest(
    tx: Transaction, principal: Principal, session_id: UUID, client_id: str, *, limit: int = 40
) -> tuple[Message | None, list[Message]]:
    """The message that a client knows by this id, and the last messages of the session in order: `find` and
    `latest` in one round trip."""
    rows = await queries.message_and_latest(tx, principal.tenant.id, session_id, client_id, limit)
    known: Message | None = None
    last: list[Message] = []
    for row in rows:
        fields = dict(row)
        if fields.pop("asked_for"):
            known = Message(**fields)
        else:
            last.append(Message(**fields))
    last.sort(key=lambda message: message.seq)
    return known, last


async def replace(tx: Transaction, principal: Principal, message: Message, parts: list[Part]) -> Message:
    """Other parts in the same place."""
    row = await queries.replace_message(tx, principal.tenant.id, message.id, parts, message.metadata)
    if row is None:
        raise SessionUnknown("no session with this id is yours")
    return _message(row)


async def cut(tx: Transaction, principal: Principal, session_id: UUID, from_seq: int) -> list[UUID]:
    """Removes a message and all after it (to answer anew), and returns their ids."""
    rows = await queries.delete_messages_from(tx, principal.tenant.id, session_id, from_seq)
    return [row["id"] for row in rows]


async def listing(
    tx: Transaction, principal: Principal, session_id: UUID, *, after_seq: int = 0, limit: int = 100
) -> list[Message]:
    """Messages in order, from after ``after_seq``."""
    rows = await queries.messages_after(tx, principal.tenant.id, session_id, after_seq, limit)
    return [_message(row) for row in rows]


async def latest(
    tx: Transaction,
    principal: Principal,
    session_id: UUID,
    *,
    before_seq: int = MAX_SEQ + 1,
    limit: int = 40,
) -> list[Message]:
    """The last messages before ``before_seq``, in order."""
    rows = await queries.latest_messages(tx, principal.tenant.id, session_id, before_seq, limit)
    return [_message(row) for row in rows]
