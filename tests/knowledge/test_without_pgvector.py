"""PostgreSQL 15 without pgvector: the same memories, found in the same order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from stead import knowledge
from stead.assembly.database import DatabaseAccess, check_login
from stead.db import Database, PoolConfig
from stead.db.migration import all_migrations
from stead.db.migrator import migrate
from stead.memory import NewMemory, Recalled
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.knowledge.conversations import AT, QUESTIONS, assert_same_ranking, find, said, write
from tests.servers.openai import OpenAIServer
from tests.support.debian import PlainPostgres
from tests.support.people import Person, make_person, make_tenant


@dataclass(frozen=True, kw_only=True)
class World:
    """A database and a person in it who has said two hundred things."""

    access: DatabaseAccess
    db: Database
    ann: Person


async def _world(access: DatabaseAccess, embedder: Embedder) -> AsyncIterator[World]:
    db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=6))
    ann = await make_person(db, await make_tenant(access))
    await write(db, ann, embedder, said(1_000_000 + ann.id.int % 1_000_000))
    yield World(access=access, db=db, ann=ann)
    await db.close()


@pytest_asyncio.fixture(scope="module")
async def without(plain: DatabaseAccess, embedder: Embedder) -> AsyncIterator[World]:
    """On Debian's PostgreSQL."""
    async for world in _world(plain, embedder):
        yield world


@pytest_asyncio.fixture(scope="module")
async def with_pgvector(access: DatabaseAccess, embedder: Embedder) -> AsyncIterator[World]:
    """On the embedded server."""
    async for world in _world(access, embedder):
        yield world


async def test_all_migrations_apply_and_the_server_may_log_in(
    without: World, debian_postgres: PlainPostgres
) -> None:
    assert debian_postgres.version.isdigit()
    assert without.access.admin_url is not None
    status = await migrate(without.access.admin_url)
    assert (status.applied, status.pending) == (all_migrations(), ())
    await check_login(without.access)
    admin = await asyncpg.connect(without.access.admin_url)
    try:
        assert await admin.fetchval("select count(*) from pg_extension where extname = 'vector'") == 0
        assert await admin.fetchval(
            "select pg_typeof(embedding)::text from stead.embeddings limit 1"
        ) == ("real[]")
    finally:
        await admin.close()


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_same_is_recalled(
    without: World, with_pgvector: World, embedder: Embedder, question: str
) -> None:
    async def both(**options: bool | int) -> tuple[list[Recalled], list[Recalled]]:
        return (
            await find(without.db, without.ann, embedder, question, **options),  # type: ignore[arg-type]
            await find(with_pgvector.db, with_pgvector.ann, embedder, question, **options),  # type: ignore[arg-type]
        )

    ours, theirs = await both()
    assert any(r.scores.dense for r in ours)
    assert_same_ranking(ours, theirs)
    # By words alone not even rounding tells them apart.
    ours, theirs = await both(dense=False)
    assert [(r.memory.content, round(r.score, 9)) for r in ours] == [
        (r.memory.content, round(r.score, 9)) for r in theirs
    ]
    # As in a large scope: candidates first, then scored.
    ours, theirs = await both(whole_below=20)
    assert ours
    assert all(r.scores.approximate for r in ours)
    assert_same_ranking(ours, theirs)


@pytest_asyncio.fixture(params=["without pgvector", "with pgvector"])
async def either(request: pytest.FixtureRequest) -> World:
    """Each of the two, and somebody of whom nothing is known."""
    name = "without" if request.param == "without pgvector" else "with_pgvector"
    world: World = request.getfixturevalue(name)
    return World(
        access=world.access, db=world.db, ann=await make_person(world.db, world.ann.tenant, "new")
    )


@pytest.fixture(autouse=True)
def both(without: World, with_pgvector: World) -> None:
    """Begun before any test: an asynchronous fixture cannot be begun from within another one."""


async def test_a_later_fact_of_the_same_topic_takes_the_place_of_an_earlier_one(
    either: World, embedder: Embedder
) -> None:
    lives = [NewMemory(content="I live in Porto.", happened_at=AT, topic="residence")]
    moved = [NewMemory(content="I live in Lisbon now.", happened_at=AT, topic="residence")]
    (old,) = (await write(either.db, either.ann, embedder, lives)).stored
    done = await write(either.db, either.ann, embedder, moved)
    assert done.superseded == [old]
    assert [
        r.memory.content for r in await find(either.db, either.ann, embedder, "Where do I live?")
    ] == ["I live in Lisbon now."]


async def test_the_same_fact_is_found_near_and_remembered_once(
    either: World, embedder: Embedder
) -> None:
    fact = NewMemory(content="I have a grey cat called Momo.", happened_at=AT)
    again = NewMemory(content="I have a grey cat, called Momo!", happened_at=AT)
    (known,) = (await write(either.db, either.ann, embedder, [fact])).stored
    assert (await write(either.db, either.ann, embedder, [again])).reinforced == [known]
    (vector,) = await embedder.embed(["a grey cat"])
    async with either.db.transaction(either.ann.principal.served()) as tx:
        near = await tx.rows(
            """
            select memory_id, similarity
            from stead.near_facts($1, $2::real[], stead.embedding_model($3, $4), 0, 5)
            """,
            either.ann.id, [vector], embedder.model_id, embedder.dimensions,
        )  # fmt: skip
    assert [row["memory_id"] for row in near] == [known]
    assert 0.3 < near[0]["similarity"] < 1


