"""The evaluator: every rule over one action, and what they come to. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from stead.governance.models import Action, Decision, Facts, Reason, Verdict
from stead.governance.policy import Handling, Policy, TierVerdict
from stead.governance.quiet_hours import first_moment, quiet_until
from stead.governance.trust_context import doubt_of

_MINUTE: Final = timedelta(minutes=1)
#: An hour's ceiling is looked at again after this: what was begun first in the hour no longer counts by then.
_LATER: Final = timedelta(minutes=10)
_VERDICT_OF_TIER: Final[dict[TierVerdict, Verdict]] = {
    "allow": "allow",
    "approval": "needs_approval",
    "deny": "deny",
}


@dataclass(slots=True)
class Case:
    """What rules are asked about."""

    action: Action
    policy: Policy
    facts: Facts
    now: datetime
    _handling: Handling | None = None

    @property
    def handling(self) -> Handling:
        """How the policy treats this tool in this tier."""
        if self._handling is None:
            self._handling = self.policy.handling(self.action.tool, self.action.risk)
        return self._handling


Rule = Callable[[Case], Reason]


def evaluate(action: Action, policy: Policy, facts: Facts, now: datetime) -> Decision:
    """What a policy says to an action.

    Every rule is asked, the strictest decides: deny, needs_approval, defer, allow. A rule that fails denies; one
    that lacks a fact does not allow. An approval stands in for ``needs_approval`` and for nothing else.

    Args:
        action: What is to be done.
        policy: Whose rules hold.
        facts: What else is known.
        now: The moment, by the database's clock.
    """
    case = Case(action, policy, facts, now)
    reasons = [_ask(name, rule, case) for name, rule in RULES]
    verdicts = {reason.verdict for reason in reasons}
    if facts.approved and "needs_approval" in verdicts:
        verdicts.discard("needs_approval")
        reasons.append(_APPROVED)
    verdict: Verdict = (
        "deny"
        if "deny" in verdicts
        else "needs_approval"
        if "needs_approval" in verdicts
        else "defer"
        if "defer" in verdicts
        else "allow"
    )
    return Decision(
        verdict=verdict,
        reasons=tuple(reasons),
        not_before=_not_before(reasons) if verdict in {"defer", "needs_approval"} else None,
        quorum=case.handling.quorum if verdict == "needs_approval" else 0,
        policy_version=policy.version,
        policy_digest=policy.digest,
        action=action,
        facts=facts,
        at=now,
    )


def _ask(name: str, rule: Rule, case: Case) -> Reason:
    try:
        return rule(case)
    except Exception as error:  # noqa: BLE001 - whatever a rule trips over: it must not allow
        return Reason(rule=name, verdict="deny", says=f"the rule failed ({type(error).__name__})")


def _not_before(reasons: list[Reason]) -> datetime | None:
    return max((reason.until for reason in reasons if reason.until is not None), default=None)


_APPROVED: Final = Reason(rule="approval", verdict="allow", says="an approval binds exactly this action")
_NOT_KILLED: Final = Reason(rule="kill_switch", verdict="allow", says="the kill switch is off")


def kill_switch(case: Case) -> Reason:
    """Off for everything, the tool and its provider."""
    switch = case.policy.kill_switch
    if switch.everything:
        return Reason(rule="kill_switch", verdict="deny", says="the kill switch is on for everything")
    if case.handling.killed:
        return Reason(rule="kill_switch", verdict="deny", says="the kill switch is on for this tool")
    if switch.providers.cover(case.action.provider):
        return Reason(
            rule="kill_switch", verdict="deny", says="the kill switch is on for the tool's provider"
        )
    return _NOT_KILLED


_KNOWN: Final = Reason(rule="tool", verdict="allow", says="the catalogue has this very version")


def tool(case: Case) -> Reason:
    """The catalogue has the tool in this version, unchanged."""
    if case.facts.tool_known is None:
        return Reason(
            rule="tool", verdict="deny", says="it is not known whether the catalogue has this version"
        )
    if not case.facts.tool_known:
        return Reason(
            rule="tool",
            verdict="deny",
            says="the catalogue does not have this version, or it was changed",
        )
    return _KNOWN


_GRANTED: Final = Reason(rule="scopes", verdict="allow", says="agents were granted what the tool needs")


def scopes(case: Case) -> Reason:
    """Agents of the tenant were granted every scope that the tool needs."""
    missing = sorted(each for each in case.action.required_scopes if not case.policy.scopes.cover(each))
    if missing:
        return Reason(
            rule="scopes", verdict="deny", says=f"agents were not granted {', '.join(missing)}"[:300]
        )
    return _GRANTED


_NO_ACCOUNT: Final = Reason(rule="account", verdict="allow", says="it acts through no account")
_MISSING: Final = Reason(
    rule="account", verdict="deny", says="the tool acts through a connected account, and none was named"
)
_ACCOUNT: Final = Reason(
    rule="account", verdict="allow", says="the connected account is active and has the scopes"
)


def account(case: Case) -> Reason:
    """The connected account, where the tool needs one, is active and was granted what the tool needs."""
    if case.action.account_id is None:
        return _MISSING if case.facts.account_status == "missing" else _NO_ACCOUNT
    status, granted = case.facts.account_status, case.facts.granted_scopes
    if status is None:
        return Reason(
            rule="account", verdict="deny", says="it is not known how the connected account stands"
        )
    if status != "active":
        return Reason(rule="account", verdict="deny", says="the connected account is not active")
    if case.action.required_scopes and granted is None:
        return Reason(
            rule="account",
            verdict="deny",
            says="it is not known what the connected account was granted",
        )
    if granted is not None and not case.action.required_scopes <= granted:
        return Reason(
            rule="account", verdict="deny", says="the connected account lacks scopes that the tool needs"
        )
    return _ACCOUNT


_TIER: Final = Reason(rule="risk", verdict="allow", says="its tier is allowed")


def risk(case: Case) -> Reason:
    """What the policy says of the tier and of the tool."""
    verdict = _VERDICT_OF_TIER[case.handling.verdict]
    if verdict == "allow":
        return _TIER
    says = "is not allowed" if verdict == "deny" else "needs approval"
    return Reason(rule="risk", verdict=verdict, says=f"an action of {case.action.risk} risk {says}")


_NO_TRUST: Final = Reason(rule="trust", verdict="allow", says="no trust is asked for")
_TRUST: Final = Reason(rule="trust", verdict="allow", says="the tool has earned enough trust")


def trust(case: Case) -> Reason:
    """The tool has earned the trust that the policy wants."""
    threshold, earned = case.handling.trust_threshold, case.facts.trust
    if threshold is None:
        return _NO_TRUST
    if earned is None:
        return Reason(
            rule="trust", verdict="needs_approval", says="it is not known how far it is trusted"
        )
    # Said in this way, what is no number is not enough.
    if not earned >= threshold:
        return Reason(
            rule="trust",
            verdict="needs_approval",
            says=f"the tool has earned {earned:.2f} of the trust of {threshold:.2f} that is wanted",
        )
    return _TRUST


_SURE: Final = Reason(rule="confidence", verdict="allow", says="the proposer does not doubt it")


def confidence(case: Case) -> Reason:
    """What a model says of itself is not below the floor. However sure it is, it allows nothing."""
    said = case.action.confidence
    if said is not None and not case.policy.confidence_floor <= said <= 1:
        return Reason(rule="confidence", verdict="needs_approval", says="the proposer is not sure of it")
    return _SURE


_NO_DOUBT: Final = Reason(
    rule="trust_context", verdict="allow", says="the proposer says nothing against it"
)


def trust_context(case: Case) -> Reason:
    """001's `trust_context` says nothing against it."""
    doubt = doubt_of(case.action.trust_context)
    if doubt.flagged:
        return Reason(
            rule="trust_context", verdict="needs_approval", says="the proposer wants a person to look"
        )
    if doubt.score is not None and not doubt.score >= case.policy.trust_threshold:
        return Reason(
            rule="trust_context",
            verdict="needs_approval",
            says="the proposer trusts itself less than is wanted",
        )
    return _NO_DOUBT


