"""What an anonymous session had becomes the person's when it is linked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from stead import sessions
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal, anonymous
from stead.memory import cognition
from stead.memory.cognition import Evidence, Holder, beliefs, goals, graph
from tests.support.people import Person, service
from tests.support.servers import Running

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)


@pytest.fixture
async def visitor(db: Database, person: Person) -> Principal:
    visitor = anonymous(person.tenant, new_id())
    async with db.transaction(visitor.served()) as tx:
        await sessions.open_session(tx, visitor)
    return visitor


async def link(db: Database, visitor: Principal, person: Person) -> int:
    assert visitor.session_id is not None
    everything = service(person.tenant)
    async with db.transaction(everything) as tx:
        await tx.execute(
            "update public.sessions set profile_id = $2 where id = $1", visitor.session_id, person.id
        )
        return await cognition.move_session(tx, everything, visitor.session_id, person.id)


def evidence(name: UUID | None = None, reliability: float = 0.8) -> Evidence:
    return Evidence(kind="memory", id=name or uuid4(), direction="supports", reliability=reliability)


async def test_goals_and_beliefs_with_their_history_move(
    db: Database, person: Person, visitor: Principal
) -> None:
    theirs = Holder(session_id=visitor.session_id)
    async with db.transaction(visitor.served()) as tx:
        goal, _ = await goals.add(tx, visitor, "Find a flat", holder=theirs)
        await goals.assess(tx, visitor, goal.id, 0.5)
        one, _ = await beliefs.add(tx, visitor, "Rents rise", holder=theirs, prior=0.9)
        two, _ = await beliefs.add(tx, visitor, "Buying is better", holder=theirs)
        await graph.connect(tx, visitor, one.id, two.id, "supports")
        await graph.propagate(tx, visitor, one.id)

    assert await link(db, visitor, person) == 3

    async with db.transaction(person.principal) as tx:
        assert (await goals.get(tx, person.principal, goal.id)).progress == 0.5
        assert len(await goals.progress(tx, person.principal, goal.id)) == 1
        assert len(await graph.edges(tx, person.principal, one.id)) == 1
        assert (await beliefs.get(tx, person.principal, two.id)).confidence == pytest.approx(
            0.75, abs=1e-4
        )
        assert len(await beliefs.history(tx, person.principal, two.id)) == 1
    # The session's token opens nothing of it any more.
    async with db.transaction(visitor) as tx:
        for table in (
            "goal_assessments",
            "goal_progress",
            "belief_graphs",
            "belief_edges",
            "belief_updates",
        ):
            assert await tx.rows(f"select 1 from public.{table}") == [], table


async def test_linking_over_http_moves_them(server: Running, db: Database, person: Person) -> None:
    async with httpx.AsyncClient(base_url=server.base_url) as nobody:
        opened = (await nobody.post("/api/session", json={"orgId": person.tenant.slug})).json()
    everything = service(person.tenant)
    async with db.transaction(everything) as tx:
        goal, _ = await goals.add(
            tx, everything, "Find a flat", holder=Holder(session_id=UUID(opened["sessionId"]))
        )
    answer = await server.client.post(
        f"/api/session/{opened['sessionId']}/link",
        json={"clerkUserId": str(person.id)},
        headers={**person.headers, "x-session-token": opened["sessionToken"]},
    )
    assert answer.status_code == 200, answer.text
    async with db.transaction(person.principal) as tx:
        assert (await goals.get(tx, person.principal, goal.id)).profile_id == person.id


async def test_what_both_have_comes_together(db: Database, person: Person, visitor: Principal) -> None:
    theirs, hers = Holder(session_id=visitor.session_id), Holder(profile_id=person.id)
    shared = uuid4()
    async with db.transaction(person.principal.served()) as tx:
        goal, _ = await goals.add(tx, person.principal, "Find a flat", holder=hers)
        await goals.assess(tx, person.principal, goal.id, 0.2, at=AT)
        kept, _ = await beliefs.add(tx, person.principal, "Rents rise", holder=hers)
        await beliefs.weigh(tx, person.principal, kept.id, evidence(shared))
    async with db.transaction(visitor.served()) as tx:
        again, _ = await goals.add(tx, visitor, "find a  flat", holder=theirs)
        await goals.assess(tx, visitor, again.id, 0.6, at=AT + timedelta(days=1))
        twin, _ = await beliefs.add(tx, visitor, "rents rise", holder=theirs)
        await beliefs.weigh(tx, visitor, twin.id, evidence(shared))
        await beliefs.weigh(tx, visitor, twin.id, evidence())
        other, _ = await beliefs.add(tx, visitor, "Buying is better", holder=theirs)
        await graph.connect(tx, visitor, twin.id, other.id, "supports")
        await graph.propagate(tx, visitor, twin.id)

    await link(db, visitor, person)

    async with db.transaction(person.principal.served()) as tx:
        (only,) = await goals.listing(tx, person.principal, holder=hers)
        assert (only.id, only.progress) == (goal.id, 0.6)
        assert len(await goals.progress(tx, person.principal, goal.id)) == 2
        merged = await beliefs.get(tx, person.principal, kept.id)
        # The shared piece counts once: odds of 4 twice.
        assert merged.supporting == 2
        assert merged.confidence == pytest.approx(16 / 17, abs=1e-4)
        (edge,) = await graph.edges(tx, person.principal, kept.id)
        assert (edge.from_belief_id, edge.to_belief_id) == (kept.id, other.id)
        # What the twin passed on went with it; the kept one speaks when it is asked to.
        assert (await beliefs.get(tx, person.principal, other.id)).confidence == 0.5
        (spoken,) = await graph.propagate(tx, person.principal, kept.id)
        assert spoken.supporting == 1
        assert len(await beliefs.listing(tx, person.principal, holder=hers)) == 2
