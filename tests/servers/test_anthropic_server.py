"""The Anthropic server, driven by the clients that it stands in for."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpx
import pytest
from agents import Agent, ModelRetrySettings, ModelSettings, RunConfig, Runner, function_tool
from agents.extensions.models.any_llm_model import AnyLLMModel
from anthropic import AsyncAnthropic
from any_llm.exceptions import AnyLLMError

from tests.servers.anthropic import AnthropicServer
from tests.servers.script import Reply, ToolCall, Usage

USAGE = Usage(input_tokens=100, output_tokens=20, cached_tokens=60, cache_write_tokens=10)
CALL = ToolCall(name="weather", arguments={"city": "Oslo"}, call_id="toolu_9")
FAILURES = [
    (Reply(status=400), anthropic.BadRequestError),
    (Reply(status=401), anthropic.AuthenticationError),
    (Reply(status=429, retry_after_s=0.01), anthropic.RateLimitError),
    (Reply(status=500), anthropic.InternalServerError),
    (Reply(status=529), anthropic.OverloadedError),
    (Reply(drop=True), anthropic.APIConnectionError),
    # What breaks within the stream is not translated by the client: httpx's own errors come through.
    (Reply(text=["a", "b", "c"], cut_after=2), httpx.RemoteProtocolError),
    (Reply(text=["a", "b", "c"], cut_after=2, reset=True), httpx.ReadError),
    (Reply(text=["a", "b", "c"], error_after=2), anthropic.APIStatusError),
]
# any-llm announces its own error classes with each error that it passes on.
announced = pytest.mark.filterwarnings("ignore:Provider-specific exceptions:DeprecationWarning")


@function_tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


@asynccontextmanager
async def client_of(server: AnthropicServer, *, max_retries: int = 0) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(
        base_url=server.base_url, api_key="key", max_retries=max_retries
    ) as client:
        yield client


@asynccontextmanager
async def model_of(server: AnthropicServer) -> AsyncIterator[AnyLLMModel]:
    model = AnyLLMModel("anthropic/claude-local", base_url=server.base_url, api_key="key")
    try:
        yield model
    finally:
        await model.close()


async def ask(client: AsyncAnthropic, *, stream: bool = True) -> Any:
    """Ask; streamed, the list of its events."""
    messages: Any = [{"role": "user", "content": "hi"}]
    answer: Any = await client.messages.create(
        model="m", max_tokens=99, messages=messages, stream=stream
    )
    return [event async for event in answer] if stream else answer


def run(model: AnyLLMModel, **settings: Any) -> Any:
    agent = Agent(name="a", model=model, tools=[weather], model_settings=ModelSettings(**settings))
    return Runner.run_streamed(agent, "hi", run_config=RunConfig(tracing_disabled=True))


async def drain(result: Any) -> list[Any]:
    return [event async for event in result.stream_events()]


async def test_stream_has_every_event_in_order() -> None:
    reply = Reply(reasoning=["so"], text=["Hel", "lo"], tool_calls=[CALL], usage=USAGE)
    async with AnthropicServer(reply) as server, client_of(server) as client:
        events = await ask(client)
    kinds = [
        event.delta.type if event.type == "content_block_delta" else event.type.removeprefix("content_")
        for event in events
    ]
    assert kinds == [
        "message_start",
        "block_start",
        "thinking_delta",
        "signature_delta",
        "block_stop",
        "block_start",
        "text_delta",
        "text_delta",
        "block_stop",
        "block_start",
        "input_json_delta",
        "input_json_delta",
        "block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[-2].delta.stop_reason == "tool_use"
    usage = events[-2].usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (30, 60, 20)


async def test_client_puts_the_streamed_message_together() -> None:
    reply = Reply(reasoning=["so"], text=["Hel", "lo"], tool_calls=[CALL], usage=USAGE)
    messages: Any = [{"role": "user", "content": "hi"}]
    async with AnthropicServer(default=reply) as server, client_of(server) as client:
        async with client.messages.stream(model="m", max_tokens=99, messages=messages) as stream:
            streamed = await stream.get_final_message()
        whole = await ask(client, stream=False)
    assert [block.type for block in streamed.content] == ["thinking", "text", "tool_use"]
    assert streamed.content[2].input == {"city": "Oslo"}
    assert (streamed.content[0].thinking, streamed.content[1].text) == ("so", "Hello")
    assert [block.to_dict() for block in whole.content] == [
        {"type": "thinking", "thinking": "so", "signature": streamed.content[0].signature},
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "id": "toolu_9", "name": "weather", "input": {"city": "Oslo"}},
    ]
    assert (streamed.stop_reason, streamed.usage.input_tokens) == (
        whole.stop_reason,
        whole.usage.input_tokens,
    )


@pytest.mark.parametrize(("reply", "error"), FAILURES)
async def test_failures(reply: Reply, error: type[Exception]) -> None:
    async with AnthropicServer(reply) as server, client_of(server) as client:
        with pytest.raises(error):
            await ask(client)
        assert len(server.requests) == 1
        assert (await ask(client))[-1].type == "message_stop"


async def test_error_body_and_headers() -> None:
    async with (
        AnthropicServer(Reply(status=429, retry_after_s=7)) as server,
        client_of(server) as client,
    ):
        with pytest.raises(anthropic.RateLimitError) as caught:
            await ask(client)
    body: Any = caught.value.body
    assert body["error"]["type"] == "rate_limit_error"
    assert body["request_id"] == caught.value.request_id
    assert caught.value.response.headers["retry-after"] == "7"


async def test_whole_answer_cut_in_half() -> None:
    async with AnthropicServer(Reply(text=["abc"], cut_after=0)) as server, client_of(server) as client:
        with pytest.raises(anthropic.APIConnectionError):
            await ask(client, stream=False)


async def test_client_repeats_what_failed_before_the_answer_began_and_nothing_else() -> None:
    busy = Reply(status=529, retry_after_s=0.001)
    async with AnthropicServer(busy, busy, busy) as server, client_of(server, max_retries=2) as client:
        with pytest.raises(anthropic.OverloadedError):
            await ask(client)
        assert len(server.requests) == 3
        server.script(Reply(text=["a", "b"], cut_after=1))
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(client)
        assert len(server.requests) == 4


async def test_hang_until_the_client_gives_up() -> None:
    async with AnthropicServer(Reply(hang=True)) as server, client_of(server) as client:
        task = asyncio.create_task(ask(client))
        request = await server.received(1)
        task.cancel()
        await request.ended.wait()
        assert request.disconnected
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("missing", ["x-api-key", "anthropic-version"])
async def test_refuses_a_request_without_its_headers(missing: str) -> None:
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
    del headers[missing]
    async with AnthropicServer() as server, httpx.AsyncClient(base_url=server.base_url) as client:
        response = await client.post("/v1/messages", headers=headers, json={})
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert missing in response.json()["error"]["message"]


async def test_refuses_a_wrong_key_and_an_unknown_path() -> None:
    async with AnthropicServer(api_key="other") as server, client_of(server) as client:
        with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
            await ask(client)
    async with AnthropicServer() as server, client_of(server) as client:
        with pytest.raises(anthropic.NotFoundError):
            await client.models.list()


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([{"role": "system", "content": "x"}], "Unexpected role"),
        ([], "at least one message"),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}],
                }
            ],
            "unexpected `tool_use_id`",
        ),
        (
            [
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}],
                },
                {"role": "user", "content": "x"},
            ],
            "without `tool_result`",
        ),
    ],
)
async def test_refuses_what_anthropic_refuses(messages: Any, message: str) -> None:
    async with AnthropicServer() as server, client_of(server) as client:
        with pytest.raises(anthropic.BadRequestError, match=message):
            await client.messages.create(model="m", max_tokens=9, messages=messages)


async def test_agent_runs_a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    replies = [
        Reply(reasoning=["hm"], tool_calls=[CALL], usage=USAGE),
        Reply(text=["Sun", "ny"], usage=USAGE),
    ]
    async with AnthropicServer(*replies) as server, model_of(server) as model:
        result = run(model)
        events = await drain(result)
        first, second = server.requests
    assert (first.headers["x-api-key"], first.body["model"]) == ("key", "claude-local")
    deltas = [event.data for event in events if event.type == "raw_response_event"]
    assert "".join(d.delta for d in deltas if d.type == "response.output_text.delta") == "Sunny"
    # The Agents SDK makes the word "content", its field's name, of the empty start of a thinking block.
    reasoning = "".join(d.delta for d in deltas if d.type == "response.reasoning_text.delta")
    assert reasoning.removeprefix("content") == "hm"
    assert result.final_output == "Sunny"
    answer = second.body["messages"][-1]["content"][0]
    assert (answer["type"], answer["tool_use_id"]) == ("tool_result", "toolu_9")
    assert "sunny in Oslo" in json.dumps(answer)
    usage = result.context_wrapper.usage
    assert (usage.requests, usage.input_tokens, usage.output_tokens) == (2, 200, 40)
    assert usage.input_tokens_details.cached_tokens == 120


@announced
@pytest.mark.parametrize(("reply", "error"), FAILURES)
async def test_agent_raises_what_the_client_raises(
    monkeypatch: pytest.MonkeyPatch, reply: Reply, error: type[Exception]
) -> None:
    # Stead asks for the unified ones, for the rest of the process: whoever ran before may have loaded it.
    monkeypatch.delenv("ANY_LLM_UNIFIED_EXCEPTIONS", raising=False)
    async with AnthropicServer(default=reply) as server, model_of(server) as model:
        with pytest.raises(error):
            await drain(run(model, retry=ModelRetrySettings(max_retries=0)))
        assert len(server.requests) == 1, "the run's setting switches the client's own retries off"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(status=429, retry_after_s=3), 429),
        (Reply(status=529), 529),
        (Reply(text=["a"], cut_after=1), None),
    ],
)
async def test_agent_raises_any_llms_own_errors_when_told_to(
    monkeypatch: pytest.MonkeyPatch, reply: Reply, status: int | None
) -> None:

    monkeypatch.setenv("ANY_LLM_UNIFIED_EXCEPTIONS", "1")
    async with AnthropicServer(default=reply) as server, model_of(server) as model:
        with pytest.raises(AnyLLMError) as caught:
            await drain(run(model, retry=ModelRetrySettings(max_retries=0)))
    assert caught.value.status_code == status
    assert isinstance(
        caught.value.original_exception, anthropic.APIStatusError | httpx.RemoteProtocolError
    )


async def test_agent_cancel_closes_the_request() -> None:
    replies = [Reply(hang=True), Reply(text=["a"] * 3, delay_each_s=3600)]
    async with AnthropicServer(*replies) as server, model_of(server) as model:
        for number, _ in enumerate(replies, start=1):
            result = run(model)
            task = asyncio.create_task(drain(result))
            request = await server.received(number)
            result.cancel("immediate")
            await task
            await request.ended.wait()
            assert request.disconnected


async def test_as_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.servers.anthropic", "--deltas", "3", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        base_url = json.loads(await process.stdout.readline())["base_url"]
        async with AsyncAnthropic(base_url=base_url, api_key="key", max_retries=0) as client:
            message = await ask(client, stream=False)
    finally:
        process.terminate()
        code = await process.wait()
    assert (message.content[0].text, code) == ("word word word ", 0)
