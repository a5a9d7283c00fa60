"""A log of one's own: a database to tamper with as the superuser, and everything that can verify it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest_asyncio

from stead import audit
from stead.assembly.database import DatabaseAccess
from stead.audit import AuditEntry, Expectations, Report, SigningKey
from stead.db import Database, PoolConfig
from stead.db.embedded import psql_path
from stead.identity import Tenant
from tests.support.people import Person, make_person, make_tenant, service

SECRET = "audit-secret-audit-secret-audit-secret"


@dataclass
class Log:
    """One database with an audit log."""

    access: DatabaseAccess
    db: Database
    admin: asyncpg.Connection
    tenant: Tenant
    other: Tenant
    key: SigningKey = field(default_factory=lambda: SigningKey.from_secret(SECRET))

    async def write(self, count: int = 1, tenant: Tenant | None = None, **payload: object) -> None:
        """That many rows of the tenant's service, in one transaction."""
        principal = service(tenant or self.tenant)
        entries = [
            AuditEntry(category="memory", action="forget", payload={"n": n, **payload})
            for n in range(count)
        ]
        async with self.db.transaction(principal) as tx:
            await audit.record_many(tx, principal, entries)

    async def progress(self) -> Mapping[str, Any]:
        """How far sealing is."""
        row = await self.admin.fetchrow("select * from stead.sealing_progress where log = 'audit_log'")
        return (
            dict(row) if row else {"scanned_to": 0, "complete_to": 0, "mark_id": None, "mark_xid": None}
        )

    async def seal(self, key: SigningKey | None = None, batch: int = 10_000) -> int:
        """Seals until nothing can come any more. Transactions of other tests may still hold that up."""
        total = 0
        while True:
            total += await audit.seal(self.db, key, batch=batch)
            taken = await self.admin.fetchval(
                "select case when is_called then last_value else 0 end from public.audit_log_id_seq"
            )
            if (await self.progress())["complete_to"] >= taken:
                return total
            await asyncio.sleep(0.005)

    async def ids(self, tenant: Tenant | None = None) -> list[int]:
        """The ids of the tenant's rows."""
        rows = await self.admin.fetch(
            "select id from public.audit_log where tenant_id = $1 order by id",
            (tenant or self.tenant).id,
        )
        return [row["id"] for row in rows]

    async def verify(self, tenant: Tenant | None = None, **expected: Any) -> Report:
        """In the database."""
        tenant = tenant or self.tenant
        async with self.db.transaction(service(tenant), read_only=True) as tx:
            return await audit.verify(tx, tenant, expected=Expectations(**expected))

    async def export(self, tenant: Tenant | None = None) -> str:
        """As `stead audit export` writes it."""
        tenant = tenant or self.tenant
        async with self.db.transaction(service(tenant), read_only=True) as tx:
            return "".join([line async for line in audit.export(tx, tenant, with_texts=True)])

    async def pg_dump(self, *options: str) -> str:
        """A plain dump, with the time zone of somewhere else."""
        command = [
            str(psql_path().with_name("pg_dump")),
            "--dbname",
            str(self.access.admin_url),
            *options,
        ]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, check=True, env={"PGTZ": "Asia/Kathmandu"}
        )
        return done.stdout.decode()

    async def verify_all(self, tenant: Tenant | None = None, **expected: Any) -> Report:
        """In the database, from an export and from a dump, which all say the same."""
        tenant = tenant or self.tenant
        online = await self.verify(tenant, **expected)
        known = Expectations(**expected)
        tables = (
            f"--table={name}" for name in ("public.tenants", "*.audit_*", "stead.sealing_progress")
        )
        for text in (await self.export(tenant), await self.pg_dump("--data-only", *tables)):
            offline = list(
                audit.verify_dump(text.splitlines(keepends=True), tenant=tenant.slug, expected=known)
            )
            assert offline == [online]
        return online


@asynccontextmanager
async def open_log(access: DatabaseAccess, *, connections: int = 10) -> AsyncIterator[Log]:
    """A log in that database."""
    db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=connections))
    admin = await asyncpg.connect(str(access.admin_url))
    try:
        yield Log(
            access=access,
            db=db,
            admin=admin,
            tenant=await make_tenant(access),
            other=await make_tenant(access),
        )
    finally:
        await admin.close()
        await db.close()


@pytest_asyncio.fixture
async def log(fresh: DatabaseAccess) -> AsyncIterator[Log]:
    """A log of this test's own."""
    async with open_log(fresh) as opened:
        yield opened


@pytest_asyncio.fixture
async def ann(log: Log) -> Person:
    """A person of the log's tenant."""
    return await make_person(log.db, log.tenant)
