"""What the offline model takes from the input of a call: a plain string or Responses input items."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from stead.providers.models.offline.words import clean

_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """What a tool gave back for a call of this run."""

    tool: str
    output: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The parts of the input that an answer depends on.

    ``user_text`` is the last user message; ``user_is_last`` tells whether it is also what has to be
    answered now, and not something that followed it. ``results`` are the tool outputs that stand at the
    end of the input.
    """

    user_text: str = ""
    user_is_last: bool = False
    earlier: tuple[str, ...] = ()
    results: tuple[ToolResult, ...] = ()
    answered_before: bool = False
    characters: int = 0


@dataclass(kw_only=True)
class _Reader:
    users: list[str] = field(default_factory=list[str])
    results: list[ToolResult] = field(default_factory=list[ToolResult])
    call_names: dict[str, str] = field(default_factory=dict[str, str])
    answered_before: bool = False
    user_is_last: bool = False
    characters: int = 0

    def take(self, item: Mapping[str, object]) -> None:
        kind = item.get("type") or "message"
        if kind == "message":
            self._message(str(item.get("role")), text_of(item.get("content")))
        elif kind == "function_call":
            self.call_names[str(item.get("call_id"))] = str(item.get("name"))
            self.characters += len(str(item.get("arguments")))
            self.user_is_last = False
            self.results.clear()
        elif kind == "function_call_output":
            output = text_of(item.get("output"))
            name = self.call_names.get(str(item.get("call_id")), "unknown")
            self.characters += len(output)
            self.user_is_last = False
            self.results.append(ToolResult(tool=name, output=output))

    def _message(self, role: str, text: str) -> None:
        self.characters += len(text)
        if role == "user":
            self.users.append(text)
            self.user_is_last = True
            self.results.clear()
        elif role == "assistant":
            self.answered_before = True
            self.user_is_last = False
            self.results.clear()
        # Developer and system items may follow the user's message without taking its place.


def read(items: str | Sequence[object]) -> Reading:
    """Reads the input of a model call. Items of unknown kinds are passed over."""
    reader = _Reader()
    if isinstance(items, str):
        reader.take({"role": "user", "content": items})
    else:
        for item in items:
            if isinstance(item, Mapping):
                reader.take(cast("Mapping[str, object]", item))
    return Reading(
        user_text=reader.users[-1] if reader.users else "",
        user_is_last=reader.user_is_last,
        earlier=tuple(reader.users[:-1]),
        results=tuple(reader.results),
        answered_before=reader.answered_before,
        characters=reader.characters,
    )


def text_of(content: object) -> str:
    """The text of a message's content or a tool's output: a string, or the text parts of a list."""
    if isinstance(content, str):
        return clean(content).strip()
    if isinstance(content, Sequence):
        parts = [
            cast("Mapping[str, object]", part)
            for part in cast("Sequence[object]", content)
            if isinstance(part, Mapping)
        ]
        texts = [text for part in parts if isinstance(text := part.get("text"), str)]
        return clean("\n".join(texts)).strip()
    return "" if content is None else clean(json.dumps(content, ensure_ascii=False, default=str))


def estimated_tokens(characters: int) -> int:
    """Tokens in a text of so many characters, at four characters a token: an estimate, not a count."""
    return math.ceil(characters / _CHARACTERS_PER_TOKEN)
