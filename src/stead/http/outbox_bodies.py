"""Bodies of the outbox endpoints: what comes in, what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stead.actions import Approval, Proposal, Proposed, Proposer
from stead.governance import Decided, Risk, Verdict, plain_reason
from stead.http.approval_bodies import ApprovalOut
from stead.http.memory_bodies import Moment, Share
from stead.http.session_bodies import Body
from stead.outbox import Attempt, Envelope, EnvelopeStatus

Key = Annotated[str, Field(min_length=1, max_length=255)]
ToolName = Annotated[str, Field(min_length=1, max_length=200, examples=["refund"])]
Arguments = Annotated[dict[str, Any], Field(examples=[{"order_id": "A-17", "amount": 12.5}])]
Outcome = Literal["succeeded", "not_done", "give_up"]


class AgentIn(Body):
    """The agent that proposes, and for whom: a service says so."""

    name: str = Field(min_length=1, max_length=200, examples=["concierge"])
    profile_id: UUID | None = Field(None, examples=[None])
    run_id: UUID | None = Field(None, examples=[None])
    session_id: UUID | None = Field(None, examples=[None])

    def value(self) -> Proposer:
        """As actions know it."""
        return Proposer(
            agent=self.name,
            profile_id=self.profile_id,
            run_id=self.run_id,
            session_id=self.session_id,
        )


class Propose(Body):
    """An action that is to be carried out."""

    tool: ToolName
    arguments: Arguments = Field(default_factory=dict[str, Any])
    version: str | None = Field(None, min_length=1, max_length=100)
    connected_account_id: Key | None = None
    risk: Risk | None = None
    evidence: list[UUID] = Field(default_factory=list[UUID], max_length=1000)
    confidence: Share | None = None
    trust_context: dict[str, Any] = Field(default_factory=dict[str, Any])
    external_id: Key | None = None
    order_key: Key | None = None
    not_before: Moment | None = None
    expires_at: Moment | None = None
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])
    supersedes: UUID | None = None
    agent: AgentIn | None = None

    def value(self, external_id: str | None) -> Proposal:
        """As actions know it."""
        return Proposal(
            tool=self.tool,
            arguments=self.arguments,
            version=self.version,
            account_id=self.connected_account_id,
            risk=self.risk,
            evidence=self.evidence,
            confidence=self.confidence,
            trust_context=self.trust_context,
            external_id=external_id,
            order_key=self.order_key,
            not_before=self.not_before,
            expires_at=self.expires_at,
            metadata=self.metadata,
            supersedes=self.supersedes,
        )


class EditArguments(Body):
    """Other arguments, all of them."""

    arguments: Arguments


class Resolve(Body):
    """What somebody found out about an action whose outcome was not known."""

    outcome: Outcome = Field(examples=["succeeded"])
    result: Any = Field(None, description="What the provider shows of it.")


class EnvelopeOut(BaseModel):
    """An action as it stands (001's outbox)."""

    id: UUID
    tool_slug: str
    tool_version: str
    provider: str
    arguments: dict[str, Any]
    connected_account_id: str | None
    risk: Risk
    external_id: str | None
    trust_context: dict[str, Any]
    metadata: dict[str, Any]
    status: EnvelopeStatus
    attempts: int
    attempt_limit: int
    next_run_at: datetime
    last_error: str | None
    error_code: str | None
    order_key: str | None
    version: int
    digest: str = Field(description="SHA-256 over exactly what will run; what an approval binds.")
    redrives: int
    proposed_by: str
    proposer_id: UUID | None
    by_agent: bool
    run_id: UUID | None
    session_id: UUID | None
    evidence: list[UUID]
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, envelope: Envelope) -> EnvelopeOut:
        """From the envelope."""
        return cls.model_validate(fields_of(envelope))


def fields_of(envelope: Envelope) -> dict[str, Any]:
    """What is told of an envelope."""
    return {**vars(envelope), "digest": envelope.digest.hex()}


class ReasonOut(BaseModel):
    """What one rule says."""

    rule: str
    verdict: Verdict
    says: str
    until: datetime | None = None


class ProposedOut(BaseModel):
    """What a proposal came to."""

    envelope: EnvelopeOut
    is_new: bool
    verdict: Verdict | None
    reasons: list[ReasonOut]
    approval_id: UUID | None

    @classmethod
    def of(cls, proposed: Proposed) -> ProposedOut:
        """From the proposal."""
        decision = proposed.decision
        reasons = () if decision is None else decision.reasons
        return cls(
            envelope=EnvelopeOut.of(proposed.envelope),
            is_new=proposed.is_new,
            verdict=None if decision is None else decision.verdict,
            reasons=[ReasonOut.model_validate(plain_reason(each)) for each in reasons],
            approval_id=proposed.approval_id,
        )


class EnvelopePage(BaseModel):
    """Some actions, the latest first."""

    items: list[EnvelopeOut]
    next_cursor: str | None


class AttemptOut(BaseModel):
    """A call that may have been made. Without an outcome it is under way, or its process ended without a word."""

    model_config = ConfigDict(from_attributes=True)

    attempt: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    result: Any
    error: str | None
    error_code: str | None
    provider_id: str | None
    duration_ms: int | None


class DecidedOut(BaseModel):
    """A decision about it."""

    model_config = ConfigDict(from_attributes=True)

    stage: str
    verdict: Verdict
    reasons: list[ReasonOut]
    not_before: datetime | None
    quorum: int
    policy_version: int
    created_at: datetime


class EnvelopeDetails(EnvelopeOut):
    """All there is to know of an action."""

    attempt_list: list[AttemptOut]
    decisions: list[DecidedOut]
    approvals: list[ApprovalOut]

    @classmethod
    def with_all(
        cls,
        envelope: Envelope,
        attempts: Sequence[Attempt],
        decisions: Sequence[Decided],
        approvals: Sequence[Approval],
    ) -> EnvelopeDetails:
        """From the envelope and what belongs to it."""
        return cls(
            **EnvelopeOut.of(envelope).model_dump(),
            attempt_list=[AttemptOut.model_validate(each) for each in attempts],
            decisions=[DecidedOut.model_validate(each) for each in decisions],
            approvals=[ApprovalOut.of(each) for each in approvals],
        )


class LetterOut(BaseModel):
    """A dead letter (001's outbox_dlq)."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    tool_slug: str
    arguments: dict[str, Any]
    connected_account_id: str | None
    risk: Risk
    external_id: str | None
    trust_context: dict[str, Any]
    metadata: dict[str, Any]
    status: str
    attempts: int
    last_error: str | None
    created_at: datetime
    moved_at: datetime


class LetterPage(BaseModel):
    """Some dead letters, the latest action first."""

    items: list[LetterOut]
    next_cursor: str | None


class Drain(Body):
    """How many dead letters are taken out, the oldest first."""

    limit: int = Field(100, ge=1, le=500, examples=[20])


class Drained(BaseModel):
    """What became of them."""

    items: list[EnvelopeOut]


class OutboxStatus(BaseModel):
    """How many actions are in which state that is not over, and how many dead letters there are."""

    depths: dict[str, int]
    dlq: int
