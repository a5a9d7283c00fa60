"""PGQueuer, measured in the same run as Stead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.models import Job as TheirJob
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from benchmarks import report
from benchmarks.cluster import as_admin, cluster
from stead.assembly.collector import calm_collector
from stead.assembly.database import DatabaseAccess
from stead.db import embedded

#: Jobs that it claims at once. Ten is what it does when nobody says otherwise.
_BATCHES: Final = (10, 100, 1000)
Ours = Callable[[DatabaseAccess, int, int, int], Awaitable[dict[str, Any]]]


async def compare(name: str, ours: Ours, *, about: str, what: str) -> int:
    """Reads the command line, drains both in turns, and tells the medians.

    Args:
        name: Of the benchmark.
        ours: Drains so many of so many tenants with so many at once.
        about: What is measured.
        what: What is drained: ``jobs``.
    """
    parser = report.arguments(about, f"python -m benchmarks.{name} --n 20000 --tenants 50")
    parser.add_argument("--n", type=int, default=20_000, help=what)
    parser.add_argument("--tenants", type=int, default=50, help="tenants that they belong to")
    parser.add_argument("--concurrency", type=int, default=1000, help="at once in the worker")
    parser.add_argument("--rounds", type=int, default=3, help="of both, in turns; the median is told")
    given = parser.parse_args()
    machine = report.machine()
    # As `stead worker` does.
    calm_collector()
    mine: list[dict[str, Any]] = []
    peers: dict[int, list[dict[str, Any]]] = {batch: [] for batch in _BATCHES}
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
    medians = {batch: _median(seen, "per_s") for batch, seen in peers.items()}
    per_s = _median(mine, "per_s")
    figures = {key: _median(mine, key) for key in mine[0] if key.endswith("per_s")}
    report.finish(
        name,
        postgres,
        {
            **figures,
            "rounds": mine,
            "pgqueuer_by_batch": medians,
            "ratio": round(per_s / medians[_BATCHES[0]], 2),
            "ratio_to_its_best": round(per_s / max(medians.values()), 2),
            "n": given.n,
            "tenants": given.tenants,
            "concurrency": given.concurrency,
        },
        about=machine,
    )
    return 0


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


def _median(rounds: list[dict[str, Any]], key: str) -> float:
    return report.percentile([each[key] for each in rounds], 0.5)
