"""PostgreSQL stopped at once, again and again under load: no accepted action is lost, none is done twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from stead import actions
from stead.actions import Proposal, Proposed
from stead.assembly.database import RUNTIME_ROLE, DatabaseAccess
from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, embedded
from stead.db.migrator import migrate
from tests.guarantees.acts import Works, works_on

CRASHES = int(os.environ.get("GUARANTEE_CRASHES", "3"))
SEED = 20261121


@pytest_asyncio.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
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
        async with works_on(access, tmp_path) as found:
            yield found
    finally:
        await asyncio.to_thread(embedded.stop, home, mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


async def propose_for_ever(works: Works, accepted: set[str], chance: random.Random) -> None:
    """A client: what it was told is stored counts as accepted; what not, it sends again under its key."""
    while True:
        key = str(uuid4())
        tool = chance.choice(["send", "upsert"])
        proposal = Proposal(tool=tool, arguments={"order": key}, external_id=key)
        for _ in range(200):
            try:
                async with works.db.transaction(works.service) as tx:
                    proposed = await actions.propose(tx, works.service, proposal)
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
                await asyncio.sleep(0.02)
            else:
                assert isinstance(proposed, Proposed)
                accepted.add(key)
                break
        await asyncio.sleep(0.002)


@pytest.mark.timeout(300)
async def test_no_accepted_action_is_lost_when_the_database_crashes(works: Works) -> None:
    chance = random.Random(SEED)
    server = works.access.server
    assert server is not None
    home = server.data_dir.parent
    accepted: set[str] = set()
    workers = [await works.worker().start() for _ in range(2)]
    clients = [asyncio.create_task(propose_for_ever(works, accepted, chance)) for _ in range(4)]
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
        await works.all_still()
        codes = [await worker.stop() for worker in workers]
        assert codes == [0, 0]
        rows = await works.admin.fetch("select id, external_id, status, idempotent from public.outbox")
        assert accepted <= {row["external_id"] for row in rows}
        for row in rows:
            # A database that was away for long lets its workers seem dead: then it is said.
            assert row["status"] == "succeeded" or (
                row["status"] == "outcome_unknown" and not row["idempotent"]
            )
        assert sum(row["status"] == "succeeded" for row in rows) >= len(rows) / 2
        await works.check()
    finally:
        for worker in workers:
            if worker.process is not None and worker.process.returncode is None:
                await worker.kill()
        await works.admin.close()
