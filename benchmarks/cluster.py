"""A PostgreSQL of a benchmark's own: embedded, durable as the product runs it, gone afterwards."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from benchmarks.report import progress
from stead.assembly.database import RUNTIME_ROLE, DatabaseAccess
from stead.db import embedded
from stead.db.migrator import admin_connection, migrate


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A new home folder. Whatever server runs in it at the end is stopped."""
    home = Path(tempfile.mkdtemp(prefix="stead-bench-"))
    try:
        yield home
    finally:
        embedded.stop(home, mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


@asynccontextmanager
async def cluster() -> AsyncIterator[DatabaseAccess]:
    """A migrated database with the settings that `stead up` gives it: nothing is less durable here."""
    with scratch_home() as home:
        progress("starting PostgreSQL")
        server = await asyncio.to_thread(embedded.ensure_running, home)
        await asyncio.to_thread(embedded.create_database, server, "stead")
        admin_url = server.dsn(user="postgres")
        await migrate(admin_url)
        runtime_url = server.dsn(user=RUNTIME_ROLE)
        yield DatabaseAccess(
            runtime_url=runtime_url, admin_url=admin_url, listen_url=runtime_url, server=server
        )


@asynccontextmanager
async def as_admin(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection as the owner, for filling tables and looking at plans."""
    assert access.admin_url is not None
    async with admin_connection(access.admin_url) as connection:
        yield connection


async def settle(access: DatabaseAccess) -> str:
    """Statistics and visibility as autovacuum leaves them, nothing left to flush; returns the version."""
    async with as_admin(access) as admin:
        await admin.execute("vacuum analyze")
        await admin.execute("checkpoint")
        return await admin.fetchval("show server_version")
