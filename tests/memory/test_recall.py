"""Writing and finding memories, in a real database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from stead import memory, sessions
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal, Tenant, anonymous
from stead.knowledge import embed_backlog, fold_totals
from stead.memory import NewMemory, Recalled
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.servers.openai import OpenAIServer
from tests.support.people import Person, service

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return build_embedder("static", EmbedderConfig())


async def write(
    db: Database,
    who: Person | Principal,
    embedder: Embedder,
    memories: list[NewMemory],
    session: UUID | None = None,
) -> list[UUID]:
    principal = who.principal if isinstance(who, Person) else who
    ready = await memory.prepare(embedder, memories)
    async with db.transaction(principal.served()) as tx:
        done = await memory.remember(
            tx, principal, session_id=session, profile_id=principal.profile_id, memories=ready,
            embedder=embedder,
        )  # fmt: skip
    return done.stored


async def find(
    db: Database, who: Person | Principal, embedder: Embedder, question: str, *, scope: UUID | None = None,
    limit: int = 5, agent: UUID | None = None, dense: bool = True,
) -> list[Recalled]:  # fmt: skip
    principal = who.principal if isinstance(who, Person) else who
    vector = (await embedder.embed([question]))[0] if dense else None
    async with db.transaction(principal.served()) as tx:
        return await memory.recall(
            tx, scope or principal.profile_id or principal.session_id or new_id(),
            memory.Question(text=question, vector=vector), embedder=embedder, limit=limit, agent_id=agent,
        )  # fmt: skip


def facts(*texts: str) -> list[NewMemory]:
    return [NewMemory(content=text, happened_at=AT) for text in texts]


async def test_the_best_comes_first_and_the_rest_fills_up(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await write(db, person, embedder, facts("I live in Lisbon.", "I charge $300 a day.", "I love dogs."))
    found = await find(db, person, embedder, "How much do I charge?")
    assert found[0].memory.content == "I charge $300 a day."
    assert len(found) == 3
    assert found[0].score > found[1].score >= found[2].score
    assert found[0].scores.lexical is not None
    assert found[0].scores.lexical > 0


async def test_meaning_finds_what_words_do_not(db: Database, person: Person, embedder: Embedder) -> None:
    await write(
        db, person, embedder, facts("My dog is ill.", "Interest rates fell.", "The bridge is closed.")
    )
    found = await find(db, person, embedder, "veterinarian for a sick puppy")
    assert found[0].memory.content == "My dog is ill."
    assert not found[0].scores.lexical
    assert found[0].scores.dense is not None


async def test_rare_words_weigh_more_than_common_ones(
    db: Database, person: Person, embedder: Embedder
) -> None:
    common = [f"The project meeting number {n} went well." for n in range(30)]
    await write(db, person, embedder, facts(*common, "The meeting with Xanthippe."))
    found = await find(db, person, embedder, "project meeting Xanthippe", dense=False)
    assert found[0].memory.content == "The meeting with Xanthippe."


async def test_a_short_answer_is_found_by_the_question_before_it(
    db: Database, person: Person, embedder: Embedder
) -> None:
    number = 1_000_000 + person.id.int % 1_000_000
    talk = [
        "Nice weather.",
        "Which bicycle did you buy in the end?",
        "The red one.",
        "Oh, lovely!",
        "Bye.",
        *(f"And something else, number {n}." for n in range(10)),
    ]
    turns = [
        NewMemory(
            content=text, happened_at=AT + timedelta(minutes=n), kind="turn", speaker="ab"[n % 2],
            place=sessions.place_of(number, n + 1),
        )
        for n, text in enumerate(talk)
    ]  # fmt: skip
    await write(db, person, embedder, turns)
    found = await find(db, person, embedder, "What bicycle was bought?", dense=False)
    assert found[0].memory.content == talk[1]
    answer = next(r for r in found[:4] if r.memory.content == "The red one.")
    assert answer.scores.lexical == 0
    assert answer.scores.lexical_near
    assert not any("something else" in r.memory.content for r in found[:4])


async def test_the_same_fact_is_remembered_once(
    db: Database, person: Person, embedder: Embedder
) -> None:
    assert len(await write(db, person, embedder, facts("I live in Lisbon."))) == 1
    assert await write(db, person, embedder, facts("  i live  in LISBON. ")) == []
    results = await asyncio.gather(
        *(write(db, person, embedder, facts("I have a cat.")) for _ in range(16))
    )
    assert sum(map(len, results)) == 1


async def test_scopes_are_apart(
    db: Database, person: Person, stranger: Person, tenant: Tenant, embedder: Embedder
) -> None:
    await write(db, person, embedder, facts("I live in Lisbon."))
    assert await find(db, stranger, embedder, "Where do I live?") == []
    for foreign in (stranger.principal, anonymous(tenant, new_id())):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await find(db, foreign, embedder, "Where do I live?", scope=person.id)
    # The other tenant's service may name any scope, and finds none of this tenant's.
    assert await find(db, service(stranger.tenant), embedder, "Lisbon", scope=person.id) == []
    assert len(await find(db, service(tenant), embedder, "Lisbon", scope=person.id)) == 1


async def test_an_agent_keeps_what_is_its_own(
    db: Database, person: Person, embedder: Embedder, access: DatabaseAccess
) -> None:
    async with db.transaction(service(person.tenant)) as tx:
        one, two = [
            await tx.value(
                "insert into agents (tenant_id, slug, name) values ($1, $2, $2) returning id",
                person.tenant.id, slug,
            )
            for slug in ("one", "two")
        ]  # fmt: skip
    own = [NewMemory(content="I told one a secret.", happened_at=AT, agent_id=one)]
    await write(db, person, embedder, [*own, *facts("I told everybody.")])
    assert len(await find(db, person, embedder, "told", agent=one)) == 2
    assert [r.memory.content for r in await find(db, person, embedder, "told", agent=two)] == [
        "I told everybody."
    ]


async def test_what_no_longer_holds_is_not_found_and_what_is_deleted_leaves_no_trace(
    db: Database, person: Person, embedder: Embedder, access: DatabaseAccess
) -> None:
    kept, old, gone = await write(
        db, person, embedder, facts("I live in Lisbon.", "I live in Porto.", "I live in Faro.")
    )
    async with db.transaction(person.principal.served()) as tx:
        await tx.execute("update agent_memories set valid_to = now() where id = $1", old)
        await tx.execute("delete from agent_memories where id = $1", gone)
    found = await find(db, person, embedder, "Where do I live?")
    assert [r.memory.id for r in found] == [kept]
    assert access.admin_url is not None
    admin = await asyncpg.connect(access.admin_url)
    try:
        for table, column in (
            ("embeddings", "owner_id"),
            ("embedding_backlog", "owner_id"),
            ("search_docs", "owner_id"),
        ):
            assert (
                await admin.fetchval(f"select count(*) from stead.{table} where {column} = $1", gone)
                == 0
            )
        orphans = """
            select count(*) from stead.search_terms t
            where not exists (select from stead.search_docs d where d.place = t.place)
        """
        assert await admin.fetchval(orphans) == 0
    finally:
        await admin.close()


async def test_lexeme_statistics_equal_a_rebuild_after_concurrent_writers(
    db: Database, person: Person, embedder: Embedder, access: DatabaseAccess
) -> None:
    async def one(n: int) -> None:
        ids = await write(
            db, person, embedder, facts(*(f"Writer {n} says item {i} of {n}." for i in range(6)))
        )
        async with db.transaction(person.principal.served()) as tx:
            await tx.execute("delete from agent_memories where id = $1", ids[0])
            await tx.execute(
                "update agent_memories set content = content || ' Changed.' where id = $1", ids[1]
            )

    await asyncio.gather(*(one(n) for n in range(16)))
    await fold_totals(db, many=4)
    assert access.admin_url is not None
    admin = await asyncpg.connect(access.admin_url)
    try:
        rebuilt = """
            select m.place, stead.term_key(m.scope_id, l.lexeme) as term, l.frequency
            from agent_memories m,
              stead.document_lexemes(stead.search_config(m.tenant_id), m.speaker, m.happened_at, m.content) l
            where m.scope_id = $1
        """
        kept = """
            select t.place, t.term, t.frequency from stead.search_terms t
            join stead.search_docs d on d.place = t.place where d.scope_id = $1
        """
        assert sorted(await admin.fetch(kept, person.id)) == sorted(
            await admin.fetch(rebuilt, person.id)
        )
        assert (
            await admin.fetchval("select count(*) from stead.search_docs where scope_id = $1", person.id)
            == 80
        )
        lengths = """
            select count(*) from stead.search_docs d where d.scope_id = $1 and d.length <>
              (select sum(l.counted) from agent_memories m, stead.document_lexemes(
                stead.search_config(m.tenant_id), m.speaker, m.happened_at, m.content) l where m.place = d.place)
        """
        assert await admin.fetchval(lengths, person.id) == 0
        totals = "select sum(docs) as docs, sum(length) as length from stead.search_totals where scope_id = $1"
        counted = (
            "select count(*) as docs, sum(length) as length from stead.search_docs where scope_id = $1"
        )
        assert tuple(await admin.fetchrow(totals, person.id)) == tuple(
            await admin.fetchrow(counted, person.id)
        )
    finally:
        await admin.close()


async def test_a_linked_session_brings_its_memories_but_not_twice(
    db: Database, person: Person, tenant: Tenant, embedder: Embedder
) -> None:
    visitor = anonymous(tenant).within(new_id())
    async with db.transaction(visitor.served()) as tx:
        session, _ = await sessions.open_session(tx, visitor)
    await write(db, visitor, embedder, facts("I live in Lisbon.", "I have a cat."), session.id)
    await write(db, person, embedder, facts("I live in Lisbon."))
    async with db.transaction(service(tenant)) as tx:
        await tx.execute("update sessions set profile_id = $2 where id = $1", session.id, person.id)
        assert await memory.move_session(tx, service(tenant), session.id, person.id) == 1
    found = await find(db, person, embedder, "Lisbon cat")
    assert sorted(r.memory.content for r in found) == ["I have a cat.", "I live in Lisbon."]
    assert all(r.scores.dense is not None for r in found)


async def test_a_remote_embedder_delays_nothing_and_catches_up(db: Database, person: Person) -> None:
    async with OpenAIServer() as vendor:
        remote = build_embedder(
            "openai/text-embedding-3-small@64",
            EmbedderConfig(openai_api_key="k", openai_base_url=vendor.base_url),
        )
        await write(db, person, remote, facts("I live in Lisbon.", "I charge $300 a day."))
        found = await find(db, person, remote, "Lisbon", dense=False)
        assert found[0].memory.content == "I live in Lisbon."
        assert found[0].scores.dense is None
        taken = await asyncio.gather(*(embed_backlog(db, remote, batch=500) for _ in range(3)))
        assert sum(taken) >= 2
        assert await embed_backlog(db, remote) == 0
        found = await find(db, person, remote, "I live in Lisbon.")
        assert found[0].scores.dense == pytest.approx(1, abs=0.01)
        await remote.aclose()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "???",
        "🦜🦜",
        "שלום עולם",
        "x" * 100_000,
        "'; drop table agent_memories; --",
        "a & b | !c <-> d",
    ],
)
async def test_any_question_has_an_answer(
    db: Database, person: Person, embedder: Embedder, text: str
) -> None:
    await write(db, person, embedder, facts("I live in Lisbon.", "שלום עולם טוב", "🦜 is my parrot"))
    assert len(await find(db, person, embedder, text)) == 3


async def test_recalls_are_noted_without_text(db: Database, person: Person, embedder: Embedder) -> None:
    (only,) = await write(db, person, embedder, facts("I live in Lisbon."))
    found = await find(db, person, embedder, "Lisbon")
    async with db.transaction(person.principal.served()) as tx:
        await memory.note(
            tx, person.principal, session_id=new_id(), profile_id=person.id, run_id=new_id(),
            agent_name="concierge", found=found, injected=found, embedder=embedder, started_at=0,
        )  # fmt: skip
        log = await tx.row(
            "select * from memory_logs where operation = 'recall' and profile_id = $1", person.id
        )
        count = await tx.value("select recall_count from agent_memories where id = $1", only)
    assert log is not None
    assert log["details"]["injected"] == [str(only)]
    assert "Lisbon" not in str(dict(log))
    assert count == 1
