"""The OpenAI server, driven by the clients that it stands in for."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import openai
import pytest
from agents import (
    Agent,
    ModelBehaviorError,
    ModelRetrySettings,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    function_tool,
)
from openai import AsyncOpenAI

from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply, ToolCall, Usage

USAGE = Usage(
    input_tokens=100, output_tokens=20, cached_tokens=60, cache_write_tokens=10, reasoning_tokens=4
)
MODELS = [OpenAIResponsesModel, OpenAIChatCompletionsModel]
FAILURES = [
    (Reply(status=400), openai.BadRequestError),
    (Reply(status=401), openai.AuthenticationError),
    (Reply(status=429, retry_after_s=0.01), openai.RateLimitError),
    (Reply(status=500), openai.InternalServerError),
    (Reply(drop=True), openai.APIConnectionError),
    (Reply(text=["a", "b", "c"], cut_after=2), openai.APIConnectionError),
    (Reply(text=["a", "b", "c"], cut_after=2, reset=True), openai.APIConnectionError),
]


@function_tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


@asynccontextmanager
async def client_of(server: OpenAIServer, *, max_retries: int = 0) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=server.base_url, api_key="key", max_retries=max_retries) as client:
        yield client


async def ask(client: AsyncOpenAI, api: str, *, stream: bool = True) -> Any:
    """Ask either API; streamed, the list of its events."""
    if api == "responses":
        answer: Any = await client.responses.create(model="m", input="hi", stream=stream)
    else:
        messages: Any = [{"role": "user", "content": "hi"}]
        answer = await client.chat.completions.create(model="m", messages=messages, stream=stream)
    return [event async for event in answer] if stream else answer


def run(client: AsyncOpenAI, model: type[Any], **settings: Any) -> Any:
    agent = Agent(
        name="a",
        model=model("m", openai_client=client),
        tools=[weather],
        model_settings=ModelSettings(include_usage=True, **settings),
    )
    return Runner.run_streamed(agent, "hi", run_config=RunConfig(tracing_disabled=True))


async def drain(result: Any) -> list[Any]:
    return [event async for event in result.stream_events()]


async def test_responses_stream_has_every_event_in_order() -> None:
    call = ToolCall(name="weather", arguments={"city": "Oslo"}, call_id="call_9")
    reply = Reply(reasoning=["so"], text=["Hel", "lo"], tool_calls=[call], usage=USAGE)
    async with OpenAIServer(reply) as server, client_of(server) as client:
        events = await ask(client, "responses")
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    final = events[-1].response
    assert final.output_text == "Hello"
    assert final.output == [event.item for event in events if event.type.endswith("item.done")]
    assert (final.output[2].call_id, final.output[2].arguments) == ("call_9", '{"city": "Oslo"}')
    assert (final.usage.input_tokens, final.usage.input_tokens_details.cached_tokens) == (100, 60)
    assert final.usage.output_tokens_details.reasoning_tokens == 4


async def test_responses_without_streaming() -> None:
    call = ToolCall(name="weather", arguments={"city": "Oslo"})
    async with (
        OpenAIServer(Reply(text=["Hel", "lo"], tool_calls=[call])) as server,
        client_of(server) as client,
    ):
        response = await ask(client, "responses", stream=False)
    assert response.output_text == "Hello"
    assert response.output[1].name == "weather"
    assert response.usage.total_tokens == 15


async def test_chat_stream() -> None:
    call = ToolCall(name="weather", arguments={"city": "Oslo"}, call_id="call_9")
    reply = Reply(text=["Hel", "lo"], tool_calls=[call], usage=USAGE)
    async with OpenAIServer(default=reply) as server, client_of(server) as client:
        without_usage = await ask(client, "chat")
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "Hello"
    calls = [part for delta in deltas for part in delta.tool_calls or ()]
    assert (calls[0].id, calls[0].function.name) == ("call_9", "weather")
    assert "".join(part.function.arguments for part in calls) == '{"city": "Oslo"}'
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert not chunks[-1].choices
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.prompt_tokens_details.cached_tokens) == (
        100,
        60,
    )
    assert all(chunk.usage is None for chunk in without_usage)


async def test_chat_without_streaming() -> None:
    async with (
        OpenAIServer(Reply(text=["Hel", "lo"], stop="length")) as server,
        client_of(server) as client,
    ):
        answer = await ask(client, "chat", stream=False)
    assert answer.choices[0].message.content == "Hello"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.total_tokens == 15


async def test_embeddings_are_the_same_in_both_encodings_and_near_for_near_texts() -> None:
    texts = ["the cat sat", "the cat stood", "quarterly revenue"]
    async with OpenAIServer() as server, client_of(server) as client:
        # The client asks for base64 when no encoding is named.
        packed = await client.embeddings.create(model="m", input=texts, dimensions=256)
        plain = await client.embeddings.create(
            model="m", input=texts, dimensions=256, encoding_format="float"
        )
        assert [request.body["encoding_format"] for request in server.requests] == ["base64", "float"]
    vectors = np.array([one.embedding for one in packed.data])
    np.testing.assert_allclose(vectors, [one.embedding for one in plain.data], rtol=1e-6)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > 0.5 > abs(far)
    assert packed.usage.prompt_tokens == 8


async def test_embedding_failures_do_not_use_up_the_replies_of_the_model() -> None:
    async with OpenAIServer(Reply(text=["mine"])) as server, client_of(server) as client:
        server.embedding_replies.append(Reply(status=429))
        with pytest.raises(openai.RateLimitError):
            await client.embeddings.create(model="m", input="x")
        assert len((await client.embeddings.create(model="m", input="x")).data[0].embedding) == 1536
        assert (await ask(client, "responses", stream=False)).output_text == "mine"


async def test_models() -> None:
    async with OpenAIServer(models=("one", "two")) as server, client_of(server) as client:
        assert [model.id async for model in client.models.list()] == ["one", "two"]


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize(("reply", "error"), FAILURES)
async def test_failures(api: str, reply: Reply, error: type[Exception]) -> None:
    async with OpenAIServer(reply) as server, client_of(server) as client:
        with pytest.raises(error):
            await ask(client, api)
        assert len(server.requests) == 1
        assert (await ask(client, api))[-1]


async def test_error_body_and_headers() -> None:
    async with OpenAIServer(Reply(status=429, retry_after_s=1.5)) as server, client_of(server) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(client, "responses")
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.request_id
    assert caught.value.response.headers["retry-after"] == "2"
    assert caught.value.response.headers["retry-after-ms"] == "1500"


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_whole_answer_cut_in_half(api: str) -> None:
    async with OpenAIServer(Reply(text=["abc"], cut_after=0)) as server, client_of(server) as client:
        with pytest.raises(openai.APIConnectionError):
            await ask(client, api, stream=False)


async def test_error_within_the_stream() -> None:
    async with (
        OpenAIServer(default=Reply(text=["a"] * 3, error_after=2)) as server,
        client_of(server) as client,
    ):
        events = await ask(client, "responses")
        with pytest.raises(openai.APIError, match="had an error") as caught:
            await ask(client, "chat")
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"
    assert not isinstance(caught.value, openai.APIStatusError)


async def test_client_repeats_what_failed_before_the_answer_began_and_nothing_else() -> None:
    busy = Reply(status=429, retry_after_s=0.001)
    async with OpenAIServer(busy, busy, busy) as server, client_of(server, max_retries=2) as client:
        with pytest.raises(openai.RateLimitError):
            await ask(client, "responses")
        assert len(server.requests) == 3
        server.script(Reply(text=["a", "b"], cut_after=1))
        with pytest.raises(openai.APIConnectionError):
            await ask(client, "responses")
        assert len(server.requests) == 4


async def test_hang_until_the_client_gives_up() -> None:
    async with OpenAIServer(Reply(hang=True)) as server, client_of(server) as client:
        task = asyncio.create_task(ask(client, "responses"))
        request = await server.received(1)
        task.cancel()
        await request.ended.wait()
        assert request.disconnected
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_client_leaves_before_the_first_delta() -> None:
    async with (
        OpenAIServer(Reply(text=["late"], delay_first_s=3600)) as server,
        client_of(server) as client,
    ):
        async with await client.responses.create(model="m", input="hi", stream=True) as stream:
            async for event in stream:
                if event.type == "response.content_part.added":
                    break
        request = server.requests[0]
        await request.ended.wait()
        assert (request.disconnected, request.deltas_sent) == (True, 0)


async def test_a_request_answered_to_its_end_is_not_disconnected() -> None:
    async with OpenAIServer() as server, client_of(server) as client:
        await ask(client, "responses")
        await server.requests[0].ended.wait()
        assert (server.requests[0].disconnected, server.requests[0].deltas_sent) == (False, 2)
        assert server.requests[0].headers["authorization"] == "Bearer key"


async def test_reply_for_computes_the_answer_from_the_request() -> None:
    def echo(body: Any) -> Reply:
        return Reply(text=[body["input"].upper()])

    async with (
        OpenAIServer(Reply(text=["first"]), reply_for=echo) as server,
        client_of(server) as client,
    ):
        assert (await ask(client, "responses", stream=False)).output_text == "first"
        assert (await ask(client, "responses", stream=False)).output_text == "HI"


async def test_error_in_reply_for_is_raised_when_the_server_closes() -> None:
    def broken(_body: Any) -> Reply:
        raise LookupError("no such reply")

    server = await OpenAIServer(reply_for=broken).start()
    async with client_of(server) as client:
        with pytest.raises(openai.APIConnectionError):
            await ask(client, "responses")
    with pytest.raises(LookupError, match="no such reply"):
        await server.close()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"input": [{"role": "memory", "content": "x"}]}, "Invalid value: 'memory'"),
        ({}, "Missing required parameter: 'input'"),
        (
            {"input": [{"type": "function_call_output", "call_id": "c1", "output": "x"}]},
            "No tool call found for function call output with call_id c1",
        ),
        (
            {"input": [{"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}]},
            "No tool output found for function call c1",
        ),
    ],
)
async def test_refuses_what_openai_refuses(body: dict[str, Any], message: str) -> None:
    async with OpenAIServer() as server, client_of(server) as client:
        with pytest.raises(openai.BadRequestError, match=message):
            await client.post("/responses", body={"model": "m", **body}, cast_to=object)


async def test_chat_refuses_an_unanswered_tool_call() -> None:
    function = {"name": "f", "arguments": "{}"}
    asked = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
    answered = {"role": "tool", "tool_call_id": "c1", "content": "x"}
    async with OpenAIServer() as server, client_of(server) as client:

        async def chat(*messages: dict[str, Any]) -> None:
            await client.chat.completions.create(model="m", messages=messages)  # type: ignore[arg-type]

        await chat(asked, answered)
        with pytest.raises(openai.BadRequestError, match=r"did not have response messages: c1"):
            await chat(asked)
        with pytest.raises(openai.BadRequestError, match="must be a response to a preceding message"):
            await chat(answered)


async def test_refuses_a_wrong_key_and_an_unknown_path() -> None:
    async with OpenAIServer(api_key="other") as server, client_of(server) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await ask(client, "responses")
        assert caught.value.code == "invalid_api_key"
    async with OpenAIServer() as server, client_of(server) as client:
        with pytest.raises(openai.NotFoundError, match="Invalid URL"):
            await client.post("/nothing", cast_to=object)


@pytest.mark.parametrize("model", MODELS)
async def test_agent_runs_a_tool(model: type[Any]) -> None:
    call = ToolCall(name="weather", arguments={"city": "Oslo"}, call_id="call_9")
    replies = [
        Reply(reasoning=["hm"], tool_calls=[call], usage=USAGE),
        Reply(text=["Sun", "ny"], usage=USAGE),
    ]
    async with OpenAIServer(*replies) as server, client_of(server) as client:
        result = run(client, model)
        events = await drain(result)
        second = server.requests[1].body
    deltas = [event.data for event in events if event.type == "raw_response_event"]
    assert "".join(d.delta for d in deltas if d.type == "response.output_text.delta") == "Sunny"
    assert "".join(d.delta for d in deltas if d.type == "response.reasoning_summary_text.delta") == "hm"
    assert result.final_output == "Sunny"
    sent_back = second["input"] if model is OpenAIResponsesModel else second["messages"]
    assert "sunny in Oslo" in json.dumps(sent_back[-1])
    usage = result.context_wrapper.usage
    assert (usage.requests, usage.input_tokens, usage.output_tokens) == (2, 200, 40)
    assert usage.input_tokens_details.cached_tokens == 120
    assert [one.input_tokens for one in usage.request_usage_entries] == [100, 100]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("reply", "error"), FAILURES)
async def test_agent_raises_what_the_client_raises(
    model: type[Any], reply: Reply, error: type[Exception]
) -> None:
    async with OpenAIServer(default=reply) as server, client_of(server, max_retries=2) as client:
        result = run(client, model, retry=ModelRetrySettings(max_retries=0))
        with pytest.raises(error):
            await drain(result)
        assert len(server.requests) == 1, "the run's setting switches the client's own retries off"


async def test_agent_raises_a_failed_and_a_truncated_response() -> None:
    failed, truncated = Reply(text=["a"], error_after=1), Reply(text=["a"], stop="length")
    async with OpenAIServer(failed, truncated, failed) as server, client_of(server) as client:
        with pytest.raises(ModelBehaviorError, match=r"response\.failed"):
            await drain(run(client, OpenAIResponsesModel))
        with pytest.raises(ModelBehaviorError, match=r"response\.incomplete"):
            await drain(run(client, OpenAIResponsesModel))
        with pytest.raises(openai.APIError):
            await drain(run(client, OpenAIChatCompletionsModel))


@pytest.mark.parametrize("model", MODELS)
async def test_agent_cancel_closes_the_request(model: type[Any]) -> None:
    replies = [Reply(hang=True), Reply(text=["a"] * 3, delay_each_s=3600)]
    async with OpenAIServer(*replies) as server, client_of(server) as client:
        for number, _ in enumerate(replies, start=1):
            result = run(client, model)
            task = asyncio.create_task(drain(result))
            request = await server.received(number)
            result.cancel("immediate")
            await task
            await request.ended.wait()
            assert request.disconnected


async def test_fifty_streams_at_once() -> None:
    words = [f"{number} " for number in range(100)]
    async with OpenAIServer(default=Reply(text=words)) as server, client_of(server) as client:
        answers = await asyncio.gather(*(ask(client, "responses") for _ in range(50)))
    assert {answer[-1].response.output_text for answer in answers} == {"".join(words)}


async def test_as_a_process_of_its_own() -> None:
    options = ["--deltas", "3", "--delay-ms", "1", "--stamp"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.servers.openai", *options, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        base_url = json.loads(await process.stdout.readline())["base_url"]
        async with AsyncOpenAI(base_url=base_url, api_key="key", max_retries=0) as client:
            response = (await ask(client, "responses"))[-1].response
    finally:
        process.terminate()
        code = await process.wait()
    stamps = [int(stamp) for stamp in response.output_text.split()]
    assert len(stamps) == 3
    assert all(earlier < later for earlier, later in pairwise(stamps))
    assert code == 0
