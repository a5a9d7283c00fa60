"""Documents 001 and 002: the audit log. They named one thing twice; 002's name is a view."""

from __future__ import annotations

import asyncpg

from stead import audit
from stead.db import Database
from stead.identity import Tenant
from tests.contracts import columns
from tests.support.people import service

AUDIT_LOG = {
    "id": "bigint",
    "tenant_id": "uuid",
    "actor_type": "text",
    "actor_id": "text",
    "category": "text",
    "payload": "jsonb",
    "created_at": "timestamp with time zone",
}
AUDIT_LOGS = {
    "id": "bigint",
    "tenant_id": "uuid",
    "actor_type": "text",
    "actor_id": "text",
    "action": "text",
    "resource_type": "text",
    "resource_id": "text",
    "details": "jsonb",
    "created_at": "timestamp with time zone",
}


async def test_audit_log(catalogue: asyncpg.Connection) -> None:
    assert AUDIT_LOG.items() <= (await columns.types(catalogue, "public.audit_log")).items()
    assert (await columns.defaults(catalogue, "public.audit_log"))["created_at"] == "now()"
    identity = await catalogue.fetchval(
        "select attidentity from pg_attribute where attrelid = 'public.audit_log'::regclass and attname = 'id'"
    )
    assert identity == b"a"
    assert ["id"] in await columns.unique(catalogue, "public.audit_log")
    index = await catalogue.fetchval(
        "select pg_get_indexdef('public.audit_log_tenant_created_idx'::regclass)"
    )
    assert index.endswith("(tenant_id, created_at DESC)")


async def test_audit_logs(catalogue: asyncpg.Connection) -> None:
    assert await columns.types(catalogue, "public.audit_logs") == AUDIT_LOGS


async def test_both_are_one(db: Database, tenant: Tenant) -> None:
    principal = service(tenant)
    async with db.transaction(principal) as tx:
        await audit.record(
            tx, principal, category="memory", action="forget", subject_type="profile", subject_id="7",
            payload={"memories": 3},
        )  # fmt: skip
        row = await tx.row("select * from public.audit_logs where tenant_id = $1", tenant.id)
    assert row is not None
    assert (row["action"], row["resource_type"], row["resource_id"]) == ("memory.forget", "profile", "7")
    assert row["details"] == {"memories": 3}
