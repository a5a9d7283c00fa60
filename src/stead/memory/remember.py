"""Writing memories: prepared (embedded) outside a transaction, stored inside the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from stead.core.ids import new_id
from stead.db import Transaction
from stead.identity import Principal
from stead.memory import queries
from stead.memory.models import NewMemory
from stead.memory.settling import Settled, settle
from stead.providers.embedders import Embedder


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What became of memories that were to be stored.

    Args:
        stored: Ids of those that were new, in their order.
        reinforced: Ids of what was known already and was said again.
        superseded: Ids of what no longer holds.
    """

    stored: list[UUID]
    reinforced: list[UUID]
    superseded: list[UUID]


async def prepare(embedder: Embedder, memories: Sequence[NewMemory]) -> list[NewMemory]:
    """Embeds memories where that needs no network. Others are stored at once and embedded by the backlog,
    so that a slow embedder delays nothing."""
    if not embedder.local or not memories:
        return list(memories)
    vectors = await embedder.embed([memory.content for memory in memories])
    return [replace(memory, vector=vector) for memory, vector in zip(memories, vectors, strict=True)]


async def remember(
    tx: Transaction,
    principal: Principal,
    *,
    session_id: UUID | None,
    profile_id: UUID | None,
    memories: Sequence[NewMemory],
    embedder: Embedder,
    run_id: UUID | None = None,
    agent_name: str | None = None,
    details: dict[str, Any] | None = None,
) -> Remembered:
    """Stores memories of a person, or of a session while nobody is known.

    What is known already (the same statement, in these or nearly these words) is not stored again: it becomes
    surer, and its new source is noted. What contradicts something known takes its place: the old memory stays,
    with the moment until which it held. Nothing is overwritten.

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        session_id: Where they come from.
        profile_id: Whose they are; None: the session's.
        memories: What to store.
        embedder: The model of their vectors.
        run_id: The run that they come from.
        agent_name: The agent that was spoken to.
        details: Added to the log row: what extraction cost, for instance. Never a text.
    """
    scope_id = profile_id or session_id
    if scope_id is None:
        raise ValueError("a memory belongs to a profile or to a session")
    if not memories:
        return Remembered(stored=[], reinforced=[], superseded=[])
    settled = await _settle(tx, principal, scope_id, memories, embedder)
    stored = await queries.insert_memories(
        tx,
        principal.tenant.id,
        profile_id,
        session_id,
        scope_id,
        embedder.model_id,
        embedder.dimensions,
        settled.new,
    )
    twins = [m.content for i, m in settled.new if i not in stored and m.kind != "turn"]
    reinforced = [
        *await queries.reinforce(tx, principal.tenant.id, settled.reinforced),
        *(await queries.reinforce_twins(tx, principal.tenant.id, scope_id, twins) if twins else []),
    ]
    # Of the two at least one is new: either may be the one that ends.
    ended = [(old, by, at) for old, by, at in settled.superseded if {old, by} & {*stored}]
    superseded = await queries.supersede(tx, principal.tenant.id, ended)
    await queries.insert_log(
        tx,
        principal.tenant.id,
        profile_id,
        session_id,
        run_id,
        agent_name,
        "write",
        None,
        {
            "memories": [str(i) for i in stored],
            "reinforced": [str(i) for i in reinforced],
            "superseded": [str(i) for i in superseded],
            **(details or {}),
        },
    )
    return Remembered(stored=stored, reinforced=reinforced, superseded=superseded)


async def _settle(
    tx: Transaction,
    principal: Principal,
    scope_id: UUID,
    memories: Sequence[NewMemory],
    embedder: Embedder,
) -> Settled[NewMemory]:
    identified = [(new_id(), memory) for memory in memories]
    facts = [(i, memory) for i, memory in identified if memory.kind == "fact"]
    if not facts:
        return Settled(new=identified, reinforced=[], superseded=[])
    # One writer of facts at a time in a scope: what it compares with is all there is.
    await queries.lock_scope(tx, scope_id)
    known = await queries.related_facts(
        tx,
        principal.tenant.id,
        scope_id,
        [memory.topic for _, memory in facts],
        [memory.vector for _, memory in facts],
        [memory.supersedes for _, memory in facts],
        embedder.model_id,
        embedder.dimensions,
    )
    settled = settle(facts, known)
    others = [(i, memory) for i, memory in identified if memory.kind != "fact"]
    return replace(settled, new=[*others, *settled.new])


async def move_session(tx: Transaction, principal: Principal, session_id: UUID, profile_id: UUID) -> int:
    """Makes the memories of a session that was linked those of the person; returns how many moved."""
    await queries.drop_known_facts(tx, principal.tenant.id, session_id, profile_id)
    return await queries.move_session(tx, principal.tenant.id, session_id, profile_id)
