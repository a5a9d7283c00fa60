"""Applies migrations and keeps Supabase's own ledger of them.

`stead db migrate` and `supabase db push` are interchangeable on one database: both read and write
``supabase_migrations.schema_migrations``. Each file is one transaction together with its ledger row. An
advisory lock lets one migrator work at a time; a lock time-out keeps a migration from queueing behind a
long transaction while everybody else queues behind the migration.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from stead.db.errors import (
    DatabaseUnavailable,
    MigrationDrift,
    MigrationFailed,
    MigrationLocked,
    NameTaken,
)
from stead.db.migration import Migration, all_migrations, bootstrap_sql, not_among
from stead.db.pool import CONNECTION_LOST, split_pooler_flag

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

_LOCK_KEY: Final = 5_741_203_311  # "stead migrates": any number that nobody else takes
_LOCK_TRIES: Final = 600
_LOCK_PAUSE_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class MigrationStatus:
    """How a database stands to the migrations of this version.

    Args:
        applied: Ours that the ledger holds, oldest first.
        pending: Ours that it does not.
        foreign: Versions in the ledger that are not ours (a project's own migrations).
        drifted: Applied ones whose recorded statements are not those of the file.
    """

    applied: tuple[Migration, ...]
    pending: tuple[Migration, ...]
    foreign: tuple[str, ...]
    drifted: tuple[Migration, ...]


@asynccontextmanager
async def admin_connection(url: str) -> AsyncGenerator[Connection]:
    """A single connection for administration, outside the pool.

    Raises:
        DatabaseUnavailable: It cannot be had.
    """
    address, pooled = split_pooler_flag(url)
    try:
        connection = await asyncpg.connect(
            address, timeout=10, statement_cache_size=0 if pooled else 100
        )
    except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable.from_connect(address, error) from error
    try:
        yield connection
    finally:
        await connection.close()


async def read_status(connection: Connection) -> MigrationStatus:
    """Compares the ledger with the files."""
    if await connection.fetchval(
        "select to_regclass('supabase_migrations.schema_migrations') is not null and not "
        "has_table_privilege('supabase_migrations.schema_migrations', 'select')"
    ):
        # The server's own login may know what is applied, not how it read.
        unseen = set(await pending_files(connection))
        return MigrationStatus(
            applied=tuple(m for m in all_migrations() if m.file_name not in unseen),
            pending=tuple(m for m in all_migrations() if m.file_name in unseen),
            foreign=(),
            drifted=(),
        )
    ledger: dict[str, asyncpg.Record] = {}
    if await connection.fetchval(
        "select to_regclass('supabase_migrations.schema_migrations') is not null"
    ):
        rows = await connection.fetch(
            "select version, name, statements from supabase_migrations.schema_migrations order by version"
        )
        ledger = {row["version"]: row for row in rows}
    ours = all_migrations()
    applied = tuple(m for m in ours if m.version in ledger)
    drifted = tuple(
        m
        for m in applied
        if ledger[m.version]["name"] not in (None, m.name)
        or not m.matches(ledger[m.version]["statements"])
    )
    return MigrationStatus(
        applied=applied,
        pending=not_among(ledger, ours),
        foreign=tuple(sorted(set(ledger) - {m.version for m in ours})),
        drifted=drifted,
    )


async def pending_files(connection: Connection) -> list[str]:
    """The files that a database has not seen, for any login that Stead uses."""
    if not await connection.fetchval("select to_regprocedure('stead.applied_versions()') is not null"):
        return [migration.file_name for migration in all_migrations()]
    applied = {row[0] for row in await connection.fetch("select stead.applied_versions()")}
    return [migration.file_name for migration in not_among(applied, all_migrations())]


async def migrate(url: str, *, report: Callable[[str], Any] = lambda _: None) -> MigrationStatus:
    """Brings a database up to this version's schema; bootstraps it first where it is not Supabase.

    Args:
        url: A login that may create roles and schemas (``postgres`` on Supabase).
        report: Called with the name of each file before it is applied.

    Raises:
        MigrationDrift: An applied migration is not the one in this package. Nothing is changed.
        NameTaken: Something else has a name that a pending migration would create. Nothing is changed.
        MigrationLocked: Another migrator has been at work for a minute.
        MigrationFailed: A statement failed; the files before it stay applied.
    """
    async with admin_connection(url) as connection, only_migrator(connection):
        status = await read_status(connection)
        _refuse_drift(status)
        if status.pending:
            await _refuse_taken_names(connection, status.pending)
            await _bootstrap(connection)
            for migration in status.pending:
                report(migration.file_name)
                await _apply(connection, migration)
        return await read_status(connection)


def export_migrations(folder: Path) -> list[Path]:
    """Writes the migrations as files that `supabase db push` takes; files that are there stay as they are.

    Raises:
        MigrationDrift: A file of the same version is there with other content.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for migration in all_migrations():
        twins = [p for p in folder.glob(f"{migration.version}_*.sql") if p.name != migration.file_name]
        path = folder / migration.file_name
        if twins or (path.exists() and path.read_text(encoding="utf-8") != migration.sql):
            raise MigrationDrift(
                f"{(twins or [path])[0]} has the version of {migration.file_name} and other content",
                hint="Rename or remove that file, then export again.",
            )
        if not path.exists():
            path.write_text(migration.sql, encoding="utf-8")
            written.append(path)
    return written


@asynccontextmanager
async def only_migrator(connection: Connection) -> AsyncGenerator[None]:
    """Nobody else changes the schema while the block runs.

    Raises:
        MigrationLocked: Another migrator has been at work for a minute.
    """
    for _ in range(_LOCK_TRIES):
        if await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK_KEY):
            break
        await asyncio.sleep(_LOCK_PAUSE_S)
    else:
        raise MigrationLocked(
            "another migrator has held the lock for a minute",
            hint="Wait for it, or end its session (pg_stat_activity shows it).",
        )
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("select pg_advisory_unlock($1)", _LOCK_KEY)


