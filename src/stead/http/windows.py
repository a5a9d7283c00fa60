"""Requests counted in a moving window, in this process."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from limits import RateLimitItem


class MovingWindows:
    """Takes as many requests of a caller as a limit allows in any stretch of its length.

    A request costs no more for there being many callers: the storage of `limits` looks through all of them
    again and again, each in a thread. Who has not come for as long as the window is forgotten.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Whoever came last stands last, so that those to be forgotten stand first.
        self._callers: dict[RateLimitItem, OrderedDict[tuple[str, str], deque[float]]] = {}

    def hit(self, limit: RateLimitItem, kind: str, who: str) -> float | None:
        """Counts a request.

        Returns:
            None when it is within the limit; else the seconds until one will be.
        """
        now_s = self._clock()
        gone_s = now_s - limit.get_expiry()
        callers = self._callers.setdefault(limit, OrderedDict())
        _forget(callers, gone_s)
        came = callers.setdefault((kind, who), deque())
        while came and came[0] <= gone_s:
            came.popleft()
        if len(came) >= limit.amount:
            return came[0] - gone_s
        came.append(now_s)
        callers.move_to_end((kind, who))
        return None

    def __len__(self) -> int:
        """How many callers are remembered."""
        return sum(map(len, self._callers.values()))


def _forget(callers: OrderedDict[tuple[str, str], deque[float]], gone_s: float) -> None:
    # A caller who was refused keeps the place of the last request that was taken, which is what counts.
    while callers:
        first = next(iter(callers))
        if callers[first] and callers[first][-1] > gone_s:
            return
        del callers[first]
