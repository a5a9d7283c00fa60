"""A policy as the evaluator reads it: frozen, and with what it is asked again and again worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from stead.governance.models import RISKS, Risk
from stead.governance.names import NO_NAMES, Names
from stead.governance.quiet_hours import QuietHours

TierVerdict = Literal["allow", "approval", "deny"]
#: From the mildest.
TIER_VERDICTS: Final[tuple[TierVerdict, ...]] = ("allow", "approval", "deny")
_MOST_REMEMBERED: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """How actions of one risk are treated.

    Args:
        verdict: What holds for them when nothing else is the matter.
        quorum: How many different people must approve, where anybody must.
        max_attempts: How often one is tried at most.
        backoff_s: Seconds before the second attempt; later ones wait longer.
        approval_ttl_s: How long an approval may be waited for, and how long it is good.
    """

    verdict: TierVerdict
    quorum: int = 1
    max_attempts: int = 5
    backoff_s: float = 2.0
    approval_ttl_s: int = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolRule:
    """What holds for some tools beside what holds for their tier: it can only be stricter.

    Args:
        tools: Which ones.
        verdict: At least this.
        quorum: At least so many.
        trust_threshold: At least so much trust, whatever the tier.
        require_evidence: Evidence is wanted.
        per_action_amount: An action may spend at most this.
        max_attempts: At most so many.
        approval_ttl_s: At most so long.
    """

    tools: Names
    verdict: TierVerdict | None = None
    quorum: int | None = None
    trust_threshold: float | None = None
    require_evidence: bool = False
    per_action_amount: Decimal | None = None
    max_attempts: int | None = None
    approval_ttl_s: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ceilings:
    """How much at most; None: no ceiling.

    Args:
        per_minute: Actions begun in any minute.
        per_hour: In any hour.
        per_day_amount: Spent from midnight to midnight of the tenant's time zone.
        per_action_amount: Spent by one action.
    """

    per_minute: int | None = None
    per_hour: int | None = None
    per_day_amount: Decimal | None = None
    per_action_amount: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KillSwitch:
    """What must not run at all.

    Args:
        everything: Nothing may.
        tools: None of these may.
        providers: Nothing that these carry out.
    """

    everything: bool = False
    tools: Names = NO_NAMES
    providers: Names = NO_NAMES


@dataclass(frozen=True, kw_only=True, slots=True)
class Handling:
    """How one tool is treated in one tier: the tier, made stricter by every rule for the tool.

    Args:
        trust_threshold: Learned trust that is wanted; None: none is.
        require_evidence: Whether evidence is.
        per_action_amount: What one action may spend; None: whatever it wants.
        killed: Whether the kill switch is on for the tool itself.
    """

    verdict: TierVerdict
    quorum: int
    max_attempts: int
    backoff_s: float
    approval_ttl_s: int
    trust_threshold: float | None
    require_evidence: bool
    per_action_amount: Decimal | None
    killed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What a tenant allows. Made by `stead.governance.document.read_policy`, which checks it.

    Args:
        version: 0: the tenant has none of its own.
        time_zone: IANA name; quiet hours and days of spending go by its clock.
        trust_threshold: Learned trust that is wanted of a tool, 0 to 1.
        trust_from: From this tier up.
        confidence_floor: What a model says of itself must not be below this.
        scopes: What agents were granted.
        require_evidence_from: Evidence is wanted from this tier up; None: of none.
        tiers: One for each risk; none is milder than the one below it.
        tools: What is stricter for some tools.
        document: Itself as JSON.
        digest: SHA-256 of that, in hex.
    """

    version: int
    time_zone: str
    quiet_hours: QuietHours | None
    trust_threshold: float
    trust_from: Risk
    confidence_floor: float
    scopes: Names
    require_evidence_from: Risk | None
    tiers: Mapping[Risk, Tier]
    ceilings: Ceilings
    tools: tuple[ToolRule, ...]
    kill_switch: KillSwitch
    document: Mapping[str, Any] = field(repr=False)
    digest: str
    _handlings: dict[tuple[str, Risk], Handling] = field(
        default_factory=dict[tuple[str, Risk], Handling], repr=False, compare=False
    )

    def handling(self, tool: str, risk: Risk) -> Handling:
        """How a tool is treated in a tier.

        Args:
            tool: Its slug.
            risk: The tier.

        Raises:
            KeyError: There is no such tier.
        """
        known = self._handlings.get((tool, risk))
        if known is None:
            if len(self._handlings) >= _MOST_REMEMBERED:
                self._handlings.clear()
            known = self._handlings[tool, risk] = self._work_out(tool, risk)
        return known

    def _work_out(self, tool: str, risk: Risk) -> Handling:
        tier, rank = self.tiers[risk], RISKS.index(risk)
        rules = [rule for rule in self.tools if rule.tools.cover(tool)]
        thresholds = [rule.trust_threshold for rule in rules if rule.trust_threshold is not None]
        if rank >= RISKS.index(self.trust_from):
            thresholds.append(self.trust_threshold)
        amounts = [
            amount
            for amount in (self.ceilings.per_action_amount, *(rule.per_action_amount for rule in rules))
            if amount is not None
        ]
        from_tier = self.require_evidence_from
        verdicts: list[TierVerdict] = [tier.verdict]
        verdicts.extend(rule.verdict for rule in rules if rule.verdict is not None)
        return Handling(
            verdict=max(verdicts, key=TIER_VERDICTS.index),
            quorum=max(tier.quorum, *(rule.quorum or 1 for rule in rules), 1),
            max_attempts=min(
                tier.max_attempts, *(rule.max_attempts or tier.max_attempts for rule in rules), 100
            ),
            backoff_s=tier.backoff_s,
            approval_ttl_s=min(
                tier.approval_ttl_s,
                *(rule.approval_ttl_s or tier.approval_ttl_s for rule in rules),
                tier.approval_ttl_s,
            ),
            trust_threshold=max(thresholds, default=None),
            require_evidence=any(rule.require_evidence for rule in rules)
            or (from_tier is not None and rank >= RISKS.index(from_tier)),
            per_action_amount=min(amounts, default=None),
            killed=self.kill_switch.everything or self.kill_switch.tools.cover(tool),
        )
