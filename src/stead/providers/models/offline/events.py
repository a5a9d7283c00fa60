"""The Responses API objects and the event sequence in which an offline answer is streamed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseInProgressEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseStreamEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)

OutputItem = ResponseOutputMessage | ResponseFunctionToolCall

# A word with the space after it; long tokens and unspaced scripts are cut too, so that they stream.
_PIECE = re.compile(r"\S{1,24}\s*|\s+")


def pieces(text: str) -> list[str]:
    """``text`` cut into words; joined together they are ``text`` again."""
    return _PIECE.findall(text)


def message(item_id: str, text: str) -> ResponseOutputMessage:
    """A finished assistant message."""
    return ResponseOutputMessage(
        id=item_id,
        type="message",
        role="assistant",
        status="completed",
        content=[ResponseOutputText(type="output_text", text=text, annotations=[])],
    )


def function_call(item_id: str, call_id: str, name: str, arguments: str) -> ResponseFunctionToolCall:
    """A finished function call."""
    return ResponseFunctionToolCall(
        id=item_id,
        type="function_call",
        call_id=call_id,
        name=name,
        arguments=arguments,
        status="completed",
    )


def events(response: Response, item: OutputItem) -> Iterator[ResponseStreamEvent]:
    """Every event of a response with one output item, numbered, from created to completed.

    Args:
        response: The finished response, with its usage.
        item: Its only output item.
    """
    opening = response.model_copy(update={"status": "in_progress", "output": [], "usage": None})
    yield ResponseCreatedEvent(type="response.created", response=opening, sequence_number=0)
    yield ResponseInProgressEvent(type="response.in_progress", response=opening, sequence_number=1)
    number = 2
    for event in _message(item) if isinstance(item, ResponseOutputMessage) else _function_call(item):
        event.sequence_number = number
        yield event
        number += 1
    yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=number)


def _message(item: ResponseOutputMessage) -> Iterator[ResponseStreamEvent]:
    part = item.content[0]
    text = part.text if isinstance(part, ResponseOutputText) else ""
    yield ResponseOutputItemAddedEvent(
        type="response.output_item.added",
        output_index=0,
        item=item.model_copy(update={"status": "in_progress", "content": []}),
        sequence_number=0,
    )
    yield ResponseContentPartAddedEvent(
        type="response.content_part.added",
        item_id=item.id,
        output_index=0,
        content_index=0,
        part=ResponseOutputText(type="output_text", text="", annotations=[]),
        sequence_number=0,
    )
    for piece in pieces(text):
        yield ResponseTextDeltaEvent(
            type="response.output_text.delta",
            item_id=item.id,
            output_index=0,
            content_index=0,
            delta=piece,
            logprobs=[],
            sequence_number=0,
        )
    yield ResponseTextDoneEvent(
        type="response.output_text.done",
        item_id=item.id,
        output_index=0,
        content_index=0,
        text=text,
        logprobs=[],
        sequence_number=0,
    )
    yield ResponseContentPartDoneEvent(
        type="response.content_part.done",
        item_id=item.id,
        output_index=0,
        content_index=0,
        part=ResponseOutputText(type="output_text", text=text, annotations=[]),
        sequence_number=0,
    )
    yield ResponseOutputItemDoneEvent(
        type="response.output_item.done", output_index=0, item=item, sequence_number=0
    )


def _function_call(item: ResponseFunctionToolCall) -> Iterator[ResponseStreamEvent]:
    item_id = item.id or item.call_id
    yield ResponseOutputItemAddedEvent(
        type="response.output_item.added",
        output_index=0,
        item=item.model_copy(update={"status": "in_progress", "arguments": ""}),
        sequence_number=0,
    )
    for piece in pieces(item.arguments):
        yield ResponseFunctionCallArgumentsDeltaEvent(
            type="response.function_call_arguments.delta",
            item_id=item_id,
            output_index=0,
            delta=piece,
            sequence_number=0,
        )
    yield ResponseFunctionCallArgumentsDoneEvent(
        type="response.function_call_arguments.done",
        item_id=item_id,
        output_index=0,
        arguments=item.arguments,
        sequence_number=0,
    )
    yield ResponseOutputItemDoneEvent(
        type="response.output_item.done", output_index=0, item=item, sequence_number=0
    )
