"""Room for more work in a process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

_GATHER_S: Final = 0.02


class Room:
    """The places of a worker.

    Args:
        places: How many there are.
        taken: How many are in use.
    """

    def __init__(self, places: int, taken: Callable[[], int]) -> None:
        self._places = places
        self._taken = taken
        self._freed = asyncio.Event()

    @property
    def free(self) -> int:
        """How many places are free."""
        return self._places - self._taken()

    def freed(self) -> None:
        """A place may have become free."""
        self._freed.set()

    async def wait(self) -> None:
        """Waits until there is room. When one place is free, more soon are: it is claimed for them together."""
        await self._until(1)
        few = max(1, self._places // 4)
        if self.free < few:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GATHER_S):
                    await self._until(few)

    async def _until(self, places: int) -> None:
        while self.free < places:
            self._freed.clear()
            await self._freed.wait()
