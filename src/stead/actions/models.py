"""Proposals, approvals and votes as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from stead.governance import Decision, Risk
from stead.outbox import Envelope

Vote = Literal["approve", "reject"]
ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "superseded", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """An action that somebody wants done.

    Args:
        tool: Slug in the catalogue.
        arguments: What the tool is called with; JSON.
        version: Of the tool; None: the current one.
        account_id: The connected account that it acts through: the provider's id.
        risk: The proposer's own estimate; it can only raise the catalogue's.
        evidence: Ids of evidence.
        confidence: What a model says of itself, 0 to 1; it can only make the verdict stricter.
        trust_context: 001's; it never loosens anything.
        external_id: The caller's idempotency key.
        order_key: Actions with one key run one after the other, in the order in which they were proposed.
        not_before: Not before this.
        expires_at: Not after this.
        metadata: The caller's own.
        supersedes: An envelope that has not run, which this one replaces.
    """

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    version: str | None = None
    account_id: str | None = None
    risk: Risk | None = None
    evidence: Sequence[UUID] = ()
    confidence: float | None = None
    trust_context: Mapping[str, Any] = field(default_factory=dict[str, Any])
    external_id: str | None = None
    order_key: str | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    supersedes: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Proposer:
    """For whom an agent proposes, where one does.

    Args:
        agent: Slug of the agent.
        profile_id: The person whose session it is; None for nobody known.
        run_id: The run that it proposes in.
        session_id: The session.
    """

    agent: str
    profile_id: UUID | None
    run_id: UUID | None = None
    session_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a proposal.

    Args:
        code: Stable, such as ``arguments_invalid`` or the name of a rule.
        says: What, where and how to mend it; never a value of an argument.
    """

    code: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What a proposal came to.

    Args:
        envelope: As it was stored.
        decision: Why; None where the proposal was known already.
        approval_id: What has to be approved, where something has to.
        is_new: False: its key was known, and nothing was changed.
    """

    envelope: Envelope
    decision: Decision | None = None
    approval_id: UUID | None = None
    is_new: bool = True


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A proposal that was not stored, with every reason at once; it stands in the audit log.

    Args:
        envelope_id: The denied envelope, where the proposal was well formed and a policy denies it.
    """

    problems: Sequence[Problem]
    envelope_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """How somebody voted.

    Args:
        counts_for: In whose name.
        profile_id: Who.
    """

    counts_for: UUID
    profile_id: UUID
    vote: Vote
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A request for people to agree to exactly one action.

    Args:
        digest: SHA-256 over exactly what will run.
        quorum: How many different people it takes.
        approvals: How many have approved.
        reasons: Why it is asked.
        used_at: When the action began.
    """

    id: UUID
    tenant_id: UUID
    envelope_id: UUID
    envelope_version: int
    digest: bytes
    status: ApprovalStatus
    risk: Risk
    quorum: int
    approvals: int
    reasons: list[dict[str, Any]]
    policy_version: int
    proposer_id: UUID | None
    by_agent: bool
    edited_by: UUID | None
    not_before: datetime | None
    expires_at: datetime
    escalate_at: datetime | None
    escalated_at: datetime | None
    decided_at: datetime | None
    used_at: datetime | None
    created_at: datetime
    tool_slug: str
    arguments: dict[str, Any]
    connected_account_id: str | None


@dataclass(frozen=True, kw_only=True)
class Approver:
    """Somebody who may approve.

    Args:
        most_risk: Up to this tier.
    """

    profile_id: UUID
    email: str | None
    most_risk: Risk


@dataclass(frozen=True, kw_only=True)
class Delegation:
    """An approver who lets another vote in their place."""

    id: UUID
    from_id: UUID
    to_id: UUID
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """Where a tenant is told.

    Args:
        events: Types such as ``approval.requested``; ``*``: all.
    """

    id: UUID
    url: str
    events: list[str]
    paused: bool
    created_at: datetime
