"""Sessions (003), their messages and runs, and 000's close."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from stead import agents, identity, memory, sessions
from stead.core.ids import new_id
from stead.db import NOBODY, Transaction
from stead.http.dependencies import (
    SESSION_COOKIE,
    Caller,
    OnceOnly,
    OptionalCaller,
    Reading,
    Writing,
    config_of,
    parts_of,
)
from stead.http.errors import RequestInvalid
from stead.http.routing import JsonRoute
from stead.identity import Principal, anonymous, tenant_service
from stead.identity.errors import TenantUnknown
from stead.sessions import Contact, Session

router = APIRouter(route_class=JsonRoute, tags=["sessions"])

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


@router.post("/api/session", response_model=OpenedSession, response_model_exclude_none=True)
async def open_session(
    body: OpenSession, request: Request, response: Response, caller: OptionalCaller
) -> OpenedSession:
    """Starts a session. A caller with a bearer token owns it; anybody else gets a token that holds it,
    also as an HttpOnly cookie."""
    parts = parts_of(request)
    if caller is None or caller.kind == "anonymous":
        async with parts.db.transaction(NOBODY, read_only=True) as tx:
            tenant = await identity.tenants.find(tx, body.org_id)
        caller = anonymous(tenant).within(new_id())
    else:
        _same_tenant(caller, body.org_id)
    async with parts.db.transaction(caller.served()) as tx:
        session, is_new = await sessions.open_session(tx, caller, email=body.email, context=body.context)
        if is_new:
            await _remember(tx, request, caller, session, _statements(body.context))
    token = None
    if caller.kind == "anonymous":
        config = config_of(request)
        token = parts.authenticator.session_tokens.issue_session(
            caller.tenant.id, session.id, config.session_ttl_s
        )
        response.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=config.session_ttl_s,
            httponly=True,
            secure=config.secure_cookies,
            samesite="lax",
            path="/",
        )
    return OpenedSession(session_id=session.id, session_token=token)


@router.patch("/api/session/{session_id}", response_model=DoneFor)
async def update_session(
    session_id: UUID, body: UpdateSession, request: Request, caller: Caller, tx: Writing, once: OnceOnly
) -> Response:
    """Sets contact details and merges answers deeply into the session's context."""
    if again := await once.before(tx, caller):
        return again
    session = await sessions.update(
        tx,
        caller,
        session_id,
        contact=Contact(email=body.email, phone=body.phone, name=body.name),
        context=body.context,
    )
    await _remember(tx, request, caller, session, _statements(body.context))
    return await once.after(tx, caller, DoneFor(session_id=session.id))


@router.post("/api/session/{session_id}/link", response_model=DoneFor)
async def link_session(session_id: UUID, body: LinkSession, request: Request, caller: Caller) -> DoneFor:
    """Gives an anonymous session to the person who is signed in and holds its token."""
    tenant = tenant_service(caller.tenant)
    async with parts_of(request).db.transaction(tenant) as tx:
        session, changed = await sessions.link(tx, caller, session_id, body.clerk_user_id)
        if changed and caller.profile_id is not None:
            await agents.link_session(tx, tenant, session.id, caller.profile_id)
            await memory.move_session(tx, tenant, session.id, caller.profile_id)
    return DoneFor(session_id=session.id)


@router.post("/api/session/{session_id}/complete", response_model=Done)
async def complete_session(
    session_id: UUID,
    request: Request,
    caller: Caller,
    tx: Writing,
    once: OnceOnly,
    body: CompleteSession | None = None,
) -> Response:
    """Marks a session complete, with last answers if there are any."""
    if again := await once.before(tx, caller):
        return again
    context = body.context if body else None
    session = await sessions.complete(tx, caller, session_id, context)
    await _remember(tx, request, caller, session, _statements(context))
    return await once.after(tx, caller, Done())


@router.post("/agents/sessions/{session_id}/close", response_model=Closed)
async def close_session(session_id: UUID, caller: Caller, tx: Writing) -> Closed:
    """000: marks when a session was closed. Closing twice is no error."""
    session = await sessions.close(tx, caller, session_id)
    return Closed(session_id=session.id, closed_at=session.ended_at or session.updated_at)


