"""Scopes of which only candidates are scored: what is found is what scoring all of them finds."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from stead import memory
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.memory import NewMemory, Recalled
from stead.providers.embedders import Embedder
from tests.knowledge.conversations import AT, QUESTIONS, find, said, write
from tests.support.people import Person, make_person, make_tenant, service

ALL = 20_000


@pytest_asyncio.fixture(scope="module")
async def talker(access: DatabaseAccess, db: Database, embedder: Embedder) -> Person:
    """Somebody who has said two hundred things."""
    person = await make_person(db, await make_tenant(access))
    await write(db, person, embedder, said(2_000_000 + person.id.int % 1_000_000))
    return person


async def narrowed(
    db: Database, who: Person, embedder: Embedder, question: str, *, agent: UUID | None = None,
    kinds: list[memory.MemoryKind] | None = None, whole_below: int,
) -> list[Recalled]:  # fmt: skip
    (vector,) = await embedder.embed([question])
    async with db.transaction(who.principal.served()) as tx:
        return await memory.recall(
            tx, who.id, memory.Question(text=question, vector=vector, asked_at=AT), embedder=embedder,
            agent_id=agent, kinds=kinds, limit=3, whole_below=whole_below,
        )  # fmt: skip


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_best_candidates_are_the_best_of_all(
    db: Database, talker: Person, embedder: Embedder, question: str, dense: bool
) -> None:
    """Of two hundred, fifty are scored."""
    whole = await find(db, talker, embedder, question, limit=10, dense=dense, whole_below=ALL)
    picked = await find(db, talker, embedder, question, limit=10, dense=dense, whole_below=0)
    assert not any(r.scores.approximate for r in whole)
    assert all(r.scores.approximate for r in picked)
    matching = [r for r in whole[:3] if r.score > 0]
    by_id = {r.memory.id: r for r in picked}
    assert [r.memory.id for r in matching] == [r.memory.id for r in picked[: len(matching)]]
    for r in matching:
        same = by_id[r.memory.id].scores
        for arm in ("dense", "dense_near", "lexical", "lexical_near", "lexical_wide"):
            assert (getattr(same, arm) or 0) == pytest.approx(getattr(r.scores, arm) or 0, abs=1e-9), arm


async def test_nearly_all_of_the_best_ten_are_among_them(
    db: Database, talker: Person, embedder: Embedder
) -> None:
    shares: list[float] = []
    for question in QUESTIONS:
        whole = await find(db, talker, embedder, question, limit=10, whole_below=ALL)
        picked = await find(db, talker, embedder, question, limit=10, whole_below=0)
        shares.append(len({r.memory.id for r in whole} & {r.memory.id for r in picked}) / len(whole))
    assert sum(shares) / len(shares) >= 0.95


async def test_where_nothing_matches_the_latest_fill_up(
    db: Database, talker: Person, embedder: Embedder
) -> None:
    whole = await find(db, talker, embedder, "xyzzy", limit=10, dense=False, whole_below=ALL)
    picked = await find(db, talker, embedder, "xyzzy", limit=10, dense=False, whole_below=0)
    assert [r.memory.id for r in picked] == [r.memory.id for r in whole]


async def test_what_other_agents_keep_to_themselves_does_not_crowd_out_what_is_for_all(
    access: DatabaseAccess, db: Database, embedder: Embedder
) -> None:
    person = await make_person(db, await make_tenant(access))
    async with db.transaction(service(person.tenant)) as tx:
        one, two = [
            await tx.value(
                "insert into agents (tenant_id, slug, name) values ($1, $2, $2) returning id",
                person.tenant.id, slug,
            )
            for slug in ("one", "two")
        ]  # fmt: skip
    secrets = [
        NewMemory(content=f"I told one of my trip to Lisbon, part {n}.", happened_at=AT, agent_id=one)
        for n in range(150)
    ]
    told = [
        NewMemory(content=text, happened_at=AT)
        for text in ("My cat is called Momo.", "I play the cello.", "I owe Anna a dinner.")
    ]
    await write(db, person, embedder, [*told, *secrets])
    found = await narrowed(db, person, embedder, "my trip to Lisbon", agent=two, whole_below=0)
    assert {r.memory.content for r in found} == {m.content for m in told}
    assert not any(r.scores.approximate for r in found)
    found = await narrowed(db, person, embedder, "my trip to Lisbon", agent=one, whole_below=0)
    assert all("Lisbon" in r.memory.content for r in found)
    assert all(r.scores.approximate for r in found)


async def test_a_kind_that_is_asked_for_is_found_among_others(
    access: DatabaseAccess, db: Database, embedder: Embedder
) -> None:
    person = await make_person(db, await make_tenant(access))
    turns = [
        NewMemory(content=f"We talked of Lisbon, part {n}.", happened_at=AT, kind="turn")
        for n in range(150)
    ]
    facts = [NewMemory(content="My cat is called Momo.", happened_at=AT)]
    await write(db, person, embedder, [*facts, *turns])
    found = await narrowed(db, person, embedder, "Lisbon", kinds=["fact"], whole_below=0)
    assert [r.memory.content for r in found] == ["My cat is called Momo."]


async def test_what_is_moved_is_found_at_its_new_place(
    access: DatabaseAccess, db: Database, embedder: Embedder
) -> None:
    person = await make_person(db, await make_tenant(access))
    talk = [
        NewMemory(content=text, happened_at=AT + timedelta(minutes=n))
        for n, text in enumerate(["I own a canoe.", "It rains.", "The bread is good."])
    ]
    await write(db, person, embedder, talk)
    assert access.admin_url is not None
    admin = await asyncpg.connect(access.admin_url)
    try:
        await admin.execute(
            "update agent_memories set place = nextval('stead.search_place') where scope_id = $1",
            person.id,
        )
        places = """
            select m.place, d.place, e.place, min(t.place), max(t.place), min(t.length), d.length
            from agent_memories m join stead.search_docs d on d.owner_id = m.id
            join stead.embeddings e on e.owner_id = m.id
            join stead.search_terms t on t.term = any (d.terms) and t.place = d.place
            where m.scope_id = $1 group by m.place, d.place, e.place, d.length
        """
        rows = await admin.fetch(places, person.id)
    finally:
        await admin.close()
    assert len(rows) == 3
    assert all(len(set(row[:5])) == 1 and row[5] == row[6] for row in map(tuple, rows))
    for whole_below in (0, ALL):
        found = await find(db, person, embedder, "I own a canoe.", whole_below=whole_below)
        assert found[0].memory.content == "I own a canoe."
        assert found[0].scores.dense == pytest.approx(1, abs=0.01)
