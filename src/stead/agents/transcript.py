"""The message that a stream builds up."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from stead.agents import frames
from stead.agents.frames import Frame
from stead.agents.models import CallOutcome
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
            case {"toolCallId": str(call_id)} if call_id in tools:
                _fold_call(tools[call_id], frame)
            case _:
                pass
    return [part for part in parts if part.get("text") != ""]


def _fold_call(call: Part, frame: Frame) -> None:
    """What a frame says of a call that is there already."""
    match frame:
        case {"type": "tool-input-available", "input": value}:
            call.update(state="input-available", input=value)
        case {"type": "tool-output-available", "output": value}:
            call.update(state="output-available", output=value)
        case {"type": "tool-output-error", "errorText": str(text)}:
            call.update(state="output-error", errorText=text)
        case {"type": "tool-approval-request", "approvalId": str(asked)}:
            call.update(state="approval-requested", approval={"id": asked})
        case {"type": "tool-output-denied"}:
            call.update(state="output-denied", approval={**call.get("approval", {}), "approved": False})
        case _:
            pass


def without_calls(parts: Iterable[Part], call_ids: Container[str]) -> list[Part]:
    """Parts without these calls of tools, which another message has, and without steps that nothing is left of."""
    kept: list[Part] = []
    for part in parts:
        if str(part.get("toolCallId")) in call_ids:
            continue
        if part.get("type") == "step-start" and kept and kept[-1].get("type") == "step-start":
            continue
        kept.append(part)
    return kept[:-1] if kept and kept[-1].get("type") == "step-start" else kept


def settle_call(part: Part, outcome: CallOutcome) -> Part:
    """A call that waited, with what it came to."""
    settled = {key: value for key, value in part.items() if key not in {"state", "approval"}}
    asked = outcome.approval_id
    if outcome.kind == "succeeded":
        settled |= {"state": "output-available", "output": frames.storable(outcome.value)}
        if asked is not None:
            settled["approval"] = {"id": str(asked), "approved": True}
    elif outcome.kind == "rejected" and asked is not None:
        reason = frames.storable(outcome.value)
        settled |= {
            "state": "output-denied",
            "approval": {"id": str(asked), "approved": False, "reason": reason},
        }
    else:
        settled |= {"state": "output-error", "errorText": frames.storable(outcome.value)}
    return settled


def outcome_frames(call_id: str, outcome: CallOutcome) -> list[Frame]:
    """How a stream tells what a governed call came to."""
    if outcome.kind == "succeeded":
        return [frames.tool_output_available(call_id, outcome.value)]
    if outcome.kind == "rejected" and outcome.approval_id is not None:
        return [
            frames.tool_approval_request(call_id, str(outcome.approval_id)),
            frames.tool_output_denied(call_id),
        ]
    return [frames.tool_output_error(call_id, str(outcome.value))]


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
    if "id" in part.get("approval", {}) and "output" not in part:
        told.append(frames.tool_approval_request(call_id, part["approval"]["id"]))
    if part.get("state") == "output-denied":
        told.append(frames.tool_output_denied(call_id))
    elif "output" in part:
        told.append(frames.tool_output_available(call_id, part["output"]))
    elif "errorText" in part:
        told.append(frames.tool_output_error(call_id, part["errorText"]))
    return told