@router.get("/api/sessions", response_model=SessionPage)
async def list_sessions(
    caller: Caller,
    tx: Reading,
    status: Status | None = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> SessionPage:
    """The caller's sessions, newest first."""
    page = await sessions.listing(tx, caller, status=status, before=_read_cursor(cursor), limit=limit)
    return SessionPage(
        items=[_out(session) for session in page.items],
        next_cursor=_write_cursor(*page.next_before) if page.next_before else None,
    )


@router.get("/api/session/{session_id}", response_model=SessionOut)
async def get_session(session_id: UUID, caller: Caller, tx: Reading) -> SessionOut:
    """One of the caller's sessions."""
    return _out(await sessions.get(tx, caller, session_id))


@router.get("/api/session/{session_id}/messages", response_model=MessagePage)
async def list_messages(
    session_id: UUID,
    caller: Caller,
    tx: Reading,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> MessagePage:
    """A session's messages in order, as ``useChat`` takes them."""
    await sessions.get(tx, caller, session_id)
    found = await sessions.messages.listing(tx, caller, session_id, after_seq=after, limit=limit + 1)
    items = [
        MessageOut(
            id=m.client_id,
            role=m.role,
            parts=m.parts,
            metadata=m.metadata,
            seq=m.seq,
            created_at=m.created_at,
        )
        for m in found[:limit]
    ]
    return MessagePage(items=items, next_after=items[-1].seq if len(found) > limit else None)


@router.get("/api/session/{session_id}/runs", response_model=list[RunOut])
async def list_runs(
    session_id: UUID,
    caller: Caller,
    tx: Reading,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[RunOut]:
    """The run log of a session, newest first."""
    await sessions.get(tx, caller, session_id)
    found = await agents.list_runs(tx, caller, session_id, limit=limit)
    return [RunOut.model_validate(run) for run in found]


@router.get("/v1/runs/{run_id}", response_model=RunOut)
async def get_run(run_id: UUID, caller: Caller, tx: Reading) -> RunOut:
    """One run."""
    return RunOut.model_validate(await agents.get_run(tx, caller, run_id))


def _out(session: Session) -> SessionOut:
    return SessionOut(
        id=session.id,
        status=session.status,
        email=session.email,
        phone=session.phone,
        name=session.name,
        context=session.context,
        linked=session.profile_id is not None,
        created_at=session.created_at,
        updated_at=session.updated_at,
        ended_at=session.ended_at,
    )


def _same_tenant(caller: Principal, org_id: str) -> None:
    if org_id not in {caller.tenant.slug, caller.tenant.external_org_id}:
        raise TenantUnknown(
            "there is no organisation of that name here", hint="orgId is the tenant's slug."
        )


def _statements(context: Context | None) -> list[str]:
    return memory.context_statements(context) if context else []


async def _remember(
    tx: Transaction, request: Request, caller: Principal, session: Session, statements: list[str]
) -> None:
    # Vectors follow from the backlog: an answer to a form waits for no embedder.
    if statements:
        await memory.remember(
            tx,
            caller,
            session_id=session.id,
            profile_id=session.profile_id,
            memories=[
                memory.NewMemory(
                    content=statement,
                    source="context",
                    speaker="user",
                    happened_at=session.updated_at,
                    importance=0.8,
                    metadata={"category": "answer"},
                )
                for statement in statements
            ],
            embedder=parts_of(request).runtime.embedder,
        )


def _write_cursor(created_at: datetime, session_id: UUID) -> str:
    return base64.urlsafe_b64encode(
        json.dumps([created_at.isoformat(), str(session_id)]).encode()
    ).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        created_at, session_id = json.loads(base64.urlsafe_b64decode(cursor))
        return datetime.fromisoformat(created_at).astimezone(UTC), UUID(session_id)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise RequestInvalid("cursor is not one that was given out", hint="Begin without it.") from error
