"""Two workers: no job is claimed twice; no step runs again once it was checkpointed, whoever dies."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.guarantees.jobs import Plant, plant

JOBS = 10_000
KILLS = 6
SEED = 20261121


@pytest_asyncio.fixture
async def works(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(fresh, tmp_path) as found:
        yield found


@pytest.mark.timeout(300)
async def test_ten_thousand_jobs_run_once_each_over_two_workers(works: Plant) -> None:
    made = set(await works.enqueue("note", JOBS))
    workers = [await works.worker().start() for _ in range(2)]
    try:
        await works.all_ended(240)
    finally:
        codes = [await worker.stop() for worker in workers]

    assert codes == [0, 0]
    left = works.lines()
    assert set(left) == made
    assert {len(lines) for lines in left.values()} == {1}
    rows = await works.admin.fetch(
        "select status, attempts, lease_no, rescues, count(*) from public.agent_jobs group by 1, 2, 3, 4"
    )
    assert [tuple(row) for row in rows] == [("completed", 1, 1, 0, JOBS)]


@pytest.mark.timeout(300)
async def test_a_checkpointed_step_never_runs_again_whoever_is_killed(works: Plant) -> None:
    chance = random.Random(SEED)
    made = await works.enqueue("steps", 300, n=8)
    workers = [await works.worker().start() for _ in range(2)]
    for number in range(KILLS):
        share = (number + 1) / (KILLS + 2)
        await works.until(
            "select count(*) >= $1 from public.agent_job_steps",
            int(share * 300 * 8 * chance.uniform(0.8, 1)),
        )
        victim = chance.randrange(2)
        await workers[victim].kill()
        await works.bury()
        workers[victim] = await works.worker().start()
    try:
        await works.all_ended(240)
    finally:
        for worker in workers:
            await worker.stop()

    left = works.lines()
    again = 0
    for job in made:
        done = await works.get(job)
        assert (done.status, done.result) == ("completed", sum(range(8)))
        numbers = [int(line[0]) for line in left[job]]
        # In order, and a step comes again only as long as the next one has not begun: it was in flight.
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(8))
        again += len(numbers) - 8
    # Some were in flight when a worker was killed; each kill can have caught each running job in one step.
    assert 0 <= again <= KILLS * 100
