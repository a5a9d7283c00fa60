"""Filters: read as the client spells them, compared as SQL would, and never running away."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.assembly.database import DatabaseAccess
from stead.realtime.errors import FilterInvalid
from stead.realtime.filters import compile_filter, parse_filter

TYPES = {
    "id": "uuid",
    "n": "int8",
    "cost": "numeric",
    "name": "text",
    "done": "bool",
    "at": "timestamptz",
    "day": "date",
    "tags": "_text",
    "data": "jsonb",
}
ROW: dict[str, Any] = {
    "id": "0192d3a4-7c1e-7d55-9f3e-3f1f6f0f2b11",
    "n": 9007199254740993,
    "cost": 0.5,
    "name": 'Ann, "the" (first)',
    "done": True,
    "at": "2026-11-21T10:00:00+00:00",
    "day": "2026-11-21",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("id=eq.0192D3A4-7C1E-7D55-9F3E-3F1F6F0F2B11", True),
        ("id=neq.0192d3a4-7c1e-7d55-9f3e-3f1f6f0f2b11", False),
        ("n=eq.9007199254740993", True),
        ("n=eq.9007199254740992", False),
        ("n=gt.9007199254740992,n=lte.9007199254740993", True),
        ("n=in.(1,9007199254740993)", True),
        ("n=not.in.(1,2)", True),
        ("cost=lt.0.50001", True),
        ("cost=gte.0.5", True),
        ("cost=lt.0.5", False),
        ('name=eq."Ann, \\"the\\" (first)"', True),
        ('name=in.("Ann, \\"the\\" (first)",Bea)', True),
        ("name=like.Ann%", True),
        ("name=like.%(first_", True),
        ("name=like.%THE%", False),
        ("name=ilike.%THE%", True),
        ("name=not.like.B%", True),
        ("name=like.Ann", False),
        ("name=like._nn%%%)", True),
        ("done=is.true", True),
        ("done=is.false", False),
        ("done=not.is.unknown", True),
        ("done=eq.t", True),
        ("at=eq.2026-11-21T11:00:00+01:00", True),
        ("at=lt.2026-11-21T11:00:00+02:00", False),
        ("at=gte.2026-11-21", True),
        ("day=gt.2026-11-20", True),
        ("name=isdistinct.Ann", True),
        ("name=isdistinct.null", True),
        ("", True),
    ],
)
def test_what_holds(text: str, holds: bool) -> None:
    assert compile_filter(text, TYPES).holds(ROW) is holds


@pytest.mark.parametrize("operator", ["eq", "neq", "lt", "lte", "gt", "gte", "like", "ilike", "in"])
@pytest.mark.parametrize("negation", ["", "not."])
def test_nothing_holds_of_a_null_but_that_it_is_one(operator: str, negation: str) -> None:
    value = "(a)" if operator == "in" else "a"
    null = {"name": None}
    assert not compile_filter(f"name={negation}{operator}.{value}", TYPES).holds(null)
    assert compile_filter("name=is.null", TYPES).holds(null)
    assert not compile_filter("name=not.is.null", TYPES).holds(null)
    assert compile_filter("name=isdistinct.a", TYPES).holds(null)
    assert not compile_filter("name=isdistinct.null", TYPES).holds(null)


def test_nothing_holds_of_what_was_not_told() -> None:
    assert not compile_filter("name=is.null", TYPES).holds({"id": ROW["id"]})
    assert not compile_filter("at=gt.2026-01-01", TYPES).holds({"at": "infinity"})


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "name=",
        "name=eq",
        "name=like.a\\",
        "=eq.1",
        "name=equals.a",
        "name=not.not.eq.a",
        "missing=eq.1",
        "id=eq.7",
        "n=eq.seven",
        "n=eq.NaN",
        "done=eq.maybe",
        "done=is.1",
        "name=is.true",
        "n=like.1%",
        "at=eq.yesterday",
        "tags=eq.{a}",
        "data=eq.{}",
        "name=in.a",
        'name=eq."a',
        f"n=in.({','.join(map(str, range(101)))})",
        ",".join(["n=eq.1"] * 21),
        f"name=eq.{'a' * 4000}",
        f"name=like.{'%' * 257}",
        "name=eq.a,,n=eq.1",
    ],
)
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(FilterInvalid):
        compile_filter(text, TYPES)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        compile_filter(text, TYPES).holds(ROW)
    except FilterInvalid:
        return


def test_a_pattern_does_not_run_away() -> None:
    pattern = "%a" * 120 + "b"
    assert not compile_filter(f"name=like.{pattern}", TYPES).holds({"name": "a" * 200_000})


def test_patterns_of_posix_are_left_to_the_database() -> None:
    ready = compile_filter("name=match.^A,name=not.imatch.b$", TYPES)
    assert [(p.column, p.pattern, p.negated) for p in ready.patterns] == [
        ("name", "^A", False),
        ("name", "(?i)b$", True),
    ]
    assert ready.columns == {"name"}
    assert parse_filter("") == ()


async def test_like_is_the_databases_like(access: DatabaseAccess) -> None:
    """On every short pattern over a small alphabet."""
    connection = await asyncpg.connect(access.admin_url)
    try:
        patterns = [
            "",
            "%",
            "_",
            "a%",
            "%a",
            "%a%b%",
            "a_b",
            "\\%",
            "a\\_b",
            "%%a",
            "_%_",
            "\\a",
            "%\\%%",
            "a%b%a",
        ]
        texts = ["", "a", "b", "ab", "aab", "abab", "%", "a%b", "a_b", "aXb", "ba", "aba", "a\nb"]
        for pattern in patterns:
            for text in texts:
                wanted = await connection.fetchval("select $1::text like $2::text", text, pattern)
                quoted = pattern.replace("\\", "\\\\")
                found = compile_filter(f'name=like."{quoted}"', TYPES).holds({"name": text})
                assert found == wanted, (pattern, text)
    finally:
        await connection.close()
