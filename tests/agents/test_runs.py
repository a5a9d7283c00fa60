"""Runs: one at a time in a session, independent of who listens, stored whatever happens."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db import Database
from tests.agents.vendors import (
    Vendor,
    add_concierge,
    messages_of,
    run_of,
    said_in,
    stored_text,
    vendor_of,
)
from tests.servers.script import Reply
from tests.support.people import Person, make_person, make_tenant, open_session
from tests.support.servers import ServerProcess, frames_of, say, text_of

SLOW = Reply(text=[f"w{n} " for n in range(40)], delay_each_s=0.05)
SLOW_TEXT = "".join(f"w{n} " for n in range(40))


@pytest_asyncio.fixture(scope="module")
async def vendor(access: DatabaseAccess) -> AsyncIterator[Vendor]:
    async with vendor_of("responses", access) as found:
        yield found


@pytest_asyncio.fixture
async def session(vendor: Vendor, person: Person) -> str:
    return await open_session(vendor.running.client, person)


@asynccontextmanager
async def streaming(
    vendor: Vendor, person: Person, session: str, message: str, **body: Any
) -> AsyncGenerator[AsyncIterator[dict[str, Any]]]:
    """A message that is being answered: the frames, one by one, to the ``[DONE]``."""

    async def frames(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
        async for line in answer.aiter_lines():
            if line == "data: [DONE]":
                return
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))
        raise AssertionError("the stream ended without [DONE]")

    async with vendor.running.client.stream(
        "POST",
        "/api/chat",
        json={"sessionId": session, "message": message, **body},
        headers=person.headers,
    ) as answer:
        assert answer.status_code == 200
        yield frames(answer)


async def until(frames: AsyncIterator[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The next frame of that type."""
    async for frame in frames:
        if frame["type"] == kind:
            return frame
    raise AssertionError(f"no {kind}")


async def resumed(vendor: Vendor, person: Person, session: str) -> list[dict[str, Any]] | None:
    """The stream that a client gets that lost its own; None for 204. Told to come back later (503), it does."""
    while True:
        async with vendor.running.client.stream(
            "GET", f"/api/chat/{session}/stream", headers=person.headers
        ) as answer:
            if answer.status_code != 503:
                return None if answer.status_code == 204 else await frames_of(answer)
            await asyncio.sleep(float(answer.headers["retry-after"]) / 10)


async def runs_of(vendor: Vendor, person: Person, session: str) -> list[dict[str, Any]]:
    answer = await vendor.running.client.get(f"/api/session/{session}/runs", headers=person.headers)
    return answer.json()


def ui(message_id: str, text: str) -> dict[str, Any]:
    return {"id": message_id, "role": "user", "parts": [{"type": "text", "text": text}]}


