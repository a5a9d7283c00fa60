"""Goals: said once, assessed over time, seen by whom they belong to."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from stead.db import Database
from stead.identity import Tenant
from stead.knowledge import embed_backlog
from stead.memory import cognition
from stead.memory.cognition import GoalAbandoned, GoalInvalid, GoalUnknown, Holder, goals
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.support.people import Person, make_person, service

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)


async def add(
    db: Database, who: Person, holder: Holder, words: str = "Run a marathon"
) -> cognition.Goal:
    async with db.transaction(who.principal.served()) as tx:
        return (await goals.add(tx, who.principal, words, holder=holder))[0]


async def test_a_goal_said_twice_is_kept_once(db: Database, person: Person, hers: Holder) -> None:
    async with db.transaction(person.principal.served()) as tx:
        first, new = await goals.add(tx, person.principal, "Run a marathon", holder=hers, importance=0.9)
        again, newer = await goals.add(tx, person.principal, "  run a\n MARATHON ", holder=hers)
        other, others = await goals.add(
            tx,
            person.principal,
            "Run a marathon",
            holder=Holder(profile_id=person.id, agent_name="coach"),
        )
    assert (new, newer, others) == (True, False, True)
    assert again == first
    assert other.id != first.id
    assert (first.status, first.progress, first.importance) == ("active", 0, 0.9)


async def test_two_who_say_it_at_once_get_one_goal(db: Database, person: Person, hers: Holder) -> None:
    made = await asyncio.gather(*(add(db, person, hers, "Learn Portuguese") for _ in range(8)))

    assert len({goal.id for goal in made}) == 1


async def test_progress_is_the_latest_by_its_own_time(
    db: Database, person: Person, hers: Holder
) -> None:
    """In whatever order assessments come in."""
    goal = await add(db, person, hers)
    steps = [(AT + timedelta(days=n), n / 10) for n in range(8)]
    for at, share in random.Random(7).sample(steps, len(steps)):
        async with db.transaction(person.principal.served()) as tx:
            await goals.assess(tx, person.principal, goal.id, share, at=at, note=f"day {share}")
    async with db.transaction(person.principal) as tx:
        seen = await goals.get(tx, person.principal, goal.id)
        history = await goals.progress(tx, person.principal, goal.id)

    assert (seen.progress, seen.assessed_at, seen.status) == (0.7, AT + timedelta(days=7), "active")
    assert [(entry.at, entry.progress) for entry in history] == steps[::-1]
    assert seen.updated_at > goal.updated_at


async def test_writers_at_once_leave_the_latest(db: Database, person: Person, hers: Holder) -> None:
    goal = await add(db, person, hers)

    async def assess(n: int) -> None:
        async with db.transaction(person.principal.served()) as tx:
            await goals.assess(tx, person.principal, goal.id, n / 16, at=AT + timedelta(hours=n))

    await asyncio.gather(*(assess(n) for n in random.Random(3).sample(range(16), 16)))
    async with db.transaction(person.principal) as tx:
        assert (await goals.get(tx, person.principal, goal.id)).progress == 15 / 16
        assert len(await goals.progress(tx, person.principal, goal.id)) == 16


async def test_an_assessment_given_twice_is_noted_once_with_its_evidence(
    db: Database, person: Person, hers: Holder
) -> None:
    goal, assessment, evidence = await add(db, person, hers), uuid4(), [uuid4(), uuid4()]
    for share in (0.25, 0.75):
        async with db.transaction(person.principal.served()) as tx:
            seen = await goals.assess(
                tx, person.principal, goal.id, share, evidence_kind="message", evidence_ids=evidence,
                assessment_id=assessment,
            )  # fmt: skip
        assert seen.progress == 0.25
    async with db.transaction(person.principal) as tx:
        (entry,) = await goals.progress(tx, person.principal, goal.id)
    assert (entry.evidence_kind, entry.evidence_ids) == ("message", evidence)


async def test_a_goal_is_achieved_until_an_assessment_says_less(
    db: Database, person: Person, hers: Holder
) -> None:
    goal = await add(db, person, hers)
    async with db.transaction(person.principal.served()) as tx:
        assert (await goals.assess(tx, person.principal, goal.id, 1.0, at=AT)).status == "achieved"
        # One that is older changes nothing of that.
        before = await goals.assess(tx, person.principal, goal.id, 0.4, at=AT - timedelta(days=1))
        assert (before.status, before.progress) == ("achieved", 1)
        after = await goals.assess(tx, person.principal, goal.id, 0.9, at=AT + timedelta(days=1))
        assert (after.status, after.progress) == ("active", 0.9)


async def test_what_was_given_up_takes_no_assessments_until_it_is_resumed(
    db: Database, person: Person, hers: Holder
) -> None:
    goal = await add(db, person, hers)
    async with db.transaction(person.principal.served()) as tx:
        await goals.assess(tx, person.principal, goal.id, 1.0)
        assert (await goals.abandon(tx, person.principal, goal.id)).status == "abandoned"
        with pytest.raises(GoalAbandoned):
            await goals.assess(tx, person.principal, goal.id, 0.5)
        assert len(await goals.progress(tx, person.principal, goal.id)) == 1
        assert (await goals.resume(tx, person.principal, goal.id)).status == "achieved"


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
async def test_what_is_no_share_is_refused(
    db: Database, person: Person, hers: Holder, share: float
) -> None:
    goal = await add(db, person, hers)
    async with db.transaction(person.principal.served()) as tx:
        with pytest.raises(GoalInvalid):
            await goals.assess(tx, person.principal, goal.id, share)
        with pytest.raises(GoalInvalid):
            await goals.add(tx, person.principal, "Other", holder=hers, importance=share)
        assert await goals.progress(tx, person.principal, goal.id) == []


@pytest.mark.parametrize("words", ["", "  \n", "x" * 4001])
async def test_what_is_no_goal_is_refused(
    db: Database, person: Person, hers: Holder, words: str
) -> None:
    async with db.transaction(person.principal.served()) as tx:
        with pytest.raises(GoalInvalid):
            await goals.add(tx, person.principal, words, holder=hers)


@pytest.mark.parametrize(
    "wrong",
    [
        {"note": ""},
        {"note": "x" * 4001},
        {"evidence_ids": [uuid4()] * 1001},
        {"evidence_kind": "A memory"},
        {"evidence_kind": ""},
        {"at": AT.replace(tzinfo=None)},
    ],
)
async def test_an_assessment_that_does_not_fit_is_refused(
    db: Database, person: Person, hers: Holder, wrong: dict[str, Any]
) -> None:
    goal = await add(db, person, hers)
    async with db.transaction(person.principal.served()) as tx:
        with pytest.raises(GoalInvalid):
            await goals.assess(tx, person.principal, goal.id, 0.5, **wrong)
        assert (await goals.get(tx, person.principal, goal.id)).assessed_at is None


async def test_another_persons_goal_is_as_none(
    db: Database, person: Person, stranger: Person, hers: Holder
) -> None:
    goal = await add(db, person, hers)
    neighbour = await make_person(db, person.tenant, "bob")
    for other in (stranger, neighbour):
        for wanted in (goal.id, uuid4()):
            async with db.transaction(other.principal.served()) as tx:
                for act in (
                    goals.get(tx, other.principal, wanted),
                    goals.assess(tx, other.principal, wanted, 0.5),
                    goals.abandon(tx, other.principal, wanted),
                    goals.resume(tx, other.principal, wanted),
                    goals.remove(tx, other.principal, wanted),
                ):
                    with pytest.raises(GoalUnknown, match="no goal with this id is yours"):
                        await act
                assert await goals.progress(tx, other.principal, wanted) == []
                assert await goals.listing(tx, other.principal, holder=hers) == []


async def test_an_agents_own_goal_is_the_tenants(db: Database, person: Person, tenant: Tenant) -> None:
    own = Holder(agent_name="planner")
    async with db.transaction(service(tenant)) as tx:
        goal, _ = await goals.add(tx, service(tenant), "Answer within a minute", holder=own)
        await goals.assess(tx, service(tenant), goal.id, 0.5)
        assert await goals.listing(tx, service(tenant), holder=own, status="active")
    async with db.transaction(person.principal.served()) as tx:
        with pytest.raises(GoalUnknown):
            await goals.get(tx, person.principal, goal.id)
        assert await tx.rows("select 1 from public.goal_progress") == []


async def test_a_removed_goal_takes_its_history_along(
    db: Database, person: Person, hers: Holder
) -> None:
    goal = await add(db, person, hers)
    async with db.transaction(person.principal.served()) as tx:
        await goals.assess(tx, person.principal, goal.id, 0.5)
        await goals.remove(tx, person.principal, goal.id)
        assert await tx.rows("select 1 from public.goal_progress") == []
        with pytest.raises(GoalUnknown):
            await goals.get(tx, person.principal, goal.id)


async def test_goals_are_found_by_words_and_by_meaning(
    db: Database, person: Person, hers: Holder
) -> None:
    embedder = build_embedder("static", EmbedderConfig())
    run = await add(db, person, hers, "Run a marathon in autumn")
    language = await add(db, person, hers, "Speak Portuguese fluently")
    while await embed_backlog(db, embedder):
        pass
    question = "improving at foreign languages"
    (vector,) = await embedder.embed([question])
    async with db.transaction(person.principal.served()) as tx:
        by_words = await goals.find(
            tx, person.principal, "marathon", holder=hers, embedder=embedder, vector=None, limit=1
        )
        by_meaning = await goals.find(
            tx, person.principal, question, holder=hers, embedder=embedder, vector=vector, limit=1
        )
        stored = await tx.value(
            "select goal_vector(g) from public.goal_assessments g where id = $1", run.id
        )
    assert [goal.id for goal in by_words] == [run.id]
    assert [goal.id for goal in by_meaning] == [language.id]
    assert len(stored) == embedder.dimensions
