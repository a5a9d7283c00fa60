"""Frames of the AI SDK's UI message stream (the subset that versions 5, 6 and 7 share).

The client's parser is strict: an unknown type, a delta before its start, or null in an optional field ends
its stream. So frames are only made here, and what is not known is left out.
"""

from __future__ import annotations

import json
from typing import Any, Final

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


def encode(frame: Frame) -> str:
    """A frame as a server-sent event."""
    return f"data: {json.dumps(frame, ensure_ascii=False, separators=(',', ':'))}\n\n"


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
    return {"type": f"{kind}-delta", "id": block_id, "delta": delta}


def block_end(kind: str, block_id: str) -> Frame:
    return {"type": f"{kind}-end", "id": block_id}


def tool_input_start(call_id: str, name: str) -> Frame:
    return {"type": "tool-input-start", "toolCallId": call_id, "toolName": name}


def tool_input_delta(call_id: str, delta: str) -> Frame:
    return {"type": "tool-input-delta", "toolCallId": call_id, "inputTextDelta": delta}


def tool_input_available(call_id: str, name: str, value: object) -> Frame:
    return {"type": "tool-input-available", "toolCallId": call_id, "toolName": name, "input": value}


def tool_output_available(call_id: str, output: object) -> Frame:
    return {"type": "tool-output-available", "toolCallId": call_id, "output": output}


def tool_output_error(call_id: str, text: str) -> Frame:
    return {"type": "tool-output-error", "toolCallId": call_id, "errorText": text}
