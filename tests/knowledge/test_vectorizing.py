"""`stead db vectorize`: pgvector absent, then present, while servers run."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from stead import knowledge
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.db.embedded import EmbeddedServer
from stead.db.errors import MigrationLocked, MigrationsPending
from stead.db.migrator import admin_connection
from stead.knowledge import column, copying, vectorizing
from stead.knowledge.errors import EmbeddingsInUse, EmbeddingsNotOwned, PgvectorMissing
from stead.knowledge.vectorizing import Vectorized, vectorize
from stead.memory import NewMemory
from stead.providers.embedders import Embedder
from tests.knowledge.conversations import AT, QUESTIONS, assert_same_ranking, find, said, write
from tests.support import cluster as clusters
from tests.support.people import Person, make_person, make_tenant

#: What the rest of the system sees of the table: columns, keys, indexes, rights, and the two functions.
SHAPE = """
select string_agg(line, e'\n' order by line) from (
  select concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attstorage, a.attnotnull)
    from pg_attribute a where a.attrelid = 'stead.embeddings'::regclass and a.attnum > 0 and not a.attisdropped
  union all select conname || ' ' || pg_get_constraintdef(oid) || convalidated from pg_constraint
    where conrelid = 'stead.embeddings'::regclass
  union all select pg_get_indexdef(indexrelid) || indisvalid from pg_index
    where indrelid = 'stead.embeddings'::regclass
  union all select policyname || roles::text || cmd || permissive || qual || with_check from pg_policies
    where tablename = 'embeddings'
  union all select r.rolname || ' ' || a.privilege_type from pg_class c cross join aclexplode(c.relacl) a
    join pg_roles r on r.oid = a.grantee where c.oid = 'stead.embeddings'::regclass
  union all select relrowsecurity::text || relforcerowsecurity || relowner::regrole from pg_class
    where oid = 'stead.embeddings'::regclass
  union all select tgname from pg_trigger where tgrelid = 'stead.embeddings'::regclass and not tgisinternal
  union all select p.oid::regprocedure || ' ' || pg_get_function_result(p.oid) || p.provolatile::text
      || p.proparallel::text || coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) || p.proowner::regrole
      || (select string_agg(a.grantee::regrole || a.privilege_type, ',' order by a.grantee)
          from aclexplode(p.proacl) a)
    from pg_proc p where p.pronamespace = 'stead'::regnamespace and p.proname in ('similarity', 'as_embedding')
  union all select relname from pg_class where relname ~ '^embeddings.*_(next|old)'
  union all select proname from pg_proc where proname = 'mirror_embeddings'
) l (line)
"""


@asynccontextmanager
async def owner_of(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    assert access.admin_url is not None
    async with admin_connection(access.admin_url) as connection:
        yield connection


async def upgrade(access: DatabaseAccess, *, batch: int = 40) -> Vectorized:
    async with owner_of(access) as owner:
        return await vectorize(owner, batch=batch)


async def shape(access: DatabaseAccess) -> str:
    async with owner_of(access) as owner:
        return await owner.fetchval(SHAPE)


@pytest_asyncio.fixture
async def pool(real: DatabaseAccess) -> AsyncIterator[Database]:
    """Opened before the upgrade, and open throughout."""
    database = await Database.open(PoolConfig(url=real.runtime_url, min_size=2, max_size=8))
    yield database
    await database.close()


@pytest_asyncio.fixture
async def ann(real: DatabaseAccess, pool: Database) -> Person:
    return await make_person(pool, await make_tenant(real))


async def everything_else(db: Database, who: Person, embedder: Embedder) -> None:
    """What else there is to vectors: near facts, the backlog, the search of other kinds, a vector as numbers."""
    facts = [
        NewMemory(content=f"My {thing} is old.", happened_at=AT) for thing in ("car", "roof", "hat")
    ]
    await write(db, who, embedder, facts)
    later = [NewMemory(content="The otter is back.", happened_at=AT, kind="turn")]
    await write(db, who, embedder, later, bare=True)
    async with db.transaction(who.principal.served()) as tx:
        await tx.execute(
            "insert into goal_assessments (tenant_id, profile_id, goal) values ($1, $2, $3)",
            who.tenant.id, who.id, f"See an otter, {uuid.uuid4()}",
        )  # fmt: skip
    assert await knowledge.embed_backlog(db, embedder) == 2
    (vector,) = await embedder.embed(["otter"])
    async with db.transaction(who.principal.served()) as tx:
        hits = await knowledge.search(tx, "goal", who.id, "otter", embedder=embedder, vector=vector)
        assert all(hit.dense is not None for hit in hits)
        assert hits
        shown = await tx.value(
            "select goal_vector(g) from goal_assessments g where id = $1", hits[0].owner_id
        )
        assert len(shown) == embedder.dimensions
    otters = await find(db, who, embedder, "The otter is back.", limit=1)
    assert otters[0].scores.dense == pytest.approx(1, abs=0.01)


async def test_what_is_found_is_the_same_before_and_after(
    real: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    await write(pool, ann, embedder, said(1_000_000))
    await everything_else(pool, ann, embedder)
    before = [await find(pool, ann, embedder, question) for question in QUESTIONS]
    assert any(r.scores.dense for r in before[0])

    done = await upgrade(real)

    assert done.changed
    async with owner_of(real) as owner:
        vectors = await owner.fetchval("select count(*) from stead.embeddings")
    assert done.copied == vectors
    for question, old in zip(QUESTIONS, before, strict=True):
        assert_same_ranking(await find(pool, ann, embedder, question), old)
        # The other way of searching, too: by index first.
        assert await find(pool, ann, embedder, question, whole_below=10)
    for _ in range(2):
        await everything_else(pool, ann, embedder)


async def test_afterwards_the_table_is_as_if_pgvector_had_always_been_there(
    real: DatabaseAccess, fresh: DatabaseAccess
) -> None:
    assert await shape(real) != await shape(fresh)
    async with owner_of(real) as owner:
        await owner.execute(
            """
            insert into stead.embedding_models (name, dimensions) values ('m', 2);
            insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
            values (gen_random_uuid(), 'memory', gen_random_uuid(), gen_random_uuid(), 1, 1, '{0.6,0.8}')
            """
        )
    await upgrade(real)
    assert await shape(real) == await shape(fresh)


async def test_servers_go_on_reading_and_writing_meanwhile(
    real: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    """Statements that were prepared before go on working, and nothing that is written meanwhile is lost."""
    await write(pool, ann, embedder, said(1_000_000))
    warm, ended = asyncio.Event(), asyncio.Event()
    rounds = [0, 0, 0]

    async def keep_writing(worker: int) -> None:
        while not ended.is_set():
            n = rounds[worker]
            bird = NewMemory(content=f"Writer {worker} saw bird {n}.", happened_at=AT, kind="turn")
            fact = NewMemory(content=f"I own {n} birds.", happened_at=AT, topic="birds")
            stored = (await write(pool, ann, embedder, [bird, fact])).stored
            async with pool.transaction(ann.principal.served()) as tx:
                if n % 3 == 1:
                    await tx.execute("delete from agent_memories where id = $1", stored[0])
                elif n % 3 == 2:
                    await tx.execute(
                        "update stead.embeddings set scope_id = scope_id where owner_id = $1", stored[0]
                    )
            rounds[worker] = n + 1
            if min(rounds) > 2:
                warm.set()

    async def keep_reading() -> None:
        while not ended.is_set():
            assert await find(pool, ann, embedder, "Which birds?")
            rounds[2] += 1

    async def keep_upgrading() -> Vectorized:
        await warm.wait()
        try:
            return await upgrade(real, batch=20)
        finally:
            ended.set()

    done, *_ = await asyncio.gather(keep_upgrading(), keep_writing(0), keep_writing(1), keep_reading())

    assert done.changed
    async with owner_of(real) as owner:
        wrong = await owner.fetchval(
            """
            select count(*) from agent_memories m
            full join stead.embeddings e on e.owner_id = m.id and e.scope_id = m.scope_id
            where m.id is null or e.owner_id is null
            """
        )
        assert wrong == 0
        assert await owner.fetchval("select count(*) from agent_memories") > 190
    found = await find(pool, ann, embedder, "Writer 1 saw bird 0.")
    assert found[0].memory.content == "Writer 1 saw bird 0."
    assert found[0].scores.dense == pytest.approx(1, abs=0.01)


async def test_a_search_that_began_before_and_ends_after(
    real: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    """It has made its probe as real[], meets a column of halfvec, and must not find the table empty."""
    await write(pool, ann, embedder, said(1_000_000))
    before = await find(pool, ann, embedder, "the lighthouse")
    async with owner_of(real) as owner, owner_of(real) as beside:
        await column.create_extension(owner)
        async with owner.transaction():
            await copying.begin(owner, "extensions")
        await copying.batch(owner, "extensions", copying.FIRST, 1000)
        async with owner.transaction():
            await copying.swap(owner)
            await column.replace_functions(owner, "extensions")
            searches = [
                asyncio.create_task(find(pool, ann, embedder, "the lighthouse")) for _ in range(3)
            ]
            waiting = 0
            while waiting < len(searches):
                waiting = await beside.fetchval(
                    "select count(*) from pg_stat_activity where datname = current_database() "
                    "and usename = 'stead_api' and wait_event_type = 'Lock'"
                )
        await copying.drop_old(owner)
    for found in await asyncio.gather(*searches):
        assert_same_ranking(found, before)


async def test_a_copy_that_was_interrupted_goes_on(
    real: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    await write(pool, ann, embedder, said(1_000_000))
    reports: list[str] = []

    class Killed(Exception):
        pass

    def kill(text: str) -> None:
        reports.append(text)
        if text == "100 copied":
            raise Killed

    async with owner_of(real) as owner:
        with pytest.raises(Killed):
            await vectorize(owner, batch=50, report=kill)
    # Meanwhile all goes on with the old table, and what is changed there reaches what was copied.
    assert await find(pool, ann, embedder, "the lighthouse")
    await write(pool, ann, embedder, [NewMemory(content="I saw a heron.", happened_at=AT)])
    async with pool.transaction(ann.principal.served()) as tx:
        assert await tx.execute("delete from agent_memories where content like '%cello%'")

    async with owner_of(real) as owner:
        done = await vectorize(owner, report=reports.append)
        left = await owner.fetchval("select count(*) from stead.embeddings")
        memories = await owner.fetchval("select count(*) from agent_memories")
    assert "going on with a copy that was begun" in reports
    assert 0 < done.copied < left == memories
    assert (await find(pool, ann, embedder, "I saw a heron."))[0].memory.content == "I saw a heron."


async def test_a_copy_of_a_table_that_has_changed_since_is_thrown_away(
    real: DatabaseAccess, pool: Database, ann: Person, embedder: Embedder
) -> None:
    await write(pool, ann, embedder, [NewMemory(content="I saw a heron.", happened_at=AT)])

    def kill(text: str) -> None:
        if text == "1 copied":
            raise InterruptedError

    async with owner_of(real) as owner:
        with pytest.raises(InterruptedError):
            await vectorize(owner, report=kill)
        await owner.execute("alter table stead.embeddings add column more integer")
        assert (await vectorize(owner)).changed
        assert await owner.fetchval("select count(*) from stead.embeddings where more is null") == 1


async def test_again_and_by_two_at_once(real: DatabaseAccess) -> None:
    answers = await asyncio.gather(*(upgrade(real) for _ in range(3)))
    assert sorted(answer.changed for answer in answers) == [False, False, True]
    before = await shape(real)
    again = await upgrade(real)
    assert (again.changed, again.version) == (False, answers[0].version)
    assert await shape(real) == before


async def test_a_long_transaction_is_not_waited_for_and_nothing_is_lost(
    real: DatabaseAccess,
    pool: Database,
    ann: Person,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await write(pool, ann, embedder, said(1_000_000))
    monkeypatch.setattr(vectorizing, "_LOCK_TRIES", 2)
    monkeypatch.setattr(vectorizing, "_LOCK_PAUSE_S", 0.01)
    async with owner_of(real) as other, other.transaction():
        await other.execute("select from stead.embeddings")
        with pytest.raises(MigrationLocked):
            await upgrade(real)
        assert await find(pool, ann, embedder, "the lighthouse")
    again = await upgrade(real)
    assert (again.changed, again.copied) == (True, 0)


async def test_a_view_of_somebody_else_is_named(real: DatabaseAccess) -> None:
    before = await shape(real)
    async with owner_of(real) as owner:
        await owner.execute("create view public.mine as select embedding from stead.embeddings")
        with pytest.raises(EmbeddingsInUse, match="view mine"):
            await vectorize(owner)
        assert await owner.fetchval("select to_regtype('extensions.halfvec')") is None
    assert await shape(real) == before


async def test_nothing_of_steads_own_depends_on_the_columns_type(real: DatabaseAccess) -> None:
    """The promise to `stead db vectorize` that every migration keeps."""
    async with owner_of(real) as owner:
        assert await column.dependents(owner) == []


async def test_without_pgvector_on_the_server_it_says_what_to_install(plain: DatabaseAccess) -> None:
    before = await shape(plain)
    async with owner_of(plain) as owner:
        with pytest.raises(PgvectorMissing, match="not installed") as caught:
            await vectorize(owner)
    assert caught.value.hint is not None
    assert "pgvector" in caught.value.hint
    assert await shape(plain) == before


async def test_a_login_that_is_not_the_owner(real: DatabaseAccess) -> None:
    async with admin_connection(real.runtime_url) as connection:
        with pytest.raises(EmbeddingsNotOwned):
            await vectorize(connection)


async def test_a_database_that_was_never_migrated(cluster: EmbeddedServer) -> None:
    async with clusters.empty_database(cluster) as access:
        with pytest.raises(MigrationsPending):
            await upgrade(access)


async def test_long_vectors_can_be_stored_without_pgvector_and_upgraded(real: DatabaseAccess) -> None:
    """3,072 numbers of four bytes do not fit a page."""
    async with owner_of(real) as owner:
        await owner.execute(
            """
            insert into stead.embedding_models (name, dimensions) values ('long', 3072);
            insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
            select gen_random_uuid(), 'memory', gen_random_uuid(), gen_random_uuid(), 1, 1,
              array(select random()::real from generate_series(1, 3072)) from generate_series(1, 3)
            """
        )
        assert (await vectorize(owner)).changed
        assert (
            await owner.fetchval("select min(extensions.l2_norm(embedding)) from stead.embeddings") > 20
        )
