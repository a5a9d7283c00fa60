"""OpenAI's Responses API: the response object and the events that stream it."""

from __future__ import annotations

import itertools
import time
from typing import Any

from tests.servers.script import Meter, Reply, StreamFailedError, Usage, whole_text
from tests.servers.wire import Connection, new_id

SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"


def response(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole response, as it is answered without streaming."""
    output: list[dict[str, Any]] = []
    if reply.reasoning:
        output.append(_reasoning_item(new_id("rs_"), body, whole_text(reply.reasoning)))
    if reply.text:
        output.append(_message_item(new_id("msg_"), "completed", whole_text(reply.text)))
    output += [
        _call_item(new_id("fc_"), "completed", call.name, call.call_id, call.arguments_json())
        for call in reply.tool_calls
    ]
    return _finished(body, new_id("resp_"), reply, output)


async def stream_response(body: dict[str, Any], reply: Reply, out: Connection, meter: Meter) -> None:
    """Send the events of one response, from `response.created` to the one that ends it."""
    await _ResponseStream(body, reply, out, meter).send()


class _ResponseStream:
    def __init__(self, body: dict[str, Any], reply: Reply, out: Connection, meter: Meter) -> None:
        self._body = body
        self._reply = reply
        self._out = out
        self._meter = meter
        self._id = new_id("resp_")
        self._sequence = itertools.count()
        self._output: list[dict[str, Any]] = []

    async def send(self) -> None:
        opening = _response_object(self._body, self._id, "in_progress", [])
        await self._event("response.created", response=opening)
        await self._event("response.in_progress", response=opening)
        try:
            if self._reply.reasoning:
                await self._reasoning()
            if self._reply.text:
                await self._message()
            for call in self._reply.tool_calls:
                await self._call(call.name, call.call_id, call.pieces())
            self._meter.check()
        except StreamFailedError:
            failed = _response_object(self._body, self._id, "failed", self._output)
            failed["error"] = {
                "code": self._reply.error_code or "server_error",
                "message": self._reply.error_message or SERVER_ERROR,
            }
            await self._event("response.failed", response=failed)
            return
        whole = _finished(self._body, self._id, self._reply, self._output)
        await self._event(f"response.{whole['status']}", response=whole)

    async def _reasoning(self) -> None:
        item_id, at = new_id("rs_"), len(self._output)
        place = {"item_id": item_id, "output_index": at, "summary_index": 0}
        added = {"id": item_id, "type": "reasoning", "summary": []}
        await self._event("response.output_item.added", output_index=at, item=added)
        await self._event(
            "response.reasoning_summary_part.added", **place, part={"type": "summary_text", "text": ""}
        )
        sent: list[str] = []
        for delta in self._reply.reasoning:
            sent.append(await self._meter.next(delta))
            await self._event("response.reasoning_summary_text.delta", **place, delta=sent[-1])
        text = "".join(sent)
        await self._event("response.reasoning_summary_text.done", **place, text=text)
        await self._event(
            "response.reasoning_summary_part.done", **place, part={"type": "summary_text", "text": text}
        )
        await self._item_done(at, _reasoning_item(item_id, self._body, text))

    async def _message(self) -> None:
        item_id, at = new_id("msg_"), len(self._output)
        place = {"item_id": item_id, "output_index": at, "content_index": 0}
        added = {**_message_item(item_id, "in_progress", ""), "content": []}
        await self._event("response.output_item.added", output_index=at, item=added)
        await self._event("response.content_part.added", **place, part=_text_part(""))
        sent: list[str] = []
        for delta in self._reply.text:
            sent.append(await self._meter.next(delta))
            await self._event("response.output_text.delta", **place, delta=sent[-1], logprobs=[])
        text = "".join(sent)
        await self._event("response.output_text.done", **place, text=text, logprobs=[])
        await self._event("response.content_part.done", **place, part=_text_part(text))
        status = "completed" if self._reply.stop == "stop" else "incomplete"
        await self._item_done(at, _message_item(item_id, status, text))

    async def _call(self, name: str, call_id: str, pieces: list[str]) -> None:
        item_id, at = new_id("fc_"), len(self._output)
        place = {"item_id": item_id, "output_index": at}
        added = _call_item(item_id, "in_progress", name, call_id, "")
        await self._event("response.output_item.added", output_index=at, item=added)
        for piece in pieces:
            delta = await self._meter.next(piece)
            await self._event("response.function_call_arguments.delta", **place, delta=delta)
        arguments = "".join(pieces)
        await self._event(
            "response.function_call_arguments.done", **place, name=name, arguments=arguments
        )
        await self._item_done(at, _call_item(item_id, "completed", name, call_id, arguments))

    async def _item_done(self, at: int, item: dict[str, Any]) -> None:
        self._output.append(item)
        await self._event("response.output_item.done", output_index=at, item=item)

    async def _event(self, kind: str, **fields: Any) -> None:
        data = {"type": kind, "sequence_number": next(self._sequence), **fields}
        await self._out.send_event(data, name=kind)


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _message_item(item_id: str, status: str, text: str) -> dict[str, Any]:
    content = [_text_part(text)]
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}


def _reasoning_item(item_id: str, body: dict[str, Any], text: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": item_id,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}],
    }
    if "reasoning.encrypted_content" in (body.get("include") or ()):
        item["encrypted_content"] = "c2VhbGVk"
    return item


def _call_item(item_id: str, status: str, name: str, call_id: str, arguments: str) -> dict[str, Any]:
    call = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": item_id, "type": "function_call", "status": status, **call}


def _finished(
    body: dict[str, Any], response_id: str, reply: Reply, output: list[dict[str, Any]]
) -> dict[str, Any]:
    status = "completed" if reply.stop == "stop" else "incomplete"
    whole = _response_object(body, response_id, status, output)
    whole["usage"] = _usage(reply.usage)
    if status == "incomplete":
        whole["incomplete_details"] = {"reason": "max_output_tokens"}
    return whole


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _response_object(
    body: dict[str, Any], response_id: str, status: str, output: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": body["model"],
        "output": list(output),
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "usage": None,
        "metadata": body.get("metadata") or {},
    }
