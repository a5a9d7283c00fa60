"""Stored messages as a model takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from agents.items import TResponseInputItem

from stead.sessions import Message, Part, text_of


def model_input(history: Iterable[Message]) -> list[TResponseInputItem]:
    """Messages as the Responses API takes them. Tool calls go along only with their outputs."""
    items: list[dict[str, Any]] = []
    for message in history:
        if message.role == "user":
            items.append({"role": "user", "content": text_of(message.parts)})
        elif message.role == "system":
            items.append({"role": "developer", "content": text_of(message.parts)})
        elif message.role == "assistant":
            items.extend(_assistant_items(message))
    return items  # pyright: ignore[reportReturnType] - the SDK's union of TypedDicts


_TOLD: Final = {"output-available", "output-error", "output-denied", "approval-requested"}


def _output(part: Part) -> Any:
    if part["state"] == "approval-requested":
        return "This waits for a person's approval. It is not done."
    if part["state"] == "output-denied":
        return part.get("approval", {}).get("reason") or "A person rejected this. It was not done."
    return part.get("output", part.get("errorText", ""))


def _assistant_items(message: Message) -> Iterable[dict[str, Any]]:
    for part in message.parts:
        kind = str(part.get("type", ""))
        if kind == "text" and part.get("text"):
            yield {"role": "assistant", "content": part["text"]}
        elif kind.startswith("tool-") and part.get("state") in _TOLD:
            yield {
                "type": "function_call",
                "call_id": part["toolCallId"],
                "name": kind.removeprefix("tool-"),
                "arguments": json.dumps(part.get("input", {}), ensure_ascii=False),
            }
            output = _output(part)
            yield {
                "type": "function_call_output",
                "call_id": part["toolCallId"],
                "output": output if isinstance(output, str) else json.dumps(output, ensure_ascii=False),
            }
