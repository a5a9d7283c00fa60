"""From one time to another: between March and May, from 3 to 7 July, Monday to Wednesday."""

from __future__ import annotations

from datetime import datetime

from stead.memory.timing import dates
from stead.memory.timing.calendar import Moment, Named, span_of
from stead.memory.timing.found import Found, changed, recurring
from stead.memory.timing.names import absolute
from stead.memory.timing.parts import single
from stead.memory.timing.spans import Span, days, opened
from stead.memory.timing.tokens import Tokens


def between(tokens: Tokens, at: int) -> Found | None:
    """``between March and May``, ``from 3 to 7 July``, ``from Monday till Wednesday``."""
    joints = {"and"} if tokens.word(at) == "between" else {"to", "until", "till", "through", "-", "up"}
    begin = tokens.skip(at + 1, "in", "on", "the") if tokens.word(at + 2) not in joints else at + 1
    day_at = tokens.skip(at + 1, "the")
    day = dates.day_number(tokens, day_at)
    if day is not None and tokens.word(day_at + 1) in joints:
        found = _days_of_one_month(tokens, day, day_at + 2)
        if found is not None:
            return found
    first = single(tokens, at + 1, "range") or single(tokens, begin, "range")
    if first is None:
        return None
    if tokens.word(at) == "from" and tokens.word(first.end) in {"on", "onward", "onwards"}:
        if single(tokens, first.end + 1, "on") is None:
            return changed(first, lambda span: opened(span, "since"), first.end + 1)
        return None
    return _joined(tokens, first, joints)


def from_to(tokens: Tokens, at: int) -> Found | None:
    """``July 3 to 7``, ``8 May - 3 June``, ``Monday to Wednesday``."""
    first = absolute(tokens, at, "")
    if first is None or first.named is None or tokens.word(first.end) not in {"to", "through", "-"}:
        return None
    match first.named:
        case Named("date", (month, first_day), None):
            last_day = dates.day_number(tokens, first.end + 1)
            if last_day is not None and dates.month_at(tokens, tokens.skip(first.end + 2, "of")) is None:
                year, end = dates.year_behind(tokens, first.end + 2)
                return _days(end, (month, first_day), (month, last_day), year)
        case _:
            pass
    return _joined(tokens, first, {"to", "through", "-"})


def _days_of_one_month(tokens: Tokens, day: int, at: int) -> Found | None:
    last = dates.day_and_month(tokens, at, "range")
    if last is None or last.named is None:
        return None
    match last.named.value:
        case (month, last_day):
            return _days(last.end, (month, day), (month, last_day), last.named.year)
        case _:
            return None


def _days(end: int, first: tuple[int, int], last: tuple[int, int], year: int | None) -> Found:
    return _spanned(
        recurring(end, Named("date", first, year)), recurring(end, Named("date", last, year)), end
    )


def _joined(tokens: Tokens, first: Found, joints: set[str]) -> Found | None:
    if tokens.word(first.end) not in joints:
        return None
    at = tokens.skip(first.end + 1, "to", "until", "in", "on")
    if tokens.word(at) in {"now", "today"}:
        return changed(first, lambda span: Span(span.start, days(tokens.today).end), at + 1)
    last = single(tokens, at, "range")
    if last is None:
        return None
    if first.named and last.named and last.named.year and not first.named.year:
        first = recurring(first.end, first.named._replace(year=last.named.year))
    return _spanned(first, last, last.end)


def _spanned(first: Found, last: Found, end: int) -> Found:
    """From the beginning of one to the end of the other, which is the next one after it."""

    def read(moment: Moment) -> Span | None:
        low = first.read(moment)
        if low is None or low.start is None or low.end is None:
            return None
        if last.named is not None and last.named.year is None and last.named.which is None:
            high = span_of(last.named, moment, on_or_after=low.start)
        else:
            high = last.read(moment)
        if high is None or high.end is None or _is_before(high.end, low.start):
            return None
        return Span(low.start, high.end)

    return Found(end, read)


def _is_before(one: datetime, other: datetime) -> bool:
    return one.replace(tzinfo=None) <= other.replace(tzinfo=None)
