"""Policies as they are kept: versions, the audit log, who may write, what would have been."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stead import governance
from stead.assembly.database import DatabaseAccess
from stead.core.errors import SteadError
from stead.db import Database
from stead.governance import (
    NewObjective,
    ObjectiveUnknown,
    PolicyChanged,
    PolicyInvalid,
    PolicyVersionUnknown,
    objectives,
    policies,
    read_policy,
)
from stead.identity import Tenant
from tests.governance.conftest import action, facts
from tests.support.people import Person, service

STRICT: dict[str, Any] = {"require_evidence": "high", "quiet_hours": {"start": "22:00", "end": "07:00"}}


async def test_each_change_is_a_version_and_an_audit_row(
    db: Database, access: DatabaseAccess, tenant: Tenant, person: Person
) -> None:
    principal = service(tenant)
    async with db.transaction(principal) as tx:
        assert (await policies.get(tx, principal)).version == 0
        first = await policies.put(tx, principal, STRICT, expected=0, reason="we sleep")
        again = await policies.put(tx, principal, {}, expected=1)
    assert (first.version, first.reason, first.policy["require_evidence"]) == (1, "we sleep", "high")
    assert again.version == 2
    async with db.transaction(person.principal, read_only=True) as tx:
        assert (await policies.get(tx, person.principal)).policy == read_policy({}).document
    async with db.transaction(person.principal.served(), read_only=True) as tx:
        versions = await policies.history(tx, person.principal)
        assert [each.version for each in versions] == [2, 1]
        assert [each.version for each in await policies.history(tx, person.principal, before=2)] == [1]
        kept = await policies.version(tx, person.principal, 1)
        assert read_policy(kept.policy).digest == read_policy(STRICT).digest
        with pytest.raises(PolicyVersionUnknown):
            await policies.version(tx, person.principal, 3)
    async with db.transaction(principal, read_only=True) as tx:
        rows = await tx.rows(
            "select action, payload from public.audit_log where category = 'auth_policy' order by id"
        )
    assert [(row["action"], row["payload"]["version"]) for row in rows] == [
        ("guardrails_changed", 1), ("guardrails_changed", 2),
    ]  # fmt: skip
    assert rows[0]["payload"]["digest"] == read_policy(STRICT).digest


async def test_of_two_who_change_the_same_version_one_wins(db: Database, tenant: Tenant) -> None:
    principal = service(tenant)

    async def put(expected: int | None) -> int | str:
        try:
            async with db.transaction(principal) as tx:
                return (await policies.put(tx, principal, STRICT, expected=expected)).version
        except SteadError as error:
            return error.code

    assert await put(3) == "policy_changed"
    assert sorted(map(str, await asyncio.gather(*(put(0) for _ in range(5))))) == [
        "1",
        *["policy_changed"] * 4,
    ]
    assert sorted(map(str, await asyncio.gather(*(put(1) for _ in range(5))))) == [
        "2",
        *["policy_changed"] * 4,
    ]
    assert sorted(await asyncio.gather(*(put(None) for _ in range(5)))) == [3, 4, 5, 6, 7]
    with pytest.raises(PolicyChanged) as caught:
        async with db.transaction(principal) as tx:
            await policies.put(tx, principal, {}, expected=2)
    assert caught.value.extra["version"] == 7


async def test_what_cannot_be_read_changes_nothing(
    db: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    principal = service(tenant)
    with pytest.raises(PolicyInvalid):
        async with db.transaction(principal) as tx:
            await policies.put(tx, principal, {"trust_threshold": 3})
    # A zone that Python knows and the database does not.
    monkeypatch.setattr("stead.governance.document.ZoneInfo", lambda name: name)
    with pytest.raises(PolicyInvalid, match="database does not know"):
        async with db.transaction(principal) as tx:
            await policies.put(tx, principal, {"time_zone": "Mars/Olympus"})
    async with db.transaction(principal) as tx:
        assert (await policies.get(tx, principal)).version == 0


async def test_people_write_no_policy_and_nobody_a_version(
    db: Database, access: DatabaseAccess, tenant: Tenant, person: Person
) -> None:
    async with db.transaction(service(tenant)) as tx:
        await policies.put(tx, service(tenant), STRICT)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction(person.principal.served()) as tx:
            await policies.put(tx, person.principal, {})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction(service(tenant)) as tx:
            await tx.execute("update stead.guardrail_versions set policy = '{}'")
    # Whoever writes past Stead makes a version too, and is in the audit log.
    connection = await asyncpg.connect(access.admin_url)
    try:
        async with connection.transaction():
            await connection.execute("set local role service_role")
            await connection.execute(
                "update public.guardrails set version = 99, require_evidence = true where tenant_id = $1",
                tenant.id,
            )
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await connection.execute(
                "update public.guardrails set time_zone = 'Nowhere/At_All' where tenant_id = $1",
                tenant.id,
            )
        rows = await connection.fetch(
            "select actor_type, actor_id, payload from public.audit_log "
            "where tenant_id = $1 and category = 'auth_policy' order by id",
            tenant.id,
        )
    finally:
        await connection.close()
    assert [(row["actor_type"], row["actor_id"]) for row in rows] == [
        ("service", "stead"),
        ("database", "service_role"),
    ]
    async with db.transaction(service(tenant)) as tx:
        assert [v.version for v in await policies.history(tx, service(tenant))] == [2, 1]


async def test_trying_out_keeps_nothing(db: Database, tenant: Tenant) -> None:
    principal = service(tenant)
    proposed = read_policy({"ceilings": {"per_hour": 1}})
    asked = action(tenant.id)
    async with db.transaction(principal) as tx:
        await governance.count_begun(tx, [asked])
        assert (await policies.try_action(tx, principal, asked, facts())).verdict == "allow"
        # Counted although the policy that holds has no such ceiling.
        tried = await policies.try_action(tx, principal, asked, facts(), proposed=proposed)
        assert (tried.verdict, tried.facts.actions_last_hour) == ("defer", 1)
        night = datetime(2026, 11, 18, 23, 0, tzinfo=UTC)
        strict = read_policy(STRICT)
        tried = await policies.try_action(
            tx, principal, action(tenant.id, risk="high"), facts(), proposed=strict, at=night
        )
        assert (tried.verdict, tried.not_before) == ("needs_approval", night + timedelta(hours=8))
        assert (
            await tx.value("select count(*) from stead.decisions where tenant_id = $1", tenant.id) == 0
        )


async def test_a_replay_says_what_would_have_changed(
    db: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    principal = service(tenant)
    since = datetime.now(UTC) - timedelta(days=1)
    async with db.transaction(principal) as tx:
        made = await governance.judge(
            tx,
            [
                action(tenant.id, risk="high", tool="bank.pay"),
                *[action(tenant.id)] * 5,
                action(tenant.id, risk="medium"),
            ],
            [facts()] * 7,
        )
        await governance.record(tx, made, [None] * 7, stage="proposal")
        # Those at claim were approved: they are not about the policy alone.
        await governance.record(tx, made, [None] * 7, stage="claim")
    async with db.transaction(service(other_tenant)) as tx:
        foreign = await governance.judge(tx, [action(other_tenant.id)], [facts()])
        await governance.record(tx, foreign, [None], stage="proposal")
    async with db.transaction(principal) as tx:
        same = await governance.replay(tx, principal, read_policy({}), since=since)
        assert (same.replayed, same.looser, same.stricter, same.complete) == (7, 0, 0, True)
        proposed = read_policy({
            "tiers": {risk: {"verdict": "approval"} for risk in ("low", "medium", "high")},
            "kill_switch": {"tools": ["bank.*"]}, "trust_threshold": 0.95,
        })  # fmt: skip
        found = await governance.replay(tx, principal, proposed, since=since)
        assert found.changes == {"allow>needs_approval": 6, "needs_approval>deny": 1}
        assert (found.stricter, found.looser) == (7, 0)
        assert {each.tool for each in found.examples} == {"bank.pay", "mail.send"}
        (killed,) = [each for each in found.examples if each.after == "deny"]
        assert "kill_switch" in {reason.rule for reason in killed.reasons}
        mild = read_policy({"tiers": {"high": {"verdict": "allow"}}})
        loose = await governance.replay(tx, principal, mild, since=since)
        assert (loose.changes, loose.looser) == ({"needs_approval>allow": 1}, 1)
        part = await governance.replay(tx, principal, mild, since=since, limit=3)
        assert (part.replayed, part.complete) == (3, False)
        none = await governance.replay(tx, principal, mild, since=datetime.now(UTC) + timedelta(days=1))
        assert (none.replayed, none.complete) == (0, True)


async def test_objectives(db: Database, tenant: Tenant, other_tenant: Tenant, person: Person) -> None:
    principal = service(tenant)
    wanted = NewObjective(title="Fewer refunds", metric="refunds", target="< 2%", horizon="Q1")
    async with db.transaction(principal) as tx:
        made = await objectives.create(tx, principal, wanted)
        changed = await objectives.change(tx, principal, made.id, NewObjective(title="No refunds"))
        assert (changed.id, changed.title, changed.metric) == (made.id, "No refunds", None)
    async with db.transaction(person.principal, read_only=True) as tx:
        assert [each.id for each in await objectives.listing(tx, person.principal)] == [made.id]
    abroad = service(other_tenant)
    async with db.transaction(abroad) as tx:
        assert await objectives.listing(tx, abroad) == []
        for attempt in (
            objectives.get(tx, abroad, made.id),
            objectives.change(tx, abroad, made.id, wanted),
            objectives.delete(tx, abroad, made.id),
        ):
            with pytest.raises(ObjectiveUnknown):
                await attempt
    async with db.transaction(principal) as tx:
        await objectives.delete(tx, principal, made.id)
        with pytest.raises(ObjectiveUnknown):
            await objectives.get(tx, principal, made.id)
        actions = await tx.rows(
            "select action from public.audit_log where subject_type = 'objective' order by id"
        )
    assert [row["action"] for row in actions] == [
        "objective_created",
        "objective_changed",
        "objective_deleted",
    ]
