"""One small stream that says that something changed: what it was, the page asks for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Response

from stead.console.dependencies import Viewer
from stead.console.routing import PageRoute
from stead.http.dependencies import parts_of
from stead.http.sse import EventStream, Item, ServerSentEvent
from stead.identity import Principal
from stead.realtime import LiveUpdates, Wanted
from stead.realtime.models import Change, Subscription

router = APIRouter(prefix="/console", route_class=PageRoute)
_TABLES: Final = ("outbox", "approvals", "guardrails")
_SILENCE_S: Final = 15.0
#: A page that shows the end of a burst needs not show its middle.
_PAUSE_S: Final = 2.0


class Stir:
    """Says that something changed, once for whatever changes within two seconds. Close it (``aclose``)."""

    def __init__(self, live: LiveUpdates) -> None:
        self._feed = live.feed
        self._changed = asyncio.Event()
        self._subscriptions: list[Subscription] = []
        self._earliest = 0.0

    @classmethod
    async def open(cls, live: LiveUpdates, principal: Principal, tables: Sequence[str]) -> Stir:
        """Follows tables, as far as the principal may see them.

        Raises:
            TableNotPublished, TooManySubscriptions: As `Feed.subscribe`.
        """
        stir = cls(live)
        try:
            for table in tables:
                wanted = Wanted(table=table)
                stir._subscriptions.append(await live.feed.subscribe(principal, wanted, stir))
        except BaseException:
            await stir.aclose()
            raise
        # What changed between the page and this is seen by looking once more.
        stir._changed.set()
        return stir

    def take(self, change: Change) -> None:
        """For the feed."""
        _ = change
        self._changed.set()

    def lost(self) -> None:
        """For the feed."""
        self._changed.set()

    def __aiter__(self) -> Stir:
        return self

    async def __anext__(self) -> Item:
        """Something changed; None: nothing did for a while."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_SILENCE_S):
                await self._changed.wait()
        except TimeoutError:
            return None
        await asyncio.sleep(max(0.0, self._earliest - loop.time()))
        self._changed.clear()
        self._earliest = loop.time() + _PAUSE_S
        return ServerSentEvent(event="changed", data={})

    async def aclose(self) -> None:
        """Ends it."""
        for subscription in self._subscriptions:
            self._feed.unsubscribe(subscription)
        self._subscriptions.clear()


@router.get("/changes")
async def changes(operator: Viewer) -> Response:
    """For the script of the pages."""
    live = parts_of(operator.request).live
    stir = await Stir.open(live, operator.principal, _TABLES)
    return EventStream(
        stir, expires_at=operator.session.expires_at, hold=live.keys.of(operator.principal)
    )
