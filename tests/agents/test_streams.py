"""Frames: how they are made, kept, written, followed and folded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from agents import Agent
from agents.items import ToolCallOutputItem
from agents.stream_events import RawResponsesStreamEvent, RunItemStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from stead import sessions
from stead.agents import frames, queries
from stead.agents.engine.translation import Translator
from stead.agents.following import follow
from stead.agents.frames import Frame
from stead.agents.streams import FrameWriter, LiveStream, topic_of
from stead.agents.transcript import fold
from stead.assembly.database import DatabaseAccess
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import CONNECTION_LOST, NOBODY, Database, PoolConfig
from stead.processes import queries as processes
from stead.realtime import Hub, notify
from tests.support.people import Person

AGENT = Agent[Any](name="a")
TEXT = st.text(max_size=6)


def event(kind: str, **fields: Any) -> Any:
    return RawResponsesStreamEvent(data=SimpleNamespace(type=kind, **fields))  # type: ignore[arg-type]


def call_item(index: int, arguments: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        type="function_call", call_id=f"call_{index}", name="add", arguments=arguments
    )


@st.composite
def responses(draw: st.DrawFn) -> list[Any]:
    """The events of one model response: items side by side, their deltas in any interleaving."""
    kinds = draw(st.lists(st.sampled_from(["text", "reasoning", "call"]), max_size=4))
    queues: list[list[Any]] = []
    for index, kind in enumerate(kinds):
        deltas = draw(st.lists(TEXT, max_size=4))
        if kind == "call":
            item = call_item(index)
            body = [
                event("response.function_call_arguments.delta", output_index=index, delta=delta)
                for delta in deltas
            ]
            done = call_item(index, "".join(deltas))
        else:
            item = done = SimpleNamespace(type="message" if kind == "text" else "reasoning")
            name = "output_text" if kind == "text" else "reasoning_summary_text"
            body = [event(f"response.{name}.delta", output_index=index, delta=delta) for delta in deltas]
        queues.append(
            [
                event("response.output_item.added", output_index=index, item=item),
                *body,
                event("response.output_item.done", output_index=index, item=done),
            ]
        )
    events = [event("response.created")] if draw(st.booleans()) else []
    while queues:
        queue = draw(st.sampled_from(queues))
        events.append(queue.pop(0))
        if not queue:
            queues.remove(queue)
    for index, kind in enumerate(kinds):
        if kind == "call":
            raw = {"type": "function_call_output", "call_id": f"call_{index}", "output": "x"}
            output = draw(st.one_of(TEXT, st.integers(), st.just(float("nan")), st.none()))
            item = ToolCallOutputItem(agent=AGENT, raw_item=raw, output=output)
            events.append(RunItemStreamEvent(name="tool_output", item=item))
    return events


TURNS = st.lists(responses(), max_size=3).map(lambda many: [e for one in many for e in one])


def translated(events: Iterable[Any]) -> list[Frame]:
    translator = Translator()
    made = [frame for one in events for frame in translator.frames(one)]
    return [frames.start("m", {}), *made, *translator.close(), frames.finish({})]


def check_order(stream: list[Frame]) -> None:
    """What the AI SDK's client insists on."""
    open_blocks: set[str] = set()
    ever: set[str] = set()
    calls: set[str] = set()
    in_step = False
    for frame in stream:
        kind = frame["type"]
        if kind == "start-step":
            assert not in_step
            in_step = True
        elif kind == "finish-step":
            assert in_step
            assert not open_blocks
            in_step = False
        elif kind in {"text-start", "reasoning-start"}:
            assert in_step
            assert frame["id"] not in ever
            ever.add(frame["id"])
            open_blocks.add(frame["id"])
        elif kind in {"text-delta", "reasoning-delta"}:
            assert frame["id"] in open_blocks
            assert frame["delta"]
        elif kind in {"text-end", "reasoning-end"}:
            open_blocks.remove(frame["id"])
        elif kind == "tool-input-start":
            assert in_step
            calls.add(frame["toolCallId"])
        elif kind.startswith("tool-"):
            assert frame["toolCallId"] in calls
        # JSON that every parser and the database take.
        encoded = json.dumps(frame, allow_nan=False, ensure_ascii=False).encode()
        assert b"\\u0000" not in encoded
    assert not in_step
    assert not open_blocks


