"""How fast one worker drains jobs that do nothing, beside PGQueuer: ``python -m benchmarks.jobs_drain``."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.models import Job as TheirJob
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from benchmarks import jobs, report
from benchmarks.cluster import as_admin, cluster, settle
from stead.assembly.database import DatabaseAccess
from stead.db import embedded
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


async def theirs(access: DatabaseAccess, n: int, batch: int) -> dict[str, Any]:
    """PGQueuer's worker on a database of its own in the same cluster, as its documentation sets it up."""
    assert access.server is not None
    name = f"pgqueuer_{uuid4().hex[:8]}"
    await asyncio.to_thread(embedded.create_database, access.server, name)
    url = access.server.dsn(user="postgres", database=name)
    async with asyncpg.create_pool(url, min_size=4, max_size=8) as pool:
        queries = Queries(AsyncpgPoolDriver(pool))
        await queries.install()
        for begin in range(0, n, 1000):
            some = min(1000, n - begin)
            await queries.enqueue(["nothing"] * some, [None] * some, [0] * some)
        await pool.execute("vacuum analyze")
        worker = PgQueuer(AsyncpgPoolDriver(pool))
        done = 0

        @worker.entrypoint("nothing")
        async def nothing(job: TheirJob) -> None:  # pyright: ignore[reportUnusedFunction]
            nonlocal done
            del job
            done += 1

        began = time.perf_counter()
        await worker.run(
            batch_size=batch, mode=QueueExecutionMode.drain, dequeue_timeout=timedelta(seconds=1)
        )
        took_s = time.perf_counter() - began
        assert done == n
    return {"per_s": round(n / took_s, 1), "took_s": round(took_s, 2)}


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "Jobs that do nothing, drained by one worker process; PGQueuer in the same run.",
        "python -m benchmarks.jobs_drain --n 20000 --tenants 50",
    )
    parser.add_argument("--n", type=int, default=20_000, help="jobs")
    parser.add_argument("--tenants", type=int, default=50, help="tenants that they belong to")
    parser.add_argument("--concurrency", type=int, default=400, help="jobs at once in the worker")
    parser.add_argument("--rounds", type=int, default=3, help="of both, in turns; the median is told")
    given = parser.parse_args()
    about = report.machine()
    mine: list[dict[str, Any]] = []
    peers: dict[int, list[dict[str, Any]]] = {10: [], 100: [], 1000: []}
    postgres = ""
    for n in range(given.rounds):
        async with cluster() as access:
            report.progress(f"round {n + 1}: Stead")
            mine.append(await ours(access, given.n, given.tenants, given.concurrency))
            report.progress(str(mine[-1]))
            for batch, seen in peers.items():
                seen.append(await theirs(access, given.n, batch))
                report.progress(f"PGQueuer, batches of {batch}: {seen[-1]}")
            async with as_admin(access) as admin:
                postgres = await admin.fetchval("show server_version")
    medians = {b: report.percentile([s["per_s"] for s in seen], 0.5) for b, seen in peers.items()}
    per_s = report.percentile([m["per_s"] for m in mine], 0.5)
    best = max(medians.values())
    report.finish(
        "jobs_drain",
        postgres,
        {
            "per_s": per_s,
            "rounds": mine,
            "enqueued_per_s": report.percentile([m["enqueued_per_s"] for m in mine], 0.5),
            "pgqueuer_per_s": best,
            "pgqueuer_by_batch": medians,
            "ratio": round(per_s / best, 2),
            "n": given.n,
            "tenants": given.tenants,
            "concurrency": given.concurrency,
        },
        about=about,
    )
    return 0


if __name__ == "__main__":
    # As `stead worker` runs.
    sys.exit(uvloop.run(main()))
