"""Moving the rows of 000's deprecated tables to where they belong now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from stead.apps.marketplace.errors import LegacyTableUnknown
from stead.apps.marketplace.legacy import queries
from stead.identity.errors import TenantUnknown

if TYPE_CHECKING:
    from stead.apps.marketplace.legacy.queries import Connection

#: Sessions first: candidates and events refer to them.
TABLES: Final = (
    "comparison_sessions",
    "comparison_candidates",
    "integration_events",
    "anonymous_prompts",
)
_BLOCKS: Final = 64


@dataclass(kw_only=True)
class Moved:
    """What became of the rows of one table.

    Args:
        table: Its name.
        rows: How many it has.
        moved: How many were moved now, or would be.
        there: How many had been moved before.
        left: How many stay, by the reason.
        dropped: Whether the table was dropped.
        kept_because: Why it was not, where that was asked for.
    """

    table: str
    rows: int = 0
    moved: int = 0
    there: int = 0
    left: Counter[str] = field(default_factory=Counter[str])
    dropped: bool = False
    kept_because: str | None = None


async def move_legacy(
    connection: Connection,
    tenant: str,
    *,
    apply: bool = False,
    drop: bool = False,
    force: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> list[Moved]:
    """Moves what maps. Run again it goes on: what was moved before is known by its id.

    Without ``apply`` it does the same in one transaction and takes it back: what it says is what would happen.
    With it, each batch is a transaction.

    Args:
        connection: The owner's, outside any transaction.
        tenant: The slug of whose rows they become; the old tables know of none.
        apply: Whether it is done.
        drop: Whether tables of which every row was moved are dropped afterwards.
        force: Whether those with rows left are dropped too.
        report: Told what is begun.

    Raises:
        TenantUnknown: There is no such tenant.
        LegacyTableUnknown: One of the names is no table.
    """
    if not apply:
        attempt = connection.transaction()
        await attempt.start()
        try:
            return await _move_all(connection, tenant, report)
        finally:
            await attempt.rollback()
    done = await _move_all(connection, tenant, report)
    if drop:
        # What refers to others goes before them.
        for found in reversed(done):
            await _drop(connection, found, force=force)
    return done


async def _move_all(connection: Connection, tenant: str, report: Callable[[str], None]) -> list[Moved]:
    async with connection.transaction():
        await queries.as_definer(connection)
        tenant_id = await queries.tenant_id(connection, tenant)
    if tenant_id is None:
        raise TenantUnknown(f"no tenant is called {tenant!r}", hint="Make it with `stead tenant add`.")
    kinds = await queries.kinds(connection, list(TABLES))
    for name, kind in kinds.items():
        if kind != "r":
            raise LegacyTableUnknown(
                f"public.{name} is no plain table", hint="Rename it, if it is something else."
            )
    done: list[Moved] = []
    for table in TABLES:
        if table in kinds:
            report(table)
            done.append(await _move_table(connection, table, tenant_id))
    return done


async def _move_table(connection: Connection, table: str, tenant_id: UUID) -> Moved:
    found = Moved(table=table)
    async with connection.transaction():
        await queries.as_owner(connection)
        blocks = await queries.blocks(connection, table)
        factor = 1
        if table == "comparison_candidates":
            try:
                async with connection.transaction():
                    factor = 100 if await queries.scores_are_shares(connection) else 1
            except asyncpg.DataError:
                factor = 1  # one that is no number; it is counted with its row
    # One more than there were: what is written meanwhile is read too, as far as it goes.
    for first in range(0, blocks + 1, _BLOCKS):
        last = first + _BLOCKS >= blocks + 1
        async with connection.transaction():
            await queries.as_owner(connection)
            rows = await queries.read(connection, table, first, 2**31 if last else first + _BLOCKS)
            await queries.as_definer(connection)
            found.rows += len(rows)
            outcomes = await _move(connection, table, tenant_id, rows, factor)
        found.moved += outcomes.pop("moved", 0)
        found.there += outcomes.pop("there", 0)
        found.left.update(outcomes)
    return found


async def _move(
    connection: Connection, table: str, tenant_id: UUID, rows: Sequence[str], factor: int
) -> Counter[str]:
    """Moves some rows. One that cannot be stored is found by halving, and keeps none of the others from it."""
    if not rows:
        return Counter()
    try:
        async with connection.transaction():
            return Counter(await queries.move(connection, table, tenant_id, list(rows), factor))
    except (
        asyncpg.DataError,
        asyncpg.IntegrityConstraintViolationError,
        asyncpg.ProgramLimitExceededError,
    ):
        if len(rows) == 1:
            return Counter({"not_storable": 1})
    half = len(rows) // 2
    before = await _move(connection, table, tenant_id, rows[:half], factor)
    return before + await _move(connection, table, tenant_id, rows[half:], factor)


async def _drop(connection: Connection, found: Moved, *, force: bool) -> None:
    left = sum(found.left.values())
    if left and not force:
        found.kept_because = f"{left} rows were not moved"
        return
    try:
        async with connection.transaction():
            await queries.as_owner(connection)
            await connection.execute("set local lock_timeout = '10s'")
            await queries.lock(connection, found.table)
            # Somebody may have written since it was read.
            if await queries.count(connection, found.table) != found.rows:
                found.kept_because = "it was written to meanwhile"
                return
            await queries.drop(connection, found.table)
    except asyncpg.DependentObjectsStillExistError:
        found.kept_because = "something else depends on it"
        return
    except asyncpg.LockNotAvailableError:
        found.kept_because = "somebody is using it"
        return
    found.dropped = True
