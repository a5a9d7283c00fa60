"""API keys: made, listed, revoked. The text of a key exists once, in the answer to its making."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stead.db import Row, Transaction
from stead.identity import queries
from stead.identity.api_keys import new_key, parse
from stead.identity.errors import ApiKeyInvalid, ApiKeyUnknown
from stead.identity.models import Principal, Tenant, tenant_service


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def _key(row: Row) -> ApiKey:
    return ApiKey(**dict(row))


async def create(
    tx: Transaction,
    principal: Principal,
    *,
    name: str,
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key for the principal's tenant, and its text, which is not kept.

    Args:
        tx: A transaction of the tenant's service.
        principal: Whose tenant it is for.
        name: What people will call it.
        scopes: What it may do; none means everything that a service may.
        expires_at: When it stops working, if ever.
    """
    text, key_id, digest = new_key()
    row = await queries.insert_api_key(tx, key_id, principal.tenant.id, name, digest, scopes, expires_at)
    assert row is not None  # noqa: S101 - INSERT … RETURNING without ON CONFLICT
    return _key(row), text


async def list_all(tx: Transaction, principal: Principal) -> list[ApiKey]:
    """The tenant's keys, newest first, revoked ones too."""
    return [_key(row) for row in await queries.list_api_keys(tx, principal.tenant.id)]


async def revoke(tx: Transaction, principal: Principal, key_id: str) -> None:
    """Ends a key at once. Doing it twice is no error.

    Raises:
        ApiKeyUnknown: The tenant has no such key.
    """
    if not await queries.revoke_api_key(tx, principal.tenant.id, key_id):
        raise ApiKeyUnknown("this organisation has no such key")


async def still_good(tx: Transaction, key_ids: Sequence[str]) -> set[str]:
    """Which of these keys, proven before, are neither revoked nor expired meanwhile."""
    return set(await queries.good_api_keys(tx, key_ids))


async def authenticate(tx: Transaction, text: str) -> Principal:
    """The service that a presented key stands for.

    Raises:
        ApiKeyMalformed: It is misspelt.
        ApiKeyInvalid: It is unknown, expired or revoked.
    """
    key_id, digest = parse(text)
    row = await queries.find_api_key(tx, key_id)
    if row is None or not hmac.compare_digest(row["digest"], digest):
        raise ApiKeyInvalid
    tenant = Tenant(id=row["tenant_id"], slug=row["tenant_slug"], external_org_id=row["org"])
    return tenant_service(tenant, credential=f"key:{key_id}", scopes=frozenset(row["scopes"]))
