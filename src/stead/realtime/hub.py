"""One LISTEN connection for a whole process, and the subscribers that it wakes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import structlog

from stead.db import CONNECTION_LOST
from stead.realtime.notify import CHANNEL

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

_log = structlog.stdlib.get_logger(__name__)
_PING_S: Final = 20.0
_MAX_PAUSE_S: Final = 5.0


class Subscription:
    """Waits for a topic. Use as a context manager; wake-ups between two waits are not lost."""

    def __init__(self, hub: Hub, topic: str) -> None:
        self._hub = hub
        self._topic = topic
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Ends the present wait, or the next one."""
        self._event.set()

    async def wait(self, timeout_s: float) -> bool:
        """Waits until the topic is notified or, with jitter, about ``timeout_s`` have passed.

        Returns:
            Whether it was notified. Look at the database in either case.
        """
        try:
            # No `wait_for`: until Python 3.12 it swallows a cancellation that comes together with the event.
            async with asyncio.timeout(timeout_s * random.uniform(0.8, 1.2)):  # noqa: S311
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True

    def __enter__(self) -> Subscription:
        self._hub.add(self._topic, self)
        return self

    def __exit__(self, *_: object) -> None:
        self._hub.remove(self._topic, self)


class Hub:
    """Listens on a connection of its own and wakes subscribers, after a reconnect all of them.

    Args:
        url: A direct URL: LISTEN does not work through a pooler in transaction mode. None: nothing is
            heard, and subscribers find out by looking again.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._subscribers: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    def subscribe(self, topic: str) -> Subscription:
        """A subscription to one topic."""
        return Subscription(self, topic)

    def add(self, topic: str, subscription: Subscription) -> None:
        """For Subscription."""
        self._subscribers[topic].add(subscription)

    def remove(self, topic: str, subscription: Subscription) -> None:
        """For Subscription."""
        self._subscribers[topic].discard(subscription)
        if not self._subscribers[topic]:
            del self._subscribers[topic]

    def wake(self, topic: str) -> None:
        """Wakes the subscribers of a topic in this process."""
        for subscription in tuple(self._subscribers.get(topic, ())):
            subscription.wake()

    async def start(self) -> None:
        """Begins to listen, in the background."""
        if self._url is not None:
            self._task = asyncio.create_task(self._listen(self._url), name="hub")

    async def stop(self) -> None:
        """Ends listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self, url: str) -> None:
        pause_s = 0.05
        while True:
            try:
                connection = await asyncpg.connect(url, timeout=10)
                lost = asyncio.Event()
                try:
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    await connection.add_listener(CHANNEL, self._heard)
                    # What was notified before is past: everybody looks for himself.
                    self._wake_all()
                    self.listening.set()
                    pause_s = 0.05
                    while True:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(_PING_S):
                                await lost.wait()
                        await connection.execute("select 1", timeout=10)
                finally:
                    self.listening.clear()
                    connection.terminate()
            except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
                _log.warning("hub_reconnecting", reason=type(error).__name__)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
                pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    def _heard(self, connection: object, pid: int, channel: str, payload: object) -> None:
        del connection, pid, channel
        try:
            topics: Any = json.loads(str(payload))
        except ValueError:
            return
        if isinstance(topics, list):
            for topic in topics:  # pyright: ignore[reportUnknownVariableType]
                self.wake(str(topic))  # pyright: ignore[reportUnknownArgumentType]

    def _wake_all(self) -> None:
        for topic in tuple(self._subscribers):
            self.wake(topic)
