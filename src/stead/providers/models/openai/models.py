"""The Agents SDK's models for OpenAI's two APIs, each attempt of a call within its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel
from agents.exceptions import ModelTimeoutError
from openai import AsyncOpenAI
from typing_extensions import override


class ResponsesModel(OpenAIResponsesModel):
    """Sends the conversation as it is, and ends a stream that takes too long.

    The client would match every item of it against a union of some thirty types, to rename members that ours
    do not have: a millisecond an item, which is most of the time to the first token of a long conversation.
    """

    def __init__(self, model: str, client: AsyncOpenAI, timeout_s: float) -> None:
        super().__init__(model, openai_client=client)
        self.stream_timeout_s = timeout_s

    @override
    def _build_response_create_kwargs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        request = super()._build_response_create_kwargs(*args, **kwargs)
        extra = request.get("extra_body")
        request["extra_body"] = {
            **(cast("dict[str, Any]", extra) if isinstance(extra, dict) else {}),
            "input": request.pop("input"),
        }
        return request

    @override
    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return within(self.stream_timeout_s, super().stream_response(*args, **kwargs))


class ChatCompletionsModel(OpenAIChatCompletionsModel):
    """Ends a stream that takes too long."""

    def __init__(self, model: str, client: AsyncOpenAI, timeout_s: float) -> None:
        super().__init__(model, openai_client=client)
        self.stream_timeout_s = timeout_s

    @override
    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return within(self.stream_timeout_s, super().stream_response(*args, **kwargs))


async def within(timeout_s: float, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """A model's stream, ended with the SDK's own error when it takes longer than so many seconds.

    The SDK's time-out does the same with a task and two queues for every single event. Its run loop takes a
    stream's events in one task, which waits for nothing else meanwhile: one time-out around all of it will do.

    Raises:
        ModelTimeoutError: The time is over.
    """
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit, aclosing(cast("Any", stream)) as events:
            async for event in events:
                yield event
    except TimeoutError:
        if not limit.expired():
            raise
    if limit.expired():
        # Outside of the handler: what a retry policy finds behind this error is what it finds with the SDK's own.
        raise ModelTimeoutError(timeout_s)
