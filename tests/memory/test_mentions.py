"""Names in questions, and the speakers that they are about."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stead.memory.mentions import MAX_NAMES, find_names, speaker_of

SPEAKERS = [
    "Anna Smith", "Will", "May", "Łukasz", "李雷", "محمد", "Bob", "assistant", "Mark Twain", "Al", "Jean-Luc",
    "Zoë",
]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What did Anna say about Rome?", ["Anna", "Rome"]),
        ("Did Anna Smith go to New York?", ["Anna Smith", "New York"]),
        ("Anna Smith went where?", ["Anna Smith"]),
        ("Where did Caroline's family go?", ["Caroline"]),
        ("Where did Caroline\u2019s family go?", ["Caroline"]),
        ("What's Łukasz's dog called?", ["Łukasz"]),
        ("Who is J. R. R. Tolkien?", ["J. R. R. Tolkien"]),
        ("Did Dr. Smith meet Mr. O'Brien?", ["Smith", "O'Brien"]),
        ("Did Ludwig van Beethoven live in Bonn?", ["Ludwig van Beethoven", "Bonn"]),
        ("Was she in the United States of America?", ["United States of America"]),
        ("Is Jean-Luc with NASA?", ["Jean-Luc", "NASA"]),
        ("Where is my iPhone 15?", ["iPhone 15"]),
        ("What about June Carter?", ["June Carter"]),
        ("Where does d'Artagnan live?", ["d'Artagnan"]),
        ("Did Ömer call Élodie?", ["Ömer", "Élodie"]),
        ("Что сказала Анна?", ["Анна"]),
        ("What did 李雷 say?", ["李雷"]),
        ("What did محمد say?", ["محمد"]),
        # Titles, handles, addresses.
        ('Did I read "Harry Potter"?', ["Harry Potter"]),
        ("Did I read “the hobbit”?", ["the hobbit"]),
        ("Did I like 'The Hobbit'?", ["The Hobbit"]),
        ("What did @anna_k write?", ["anna_k"]),
        ("Who is bob.lee@example.com?", ["bob.lee"]),
        # A capital that tells nothing.
        ("Remember my dog?", []),
        ("Gardening is fun?", []),
        ("Anna went where?", []),
        ("I think I'm late. Where am I?", []),
        ("What did I do on Monday in May?", []),
        ("WHAT DID ANNA SAY ABOUT HER TRIP TO ROME?", []),
        ("what did anna say", []),
        # One that is told by another place.
        ("Anna said hi. Did Anna call?", ["Anna"]),
        ("Did ANNA call? Anna said so.", ["ANNA"]),
        ("", []),
    ],
)
def test_names_are_found(question: str, names: list[str]) -> None:
    assert find_names(question) == names


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Anna went where?", ["Anna"]),
        ("what did anna say", ["anna"]),
        ("WHAT DID ANNA SAY ABOUT HER TRIP TO ROME?", ["ANNA"]),
        ("李雷昨天说了什么", ["李雷"]),
        ("ماذا قال محمد؟", ["محمد"]),
        ("Is it annabel?", []),
    ],
)
def test_a_known_name_is_found_anywhere(question: str, names: list[str]) -> None:
    assert find_names(question, known=["Anna", "李雷", "محمد"]) == names


def test_there_are_at_most_twenty_names_and_each_is_told_once() -> None:
    many = ", ".join(f"x Name{chr(65 + at)}" for at in range(26))
    assert len(find_names(many)) == MAX_NAMES
    assert find_names("did Anna, anna and ANNA meet Anna?") == ["Anna"]


@pytest.mark.parametrize(
    ("question", "speakers"),
    [
        ("What did Anna say?", {"Anna Smith"}),
        ("anna's dog", {"Anna Smith"}),
        ("Anna\u2019s dog", {"Anna Smith"}),
        ("what did ANNA SMITH do", {"Anna Smith"}),
        ("Anna'll come", {"Anna Smith"}),
        ("What did Lukasz say?", {"Łukasz"}),
        ("What did Łukasz say?", {"Łukasz"}),
        ("What did Zoe\u0308 say?", {"Zoë"}),
        ("What did zoe say?", {"Zoë"}),
        ("李雷昨天说了什么", {"李雷"}),
        ("What did محمد say?", {"محمد"}),
        ("Did Bob and Anna meet?", {"Bob", "Anna Smith"}),
        ("What did @bob write?", {"Bob"}),
        ("Bob: what did he mean?", {"Bob"}),
        ("What did the assistant tell?", {"assistant"}),
        ("what did mark twain write", {"Mark Twain"}),
        ("Did Jean-Luc sail?", {"Jean-Luc"}),
        ("Was Al there?", {"Al"}),
        # Not inside other words.
        ("bobby and annabel", set()),
        ("Also about Albert", set()),
        ("What did Smithers say?", set()),
        # Names that are words.
        ("What did Will say?", {"Will"}),
        ("Will's mother", {"Will"}),
        ("Will it rain?", set()),
        ("What will he do?", set()),
        ("May we go?", set()),
        ("What happened in May?", set()),
        ("What happened on May 8?", set()),
        ("What did May cook?", {"May"}),
        ("mark these words", set()),
        ("WILL IT RAIN ON US?", set()),
        ("TELL US WHAT WILL HAPPEN", set()),
        ("", set()),
    ],
)
def test_a_question_is_about_its_speakers(question: str, speakers: set[str]) -> None:
    assert speaker_of(question, SPEAKERS) == speakers


@pytest.mark.parametrize(
    ("question", "mine"),
    [
        ("What did I say?", True),
        ("what's my name", True),
        ("Tell me", True),
        ("i'm where?", True),
        ("I\u2019ve a dog?", True),
        ("Did Anna call?", False),
        ("some theme, mice, mythology", False),
    ],
)
def test_i_is_the_one_who_asks(question: str, mine: bool) -> None:
    assert ("user" in speaker_of(question, SPEAKERS, me="user")) is mine
    assert "user" not in speaker_of(question, SPEAKERS)


def test_nameless_speakers_are_nobody() -> None:
    assert speaker_of("What did Anna say, and who?", ["", " ", "?", "@", "Anna"]) == {"Anna"}


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=120), speakers=st.lists(st.text(max_size=12), max_size=5))
def test_any_text_can_be_asked(text: str, speakers: list[str]) -> None:
    names = find_names(text, known=speakers)
    assert all(name and name == name.strip() for name in names)
    assert len(names) <= MAX_NAMES
    assert speaker_of(text, speakers) <= set(speakers)


@pytest.mark.parametrize(
    "text",
    ["Anna " * 20_000, "A. " * 30_000, "'" * 90_000, "a@" * 30_000, "a.a." * 20_000, '"a' * 30_000],
)
@pytest.mark.timeout(20)
def test_nonsense_ends_soon(text: str) -> None:
    find_names(text, known=["Anna"])
    speaker_of(text, SPEAKERS, me="user")
