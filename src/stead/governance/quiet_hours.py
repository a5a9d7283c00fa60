"""Quiet hours, by the clock on the wall of a time zone, also in the nights in which it is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from stead.governance.models import Risk

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
#: More steps than exceptions that a policy may have, and the nights between them.
_MOST_STEPS: Final = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """When agents leave the world alone.

    A night begins when the clock shows `start` for the first time and ends when it shows `end` for the last time;
    a time that the clock skips is the moment of the skip. So a change of the clock makes no hole in a night.

    Args:
        start: Local time at which a night begins; None: there are exceptions only.
        end: Local time at which it ends, on the same day or on the next one; equal to `start`: a whole day later.
        days: On which days of the week nights begin; 0 is Monday.
        applies_to: Which tiers they hold for.
        always: Local days that are quiet from midnight to midnight, first and last.
        never: Local days that are not quiet; `always` is stronger.
    """

    start: time | None
    end: time | None
    days: frozenset[int]
    applies_to: frozenset[Risk]
    always: tuple[tuple[date, date], ...] = ()
    never: tuple[tuple[date, date], ...] = ()


@lru_cache(maxsize=4096)
def quiet_until(quiet: QuietHours, time_zone: str, now: datetime) -> datetime | None:
    """When it is quiet no more; None: it is not quiet.

    Args:
        quiet: The hours.
        time_zone: IANA name.
        now: The moment, with a time zone.

    Returns:
        The first moment (UTC) after `now` that is not quiet.
    """
    zone = ZoneInfo(time_zone)
    at = now.astimezone(UTC)
    for _ in range(_MOST_STEPS):
        following = _end_of_stretch(quiet, zone, at)
        if following is None:
            break
        at = following
    return None if at == now else at


def _end_of_stretch(quiet: QuietHours, zone: ZoneInfo, at: datetime) -> datetime | None:
    """The end of a night or quiet day that `at` is in; None: it is in none."""
    today = at.astimezone(zone).date()
    if _within(today, quiet.always):
        return _after(at, last_moment(zone, today + _DAY, time()))
    if _within(today, quiet.never) or quiet.start is None or quiet.end is None:
        return None
    ends: list[datetime] = []
    for day in (today - 2 * _DAY, today - _DAY, today, today + _DAY):
        if day.weekday() not in quiet.days:
            continue
        end_day = day if quiet.end > quiet.start else day + _DAY
        begins, ends_at = first_moment(zone, day, quiet.start), last_moment(zone, end_day, quiet.end)
        if begins <= at < ends_at:
            ends.append(ends_at)
    if not ends:
        return None
    # A day that is never quiet cuts a night short.
    tomorrow = today + _DAY
    if _within(tomorrow, quiet.never) and not _within(tomorrow, quiet.always):
        return _after(at, min(max(ends), last_moment(zone, tomorrow, time())))
    return _after(at, max(ends))


def _after(at: datetime, end: datetime) -> datetime:
    # Midnights that come twice: whatever the zone's rules, time goes on.
    return end if end > at else at + _MINUTE


def _within(day: date, ranges: tuple[tuple[date, date], ...]) -> bool:
    return any(first <= day <= last for first, last in ranges)


def first_moment(zone: ZoneInfo, day: date, at: time) -> datetime:
    """When a clock on the wall first shows a time, or skips it (UTC)."""
    return _moment(zone, day, at, fold=0)


def last_moment(zone: ZoneInfo, day: date, at: time) -> datetime:
    """When a clock on the wall shows a time for the last time, or skips it (UTC)."""
    return _moment(zone, day, at, fold=1)


def _moment(zone: ZoneInfo, day: date, at: time, *, fold: int) -> datetime:
    wall = datetime.combine(day, at)
    earlier, later = (wall.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1))
    if earlier <= later:  # shown once, or twice
        return (earlier, later)[fold]
    # Skipped: by the offset before the change it would come after it, and the reverse.
    low, high = later, earlier
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
