"""API keys: their form, the checksum, and what is stored."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.identity.api_keys import PATTERN, new_key, parse
from stead.identity.errors import ApiKeyMalformed


def test_a_new_key_parses_to_its_id_and_digest() -> None:
    text, key_id, digest = new_key()
    assert parse(text) == (key_id, digest)
    assert digest == hashlib.sha256(text.encode()).digest()
    assert text.startswith(f"sk_stead_{key_id}_")
    assert len(text) == 71


def test_keys_differ() -> None:
    keys = [new_key() for _ in range(200)]
    assert len({key_id for _, key_id, _ in keys}) == len({digest for _, _, digest in keys}) == 200


def test_scanners_find_a_key_in_text_and_only_the_key() -> None:
    text, _, _ = new_key()
    found = re.search(PATTERN, f'API_KEY="{text}"\n')
    assert found is not None
    assert found.group(0) == text


@given(position=st.integers(0, 70), character=st.characters())
def test_one_wrong_character_is_a_typo(position: int, character: str) -> None:
    text, _, _ = new_key()
    wrong = text[:position] + character + text[position + 1 :]
    if wrong != text:
        with pytest.raises(ApiKeyMalformed):
            parse(wrong)


@given(st.integers(0, 70))
def test_a_key_cut_short_is_a_typo(length: int) -> None:
    with pytest.raises(ApiKeyMalformed):
        parse(new_key()[0][:length])


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "{}\0", "{}0", "Bearer {}"])
def test_nothing_may_stand_around_a_key(around: str) -> None:
    with pytest.raises(ApiKeyMalformed):
        parse(around.format(new_key()[0]))


@given(st.text())
def test_any_other_text_is_malformed(text: str) -> None:
    with pytest.raises(ApiKeyMalformed) as caught:
        parse(text)
    assert caught.value.code == "api_key_malformed"
