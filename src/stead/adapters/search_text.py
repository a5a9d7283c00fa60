"""What of an item's value is searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from langgraph.store.base import get_text_at_path

from stead.memory.items import MAX_TEXT_CHARS


def search_text(value: dict[str, Any], paths: Sequence[str]) -> str | None:
    """The texts that stand at paths of a value, one a line; None where there are none.

    Args:
        value: The item's value.
        paths: In LangGraph's notation (``metadata.title``, ``authors[*].name``); ``$`` is the whole value,
            of which the texts and numbers are taken, and not the names.
    """
    found: list[str] = []
    for path in paths:
        found += _leaves(value) if path == "$" else get_text_at_path(value, path)
    text = "\n".join(dict.fromkeys(line for line in found if line.strip()))[:MAX_TEXT_CHARS]
    return text or None


def _leaves(value: dict[str, Any]) -> list[str]:
    found: list[str] = []
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += reversed(list(cast("dict[str, Any]", item).values()))
        elif isinstance(item, list | tuple):
            waiting += reversed(cast("Sequence[Any]", item))
        elif isinstance(item, str | int | float) and not isinstance(item, bool):
            found.append(str(item))
    return found
