"""Writing memories: prepared (embedded) outside a transaction, stored inside the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stead import knowledge
from stead.core.ids import new_id
from stead.db import Transaction
from stead.identity import Principal
from stead.memory import queries
from stead.memory.models import MemoryKind, MemorySource
from stead.providers.embedders import Embedder


@dataclass(frozen=True, kw_only=True)
class NewMemory:
    """A memory to be stored.

    Args:
        content: What is remembered, in words.
        happened_at: When it was said.
        place: Its place among all turns; None for what is no turn.
        vector: Its embedding; None when it still has to be made.
    """

    content: str
    happened_at: datetime
    kind: MemoryKind = "fact"
    source: MemorySource = "chat"
    speaker: str | None = None
    agent_id: UUID | None = None
    place: int | None = None
    importance: float = 0.5
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    vector: Sequence[float] | None = None


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
) -> list[UUID]:
    """Stores memories of a person, or of a session while nobody is known.

    What is remembered already (the same words but for case and spaces) is not stored again.

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        session_id: Where they come from.
        profile_id: Whose they are; None: the session's.
        memories: What to store.
        embedder: The model of their vectors.
        run_id: The run that they come from.
        agent_name: The agent that was spoken to.

    Returns:
        The ids of those that were new.
    """
    scope_id = profile_id or session_id
    if scope_id is None:
        raise ValueError("a memory belongs to a profile or to a session")
    vectors: list[knowledge.Vector] = []
    for memory in memories:
        stored = await queries.insert_memory(
            tx,
            new_id(),
            principal.tenant.id,
            profile_id,
            session_id,
            memory.agent_id,
            memory.place,
            memory.kind,
            memory.source,
            memory.speaker,
            memory.content,
            memory.metadata,
            memory.importance,
            memory.happened_at,
        )
        if stored is not None:
            vectors.append(knowledge.Vector(owner_id=stored, scope_id=scope_id, values=memory.vector))
    if vectors:
        await knowledge.insert(tx, principal.tenant.id, "memory", embedder, vectors)
        await queries.insert_log(
            tx,
            principal.tenant.id,
            profile_id,
            session_id,
            run_id,
            agent_name,
            "write",
            None,
            {"memories": [str(v.owner_id) for v in vectors]},
        )
    return [v.owner_id for v in vectors]


async def move_session(tx: Transaction, principal: Principal, session_id: UUID, profile_id: UUID) -> int:
    """Makes the memories of a session that was linked those of the person; returns how many moved."""
    await queries.drop_known_facts(tx, principal.tenant.id, session_id, profile_id)
    return await queries.move_session(tx, principal.tenant.id, session_id, profile_id)
