"""Document 001: the catalogue of tools."""

from __future__ import annotations

import asyncpg

from tests.contracts import columns

TOOL_CATALOG = {
    "id": "bigint",
    "tenant_id": "uuid",
    "tool_slug": "text",
    "display_name": "text",
    "description": "text",
    "version": "text",
    "risk": "text",
    "schema": "jsonb",
    "required_scopes": "text[]",
    "updated_at": "timestamp with time zone",
}


async def test_tool_catalog(catalogue: asyncpg.Connection) -> None:
    assert TOOL_CATALOG.items() <= (await columns.types(catalogue, "public.tool_catalog")).items()
    assert ["id"] in await columns.unique(catalogue, "public.tool_catalog")
    index = await catalogue.fetchval(
        "select pg_get_indexdef('public.tool_catalog_tenant_slug_version_idx'::regclass)"
    )
    assert index.startswith("CREATE UNIQUE INDEX")
    assert "(tenant_id, tool_slug, version)" in index


async def test_catalog_audit(catalogue: asyncpg.Connection) -> None:
    found = await columns.types(catalogue, "public.catalog_audit")
    assert {"tenant_id": "uuid", "severity": "text", "snapshot": "jsonb"}.items() <= found.items()
