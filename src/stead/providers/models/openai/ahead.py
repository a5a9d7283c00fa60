"""Reading ahead of whoever decodes, so that all that has arrived is seen at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from stead.providers.models.openai.pace import Pace

#: Beyond so much the network has to wait.
LIMIT_BYTES: Final = 1 << 18


class ReadAhead:
    """Reads a source in a task of its own and hands out what there is, in one piece.

    Args:
        source: Chunks of bytes. Read to its end or cancelled; never read by two at a time.
        pace: Is told by how much chunks are taken later than they came.
    """

    def __init__(self, source: AsyncIterator[bytes], pace: Pace) -> None:
        self._pace = pace
        self._came_s = 0.0
        self._chunks: list[bytes] = []
        self._size = 0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._task = asyncio.create_task(self._read(source), name="read-ahead")

    async def take(self) -> bytes:
        """All that has arrived, waiting for the first of it; empty at the end.

        Raises:
            Exception: What the source raised, after all that came before it was taken.
        """
        if not self._arrived.is_set():
            await self._arrived.wait()
            self._pace.note(asyncio.get_running_loop().time() - self._came_s)
        self._arrived.clear()
        self._taken.set()
        if not self._chunks:
            # Only the end says that something came when nothing did. It does so again.
            self._arrived.set()
            await self._task
            return b""
        arrived = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._task.done():
            self._arrived.set()
        return arrived

    async def finish(self, within_s: float) -> None:
        """Lets the source come to its end, but not for long."""
        await asyncio.wait([self._task], timeout=within_s)
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the reading."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            # Whoever closes wants to know no more; unread, it would be complained of.
            self._task.exception()

    async def _read(self, source: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in source:
                if chunk:
                    if not self._chunks:
                        self._came_s = asyncio.get_running_loop().time()
                    self._chunks.append(chunk)
                    self._size += len(chunk)
                    self._arrived.set()
                while self._size > LIMIT_BYTES:
                    self._taken.clear()
                    await self._taken.wait()
        finally:
            self._came_s = asyncio.get_running_loop().time()
            self._arrived.set()
