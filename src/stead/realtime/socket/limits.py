"""What one socket may cost."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SocketLimits:
    """Limits of one connection.

    Args:
        channels: Joined at once.
        bindings: Subscriptions to changes in one channel.
        messages_per_s: Taken in, on average over some seconds.
        waiting_frames: Kept for a client that does not read, before it is dropped.
        waiting_chars: The same by size.
        idle_s: Without any message (clients send a heartbeat every 25 s) it is closed.
        unjoined_s: Without any channel that was joined it is closed.
        recheck_s: How often credentials without an end are proven again: a key may have been revoked.
    """

    channels: int = 100
    bindings: int = 100
    messages_per_s: float = 100.0
    waiting_frames: int = 1000
    waiting_chars: int = 2_000_000
    idle_s: float = 75.0
    unjoined_s: float = 300.0
    recheck_s: float = 60.0


class Bucket:
    """Counts messages: so many a second on average, twice as many at once."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = per_s * 2
        self._at = time.monotonic()

    def take(self) -> bool:
        """Whether one more is in order."""
        now = time.monotonic()
        self._left = min(self._per_s * 2, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
