"""Memories one by one: what reading, correcting and deleting leave behind, in a real database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from stead import memory
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal, Tenant
from stead.knowledge import embed_backlog
from stead.memory import Memory, NewMemory, records, scopes
from stead.memory.contents import unit_vector
from stead.memory.errors import (
    EmbeddingDimensionsWrong,
    MemoryInvalid,
    MemoryOwnerUnknown,
    MemorySuperseded,
    MemoryUnknown,
)
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.support.people import Person, make_person, service

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return build_embedder("static", EmbedderConfig())


def fact(content: str, **more: Any) -> NewMemory:
    return NewMemory(content=content, **{"happened_at": AT, **more})


async def write(db: Database, person: Person, embedder: Embedder, *memories: NewMemory) -> list[UUID]:
    ready = await memory.prepare(embedder, memories)
    async with db.transaction(person.principal.served()) as tx:
        done = await memory.remember(
            tx,
            person.principal,
            session_id=None,
            profile_id=person.id,
            memories=ready,
            embedder=embedder,
        )
    return done.stored


async def correct(
    db: Database, who: Person | Principal, embedder: Embedder, memory_id: UUID, **change: Any
) -> Memory:
    principal = who.principal if isinstance(who, Person) else who
    content = change.get("content")
    vector = (await embedder.embed([content]))[0] if content else None
    async with db.transaction(principal.served()) as tx:
        return await records.update(tx, principal, memory_id, embedder=embedder, vector=vector, **change)


async def delete(db: Database, who: Person | Principal, memory_id: UUID) -> int:
    principal = who.principal if isinstance(who, Person) else who
    async with db.transaction(principal.served()) as tx:
        return await records.delete(tx, principal, memory_id)


async def read(db: Database, who: Person | Principal, memory_id: UUID) -> Memory:
    principal = who.principal if isinstance(who, Person) else who
    async with db.transaction(principal, read_only=True) as tx:
        return await records.get(tx, principal, memory_id)


async def versions(db: Database, person: Person, memory_id: UUID) -> list[str]:
    async with db.transaction(person.principal, read_only=True) as tx:
        return [m.content for m in await records.history(tx, person.principal, memory_id)]


async def listed(db: Database, person: Person, **filters: Any) -> list[str]:
    async with db.transaction(person.principal, read_only=True) as tx:
        page = await records.listing(tx, person.principal, scope_id=person.id, **filters)
    return [m.content for m in page.items]


async def found(
    db: Database, person: Person, embedder: Embedder, question: str, as_of: datetime | None = None
) -> list[str]:
    vector = (await embedder.embed([question]))[0]
    async with db.transaction(person.principal.served()) as tx:
        items = await memory.recall(
            tx,
            person.id,
            memory.Question(text=question, vector=vector, as_of=as_of),
            embedder=embedder,
            limit=20,
        )
    return [r.memory.content for r in items]


async def test_a_corrected_content_takes_the_place_of_the_old_one(
    db: Database, person: Person, embedder: Embedder
) -> None:
    (old,) = await write(
        db, person, embedder,
        fact("I live in Lisbon.", topic="residence", importance=0.8, confidence=0.7, metadata={"a": 1}),
    )  # fmt: skip
    now = await correct(db, person, embedder, old, content="I live in Porto.")
    assert now.id != old
    assert (now.content, now.topic, now.source) == ("I live in Porto.", "residence", "api")
    assert (now.metadata, round(now.importance, 3), round(now.confidence, 3)) == ({"a": 1}, 0.8, 0.7)
    assert now.valid_to is None
    before = await read(db, person, old)
    assert before.content == "I live in Lisbon."
    assert before.superseded_by == now.id
    assert before.valid_to == now.valid_from
    assert await versions(db, person, old) == ["I live in Lisbon.", "I live in Porto."]
    assert await versions(db, person, now.id) == ["I live in Lisbon.", "I live in Porto."]


async def test_search_finds_what_holds_and_formerly_what_held(
    db: Database, person: Person, embedder: Embedder
) -> None:
    (old,) = await write(db, person, embedder, fact("I live in Lisbon."))
    await correct(db, person, embedder, old, content="I live in Porto.")
    assert await found(db, person, embedder, "Where do I live?") == ["I live in Porto."]
    formerly = await found(db, person, embedder, "Where do I live?", AT + timedelta(days=1))
    assert formerly == ["I live in Lisbon."]


async def test_a_vector_comes_along_or_is_waited_for(
    db: Database, access: DatabaseAccess, person: Person, embedder: Embedder
) -> None:
    (old,) = await write(db, person, embedder, fact("I live in Lisbon."))
    with_vector = await correct(db, person, embedder, old, content="I live in Porto.")
    async with db.transaction(person.principal.served()) as tx:
        without = await records.update(
            tx, person.principal, with_vector.id, content="I live in Faro.", embedder=embedder
        )
    assert access.admin_url is not None
    connection = await asyncpg.connect(access.admin_url)
    waiting = "select owner_id from stead.embedding_backlog where owner_id = any($1)"
    vectors = "select owner_id from stead.embeddings where owner_id = any($1)"
    ids = [with_vector.id, without.id]
    try:
        assert [r[0] for r in await connection.fetch(vectors, ids)] == [with_vector.id]
        assert [r[0] for r in await connection.fetch(waiting, ids)] == [without.id]
        while await embed_backlog(db, embedder):
            pass
        assert {r[0] for r in await connection.fetch(vectors, ids)} == set(ids)
    finally:
        await connection.close()


async def test_metadata_and_importance_change_in_place(
    db: Database, person: Person, embedder: Embedder
) -> None:
    (known,) = await write(db, person, embedder, fact("I like tea.", metadata={"a": 1, "b": {"c": 2}}))
    now = await correct(
        db,
        person,
        embedder,
        known,
        metadata={"a": None, "d": "x"},
        importance=1.0,
        content="I like tea.",
    )
    assert (now.id, now.valid_to) == (known, None)
    assert (now.metadata, now.importance) == ({"b": {"c": 2}, "d": "x"}, 1.0)
    assert await correct(db, person, embedder, known, metadata={"d": "x"}) == now
    assert await versions(db, person, known) == ["I like tea."]


async def test_only_case_and_spaces_may_change_too(
    db: Database, person: Person, embedder: Embedder
) -> None:
    (known,) = await write(db, person, embedder, fact("i live  in porto."))
    now = await correct(db, person, embedder, known, content="I live in Porto.")
    assert await versions(db, person, now.id) == ["i live  in porto.", "I live in Porto."]
    assert await listed(db, person) == ["I live in Porto."]


async def test_what_is_known_already_takes_the_place(
    db: Database, person: Person, embedder: Embedder
) -> None:
    porto, other = await write(
        db, person, embedder, fact("I live in Porto."), fact("My cat is black.", metadata={"x": 1})
    )
    now = await correct(db, person, embedder, other, content="i live in porto.", metadata={"y": 2})
    assert now.id == porto
    assert now.metadata == {"y": 2}
    assert (await read(db, person, other)).superseded_by == porto
    assert await listed(db, person) == ["I live in Porto."]


async def test_sent_twice_it_is_done_once(db: Database, person: Person, embedder: Embedder) -> None:
    (known,) = await write(db, person, embedder, fact("I live in Lisbon."))
    first = await correct(db, person, embedder, known, content="I live in Porto.")
    again = await correct(db, person, embedder, known, content="I live in Porto.")
    assert again == first
    with pytest.raises(MemorySuperseded) as refused:
        await correct(db, person, embedder, known, content="I live in Faro.")
    assert refused.value.extra == {"superseded_by": str(first.id)}
    with pytest.raises(MemorySuperseded):
        await correct(db, person, embedder, known, importance=1.0)
    assert await versions(db, person, known) == ["I live in Lisbon.", "I live in Porto."]


async def test_of_corrections_at_once_one_holds(
    db: Database, person: Person, embedder: Embedder
) -> None:
    (known,) = await write(db, person, embedder, fact("I live in Lisbon."))
    answers = await asyncio.gather(
        *(correct(db, person, embedder, known, content=f"I live in town {n}.") for n in range(8)),
        return_exceptions=True,
    )
    done = [a for a in answers if isinstance(a, Memory)]
    assert len(done) == 1
    assert all(isinstance(a, Memory | MemorySuperseded) for a in answers)
    assert await listed(db, person) == [done[0].content]
    assert await versions(db, person, known) == ["I live in Lisbon.", done[0].content]


async def test_a_turn_is_kept_as_it_was_said(db: Database, person: Person, embedder: Embedder) -> None:
    (turn,) = await write(db, person, embedder, fact("Good morning!", kind="turn", speaker="user"))
    with pytest.raises(MemoryInvalid, match="turn"):
        await correct(db, person, embedder, turn, content="Good evening!")
    assert (await correct(db, person, embedder, turn, importance=0.0)).importance == 0
    assert await delete(db, person, turn) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"content": ""}, "content: is empty"),
        ({"content": " \n\t"}, "content: is empty"),
        ({"content": "x" * 100_001}, "has 100001 characters; at most 100000"),
        ({"importance": 1.01}, "importance"),
        ({"importance": float("nan")}, "importance"),
        ({"metadata": {"message_ids": 5}}, "message_ids is a name of Stead's own"),
        ({"metadata": {"a": "x" * 70_000}}, "metadata: has 700"),
        ({"metadata": {"a": [[[]]]} | {"b": json.loads("[" * 40 + "]" * 40)}}, "levels deep"),
    ],
)
async def test_what_cannot_be_right_changes_nothing(
    db: Database, person: Person, embedder: Embedder, change: dict[str, Any], says: str
) -> None:
    (known,) = await write(db, person, embedder, fact("I like tea.", metadata={"a": 1}))
    before = await read(db, person, known)
    async with db.transaction(person.principal.served()) as tx:
        with pytest.raises(MemoryInvalid, match=says):
            await records.update(tx, person.principal, known, embedder=embedder, **change)
    assert await read(db, person, known) == before
    assert await listed(db, person) == ["I like tea."]


async def test_metadata_cannot_grow_without_end(
    db: Database, person: Person, embedder: Embedder
) -> None:
    (known,) = await write(db, person, embedder, fact("I like tea."))
    await correct(db, person, embedder, known, metadata={"a": "x" * 60_000})
    with pytest.raises(MemoryInvalid, match="at most 65536"):
        await correct(db, person, embedder, known, metadata={"b": "x" * 60_000})


@pytest.mark.parametrize(
    "content",
    [
        "x" * 100_000,
        "🙂👩‍👩‍👧‍👦" * 200,
        "أنا أعيش في القاهرة وأحب القهوة.",
        "Ich wohne in Köln, j'aime le café, 我住在上海, я люблю чай.",
        "\u202eright to left override",
        "e\u0301 and é are two spellings",
    ],
    ids=["long", "emoji", "arabic", "mixed", "override", "combining"],
)
async def test_texts_of_all_kinds_come_back_as_they_were(
    db: Database, person: Person, embedder: Embedder, content: str
) -> None:
    (known,) = await write(db, person, embedder, fact("I like tea."))
    now = await correct(db, person, embedder, known, content=content)
    assert (await read(db, person, now.id)).content == content
    assert (await found(db, person, embedder, content[:200]))[0] == content
    assert await delete(db, person, now.id) == 2
    assert await listed(db, person, include_superseded=True) == []


async def test_nothing_of_a_deleted_text_is_left(
    db: Database, access: DatabaseAccess, person: Person, embedder: Embedder
) -> None:
    word = f"xylophone{new_id().hex}"
    (first,) = await write(db, person, embedder, fact(f"My {word} is red.", topic="my:instrument"))
    second = await correct(db, person, embedder, first, content=f"My {word} is blue.")
    async with db.transaction(person.principal.served()) as tx:  # without a vector: in the backlog
        third = await records.update(
            tx, person.principal, second.id, content=f"My {word} is green.", embedder=embedder
        )
    (kept,) = await write(db, person, embedder, fact("I like tea."))
    ids = [first, second.id, third.id]
    assert access.admin_url is not None
    connection = await asyncpg.connect(access.admin_url)
    try:
        term = "select stead.term_key($1, $2)"
        key = await connection.fetchval(term, person.id, word)
        postings = "select count(*) from stead.search_terms where term = $1"
        # What holds no more is still searched, for questions about when it did.
        assert await connection.fetchval(postings, key) == 3
        assert await delete(db, person, third.id) == 3
        assert await connection.fetchval(postings, key) == 0
        for table in ("search_docs", "embeddings", "embedding_backlog"):
            rows = f"select count(*) from stead.{table} where owner_id = any($1)"
            assert await connection.fetchval(rows, ids) == 0, table
        tables = await connection.fetch(
            """
            select format('%I.%I', n.nspname, c.relname) from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('public', 'stead') and c.relkind = 'r'
            """
        )
        for (table,) in tables:
            holding = f"select count(*) from {table} t where t::text like '%' || $1 || '%'"
            assert await connection.fetchval(holding, word) == 0, table
        logged = await connection.fetchval(
            "select details from public.memory_logs where tenant_id = $1 and details ? 'deleted'",
            person.tenant.id,
        )
        assert all(str(i) in logged for i in ids)
        assert str(kept) not in logged
    finally:
        await connection.close()
    with pytest.raises(MemoryUnknown):
        await delete(db, person, third.id)
    assert await listed(db, person) == ["I like tea."]


async def test_what_took_the_place_stays(db: Database, person: Person, embedder: Embedder) -> None:
    (first,) = await write(db, person, embedder, fact("I live in Lisbon."))
    second = await correct(db, person, embedder, first, content="I live in Porto.")
    third = await correct(db, person, embedder, second.id, content="I live in Faro.")
    assert await delete(db, person, second.id) == 2
    assert await versions(db, person, third.id) == ["I live in Faro."]


async def test_several_that_one_took_the_place_of(
    db: Database, access: DatabaseAccess, person: Person, embedder: Embedder
) -> None:
    a, b, c = await write(
        db, person, embedder,
        fact("I live in Lisbon.", happened_at=AT), fact("My home is in Lisbon, by the river.",
        happened_at=AT + timedelta(days=1)), fact("My cat is black."),
    )  # fmt: skip
    assert access.admin_url is not None
    connection = await asyncpg.connect(access.admin_url)
    ending = "update public.agent_memories set superseded_by = $2, valid_to = now() where id = $1"
    await connection.execute(ending, a, c)
    await connection.execute(ending, b, c)
    assert await versions(db, person, a) == ["I live in Lisbon.", "My cat is black."]
    assert len(await versions(db, person, c)) == 3
    # A circle, which nothing here makes, ends all the same.
    await connection.execute(ending, c, a)
    assert len(await versions(db, person, b)) == 3
    assert await delete(db, person, b) == 1
    assert await delete(db, person, a) == 2
    await connection.close()


async def test_a_long_history_is_bounded_and_deleted_whole(
    db: Database, access: DatabaseAccess, person: Person, embedder: Embedder
) -> None:
    stored = await write(
        db, person, embedder,
        *(
            fact(f"I am {n} years old.", topic="age", happened_at=AT + timedelta(days=n))
            for n in range(300)
        ),
    )  # fmt: skip
    history = await versions(db, person, stored[-1])
    assert len(history) == records.MAX_VERSIONS
    assert history[-1] == "I am 299 years old."
    assert await delete(db, person, stored[-1]) == 300


async def test_listing_pages_newest_first_and_misses_nothing(
    db: Database, person: Person, embedder: Embedder
) -> None:
    # In one transaction all have one time: only the id tells them apart.
    await write(db, person, embedder, *(fact(f"Thing number {n}.") for n in range(7)))
    await write(db, person, embedder, *(fact(f"Thing number {n}.") for n in range(7, 12)))
    seen: list[str] = []
    before = None
    while True:
        async with db.transaction(person.principal, read_only=True) as tx:
            page = await records.listing(
                tx, person.principal, scope_id=person.id, before=before, limit=5
            )
        seen += [m.content for m in page.items]
        before = page.next_before
        if before is None:
            break
        assert len(page.items) == 5
    late, early = {f"Thing number {n}." for n in range(7, 12)}, {f"Thing number {n}." for n in range(7)}
    assert (set(seen[:5]), set(seen[5:]), len(seen)) == (late, early, 12)


async def test_listing_is_narrowed(
    db: Database, access: DatabaseAccess, person: Person, embedder: Embedder
) -> None:
    async with db.transaction(service(person.tenant)) as tx:
        agent = await tx.value(
            "insert into public.agents (tenant_id, slug, name) values ($1, 'a', 'A') returning id",
            person.tenant.id,
        )
    # What is no fact is stored first.
    _, summary, live, mine = await write(
        db, person, embedder,
        fact("I live in Porto.", topic="residence"),
        fact("My dog is Bruno.", agent_id=agent),
        fact("Hello!", kind="turn"),
        fact("They talked of towns.", kind="summary"),
    )  # fmt: skip
    assert await listed(db, person, kinds=["turn"]) == ["Hello!"]
    assert set(await listed(db, person, kinds=["fact", "summary"])) == {
        "I live in Porto.", "My dog is Bruno.", "They talked of towns.",
    }  # fmt: skip
    assert await listed(db, person, agent_id=agent) == ["My dog is Bruno."]
    assert await listed(db, person, topic="residence") == ["I live in Porto."]
    assert await listed(db, person, session_id=new_id()) == []
    await correct(db, person, embedder, live, content="I live in Faro.")
    assert await listed(db, person, topic="residence") == ["I live in Faro."]
    both = await listed(db, person, topic="residence", include_superseded=True)
    assert both == ["I live in Faro.", "I live in Porto."]
    assert access.admin_url is not None
    connection = await asyncpg.connect(access.admin_url)
    await connection.execute(
        "update public.agent_memories set archived_at = now() where id = any($1)", [mine, summary]
    )
    await connection.close()
    assert set(await listed(db, person)) == {"I live in Faro.", "Hello!"}
    assert len(await listed(db, person, include_archived=True)) == 4


async def test_nobody_reaches_another_ones_memory(
    db: Database, person: Person, stranger: Person, embedder: Embedder
) -> None:
    (known,) = await write(db, person, embedder, fact("My secret is xylophone."))
    before = await read(db, person, known)
    colleague = await make_person(db, person.tenant, "bob")
    for other in (stranger.principal, service(stranger.tenant), colleague.principal):
        with pytest.raises(MemoryUnknown):
            await read(db, other, known)
        with pytest.raises(MemoryUnknown):
            await correct(db, other, embedder, known, content="Mine now.")
        with pytest.raises(MemoryUnknown):
            await correct(db, other, embedder, known, metadata={"a": 1})
        with pytest.raises(MemoryUnknown):
            await delete(db, other, known)
        async with db.transaction(other, read_only=True) as tx:
            with pytest.raises(MemoryUnknown):
                await records.history(tx, other, known)
            page = await records.listing(tx, other, scope_id=person.id, include_superseded=True)
            assert page.items == []
    assert await read(db, person, known) == before
    # The tenant's own service may.
    assert (await read(db, service(person.tenant), known)).content == "My secret is xylophone."


async def test_whose_memories_are_meant(
    db: Database, tenant: Tenant, person: Person, stranger: Person
) -> None:
    async def resolve(who: Principal, **named: UUID | None) -> scopes.Scope:
        async with db.transaction(who.served(), read_only=True) as tx:
            return await scopes.resolve(tx, who, **named)

    async def session_of(profile_id: UUID | None) -> UUID:
        async with db.transaction(service(tenant)) as tx:
            return await tx.value(
                "insert into public.sessions (tenant_id, profile_id) values ($1, $2) returning id",
                tenant.id, profile_id,
            )  # fmt: skip

    colleague = await make_person(db, tenant, "bob")
    mine, theirs, nobodys = (
        await session_of(person.id), await session_of(colleague.id), await session_of(None)
    )  # fmt: skip
    me, staff = person.principal, service(tenant)
    assert (await resolve(me)).id == person.id
    named = await resolve(me, profile_id=person.id, session_id=mine)
    assert (named.id, named.session_id) == (person.id, mine)
    assert (await resolve(staff, profile_id=person.id)).id == person.id
    assert (await resolve(staff, session_id=mine)).profile_id == person.id
    assert (await resolve(staff, session_id=nobodys)).id == nobodys
    for who, wrong in (
        (me, {"profile_id": colleague.id}),
        (me, {"session_id": theirs}),
        (me, {"session_id": nobodys}),
        (staff, {"profile_id": stranger.id}),
        (staff, {"profile_id": new_id()}),
        (staff, {"session_id": new_id()}),
        (staff, {"profile_id": person.id, "session_id": theirs}),
        (staff, {"profile_id": person.id, "session_id": nobodys}),
        (service(stranger.tenant), {"profile_id": person.id}),
        (service(stranger.tenant), {"session_id": mine}),
    ):
        with pytest.raises(MemoryOwnerUnknown):
            await resolve(who, **wrong)
    with pytest.raises(MemoryInvalid):
        await resolve(staff)


def test_given_vectors_are_checked_and_scaled(embedder: Embedder) -> None:
    size = embedder.dimensions
    assert unit_vector([3.0, 4.0] + [0.0] * (size - 2), embedder)[:3] == [0.6, 0.8, 0.0]
    huge = unit_vector([1e308] * size, embedder)
    tiny = unit_vector([1e-320] * size, embedder)
    assert huge[0] == pytest.approx(size**-0.5)
    assert tiny[0] == pytest.approx(size**-0.5)
    with pytest.raises(EmbeddingDimensionsWrong, match="has 3 dimensions; static/minilm-256 has 256"):
        unit_vector([1.0, 2.0, 3.0], embedder)
    for wrong in (0.0, float("inf"), float("nan")):
        with pytest.raises(MemoryInvalid):
            unit_vector([wrong] * size, embedder)
