"""What waits to be sent to one client, with a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stead.realtime.socket.limits import SocketLimits

Send = Callable[[str | bytes], Awaitable[None]]


class Outgoing:
    """A queue that never makes its filler wait: when it is full, the client is too slow.

    Attributes:
        overflowed: Set when too much waited.
    """

    def __init__(self, limits: SocketLimits) -> None:
        self._limits = limits
        self._frames: list[str | bytes] = []
        self._chars = 0
        self._filled = asyncio.Event()
        self.overflowed = asyncio.Event()

    def put(self, frame: str | bytes) -> None:
        """Adds a frame."""
        if self.overflowed.is_set():
            return
        self._frames.append(frame)
        self._chars += len(frame)
        if len(self._frames) > self._limits.waiting_frames or self._chars > self._limits.waiting_chars:
            self._frames.clear()
            self.overflowed.set()
        self._filled.set()

    async def drain(self, send: Send) -> None:
        """Sends what comes, until it is cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            await self.flush(send)

    async def flush(self, send: Send) -> None:
        """Sends what waits now."""
        while self._frames:
            frames, self._frames, self._chars = self._frames, [], 0
            for frame in frames:
                await send(frame)
