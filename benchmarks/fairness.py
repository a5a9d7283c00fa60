"""One tenant enqueues fifty thousand, then others a few each: ``python -m benchmarks.fairness``."""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop

from benchmarks import jobs, report
from benchmarks.cluster import cluster, settle
from stead.jobs import JobRegistry


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "How many jobs of a tenant with very many have finished when the few of all others have.",
        "python -m benchmarks.fairness",
    )
    parser.add_argument("--many", type=int, default=50_000, help="jobs of the first tenant")
    parser.add_argument("--others", type=int, default=49, help="tenants that come after it")
    parser.add_argument("--few", type=int, default=10, help="jobs of each of those")
    parser.add_argument("--concurrency", type=int, default=100, help="jobs at once in the worker")
    given = parser.parse_args()
    about = report.machine()
    async with cluster() as access:
        first, *others = await jobs.make_tenants(access, given.others + 1)
        expected = given.others * given.few
        done = {"many": 0, "few": 0}
        at_last: dict[str, float] = {}
        finished = asyncio.Event()

        async def note(job: jobs.JobContext) -> None:
            who = "many" if job.principal.tenant.id == first.id else "few"
            done[who] += 1
            if done["few"] == expected and not finished.is_set():
                at_last["many"] = done["many"]
                at_last["s"] = time.perf_counter()
                finished.set()

        registry = JobRegistry()
        registry.add("note", note)
        async with jobs.opened(access) as (db, hub):
            report.progress(f"enqueueing {given.many:,}")
            await jobs.enqueue(db, first, "note", given.many)
            for tenant in others:
                await jobs.enqueue(db, tenant, "note", given.few)
            postgres = await settle(access)
            began = time.perf_counter()
            async with jobs.working(db, hub, registry, given.concurrency):
                await finished.wait()
    report.finish(
        "fairness",
        postgres,
        {
            "others_finished": expected,
            "finished_of_the_many_before": at_last["many"],
            "share_of_the_many": round(at_last["many"] / given.many, 5),
            "took_ms": round((at_last["s"] - began) * 1000, 1),
            "many": given.many,
            "tenants": given.others,
            "few": given.few,
            "concurrency": given.concurrency,
        },
        about=about,
    )
    return 0


if __name__ == "__main__":
    # As `stead worker` runs.
    sys.exit(uvloop.run(main()))
