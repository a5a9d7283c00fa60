"""Approving or rejecting what a run waits for, in the conversation itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from stead import outbox
from stead.actions import ApprovalForbidden, ApprovalUnknown, approving
from stead.db import Transaction
from stead.identity import Principal


@dataclass(frozen=True, kw_only=True)
class ApprovalAnswer:
    """What a person decided."""

    approval_id: UUID
    approved: bool
    reason: str | None = None


async def vote(
    tx: Transaction, principal: Principal, session_id: UUID, answers: Sequence[ApprovalAnswer]
) -> bool:
    """Votes as the signed-in person, all or nothing.

    Args:
        tx: A transaction as the server, in the person's name.
        principal: The person.
        session_id: The session whose run asked.
        answers: What they decided.

    Returns:
        Whether all of it is decided by that: where it takes two people, the other one may not have voted.

    Raises:
        ApprovalForbidden: It is no person, or this one may not.
        ApprovalUnknown: There is none of that id in this session for this caller.
        ApprovalDecided, VotedAlready: See `stead.actions.approving.vote`.
    """
    if principal.profile_id is None:
        raise ApprovalForbidden("only a person can vote: sign in", hint="A visitor is nobody known.")
    decided = True
    for answer in answers:
        approval = await approving.get(tx, principal, answer.approval_id)
        envelope = await outbox.envelopes.get(tx, principal, approval.envelope_id)
        if envelope.session_id != session_id:
            raise ApprovalUnknown("no approval of that id is asked for in this session")
        after = await approving.vote(
            tx,
            principal,
            answer.approval_id,
            "approve" if answer.approved else "reject",
            reason=answer.reason,
        )
        decided = decided and after.status != "pending"
    return decided
