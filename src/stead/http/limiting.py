"""Rate limits per identity and address: in Redis where configured, else in this process."""

from __future__ import annotations

import time

import structlog
from limits import RateLimitItem, parse
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter
from limits.storage import storage_from_string

from stead.http.errors import TooManyRequests
from stead.http.windows import MovingWindows

_log = structlog.stdlib.get_logger(__name__)


class Limiter:
    """Counts requests in a moving window.

    Args:
        redis_url: Where several servers count together; None: each for itself.
    """

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindows()
        self._shared: RateLimiter | None = None
        if redis_url:
            self._shared = MovingWindowRateLimiter(storage_from_string(f"async+{redis_url}"))  # pyright: ignore[reportArgumentType]

    async def hit(self, limit: RateLimitItem, kind: str, who: str) -> None:
        """Counts one request.

        Raises:
            TooManyRequests: That was one too many.
        """
        late_s = await self._over(limit, kind, who)
        if late_s is not None:
            raise TooManyRequests(f"more than {limit}", retry_after_s=max(late_s, 1.0))

    async def _over(self, limit: RateLimitItem, kind: str, who: str) -> float | None:
        if self._shared is not None:
            try:
                return await _over_shared(self._shared, limit, kind, who)
            except Exception as error:  # noqa: BLE001 - the client's errors have no common base
                # Without Redis each server counts for itself: looser, but neither open nor closed to all.
                _log.warning("rate_limit_store_failed", reason=type(error).__name__)
        return self._own.hit(limit, kind, who)


async def _over_shared(limiter: RateLimiter, limit: RateLimitItem, kind: str, who: str) -> float | None:
    if await limiter.hit(limit, kind, who):
        return None
    stats = await limiter.get_window_stats(limit, kind, who)
    return stats.reset_time - time.time()


def read_limit(text: str) -> RateLimitItem:
    """``120/minute`` as a limit."""
    return parse(text)
