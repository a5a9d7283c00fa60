"""Jobs that Celery delivers: real workers of Celery, on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.guarantees.jobs import plant
from tests.support.brokers import RedisBroker, redis_broker
from tests.support.fleet import Fleet, fleet


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[RedisBroker]:
    """A broker."""
    async with redis_broker() as broker:
        yield broker


@pytest_asyncio.fixture
async def yard(fresh: DatabaseAccess, redis: RedisBroker, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A fleet on it."""
    async with plant(fresh, tmp_path) as made, fleet(made, redis.url) as found:
        yield found


async def test_a_job_runs_in_a_worker_of_celery(yard: Fleet) -> None:
    await yard.worker()
    (job,) = await yard.enqueue("steps", n=3) if False else await yard.enqueue("note")
    done = await yard.ended(job)
    assert (done.status, done.attempts) == ("completed", 1)
    assert yard.plant.lines()[job] == [[]]
