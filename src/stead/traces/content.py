"""What was said, as spans carry it: bounded, and without this server's own secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Of one text, and of all texts of one attribute.
MAX_TEXT_CHARS: Final = 8_000
MAX_CHARS: Final = 32_000
_MAX_NAME_CHARS: Final = 200
_SHORTEST_SECRET: Final = 8
_HIDDEN: Final = "[redacted]"


@dataclass(frozen=True, kw_only=True)
class ToolUse:
    """A call that a model asked for.

    Args:
        arguments: As the model wrote them.
    """

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a conversation: words, a call, or what a call answered.

    Args:
        result_of: The id of the call whose answer ``text`` is.
    """

    role: str
    text: str = ""
    call: ToolUse | None = None
    result_of: str | None = None

    @property
    def length(self) -> int:
        """In characters."""
        return len(self.text) + (len(self.call.arguments) if self.call else 0)


def plain(text: str) -> str:
    """A text that has a form in UTF-8: one that has none would take its whole batch with it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def name(text: object) -> str:
    """A name or an id that somebody else has given."""
    return plain(str(text)[:_MAX_NAME_CHARS])


class ContentWriter:
    """Writes what was said into attributes.

    Args:
        secrets: What must not be in them.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: one may be a part of another.
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        self._secrets = sorted(known, key=len, reverse=True)

    def text(self, text: str, limit: int = MAX_TEXT_CHARS) -> str:
        """A text, without secrets and not too long."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, _HIDDEN)
        text = plain(text)
        return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"

    def value(self, value: object) -> str:
        """A text as it is, anything else as JSON."""
        if isinstance(value, str):
            return self.text(value)
        return self.text(json.dumps(value, ensure_ascii=False, default=str))

    def system(self, text: str) -> str:
        """Instructions, in the form of the GenAI conventions."""
        return _json([{"type": "text", "content": self.text(text)}])

    def messages(self, pieces: Sequence[Piece], finish_reason: str | None = None) -> str:
        """A conversation, in the form of the GenAI conventions."""
        found: list[dict[str, Any]] = []
        for piece in self._fitting(pieces):
            if not found or found[-1]["role"] != piece.role or piece.role == "user":
                found.append({"role": piece.role, "parts": []})
            found[-1]["parts"].append(self._part(piece))
        if finish_reason is not None:
            found = found or [{"role": "assistant", "parts": []}]
            found[-1]["finish_reason"] = finish_reason
        return _json(found)

    def chat(self, pieces: Sequence[Piece], instructions: str | None = None) -> str:
        """A conversation as Langfuse shows it: Chat Completions' messages."""
        found: list[dict[str, Any]] = []
        if instructions:
            found.append({"role": "system", "content": self.text(instructions)})
        for piece in self._fitting(pieces):
            if piece.call is not None:
                function = {"name": name(piece.call.name), "arguments": self.text(piece.call.arguments)}
                call = {"id": name(piece.call.call_id), "type": "function", "function": function}
                if not found or found[-1]["role"] != "assistant":
                    found.append({"role": "assistant", "content": ""})
                found[-1].setdefault("tool_calls", []).append(call)
                continue
            said: dict[str, Any] = {"role": piece.role, "content": self.text(piece.text)}
            if piece.result_of is not None:
                said["tool_call_id"] = name(piece.result_of)
            found.append(said)
        return _json(found)

    def _part(self, piece: Piece) -> dict[str, Any]:
        if piece.call is not None:
            return {
                "type": "tool_call",
                "id": name(piece.call.call_id),
                "name": name(piece.call.name),
                "arguments": _parsed(self.text(piece.call.arguments)),
            }
        if piece.result_of is not None:
            response = self.text(piece.text)
            return {"type": "tool_call_response", "id": name(piece.result_of), "response": response}
        return {"type": "text", "content": self.text(piece.text)}

    def _fitting(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The last ones, as far as there is room; and how many are missing."""
        left = MAX_CHARS
        kept: list[Piece] = []
        for piece in reversed(pieces):
            left -= min(piece.length, MAX_TEXT_CHARS)
            if left < 0 and kept:
                missing = len(pieces) - len(kept)
                kept.append(Piece(role="system", text=f"({missing} earlier ones are left out)"))
                break
            kept.append(piece)
        return kept[::-1]


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _json(value: Any) -> str:
    # Escaped in JSON there may have been what has no form in UTF-8.
    return plain(json.dumps(value, ensure_ascii=False))
