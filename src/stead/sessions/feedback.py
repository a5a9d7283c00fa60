"""What the holder of a session thinks of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.sessions import queries
from stead.sessions.errors import FeedbackUnknown, MessageNotRateable, MessageUnknown
from stead.sessions.sessions import get, lock

Rating = Literal["up", "down"]

MAX_COMMENT_CHARS: Final = 2000
_NUMBERS: Final[dict[Rating, int]] = {"up": 1, "down": -1}
_RATINGS: Final[dict[int, Rating]] = {number: rating for rating, number in _NUMBERS.items()}


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """A rating of one of an agent's messages.

    Args:
        message_id: The message's id as clients know it.
        run_id: The run that wrote it; None for a message that no run wrote.
    """

    id: UUID
    session_id: UUID
    message_id: str
    run_id: UUID | None
    rating: Rating
    comment: str | None
    created_at: datetime
    updated_at: datetime


async def give(
    tx: Transaction,
    principal: Principal,
    session_id: UUID,
    client_id: str,
    *,
    rating: Rating,
    comment: str | None = None,
) -> Feedback:
    """Rates an answer. Rated again, the rating and the comment are replaced.

    Args:
        tx: A transaction as the server.
        principal: Who holds the session, or a service for them.
        session_id: The session.
        client_id: The message's id as clients know it.
        rating: What is thought of it.
        comment: Why, in at most 2,000 characters.

    Raises:
        SessionUnknown, MessageUnknown: It is not there for this caller.
        MessageNotRateable: It is not an agent's message.
    """
    # Locked, as linking locks it: else a rating could be left with nobody while its session gets a person.
    session = await lock(tx, principal, session_id)
    message = await _answer(tx, principal, session_id, client_id)
    row = await queries.upsert_feedback(
        tx,
        new_id(),
        principal.tenant.id,
        session_id,
        session.profile_id,
        message["id"],
        message["run_id"],
        _NUMBERS[rating],
        comment,
    )
    assert row is not None  # noqa: S101 - INSERT … ON CONFLICT DO UPDATE returns it
    return _feedback(row, client_id)


async def read(tx: Transaction, principal: Principal, session_id: UUID, client_id: str) -> Feedback:
    """The rating of an answer.

    Raises:
        SessionUnknown, MessageUnknown: It is not there for this caller.
        MessageNotRateable: It is not an agent's message.
        FeedbackUnknown: It was not rated.
    """
    await get(tx, principal, session_id)
    message = await _answer(tx, principal, session_id, client_id)
    row = await queries.feedback_of(tx, principal.tenant.id, message["id"])
    if row is None:
        raise FeedbackUnknown("this message was not rated")
    return _feedback(row, client_id)


async def withdraw(tx: Transaction, principal: Principal, session_id: UUID, client_id: str) -> bool:
    """Takes a rating back; False where there was none.

    Raises:
        SessionUnknown, MessageUnknown: It is not there for this caller.
        MessageNotRateable: It is not an agent's message.
    """
    await get(tx, principal, session_id)
    message = await _answer(tx, principal, session_id, client_id)
    return bool(await queries.delete_feedback(tx, principal.tenant.id, message["id"]))


async def _answer(tx: Transaction, principal: Principal, session_id: UUID, client_id: str) -> Row:
    row = await queries.message_by_client_id(tx, principal.tenant.id, session_id, client_id)
    if row is None:
        raise MessageUnknown("no message with this id is in that session")
    if row["role"] != "assistant":
        raise MessageNotRateable(
            f"this message is the {row['role']}'s", hint="Rate an answer: a message of role assistant."
        )
    return row


def _feedback(row: Row, client_id: str) -> Feedback:
    fields = dict(row)
    return Feedback(message_id=client_id, rating=_RATINGS[fields.pop("rating")], **fields)
