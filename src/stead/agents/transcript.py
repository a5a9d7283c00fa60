"""The message that a stream builds up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stead.agents import frames
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


def unfold(message_id: str, parts: Iterable[Part], metadata: dict[str, Any]) -> list[Frame]:
    """The frames that build up a stored message: a stream whose own frames were swept, told again."""
    stream = [frames.start(message_id, metadata)]
    in_step = False
    for number, part in enumerate(parts):
        kind = str(part.get("type", ""))
        if kind == "step-start":
            if in_step:
                stream.append(frames.finish_step())
            in_step = True
            stream.append(frames.start_step())
        elif kind in {"text", "reasoning"}:
            block_id = f"{kind}-{number}"
            stream += [
                frames.block_start(kind, block_id),
                frames.block_delta(kind, block_id, part["text"]),
                frames.block_end(kind, block_id),
            ]
        elif kind.startswith("tool-"):
            stream += _tool_frames(kind.removeprefix("tool-"), part)
    if in_step:
        stream.append(frames.finish_step())
    return stream


def _tool_frames(name: str, part: Part) -> list[Frame]:
    call_id = part["toolCallId"]
    told = [frames.tool_input_start(call_id, name)]
    if "input" in part:
        told.append(frames.tool_input_available(call_id, name, part["input"]))
    if "output" in part:
        told.append(frames.tool_output_available(call_id, part["output"]))
    elif "errorText" in part:
        told.append(frames.tool_output_error(call_id, part["errorText"]))
    return told
