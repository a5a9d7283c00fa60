"""Time as a value that is handed in, so that tests move it instead of sleeping.

Only tokens, signatures and durations use this clock. Whatever is compared with a stored timestamp
uses the database's clock on both sides.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of wall-clock time and of elapsed time."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only ever grow, for measuring durations."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


@dataclass
class ManualClock:
    """A clock that stands still until it is moved; for tests."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    elapsed_s: float = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.elapsed_s

    def advance(self, seconds: float) -> None:
        """Moves both wall-clock and elapsed time forward."""
        self.at += timedelta(seconds=seconds)
        self.elapsed_s += seconds


system_clock: Clock = SystemClock()