async def test_what_waits_is_embedded_and_another_model_is_indexed_beside_it(
    either: World, embedder: Embedder
) -> None:
    db, ann = either.db, either.ann
    turns = [
        NewMemory(content=text, happened_at=AT, kind="turn") for text in ("I own a canoe.", "It rains.")
    ]
    await write(db, ann, embedder, turns, bare=True)
    assert (await find(db, ann, embedder, "canoe"))[0].scores.dense is None
    taken = await asyncio.gather(*(knowledge.embed_backlog(db, embedder, batch=2000) for _ in range(3)))
    assert sum(taken) >= 2
    found = await find(db, ann, embedder, "I own a canoe.")
    assert found[0].scores.dense == pytest.approx(1, abs=0.01)

    async with OpenAIServer() as vendor:
        remote = build_embedder(
            "openai/text-embedding-3-small@64",
            EmbedderConfig(openai_api_key="k", openai_base_url=vendor.base_url),
        )
        assert (await find(db, ann, remote, "I own a canoe."))[0].scores.dense is None
        while await knowledge.reindex(db, remote):
            pass
        while await knowledge.embed_backlog(db, remote, batch=2000):
            pass
        found = await find(db, ann, remote, "I own a canoe.")
        assert found[0].scores.dense == pytest.approx(1, abs=0.01)
        # The old model's are still there, until they are forgotten.
        assert (await find(db, ann, embedder, "I own a canoe."))[0].scores.dense == pytest.approx(
            1, abs=0.01
        )
        while await knowledge.forget_model(db, remote.model_id):
            pass
        assert (await find(db, ann, remote, "I own a canoe."))[0].scores.dense is None
        await remote.aclose()


async def test_what_is_deleted_leaves_no_vector(either: World, embedder: Embedder) -> None:
    (gone,) = (
        await write(
            either.db, either.ann, embedder, [NewMemory(content="I sold my boat.", happened_at=AT)]
        )
    ).stored
    assert either.access.admin_url is not None
    admin = await asyncpg.connect(either.access.admin_url)
    try:
        count = "select count(*) from stead.embeddings where owner_id = $1"
        assert await admin.fetchval(count, gone) == 1
        async with either.db.transaction(either.ann.principal.served()) as tx:
            await tx.execute("delete from agent_memories where id = $1", gone)
        assert await admin.fetchval(count, gone) == 0
    finally:
        await admin.close()
    assert await find(either.db, either.ann, embedder, "boat") == []


async def test_other_kinds_of_documents_are_searched(either: World, embedder: Embedder) -> None:
    goals = ["Grow tomatoes on the balcony.", "Pay off the loan.", "Learn to sail."]
    async with either.db.transaction(either.ann.principal.served()) as tx:
        await tx.execute(
            "insert into goal_assessments (tenant_id, profile_id, goal) select $1, $2, unnest($3::text[])",
            either.ann.tenant.id, either.ann.id, goals,
        )  # fmt: skip
    while await knowledge.embed_backlog(either.db, embedder, batch=2000):
        pass
    (vector,) = await embedder.embed(["vegetables and plants"])
    async with either.db.transaction(either.ann.principal.served()) as tx:
        hits = await knowledge.search(
            tx, "goal", either.ann.id, "vegetables", embedder=embedder, vector=vector
        )
        best = await tx.value("select goal from goal_assessments where id = $1", hits[0].owner_id)
        shown = await tx.value(
            "select goal_vector(g) from goal_assessments g where id = $1", hits[0].owner_id
        )
    assert best == goals[0]
    assert len(hits) == 3
    assert len(shown) == embedder.dimensions


async def test_vectors_longer_than_a_page_are_kept(without: World) -> None:
    """3,072 numbers of four bytes."""
    assert without.access.admin_url is not None
    admin = await asyncpg.connect(without.access.admin_url)
    try:
        assert await admin.fetchval(
            """
            with v as (select array_agg(sqrt(1 / 3072.0)::real) as v from generate_series(1, 3072))
            insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
            select gen_random_uuid(), 'memory', gen_random_uuid(), gen_random_uuid(),
              stead.embedding_model('long', 3072), 1, v from v
            returning stead.similarity(embedding, embedding)
            """
        ) == pytest.approx(1, abs=1e-6)
    finally:
        await admin.close()


@pytest.mark.parametrize("dimensions", [1, 7, 8, 9, 256])
async def test_likeness_is_the_inner_product_at_any_length(without: World, dimensions: int) -> None:
    one = [0.01 * n - 0.3 for n in range(dimensions)]
    other = [0.5 - 0.02 * n for n in range(dimensions)]
    async with without.db.transaction(without.ann.principal.served()) as tx:
        found = await tx.value("select stead.similarity($1::real[], $2::real[])", one, other)
    assert found == pytest.approx(sum(x * y for x, y in zip(one, other, strict=True)), abs=1e-5)
