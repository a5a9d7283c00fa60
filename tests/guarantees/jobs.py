"""What the guarantees of jobs share: worker processes that are killed, and the lines that their jobs leave."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import psutil

from stead import jobs
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity import Principal, tenant_service
from stead.jobs import Job, NewJob
from tests.support.people import make_tenant
from tests.support.servers import ServerProcess
from tests.support.workshop_app import app

TARGET = "tests.support.workshop_app:app"


@dataclass
class Plant:
    """A database, its tenant's service, and a file of effects."""

    access: DatabaseAccess
    db: Database
    admin: asyncpg.Connection[asyncpg.Record]
    service: Principal
    effects: Path

    def worker(self, **environment: str) -> ServerProcess:
        """A worker process, not started."""
        return ServerProcess(
            self.access,
            "worker",
            TARGET,
            EFFECTS_FILE=str(self.effects),
            STEAD_ADMIN_DATABASE_URL=self.access.admin_url or "",
            **environment,
        )

    async def enqueue(self, kind: str, count: int = 1, /, **given: Any) -> list[UUID]:
        """So many jobs."""
        async with self.db.transaction(self.service) as tx:
            return await jobs.enqueue_many(
                tx,
                self.service,
                [NewJob(kind=kind, input=given) for _ in range(count)],
                registry=app.jobs,
            )

    async def get(self, job_id: UUID) -> Job:
        """The job as it stands."""
        async with self.db.transaction(self.service, read_only=True) as tx:
            return await jobs.jobs.get(tx, self.service, job_id)

    async def until(self, sql: str, *args: object, timeout_s: float = 60) -> None:
        """Until a query answers with true."""
        async with asyncio.timeout(timeout_s):
            while True:
                if await self.admin.fetchval(sql, *args):
                    return
                await asyncio.sleep(0.02)

    async def all_ended(self, timeout_s: float = 120) -> None:
        """Until no job is under way. Processes that are gone count as silent at once."""
        async with asyncio.timeout(timeout_s):
            while await self.admin.fetchval(
                "select exists (select from public.agent_jobs where completed_at is null)"
            ):
                await self.bury()
                await asyncio.sleep(0.05)

    async def bury(self) -> None:
        """Lets the time pass after which a dead process counts as dead."""
        for row in await self.admin.fetch("select id, pid from stead.processes"):
            if _is_gone(row["pid"]):
                await self.silence(row["pid"])

    async def silence(self, pid: int) -> None:
        """Lets a process count as silent."""
        await self.admin.execute(
            "update stead.processes set heartbeat_at = now() - interval '30 minutes' where pid = $1", pid
        )

    def lines(self) -> dict[UUID, list[list[str]]]:
        """What each job left, in the order in which it did."""
        found: defaultdict[UUID, list[list[str]]] = defaultdict(list)
        if self.effects.exists():
            for line in self.effects.read_text().splitlines():
                job, *words = line.split()
                found[UUID(job)].append(words)
        return found


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@asynccontextmanager
async def plant(access: DatabaseAccess, folder: Path) -> AsyncIterator[Plant]:
    """A plant on a database of a test's own."""
    tenant = await make_tenant(access)
    db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=5))
    admin = await asyncpg.connect(access.admin_url)
    try:
        yield Plant(access, db, admin, tenant_service(tenant), folder / "effects")
    finally:
        await admin.close()
        await db.close()
