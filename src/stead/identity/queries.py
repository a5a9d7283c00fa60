"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stead.db import Row, Transaction


async def tenant_by_slug_or_org(tx: Transaction, slug: str | None, org: str | None) -> Row | None:
    return await tx.row("select id, tenant_slug, org from stead.find_tenant($1, $2)", slug, org)


async def tenant_of_profile(tx: Transaction, profile_id: UUID) -> Row | None:
    return await tx.row("select id, tenant_slug, org from stead.find_tenant_of_profile($1)", profile_id)


async def tenant_by_id(tx: Transaction, tenant_id: UUID) -> Row | None:
    return await tx.row(
        "select id, tenant_slug, org from stead.find_tenant(stead.tenant_slug($1), null)", tenant_id
    )


async def profile_by_subject(
    tx: Transaction, tenant_id: UUID, profile_id: UUID | None, external_id: str | None
) -> Row | None:
    return await tx.row(
        """
        select id, email from public.profiles
        where tenant_id = $1 and (id = $2 or external_id = $3)
        """,
        tenant_id,
        profile_id,
        external_id,
    )


async def profile_by_email(tx: Transaction, tenant_id: UUID, email: str) -> UUID | None:
    return await tx.value(
        """
        select id from public.profiles
        where tenant_id = $1 and lower(email) = lower($2) order by created_at limit 1
        """,
        tenant_id,
        email,
    )


async def insert_profile(
    tx: Transaction,
    tenant_id: UUID,
    profile_id: UUID,
    external_id: str | None,
    email: str | None,
) -> bool:
    # Two first requests at once: one inserts, the other finds.
    return bool(
        await tx.execute(
            """
            insert into public.profiles (id, tenant_id, external_id, email) values ($1, $2, $3, $4)
            on conflict do nothing
            """,
            profile_id,
            tenant_id,
            external_id,
            email,
        )
    )


async def set_profile_email(tx: Transaction, tenant_id: UUID, profile_id: UUID, email: str) -> None:
    await tx.execute(
        "update public.profiles set email = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        profile_id,
        email,
    )


async def find_api_key(tx: Transaction, key_id: str) -> Row | None:
    return await tx.row(
        """
        select k.tenant_id, k.tenant_slug, k.digest, k.scopes, t.org
        from stead.find_api_key($1) k cross join lateral stead.find_tenant(k.tenant_slug, null) t
        """,
        key_id,
    )


async def good_api_keys(tx: Transaction, key_ids: Sequence[str]) -> list[str]:
    return [row[0] for row in await tx.rows("select stead.good_api_keys($1)", list(key_ids))]


async def insert_api_key(
    tx: Transaction,
    key_id: str,
    tenant_id: UUID,
    name: str,
    digest: bytes,
    scopes: Sequence[str],
    expires_at: datetime | None,
) -> Row | None:
    return await tx.row(
        """
        insert into stead.api_keys (id, tenant_id, name, digest, scopes, expires_at)
        values ($1, $2, $3, $4, $5, $6)
        returning id, name, scopes, created_at, expires_at, last_used_at, revoked_at
        """,
        key_id,
        tenant_id,
        name,
        digest,
        list(scopes),
        expires_at,
    )


async def list_api_keys(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select id, name, scopes, created_at, expires_at, last_used_at, revoked_at
        from stead.api_keys where tenant_id = $1 order by created_at desc
        """,
        tenant_id,
    )


async def revoke_api_key(tx: Transaction, tenant_id: UUID, key_id: str) -> bool:
    return bool(
        await tx.execute(
            """
            update stead.api_keys set revoked_at = coalesce(revoked_at, now())
            where tenant_id = $1 and id = $2
            """,
            tenant_id,
            key_id,
        )
    )


async def use_signature(tx: Transaction, message_id: str) -> bool:
    return bool(await tx.value("select stead.use_signature($1)", message_id))


async def sweep(tx: Transaction) -> int:
    return await tx.value("select stead.sweep_identity()")


async def idempotent_answer(tx: Transaction, tenant_id: UUID, owner: str, key: str) -> Row | None:
    return await tx.row(
        """
        select request_digest, status, body from stead.idempotency_keys
        where tenant_id = $1 and owner = $2 and key = $3
        """,
        tenant_id,
        owner,
        key,
    )


async def reserve_idempotency_key(
    tx: Transaction, tenant_id: UUID, owner: str, key: str, request_digest: bytes
) -> bool:
    # A second request with the key waits here for the first to commit, and then finds its answer.
    return bool(
        await tx.execute(
            """
            insert into stead.idempotency_keys (tenant_id, owner, key, request_digest)
            values ($1, $2, $3, $4) on conflict do nothing
            """,
            tenant_id,
            owner,
            key,
            request_digest,
        )
    )


async def store_idempotent_answer(
    tx: Transaction, tenant_id: UUID, owner: str, key: str, status: int, body: object
) -> None:
    await tx.execute(
        """
        update stead.idempotency_keys set status = $4, body = $5
        where tenant_id = $1 and owner = $2 and key = $3
        """,
        tenant_id,
        owner,
        key,
        status,
        body,
    )
