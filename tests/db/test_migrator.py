"""Migrations on databases that are empty, half migrated, changed by hand, or somebody else's."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db import migrator
from stead.db.embedded import EmbeddedServer
from stead.db.errors import MigrationDrift, MigrationFailed, MigrationLocked, NameTaken
from stead.db.migration import Migration, all_migrations, essence
from stead.db.migrator import admin_connection, export_migrations, migrate, read_status
from tests.support import cluster as clusters

OBJECTS = """
select string_agg(n.nspname || '.' || c.relname || ' ' || c.relkind::text, e'\n' order by 1)
from (select n.nspname, c.relname, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' order by 1, 2) c
cross join lateral (select c.nspname) n
"""


@pytest_asyncio.fixture
async def empty(cluster: EmbeddedServer) -> AsyncIterator[DatabaseAccess]:
    async with clusters.empty_database(cluster) as access:
        yield access


@asynccontextmanager
async def connected(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(access.admin_url)
    try:
        yield connection
    finally:
        await connection.close()


async def execute(access: DatabaseAccess, sql: str) -> None:
    async with connected(access) as connection:
        await connection.execute(sql)


async def value(access: DatabaseAccess, sql: str) -> object:
    async with connected(access) as connection:
        return await connection.fetchval(sql)


async def test_an_empty_database_is_brought_up(empty: DatabaseAccess) -> None:
    reported: list[str] = []
    status = await migrate(empty.admin_url, report=reported.append)

    ours = all_migrations()
    assert status.applied == ours
    assert (status.pending, status.foreign, status.drifted) == ((), (), ())
    assert reported == [migration.file_name for migration in ours]
    ledger = await value(
        empty, "select array_agg(version order by version) from supabase_migrations.schema_migrations"
    )
    assert ledger == [migration.version for migration in ours]


async def test_migrating_again_changes_nothing(fresh: DatabaseAccess) -> None:
    reported: list[str] = []
    before = await value(fresh, OBJECTS)
    status = await migrate(fresh.admin_url, report=reported.append)

    assert reported == []
    assert status.pending == ()
    assert await value(fresh, OBJECTS) == before


async def test_two_migrators_at_once(empty: DatabaseAccess) -> None:
    reported: list[str] = []
    answers = await asyncio.gather(*(migrate(empty.admin_url, report=reported.append) for _ in range(2)))

    assert sorted(reported) == [migration.file_name for migration in all_migrations()]
    assert all(answer.pending == () for answer in answers)


async def test_a_migrator_that_waits_too_long(
    fresh: DatabaseAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrator, "_LOCK_TRIES", 3)
    monkeypatch.setattr(migrator, "_LOCK_PAUSE_S", 0.01)
    async with connected(fresh) as other:
        await other.execute(f"select pg_advisory_lock({migrator._LOCK_KEY})")
        with pytest.raises(MigrationLocked):
            await migrate(fresh.admin_url)
    await migrate(fresh.admin_url)


async def test_drift_is_refused_and_nothing_changed(
    fresh: DatabaseAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = Migration(version="99990101000000", name="more", sql="create table public.more (id int);")
    monkeypatch.setattr(migrator, "all_migrations", lambda: (*all_migrations(), more))
    first = all_migrations()[0]
    await execute(
        fresh,
        "update supabase_migrations.schema_migrations set statements = array['select 1'] "
        f"where version = '{first.version}'",
    )
    before = await value(fresh, OBJECTS)

    with pytest.raises(MigrationDrift, match=first.name):
        await migrate(fresh.admin_url)
    assert await value(fresh, OBJECTS) == before


async def test_a_ledger_written_by_supabases_cli_is_no_drift(fresh: DatabaseAccess) -> None:
    """It splits a file into statements, drops comments, and older versions recorded none."""
    first, second = all_migrations()[:2]
    parts = [part.strip() for part in second.sql.split(";\n\n")]
    async with connected(fresh) as connection:
        update = "update supabase_migrations.schema_migrations set statements = $2 where version = $1"
        await connection.execute(update, first.version, None)
        await connection.execute(update, second.version, parts)
        status = await read_status(connection)

    assert status.drifted == ()


async def test_a_taken_name_is_refused_and_nothing_changed(empty: DatabaseAccess) -> None:
    await execute(
        empty, "create table public.sessions (id int); create type public.user_role as enum ('x')"
    )
    before = await value(empty, OBJECTS)

    with pytest.raises(NameTaken, match=r"table public\.sessions, type public\.user_role"):
        await migrate(empty.admin_url)
    assert await value(empty, OBJECTS) == before
    assert await value(empty, "select to_regnamespace('auth')") is None


async def test_somebody_elses_tables_and_migrations_stay_as_they_are(empty: DatabaseAccess) -> None:
    await execute(
        empty,
        """
        create table public.users (id int primary key, name text);
        create table public.dealers (id int primary key);
        create table public.robots (id int primary key, dealer_id int references public.dealers);
        create table public.threads (id int primary key);
        insert into public.users values (1, 'ann');
        create schema supabase_migrations;
        create table supabase_migrations.schema_migrations
          (version text not null primary key, statements text[], name text);
        insert into supabase_migrations.schema_migrations values ('20200101000000', array['x'], 'theirs');
        """,
    )
    theirs = """
        select array_agg(c.relname || coalesce(c.relacl::text, '') || c.relrowsecurity order by c.relname)
        from pg_class c where relname in ('users', 'dealers', 'robots', 'threads')
    """
    before = await value(empty, theirs)
    status = await migrate(empty.admin_url)

    assert status.foreign == ("20200101000000",)
    assert await value(empty, theirs) == before
    assert await value(empty, "select name from public.users") == "ann"
    assert (
        await value(
            empty,
            "select name from supabase_migrations.schema_migrations where version = '20200101000000'",
        )
        == "theirs"
    )


async def test_a_migration_that_fails_is_rolled_back_whole(
    fresh: DatabaseAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Migration(version="99990101000000", name="good", sql="create table public.good (id int);")
    bad = Migration(
        version="99990102000000",
        name="bad",
        sql="create table public.half (id int); select 1 / 0; create table public.rest (id int);",
    )
    monkeypatch.setattr(migrator, "all_migrations", lambda: (*all_migrations(), good, bad))

    with pytest.raises(MigrationFailed, match=r"99990102000000_bad\.sql: division by zero"):
        await migrate(fresh.admin_url)
    assert await value(fresh, "select to_regclass('public.good')::text") == "good"
    assert await value(fresh, "select to_regclass('public.half')") is None
    async with connected(fresh) as connection:
        status = await read_status(connection)
    assert [migration.name for migration in status.pending] == ["bad"]


async def test_a_table_in_use_makes_a_migration_give_up(
    fresh: DatabaseAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The file shortens the time-out for itself: five seconds are for real ones.
    more = Migration(
        version="99990101000000",
        name="more",
        sql="set local lock_timeout = '50ms'; alter table public.tenants add column more int;",
    )
    monkeypatch.setattr(migrator, "all_migrations", lambda: (*all_migrations(), more))
    async with connected(fresh) as other, other.transaction():
        await other.execute("lock table public.tenants in access share mode")
        with pytest.raises(MigrationLocked, match="99990101000000_more"):
            await migrate(fresh.admin_url)

    assert (await migrate(fresh.admin_url)).pending == ()


async def test_migrations_wait_for_locks_for_a_bounded_time(
    fresh: DatabaseAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = Migration(
        version="99990101000000",
        name="more",
        sql="create table public.seen as select current_setting('lock_timeout') as t;",
    )
    monkeypatch.setattr(migrator, "all_migrations", lambda: (*all_migrations(), more))
    await migrate(fresh.admin_url)

    assert await value(fresh, "select t from public.seen") == "5s"


def test_exported_files_are_what_is_applied(tmp_path: Path) -> None:
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20200101000000_theirs.sql").write_text("select 1;")
    written = export_migrations(folder)

    assert [path.name for path in written] == [m.file_name for m in all_migrations()]
    assert [path.read_text(encoding="utf-8") for path in written] == [m.sql for m in all_migrations()]
    assert export_migrations(folder) == []


@pytest.mark.parametrize("name", [None, "renamed"])
def test_an_exported_file_that_was_changed_is_not_overwritten(tmp_path: Path, name: str | None) -> None:
    first = export_migrations(tmp_path)[0]
    changed = (
        first if name is None else first.rename(tmp_path / f"{first.name.split('_')[0]}_{name}.sql")
    )
    changed.write_text("select 'mine';")

    with pytest.raises(MigrationDrift, match=changed.name):
        export_migrations(tmp_path)
    assert changed.read_text() == "select 'mine';"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("create table a (id int);", "create  table a\n  (id int)", True),
        ("select 1; -- why\nselect 2;", "select 1\nselect 2", True),
        ("select 1;", "select 2;", False),
        ("create table a (id int);", "create table b (id int);", False),
        ("select 'A'", "select 'a'", False),
    ],
)
def test_what_counts_of_a_file(one: str, other: str, same: bool) -> None:
    assert (essence(one) == essence(other)) is same


def test_names_that_a_file_creates() -> None:
    migration = Migration(
        version="1",
        name="x",
        sql="create table public.a (id int);\ncreate or replace view stead.b as select 1;\n"
        "create type public.c as enum ('x');\n-- create table public.not_this (id int);\n"
        "create function public.d() returns int language sql as $$ select 1 $$;",
    )

    assert set(migration.created_names()) == {
        ("table", "public.a"),
        ("view", "stead.b"),
        ("type", "public.c"),
        ("function", "public.d"),
    }


async def test_an_owner_that_is_no_superuser(cluster: EmbeddedServer) -> None:
    """As on managed PostgreSQL: a login with CREATEROLE and a database of its own."""
    # The roles of the cluster exist and are the superuser's: such a login may make none of them its own, so
    # that it is given what it would have had as their maker.
    await clusters.ensure_template(cluster)
    owner = f"owner_{secrets.token_hex(4)}"
    async with clusters.empty_database(cluster) as access:
        database = await value(access, "select current_database()")
        await execute(
            access,
            f"""
            create role {owner} login createrole createdb;
            alter database {database} owner to {owner};
            grant anon, authenticated, service_role, stead_service, stead_definer, stead_api
              to {owner} with admin option;
            grant {owner} to postgres;
            create schema extensions; create extension vector with schema extensions;
            alter schema extensions owner to {owner};
            """,
        )
        try:
            url = cluster.dsn(user=owner, database=str(database))
            status = await migrate(url)
            assert status.pending == ()
            async with admin_connection(url) as connection:
                # FORCE holds its owner too: no policy is for it.
                await connection.execute("set row_security = on")
                assert await connection.fetchval("select count(*) from public.tenants") == 0
        finally:
            await execute(
                access,
                f"""
                drop owned by {owner} cascade;
                alter database {database} owner to postgres;
                """,
            )
            async with admin_connection(cluster.dsn(user="postgres", database="postgres")) as admin:
                await admin.execute(f"drop owned by {owner}; drop role {owner}")
