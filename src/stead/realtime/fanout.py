"""One tail of a topic for however many follow it here: one read of the database for one wake-up.

A tail holds the latest events in a ring. Whoever is within it takes them from there; whoever has fallen behind
reads the database himself until he is. So a slow follower holds up nobody, and keeps nothing but his place.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, Generic, Protocol, TypeVar

import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST
from stead.realtime.hub import Hub, Subscription

_log = structlog.stdlib.get_logger(__name__)

#: How often a topic is looked at while notifications are not heard.
_LOOK_DEAF_S: Final = 1.0
_READS_AT_ONCE: Final = 8


class Sequenced(Protocol):
    """An event with its place in its topic."""

    @property
    def seq(self) -> int:
        """Grows along the topic."""
        ...

    @property
    def last(self) -> bool:
        """Whether no other one will come after it."""
        ...


E = TypeVar("E", bound=Sequenced)
Load = Callable[[str, int], Awaitable[Sequence[E]]]


class Fanout(Generic[E]):
    """The tails of this process.

    Args:
        hub: Wakes a tail when its topic was notified.
        load: ``await load(topic, after)``: the events of the topic with a greater ``seq``, in order; as many as
            it likes, and none only where there are none. Opens and ends its own transaction. What is committed
            later must have a greater ``seq`` than all that could be read before.
        ring: How many events a tail holds.
        silence_s: After how long without an event followers are told that there was none. As often a tail looks
            without having been notified.
    """

    def __init__(self, hub: Hub, load: Load[E], *, ring: int = 256, silence_s: float = 15.0) -> None:
        self._hub = hub
        self._load = load
        self._ring = ring
        self._silence_s = silence_s
        self._tails: dict[str, _Tail[E]] = {}
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)

    @property
    def topics(self) -> int:
        """How many topics are followed."""
        return len(self._tails)

    async def follow(self, topic: str, after: int = 0) -> AsyncGenerator[E | None]:
        """Every event after a place, to the one that says that it is the last; None when nothing came for a while.

        Whether the follower may is for the caller to have found out. Holds no transaction. Close it (``aclose``)
        where it is left before its end.

        Args:
            topic: As it is notified.
            after: The ``seq`` of the last event that is known; 0: from the first on.
        """
        tail = self._tails.get(topic)
        if tail is None:
            tail = self._tails[topic] = _Tail(topic, after, self._ring, self.read)
            tail.start(self._hub, self._silence_s)
        tail.followers += 1
        try:
            async with aclosing(tail.follow(after)) as events:
                async for event in events:
                    yield event
        finally:
            tail.followers -= 1
            if not tail.followers:
                tail.stop()
                if self._tails.get(topic) is tail:
                    del self._tails[topic]

    async def read(self, topic: str, after: int) -> Sequence[E]:
        """What the database has after a place; tried until it answers."""
        while True:
            try:
                async with self._reads:
                    return await self._load(topic, after)
            except (SteadError, *CONNECTION_LOST) as error:
                _log.warning("tail_read_failed", reason=type(error).__name__)
            await asyncio.sleep(_LOOK_DEAF_S * random.uniform(0.5, 1.5))  # noqa: S311


class _Tail(Generic[E]):
    """What is read of one topic.

    Args:
        after: Where it begins.
        size: Of its ring.
        read: Reads the database.
    """

    def __init__(self, topic: str, after: int, size: int, read: Load[E]) -> None:
        self._topic = topic
        self._size = size
        self._read = read
        # All that came after `base`, up to `head`, is in the ring.
        self._base = after
        self._head = after
        self._ring: deque[E] = deque()
        self._silences = 0
        self._done = False
        self._grown = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.followers = 0

    def start(self, hub: Hub, silence_s: float) -> None:
        """Begins to read."""
        self._task = asyncio.create_task(self._run(hub, silence_s), name="tail")

    def stop(self) -> None:
        """Reads no more."""
        if self._task is not None:
            self._task.cancel()

    async def follow(self, after: int) -> AsyncGenerator[E | None]:
        """As `Fanout.follow`."""
        cursor = after
        while True:
            # Taken before looking: what comes after the look sets this very event.
            grown, silences, base = self._grown, self._silences, self._base
            behind = cursor < base
            found = await self._read(self._topic, cursor) if behind else self._held(cursor)
            for event in found:
                cursor = event.seq
                yield event
                if event.last:
                    return
            if found:
                continue
            if behind:
                # What was between is gone.
                cursor = base
                continue
            if self._done:
                return
            await grown.wait()
            if self._silences != silences and not self._held(cursor):
                yield None

    def _held(self, cursor: int) -> list[E]:
        found: list[E] = []
        if cursor < self._head:
            for event in reversed(self._ring):
                if event.seq <= cursor:
                    break
                found.append(event)
            found.reverse()
        return found

    async def _run(self, hub: Hub, silence_s: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            with hub.subscribe(self._topic) as changes:
                told = loop.time()
                while not self._done:
                    if await self._catch_up():
                        told = loop.time()
                    elif loop.time() - told >= silence_s:
                        told = loop.time()
                        self._silences += 1
                        self._wake()
                    await self._pause(hub, changes, silence_s)
        finally:
            self._done = True
            self._wake()

    async def _pause(self, hub: Hub, changes: Subscription, silence_s: float) -> None:
        if not self._done:
            look_s = silence_s if hub.listening.is_set() else min(silence_s, _LOOK_DEAF_S)
            await changes.wait(look_s)

    async def _catch_up(self) -> bool:
        """Reads all that is there; whether there was anything."""
        grown = False
        while found := await self._read(self._topic, self._head):
            grown = True
            # In pieces that the ring has room for: between two of them everybody who keeps up takes what is there.
            piece = max(1, self._size // 2)
            for start in range(0, len(found), piece):
                self._take(found[start : start + piece])
                await asyncio.sleep(0)
            if found[-1].last:
                self._done = True
                break
        return grown

    def _take(self, events: Sequence[E]) -> None:
        self._ring.extend(events)
        self._head = events[-1].seq
        while len(self._ring) > self._size:
            self._base = self._ring.popleft().seq
        self._wake()

    def _wake(self) -> None:
        # A new event for the next wait: whoever waits for this one is woken, however many there are.
        self._grown.set()
        self._grown = asyncio.Event()
