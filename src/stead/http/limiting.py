"""Rate limits: in Redis where configured, else in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from limits import RateLimitItem, parse
from limits.storage import storage_from_string

from stead.http.errors import TooManyRequests
from stead.http.windows import Count, MovingWindows, Refusal

_log = structlog.stdlib.get_logger(__name__)

#: How long an answer of Redis is waited for, and how long it is left alone after one that did not come.
_PATIENCE_S: Final = 0.5
_PAUSE_S: Final = 1.0
# What is said of each limit to whom it holds up.
_OF: Final = {
    "identity": "requests of one identity",
    "nobody": "requests without a proof of identity from one address",
    "address": "requests from one address",
    "session": "requests for one session",
    "opening": "sessions opened from one address",
    "messages": "messages of one identity",
    "session-messages": "messages in one session",
    "address-messages": "messages from one address",
    "events": "batches of events of one identity",
    "failed-proofs": "proofs of identity that failed, from one address",
    "unknown-ids": "ids that one identity named and that are none of its own",
    "address-unknown-ids": "ids that nobody signed in named from one address and that are none of theirs",
}
# All windows in one script, by the clock of Redis, so that it is one round trip and servers' clocks do not matter.
# A window is a list of microseconds, the latest first. Returned: the window that is full for longest (0: none) and
# for how many microseconds.
_SCRIPT: Final = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local full, longest = 0, 0
for i, key in ipairs(KEYS) do
  local amount, length = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]) * 1000000
  local left = length
  if amount > 0 then
    local oldest = redis.call('LINDEX', key, amount - 1)
    left = oldest and tonumber(oldest) + length - now or 0
  end
  if left > longest then full, longest = i, left end
end
if full == 0 then
  local at = string.format('%.0f', now)
  for i, key in ipairs(KEYS) do
    if ARGV[3 * i] == '1' then
      redis.call('LPUSH', key, at)
      redis.call('LTRIM', key, 0, tonumber(ARGV[3 * i - 2]) - 1)
      redis.call('EXPIRE', key, ARGV[3 * i - 1])
    end
  end
end
return {full, longest}
"""


class Limiter:
    """Counts requests in moving windows.

    Args:
        redis_url: Where several servers count together; None: each for itself.
    """

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindows()
        self._shared: Any = None
        self._shared_from_s = 0.0
        if redis_url:
            # The storage of `limits` for what it knows of URLs; its own scripts count one window at a time.
            storage: Any = storage_from_string(f"async+{redis_url}")
            self._shared = storage.bridge.get_connection().register_script(_SCRIPT)

    async def take(self, *counts: Count) -> None:
        """Counts one request against all of these limits, or against none.

        Raises:
            TooManyRequests: That was one too many for one of them; told is the one with the longest wait.
        """
        refusal = await self._refused(counts)
        if refusal is not None:
            limit, kind = refusal.full.limit, refusal.full.kind
            raise TooManyRequests(
                f"more than {limit}: {_OF.get(kind, kind)}",
                hint="Wait for as many seconds as Retry-After says.",
                retry_after_s=max(refusal.late_s, 1.0),
                limit=kind,
                amount=limit.amount,
                window_s=limit.get_expiry(),
            )

    async def _refused(self, counts: Sequence[Count]) -> Refusal | None:
        if self._shared is not None and time.monotonic() >= self._shared_from_s:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    return await self._refused_together(counts)
            except Exception as error:  # noqa: BLE001 - the client's errors have no common base
                # Without Redis each server counts for itself: looser, but neither open nor closed to all.
                self._shared_from_s = time.monotonic() + _PAUSE_S
                _log.warning("rate_limit_store_failed", reason=type(error).__name__)
        return self._own.take(counts)

    async def _refused_together(self, counts: Sequence[Count]) -> Refusal | None:
        keys = [f"stead/{count.limit.key_for(count.kind, count.who)}" for count in counts]
        told: list[int] = []
        for count in counts:
            told += (count.limit.amount, count.limit.get_expiry(), 0 if count.looks else 1)
        full, late_us = await self._shared.execute(keys, told)
        return Refusal(counts[full - 1], late_us / 1_000_000) if full else None


def read_limit(text: str) -> RateLimitItem:
    """``120/minute`` as a limit."""
    return parse(text)
