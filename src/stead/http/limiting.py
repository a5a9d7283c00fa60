"""Rate limits per identity and address: in Redis where configured, else in this process."""

from __future__ import annotations

import time

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter
from limits.storage import storage_from_string

from stead.http.errors import TooManyRequests

_log = structlog.stdlib.get_logger(__name__)


class Limiter:
    """Counts requests in a moving window.

    Args:
        redis_url: Where several servers count together; None: each for itself.
    """

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared: RateLimiter | None = None
        if redis_url:
            self._shared = MovingWindowRateLimiter(storage_from_string(f"async+{redis_url}"))  # pyright: ignore[reportArgumentType]

    async def hit(self, limit: RateLimitItem, kind: str, who: str) -> None:
        """Counts one request.

        Raises:
            TooManyRequests: That was one too many.
        """
        try:
            allowed, reset_s = await self._count(self._shared or self._own, limit, kind, who)
        except Exception as error:  # noqa: BLE001 - the client's errors have no common base
            # Without Redis each server counts for itself: looser, but neither open nor closed to all.
            _log.warning("rate_limit_store_failed", reason=type(error).__name__)
            allowed, reset_s = await self._count(self._own, limit, kind, who)
        if not allowed:
            raise TooManyRequests(f"more than {limit}", retry_after_s=max(reset_s, 1.0))

    @staticmethod
    async def _count(
        limiter: RateLimiter, limit: RateLimitItem, kind: str, who: str
    ) -> tuple[bool, float]:
        if await limiter.hit(limit, kind, who):
            return True, 0.0
        stats = await limiter.get_window_stats(limit, kind, who)
        return False, stats.reset_time - time.time()


def read_limit(text: str) -> RateLimitItem:
    """``120/minute`` as a limit."""
    return parse(text)
