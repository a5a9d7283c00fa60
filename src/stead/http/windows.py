"""Requests counted in moving windows, in this process."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from limits import RateLimitItem

#: Callers remembered for each limit: some 20 MB.
MOST_CALLERS: Final = 50_000


class Count(NamedTuple):
    """One of the limits that a request counts against. A tuple, as each request makes some.

    Args:
        limit: So many in so long.
        kind: What is counted, such as ``session``.
        who: Whose window it is.
        looks: Whether it is only asked for room, and takes none.
    """

    limit: RateLimitItem
    kind: str
    who: str
    looks: bool = False


class Refusal(NamedTuple):
    """The limit that holds a request up for longest, and the seconds until it has room."""

    full: Count
    late_s: float


class MovingWindows:
    """Takes as many requests of a caller as a limit allows in any stretch of its length.

    A request costs no more for there being many callers: the storage of `limits` looks through all of them
    again and again, each in a thread. Who has not come for as long as the window is forgotten; and where there are
    more callers than are remembered, who has not come for longest. To have it forgotten what they did, a caller
    needs as many requests of others.

    Args:
        clock: Seconds that never go back.
        most: Callers remembered for each limit.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most: int = MOST_CALLERS) -> None:
        self._clock = clock
        self._most = most
        # Whoever came last stands last, so that those to be forgotten stand first. A list and no deque, which has
        # half a kilobyte for the one request that most callers make.
        self._callers: dict[RateLimitItem, OrderedDict[tuple[str, str], list[float]]] = {}

    def take(self, counts: Sequence[Count]) -> Refusal | None:
        """Counts a request against all of these limits; against none where one of them has no room.

        Returns:
            None when it is within all; else the one that has none for longest.
        """
        now_s = self._clock()
        refusal: Refusal | None = None
        for count in counts:
            late_s = self._late_s(count, now_s)
            if late_s is not None and (refusal is None or late_s > refusal.late_s):
                refusal = Refusal(count, late_s)
        if refusal is None:
            for count in counts:
                if not count.looks:
                    self._note(count, now_s)
        return refusal

    def hit(self, limit: RateLimitItem, kind: str, who: str) -> float | None:
        """Counts a request against one limit.

        Returns:
            None when it is within the limit; else the seconds until one will be.
        """
        refusal = self.take((Count(limit, kind, who),))
        return None if refusal is None else refusal.late_s

    def _late_s(self, count: Count, now_s: float) -> float | None:
        limit = count.limit
        gone_s = now_s - limit.get_expiry()
        callers = self._callers.get(limit)
        if callers is None:
            callers = self._callers[limit] = OrderedDict()
        _forget(callers, gone_s)
        came = callers.get((count.kind, count.who))
        if came is not None and came[0] <= gone_s:
            del came[: bisect_right(came, gone_s)]
        if limit.amount > (len(came) if came else 0):
            return None
        return came[0] - gone_s if came else float(limit.get_expiry())

    def _note(self, count: Count, now_s: float) -> None:
        callers, key = self._callers[count.limit], (count.kind, count.who)
        came = callers.get(key)
        if came is None:
            if len(callers) >= self._most:
                callers.popitem(last=False)
            callers[key] = [now_s]
            return
        came.append(now_s)
        callers.move_to_end(key)

    def __len__(self) -> int:
        """How many callers are remembered."""
        return sum(map(len, self._callers.values()))


def _forget(callers: OrderedDict[tuple[str, str], list[float]], gone_s: float) -> None:
    # A caller who was refused keeps the place of the last request that was taken, which is what counts.
    while callers:
        first = next(iter(callers))
        if callers[first][-1] > gone_s:
            return
        del callers[first]
