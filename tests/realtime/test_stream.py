"""A client's stream of changes: its ids never go back, and what waits for it has a bound."""

from __future__ import annotations

import asyncio

import pytest

from stead.realtime import ChangeStream, Feed, Position, Wanted
from stead.realtime.models import Change
from stead.realtime.snapshots import Snapshot
from tests.realtime.conftest import PATIENCE_S, Sessions
from tests.support.people import Person

SESSIONS = Wanted(table="sessions")


def id_of(frame: bytes) -> str | None:
    found = [line for line in frame.decode().split("\n") if line.startswith("id: ")]
    return found[-1].removeprefix("id: ") if found else None


async def following(stream: ChangeStream) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(stream)


async def quiet(stream: ChangeStream) -> bytes:
    """What comes when nothing comes."""
    coming = asyncio.ensure_future(following(stream))
    await asyncio.sleep(0)
    stream._tick()
    return await coming


async def test_a_sign_of_life_moves_the_place_on(
    feed: Feed, sessions: Sessions, person: Person, stranger: Person
) -> None:
    stream = await ChangeStream.open(feed, person.principal, SESSIONS, None)
    other = await ChangeStream.open(feed, stranger.principal, SESSIONS, None)
    ready = await following(stream)
    assert b"event: ready" in ready
    await following(other)
    await sessions.add(stranger)
    assert b"event: INSERT" in await following(other)
    async with asyncio.timeout(PATIENCE_S):
        frame = ready
        while frame == b":\n\n" or id_of(frame) == id_of(ready):
            frame = await quiet(stream)
    assert frame.endswith(b"\n:\n\n")
    token = id_of(frame)
    assert token is not None
    assert Position.parse(token).seen.includes(Position.parse(id_of(ready) or "").seen)
    for one in (stream, other):
        await one.aclose()


async def test_the_very_first_place_is_one_to_go_on_from(
    feed: Feed, sessions: Sessions, person: Person
) -> None:
    """Nothing has changed yet since somebody listens in this tenant."""
    stream = await ChangeStream.open(feed, person.principal, SESSIONS, None)
    token = id_of(await following(stream))
    await stream.aclose()
    await sessions.add(person)
    assert token is not None
    again = await ChangeStream.open(feed, person.principal, SESSIONS, Position.parse(token))
    frames = await following(again)
    assert b"event: reset" not in frames
    assert frames.count(b"event: INSERT") == 1
    await again.aclose()


async def test_a_sign_of_life_never_goes_back_behind_what_was_told(feed: Feed, person: Person) -> None:
    """A batch is told in parts: some have their change while others still wait for theirs."""
    stream = await ChangeStream.open(feed, person.principal, SESSIONS, None)
    here = Position.parse(id_of(await following(stream)) or "").seen
    xid = here.xmax + 1000
    later = Snapshot.parse(f"{xid}:{xid}:")
    stream.take(Change("INSERT", "{}", Position(here, later, 1, 0)))
    assert id_of(await following(stream)) == f"{here.text}~{later.text}~1.0"
    assert await quiet(stream) == b":\n\n"
    await stream.aclose()


async def test_who_cannot_keep_up_is_ended(feed: Feed, person: Person) -> None:
    stream = await ChangeStream.open(feed, person.principal, SESSIONS, None)
    await following(stream)
    here = feed.position.seen
    for n in range(2000):
        stream.take(Change("INSERT", "{}", Position(here, here, n, 0)))
    assert b'"slow"' in await following(stream)
    with pytest.raises(StopAsyncIteration):
        await following(stream)
    await stream.aclose()


async def test_missed_changes_are_said_to_be(feed: Feed, person: Person) -> None:
    stream = await ChangeStream.open(feed, person.principal, SESSIONS, None)
    await following(stream)
    feed.lose([(person.tenant.id, "sessions")])
    assert b'event: reset\ndata: {"reason": "changes_missed"}' in await following(stream)
    await stream.aclose()


async def test_closing_ends_the_subscription_begun_or_not(feed: Feed, person: Person) -> None:
    stream = await ChangeStream.open(feed, person.principal, SESSIONS, None)
    assert feed.subscriptions == 1
    await stream.aclose()
    assert feed.subscriptions == 0
    await stream.aclose()
