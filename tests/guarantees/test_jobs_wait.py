"""A job that waits for an answer for a week, over restarts, holds nothing and goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from stead import jobs
from stead.assembly.database import DatabaseAccess
from stead.jobs import Answer
from tests.guarantees.jobs import Plant, plant


@pytest_asyncio.fixture
async def works(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(fresh, tmp_path) as found:
        yield found


async def test_a_week_of_waiting_holds_no_worker_and_no_connection(works: Plant) -> None:
    worker = await works.worker().start()
    (job,) = await works.enqueue("ask")
    await works.until("select status = 'waiting_for_input' from public.agent_jobs")
    row = await works.admin.fetchrow("select worker_id, attempts from public.agent_jobs")
    assert (row["worker_id"], row["attempts"]) == (None, 1)
    for _ in range(2):
        # Half a week goes by: every time that the database keeps moves back, and what is due to old age is done.
        await works.admin.execute(
            """
            update public.agent_jobs set created_at = created_at - interval '84 hours',
              started_at = started_at - interval '84 hours', run_at = run_at - interval '84 hours';
            update public.agent_job_steps set created_at = created_at - interval '84 hours';
            update stead.processes set heartbeat_at = heartbeat_at - interval '84 hours';
            """
        )
        await works.admin.fetch("select * from stead.rescue_jobs(10, 3, true, 100)")
        await works.admin.fetch("select stead.sweep_jobs(86400, 3600, 100)")
        assert (await works.get(job)).status == "waiting_for_input"
        # The worker is free: another job runs at once.
        (other,) = await works.enqueue("note")
        await works.until("select status = 'completed' from public.agent_jobs where id = $1", other)
        await works.until(
            """
            select not exists (select from pg_stat_activity where datname = current_database()
              and pid <> pg_backend_pid() and xact_start is not null)
            """
        )
        assert await worker.stop() == 0
        worker = await works.worker().start()
    async with works.db.transaction(works.service) as tx:
        await jobs.jobs.respond(tx, works.service, job, [Answer(question_id="q", answer="yes")])
    await works.all_ended()
    assert await worker.stop() == 0

    done = await works.get(job)
    assert (done.status, done.result, done.attempts) == ("completed", "yes", 1)
    # What was done before the question was not done again after it.
    assert works.lines()[job] == [["before"], ["yes"]]
