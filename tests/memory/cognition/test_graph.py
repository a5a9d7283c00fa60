"""Edges between beliefs: within one holder, and confidence passed one step along them."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from stead.db import Database
from stead.identity import Tenant
from stead.memory.cognition import (
    Belief,
    BeliefInvalid,
    BeliefUnknown,
    Evidence,
    Holder,
    beliefs,
    graph,
)
from tests.support.people import Person, make_person, service

AGENT = Holder(agent_name="planner")


async def add(db: Database, tenant: Tenant, prior: float = 0.5, holder: Holder = AGENT) -> Belief:
    async with db.transaction(service(tenant)) as tx:
        return (await beliefs.add(tx, service(tenant), f"S {uuid4()}", holder=holder, prior=prior))[0]


async def confidence(db: Database, tenant: Tenant, belief: UUID) -> float:
    async with db.transaction(service(tenant)) as tx:
        return (await beliefs.get(tx, service(tenant), belief)).confidence


def odds(share: float) -> float:
    return share / (1 - share)


@pytest.mark.parametrize(
    ("prior", "relation", "factor"),
    [
        # A belief held at 0.9 has odds of 9; half of its weight arrives.
        (0.9, "supports", 9**0.5),
        (0.9, "refines", 9**0.5),
        (0.9, "contradicts", 9**-0.5),
        (0.9, "depends_on", 1),
        (0.1, "supports", 1),
        (0.1, "contradicts", 1),
        (0.5, "supports", 1),
        (0.99, "supports", 19**0.5),
    ],
)
async def test_a_belief_speaks_to_what_its_edges_lead_to(
    db: Database, tenant: Tenant, prior: float, relation: str, factor: float
) -> None:
    source, target = await add(db, tenant, prior), await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        await graph.connect(tx, service(tenant), source.id, target.id, relation)  # type: ignore[arg-type]
        changed = await graph.propagate(tx, service(tenant), source.id)
    assert [b.id for b in changed] == ([target.id] if factor != 1 else [])
    assert odds(await confidence(db, tenant, target.id)) == pytest.approx(factor, rel=1e-4)
    assert await confidence(db, tenant, source.id) == pytest.approx(prior)


async def test_a_doubt_reaches_what_depends_on_it(db: Database, tenant: Tenant) -> None:
    ground, upon = await add(db, tenant, 0.1), await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        await graph.connect(tx, service(tenant), upon.id, ground.id, "depends_on")
        await graph.propagate(tx, service(tenant), ground.id)
    assert odds(await confidence(db, tenant, upon.id)) == pytest.approx(9**-0.5, rel=1e-4)


async def test_passing_on_twice_changes_nothing_and_a_change_replaces_what_was_passed(
    db: Database, tenant: Tenant
) -> None:
    source, target = await add(db, tenant, 0.9), await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        await graph.connect(tx, service(tenant), source.id, target.id, "supports", weight=0.5)
        await graph.propagate(tx, service(tenant), source.id)
        assert await graph.propagate(tx, service(tenant), source.id) == []
        assert len(await beliefs.history(tx, service(tenant), target.id)) == 1
        # The same edge, made stronger.
        await graph.connect(tx, service(tenant), source.id, target.id, "supports", weight=1.0)
        assert len(await graph.edges(tx, service(tenant), source.id)) == 1
        (after,) = await graph.propagate(tx, service(tenant), source.id)
        assert (odds(after.confidence), after.supporting) == (pytest.approx(3, rel=1e-4), 1)
        # Doubted, it supports nothing any more.
        doubt = Evidence(kind="memory", id=uuid4(), direction="contradicts", reliability=0.95)
        await beliefs.weigh(tx, service(tenant), source.id, doubt)
        (after,) = await graph.propagate(tx, service(tenant), source.id)
        assert (after.confidence, after.supporting) == (0.5, 0)


async def test_without_its_edge_a_belief_takes_back_what_it_passed(db: Database, tenant: Tenant) -> None:
    source, target = await add(db, tenant, 0.9), await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        await graph.connect(tx, service(tenant), source.id, target.id, "supports")
        await graph.propagate(tx, service(tenant), source.id)
        assert await graph.disconnect(tx, service(tenant), source.id, target.id, "supports")
        assert not await graph.disconnect(tx, service(tenant), source.id, target.id, "supports")
        (after,) = await graph.propagate(tx, service(tenant), source.id)
    assert after.confidence == 0.5


async def test_a_removed_belief_takes_back_what_it_passed(db: Database, tenant: Tenant) -> None:
    source, target = await add(db, tenant, 0.9), await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        await graph.connect(tx, service(tenant), source.id, target.id, "supports")
        await graph.propagate(tx, service(tenant), source.id)
        await graph.remove(tx, service(tenant), source.id)
        with pytest.raises(BeliefUnknown):
            await beliefs.get(tx, service(tenant), source.id)
        assert await graph.edges(tx, service(tenant), target.id) == []
    assert await confidence(db, tenant, target.id) == 0.5


async def test_round_a_circle_nothing_grows(db: Database, tenant: Tenant) -> None:
    one, two = await add(db, tenant, 0.7), await add(db, tenant, 0.7)
    async with db.transaction(service(tenant)) as tx:
        await graph.connect(tx, service(tenant), one.id, two.id, "supports")
        await graph.connect(tx, service(tenant), two.id, one.id, "supports")
        for _ in range(20):
            await graph.propagate(tx, service(tenant), one.id)
            await graph.propagate(tx, service(tenant), two.id)
        # Each counts the other once; with half of its weight they settle at the fixed point of
        # x = a + x / 2 in log odds, well inside the bounds.
        seen = [await beliefs.get(tx, service(tenant), b.id) for b in (one, two)]
    assert [b.supporting for b in seen] == [1, 1]
    for belief in seen:
        assert odds(belief.confidence) == pytest.approx(odds(0.7) ** 2, rel=1e-3)


async def test_neighbours_that_speak_at_once_do_not_wait_for_each_other(
    db: Database, tenant: Tenant
) -> None:
    made = [await add(db, tenant, 0.8) for _ in range(6)]
    async with db.transaction(service(tenant)) as tx:
        for one in made:
            for other in made:
                if one.id != other.id:
                    await graph.connect(tx, service(tenant), one.id, other.id, "supports", weight=0.2)

    async def speak(belief: UUID) -> None:
        async with db.transaction(service(tenant)) as tx:
            await graph.propagate(tx, service(tenant), belief)

    await asyncio.gather(*(speak(belief.id) for belief in made))

    async with db.transaction(service(tenant)) as tx:
        for belief in made:
            seen = await beliefs.get(tx, service(tenant), belief.id)
            assert seen.supporting == len(made) - 1
            assert (
                await beliefs.recompute(tx, service(tenant), belief.id)
            ).confidence == seen.confidence


async def test_an_edge_stays_within_one_holder(db: Database, tenant: Tenant, person: Person) -> None:
    bob = await make_person(db, tenant, "bob")
    hers = await add(db, tenant, holder=Holder(profile_id=person.id))
    his = await add(db, tenant, holder=Holder(profile_id=bob.id))
    own = await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        for one, other in ((hers, his), (hers, own), (own, his)):
            with pytest.raises(BeliefUnknown):
                await graph.connect(tx, service(tenant), one.id, other.id, "supports")
        with pytest.raises(BeliefUnknown):
            await graph.connect(tx, service(tenant), hers.id, uuid4(), "supports")
    async with db.transaction(bob.principal.served()) as tx:
        with pytest.raises(BeliefUnknown):
            await graph.propagate(tx, bob.principal, hers.id)
        with pytest.raises(BeliefUnknown):
            await graph.remove(tx, bob.principal, hers.id)


async def test_edges_that_do_not_fit_are_refused(db: Database, tenant: Tenant) -> None:
    one, other = await add(db, tenant), await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        with pytest.raises(BeliefInvalid):
            await graph.connect(tx, service(tenant), one.id, one.id, "supports")
        with pytest.raises(BeliefInvalid):
            await graph.connect(tx, service(tenant), one.id, other.id, "implies")  # type: ignore[arg-type]
        for share in (-0.1, 1.1, float("nan")):
            with pytest.raises(BeliefInvalid):
                await graph.connect(tx, service(tenant), one.id, other.id, "supports", weight=share)
            with pytest.raises(BeliefInvalid):
                await graph.propagate(tx, service(tenant), one.id, damping=share)
