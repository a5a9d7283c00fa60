"""What was given to the model is not learnt from its coming back."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.memory import InjectionBudget, Memory, Recalled, as_instructions, find_facts
from stead.memory.facts.echoes import is_echo, strip_injected


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I like tea.", "I like tea."),
        ("a <memories>x</memories> b", "a \n b"),
        ("a <memories>x", "a "),
        ("a <MEMORIES >x< / memories> b", "a \n b"),
        ("<memories>x<memories>y</memories>z</memories>b", "\nb"),
        ("a\n> quoted\nb", "a\n\nb"),
        ("a\n```\ncode\n```\nb", "a\n\nb"),
        ("a\n````\n```\nI like tea\n````\nb", "a\n\nb"),
        ("a\n~~~\nnever closed", "a\n"),
        ("a\n- [2026-05-04] I like tea\nb", "a\n\nb"),
        ("2 < 3 and 4 > 3", "2 < 3 and 4 > 3"),
    ],
)
def test_injected_and_quoted_text_is_taken_out(text: str, left: str) -> None:
    assert strip_injected(text) == left


def _recalled(content: str) -> Recalled:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    memory = Memory(
        id=uuid4(),
        kind="fact",
        source="chat",
        speaker="user",
        content=content,
        metadata={},
        importance=0.5,
        confidence=0.9,
        topic=None,
        message_ids=[],
        happened_at=now,
        event_from=None,
        event_to=None,
        valid_from=now,
        valid_to=None,
        superseded_by=None,
        recall_count=0,
        used_count=0,
        archived_at=None,
        profile_id=None,
        session_id=None,
        agent_id=None,
        created_at=now,
    )
    return Recalled(memory=memory, score=1.0)


def test_a_block_as_it_is_injected_gives_no_facts() -> None:
    block, chosen = as_instructions(
        [_recalled("I live in Oslo."), _recalled("My name is Ann.")], InjectionBudget()
    )
    assert len(chosen) == 2
    assert find_facts(block) == []
    # Without its markers too: a client may show the instructions without the tags.
    assert find_facts("\n".join(block.splitlines()[2:-1])) == []
    assert [f.text for f in find_facts(f"{block}\nI keep bees.")] == ["I keep bees."]


@pytest.mark.parametrize(
    ("candidate", "injected"),
    [
        ("I live in Porto", "I live in Porto."),
        ("i live in porto!", "I live in Porto."),
        ("I'm based in Porto", "I live in Porto."),
        ("Actually, I do like jazz", "I like jazz"),
        ("I love coffee", "I like coffee"),
        ("I live in Porto", "I live in Porto with my two dogs."),
        ("I work on a novel", "Hello. I am working on a novel about my grandmother. Bye."),
        ("My day rate is 300", "I charge $300 a day."),
    ],
)
def test_the_same_again_is_an_echo(candidate: str, injected: str) -> None:
    assert is_echo(candidate, ["Something else entirely.", injected])


@pytest.mark.parametrize(
    ("candidate", "injected"),
    [
        ("I live in Lisbon", "I live in Porto"),
        ("I don't like jazz", "I like jazz"),
        ("I no longer keep bees", "I keep bees"),
        ("I like jazz", "My sister likes jazz"),
        ("I charge 300 a day", "I charge 200 a day"),
        (
            "I have an appointment with the dentist on Friday",
            "I have an appointment with the dentist on Monday",
        ),
        ("I walk my big brown dog by the river weekly", "I walk my big brown dog by the river daily"),
        ("I meet Tom for lunch every week at work", "I meet Ann for lunch every week at work"),
        ("I keep bees and sell honey", "I keep bees"),
        ("", "I keep bees"),
        ("I am", "I am"),
    ],
)
def test_what_is_new_is_none(candidate: str, injected: str) -> None:
    assert not is_echo(candidate, [injected])


def test_nothing_echoes_nothing() -> None:
    assert not is_echo("I live in Porto", [])


@given(st.text(max_size=500))
def test_no_text_breaks_it(text: str) -> None:
    assert len(strip_injected(text)) <= len(text) + text.count("<")
    is_echo(text, [text, f"I like {text}"])
    assert strip_injected(f"<memories>{text.replace('<', '')}") == ""
