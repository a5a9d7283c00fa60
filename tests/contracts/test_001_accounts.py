"""Document 001: connected accounts."""

from __future__ import annotations

import asyncpg

from tests.contracts import columns

CONNECTED_ACCOUNTS = {
    "id": "uuid",
    "tenant_id": "uuid",
    "provider": "text",
    "status": "text",
    "scopes": "text[]",
    "linked_at": "timestamp with time zone",
    "metadata": "jsonb",
}


async def test_connected_accounts(catalogue: asyncpg.Connection) -> None:
    types = await columns.types(catalogue, "public.connected_accounts")
    assert CONNECTED_ACCOUNTS.items() <= types.items()


async def test_its_index(catalogue: asyncpg.Connection) -> None:
    definition = await catalogue.fetchval(
        "select indexdef from pg_indexes where indexname = 'connected_accounts_tenant_provider_idx'"
    )
    assert definition.endswith("connected_accounts USING btree (tenant_id, provider)")
