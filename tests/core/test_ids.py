"""Identifiers."""

from __future__ import annotations

import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from stead.core.ids import derived_id, new_id, parse_id


def test_ids_are_version_7_and_sort_by_time() -> None:
    first = new_id()
    time.sleep(0.002)
    second = new_id()
    assert first.version == second.version == 7
    assert first.variant == uuid.RFC_4122
    assert first < second
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_a_derived_id_is_the_same_each_time_and_of_its_base_s_time() -> None:
    base = new_id()
    first, second = derived_id(base, "a"), derived_id(base, "b")
    assert first == derived_id(base, "a") != second
    assert first.version == second.version == 7
    assert first.variant == uuid.RFC_4122
    assert {made.int >> 80 for made in (first, second)} == {base.int >> 80}
    assert first != derived_id(new_id(), "a")


@given(st.uuids())
def test_the_canonical_form_is_read(value: uuid.UUID) -> None:
    assert parse_id(str(value)) == value


@given(st.text(max_size=80))
def test_anything_else_is_none(text: str) -> None:
    found = parse_id(text)
    assert found is None or str(found) == text.lower()


def test_other_spellings_are_refused() -> None:
    value = uuid.uuid4()
    for spelling in (value.hex, f"{{{value}}}", f"urn:uuid:{value}", f" {value}"):
        assert parse_id(spelling) is None
