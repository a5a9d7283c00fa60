"""Statements over single memories and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_COLUMNS: Final = """
  m.id, m.kind, m.source::text as source, m.speaker, m.content, m.metadata, m.importance, m.confidence, m.topic,
  m.message_ids, m.happened_at, m.event_from, m.event_to, m.valid_from, m.valid_to, m.superseded_by, m.recall_count,
  m.used_count, m.archived_at, m.profile_id, m.session_id, m.agent_id, m.created_at
"""


async def scope(
    tx: Transaction, tenant_id: UUID, profile_id: UUID | None, session_id: UUID | None
) -> Row | None:
    # Tables of other parts: a memory's owner is one of these two, and one statement knows both.
    return await tx.row(
        """
        select p.id as profile_id, s.id as session_id, s.profile_id as owner_id, now() as now
        from (values (true)) as one (row)
        left join public.profiles p on p.tenant_id = $1 and p.id = $2
        left join public.sessions s on s.tenant_id = $1 and s.id = $3
        """,
        tenant_id,
        profile_id,
        session_id,
    )


async def memory_by_id(tx: Transaction, tenant_id: UUID, memory_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_COLUMNS} from public.agent_memories m where m.tenant_id = $1 and m.id = $2",
        tenant_id,
        memory_id,
    )


async def lock_memory(tx: Transaction, tenant_id: UUID, memory_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_COLUMNS} from public.agent_memories m where m.tenant_id = $1 and m.id = $2 for update",
        tenant_id,
        memory_id,
    )


async def memories_before(
    tx: Transaction,
    tenant_id: UUID,
    scope_id: UUID,
    kinds: Sequence[str] | None,
    agent_id: UUID | None,
    topic: str | None,
    session_id: UUID | None,
    before_at: datetime | None,
    before_id: UUID | None,
    limit: int,
    *,
    superseded: bool,
    archived: bool,
) -> list[Row]:
    # A row comparison with values that are always there: it is a condition of the index, `$8 is null or …` is none.
    return await tx.rows(
        f"""
        select {_COLUMNS} from public.agent_memories m
        where m.tenant_id = $1 and m.scope_id = $2 and ($3::text[] is null or m.kind = any ($3))
          and ($4::uuid is null or m.agent_id = $4) and ($5::text is null or m.topic = $5)
          and ($6::uuid is null or m.session_id = $6)
          and ($7 or m.valid_to is null) and ($8 or m.archived_at is null)
          and (m.created_at, m.id)
            < (coalesce($9, 'infinity'::timestamptz), coalesce($10, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
        order by m.created_at desc, m.id desc limit $11
        """,
        tenant_id,
        scope_id,
        None if kinds is None else list(kinds),
        agent_id,
        topic,
        session_id,
        superseded,
        archived,
        before_at,
        before_id,
        limit,
    )


async def versions(tx: Transaction, tenant_id: UUID, memory_id: UUID, limit: int) -> list[Row]:
    # One way up, since each memory has one successor; all ways down. The limit of depth also ends a circle.
    return await tx.rows(
        f"""
        with recursive newer as (
          select m.id, m.superseded_by, 0 as step from public.agent_memories m
          where m.tenant_id = $1 and m.id = $2
          union all
          select m.id, m.superseded_by, n.step + 1
          from newer n join public.agent_memories m on m.tenant_id = $1 and m.id = n.superseded_by
          where n.step < $3
        ),
        older as (
          select $2::uuid as id, 0 as step
          union all
          select m.id, o.step - 1
          from older o join public.agent_memories m on m.tenant_id = $1 and m.superseded_by = o.id
          where o.step > -$3
        ),
        chain as (
          select c.id, max(c.step) as step
          from (select n.id, n.step from newer n union all select o.id, o.step from older o) c group by c.id
        )
        select {_COLUMNS} from chain c join public.agent_memories m on m.tenant_id = $1 and m.id = c.id
        order by c.step desc, m.valid_from desc, m.id desc limit $3
        """,
        tenant_id,
        memory_id,
        limit,
    )


async def change_memory(
    tx: Transaction, tenant_id: UUID, memory_id: UUID, metadata: dict[str, Any], importance: float
) -> Row | None:
    return await tx.row(
        f"""
        update public.agent_memories m set metadata = $3, importance = $4
        where m.tenant_id = $1 and m.id = $2 returning {_COLUMNS}
        """,
        tenant_id,
        memory_id,
        metadata,
        importance,
    )


async def end_memory(tx: Transaction, tenant_id: UUID, memory_id: UUID) -> None:
    await tx.execute(
        """
        update public.agent_memories m set valid_to = greatest(now(), m.valid_from)
        where m.tenant_id = $1 and m.id = $2
        """,
        tenant_id,
        memory_id,
    )


async def insert_version(
    tx: Transaction,
    tenant_id: UUID,
    old_id: UUID,
    new_id: UUID,
    content: str,
    metadata: dict[str, Any],
    importance: float,
    model_name: str,
    dimensions: int,
    vector: Sequence[float] | None,
) -> Row | None:
    # When what is told of happens was read out of the old words, and is not known of the new ones. The vector is
    # in the same statement, so that the trigger knows that there is one.
    return await tx.row(
        f"""
        with m as (
          insert into public.agent_memories
            (id, tenant_id, profile_id, session_id, agent_id, kind, source, speaker, content, metadata, importance,
             confidence, topic, message_ids, happened_at, valid_from, content_digest, place)
          select $3, o.tenant_id, o.profile_id, o.session_id, o.agent_id, o.kind, 'api', o.speaker, $4, $5, $6,
            o.confidence, o.topic, o.message_ids, now(), now(), '', null
          from public.agent_memories o where o.tenant_id = $1 and o.id = $2
          on conflict do nothing
          returning *
        ),
        vectors as (
          insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
          select m.tenant_id, 'memory', m.id, m.scope_id, stead.embedding_model($7, $8), m.place,
            stead.as_embedding($9::real[])
          from m where $9::real[] is not null
        )
        select {_COLUMNS} from m
        """,
        tenant_id,
        old_id,
        new_id,
        content,
        metadata,
        importance,
        model_name,
        dimensions,
        vector,
    )


async def live_twin(tx: Transaction, tenant_id: UUID, scope_id: UUID | None, content: str) -> Row | None:
    return await tx.row(
        f"""
        select {_COLUMNS} from public.agent_memories m
        where m.tenant_id = $1 and m.scope_id = $2 and m.content_digest = stead.content_digest($3)
          and m.kind <> 'turn' and m.valid_to is null
        """,
        tenant_id,
        scope_id,
        content,
    )


async def set_successor(tx: Transaction, tenant_id: UUID, memory_id: UUID, successor: UUID) -> None:
    await tx.execute(
        "update public.agent_memories set superseded_by = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        memory_id,
        successor,
    )


async def delete_versions(tx: Transaction, tenant_id: UUID, memory_id: UUID) -> list[UUID]:
    # `union`, not `union all`: what was seen is not followed again, so that a circle ends too.
    rows = await tx.rows(
        """
        with recursive chain as (
          select m.id from public.agent_memories m where m.tenant_id = $1 and m.id = $2
          union
          select m.id from chain c join public.agent_memories m on m.tenant_id = $1 and m.superseded_by = c.id
        )
        delete from public.agent_memories m using chain c where m.tenant_id = $1 and m.id = c.id returning m.id
        """,
        tenant_id,
        memory_id,
    )
    return [row["id"] for row in rows]
