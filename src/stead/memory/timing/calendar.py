"""Named times (months, seasons, feasts, weekdays, days of a month), and when they come round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from stead.memory.timing.spans import Span, days, later, midnight, months, week, weekend

Which = Literal["last", "this", "next"]
Kind = Literal["month", "season", "quarter", "feast", "date", "weekday", "weekend", "day of month"]

SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
"""Meteorological and northern; each is three months. A winter belongs to the year of its December."""

_YEARS_BACK: Final = 9
"""29 February may be eight years away."""


class Named(NamedTuple):
    """A time that comes again.

    Args:
        value: The month, the season's first month, the quarter, the feast's name, month and day, or the
            weekday (Monday is 0), or the day of the month.
        year: The year, if it was said.
        which: ``last``, ``this`` or ``next``, if that was said.
    """

    kind: Kind
    value: int | str | tuple[int, int]
    year: int | None = None
    which: Which | None = None


class Moment(NamedTuple):
    """What a time is relative to.

    Args:
        now: With the zone in which days are days.
        ahead: A bare name means the next one to come; else the latest that has begun.
    """

    now: datetime
    ahead: bool

    @property
    def today(self) -> date:
        return self.now.date()


def span_of(named: Named, moment: Moment, *, on_or_after: datetime | None = None) -> Span | None:
    """The occurrence that is meant, or None where there is none (30 February).

    Args:
        on_or_after: Take the first that ends after this, whatever today is.
    """
    if named.year is not None:
        return _in_year(named, named.year)
    spans = list(_near(named, moment.today if on_or_after is None else on_or_after.date()))
    if on_or_after is not None:
        return next((s for s in spans if s.end and s.end > on_or_after), None)
    if named.kind in {"weekday", "weekend"} and named.which:
        return _of_week(named, moment, spans)
    return _chosen(named, moment, spans)


def _chosen(named: Named, moment: Moment, spans: list[Span]) -> Span | None:
    today, tomorrow = midnight(moment.today), midnight(moment.today + timedelta(days=1))
    over = [s for s in spans if s.end and s.end <= today]
    begun = [s for s in spans if s.start and s.start < tomorrow]
    to_begin = [s for s in spans if s.start and s.start >= tomorrow]
    to_end = [s for s in spans if s.end and s.end > today]
    if named.which == "last":
        return over[-1] if over else None
    if named.which == "next":
        return to_begin[0] if to_begin else None
    if named.which == "this":
        running = next((s for s in begun if s.end and s.end > today), None)
        this_year = next((s for s in spans if s.start and s.start.year == today.year), None)
        if running or moment.ahead or this_year in over:
            return running or this_year
        return over[-1] if over else this_year
    if named.kind == "weekday":  # today is called today
        return (to_begin[0] if moment.ahead else over[-1]) if to_begin and over else None
    found = to_end[:1] if moment.ahead else begun[-1:]
    return found[0] if found else None


def _of_week(named: Named, moment: Moment, spans: list[Span]) -> Span | None:
    """Last Friday is the latest before today; this and next Friday are of this and the next week."""
    today = moment.today
    if named.which == "last" and named.kind == "weekday":
        return next((s for s in reversed(spans) if s.end and s.end <= midnight(today)), None)
    offset = {"last": -7, "this": 0, "next": 7}[named.which or "this"]
    found = _inside(spans, week(today + timedelta(days=offset)))
    begins_later = found is not None and found.start is not None and found.start > midnight(today)
    if named.which == "this" and not moment.ahead and begins_later and named.kind == "weekend":
        return _inside(spans, week(today - timedelta(days=7)))
    return found


def _inside(spans: list[Span], whole: Span) -> Span | None:
    return next(
        (
            s
            for s in spans
            if s.start and whole.start and whole.end and whole.start <= s.start < whole.end
        ),
        None,
    )


def on_weekday(named: Named, weekday: int, today: date) -> Span | None:
    """The occurrence nearest to today that is on this weekday, if one is near: Sunday 7 December."""
    spans = [s for s in _near(named, today) if s.start and s.start.weekday() == weekday]
    middle = midnight(today)
    return min(spans, key=lambda s: abs(s.start - middle) if s.start else timedelta.max, default=None)


def within(named: Named, whole: Span, *, place: int = 0) -> Span | None:
    """The first occurrence (or that at another ``place``; -1 is the last) that begins in a closed span."""
    if whole.start is None or whole.end is None:
        return None
    found = [
        s
        for s in _between(named, whole.start.date(), whole.end.date())
        if s.start and whole.start <= s.start < whole.end
    ]
    return found[place] if -len(found) <= place < len(found) else None


def _near(named: Named, day: date) -> Iterator[Span]:
    weeks, a_year = timedelta(days=28), timedelta(days=366)
    if named.kind in {"weekday", "weekend"}:
        return _between(named, day - weeks, day + weeks)
    if named.kind == "day of month":
        return _between(named, day - a_year, day + a_year)
    return _between(named, later(day, -_YEARS_BACK, "year"), later(day, _YEARS_BACK, "year"))


def _between(named: Named, first: date, last: date) -> Iterator[Span]:
    """The occurrences in these years, months or weeks, in their order."""
    if named.kind in {"weekday", "weekend"}:
        monday = first - timedelta(days=first.weekday())
        while monday <= last:
            if named.kind == "weekend":
                yield weekend(monday)
            else:
                yield days(monday + timedelta(days=int(str(named.value))))
            monday += timedelta(days=7)
    elif named.kind == "day of month":
        month = first.replace(day=1)
        while month <= last:
            found = _day(month.year, month.month, int(str(named.value)))
            if found:
                yield found
            month = later(month, 1, "month")
    else:
        for year in range(first.year, last.year + 1):
            found = _in_year(named, year)
            if found:
                yield found


def _in_year(named: Named, year: int) -> Span | None:
    match named.value:
        case (month, day):
            return _day(year, month, day)
        case str() as feast:
            return FEASTS[feast](year)
        case int() as number if named.kind == "quarter":
            return months(year, 3 * number - 2, 3)
        case int() as number if named.kind in {"month", "season"}:
            return months(year, number, 3 if named.kind == "season" else 1)
        case _:
            return None


def _day(year: int, month: int, day: int) -> Span | None:
    try:
        return days(date(year, month, day))
    except ValueError:
        return None


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * (c // 4) - (c % 4) - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)


def _thanksgiving(year: int) -> date:
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


FEASTS: Final[dict[str, Callable[[int], Span]]] = {
    "christmas": lambda year: days(date(year, 12, 24), 3),
    "christmas eve": lambda year: days(date(year, 12, 24)),
    "christmas day": lambda year: days(date(year, 12, 25)),
    "boxing day": lambda year: days(date(year, 12, 26)),
    "holidays": lambda year: days(date(year, 12, 24), 9),
    "new year's eve": lambda year: days(date(year, 12, 31)),
    "new year's day": lambda year: days(date(year, 1, 1)),
    "new year": lambda year: days(date(year - 1, 12, 31), 2),
    "valentine's day": lambda year: days(date(year, 2, 14)),
    "easter": lambda year: days(easter(year) - timedelta(days=2), 4),
    "good friday": lambda year: days(easter(year) - timedelta(days=2)),
    "halloween": lambda year: days(date(year, 10, 31)),
    "thanksgiving": lambda year: days(_thanksgiving(year)),
    "black friday": lambda year: days(_thanksgiving(year) + timedelta(days=1)),
}
