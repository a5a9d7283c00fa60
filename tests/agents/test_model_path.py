"""From `POST /api/chat` to each vendor's wire format and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.agents.vendors import (
    KINDS,
    Vendor,
    instructions_in,
    messages_of,
    run_of,
    said_in,
    stored_text,
    tool_results_in,
    vendor_of,
)
from tests.servers.script import Reply, ToolCall, Usage
from tests.support.people import Person, open_session, service_headers
from tests.support.servers import frames_of, say, text_of

SOON = Reply(status=500, retry_after_s=0.01)


@pytest_asyncio.fixture(scope="module", params=KINDS)
async def vendor(request: pytest.FixtureRequest, access: DatabaseAccess) -> AsyncIterator[Vendor]:
    async with vendor_of(request.param, access) as found:
        yield found


@pytest_asyncio.fixture
async def session(vendor: Vendor, person: Person) -> str:
    return await open_session(vendor.running.client, person)


async def ask(vendor: Vendor, person: Person, session: str, message: str, **body: Any) -> Any:
    return await say(vendor.running.client, person.headers, session, message, **body)


def types_of(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


async def assert_failed(
    vendor: Vendor, person: Person, session: str, frames: list[dict[str, Any]], *codes: str
) -> dict[str, Any]:
    """The client was told, the run says why, and the session takes the next message at once."""
    assert types_of(frames)[-1] == "error"
    run = await run_of(vendor.running, person, frames)
    assert (run["status"], run["finish_reason"]) == ("failed", "error")
    assert run["error"]["code"] in codes
    assert f"({run['error']['code']})" in frames[-1]["errorText"]
    vendor.script(Reply(text=["fine"]))
    again = await ask(vendor, person, session, "Still there?")
    assert text_of(again) == "fine"
    return run


async def test_text_arrives_while_the_model_is_still_speaking(
    vendor: Vendor, person: Person, session: str
) -> None:
    """The model's next delta is held back until the one before it has come out at the other end."""
    vendor.script(Reply(text=["one ", "two ", "three"], delay_each_s=30.0))
    body = {"sessionId": session, "message": "Count."}
    async with vendor.running.client.stream(
        "POST", "/api/chat", json=body, headers=person.headers
    ) as answer:
        async for line in answer.aiter_lines():
            if '"text-delta"' in line:
                break
    assert vendor.requests[0].deltas_sent == 1
    await vendor.running.client.post(f"/api/chat/{session}/stop", headers=person.headers)
    await asyncio.wait_for(vendor.requests[0].ended.wait(), 5)
    assert vendor.requests[0].disconnected
    await _idle(vendor, person, session)


async def _idle(vendor: Vendor, person: Person, session: str) -> None:
    answer = await vendor.running.client.get(f"/api/chat/{session}/stream", headers=person.headers)
    if answer.status_code == 200:
        assert answer.text.endswith("data: [DONE]\n\n")


async def test_what_the_model_says_comes_in_its_order_between_a_start_and_an_end(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(text=["Hel", "lo ", "you"]))
    frames = await ask(vendor, person, session, "Hi.")
    assert text_of(frames) == "Hello you"
    kinds = types_of(frames)
    assert kinds[:3] == ["start", "start-step", "text-start"]
    assert kinds[-3:] == ["text-end", "finish-step", "finish"]
    assert "null" not in json.dumps(frames)
    messages = await messages_of(vendor.running, person, session)
    assert [(m["role"], stored_text(m)) for m in messages] == [
        ("user", "Hi."),
        ("assistant", "Hello you"),
    ]
    assert messages[1]["id"] == frames[0]["messageId"]


async def test_reasoning_streams_apart_from_the_answer(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(reasoning=["Let me ", "think."], text=["Done."]))
    frames = await ask(vendor, person, session, "Think.")
    reasoning = [frame["delta"] for frame in frames if frame["type"] == "reasoning-delta"]
    assert "".join(reasoning) == "Let me think."
    assert text_of(frames) == "Done."
    kinds = types_of(frames)
    assert kinds.index("reasoning-end") > kinds.index("reasoning-delta")
    parts = (await messages_of(vendor.running, person, session))[1]["parts"]
    said = {part["type"]: part["text"] for part in parts if "text" in part}
    assert said == {"reasoning": "Let me think.", "text": "Done."}


