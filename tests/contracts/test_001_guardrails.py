"""Document 001: guardrails and objectives."""

from __future__ import annotations

import asyncpg

from tests.contracts import columns

OBJECTIVES = {
    "id": "uuid",
    "tenant_id": "uuid",
    "title": "text",
    "metric": "text",
    "target": "text",
    "horizon": "text",
    "summary": "text",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
}
GUARDRAILS = {
    "id": "uuid",
    "tenant_id": "uuid",
    "quiet_hours": "jsonb",
    "trust_threshold": "numeric",
    "scopes": "jsonb",
    "require_evidence": "boolean",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
}


async def index(catalogue: asyncpg.Connection, name: str) -> str:
    return await catalogue.fetchval("select pg_get_indexdef($1::text::regclass)", name)


async def test_objectives(catalogue: asyncpg.Connection) -> None:
    assert await columns.types(catalogue, "public.objectives") == OBJECTIVES
    assert ["id"] in await columns.unique(catalogue, "public.objectives")
    found = await index(catalogue, "public.objectives_tenant_metric_idx")
    assert found.endswith("(tenant_id, metric)")


async def test_guardrails(catalogue: asyncpg.Connection) -> None:
    assert GUARDRAILS.items() <= (await columns.types(catalogue, "public.guardrails")).items()
    assert ["tenant_id"] in await columns.unique(catalogue, "public.guardrails")
    found = await index(catalogue, "public.guardrails_tenant_uidx")
    assert found.startswith("CREATE UNIQUE INDEX")
    assert found.endswith("(tenant_id)")


async def test_both_belong_to_tenants_and_are_told_of_live(catalogue: asyncpg.Connection) -> None:
    for name in ("public.objectives", "public.guardrails"):
        assert "tenant_id" in await columns.required(catalogue, name)
        told = "tgrelid = $1::text::regclass and tgname like 'stead_changes_%'"
        assert await catalogue.fetchval(f"select count(*) from pg_trigger where {told}", name) == 3
