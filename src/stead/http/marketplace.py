"""The marketplace (000): agents listed, compared, talked to and waited for; and what Next.js calls of Python."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from stead import agents, identity, knowledge, sessions
from stead.agents.frames import Frame
from stead.apps import marketplace
from stead.apps.marketplace import Filters, FitWeights, Ranked, WaitlistStatus, Wish
from stead.apps.marketplace.errors import HirerUnknown
from stead.apps.marketplace.reasons import Told
from stead.http.chat import limit_messages, streamed
from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import (
    Caller,
    OnceOnly,
    Seeing,
    ServiceCaller,
    Writing,
    config_of,
    needs_scope,
    parts_of,
)
from stead.http.errors import RequestInvalid
from stead.http.marketplace_bodies import (
    CandidateOut,
    ChatWithAgent,
    Compare,
    Compared,
    DetailOut,
    Endorse,
    EndorsementOut,
    EntryOut,
    EntryPage,
    Industry,
    JoinWaitlist,
    KeptCandidates,
    ListingOut,
    ListingPage,
    Price,
    PricingModel,
    RanAgent,
    Rating,
    RunAgent,
    RunError,
    SaveListing,
    SetEntryStatus,
    Slug,
    TagSlug,
)
from stead.http.routing import JsonRoute
from stead.identity import Principal

router = APIRouter(route_class=JsonRoute, tags=["marketplace"])
_AGENTS: Final = [needs_scope("agents")]
_CHAT: Final = [needs_scope("chat"), Depends(limit_messages)]

SESSION_HEADER: Final = "x-stead-session"
_DEFAULT_AGENT: Final = "concierge"
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {}}, "description": "UI message stream"}
}

Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/api/agents", response_model=ListingPage, dependencies=_AGENTS)
async def list_agents(
    request: Request,
    caller: Caller,
    q: Annotated[str | None, Query(min_length=1, max_length=4000)] = None,
    tag: Annotated[list[TagSlug] | None, Query(max_length=20)] = None,
    industry: Annotated[list[Industry] | None, Query(max_length=20)] = None,
    pricing_model: Annotated[PricingModel | None, Query()] = None,
    min_price: Annotated[Price | None, Query()] = None,
    max_price: Annotated[Price | None, Query()] = None,
    min_rating: Annotated[Rating | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> ListingPage:
    """Agents for hire: the latest first or, with ``q``, what words and meaning find, best first."""
    filters = Filters(
        tags=tag or (),
        industries=industry or (),
        pricing_model=pricing_model,
        min_price=min_price,
        max_price=max_price,
        min_rating=min_rating,
    )
    parts = parts_of(request)
    if q is None or not q.strip():
        before = read_cursor(cursor)
        async with parts.db.transaction(caller.served(), read_only=True) as tx:
            page = await marketplace.catalogue.listing(tx, caller, filters, before=before, limit=limit)
        return _page(page.items, write_cursor(page.next_before))
    below = _read_score(cursor)
    embedder = parts.runtime.embedder
    vector = await knowledge.embed_question(embedder, q)
    # Not read-only: the first search with a model gives it its number.
    async with parts.db.transaction(caller.served()) as tx:
        found = await marketplace.catalogue.search(tx, caller, q, embedder=embedder, vector=vector)
        page = await marketplace.catalogue.found_listing(
            tx, caller, filters, found, below=below, limit=limit
        )
    return _page(page.items, _write_score(page.next_score))


@router.get("/api/agents/{slug}", response_model=DetailOut, dependencies=_AGENTS)
async def get_agent(slug: str, caller: Caller, tx: Seeing) -> DetailOut:
    """An agent with its endorsements and what is remembered with it."""
    found = await marketplace.catalogue.get(tx, caller, slug)
    return DetailOut.model_validate(
        {"agent": found.listing, "endorsements": found.endorsements, "memory": found.memory}
    )


# No Idempotency-Key: the same listing sent twice is stored once.
@router.put("/v1/agents/{slug}/listing", response_model=ListingOut, dependencies=_AGENTS)
async def save_listing(slug: str, body: SaveListing, caller: ServiceCaller, tx: Writing) -> ListingOut:
    """Says what an agent costs, can and is about; replaces what was said before."""
    saved = await marketplace.catalogue.save_listing(
        tx,
        caller,
        slug,
        fields=body.model_dump(exclude={"tags"}),
        tags={tag.slug: tag.label or tag.slug for tag in body.tags},
    )
    return ListingOut.model_validate(saved)


@router.post(
    "/v1/agents/{slug}/endorsements",
    response_model=EndorsementOut,
    status_code=201,
    dependencies=_AGENTS,
)
async def endorse_agent(
    slug: str, body: Endorse, caller: ServiceCaller, tx: Writing, once: OnceOnly
) -> Response:
    """Adds what somebody says of an agent."""
    if again := await once.before(tx, caller):
        return again
    made = await marketplace.catalogue.endorse(
        tx, caller, slug, author=body.author, quote=body.quote, rating=body.rating
    )
    return await once.after(tx, caller, EndorsementOut.model_validate(made), 201)


@router.post(
    "/api/agents/compare",
    response_model=Compared,
    status_code=201,
    dependencies=[*_AGENTS, Depends(limit_messages)],
)
async def compare_agents(body: Compare, request: Request, caller: Caller, once: OnceOnly) -> Response:
    """Scores agents for a goal, gives each score its reasons, and keeps them with a session."""
    parts, embedder = parts_of(request), parts_of(request).runtime.embedder
    db = parts.db
    wish = _wish(body, config_of(request).fit_weights)
    hirer = await _hirer(request, caller, body.profile_id)
    vector = await knowledge.embed_question(embedder, wish.goal)
    async with db.transaction(hirer.served()) as tx:
        known = await marketplace.comparing.know(
            tx, hirer, wish, session_id=body.session_id, embedder=embedder, vector=vector
        )
    known_vector = await knowledge.embed_question(embedder, known.text)
    async with db.transaction(hirer.served()) as tx:
        ranked = await marketplace.comparing.rank(
            tx, hirer, wish, known, embedder=embedder, vector=vector, known_vector=known_vector
        )
    told = Told(candidates=ranked, by="rules")
    if body.reasons == "model":
        runtime = parts.runtime
        told = await marketplace.reasons.tell(runtime.engine, runtime.config.loop.model, wish, ranked)
    async with db.transaction(hirer.served()) as tx:
        if again := await once.before(tx, caller):
            return again
        session = await marketplace.comparing.keep(
            tx, hirer, wish, known, told.candidates, embedder=embedder
        )
        answer = Compared(
            session_id=session.id,
            candidates=_candidates(told.candidates),
            reasons_by=told.by,
            notice=told.notice,
        )
        return await once.after(tx, caller, answer, 201)


@router.get("/api/agents/compare/{session_id}", response_model=KeptCandidates, dependencies=_AGENTS)
async def get_candidates(session_id: UUID, caller: Caller, tx: Seeing) -> KeptCandidates:
    """The candidates of a session, the best first."""
    kept = await marketplace.comparing.kept(tx, caller, session_id)
    return KeptCandidates(session_id=session_id, candidates=_candidates(kept))


# No Idempotency-Key: a message is known by its own id.
@router.post(
    "/api/agents/chat",
    response_class=StreamingResponse,
    responses=_STREAM,
    dependencies=_CHAT,
)
async def chat_with_agent(body: ChatWithAgent, request: Request, caller: Caller) -> StreamingResponse:
    """Streams an agent's answer, and logs the run. Without a session it opens one, which a header names."""
    session_id = body.session_id
    if session_id is None:
        session_id = await _open(request, caller, body.agent, body.metadata)
    stream = await parts_of(request).runtime.begin(
        caller,
        session_id,
        body.agent,
        _incoming(body.message, body.message_id, body.metadata),
        traceparent=request.headers.get("traceparent"),
    )
    return streamed(stream, {SESSION_HEADER: str(session_id)})


