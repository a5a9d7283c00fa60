"""Stretches of local time, and the arithmetic of days, weeks, months and years."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

DayUnit = Literal["day", "week", "month", "year"]
Unit = DayUnit | Literal["minute", "hour"]
Bound = Literal["since", "before", "after", "until"]
Part = Literal["early", "mid", "late", "first half", "second half"]

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100


class Span(NamedTuple):
    """From ``start`` up to but without ``end``; None is open.

    Times without a zone are on the clock of the place; those with one are instants.
    """

    start: datetime | None
    end: datetime | None


def days(first: date, count: int = 1) -> Span:
    """So many whole days."""
    return Span(midnight(first), midnight(first + timedelta(days=count)))


def midnight(day: date) -> datetime:
    """The day's beginning, on the clock of the place."""
    return datetime.combine(day, time())


def week(day: date) -> Span:
    """The week that the day is in: Monday to Sunday, as ISO 8601 has it."""
    return days(day - timedelta(days=day.weekday()), 7)


def weekend(day: date) -> Span:
    """Saturday and Sunday of the week that the day is in."""
    return days(day + timedelta(days=5 - day.weekday()), 2)


def months(year: int, month: int, count: int = 1) -> Span:
    """So many whole months. ``month`` may be below 1 or above 12: years carry over."""
    first = date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
    return Span(midnight(first), midnight(later(first, count, "month")))


def years(first: int, count: int = 1) -> Span:
    """So many whole years."""
    return months(first, 1, 12 * count)


def later(day: date, count: int, unit: DayUnit) -> date:
    """The day so many units later, or earlier. 31 January and a month is the last of February."""
    if unit == "day":
        return day + timedelta(days=count)
    if unit == "week":
        return day + timedelta(days=7 * count)
    place = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = place // 12, place % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def in_days(unit: Unit) -> DayUnit | None:
    """The unit, unless it is shorter than a day."""
    return None if unit == "minute" or unit == "hour" else unit  # noqa: PLR1714 so that types follow


def distant(today: date, least: float, most: float, unit: DayUnit) -> Span:
    """The days that lie from ``least`` to ``most`` units after today; before it, if negative.

    Half a month counts 15 days and half a year six months.
    """
    return Span(
        midnight(_point(today, least, unit, math.ceil)),
        midnight(_point(today, most, unit, math.floor) + timedelta(days=1)),
    )


def _point(today: date, count: float, unit: DayUnit, rounded: Callable[[float], int]) -> date:
    whole = math.floor(count) if count >= 0 else math.ceil(count)
    half = count - whole
    if unit == "day":
        return later(today, rounded(count), "day")
    if unit == "week":
        return later(today, rounded(count * 7), "day")
    if unit == "month":
        return later(later(today, whole, "month"), round(half * 30), "day")
    return later(today, whole * 12 + round(half * 12), "month")


def part_of(span: Span, part: Part) -> Span:
    """A third or a half of a closed span, cut between months or days, whichever fit."""
    if span.start is None or span.end is None:
        return span
    numerators: dict[Part, tuple[int, int, int]] = {
        "early": (0, 1, 3),
        "mid": (1, 2, 3),
        "late": (2, 3, 3),
        "first half": (0, 1, 2),
        "second half": (1, 2, 2),
    }
    low, high, of = numerators[part]
    return Span(_cut(span, low, of), _cut(span, high, of))


def _cut(span: Span, numerator: int, denominator: int) -> datetime | None:
    if span.start is None or span.end is None or numerator == 0:
        return span.start
    if numerator == denominator:
        return span.end
    whole_months = (span.end.year - span.start.year) * 12 + span.end.month - span.start.month
    on_firsts = span.start.day == span.end.day == 1 and whole_months * numerator % denominator == 0
    if on_firsts:
        return midnight(later(span.start.date(), whole_months * numerator // denominator, "month"))
    length = (span.end - span.start).days
    if span.start.day == 1 and whole_months == 1:
        length = 30  # the tenth, the fifteenth and the twentieth, however long the month
    return span.start + timedelta(days=round(length * numerator / denominator))


def opened(span: Span, bound: Bound) -> Span | None:
    """What lies before or after the span, with it (``since``, ``until``) or without."""
    match bound:
        case "since":
            return Span(span.start, None) if span.start else None
        case "before":
            return Span(None, span.start) if span.start else None
        case "after":
            return Span(span.end, None) if span.end else None
        case "until":
            return Span(None, span.end) if span.end else None


def in_utc(span: Span, zone: tzinfo) -> Span | None:
    """The span's instants, or None where it is empty or beyond the years that are read.

    In UTC, because two times of one zone compare by their clocks: over a change of clocks that is wrong.
    """
    start, end = _instant(span.start, zone), _instant(span.end, zone)
    if start is None and end is None:
        return None
    if any(t is not None and not FIRST_YEAR <= t.year <= LAST_YEAR + 1 for t in (start, end)):
        return None
    if start is not None and end is not None and start >= end:
        return None
    return Span(start, end)


def _instant(when: datetime | None, zone: tzinfo) -> datetime | None:
    if when is None:
        return None
    # A midnight that the clocks skip is the instant at which they do.
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
