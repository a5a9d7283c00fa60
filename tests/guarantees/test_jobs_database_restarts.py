"""PostgreSQL stopped at once, again and again under load: no accepted job is lost, workers reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from stead import jobs
from stead.assembly.database import RUNTIME_ROLE, DatabaseAccess
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import CONNECTION_LOST, Database, embedded
from stead.db.migrator import migrate
from stead.jobs import NewJob
from tests.guarantees.jobs import Plant, plant

CRASHES = 4
SEED = 20261121


@pytest_asyncio.fixture
async def works(tmp_path: Path) -> AsyncIterator[Plant]:
    """A cluster of this test's own, as durable as the product runs it."""
    home = Path(tempfile.mkdtemp(prefix="stead-crash-"))
    try:
        server = await asyncio.to_thread(embedded.ensure_running, home)
        await asyncio.to_thread(embedded.create_database, server, "stead")
        await migrate(server.dsn(user="postgres"))
        access = DatabaseAccess(
            runtime_url=server.dsn(user=RUNTIME_ROLE),
            admin_url=server.dsn(user="postgres"),
            listen_url=server.dsn(user=RUNTIME_ROLE),
            server=server,
        )
        async with plant(access, tmp_path) as found:
            yield found
    finally:
        await asyncio.to_thread(embedded.stop, home, mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


async def enqueue_for_ever(works: Plant, db: Database, accepted: set[UUID]) -> None:
    """A client: what it was told is stored counts as accepted; what it was not told it sends again."""
    while True:
        job = new_id()
        for _ in range(100):
            try:
                async with db.transaction(works.service) as tx:
                    await jobs.enqueue(
                        tx, works.service, NewJob(kind="steps", input={"n": 2}), job_id=job
                    )
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
                await asyncio.sleep(0.02)
            else:
                accepted.add(job)
                break
        await asyncio.sleep(0.002)


@pytest.mark.timeout(300)
async def test_no_accepted_job_is_lost_when_the_database_crashes(works: Plant) -> None:
    chance = random.Random(SEED)
    server = works.access.server
    assert server is not None
    home = server.data_dir.parent
    accepted: set[UUID] = set()
    workers = [await works.worker().start() for _ in range(2)]
    clients = [asyncio.create_task(enqueue_for_ever(works, works.db, accepted)) for _ in range(4)]
    for _ in range(CRASHES):
        before = len(accepted)
        async with asyncio.timeout(60):
            while len(accepted) < before + 60:  # noqa: ASYNC110 - clients count
                await asyncio.sleep(0.01)
        await asyncio.sleep(chance.uniform(0, 0.5))
        await asyncio.to_thread(embedded.stop, home, mode="immediate")
        await asyncio.to_thread(embedded.ensure_running, home)
    for client in clients:
        client.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*clients)
    works.admin = await asyncpg.connect(works.access.admin_url)
    try:
        await works.all_ended()
    finally:
        codes = [await worker.stop() for worker in workers]

    assert codes == [0, 0]
    rows = await works.admin.fetch("select id, status, result from public.agent_jobs")
    stored = {row["id"]: (row["status"], row["result"]) for row in rows}
    assert accepted <= set(stored)
    assert set(stored.values()) == {("completed", "1")}
    # Each step was done at least once, and in order: a crash repeats only what was in flight.
    for job, lines in works.lines().items():
        numbers = [int(line[0]) for line in lines]
        assert numbers == sorted(numbers), job
        assert set(numbers) == {0, 1}, job