async def test_tool_calls_go_round(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(
        Reply(tool_calls=[ToolCall(name="add", arguments={"a": 19, "b": 23}, call_id="call_a")]),
        Reply(text=["It is 42."]),
    )
    frames = await ask(vendor, person, session, "What is 19 and 23?", agentId="calculator")
    by_type = {frame["type"]: frame for frame in frames}
    assert by_type["tool-input-available"]["input"] == {"a": 19, "b": 23}
    assert by_type["tool-output-available"]["output"] in (42, "42")
    assert text_of(frames) == "It is 42."
    assert types_of(frames).count("start-step") == 2
    assert tool_results_in(vendor.requests[1]) == ["42"]
    offered = json.dumps(vendor.requests[0].body["tools"])
    assert "Adds two numbers." in offered
    part = next(
        p
        for p in (await messages_of(vendor.running, person, session))[1]["parts"]
        if p["type"] == "tool-add"
    )
    assert (part["state"], part["input"], part["toolCallId"]) == (
        "output-available",
        {"a": 19, "b": 23},
        by_type["tool-input-start"]["toolCallId"],
    )
    # The next turn carries the call and its output along; a vendor refuses one without the other.
    vendor.script(Reply(text=["Yes."]))
    frames = await ask(vendor, person, session, "Sure?", agentId="calculator")
    assert text_of(frames) == "Yes."
    assert tool_results_in(vendor.requests[0]) == ["42"]


async def test_two_tools_in_one_step(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(
        Reply(
            text=["Let me see. "],
            tool_calls=[
                ToolCall(name="add", arguments={"a": 1, "b": 2}, call_id="call_a"),
                ToolCall(name="add", arguments={"a": 3, "b": 4}, call_id="call_b"),
            ],
        ),
        Reply(text=["3 and 7."]),
    )
    frames = await ask(vendor, person, session, "Add twice.", agentId="calculator")
    inputs = [frame["input"] for frame in frames if frame["type"] == "tool-input-available"]
    assert inputs == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    outputs = [str(frame["output"]) for frame in frames if frame["type"] == "tool-output-available"]
    assert sorted(outputs) == ["3", "7"]
    assert sorted(tool_results_in(vendor.requests[1])) == ["3", "7"]
    assert text_of(frames) == "Let me see. 3 and 7."


async def test_a_tool_may_return_a_model(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(
        Reply(tool_calls=[ToolCall(name="forecast", arguments={"city": "Oslo"})]), Reply(text=["Mild."])
    )
    frames = await ask(vendor, person, session, "Weather?", agentId="calculator")
    output = next(frame["output"] for frame in frames if frame["type"] == "tool-output-available")
    assert output == {"city": "Oslo", "degrees": 21.5}
    assert "Oslo" in tool_results_in(vendor.requests[1])[0]
    assert "21.5" in tool_results_in(vendor.requests[1])[0]


async def test_a_tool_that_raises_does_not_end_the_run(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(tool_calls=[ToolCall(name="explode")]), Reply(text=["It did not work."]))
    frames = await ask(vendor, person, session, "Try.", agentId="calculator")
    assert types_of(frames)[-1] == "finish"
    assert text_of(frames) == "It did not work."
    assert "error" in tool_results_in(vendor.requests[1])[0].lower()
    ended = [frame for frame in frames if frame["type"].startswith("tool-output-")]
    assert len(ended) == 1
    run = await run_of(vendor.running, person, frames)
    assert run["status"] == "completed"


async def test_arguments_that_are_no_json_do_not_end_the_run(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(
        Reply(tool_calls=[ToolCall(name="add", arguments='{"a": 1, "b')]), Reply(text=["Sorry."])
    )
    frames = await ask(vendor, person, session, "Add.", agentId="calculator")
    assert types_of(frames)[-1] in {"finish", "error"}
    # Whatever became of it, the stream was well formed and the session goes on.
    vendor.script(Reply(text=["fine"]))
    assert text_of(await ask(vendor, person, session, "Go on.", agentId="calculator")) == "fine"


async def test_memories_of_an_earlier_session_stand_in_the_instructions(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(text=["Noted."]), Reply(text=["Lisbon."]))
    await ask(vendor, person, session, "My name is Ann and I live in Lisbon.")
    assert "Lisbon" not in instructions_in(vendor.requests[0])
    second = await open_session(vendor.running.client, person)
    await ask(vendor, person, second, "Where do I live?")
    assert "You are a concierge." in instructions_in(vendor.requests[1])
    assert "Lisbon" in instructions_in(vendor.requests[1])
    assert said_in(vendor.requests[1]) == [("user", "Where do I live?")]


async def test_the_conversation_is_sent_and_not_repeated_as_memories(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(text=["Nice ", "to meet you."]), Reply(text=["Ann."]))
    await ask(vendor, person, session, "I am Ann from Porto.")
    await ask(vendor, person, session, "Where am I from?")
    assert said_in(vendor.requests[1]) == [
        ("user", "I am Ann from Porto."),
        ("assistant", "Nice to meet you."),
        ("user", "Where am I from?"),
    ]


async def test_the_run_log_has_usage_cost_and_times(
    vendor: Vendor, person: Person, session: str
) -> None:
    usage = Usage(input_tokens=1000, output_tokens=200, cached_tokens=400)
    vendor.script(
        Reply(tool_calls=[ToolCall(name="add", arguments={"a": 1, "b": 1})], usage=usage),
        Reply(text=["Two."], usage=Usage(input_tokens=2000, output_tokens=100)),
    )
    frames = await ask(vendor, person, session, "One and one?", agentId="calculator")
    run = await run_of(vendor.running, person, frames)
    assert (run["status"], run["finish_reason"], run["error"]) == ("completed", "stop", None)
    assert run["model"] == vendor.model
    assert (run["input_tokens"], run["output_tokens"], run["cached_tokens"]) == (3000, 300, 400)
    assert run["cost_usd"] == pytest.approx((2600 * 2 + 400 * 0.5 + 300 * 10) / 1e6)
    assert run["agent_name"] == "calculator"
    assert 0 <= run["first_token_ms"] <= run["latency_ms"]
    assert run["completed_at"] >= run["created_at"]
    finish = frames[-1]["messageMetadata"]
    assert finish["usage"] == {"inputTokens": 3000, "outputTokens": 300}


async def test_nothing_is_stored_at_openai(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(Reply(text=["Hi."]))
    await ask(vendor, person, session, "Hi.")
    body = vendor.requests[0].body
    if vendor.kind == "anthropic":
        assert "store" not in body
    else:
        assert body["store"] is False
    assert body["stream"] is True
    assert not body.get("previous_response_id")


async def test_a_rate_limit_before_the_answer_is_waited_out(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(status=429, retry_after_s=0.05), Reply(text=["Here ", "I am."]))
    frames = await ask(vendor, person, session, "Hello?")
    assert text_of(frames) == "Here I am."
    assert types_of(frames)[-1] == "finish"
    assert len(vendor.requests) == 2
    assert (await run_of(vendor.running, person, frames))["status"] == "completed"


async def test_three_faults_and_then_an_answer(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(SOON, SOON, SOON, Reply(text=["At last."]))
    frames = await ask(vendor, person, session, "Hello?")
    assert text_of(frames) == "At last."
    assert types_of(frames).count("text-start") == 1
    assert len(vendor.requests) == 4


async def test_a_vendor_that_stays_broken(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(*[SOON] * 30)
    frames = await ask(vendor, person, session, "Hello?")
    assert len(vendor.requests) == 4
    assert "reference" not in frames[-1]["errorText"]
    await assert_failed(vendor, person, session, frames, "model_overloaded")
    # Nothing was said, so nothing is stored of that answer.
    roles = [m["role"] for m in await messages_of(vendor.running, person, session)]
    assert roles == ["user", "user", "assistant"]


async def test_a_rate_limit_that_does_not_end(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(*[Reply(status=429, retry_after_s=0.01)] * 30)
    frames = await ask(vendor, person, session, "Hello?")
    await assert_failed(vendor, person, session, frames, "model_rate_limited")


async def test_a_refused_key_is_not_tried_again(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(Reply(status=401, error_message="bad key sk-abcdef"), Reply(text=["never"]))
    frames = await ask(vendor, person, session, "Hello?")
    assert len(vendor.requests) == 1
    assert "sk-abcdef" not in json.dumps(frames)
    await assert_failed(vendor, person, session, frames, "model_refused")


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_connection_lost_in_mid_answer(
    vendor: Vendor, person: Person, session: str, reset: bool
) -> None:
    vendor.script(Reply(text=["Once ", "upon ", "a time"], cut_after=2, reset=reset), Reply(text=["no"]))
    frames = await ask(vendor, person, session, "A story!")
    # A part of the answer was heard: trying again would say it twice.
    assert len(vendor.requests) == 1
    assert text_of(frames) == "Once upon "
    kinds = types_of(frames)
    assert kinds[-3:] == ["text-end", "finish-step", "error"]
    messages = await messages_of(vendor.running, person, session)
    assert [(m["role"], stored_text(m)) for m in messages] == [
        ("user", "A story!"),
        ("assistant", "Once upon "),
    ]
    assert messages[1]["metadata"]["status"] == "failed"
    run = await assert_failed(vendor, person, session, frames, "model_interrupted")
    assert run["message_id"] == messages[1]["id"]


async def test_a_connection_lost_in_mid_tool_call(vendor: Vendor, person: Person, session: str) -> None:
    call = ToolCall(name="add", arguments={"a": 100000, "b": 200000})
    vendor.script(Reply(tool_calls=[call], cut_after=1))
    frames = await ask(vendor, person, session, "Add.", agentId="calculator")
    assert "tool-input-available" not in types_of(frames)
    # The half call is never sent back to the vendor, which would refuse it.
    await assert_failed(vendor, person, session, frames, "model_interrupted")


async def test_an_error_inside_the_stream(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(
        Reply(text=["Well, ", "you ", "see"], error_after=2, error_message="the prompt was: secret")
    )
    frames = await ask(vendor, person, session, "Explain.")
    assert text_of(frames) == "Well, you "
    assert "secret" not in json.dumps(frames)
    messages = await messages_of(vendor.running, person, session)
    assert stored_text(messages[1]) == "Well, you "
    assert frames[-1]["type"] == "error"
    run = await run_of(vendor.running, person, frames)
    assert run["status"] == "failed"
    assert run["error"]["code"] in {"model_interrupted", "model_overloaded"}
    vendor.script(Reply(text=["fine"]))
    assert text_of(await ask(vendor, person, session, "Again?")) == "fine"


async def test_a_vendor_that_hangs_up_at_once_is_tried_again(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(drop=True), Reply(text=["Back."]))
    frames = await ask(vendor, person, session, "Hello?")
    assert text_of(frames) == "Back."


async def test_an_answer_of_the_schema(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(Reply(text=['{"city": "Oslo", ', '"days": 3}']))
    frames = await ask(vendor, person, session, "Plan.", agentId="structured")
    assert json.loads(text_of(frames)) == {"city": "Oslo", "days": 3}
    assert types_of(frames)[-1] == "finish"
    assert '"days"' in json.dumps(vendor.requests[0].body)


@pytest.mark.parametrize("text", ['{"city": "Oslo"}', "Oslo, three days", '{"city": 1, "days": 3}'])
async def test_an_answer_that_is_not_of_the_schema(
    vendor: Vendor, person: Person, session: str, text: str
) -> None:
    vendor.script(Reply(text=[text]))
    frames = await ask(vendor, person, session, "Plan.", agentId="structured")
    await assert_failed(vendor, person, session, frames, "model_failed")


async def test_an_answer_that_ends_at_the_limit_of_tokens_is_an_answer(
    vendor: Vendor, person: Person, session: str
) -> None:
    usage = Usage(input_tokens=100, output_tokens=20)
    vendor.script(Reply(text=["As long ", "as it may"], stop="length", usage=usage))
    frames = await ask(vendor, person, session, "All of it, please.")
    assert types_of(frames)[-3:] == ["text-end", "finish-step", "finish"]
    assert text_of(frames) == "As long as it may"
    run = await run_of(vendor.running, person, frames)
    assert (run["status"], run["input_tokens"], run["output_tokens"]) == ("completed", 100, 20)
    if vendor.kind == "responses":
        assert run["finish_reason"] == "length"


async def test_an_error_before_the_first_word_of_a_stream(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(*[Reply(text=["never"], error_after=0)] * 30)
    frames = await ask(vendor, person, session, "Explain.")
    await assert_failed(vendor, person, session, frames, "model_overloaded", "model_failed")


async def test_text_that_the_database_cannot_hold_is_cleaned(
    vendor: Vendor, person: Person, session: str
) -> None:
    """A NUL or half a surrogate pair in what a model says must not cost the answer."""
    vendor.script(
        Reply(
            reasoning=["\x00"],
            tool_calls=[ToolCall(name="echo", arguments={"text": "x\x00y"})],
        ),
        Reply(text=["a\x00b ", "c\ud800d"]),
    )
    frames = await ask(vendor, person, session, "Strange!", agentId="calculator")
    assert types_of(frames)[-1] == "finish"
    assert text_of(frames).replace("\ufffd", "") == "ab cd"
    stored = (await messages_of(vendor.running, person, session))[1]
    assert stored_text(stored) == text_of(frames)


async def test_an_agent_that_is_a_row_changes_from_the_next_message_on(
    vendor: Vendor, person: Person, session: str
) -> None:
    client, service = vendor.running.client, service_headers(person.tenant)

    async def version(**body: Any) -> None:
        made = await client.post("/v1/agents/guide/versions", json=body, headers=service)
        assert made.status_code == 201, made.text

    made = await client.post("/v1/agents", json={"slug": "guide", "name": "Guide"}, headers=service)
    assert made.status_code == 201, made.text
    provider = vendor.model.partition("/")[0]
    await version(instructions="You are the first.", model=f"{provider}/first", max_tokens=77)
    vendor.script(Reply(text=["1"]), Reply(text=["2"]))
    frames = await ask(vendor, person, session, "Hi.", agentId="guide")
    assert (await run_of(vendor.running, person, frames))["model"] == f"{provider}/first"
    await version(instructions="You are the second.", model=f"{provider}/second")
    frames = await ask(vendor, person, session, "Hi again.", agentId="guide")
    assert (await run_of(vendor.running, person, frames))["model"] == f"{provider}/second"
    first, second = vendor.requests
    assert (first.body["model"], second.body["model"]) == ("first", "second")
    assert "You are the first." in instructions_in(first)
    assert "You are the second." in instructions_in(second)
    assert 77 in (first.body.get(name) for name in ("max_tokens", "max_output_tokens"))


async def test_a_version_with_a_schema(vendor: Vendor, person: Person, session: str) -> None:
    client, service = vendor.running.client, service_headers(person.tenant)
    await client.post("/v1/agents", json={"slug": "form", "name": "Form"}, headers=service)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    made = await client.post(
        "/v1/agents/form/versions",
        json={"instructions": "JSON only.", "output_schema": schema},
        headers=service,
    )
    assert made.status_code == 201, made.text
    vendor.script(Reply(text=['{"n": 4}']), Reply(text=['{"n": "four"}']))
    assert text_of(await ask(vendor, person, session, "?", agentId="form")) == '{"n": 4}'
    frames = await ask(vendor, person, session, "??", agentId="form")
    assert "model_failed" in frames[-1]["errorText"]


async def test_a_version_with_an_unknown_model_is_refused(vendor: Vendor, person: Person) -> None:
    client, service = vendor.running.client, service_headers(person.tenant)
    await client.post("/v1/agents", json={"slug": "odd", "name": "Odd"}, headers=service)
    for model, code in (("mistral/large", "model_unknown"), ("openai/", "model_unknown")):
        made = await client.post(
            "/v1/agents/odd/versions", json={"instructions": "x", "model": model}, headers=service
        )
        assert made.status_code in {400, 422}
        assert made.json()["code"] == code
    other = "openai/gpt-5" if vendor.kind == "anthropic" else "anthropic/claude-sonnet-4"
    made = await client.post(
        "/v1/agents/odd/versions", json={"instructions": "x", "model": other}, headers=service
    )
    assert (made.status_code, made.json()["code"]) == (422, "request_invalid")
    assert made.json()["detail"].startswith("model: ")
    listed = await client.get("/v1/agents/odd/versions", headers=service)
    assert listed.json() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_that_never_answers(kind: str, access: DatabaseAccess, person: Person) -> None:
    async with vendor_of(kind, access, model_timeout_s=0.2) as vendor:
        session = await open_session(vendor.running.client, person)
        vendor.models.default = Reply(hang=True)
        frames = await ask(vendor, person, session, "Hello?")
        assert 1 <= len(vendor.requests) <= 4
        await assert_failed(vendor, person, session, frames, "model_timed_out")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_that_never_comes_to_an_end(
    kind: str, access: DatabaseAccess, person: Person
) -> None:
    """Each of its words comes in time, all of them together do not."""
    async with vendor_of(kind, access, model_timeout_s=3.0) as vendor:
        session = await open_session(vendor.running.client, person)
        vendor.models.default = Reply(text=["so "] * 1000, delay_each_s=0.1)
        frames = await ask(vendor, person, session, "Tell me all.")
        assert len(vendor.requests) == 1
        assert text_of(frames).startswith("so ")
        # any-llm does not let go of Anthropic's connection before the answer ends.
        if kind != "anthropic":
            await asyncio.wait_for(vendor.requests[0].ended.wait(), 5)
        await assert_failed(vendor, person, session, frames, "model_timed_out")


async def test_the_stream_is_what_the_client_expects(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(text=["Hi."]))
    body = {
        "id": session,
        "messages": [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hi."}]}],
        "trigger": "submit-message",
    }
    async with vendor.running.client.stream(
        "POST", "/api/chat", json=body, headers=person.headers
    ) as answer:
        assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
        assert answer.headers["content-type"].startswith("text/event-stream")
        frames = await frames_of(answer)
    assert text_of(frames) == "Hi."
    assert (await messages_of(vendor.running, person, session))[0]["id"] == "m1"
