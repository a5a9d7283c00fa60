"""Document 003: the table of sessions."""

from __future__ import annotations

import asyncpg
import pytest

from stead.db import Database
from stead.identity import Tenant
from tests.contracts import columns
from tests.support.people import service

COLUMNS = {
    "id": "uuid",
    "clerk_user_id": "text",
    "clerk_org_id": "text",
    "email": "text",
    "phone": "text",
    "name": "text",
    # supermemory_container in the document: the memory is Stead's own here.
    "memory_container": "text",
    "status": "text",
    "context": "jsonb",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
}
STATUSES = ["in_progress", "completed", "abandoned"]
#: Those that the united table adds from document 002.
MORE_STATUSES = ["failed", "timeout"]
DEFAULTS = {
    "id": "gen_random_uuid()",
    "status": "'in_progress'::text",
    "context": "'{}'::jsonb",
    "created_at": "now()",
    "updated_at": "now()",
}
#: By tenant here, where the document has one organisation.
INDEXED = [("tenant_id", "lower(email)"), ("tenant_id", "clerk_user_id"), ("tenant_id", "status")]
NULLABLE = {"clerk_user_id", "email", "phone", "name"}


async def test_columns(catalogue: asyncpg.Connection) -> None:
    assert COLUMNS.items() <= (await columns.types(catalogue, "public.sessions")).items()


async def test_defaults(catalogue: asyncpg.Connection) -> None:
    assert DEFAULTS.items() <= (await columns.defaults(catalogue, "public.sessions")).items()


async def test_what_may_be_missing(catalogue: asyncpg.Connection) -> None:
    needed = await columns.required(catalogue, "public.sessions")

    assert not NULLABLE & needed
    assert {"id", "tenant_id", "memory_container", "status", "context"} <= needed


async def test_a_container_belongs_to_one_session(catalogue: asyncpg.Connection) -> None:
    assert ["memory_container"] in await columns.unique(catalogue, "public.sessions")


@pytest.mark.parametrize("keys", INDEXED)
async def test_indexes(catalogue: asyncpg.Connection, keys: tuple[str, ...]) -> None:
    found = await catalogue.fetch(
        "select array[pg_get_indexdef(indexrelid, 1, true), pg_get_indexdef(indexrelid, 2, true)] as keys "
        "from pg_index where indrelid = 'public.sessions'::regclass and indnatts > 1"
    )

    assert list(keys) in [list(row["keys"]) for row in found]


async def test_statuses(db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant)) as tx:
        for status in STATUSES + MORE_STATUSES:
            row = await tx.row(
                "insert into public.sessions (tenant_id, status) values ($1, $2) returning ended_at",
                tenant.id,
                status,
            )
            assert row is not None
            assert (row["ended_at"] is None) == (status == "in_progress")
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction(service(tenant)) as tx:
            await tx.execute(
                "insert into public.sessions (tenant_id, status) values ($1, 'open')", tenant.id
            )


async def test_a_container_is_named_for_the_organisation_and_the_session(
    db: Database, tenant: Tenant
) -> None:
    async with db.transaction(service(tenant)) as tx:
        row = await tx.row(
            "insert into public.sessions (tenant_id) values ($1) returning id, memory_container",
            tenant.id,
        )
    assert row is not None
    assert row["memory_container"] == f"{tenant.slug}-{row['id']}"


async def test_context_is_an_object(db: Database, tenant: Tenant) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction(service(tenant)) as tx:
            await tx.execute(
                "insert into public.sessions (tenant_id, context) values ($1, '[]')", tenant.id
            )


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 3}}}, {"a": {"b": {"c": 3, "d": 2}}}),
        ({"a": 1}, {}, {"a": 1}),
    ],
)
async def test_context_is_merged_at_every_depth(
    db: Database, tenant: Tenant, target: object, patch: object, merged: object
) -> None:
    async with db.transaction(service(tenant)) as tx:
        assert await tx.value("select stead.deep_merge($1::jsonb, $2::jsonb)", target, patch) == merged


async def test_no_public_access(catalogue: asyncpg.Connection, db: Database, tenant: Tenant) -> None:
    """003: the service role's alone. Here a policy lets whoever a token proves see their own besides."""
    async with db.transaction(service(tenant)) as tx:
        session = await tx.value(
            "insert into public.sessions (tenant_id) values ($1) returning id", tenant.id
        )
    forced = await catalogue.fetchrow(
        "select relrowsecurity, relforcerowsecurity from pg_class where oid = 'public.sessions'::regclass"
    )
    assert forced is not None
    assert tuple(forced) == (True, True)
    for role, seen in (("anon", 0), ("authenticated", 0), ("service_role", 1)):
        async with catalogue.transaction():
            await catalogue.execute(f"set local role {role}")
            assert seen == await catalogue.fetchval(
                "select count(*) from public.sessions where id = $1", session
            ), role
