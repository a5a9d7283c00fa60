"""All of live updates in one process: what the server holds and hands to its routes."""

from __future__ import annotations

from uuid import UUID

from stead.db import NOBODY, Database, Transaction
from stead.realtime import queries
from stead.realtime.channels import Channels
from stead.realtime.feed import MOST_SUBSCRIPTIONS, Feed
from stead.realtime.hub import Hub
from stead.realtime.keys import KeyWatch
from stead.realtime.presence import Presences

_KEEP_S = 600.0
_SWEEP_BATCH = 5000


class LiveUpdates:
    """The feed of changes, the channels, and who is in them. Costs nothing until somebody listens.

    Args:
        db: The database.
        hub: Wakes readers.
        process_id: This process.
        most_subscriptions: To changes, of one identity in this process.
    """

    def __init__(
        self, db: Database, hub: Hub, process_id: UUID, *, most_subscriptions: int = MOST_SUBSCRIPTIONS
    ) -> None:
        self.feed = Feed(db, hub, most=most_subscriptions)
        self.keys = KeyWatch(db, hub)
        self.channels = Channels(db, hub, self.feed.interest, process_id)
        self.presences = Presences(db, process_id)

    async def start(self) -> None:
        """Begins, in the background."""
        self.feed.start()
        self.keys.start()
        self.channels.start()
        self.presences.start()

    async def stop(self) -> None:
        """Ends."""
        await self.presences.stop()
        await self.channels.stop()
        await self.keys.stop()
        await self.feed.stop()


async def forget(tx: Transaction) -> None:
    """Lets go of all that the feed and the channels hold of the transaction's tenant: something was forgotten.

    It may be told of there for ten minutes otherwise. Whoever listens is told that changes may have been missed.
    """
    await queries.forget_changes(tx)


async def sweep(db: Database) -> int:
    """Deletes what is older than ten minutes, some at a time, and lets presences end whose server died.

    Returns:
        How much there was.
    """
    async with db.transaction(NOBODY) as tx:
        swept = await queries.sweep_changes(tx, _KEEP_S, _SWEEP_BATCH)
    async with db.transaction(NOBODY) as tx:
        return swept + await queries.sweep_presences(tx, _SWEEP_BATCH)
