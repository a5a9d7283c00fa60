"""Whoever came with an API key is followed no longer than the key is good."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

import asyncpg
import structlog

from stead import identity
from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database, Transaction
from stead.identity import Principal
from stead.realtime.hub import Hub
from stead.realtime.notify import notify

_log = structlog.stdlib.get_logger(__name__)

_TOPIC: Final = "api-keys"
_LOOK_S: Final = 5.0

End: TypeAlias = Callable[[], None]
#: Called with what ends something that goes on; returns what to call when it has ended otherwise.
Hold: TypeAlias = Callable[[End], Callable[[], None]]


async def tell_revoked(tx: Transaction) -> None:
    """Lets every process look, when the transaction commits, whether the keys of its streams are good still."""
    await notify(tx, [_TOPIC])


class KeyWatch:
    """Looks whether the keys that streams of this process were opened with are still good.

    At once when it is told that one was revoked; by itself every few seconds, since a key may expire or be
    deleted, or the telling be lost. While no stream was opened with a key it asks nothing.

    Args:
        db: Where keys are.
        hub: Says that one was revoked.
    """

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._held: dict[str, dict[object, End]] = {}
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, in the background."""
        self._task = asyncio.create_task(self._run(), name="key-watch")

    async def stop(self) -> None:
        """Ends."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def of(self, principal: Principal) -> Hold | None:
        """What a stream of this principal hangs on; None where it was opened with no key."""
        return None if principal.api_key is None else partial(self._hold, principal.api_key)

    def _hold(self, key_id: str, end: End) -> Callable[[], None]:
        mark = object()
        self._held.setdefault(key_id, {})[mark] = end
        self._wanted.set()
        return partial(self._release, key_id, mark)

    def _release(self, key_id: str, mark: object) -> None:
        held = self._held.get(key_id, {})
        held.pop(mark, None)
        if not held:
            self._held.pop(key_id, None)
        if not self._held:
            self._wanted.clear()

    async def _run(self) -> None:
        with self._hub.subscribe(_TOPIC) as told:
            while True:
                await self._wanted.wait()
                try:
                    await self._look()
                except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                    _log.warning("key_watch_failed", reason=type(error).__name__)
                await told.wait(_LOOK_S)

    async def _look(self) -> None:
        asked = list(self._held)
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            good = await identity.keys.still_good(tx, asked)
        for key_id in asked:
            if key_id not in good:
                for end in tuple(self._held.get(key_id, {}).values()):
                    end()
