"""How often streams are looked at, by how busy this process is."""

from __future__ import annotations

import asyncio
from typing import Final

_MOST_S: Final = 0.05
#: In less time no model says more than one thing.
_LEAST_S: Final = 0.01
#: How much longer a rest is than the loop is late.
_FACTOR: Final = 5
_WEIGHT: Final = 0.1


class Pace:
    """Lets a stream rest between two of its deltas while the event loop is late, so that more of them go together.

    The loop's lateness is what everything waits for, a first token too: it grows with the number of things to do,
    and a delta that waits for the next one saves most of what it costs. A loop that keeps up is never late,
    and nothing rests. A rest is never long.
    """

    def __init__(self) -> None:
        self._late_s = 0.0

    @property
    def rest_s(self) -> float:
        """How long a stream rests now."""
        rest_s = min(self._late_s * _FACTOR, _MOST_S)
        return rest_s if rest_s >= _LEAST_S else 0.0

    def note(self, late_s: float) -> None:
        """Takes in by how much something came too late."""
        self._late_s += (late_s - self._late_s) * _WEIGHT

    async def rest(self) -> None:
        """Waits, where that is worth while."""
        rest_s = self.rest_s
        if rest_s:
            loop = asyncio.get_running_loop()
            due_s = loop.time() + rest_s
            await asyncio.sleep(rest_s)
            self.note(max(loop.time() - due_s, 0.0))
