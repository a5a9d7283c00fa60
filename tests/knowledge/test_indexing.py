"""HNSW indexes: earned, built, used, cleared away after a crash, dropped."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
import structlog

from stead import knowledge
from stead.assembly import maintenance
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.db.migrator import admin_connection
from stead.knowledge import indexing
from stead.knowledge.hnsw import Collection
from stead.knowledge.indexing import IndexRound, choose, index_large_scopes, unindexed
from stead.providers.embedders import Embedder
from tests.knowledge.conversations import find
from tests.support.people import Person, make_person, make_tenant

LARGE = 100
INDEXES = """
select c.relname, x.indisvalid from pg_index x join pg_class c on c.oid = x.indexrelid
where x.indrelid = 'stead.embeddings'::regclass and c.relname like 'embeddings_hnsw%' order by 1
"""


@asynccontextmanager
async def owner_of(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    assert access.admin_url is not None
    async with admin_connection(access.admin_url) as connection:
        yield connection


@pytest_asyncio.fixture
async def pool(fresh: DatabaseAccess) -> AsyncIterator[Database]:
    database = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=4))
    yield database
    await database.close()


@pytest_asyncio.fixture
async def ann(fresh: DatabaseAccess, pool: Database) -> Person:
    return await make_person(pool, await make_tenant(fresh))


async def fill(access: DatabaseAccess, who: Person, embedder: Embedder, count: int) -> None:
    """Memories with random vectors."""
    async with owner_of(access) as owner:
        await owner.execute(
            """
            insert into agent_memories (tenant_id, profile_id, content)
            select $1, $2, 'Memory number ' || n || ' of ' || gen_random_uuid() from generate_series(1, $3) n
            """,
            who.tenant.id,
            who.id,
            count,
        )
        await owner.execute(
            """
            insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
            select m.tenant_id, 'memory', m.id, m.scope_id, stead.embedding_model($2, $3), m.place,
              extensions.l2_normalize(stead.as_embedding(v.v))
            from agent_memories m cross join lateral (
              select array_agg((random() - 0.5)::real) as v from generate_series(1, $3) where m.id is not null
            ) v
            where m.scope_id = $1
            on conflict do nothing
            """,
            who.id,
            embedder.model_id,
            embedder.dimensions,
        )
        await owner.execute("delete from stead.embedding_backlog")
        await owner.execute("vacuum (analyze) stead.embeddings")


async def a_round(access: DatabaseAccess, embedder: Embedder, **options: Any) -> IndexRound:
    assert access.admin_url is not None
    return await index_large_scopes(
        partial(admin_connection, access.admin_url), embedder, **{"large": LARGE, **options}
    )


async def indexes(access: DatabaseAccess) -> list[tuple[str, bool]]:
    async with owner_of(access) as owner:
        return [tuple(row) for row in await owner.fetch(INDEXES)]


async def registered(access: DatabaseAccess) -> list[tuple[str, bool, UUID]]:
    async with owner_of(access) as owner:
        rows = await owner.fetch("select name, ready, scope_id from stead.vector_indexes order by 1")
        return [tuple(row) for row in rows]


async def test_a_large_collection_is_given_an_index_and_a_small_one_is_not(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    small = await make_person(pool, ann.tenant)
    await fill(fresh, ann, embedder, LARGE + 1)
    await fill(fresh, small, embedder, LARGE)
    assert await unindexed(pool, embedder, large=LARGE) == 1

    trial = await a_round(fresh, embedder, trial=True)
    assert [c.scope_id for c in trial.built] == [ann.id]
    assert await indexes(fresh) == []

    done = await a_round(fresh, embedder)
    assert [(c.scope_id, c.documents) for c in done.built] == [(ann.id, LARGE + 1)]
    ((name, valid),) = await indexes(fresh)
    assert valid
    assert await registered(fresh) == [(name, True, ann.id)]
    assert await unindexed(pool, embedder, large=LARGE) == 0
    assert await a_round(fresh, embedder) == IndexRound()


async def test_what_is_found_with_it_equals_what_is_found_without(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    """With fewer memories than the search looks at, nothing is approximate about it."""
    await fill(fresh, ann, embedder, 2 * LARGE)
    (vector,) = await embedder.embed(["Memory number 77"])

    async def nearest(owner: asyncpg.Connection, wanted: int) -> list[int]:
        found = await owner.fetchval(
            "select stead.nearest_places($1, $2, $3, stead.embedding_model($4, $5), $6, 240)",
            ann.tenant.id, ann.id, vector, embedder.model_id, embedder.dimensions, wanted,
        )  # fmt: skip
        return sorted(found)

    async with owner_of(fresh) as owner:
        exact = {wanted: await nearest(owner, wanted) for wanted in (1, 10, 120)}
    before = await find(pool, ann, embedder, "Memory number 77", whole_below=50)
    await a_round(fresh, embedder)
    async with owner_of(fresh) as owner:
        # So few are cheaper to sort; here they are not to be.
        await owner.execute("set enable_sort = off")
        scans = "select idx_scan from pg_stat_user_indexes where indexrelname like 'embeddings_hnsw%'"
        assert await owner.fetchval(scans) == 0
        for wanted, places in exact.items():
            assert await nearest(owner, wanted) == places
        await owner.execute("select pg_stat_force_next_flush()")
        assert await owner.fetchval(scans) == len(exact)
    after = await find(pool, ann, embedder, "Memory number 77", whole_below=50)
    assert [(r.memory.id, r.score) for r in after] == [(r.memory.id, r.score) for r in before]
    assert all(r.scores.approximate for r in after)


async def test_the_planner_chooses_it_by_itself(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    """The statement of `stead.nearest_places`, taken out of it."""
    await fill(fresh, ann, embedder, 4000)
    await a_round(fresh, embedder)
    async with owner_of(fresh) as owner:
        source = await owner.fetchval(
            "select prosrc from pg_proc "
            "where oid = 'stead.nearest_places(uuid, uuid, real[], smallint, integer, integer)'::regprocedure"
        )
        template = re.search(r"execute format\(\s*('.*?'),\s*tenant", source, re.DOTALL)
        assert template is not None
        statement = await owner.fetchval(
            f"""
            select format({template[1]}, v.tenant_id, v.scope_id, v.model_id, v.home, v.dimensions, v.home, v.home,
              v.dimensions, 120) from stead.vector_indexes v
            """
        )
        (vector,) = await embedder.embed(["anything"])
        await owner.execute("set hnsw.ef_search = 240")
        explained = await owner.fetch("explain " + statement.replace("$1::", "$1::real[]::"), vector)
        plan = "\n".join(row[0] for row in explained)
    ((name, _),) = await indexes(fresh)
    assert f"Index Scan using {name}" in plan


@asynccontextmanager
async def somebody_reading(access: DatabaseAccess) -> AsyncIterator[None]:
    """A transaction that was there before; a build waits for it in the end."""
    async with owner_of(access) as other, other.transaction(isolation="repeatable_read"):
        await other.fetch("select from stead.embeddings limit 1")
        yield


async def builder_pid(access: DatabaseAccess) -> int:
    """The backend that builds, once it has begun to wait."""
    async with owner_of(access) as owner:
        while True:
            pid = await owner.fetchval(
                "select pid from pg_stat_activity where query like 'create index concurrently%' "
                "and wait_event_type = 'Lock' and datname = current_database()"
            )
            if pid is not None:
                return pid
            await asyncio.sleep(0.01)


async def test_a_builder_that_died_is_cleaned_up_after(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    await fill(fresh, ann, embedder, 2 * LARGE)
    async with somebody_reading(fresh):
        building = asyncio.create_task(a_round(fresh, embedder))
        pid = await builder_pid(fresh)
        async with owner_of(fresh) as owner:
            await owner.execute("select pg_terminate_backend($1)", pid)
        with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
            await building
    ((name, valid),) = await indexes(fresh)
    assert not valid
    assert await registered(fresh) == [(name, False, ann.id)]
    # Searches do without it meanwhile.
    assert await find(pool, ann, embedder, "Memory", whole_below=50)

    done = await a_round(fresh, embedder)
    assert done.cleared == [name]
    assert [c.scope_id for c in done.built] == [ann.id]
    assert await indexes(fresh) == [(name, True)]
    assert await registered(fresh) == [(name, True, ann.id)]


async def test_what_died_between_the_last_two_steps_is_finished_and_strays_are_dropped(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    await fill(fresh, ann, embedder, 2 * LARGE)
    await a_round(fresh, embedder)
    ((name, _),) = await indexes(fresh)
    stray, lost = "embeddings_hnsw_0123456789abcdef", "embeddings_hnsw_fedcba9876543210"
    async with owner_of(fresh) as owner:
        await owner.execute("update stead.vector_indexes set ready = false")
        await owner.execute(f"create index {stray} on stead.embeddings (model_id)")
        await owner.execute(
            f"""
            insert into stead.vector_indexes (name, tenant_id, scope_id, kind, model_id, dimensions, home, ready)
            select '{lost}', tenant_id, gen_random_uuid(), kind, model_id, dimensions, home, true
            from stead.vector_indexes
            """
        )
    done = await a_round(fresh, embedder)
    assert sorted(done.cleared) == sorted([name, stray, lost])
    assert (done.built, done.dropped) == ([], [])
    assert await indexes(fresh) == [(name, True)]
    assert await registered(fresh) == [(name, True, ann.id)]


async def test_one_builder_at_a_time(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    await fill(fresh, ann, embedder, 2 * LARGE)
    async with somebody_reading(fresh):
        first = asyncio.create_task(a_round(fresh, embedder))
        await builder_pid(fresh)
        second = await a_round(fresh, embedder)
        assert second == IndexRound(skipped="somebody else is building")
        assert not first.done()
    assert len((await first).built) == 1
    assert len(await indexes(fresh)) == 1


async def test_a_build_that_fails_is_cleaned_up_and_told(
    fresh: DatabaseAccess,
    pool: Database,
    ann: Person,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await fill(fresh, ann, embedder, 2 * LARGE)
    begin = indexing.hnsw.begin

    async def impatient(owner: asyncpg.Connection, memory_mb: int) -> None:
        await begin(owner, memory_mb)
        await owner.execute("set lock_timeout = '50ms'")

    monkeypatch.setattr(indexing.hnsw, "begin", impatient)
    async with somebody_reading(fresh):
        with structlog.testing.capture_logs() as logs:
            done = await a_round(fresh, embedder)
    assert [c.scope_id for c in done.failed] == [ann.id]
    assert done.built == []
    # Neither could it be built, nor what was begun be dropped yet.
    assert [(log["event"], log["reason"]) for log in logs] == [
        ("vector_index_failed", "LockNotAvailableError")
    ] * 2
    monkeypatch.undo()
    assert await registered(fresh) == []
    assert [valid for _, valid in await indexes(fresh)] == [False]
    assert len((await a_round(fresh, embedder)).built) == 1
    assert [valid for _, valid in await indexes(fresh)] == [True]


async def test_what_shrank_or_is_gone_loses_its_index(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    await fill(fresh, ann, embedder, 2 * LARGE)
    await a_round(fresh, embedder)
    half = """
        delete from agent_memories where id in (select id from agent_memories where scope_id = $1 limit $2)
    """
    async with owner_of(fresh) as owner:
        await owner.execute(half, ann.id, LARGE + LARGE // 2)
    assert await a_round(fresh, embedder) == IndexRound()
    async with owner_of(fresh) as owner:
        await owner.execute(half, ann.id, 1)
    done = await a_round(fresh, embedder)
    assert [c.scope_id for c in done.dropped] == [ann.id]
    assert (await indexes(fresh), await registered(fresh)) == ([], [])

    await fill(fresh, ann, embedder, 2 * LARGE)
    assert len((await a_round(fresh, embedder)).built) == 1
    while await knowledge.forget_model(pool, embedder.model_id):
        pass
    assert len((await a_round(fresh, embedder)).dropped) == 1
    assert (await indexes(fresh), await registered(fresh)) == ([], [])


async def test_documents_without_vectors_earn_none(
    fresh: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    """As after a switch of the model: an index is built over what is there, not ahead of it."""
    await fill(fresh, ann, embedder, 2 * LARGE)
    async with owner_of(fresh) as owner:
        await owner.execute("delete from stead.embeddings where random() < 0.7")
    assert (await a_round(fresh, embedder)).built == []


async def test_without_pgvector_there_is_nothing_to_build(
    real: DatabaseAccess, embedder: Embedder
) -> None:
    done = await a_round(real, embedder)
    assert done.skipped is not None
    assert "vectorize" in done.skipped


async def test_the_worker_builds_where_it_may_and_says_so_once_where_not(
    fresh: DatabaseAccess,
    pool: Database,
    ann: Person,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await fill(fresh, ann, embedder, 2 * LARGE)
    monkeypatch.setattr(knowledge, "unindexed", partial(unindexed, large=LARGE))
    monkeypatch.setattr(knowledge, "index_large_scopes", partial(index_large_scopes, large=LARGE))

    class Parts:
        db = pool

        class runtime:  # noqa: N801 - as the part is called
            pass

    Parts.runtime.embedder = embedder  # type: ignore[attr-defined]
    make: Callable[..., Callable[[], Any]] = maintenance._indexing
    with structlog.testing.capture_logs() as logs:
        unable = make(Parts, None)
        assert [await unable(), await unable()] == [0, 0]
    assert [(log["event"], log["collections"], log["run"]) for log in logs] == [
        ("vector_index_wanted", 1, "stead db index")
    ]
    able = make(Parts, fresh.admin_url)
    assert [await able(), await able()] == [1, 0]
    assert await unable() == 0


SOME = Collection(
    tenant_id=new_id(), scope_id=new_id(), kind="memory", model_id=1, dimensions=2, documents=101,
    vectors=101, index_name=None,
)  # fmt: skip


def sized(documents: int, *, indexed: bool = False) -> Collection:
    return replace(
        SOME, scope_id=new_id(), documents=documents, vectors=min(documents, LARGE + 1),
        index_name=f"index of {documents}" if indexed else None,
    )  # fmt: skip


def test_the_largest_come_first_and_two_of_a_size_do_not_take_it_from_each_other() -> None:
    small, middle, large = sized(110, indexed=True), sized(200), sized(300)
    assert choose([small, middle, large], LARGE, 2) == ([large, small][:1], [])
    assert choose([small, middle, large], LARGE, 3) == ([large, middle], [])
    huge = sized(221)
    assert choose([small, middle, large, huge], LARGE, 2) == ([large, huge], [small])
    assert choose([small, middle], LARGE, 1) == ([], [])
    assert choose([sized(LARGE), replace(small, vectors=49)], LARGE, 9)[0] == []
    assert len(choose([sized(LARGE + n) for n in range(1, 100)], LARGE, 64)[0]) == 64
