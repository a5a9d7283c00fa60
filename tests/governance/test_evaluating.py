"""The evaluator: every rule by itself, how they come together, and that nothing stricter ever allows more."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.governance import RISKS, VERDICTS, Action, Facts, Policy, PolicyInvalid, Verdict, evaluate
from stead.governance.evaluating import RULES
from tests.governance.conftest import NOON, action, facts, policy

DAYTIME = {"quiet_hours": {"start": "08:00", "end": "18:00", "applies_to": list(RISKS)}}


def verdict_of(rule: str, a: Action, p: Policy, f: Facts, now: datetime = NOON) -> Verdict:
    """What one rule says."""
    (reason,) = [each for each in evaluate(a, p, f, now).reasons if each.rule == rule]
    return reason.verdict


D = Decimal
X_ACCOUNT = {"account_id": "a", "required_scopes": frozenset({"x"})}
DAY = {"ceilings": {"per_day_amount": 5}}
CASES: list[tuple[str, Verdict, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # rule, what it says, and with which policy, action and facts
    ("kill_switch", "allow", {"kill_switch": {"tools": ["bank.*"], "providers": ["mcp"]}}, {}, {}),
    ("kill_switch", "deny", {"kill_switch": {"all": True}}, {}, {}),
    ("kill_switch", "deny", {"kill_switch": {"tools": ["mail.*"]}}, {}, {}),
    ("kill_switch", "deny", {"kill_switch": {"providers": ["local"]}}, {}, {}),
    ("tool", "deny", {}, {}, {"tool_known": None}),
    ("tool", "deny", {}, {}, {"tool_known": False}),
    ("tool", "allow", {}, {}, {}),
    ("scopes", "deny", {"scopes": ["mail:read"]}, {"required_scopes": frozenset({"mail:send"})}, {}),
    ("scopes", "deny", {"scopes": []}, {"required_scopes": frozenset({"mail:send"})}, {}),
    ("scopes", "allow", {"scopes": ["mail:*"]}, {"required_scopes": frozenset({"mail:send"})}, {}),
    ("scopes", "allow", {"scopes": []}, {}, {}),
    ("account", "deny", {}, {"account_id": "a"}, {}),
    ("account", "deny", {}, {"account_id": "a"}, {"account_status": "revoked"}),
    ("account", "deny", {}, X_ACCOUNT, {"account_status": "active"}),
    ("account", "deny", {}, X_ACCOUNT,
     {"account_status": "active", "granted_scopes": frozenset({"y"})}),
    ("account", "allow", {}, X_ACCOUNT,
     {"account_status": "active", "granted_scopes": frozenset({"x", "y"})}),
    ("risk", "needs_approval", {}, {"risk": "high"}, {}),
    ("risk", "deny", {"tiers": {"critical": {"verdict": "deny"}}}, {"risk": "critical"}, {}),
    ("risk", "deny", {"tools": [{"tools": ["mail.*"], "verdict": "deny"}]}, {}, {}),
    # A rule for a tool is never milder than its tier.
    ("risk", "needs_approval", {"tools": [{"tools": ["mail.*"], "verdict": "allow"}]}, {"risk": "high"}, {}),
    ("risk", "allow", {"tools": [{"tools": ["bank.*"], "verdict": "deny"}]}, {}, {}),
    ("risk", "deny", {}, {"risk": "none"}, {}),
    ("trust", "allow", {}, {"risk": "low"}, {"trust": None}),
    ("trust", "needs_approval", {}, {"risk": "medium"}, {"trust": None}),
    ("trust", "needs_approval", {}, {"risk": "medium"}, {"trust": 0.49}),
    ("trust", "needs_approval", {}, {"risk": "medium"}, {"trust": math.nan}),
    ("trust", "allow", {}, {"risk": "medium"}, {"trust": 0.5}),
    ("trust", "needs_approval", {"tools": [{"tools": ["*"], "trust_threshold": 0.95}]}, {}, {}),
    ("confidence", "needs_approval", {}, {"confidence": 0.29}, {}),
    ("confidence", "needs_approval", {}, {"confidence": math.nan}, {}),
    ("confidence", "needs_approval", {}, {"confidence": 7.0}, {}),
    ("confidence", "allow", {}, {"confidence": 0.3}, {}),
    ("trust_context", "needs_approval", {}, {"trust_context": {"score": 0.2}}, {}),
    ("trust_context", "needs_approval", {}, {"trust_context": {"score": "very high"}}, {}),
    ("trust_context", "needs_approval", {}, {"trust_context": {"score": True}}, {}),
    ("trust_context", "needs_approval", {}, {"trust_context": {"requires_approval": True}}, {}),
    ("trust_context", "needs_approval", {}, {"trust_context": {"untrusted": ["web"]}}, {}),
    ("trust_context", "allow", {}, {"trust_context": {"approved": True, "score": 1, "role": "admin"}}, {}),
    ("evidence", "deny", {"require_evidence": True}, {"evidence": 0}, {}),
    ("evidence", "deny", {"require_evidence": "medium"}, {"evidence": 0, "risk": "high"}, {}),
    ("evidence", "deny", {"tools": [{"tools": ["*"], "require_evidence": True}]}, {"evidence": 0}, {}),
    ("evidence", "allow", {"require_evidence": "medium"}, {"evidence": 0}, {}),
    ("amount", "allow", {"ceilings": {"per_action_amount": 5}}, {"amount": D(5)}, {}),
    ("amount", "deny", {"ceilings": {"per_action_amount": 5}}, {"amount": D("5.01")}, {}),
    ("amount", "deny", {"tools": [{"tools": ["*"], "per_action_amount": 4}], "ceilings": {"per_action_amount": 5}},
     {"amount": D(5)}, {}),
    ("amount", "deny", {"ceilings": {"per_action_amount": 5}}, {"spends": True}, {}),
    ("amount", "deny", DAY, {"spends": True}, {}),
    ("amount", "deny", {}, {"amount": D(-1)}, {}),
    ("amount", "deny", {}, {"amount": D("NaN")}, {}),
    ("spending", "allow", DAY, {"amount": D(2)}, {"spent_today": D(3)}),
    ("spending", "defer", DAY, {"amount": D(2)}, {"spent_today": D("3.01")}),
    ("spending", "deny", DAY, {"amount": D(6)}, {"spent_today": D(0)}),
    ("spending", "deny", DAY, {"amount": D(2)}, {"spent_today": None}),
    ("spending", "deny", DAY, {"amount": D(2)}, {"spent_today": D("NaN")}),
    ("spending", "allow", DAY, {}, {}),
    ("rate", "deny", {"ceilings": {"per_minute": 3}}, {}, {}),
    ("rate", "deny", {"ceilings": {"per_hour": 3}}, {}, {"actions_last_minute": 0}),
    ("rate", "deny", {"ceilings": {"per_hour": 0}}, {}, {"actions_last_hour": 0}),
    ("rate", "defer", {"ceilings": {"per_minute": 3}}, {}, {"actions_last_minute": 3}),
    ("rate", "defer", {"ceilings": {"per_hour": 3}}, {}, {"actions_last_hour": 4}),
    ("rate", "allow", {"ceilings": {"per_minute": 3}}, {}, {"actions_last_minute": 2}),
    ("quiet_hours", "defer", DAYTIME, {}, {}),
    ("quiet_hours", "allow", {"quiet_hours": {"start": "08:00", "end": "18:00"}}, {}, {}),
    ("quiet_hours", "defer", {"quiet_hours": {"start": "08:00", "end": "18:00"}}, {"risk": "high"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "says", "document", "asked", "known"), CASES)
def test_each_rule(
    rule: str, says: Verdict, document: dict[str, Any], asked: dict[str, Any], known: dict[str, Any]
) -> None:
    assert verdict_of(rule, action(**asked), policy(**document), facts(**known)) == says


def test_every_rule_is_tried_above_and_gives_a_reason_each_time() -> None:
    assert {case[0] for case in CASES} == {name for name, _ in RULES}
    denied = evaluate(action(), policy(kill_switch={"all": True}), facts(tool_known=None), NOON)
    assert [reason.rule for reason in denied.reasons] == [name for name, _ in RULES]
    assert {"kill_switch", "tool"} == {each.rule for each in denied.reasons if each.verdict == "deny"}


def test_the_default_policy() -> None:
    for risk, verdict, quorum in (
        ("low", "allow", 0), ("medium", "allow", 0), ("high", "needs_approval", 1),
        ("critical", "needs_approval", 2),
    ):  # fmt: skip
        made = evaluate(action(risk=risk), policy(), facts(), NOON)
        assert (made.verdict, made.quorum, made.not_before) == (verdict, quorum, None)
    # Medium: unless the tool has not earned it.
    assert evaluate(action(risk="medium"), policy(), facts(trust=0.1), NOON).verdict == "needs_approval"


def test_the_strictest_decides_and_an_approval_stands_for_one_of_them_only() -> None:
    quiet = policy(**DAYTIME, ceilings={"per_day_amount": 1})
    until = NOON.replace(hour=18)
    # Approved at night, run in the morning.
    waits = evaluate(action(risk="high"), quiet, facts(), NOON)
    assert (waits.verdict, waits.not_before, waits.quorum) == ("needs_approval", until, 1)
    approved = evaluate(action(risk="high"), quiet, facts(approved=True), NOON)
    assert (approved.verdict, approved.not_before, approved.quorum) == ("defer", until, 0)
    assert evaluate(action(risk="high"), quiet, facts(approved=True), until).verdict == "allow"
    assert evaluate(action(amount=Decimal(2)), quiet, facts(approved=True), until).verdict == "deny"


def test_what_waits_says_until_when() -> None:
    kathmandu = policy(time_zone="Asia/Kathmandu", ceilings={"per_day_amount": 5, "per_minute": 1})
    spent = facts(spent_today=Decimal(5), actions_last_minute=0)
    made = evaluate(action(amount=Decimal(1)), kathmandu, spent, NOON)
    # Its next midnight, 5:45 ahead.
    assert (made.verdict, made.not_before) == ("defer", datetime(2026, 11, 18, 18, 15, tzinfo=UTC))
    made = evaluate(action(), kathmandu, facts(actions_last_minute=1), NOON)
    assert (made.verdict, made.not_before) == ("defer", NOON + timedelta(minutes=1))


def test_a_rule_that_fails_denies_and_tells_no_secret() -> None:
    made = evaluate(action(required_scopes=[("canary", 1)]), policy(), facts(), NOON)
    (failed,) = [reason for reason in made.reasons if reason.verdict == "deny"]
    assert (failed.rule, made.verdict) == ("scopes", "deny")
    assert "canary" not in failed.says
    assert evaluate(action(risk="harmless"), policy(), facts(approved=True), NOON).verdict == "deny"


def test_the_same_inputs_have_the_same_digest_and_others_another_one() -> None:
    base = evaluate(action(), policy(), facts(), NOON)
    assert evaluate(action(), policy(), facts(), NOON) == base
    assert len(base.inputs_digest) == 32
    others = [
        evaluate(action(arguments={"to": "x"}), policy(), facts(), NOON),
        evaluate(action(version="2"), policy(), facts(), NOON),
        evaluate(action(trust_context={"a": 1}), policy(), facts(), NOON),
        evaluate(action(), policy(confidence_floor=0.2), facts(), NOON),
        evaluate(action(), policy(), facts(approved=True), NOON),
        evaluate(action(), policy(), facts(), NOON + timedelta(seconds=1)),
    ]
    assert len({base.inputs_digest, *(each.inputs_digest for each in others)}) == 7
    # Keys in another order are the same arguments.
    one, two = action(arguments={"a": 1, "b": 2}), action(arguments={"b": 2, "a": 1})
    assert (
        evaluate(one, policy(), facts(), NOON).inputs_digest
        == evaluate(two, policy(), facts(), NOON).inputs_digest
    )


SHARE = st.floats(0, 1)
AMOUNT = st.decimals(0, 100, places=2)
SCOPES = st.frozensets(st.sampled_from(["a:read", "a:write", "b:read"]))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    verdicts = sorted(
        draw(st.lists(st.sampled_from(["allow", "approval", "deny"]), min_size=4, max_size=4)),
        key=["allow", "approval", "deny"].index,
    )
    document: dict[str, Any] = {
        "tiers": {risk: {"verdict": verdict, "quorum": 1} for risk, verdict in zip(RISKS, verdicts, strict=True)},
        "trust_threshold": draw(SHARE),
        "trust_from": draw(st.sampled_from(RISKS)),
        "confidence_floor": draw(SHARE),
        "scopes": draw(st.lists(st.sampled_from(["*", "a:*", "b:read"]))),
        "require_evidence": draw(st.sampled_from([False, True, *RISKS])),
        "ceilings": draw(st.fixed_dictionaries({}, optional={
            "per_minute": st.integers(0, 5), "per_hour": st.integers(0, 5),
            "per_day_amount": AMOUNT.map(str), "per_action_amount": AMOUNT.map(str),
        })),
        "kill_switch": {"all": draw(st.integers(0, 9)) == 0},
    }  # fmt: skip
    if draw(st.booleans()):
        lowest = draw(st.integers(0, 3))
        document["quiet_hours"] = {"start": "11:00", "end": "13:00", "applies_to": list(RISKS[lowest:])}
    return document


@st.composite
def asked(draw: st.DrawFn) -> Action:
    return action(
        risk=draw(st.sampled_from(RISKS)),
        required_scopes=draw(SCOPES),
        account_id=draw(st.sampled_from([None, "acc"])),
        amount=draw(st.none() | AMOUNT),
        spends=draw(st.booleans()),
        evidence=draw(st.integers(0, 2)),
        confidence=draw(st.none() | SHARE),
        trust_context=draw(
            st.fixed_dictionaries({}, optional={"score": SHARE, "untrusted": st.booleans()})
        ),
    )


@st.composite
def known(draw: st.DrawFn) -> Facts:
    return Facts(
        trust=draw(st.none() | SHARE),
        granted_scopes=draw(st.none() | SCOPES),
        account_status=draw(st.sampled_from([None, "active", "revoked"])),
        actions_last_minute=draw(st.none() | st.integers(0, 6)),
        actions_last_hour=draw(st.none() | st.integers(0, 6)),
        spent_today=draw(st.none() | AMOUNT),
        tool_known=draw(st.sampled_from([None, True, True, False])),
        approved=draw(st.booleans()),
    )


def _tighter_document(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """The same policy with one thing stricter."""
    name = draw(st.sampled_from([
        "trust_threshold", "trust_from", "confidence_floor", "scopes", "require_evidence", "ceilings",
        "kill_switch", "quiet_hours", "tiers", "tools",
    ]))  # fmt: skip
    before = document.get(name)
    if name in {"trust_threshold", "confidence_floor"}:
        after: Any = draw(st.floats(before, 1))
    elif name == "trust_from":
        after = draw(st.sampled_from(RISKS[: RISKS.index(before) + 1]))
    elif name == "scopes":
        after = [each for each in before if draw(st.booleans())]
    elif name == "require_evidence":
        after = True
    elif name == "ceilings":
        after = {**before, "per_hour": draw(st.integers(0, before.get("per_hour", 5)))}
        after["per_action_amount"] = str(
            draw(st.decimals(0, Decimal(before.get("per_action_amount", 100)), places=2))
        )
    elif name == "kill_switch":
        after = draw(
            st.sampled_from(
                [{"all": True}, {**before, "tools": ["mail.*"]}, {**before, "providers": ["local"]}]
            )
        )
    elif name == "quiet_hours":
        after = {"start": "10:00", "end": "14:00", "applies_to": list(RISKS)}
    elif name == "tiers":
        after = {**before, "critical": {"verdict": "deny"}, "high": {"verdict": "deny"}}
    else:
        after = [{"tools": ["mail.*"], "verdict": draw(st.sampled_from(["allow", "approval", "deny"])),
                  "trust_threshold": draw(SHARE), "require_evidence": draw(st.booleans())}]  # fmt: skip
    return {**document, name: after}


def _tighter_action(draw: st.DrawFn, a: Action) -> Action:
    changes: list[dict[str, Any]] = [
        {"risk": draw(st.sampled_from(RISKS[RISKS.index(a.risk) :]))},
        {"required_scopes": a.required_scopes | draw(SCOPES)},
        {"evidence": draw(st.integers(0, a.evidence))},
        {"confidence": draw(st.floats(0, 1 if a.confidence is None else a.confidence))},
        {"trust_context": {**a.trust_context, "untrusted": True}},
        {
            "trust_context": {
                **a.trust_context,
                "score": draw(st.floats(0, a.trust_context.get("score", 1))),
            }
        },
        {"trust_context": {**a.trust_context, "trusted": True, "approved": True, "verdict": "allow"}},
        {"spends": True},
    ]
    if a.amount is not None:
        changes.append({"amount": a.amount + draw(AMOUNT)})
        changes.append({"amount": None, "spends": True})
    return replace(a, **draw(st.sampled_from(changes)))


def _tighter_facts(draw: st.DrawFn, f: Facts) -> Facts:
    changes: list[dict[str, Any]] = [
        {"trust": None if f.trust is None else draw(st.none() | st.floats(0, f.trust))},
        {"granted_scopes": None},
        {"account_status": draw(st.sampled_from([None, "expired"]))},
        {"tool_known": draw(st.sampled_from([None, False]))},
        {"actions_last_minute": None},
        {"actions_last_hour": None},
        {"spent_today": None},
        {"approved": False},
    ]
    if f.granted_scopes is not None:
        changes.append({"granted_scopes": f.granted_scopes & draw(SCOPES)})
    if f.actions_last_minute is not None:
        changes.append({"actions_last_minute": f.actions_last_minute + draw(st.integers(0, 5))})
    if f.spent_today is not None:
        changes.append({"spent_today": f.spent_today + draw(AMOUNT)})
    return replace(f, **draw(st.sampled_from(changes)))


@given(st.data(), documents(), asked(), known())
def test_whatever_is_made_stricter_allows_nothing_more(
    data: st.DataObject, document: dict[str, Any], a: Action, f: Facts
) -> None:
    @st.composite
    def tighter(draw: st.DrawFn) -> tuple[dict[str, Any], Action, Facts]:
        what = draw(st.sampled_from(["policy", "action", "facts"]))
        return (
            _tighter_document(draw, document) if what == "policy" else document,
            _tighter_action(draw, a) if what == "action" else a,
            _tighter_facts(draw, f) if what == "facts" else f,
        )

    before = evaluate(a, policy(**document), f, NOON)
    changed, stricter_action, stricter_facts = data.draw(tighter())
    after = evaluate(stricter_action, policy(**changed), stricter_facts, NOON)
    assert VERDICTS.index(after.verdict) <= VERDICTS.index(before.verdict)


@given(documents(), asked(), known())
def test_an_approval_changes_nothing_but_the_need_of_one(
    document: dict[str, Any], a: Action, f: Facts
) -> None:
    without = evaluate(a, policy(**document), replace(f, approved=False), NOON)
    approved = evaluate(a, policy(**document), replace(f, approved=True), NOON)
    if without.verdict != "needs_approval":
        assert approved.verdict == without.verdict
    assert approved.verdict != "needs_approval"
    assert {r.verdict for r in without.reasons} - {"needs_approval"} <= {
        r.verdict for r in approved.reasons
    } | {"allow"}


@given(documents(), asked())
def test_without_any_fact_nothing_is_allowed(document: dict[str, Any], a: Action) -> None:
    for approved in (False, True):
        assert evaluate(a, policy(**document), Facts(approved=approved), NOON).verdict == "deny"


def test_tiers_do_not_fall() -> None:
    with pytest.raises(PolicyInvalid, match="milder"):
        policy(tiers={"low": {"verdict": "deny"}})
    with pytest.raises(PolicyInvalid, match="fewer people"):
        policy(tiers={"high": {"quorum": 3}})
    with pytest.raises(PolicyInvalid, match="left out"):
        policy(quiet_hours={"start": "22:00", "end": "06:00", "applies_to": ["medium"]})
