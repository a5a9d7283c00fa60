"""Proposing an action: checked, judged, stored and told in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from stead import audit, governance, outbox, tools
from stead.actions import queries
from stead.actions.errors import ActionDenied, ActionRefused, EnvelopeNotEditable
from stead.actions.models import Problem, Proposal, Proposed, Proposer, Refusal
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import Transaction
from stead.governance import Action, Facts, Handling, Judgement, Risk
from stead.identity import Principal
from stead.outbox import Envelope, EnvelopeStatus, NewEnvelope
from stead.tools import ToolSpec

_MAX_EVIDENCE: Final = 100
STATUS_OF: Final[dict[str, EnvelopeStatus]] = {
    "allow": "pending",
    "needs_approval": "awaiting_approval",
    "defer": "deferred",
    "deny": "denied",
}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A proposal with its judgement.

    Args:
        handling: How the policy treats actions of this kind.
    """

    spec: ToolSpec
    risk: Risk
    judgement: Judgement
    handling: Handling

    @property
    def status(self) -> EnvelopeStatus:
        """What the envelope becomes."""
        return STATUS_OF[self.judgement.verdict]

    @property
    def reason(self) -> str | None:
        """Why it does not simply run."""
        if self.judgement.verdict == "allow":
            return None
        against = [r.says for r in self.judgement.reasons if r.verdict == self.judgement.verdict]
        return "; ".join(against)[:2000] or None

    @property
    def code(self) -> str | None:
        """The first rule that is against it."""
        if self.judgement.verdict == "allow":
            return None
        return next(
            (r.rule for r in self.judgement.reasons if r.verdict == self.judgement.verdict), "policy"
        )


async def propose(
    tx: Transaction, principal: Principal, proposal: Proposal, *, agent: Proposer | None = None
) -> Proposed | Refusal:
    """Proposes an action.

    What cannot be accepted is not raised but returned, so that the note of it in the audit log is committed: the
    caller commits, and raises then (`refuse`).

    Args:
        tx: A transaction as the server.
        principal: The person or the service that proposes; for an agent the tenant's service.
        proposal: What.
        agent: The agent that proposes, and for whom.

    Raises:
        EnvelopeKeyReused: The key names another action.
        EnvelopeUnknown, EnvelopeNotEditable: What it supersedes is not there, or can no longer be.
    """
    if proposal.external_id is not None:
        known = await outbox.envelopes.by_external_id(tx, principal, proposal.external_id)
        if known is not None:
            return await _known(known, proposal)
    problems: list[Problem] = []
    arguments: dict[str, Any] = {}
    try:
        arguments = outbox.canonical(proposal.arguments)
    except outbox.EnvelopeInvalid as error:
        problems.append(Problem(code=error.code, says=_said(error)))
    spec = await _tool(tx, principal, proposal, problems)
    if spec is not None and not problems:
        problems += [
            Problem(code="arguments_invalid", says=says)
            for says in tools.check_arguments(spec, arguments)
        ]
    if len(proposal.evidence) > _MAX_EVIDENCE:
        problems.append(
            Problem(code="evidence_invalid", says=f"more than {_MAX_EVIDENCE} pieces of evidence")
        )
    elif proposal.evidence:
        distinct = list(set(proposal.evidence))
        if await queries.count_evidence(tx, distinct) < len(distinct):
            problems.append(Problem(code="evidence_unknown", says="some of the evidence is not here"))
    if spec is None:
        return await _refuse(tx, principal, proposal, agent, problems, None)
    # Judged also where something is wrong with it: every reason at once.
    judged = await judge(tx, principal, proposal, spec, arguments, agent=agent)
    if problems:
        if judged.judgement.verdict == "deny":
            problems += _denials(judged)
        return await _refuse(tx, principal, proposal, agent, problems, judged)
    if proposal.supersedes is not None:
        await _supersede(tx, principal, proposal.supersedes)
    envelope, is_new = await outbox.insert(
        tx, principal, _envelope(principal, proposal, agent, judged, arguments)
    )
    if not is_new:
        return Proposed(envelope=envelope, is_new=False)
    await governance.record(tx, [judged.judgement], [envelope.id], stage="proposal")
    approval_id = await ask(tx, principal, envelope, judged)
    await audit.record(
        tx,
        principal,
        category="outbox",
        action="propose",
        subject_type="envelope",
        subject_id=envelope.id,
        subject_profile_id=envelope.proposer_id,
        payload={
            "tool": spec.slug,
            "version": spec.version,
            "risk": judged.risk,
            "status": envelope.status,
            "digest": envelope.digest.hex(),
            "policy_version": judged.judgement.policy_version,
            "rules": [r.rule for r in judged.judgement.reasons if r.verdict != "allow"],
            "agent": agent.agent if agent else None,
            "approval_id": approval_id,
        },
    )
    if envelope.status == "denied":
        return Refusal(problems=_denials(judged), envelope_id=envelope.id)
    return Proposed(envelope=envelope, decision=judged.judgement, approval_id=approval_id)


