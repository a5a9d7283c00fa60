"""From an event's JSON to its type.

The library tries an event against every type of a union of some fifty, and builds a chunk of Chat Completions
field by field. An event says of which type it is, so it is given to that one, and a chunk to pydantic's
validation as it is. Both give what the library gives; what does not validate is left to it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast, get_args

from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, ValidationError


def typed(data: object, cast_to: Any) -> BaseModel | None:
    """The event that this JSON is; None where the library has to look at it itself."""
    if not isinstance(data, dict):
        return None
    fields = cast("dict[str, Any]", data)
    try:
        if cast_to is ResponseStreamEvent:
            kind: Any = fields.get("type")
            member = _members().get(kind) if isinstance(kind, str) else None
            return None if member is None else member.model_validate(fields)
        if cast_to is ChatCompletionChunk:
            # Strictly: the library converts nothing here.
            return ChatCompletionChunk.model_validate(fields, strict=True)
    except ValidationError:
        pass
    return None


@cache
def _members() -> dict[str, type[BaseModel]]:
    """The types of the Responses API's events by the name that each has for itself alone."""
    found: dict[str, list[type[BaseModel]]] = {}
    for member in get_args(get_args(ResponseStreamEvent)[0]):
        for name in get_args(member.model_fields["type"].annotation):
            found.setdefault(name, []).append(member)
    return {name: members[0] for name, members in found.items() if len(members) == 1}
