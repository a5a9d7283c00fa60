"""Beliefs: the rule by which evidence counts, and that it holds whoever writes at once."""

from __future__ import annotations

import asyncio
import math
import random
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stead.db import Database
from stead.identity import Tenant
from stead.memory.cognition import (
    Belief,
    BeliefInvalid,
    BeliefUnknown,
    Evidence,
    EvidenceInvalid,
    Holder,
    beliefs,
)
from tests.support.people import Person, make_person, service

AGENT = Holder(agent_name="planner")

EVIDENCE = st.builds(
    Evidence,
    kind=st.just("memory"),
    id=st.uuids(),
    direction=st.sampled_from(["supports", "contradicts"]),
    weight=st.floats(0, 1),
    reliability=st.floats(0.5, 0.95),
)
RULE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def micronats(evidence: Evidence) -> int:
    """The rule once more, from its statement in the documentation."""
    ratio = evidence.reliability / (1 - evidence.reliability)
    return round(1e6 * evidence.weight * math.log(ratio)) * (
        1 if evidence.direction == "supports" else -1
    )


def expected(prior: float, evidence: list[Evidence]) -> float:
    log_odds = math.log(prior / (1 - prior)) + sum(map(micronats, evidence)) / 1e6
    return min(max(1 / (1 + math.exp(-min(max(log_odds, -30), 30))), 0.01), 0.99)


async def add(db: Database, tenant: Tenant, prior: float = 0.5) -> Belief:
    async with db.transaction(service(tenant)) as tx:
        return (
            await beliefs.add(tx, service(tenant), f"It rains {uuid4()}", holder=AGENT, prior=prior)
        )[0]


async def weigh_all(db: Database, tenant: Tenant, belief: UUID, evidence: list[Evidence]) -> Belief:
    async with db.transaction(service(tenant)) as tx:
        for piece in evidence:
            await beliefs.weigh(tx, service(tenant), belief, piece)
        return await beliefs.get(tx, service(tenant), belief)


# The rule.


@RULE
@given(prior=st.floats(0.01, 0.99), evidence=st.lists(EVIDENCE, max_size=12, unique_by=lambda e: e.id),
       seed=st.randoms(use_true_random=False))  # fmt: skip
async def test_confidence_follows_from_the_evidence_in_any_order(
    db: Database, tenant: Tenant, prior: float, evidence: list[Evidence], seed: random.Random
) -> None:
    shuffled = seed.sample(evidence, len(evidence))
    one = await weigh_all(db, tenant, (await add(db, tenant, prior)).id, evidence)
    other = await weigh_all(db, tenant, (await add(db, tenant, prior)).id, shuffled)

    # To the last bit among orders; to rounding against the formula.
    assert one.confidence == other.confidence
    assert one.confidence == pytest.approx(expected(prior, evidence), abs=2e-5)
    assert 0.01 <= one.confidence <= 0.99
    assert one.supporting + one.contradicting == len(evidence)
    assert one.supporting == sum(e.direction == "supports" for e in evidence)


@RULE
@given(before=st.lists(EVIDENCE, max_size=6, unique_by=lambda e: e.id), piece=EVIDENCE)
async def test_what_speaks_for_a_statement_never_lowers_it_and_is_bounded(
    db: Database, tenant: Tenant, before: list[Evidence], piece: Evidence
) -> None:
    belief = await weigh_all(db, tenant, (await add(db, tenant)).id, before)
    after = await weigh_all(db, tenant, belief.id, [piece])

    if piece.id in {e.id for e in before}:
        assert after.confidence == belief.confidence
    elif piece.direction == "supports":
        assert after.confidence >= belief.confidence
    else:
        assert after.confidence <= belief.confidence
    odds = [b.confidence / (1 - b.confidence) for b in (belief, after)]
    assert max(odds) / min(odds) <= 19 * 1.0001


