"""A job in the hands of a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stead.db import Row
from stead.identity import Principal, Tenant, tenant_service


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedJob:
    """What a claim answers with.

    Args:
        lease_no: Goes with every write; an older one writes nothing.
        attempt: From 1.
        has_steps: Whether anything was checkpointed before.
    """

    id: UUID
    kind: str
    input: dict[str, Any]
    project_id: UUID | None
    principal: Principal
    attempt: int
    max_attempts: int
    timeout_s: float | None
    lease_no: int
    rescues: int
    has_steps: bool
    queue: str


def claimed(row: Row) -> ClaimedJob:
    """A row of a claim."""
    tenant = Tenant(id=row["tenant_id"], slug=row["tenant_slug"])
    user_id: UUID | None = row["user_id"]
    principal = (
        tenant_service(tenant, credential="job")
        if user_id is None
        else Principal(
            kind="user", tenant=tenant, role="stead_service", profile_id=user_id, credential="job"
        )
    )
    return ClaimedJob(
        id=row["id"],
        kind=row["agent_type"],
        input=row["input"],
        project_id=row["project_id"],
        principal=principal,
        attempt=row["attempt"],
        max_attempts=row["max_attempts"],
        timeout_s=row["timeout_s"],
        lease_no=row["lease_no"],
        rescues=row["rescues"],
        has_steps=row["has_steps"],
        queue=row["queue"],
    )
