"""Jobs that Celery delivers end once: whoever is killed, whatever the broker loses, whatever comes twice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from uuid import UUID

import pytest

from stead.assembly.database import DatabaseAccess
from tests.guarantees.jobs import plant
from tests.support.brokers import redis_broker
from tests.support.fleet import HASTY_S, Fleet, fleet
from tests.support.servers import ServerProcess

JOBS, ROWS = 120, 4


async def _prepare(yard: Fleet) -> None:
    await yard.plant.admin.execute(
        "create table public.effects (job_id uuid not null, number integer not null);"
        " grant insert on public.effects to stead_service"
    )


async def _check(yard: Fleet, many: list[UUID]) -> None:
    """Each job completed, each of its rows was written once, and no attempt ran beside another."""
    rows = await yard.plant.admin.fetch(
        "select j.id, j.status, j.result, j.lease_no, j.attempts, j.rescues from public.agent_jobs j"
        " where j.id = any ($1)",
        many,
    )
    assert {row["status"] for row in rows} == {"completed"}
    assert {row["result"] for row in rows} == {str(sum(range(ROWS)))}
    effects = await yard.plant.admin.fetch(
        "select job_id, array_agg(number order by number) as numbers from public.effects group by job_id"
    )
    assert {row["job_id"]: row["numbers"] for row in effects} == {job: list(range(ROWS)) for job in many}
    lines = yard.plant.lines()
    for row in rows:
        # A claim begins the handler once, unless its process died between the two; whatever was delivered beside
        # it began nothing.
        assert 1 <= len(lines[row["id"]]) <= row["lease_no"]
        assert row["attempts"] == 1


@pytest.mark.timeout(300)
async def test_everything_ends_once(fresh: DatabaseAccess, tmp_path: Path) -> None:
    dice = random.Random(7)
    threads, prefork = (
        ("--pool", "threads", "--concurrency", "4"),
        ("--pool", "prefork", "--concurrency", "4"),
    )
    async with (
        redis_broker() as redis,
        plant(fresh, tmp_path) as made,
        fleet(made, redis.url, lost_s=HASTY_S) as yard,
    ):
        await _prepare(yard)
        first, second = await asyncio.gather(yard.worker(*prefork), yard.worker(*threads))
        many = await yard.enqueue("ledger", JOBS, n=ROWS)

        async def ended(share: float) -> None:
            await made.until(
                "select count(*) filter (where completed_at is not null) >= $1 from public.agent_jobs",
                int(JOBS * share),
            )

        # Deliveries that nobody asked for, in any order, while all runs.
        again = [(job, "default", str(job)) for job in many * 2]
        dice.shuffle(again)
        await ended(0.05)
        assert await yard.delivery.send(again[:100]) == 100

        # One worker dies in the midst of its jobs.
        held = (
            "select count(*) from public.agent_jobs j join stead.processes p on p.id = j.worker_id"
            " where p.pid = any ($1)"
        )
        while await made.admin.fetchval(held, first.pause()) < 2:
            first.resume()
        family = first.pause()
        await first.kill()
        lost = await made.admin.fetchval(held, family)
        assert lost

        # The broker goes, with every message in it, and comes back empty.
        await ended(0.2)
        await redis.stop()
        late = await yard.enqueue("ledger", 10, n=ROWS)
        await redis.start()
        third = await yard.worker(*threads)
        rescuer = ServerProcess(
            fresh, "worker", STEAD_DISPATCH="celery", STEAD_BROKER_URL=redis.url,
            STEAD_ADMIN_DATABASE_URL=fresh.admin_url or "",
        )  # fmt: skip
        await rescuer.start()
        try:
            await made.all_ended()
        finally:
            await rescuer.stop()
        await _check(yard, [*many, *late])
        rescues = await made.admin.fetchval("select sum(rescues) from public.agent_jobs")
        assert rescues == lost
        assert third.process is not None
        assert second.process is not None
        # The one that was there lived through the broker's death.
        assert third.process.returncode is second.process.returncode is None
