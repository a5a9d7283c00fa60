"""A server that is killed with SIGKILL loses at most what it had not yet said: every run gets an end."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.db.embedded import EmbeddedServer
from tests.agents.vendors import (
    Vendor,
    add_concierge,
    instructions_in,
    messages_of,
    stored_text,
    vendor_of,
)
from tests.servers.script import Reply
from tests.support import cluster as clusters
from tests.support.people import Person, make_person, make_tenant, open_session
from tests.support.servers import Running, ServerProcess, frames_of, say, text_of

SEED = 20261120
ROUNDS = 5
STAND_STILL = "update stead.processes set heartbeat_at = heartbeat_at - interval '1 hour' where id = $1"
#: Of silence, before a process counts as dead. Only what these tests silence is silent for so long: a machine that
#: is busy makes nobody look dead.
SILENT_S = 900.0
#: For what has to come, however busy the machine is.
PATIENCE_S = 60.0
WORDS = [f"w{n} " for n in range(40)]
#: An answer that is still being given whenever somebody looks.
ENDLESS = WORDS * 500


@dataclasses.dataclass
class Place:
    """A database of these tests' own, a vendor, and a server that lives on in this process."""

    access: DatabaseAccess
    vendor: Vendor
    person: Person
    admin: asyncpg.Connection[asyncpg.Record]

    @property
    def running(self) -> Running:
        return self.vendor.running

    def process(self, *command: str) -> ServerProcess:
        return ServerProcess(
            self.access,
            *command,
            STEAD_ADMIN_DATABASE_URL=self.access.admin_url or "",
            STEAD_MODEL=self.vendor.model,
            STEAD_OPENAI_API_KEY="key",
            STEAD_OPENAI_BASE_URL=self.vendor.models.base_url,
            STEAD_OPENAI_API="responses",
        )

    async def forget(self, process: ServerProcess) -> None:
        """Lets the time pass after which a process that is not heard of counts as dead."""
        assert process.process is not None
        await self.admin.execute(
            "update stead.processes set heartbeat_at = heartbeat_at - interval '1 hour' where pid = $1",
            process.process.pid,
        )

    async def rescued(self) -> int:
        """Rescues until there was something: PostgreSQL may still hold rows of a process that was killed."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await self.running.parts.runtime.rescue()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return found

    async def stand_still(self, vendor: Vendor) -> None:
        """Lets a server of this process look dead for good, while it goes on: its heart stops."""
        runtime = vendor.running.parts.runtime
        beating = runtime._heartbeat._task
        assert beating is not None
        beating.cancel()
        await asyncio.wait([beating])
        await self.admin.execute(STAND_STILL, runtime.process_id)

    async def run_of(self, session: str) -> dict[str, Any]:
        """The newest run of a session."""
        answer = await self.running.client.get(
            f"/api/session/{session}/runs", headers=self.person.headers
        )
        return answer.json()[0]

    async def written(self, run_id: str) -> list[dict[str, Any]]:
        """The frames of a run as the database has them."""
        rows = await self.admin.fetch(
            "select frames from stead.stream_chunks where run_id = $1 order by seq", uuid.UUID(run_id)
        )
        return [frame for row in rows for frame in json.loads(row["frames"])]


@asynccontextmanager
async def patient(access: DatabaseAccess) -> AsyncGenerator[Vendor]:
    """A server of this process that takes others for dead after `SILENT_S`."""
    async with vendor_of("responses", access) as vendor:
        runtime = vendor.running.parts.runtime
        runtime.config = dataclasses.replace(runtime.config, silent_s=SILENT_S)
        yield vendor


@pytest_asyncio.fixture(scope="module")
async def place(cluster: EmbeddedServer) -> AsyncIterator[Place]:
    async with clusters.copy_of_template(cluster) as access, patient(access) as vendor:
        assert access.admin_url is not None
        admin = await asyncpg.connect(access.admin_url)
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=2))
        tenant = await make_tenant(access)
        await add_concierge(db, tenant)
        yield Place(access=access, vendor=vendor, person=await make_person(db, tenant), admin=admin)
        await db.close()
        await admin.close()


@pytest_asyncio.fixture(scope="module")
async def victims(place: Place) -> AsyncIterator[list[ServerProcess]]:
    """Servers in processes of their own, started side by side."""
    found = [place.process() for _ in range(ROUNDS + 2)]
    started = list(found)
    two_at_a_time = asyncio.Semaphore(2)

    async def start(process: ServerProcess) -> None:
        async with two_at_a_time:
            await process.start()

    try:
        await asyncio.gather(*(start(process) for process in started))
        yield found
    finally:
        await asyncio.gather(*(process.kill() for process in started if process.process is not None))


@asynccontextmanager
async def client_of(place: Place, process: ServerProcess) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=process.base_url, timeout=30, headers=place.person.headers
    ) as client:
        yield client


async def resume(
    client: httpx.AsyncClient, place: Place, session: str, begun: asyncio.Event | None = None
) -> list[dict[str, Any]]:
    """What a client gets that comes back; says when the first of it has come."""
    frames: list[dict[str, Any]] = []
    async with client.stream(
        "GET", f"/api/chat/{session}/stream", headers=place.person.headers
    ) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line == "data: [DONE]":
                return frames
            if line.startswith("data: "):
                frames.append(json.loads(line.removeprefix("data: ")))
                if begun is not None:
                    begun.set()
    raise AssertionError("the stream ended without [DONE]")


async def kill_in_mid_stream(
    place: Place, process: ServerProcess, session: str, after: int
) -> list[dict[str, Any]]:
    """Kills a server once the vendor has sent so many words; returns what its client had heard."""
    sent = asyncio.Event()

    def word(n: int) -> str:
        if n == after:
            sent.set()
        return WORDS[n]

    text = [(lambda n=n: word(n)) for n in range(len(WORDS))]
    # However long the kill takes, the answer is not at its end before.
    place.vendor.script(
        Reply(text=text, delay_first_s=0.02, delay_each_s=0.02, hold_after=len(WORDS) - 1)
    )
    heard: list[dict[str, Any]] = []

    async def listen() -> None:
        body = {"sessionId": session, "message": "Tell me a story."}
        async with (
            client_of(place, process) as client,
            client.stream("POST", "/api/chat", json=body) as answer,
        ):
            async for line in answer.aiter_lines():
                assert line != "data: [DONE]"
                if line.startswith("data: "):
                    heard.append(json.loads(line.removeprefix("data: ")))

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(sent.wait(), PATIENCE_S)
    await process.kill()
    with pytest.raises(httpx.TransportError):
        await listening
    return heard


async def test_killed_at_any_moment(place: Place, victims: list[ServerProcess]) -> None:
    """Servers are killed one after another, each while it answers; the next one goes on."""
    rng = random.Random(SEED)
    moments = [0, *rng.sample(range(1, len(WORDS) - 1), ROUNDS - 1)]
    for number, after in enumerate(moments):
        victim, heir = victims.pop(), victims[-1]
        await _one_round(place, victim, heir, f"City{number}", after)


async def _one_round(
    place: Place, victim: ServerProcess, heir: ServerProcess, city: str, after: int
) -> None:
    person = place.person
    session = await open_session(place.running.client, person)
    place.vendor.script(Reply(text=["Noted."]))
    async with client_of(place, victim) as client:
        await say(client, person.headers, session, f"I live in {city}.")
    heard = await kill_in_mid_stream(place, victim, session, after)

    async with client_of(place, heir) as client:
        # Nobody knows yet that the server is dead. What it wrote is there, and can be read.
        assert (await place.run_of(session))["status"] == "running"
        begun = asyncio.Event()
        coming_back = asyncio.create_task(resume(client, place, session, begun))
        if await place.written((await place.run_of(session))["id"]):
            await asyncio.wait_for(begun.wait(), PATIENCE_S)
        await place.forget(victim)
        assert await place.rescued() == 1
        replay = await asyncio.wait_for(coming_back, PATIENCE_S)
        assert replay[0]["type"] == "start"
        assert replay[-1]["type"] == "error"
        assert [frame["type"] for frame in replay].count("error") == 1
        assert "run_interrupted" in replay[-1]["errorText"]
        if heard:
            assert replay[0]["messageId"] == heard[0]["messageId"]

        later = await resume(client, place, session)
        assert later == replay

        run = await place.run_of(session)
        assert (run["status"], run["error"]["code"]) == ("failed", "run_interrupted")
        assert run["completed_at"] is not None
        messages = await messages_of(place.running, person, session)
        kept = text_of(replay)
        assert "".join(WORDS).startswith(kept)
        assert [m["role"] for m in messages][:3] == ["user", "assistant", "user"]
        # What there was of the answer is the message, once.
        assert [stored_text(m) for m in messages[3:]] == ([kept] if len(messages) > 3 else [])
        assert len(messages) > 3 or not kept

        place.vendor.script(Reply(text=["Here I am."]), Reply(text=[city]))
        assert text_of(await say(client, person.headers, session, "Are you there?")) == "Here I am."
        after_that = await messages_of(place.running, person, session)
        assert [m["id"] for m in after_that[: len(messages)]] == [m["id"] for m in messages]
        assert [stored_text(m) for m in after_that[len(messages) :]] == ["Are you there?", "Here I am."]

        # What was remembered before is still known.
        another = await open_session(client, person)
        await say(client, person.headers, another, f"Do I live in {city}?")
        assert f"I live in {city}" in instructions_in(place.vendor.requests[1])


async def test_killed_before_the_first_frame(place: Place, victims: list[ServerProcess]) -> None:
    """The run is stored, and not one frame of it: frames are held back until the server is dead."""
    victim = victims.pop()
    session = await open_session(place.running.client, place.person)
    place.vendor.script(Reply(hang=True))
    async with locked(place, "stead.stream_chunks"):

        async def ask() -> None:
            async with client_of(place, victim) as client:
                with pytest.raises(httpx.TransportError):
                    await say(client, place.person.headers, session, "Hello?")

        asking = asyncio.create_task(ask())
        await place.vendor.models.received(1)
        await victim.kill()
        await asking
        # What the dead server had already sent would pass the gate when it opens.
        await place.admin.execute(
            "select pg_terminate_backend(a.pid, 5000) from pg_locks l join pg_stat_activity a using (pid) "
            "where not l.granted and a.datname = current_database()"
        )
    run = await place.run_of(session)
    assert run["status"] == "running"
    assert await place.written(run["id"]) == []
    client = place.running.client
    coming_back = asyncio.create_task(resume(client, place, session))
    await place.forget(victim)
    assert await place.rescued() == 1
    replay = await asyncio.wait_for(coming_back, PATIENCE_S)
    assert [frame["type"] for frame in replay] == ["start", "error"]
    messages = await messages_of(place.running, place.person, session)
    assert [m["role"] for m in messages] == ["user"]
    place.vendor.script(Reply(text=["Yes."]))
    assert text_of(await say(client, place.person.headers, session, "Once more.")) == "Yes."


@asynccontextmanager
async def locked(place: Place, table: str) -> AsyncGenerator[None]:
    """Nobody writes to a table while the block runs."""
    gate = await asyncpg.connect(str(place.access.admin_url))
    try:
        async with gate.transaction():
            await gate.execute(f"lock table {table} in share mode")
            yield
    finally:
        await gate.close()


async def until_true(place: Place, sql: str, *args: object) -> None:
    """Waits until the database says so."""
    async with asyncio.timeout(PATIENCE_S):
        while not await place.admin.fetchval(sql, *args):  # noqa: ASYNC110 - the database gives no signal
            await asyncio.sleep(0.02)


async def test_a_worker_killed_while_it_rescues(place: Place, victims: list[ServerProcess]) -> None:
    """It has claimed the run and is about to end it: the next rescuer takes over from it."""
    victim, worker = victims.pop(), place.process("worker")
    session = await open_session(place.running.client, place.person)
    await kill_in_mid_stream(place, victim, session, 5)
    run = await place.run_of(session)
    async with locked(place, "stead.stream_chunks"):
        await place.forget(victim)
        # Only now: at any other moment it would take part in what other tests are about.
        await worker.start()
        assert worker.process is not None
        await until_true(
            place,
            "select p.pid = $2 from public.agent_runs r join stead.processes p on p.id = r.process_id "
            "where r.id = $1",
            uuid.UUID(run["id"]),
            worker.process.pid,
        )
        await worker.kill()
    assert (await place.run_of(session))["status"] == "running"
    assert await place.running.parts.runtime.rescue() == 0
    await place.forget(worker)
    assert await place.rescued() == 1
    await _ended_once(place, session)


async def test_two_rescuers_at_once(place: Place) -> None:
    """Of two that find the same lost runs one ends each."""
    async with patient(place.access) as sleeper, patient(place.access) as other:
        person = place.person
        sessions = [await open_session(place.running.client, person) for _ in range(6)]
        sleeper.models.default = Reply(text=ENDLESS, delay_each_s=0.05)
        asking = [
            asyncio.create_task(say(sleeper.running.client, person.headers, session, "Tell me a story."))
            for session in sessions
        ]
        await sleeper.models.received(len(sessions))
        await place.stand_still(sleeper)
        counts = [0, 0]
        async with asyncio.timeout(PATIENCE_S):
            # A run that its server is writing to at this moment is passed over, and found the next time.
            while sum(counts) < len(sessions):
                found = await asyncio.gather(
                    place.running.parts.runtime.rescue(), other.running.parts.runtime.rescue()
                )
                counts = [a + b for a, b in zip(counts, found, strict=True)]
        assert sum(counts) == len(sessions)
        for frames in await asyncio.gather(*asking):
            assert frames[-1]["type"] == "error"
    for session in sessions:
        await _ended_once(place, session)


async def _ended_once(place: Place, session: str) -> None:
    run = await place.run_of(session)
    assert (run["status"], run["error"]["code"]) == ("failed", "run_interrupted")
    kinds = [frame["type"] for frame in await place.written(run["id"])]
    assert kinds[0] == "start"
    assert kinds[-1] == "error"
    assert kinds.count("error") == kinds.count("start") == 1
    roles = [m["role"] for m in await messages_of(place.running, place.person, session)]
    assert roles in (["user"], ["user", "assistant"])


async def test_a_server_that_comes_back_from_the_dead_is_fenced_off(place: Place) -> None:
    """A server that only stood still, long enough to be given up: what it writes afterwards counts no more."""
    async with vendor_of("responses", place.access) as sleeper:
        person = place.person
        session = await open_session(place.running.client, person)
        sleeper.script(Reply(text=ENDLESS, delay_each_s=0.05))
        asking = asyncio.create_task(
            say(sleeper.running.client, person.headers, session, "Tell me a story.")
        )
        await sleeper.models.received(1)
        run_id = uuid.UUID((await place.run_of(session))["id"])
        await until_true(place, "select count(*) > 2 from stead.stream_chunks where run_id = $1", run_id)
        await place.stand_still(sleeper)
        assert await place.rescued() == 1
        frames = await asyncio.wait_for(asking, PATIENCE_S)
    assert frames[-1]["type"] == "error"
    assert "run_interrupted" in frames[-1]["errorText"]
    await _ended_once(place, session)
    kept = text_of(await place.written((await place.run_of(session))["id"]))
    assert "".join(ENDLESS).startswith(kept)
    messages = await messages_of(place.running, person, session)
    assert [stored_text(m) for m in messages] == ["Tell me a story.", kept]


async def test_lost_notifications(place: Place) -> None:
    """A server that hears no notification at all serves the stream of another one all the same."""
    deaf = dataclasses.replace(place.access, listen_url=None)
    async with vendor_of("responses", deaf) as other:
        person = place.person
        session = await open_session(place.running.client, person)
        place.vendor.script(Reply(text=WORDS, delay_each_s=0.05))
        first = asyncio.create_task(
            say(place.running.client, person.headers, session, "Tell me a story.")
        )
        await place.vendor.models.received(1)
        async with other.running.client.stream(
            "GET", f"/api/chat/{session}/stream", headers=person.headers
        ) as answer:
            assert answer.status_code == 200
            assert await frames_of(answer) == await first
        # Nor does it need one to stop a run, or to have its own stopped.
        other.script(Reply(text=WORDS, delay_each_s=30))
        second = asyncio.create_task(say(other.running.client, person.headers, session, "Another one."))
        await other.models.received(1)
        await place.running.client.post(f"/api/chat/{session}/stop", headers=person.headers)
        assert (await asyncio.wait_for(second, PATIENCE_S))[-1] == {"type": "abort"}
