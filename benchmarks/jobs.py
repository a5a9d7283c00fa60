"""What the benchmarks of jobs share: tenants, jobs, a worker of this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.cluster import as_admin
from stead import jobs
from stead.assembly import demo
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.identity import Tenant, tenant_service
from stead.jobs import JobContext, JobRegistry, NewJob, Worker, WorkerConfig
from stead.processes import Heartbeat
from stead.realtime import Hub

_AT_ONCE = 1000


async def nothing(job: JobContext) -> None:
    """A handler that does nothing."""
    del job


async def make_tenants(access: DatabaseAccess, n: int) -> list[Tenant]:
    """So many tenants."""
    assert access.admin_url is not None
    return [await demo.ensure_tenant(access.admin_url, f"bench-{i}", "Bench", None) for i in range(n)]


async def enqueue(db: Database, tenant: Tenant, kind: str, n: int) -> None:
    """So many jobs of one tenant."""
    principal = tenant_service(tenant)
    for begin in range(0, n, _AT_ONCE):
        async with db.transaction(principal) as tx:
            await jobs.enqueue_many(
                tx, principal, [NewJob(kind=kind) for _ in range(min(_AT_ONCE, n - begin))]
            )


async def left(access: DatabaseAccess) -> int:
    """How many jobs have not completed."""
    async with as_admin(access) as admin:
        return await admin.fetchval("select count(*) from public.agent_jobs where status <> 'completed'")


@asynccontextmanager
async def opened(access: DatabaseAccess) -> AsyncIterator[tuple[Database, Hub]]:
    """A pool and a hub."""
    db = await Database.open(PoolConfig(url=access.runtime_url, max_size=8))
    hub = Hub(access.listen_url)
    await hub.start()
    await hub.listening.wait()
    try:
        yield db, hub
    finally:
        await hub.stop()
        await db.close()


@asynccontextmanager
async def working(
    db: Database, hub: Hub, registry: JobRegistry, concurrency: int
) -> AsyncIterator[Worker]:
    """A worker under way, with its heartbeat."""
    worker_id = new_id()
    beat = Heartbeat(db, worker_id, "worker", 3.0)
    await beat.start()
    worker = Worker(db, hub, registry, worker_id, WorkerConfig(concurrency=concurrency))
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task
        await beat.stop()


def shares(n: int, tenants: Sequence[Tenant]) -> list[tuple[Tenant, int]]:
    """So many jobs, evenly over the tenants."""
    each, rest = divmod(n, len(tenants))
    return [(tenant, each + (i < rest)) for i, tenant in enumerate(tenants)]