@RULE
@given(kept=st.lists(EVIDENCE, max_size=6, unique_by=lambda e: e.id), piece=EVIDENCE)
async def test_what_is_taken_back_leaves_nothing_behind(
    db: Database, tenant: Tenant, kept: list[Evidence], piece: Evidence
) -> None:
    belief = await weigh_all(db, tenant, (await add(db, tenant)).id, kept)
    if piece.id in {e.id for e in kept}:
        return
    await weigh_all(db, tenant, belief.id, [piece])
    async with db.transaction(service(tenant)) as tx:
        after, counted = await beliefs.retract(tx, service(tenant), belief.id, "memory", piece.id)
        again, counts = await beliefs.retract(tx, service(tenant), belief.id, "memory", piece.id)
        summed = await beliefs.recompute(tx, service(tenant), belief.id)
    assert (counted, counts) == (True, False)
    for seen in (after, again, summed):
        assert seen.confidence == belief.confidence
        assert (seen.supporting, seen.contradicting) == (belief.supporting, belief.contradicting)


async def test_more_evidence_than_the_bounds_hold_still_counts(db: Database, tenant: Tenant) -> None:
    """What is kept within bounds is the confidence, not the sum that it comes from."""
    belief = await add(db, tenant)
    certain = [
        Evidence(kind="memory", id=uuid4(), direction="supports", reliability=0.95) for _ in range(4)
    ]
    doubts = [
        Evidence(kind="run", id=uuid4(), direction="contradicts", reliability=0.95) for _ in range(4)
    ]

    assert (await weigh_all(db, tenant, belief.id, certain)).confidence == 0.99
    assert (await weigh_all(db, tenant, belief.id, doubts[:1])).confidence == 0.99
    assert (await weigh_all(db, tenant, belief.id, doubts[1:])).confidence == 0.5


async def test_thousands_of_pieces_do_not_overflow(db: Database, tenant: Tenant) -> None:
    belief = await add(db, tenant)
    async with db.transaction(service(tenant)) as tx:
        for direction, bound in (("supports", 0.99), ("contradicts", 0.01)):
            await tx.execute(
                """
                insert into public.belief_updates
                  (tenant_id, scope_id, belief_id, evidence_kind, evidence_id, direction, weight, reliability,
                   prior, posterior)
                select $1, $1, $2, 'import', gen_random_uuid(), $3, 1, 0.95, 0.5, 0.5
                from generate_series(1, case $3 when 'supports' then 5000 else 10000 end)
                """,
                tenant.id,
                belief.id,
                direction,
            )
            assert (await beliefs.recompute(tx, service(tenant), belief.id)).confidence == bound


# Once, and by anybody at once.


async def test_evidence_counts_once_for_a_belief(db: Database, tenant: Tenant) -> None:
    belief = await add(db, tenant)
    piece = Evidence(kind="memory", id=uuid4(), direction="supports", weight=0.5)
    async with db.transaction(service(tenant)) as tx:
        first, new = await beliefs.weigh(tx, service(tenant), belief.id, piece)
        again, newer = await beliefs.weigh(tx, service(tenant), belief.id, piece)
        otherwise, newest = await beliefs.weigh(
            tx, service(tenant), belief.id,
            Evidence(kind="memory", id=piece.id, direction="contradicts"),
        )  # fmt: skip
        # The id of something else is another piece.
        more, other = await beliefs.weigh(
            tx, service(tenant), belief.id, Evidence(kind="run", id=piece.id, direction="supports")
        )
    assert (new, newer, newest, other) == (True, False, False, True)
    assert first == again == otherwise
    assert more.supporting == 2


