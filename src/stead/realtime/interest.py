"""Leases: what this process listens to, told to the database so that it is written down, and only while it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database
from stead.realtime import queries
from stead.realtime.snapshots import Position, Snapshot

_log = structlog.stdlib.get_logger(__name__)

Key = tuple[UUID, str]
#: Stands for all channels of a tenant where a table's name would stand.
CHANNELS: Final = "#channels"
#: A lease outlives the restart of a server by far, so that whoever comes back finds what he missed.
LEASE_S: Final = 120.0
RENEW_S: Final = 20.0
#: How long a new lease waits for transactions that began without it. Longer ones are not waited for.
_SETTLE_S: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A lease as the database last told of it.

    Args:
        since: The transaction since which it has run without a break.
        swept: Up to which transaction rows of the feed may have been swept.
        seen: What was visible then; rows written without the lease are among it.
    """

    since: int
    swept: int
    seen: Snapshot

    def holds(self, position: Position) -> bool:
        """Whether the feed still has all that came after a position."""
        return (
            position.seen.sees(self.since)
            and self.swept < position.seen.xmin
            and position.end.xmax <= self.seen.xmax
        )


class Interest:
    """The leases of this process, counted by its subscribers and renewed in the background."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._counts: dict[Key, int] = {}
        self._leases: dict[Key, Lease] = {}
        self._coming: dict[Key, asyncio.Task[Lease]] = {}

    async def take(self, key: Key) -> Lease:
        """Counts one subscriber more, and returns the lease, which runs by then."""
        self._counts[key] = self._counts.get(key, 0) + 1
        try:
            known = self._leases.get(key)
            if known is not None:
                return known
            coming = self._coming.get(key)
            if coming is None:
                coming = self._coming[key] = asyncio.create_task(self._begin(key), name="lease")
                coming.add_done_callback(lambda _: self._coming.pop(key, None))
            # Shielded: others wait for the same one.
            return await asyncio.shield(coming)
        except BaseException:
            self.drop(key)
            raise

    def drop(self, key: Key) -> None:
        """Counts one less. What nobody counts any more runs out by itself."""
        left = self._counts.get(key, 0) - 1
        if left > 0:
            self._counts[key] = left
        else:
            self._counts.pop(key, None)
            self._leases.pop(key, None)

    async def fresh(self, key: Key) -> Lease:
        """The lease as it stands now, for whoever wants to go on from an older position."""
        return (await self._keep([key]))[key]

    async def renew(self) -> list[Key]:
        """Renews all, and returns those that had run out."""
        before = dict(self._leases)
        if not before:
            return []
        try:
            now = await self._keep(before)
        except (SteadError, *CONNECTION_LOST) as error:
            _log.warning("lease_not_renewed", reason=type(error).__name__, leases=len(before))
            return []
        return [key for key, lease in now.items() if lease.since != before[key].since]

    async def _begin(self, key: Key) -> Lease:
        lease = (await self._keep([key]))[key]
        loop = asyncio.get_running_loop()
        deadline, pause_s = loop.time() + _SETTLE_S, 0.005
        while loop.time() < deadline:
            async with self._db.transaction(NOBODY, read_only=True) as tx:
                if await queries.settled(tx, lease.since):
                    break
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.2)
        return lease

    async def _keep(self, keys: Iterable[Key]) -> dict[Key, Lease]:
        wanted = list(keys)
        async with self._db.transaction(NOBODY) as tx:
            rows = await queries.keep_interest(
                tx, [t for t, _ in wanted], [n for _, n in wanted], LEASE_S
            )
        found = {
            (row["tenant_id"], row["table_name"]): Lease(
                since=int(row["since"]), swept=int(row["swept"]), seen=Snapshot.parse(row["seen"])
            )
            for row in rows
        }
        if not all(lease.seen.sees(lease.since) for lease in found.values()):
            # A transaction does not see itself as ended: whoever begins here must begin after the lease.
            async with self._db.transaction(NOBODY, read_only=True) as tx:
                seen = Snapshot.parse(await queries.snapshot(tx))
            found = {key: replace(lease, seen=seen) for key, lease in found.items()}
        self._leases |= {key: lease for key, lease in found.items() if key in self._counts}
        return found
