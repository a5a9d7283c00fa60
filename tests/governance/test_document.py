"""Policies as JSON: what cannot be read is told at once, by field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stead.governance import DEFAULT_POLICY, PolicyInvalid, read_policy
from stead.governance.names import Names


def test_all_faults_are_told_at_once_and_by_field() -> None:
    with pytest.raises(PolicyInvalid) as caught:
        read_policy({
            "time_zone": "../../etc/passwd",
            "trust_threshold": 2,
            "quiet_hours": {"start": "24:00", "end": "07:00"},
            "tiers": {"high": {"verdict": "maybe"}},
            "ceilings": {"per_minute": -1, "per_day_amount": "NaN"},
            "scopes": ["a*b"],
            "kill_swich": {"all": True},
        })  # fmt: skip
    problems: Any = caught.value.extra["problems"]
    assert {each["field"] for each in problems} == {
        "time_zone", "trust_threshold", "quiet_hours.start", "tiers.high.verdict", "ceilings.per_minute",
        "ceilings.per_day_amount", "scopes.0", "kill_swich",
    }  # fmt: skip
    assert all(each["problem"] and each["hint"] for each in problems)


@pytest.mark.parametrize(
    "document",
    [
        None, [], "policy", {"quiet_hours": {"start": "22:00"}}, {"trust_threshold": float("nan")},
        {"quiet_hours": {"start": "08:00", "end": "08:00"}},
        {"quiet_hours": {"exceptions": [{"from": "2026-12-26", "to": "2026-12-24", "quiet": "always"}]}},
        {"quiet_hours": {"exceptions": [{"from": "2026-01-01", "to": "9999-12-31", "quiet": "never"}]}},
        {"time_zone": "UTC\x00"}, {"time_zone": "/etc/localtime"}, {"tiers": []}, {"tools": [{"tools": []}]},
        {"ceilings": {"per_action_amount": "1e30"}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(document: object) -> None:
    with pytest.raises(PolicyInvalid):
        read_policy(document)


def test_what_is_left_out_is_as_by_default() -> None:
    assert read_policy({}).digest == DEFAULT_POLICY.digest
    critical = read_policy({"tiers": {"critical": {"max_attempts": 1}}}).tiers["critical"]
    assert (critical.quorum, critical.max_attempts, critical.verdict) == (2, 1, "approval")


def test_a_document_says_the_same_again() -> None:
    first = read_policy({
        "quiet_hours": {"start": "22:00", "end": "07:00", "exceptions": [
            {"from": "2026-12-24", "to": "2026-12-26", "quiet": "always"}]},
        "ceilings": {"per_day_amount": "0.1000"},
        "require_evidence": "high",
        "tools": [{"tools": ["bank.*"], "quorum": 3, "per_action_amount": 7}],
        "kill_switch": {"providers": ["mcp"]},
    })  # fmt: skip
    again = read_policy(first.document)
    assert (again.digest, again.quiet_hours, again.tools) == (
        first.digest,
        first.quiet_hours,
        first.tools,
    )
    assert again.ceilings.per_day_amount == Decimal("0.1")


def test_rules_for_a_tool_only_make_it_stricter() -> None:
    plain = read_policy({})
    strict = read_policy({
        "tools": [
            {"tools": ["bank.*"], "quorum": 3, "max_attempts": 1, "approval_ttl_s": 60, "verdict": "allow"},
            {"tools": ["bank.pay"], "quorum": 1, "max_attempts": 99, "approval_ttl_s": 2_592_000},
        ]
    })  # fmt: skip
    handling = strict.handling("bank.pay", "critical")
    assert (handling.verdict, handling.quorum, handling.max_attempts, handling.approval_ttl_s) == (
        "approval", 3, 1, 60,
    )  # fmt: skip
    assert strict.handling("mail.send", "high") == plain.handling("mail.send", "high")


def test_names_are_covered_by_how_they_begin() -> None:
    names = Names.of(["finance:*", "mail:send"])
    assert [names.cover(each) for each in ("finance:write", "mail:send", "mail:sender", "xfinance:w")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not Names.of([]).cover("")
    assert Names.of(["*"]).cover("anything")
