"""One client's changes as an event stream: what the feed tells it, with a bound on what waits."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Final

from prometheus_client import Counter

from stead.identity import Principal
from stead.realtime.feed import Feed
from stead.realtime.models import Change, Subscription, Wanted
from stead.realtime.snapshots import Position

_MAX_WAITING: Final = 1000
_MAX_WAITING_CHARS: Final = 1_000_000
_SILENCE_S: Final = 15.0

SLOW: Final = Counter(
    "stead_realtime_slow_total", "Clients that were dropped because they could not keep up."
)


class ChangeStream:
    """Encoded events, one after the other. Close it (``aclose``), begun or not.

    The first event is ``ready``, with the id to go on from; before it ``reset`` where a client came with an id
    that the feed cannot go on from. Then ``INSERT``, ``UPDATE`` and ``DELETE``; ``reset`` again where changes may
    have been missed; comments with the latest id while nothing happens.
    """

    __slots__ = (
        "_chars",
        "_closed",
        "_feed",
        "_frames",
        "_latest",
        "_lost",
        "_slow",
        "_subscription",
        "_timer",
        "_waiter",
    )

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._frames: list[bytes] = []
        self._chars = 0
        self._lost = self._slow = self._closed = False
        self._latest: Position | None = None
        self._subscription: Subscription | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls, feed: Feed, principal: Principal, wanted: Wanted, position: Position | None
    ) -> ChangeStream:
        """Subscribes, from a position on where there is one.

        Raises:
            TableNotPublished, FilterInvalid, SubscriptionInvalid, TooManySubscriptions: As `Feed.subscribe`.
        """
        stream = cls(feed)
        missed: list[Change] | None = []
        if position is None:
            stream._subscription = await feed.subscribe(principal, wanted, stream)
        else:
            # What is taken while the past is looked up comes after it.
            stream._subscription, missed = await feed.resume(principal, wanted, stream, position)
        here = feed.told(stream._subscription) or feed.position
        first = [_event("reset", {"reason": "position_unknown"})] if missed is None else []
        first.append(_event("ready", {}, (position if position and missed is not None else here).token))
        stream._frames[:0] = [*first, *(change.frame for change in missed or ())]
        stream._arm(_SILENCE_S * random.uniform(0.5, 1.0))  # noqa: S311
        return stream

    def take(self, change: Change) -> None:
        """For the feed."""
        if self._slow or self._closed:
            return
        self._frames.append(change.frame)
        self._latest = change.position
        self._chars += len(change.data)
        if len(self._frames) > _MAX_WAITING or self._chars > _MAX_WAITING_CHARS:
            self._slow = True
            self._frames.clear()
            SLOW.inc()
        self._wake()

    def lost(self) -> None:
        """For the feed."""
        self._lost = True
        self._wake()

    def __aiter__(self) -> ChangeStream:
        return self

    async def __anext__(self) -> bytes:
        """What waits; sleeps until there is something."""
        while True:
            if self._closed:
                raise StopAsyncIteration
            if self._slow:
                self._closed = True
                return _event("end", {"reason": "slow"})
            if self._frames:
                frames, self._frames, self._chars = self._frames, [], 0
                return frames[0] if len(frames) == 1 else b"".join(frames)
            if self._lost:
                self._lost = False
                return _event("reset", {"reason": "changes_missed"}, self._feed.position.token)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
            if not (self._frames or self._slow or self._lost or self._closed):
                return self._sign_of_life()

    async def aclose(self) -> None:
        """Ends the subscription."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._subscription is not None:
            self._feed.unsubscribe(self._subscription)
            self._subscription = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _arm(self, after_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(after_s, self._tick)

    def _tick(self) -> None:
        self._arm(_SILENCE_S)
        self._wake()

    def _sign_of_life(self) -> bytes:
        # An id alone makes no event, but the client goes on from it: never from before what it has.
        told = self._feed.told(self._subscription) if self._subscription else None
        if told is None or (self._latest is not None and not told.end.includes(self._latest.end)):
            return b":\n\n"
        return f"id: {told.token}\n:\n\n".encode()


def _event(name: str, data: dict[str, str], token: str | None = None) -> bytes:
    place = "" if token is None else f"id: {token}\n"
    return f"{place}event: {name}\ndata: {json.dumps(data)}\n\n".encode()
