"""The offline model's events: whole, numbered, counted and cancellable."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from agents import Agent, ModelSettings, RunConfig, Runner, RunResultStreaming, function_tool
from agents.models.interface import ModelTracing

from stead.core.clock import ManualClock
from stead.providers.models.offline import OfflineModel

QUIET = RunConfig(tracing_disabled=True)
MEMORIES = "<memories>\n- I live in Porto\n- I charge $300 a day\n- I have a dog named Rex\n</memories>"


@function_tool
def add(a: int, b: int) -> int:
    """Adds two integers."""
    return a + b


def agent(instructions: str = MEMORIES, **more: Any) -> Agent[None]:
    return Agent(name="Rafael", instructions=instructions, model=OfflineModel(), **more)


async def raw_events(result: RunResultStreaming) -> list[Any]:
    return [event.data async for event in result.stream_events() if event.type == "raw_response_event"]


def call(model: OfflineModel, text: str, **changes: Any) -> dict[str, Any]:
    return {
        "system_instructions": None,
        "input": text,
        "model_settings": ModelSettings(),
        "tools": [],
        "output_schema": None,
        "handoffs": [],
        "tracing": ModelTracing.DISABLED,
        "previous_response_id": None,
        "conversation_id": None,
        "prompt": None,
        **changes,
    }


async def test_call_ids_are_unique() -> None:
    model = OfflineModel()
    answers = [await model.get_response(**call(model, "/tool add", tools=[add])) for _ in range(20)]
    assert len({answer.output[0].call_id for answer in answers}) == 20


async def test_the_stream_is_a_whole_responses_sequence() -> None:
    streamed = Runner.run_streamed(agent(), "Where do I live?", run_config=QUIET)
    events = await raw_events(streamed)
    once = await Runner.run(agent(), "Where do I live?", run_config=QUIET)
    types = [event.type for event in events]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert [kind for kind in types if not kind.endswith(".delta")] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert len(deltas) > 10
    assert "".join(deltas) == streamed.final_output == once.final_output
    assert len({event.item_id for event in events if hasattr(event, "item_id")}) == 1
    assert events[0].response.id == events[-1].response.id
    assert events[0].response.output == []


async def test_a_streamed_function_call_carries_its_arguments_in_pieces() -> None:
    streamed = Runner.run_streamed(agent(tools=[add]), '/tool add {"a": 2, "b": 3}', run_config=QUIET)
    events = await raw_events(streamed)
    deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    (done,) = [event for event in events if event.type == "response.function_call_arguments.done"]
    added = next(event.item for event in events if event.type == "response.output_item.added")
    assert "".join(deltas) == done.arguments == '{"a": 2, "b": 3}'
    assert (added.type, added.name, added.arguments) == ("function_call", "add", "")
    assert "The tool `add` returned: 5" in streamed.final_output


async def test_usage_is_an_estimate_by_characters() -> None:
    model = OfflineModel()
    response = await model.get_response(**call(model, "x" * 400, system_instructions="y" * 41))
    text = response.output[0].content[0].text
    assert response.usage.requests == 1
    assert response.usage.input_tokens == 111
    assert response.usage.output_tokens == -(-len(text) // 4)
    streamed = Runner.run_streamed(agent("y" * 41), "x" * 400, run_config=QUIET)
    await raw_events(streamed)
    assert streamed.context_wrapper.usage.total_tokens == response.usage.total_tokens


async def test_created_at_comes_from_the_clock() -> None:
    clock = ManualClock()
    model = OfflineModel(clock=clock)
    async with aclosing(model.stream_response(**call(model, "Hi"))) as events:
        first = await anext(events)
    assert first.response.created_at == clock.now().timestamp()


async def test_cancel_stops_the_stream_midway() -> None:
    streamed = Runner.run_streamed(agent(), "What do you know about me?", run_config=QUIET)
    seen: list[str] = []
    async for event in streamed.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            seen.append(event.data.delta)
            if len(seen) == 3:
                streamed.cancel()
    assert "".join(seen).startswith("[offline model] ")
    assert len(seen) < 10
    assert streamed.final_output is None


async def test_a_waiting_stream_can_be_cancelled() -> None:
    model, begun = OfflineModel(delay_s=3600), asyncio.Event()

    async def consume() -> None:
        async for event in model.stream_response(**call(model, "Hi")):
            if event.type == "response.output_text.delta":
                begun.set()

    task = asyncio.create_task(consume())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
