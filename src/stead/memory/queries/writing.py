"""Statements that write memories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stead.db import Transaction
from stead.memory.models import NewMemory
from stead.memory.settling import Known, Reinforcement


def _array(values: Sequence[object] | None) -> str | None:
    # Arrays of arrays must be rectangular and cannot be unnested by row: a row's own array travels as text.
    return None if values is None else "{" + ",".join(map(str, values)) + "}"


async def insert_memories(
    tx: Transaction,
    tenant_id: UUID,
    profile_id: UUID | None,
    session_id: UUID | None,
    scope_id: UUID,
    model_name: str,
    dimensions: int,
    memories: Sequence[tuple[UUID, NewMemory]],
) -> list[UUID]:
    # Said twice, remembered once: the unique index over live facts decides, not a look beforehand. The vectors
    # are in the same statement, so that the trigger knows for whom there is none yet. They travel as the rows of one
    # matrix: in binary; as text they would cost more than everything else here.
    with_vector = [i for i, m in memories if m.vector is not None]
    rows_of = {i: n for n, i in enumerate(with_vector, 1)}
    rows = await tx.rows(
        """
        with given as (
          select u.*, stead.embedding_model($5, $6) as model
          from unnest($7::uuid[], $8::uuid[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[],
            $14::jsonb[], $15::real[], $16::real[], $17::text[], $18::text[], $19::timestamptz[],
            $20::timestamptz[], $21::timestamptz[], $22::integer[]) with ordinality
            as u (id, agent_id, place, kind, source, speaker, content, metadata, importance, confidence, topic,
              message_ids, happened_at, event_from, event_to, vector, n)
        ),
        stored as (
          insert into public.agent_memories
            (id, tenant_id, profile_id, session_id, agent_id, place, kind, source, speaker, content, metadata,
             importance, confidence, topic, message_ids, happened_at, event_from, event_to, valid_from,
             content_digest)
          select g.id, $1, $2, $3, g.agent_id, g.place, g.kind, g.source::public.memory_source, g.speaker, g.content,
            g.metadata, g.importance, g.confidence, g.topic, g.message_ids::uuid[], g.happened_at, g.event_from,
            g.event_to, g.happened_at, ''
          from given g order by g.n
          on conflict do nothing
          returning id, place
        ),
        vectors as (
          insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
          select $1, 'memory', g.id, $4, g.model, s.place,
            stead.as_embedding(array(select v from unnest(($23::real[])[g.vector:g.vector]) v))
          from given g join stored s on s.id = g.id where g.vector is not null
        )
        select s.id from stored s join given g on g.id = s.id order by g.n
        """,
        tenant_id,
        profile_id,
        session_id,
        scope_id,
        model_name,
        dimensions,
        [i for i, _ in memories],
        [m.agent_id for _, m in memories],
        [m.place for _, m in memories],
        [m.kind for _, m in memories],
        [m.source for _, m in memories],
        [m.speaker for _, m in memories],
        [m.content for _, m in memories],
        [m.metadata for _, m in memories],
        [m.importance for _, m in memories],
        [m.confidence for _, m in memories],
        [m.topic for _, m in memories],
        [_array(m.message_ids) for _, m in memories],
        [m.happened_at for _, m in memories],
        [m.event_from for _, m in memories],
        [m.event_to for _, m in memories],
        [rows_of.get(i) for i, _ in memories],
        [list(m.vector) for _, m in memories if m.vector is not None],
    )
    return [row["id"] for row in rows]


async def lock_scope(tx: Transaction, scope_id: UUID) -> None:
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended('memory ' || $1::text, 0))", str(scope_id)
    )


async def related_facts(
    tx: Transaction,
    tenant_id: UUID,
    scope_id: UUID,
    topics: Sequence[str | None],
    vectors: Sequence[Sequence[float] | None],
    named: Sequence[UUID | None],
    model_name: str,
    dimensions: int,
) -> list[Known]:
    # The third arm has no more than five for each new fact; without vectors (a remote embedder) it has none.
    some = [(n, vector) for n, vector in enumerate(vectors) if vector is not None]
    rows = await tx.rows(
        """
        with near as materialized (
          select ($8::integer[])[f.n] as n, f.memory_id, f.similarity
          from stead.near_facts($2, $5::real[], stead.embedding_model($6, $7), 0.5, 5) f
        )
        select (t.n - 1)::integer as n, m.id, m.content, m.topic, m.happened_at, x.similarity
        from unnest($3::text[]) with ordinality as t (topic, n)
        join public.agent_memories m on m.tenant_id = $1 and m.scope_id = $2 and m.topic = t.topic
        left join near x on x.n = t.n - 1 and x.memory_id = m.id
        where m.kind = 'fact' and m.valid_to is null and m.archived_at is null
        union
        select (t.n - 1)::integer, m.id, m.content, m.topic, m.happened_at, null
        from unnest($4::uuid[]) with ordinality as t (id, n)
        join public.agent_memories m on m.tenant_id = $1 and m.scope_id = $2 and m.id = t.id
        where m.kind = 'fact' and m.valid_to is null and m.archived_at is null
        union
        select x.n, m.id, m.content, m.topic, m.happened_at, x.similarity
        from near x join public.agent_memories m on m.tenant_id = $1 and m.scope_id = $2 and m.id = x.memory_id
        where m.kind = 'fact' and m.valid_to is null and m.archived_at is null
        order by similarity desc nulls last, happened_at desc, id
        """,
        tenant_id,
        scope_id,
        list(topics),
        list(named),
        [list(vector) for _, vector in some],
        model_name,
        dimensions,
        [n for n, _ in some],
    )
    return [Known(**dict(row)) for row in rows]


async def reinforce(tx: Transaction, tenant_id: UUID, said_again: Sequence[Reinforcement]) -> list[UUID]:
    # Two statements of the same are surer than one, and never certain.
    if not said_again:
        return []
    rows = await tx.rows(
        """
        update public.agent_memories m
        set confidence = least(1 - (1 - m.confidence) * (1 - g.confidence / 2), greatest(m.confidence, 0.99)),
          message_ids = m.message_ids || array(
            select i from unnest(g.message_ids::uuid[]) i where i <> all (m.message_ids))
        from (
          select id, max(confidence) as confidence,
            '{' || string_agg(btrim(message_ids, '{}'), ',') filter (where message_ids <> '{}') || '}' as message_ids
          from unnest($2::uuid[], $3::real[], $4::text[]) as u (id, confidence, message_ids) group by id
        ) g
        where m.tenant_id = $1 and m.id = g.id
        returning m.id
        """,
        tenant_id,
        [r.id for r in said_again],
        [r.confidence for r in said_again],
        [_array(r.message_ids) for r in said_again],
    )
    return [row["id"] for row in rows]


async def reinforce_twins(
    tx: Transaction, tenant_id: UUID, scope_id: UUID, contents: Sequence[str]
) -> list[UUID]:
    rows = await tx.rows(
        """
        update public.agent_memories m
        set confidence = least(1 - (1 - m.confidence) / 2, greatest(m.confidence, 0.99))
        where m.tenant_id = $1 and m.scope_id = $2 and m.kind <> 'turn' and m.valid_to is null
          and m.content_digest in (select stead.content_digest(c) from unnest($3::text[]) c)
        returning m.id
        """,
        tenant_id,
        scope_id,
        list(contents),
    )
    return [row["id"] for row in rows]


async def supersede(
    tx: Transaction, tenant_id: UUID, ended: Sequence[tuple[UUID, UUID, datetime]]
) -> list[UUID]:
    if not ended:
        return []
    rows = await tx.rows(
        """
        with ended as (
          update public.agent_memories m
          set valid_to = greatest(g.ended_at, m.valid_from), superseded_by = g.by
          from unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) as g (id, by, ended_at)
          where m.tenant_id = $1 and m.id = g.id and m.valid_to is null
          returning m.id, m.scope_id, m.message_ids
        ),
        -- The turn that said it says other things too and stays; but what it says is in part no longer so.
        outdated as (
          update public.agent_memories t set metadata = t.metadata || '{"outdated": true}'
          from ended e
          where t.tenant_id = $1 and t.scope_id = e.scope_id and t.kind = 'turn' and t.message_ids && e.message_ids
        )
        select e.id from ended e
        """,
        tenant_id,
        [old for old, _, _ in ended],
        [by for _, by, _ in ended],
        [at for _, _, at in ended],
    )
    return [row["id"] for row in rows]


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
