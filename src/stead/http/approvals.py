"""Approvals: what waits for the caller, votes, who may vote."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from stead.actions import ApprovalDecided, Vote, approvers, approving, links
from stead.actions.models import ApprovalStatus
from stead.http.approval_bodies import (
    ApprovalDetails,
    ApprovalOut,
    ApprovalPage,
    Approve,
    ApproverOut,
    BallotOut,
    Delegate,
    DelegationOut,
    EditThenApprove,
    MakeVoteLink,
    Reject,
    SaveApprover,
    VoteLinkOut,
)
from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import (
    Member,
    Seeing,
    ServiceCaller,
    Writing,
    needs_scope,
    parts_of,
)
from stead.http.outbox import edited
from stead.http.outbox_bodies import ProposedOut
from stead.http.routing import JsonRoute
from stead.identity import Principal, tenant_service

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1",
    tags=["approvals"],
    dependencies=[needs_scope("approvals")],
)

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/approvals", summary="List approvals")
async def listing(
    request: Request,
    principal: Member,
    whose: Literal["mine", "all"] = "mine",
    status: ApprovalStatus | None = None,
    envelope_id: UUID | None = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    limit: Limit = 50,
) -> ApprovalPage:
    """`mine`: those that the caller could give now. `all`: those that the caller may see. The latest first."""
    db, place = parts_of(request).db, read_cursor(cursor)
    before = None if place is None else place[1]
    person = principal.profile_id
    if whose == "mine" and person is not None and status is None and envelope_id is None:
        async with db.transaction(tenant_service(principal.tenant), read_only=True) as tx:
            found = await approving.to_decide(tx, principal, person, before=before, limit=limit + 1)
    else:
        async with db.transaction(principal.served(), read_only=True) as tx:
            found = await approving.listing(
                tx,
                principal,
                status=status or ("pending" if whose == "mine" else None),
                envelope_id=envelope_id,
                before=before,
                limit=limit + 1,
            )
    last = found[limit - 1] if len(found) > limit else None
    return ApprovalPage(
        items=[ApprovalOut.of(each) for each in found[:limit]],
        next_cursor=write_cursor((last.created_at, last.id) if last else None),
    )


@router.get("/approvals/delegations", summary="List delegations")
async def delegations(principal: Member, tx: Seeing) -> list[DelegationOut]:
    """Those that have not ended: the caller's own, to the caller, and for a service all of the tenant."""
    return [DelegationOut.model_validate(each) for each in await approvers.delegations(tx, principal)]


@router.post("/approvals/delegations", status_code=201, summary="Let another vote")
async def delegate(body: Delegate, principal: Member, tx: Writing) -> DelegationOut:
    """In one's place, for a time."""
    made = await approvers.delegate(
        tx,
        principal,
        body.to_id,
        ends_at=body.ends_at,
        begins_at=body.begins_at,
        from_id=body.from_id,
    )
    return DelegationOut.model_validate(made)


@router.delete("/approvals/delegations/{delegation_id}", status_code=204, summary="End a delegation")
async def revoke(delegation_id: UUID, principal: Member, tx: Writing) -> Response:
    """Votes that were given stand."""
    await approvers.revoke(tx, principal, delegation_id)
    return Response(status_code=204)


@router.get("/approvals/{approval_id}", summary="Read an approval")
async def show(approval_id: UUID, principal: Member, tx: Seeing) -> ApprovalDetails:
    """With exactly what would run, and how people voted."""
    return await _details(principal, tx, approval_id)


@router.post("/approvals/{approval_id}/approve", summary="Approve")
async def approve(approval_id: UUID, body: Approve, principal: Member, tx: Writing) -> ApprovalDetails:
    """Exactly what one looked at: `digest` names it."""
    return await _vote(principal, tx, approval_id, "approve", body)


@router.post("/approvals/{approval_id}/reject", summary="Reject")
async def reject(approval_id: UUID, body: Reject, principal: Member, tx: Writing) -> ApprovalDetails:
    """One vote against it ends it; the reason is told to who proposed it."""
    return await _vote(principal, tx, approval_id, "reject", body)


@router.post("/approvals/{approval_id}/edit", summary="Edit, then approve")
async def edit(
    approval_id: UUID, body: EditThenApprove, request: Request, principal: Member
) -> ProposedOut:
    """The action gets other arguments and is asked for anew; with `approve` the caller votes for it at once.

    The edit stands where the vote does not count: where it takes two, whoever edited is none of them.
    """
    db, digest = parts_of(request).db, bytes.fromhex(body.digest)
    async with db.transaction(principal.served(), read_only=True) as tx:
        approval = await approving.get(tx, principal, approval_id)
    if approval.status != "pending" or approval.digest != digest:
        raise ApprovalDecided(
            "that is not what is asked for any more", hint="Look at it again: GET /v1/approvals/{id}."
        )
    made = await edited(request, principal, approval.envelope_id, body.arguments)
    if body.approve and made.approval_id is not None:
        async with db.transaction(principal.served()) as tx:
            await approving.vote(tx, principal, made.approval_id, "approve", digest=made.envelope.digest)
    return ProposedOut.of(made)


@router.post("/approvals/{approval_id}/links", status_code=201, summary="Make a link for one vote")
async def link(
    approval_id: UUID, body: MakeVoteLink, principal: ServiceCaller, tx: Writing
) -> VoteLinkOut:
    """For one person, to be sent to them alone. It is good until the approval expires, for a week at most."""
    token = await links.make(tx, principal, approval_id, body.profile_id)
    return VoteLinkOut(token=token, path=f"/v1/approvals/links/{token}")


@router.get("/approvers", summary="List approvers")
async def list_approvers(principal: ServiceCaller, tx: Seeing) -> list[ApproverOut]:
    """Everybody who may approve in the tenant, and up to which tier."""
    return [ApproverOut.model_validate(each) for each in await approvers.listing(tx, principal)]


@router.put("/approvers/{profile_id}", status_code=204, summary="Make somebody an approver")
async def put_approver(
    profile_id: UUID, body: SaveApprover, principal: ServiceCaller, tx: Writing
) -> Response:
    """Sent again it changes the tier."""
    await approvers.put(tx, principal, profile_id, body.most_risk)
    return Response(status_code=204)


@router.delete("/approvers/{profile_id}", status_code=204, summary="Let somebody approve no more")
async def delete_approver(profile_id: UUID, principal: ServiceCaller, tx: Writing) -> Response:
    """Votes that were given stand."""
    await approvers.remove(tx, principal, profile_id)
    return Response(status_code=204)


async def _vote(
    principal: Principal, tx: Writing, approval_id: UUID, vote: Vote, body: Approve | Reject
) -> ApprovalDetails:
    await approving.vote(
        tx,
        principal,
        approval_id,
        vote,
        digest=bytes.fromhex(body.digest),
        reason=body.reason,
        counts_for=body.counts_for,
    )
    return await _details(principal, tx, approval_id)


async def _details(principal: Principal, tx: Seeing, approval_id: UUID) -> ApprovalDetails:
    approval = await approving.get(tx, principal, approval_id)
    votes = await approving.ballots(tx, principal, approval_id)
    return ApprovalDetails(
        **ApprovalOut.of(approval).model_dump(),
        votes=[BallotOut.model_validate(each) for each in votes],
    )
