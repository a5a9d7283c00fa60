"""The database for one command: found, and left as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from stead.assembly import Settings, load_settings
from stead.assembly.database import DatabaseAccess, reach
from stead.core.errors import Invalid
from stead.core.ids import parse_id
from stead.db import embedded

if TYPE_CHECKING:
    from stead.db import Database
    from stead.identity import Principal

T = TypeVar("T")


@asynccontextmanager
async def database(settings: Settings) -> AsyncGenerator[DatabaseAccess]:
    """The database. An embedded server that was not running is stopped again afterwards."""
    access = await reach(settings)
    try:
        yield access
    finally:
        if access.server is not None and access.server.started_here:
            await asyncio.to_thread(embedded.stop, settings.home)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The database, open for one command, and whose service works on it."""

    settings: Settings
    access: DatabaseAccess
    db: Database
    principal: Principal


@asynccontextmanager
async def opened_database(
    *, connections: int = 2
) -> AsyncGenerator[tuple[Settings, DatabaseAccess, Database]]:
    """A pool of the server's login."""
    from stead.db import Database, PoolConfig  # noqa: PLC0415

    settings = load_settings()
    async with database(settings) as access:
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=connections))
        try:
            yield settings, access, db
        finally:
            await db.close()


@asynccontextmanager
async def as_service(slug: str, *, connections: int = 2) -> AsyncGenerator[Opened]:
    """The database, as the service of a tenant."""
    from stead.db import NOBODY  # noqa: PLC0415
    from stead.identity import tenant_service, tenants  # noqa: PLC0415

    async with opened_database(connections=connections) as (settings, access, db):
        async with db.transaction(NOBODY, read_only=True) as tx:
            tenant = await tenants.find(tx, slug)
        yield Opened(settings=settings, access=access, db=db, principal=tenant_service(tenant))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on uvloop, where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


def read_id(text: str) -> UUID:
    """The id in an argument.

    Raises:
        Invalid: It is none.
    """
    found = parse_id(text)
    if found is None:
        raise Invalid(f"{text!r} is no id", hint="An id has 36 characters: 8-4-4-4-12.")
    return found
