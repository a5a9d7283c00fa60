"""Fading, archiving, expiry, consolidation: bounded rounds under each tenant's own policy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from stead import memory
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.memory import NewMemory, curation
from stead.memory.curation import Candidate, merge
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.support.people import Person, make_person, make_tenant

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return build_embedder("static", EmbedderConfig())


@pytest_asyncio.fixture
async def own(fresh: DatabaseAccess) -> AsyncIterator[Database]:
    """A database of this test's own: curation looks at all tenants."""
    database = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=6))
    yield database
    await database.close()


@pytest_asyncio.fixture
async def admin(fresh: DatabaseAccess) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(fresh.admin_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def ann(own: Database, fresh: DatabaseAccess) -> Person:
    return await make_person(own, await make_tenant(fresh))


async def write(db: Database, who: Person, embedder: Embedder, *memories: NewMemory) -> None:
    ready = await memory.prepare(embedder, memories)
    async with db.transaction(who.principal.served()) as tx:
        await memory.remember(
            tx, who.principal, session_id=None, profile_id=who.id, memories=ready, embedder=embedder
        )


def fact(text: str, **other: Any) -> NewMemory:
    return NewMemory(content=text, happened_at=AT, **other)


def turn(text: str, **other: Any) -> NewMemory:
    return NewMemory(content=text, kind="turn", happened_at=AT, **other)


async def found(db: Database, who: Person, embedder: Embedder, text: str) -> list[str]:
    async with db.transaction(who.principal.served()) as tx:
        question = memory.Question(text=text, vector=(await embedder.embed([text]))[0])
        return [r.memory.content for r in await memory.recall(tx, who.id, question, embedder=embedder)]


async def test_importance_halves_towards_its_least_and_being_given_refreshes(
    own: Database, ann: Person, embedder: Embedder, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    await write(own, ann, embedder, fact("I live in Lisbon.", importance=0.9))
    await write(own, ann, embedder, fact("I have two cats.", importance=0.9))
    await admin.execute("update agent_memories set curated_at = now() - interval '180 days'")
    await admin.execute(
        "update agent_memories set last_recalled_at = now() where content = 'I have two cats.'"
    )
    assert await curation.fade(own) == 2
    importance = dict(await admin.fetch("select content, importance from agent_memories"))
    assert importance["I live in Lisbon."] == pytest.approx(0.5, abs=0.001)
    assert importance["I have two cats."] == pytest.approx(0.9, abs=0.001)
    assert await curation.fade(own) == 0, "looked at once a day"


async def test_a_stale_turn_leaves_the_index_and_a_stale_fact_does_not(
    own: Database, ann: Person, embedder: Embedder, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    await write(own, ann, embedder, turn("Nice weather today.", importance=0.2))
    await write(own, ann, embedder, fact("I live in Lisbon.", importance=0.2))
    await admin.execute(
        "update agent_memories set curated_at = now() - interval '2 days', "
        "created_at = now() - interval '400 days', happened_at = now() - interval '400 days'"
    )
    await curation.fade(own)
    assert await found(own, ann, embedder, "weather Lisbon") == ["I live in Lisbon."]
    archived = await admin.fetchval(
        "select archived_at is not null from agent_memories where kind = 'turn'"
    )
    assert archived
    for table in ("search_docs", "embeddings"):
        assert await admin.fetchval(f"select count(*) from stead.{table}") == 1
    log = await admin.fetchrow("select operation, details from memory_logs where operation = 'decay'")
    assert log is not None
    # Brought back, it is found again, and waits for a vector.
    await admin.execute("update agent_memories set archived_at = null")
    assert len(await found(own, ann, embedder, "weather")) == 2
    assert await admin.fetchval("select count(*) from stead.embedding_backlog") == 1


async def test_what_is_always_given_and_never_used_goes_down_and_then_out(
    own: Database, ann: Person, embedder: Embedder, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    await write(
        own, ann, embedder, fact("I like red bicycles a lot."), fact("I like blue bicycles a lot.")
    )
    before = await found(own, ann, embedder, "Which bicycles do I like?")
    await admin.execute(
        "update agent_memories set recall_count = 19, curated_at = now() - interval '2 days' "
        "where content = $1", before[0],
    )  # fmt: skip
    assert (await found(own, ann, embedder, "Which bicycles do I like?"))[0] == before[1]
    await curation.fade(own)
    assert len(await found(own, ann, embedder, "Which bicycles do I like?")) == 2
    await admin.execute(
        "update agent_memories set recall_count = 20, curated_at = now() - interval '2 days' "
        "where content = $1", before[0],
    )  # fmt: skip
    await curation.fade(own)
    assert await found(own, ann, embedder, "Which bicycles do I like?") == [before[1]]


async def test_each_tenant_has_its_own_retention(
    own: Database, ann: Person, embedder: Embedder, fresh: DatabaseAccess,
    admin: asyncpg.Connection[asyncpg.Record],
) -> None:  # fmt: skip
    bob = await make_person(own, await make_tenant(fresh))
    for who in (ann, bob):
        await write(own, who, embedder, fact("I live in Lisbon."), fact("I live in Porto."))
    await admin.execute(
        "insert into memory_policies (tenant_id, keep_days, keep_archived_days) values ($1, 30, 5)",
        ann.tenant.id,
    )
    await admin.execute(
        "update agent_memories set created_at = now() - interval '31 days' where content like '%Lisbon%'"
    )
    await admin.execute(
        "update agent_memories set valid_to = now() - interval '6 days', valid_from = now() - interval '9 days' "
        "where content like '%Porto%'"
    )
    assert await curation.expire(own) == 2
    left = {row[0] for row in await admin.fetch("select tenant_id from agent_memories")}
    assert left == {bob.tenant.id}


async def test_near_duplicates_become_one_with_all_sources(
    own: Database, ann: Person, embedder: Embedder, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    sources = [new_id() for _ in range(3)]
    texts = ("I work as a potter in Faro.", "I work as a potter in Lagos.", "I have a brown dog.")
    for text, source in zip(texts, sources, strict=True):
        await write(own, ann, embedder, fact(text, message_ids=(source,), confidence=0.8))
    # Two writers whose vectors came late may both have stored it: as it were.
    await admin.execute(
        "insert into agent_memories (tenant_id, profile_id, content, content_digest, message_ids, confidence) "
        "values ($1, $2, 'I''m working as a potter in Faro!', '', $3, 0.9)",
        ann.tenant.id, ann.id, [sources[2]],
    )  # fmt: skip
    from stead.knowledge import embed_backlog  # noqa: PLC0415 - only here

    await embed_backlog(own, embedder)
    await admin.execute("update stead.consolidations set requested_at = now() - interval '5 minutes'")
    done = await asyncio.gather(*(curation.consolidate(own, embedder) for _ in range(3)))
    assert sorted(done) == [0, 0, 1]
    rows = {row["content"]: row for row in await admin.fetch("select * from agent_memories")}
    one, other = rows["I'm working as a potter in Faro!"], rows["I work as a potter in Faro."]
    assert other["superseded_by"] == one["id"]
    assert set(one["message_ids"]) == {sources[0], sources[2]}
    assert one["confidence"] > 0.9
    assert rows["I work as a potter in Lagos."]["valid_to"] is None
    assert rows["I have a brown dog."]["valid_to"] is None
    assert await curation.consolidate(own, embedder) == 0


def test_likeness_does_not_travel_along_a_chain() -> None:
    texts = ("I like green tea", "I like green tea very much in the morning", "I like green tea")
    facts = [
        Candidate(
            id=new_id(), content=text, topic=None, confidence=0.5 + n / 10, importance=0.5,
            happened_at=AT + timedelta(days=n),
        )
        for n, text in enumerate(texts)
    ]  # fmt: skip
    pairs = [(a.id, b.id) for a in facts for b in facts if a.id < b.id]
    (only,) = merge(facts, pairs)
    assert only.survivor == facts[2].id
    assert only.others == [facts[0].id]
