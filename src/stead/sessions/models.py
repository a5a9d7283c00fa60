"""Sessions and messages as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

SessionStatus = Literal["in_progress", "completed", "abandoned", "failed", "timeout"]
MessageRole = Literal["user", "assistant", "system", "memory"]

#: A part of a message in the AI SDK's UIMessage form ({"type": "text", "text": …}).
Part = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Session:
    """One journey of one person (or of somebody not yet known) through an experience."""

    id: UUID
    tenant_id: UUID
    number: int
    profile_id: UUID | None
    owning_agent_id: UUID | None
    clerk_user_id: str | None
    clerk_org_id: str | None
    email: str | None
    phone: str | None
    name: str | None
    memory_container: str
    status: SessionStatus
    context: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    last_active_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message, in the order of ``seq``.

    Args:
        client_id: The id that the client knows it by.
        place: Position among all turns of the database: neighbouring turns have neighbouring places.
    """

    id: UUID
    session_id: UUID
    client_id: str
    seq: int
    role: MessageRole
    parts: list[Part]
    metadata: dict[str, Any]
    run_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Contact details; None leaves a column as it is."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None


def text_of(parts: list[Part]) -> str:
    """The text of a message's parts, one paragraph each."""
    return "\n\n".join(p["text"] for p in parts if p.get("type") == "text" and p.get("text"))


def place_of(session_number: int, seq: int) -> int:
    """The place of a turn: the session's number above 20 bits of sequence."""
    return session_number << 20 | seq
