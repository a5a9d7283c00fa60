"""Organisations that are files, as tenants."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from stead.apps import mentor
from stead.apps.mentor import Applied, Organisation
from stead.assembly import demo
from stead.core.errors import Invalid
from stead.db import Database
from stead.identity import Tenant, tenant_service


async def seed(
    admin_url: str, db: Database, organisation: Organisation, *, only_missing: bool = False
) -> tuple[Tenant, Sequence[Applied]]:
    """Makes the tenant and its agents as the files say.

    Args:
        admin_url: The owner's.
        db: The server's login.
        organisation: The files.
        only_missing: Agents that are there stay as they are.

    Raises:
        Invalid: Another tenant has its ``external_org_id``.
        GenerationTaken: An agent without a file generates a type of one of these.
    """
    itself = organisation.itself
    try:
        tenant = await demo.ensure_tenant(admin_url, itself.slug, itself.name, itself.external_org_id)
    except asyncpg.UniqueViolationError as error:
        raise Invalid(f"another tenant has the organisation {itself.external_org_id!r}") from error
    service = tenant_service(tenant)
    async with db.transaction(service) as tx:
        applied = await mentor.apply(tx, service, organisation.agents, only_missing=only_missing)
    return tenant, applied