def refuse(refusal: Refusal) -> SteadError:
    """The error that a refusal is, to be raised when the transaction was committed."""
    reasons = [{"code": p.code, "says": p.says} for p in refusal.problems]
    detail = "; ".join(p.says for p in refusal.problems)[:2000]
    if refusal.envelope_id is not None:
        return ActionDenied(
            detail,
            hint="GET /v1/guardrails shows the policy.",
            reasons=reasons,
            envelope_id=str(refusal.envelope_id),
        )
    return ActionRefused(detail, hint="Mend all of it and propose again.", reasons=reasons)


async def judge(
    tx: Transaction,
    principal: Principal,
    proposal: Proposal,
    spec: ToolSpec,
    arguments: dict[str, Any],
    *,
    agent: Proposer | None = None,
) -> Judged:
    """What the tenant's policy says to a proposal now.

    Args:
        tx: A transaction as the server.
        principal: In whose tenant.
        proposal: What.
        spec: The tool.
        arguments: As they would be stored.
        agent: The agent that proposes.
    """
    risk = higher(spec.risk, proposal.risk)
    account = (
        await queries.account(tx, principal.tenant.id, proposal.account_id)
        if proposal.account_id is not None
        else None
    )
    action = action_of(
        principal.tenant.id,
        spec,
        risk,
        arguments,
        account_id=proposal.account_id,
        evidence=len(set(proposal.evidence)),
        proposer=agent.agent if agent else principal.key,
        trust_context=proposal.trust_context,
        confidence=proposal.confidence,
    )
    facts = facts_of(
        spec,
        tool_known=True,
        account_id=proposal.account_id,
        account_status=account["status"] if account is not None else None,
        account_scopes=account["scopes"] if account is not None else None,
        approved=False,
    )
    (judgement,) = await governance.judge(tx, [action], [facts])
    policies = await governance.policies_of(tx, [principal.tenant.id])
    policy = policies.get(principal.tenant.id) or governance.DEFAULT_POLICY
    return Judged(spec=spec, risk=risk, judgement=judgement, handling=policy.handling(spec.slug, risk))


async def ask(
    tx: Transaction,
    principal: Principal,
    envelope: Envelope,
    judged: Judged,
    *,
    edited_by: UUID | None = None,
) -> UUID | None:
    """Asks for the approval that an envelope waits for; None where it waits for none."""
    if envelope.status != "awaiting_approval":
        return None
    return await queries.insert_approval(
        tx,
        principal.tenant.id,
        envelope.id,
        max(judged.judgement.quorum, 1),
        [governance.plain_reason(r) for r in judged.judgement.reasons if r.verdict != "allow"],
        judged.judgement.policy_version,
        edited_by,
        judged.judgement.not_before,
        float(judged.handling.approval_ttl_s),
    )


def action_of(
    tenant_id: UUID,
    spec: ToolSpec,
    risk: Risk,
    arguments: dict[str, Any],
    *,
    account_id: str | None,
    evidence: int,
    proposer: str,
    trust_context: Any,
    confidence: float | None,
) -> Action:
    """An action as the policy looks at it."""
    return Action(
        tenant_id=tenant_id,
        tool=spec.slug,
        version=spec.version,
        provider=spec.provider,
        risk=risk,
        required_scopes=frozenset(spec.required_scopes),
        account_id=account_id,
        arguments=arguments,
        amount=_amount(spec, arguments),
        spends=spec.amount_argument is not None,
        evidence=evidence,
        confidence=confidence,
        proposer=proposer,
        trust_context=trust_context,
    )


def facts_of(
    spec: ToolSpec | None,
    *,
    tool_known: bool,
    account_id: str | None,
    account_status: str | None,
    account_scopes: Sequence[str] | None,
    approved: bool,
) -> Facts:
    """What is known of an action beside what governance knows."""
    needs_account = account_id is not None or (spec is not None and spec.needs_account)
    if not needs_account:
        return Facts(tool_known=tool_known, approved=approved, granted_scopes=frozenset())
    if account_id is None:
        return Facts(tool_known=tool_known, approved=approved, account_status="missing")
    return Facts(
        tool_known=tool_known,
        approved=approved,
        # An account that is not there is as good as none: neither its state nor its scopes are known.
        account_status=account_status,
        granted_scopes=None if account_scopes is None else frozenset(account_scopes),
    )


