"""Identifiers."""

from __future__ import annotations

import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from stead.core.ids import new_id, parse_id


def test_ids_are_version_7_and_sort_by_time() -> None:
    first = new_id()
    time.sleep(0.002)
    second = new_id()
    assert first.version == second.version == 7
    assert first.variant == uuid.RFC_4122
    assert first < second
    assert len({new_id() for _ in range(10_000)}) == 10_000


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
