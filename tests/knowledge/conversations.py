"""Some two hundred things that somebody said, and questions about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from stead import memory, sessions
from stead.db import Database
from stead.memory import NewMemory, Recalled, Remembered
from stead.providers.embedders import Embedder
from tests.support.people import Person

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)

_TALKS = {
    "garden": ["tomatoes", "roses", "a lemon tree", "wild garlic", "sunflowers", "an old pear tree"],
    "kitchen": ["sourdough bread", "lentil soup", "apple cake", "pumpkin curry", "pickled beans", "dumplings"],
    "harbour": ["a sailing boat", "the fish market", "a broken mast", "the lighthouse", "fog", "a ferry to Faro"],
    "office": ["a new contract", "the printer", "our budget", "the intern", "a late invoice", "the audit"],
    "doctor": ["my knee", "hay fever", "a blood test", "headaches", "reading glasses", "sleep"],
    "music": ["the cello", "a choir concert", "jazz records", "a broken string", "opera tickets", "drums"],
}  # fmt: skip
_FACTS = [
    "My sister {name} teaches chemistry in {city}.",
    "I bought a {colour} bicycle from {name}.",
    "{name} is allergic to {food}.",
    "My friend {name} moved to {city} last spring.",
    "The {colour} cup on my desk was a present from {name}.",
]
_NAMES = ["Anna", "Bartek", "Chidi", "Dunja", "Emeka", "Farah", "Goran", "Hanae", "Ines", "Jonas"]
_CITIES = ["Lisbon", "Porto", "Oslo", "Accra", "Lyon", "Graz", "Turin", "Leeds", "Osaka", "Quito"]
_COLOURS = ["red", "blue", "green", "yellow", "violet"]
_FOODS = ["peanuts", "shellfish", "celery", "sesame", "strawberries"]

QUESTIONS = [
    "What did I plant in the garden?",
    "Which soup did I cook?",
    "veterinarian, physician, pain in a joint",
    "Who is allergic to peanuts?",
    "Where does Anna teach?",
    "a boat trip in bad weather",
    "musical instruments",
    "Who gave me the violet cup?",
    "money trouble at work",
    "cycling",
    "the lighthouse",
    "Which of my friends live in Portugal?",
]


def said(number: int) -> list[NewMemory]:
    """Turns of six conversations and fifty facts.

    Args:
        number: Of the first session; the turns of one have neighbouring places.
    """
    turns = [
        NewMemory(
            content=text, happened_at=AT + timedelta(days=talk, minutes=turn), kind="turn",
            speaker=("user", "concierge")[turn % 2], place=sessions.place_of(number + talk, turn + 1),
        )
        for talk, (topic, things) in enumerate(_TALKS.items())
        for turn, text in enumerate(
            line
            for thing in things
            for line in (
                f"Today I was busy with {thing} ({topic}).",
                f"How did it go with {thing}?",
                "Better than I thought.",
                f"Then tell me more about the {topic} tomorrow.",
            )
        )
    ]  # fmt: skip
    facts = [
        NewMemory(
            content=pattern.format(
                name=_NAMES[(7 * p + 3 * n) % 10], city=_CITIES[(3 * p + n) % 10],
                colour=_COLOURS[(p + n) % 5], food=_FOODS[(p + 2 * n) % 5],
            ),
            happened_at=AT + timedelta(hours=10 * p + n),
        )
        for p, pattern in enumerate(_FACTS)
        for n in range(10)
    ]  # fmt: skip
    return [*turns, *facts]


async def write(
    db: Database, who: Person, embedder: Embedder, memories: list[NewMemory], *, bare: bool = False
) -> Remembered:
    """Stores memories; bare: without the vectors that could be made at once."""
    ready = await memory.prepare(embedder, memories)
    if bare:
        ready = [replace(item, vector=None) for item in ready]
    async with db.transaction(who.principal.served()) as tx:
        return await memory.remember(
            tx, who.principal, session_id=None, profile_id=who.id, memories=ready, embedder=embedder
        )


async def find(
    db: Database, who: Person, embedder: Embedder, question: str, *, limit: int = 20, dense: bool = True,
    whole_below: int = 20_000, scope: UUID | None = None,
) -> list[Recalled]:  # fmt: skip
    """What is recalled for a question."""
    vector = (await embedder.embed([question]))[0] if dense else None
    async with db.transaction(who.principal.served()) as tx:
        return await memory.recall(
            tx, scope or who.id, memory.Question(text=question, vector=vector, asked_at=AT), embedder=embedder,
            limit=limit, whole_below=whole_below,
        )  # fmt: skip


def assert_same_ranking(one: list[Recalled], other: list[Recalled]) -> None:
    """The same memories with the same scores, but for what half precision does; ties in any order."""
    scores = {r.memory.content + str(r.memory.happened_at): r for r in other}
    assert len(scores) == len(other) == len(one)
    for item in one:
        twin = scores.get(item.memory.content + str(item.memory.happened_at))
        if twin is None:
            # Only what stands at the edge may be left out for its equal.
            assert abs(item.score - other[-1].score) < 0.01, item.memory.content
            continue
        assert abs(item.score - twin.score) < 0.01
        for arm in ("dense", "dense_near"):
            ours, theirs = getattr(item.scores, arm), getattr(twin.scores, arm)
            assert (ours is None) == (theirs is None)
            assert ours is None or abs(ours - theirs) < 0.005
        assert abs((item.scores.lexical or 0) - (twin.scores.lexical or 0)) < 1e-9
    order = [r.score for r in other]
    assert order == sorted(order, reverse=True)