async def send(vendor: Vendor, person: Person, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Sends a body as `useChat` does, and reads the answer."""
    async with vendor.running.client.stream(
        "POST", "/api/chat", json=body, headers=person.headers
    ) as answer:
        assert answer.status_code == 200
        return await frames_of(answer)


async def test_one_run_at_a_time(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(SLOW)
    async with streaming(vendor, person, session, "First.") as frames:
        await until(frames, "text-delta")
        second = await vendor.running.client.post(
            "/api/chat", json={"sessionId": session, "message": "Second."}, headers=person.headers
        )
        assert (second.status_code, second.json()["code"]) == (409, "session_busy")
        await vendor.running.client.post(f"/api/chat/{session}/stop", headers=person.headers)
        rest = [frame async for frame in frames]
    assert rest[-1] == {"type": "abort"}
    assert len(await runs_of(vendor, person, session)) == 1
    assert [m["role"] for m in await messages_of(vendor.running, person, session)] == [
        "user",
        "assistant",
    ]


async def test_two_messages_at_the_same_moment(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(Reply(text=["one"], delay_first_s=0.3), Reply(text=["two"]))
    client = vendor.running.client
    answers = await asyncio.gather(
        *(
            client.post(
                "/api/chat", json={"sessionId": session, "message": text}, headers=person.headers
            )
            for text in ("A.", "B.", "C.")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(vendor.requests) == 1


async def test_the_same_message_twice_is_one_run(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(Reply(text=["on", "ce"], delay_first_s=0.2), Reply(text=["twice"]))
    body = {"id": session, "message": ui("m-1", "Hello.")}
    first, second = await asyncio.gather(send(vendor, person, body), send(vendor, person, body))
    assert first == second
    # Later too, when it is only in the database.
    assert await send(vendor, person, body) == first
    assert text_of(first) == "once"
    assert len(vendor.requests) == 1
    assert len(await runs_of(vendor, person, session)) == 1
    assert len(await messages_of(vendor.running, person, session)) == 2


async def test_sending_again_after_a_failure_answers(
    vendor: Vendor, person: Person, session: str
) -> None:
    vendor.script(Reply(text=["half ", "of"], cut_after=1), Reply(text=["whole"]))
    body = {"id": session, "message": ui("m-1", "Hello.")}
    assert (await send(vendor, person, body))[-1]["type"] == "error"
    frames = await send(vendor, person, body)
    assert text_of(frames) == "whole"
    messages = await messages_of(vendor.running, person, session)
    assert [(m["role"], stored_text(m)) for m in messages] == [
        ("user", "Hello."),
        ("assistant", "whole"),
    ]
    assert messages[0]["id"] == "m-1"
    assert said_in(vendor.requests[1]) == [("user", "Hello.")]
    assert [run["status"] for run in await runs_of(vendor, person, session)] == ["completed", "failed"]


async def test_an_edited_message_cuts_what_follows(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(*[Reply(text=[f"a{n}"]) for n in range(4)])
    for n in range(3):
        await send(vendor, person, {"id": session, "message": ui(f"m-{n}", f"q{n}")})
    frames = await send(vendor, person, {"id": session, "message": ui("m-1", "other")})
    assert text_of(frames) == "a3"
    messages = await messages_of(vendor.running, person, session)
    assert [stored_text(m) for m in messages] == ["q0", "a0", "other", "a3"]
    assert said_in(vendor.requests[3]) == [("user", "q0"), ("assistant", "a0"), ("user", "other")]


@pytest.mark.parametrize("named", [True, False], ids=["that answer", "the last answer"])
async def test_another_answer_is_asked_for(
    vendor: Vendor, person: Person, session: str, named: bool
) -> None:
    vendor.script(*[Reply(text=[f"a{n}"]) for n in range(3)])
    for n in range(2):
        await send(vendor, person, {"id": session, "message": ui(f"m-{n}", f"q{n}")})
    answers = [m for m in await messages_of(vendor.running, person, session) if m["role"] == "assistant"]
    body: dict[str, Any] = {"messageId": answers[0]["id"]} if named else {}
    again = {"id": session, "messages": [], "trigger": "regenerate-message", **body}
    frames = await send(vendor, person, again)
    assert text_of(frames) == "a2"
    said = [stored_text(m) for m in await messages_of(vendor.running, person, session)]
    assert said == (["q0", "a2"] if named else ["q0", "a0", "q1", "a2"])


async def test_there_is_nothing_to_answer_anew(vendor: Vendor, person: Person, session: str) -> None:
    answer = await vendor.running.client.post(
        "/api/chat", json={"id": session, "trigger": "regenerate-message"}, headers=person.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_answer")


async def test_stopping_from_another_instance(
    vendor: Vendor, access: DatabaseAccess, person: Person, session: str
) -> None:
    vendor.script(SLOW)
    async with (
        vendor_of("responses", access) as other,
        streaming(vendor, person, session, "Go on and on.") as frames,
    ):
        await until(frames, "text-delta")
        answer = await other.running.client.post(f"/api/chat/{session}/stop", headers=person.headers)
        assert answer.json()["stopped"] is True
        rest = await asyncio.wait_for(_all(frames), 1.5)
    assert rest[-1] == {"type": "abort"}
    assert "".join(f.get("delta", "") for f in rest) != SLOW_TEXT
    await asyncio.wait_for(vendor.requests[0].ended.wait(), 2)
    assert vendor.requests[0].disconnected
    run = (await runs_of(vendor, person, session))[0]
    assert (run["status"], run["id"]) == ("cancelled", answer.json()["run_id"])
    assert stored_text((await messages_of(vendor.running, person, session))[1])
    vendor.script(Reply(text=["fine"]))
    assert text_of(await say(vendor.running.client, person.headers, session, "Next.")) == "fine"


async def test_nothing_to_stop(vendor: Vendor, person: Person, session: str) -> None:
    answer = await vendor.running.client.post(f"/api/chat/{session}/stop", headers=person.headers)
    assert answer.json() == {"stopped": False, "run_id": None}


async def test_a_run_does_not_need_its_client(vendor: Vendor, person: Person, session: str) -> None:
    vendor.script(SLOW)
    async with streaming(vendor, person, session, "I am off.") as frames:
        await until(frames, "text-delta")
    again = await resumed(vendor, person, session)
    assert again is not None
    assert text_of(again) == SLOW_TEXT
    assert again[0]["type"] == "start"
    assert again[-1]["type"] == "finish"
    assert stored_text((await messages_of(vendor.running, person, session))[1]) == SLOW_TEXT
    assert not vendor.requests[0].disconnected
    assert await resumed(vendor, person, session) is None


async def test_fifty_at_once(vendor: Vendor, db: Database, access: DatabaseAccess) -> None:
    tenant = await make_tenant(access)
    people = [await make_person(db, tenant, f"p{n}") for n in range(5)]
    vendor.script()
    vendor.models.reply_for = lambda body: Reply(
        text=[f"{word} " for word in said_in_body(body).split()], delay_each_s=0.02
    )

    async def talk(n: int) -> None:
        person = people[n % 5]
        session = await open_session(vendor.running.client, person)
        text = " ".join(f"n{n}w{i}" for i in range(20))
        frames = await say(vendor.running.client, person.headers, session, text)
        assert text_of(frames).strip() == text
        assert frames[-1]["type"] == "finish"
        stored = (await messages_of(vendor.running, person, session))[1]
        assert stored_text(stored).strip() == text

    try:
        await asyncio.gather(*(talk(n) for n in range(50)))
    finally:
        vendor.models.reply_for = None
    assert len(vendor.requests) == 50


def said_in_body(body: dict[str, Any]) -> str:
    return next(item["content"] for item in reversed(body["input"]) if item.get("role") == "user")


async def test_a_reader_that_stands_still_holds_up_nobody(
    vendor: Vendor, person: Person, session: str
) -> None:
    """It reads nothing while megabytes come; another reader of the same stream gets all of it."""
    vendor.script(Reply(text=["x" * 20_000] * 200))
    port = vendor.running.base_url.rpartition(":")[2]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port), limit=1024)
    body = json.dumps({"sessionId": session, "message": "Much."}).encode()
    head = (
        f"POST /api/chat HTTP/1.1\r\nhost: x\r\nauthorization: {person.headers['authorization']}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await vendor.models.received(1)
    other = await open_session(vendor.running.client, person)
    vendor.models.script(Reply(text=["quick"]))
    assert text_of(await say(vendor.running.client, person.headers, other, "And you?")) == "quick"
    again = await resumed(vendor, person, session)
    if again is not None:
        assert len(text_of(again)) == 4_000_000
    assert len(stored_text((await messages_of(vendor.running, person, session))[1])) == 4_000_000
    # The one that stood still can still have it all.
    received = bytearray()
    while not received.endswith(b"0\r\n\r\n"):
        piece = await reader.read(1 << 20)
        assert piece
        received += piece
    assert received.count(b"x" * 20_000) == 200
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("times", [1, 4])
async def test_the_database_hangs_up_in_mid_stream(
    vendor: Vendor, access: DatabaseAccess, person: Person, session: str, times: int
) -> None:
    """Every backend of the server's login is terminated while the model speaks."""
    assert access.admin_url is not None
    vendor.script(SLOW)
    admin = await asyncpg.connect(access.admin_url)
    try:
        async with streaming(vendor, person, session, "Hold on.") as frames:
            seen = [await until(frames, "text-delta")]
            for _ in range(times):
                await admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where usename = 'stead_api' and datname = current_database()"
                )
                for _ in range(5):
                    seen += [await until(frames, "text-delta")]
            rest = await _all(frames)
    finally:
        await admin.close()
    assert rest[-1]["type"] == "finish"
    assert "".join(f.get("delta", "") for f in [*seen, *rest]) == SLOW_TEXT
    messages = await messages_of(vendor.running, person, session)
    assert [(m["role"], stored_text(m)) for m in messages] == [
        ("user", "Hold on."),
        ("assistant", SLOW_TEXT),
    ]
    assert [run["status"] for run in await runs_of(vendor, person, session)] == ["completed"]
    written = await _written(access, (await runs_of(vendor, person, session))[0]["id"])
    assert text_of(written) == SLOW_TEXT
    assert [frame["type"] for frame in written].count("finish") == 1
    vendor.script(Reply(text=["fine"]))
    assert text_of(await say(vendor.running.client, person.headers, session, "Next.")) == "fine"


