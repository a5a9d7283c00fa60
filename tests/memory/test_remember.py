"""What is known already, what contradicts it, and what is new: settled in the database, under concurrency."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from stead import memory
from stead.core.ids import new_id
from stead.db import Database, Row
from stead.memory import NewMemory, Remembered
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.support.people import Person

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return build_embedder("static", EmbedderConfig())


async def say(
    db: Database,
    who: Person,
    embedder: Embedder,
    text: str,
    *,
    at: datetime = AT,
    message: UUID | None = None,
) -> Remembered:
    new = await memory.prepare(
        embedder, memory.draw_facts(text, said_at=at, message_ids=(message or new_id(),))
    )
    assert new, text
    return await store(db, who, embedder, new)


async def store(db: Database, who: Person, embedder: Embedder, new: list[NewMemory]) -> Remembered:
    async with db.transaction(who.principal.served()) as tx:
        return await memory.remember(
            tx, who.principal, session_id=None, profile_id=who.id, memories=new, embedder=embedder
        )


async def rows(db: Database, who: Person) -> dict[str, Row]:
    async with db.transaction(who.principal.served(), read_only=True) as tx:
        found = await tx.rows("select * from agent_memories order by place")
    return {row["content"]: row for row in found}


async def ask(db: Database, who: Person, embedder: Embedder, text: str, at: datetime) -> list[str]:
    vector = (await embedder.embed([text]))[0]
    async with db.transaction(who.principal.served()) as tx:
        question = await memory.read_question(tx, who.id, text, vector=vector, asked_at=at)
        return [r.memory.content for r in await memory.recall(tx, who.id, question, embedder=embedder)]


async def test_a_new_value_ends_the_old_one_which_stays_with_its_validity(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await say(db, person, embedder, "I live in Porto.")
    moved = AT + timedelta(days=40)
    done = await say(db, person, embedder, "I live in Lisbon.", at=moved)
    assert len(done.superseded) == 1
    kept = await rows(db, person)
    assert kept["I live in Porto."]["valid_to"] == moved
    assert kept["I live in Porto."]["superseded_by"] == kept["I live in Lisbon."]["id"]
    assert kept["I live in Lisbon."]["valid_to"] is None
    now = await ask(db, person, embedder, "Where do I live?", moved + timedelta(days=1))
    assert now == ["I live in Lisbon."]
    then = await ask(db, person, embedder, "Where did I live in May 2026?", moved + timedelta(days=1))
    assert then[0] == "I live in Porto."
    used = await ask(db, person, embedder, "Where did I use to live?", moved + timedelta(days=1))
    assert "I live in Porto." in used


async def test_a_turn_that_says_what_is_no_longer_so_comes_after_what_is(
    db: Database, person: Person, embedder: Embedder
) -> None:
    message = new_id()
    said = "My name is Ann and I live in Porto and I charge a lot."
    turn = NewMemory(content=said, kind="turn", happened_at=AT, message_ids=(message,))
    await store(db, person, embedder, await memory.prepare(embedder, [turn]))
    await say(db, person, embedder, said, message=message)
    moved = AT + timedelta(days=1)
    await say(db, person, embedder, "I moved to Lisbon.", at=moved)
    found = await ask(db, person, embedder, "Where do I live?", moved)
    assert found.index("I moved to Lisbon.") < found.index(said)
    assert "I live in Porto" not in " ".join(content for content in found if content != said)


async def test_what_was_said_later_in_one_message_holds(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await say(
        db, person, embedder, "My favourite colour is red. Actually, my favourite colour is green."
    )
    live = [content for content, row in (await rows(db, person)).items() if row["valid_to"] is None]
    assert len(live) == 1
    assert "green" in live[0]


async def test_an_import_of_earlier_words_does_not_end_what_holds(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await say(db, person, embedder, "I live in Lisbon.")
    await say(db, person, embedder, "I live in Porto.", at=AT - timedelta(days=400))
    kept = await rows(db, person)
    assert kept["I live in Lisbon."]["valid_to"] is None
    assert kept["I live in Porto."]["valid_to"] == AT
    assert kept["I live in Porto."]["superseded_by"] == kept["I live in Lisbon."]["id"]


async def test_taking_back_one_value_leaves_the_others(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await say(db, person, embedder, "I live in Lisbon.")
    await say(db, person, embedder, "I no longer live in Porto.", at=AT + timedelta(days=1))
    assert (await rows(db, person))["I live in Lisbon."]["valid_to"] is None


async def test_liking_and_not_liking_are_no_duplicates(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await say(db, person, embedder, "I like coffee.")
    await say(db, person, embedder, "I don't like coffee any more.", at=AT + timedelta(days=1))
    kept = await rows(db, person)
    assert kept["I like coffee."]["valid_to"] is not None
    assert len(kept) == 2


async def test_a_maybe_ends_nothing(db: Database, person: Person, embedder: Embedder) -> None:
    await say(db, person, embedder, "I live in Lisbon.")
    new = NewMemory(
        content="Maybe I live in Porto next year.", topic="residence", confidence=0.4,
        happened_at=AT + timedelta(days=1),
    )  # fmt: skip
    done = await store(db, person, embedder, await memory.prepare(embedder, [new]))
    assert done.superseded == []


async def test_the_same_in_nearly_the_same_words_makes_it_surer_and_notes_the_source(
    db: Database, person: Person, embedder: Embedder
) -> None:
    first, second = new_id(), new_id()
    await say(db, person, embedder, "I work as a ceramic artist in Lisbon.", message=first)
    before = (await rows(db, person))["I work as a ceramic artist in Lisbon."]
    done = await say(db, person, embedder, "I'm working as a ceramic artist in Lisbon!", message=second)
    assert done.stored == []
    assert done.reinforced == [before["id"]]
    (after,) = (await rows(db, person)).values()
    assert after["confidence"] > before["confidence"]
    assert after["message_ids"] == [first, second]


async def test_sixteen_writers_of_one_topic_leave_one_that_holds(
    db: Database, person: Person, embedder: Embedder
) -> None:
    cities = ["Porto", "Faro", "Braga", "Évora", "Aveiro", "Coimbra", "Sintra", "Tavira"] * 2
    await asyncio.gather(
        *(
            say(db, person, embedder, f"I live in {city}.", at=AT + timedelta(minutes=n))
            for n, city in enumerate(cities)
        )
    )
    kept = await rows(db, person)
    live = [row for row in kept.values() if row["valid_to"] is None]
    assert len(live) == 1
    assert all(row["superseded_by"] is not None for row in kept.values() if row["valid_to"] is not None)
    # Whatever the order in which they came: what was said last holds.
    assert live[0]["content"] == "I live in Tavira."


async def test_other_peoples_facts_are_never_compared_with(
    db: Database, person: Person, stranger: Person, embedder: Embedder
) -> None:
    await say(db, stranger, embedder, "I live in Porto.")
    done = await say(db, person, embedder, "I live in Lisbon.")
    assert len(done.stored) == 1
    assert done.superseded == done.reinforced == []


async def test_an_event_is_found_by_its_own_time(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await say(db, person, embedder, "I'm flying to Rome next Friday.")
    (trip,) = (await rows(db, person)).values()
    assert trip["event_from"] == datetime(2026, 5, 15, tzinfo=UTC)
    assert trip["event_to"] == datetime(2026, 5, 16, tzinfo=UTC)
