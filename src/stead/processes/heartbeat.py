"""One row per process that says that it lives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Literal
from uuid import UUID

import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database
from stead.processes import queries

_log = structlog.stdlib.get_logger(__name__)
ProcessKind = Literal["serve", "worker", "up"]


class Heartbeat:
    """Beats in the background. When it stops beating, others rescue the runs of this process."""

    def __init__(self, db: Database, process_id: UUID, kind: ProcessKind, every_s: float) -> None:
        self._db = db
        self._process_id = process_id
        self._kind = kind
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The first beat, and those that follow."""
        await self._beat()
        self._task = asyncio.create_task(self._keep_beating(), name="heartbeat")

    async def stop(self) -> None:
        """The last beat: this process is gone."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(SteadError, *CONNECTION_LOST):
            async with self._db.transaction(NOBODY) as tx:
                await queries.leave(tx, self._process_id)

    async def _beat(self) -> None:
        async with self._db.transaction(NOBODY) as tx:
            await queries.beat(tx, self._process_id, self._kind, socket.gethostname(), os.getpid())

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._beat()
            except (SteadError, *CONNECTION_LOST) as error:
                _log.warning("heartbeat_failed", reason=type(error).__name__)