@router.post(
    "/agents/run",
    response_class=StreamingResponse,
    responses={
        200: {
            "model": RanAgent,
            "content": {"text/event-stream": {}},
            "description": "UI message stream or, with `stream` false, the answer when it is there",
        }
    },
    dependencies=_CHAT,
)
async def run_agent(body: RunAgent, request: Request, caller: Caller) -> Response:
    """000: runs an agent on a prompt, with what is remembered of the session's person."""
    parts = parts_of(request)
    agent = body.agent
    if agent is None:
        async with parts.db.transaction(caller.served(), read_only=True) as tx:
            session = await sessions.get(tx, caller, body.session_id)
            agent = await marketplace.catalogue.slug_of(tx, session.owning_agent_id) or _DEFAULT_AGENT
    stream = await parts.runtime.begin(
        caller,
        body.session_id,
        agent,
        _incoming(body.prompt, body.message_id, body.metadata),
        traceparent=request.headers.get("traceparent"),
    )
    if body.stream:
        return streamed(stream, {SESSION_HEADER: str(body.session_id)})
    run_id, text = await _gathered(stream)
    async with parts.db.transaction(caller.served(), read_only=True) as tx:
        run = await agents.get_run(tx, caller, run_id)
    answer = RanAgent(
        run_id=run.id,
        session_id=body.session_id,
        agent=run.agent_name,
        status=run.status,
        output=text,
        error=None if run.error is None else RunError.model_validate(run.error),
        latency_ms=run.latency_ms,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
    )
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post("/api/hire/waitlist", response_model=EntryOut, status_code=201, dependencies=_AGENTS)
async def join_waitlist(body: JoinWaitlist, caller: Caller, tx: Writing, once: OnceOnly) -> Response:
    """Puts the person of a session on the waitlist for an agent. Twice in a session is once (200)."""
    if again := await once.before(tx, caller):
        return again
    entry, is_new = await marketplace.waitlist.join(
        tx,
        caller,
        session_id=body.agent_session_id,
        agent=body.agent,
        email_override=body.email_override,
        message=body.message,
    )
    return await once.after(tx, caller, EntryOut.model_validate(entry), 201 if is_new else 200)


