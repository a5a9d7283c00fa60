"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from stead.db import Row, Transaction


async def insert_memory(
    tx: Transaction,
    memory_id: UUID,
    tenant_id: UUID,
    profile_id: UUID | None,
    session_id: UUID | None,
    agent_id: UUID | None,
    place: int | None,
    kind: str,
    source: str,
    speaker: str | None,
    content: str,
    metadata: dict[str, Any],
    importance: float,
    happened_at: datetime,
) -> UUID | None:
    # Said twice, remembered once: the unique index over live facts decides, not a look beforehand.
    return await tx.value(
        """
        insert into public.agent_memories
          (id, tenant_id, profile_id, session_id, agent_id, place, kind, source, speaker, content, metadata,
           importance, happened_at, valid_from, content_digest)
        values ($1, $2, $3, $4, $5, $6, $7, $8::public.memory_source, $9, $10, $11, $12, $13, $13, '')
        on conflict do nothing
        returning id
        """,
        memory_id,
        tenant_id,
        profile_id,
        session_id,
        agent_id,
        place,
        kind,
        source,
        speaker,
        content,
        metadata,
        importance,
        happened_at,
    )


async def recall(
    tx: Transaction,
    scope_id: UUID,
    agent_id: UUID | None,
    question: str,
    vector: Sequence[float] | None,
    model_name: str,
    dimensions: int,
    weights: Sequence[float],
    limit: int,
) -> list[Row]:
    return await tx.rows(
        """
        select r.score, r.dense, r.lexical, r.lexical_near, r.lexical_wide,
          m.id, m.kind, m.source::text as source, m.speaker, m.content, m.metadata, m.happened_at,
          m.session_id, m.agent_id, m.created_at
        from stead.recall_memories($1, $2, $3, $4::real[], stead.embedding_model($5, $6), $7::real[], $8) r
        join public.agent_memories m on m.id = r.memory_id
        order by r.score desc, m.place desc
        """,
        scope_id,
        agent_id,
        question,
        vector,
        model_name,
        dimensions,
        weights,
        limit,
    )


async def note_recall(tx: Transaction, memory_ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.note_recall($1)", list(memory_ids))


async def insert_log(
    tx: Transaction,
    tenant_id: UUID,
    profile_id: UUID | None,
    session_id: UUID | None,
    run_id: UUID | None,
    agent_name: str | None,
    operation: str,
    memory_id: UUID | None,
    details: dict[str, Any],
) -> None:
    await tx.execute(
        """
        insert into public.memory_logs
          (tenant_id, profile_id, session_id, run_id, agent_name, operation, memory_id, details)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        tenant_id,
        profile_id,
        session_id,
        run_id,
        agent_name,
        operation,
        memory_id,
        details,
    )


async def drop_known_facts(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    # A fact that the person has already would collide with its twin from the session.
    return await tx.execute(
        """
        delete from public.agent_memories s
        where s.tenant_id = $1 and s.session_id = $2 and s.profile_id is null and s.kind <> 'turn'
          and exists (
            select from public.agent_memories p
            where p.tenant_id = $1 and p.scope_id = $3 and p.content_digest = s.content_digest
              and p.kind <> 'turn' and p.valid_to is null)
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def move_session(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        """
        update public.agent_memories set profile_id = $3
        where tenant_id = $1 and session_id = $2 and profile_id is null
        """,
        tenant_id,
        session_id,
        profile_id,
    )
