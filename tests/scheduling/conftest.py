"""A database with schedules, whose time is moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity import Tenant
from stead.jobs import JobContext, JobRegistry
from stead.realtime import Hub
from stead.scheduling import Scheduler, ScheduleRegistry
from tests.support.people import make_tenant


async def digest(job: JobContext, at: str | None = None) -> str | None:
    """Says for when it is."""
    return at


class Clockwork:
    """A database, its tenant, and any number of firers."""

    def __init__(self, access: DatabaseAccess, tenant: Tenant, stack: AsyncExitStack) -> None:
        self.access = access
        self.tenant = tenant
        self.schedules = ScheduleRegistry()
        self.jobs = JobRegistry()
        self.jobs.add("digest", digest)
        self._stack = stack

    async def database(self) -> Database:
        """A pool of its own, as a process has one."""
        db = await Database.open(PoolConfig(url=self.access.runtime_url, min_size=1, max_size=3))
        self._stack.push_async_callback(db.close)
        return db

    async def hub(self) -> Hub:
        """A LISTEN connection of its own."""
        hub = Hub(self.access.listen_url)
        await hub.start()
        self._stack.push_async_callback(hub.stop)
        return hub

    async def firer(self, schedules: ScheduleRegistry | None = None) -> Scheduler:
        """What a worker process fires with; it knows its schedules."""
        db = await self.database()
        made = Scheduler(db, await self.hub(), schedules or self.schedules, self.jobs)
        await made.register()
        return made

    async def admin(self, sql: str, *args: object) -> list[Any]:
        """A statement as the owner."""
        connection = await asyncpg.connect(self.access.admin_url)
        try:
            return await connection.fetch(sql, *args)
        finally:
            await connection.close()

    async def until(self, sql: str) -> None:
        """Waits until a statement finds a row."""
        async with asyncio.timeout(60):
            while not await self.admin(sql):  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.05)

    async def age(self) -> None:
        """Makes all tenants old: one that came after a tick did not miss it."""
        await self.admin("update public.tenants set created_at = now() - interval '50 years'")

    async def late(self, name: str = "digest", **by: float) -> None:
        """Moves the next tick back, to the tick of that time ago."""
        rows = await self.admin(
            "update stead.schedules set next_at = date_trunc('minute', now()) - $2::interval where name = $1"
            " returning 1",
            name,
            timedelta(**by),
        )
        assert rows

    async def row(self, name: str = "digest") -> Any:
        """The schedule as it stands."""
        (row,) = await self.admin("select * from stead.schedules where name = $1", name)
        return row

    async def ticks(self, tenant_id: UUID | None = None) -> list[Any]:
        """Of which ticks there are jobs."""
        rows = await self.admin(
            "select run_at from public.agent_jobs where $1::uuid is null or tenant_id = $1 order by run_at",
            tenant_id,
        )
        return [row[0] for row in rows]


@pytest_asyncio.fixture
async def clockwork(fresh: DatabaseAccess) -> AsyncIterator[Clockwork]:
    """A clockwork."""
    async with AsyncExitStack() as stack:
        made = Clockwork(fresh, await make_tenant(fresh), stack)
        await made.age()
        yield made
