"""Approvals: looking at them, voting, changing what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from stead import audit, governance, outbox, tools
from stead.actions import approvers, queries
from stead.actions.errors import (
    ApprovalDecided,
    ApprovalForbidden,
    ApprovalUnknown,
    EnvelopeNotEditable,
    VotedAlready,
)
from stead.actions.models import Approval, Ballot, Problem, Proposal, Proposed, Refusal, Vote
from stead.actions.proposing import ask, judge
from stead.db import Transaction
from stead.governance import Lesson
from stead.identity import Principal
from stead.outbox import Envelope

_EDITABLE = frozenset({"awaiting_approval", "deferred"})


async def get(tx: Transaction, principal: Principal, approval_id: UUID) -> Approval:
    """An approval.

    Raises:
        ApprovalUnknown: There is none of that id for this caller.
    """
    row = await queries.approval(tx, principal.tenant.id, approval_id)
    if row is None:
        raise ApprovalUnknown("no approval of that id is here")
    return Approval(**dict(row))


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    status: str | None = "pending",
    envelope_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Approval]:
    """Approvals that the caller may see, newest first."""
    proposer_id = await approvers.only_own(tx, principal)
    rows = await queries.approvals(
        tx, principal.tenant.id, proposer_id, status, envelope_id, before, limit
    )
    return [Approval(**dict(row)) for row in rows]


async def to_decide(
    tx: Transaction,
    principal: Principal,
    profile_id: UUID,
    *,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Approval]:
    """Approvals that a person could give now, newest first; in a transaction of the tenant's service."""
    rows = await queries.to_decide(tx, principal.tenant.id, profile_id, before, limit)
    return [Approval(**dict(row)) for row in rows]


async def ballots(tx: Transaction, principal: Principal, approval_id: UUID) -> list[Ballot]:
    """How people voted."""
    rows = await queries.ballots(tx, principal.tenant.id, approval_id)
    return [Ballot(**dict(row)) for row in rows]


async def vote(
    tx: Transaction,
    principal: Principal,
    approval_id: UUID,
    vote: Vote,
    *,
    digest: bytes | None = None,
    reason: str | None = None,
    counts_for: UUID | None = None,
) -> Approval:
    """Votes, as the person that the principal is. Who may, and what it comes to, is the database's to say.

    Args:
        tx: A transaction as the server, in the person's name.
        principal: The person.
        approval_id: On what.
        vote: One vote against rejects; enough for it let the action run.
        digest: Of what the person looked at; None: of what is asked for now.
        reason: Why, for a rejection.
        counts_for: The approver who delegated to this person; None: the person votes for themselves.

    Raises:
        ApprovalUnknown: There is none of that id for this caller.
        ApprovalDecided: It was decided, has expired, or is of another version of the action.
        ApprovalForbidden: This person may not: their own proposal, no approver, no delegation, no person.
        VotedAlready: They have.
    """
    approval = await get(tx, principal, approval_id)
    if principal.profile_id is None:
        raise ApprovalForbidden("only a person can vote, and a service is none")
    try:
        await queries.vote(
            tx,
            principal.tenant.id,
            approval_id,
            counts_for or principal.profile_id,
            principal.profile_id,
            vote,
            reason,
            digest if digest is not None else approval.digest,
        )
    except asyncpg.InsufficientPrivilegeError as error:
        raise ApprovalForbidden(str(error)) from error
    except asyncpg.ObjectNotInPrerequisiteStateError as error:
        raise ApprovalDecided(str(error), hint="Look at it again: GET /v1/approvals/{id}.") from error
    except asyncpg.UniqueViolationError as error:
        raise VotedAlready("a person votes once") from error
    decided = await get(tx, principal, approval_id)
    await audit.record(
        tx,
        principal,
        category="approvals",
        action=vote,
        subject_type="approval",
        subject_id=approval_id,
        subject_profile_id=approval.proposer_id,
        payload={
            "envelope_id": approval.envelope_id,
            "digest": approval.digest.hex(),
            "status": decided.status,
            "counts_for": counts_for,
            "quorum": approval.quorum,
        },
    )
    await governance.learn(
        tx,
        [
            Lesson(
                tenant_id=principal.tenant.id,
                tool=approval.tool_slug,
                outcome="approved" if vote == "approve" else "rejected",
                envelope_id=approval.envelope_id,
            )
        ],
    )
    return decided


