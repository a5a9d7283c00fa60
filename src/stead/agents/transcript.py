"""The message that a stream builds up."""

from __future__ import annotations

from collections.abc import Iterable

from stead.agents.frames import Frame
from stead.sessions import Part


def fold(stream: Iterable[Frame]) -> list[Part]:
    """The parts of the message that a stream of frames builds up, as the AI SDK's client folds them.

    Works on a stream that broke off: what had arrived is there.
    """
    parts: list[Part] = []
    blocks: dict[str, Part] = {}
    tools: dict[str, Part] = {}
    for frame in stream:
        match frame:
            case {"type": "start-step"}:
                parts.append({"type": "step-start"})
            case {"type": "text-start" | "reasoning-start" as kind, "id": str(block_id)}:
                blocks[block_id] = {"type": kind.removesuffix("-start"), "text": "", "state": "done"}
                parts.append(blocks[block_id])
            case {"type": "text-delta" | "reasoning-delta", "id": str(block_id), "delta": str(delta)}:
                if block_id in blocks:
                    blocks[block_id]["text"] += delta
            case {"type": "tool-input-start", "toolCallId": str(call_id), "toolName": str(name)}:
                tools[call_id] = {
                    "type": f"tool-{name}",
                    "toolCallId": call_id,
                    "state": "input-streaming",
                }
                parts.append(tools[call_id])
            case {"type": "tool-input-available", "toolCallId": str(call_id), "input": value}:
                if call_id in tools:
                    tools[call_id].update(state="input-available", input=value)
            case {"type": "tool-output-available", "toolCallId": str(call_id), "output": value}:
                if call_id in tools:
                    tools[call_id].update(state="output-available", output=value)
            case {"type": "tool-output-error", "toolCallId": str(call_id), "errorText": str(text)}:
                if call_id in tools:
                    tools[call_id].update(state="output-error", errorText=text)
            case _:
                pass
    return [part for part in parts if part.get("text") != ""]
