"""Channels: who is in them here, and what is said in them anywhere.

A channel is a name within a tenant: the same name in two tenants never meets. What a client says is told here at
once and written down for the other servers, together with whatever else is said within some milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database, Row, Transaction
from stead.identity import Principal
from stead.realtime import queries
from stead.realtime.errors import ChannelForbidden
from stead.realtime.hub import Hub
from stead.realtime.interest import CHANNELS, Interest
from stead.realtime.messages import Message

_log = structlog.stdlib.get_logger(__name__)

TOPIC: Final = "broadcasts"
_LOOK_S: Final = 1.0
_PAGE: Final = 200
_FLUSH_S: Final = 0.01
_MAX_UNSENT: Final = 5000
#: Only Stead itself speaks in these; they are named for the tenant that they belong to.
SERVER_CHANNELS: Final = ("outbox", "approvals", "guardrails", "jobs")


class Member(Protocol):
    """Whoever is in a channel."""

    def hear(self, message: Message) -> None:
        """Something was said. Never waits."""
        ...


def may_join(principal: Principal, topic: str) -> None:
    """Raises ChannelForbidden for channels that are another tenant's, or for people only."""
    name, separator, tenant = topic.partition(":")
    if not separator or name not in SERVER_CHANNELS:
        return
    if principal.kind == "anonymous" or tenant.lower() != str(principal.tenant.id):
        raise ChannelForbidden(f"{name}: is followed by people of that organisation only")


def may_speak(principal: Principal, topic: str) -> None:
    """Raises ChannelForbidden where only Stead itself speaks, and for visitors."""
    name, separator, _ = topic.partition(":")
    if separator and name in SERVER_CHANNELS:
        raise ChannelForbidden(f"{name}: only the server speaks in this channel")
    if principal.kind == "anonymous":
        raise ChannelForbidden("visitors follow changes, and do not speak in channels")


async def broadcast(tx: Transaction, principal: Principal, topic: str, event: str, payload: Any) -> None:
    """Tells everybody in a channel of the principal's tenant something, when the transaction commits.

    Costs one look at an index where nobody of the tenant is in any channel.

    Args:
        tx: The principal's, as the server.
        topic: Such as ``outbox:<tenant id>``.
        event: What clients listen for.
        payload: JSON.

    Raises:
        MessageInvalid: Too large, or nameless.
    """
    Message(principal.tenant.id, topic, "broadcast", event, payload).check()
    await queries.broadcast(tx, topic, event, payload)


class Channels:
    """The channels of this process.

    Args:
        process_id: Tells apart what was told here already.
    """

    def __init__(self, db: Database, hub: Hub, interest: Interest, process_id: UUID) -> None:
        self._db = db
        self._hub = hub
        self._interest = interest
        self._process_id = process_id
        self._members: dict[tuple[UUID, str], set[Member]] = {}
        self._seen: str | None = None
        self._wanted = asyncio.Event()
        self._unsent: list[Message] = []
        self._written: asyncio.Future[None] | None = None
        self._filled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def members(self, tenant_id: UUID, topic: str) -> int:
        """How many are in a channel here."""
        return len(self._members.get((tenant_id, topic), ()))

    def start(self) -> None:
        """Begins, in the background."""
        self._tasks = [
            asyncio.create_task(self._read(), name="channels"),
            asyncio.create_task(self._write(), name="broadcasts"),
        ]

    async def stop(self) -> None:
        """Ends."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def join(self, tenant_id: UUID, topic: str, member: Member) -> None:
        """From now on the member hears what is said in a channel."""
        await self._interest.take((tenant_id, CHANNELS))
        try:
            if not self._members:
                async with self._db.transaction(NOBODY, read_only=True) as tx:
                    seen = await queries.snapshot(tx)
                # Others may have come meanwhile, and the reader with them.
                if not self._members:
                    self._seen = seen
        except BaseException:
            self._interest.drop((tenant_id, CHANNELS))
            raise
        self._members.setdefault((tenant_id, topic), set()).add(member)
        self._wanted.set()

    def leave(self, tenant_id: UUID, topic: str, member: Member) -> None:
        """The member hears nothing any more. Twice is no error."""
        members = self._members.get((tenant_id, topic))
        if members is None or member not in members:
            return
        members.discard(member)
        if not members:
            del self._members[tenant_id, topic]
        self._interest.drop((tenant_id, CHANNELS))
        if not self._members:
            self._wanted.clear()

    async def say(self, message: Message, sender: Member, *, to_sender: bool, wait: bool) -> bool:
        """A member says something to all others, wherever they are.

        Args:
            to_sender: Whether the sender hears it too.
            wait: Until it is written down for the other servers.

        Returns:
            Whether it was taken: not while far too much is waiting to be written.
        """
        if len(self._unsent) >= _MAX_UNSENT:
            return False
        self._tell(message, None if to_sender else sender)
        self._unsent.append(message)
        self._filled.set()
        if wait:
            if self._written is None:
                self._written = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._written)
        return True

    def _tell(self, message: Message, but: Member | None = None) -> None:
        for member in tuple(self._members.get((message.tenant_id, message.topic), ())):
            if member is not but:
                member.hear(message)

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            # What comes within a moment goes along.
            await asyncio.sleep(_FLUSH_S)
            self._filled.clear()
            batch, self._unsent = self._unsent, []
            written, self._written = self._written, None
            try:
                async with self._db.transaction(NOBODY) as tx:
                    await queries.send_broadcasts(
                        tx,
                        self._process_id,
                        [m.tenant_id for m in batch],
                        [m.topic for m in batch],
                        [m.kind for m in batch],
                        [m.event for m in batch],
                        [m.payload for m in batch],
                    )
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                # Who is elsewhere misses it, as he would if he came a moment later.
                _log.warning("broadcasts_lost", reason=type(error).__name__, messages=len(batch))
            if written is not None and not written.done():
                written.set_result(None)

    async def _read(self) -> None:
        with self._hub.subscribe(TOPIC) as changes:
            while True:
                await self._wanted.wait()
                try:
                    await self._read_batch()
                except Exception as error:  # noqa: BLE001 - the loop's outermost edge: all channels hang on it
                    _log.warning("broadcasts_not_read", reason=type(error).__name__)
                await changes.wait(_LOOK_S)

    async def _read_batch(self) -> None:
        seen, upto, after = self._seen, None, 0
        assert seen is not None  # noqa: S101 - set with the first member
        while True:
            rows: list[Row]
            async with self._db.transaction(NOBODY, read_only=True) as tx:
                rows = await queries.read_broadcasts(tx, seen, upto, after, _PAGE, self._process_id)
            upto = rows[0]["snapshot"]
            found = [row for row in rows if row["id"] is not None]
            for row in found:
                self._tell(
                    Message(row["tenant_id"], row["topic"], row["kind"], row["event"], row["payload"])
                )
            if len(found) < _PAGE:
                break
            after = found[-1]["id"]
        self._seen = upto