async def edit(
    tx: Transaction,
    principal: Principal,
    envelope_id: UUID,
    arguments: Mapping[str, Any],
) -> Proposed | Refusal:
    """Gives an action that waits other arguments: a new version, judged and asked for anew.

    Args:
        tx: A transaction of the tenant's service.
        principal: Who edits it.
        envelope_id: Which.
        arguments: All of them.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
        EnvelopeNotEditable: It runs, or has ended.
    """
    envelope = await outbox.envelopes.locked(tx, principal, envelope_id)
    if envelope.status not in _EDITABLE:
        raise EnvelopeNotEditable(
            f"the envelope is {envelope.status}", hint="Only what waits for an approval or its time."
        )
    wanted = outbox.canonical(arguments)
    spec = await tools.catalog.find(tx, principal, envelope.tool_slug, envelope.tool_version)
    problems = [
        Problem(code="arguments_invalid", says=says) for says in tools.check_arguments(spec, wanted)
    ]
    if spec.digest != envelope.tool_digest:
        problems.append(Problem(code="tool", says="the tool was changed since it was proposed"))
    if problems:
        return Refusal(problems=problems)
    judged = await judge(tx, principal, _proposal(envelope, wanted), spec, wanted)
    await queries.end_approval(tx, principal.tenant.id, envelope_id, "superseded")
    edited = await outbox.envelopes.edited(
        tx,
        principal,
        envelope_id,
        arguments=wanted,
        risk=judged.risk,
        status=judged.status,
        not_before=judged.judgement.not_before,
        error=judged.reason,
        code=judged.code,
    )
    await governance.record(tx, [judged.judgement], [envelope_id], stage="proposal")
    approval_id = await ask(tx, principal, edited, judged, edited_by=principal.profile_id)
    await audit.record(
        tx,
        principal,
        category="outbox",
        action="edit",
        subject_type="envelope",
        subject_id=envelope_id,
        subject_profile_id=edited.proposer_id,
        payload={
            "version": edited.version,
            "before": envelope.digest.hex(),
            "digest": edited.digest.hex(),
            "status": edited.status,
            "approval_id": approval_id,
        },
    )
    return Proposed(envelope=edited, decision=judged.judgement, approval_id=approval_id)


async def cancel(tx: Transaction, principal: Principal, envelope_id: UUID) -> Envelope:
    """Ends an action that does not run yet, with what was asked for it.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
        EnvelopeNotCancellable: It runs, or has ended.
    """
    cancelled = await outbox.envelopes.cancel(tx, principal, envelope_id)
    await queries.end_approval(tx, principal.tenant.id, envelope_id, "cancelled")
    await audit.record(
        tx,
        principal,
        category="outbox",
        action="cancel",
        subject_type="envelope",
        subject_id=envelope_id,
        subject_profile_id=cancelled.proposer_id,
        payload={"tool": cancelled.tool_slug},
    )
    return cancelled


def _proposal(envelope: Envelope, arguments: dict[str, Any]) -> Proposal:
    """What would have been proposed, for the judgement."""
    confidence = envelope.trust_context.get("confidence")
    return Proposal(
        tool=envelope.tool_slug,
        version=envelope.tool_version,
        arguments=arguments,
        account_id=envelope.connected_account_id,
        risk=next(r for r in governance.RISKS if r == envelope.risk),
        evidence=envelope.evidence,
        confidence=confidence if isinstance(confidence, int | float) else None,
        trust_context=envelope.trust_context,
    )


def proposal_of(envelope: Envelope) -> Proposal:
    """An envelope as a proposal, to be judged anew."""
    return replace(_proposal(envelope, envelope.arguments), metadata=envelope.metadata)