def _refuse_drift(status: MigrationStatus) -> None:
    if status.drifted:
        names = ", ".join(m.file_name for m in status.drifted)
        raise MigrationDrift(
            f"applied with other content than this version of Stead ships: {names}",
            hint="An applied migration never changes. Install the version of Stead that migrated this "
            "database, or restore the file; then add a new migration for what should differ.",
        )


async def _refuse_taken_names(connection: Connection, pending: tuple[Migration, ...]) -> None:
    wanted = {(kind, name) for migration in pending for kind, name in migration.created_names()}
    taken = await connection.fetch(
        """
        select distinct w.kind, w.name
        from unnest($1::text[], $2::text[]) as w (kind, name)
        where case w.kind
          when 'function' then exists (
            select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname || '.' || p.proname = w.name)
          when 'type' then to_regtype(w.name) is not null
          else to_regclass(w.name) is not null
        end
        order by 1, 2
        """,
        [kind for kind, _ in wanted],
        [name for _, name in wanted],
    )
    if taken:
        names = ", ".join(f"{row['kind']} {row['name']}" for row in taken)
        raise NameTaken(
            f"this database has its own {names}; nothing was changed",
            hint="Rename yours, move them to another schema, or give Stead a database of its own.",
        )


async def _bootstrap(connection: Connection) -> None:
    if await connection.fetchval("select to_regrole('supabase_admin') is not null"):
        return
    try:
        async with connection.transaction():
            await connection.execute(bootstrap_sql())
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationFailed(
            f"bootstrap: {error}",
            hint="The login must be allowed to create roles and schemas.",
        ) from error


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '5s'; set local statement_timeout = 0")
            await connection.execute(
                "create schema if not exists supabase_migrations;"
                "create table if not exists supabase_migrations.schema_migrations "
                "(version text not null primary key, statements text[], name text)"
            )
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into supabase_migrations.schema_migrations (version, statements, name) "
                "values ($1, $2, $3)",
                migration.version,
                [migration.sql],
                migration.name,
            )
    except asyncpg.LockNotAvailableError as error:
        raise MigrationLocked(
            f"{migration.file_name} waited 5 s for a lock on a table that is in use; it was rolled back",
            hint="Run it again at a quieter moment.",
        ) from error
    except asyncpg.PostgresError as error:
        raise MigrationFailed(
            f"{migration.file_name}: {error}; it was rolled back, the files before it stay applied",
            hint=error.as_dict().get("hint") or "Mend the cause and run `stead db migrate` again.",
        ) from error
