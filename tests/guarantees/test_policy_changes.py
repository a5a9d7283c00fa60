"""What was approved under one policy and tool does not run under another; what is not known is not allowed."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from stead import audit, governance
from stead.actions import Refusal
from tests.actions.conftest import Office, office

__all__ = ["office"]


async def approved(office: Office, tool: str = "do_high", **how: Any) -> UUID:
    """Something that somebody approved, and that nobody has claimed."""
    approver = await office.person(approves="critical")
    proposed = await office.propose(tool, **how)
    await office.vote(proposed.approval_id, approver)
    assert (await office.get(proposed.envelope.id)).status == "pending"
    return proposed.envelope.id


async def as_owner(office: Office, sql: str, *args: object) -> None:
    """Writes as the owner of the tables, past everything that would refuse it."""
    admin = await asyncpg.connect(office.access.admin_url)
    try:
        await admin.execute(sql, *args)
    finally:
        await admin.close()


async def becomes(office: Office, envelope_id: UUID, status: str) -> str | None:
    """What a worker makes of it, and why. It is judged again as often as it comes up, and never done."""
    async with office.worker(poll_s=0.05):
        stands = await office.until(envelope_id, status)
    assert office.effects == []
    async with office.db.transaction(office.service, read_only=True) as tx:
        assert await tx.value("select count(*) from public.outbox_attempts") == 0
        assert await tx.value("select count(*) from public.approvals where used_at is not null") == 0
        decided = await tx.value(
            "select verdict from stead.decisions where envelope_id = $1 and stage = 'claim' limit 1",
            envelope_id,
        )
        assert decided in {"deny", "needs_approval", "defer"}
    await audit.seal(office.db)
    async with office.db.transaction(office.service, read_only=True) as tx:
        assert (await audit.verify(tx, office.tenant)).faults == ()
    return stands.error_code


POLICIES: list[tuple[dict[str, Any], str, str]] = [
    ({"kill_switch": {"all": True}}, "denied", "kill_switch"),
    ({"kill_switch": {"tools": ["do_*"]}}, "denied", "kill_switch"),
    ({"kill_switch": {"providers": ["local"]}}, "denied", "kill_switch"),
    ({"require_evidence": True}, "denied", "evidence"),
    ({"tiers": {"high": {"verdict": "deny"}, "critical": {"verdict": "deny"}}}, "denied", "risk"),
    ({"tools": [{"tools": ["do_high"], "verdict": "deny"}]}, "denied", "risk"),
    ({"tools": [{"tools": ["do_high"], "quorum": 2}]}, "awaiting_approval", "risk"),
    ({"ceilings": {"per_minute": 0}}, "denied", "rate"),
    ({"quiet_hours": {"exceptions": [{"from": "2026-01-01", "to": "2026-12-31", "quiet": "always"}]}},
     "deferred", "quiet_hours"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "status", "code"), POLICIES, ids=[json.dumps(policy) for policy, *_ in POLICIES]
)
async def test_a_policy_that_changes_between_approval_and_claim(
    office: Office, policy: dict[str, Any], status: str, code: str
) -> None:
    envelope_id = await approved(office)
    await office.policy(**policy)
    assert await becomes(office, envelope_id, status) == code


@pytest.mark.parametrize(
    "change",
    [
        "update public.tool_catalog set digest = repeat('0', 64) where tool_slug = 'do_high'",
        "update public.tool_catalog set status = 'drifted' where tool_slug = 'do_high'",
        "update public.tool_catalog set status = 'removed' where tool_slug = 'do_high'",
        "delete from public.tool_catalog where tool_slug = 'do_high'",
    ],
    ids=["changed", "drifted", "removed", "gone"],
)
async def test_a_tool_that_changes_between_approval_and_claim(office: Office, change: str) -> None:
    # A worker that has seen it as it was does not go by what it remembers.
    async with office.worker():
        first = await office.propose("do_low")
        await office.until(first.envelope.id, "succeeded")
    office.effects.clear()
    envelope_id = await approved(office)
    await as_owner(office, change)
    async with office.worker(poll_s=0.05):
        stands = await office.until(envelope_id, "denied")
    assert (stands.error_code, office.effects) == ("tool", [])


async def test_a_tool_whose_risk_was_raised_is_asked_for_anew(office: Office) -> None:
    envelope_id = (await office.propose("do_low")).envelope.id
    await as_owner(office, "update public.tool_catalog set risk = 'critical' where tool_slug = 'do_low'")
    async with office.worker(poll_s=0.05):
        stands = await office.until(envelope_id, "awaiting_approval")
    assert (stands.attempts, office.effects) == (0, [])


@pytest.mark.parametrize(
    "settings",
    [
        {"tiers": {"high": {"verdict": "whatever"}}},
        {"tiers": [], "unknown": 1},
        {"kill_switch": {"all": "perhaps"}},
        {"ceilings": {"per_minute": "many"}},
    ],
    ids=json.dumps,
)
async def test_a_policy_that_cannot_be_read_allows_nothing(
    office: Office, settings: dict[str, Any]
) -> None:
    low = (await office.propose("do_low")).envelope.id
    high = await approved(office)
    await office.policy()
    await as_owner(office, "update public.guardrails set settings = $1::jsonb", json.dumps(settings))
    async with office.worker(poll_s=0.05):
        assert (await office.until(low, "denied")).error_code == "policy"
        assert (await office.until(high, "denied")).error_code == "policy"
    assert office.effects == []
    refusal = await office.try_to("do_low")
    assert isinstance(refusal, Refusal)
    assert [p.code for p in refusal.problems] == ["policy"]


async def test_a_rule_that_fails_allows_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    envelope_id = await approved(office)

    def broken(_: object) -> governance.Reason:
        raise ZeroDivisionError

    rules = tuple(
        (name, broken if name == "rate" else rule) for name, rule in governance.evaluating.RULES
    )
    monkeypatch.setattr(governance.evaluating, "RULES", rules)
    assert await becomes(office, envelope_id, "denied") == "rate"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("delete from public.connected_accounts", "denied"),
        ("update public.connected_accounts set status = 'revoked'", "denied"),
        ("update public.connected_accounts set scopes = '{}'", "denied"),
    ],
    ids=["gone", "revoked", "narrowed"],
)
async def test_an_account_that_is_not_what_it_was(office: Office, change: str, status: str) -> None:
    office.add("pay", "high", scopes=["pay:write"])
    await office.registry.register(office.db)
    await as_owner(
        office,
        "insert into public.connected_accounts (tenant_id, provider, toolkit, external_id, status, scopes) "
        "values ($1, 'composio', 'pay', 'ca_1', 'active', '{pay:write}')",
        office.tenant.id,
    )
    envelope_id = await approved(office, "pay", account_id="ca_1")
    await as_owner(office, change)
    assert await becomes(office, envelope_id, status) == "account"
