"""The outbox (001): actions proposed, looked at, edited, called back; dead letters."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from stead import actions, governance, outbox
from stead.actions import Refusal, approving, redriving
from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import (
    Member,
    Operating,
    Operator,
    Seeing,
    Writing,
    needs_scope,
    parts_of,
)
from stead.http.errors import RequestInvalid, ServiceOnly
from stead.http.outbox_bodies import (
    Drain,
    Drained,
    EditArguments,
    EnvelopeDetails,
    EnvelopeOut,
    EnvelopePage,
    LetterOut,
    LetterPage,
    OutboxStatus,
    Propose,
    ProposedOut,
    Resolve,
)
from stead.http.routing import JsonRoute
from stead.identity import Principal, tenant_service
from stead.outbox import EnvelopeStatus

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/outbox",
    tags=["outbox"],
    dependencies=[needs_scope("outbox")],
)

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=300)]
_MOST_APPROVALS: Final = 50


@router.post("", status_code=201, summary="Propose an action")
async def propose(
    body: Propose,
    request: Request,
    response: Response,
    principal: Member,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> ProposedOut:
    """It runs at once, later, or after somebody approved it, as the policy says. 200 for a key that is known."""
    if body.agent is not None and principal.kind != "service":
        raise ServiceOnly("only a service says which agent proposes", hint="Leave agent out.")
    key = body.external_id or idempotency_key
    if None not in (body.external_id, idempotency_key) and body.external_id != idempotency_key:
        raise RequestInvalid(
            "external_id and Idempotency-Key differ", hint="They are the same key: send one."
        )
    proposal = body.value(key)
    who = principal.served()
    async with parts_of(request).db.transaction(who) as tx:
        made = await actions.propose(tx, who, proposal, agent=body.agent.value() if body.agent else None)
    # Only now: that it was refused stands in the audit log.
    if isinstance(made, Refusal):
        raise actions.refuse(made)
    if not made.is_new:
        response.status_code = 200
    return ProposedOut.of(made)


@router.get("", summary="List actions")
async def listing(
    principal: Member,
    tx: Seeing,
    status: Annotated[list[EnvelopeStatus] | None, Query(max_length=20)] = None,
    tool: Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")] = None,
    run_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> EnvelopePage:
    """Of a person what they or their agents proposed; of an approver and a service the tenant's; latest first."""
    found = await outbox.envelopes.listing(
        tx,
        principal,
        proposer_id=await actions.approvers.only_own(tx, principal),
        statuses=status,
        tool=tool,
        run_id=run_id,
        before=_before(cursor),
        limit=limit + 1,
    )
    last = found[limit - 1] if len(found) > limit else None
    return EnvelopePage(
        items=[EnvelopeOut.of(each) for each in found[:limit]],
        next_cursor=write_cursor((last.created_at, last.id) if last else None),
    )


@router.get("/status", summary="Depth of the outbox")
async def status(principal: Operator, tx: Operating) -> OutboxStatus:
    """For services and approvers: what is not over, by state, and how many dead letters there are."""
    found = await outbox.upkeep.depths(tx, principal.tenant.id)
    depths = {state: n for (_, state), n in found.items() if state != "dlq"}
    dead = sum(n for (_, state), n in found.items() if state == "dlq")
    return OutboxStatus(depths=depths, dlq=dead)


@router.get("/dlq", summary="List dead letters")
async def letters(principal: Member, tx: Seeing, cursor: Cursor = None, limit: Limit = 50) -> LetterPage:
    """Actions that were given up, the latest first."""
    found = await outbox.letters.listing(tx, principal, before=_before(cursor), limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return LetterPage(
        items=[LetterOut.model_validate(each) for each in found[:limit]],
        next_cursor=write_cursor((last.created_at, last.id) if last else None),
    )


@router.post("/dlq/drain", summary="Take dead letters out")
async def drain(body: Drain, principal: Operator, tx: Operating) -> Drained:
    """The oldest ones, each judged anew. Those whose tool cannot be used stay."""
    drained = await redriving.drain(tx, principal, body.limit)
    return Drained(items=[EnvelopeOut.of(each) for each in drained])


@router.post("/dlq/{envelope_id}/retry", summary="Take one dead letter out")
async def retry(envelope_id: UUID, principal: Operator, tx: Operating) -> EnvelopeOut:
    """Judged anew, with the tool as it is now; its attempts begin again."""
    return EnvelopeOut.of(await redriving.redrive(tx, principal, envelope_id))


@router.get("/{envelope_id}", summary="Read an action")
async def show(envelope_id: UUID, principal: Member, tx: Seeing) -> EnvelopeDetails:
    """With its attempts and approvals; for services also every decision, with the reason of every rule."""
    envelope = await outbox.envelopes.get(tx, principal, envelope_id)
    return EnvelopeDetails.with_all(
        envelope,
        await outbox.envelopes.attempts(tx, principal, envelope_id),
        await governance.decided(tx, principal, envelope_id),
        await approving.listing(
            tx, principal, status=None, envelope_id=envelope_id, limit=_MOST_APPROVALS
        ),
    )


@router.patch("/{envelope_id}", summary="Edit an action")
async def edit(
    envelope_id: UUID, body: EditArguments, request: Request, principal: Member
) -> ProposedOut:
    """What waits for an approval or its time gets other arguments: another version, judged and asked for anew."""
    return ProposedOut.of(await edited(request, principal, envelope_id, body.arguments))


@router.post("/{envelope_id}/cancel", summary="Call an action back")
async def cancel(envelope_id: UUID, principal: Member, tx: Writing) -> EnvelopeOut:
    """One's own, or for a service the tenant's, while it does not run."""
    return EnvelopeOut.of(await approving.cancel(tx, principal, envelope_id))


@router.post("/{envelope_id}/resolve", summary="Say what became of an action")
async def resolve(envelope_id: UUID, body: Resolve, principal: Operator, tx: Operating) -> EnvelopeOut:
    """Of one whose outcome is not known: it had its effect; it had none, and is tried again; or nobody knows."""
    return EnvelopeOut.of(
        await redriving.resolve(tx, principal, envelope_id, body.outcome, result=body.result)
    )


async def edited(
    request: Request, principal: Principal, envelope_id: UUID, arguments: dict[str, object]
) -> actions.Proposed:
    """Edits, as the tenant's service, what the caller sees: their own, or what they approve.

    Raises:
        EnvelopeUnknown: The caller sees none of that id.
        EnvelopeNotEditable: It runs, or has ended.
        ActionRefused: The arguments cannot be accepted.
    """
    db = parts_of(request).db
    async with db.transaction(principal.served(), read_only=True) as tx:
        await outbox.envelopes.get(tx, principal, envelope_id)
    async with db.transaction(tenant_service(principal.tenant)) as tx:
        made = await approving.edit(tx, principal, envelope_id, arguments)
    if isinstance(made, Refusal):
        raise actions.refuse(made)
    return made


def _before(cursor: str | None) -> UUID | None:
    place = read_cursor(cursor)
    return None if place is None else place[1]
