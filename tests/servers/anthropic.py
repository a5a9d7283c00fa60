"""A server that speaks Anthropic's wire format: Messages."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.servers.anthropic_checks import refusal
from tests.servers.script import (
    Meter,
    Reply,
    Request,
    StreamFailedError,
    Usage,
    whole_duration_s,
    whole_text,
)
from tests.servers.wire import Connection, ModelServer, main, new_id

ERRORS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Invalid request"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low"),
    403: ("permission_error", "Your API key does not have permission to use the specified resource"),
    404: ("not_found_error", "Not found"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your rate limit"),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Request timed out"),
    529: ("overloaded_error", "Overloaded"),
}
"""Status to type and message."""

SIGNATURE = "c2lnbmVk"


class AnthropicServer(ModelServer):
    """Speaks Anthropic's wire format."""

    request_id_header = "request-id"

    def refusal(self, request: Request) -> Reply | None:
        return refusal(request, self.api_key)

    def error_body(self, reply: Reply, request_id: str) -> dict[str, Any]:
        known = ERRORS.get(reply.status, ERRORS[500 if reply.status >= 500 else 400])
        return {**_error(reply, known), "request_id": request_id}

    async def answer(
        self, request: Request, reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        if not request.body.get("stream"):
            await asyncio.sleep(whole_duration_s(reply))
            await out.send_json(
                200, message(request.body, reply), headers, half=reply.cut_after is not None
            )
            return
        await out.start_events(headers)
        await _MessageStream(request.body, reply, out, Meter(reply, request)).send()
        await out.end_events()


def message(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole message, as it is answered without streaming."""
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        content.append(_thinking(whole_text(reply.reasoning), SIGNATURE))
    if reply.text:
        content.append({"type": "text", "text": whole_text(reply.text)})
    content += [
        _tool_use(call.call_id, call.name, json.loads(call.arguments_json()))
        for call in reply.tool_calls
    ]
    ending = {"content": content, "stop_reason": _stop_reason(reply), "usage": _usage(reply.usage)}
    return {**_empty_message(body), **ending}


class _MessageStream:
    def __init__(self, body: dict[str, Any], reply: Reply, out: Connection, meter: Meter) -> None:
        self._body = body
        self._reply = reply
        self._out = out
        self._meter = meter
        self._index = 0

    async def send(self) -> None:
        reply = self._reply
        opening = {**_empty_message(self._body), "usage": {**_usage(reply.usage), "output_tokens": 1}}
        await self._event("message_start", message=opening)
        await self._event("ping")
        try:
            if reply.reasoning:
                await self._block(_thinking("", ""), "thinking_delta", "thinking", reply.reasoning)
            if reply.text:
                await self._block({"type": "text", "text": ""}, "text_delta", "text", reply.text)
            for call in reply.tool_calls:
                start = _tool_use(call.call_id, call.name, {})
                await self._block(start, "input_json_delta", "partial_json", call.pieces())
            self._meter.check()
        except StreamFailedError:
            await self._event("error", error=_error(reply, ERRORS[529])["error"])
            return
        ending = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
        await self._event("message_delta", delta=ending, usage=_usage(reply.usage))
        await self._event("message_stop")

    async def _block(self, start: dict[str, Any], kind: str, field: str, deltas: Any) -> None:
        index = self._index
        self._index += 1
        await self._event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            text = await self._meter.next(delta)
            await self._event("content_block_delta", index=index, delta={"type": kind, field: text})
        if kind == "thinking_delta":
            signature = {"type": "signature_delta", "signature": SIGNATURE}
            await self._event("content_block_delta", index=index, delta=signature)
        await self._event("content_block_stop", index=index)

    async def _event(self, kind: str, **fields: Any) -> None:
        await self._out.send_event({"type": kind, **fields}, name=kind)


def _error(reply: Reply, known: tuple[str, str]) -> dict[str, Any]:
    kind, text = known
    error = {"type": reply.error_code or kind, "message": reply.error_message or text}
    return {"type": "error", "error": error}


def _thinking(text: str, signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def _tool_use(call_id: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def _stop_reason(reply: Reply) -> str:
    if reply.stop == "length":
        return "max_tokens"
    return "tool_use" if reply.tool_calls else "end_turn"


def _usage(usage: Usage) -> dict[str, Any]:
    """Anthropic counts cached and cache-written tokens beside the input tokens, not within them."""
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }


def _empty_message(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {},
    }


if __name__ == "__main__":
    main(AnthropicServer)
