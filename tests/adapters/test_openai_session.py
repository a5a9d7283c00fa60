"""The OpenAI Agents SDK's session: items come back as they were, runs go on, chats are shared."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from agents import Agent, OpenAIResponsesModel, RunConfig, Runner, function_tool
from agents.memory import Session
from agents.memory.session_settings import SessionSettings
from openai import AsyncOpenAI

from stead import sessions
from stead.adapters import AdapterArgumentInvalid
from stead.adapters.openai_session import SteadSession
from stead.agents.engine.history import model_input
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant, anonymous
from stead.sessions import SessionEnded, SessionUnknown
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply, ToolCall
from tests.support.people import Person, make_person, service

USER = {"role": "user", "content": "What is 2 + 3?"}
REASONING = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "c2VhbGVk"}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "add",
    "arguments": '{"a": 2, "b": 3}',
    "status": "completed",
}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "5"}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "It is 5.", "annotations": [], "logprobs": []}],
}
TURN: list[Any] = [USER, REASONING, CALL, OUTPUT, ANSWER]


@pytest_asyncio.fixture
async def session(db: Database, person: Person) -> SteadSession:
    return await SteadSession.open(db, person.principal)


async def stored(db: Database, person: Person, session: SteadSession) -> list[sessions.Message]:
    async with db.transaction(person.principal.served(), read_only=True) as tx:
        return await sessions.messages.listing(tx, person.principal, uuid.UUID(session.session_id))


async def test_items_come_back_as_they_were(db: Database, person: Person, session: SteadSession) -> None:
    assert isinstance(session, Session)
    await session.add_items(TURN)
    await session.add_items([])
    await session.add_items(
        [{"role": "user", "content": [{"type": "input_text", "text": "And 4 + 4?"}]}]
    )

    again = SteadSession(db, person.principal, session.session_id)
    items = await again.get_items()
    assert items[:5] == TURN
    assert len(items) == 6
    assert await again.get_items(2) == items[-2:]
    assert await again.get_items(0) == []
    assert await again.get_items(99) == items


async def test_settings_limit_what_a_run_is_given(
    db: Database, person: Person, session: SteadSession
) -> None:
    await session.add_items(TURN)
    few = SteadSession(
        db, person.principal, session.session_id, session_settings=SessionSettings(limit=2)
    )
    assert await few.get_items() == TURN[-2:]
    assert await few.get_items(3) == TURN[-3:]


async def test_a_chat_shows_the_same_conversation(
    db: Database, person: Person, session: SteadSession
) -> None:
    await session.add_items(TURN)
    messages = await stored(db, person, session)

    assert [m.role for m in messages] == ["user", "assistant"]
    shown = [[p for p in m.parts if not p["type"].startswith("data-")] for m in messages]
    assert shown == [
        [{"type": "text", "text": "What is 2 + 3?"}],
        [
            {
                "type": "tool-add",
                "toolCallId": "call_1",
                "state": "output-available",
                "input": {"a": 2, "b": 3},
                "output": "5",
            },
            {"type": "text", "text": "It is 5."},
        ],
    ]
    told: list[Any] = model_input(messages)
    assert [item.get("type", item.get("role")) for item in told] == [
        "user",
        "function_call",
        "function_call_output",
        "assistant",
    ]


async def test_a_run_goes_on_with_what_was_said_in_a_chat(
    db: Database, person: Person, session: SteadSession
) -> None:
    async with db.transaction(person.principal.served()) as tx:
        for role, parts in (
            ("user", [{"type": "text", "text": "Hello"}]),
            (
                "assistant",
                [
                    {"type": "step-start"},
                    {
                        "type": "tool-add",
                        "toolCallId": "c1",
                        "state": "output-available",
                        "input": {"a": 1},
                        "output": {"sum": 1},
                    },
                    {"type": "text", "text": "Hi."},
                ],
            ),
        ):
            await sessions.messages.add(
                tx,
                person.principal,
                uuid.UUID(session.session_id),
                role=role,  # type: ignore[arg-type]
                parts=parts,  # type: ignore[arg-type]
            )
    items: list[Any] = await session.get_items()
    assert [item.get("type", item.get("role")) for item in items] == [
        "user",
        "function_call",
        "function_call_output",
        "assistant",
    ]
    # Taken away one by one, from the end, whatever message they stand in.
    popped = [await session.pop_item() for _ in range(5)]
    assert popped == [*reversed(items), None]
    assert await session.get_items() == []


async def test_popping_takes_the_last_item_and_keeps_the_rest(
    db: Database, person: Person, session: SteadSession
) -> None:
    await session.add_items(TURN)
    assert await session.pop_item() == ANSWER
    assert await session.pop_item() == OUTPUT
    assert await session.get_items() == TURN[:3]
    (_, message) = await stored(db, person, session)
    assert all(part["type"].startswith("data-") for part in message.parts)  # a call without its end

    await session.add_items([OUTPUT, ANSWER])
    assert await session.get_items() == TURN
    # The call stands in a message before: its name and input are found there.
    shown = [p for m in await stored(db, person, session) for p in m.parts if p["type"] == "tool-add"]
    assert [part["input"] for part in shown] == [{"a": 2, "b": 3}]


async def test_clearing_leaves_the_session(session: SteadSession) -> None:
    await session.add_items(TURN)
    await session.clear_session()
    assert await session.get_items() == []
    assert await session.pop_item() is None
    await session.add_items([USER])  # type: ignore[list-item]
    assert await session.get_items() == [USER]


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": "a\x00b"},
        {"role": "user", "content": "half \ud83d"},
        {"role": "user", "content": "\\u0000 is spelt out"},
        {"role": "user", "content": "مرحبا 🎛️ \u2028"},
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": "plain"},
        {
            "type": "function_call_output",
            "call_id": "gone",
            "output": [{"type": "input_text", "text": "x\x00"}],
        },
        {"type": "function_call_output", "call_id": "gone", "output": "\x00"},
        {"type": "function_call", "call_id": "c", "name": "a\x00", "arguments": "{not json"},
        {"type": "item_reference", "id": "msg_1"},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:,", "detail": "auto"}]},
        {"data": 1, "json": "2", "big": 2**70, "f": 1e-9, "n": None},
    ],
    ids=lambda item: ascii(item)[:60],
)
async def test_whatever_the_sdk_gives_comes_back(session: SteadSession, item: Any) -> None:
    await session.add_items([USER, item, ANSWER])  # type: ignore[list-item]
    assert await session.get_items() == [USER, item, ANSWER]


@pytest.mark.parametrize("bad", [[USER, {1}], [USER, "text"], [USER, {"v": {1, 2}}]], ids=str)
async def test_what_is_no_item_adds_nothing(session: SteadSession, bad: Any) -> None:
    with pytest.raises(AdapterArgumentInvalid):
        await session.add_items(bad)
    assert await session.get_items() == []


async def test_more_than_a_page(session: SteadSession) -> None:
    many: list[Any] = [{"role": "user", "content": str(n)} for n in range(620)]
    await session.add_items(many)
    assert await session.get_items() == many
    assert await session.get_items(510) == many[-510:]


async def test_what_is_added_at_once_stays_together(
    db: Database, person: Person, session: SteadSession
) -> None:
    async def add(n: int) -> None:
        mine = SteadSession(db, person.principal, session.session_id)
        turn: list[Any] = [{"role": "user", "content": f"{n}"}, {"role": "assistant", "content": f"{n}"}]
        await mine.add_items(turn)

    await asyncio.gather(*(add(n) for n in range(20)))
    said: list[Any] = [item["content"] for item in await session.get_items()]  # type: ignore[index]
    assert len(said) == 40
    assert said[::2] == said[1::2]
    assert sorted(map(int, said[::2])) == list(range(20))
    popped = await asyncio.gather(*(session.pop_item() for _ in range(45)))
    assert len([item for item in popped if item is not None]) == 40


async def test_it_is_its_persons_only(
    db: Database, tenant: Tenant, person: Person, stranger: Person, session: SteadSession
) -> None:
    await session.add_items([USER])  # type: ignore[list-item]
    colleague = await make_person(db, tenant, "bob")
    for other in (
        colleague.principal,
        stranger.principal,
        anonymous(tenant, uuid.UUID(session.session_id)),
    ):
        theirs = SteadSession(db, other, session.session_id)
        for attempt in (
            theirs.get_items(),
            theirs.add_items([USER]),
            theirs.pop_item(),
            theirs.clear_session(),
        ):  # type: ignore[list-item]
            with pytest.raises(SessionUnknown):
                await attempt
    assert await SteadSession(db, service(tenant), session.session_id).get_items() == [USER]
    with pytest.raises(AdapterArgumentInvalid):
        SteadSession(db, person.principal, "conversation-1")


async def test_an_ended_session_takes_nothing_more(
    db: Database, person: Person, session: SteadSession
) -> None:
    await session.add_items([USER])  # type: ignore[list-item]
    async with db.transaction(person.principal.served()) as tx:
        await sessions.close(tx, person.principal, uuid.UUID(session.session_id))
    with pytest.raises(SessionEnded):
        await session.add_items([USER])  # type: ignore[list-item]
    assert await session.get_items() == [USER]


@function_tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@pytest_asyncio.fixture
async def models() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as server:
        yield server


async def run(base_url: str, session: Session, text: str) -> str:
    """One run of an agent with a tool."""
    async with AsyncOpenAI(base_url=base_url, api_key="local", max_retries=0) as client:
        model = OpenAIResponsesModel(model="gpt-4.1-mini", openai_client=client)
        agent = Agent(name="Adder", instructions="Add.", tools=[add], model=model)
        config = RunConfig(tracing_disabled=True)
        return (await Runner.run(agent, text, session=session, run_config=config)).final_output


def script(models: OpenAIServer, a: int, b: int) -> None:
    models.script(
        Reply(tool_calls=[ToolCall(name="add", arguments={"a": a, "b": b}, call_id=f"call_{a}")]),
        Reply(text=[f"It is {a + b}."]),
    )


async def test_two_runs_with_tools_are_one_conversation(
    db: Database, person: Person, models: OpenAIServer, session: SteadSession
) -> None:
    script(models, 2, 3)
    script(models, 4, 4)
    assert await run(models.base_url, session, "What is 2 + 3?") == "It is 5."
    again = SteadSession(db, person.principal, session.session_id)
    assert await run(models.base_url, again, "And 4 + 4?") == "It is 8."

    sent: list[Any] = models.requests[-1].body["input"]
    assert [item.get("type", item.get("role")) for item in sent] == [
        "user", "function_call", "function_call_output", "message",
        "user", "function_call", "function_call_output",
    ]  # fmt: skip
    kept: list[Any] = await session.get_items()
    assert [item.get("type", item.get("role")) for item in kept] == [
        "user", "function_call", "function_call_output", "message",
        "user", "function_call", "function_call_output", "message",
    ]  # fmt: skip
    shown = [p for m in await stored(db, person, session) for p in m.parts if p["type"] == "tool-add"]
    assert [(part["input"], part["output"]) for part in shown] == [
        ({"a": 2, "b": 3}, "5"),
        ({"a": 4, "b": 4}, "8"),
    ]


PROGRAM = """
import asyncio, sys
from stead.adapters.openai_session import SteadSession
from stead.adapters.people import find_tenant, person
from stead.adapters.space import opened
from tests.adapters.test_openai_session import run

async def main(url, tenant, profile, session_id, models):
    async with opened(url, "static") as (db, _):
        owner = await person(db, await find_tenant(db, tenant), profile)
        print(await run(models, SteadSession(db, owner, session_id), "And 4 + 4?"))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_another_process_goes_on_with_it(
    access: DatabaseAccess, person: Person, models: OpenAIServer, session: SteadSession
) -> None:
    script(models, 2, 3)
    script(models, 4, 4)
    await run(models.base_url, session, "What is 2 + 3?")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, access.runtime_url, person.tenant.slug, str(person.id),
        session.session_id, models.base_url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert out.decode().strip() == "It is 8."
    assert "It is 5." in json.dumps(models.requests[-1].body["input"])
    assert len(await session.get_items()) == 8
