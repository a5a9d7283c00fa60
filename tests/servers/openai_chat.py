"""OpenAI's Chat Completions API: the completion object and the chunks that stream it.

Reasoning goes as `reasoning_content`, as compatible servers send it; OpenAI itself does not.
"""

from __future__ import annotations

import time
from typing import Any

from tests.servers.openai_responses import SERVER_ERROR
from tests.servers.script import Meter, Reply, StreamFailedError, ToolCall, Usage, whole_text
from tests.servers.wire import Connection, new_id


def completion(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole completion, as it is answered without streaming."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": whole_text(reply.text) if reply.text else None,
        "refusal": None,
        "annotations": [],
    }
    if reply.reasoning:
        message["reasoning_content"] = whole_text(reply.reasoning)
    if reply.tool_calls:
        message["tool_calls"] = [_tool_call(call, call.arguments_json()) for call in reply.tool_calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(reply)}
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [choice],
        "usage": _usage(reply.usage),
        "service_tier": "default",
        "system_fingerprint": "fp_local",
    }


async def stream_completion(body: dict[str, Any], reply: Reply, out: Connection, meter: Meter) -> None:
    """Send the chunks of one completion and `[DONE]`."""
    stream = _CompletionStream(body, out)
    try:
        await stream.delta({"role": "assistant", "content": "", "refusal": None})
        for reasoning in reply.reasoning:
            await stream.delta({"reasoning_content": await meter.next(reasoning)})
        for text in reply.text:
            await stream.delta({"content": await meter.next(text)})
        for index, call in enumerate(reply.tool_calls):
            await stream.delta({"tool_calls": [{"index": index, **_tool_call(call, "")}]})
            for piece in call.pieces():
                function = {"arguments": await meter.next(piece)}
                await stream.delta({"tool_calls": [{"index": index, "function": function}]})
        meter.check()
    except StreamFailedError:
        message = reply.error_message or SERVER_ERROR
        error = {"message": message, "type": "server_error", "param": None, "code": reply.error_code}
        await out.send_event({"error": error})
        return
    await stream.delta({}, finish_reason=_finish_reason(reply))
    if stream.with_usage:
        await stream.chunk([], usage=_usage(reply.usage))
    await out.send_event("[DONE]")


class _CompletionStream:
    def __init__(self, body: dict[str, Any], out: Connection) -> None:
        self._out = out
        self._fixed = {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_local",
        }
        self.with_usage = bool((body.get("stream_options") or {}).get("include_usage"))

    async def delta(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> None:
        await self.chunk(
            [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]
        )

    async def chunk(self, choices: list[dict[str, Any]], *, usage: dict[str, Any] | None = None) -> None:
        chunk = {**self._fixed, "choices": choices}
        if self.with_usage:
            chunk["usage"] = usage
        await self._out.send_event(chunk)


def _tool_call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {
        "id": call.call_id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _finish_reason(reply: Reply) -> str:
    if reply.stop == "length":
        return "length"
    return "tool_calls" if reply.tool_calls else "stop"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
