"""What is judged, by what, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from stead.core.risks import Risk
from stead.governance.digests import digest_of

RISKS: tuple[Risk, ...] = ("low", "medium", "high", "critical")
#: From the strictest: the strictest of all rules decides.
Verdict = Literal["deny", "needs_approval", "defer", "allow"]
VERDICTS: tuple[Verdict, ...] = ("deny", "needs_approval", "defer", "allow")


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What somebody wants to be done, as far as a policy is interested in it.

    Args:
        tenant_id: Whose policy judges it.
        tool: Slug of the tool.
        version: Of the tool; what was approved for another one is not approved.
        provider: Who carries it out: ``local``, ``http``, ``mcp``, ``composio``.
        risk: Tier that the catalogue gives the tool; a proposer may only raise it.
        required_scopes: What the tool needs, by the catalogue.
        account_id: The connected account that it acts through, where it needs one.
        arguments: What the tool is called with.
        amount: What it spends, in the tenant's currency; None: the tool spends nothing, or what is unknown
            (`spends` tells which).
        spends: Whether the tool spends money at all.
        evidence: How many pieces of evidence go with it.
        confidence: What the model says of itself, 0 to 1. It can only make a verdict stricter.
        proposer: Key of the principal who proposed it.
        trust_context: 001's; whatever the proposer says about trust. Never loosens anything.
    """

    tenant_id: UUID
    tool: str
    version: str
    provider: str
    risk: Risk
    required_scopes: frozenset[str] = frozenset()
    account_id: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    amount: Decimal | None = None
    spends: bool = False
    evidence: int = 0
    confidence: float | None = None
    proposer: str = ""
    trust_context: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What else a rule needs to know. None: it is not known, and the rules that need it do not allow.

    Args:
        trust: Learned trust of this tenant in this tool, 0 to 1.
        granted_scopes: Of the connected account; empty where the tool needs none.
        account_status: ``active``, or why not (``missing``: the tool needs one and none was named); None where the
            tool needs no account, or it is not known.
        actions_last_minute: Begun actions of this tenant in the last minute.
        actions_last_hour: In the last hour.
        spent_today: In the tenant's currency, since midnight of the tenant's time zone.
        tool_known: Whether the catalogue has this very version, unchanged.
        approved: Whether an approval that binds exactly this action is there and unused.
    """

    trust: float | None = None
    granted_scopes: frozenset[str] | None = None
    account_status: str | None = None
    actions_last_minute: int | None = None
    actions_last_hour: int | None = None
    spent_today: Decimal | None = None
    tool_known: bool | None = None
    approved: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """What one rule says.

    Args:
        rule: Its stable name, such as ``quiet_hours``.
        verdict: What it wants.
        says: Why, for a person.
        until: For ``defer``: when it would allow.
    """

    rule: str
    verdict: Verdict
    says: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What all rules together come to.

    Args:
        reasons: Of every rule that ran, also of those that allow, in the order of the rules.
        not_before: For ``defer``, and for what is to be approved inside quiet hours: when it may run.
        quorum: For ``needs_approval``: how many different people must approve.
        policy_version: Which policy judged.
        policy_digest: SHA-256 of what it says, in hex.
        action: What was judged.
        facts: What was known.
        at: The moment.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    not_before: datetime | None
    quorum: int
    policy_version: int
    policy_digest: str
    action: Action
    facts: Facts
    at: datetime

    @property
    def inputs_digest(self) -> bytes:
        """SHA-256 over action, policy, facts and time in canonical JSON: the same inputs give the same
        decision, and a replay can show it."""
        action, facts = self.action, self.facts
        return digest_of(
            [
                "stead.decision.1",
                self.policy_version,
                self.policy_digest,
                self.at.isoformat(),
                str(action.tenant_id),
                action.tool,
                action.version,
                action.provider,
                action.risk,
                sorted(action.required_scopes),
                action.account_id,
                action.arguments,
                _text(action.amount),
                action.spends,
                action.evidence,
                action.confidence,
                action.proposer,
                action.trust_context,
                facts.trust,
                None if facts.granted_scopes is None else sorted(facts.granted_scopes),
                facts.account_status,
                facts.actions_last_minute,
                facts.actions_last_hour,
                _text(facts.spent_today),
                facts.tool_known,
                facts.approved,
            ]
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
