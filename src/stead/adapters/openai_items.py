"""Items of the OpenAI Agents SDK as the parts of a message, and back.

Each item stands in a data part as the SDK gave it, so that it comes back the same. Beside it stands what a chat
shows: a text part, or a tool part once the tool has answered. So a client that reads UIMessages sees the
conversation, an agent of Stead's goes on with it, and the SDK's runs go on with what was said in a chat.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from agents.items import TResponseInputItem

from stead.adapters.errors import AdapterArgumentInvalid
from stead.agents.engine.history import model_input
from stead.sessions import Message, MessageRole, Part

SdkItem: TypeAlias = dict[str, Any]
DATA: Final = "data-openai-item"
#: The same as JSON text, for what PostgreSQL's jsonb does not take: NUL, and halves of surrogate pairs.
DATA_TEXT: Final = "data-openai-item-json"

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_TEXT_KINDS: Final = frozenset({"text", "input_text", "output_text", "refusal"})


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A message to be stored: neighbouring items of one speaker."""

    role: MessageRole
    items: Sequence[SdkItem]


def checked(items: Iterable[object]) -> list[SdkItem]:
    """The items as JSON values.

    Raises:
        AdapterArgumentInvalid: One of them is no object of JSON.
    """
    found: list[SdkItem] = []
    for n, item in enumerate(items):
        try:
            value: Any = json.loads(json.dumps(item))
        except (TypeError, ValueError, RecursionError) as error:
            raise AdapterArgumentInvalid(f"items[{n}]: is no JSON ({error})") from None
        if not isinstance(value, dict):
            raise AdapterArgumentInvalid(f"items[{n}]: is no object")
        found.append(cast("SdkItem", value))
    return found


def drafts(items: Iterable[SdkItem]) -> list[Draft]:
    """A message for each thing that a person says, and one for all that the agent does until they speak again."""
    found: list[Draft] = []
    for item in items:
        role = _role(item)
        if role == "assistant" and found and found[-1].role == role:
            found[-1] = Draft(role=role, items=[*found[-1].items, item])
        else:
            found.append(Draft(role=role, items=[item]))
    return found


def parts_of(items: Iterable[SdkItem], calls: Mapping[str, SdkItem]) -> list[Part]:
    """The parts of a message.

    Args:
        items: What it holds, in order.
        calls: Tool calls that were made before, by their ``call_id``; those among ``items`` are found anyway.
    """
    known = dict(calls)
    parts: list[Part] = []
    for item in items:
        if item.get("type") == "function_call":
            known[str(item.get("call_id"))] = item
        parts += _shown(item, known)
        parts.append(_data_part(item))
    return parts


def items_of(message: Message) -> list[SdkItem]:
    """The items that a message holds; of one that did not come from the SDK, what a model would be told."""
    kept = [part for part in message.parts if part.get("type") in {DATA, DATA_TEXT}]
    if not kept:
        return cast("list[SdkItem]", model_input([message]))
    return [_item_in(part) for part in kept]


def calls_in(messages: Iterable[Message]) -> dict[str, SdkItem]:
    """The tool calls in messages, by their ``call_id``; of several the last."""
    return {
        str(item.get("call_id")): item
        for message in messages
        for item in items_of(message)
        if item.get("type") == "function_call"
    }


def as_input(items: Iterable[SdkItem]) -> list[TResponseInputItem]:
    """For the SDK, whose type is a union of dictionaries."""
    return cast("list[TResponseInputItem]", list(items))


def _role(item: SdkItem) -> MessageRole:
    role = item.get("role")
    if role == "user":
        return "user"
    if role in {"system", "developer"}:
        return "system"
    return "assistant"


def _data_part(item: SdkItem) -> Part:
    text = json.dumps(item, ensure_ascii=False)
    if "\\u0000" in text or _UNSTORABLE.search(text):
        return {"type": DATA_TEXT, "data": json.dumps(item)}
    return {"type": DATA, "data": item}


def _item_in(part: Part) -> SdkItem:
    return json.loads(part["data"]) if part["type"] == DATA_TEXT else part["data"]


def _shown(item: SdkItem, calls: Mapping[str, SdkItem]) -> Iterator[Part]:
    kind = item.get("type", "message")
    if kind == "message":
        text = _text_of(item.get("content"))
        if text:
            yield {"type": "text", "text": text}
    elif kind == "function_call_output":
        # A call is shown with its output: alone it would be one that never ends.
        call = calls.get(str(item.get("call_id")), {})
        yield {
            "type": f"tool-{_storable(str(call.get('name', 'tool')))}",
            "toolCallId": _storable(str(item.get("call_id"))),
            "state": "output-available",
            "input": _arguments(call.get("arguments")),
            "output": _output(item.get("output")),
        }


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return _storable(content)
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    told = [cast("SdkItem", part) for part in parts if isinstance(part, dict)]
    texts = [p.get("text") or p.get("refusal") for p in told if p.get("type") in _TEXT_KINDS]
    return _storable("\n\n".join(str(text) for text in texts if text))


def _arguments(arguments: object) -> object:
    try:
        value: object = json.loads(arguments) if isinstance(arguments, str) else arguments
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (ValueError, RecursionError):
        return {}
    storable = "\\u0000" not in text and not _UNSTORABLE.search(text)
    return value if value is not None and storable else {}


def _output(output: object) -> str:
    if isinstance(output, str):
        return _storable(output)
    return _text_of(output) or _storable(json.dumps(output, ensure_ascii=False))


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)
