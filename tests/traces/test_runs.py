"""Runs as a receiver of traces sees them, from requests to the API: what Langfuse documents for its endpoint."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from stead import agents
from stead.apps import mentor
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from tests.agents.vendors import Vendor, run_of, vendor_of
from tests.servers.otlp import OtlpServer, Span
from tests.servers.script import Reply, ToolCall, Usage
from tests.support.people import Person, open_session, service
from tests.support.servers import say, text_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ADDS = Reply(
    tool_calls=[ToolCall(name="add", arguments={"a": 2, "b": 3}, call_id="call_7")],
    usage=Usage(input_tokens=100, output_tokens=20, cached_tokens=40),
)
SAYS = Reply(text=["It is ", "five."], usage=Usage(input_tokens=150, output_tokens=10))


@pytest_asyncio.fixture(scope="module")
async def receiver() -> AsyncIterator[OtlpServer]:
    async with OtlpServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module", params=["responses", "anthropic"])
async def vendor(
    request: pytest.FixtureRequest, access: DatabaseAccess, receiver: OtlpServer
) -> AsyncIterator[Vendor]:
    async with vendor_of(
        request.param,
        access,
        langfuse_public_key="pk-lf-1",
        langfuse_secret_key="sk-lf-secret-1",
        langfuse_host=receiver.url,
        memory_model=f"{'anthropic' if request.param == 'anthropic' else 'openai'}/priced",
    ) as found:
        yield found


@pytest_asyncio.fixture
async def session(vendor: Vendor, person: Person) -> str:
    return await open_session(vendor.running.client, person)


def named(spans: list[Span], start: str) -> list[Span]:
    """In the order in which they began."""
    return sorted((s for s in spans if s.name.startswith(start)), key=lambda s: s.began_ns)


async def ask(vendor: Vendor, person: Person, session: str, text: str, **headers: str) -> Any:
    return await say(
        vendor.running.client, {**person.headers, **headers}, session, text, agentId="calculator"
    )


async def test_a_chat_with_a_tool_in_langfuse_s_shape(
    vendor: Vendor, person: Person, session: str, receiver: OtlpServer
) -> None:
    vendor.script(ADDS, SAYS)
    frames = await ask(vendor, person, session, "What are two and three?", traceparent=PARENT)
    assert text_of(frames) == "It is five."
    spans = await receiver.trace_of(session)
    run = await run_of(vendor.running, person, frames)
    provider = "anthropic" if vendor.kind == "anthropic" else "openai"

    export = receiver.exports[-1]
    keys = base64.b64encode(b"pk-lf-1:sk-lf-secret-1").decode()
    assert export.path == "/api/public/otel/v1/traces"
    assert export.headers["authorization"] == f"Basic {keys}"
    assert export.headers["x-langfuse-ingestion-version"] == "4"
    assert export.headers["content-type"] == "application/x-protobuf"

    (root,) = named(spans, "invoke_agent")
    (recall,) = named(spans, "search_memory")
    (tool,) = named(spans, "execute_tool")
    first, second = named(spans, "chat")
    assert len(spans) == 5

    # One trace, the caller's; everything hangs on the run.
    assert {s.trace_id for s in spans} == {"0af7651916cd43dd8448eb211c80319c"}
    assert root.parent_id == "b7ad6b7169203331"
    assert {s.parent_id for s in spans if s is not root} == {root.span_id}
    assert root.began_ns <= recall.began_ns <= recall.ended_ns <= first.began_ns
    assert first.ended_ns <= tool.began_ns <= tool.ended_ns <= second.began_ns
    assert second.ended_ns <= root.ended_ns

    # What Langfuse filters by stands on every span.
    for span in spans:
        found = span.attributes
        assert found["session.id"] == found["gen_ai.conversation.id"] == session
        assert found["user.id"] == str(person.id)
        assert found["langfuse.trace.name"] == "calculator"
        assert found["langfuse.environment"] == "development"
        assert found["stead.tenant.id"] == str(person.tenant.id)
        assert found["langfuse.trace.metadata.tenant_id"] == str(person.tenant.id)
        assert found["langfuse.trace.metadata.tenant"] == person.tenant.slug
        assert found["langfuse.trace.metadata.run_id"] == run["id"]
        assert span.resource["service.name"] == "stead"
        assert span.status == "UNSET"

    assert root.name == "invoke_agent calculator"
    assert root.attributes["langfuse.observation.type"] == "agent"
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert root.attributes["gen_ai.agent.name"] == "calculator"
    assert root.attributes["langfuse.observation.input"] == "What are two and three?"
    assert root.attributes["langfuse.observation.output"] == "It is five."
    assert root.attributes["stead.run.status"] == "completed"
    # Receivers add up what each span has: only calls of models have any.
    assert not [key for key in root.attributes if "usage" in key or "cost" in key]

    for chat in (first, second):
        found = chat.attributes
        assert (chat.name, chat.kind) == ("chat priced", "CLIENT")
        assert found["langfuse.observation.type"] == "generation"
        assert found["gen_ai.operation.name"] == "chat"
        assert found["gen_ai.provider.name"] == provider
        assert found["gen_ai.request.model"] == found["langfuse.observation.model.name"] == "priced"
        assert found["gen_ai.response.model"].endswith("priced")
        assert found["stead.model.tries"] == 1
        assert found["gen_ai.response.time_to_first_chunk"] > 0
        began = datetime.fromisoformat(found["langfuse.observation.completion_start_time"])
        assert chat.began_ns <= began.timestamp() * 1e9 + 1e3 <= chat.ended_ns + 2e3
        instructions = json.loads(found["gen_ai.system_instructions"])
        assert instructions == [{"type": "text", "content": "You calculate."}]

    assert json.loads(first.attributes["langfuse.observation.input"]) == [
        {"role": "system", "content": "You calculate."},
        {"role": "user", "content": "What are two and three?"},
    ]
    (called,) = json.loads(first.attributes["gen_ai.output.messages"])
    assert called["finish_reason"] == "tool_call"
    assert called["parts"][-1] == {
        "type": "tool_call", "id": "call_7", "name": "add", "arguments": {"a": 2, "b": 3},
    }  # fmt: skip
    assert first.attributes["gen_ai.response.finish_reasons"] == ["tool_call"]
    said = json.loads(second.attributes["gen_ai.input.messages"])
    assert [m["role"] for m in said] == ["user", "assistant", "tool"]
    assert said[-1]["parts"] == [{"type": "tool_call_response", "id": "call_7", "response": "5"}]
    assert json.loads(second.attributes["langfuse.observation.output"]) == [
        {"role": "assistant", "content": "It is five."}
    ]
    assert second.attributes["gen_ai.response.finish_reasons"] == ["stop"]

    # 60 fresh at 2, 40 cached at 0.5 and 20 out at 10 dollars a million.
    assert first.attributes["gen_ai.usage.input_tokens"] == 100
    assert first.attributes["gen_ai.usage.output_tokens"] == 20
    assert json.loads(first.attributes["langfuse.observation.usage_details"]) == {
        "input": 60, "input_cached_tokens": 40, "output": 20, "total": 120,
    }  # fmt: skip
    costs = [
        json.loads(s.attributes["langfuse.observation.cost_details"])["total"] for s in (first, second)
    ]
    assert costs == [pytest.approx(0.00034), pytest.approx(0.0004)]
    assert [s.attributes["gen_ai.usage.cost"] for s in (first, second)] == costs
    assert sum(costs) == pytest.approx(float(run["cost_usd"]))

    assert tool.name == "execute_tool add"
    assert tool.attributes["langfuse.observation.type"] == "tool"
    assert tool.attributes["gen_ai.tool.call.id"] == "call_7"
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"]) == {"a": 2, "b": 3}
    assert tool.attributes["gen_ai.tool.call.result"] == "5"
    assert tool.attributes["stead.tool.outcome"] == "succeeded"
    assert recall.attributes["langfuse.observation.type"] == "retriever"
    assert recall.attributes["langfuse.observation.input"] == "What are two and three?"


async def test_parameters_and_another_try(
    vendor: Vendor, db: Database, person: Person, session: str, receiver: OtlpServer
) -> None:
    principal = service(person.tenant)
    async with db.transaction(principal) as tx:
        await agents.save_agent(tx, principal, slug="cool", name="Cool")
        await agents.add_version(
            tx, principal, "cool", instructions="Be brief.", temperature=0.25, max_tokens=300
        )
    vendor.script(Reply(status=500, retry_after_s=0.01), Reply(text=["Hi."]))
    await say(vendor.running.client, person.headers, session, "Hello.", agentId="cool")
    spans = await receiver.trace_of(session)
    (chat,) = named(spans, "chat")
    assert chat.attributes["gen_ai.request.temperature"] == 0.25
    assert chat.attributes["gen_ai.request.max_tokens"] == 300
    assert json.loads(chat.attributes["langfuse.observation.model.parameters"]) == {
        "temperature": 0.25, "max_tokens": 300,
    }  # fmt: skip
    # What failed at first and then did not is no error.
    assert (chat.status, chat.attributes["stead.model.tries"]) == ("UNSET", 2)
    assert "error.type" not in chat.attributes
    assert named(spans, "invoke_agent")[0].attributes["gen_ai.agent.id"]


async def test_a_model_that_fails(
    vendor: Vendor, person: Person, session: str, receiver: OtlpServer
) -> None:
    vendor.script(*[Reply(status=500, retry_after_s=0.01, error_message="I saw: Hello.")] * 4)
    await ask(vendor, person, session, "Hello.")
    spans = await receiver.trace_of(session)
    (root,), (chat,) = named(spans, "invoke_agent"), named(spans, "chat")
    for span in (root, chat):
        assert (span.status, span.status_message) == ("ERROR", "model_overloaded")
        assert span.attributes["error.type"] == "model_overloaded"
        assert span.attributes["langfuse.observation.level"] == "ERROR"
        assert "I saw" not in span.everything
        assert span.events == []
    assert chat.attributes["stead.model.tries"] == 4
    assert "gen_ai.usage.input_tokens" not in chat.attributes


async def test_an_answer_that_breaks_off(
    vendor: Vendor, person: Person, session: str, receiver: OtlpServer
) -> None:
    vendor.script(Reply(text=["One ", "two ", "three"], cut_after=2))
    await ask(vendor, person, session, "Count, but not to sk-lf-secret-1 of this server.")
    spans = await receiver.trace_of(session)
    (chat,) = named(spans, "chat")
    assert "Count, but not to [redacted]" in chat.attributes["langfuse.observation.input"]
    assert not [s.name for s in spans if "sk-lf-secret-1" in s.everything]
    assert chat.attributes["error.type"] == "model_interrupted"
    (heard,) = json.loads(chat.attributes["langfuse.observation.output"])
    assert heard["content"].startswith("One ")


async def test_an_answer_that_is_stopped(
    vendor: Vendor, person: Person, session: str, receiver: OtlpServer
) -> None:
    vendor.script(Reply(text=["word "] * 400, delay_each_s=0.02))
    body = {"sessionId": session, "message": "Go on and on.", "agentId": "calculator"}
    client = vendor.running.client
    async with client.stream("POST", "/api/chat", json=body, headers=person.headers) as answer:
        async for line in answer.aiter_lines():
            if '"text-delta"' in line:
                break
        await client.post(f"/api/chat/{session}/stop", headers=person.headers)
    spans = await receiver.trace_of(session)
    (root,), (chat,) = named(spans, "invoke_agent"), named(spans, "chat")
    assert root.attributes["stead.run.status"] == "cancelled"
    for span in (root, chat):
        assert span.status == "UNSET"
        assert span.attributes["langfuse.observation.level"] == "WARNING"
        assert span.attributes["langfuse.observation.status_message"] == "stopped"
    assert json.loads(chat.attributes["langfuse.observation.output"])[0]["content"].startswith("word ")


async def test_a_tool_that_raises(
    vendor: Vendor, person: Person, session: str, receiver: OtlpServer
) -> None:
    vendor.script(Reply(tool_calls=[ToolCall(name="explode")]), Reply(text=["Sorry."]))
    frames = await ask(vendor, person, session, "Explode.")
    assert text_of(frames) == "Sorry."
    (tool,) = named(await receiver.trace_of(session), "execute_tool")
    assert (tool.status, tool.attributes["error.type"]) == ("ERROR", "RuntimeError")
    assert tool.attributes["stead.tool.outcome"] == "failed"
    assert "kiln" not in tool.everything


async def test_memory_that_a_model_extracts(
    vendor: Vendor, person: Person, session: str, receiver: OtlpServer
) -> None:
    vendor.script(Reply(text=["Noted."]))
    await ask(vendor, person, session, "I live in Lisbon.")
    await receiver.trace_of(session)
    found_nothing = Reply(text=['{"facts": []}'], usage=Usage(input_tokens=70, output_tokens=7))
    # Other tests' runs wait to be read as well.
    vendor.script(*[found_nothing] * 30)
    while await vendor.running.parts.runtime.extract():
        pass
    spans = await receiver.trace_of(session, runs=2)
    root = named(spans, "invoke_agent")[-1]
    chat = named(spans, "chat")[-1]
    assert root.name == "invoke_agent memory extraction"
    assert root.attributes["stead.tenant.id"] == str(person.tenant.id)
    assert (chat.parent_id, chat.trace_id) == (root.span_id, root.trace_id)
    assert chat.attributes["gen_ai.output.type"] == "json"
    assert chat.attributes["gen_ai.usage.input_tokens"] == 70
    assert "Lisbon" in chat.attributes["gen_ai.input.messages"]


async def test_a_model_that_is_asked_outside_of_a_run(
    vendor: Vendor, db: Database, person: Person, receiver: OtlpServer
) -> None:
    client, principal = vendor.running.client, service(person.tenant)
    async with db.transaction(principal) as tx:
        await agents.save_agent(tx, principal, slug="abacus", name="Abacus", tagline="Calculates")
        await agents.add_version(tx, principal, "abacus", instructions="Calculate.")
    vendor.script(Reply(text=["no reasons"], usage=Usage(input_tokens=33, output_tokens=3)))
    wish = {"goal": "Somebody who calculates", "reasons": "model"}
    answer = await client.post("/api/agents/compare", json=wish, headers=person.headers)
    assert answer.status_code == 201, answer.text

    def asked() -> list[Span]:
        wanted = ("langfuse.trace.name", "marketplace reasons")
        mine = ("stead.tenant.id", str(person.tenant.id))
        return [s for s in receiver.spans if {wanted, mine} <= s.attributes.items()]

    await receiver.until(lambda _: len(asked()) == 2)
    chat, root = asked()
    assert (chat.name, root.name) == ("chat priced", "invoke_agent marketplace reasons")
    assert chat.parent_id == root.span_id
    assert chat.attributes["gen_ai.usage.input_tokens"] == 33
    assert "Somebody who calculates" in chat.attributes["langfuse.observation.input"]


async def test_a_generation(
    vendor: Vendor, db: Database, person: Person, session: str, receiver: OtlpServer
) -> None:
    principal = service(person.tenant)
    async with db.transaction(principal) as tx:
        files = mentor.read_organisation(mentor.shipped()["rafael-tatts"]).agents
        await mentor.apply(tx, principal, files)
    vendor.script(Reply(text=["You charge ", "too little."]))
    answer = await vendor.running.client.post(
        "/api/generate/diagnosis",
        json={"sessionId": session},
        headers={**person.headers, "traceparent": PARENT},
    )
    assert answer.status_code == 200, answer.text
    spans = await receiver.trace_of(session)
    root, chat = named(spans, "invoke_agent") + named(spans, "chat")
    assert len(spans) == 2
    assert root.parent_id == PARENT.split("-")[2]
    assert root.attributes["stead.run.id"] == answer.json()["runId"]
    assert root.attributes["langfuse.observation.output"] == "You charge too little."
    assert chat.parent_id == root.span_id
    assert "<context>" in chat.attributes["langfuse.observation.input"]


async def test_the_run_log_names_the_trace(
    vendor: Vendor, db: Database, person: Person, session: str, receiver: OtlpServer
) -> None:
    vendor.script(Reply(text=["Hi."]))
    # No trace of a caller's: its own.
    frames = await ask(vendor, person, session, "Hello.", traceparent="00-zz-nonsense" + "0" * 5000)
    (root,) = named(await receiver.trace_of(session), "invoke_agent")
    assert root.parent_id == ""
    async with db.transaction(person.principal.served(), read_only=True) as tx:
        kept = await tx.value(
            "select trace_id from public.agent_runs where session_id = $1::uuid", session
        )
    assert kept == root.trace_id
    assert frames
