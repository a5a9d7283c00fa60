"""What was found to have changed, for whoever looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stead import audit
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.tools import queries
from stead.tools.errors import DriftUnknown
from stead.tools.models import Drift, Severity

Place = tuple[datetime, UUID]


@dataclass(frozen=True, kw_only=True)
class DriftPage:
    """Some of them, the latest first.

    Args:
        next: Where the next page begins; None: there is none.
    """

    items: list[Drift]
    next: Place | None


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    severities: Sequence[Severity] | None = None,
    slug: str | None = None,
    acknowledged: bool | None = None,
    before: Place | None = None,
    limit: int = 50,
) -> DriftPage:
    """What changed in a tenant's catalogue.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        severities: Only these.
        slug: Only of this tool.
        acknowledged: Only those that somebody has looked at, or has not.
        before: Where a page begins.
        limit: How many.
    """
    rows = await queries.drifts(
        tx,
        principal.tenant.id,
        severities,
        slug,
        acknowledged,
        None if before is None else before[0],
        None if before is None else before[1],
        limit + 1,
    )
    items = [_drift(row) for row in rows[:limit]]
    more = len(rows) > limit
    return DriftPage(items=items, next=(items[-1].created_at, items[-1].id) if more else None)


async def acknowledge(tx: Transaction, principal: Principal, drift_id: UUID) -> Drift:
    """Says that somebody has looked. The last one that held a tool lets it be used again, as it is now.

    Twice is no error; the first one counts.

    Args:
        tx: A transaction of the tenant's service.
        principal: Who has looked.
        drift_id: At what.

    Raises:
        DriftUnknown: There is none.
    """
    await queries.lock_catalogue(tx, principal.tenant.id)
    found = await queries.lock_drift(tx, principal.tenant.id, drift_id)
    if found is None:
        raise DriftUnknown(f"there is no change {drift_id}")
    done = await queries.acknowledge(tx, principal.tenant.id, drift_id, principal.key[:255])
    if done is None:
        return _drift(found)
    drift = _drift(done)
    released = drift.held and await _release(tx, principal, drift)
    await audit.record(
        tx,
        principal,
        category="tools",
        action="acknowledge",
        subject_type="tool",
        subject_id=drift.tool_slug,
        payload={"drift_id": drift_id, "version": drift.version, "released": released},
    )
    return drift


async def _release(tx: Transaction, principal: Principal, drift: Drift) -> bool:
    tenant_id = principal.tenant.id
    if await queries.is_held(tx, tenant_id, drift.tool_slug, drift.version):
        return False
    row = await queries.by_slug(tx, tenant_id, drift.tool_slug, drift.version)
    if row is None or row["status"] != "drifted":
        return False
    await queries.step_down(tx, tenant_id, drift.tool_slug, drift.version)
    await queries.release(tx, tenant_id, drift.tool_slug, drift.version)
    return True


def _drift(row: Row) -> Drift:
    return Drift(**dict(row))
