"""Frames of the AI SDK's UI message stream (the subset that versions 5, 6 and 7 share).

The client's parser is strict: an unknown type, a delta before its start, or null in an optional field ends
its stream. So frames are only made here, and what is not known is left out. What models and tools say is
cleaned here too: of NUL, which PostgreSQL cannot store, and of halves of surrogate pairs, which no UTF-8 has.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, cast

Frame = dict[str, Any]

HEADERS: Final = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    "connection": "keep-alive",
    "x-vercel-ai-ui-message-stream": "v1",
    "x-accel-buffering": "no",
}
DONE: Final = "data: [DONE]\n\n"
KEEP_ALIVE: Final = ": keep-alive\n\n"


# Made once: `json.dumps` would make one for every frame.
_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(frame: Frame) -> str:
    """A frame as a server-sent event."""
    return f"data: {_to_json(frame)}\n\n"


def start(message_id: str, metadata: dict[str, Any]) -> Frame:
    return {"type": "start", "messageId": message_id, "messageMetadata": metadata}


def start_step() -> Frame:
    return {"type": "start-step"}


def finish_step() -> Frame:
    return {"type": "finish-step"}


def finish(metadata: dict[str, Any]) -> Frame:
    return {"type": "finish", "messageMetadata": metadata}


def abort() -> Frame:
    return {"type": "abort"}


def error(text: str) -> Frame:
    return {"type": "error", "errorText": text}


def block_start(kind: str, block_id: str) -> Frame:
    """``kind`` is ``text`` or ``reasoning``."""
    return {"type": f"{kind}-start", "id": block_id}


def block_delta(kind: str, block_id: str, delta: str) -> Frame:
    return {"type": f"{kind}-delta", "id": block_id, "delta": storable(delta)}


def block_end(kind: str, block_id: str) -> Frame:
    return {"type": f"{kind}-end", "id": block_id}


def tool_input_start(call_id: str, name: str) -> Frame:
    return {"type": "tool-input-start", "toolCallId": call_id, "toolName": storable(name)}


def tool_input_delta(call_id: str, delta: str) -> Frame:
    return {"type": "tool-input-delta", "toolCallId": call_id, "inputTextDelta": storable(delta)}


def tool_input_available(call_id: str, name: str, value: object) -> Frame:
    return {
        "type": "tool-input-available",
        "toolCallId": call_id,
        "toolName": storable(name),
        "input": storable(value),
    }


def tool_output_available(call_id: str, output: object) -> Frame:
    return {"type": "tool-output-available", "toolCallId": call_id, "output": storable(output)}


def tool_output_error(call_id: str, text: str) -> Frame:
    return {"type": "tool-output-error", "toolCallId": call_id, "errorText": storable(text)}


def tool_approval_request(call_id: str, approval_id: str) -> Frame:
    return {"type": "tool-approval-request", "approvalId": approval_id, "toolCallId": call_id}


def tool_output_denied(call_id: str) -> Frame:
    return {"type": "tool-output-denied", "toolCallId": call_id}


def storable(value: Any) -> Any:
    """The same JSON without what cannot be stored; halves of a pair that belong together are joined."""
    match value:
        case str() if value.isascii() and "\0" not in value:
            return value
        case str():
            return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case float() if not math.isfinite(value):
            return str(value)  # neither JSON nor the database has a form for it
        case list():
            return [storable(item) for item in cast("list[Any]", value)]
        case dict():
            return {storable(key): storable(item) for key, item in cast("dict[Any, Any]", value).items()}
        case _:
            return value