async def _written(access: DatabaseAccess, run_id: str) -> list[dict[str, Any]]:
    """The frames as the database has them."""
    assert access.admin_url is not None
    admin = await asyncpg.connect(access.admin_url)
    try:
        rows = await admin.fetch(
            "select frames from stead.stream_chunks where run_id = $1 order by seq", uuid.UUID(run_id)
        )
    finally:
        await admin.close()
    return [frame for row in rows for frame in json.loads(row["frames"])]


async def test_a_resumed_reader_survives_the_loss_of_its_connection(
    vendor: Vendor, access: DatabaseAccess, person: Person, session: str
) -> None:
    """Another instance serves the stream from the database, and loses it in between."""
    assert access.admin_url is not None
    vendor.script(SLOW)
    admin = await asyncpg.connect(access.admin_url)
    try:
        async with vendor_of("responses", access) as other:
            async with streaming(vendor, person, session, "Hold on."):
                pass
            reading = asyncio.create_task(resumed(other, person, session))
            for _ in range(6):
                await asyncio.sleep(0.1)
                await admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where usename = 'stead_api' and datname = current_database()"
                )
            frames = await reading
    finally:
        await admin.close()
    assert frames is not None
    assert text_of(frames) == SLOW_TEXT
    assert frames[-1]["type"] == "finish"


