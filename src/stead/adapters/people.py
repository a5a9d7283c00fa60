"""From the names that a program uses to tenants, people and sessions."""

from __future__ import annotations

from uuid import UUID

from stead.db import NOBODY, Database
from stead.identity import Principal, Tenant, profiles, tenant_service, tenants


async def find_tenant(db: Database, slug: str) -> Tenant:
    """The tenant of that slug.

    Raises:
        TenantUnknown: There is none.
    """
    async with db.transaction(NOBODY, read_only=True) as tx:
        return await tenants.find(tx, slug)


async def person(db: Database, tenant: Tenant, name: str) -> Principal:
    """The person of that name in a tenant, made at first sight.

    Whoever calls this has the server's own login: it vouches for the name as an identity provider would.

    Args:
        db: The database.
        tenant: The tenant.
        name: An email address, a profile's id, or the subject at an identity provider.

    Raises:
        TenantMismatch: The id is that of a profile in another tenant.
    """
    async with db.transaction(tenant_service(tenant)) as tx:
        if "@" in name:
            return of_profile(tenant, await profiles.ensure_by_email(tx, tenant, name))
        return of_profile(tenant, (await profiles.ensure(tx, tenant, name, None)).id)


def of_profile(tenant: Tenant, profile_id: UUID) -> Principal:
    """A person as transactions know them."""
    return Principal(
        kind="user",
        tenant=tenant,
        role="authenticated",
        profile_id=profile_id,
        credential="adapter",
    )
