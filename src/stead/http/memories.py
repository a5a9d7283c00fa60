"""Memories (000): stored by agents, searched, corrected, deleted, exported, and inspected when debugging."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from stead import knowledge, memory
from stead.db import Transaction
from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import (
    Caller,
    OnceOnly,
    Reading,
    ServiceCaller,
    Writing,
    needs_scope,
    parts_of,
)
from stead.http.errors import RequestInvalid
from stead.http.memory_bodies import (
    ChangeMemory,
    DeletedMemories,
    FoundMemories,
    FoundMemory,
    InspectedMemories,
    InspectedMemory,
    MemoryOut,
    MemoryPageOut,
    Moment,
    SearchMemories,
    Slug,
    StoredMemories,
    StoreMemories,
    StoreMemory,
)
from stead.http.routing import JsonRoute
from stead.identity import Principal
from stead.memory import MemoryKind, NewMemory, exporting, records, reranking, scopes
from stead.memory.contents import check_content, check_metadata, unit_vector
from stead.memory.exporting import ExportPage, ExportPlace
from stead.memory.recall import within
from stead.memory.scopes import Scope
from stead.providers.embedders import Embedder

router = APIRouter(route_class=JsonRoute, tags=["memories"], dependencies=[needs_scope("memories")])

_EXPORT_BATCH: Final = 500
_AHEAD: Final = timedelta(days=1)

ProfileId = Annotated[UUID | None, Query(description="For services: whose.")]
Cursor = Annotated[str | None, Query(max_length=200)]
Topic = Annotated[str | None, Query(min_length=1, max_length=120)]
Kinds = Annotated[list[MemoryKind] | None, Query(max_length=10)]


@router.post("/agents/memories", response_model=StoredMemories, status_code=201)
async def store_memories(
    body: StoreMemories, request: Request, caller: Caller, once: OnceOnly
) -> Response:
    """000: stores what an agent decided to persist. What is known already becomes surer and is not stored again;
    what it contradicts is superseded."""
    parts = parts_of(request)
    embedder = parts.runtime.embedder
    vectors = await _vectors(embedder, body.memories)
    async with parts.db.transaction(caller.served()) as tx:
        if again := await once.before(tx, caller):
            return again
        scope = await scopes.resolve(tx, caller, profile_id=body.profile_id, session_id=body.session_id)
        agent_id = await _agent_id(tx, request, caller, body.agent)
        done = await memory.remember(
            tx,
            caller,
            session_id=scope.session_id,
            profile_id=scope.profile_id,
            memories=[
                _new(item, n, vector, scope, agent_id)
                for n, (item, vector) in enumerate(zip(body.memories, vectors, strict=True))
            ],
            embedder=embedder,
            agent_name=body.agent,
        )
        answer = StoredMemories(
            stored=done.stored, reinforced=done.reinforced, superseded=done.superseded
        )
        return await once.after(tx, caller, answer, 201)


@router.post("/agents/memories/search", response_model=FoundMemories)
async def search_memories(body: SearchMemories, request: Request, caller: Caller) -> FoundMemories:
    """Memories for a question, best first. When fewer match than are wanted, the latest fill up with score 0."""
    if not body.query.strip():
        raise RequestInvalid("query: is empty", hint="Ask in words.")
    parts = parts_of(request)
    if body.rerank and parts.reranker is None:
        # It will not be there in a moment either: for who asks it is a wrong request.
        raise RequestInvalid(
            "rerank: no reranker is configured here", hint="Leave it out, or set STEAD_RERANKER."
        )
    embedder = parts.runtime.embedder
    question = memory.Question(
        text=body.query,
        vector=await knowledge.embed_question(embedder, body.query),
        as_of=body.as_of,
        asked_at=body.asked_at,
    )
    reading = reranking.to_read(body.limit) if body.rerank else body.limit
    # Not read-only: the first search with a model gives it its number.
    async with parts.db.transaction(caller.served()) as tx:
        scope = await scopes.resolve(tx, caller, profile_id=body.profile_id, session_id=body.session_id)
        found = await memory.recall(
            tx,
            scope.id,
            question,
            embedder=embedder,
            agent_id=await _agent_id(tx, request, caller, body.agent),
            kinds=body.kinds,
            limit=reading,
        )
    if body.rerank and parts.reranker is not None:
        found = await reranking.rerank(parts.reranker, body.query, found, limit=body.limit)
    if body.max_tokens is not None:
        found = within(found, body.max_tokens)
    return FoundMemories(items=[FoundMemory.found(item, explain=body.explain) for item in found])


@router.get("/agents/memories", response_model=MemoryPageOut)
async def list_memories(
    request: Request,
    caller: Caller,
    profile_id: ProfileId = None,
    session_id: UUID | None = None,
    agent: Annotated[Slug | None, Query()] = None,
    kinds: Kinds = None,
    topic: Topic = None,
    include_superseded: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    include_archived: bool = False,  # noqa: FBT001, FBT002
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MemoryPageOut:
    """Memories, newest first. With a session only those that come from it."""
    before = read_cursor(cursor)
    async with _reading(request, caller) as tx:
        scope = await scopes.resolve(tx, caller, profile_id=profile_id, session_id=session_id)
        page = await records.listing(
            tx,
            caller,
            scope_id=scope.id,
            kinds=kinds,
            agent_id=await _agent_id(tx, request, caller, agent),
            topic=topic,
            session_id=session_id,
            include_superseded=include_superseded,
            include_archived=include_archived,
            before=before,
            limit=limit,
        )
    return MemoryPageOut(
        items=[MemoryOut.of(item) for item in page.items], next_cursor=write_cursor(page.next_before)
    )


@router.get(
    "/agents/memories/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}, "description": "A record a line"}},
)
async def export_memories(
    request: Request, caller: Caller, profile_id: ProfileId = None, session_id: UUID | None = None
) -> StreamingResponse:
    """Everything that is stored about a person (or about a session that is nobody's), a JSON object a line. The
    last line is of type ``end``: without it the rest was lost on the way."""
    async with _reading(request, caller) as tx:
        scope = await scopes.resolve(tx, caller, profile_id=profile_id, session_id=session_id)
        first = await exporting.export_page(tx, caller, scope.id, ExportPlace(), limit=_EXPORT_BATCH)
    return StreamingResponse(
        _lines(request, caller, scope.id, first),
        media_type="application/x-ndjson",
        headers={
            "content-disposition": f'attachment; filename="{scope.id}.ndjson"',
            "cache-control": "no-store",
        },
    )


@router.get("/agents/memories/{memory_id}/history", response_model=list[MemoryOut])
async def memory_history(memory_id: UUID, caller: Caller, tx: Reading) -> list[MemoryOut]:
    """All versions of a memory, oldest first."""
    return [MemoryOut.of(item) for item in await records.history(tx, caller, memory_id)]


@router.get("/agents/memories/{memory_id}", response_model=MemoryOut)
async def get_memory(memory_id: UUID, caller: Caller, tx: Reading) -> MemoryOut:
    """One memory, whether it still holds or not."""
    return MemoryOut.of(await records.get(tx, caller, memory_id))


# No Idempotency-Key: sent twice it is done once anyway, and a stored answer would keep a text that is deleted.
@router.patch("/agents/memories/{memory_id}", response_model=MemoryOut)
async def change_memory(
    memory_id: UUID, body: ChangeMemory, request: Request, caller: Caller
) -> MemoryOut:
    """Corrects a memory. Another content makes a new one, which is answered with and takes the place of this."""
    parts = parts_of(request)
    embedder = parts.runtime.embedder
    vector: Sequence[float] | None = None
    if body.content is not None:
        check_content(body.content)
        if body.embedding is not None:
            vector = unit_vector(body.embedding, embedder)
        elif embedder.local:
            vector = (await embedder.embed([body.content]))[0]
    async with parts.db.transaction(caller.served()) as tx:
        changed = await records.update(
            tx,
            caller,
            memory_id,
            content=body.content,
            metadata=body.metadata,
            importance=body.importance,
            embedder=embedder,
            vector=vector,
        )
    return MemoryOut.of(changed)


@router.delete("/agents/memories/{memory_id}", response_model=DeletedMemories)
async def delete_memory(memory_id: UUID, caller: Caller, tx: Writing) -> DeletedMemories:
    """Deletes a memory with its older versions, out of table, index and vectors."""
    return DeletedMemories(deleted=await records.delete(tx, caller, memory_id))


@router.get("/api/admin/memories", response_model=InspectedMemories)
async def inspect_memories(
    request: Request,
    caller: ServiceCaller,
    profile_id: ProfileId = None,
    session_id: UUID | None = None,
    q: Annotated[str | None, Query(min_length=1, max_length=4000)] = None,
    as_of: Annotated[Moment | None, Query()] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> InspectedMemories:
    """000: rows when debugging, also superseded and archived ones, with every counter. With a question: what a
    search finds for it, with what each arm says."""
    parts = parts_of(request)
    if q is None:
        before = read_cursor(cursor)
        async with _reading(request, caller) as tx:
            scope = await scopes.resolve(tx, caller, profile_id=profile_id, session_id=session_id)
            page = await records.listing(
                tx,
                caller,
                scope_id=scope.id,
                session_id=session_id,
                include_superseded=True,
                include_archived=True,
                before=before,
                limit=limit,
            )
        items = [InspectedMemory(**MemoryOut.of(item).model_dump()) for item in page.items]
        return InspectedMemories(items=items, next_cursor=write_cursor(page.next_before))
    embedder = parts.runtime.embedder
    question = memory.Question(text=q, vector=await knowledge.embed_question(embedder, q), as_of=as_of)
    async with parts.db.transaction(caller.served()) as tx:
        scope = await scopes.resolve(tx, caller, profile_id=profile_id, session_id=session_id)
        found = await memory.recall(tx, scope.id, question, embedder=embedder, limit=limit)
    return InspectedMemories(
        items=[InspectedMemory(**FoundMemory.found(item, explain=True).model_dump()) for item in found],
        next_cursor=None,
    )


def _reading(request: Request, caller: Principal) -> AbstractAsyncContextManager[Transaction]:
    """As the server: a person may not read the agents' versions by which a slug is resolved."""
    return parts_of(request).db.transaction(caller.served(), read_only=True)


async def _agent_id(
    tx: Transaction, request: Request, caller: Principal, slug: str | None
) -> UUID | None:
    if slug is None:
        return None
    return (await parts_of(request).runtime.registry.resolve(tx, caller, slug)).id


def _new(
    item: StoreMemory,
    n: int,
    vector: Sequence[float] | None,
    scope: Scope,
    agent_id: UUID | None,
) -> NewMemory:
    happened_at = item.happened_at or scope.now
    if happened_at > scope.now + _AHEAD:
        # Nothing said later would ever take its place.
        raise RequestInvalid(
            f"memories.{n}.happened_at: lies in the future",
            hint="It is when this was said; event_from is when what it tells of happens.",
        )
    return NewMemory(
        content=item.content,
        kind=item.kind,
        source=item.source,
        importance=item.importance,
        confidence=item.confidence,
        topic=item.topic,
        happened_at=happened_at,
        event_from=item.event_from,
        event_to=item.event_to,
        metadata=item.metadata,
        agent_id=agent_id,
        vector=vector,
    )


async def _vectors(embedder: Embedder, items: Sequence[StoreMemory]) -> list[Sequence[float] | None]:
    """Given vectors, checked; others are made here where that needs no network, else by the backlog."""
    vectors: list[Sequence[float] | None] = []
    for n, item in enumerate(items):
        check_content(item.content, f"memories.{n}.content")
        check_metadata(item.metadata, f"memories.{n}.metadata")
        given = item.embedding
        where = f"memories.{n}.embedding"
        vectors.append(None if given is None else unit_vector(given, embedder, where))
    missing = [n for n, vector in enumerate(vectors) if vector is None]
    if embedder.local and missing:
        made = await embedder.embed([items[n].content for n in missing])
        for n, vector in zip(missing, made, strict=True):
            vectors[n] = vector
    return vectors


async def _lines(
    request: Request, caller: Principal, scope_id: UUID, page: ExportPage
) -> AsyncIterator[str]:
    """A page a transaction: a slow reader holds none open."""
    count = 0
    while True:
        count += len(page.records)
        yield "".join(map(_line, page.records))
        if page.next is None:
            break
        async with _reading(request, caller) as tx:
            page = await exporting.export_page(tx, caller, scope_id, page.next, limit=_EXPORT_BATCH)
    yield _line({"type": "end", "records": count})


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
