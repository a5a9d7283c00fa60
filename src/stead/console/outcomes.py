"""Actions of which nobody knows whether they happened, and what people find out of them."""

from __future__ import annotations

from typing import Final, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Response

from stead import outbox
from stead.actions import approvers, redriving
from stead.console.dependencies import Posted, Viewer
from stead.console.errors import FormInvalid, PageStale
from stead.console.pages import elsewhere
from stead.console.routing import PageRoute

router = APIRouter(prefix="/console/outcomes", route_class=PageRoute)
_PAGE: Final = 50
_OUTCOMES: Final = frozenset({"succeeded", "not_done", "give_up"})


@router.get("")
async def listing(operator: Viewer, before: UUID | None = None) -> Response:
    """The inbox, the latest first."""
    operator.need("outbox")
    who = operator.principal
    async with operator.db.transaction(who, read_only=True) as tx:
        found = await outbox.envelopes.listing(
            tx,
            who,
            proposer_id=await approvers.only_own(tx, who),
            statuses=["outcome_unknown"],
            before=before,
            limit=_PAGE + 1,
        )
    return operator.page(
        "outcomes.html",
        envelopes=found[:_PAGE],
        older=found[_PAGE - 1].id if len(found) > _PAGE else None,
    )


@router.get("/{envelope_id}")
async def show(operator: Viewer, envelope_id: UUID) -> Response:
    """One: what was sent, when, and what came back."""
    operator.need("outbox")
    who = operator.principal
    async with operator.db.transaction(who, read_only=True) as tx:
        envelope = await outbox.envelopes.get(tx, who, envelope_id)
        attempts = await outbox.envelopes.attempts(tx, who, envelope_id)
    return operator.page("outcome.html", envelope=envelope, attempts=attempts)


@router.post("/{envelope_id}/resolve")
async def resolve(operator: Viewer, form: Posted, envelope_id: UUID) -> Response:
    """Records what somebody found out of the attempt that the page showed."""
    operator.need("outbox")
    who = operator.principal
    outcome = form.text("outcome", most=20)
    if outcome not in _OUTCOMES:
        raise FormInvalid("outcome: succeeded, not_done or give_up")
    attempts = form.number("attempts", least=0, most=1_000_000)
    async with operator.db.transaction(who) as tx:
        envelope = await outbox.envelopes.locked(tx, who, envelope_id)
        if envelope.status == "outcome_unknown" and envelope.attempts != attempts:
            raise PageStale("it was tried once more since", hint="Look at it again.")
        await redriving.resolve(
            tx, who, envelope_id, cast("Literal['succeeded', 'not_done', 'give_up']", outcome)
        )
    return elsewhere("/console/outcomes?done=resolved")
