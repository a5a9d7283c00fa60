"""A session's answers as they are given to a model that is to generate something from them: a block of data that
the user's text begins with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, cast

from stead.providers.models.offline.words import clean, one_line, shorten

_OPEN: Final = "<context>"
_CLOSE: Final = "</context>"
_ANSWER_LIMIT: Final = 400
_DEEPEST: Final = 40


def context_in(text: str) -> str | None:
    """The JSON between a first line ``<context>`` and a third ``</context>``; None in any other text."""
    lines = text.split("\n", 3)
    if len(lines) < 3 or (lines[0], lines[2]) != (_OPEN, _CLOSE):
        return None
    return lines[1]


def answers_in(written: str) -> list[str]:
    """Each answer of a context as ``name, name: value``, in order."""
    try:
        value: object = json.loads(written)
    except (ValueError, RecursionError):
        return []
    return [
        shorten(f"{', '.join(path)}: {answer}" if path else answer, _ANSWER_LIMIT)
        for path, answer in _leaves(value, ())
    ]


def _leaves(
    value: object, path: tuple[str, ...], depth: int = 0
) -> Iterator[tuple[tuple[str, ...], str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield from _leaves(inner, (*path, one_line(clean(name)).replace("_", " ")), depth + 1)
    elif isinstance(value, list):
        items = cast("list[object]", value)
        plain = [_word(item) for item in items if not isinstance(item, (dict, list))]
        if plain:
            yield path, ", ".join(plain)
        for item in items:
            if isinstance(item, (dict, list)):
                yield from _leaves(cast("object", item), path, depth + 1)
    elif value is not None and value != "":
        yield path, _word(value)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(clean(str(value)))
