"""From enqueueing to a handler's first line, on an idle system: ``python -m benchmarks.jobs_latency``."""

from __future__ import annotations

import asyncio
import random
import sys
import time

import uvloop

from benchmarks import jobs, report
from benchmarks.cluster import cluster, settle
from stead import jobs as parts
from stead.identity import tenant_service
from stead.jobs import JobRegistry, NewJob


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "Milliseconds from before the enqueueing transaction to the handler's start, one job at a time.",
        "python -m benchmarks.jobs_latency --n 500",
    )
    parser.add_argument("--n", type=int, default=500, help="jobs, one after the other")
    given = parser.parse_args()
    about = report.machine()
    async with cluster() as access:
        (tenant,) = await jobs.make_tenants(access, 1)
        principal = tenant_service(tenant)
        started: asyncio.Queue[float] = asyncio.Queue()

        async def note(job: jobs.JobContext) -> None:
            del job
            started.put_nowait(time.perf_counter())

        registry = JobRegistry()
        registry.add("note", note)
        waits: list[float] = []
        commits: list[float] = []
        async with jobs.opened(access) as (db, hub), jobs.working(db, hub, registry, 100):
            postgres = await settle(access)
            for n in range(given.n + 20):
                # Idle: the worker has gone to sleep, at no particular moment of its rhythm.
                await asyncio.sleep(random.uniform(0.005, 0.05))
                began = time.perf_counter()
                async with db.transaction(principal) as tx:
                    await parts.enqueue(tx, principal, NewJob(kind="note"))
                committed = time.perf_counter()
                at = await started.get()
                if n >= 20:
                    waits.append((at - began) * 1000)
                    commits.append((at - committed) * 1000)
    figures = {f"p{share}_ms": round(report.percentile(waits, share / 100), 2) for share in (50, 95, 99)}
    after = {
        f"after_commit_p{share}_ms": round(report.percentile(commits, share / 100), 2)
        for share in (50, 99)
    }
    report.finish("jobs_latency", postgres, {**figures, **after, "n": given.n}, about=about)
    return 0


if __name__ == "__main__":
    # As `stead worker` runs.
    sys.exit(uvloop.run(main()))
