"""Judging in the database: one statement for many tenants, ceilings that hold, and nobody else's facts."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from stead import governance
from stead.assembly.database import DatabaseAccess
from stead.db import NOBODY, Database, Transaction
from stead.governance import Facts, Judgement, Lesson
from stead.governance.decisions import read_inputs
from stead.governance.trust import bound
from stead.identity import Principal, Tenant
from tests.governance.conftest import action, facts
from tests.support.people import Person, make_tenant, service


async def put(db: Database, tenant: Tenant, **document: Any) -> int:
    async with db.transaction(service(tenant)) as tx:
        return (await governance.policies.put(tx, service(tenant), document)).version


async def judged(db: Database, *given: governance.Action, holding: bool = False) -> list[Judgement]:
    async with db.transaction(NOBODY) as tx:
        return await governance.judge(tx, given, [Facts(tool_known=True)] * len(given), holding=holding)


async def admin(access: DatabaseAccess, sql: str, *args: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(access.admin_url)
    try:
        return await connection.fetch(sql, *args)
    finally:
        await connection.close()


async def test_many_tenants_are_judged_each_by_its_own_policy(
    db: Database, access: DatabaseAccess, tenant: Tenant, other_tenant: Tenant
) -> None:
    third = await make_tenant(access)
    assert await put(db, tenant, kill_switch={"tools": ["mail.*"]}) == 1
    await put(
        db, other_tenant, tiers={"low": {"verdict": "approval"}, "medium": {"verdict": "approval"}}
    )
    made = await judged(
        db,
        action(other_tenant.id),
        action(tenant.id),
        action(third.id),
        action(tenant.id, tool="bank.pay"),
    )
    assert [each.verdict for each in made] == ["needs_approval", "deny", "allow", "allow"]
    assert [each.policy_version for each in made] == [1, 1, 0, 1]
    # One clock for all, and what the database knows is filled in.
    assert len({each.at for each in made}) == 1
    assert all(each.facts.trust == pytest.approx(bound(0, 0)) for each in made)
    # A policy that was read before holds until it is changed.
    assert await put(db, tenant) == 2
    assert (await judged(db, action(tenant.id)))[0].verdict == "allow"


async def test_a_policy_that_was_rolled_back_is_not_remembered(db: Database, tenant: Tenant) -> None:
    await put(db, tenant)

    async def change_ones_mind() -> None:
        async with db.transaction(service(tenant)) as tx:
            await governance.policies.put(tx, service(tenant), {"kill_switch": {"all": True}})
            (made,) = await governance.judge(tx, [action(tenant.id)], [facts()])
            assert made.verdict == "deny"
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await change_ones_mind()
    (made,) = await judged(db, action(tenant.id))
    assert (made.verdict, made.policy_version) == ("allow", 1)
    # The next one of that number is another one.
    assert await put(db, tenant, kill_switch={"tools": ["bank.*"]}) == 2
    (made,) = await judged(db, action(tenant.id, tool="bank.pay"))
    assert (made.verdict, made.policy_version) == ("deny", 2)


async def test_a_policy_that_cannot_be_read_denies_everything(
    db: Database, access: DatabaseAccess, tenant: Tenant
) -> None:
    await put(db, tenant)
    await admin(
        access,
        """update public.guardrails set settings = '{"tiers": {"low": "whatever"}}' where tenant_id = $1""",
        tenant.id,
    )
    for _ in range(2):
        (made,) = await judged(db, action(tenant.id))
        assert (made.verdict, made.policy_version) == ("deny", 2)
        assert [reason.rule for reason in made.reasons] == ["policy"]


async def test_actions_of_a_batch_count_for_each_other(db: Database, tenant: Tenant) -> None:
    await put(db, tenant, ceilings={"per_minute": 3, "per_day_amount": 10})
    one = action(tenant.id, amount=Decimal(4), spends=True)
    made = await judged(db, one, one, one, action(tenant.id), action(tenant.id))
    assert [each.verdict for each in made] == ["allow", "allow", "defer", "allow", "defer"]


async def test_ceilings_hold_while_many_begin_at_once(db: Database, tenant: Tenant) -> None:
    await put(db, tenant, ceilings={"per_hour": 10, "per_day_amount": "100.5"})
    begun: list[int] = []

    async def worker() -> None:
        for _ in range(3):
            async with db.transaction(NOBODY) as tx:
                wanted = [action(tenant.id, amount=Decimal(10))] * 2
                made = await governance.judge(tx, wanted, [facts()] * 2, holding=True)
                going = [each.action for each in made if each.verdict == "allow"]
                await governance.count_begun(tx, going)
                begun.append(len(going))

    await asyncio.gather(*(worker() for _ in range(6)))
    assert sum(begun) == 10
    # Without ceilings in the way: what was counted is what was begun.
    (made,) = await judged(db, action(tenant.id, amount=Decimal(1)))
    assert (made.facts.actions_last_hour, made.facts.spent_today) == (10, Decimal(100))
    assert {reason.rule for reason in made.reasons if reason.verdict == "defer"} == {"rate", "spending"}


async def test_workers_that_begin_for_the_same_tenants_in_any_order_do_not_wait_in_a_circle(
    db: Database, access: DatabaseAccess
) -> None:
    tenants = [await make_tenant(access) for _ in range(6)]
    for each in tenants[::2]:
        await put(db, each, ceilings={"per_hour": 1000})

    async def worker(order: list[Tenant]) -> None:
        for _ in range(5):
            async with db.transaction(NOBODY) as tx:
                wanted = [action(each.id) for each in order]
                await governance.judge(tx, wanted, [facts()] * len(wanted), holding=True)
                await governance.count_begun(tx, wanted)

    await asyncio.gather(*(worker(tenants[n:] + tenants[:n]) for n in range(6)))
    counted = await admin(
        access,
        "select sum(actions)::int as n from stead.action_counts where grain_s = 10 and tenant_id = any ($1) "
        "group by tenant_id",
        [each.id for each in tenants],
    )
    assert [row["n"] for row in counted] == [30] * 6


async def test_windows_are_of_the_databases_clock_and_days_of_the_tenants_zone(
    db: Database, access: DatabaseAccess, tenant: Tenant
) -> None:
    await put(
        db,
        tenant,
        ceilings={"per_minute": 9, "per_hour": 9, "per_day_amount": 9},
        time_zone="Asia/Kathmandu",
    )
    await admin(
        access,
        """
        insert into stead.action_counts (tenant_id, grain_s, bucket, shard, actions, amount)
        select $1, g.grain, g.bucket, 0, 1, g.amount from (values
          (10::smallint, now() - interval '90 seconds', 0), (10::smallint, now() - interval '62 minutes', 0),
          (10::smallint, now() - interval '20 seconds', 0),
          (900::smallint, date_trunc('day', now() at time zone 'Asia/Kathmandu') at time zone 'Asia/Kathmandu', 1),
          (900::smallint, date_trunc('day', now() at time zone 'Asia/Kathmandu') at time zone 'Asia/Kathmandu'
            - interval '15 minutes', 7)) g (grain, bucket, amount)
        """,
        tenant.id,
    )  # fmt: skip
    (made,) = await judged(db, action(tenant.id), holding=True)
    assert (made.facts.actions_last_minute, made.facts.actions_last_hour, made.facts.spent_today) == (
        1,
        2,
        1,
    )


async def test_of_another_tenant_nothing_is_told_and_nothing_counted(
    db: Database, tenant: Tenant, person: Person, other_tenant: Tenant
) -> None:
    foreign = action(other_tenant.id)
    lesson = Lesson(tenant_id=other_tenant.id, tool="mail.send", outcome="approved")
    (made,) = await judged(db, foreign)

    async def attempt(actor: Principal, what: Callable[[Transaction], Awaitable[object]]) -> None:
        async with db.transaction(actor) as tx:
            await what(tx)

    for actor in (service(tenant), person.principal.served()):
        for what in (
            lambda tx: governance.judge(tx, [action(tenant.id), foreign], [facts()] * 2),
            lambda tx: governance.count_begun(tx, [foreign]),
            lambda tx: governance.learn(tx, [lesson]),
            lambda tx: governance.record(tx, [made], [None], stage="proposal"),
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="another tenant"):
                await attempt(actor, what)
    # Its own, a person's proposal may.
    async with db.transaction(person.principal.served()) as tx:
        own = await governance.judge(tx, [action(tenant.id)], [facts()])
        await governance.record(tx, own, [uuid.uuid4()], stage="proposal")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await attempt(person.principal, lambda tx: governance.judge(tx, [action(tenant.id)], [facts()]))


async def test_decisions_are_kept_with_what_they_were_made_from_but_not_with_arguments(
    db: Database, access: DatabaseAccess, tenant: Tenant, other_tenant: Tenant
) -> None:
    await put(db, tenant, ceilings={"per_day_amount": 5})
    given = [
        action(
            tenant.id, amount=Decimal("1.50"), confidence=0.4, required_scopes=frozenset({"b", "a"}),
            trust_context={"note": "canary-context", "score": 0.7},
        ),
        action(other_tenant.id, risk="high"),
    ]  # fmt: skip
    envelope = uuid.uuid4()
    async with db.transaction(NOBODY) as tx:
        made = await governance.judge(tx, given, [facts(), facts(granted_scopes=frozenset({"x"}))])
        await governance.record(tx, made, [envelope, None], stage="proposal")
    rows = await admin(
        access,
        "select * from stead.decisions where tenant_id = any ($1) order by verdict",
        [tenant.id, other_tenant.id],
    )
    assert [(row["verdict"], row["envelope_id"], row["stage"]) for row in rows] == [
        ("allow", envelope, "proposal"), ("needs_approval", None, "proposal"),
    ]  # fmt: skip
    assert "canary" not in "".join(str(value) for row in rows for value in row.values())
    for row, each in zip(rows, made, strict=True):
        assert row["inputs_digest"] == each.inputs_digest
        a, f, at = read_inputs(row["tenant_id"], json.loads(row["inputs"]))
        policy = (await _policies(db, each))[each.action.tenant_id]
        assert policy is not None
        again = governance.evaluate(a, policy, f, at)
        assert (again.verdict, again.reasons, again.not_before, again.quorum) == (
            each.verdict, each.reasons, each.not_before, each.quorum,
        )  # fmt: skip


async def _policies(db: Database, each: Judgement) -> dict[uuid.UUID, governance.Policy | None]:
    async with db.transaction(NOBODY) as tx:
        return await governance.policies_of(tx, [each.action.tenant_id])


async def test_quiet_hours_go_by_the_databases_clock(db: Database, tenant: Tenant) -> None:
    async with db.transaction(NOBODY) as tx:
        now = await tx.value("select now()")
    start, end = ((now + timedelta(minutes=m)).strftime("%H:%M") for m in (-60, 60))
    await put(
        db,
        tenant,
        quiet_hours={"start": start, "end": end, "applies_to": ["low", "medium", "high", "critical"]},
    )
    (made,) = await judged(db, action(tenant.id))
    assert made.verdict == "defer"
    assert made.not_before is not None
    assert timedelta(minutes=58) < made.not_before - now < timedelta(minutes=61)


async def test_what_no_rule_looks_at_any_more_is_swept(
    db: Database, access: DatabaseAccess, tenant: Tenant
) -> None:
    await admin(
        access,
        """
        with counts as (
          insert into stead.action_counts (tenant_id, grain_s, bucket, shard, actions)
          values ($1, 10, now() - interval '3 hours', 0, 1), ($1, 10, now(), 0, 1),
            ($1, 900, now() - interval '4 days', 0, 1), ($1, 900, now() - interval '30 hours', 0, 1))
        insert into stead.trust_events (tenant_id, tool, outcome, created_at)
        values ($1, 't', 'approved', now() - interval '401 days'),
          ($1, 't', 'approved', now() - interval '399 days')
        """,
        tenant.id,
    )
    while await governance.sweep(db):
        pass
    left = await admin(
        access,
        "select (select count(*) from stead.action_counts where tenant_id = $1) as counts, "
        "(select count(*) from stead.trust_events where tenant_id = $1) as lessons",
        tenant.id,
    )
    assert tuple(left[0]) == (2, 1)