async def test_writers_at_once_come_to_what_one_after_another_come_to(
    db: Database, tenant: Tenant
) -> None:
    rng = random.Random(11)
    evidence = [
        Evidence(kind="memory", id=uuid4(), direction=rng.choice(["supports", "contradicts"]),
                 weight=rng.random(), reliability=rng.uniform(0.5, 0.95))
        for _ in range(64)
    ]  # fmt: skip
    alone, together = await add(db, tenant, 0.3), await add(db, tenant, 0.3)
    wanted = await weigh_all(db, tenant, alone.id, evidence)

    async def writer(pieces: list[Evidence]) -> None:
        for piece in pieces:
            async with db.transaction(service(tenant)) as tx:
                await beliefs.weigh(tx, service(tenant), together.id, piece)

    # Sixteen, each with its share and, as a duplicate, its neighbour's.
    shares = [evidence[n::16] for n in range(16)]
    await asyncio.gather(*(writer(shares[n] + shares[(n + 1) % 16]) for n in range(16)))

    async with db.transaction(service(tenant)) as tx:
        seen = await beliefs.get(tx, service(tenant), together.id)
        summed = await beliefs.recompute(tx, service(tenant), together.id)
        history = await beliefs.history(tx, service(tenant), together.id)
    assert (seen.confidence, seen.supporting, seen.contradicting) == (
        wanted.confidence,
        wanted.supporting,
        wanted.contradicting,
    )
    assert summed.confidence == seen.confidence
    # Each began where the one before ended.
    assert len(history) == 64
    steps = history[::-1]
    assert steps[0].prior == together.confidence
    assert [step.prior for step in steps[1:]] == [step.posterior for step in steps[:-1]]
    assert steps[-1].posterior == seen.confidence


async def test_taking_back_at_once_takes_back_once(db: Database, tenant: Tenant) -> None:
    piece = Evidence(kind="memory", id=uuid4(), direction="supports")
    belief = await weigh_all(db, tenant, (await add(db, tenant)).id, [piece])

    async def taker() -> bool:
        async with db.transaction(service(tenant)) as tx:
            return (await beliefs.retract(tx, service(tenant), belief.id, "memory", piece.id))[1]

    assert sum(await asyncio.gather(*(taker() for _ in range(8)))) == 1
    async with db.transaction(service(tenant)) as tx:
        after = await beliefs.get(tx, service(tenant), belief.id)
    assert (after.confidence, after.supporting) == (0.5, 0)


async def test_a_sum_that_was_tampered_with_is_mended_from_history(db: Database, tenant: Tenant) -> None:
    piece = Evidence(kind="memory", id=uuid4(), direction="contradicts")
    belief = await weigh_all(db, tenant, (await add(db, tenant)).id, [piece])
    async with db.transaction(service(tenant)) as tx:
        await tx.execute(
            "update public.belief_graphs set evidence_micronats = 9, contradicting = 7 where id = $1",
            belief.id,
        )
        mended = await beliefs.recompute(tx, service(tenant), belief.id)
    assert (mended.confidence, mended.contradicting) == (belief.confidence, 1)


async def test_what_was_taken_back_stays_in_the_history_and_may_come_again(
    db: Database, tenant: Tenant
) -> None:
    piece = Evidence(kind="memory", id=uuid4(), direction="supports", weight=0.25, reliability=0.9)
    belief = await weigh_all(db, tenant, (await add(db, tenant)).id, [piece])
    async with db.transaction(service(tenant)) as tx:
        await beliefs.retract(tx, service(tenant), belief.id, "memory", piece.id)
    stronger = Evidence(kind="memory", id=piece.id, direction="supports", weight=1.0, reliability=0.9)
    await weigh_all(db, tenant, belief.id, [stronger])
    async with db.transaction(service(tenant)) as tx:
        latest, first = await beliefs.history(tx, service(tenant), belief.id)
    assert first.retracted_at is not None
    assert (first.weight, first.micronats) == (0.25, micronats(piece))
    assert latest.retracted_at is None
    assert (latest.weight, latest.prior) == (1.0, 0.5)
    assert latest.posterior == pytest.approx(0.9)


