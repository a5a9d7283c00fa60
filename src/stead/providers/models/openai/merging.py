"""Which deltas are one when they stand side by side."""

from __future__ import annotations

from typing import Any, Final, cast

Json = dict[str, Any]

_DELTAS: Final = frozenset(
    {
        "response.output_text.delta",
        "response.refusal.delta",
        "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta",
        "response.function_call_arguments.delta",
    }
)
#: Members that two deltas of the same text may differ in; the second one's are kept.
_OWN: Final = frozenset({"delta", "sequence_number", "obfuscation"})
_CHUNKS_OWN: Final = frozenset({"choices", "created", "obfuscation"})
_TEXTS: Final = ("content", "reasoning_content", "reasoning")
_ABSENT: Final = object()


def joined(first: object, second: object) -> Json | None:
    """Two events that say one thing after the other, as the one event that says both; else None.

    Events of the Responses API, or chunks of Chat Completions. Only what adds to the same text of the same
    item: nothing that begins or ends, and nothing that has probabilities of its tokens.
    """
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return None
    one, other = cast("Json", first), cast("Json", second)
    if one.get("type") in _DELTAS:
        return _joined_deltas(one, other)
    if one.get("object") == "chat.completion.chunk":
        return _joined_chunks(one, other)
    return None


def _joined_deltas(one: Json, other: Json) -> Json | None:
    if one.get("logprobs") or not _alike(one, other, _OWN):
        return None
    both = _concatenated(one.get("delta"), other.get("delta"))
    return None if both is None else {**other, "delta": both}


def _joined_chunks(one: Json, other: Json) -> Json | None:
    if one.get("usage") or not _alike(one, other, _CHUNKS_OWN):
        return None
    choice, next_choice = _only(one.get("choices")), _only(other.get("choices"))
    if choice is None or next_choice is None or not _alike(choice, next_choice, frozenset({"delta"})):
        return None
    if choice.get("finish_reason") or choice.get("logprobs"):
        return None
    delta = _joined_choices(choice.get("delta"), next_choice.get("delta"))
    return None if delta is None else {**other, "choices": [{**next_choice, "delta": delta}]}


def _joined_choices(first: object, second: object) -> Json | None:
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return None
    one, other = cast("Json", first), cast("Json", second)
    said = [name for name, value in other.items() if value and name != "role"]
    if len(said) != 1 or not _alike(one, other, frozenset(said)):
        return None
    name = said[0]
    both = _joined_calls(one[name], other[name]) if name == "tool_calls" else None
    if name in _TEXTS:
        both = _concatenated(one[name], other[name])
    return None if both is None else {**other, name: both}


def _joined_calls(first: object, second: object) -> list[Json] | None:
    one, other = _only(first), _only(second)
    # A call's id and name come with its first piece, which stays by itself.
    if one is None or other is None or set(one) != {"index", "function"}:
        return None
    if not _alike(one, other, frozenset({"function"})):
        return None
    both = _concatenated(_arguments(one["function"]), _arguments(other["function"]))
    return None if both is None else [{**other, "function": {"arguments": both}}]


def _arguments(function: object) -> object:
    """The piece of a call's arguments, where a function's delta is nothing but that."""
    if isinstance(function, dict) and len(cast("Json", function)) == 1:
        return cast("Json", function).get("arguments")
    return None


def _alike(one: Json, other: Json, own: frozenset[str]) -> bool:
    """Whether two objects have the same members, and those that are not their own alike."""
    return one.keys() == other.keys() and all(
        value == other.get(name, _ABSENT) for name, value in one.items() if name not in own
    )


def _only(values: object) -> Json | None:
    if isinstance(values, list) and len(cast("list[Any]", values)) == 1 and isinstance(values[0], dict):
        return cast("Json", values[0])
    return None


def _concatenated(first: object, second: object) -> str | None:
    return first + second if isinstance(first, str) and isinstance(second, str) else None
