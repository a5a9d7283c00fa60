"""What was done lately: rows of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from stead import audit
from stead.console.dependencies import Viewer
from stead.console.routing import PageRoute

router = APIRouter(prefix="/console/activity", route_class=PageRoute)
_PAGE: Final = 50


@router.get("")
async def listing(
    operator: Viewer,
    category: Annotated[str, Query(max_length=64)] = "",
    before_at: datetime | None = None,
    before_id: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
) -> Response:
    """All of the tenant for its service, a person's own for a person."""
    who = operator.principal
    who.require_scope("audit")
    place = (before_at, before_id) if before_at is not None and before_id is not None else None
    async with operator.db.transaction(who.served(), read_only=True) as tx:
        found = await audit.listing(tx, who, category=category or None, before=place, limit=_PAGE)
    return operator.page("activity.html", rows=found.items, older=found.next_before, category=category)