# What is refused.


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": -0.1},
        {"weight": 1.1},
        {"weight": float("nan")},
        {"reliability": 0.49},
        {"reliability": 0.96},
        {"reliability": 1.0},
        {"reliability": float("nan")},
        {"direction": "refutes"},
        {"kind": ""},
        {"kind": "Memory"},
        {"kind": "x" * 41},
        {"kind": "memory\n"},
    ],
)
async def test_evidence_that_does_not_fit_is_refused_and_changes_nothing(
    db: Database, tenant: Tenant, wrong: dict[str, Any]
) -> None:
    belief = await add(db, tenant)
    piece = Evidence(**({"kind": "memory", "id": uuid4(), "direction": "supports"} | wrong))
    async with db.transaction(service(tenant)) as tx:
        with pytest.raises(EvidenceInvalid):
            await beliefs.weigh(tx, service(tenant), belief.id, piece)
        assert await beliefs.history(tx, service(tenant), belief.id) == []


@pytest.mark.parametrize(
    ("column", "value"), [("weight", 2), ("reliability", 0.99), ("direction", "'refutes'")]
)
async def test_the_database_holds_writers_past_the_rule_to_its_bounds(
    db: Database, tenant: Tenant, column: str, value: object
) -> None:
    belief = await add(db, tenant)
    row = {"weight": 1, "reliability": 0.9, "direction": "'supports'", column: value}
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction(service(tenant)) as tx:
            await tx.execute(
                "insert into public.belief_updates (tenant_id, scope_id, belief_id, evidence_kind, evidence_id,"
                f" prior, posterior, {', '.join(row)}) values ($1, $1, $2, 'memory', $1, 0.5, 0.5,"
                f" {', '.join(map(str, row.values()))})",
                tenant.id,
                belief.id,
            )


@pytest.mark.parametrize("statement", ["", " \t", "x" * 4001])
async def test_what_is_no_statement_is_refused(db: Database, tenant: Tenant, statement: str) -> None:
    async with db.transaction(service(tenant)) as tx:
        with pytest.raises(BeliefInvalid):
            await beliefs.add(tx, service(tenant), statement, holder=AGENT)


@pytest.mark.parametrize("prior", [0, 0.009, 0.991, 1, float("nan")])
async def test_a_prior_that_nothing_could_move_is_refused(
    db: Database, tenant: Tenant, prior: float
) -> None:
    async with db.transaction(service(tenant)) as tx:
        with pytest.raises(BeliefInvalid):
            await beliefs.add(tx, service(tenant), "It rains", holder=AGENT, prior=prior)


async def test_a_statement_made_twice_is_kept_once(db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant)) as tx:
        first, new = await beliefs.add(
            tx, service(tenant), "Deploys fail on Fridays", holder=AGENT, prior=0.7
        )
        again, newer = await beliefs.add(tx, service(tenant), "deploys  fail on fridays", holder=AGENT)
    assert (new, newer, again) == (True, False, first)


async def test_another_persons_belief_is_as_none(
    db: Database, person: Person, stranger: Person, hers: Holder
) -> None:
    async with db.transaction(person.principal.served()) as tx:
        belief, _ = await beliefs.add(tx, person.principal, "She likes jazz", holder=hers)
    piece = Evidence(kind="memory", id=uuid4(), direction="contradicts")
    neighbour = await make_person(db, person.tenant, "bob")
    for other in (stranger, neighbour):
        for wanted in (belief.id, uuid4()):
            async with db.transaction(other.principal.served()) as tx:
                for act in (
                    beliefs.get(tx, other.principal, wanted),
                    beliefs.weigh(tx, other.principal, wanted, piece),
                    beliefs.retract(tx, other.principal, wanted, "memory", piece.id),
                    beliefs.recompute(tx, other.principal, wanted),
                ):
                    with pytest.raises(BeliefUnknown, match="no belief with this id is yours"):
                        await act
                assert await beliefs.listing(tx, other.principal, holder=hers) == []
    async with db.transaction(person.principal) as tx:
        assert await beliefs.listing(tx, person.principal, holder=hers, at_least=0.5) == [belief]
        assert await beliefs.listing(tx, person.principal, holder=hers, at_least=0.6) == []
