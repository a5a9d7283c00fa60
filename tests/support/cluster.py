"""One embedded PostgreSQL for a whole test run, shared by its worker processes."""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import fasteners

from stead.assembly.database import DatabaseAccess
from stead.db import embedded
from stead.db.embedded import EmbeddedServer
from stead.db.migrator import migrate

HOME_VARIABLE = "STEAD_TEST_HOME"
TEMPLATE = "stead_template"


def make_home() -> Path:
    """The folder of this run's cluster, handed to worker processes through the environment."""
    if HOME_VARIABLE not in os.environ:
        # Not below pytest's own temporary folder, which is closed to the server's system user.
        os.environ[HOME_VARIABLE] = tempfile.mkdtemp(prefix="stead-test-")
    return Path(os.environ[HOME_VARIABLE])


def start() -> EmbeddedServer:
    """Starts or reuses this run's cluster. Durability is off: nothing of it outlives the run."""
    return embedded.ensure_running(
        make_home(),
        settings={"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
                  "max_connections": "400"},
    )  # fmt: skip


def access_to(server: EmbeddedServer, name: str) -> DatabaseAccess:
    """How to reach one of its databases."""
    runtime = server.dsn(user="stead_api", database=name)
    return DatabaseAccess(
        runtime_url=runtime,
        admin_url=server.dsn(user="postgres", database=name),
        listen_url=runtime,
        server=server,
    )


async def _admin(server: EmbeddedServer) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(server.dsn(user="postgres", database="postgres"))


async def ensure_template(server: EmbeddedServer) -> None:
    """The migrated database that all others are copies of; made by whichever worker comes first."""
    lock = fasteners.InterProcessLock(make_home() / "template.lock")
    await asyncio.to_thread(lock.acquire)
    try:
        admin = await _admin(server)
        try:
            if await admin.fetchval("select 1 from pg_database where datname = $1", TEMPLATE):
                return
            await admin.execute("create database stead_making")
        finally:
            await admin.close()
        await migrate(server.dsn(user="postgres", database="stead_making"))
        admin = await _admin(server)
        try:
            await admin.execute(f"alter database stead_making rename to {TEMPLATE}")
        finally:
            await admin.close()
    finally:
        lock.release()


@asynccontextmanager
async def copy_of_template(server: EmbeddedServer) -> AsyncIterator[DatabaseAccess]:
    """A migrated, empty database of one's own."""
    await ensure_template(server)
    async with empty_database(server, template=TEMPLATE) as access:
        yield access


@asynccontextmanager
async def empty_database(
    server: EmbeddedServer, template: str = "template1"
) -> AsyncIterator[DatabaseAccess]:
    """A database of one's own, dropped afterwards."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    admin = await _admin(server)
    try:
        await admin.execute(f"create database {name} template {template}")
    finally:
        await admin.close()
    try:
        yield access_to(server, name)
    finally:
        admin = await _admin(server)
        try:
            await admin.execute(f"drop database {name} with (force)")
        finally:
            await admin.close()
