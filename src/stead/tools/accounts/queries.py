"""Statements of connected accounts: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_ACCOUNT: Final = """
  a.id, a.tenant_id, a.profile_id, a.provider, a.toolkit, a.external_id, a.status, a.scopes, a.linked_at,
  a.expires_at, a.metadata, a.created_at, a.updated_at
"""


async def of_tenant(
    tx: Transaction,
    tenant_id: UUID,
    toolkit: str | None,
    status: str | None,
    after: UUID | None,
    after_created: datetime | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_ACCOUNT} from public.connected_accounts a
        where a.tenant_id = $1 and ($2::text is null or a.toolkit = $2) and ($3::text is null or a.status = $3)
          and ($5::timestamptz is null or (a.created_at, a.id) < ($5, $4))
        order by a.created_at desc, a.id desc limit $6
        """,
        tenant_id,
        toolkit,
        status,
        after,
        after_created,
        limit,
    )


async def by_id(tx: Transaction, tenant_id: UUID, account_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_ACCOUNT} from public.connected_accounts a where a.tenant_id = $1 and a.id = $2",
        tenant_id,
        account_id,
    )


async def lock(tx: Transaction, tenant_id: UUID, account_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_ACCOUNT} from public.connected_accounts a where a.tenant_id = $1 and a.id = $2
        for no key update
        """,
        tenant_id,
        account_id,
    )


async def by_external_id(
    tx: Transaction, tenant_id: UUID, provider: str | None, external_id: str
) -> Row | None:
    return await tx.row(
        f"""
        select {_ACCOUNT} from public.connected_accounts a
        where a.tenant_id = $1 and a.external_id = $3 and ($2::text is null or a.provider = $2)
        """,
        tenant_id,
        provider,
        external_id,
    )


async def for_tool(
    tx: Transaction,
    tenant_id: UUID,
    profile_id: UUID | None,
    provider: str,
    toolkit: str,
    scopes: list[str],
) -> str | None:
    return await tx.value(
        """
        select a.external_id from public.connected_accounts a
        where a.tenant_id = $1 and a.status = 'active' and (a.profile_id is null or a.profile_id = $2)
          and case when $4 = '' then a.scopes @> $5::text[] else a.provider = $3 and a.toolkit = $4 end
        order by a.profile_id nulls last, a.created_at desc, a.id desc
        limit 1
        """,
        tenant_id,
        profile_id,
        provider,
        toolkit,
        scopes,
    )


async def tenant_of(tx: Transaction, provider: str, external_id: str) -> UUID | None:
    return await tx.value("select stead.tenant_of_account($1, $2)", provider, external_id)


async def insert(
    tx: Transaction,
    tenant_id: UUID,
    account_id: UUID,
    profile_id: UUID | None,
    provider: str,
    toolkit: str,
    external_id: str,
    expires_at: datetime | None,
    metadata: Any,
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.connected_accounts as a (tenant_id, id, profile_id, provider, toolkit, external_id, status,
          expires_at, metadata)
        values ($1, $2, $3, $4, $5, $6, 'initiated', $7, $8)
        on conflict do nothing
        returning {_ACCOUNT}
        """,
        tenant_id,
        account_id,
        profile_id,
        provider,
        toolkit,
        external_id,
        expires_at,
        metadata,
    )


async def step(
    tx: Transaction, tenant_id: UUID, account_id: UUID, status: str, scopes: Sequence[str] | None
) -> Row | None:
    return await tx.row(
        f"""
        update public.connected_accounts a set status = $3, scopes = coalesce($4, a.scopes)
        where a.tenant_id = $1 and a.id = $2
        returning {_ACCOUNT}
        """,
        tenant_id,
        account_id,
        status,
        list(scopes) if scopes is not None else None,
    )


async def clock(tx: Transaction) -> datetime:
    return await tx.value("select now()")
