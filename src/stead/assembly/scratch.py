"""A tenant for a while: made, filled, and deleted with all that it has."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg

from stead.assembly.errors import CannotCleanUp
from stead.db.migrator import admin_connection
from stead.identity import Tenant

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

_NAME: Final = "stead memory eval"
_REFUSED: Final = (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)
#: A role, a table or a column that a migration makes is not there. (The role: an invalid parameter.)
_NOT_MIGRATED: Final = (
    asyncpg.InvalidParameterValueError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
)


@asynccontextmanager
async def scratch_tenant(admin_url: str | None) -> AsyncGenerator[Tenant]:
    """A tenant with a slug of ``eval-`` and twelve random digits, deleted at the end, whatever the end is.

    One that a killed process left behind is deleted by the next call, when it is a day old.

    Args:
        admin_url: The owner's login.

    Raises:
        CannotCleanUp: The login may not delete what it would make, or the database is not migrated. Nothing was
            made.
    """
    if admin_url is None:
        raise CannotCleanUp("this needs the owner's URL", hint="Set STEAD_ADMIN_DATABASE_URL.")
    slug = f"eval-{secrets.token_hex(6)}"
    try:
        tenant = await _make(admin_url, slug)
    except _REFUSED as error:
        raise CannotCleanUp(
            "this login may not make and delete a tenant here",
            hint="Give the owner's URL as STEAD_ADMIN_DATABASE_URL, of a database that takes writes.",
        ) from error
    except _NOT_MIGRATED as error:
        raise CannotCleanUp("this database is not migrated", hint="stead db migrate") from error
    try:
        yield tenant
    finally:
        # Not ended by the interrupt that led here; by a second one it is.
        await asyncio.shield(_remove(admin_url, tenant.id))


async def _make(admin_url: str, slug: str) -> Tenant:
    async with admin_connection(admin_url) as connection:
        async with _as_definer(connection):
            await _insert(connection, slug)
            # The proof that it can be deleted, while nothing is committed.
            await _delete(connection, slug)
            tenant_id = await _insert(connection, slug)
        async with _as_definer(connection):
            for row in await connection.fetch(
                """
                select slug from public.tenants
                where slug ~ '^eval-[0-9a-f]{12}$' and name = $1 and created_at < now() - interval '1 day'
                """,
                _NAME,
            ):
                await _delete(connection, row["slug"])
    return Tenant(id=tenant_id, slug=slug)


async def _remove(admin_url: str, tenant_id: UUID) -> None:
    async with admin_connection(admin_url) as connection:
        async with _as_definer(connection):
            slug = await connection.fetchval("select slug from public.tenants where id = $1", tenant_id)
            if slug is not None:
                await _delete(connection, slug)
        # Once more: the maintenance of a worker may have summed up some of them in between.
        async with _as_definer(connection):
            await connection.execute("delete from stead.search_totals where tenant_id = $1", tenant_id)


@asynccontextmanager
async def _as_definer(connection: Connection) -> AsyncGenerator[None]:
    async with connection.transaction():
        # A large tenant takes its time; a login of Supabase has a limit of its own.
        await connection.execute("set local statement_timeout = 0")
        await connection.execute("set local role stead_definer")
        yield


async def _insert(connection: Connection, slug: str) -> UUID:
    made: Any = await connection.fetchval(
        "insert into public.tenants (slug, name) values ($1, $2) returning id", slug, _NAME
    )
    return made


async def _delete(connection: Connection, slug: str) -> None:
    tenant_id = await connection.fetchval(
        "delete from public.tenants where slug = $1 returning id", slug
    )
    # Triggers write differences behind what goes by cascade, and no foreign key takes those along.
    await connection.execute("delete from stead.search_totals where tenant_id = $1", tenant_id)
