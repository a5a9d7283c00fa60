"""All of live updates in one process: what the server holds and hands to its routes."""

from __future__ import annotations

from uuid import UUID

from stead.db import Database
from stead.realtime.feed import Feed
from stead.realtime.hub import Hub


class LiveUpdates:
    """The feed of changes, and the channels.

    Args:
        db: The database.
        hub: Wakes readers.
        process_id: This process.
    """

    def __init__(self, db: Database, hub: Hub, process_id: UUID) -> None:
        self.process_id = process_id
        self.feed = Feed(db, hub)

    async def start(self) -> None:
        """Begins, in the background. Costs nothing until somebody listens."""
        self.feed.start()

    async def stop(self) -> None:
        """Ends."""
        await self.feed.stop()
