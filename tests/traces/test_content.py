"""What spans may say: nothing of what was said where that is off, and never a secret."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest_asyncio

from stead import agents
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.traces.content import MAX_CHARS, ContentWriter, Piece, ToolUse
from tests.agents.vendors import Vendor, vendor_of
from tests.servers.otlp import OtlpServer
from tests.servers.script import Reply, ToolCall
from tests.support.people import Person, open_session, service
from tests.support.servers import say, text_of


@pytest_asyncio.fixture(scope="module")
async def receiver() -> AsyncIterator[OtlpServer]:
    async with OtlpServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module")
async def vendor(access: DatabaseAccess, receiver: OtlpServer) -> AsyncIterator[Vendor]:
    # A receiver of one's own, about which nothing else is said.
    async with vendor_of(
        "chat_completions", access, otlp_endpoint=receiver.url, otlp_headers="x-key=canary-of-the-header"
    ) as found:
        yield found


async def test_nothing_of_what_was_said_is_in_a_span(
    vendor: Vendor, db: Database, person: Person, receiver: OtlpServer
) -> None:
    principal = service(person.tenant)
    async with db.transaction(principal) as tx:
        await agents.save_agent(tx, principal, slug="secretive", name="Secretive")
        await agents.add_version(
            tx, principal, "secretive", instructions="canary-of-instructions", tools=[]
        )
    session = await open_session(vendor.running.client, person)
    client = vendor.running.client
    vendor.script(
        Reply(
            text=["canary-of-words"],
            tool_calls=[ToolCall(name="echo", arguments={"text": "canary-of-arguments"}, call_id="c1")],
        ),
        Reply(tool_calls=[ToolCall(name="explode", call_id="c2")]),
        Reply(tool_calls=[ToolCall(name="add", arguments="canary-that-is-no-json", call_id="c3")]),
        Reply(text=["canary-of-the-answer"]),
        Reply(text=["canary-of-another"]),
        Reply(status=400, error_message="canary-of-an-error"),
        Reply(text=["canary-of-a-break", "x"], error_after=1, error_message="canary-in-the-stream"),
    )
    said = "I am called canary-of-the-message."
    frames = await say(client, person.headers, session, said, agentId="calculator")
    assert "canary-of-the-answer" in text_of(frames)
    await say(client, person.headers, session, "What am I called?", agentId="secretive")
    await say(client, person.headers, session, "Once more.", agentId="secretive")
    await say(client, person.headers, session, "And once more.", agentId="secretive")
    spans = await receiver.trace_of(session, runs=4)
    # They are all there, and say what they can without.
    assert {s.name.partition(" ")[0] for s in spans} == {
        "invoke_agent", "search_memory", "chat", "execute_tool",
    }  # fmt: skip
    assert sum(s.status == "ERROR" for s in spans) >= 5
    assert any(s.attributes.get("stead.memory.injected") for s in spans)
    for span in spans:
        assert "canary" not in span.everything, span.name
        assert span.events == []
        assert "langfuse.observation.input" not in span.attributes
        assert "langfuse.observation.output" not in span.attributes
    assert all(e.headers["x-key"] == "canary-of-the-header" for e in receiver.exports)


async def test_the_offline_model_is_traced_as_this_process(
    vendor: Vendor, db: Database, person: Person, receiver: OtlpServer
) -> None:
    principal = service(person.tenant)
    async with db.transaction(principal) as tx:
        await agents.save_agent(tx, principal, slug="dry", name="Dry")
        await agents.add_version(tx, principal, "dry", instructions="Answer.", model="offline")
    session = await open_session(vendor.running.client, person)
    await say(vendor.running.client, person.headers, session, "Hello.", agentId="dry")
    (chat,) = [s for s in await receiver.trace_of(session) if s.name.startswith("chat")]
    assert (chat.name, chat.kind) == ("chat offline", "INTERNAL")
    assert chat.attributes["gen_ai.provider.name"] == "stead"
    assert chat.attributes["gen_ai.usage.cost"] == 0


def test_secrets_are_hidden_and_texts_are_bounded() -> None:
    writer = ContentWriter(["sk-very-secret", "short", "sk-very-secret-and-longer"])
    assert writer.text("a sk-very-secret-and-longer b sk-very-secret c short") == (
        "a [redacted] b [redacted] c short"
    )
    # A secret is not shown by halves where the text is cut.
    assert "sk-very" not in writer.text("x" * 7995 + "sk-very-secret")
    long = [Piece(role="user", text=f"{n} " + "y" * 9000) for n in range(12)]
    for written in (writer.messages(long), writer.chat(long)):
        assert len(written) < MAX_CHARS * 1.2
        assert "earlier ones are left out" in written
        assert "11 yyy" in written
        assert "0 yyy" not in written.replace("10 yyy", "")


def test_what_has_no_form_in_utf8_takes_no_batch_with_it() -> None:
    writer = ContentWriter([])
    call = ToolUse(call_id="\ud800", name="t\udfff", arguments='{"a": "\\ud800", "b": "\ud801"}')
    pieces = [Piece(role="assistant", call=call), Piece(role="tool", text="\ud802", result_of="\ud800")]
    for written in (writer.messages(pieces, "stop"), writer.chat(pieces), writer.value({"x": "\ud800"})):
        written.encode("utf-8")
        json.loads(written)
