"""Bodies of the session endpoints: what comes in, what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["in_progress", "completed", "abandoned", "failed", "timeout"]
Context = dict[str, Any]
# Whether an address receives mail only a mail can tell; this refuses what is none.
Email = Annotated[str, Field(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]


class Body(BaseModel):
    """A request body: unknown members are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class OpenSession(Body):
    """003: start of the experience."""

    org_id: str = Field(alias="orgId", min_length=1, max_length=255, examples=["demo"])
    email: Email | None = None
    context: Context | None = None


class OpenedSession(BaseModel):
    """The session; for an anonymous caller also the token that holds it."""

    session_id: UUID = Field(serialization_alias="sessionId")
    session_token: str | None = Field(None, serialization_alias="sessionToken")


class UpdateSession(Body):
    """003: contact details and answers."""

    email: Email | None = None
    phone: str | None = Field(None, min_length=1, max_length=64)
    name: str | None = Field(None, min_length=1, max_length=200)
    context: Context | None = Field(None, examples=[{"pricing": {"dayRate": "$300"}}])


class LinkSession(Body):
    """003: after authentication."""

    clerk_user_id: str = Field(
        alias="clerkUserId", min_length=1, max_length=255, examples=["user_2abcDEF"]
    )


class CompleteSession(Body):
    """003: last answers."""

    context: Context | None = Field(None, examples=[{"goal": "book a call"}])


class Done(BaseModel):
    """It is done."""

    success: Literal[True] = True


class DoneFor(Done):
    """It is done, and for this session, which may be another than asked for."""

    session_id: UUID = Field(serialization_alias="sessionId")


class SessionOut(BaseModel):
    """A session as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: Status
    email: str | None
    phone: str | None
    name: str | None
    context: Context
    linked: bool
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


class SessionPage(BaseModel):
    """Some sessions, and the cursor of the next ones."""

    items: list[SessionOut]
    next_cursor: str | None


class MessageOut(BaseModel):
    """A message in the AI SDK's UIMessage form."""

    id: str
    role: str
    parts: list[dict[str, Any]]
    metadata: dict[str, Any]
    seq: int
    created_at: datetime = Field(serialization_alias="createdAt")


class MessagePage(BaseModel):
    """Some messages in order; ``next_after`` is the ``after`` of the next ones."""

    items: list[MessageOut]
    next_after: int | None


class Closed(BaseModel):
    """000: when it ended."""

    session_id: UUID
    closed_at: datetime


class RunOut(BaseModel):
    """One answer of an agent, as the run log has it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    session_id: UUID | None
    agent_name: str
    kind: str
    message_id: UUID
    status: str
    model: str | None
    error: dict[str, Any] | None
    finish_reason: str | None
    latency_ms: int | None
    first_token_ms: int | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    created_at: datetime
    completed_at: datetime | None
