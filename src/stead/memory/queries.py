"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, LiteralString
from uuid import UUID

from stead.db import Row, Transaction
from stead.memory.settling import Known, Reinforcement

if TYPE_CHECKING:
    from stead.memory.remember import NewMemory


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
          returning id
        ),
        vectors as (
          insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, embedding)
          select $1, 'memory', g.id, $4, g.model,
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
    kinds: Sequence[str] | None,
    period_from: datetime | None,
    period_to: datetime | None,
    as_of: datetime | None,
    asked_at: datetime,
    whole_below: int,
) -> list[Row]:
    return await tx.rows(
        """
        select r.score, r.dense, r.dense_near, r.lexical, r.lexical_near, r.lexical_wide, r.named, r.timely,
          r.recency, r.usefulness, r.approximate,
          m.id, m.kind, m.source::text as source, m.speaker, m.content, m.metadata, m.importance, m.confidence,
          m.topic, m.message_ids, m.happened_at, m.event_from, m.event_to, m.valid_from, m.valid_to,
          m.superseded_by, m.recall_count, m.used_count, m.archived_at, m.profile_id, m.session_id, m.agent_id,
          m.created_at
        from stead.recall_memories($1, $2, $3, $4::real[], stead.embedding_model($5, $6), $7::real[], $8, $9::text[],
          $10, $11, $12, $13, $14) r
        join public.agent_memories m on m.id = r.memory_id
        order by r.score desc, m.place desc
        """,
        scope_id,
        agent_id,
        question,
        vector,
        model_name,
        dimensions,
        list(weights),
        limit,
        None if kinds is None else list(kinds),
        period_from,
        period_to,
        as_of,
        asked_at,
        whole_below,
    )


async def first_met(tx: Transaction, scope_id: UUID) -> datetime | None:
    return await tx.value(
        """
        select min(d.told_from) from (
          select m.happened_at as told_from from public.agent_memories m
          where m.tenant_id = (select stead.tenant_id()) and m.scope_id = $1 order by m.created_at limit 1
        ) d
        """,
        scope_id,
    )


