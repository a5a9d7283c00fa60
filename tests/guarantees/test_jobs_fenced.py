"""A worker that was stopped past its lease and goes on then: its late write is fenced off."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from stead import jobs
from stead.assembly.database import DatabaseAccess
from tests.guarantees.jobs import Plant, plant


@pytest_asyncio.fixture
async def works(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(fresh, tmp_path) as found:
        yield found


async def test_what_a_worker_writes_after_its_job_was_given_to_another_is_refused(
    works: Plant, tmp_path: Path
) -> None:
    let = tmp_path / "let"
    first = await works.worker().start()
    assert first.process is not None
    (job,) = await works.enqueue("gate", path=str(let))
    await works.until("select exists (select from public.agent_job_steps where name = 'before')")
    first.process.send_signal(signal.SIGSTOP)
    await works.silence(first.process.pid)
    second = await works.worker().start()
    assert second.process is not None
    try:
        await works.until("select lease_no > 1 and status = 'running' from public.agent_jobs")
        let.touch()
        await works.all_ended()
        ended = await works.get(job)
        first.process.send_signal(signal.SIGCONT)
        # It finds that the job is not its own any more, and goes on with others.
        others = set(await works.enqueue("slow", 300))
        await works.all_ended()
        while not any("job_fenced" in line or "jobs_fenced" in line for line in first.log):
            await works.until("select true")
        assert await works.admin.fetchval(
            "select count(*) = 300 from public.agent_jobs where id = any ($1) and status = 'completed'",
            list(others),
        )
    finally:
        first.process.send_signal(signal.SIGCONT)
        assert await first.stop() == 0
        assert await second.stop() == 0

    assert (ended.status, ended.result) == ("completed", second.process.pid)
    assert (await works.get(job)).result == second.process.pid
    async with works.db.transaction(works.service, read_only=True) as tx:
        steps = await jobs.jobs.steps(tx, works.service, job)
    assert [(s.name, s.result) for s in steps] == [
        ("before", first.process.pid),
        ("after", second.process.pid),
    ]
