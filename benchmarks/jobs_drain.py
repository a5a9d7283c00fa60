"""How fast one worker drains jobs that do nothing, beside PGQueuer: ``python -m benchmarks.jobs_drain``."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import uvloop

from benchmarks import jobs, report
from benchmarks.cluster import settle
from benchmarks.peer import compare
from stead.assembly.database import DatabaseAccess
from stead.jobs import JobRegistry


async def ours(access: DatabaseAccess, n: int, tenants: int, concurrency: int) -> dict[str, Any]:
    """Jobs of many tenants, each claimed under a lease, run as its principal, stored with its times."""
    report.progress(f"enqueueing {n:,} jobs of {tenants} tenants")
    owners = await jobs.make_tenants(access, tenants)
    done = 0
    all_done = asyncio.Event()

    async def count(job: jobs.JobContext) -> None:
        nonlocal done
        del job
        done += 1
        if done == n:
            all_done.set()

    registry = JobRegistry()
    registry.add("nothing", count)
    async with jobs.opened(access) as (db, hub):
        began = time.perf_counter()
        for tenant, share in jobs.shares(n, owners):
            await jobs.enqueue(db, tenant, "nothing", share)
        enqueued_s = time.perf_counter() - began
        await settle(access)
        began = time.perf_counter()
        async with jobs.working(db, hub, registry, concurrency):
            await all_done.wait()
        # The worker has stopped: what it ended is stored.
        took_s = time.perf_counter() - began
    assert await jobs.left(access) == 0
    return {
        "per_s": round(n / took_s, 1),
        "took_s": round(took_s, 2),
        "enqueued_per_s": round(n / enqueued_s, 1),
    }


async def main() -> int:
    """Reads the command line."""
    return await compare(
        "jobs_drain",
        ours,
        about="Jobs that do nothing, drained by one worker process; PGQueuer in the same run.",
        what="jobs",
    )


if __name__ == "__main__":
    # As `stead worker` runs.
    sys.exit(uvloop.run(main()))