async def note_recall(tx: Transaction, memory_ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.note_recall($1)", list(memory_ids))


async def note_use(tx: Transaction, memory_ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.note_use($1)", list(memory_ids))


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


async def fade_memories(tx: Transaction, batch: int) -> int:
    return await tx.value("select stead.fade_memories($1)", batch)


async def expire_memories(tx: Transaction, batch: int) -> int:
    return await tx.value("select stead.expire_memories($1)", batch)


async def claim_consolidation(tx: Transaction, lease_s: float) -> Row | None:
    return await tx.row(
        "select tenant_id, tenant_slug, scope_id, is_profile, ticket from stead.claim_consolidation($1)",
        lease_s,
    )


async def finish_consolidation(
    tx: Transaction, tenant_id: UUID, scope_id: UUID, ticket: datetime
) -> None:
    await tx.execute("select stead.finish_consolidation($1, $2, $3)", tenant_id, scope_id, ticket)


async def near_pairs(
    tx: Transaction, scope_id: UUID, model_name: str, dimensions: int, floor: float, limit: int
) -> list[Row]:
    return await tx.rows(
        "select one, other, similarity from stead.near_pairs($1, stead.embedding_model($2, $3), $4, $5)",
        scope_id,
        model_name,
        dimensions,
        floor,
        limit,
    )


async def candidates(tx: Transaction, tenant_id: UUID, memory_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        """
        select id, content, topic, confidence, importance, happened_at from public.agent_memories
        where tenant_id = $1 and id = any ($2::uuid[]) and valid_to is null and archived_at is null
        """,
        tenant_id,
        list(memory_ids),
    )


async def merge_facts(tx: Transaction, tenant_id: UUID, survivor: UUID, others: Sequence[UUID]) -> None:
    # The survivor holds since the first of them was said, and is as sure as all of them together.
    await tx.execute(
        """
        with others as (
          update public.agent_memories m set valid_to = greatest(now(), m.valid_from), superseded_by = $2
          where m.tenant_id = $1 and m.id = any ($3::uuid[]) and m.valid_to is null
          returning m.confidence, m.importance, m.message_ids, m.valid_from, m.recall_count, m.used_count
        ),
        told as (
          select max(o.importance) as importance, min(o.valid_from) as valid_from,
            exp(sum(ln(1.0001 - o.confidence / 2))) as doubt, sum(o.recall_count) as recalls, sum(o.used_count) as uses,
            array(select distinct i from others x, unnest(x.message_ids) i) as message_ids
          from others o
        )
        update public.agent_memories m
        set importance = greatest(m.importance, t.importance), valid_from = least(m.valid_from, t.valid_from),
          confidence = least(1 - (1 - m.confidence) * t.doubt, greatest(m.confidence, 0.99)),
          recall_count = m.recall_count + t.recalls, used_count = m.used_count + t.uses,
          message_ids = m.message_ids || array(select i from unnest(t.message_ids) i where i <> all (m.message_ids))
        from told t
        where m.tenant_id = $1 and m.id = $2 and t.importance is not null
        """,
        tenant_id,
        survivor,
        list(others),
    )


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
          insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, embedding)
          select m.tenant_id, 'memory', m.id, m.scope_id, stead.embedding_model($7, $8),
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


def _export(
    table: LiteralString, owned: LiteralString, at: LiteralString = "created_at"
) -> LiteralString:
    # Rows of one table after a place, in an order that insertions do not upset. The limit comes before the
    # conversion, so that only rows that are given out are read whole. The time is asked for by itself too: the
    # key's text is not leakproof, and what it stands in is kept from the index by row-level security.
    return f"""
        select to_jsonb(p.t) - '{{place,scope_id,content_digest,digest}}'::text[] as record, p.at, p.key
        from (
          select t, t.{at} as at, t.id::text collate "C" as key from {table} t
          where t.tenant_id = $1 and {owned} and t.{at} >= coalesce($3, '-infinity'::timestamptz)
            and (t.{at}, t.id::text collate "C") > (coalesce($3, '-infinity'::timestamptz), $4::text)
          order by t.{at}, t.id::text collate "C" limit $5
        ) p
        order by p.at, p.key
    """


_OWNED: Final = "(t.profile_id = $2 or (t.session_id = $2 and t.profile_id is null))"

# What is stored about a person or a session, table by table. Most are other parts' tables, of which memory may not
# import the statements: whoever asks for everything about somebody must get it from one place, or it is not
# everything. A new table with a profile, session or scope needs its line here; tests/memory/test_exporting.py says so.
EXPORTED: Final[tuple[tuple[str, LiteralString], ...]] = (
    ("profile", _export("public.profiles", "t.id = $2")),
    (
        "session",
        _export("public.sessions", "(t.profile_id = $2 or (t.id = $2 and t.profile_id is null))"),
    ),
    ("message", _export("public.messages", _OWNED)),
    ("run", _export("public.agent_runs", _OWNED)),
    ("memory", _export("public.agent_memories", "t.scope_id = $2")),
    ("memory_log", _export("public.memory_logs", _OWNED)),
    ("goal", _export("public.goal_assessments", "t.scope_id = $2")),
    ("goal_progress", _export("public.goal_progress", "t.scope_id = $2")),
    ("belief", _export("public.belief_graphs", "t.scope_id = $2")),
    ("belief_edge", _export("public.belief_edges", "t.scope_id = $2")),
    ("belief_update", _export("public.belief_updates", "t.scope_id = $2", at="at")),
    ("item", _export("public.store_items", "t.scope_id = $2")),
    ("cognitive_metric", _export("public.cognitive_metrics", _OWNED)),
    ("feedback", _export("public.message_feedback", _OWNED)),
)


async def exported(
    tx: Transaction,
    statement: LiteralString,
    tenant_id: UUID,
    scope_id: UUID,
    after_at: datetime | None,
    after_key: str,
    limit: int,
) -> list[Row]:
    return await tx.rows(statement, tenant_id, scope_id, after_at, after_key, limit)


def stream_exported(
    tx: Transaction, statement: LiteralString, tenant_id: UUID, scope_id: UUID
) -> AsyncIterator[Row]:
    # No limit: the cursor reads some at a time.
    return tx.stream(statement, tenant_id, scope_id, None, "", None)


async def erase_memory(tx: Transaction, memory_id: UUID, *, sources: bool) -> dict[str, Any] | None:
    return await tx.value("select stead.erase_memory($1, $2)", memory_id, sources)


async def request_erasure(tx: Transaction, kind: str, subject_id: UUID, erasure_id: UUID) -> UUID | None:
    return await tx.value("select stead.request_erasure($1, $2, $3)", kind, subject_id, erasure_id)


async def erase_step(tx: Transaction, erasure_id: UUID, batch: int) -> Row:
    row = await tx.row("select gone, finished, erased from stead.erase_step($1, $2)", erasure_id, batch)
    assert row is not None  # noqa: S101 - a function with OUT parameters always answers with one row
    return row


async def release_erasure(tx: Transaction, erasure_id: UUID) -> None:
    await tx.execute("select stead.release_erasure($1)", erasure_id)


async def claim_erasures(tx: Transaction, batch: int) -> list[Row]:
    return await tx.rows(
        "select id, tenant_id, tenant_slug, kind, subject_id from stead.claim_erasures($1)", batch
    )


async def evaluate(
    tx: Transaction,
    tenant_id: UUID,
    since: datetime,
    until: datetime,
    bucket: str,
    agent_name: str | None,
    limit: int,
) -> list[Row]:
    # A run recalls once, and what its answer used and got for feedback counts where its recall does: the three are
    # of the same answer, however late the last of them comes. Feedback is the sessions' table: which run it is of is
    # known there, and which embedder a run had only here. A read is later than its recall, so that both are ranges
    # of one index. (`materialized`: two scans and a hash join, however short the planner takes the ranges for.
    # `jsonb_to_record` unpacks a log's details once, not once a member.)
    return await tx.rows(
        """
        with recalls as materialized (
          select l.run_id, l.agent_name, d.embedder,
            case when $4 = 'total' then $2 else date_trunc($4, l.created_at, 'UTC') end as bucket,
            jsonb_array_length(d.found) as found, jsonb_array_length(d.injected) as injected, d.context_tokens,
            d.latency_ms
          from public.memory_logs l
          cross join lateral jsonb_to_record(l.details) as d
            (embedder text, found jsonb, injected jsonb, context_tokens integer, latency_ms double precision)
          where l.tenant_id = $1 and l.operation = 'recall' and l.created_at >= $2 and l.created_at < $3
            and ($5::text is null or l.agent_name = $5)
        ),
        reads as materialized (
          select l.run_id, jsonb_array_length(d.injected) as injected, jsonb_array_length(d.used) as used
          from public.memory_logs l
          cross join lateral jsonb_to_record(l.details) as d (injected jsonb, used jsonb)
          where l.tenant_id = $1 and l.operation = 'read' and l.created_at >= $2
            and ($5::text is null or l.agent_name = $5)
        )
        select r.bucket, r.agent_name, r.embedder, count(*) as recalls,
          avg(r.found)::double precision as found, avg(r.injected)::double precision as injected,
          avg(r.context_tokens)::double precision as context_tokens, count(u.run_id) as judged,
          sum(u.used)::double precision / nullif(sum(u.injected), 0) as hit_rate,
          (count(*) filter (where u.used > 0))::double precision / nullif(count(u.run_id), 0) as used_share,
          count(*) filter (where f.rating = 1) as up, count(*) filter (where f.rating = -1) as down,
          percentile_cont(0.5) within group (order by r.latency_ms) as recall_p50_ms,
          percentile_cont(0.95) within group (order by r.latency_ms) as recall_p95_ms
        from recalls r
        left join reads u on u.run_id = r.run_id
        left join public.message_feedback f on f.tenant_id = $1 and f.run_id = r.run_id
        group by 1, 2, 3
        order by 1 desc, 2, 3
        limit $6
        """,
        tenant_id,
        since,
        until,
        bucket,
        agent_name,
        limit,
    )
