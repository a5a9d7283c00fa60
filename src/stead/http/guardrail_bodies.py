"""Bodies of the guardrail endpoints: what comes in, what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stead.governance import (
    MAX_REPLAYED,
    Action,
    Change,
    Facts,
    Judgement,
    PolicyDocument,
    Risk,
    Verdict,
    plain_reason,
)
from stead.governance.document import Amount, Share
from stead.governance.replaying import Replay
from stead.http.memory_bodies import Moment
from stead.http.session_bodies import Body

Tool = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,199}$", examples=["mail.send"])]
Scope = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class PutPolicy(Body):
    """A policy as it is to be."""

    policy: PolicyDocument
    reason: str | None = Field(
        None, min_length=1, max_length=1000, examples=["Nobody is there at night."]
    )


class PolicyOut(BaseModel):
    """A version of the policy; 0 is the default, of a tenant that has none of its own."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    policy: dict[str, Any]
    changed_by: str | None
    reason: str | None
    created_at: datetime | None


class AskedAction(Body):
    """An action that somebody asks about."""

    tool: Tool
    version: str = Field("1", min_length=1, max_length=100)
    provider: str = Field("local", min_length=1, max_length=100)
    risk: Risk = "low"
    required_scopes: list[Scope] = Field(default_factory=list[str], max_length=100)
    account_id: str | None = Field(None, min_length=1, max_length=200)
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])
    amount: Amount | None = None
    spends: bool = False
    evidence: Count = 0
    confidence: Share | None = None
    trust_context: dict[str, Any] = Field(default_factory=dict[str, Any])

    def value(self, tenant_id: UUID, proposer: str) -> Action:
        """As the evaluator reads it."""
        return Action(
            tenant_id=tenant_id,
            tool=self.tool,
            version=self.version,
            provider=self.provider,
            risk=self.risk,
            required_scopes=frozenset(self.required_scopes),
            account_id=self.account_id,
            arguments=self.arguments,
            amount=self.amount,
            spends=self.spends,
            evidence=self.evidence,
            confidence=self.confidence,
            proposer=proposer,
            trust_context=self.trust_context,
        )


class AskedFacts(Body):
    """What is to be taken for known; what is left out is what the database knows."""

    trust: Share | None = None
    granted_scopes: list[Scope] | None = Field(default=None, max_length=100)
    account_status: str | None = Field(default=None, min_length=1, max_length=100)
    actions_last_minute: Count | None = None
    actions_last_hour: Count | None = None
    spent_today: Amount | None = None
    tool_known: bool = True
    approved: bool = False

    def value(self) -> Facts:
        """As the evaluator reads it."""
        return Facts(
            trust=self.trust,
            granted_scopes=None if self.granted_scopes is None else frozenset(self.granted_scopes),
            account_status=self.account_status,
            actions_last_minute=self.actions_last_minute,
            actions_last_hour=self.actions_last_hour,
            spent_today=self.spent_today,
            tool_known=self.tool_known,
            approved=self.approved,
        )


class TryAction(Body):
    """What would be decided about an action?"""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": {"tool": "refund", "risk": "high"}}]}
    )

    action: AskedAction
    facts: AskedFacts = AskedFacts()
    policy: PolicyDocument | None = None
    at: Moment | None = None


class ReasonOut(BaseModel):
    """What one rule says."""

    model_config = ConfigDict(from_attributes=True)

    rule: str
    verdict: Verdict
    says: str
    until: datetime | None = None


class DecisionOut(BaseModel):
    """A decision, with the reason of every rule."""

    verdict: Verdict
    reasons: list[ReasonOut]
    not_before: datetime | None
    quorum: int
    policy_version: int
    inputs_digest: str
    at: datetime

    @classmethod
    def of(cls, made: Judgement) -> DecisionOut:
        """As it goes out."""
        return cls(
            verdict=made.verdict,
            reasons=[ReasonOut.model_validate(each) for each in made.reasons],
            not_before=made.not_before,
            quorum=made.quorum,
            policy_version=made.policy_version,
            inputs_digest=made.inputs_digest.hex(),
            at=made.at,
        )


class ReplayPolicy(Body):
    """A policy that past decisions are to be made again with."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"policy": {"trust_threshold": 0.7}, "limit": 1000}]}
    )

    policy: PolicyDocument
    since: Moment | None = None
    limit: int = Field(1000, ge=1, le=MAX_REPLAYED)


class ReplayOut(BaseModel):
    """What would have changed."""

    since: datetime
    replayed: int
    unreadable: int
    stricter: int
    looser: int
    changes: dict[str, int]
    examples: list[dict[str, Any]]
    complete: bool

    @classmethod
    def of(cls, found: Replay, since: datetime) -> ReplayOut:
        """As it goes out."""
        return cls(
            since=since,
            replayed=found.replayed,
            unreadable=found.unreadable,
            stricter=found.stricter,
            looser=found.looser,
            changes=found.changes,
            examples=[plain_change(each) for each in found.examples],
            complete=found.complete,
        )


def plain_change(change: Change) -> dict[str, Any]:
    """A changed decision as JSON."""
    return {
        "decision_id": str(change.decision_id),
        "envelope_id": None if change.envelope_id is None else str(change.envelope_id),
        "tool": change.tool,
        "decided_at": change.decided_at.isoformat(),
        "before": change.before,
        "after": change.after,
        "reasons": [plain_reason(each) for each in change.reasons],
    }


class SuggestionOut(BaseModel):
    """A threshold of trust that the past speaks for. Nothing is changed by it."""

    model_config = ConfigDict(from_attributes=True)

    current: float
    suggested: float
    lowest: float
    highest: float
    basis: str
    considered: int
    outcomes: dict[str, int]
    trust: float
    explanation: str


class SaveObjective(Body):
    """An objective as it is to be."""

    title: str = Field(min_length=1, max_length=200, examples=["Fewer refunds"])
    metric: str | None = Field(None, min_length=1, max_length=200, examples=["refund rate"])
    target: str | None = Field(None, min_length=1, max_length=200, examples=["under 2%"])
    horizon: str | None = Field(None, min_length=1, max_length=200, examples=["end of March"])
    summary: str | None = Field(None, max_length=10_000)


class ObjectiveOut(BaseModel):
    """An objective."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    metric: str | None
    target: str | None
    horizon: str | None
    summary: str | None
    created_at: datetime
    updated_at: datetime
