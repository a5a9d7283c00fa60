"""Structured answers (003's context) as statements that can be remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_MAX_STATEMENTS: Final = 50
_MAX_CHARS: Final = 1000
_WORDS: Final = re.compile(r"[_\-.]+|(?<=[a-z0-9])(?=[A-Z])")


def context_statements(patch: dict[str, Any]) -> list[str]:
    """One sentence for each answer in an update of a session's context.

    ``{"pricing": {"dayRate": "$300"}}`` becomes ``pricing, day rate: $300``. Empty answers say nothing.

    Args:
        patch: The update, not the whole context: what did not change was said before.

    Returns:
        At most 50, in the order of the answers, each of at most 1,000 characters.
    """
    statements: list[str] = []
    for path, value in _leaves(patch, ()):
        label = ", ".join(" ".join(_WORDS.sub(" ", key).lower().split()) for key in path)
        statements.append(f"{label}: {value}"[:_MAX_CHARS])
        if len(statements) == _MAX_STATEMENTS:
            break
    return statements


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    match value:
        case dict():
            for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
                yield from _leaves(inner, (*path, str(key)))  # pyright: ignore[reportUnknownArgumentType]
        case list():
            if all(isinstance(item, str | int | float) for item in value):  # pyright: ignore[reportUnknownVariableType]
                yield from _leaves(", ".join(str(item) for item in value), path)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            else:
                for item in value:  # pyright: ignore[reportUnknownVariableType]
                    yield from _leaves(item, path)  # pyright: ignore[reportUnknownArgumentType]
        case bool():
            yield path, "yes" if value else "no"
        case str() if value.strip():
            yield path, " ".join(value.split())
        case int() | float():
            yield path, str(value)
        case _:
            return
