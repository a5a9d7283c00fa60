"""Jobs from enqueueing to their end, by real workers."""

from __future__ import annotations

import asyncio

from stead.jobs import JobContext
from tests.jobs.conftest import Workshop


async def test_a_job_runs_and_keeps_what_its_handler_returned(shop: Workshop) -> None:
    async def add(job: JobContext, a: int, b: int) -> int:
        return a + b

    shop.registry.add("add", add)
    job = await shop.enqueue("add", input={"a": 2, "b": 3})
    assert (await shop.get(job)).status == "queued"
    async with shop.worker():
        done = await shop.ended(job)

    assert (done.status, done.result, done.progress, done.attempts) == ("completed", 5, 100, 1)
    assert done.created_at <= done.started_at <= done.completed_at
