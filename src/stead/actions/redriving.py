"""Unknown outcomes and dead letters: what people do about them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from stead import audit, governance, outbox, tools
from stead.actions.approving import proposal_of
from stead.actions.proposing import ask, judge
from stead.db import Transaction
from stead.governance import Lesson
from stead.identity import Principal
from stead.outbox import Envelope


async def redrive(tx: Transaction, principal: Principal, envelope_id: UUID) -> Envelope:
    """Takes an envelope out of the dead letters: judged anew, with the tool as it is now.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
        EnvelopeNotDead: It is not among the dead letters.
        ToolUnknown, ToolDrifted: Its tool cannot be used.
    """
    envelope = await outbox.envelopes.locked(tx, principal, envelope_id)
    if envelope.status != "dead":
        raise outbox.EnvelopeNotDead(f"the envelope is {envelope.status}")
    spec = await tools.catalog.find(tx, principal, envelope.tool_slug, envelope.tool_version)
    judged = await judge(tx, principal, proposal_of(envelope), spec, envelope.arguments)
    revived = await outbox.letters.revived(
        tx,
        principal,
        envelope_id,
        status=judged.status,
        tool_digest=spec.digest,
        not_before=judged.judgement.not_before,
        error=judged.reason,
        code=judged.code,
    )
    await governance.record(tx, [judged.judgement], [envelope_id], stage="proposal")
    approval_id = await ask(tx, principal, revived, judged)
    await audit.record(
        tx,
        principal,
        category="outbox",
        action="redrive",
        subject_type="envelope",
        subject_id=envelope_id,
        subject_profile_id=revived.proposer_id,
        payload={"tool": spec.slug, "status": revived.status, "approval_id": approval_id},
    )
    await outbox.wake_workers(tx)
    return revived


async def drain(tx: Transaction, principal: Principal, limit: int) -> list[Envelope]:
    """Takes the oldest dead letters out, each judged anew. Those whose tool cannot be used stay."""
    drained: list[Envelope] = []
    for envelope_id in await outbox.letters.oldest(tx, principal, limit):
        try:
            drained.append(await redrive(tx, principal, envelope_id))
        except (tools.ToolUnknown, tools.ToolDrifted):
            continue
    return drained


async def resolve(
    tx: Transaction,
    principal: Principal,
    envelope_id: UUID,
    outcome: Literal["succeeded", "not_done", "give_up"],
    *,
    result: Any = None,
) -> Envelope:
    """Records what a person found out of an action whose outcome was not known.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
        OutcomeKnown: Its outcome is known.
    """
    resolved = await outbox.envelopes.resolve(tx, principal, envelope_id, outcome, result)
    await audit.record(
        tx,
        principal,
        category="outbox",
        action="resolve",
        subject_type="envelope",
        subject_id=envelope_id,
        subject_profile_id=resolved.proposer_id,
        payload={"outcome": outcome, "status": resolved.status, "tool": resolved.tool_slug},
    )
    if outcome != "give_up":
        await governance.learn(
            tx,
            [
                Lesson(
                    tenant_id=principal.tenant.id,
                    tool=resolved.tool_slug,
                    outcome="succeeded" if outcome == "succeeded" else "failed",
                    envelope_id=envelope_id,
                )
            ],
        )
    await outbox.wake_workers(tx)
    return resolved