@settings(max_examples=150, deadline=None)
@given(TURNS)
def test_a_translated_stream_is_one_that_the_client_takes(events: list[Any]) -> None:
    stream = translated(events)
    check_order(stream)
    for kind, name in (("text", "output_text"), ("reasoning", "reasoning_summary_text")):
        given_text = "".join(
            e.data.delta
            for e in events
            if isinstance(e, RawResponsesStreamEvent) and e.data.type == f"response.{name}.delta"
        )
        if kind == "text":
            made = "".join(f["delta"] for f in stream if f["type"] == "text-delta")
            assert made == given_text.replace("\0", "")


@settings(max_examples=100, deadline=None)
@given(TURNS, st.integers(min_value=0, max_value=200))
def test_a_stream_that_breaks_off_anywhere_is_closed(events: list[Any], at: int) -> None:
    check_order(translated(events[:at]))


@settings(max_examples=100, deadline=None)
@given(TURNS)
def test_every_prefix_of_a_stream_folds_into_a_message(events: list[Any]) -> None:
    stream = translated(events)
    said = ""
    for end in range(len(stream) + 1):
        parts = fold(stream[:end])
        json.dumps(parts, allow_nan=False)
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        assert len(text) >= len(said)
        said = text
        assert all(part["text"] for part in parts if part["type"] in {"text", "reasoning"})
    assert said.count("") - 1 == sum(len(f["delta"]) for f in stream if f["type"] == "text-delta")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["type", "id", "delta", "toolCallId"]), TEXT)))
def test_fold_never_raises(stream: list[Frame]) -> None:
    fold(stream)


def test_items_side_by_side_are_kept_apart() -> None:
    stream = translated(
        [
            event("response.created"),
            event("response.output_text.delta", output_index=1, delta="b1"),
            event("response.output_text.delta", output_index=0, delta="a1"),
            event("response.reasoning_summary_text.delta", output_index=0, delta="r"),
            event("response.output_text.delta", output_index=1, delta="b2"),
            event("response.output_item.done", output_index=1, item=SimpleNamespace(type="message")),
            event("response.output_text.delta", output_index=0, delta="a2"),
        ]
    )
    check_order(stream)
    texts = [part["text"] for part in fold(stream) if part["type"] == "text"]
    assert texts == ["b1b2", "a1a2"]


def test_what_cannot_be_stored_is_cleaned_wherever_it_stands() -> None:
    dirty = {"a\0": ["x\ud800y", float("inf"), {"b": "\ud83d\ude00"}], "n": 1, "none": None}
    made = frames.tool_output_available("c", dirty)["output"]
    assert made == {"a": ["x\ufffdy", "inf", {"b": "\U0001f600"}], "n": 1, "none": None}
    assert frames.block_delta("text", "t", "\ufeffa\0b")["delta"] == "\ufeffab"


async def test_readers_see_every_frame_once_whenever_they_come() -> None:
    stream = LiveStream(new_id())
    made = [frames.block_delta("text", "t", str(n)) for n in range(300)]

    async def read() -> list[Frame]:
        return [frame async for batch in stream.follow() for frame in batch]

    readers = [asyncio.create_task(read())]
    for n, frame in enumerate(made):
        stream.emit(frame)
        if n % 50 == 0:
            readers.append(asyncio.create_task(read()))
        if n % 3 == 0:
            await asyncio.sleep(0)
    stream.end()
    readers.append(asyncio.create_task(read()))
    for found in await asyncio.gather(*readers):
        assert found == made


def test_what_was_tried_is_tried_again_as_it_was() -> None:
    stream = LiveStream(new_id())
    stream.emit({"n": 1})
    assert stream.next_chunk() == [{"n": 1}]
    stream.emit({"n": 2})
    # The first try may have been committed: the same number must carry the same frames.
    assert (stream.next_seq, stream.next_chunk()) == (1, [{"n": 1}])
    assert stream.unwritten_chunks() == [[{"n": 1}], [{"n": 2}]]
    stream.chunk_written()
    assert (stream.next_seq, stream.next_chunk()) == (2, [{"n": 2}])
    stream.chunk_written()
    assert stream.next_chunk() == []
    stream.chunk_written()
    assert stream.next_seq == 3
    assert stream.unwritten_chunks() == []