def higher(risk: Risk, other: Risk | None) -> Risk:
    """The higher of two tiers."""
    if other is None:
        return risk
    return risk if governance.RISKS.index(risk) >= governance.RISKS.index(other) else other


def _amount(spec: ToolSpec, arguments: dict[str, Any]) -> Decimal | None:
    if spec.amount_argument is None:
        return None
    value = arguments.get(spec.amount_argument)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


async def _tool(
    tx: Transaction, principal: Principal, proposal: Proposal, problems: list[Problem]
) -> ToolSpec | None:
    try:
        return await tools.catalog.find(tx, principal, proposal.tool, proposal.version)
    except (tools.ToolUnknown, tools.ToolDrifted) as error:
        problems.append(Problem(code=error.code, says=_said(error)))
        return None


async def _known(known: Envelope, proposal: Proposal) -> Proposed:
    same = (known.tool_slug, known.connected_account_id) == (proposal.tool, proposal.account_id)
    if not same or (known.version == 1 and known.arguments != outbox.canonical(proposal.arguments)):
        raise outbox.EnvelopeKeyReused(
            "this key names another action", hint="A new action takes a new key.", id=str(known.id)
        )
    return Proposed(envelope=known, is_new=False)


async def _supersede(tx: Transaction, principal: Principal, envelope_id: UUID) -> None:
    old = await outbox.envelopes.locked(tx, principal, envelope_id)
    if old.status not in {"deferred", "awaiting_approval", "pending"}:
        raise EnvelopeNotEditable(f"the envelope to be superseded is {old.status}")
    await queries.end_approval(tx, principal.tenant.id, envelope_id, "superseded")
    await outbox.envelopes.moved(tx, principal, envelope_id, "superseded", code="superseded")


async def _refuse(
    tx: Transaction,
    principal: Principal,
    proposal: Proposal,
    agent: Proposer | None,
    problems: Sequence[Problem],
    judged: Judged | None,
) -> Refusal:
    if judged is not None:
        denied = replace(judged.judgement, verdict="deny")
        await governance.record(tx, [denied], [None], stage="proposal")
    await audit.record(
        tx,
        principal,
        category="outbox",
        action="refuse",
        subject_type="tool",
        subject_id=_code(proposal.tool),
        subject_profile_id=agent.profile_id if agent else principal.profile_id,
        payload={
            "codes": sorted({p.code for p in problems}),
            "problems": len(problems),
            "agent": agent.agent if agent else None,
        },
    )
    return Refusal(problems=problems)


def _code(tool: str) -> str:
    """The name of a tool that may be anything, as the audit log takes it."""
    return "".join(c if c.isalnum() or c in "._:-" else "_" for c in tool)[:128] or "_"


def _denials(judged: Judged) -> list[Problem]:
    return [Problem(code=r.rule, says=r.says) for r in judged.judgement.reasons if r.verdict == "deny"]


def _said(error: SteadError) -> str:
    return f"{error.detail}. {error.hint}" if error.hint else error.detail


def _envelope(
    principal: Principal,
    proposal: Proposal,
    agent: Proposer | None,
    judged: Judged,
    arguments: dict[str, Any],
) -> NewEnvelope:
    spec = judged.spec
    return NewEnvelope(
        id=new_id(),
        tool=spec.slug,
        version=spec.version,
        tool_digest=spec.digest,
        provider=spec.provider,
        arguments=arguments,
        risk=judged.risk,
        status=judged.status,
        not_before=_later(judged.judgement.not_before, proposal.not_before),
        account_id=proposal.account_id,
        external_id=proposal.external_id,
        order_key=proposal.order_key,
        idempotent=spec.idempotent,
        attempt_limit=judged.handling.max_attempts,
        proposed_by=f"agent:{agent.agent}" if agent else principal.key,
        proposer_id=agent.profile_id if agent else principal.profile_id,
        by_agent=agent is not None,
        run_id=agent.run_id if agent else None,
        session_id=agent.session_id if agent else None,
        evidence=list(dict.fromkeys(proposal.evidence)),
        trust_context=_with_confidence(proposal),
        metadata=proposal.metadata,
        expires_at=proposal.expires_at,
        last_error=judged.reason,
        error_code=judged.code,
    )


def _with_confidence(proposal: Proposal) -> dict[str, Any]:
    """The trust context, with the model's own confidence in it: the judgement at claim needs both."""
    context = dict(proposal.trust_context)
    if proposal.confidence is not None:
        context["confidence"] = proposal.confidence
    return context


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
