"""Proposals: what becomes of them, and what is refused."""

from __future__ import annotations

import asyncpg
import pytest

from stead import actions, outbox
from stead.actions import ActionDenied, ActionRefused, Proposer, Refusal
from stead.core.ids import new_id
from stead.tools import ToolSpec, catalog
from tests.actions.conftest import Office


async def _audit(office: Office) -> list[tuple[str, str, dict[str, object]]]:
    async with office.db.transaction(office.service, read_only=True) as tx:
        rows = await tx.rows(
            "select category, action, payload from public.audit_log where category <> 'auth_policy' order by id"
        )
    return [(row["category"], row["action"], row["payload"]) for row in rows]


async def test_what_is_allowed_runs_and_leaves_its_traces(office: Office) -> None:
    async with office.worker():
        proposed = await office.propose("do_low")
        done = await office.until(proposed.envelope.id, "succeeded")
    assert office.effects == [{"tool": "do_low", "order": "o1", "amount": 0}]
    assert done.attempts == 1
    assert [(c, a) for c, a, _ in await _audit(office)] == [
        ("outbox", "propose"),
        ("outbox", "succeeded"),
    ]
    async with office.db.transaction(office.service, read_only=True) as tx:
        decision = await tx.row("select verdict, stage, policy_version from stead.decisions")
    assert decision is not None
    assert (decision["verdict"], decision["stage"]) == ("allow", "proposal")


async def test_what_needs_approval_waits_and_runs_once_when_it_is_approved(office: Office) -> None:
    approver = await office.person(approves="high")
    async with office.worker():
        proposed = await office.propose("do_high")
        assert proposed.envelope.status == "awaiting_approval"
        low = await office.propose("do_low")
        await office.until(low.envelope.id, "succeeded")
        assert [e["tool"] for e in office.effects] == ["do_low"]
        approval = await office.vote(proposed.approval_id, approver)
        assert (approval.status, approval.approvals) == ("approved", 1)
        await office.until(proposed.envelope.id, "succeeded")
    assert [e["tool"] for e in office.effects] == ["do_low", "do_high"]
    async with office.db.transaction(office.service, read_only=True) as tx:
        used = await actions.approving.get(tx, office.service, approval.id)
    assert used.used_at is not None


async def test_all_that_is_wrong_is_said_at_once_and_audited(office: Office) -> None:
    refusal = await office.try_to(
        "do_low", arguments={"amount": "much", "more": 1}, evidence=[new_id()], account_id="nobody's"
    )
    assert isinstance(refusal, Refusal)
    codes = [p.code for p in refusal.problems]
    assert codes.count("arguments_invalid") >= 2
    assert {"evidence_unknown", "account"} <= set(codes)
    assert "much" not in " ".join(p.says for p in refusal.problems)
    error = actions.refuse(refusal)
    assert isinstance(error, ActionRefused)
    assert len(error.extra["reasons"]) == len(codes)  # type: ignore[arg-type]
    ((category, action, payload),) = await _audit(office)
    assert (category, action, payload["problems"]) == ("outbox", "refuse", len(codes))
    async with office.db.transaction(office.service, read_only=True) as tx:
        assert await outbox.envelopes.listing(tx, office.service) == []


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"tool": "do_lowe"}, "tool_unknown"),
        ({"tool": "do_low", "version": "9"}, "tool_unknown"),
        ({"tool": "do_low", "arguments": {"order": "x" * 300_000}}, "envelope_invalid"),
        ({"tool": "do_low", "arguments": {"order": float("nan")}}, "envelope_invalid"),
        ({"tool": "do_low", "arguments": {"order": "\x00"}}, "envelope_invalid"),
        ({"tool": "do_low", "evidence": [new_id()] * 101}, "evidence_invalid"),
    ],
)
async def test_what_cannot_be_is_refused(office: Office, how: dict[str, object], code: str) -> None:
    refusal = await office.try_to(**how)  # type: ignore[arg-type]
    assert isinstance(refusal, Refusal)
    assert code in [p.code for p in refusal.problems]
    assert [(c, a) for c, a, _ in await _audit(office)] == [("outbox", "refuse")]


async def test_what_a_policy_denies_is_kept_as_denied(office: Office) -> None:
    await office.policy(tiers={"low": {"verdict": "allow"}}, kill_switch={"tools": ["do_low"]})
    refusal = await office.try_to("do_low")
    assert isinstance(refusal, Refusal)
    assert refusal.envelope_id is not None
    error = actions.refuse(refusal)
    assert isinstance(error, ActionDenied)
    assert [p.code for p in refusal.problems] == ["kill_switch"]
    denied = await office.get(refusal.envelope_id)
    assert (denied.status, denied.error_code) == ("denied", "kill_switch")


async def test_a_scope_that_was_not_granted_is_a_reason(office: Office) -> None:
    office.add("pay", "low", scopes=["finance:write"])
    await office.registry.register(office.db)
    await office.policy(scopes=["mail:*"])
    refusal = await office.try_to("pay")
    assert isinstance(refusal, Refusal)
    assert "scopes" in [p.code for p in refusal.problems]