# Against the database.


@asynccontextmanager
async def running_run(db: Database, person: Person, process_id: uuid.UUID) -> AsyncGenerator[uuid.UUID]:
    """A run that a process holds."""
    principal, run_id = person.principal, new_id()
    async with db.transaction(NOBODY) as tx:
        await processes.beat(tx, process_id, "serve", "here", 1)
    async with db.transaction(principal.served()) as tx:
        session, _ = await sessions.open_session(tx, principal)
        message = await sessions.messages.add(
            tx, principal, session.id, role="user", parts=[{"type": "text", "text": "Hi."}]
        )
        await queries.insert_run(
            tx,
            run_id,
            principal.tenant.id,
            session.id,
            principal.profile_id,
            None,
            None,
            "concierge",
            message.id,
            new_id(),
            process_id,
            "offline",
            {},
        )
    yield run_id


async def end(db: Database, person: Person, run_id: uuid.UUID, process_id: uuid.UUID) -> None:
    async with db.transaction(person.principal.served()) as tx:
        assert await queries.end_run(
            tx, person.tenant.id, run_id, process_id, "completed", None, None, "stop", 1, 1, 0, 0, 0, 0,
            None,
        )  # fmt: skip
        await notify(tx, [topic_of(run_id)])


@pytest_asyncio.fixture
async def admin(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(str(access.admin_url))
    yield connection
    await connection.close()


async def all_written(stream: LiveStream) -> None:
    """Waits until the writer has written everything."""
    async with asyncio.timeout(10):
        while stream.written < len(stream.frames):  # noqa: ASYNC110 - its writer gives no signal
            await asyncio.sleep(0.01)


async def chunks_of(db: Database, person: Person, run_id: uuid.UUID) -> list[Frame]:
    async with db.transaction(person.principal.served()) as tx:
        rows = await queries.chunks_after(tx, person.tenant.id, run_id, 0)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    return [frame for row in rows for frame in row["frames"]]


async def test_frames_survive_the_loss_of_the_writers_connection(
    db: Database,
    access: DatabaseAccess,
    person: Person,
    admin: asyncpg.Connection[asyncpg.Record],
) -> None:
    """Its backends are killed again and again, before, in and after its commits: none lost, none twice."""
    process_id = new_id()
    own = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=1))
    async with running_run(db, person, process_id) as run_id:
        writer, stream = FrameWriter(own, process_id), LiveStream(run_id)
        writer.add(stream)
        made: list[Frame] = []
        for n in range(60):
            made.append(frames.block_delta("text", "t", str(n)))
            stream.emit(made[-1])
            async with own.transaction(NOBODY) as tx:
                pid = await tx.value("select pg_backend_pid()")
            # Each write races with the end of its connection, a little later in it each time.
            writing = asyncio.create_task(writer._write([stream]))
            for _ in range(n % 12):
                await asyncio.sleep(0)
            await admin.execute("select pg_terminate_backend($1, 2000)", pid)
            with contextlib.suppress(SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
                await writing
        while stream.written < len(stream.frames):
            await writer._write([stream])
        assert await chunks_of(db, person, run_id) == made
        await end(db, person, run_id, process_id)
    await own.close()


async def test_a_commit_whose_answer_was_lost(db: Database, person: Person) -> None:
    """The first try was committed; the writer does not know it, and says the same again."""
    process_id = new_id()
    async with running_run(db, person, process_id) as run_id:
        stream = LiveStream(run_id)
        stream.emit({"type": "a"})
        async with db.transaction(NOBODY) as tx:
            await queries.append_frames(
                tx, process_id, [run_id], [stream.next_seq], [stream.next_chunk()]
            )
        stream.emit({"type": "b"})
        writer = FrameWriter(db, process_id)
        writer.add(stream)
        await writer._write([stream])
        await writer._write([stream])
        assert await chunks_of(db, person, run_id) == [{"type": "a"}, {"type": "b"}]
        await end(db, person, run_id, process_id)


async def test_the_writer_goes_on_after_any_failure_of_the_database(
    db: Database, person: Person, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    process_id = new_id()
    async with running_run(db, person, process_id) as run_id:
        # A poisoned frame of one stream is refused with an error that is no lost connection.
        writer, stream = FrameWriter(db, process_id), LiveStream(run_id)
        stream.emit({"type": "\0"})
        writer.add(stream)
        await writer.start()
        assert writer._task is not None
        done, _ = await asyncio.wait([writer._task], timeout=0.5)
        assert not done
        stream.frames[0] = {"type": "a"}
        await all_written(stream)
        await writer.stop()
        assert await chunks_of(db, person, run_id) == [{"type": "a"}]
        await end(db, person, run_id, process_id)


async def test_a_run_that_was_taken_over_or_stopped_is_told_so(db: Database, person: Person) -> None:
    mine, theirs = new_id(), new_id()
    async with running_run(db, person, mine) as kept, running_run(db, person, theirs) as lost:
        writer = FrameWriter(db, mine)
        streams = {run_id: LiveStream(run_id) for run_id in (kept, lost)}
        for stream in streams.values():
            stream.emit({"type": "a"})
            writer.add(stream)
        await writer._write(list(streams.values()))
        assert not streams[kept].stop_requested.is_set()
        assert streams[lost].stop_requested.is_set()
        assert streams[lost].taken_over
        assert await chunks_of(db, person, lost) == []
        async with db.transaction(person.principal.served()) as tx:
            run = await queries.run_by_id(tx, person.tenant.id, kept)
            assert run is not None
            await queries.request_stop(tx, person.tenant.id, run["session_id"])
        await writer._write([streams[kept]])
        assert streams[kept].stop_requested.is_set()
        assert not streams[kept].taken_over
        await end(db, person, kept, mine)
        await end(db, person, lost, theirs)


@pytest.mark.parametrize("hears", [True, False], ids=["notified", "polling"])
async def test_another_process_sees_every_frame_once_and_in_order(
    db: Database, access: DatabaseAccess, person: Person, hears: bool
) -> None:
    process_id = new_id()
    hub = Hub(access.listen_url if hears else None)
    await hub.start()
    if hears:
        await hub.listening.wait()
    async with running_run(db, person, process_id) as run_id:
        writer, stream = FrameWriter(db, process_id), LiveStream(run_id)
        writer.add(stream)
        await writer.start()

        async def read() -> list[Frame]:
            found = follow(db, hub, person.principal, run_id)
            return [frame async for batch in found for frame in batch]

        readers = [asyncio.create_task(read())]
        made = [frames.block_delta("text", "t", f"{n}\u00e4") for n in range(200)]
        for n, frame in enumerate(made):
            stream.emit(frame)
            if n % 20 == 0:
                await asyncio.sleep(0.01)
            if n == 100:
                readers.append(asyncio.create_task(read()))
        await all_written(stream)
        await writer.release(stream)
        await end(db, person, run_id, process_id)
        readers.append(asyncio.create_task(read()))
        async with asyncio.timeout(10):
            for found in await asyncio.gather(*readers):
                assert found == made
        await writer.stop()
    await hub.stop()


async def test_a_stranger_sees_no_frame(
    db: Database, access: DatabaseAccess, person: Person, stranger: Person
) -> None:
    process_id, hub = new_id(), Hub(None)
    async with running_run(db, person, process_id) as run_id:
        writer, stream = FrameWriter(db, process_id), LiveStream(run_id)
        stream.emit({"type": "secret"})
        await writer._write([stream])
        found = follow(db, hub, stranger.principal, run_id)
        assert [batch async for batch in found] == []
        await end(db, person, run_id, process_id)


async def test_the_hub_hears_again_at_once_when_its_connection_is_lost(
    access: DatabaseAccess, db: Database, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    hub = Hub(access.listen_url)
    await hub.start()
    await hub.listening.wait()
    topic = f"t:{new_id()}"
    with hub.subscribe(topic) as changes:
        await admin.execute(
            "select pg_terminate_backend(pid, 2000) from pg_stat_activity "
            "where datname = current_database() and query ilike 'listen%'"
        )
        # Whoever waits is told to look: something may have been notified in between.
        assert await changes.wait(5.0)
        await asyncio.wait_for(hub.listening.wait(), 5)
        async with db.transaction(NOBODY) as tx:
            await notify(tx, [topic])
        assert await changes.wait(5.0)
    await hub.stop()