_EVIDENCE: Final = Reason(rule="evidence", verdict="allow", says="there is what evidence is wanted")


def evidence(case: Case) -> Reason:
    """Evidence goes with it, where the policy wants some."""
    if case.handling.require_evidence and not case.action.evidence > 0:
        return Reason(rule="evidence", verdict="deny", says="evidence is wanted, and none goes with it")
    return _EVIDENCE


_NOTHING_SPENT: Final = Reason(rule="amount", verdict="allow", says="it spends nothing")
_AMOUNT: Final = Reason(rule="amount", verdict="allow", says="the amount is within what one may spend")


def amount(case: Case) -> Reason:
    """One action does not spend more than one may."""
    spent, ceiling = case.action.amount, case.handling.per_action_amount
    if spent is None:
        if not case.action.spends:
            return _NOTHING_SPENT
        if ceiling is not None or case.policy.ceilings.per_day_amount is not None:
            return Reason(
                rule="amount",
                verdict="deny",
                says="it is not known what it spends, and there is a ceiling",
            )
        return _AMOUNT
    if not _is_amount(spent):
        return Reason(rule="amount", verdict="deny", says="what it spends is no amount")
    if ceiling is not None and spent > ceiling:
        return Reason(
            rule="amount", verdict="deny", says=f"one action may spend {ceiling}, and this is more"
        )
    return _AMOUNT


