"""Cron expressions on the clock of a time zone, also in the nights in which it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError, CroniterError, croniter

from stead.scheduling.errors import ScheduleInvalid

_MAX_CHARS: Final = 200
_FIELDS: Final = 5
_HOUR: Final = 1
#: Clocks are changed less often than this.
_STEP: Final = timedelta(hours=6)
_LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cron:
    """The ticks of an expression.

    One that names hours fires each of its times once: a time that the clock skips fires as long after the time
    before as if the clock had not been changed, one that comes twice fires the first time. One that goes through
    all hours (``*/15 * * * *``) follows the clock: it skips what the clock skips and repeats what it repeats, and
    so goes on at its pace.

    Args:
        expression: Minute, hour, day of the month, month, day of the week; or ``@daily`` and the like.
        time_zone: IANA name.

    Raises:
        ScheduleInvalid: There is no such expression, it never comes true, or there is no such zone.
    """

    expression: str
    time_zone: str = "UTC"
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _all_hours: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", _zone(self.time_zone))
        object.__setattr__(self, "_all_hours", _fields(self.expression)[_HOUR] == ["*"])

    def following(self, after: datetime) -> datetime | None:
        """The first tick after a moment; None: there is none any more.

        Args:
            after: With a time zone.
        """
        after = after.astimezone(UTC)
        if after >= _LAST:
            return None
        try:
            return self._by_the_clock(after) if self._all_hours else self._once_each(after)
        except (CroniterBadDateError, OverflowError):
            return None

    def between(self, first: datetime, until: datetime, most: int) -> tuple[list[datetime], bool]:
        """Ticks from one on, up to and with a moment, in order.

        Args:
            first: A tick.
            until: The moment.
            most: How many at most: the earliest.

        Returns:
            The ticks, and whether those are all.
        """
        found: list[datetime] = []
        tick: datetime | None = first
        while tick is not None and tick <= until:
            if len(found) == most:
                return found, False
            found.append(tick)
            tick = self.following(tick)
        return found, True

    def latest(self, until: datetime, most: int) -> list[datetime]:
        """The latest ticks up to and with a moment, in order: ``most`` where there are so many in 50 years."""
        back = timedelta(minutes=1)
        while True:
            # Before that many ticks there were fewer: a look twice as far back finds few more than are wanted.
            start = self.following(until - back)
            found, _ = ([], True) if start is None else self.between(start, until, 1_000_000)
            if len(found) >= most or back > timedelta(days=50 * 366):
                return found[-most:]
            back *= 2

    def _once_each(self, after: datetime) -> datetime:
        # Times on the wall that map to later than `after`, by the offset of now or by that from before a change.
        walls = (_wall(after, self._offset(after)), _wall(after, self._offset(after - _STEP * 5)))
        best: datetime | None = None
        for wall in _ticks(self.expression, min(walls)):
            # fold=0: of a time that comes twice the first; one that does not come by the offset from before.
            tick = wall.replace(tzinfo=self._zone).astimezone(UTC)
            if tick > after:
                best = tick if best is None else min(best, tick)
                if tick.astimezone(self._zone).replace(tzinfo=None) == wall:
                    # What follows a time that there is comes later; what follows a skipped one may come before.
                    return best
        raise OverflowError

    def _by_the_clock(self, after: datetime) -> datetime:
        begin, inclusive = after, False
        while True:
            offset = self._offset(begin)
            wall = _wall(begin, offset)
            tick = next(_ticks(self.expression, wall - timedelta(seconds=1) if inclusive else wall))
            moment = (tick - offset).replace(tzinfo=UTC)
            change = self._change(begin, moment)
            if change is None:
                return moment
            begin, inclusive = change, True

    def _change(self, begin: datetime, end: datetime) -> datetime | None:
        """The first moment after ``begin``, up to and with ``end``, at which the clock is changed."""
        offset = self._offset(begin)
        steps = (begin + _STEP * n for n in range((end - begin) // _STEP + 1))
        for before, then in pairwise([*steps, end]):
            if self._offset(then) != offset:
                low, high = before, then
                while high - low > timedelta(seconds=1):
                    middle = low + (high - low) / 2
                    low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
                return high.replace(microsecond=0)
        return None

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self._zone).utcoffset() or timedelta()


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return (moment + offset).replace(tzinfo=None)


def _ticks(expression: str, after: datetime) -> Iterator[datetime]:
    """Times on a wall whose clock nobody changes."""
    times = croniter(expression, after)
    while True:
        yield times.get_next(datetime)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleInvalid(
            f"there is no time zone {name!r}", hint="An IANA name: Europe/Lisbon."
        ) from None


def _fields(expression: str) -> list[list[object]]:
    hint = "Minute, hour, day of the month, month, day of the week: 0 7 * * mon-fri"
    words = expression.lower().split()
    if len(expression) > _MAX_CHARS or "\n" in expression:
        raise ScheduleInvalid("the cron expression is too long, or has lines", hint=hint)
    # Random and hashed times: each process would find others.
    if any(word[0] in "rh" for word in words):
        raise ScheduleInvalid(f"{expression!r} has random times", hint=hint)
    try:
        fields: list[list[object]] = [list(each) for each in croniter.expand(expression, strict=True)[0]]
    except (CroniterError, ValueError, KeyError, IndexError) as error:
        raise ScheduleInvalid(f"{expression!r} is no cron expression: {error}", hint=hint) from None
    if len(fields) != _FIELDS:
        raise ScheduleInvalid(f"{expression!r} has {len(fields)} fields, not five", hint=hint)
    try:
        croniter(expression, datetime(2026, 1, 1)).get_next(datetime)  # noqa: DTZ001 - a time on a wall
    except CroniterError:
        raise ScheduleInvalid(f"{expression!r} never comes true", hint=hint) from None
    return fields
