"""Presence: who is in a channel, as each says of itself, across all servers.

The rows live as long as the server that holds the connection renews them: of a server that died, everybody leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database
from stead.realtime import queries
from stead.realtime.errors import MessageInvalid
from stead.realtime.messages import encode

_log = structlog.stdlib.get_logger(__name__)

LEASE_S: Final = 45.0
_RENEW_S: Final = 15.0
_MAX_META_CHARS: Final = 16 * 1024
_SWEEP_BATCH: Final = 500


@dataclass(frozen=True, kw_only=True)
class Present:
    """One connection's presence in a channel.

    Args:
        id: Its own.
        key: Whom it stands for: several connections may share one.
        meta: What it says of itself.
    """

    id: UUID
    tenant_id: UUID
    topic: str
    key: str
    meta: dict[str, Any]


class Presences:
    """The presences that this process holds."""

    def __init__(self, db: Database, process_id: UUID) -> None:
        self._db = db
        self._process_id = process_id
        self._held: dict[UUID, Present] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to renew, in the background."""
        self._task = asyncio.create_task(self._renew(), name="presences")

    async def stop(self) -> None:
        """Ends; whoever is still held leaves."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for present in tuple(self._held.values()):
            with contextlib.suppress(SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
                await self.leave(present.id)

    async def enter(self, present: Present) -> None:
        """Somebody is there, or says something else of itself.

        Raises:
            MessageInvalid: It says too much.
        """
        text = encode(present.meta)
        if len(text) > _MAX_META_CHARS or "\\u0000" in text:
            raise MessageInvalid(f"presence: at most {_MAX_META_CHARS} characters")
        self._held[present.id] = present
        await self._write(present, present.meta)

    async def leave(self, presence: UUID) -> None:
        """Somebody is there no more. Twice is no error."""
        present = self._held.pop(presence, None)
        if present is not None:
            await self._write(present, None)

    async def state(self, tenant_id: UUID, topic: str) -> dict[str, Any]:
        """All who are in a channel: ``{key: {"metas": […]}}``."""
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            return await queries.presence_state(tx, tenant_id, topic)

    async def keep(self) -> None:
        """Renews what is held, brings back what a crash of the database took, and lets the dead leave."""
        held = list(self._held.values())
        missing: list[UUID] = []
        async with self._db.transaction(NOBODY) as tx:
            if held:
                missing = await queries.keep_presences(
                    tx, [p.tenant_id for p in held], [p.id for p in held], LEASE_S
                )
        for presence in missing:
            present = self._held.get(presence)
            if present is not None:
                await self._write(present, present.meta)
        async with self._db.transaction(NOBODY) as tx:
            await queries.sweep_presences(tx, _SWEEP_BATCH)

    async def _write(self, present: Present, meta: dict[str, Any] | None) -> None:
        async with self._db.transaction(NOBODY) as tx:
            await queries.change_presence(
                tx,
                self._process_id,
                present.tenant_id,
                present.id,
                present.topic,
                present.key,
                meta,
                LEASE_S,
            )

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            if not self._held:
                continue
            try:
                await self.keep()
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                _log.warning(
                    "presences_not_kept", reason=type(error).__name__, presences=len(self._held)
                )