@router.get("/api/admin/waitlist", response_model=EntryPage, dependencies=_AGENTS)
async def list_waitlist(
    caller: ServiceCaller,
    tx: Seeing,
    status: WaitlistStatus | None = None,
    agent: Annotated[Slug | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> EntryPage:
    """The waitlist, the latest first."""
    page = await marketplace.waitlist.listing(
        tx, caller, status=status, agent=agent, before=read_cursor(cursor), limit=limit
    )
    return EntryPage(
        items=[EntryOut.model_validate(entry) for entry in page.items],
        next_cursor=write_cursor(page.next_before),
    )


# No Idempotency-Key: a status that is set stays set.
@router.patch("/api/admin/waitlist/{entry_id}", response_model=EntryOut, dependencies=_AGENTS)
async def set_waitlist_status(
    entry_id: UUID, body: SetEntryStatus, caller: ServiceCaller, tx: Writing
) -> EntryOut:
    """Notes whether somebody was written to."""
    return EntryOut.model_validate(
        await marketplace.waitlist.set_status(tx, caller, entry_id, body.status)
    )


def _page(items: list[marketplace.Listing], cursor: str | None) -> ListingPage:
    return ListingPage(items=[ListingOut.model_validate(item) for item in items], next_cursor=cursor)


def _candidates(ranked: Any) -> list[CandidateOut]:
    found: list[Ranked] = list(ranked)
    return [CandidateOut.model_validate(one) for one in found]


def _wish(body: Compare, weights: FitWeights) -> Wish:
    return Wish(
        goal=body.goal,
        agents=body.agents,
        filters=Filters(tags=body.tags, industries=body.industries, min_rating=body.min_rating),
        max_price=body.max_price,
        pricing_model=body.pricing_model,
        limit=body.limit,
        weights=weights.changed(body.weights),
        metadata=body.metadata,
    )


async def _hirer(request: Request, caller: Principal, profile_id: UUID | None) -> Principal:
    """For whom it is done: the caller or, of a service, the person whom it names.

    Raises:
        HirerUnknown: There is no such person, or a person names another.
    """
    if profile_id is None or profile_id == caller.profile_id:
        return caller
    if caller.kind == "service":
        async with parts_of(request).db.transaction(caller.served(), read_only=True) as tx:
            found = await identity.profiles.find(tx, caller.tenant, str(profile_id))
        if found is not None and found.id == profile_id:
            return replace(caller, kind="user", role="authenticated", profile_id=profile_id)
    raise HirerUnknown("no person of this id is yours", hint="Only a service names a person.")


async def _open(request: Request, caller: Principal, agent: str, metadata: dict[str, Any]) -> UUID:
    if caller.kind == "anonymous" and caller.session_id is not None:
        return caller.session_id
    parts = parts_of(request)
    async with parts.db.transaction(caller.served()) as tx:
        found = await parts.runtime.registry.resolve(tx, caller, agent)
        session, _ = await sessions.open_session(tx, caller, agent_id=found.id, context=metadata)
    return session.id


def _incoming(text: str, message_id: str | None, metadata: dict[str, Any]) -> agents.Incoming:
    return agents.Incoming(
        parts=[{"type": "text", "text": text}], client_id=message_id or "", metadata=metadata
    )


async def _gathered(stream: AsyncIterator[list[Frame]]) -> tuple[UUID, str]:
    """A stream's run and the words of its answer, when it has ended."""
    run_id: UUID | None = None
    words: list[str] = []
    async for batch in stream:
        for frame in batch:
            if frame["type"] == "start":
                run_id = UUID(frame["messageMetadata"]["runId"])
            elif frame["type"] == "text-delta":
                words.append(frame["delta"])
    assert run_id is not None  # noqa: S101 - each stream begins with its start
    return run_id, "".join(words)


def _write_score(place: tuple[float, UUID] | None) -> str | None:
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([place[0], str(place[1])]).encode()).decode()


def _read_score(cursor: str | None) -> tuple[float, UUID] | None:
    """The place of a cursor among what a search found.

    Raises:
        RequestInvalid: It is none that was given out.
    """
    if cursor is None:
        return None
    try:
        score, row_id = json.loads(base64.urlsafe_b64decode(cursor))
        place = (float(score), UUID(row_id))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise RequestInvalid("cursor is not one that was given out", hint="Begin without it.") from error
    if not math.isfinite(place[0]):
        raise RequestInvalid("cursor is not one that was given out", hint="Begin without it.")
    return place
