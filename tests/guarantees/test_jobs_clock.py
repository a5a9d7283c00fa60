"""Workers whose clocks are an hour off, in both directions: times follow the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from stead import jobs
from stead.assembly.database import DatabaseAccess
from stead.jobs import NewJob
from tests.guarantees.jobs import Plant, plant


@pytest_asyncio.fixture
async def works(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(fresh, tmp_path) as found:
        yield found


async def test_a_wrong_clock_runs_nothing_early_and_takes_nobody_for_dead(works: Plant) -> None:
    workers = [await works.worker(CLOCK_OFF_S=offset).start() for offset in ("3600", "-3600")]
    async with works.db.transaction(works.service) as tx:
        soon, later, far = [
            await tx.value("select now() + $1::text::interval", wait)
            for wait in ("1 second", "20 minutes", "2 hours")
        ]
        made = [
            (await jobs.enqueue(tx, works.service, NewJob(kind="note", run_at=at))).id
            for at in (soon, later, far)
        ]
    try:
        await works.until("select status = 'completed' from public.agent_jobs where id = $1", made[0])
        others = await works.enqueue("steps", 100, n=3)
        await works.until(
            "select count(*) = 100 from public.agent_jobs where id = any ($1) and status = 'completed'",
            others,
        )
        # Both have beaten, each by the database's clock, and neither has rescued from the other.
        await works.until(
            """
            select count(*) = 2 from stead.processes
            where heartbeat_at between now() - interval '5 seconds' and now() and heartbeat_at > started_at
            """
        )
    finally:
        codes = [await worker.stop() for worker in workers]

    assert codes == [0, 0]
    rows = await works.admin.fetch(
        "select id, status, run_at <= started_at as in_time, rescues from public.agent_jobs where id = any ($1)",
        made,
    )
    found = {row["id"]: (row["status"], row["in_time"]) for row in rows}
    assert found == {
        made[0]: ("completed", True),
        made[1]: ("queued", None),
        made[2]: ("queued", None),
    }
    assert await works.admin.fetchval("select max(rescues) from public.agent_jobs") == 0
