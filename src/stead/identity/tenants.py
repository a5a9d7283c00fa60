"""Finding the tenant that a request is about."""

from __future__ import annotations

from uuid import UUID

from stead.db import Row, Transaction
from stead.identity import queries
from stead.identity.errors import TenantUnknown
from stead.identity.models import Tenant


def _tenant(row: Row) -> Tenant:
    return Tenant(id=row["id"], slug=row["tenant_slug"], external_org_id=row["org"])


async def find(tx: Transaction, slug_or_org: str) -> Tenant:
    """The tenant with this slug or this Clerk organisation id.

    Raises:
        TenantUnknown: There is none.
    """
    row = await queries.tenant_by_slug_or_org(tx, slug_or_org, slug_or_org)
    if row is None:
        raise TenantUnknown(
            "there is no organisation of that name here", hint="orgId is the tenant's slug."
        )
    return _tenant(row)


async def find_by_org(tx: Transaction, external_org_id: str) -> Tenant | None:
    """The tenant of a Clerk organisation."""
    row = await queries.tenant_by_slug_or_org(tx, None, external_org_id)
    return _tenant(row) if row else None


async def find_by_profile(tx: Transaction, profile_id: UUID) -> Tenant | None:
    """The tenant that a profile belongs to."""
    row = await queries.tenant_of_profile(tx, profile_id)
    return _tenant(row) if row else None


async def find_by_id(tx: Transaction, tenant_id: UUID) -> Tenant | None:
    """The tenant with this id."""
    row = await queries.tenant_by_id(tx, tenant_id)
    return _tenant(row) if row else None