async def test_a_tool_that_acts_through_an_account_needs_one(office: Office) -> None:
    spec = ToolSpec(
        slug="mail", version="1", provider="http", display_name="Mail", description="", risk="low",
        schema={"type": "object"}, needs_account=True, config={"url": "https://mail.example.com/send"},
    )  # fmt: skip
    async with office.db.transaction(office.service) as tx:
        await catalog.put(tx, office.service, spec)
    refusal = await office.try_to("mail", arguments={})
    assert isinstance(refusal, Refusal)
    assert [p.code for p in refusal.problems] == ["account"]


async def test_one_envelope_a_key(office: Office) -> None:
    first = await office.propose("do_low", external_id="k1")
    again = await office.propose("do_low", external_id="k1")
    assert (again.envelope.id, again.is_new) == (first.envelope.id, False)
    with pytest.raises(outbox.EnvelopeKeyReused):
        await office.propose("do_low", external_id="k1", arguments={"order": "o2"})
    assert len(await _audit(office)) == 1


async def test_a_proposer_can_raise_the_risk_and_not_lower_it(office: Office) -> None:
    raised = await office.propose("do_low", risk="high")
    assert (raised.envelope.risk, raised.envelope.status) == ("high", "awaiting_approval")
    lowered = await office.propose("do_high", risk="low")
    assert (lowered.envelope.risk, lowered.envelope.status) == ("high", "awaiting_approval")


async def test_what_is_superseded_does_not_run(office: Office) -> None:
    first = await office.propose("do_high")
    second = await office.propose("do_high", supersedes=first.envelope.id)
    old = await office.get(first.envelope.id)
    assert (old.status, second.envelope.status) == ("superseded", "awaiting_approval")
    with pytest.raises(actions.EnvelopeNotEditable):
        await office.propose("do_high", supersedes=first.envelope.id)


async def test_a_policy_that_changes_before_the_claim_stops_it(office: Office) -> None:
    proposed = await office.propose("do_low")
    await office.policy(kill_switch={"all": True})
    async with office.worker():
        denied = await office.until(proposed.envelope.id, "denied")
    assert (denied.error_code, office.effects) == ("kill_switch", [])


async def test_a_tool_that_changes_between_approval_and_claim_does_not_run(office: Office) -> None:
    approver = await office.person(approves="high")
    proposed = await office.propose("do_high")
    await office.vote(proposed.approval_id, approver)
    admin = await asyncpg.connect(office.access.admin_url)
    try:
        await admin.execute(
            "update public.tool_catalog set digest = repeat('0', 64) where tool_slug = 'do_high'"
        )
    finally:
        await admin.close()
    async with office.worker():
        stopped = await office.until(proposed.envelope.id, "denied")
    assert (stopped.error_code, office.effects) == ("tool", [])


async def test_more_people_are_asked_when_the_policy_wants_more_by_now(office: Office) -> None:
    approver, second = await office.person(approves="high"), await office.person(approves="high")
    proposed = await office.propose("do_high")
    await office.vote(proposed.approval_id, approver)
    await office.policy(tiers={"high": {"verdict": "approval", "quorum": 2}})
    async with office.worker():
        asked = await office.until(proposed.envelope.id, "awaiting_approval")
        assert asked.version == 2
        async with office.db.transaction(office.service, read_only=True) as tx:
            (again,) = await actions.approving.listing(tx, office.service)
        assert (again.quorum, again.envelope_version) == (2, 2)
        await office.vote(again.id, approver)
        assert office.effects == []
        await office.vote(again.id, second)
        await office.until(proposed.envelope.id, "succeeded")
    assert len(office.effects) == 1


async def test_ceilings_hold_over_a_batch(office: Office) -> None:
    await office.policy(ceilings={"per_minute": 3})
    ids = [(await office.propose("do_low")).envelope.id for _ in range(5)]
    async with office.worker():
        for _ in range(100):
            statuses = [(await office.get(e)).status for e in ids]
            if statuses.count("succeeded") == 3 and statuses.count("deferred") == 2:
                break
            await office.until(ids[0], "succeeded")
    assert len(office.effects) == 3


async def test_an_agent_proposes_for_a_person(office: Office) -> None:
    person = await office.person()
    assert person.profile_id is not None
    agent = Proposer(agent="concierge", profile_id=person.profile_id)
    proposed = await office.propose("do_high", agent=agent)
    assert (proposed.envelope.proposed_by, proposed.envelope.by_agent) == ("agent:concierge", True)
    # The person whose agent it is confirms it; where it takes two, they do not count.
    approval = await office.vote(proposed.approval_id, person)
    assert approval.status == "approved"
    critical = await office.propose("do_critical", agent=agent)
    with pytest.raises(actions.ApprovalForbidden):
        await office.vote(critical.approval_id, person)
