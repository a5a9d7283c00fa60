"""Runs whose session was linked to a person while they were under way: they end as that person's."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from stead.agents import queries
from stead.agents.opening import Begun
from stead.db import Database
from stead.identity import Principal, tenant_service


async def as_owner(db: Database, begun: Begun, process_id: UUID) -> Begun | None:
    """The run as its new owner's; None where it has none, or is not this process's any more."""
    tenant = begun.principal.tenant
    async with db.transaction(tenant_service(tenant), read_only=True) as tx:
        row = await queries.run_holder(tx, tenant.id, begun.run_id)
    if row is None or (row["process_id"], row["status"]) != (process_id, "running"):
        return None
    if row["profile_id"] is None or row["profile_id"] == begun.session.profile_id:
        return None
    owner = Principal(
        kind="user",
        tenant=tenant,
        role="authenticated",
        profile_id=row["profile_id"],
        credential="linked",
    )
    return replace(begun, principal=owner, session=replace(begun.session, profile_id=row["profile_id"]))
