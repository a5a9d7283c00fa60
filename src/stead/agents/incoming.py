"""What a client sends into a chat, and where it goes in the session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from stead import sessions
from stead.agents.errors import NothingToAnswer
from stead.db import Transaction
from stead.identity import Principal
from stead.sessions import Message, Part

Trigger = Literal["submit-message", "regenerate-message"]


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A message, or the wish for another answer.

    Args:
        parts: The message's parts; empty for ``regenerate-message``.
        client_id: The client's id of the message; of the answer to replace for ``regenerate-message``
            (empty: the last one).
        trigger: What the client did.
        metadata: What else the application knows of the message; kept with it and with its run.
    """

    parts: list[Part]
    client_id: str
    trigger: Trigger = "submit-message"
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def text(self) -> str:
        """The words of the message."""
        return sessions.text_of(self.parts)


async def settle(
    tx: Transaction, principal: Principal, session_id: UUID, incoming: Incoming, known: Message | None
) -> Message:
    """The user's message that is to be answered, as the last one of its session.

    Args:
        tx: A transaction as the server; it holds the session's lock.
        principal: Whose session it is.
        session_id: The session.
        incoming: What was sent.
        known: The stored message with the incoming id, if there is one.

    Raises:
        NothingToAnswer: No message of a person comes before the answer to replace.
    """
    if incoming.trigger == "regenerate-message":
        return await _before_answer(tx, principal, session_id, known)
    if known is None:
        return await sessions.messages.add(
            tx,
            principal,
            session_id,
            role="user",
            parts=incoming.parts,
            client_id=incoming.client_id or None,
            metadata=incoming.metadata,
        )
    # Sent again after its answer failed, or edited: what came after it is no answer to it any more.
    await sessions.messages.cut(tx, principal, session_id, known.seq + 1)
    if known.parts == incoming.parts:
        return known
    return await sessions.messages.replace(tx, principal, known, incoming.parts)


async def _before_answer(
    tx: Transaction, principal: Principal, session_id: UUID, answer: Message | None
) -> Message:
    if answer is not None and answer.role == "user":
        # The client named the question and not its answer.
        await sessions.messages.cut(tx, principal, session_id, answer.seq + 1)
        return answer
    before = {"before_seq": answer.seq} if answer is not None else {}
    for message in reversed(await sessions.messages.latest(tx, principal, session_id, **before)):
        if message.role == "user":
            await sessions.messages.cut(tx, principal, session_id, message.seq + 1)
            return message
    raise NothingToAnswer("there is no message to answer anew", hint="Send one first.")