_BUDGET: Final = Reason(rule="spending", verdict="allow", says="the day's spending allows it")


def spending(case: Case) -> Reason:
    """With it the day's spending stays under its ceiling; otherwise it waits for the next day."""
    ceiling, spent = case.policy.ceilings.per_day_amount, case.action.amount
    if ceiling is None or (spent is None and not case.action.spends):
        return _BUDGET
    if spent is None or not _is_amount(spent) or spent > ceiling:
        return Reason(
            rule="spending", verdict="deny", says=f"a day's spending is {ceiling}, and it never fits in"
        )
    before = case.facts.spent_today
    if before is None or not _is_amount(before):
        return Reason(rule="spending", verdict="deny", says="it is not known what was spent today")
    if before + spent > ceiling:
        return Reason(
            rule="spending",
            verdict="defer",
            says=f"the day's spending of {ceiling} would be passed",
            until=_next_day(case),
        )
    return _BUDGET


_RATE: Final = Reason(rule="rate", verdict="allow", says="there is room under the rate ceilings")


def rate(case: Case) -> Reason:
    """There is room for one more action in this minute and this hour; otherwise it waits."""
    ceilings = case.policy.ceilings
    waits: list[datetime] = []
    for ceiling, begun, pause in (
        (ceilings.per_hour, case.facts.actions_last_hour, _LATER),
        (ceilings.per_minute, case.facts.actions_last_minute, _MINUTE),
    ):
        if ceiling is None:
            continue
        if ceiling == 0:
            return Reason(rule="rate", verdict="deny", says="the rate ceiling is zero")
        if begun is None:
            return Reason(
                rule="rate", verdict="deny", says="it is not known how many actions were begun"
            )
        if not begun < ceiling:
            waits.append(case.now + pause)
    if waits:
        return Reason(
            rule="rate", verdict="defer", says="as many actions were begun as may be", until=max(waits)
        )
    return _RATE


_AWAKE: Final = Reason(rule="quiet_hours", verdict="allow", says="these are no quiet hours for it")


def quiet_hours(case: Case) -> Reason:
    """It is not quiet; otherwise it waits until it is no more."""
    quiet = case.policy.quiet_hours
    if quiet is None or case.action.risk not in quiet.applies_to:
        return _AWAKE
    until = quiet_until(quiet, case.policy.time_zone, case.now)
    if until is None:
        return _AWAKE
    return Reason(rule="quiet_hours", verdict="defer", says="these are quiet hours", until=until)


def _is_amount(value: Decimal) -> bool:
    return value.is_finite() and value >= 0


def _next_day(case: Case) -> datetime:
    zone = ZoneInfo(case.policy.time_zone)
    return first_moment(zone, case.now.astimezone(zone).date() + timedelta(days=1), time())


#: In the order in which their reasons are told.
RULES: Final[tuple[tuple[str, Rule], ...]] = tuple(
    (rule.__name__, rule)
    for rule in (
        kill_switch,
        tool,
        scopes,
        account,
        risk,
        trust,
        confidence,
        trust_context,
        evidence,
        amount,
        spending,
        rate,
        quiet_hours,
    )
)
