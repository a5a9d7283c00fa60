"""Memories one by one: looked at, listed, corrected, deleted, with their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.memory import queries
from stead.memory.contents import check_content, check_metadata, check_size
from stead.memory.errors import MemoryInvalid, MemorySuperseded, MemoryUnknown
from stead.memory.models import Memory, MemoryKind
from stead.providers.embedders import Embedder

MAX_VERSIONS: Final = 200


@dataclass(frozen=True, kw_only=True)
class MemoryPage:
    """Some memories, newest first, and where the next ones begin."""

    items: list[Memory]
    next_before: tuple[datetime, UUID] | None


def _memory(row: Row | None) -> Memory:
    if row is None:
        raise MemoryUnknown("no memory with this id is yours")
    return Memory(**dict(row))


async def get(tx: Transaction, principal: Principal, memory_id: UUID) -> Memory:
    """One of the caller's memories, whether it still holds or not.

    Raises:
        MemoryUnknown: There is none of this id, or it is somebody else's.
    """
    return _memory(await queries.memory_by_id(tx, principal.tenant.id, memory_id))


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    scope_id: UUID,
    kinds: Sequence[MemoryKind] | None = None,
    agent_id: UUID | None = None,
    topic: str | None = None,
    session_id: UUID | None = None,
    include_superseded: bool = False,
    include_archived: bool = False,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> MemoryPage:
    """Memories of one scope, newest first.

    Args:
        tx: A transaction as the server or as the caller.
        principal: The caller.
        scope_id: The person, or the session of somebody not known.
        kinds: Only these.
        agent_id: Only what is this agent's.
        topic: Only what is about this topic.
        session_id: Only what comes from this session.
        include_superseded: Also what holds no more.
        include_archived: Also what is searched no more.
        before: ``next_before`` of the page before.
        limit: How many at most.
    """
    rows = await queries.memories_before(
        tx,
        principal.tenant.id,
        scope_id,
        kinds,
        agent_id,
        topic,
        session_id,
        before[0] if before else None,
        before[1] if before else None,
        limit + 1,
        superseded=include_superseded,
        archived=include_archived,
    )
    items = [_memory(row) for row in rows[:limit]]
    more = len(rows) > limit
    return MemoryPage(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


async def history(tx: Transaction, principal: Principal, memory_id: UUID) -> list[Memory]:
    """All versions of one memory, oldest first: what it took the place of, itself, and what took its place.

    Returns:
        The latest 200.

    Raises:
        MemoryUnknown: There is none of this id, or it is somebody else's.
    """
    rows = await queries.versions(tx, principal.tenant.id, memory_id, MAX_VERSIONS)
    if not rows:
        raise MemoryUnknown("no memory with this id is yours")
    return [_memory(row) for row in reversed(rows)]


async def update(
    tx: Transaction,
    principal: Principal,
    memory_id: UUID,
    *,
    content: str | None = None,
    metadata: dict[str, Any] | None = None,
    importance: float | None = None,
    embedder: Embedder,
    vector: Sequence[float] | None = None,
) -> Memory:
    """Corrects a memory.

    Another content makes a new memory, said now, which takes the place of the old one; nothing is overwritten.
    Where the same is known already, that takes its place. The time of what is told of (``event_from``) is not
    taken over: it was read out of the old words. Metadata and importance change in place.

    Sent twice, it does no more than once: a memory that was superseded by one of this very content is that one.

    Args:
        tx: A transaction as the server.
        principal: The caller.
        memory_id: The memory.
        content: What it is to say; None: as before.
        metadata: Members to set; None as a member's value takes it away.
        importance: 0 to 1.
        embedder: The model of the vectors.
        vector: Embedding of the new content; None: it is made by the backlog.

    Returns:
        The memory that holds now: a new one where the content changed.

    Raises:
        MemoryUnknown: There is none of this id, or it is somebody else's.
        MemorySuperseded: It holds no more; ``superseded_by`` names what does.
        MemoryInvalid: Something is too long, too large or out of its bounds; or it is a turn, which is kept as it
            was said.
    """
    if content is not None:
        check_content(content)
    if metadata is not None:
        check_metadata(metadata)
    if importance is not None and not 0 <= importance <= 1:
        raise MemoryInvalid("importance: is not between 0 and 1")
    change = _Change(metadata=metadata or {}, importance=importance)
    old = await _held(tx, principal, memory_id)
    if old.valid_to is not None:
        old = await _successor(tx, principal, old, content)
    if content is None or content == old.content:
        now = await _changed(tx, principal, old, change)
        if now is not old:
            await _log(tx, principal, now, {"changed": [str(now.id)]})
        return now
    if old.kind == "turn":
        raise MemoryInvalid(
            "content: this is a turn, which is kept as it was said", hint="Delete it, or store a fact."
        )
    now = await _rewritten(tx, principal, old, content, change, embedder, vector)
    await _log(tx, principal, now, {"memories": [str(now.id)], "superseded": [str(old.id)]})
    return now


async def delete(tx: Transaction, principal: Principal, memory_id: UUID) -> int:
    """Deletes a memory with its older versions. Nothing of their text is left: not in the index, not as a vector,
    not in the log. The messages that it came from are not touched.

    The older versions go too because they tell of the same; without what superseded them nothing would say why
    they hold no more. What took the place of this one stays.

    Returns:
        How many rows are gone.

    Raises:
        MemoryUnknown: There is none of this id, or it is somebody else's.
    """
    memory = await _held(tx, principal, memory_id)
    gone = await queries.delete_versions(tx, principal.tenant.id, memory_id)
    await _log(tx, principal, memory, {"deleted": [str(i) for i in gone]})
    return len(gone)


@dataclass(frozen=True, kw_only=True)
class _Change:
    metadata: dict[str, Any]
    importance: float | None

    def of(self, memory: Memory) -> tuple[dict[str, Any], float]:
        """Metadata and importance of a memory after the change."""
        merged = {k: v for k, v in {**memory.metadata, **self.metadata}.items() if v is not None}
        if self.metadata:
            check_size(merged)
        return merged, memory.importance if self.importance is None else self.importance


async def _held(tx: Transaction, principal: Principal, memory_id: UUID) -> Memory:
    """The memory, locked, in a scope in which nobody else writes facts."""
    memory = await get(tx, principal, memory_id)
    # The scope first: whoever remembers takes the locks in this order too.
    scope_id = memory.profile_id or memory.session_id
    assert scope_id is not None  # noqa: S101 - a check of the table
    await queries.lock_scope(tx, scope_id)
    return _memory(await queries.lock_memory(tx, principal.tenant.id, memory_id))


async def _successor(tx: Transaction, principal: Principal, old: Memory, content: str | None) -> Memory:
    """What took the place of a memory, where that is what the caller wants it to say."""
    if content is not None and old.superseded_by is not None:
        successor = _memory(await queries.lock_memory(tx, principal.tenant.id, old.superseded_by))
        if successor.valid_to is None and successor.content == content:
            return successor
    raise MemorySuperseded(
        "this memory holds no more",
        hint="Correct the one in superseded_by." if old.superseded_by else "Store a new one.",
        superseded_by=str(old.superseded_by) if old.superseded_by else None,
    )


async def _changed(tx: Transaction, principal: Principal, memory: Memory, change: _Change) -> Memory:
    metadata, importance = change.of(memory)
    if (metadata, importance) == (memory.metadata, memory.importance):
        return memory
    return _memory(await queries.change_memory(tx, principal.tenant.id, memory.id, metadata, importance))


async def _rewritten(
    tx: Transaction,
    principal: Principal,
    old: Memory,
    content: str,
    change: _Change,
    embedder: Embedder,
    vector: Sequence[float] | None,
) -> Memory:
    tenant_id = principal.tenant.id
    metadata, importance = change.of(old)
    # It ends before the other begins: where only case or spaces differ, both are the same to the unique index.
    await queries.end_memory(tx, tenant_id, old.id)
    row = await queries.insert_version(
        tx,
        tenant_id,
        old.id,
        new_id(),
        content,
        metadata,
        importance,
        embedder.model_id,
        embedder.dimensions,
        vector,
    )
    if row is not None:
        now = _memory(row)
    else:
        twin = await queries.live_twin(tx, tenant_id, old.profile_id or old.session_id, content)
        now = await _changed(tx, principal, _memory(twin), change)
    await queries.set_successor(tx, tenant_id, old.id, now.id)
    return now


async def _log(tx: Transaction, principal: Principal, memory: Memory, details: dict[str, Any]) -> None:
    await queries.insert_log(
        tx,
        principal.tenant.id,
        memory.profile_id,
        memory.session_id,
        None,
        None,
        "write",
        memory.id,
        details,
    )
