"""Storing what ends, many in one statement, however long the database is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST

T = TypeVar("T")
_log = structlog.stdlib.get_logger(__name__)
_MOST: Final = 500
_MAX_PAUSE_S: Final = 5.0
#: What passes: two transactions in each other's way, or a server that restarts.
_PASSING: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    SteadError,
    *CONNECTION_LOST,
)


class BatchWriter(Generic[T]):
    """Takes items and stores them; while one statement is under way the next batch gathers.

    Args:
        name: What is stored, for the log: ``jobs``.
        write: Stores a batch in one transaction. Called again with the same batch after what passes.
        instead: What to store in place of an item that the database refuses; None: nothing.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[T]], Awaitable[None]],
        instead: Callable[[T, asyncpg.PostgresError], T | None],
    ) -> None:
        self._name = name
        self._write = write
        self._instead = instead
        self._waiting: list[T] = []
        self._storing: Sequence[T] = ()
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def add(self, item: T) -> None:
        """Takes one."""
        self._waiting.append(item)
        self._idle.clear()
        self._woken.set()

    def start(self) -> None:
        """Begins to store, in the background."""
        self._task = asyncio.create_task(self._run(), name=f"store-{self._name}")

    async def stop(self, timeout_s: float) -> None:
        """Stores what there is, as long as that takes no longer; what remains will be rescued."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            _log.error("batch_not_stored", of=self._name, items=self.waiting)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """How many wait to be stored."""
        return len(self._waiting) + len(self._storing)

    @property
    def items(self) -> list[T]:
        """What waits to be stored, or is being stored."""
        return [*self._storing, *self._waiting]

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                self._storing = batch
                await self._store(batch)
                self._storing = ()
            self._idle.set()

    async def _store(self, batch: Sequence[T]) -> None:
        pause_s = 0.02
        while True:
            try:
                await self._write(batch)
            except _PASSING as error:
                _log.warning(
                    "batch_store_again", of=self._name, items=len(batch), reason=type(error).__name__
                )
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
                pause_s = min(pause_s * 2, _MAX_PAUSE_S)
            except asyncpg.PostgresError as error:
                # One of them cannot be stored: the others can, one by one.
                if len(batch) > 1:
                    for item in batch:
                        await self._store([item])
                    return
                instead = self._instead(batch[0], error)
                if instead is not None:
                    await self._store([instead])
                return
            else:
                return
