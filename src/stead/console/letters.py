"""Dead letters: actions that were given up."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response

from stead import outbox
from stead.actions import redriving
from stead.console.dependencies import Posted, Viewer
from stead.console.pages import elsewhere
from stead.console.routing import PageRoute

router = APIRouter(prefix="/console/letters", route_class=PageRoute)
_PAGE: Final = 50
_MOST_DRAINED: Final = 200


@router.get("")
async def listing(operator: Viewer, before: UUID | None = None) -> Response:
    """The tenant's, the latest first."""
    operator.need("outbox")
    who = operator.principal
    async with operator.db.transaction(who, read_only=True) as tx:
        found = await outbox.letters.listing(tx, who, before=before, limit=_PAGE + 1)
    return operator.page(
        "letters.html",
        letters=found[:_PAGE],
        older=found[_PAGE - 1].id if len(found) > _PAGE else None,
        most=_MOST_DRAINED,
    )


@router.post("/{envelope_id}/retry")
async def retry(operator: Viewer, form: Posted, envelope_id: UUID) -> Response:
    """Takes one out, judged anew."""
    _ = form
    operator.need("outbox")
    who = operator.principal
    async with operator.db.transaction(who) as tx:
        await redriving.redrive(tx, who, envelope_id)
    return elsewhere("/console/letters?done=redriven")


@router.post("/drain")
async def drain(operator: Viewer, form: Posted) -> Response:
    """Takes the oldest out, each judged anew."""
    operator.need("outbox")
    who = operator.principal
    async with operator.db.transaction(who) as tx:
        await redriving.drain(tx, who, form.number("limit", least=1, most=_MOST_DRAINED))
    return elsewhere("/console/letters?done=drained")
