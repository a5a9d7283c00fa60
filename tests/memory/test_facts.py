"""What counts as a fact about its speaker, by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.memory import context_statements, find_facts


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("My name is Ann.", "identity"),
        ("I'm a tattoo artist from Porto.", "identity"),
        ("I live in Lisbon", "identity"),
        ("I really love spicy food!", "preference"),
        ("I\u2019d rather work in the mornings.", "preference"),
        ("My favourite colour is green.", "preference"),
        ("I want to raise my prices this year.", "goal"),
        ("I can't eat nuts.", "constraint"),
        ("I'm allergic to penicillin.", "constraint"),
        ("I'm moving to Berlin in June.", "plan"),
        ("I charge $300 a day.", "statement"),
        ("My rent is due on 4 May.", "statement"),
    ],
)
def test_statements_in_the_first_person_are_facts(text: str, category: str) -> None:
    (fact,) = find_facts(text)
    assert fact.category == category
    assert fact.text == text


@pytest.mark.parametrize(
    "text",
    [
        "Where do I live?",
        "What is my name?",
        "Tell me about tattoos.",
        "The weather is nice in Lisbon.",
        "You are very kind.",
        "thanks!",
        "ok",
        "/tool add {}",
        "",
        "   \n ",
    ],
)
def test_questions_commands_and_the_world_are_not(text: str) -> None:
    assert find_facts(text) == []


def test_each_sentence_is_looked_at_and_none_twice() -> None:
    found = find_facts("Hi! My name is Ann. How are you? I live in Lisbon. my name is ann.")
    assert [fact.text for fact in found] == ["My name is Ann.", "I live in Lisbon."]


def test_a_correction_is_marked() -> None:
    (fact,) = find_facts("Actually, I live in Porto now.")
    assert fact.correction


@given(st.text(max_size=3000))
def test_no_text_breaks_it(text: str) -> None:
    for fact in find_facts(text):
        assert fact.text.strip()
        assert len(fact.text) <= 400


def test_answers_become_statements() -> None:
    context = {
        "pricing": {"dayRate": "$300", "raise_planned": True, "empty": "", "none": None},
        "styles": ["fine line", "blackwork"],
        "years": 4,
    }
    assert context_statements(context) == [
        "pricing, day rate: $300",
        "pricing, raise planned: yes",
        "styles: fine line, blackwork",
        "years: 4",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(JSON)
def test_any_context_is_stated_within_bounds(value: object) -> None:
    statements = context_statements({"answer": value})
    assert len(statements) <= 50
    assert all(0 < len(statement) <= 1000 for statement in statements)
