"""A job in the hands of a worker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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
    return ClaimedJob(
        id=row["id"],
        kind=row["agent_type"],
        input=row["input"],
        project_id=row["project_id"],
        principal=_principal(row["tenant_id"], row["tenant_slug"], row["user_id"]),
        attempt=row["attempt"],
        max_attempts=row["max_attempts"],
        timeout_s=row["timeout_s"],
        lease_no=row["lease_no"],
        rescues=row["rescues"],
        has_steps=row["has_steps"],
        queue=row["queue"],
    )


@lru_cache(maxsize=4096)
def _principal(tenant_id: UUID, slug: str, user_id: UUID | None) -> Principal:
    """In whose name a job works; the same for all jobs of one tenant or person."""
    tenant = Tenant(id=tenant_id, slug=slug)
    if user_id is None:
        return tenant_service(tenant, credential="job")
    return Principal(
        kind="user", tenant=tenant, role="stead_service", profile_id=user_id, credential="job"
    )
