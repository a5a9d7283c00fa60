"""Trust that is learned, and what it suggests."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead import governance, knowledge
from stead.assembly.database import DatabaseAccess
from stead.db import NOBODY, Database
from stead.governance import Facts, Lesson, Outcome
from stead.governance.suggesting import ENOUGH, LOWEST, STEP
from stead.governance.trust import WEIGHTS, bound
from stead.identity import Tenant
from stead.providers.embedders.static import StaticEmbedder
from tests.governance.conftest import action
from tests.support.people import service


async def teach(db: Database, tenant: Tenant, *outcomes: Outcome, tool: str = "mail.send") -> None:
    async with db.transaction(NOBODY) as tx:
        await governance.learn(
            tx, [Lesson(tenant_id=tenant.id, tool=tool, outcome=outcome) for outcome in outcomes]
        )


async def trust_of(db: Database, tenant: Tenant, tool: str = "mail.send") -> float:
    async with db.transaction(NOBODY) as tx:
        (made,) = await governance.judge(tx, [action(tenant.id, tool=tool)], [Facts()])
    assert made.facts.trust is not None
    return made.facts.trust


async def test_trust_is_earned_slowly_and_lost_quickly(
    db: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    assert await trust_of(db, tenant) == pytest.approx(bound(0, 0)) == pytest.approx(0.025, abs=0.01)
    await teach(db, tenant, *["approved"] * 4)
    earned = await trust_of(db, tenant)
    assert earned == pytest.approx(bound(4, 0), abs=0.001)
    assert earned > 0.5
    await teach(db, tenant, "rejected")
    assert await trust_of(db, tenant) == pytest.approx(bound(4, 2), abs=0.001)
    assert await trust_of(db, tenant) < 0.5
    # Of this tool, to this tenant.
    assert (
        await trust_of(db, tenant, "bank.pay")
        == await trust_of(db, other_tenant)
        == pytest.approx(bound(0, 0))
    )


async def test_no_history_hides_what_goes_wrong_now(
    db: Database, access: DatabaseAccess, tenant: Tenant
) -> None:
    await teach(db, tenant, *["approved"] * 400)
    assert await trust_of(db, tenant) == pytest.approx(bound(50, 0), abs=0.001)
    await teach(db, tenant, *["rejected"] * 10)
    assert await trust_of(db, tenant) == pytest.approx(bound(50, 20), abs=0.001)
    assert await trust_of(db, tenant) < 0.65
    # Half of it is gone after thirty days.
    connection = await asyncpg.connect(access.admin_url)
    try:
        await connection.execute(
            "update stead.tool_trust set updated_at = now() - interval '30 days' where tenant_id = $1",
            tenant.id,
        )
    finally:
        await connection.close()
    assert await trust_of(db, tenant) == pytest.approx(bound(25, 10), abs=0.001)
    await teach(db, tenant, "approved")
    assert await trust_of(db, tenant) == pytest.approx(bound(26, 10), abs=0.001)


async def test_lessons_at_once_are_all_learned(db: Database, tenant: Tenant) -> None:
    tools = ["a", "b", "c"]

    async def one(n: int) -> None:
        async with db.transaction(NOBODY) as tx:
            order = tools[n % 3 :] + tools[: n % 3]
            await governance.learn(
                tx, [Lesson(tenant_id=tenant.id, tool=t, outcome="approved") for t in order]
            )

    await asyncio.gather(*(one(n) for n in range(12)))
    for tool in tools:
        assert await trust_of(db, tenant, tool) == pytest.approx(bound(12, 0), abs=0.001)


WEIGHT = st.floats(0, 50)


@given(WEIGHT, WEIGHT, WEIGHT)
def test_what_speaks_for_it_never_lowers_trust_and_what_speaks_against_it_never_raises_it(
    successes: float, failures: float, more: float
) -> None:
    before = bound(successes, failures)
    assert 0 <= before < 1
    assert bound(min(successes + more, 50), failures) >= before - 1e-9
    assert bound(successes, min(failures + more, 50)) <= before + 1e-9


async def test_the_database_computes_the_same(db: Database) -> None:
    async with db.transaction(NOBODY) as tx:
        for successes, failures in ((0, 0), (4, 0), (0.2, 7.5), (50, 50), (50, 0), (0, 50)):
            assert await tx.value(
                "select stead.trust_bound($1, $2)", successes, failures
            ) == pytest.approx(bound(successes, failures), abs=1e-12)


async def _propose(db: Database, tenant: Tenant, content: str, tool: str, outcome: Outcome) -> None:
    """A past proposal with its outcome, as evidence keeps it."""
    envelope = uuid.uuid4()
    async with db.transaction(service(tenant)) as tx:
        await tx.execute(
            "insert into public.evidence_embeddings (tenant_id, source_type, source_id, content, metadata) "
            "values ($1, 'proposal', $2, $3, jsonb_build_object('tool', $4::text))",
            tenant.id,
            envelope,
            content,
            tool,
        )
        await governance.learn(
            tx, [Lesson(tenant_id=tenant.id, tool=tool, outcome=outcome, envelope_id=envelope)]
        )


async def test_a_threshold_is_suggested_from_actions_alike(
    db: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    embedder = StaticEmbedder()
    for n in range(12):
        await _propose(
            db, tenant, f"Send invoice number {n} to the customer by email", "mail.send", "approved"
        )
        await _propose(db, tenant, f"Delete the production database, backup {n}", "db.drop", "rejected")
        await _propose(db, other_tenant, f"Send invoice number {n} by email", "mail.send", "rejected")
    while await knowledge.embed_backlog(db, embedder):
        pass
    principal = service(tenant)

    async def suggest(about: str | None, tool: str | None = None) -> governance.Suggestion:
        vector = None if about is None else (await embedder.embed([about]))[0]
        async with db.transaction(principal, read_only=True) as tx:
            return await governance.suggest(
                tx, principal, embedder=embedder, about=about, vector=vector, tool=tool
            )

    mild = await suggest("Email the invoice to our customer", "mail.send")
    assert (mild.basis, mild.considered, mild.outcomes["rejected"]) == ("similar", 12, 0)
    assert LOWEST <= mild.suggested < mild.current == 0.5
    assert mild.suggested >= mild.current - STEP
    strict = await suggest("Delete the production database")
    assert strict.outcomes["rejected"] == 12
    assert strict.current < strict.suggested <= strict.current + STEP + 1e-9
    latest = await suggest(None, "db.drop")
    assert (latest.basis, latest.considered, latest.suggested > latest.current) == ("latest", 12, True)
    nothing = await suggest(None, "never.used")
    assert (nothing.considered, nothing.suggested) == (0, nothing.current)
    # A suggestion changes nothing.
    async with db.transaction(principal, read_only=True) as tx:
        assert (await governance.policies.get(tx, principal)).version == 0


async def test_little_experience_loosens_nothing(db: Database, tenant: Tenant) -> None:
    await teach(db, tenant, *["approved"] * (ENOUGH - 1))
    principal = service(tenant)
    async with db.transaction(principal, read_only=True) as tx:
        few = await governance.suggest(tx, principal, embedder=StaticEmbedder())
    assert few.suggested == few.current
    await teach(db, tenant, "approved")
    async with db.transaction(principal, read_only=True) as tx:
        enough = await governance.suggest(tx, principal, embedder=StaticEmbedder())
    assert enough.suggested < enough.current


def test_a_no_says_more_than_a_yes() -> None:
    assert -WEIGHTS["rejected"] > WEIGHTS["approved"] > WEIGHTS["succeeded"] > 0
    assert max(WEIGHTS["failed"], WEIGHTS["unknown"]) < 0
