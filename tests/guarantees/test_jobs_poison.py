"""A job that kills its worker ends failed after so many claims, and its neighbours come to no harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.guarantees.jobs import Plant, plant


@pytest_asyncio.fixture
async def works(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(fresh, tmp_path) as found:
        yield found


@pytest.mark.parametrize("how", ["SIGSEGV", "SIGKILL"])
async def test_what_ends_its_process_three_times_is_not_tried_a_fourth(works: Plant, how: str) -> None:
    # As the kernel ends a process that is out of memory (SIGKILL), and a fault in a library (SIGSEGV).
    neighbours = await works.enqueue("slow", 5)
    (poison,) = await works.enqueue("poison", how=how)
    for _ in range(2):
        worker = await works.worker().start()
        assert worker.process is not None
        await asyncio.wait_for(worker.process.wait(), 60)
        await works.bury()
    # Lost twice, it runs in a process of its own: this worker outlives it.
    survivor = await works.worker().start()
    assert survivor.process is not None
    try:
        await works.all_ended()
        assert survivor.process.returncode is None
        (after,) = await works.enqueue("slow")
        await works.all_ended()
    finally:
        assert await survivor.stop() == 0

    ended = await works.get(poison)
    assert (ended.status, ended.error_code) == ("failed", "worker_lost")
    assert len(works.lines()[poison]) == 3
    assert len({line[1] for line in works.lines()[poison]}) == 3
    for job in [*neighbours, after]:
        assert (await works.get(job)).status == "completed"


async def test_what_is_no_json_fails_after_its_attempts(works: Plant) -> None:
    (bad,) = await works.enqueue("garbage")
    good = await works.enqueue("slow", 3)
    worker = await works.worker().start()
    try:
        await works.all_ended()
    finally:
        assert await worker.stop() == 0

    ended = await works.get(bad)
    assert (ended.status, ended.error_code) == ("failed", "job_result_invalid")
    assert [(await works.get(job)).status for job in good] == ["completed"] * 3
