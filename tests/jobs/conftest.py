"""Workers of a test's own, on a database of its own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest_asyncio

from stead import jobs
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.identity import Principal, Tenant, tenant_service
from stead.jobs import Job, JobRegistry, NewJob, Worker, WorkerConfig
from stead.processes import Heartbeat
from stead.realtime import Hub
from tests.support.people import make_tenant


class Workshop:
    """A database with workers, for one test."""

    def __init__(self, access: DatabaseAccess, db: Database, hub: Hub, tenant: Tenant) -> None:
        self.access = access
        self.db = db
        self.hub = hub
        self.tenant = tenant
        self.registry = JobRegistry()
        self.service = tenant_service(tenant)

    @asynccontextmanager
    async def worker(self, **config: Any) -> AsyncIterator[Worker]:
        """A worker under way."""
        worker_id = new_id()
        beat = Heartbeat(self.db, worker_id, "worker", 1.0)
        await beat.start()
        worker = Worker(self.db, self.hub, self.registry, worker_id, WorkerConfig(**config))
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await asyncio.wait_for(task, 30)
            await beat.stop()

    async def enqueue(self, kind: str, principal: Principal | None = None, **how: Any) -> UUID:
        """A job of the tenant's service."""
        who = principal or self.service
        async with self.db.transaction(who) as tx:
            made = await jobs.enqueue(tx, who, NewJob(kind=kind, **how), registry=self.registry)
        return made.id

    async def get(self, job_id: UUID) -> Job:
        """The job as it stands."""
        async with self.db.transaction(self.service, read_only=True) as tx:
            return await jobs.jobs.get(tx, self.service, job_id)

    async def until(self, job_id: UUID, *statuses: str, timeout_s: float = 20) -> Job:
        """The job as soon as it has one of these statuses."""
        async with asyncio.timeout(timeout_s):
            while True:
                job = await self.get(job_id)
                if job.status in statuses:
                    return job
                await asyncio.sleep(0.02)

    async def ended(self, job_id: UUID, timeout_s: float = 20) -> Job:
        """The job at its end."""
        return await self.until(job_id, "completed", "failed", "cancelled", timeout_s=timeout_s)

    async def poll(self, true: Callable[[], Any], timeout_s: float = 20) -> None:
        """Until something is so."""
        async with asyncio.timeout(timeout_s):
            while True:
                found = true()
                if await found if inspect.isawaitable(found) else found:
                    return
                await asyncio.sleep(0.01)

    async def admin(self, sql: str, *args: object) -> Any:
        """A statement as the owner."""
        connection = await asyncpg.connect(self.access.admin_url)
        try:
            return await connection.fetch(sql, *args)
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def shop(idle: DatabaseAccess) -> AsyncIterator[Workshop]:
    """A workshop."""
    tenant = await make_tenant(idle)
    db = await Database.open(PoolConfig(url=idle.runtime_url, min_size=1, max_size=10))
    hub = Hub(idle.listen_url)
    await hub.start()
    yield Workshop(idle, db, hub, tenant)
    await hub.stop()
    await db.close()
