"""Fixtures that all tests share."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig, embedded
from stead.db.embedded import EmbeddedServer
from stead.identity import Tenant
from tests.support import cluster as clusters
from tests.support.people import Person, make_person, make_tenant
from tests.support.servers import Running, forget_cookies, running_server

for name in [
    name for name in os.environ if name.startswith("STEAD_") and name != clusters.HOME_VARIABLE
]:
    del os.environ[name]
for name in (
    "DATABASE_URL",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "SUPABASE_URL",
    "REDIS_URL",
    "PORT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
):
    os.environ.pop(name, None)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ.pop(clusters.HOME_VARIABLE, None)
        clusters.make_home()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        home = Path(os.environ[clusters.HOME_VARIABLE])
        embedded.stop(home, mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses names of tests that are other ones in each process: the processes of one run have to agree."""
    for item in items:
        if re.search(r" at 0x[0-9a-f]{6}", item.nodeid):
            raise pytest.UsageError(f"the address of an object in a test's name: {item.nodeid}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Under CI a skip is a failure: whatever a test needs, CI installs."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI: {report.longrepr}"


@pytest.fixture(autouse=True)
def _no_cookies() -> None:
    """Tests begin without cookies of those before them."""
    forget_cookies()


@pytest.fixture(scope="session")
def cluster() -> EmbeddedServer:
    """The PostgreSQL of this run."""
    return clusters.start()


@pytest_asyncio.fixture(scope="session")
async def access(cluster: EmbeddedServer) -> AsyncIterator[DatabaseAccess]:
    """A migrated database for this worker process. Tests keep apart by making their own tenants."""
    async with clusters.copy_of_template(cluster) as found:
        yield found


@pytest_asyncio.fixture
async def fresh(cluster: EmbeddedServer) -> AsyncIterator[DatabaseAccess]:
    """A migrated database for one test."""
    async with clusters.copy_of_template(cluster) as found:
        yield found


@pytest_asyncio.fixture(scope="module")
async def _workplace(cluster: EmbeddedServer) -> AsyncIterator[DatabaseAccess]:
    async with clusters.copy_of_template(cluster) as found:
        yield found


@pytest_asyncio.fixture
async def idle(_workplace: DatabaseAccess) -> DatabaseAccess:
    """A migrated database without jobs, queues, schedules and processes.

    One for a module, cleared before each test: copying one takes half a second of a core.
    """
    admin = await asyncpg.connect(_workplace.admin_url)
    try:
        for table in ("public.agent_jobs", "stead.job_queues", "stead.schedules", "stead.processes"):
            await admin.execute(f"delete from {table}")
    finally:
        await admin.close()
    return _workplace


@pytest_asyncio.fixture(scope="session")
async def db(access: DatabaseAccess) -> AsyncIterator[Database]:
    """The pool of the server's login on the shared database."""
    database = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=10))
    yield database
    await database.close()


@pytest_asyncio.fixture
async def tenant(access: DatabaseAccess) -> Tenant:
    """A tenant of this test's own."""
    return await make_tenant(access)


@pytest_asyncio.fixture
async def other_tenant(access: DatabaseAccess) -> Tenant:
    """Another tenant."""
    return await make_tenant(access)


@pytest_asyncio.fixture
async def person(db: Database, tenant: Tenant) -> Person:
    """A person of the tenant."""
    return await make_person(db, tenant)


@pytest_asyncio.fixture
async def stranger(db: Database, other_tenant: Tenant) -> Person:
    """A person of the other tenant."""
    return await make_person(db, other_tenant)


@pytest_asyncio.fixture(scope="session")
async def server(access: DatabaseAccess) -> AsyncIterator[Running]:
    """Stead's server on the shared database, with the offline model and two agents in code."""
    app = Stead()
    app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
    app.registry.add_tool(_add, name="add")
    app.registry.add_agent("echo", "You use tools.", tools=["add"])
    async with running_server(access, app) as running:
        yield running


def _add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b