async def test_a_session_that_ended_takes_no_message(
    vendor: Vendor, person: Person, session: str
) -> None:
    client = vendor.running.client
    vendor.script(Reply(text=["never"]))
    done = await client.post(f"/api/session/{session}/complete", headers=person.headers)
    assert done.status_code == 200, done.text
    answer = await client.post(
        "/api/chat", json={"sessionId": session, "message": "Hi."}, headers=person.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")
    assert vendor.requests == []


async def test_somebody_elses_session_is_not_there(
    vendor: Vendor, person: Person, stranger: Person, session: str
) -> None:
    vendor.script(Reply(text=["never"]))
    client = vendor.running.client
    for method, path, body in (
        ("POST", "/api/chat", {"sessionId": session, "message": "Hi."}),
        ("GET", f"/api/chat/{session}/stream", None),
        ("POST", f"/api/chat/{session}/stop", None),
    ):
        answer = await client.request(method, path, json=body, headers=stranger.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "session_unknown")
    assert vendor.requests == []


@pytest.mark.parametrize(("drain", "status"), [("10", "completed"), ("0", "failed")])
async def test_a_server_that_is_asked_to_stop_leaves_no_run_behind(
    access: DatabaseAccess,
    db: Database,
    vendor: Vendor,
    person: Person,
    session: str,
    drain: str,
    status: str,
) -> None:
    await add_concierge(db, person.tenant, "offline")
    process = ServerProcess(
        access,
        STEAD_ADMIN_DATABASE_URL=access.admin_url or "",
        STEAD_OFFLINE_DELAY_S="0.03",
        STEAD_DRAIN_S=drain,
    )
    await process.start()
    try:
        async with httpx.AsyncClient(base_url=process.base_url, timeout=30) as client:
            text = "I like " + ", ".join(f"thing{n}" for n in range(30)) + "."
            async with client.stream(
                "POST",
                "/api/chat",
                json={"sessionId": session, "message": text},
                headers=person.headers,
            ) as answer:
                assert answer.status_code == 200
                lines = answer.aiter_lines()
                async for line in lines:
                    if '"text-delta"' in line:
                        break
                assert process.process is not None
                process.process.terminate()
                try:
                    async for _ in lines:
                        pass
                except httpx.TransportError:
                    assert status == "failed"
        assert await process.stop() in (0, -15)
    finally:
        await process.kill()
    (run,) = await runs_of(vendor, person, session)
    assert run["status"] == status, process.log
    messages = await messages_of(vendor.running, person, session)
    assert [m["role"] for m in messages] == ["user", "assistant"]
    assert stored_text(messages[1]).startswith("[offline")
    assert stored_text(messages[1]).endswith("to use a real one).") == (status == "completed")
    if status == "failed":
        assert run["error"]["code"] == "run_interrupted"
    assert text_of(await say(vendor.running.client, person.headers, session, "Next."))


async def _all(frames: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [frame async for frame in frames]


async def test_the_run_log_is_the_persons_own(
    vendor: Vendor, person: Person, stranger: Person, session: str
) -> None:
    vendor.script(Reply(text=["Hi."]))
    frames = await say(vendor.running.client, person.headers, session, "Hi.")
    run = await run_of(vendor.running, person, frames)
    assert run["session_id"] == session
    hidden = await vendor.running.client.get(f"/v1/runs/{run['id']}", headers=stranger.headers)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "run_unknown")
