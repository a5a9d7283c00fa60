"""Databases with pgvector and without."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db.embedded import EmbeddedServer
from stead.db.migrator import migrate
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.support import cluster as clusters
from tests.support import debian
from tests.support.debian import PlainPostgres


@pytest.fixture(scope="session")
def debian_postgres() -> Iterator[PlainPostgres]:
    """PostgreSQL 15 as Debian ships it, without pgvector."""
    programs = debian.programs()
    if programs is None:
        pytest.skip("no PostgreSQL 15 or later of the system: apt install postgresql")
    with debian.running(programs) as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def plain(debian_postgres: PlainPostgres) -> AsyncIterator[DatabaseAccess]:
    """A migrated database there."""
    async with debian_postgres.database() as access:
        assert access.admin_url is not None
        await migrate(access.admin_url)
        yield access


@pytest_asyncio.fixture(scope="session")
async def real_template(cluster: EmbeddedServer) -> AsyncIterator[str]:
    """A migrated database whose vectors are real[] on a server that has pgvector."""
    async with clusters.empty_database(cluster) as access:
        assert access.admin_url is not None
        name = urlsplit(access.admin_url).path[1:]
        admin = await asyncpg.connect(access.admin_url)
        await admin.execute(f"alter database {name} set stead.without_pgvector = 'on'")
        await admin.close()
        await migrate(access.admin_url)
        yield name


@pytest_asyncio.fixture
async def real(cluster: EmbeddedServer, real_template: str) -> AsyncIterator[DatabaseAccess]:
    """Such a database for one test."""
    async with clusters.empty_database(cluster, template=real_template) as access:
        yield access


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The one that needs no network."""
    return build_embedder("static", EmbedderConfig())
