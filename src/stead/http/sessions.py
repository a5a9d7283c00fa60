"""Sessions (003), their messages and runs, and 000's close."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from stead import agents, identity, memory, sessions
from stead.apps import marketplace
from stead.core.ids import new_id
from stead.db import NOBODY, Transaction
from stead.http.counting import count_opening
from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import (
    SESSION_COOKIE,
    Caller,
    OnceOnly,
    OptionalCaller,
    Reading,
    Writing,
    config_of,
    needs_scope,
    parts_of,
)
from stead.http.email_claims import looked_into
from stead.http.routing import JsonRoute
from stead.http.session_bodies import (
    Closed,
    CompleteSession,
    Context,
    Done,
    DoneFor,
    LinkSession,
    MessageOut,
    MessagePage,
    OpenedSession,
    OpenSession,
    RunOut,
    SessionOut,
    SessionPage,
    Status,
    UpdateSession,
)
from stead.identity import Principal, anonymous, tenant_service
from stead.identity.errors import TenantUnknown
from stead.memory import cognition, items
from stead.sessions import Contact, Session

router = APIRouter(route_class=JsonRoute, tags=["sessions"], dependencies=[needs_scope("sessions")])


@router.post("/api/session", response_model=OpenedSession, response_model_exclude_none=True)
async def open_session(
    body: OpenSession, request: Request, caller: OptionalCaller, once: OnceOnly
) -> Response:
    """Starts a session. A caller with a bearer token owns it; anybody else gets a token that holds it,
    also as an HttpOnly cookie."""
    if caller is None or caller.kind == "anonymous":
        return await _open_anonymous(request, body)
    if body.org_id not in {caller.tenant.slug, caller.tenant.external_org_id}:
        raise TenantUnknown(
            "there is no organisation of that name here", hint="orgId is the tenant's slug."
        )
    async with parts_of(request).db.transaction(caller.served()) as tx:
        if again := await once.before(tx, caller):
            return again
        session = await _open(tx, request, caller, body)
        response = await once.after(tx, caller, {"sessionId": session.id})
    return looked_into(response, request, caller, body.email)


async def _open_anonymous(request: Request, body: OpenSession) -> Response:
    # Without an identity there is nobody whom an Idempotency-Key could belong to: repeated, it opens another.
    parts, config = parts_of(request), config_of(request)
    await count_opening(request)
    async with parts.db.transaction(NOBODY, read_only=True) as tx:
        tenant = await identity.tenants.find(tx, body.org_id)
    caller = anonymous(tenant).within(new_id())
    async with parts.db.transaction(caller.served()) as tx:
        session = await _open(tx, request, caller, body)
    token = parts.authenticator.session_tokens.issue_session(tenant.id, session.id, config.session_ttl_s)
    response = JSONResponse({"sessionId": str(session.id), "sessionToken": token})
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=config.session_ttl_s,
        httponly=True,
        secure=config.secure_cookies,
        samesite="lax",
        path="/",
    )
    return looked_into(response, request, caller, body.email)


async def _open(tx: Transaction, request: Request, caller: Principal, body: OpenSession) -> Session:
    session, is_new = await sessions.open_session(tx, caller, email=body.email, context=body.context)
    if is_new:
        await _remember(tx, request, caller, session, _statements(body.context))
    return session


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
    response = await once.after(tx, caller, DoneFor(session_id=session.id))
    return looked_into(response, request, caller, body.email)


@router.post("/api/session/{session_id}/link", response_model=DoneFor)
async def link_session(session_id: UUID, body: LinkSession, request: Request, caller: Caller) -> DoneFor:
    """Gives an anonymous session to the person who is signed in and holds its token."""
    tenant = tenant_service(caller.tenant)
    async with parts_of(request).db.transaction(tenant) as tx:
        session, changed = await sessions.link(tx, caller, session_id, body.clerk_user_id)
        if changed and caller.profile_id is not None:
            await agents.link_session(tx, tenant, session.id, caller.profile_id)
            await memory.move_session(tx, tenant, session.id, caller.profile_id)
            await items.move_session(tx, tenant, session.id, caller.profile_id)
            await cognition.move_session(tx, tenant, session.id, caller.profile_id)
            await marketplace.waitlist.link_session(tx, tenant, session.id, caller.profile_id)
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
    page = await sessions.listing(tx, caller, status=status, before=read_cursor(cursor), limit=limit)
    return SessionPage(
        items=[_out(session) for session in page.items],
        next_cursor=write_cursor(page.next_before),
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
