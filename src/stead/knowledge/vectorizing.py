"""From real[] to pgvector's halfvec, in place, while servers run.

The vectors are copied into a table beside the old one, in batches, with triggers that pass every change on; then
the copy takes the old one's place in an instant. `alter table … type` would keep everybody out for as long as it
takes to rewrite the table, and searches that waited for it would find the table empty (their snapshot is older
than its rows). If a copy is interrupted, the next time goes on with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from stead.db.errors import MigrationLocked, MigrationsPending
from stead.db.migrator import only_migrator
from stead.knowledge import column, copying
from stead.knowledge.errors import EmbeddingsInUse, EmbeddingsNotOwned, PgvectorMissing

#: Below PostgreSQL's deadlock_timeout (1 s): whoever would lose, it is not a server in the middle of its work; and
#: nobody queues behind this lock for longer.
_LOCK_TIMEOUT: Final = "500ms"
_LOCK_TRIES: Final = 60
_LOCK_PAUSE_S: Final = 0.5
_BATCH: Final = 5_000


@dataclass(frozen=True, kw_only=True)
class Vectorized:
    """What was done.

    Args:
        changed: False where vectors were of pgvector's type already.
        version: The version of pgvector that is installed now.
        copied: How many vectors were copied this time.
    """

    changed: bool
    version: str
    copied: int = 0


async def vectorize(
    owner: column.Connection,
    *,
    report: Callable[[str], Any] = lambda _: None,
    batch: int = _BATCH,
) -> Vectorized:
    """Upgrades a database whose vectors are real[] because there was no pgvector when it was migrated.

    Can be run again at any time, by any number of people: one at a time does something, and only where there is
    something to do. What servers have prepared goes on working.

    Args:
        owner: A connection of the login that migrates, for this alone.
        report: Told in words what is done.
        batch: Rows of one batch.

    Raises:
        MigrationsPending: The database has no vectors yet.
        EmbeddingsNotOwned: The login may not change them.
        PgvectorMissing: The extension is not there, is too old, or may not be made by this login.
        EmbeddingsInUse: A view or function of somebody else depends on the column. Nothing was changed.
        MigrationLocked: Somebody else migrates, or a long transaction does not let go of the table.
    """
    await owner.execute("set statement_timeout = 0")
    async with only_migrator(owner):
        kind = await column.column_type(owner)
        if kind is None:
            raise MigrationsPending(
                "this database has no table of vectors",
                hint="Run `stead db migrate`, which makes it right.",
            )
        if kind == "halfvec":
            await _drop_old(owner)
            return Vectorized(changed=False, version=await column.installed_version(owner))
        await _refuse_obstacles(owner)
        home = await _extension(owner, report)
        copied = await _copy(owner, home, batch, report)
        await column.analyze(owner)
        return Vectorized(changed=True, version=await column.installed_version(owner), copied=copied)


async def _refuse_obstacles(owner: column.Connection) -> None:
    if not await column.is_owner(owner):
        raise EmbeddingsNotOwned(
            "this login does not own the table stead.embeddings",
            hint="Give the login that ran `stead db migrate` as STEAD_ADMIN_DATABASE_URL.",
        )
    found = await column.dependents(owner)
    if found:
        raise EmbeddingsInUse(
            f"these depend on the type of stead.embeddings: {', '.join(found)}; nothing was changed",
            hint="Drop them, run this again, then make them anew.",
        )


async def _extension(owner: column.Connection, report: Callable[[str], Any]) -> str:
    """The schema of pgvector, which is installed first where it is not."""
    home = await column.home_of_halfvec(owner)
    if home is not None:
        return home
    version = await column.available_version(owner)
    if version is None:
        raise PgvectorMissing(
            "pgvector is not installed on the database server",
            hint="Install it there (Debian and Ubuntu with PostgreSQL's own package source: "
            "postgresql-<version>-pgvector; hosted databases have it or allow it), then run this again. "
            "Until then everything works without it, only slower.",
        )
    try:
        async with owner.transaction():
            report(f"installing pgvector {version}")
            await column.create_extension(owner)
            home = await column.home_of_halfvec(owner)
            if home is None:
                # Raised inside: the old version is not left behind.
                raise PgvectorMissing(
                    f"the database server offers pgvector {version}, which has no vectors of half precision",
                    hint="Install pgvector 0.7 or later on the server, then run this again.",
                )
    except asyncpg.InsufficientPrivilegeError as error:
        raise PgvectorMissing(
            f"pgvector {version} is there, but this login may not install it: {error}",
            hint="Let a superuser run in this database: create extension vector schema extensions",
        ) from error
    return home


async def _copy(owner: column.Connection, home: str, batch: int, report: Callable[[str], Any]) -> int:
    fits = await copying.fits(owner)

    async def begin() -> None:
        if fits is False:
            await copying.discard(owner)
        await copying.begin(owner, home)

    async def swap() -> None:
        await copying.swap(owner)
        await column.replace_functions(owner, home)

    if fits:
        report("going on with a copy that was begun")
    else:
        await _briefly_locked(owner, begin)
    copied = 0
    complete = False
    while not complete:
        after: copying.Key | None = copying.FIRST
        while after is not None:
            count, after = await copying.batch(owner, home, after, batch)
            copied += count
            if count:
                report(f"{copied} copied")
        complete = await copying.is_complete(owner)
        if not complete:
            await asyncio.sleep(_LOCK_PAUSE_S)  # until whoever writes has committed
    report("putting the copy in place")
    await _briefly_locked(owner, swap)
    await _drop_old(owner)
    return copied


async def _drop_old(owner: column.Connection) -> None:
    if await copying.has_old(owner):
        await _briefly_locked(owner, lambda: copying.drop_old(owner))


async def _briefly_locked(owner: column.Connection, statements: Callable[[], Awaitable[None]]) -> None:
    """A transaction that gives up soon when it has to wait for a lock, and tries again."""
    for _ in range(_LOCK_TRIES):
        try:
            async with owner.transaction():
                await owner.execute(
                    f"set local lock_timeout = '{_LOCK_TIMEOUT}'; set local statement_timeout = 0"
                )
                await statements()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(_LOCK_PAUSE_S)
        else:
            return
    raise MigrationLocked(
        f"the table of vectors was never free in {_LOCK_TRIES} tries; what was copied so far is kept",
        hint="Look for a long transaction in pg_stat_activity, then run this again.",
    )
