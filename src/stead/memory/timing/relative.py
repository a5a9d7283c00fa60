"""Times that are told from today: yesterday, last week, this spring, the past three months, recently."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from stead.memory.timing.calendar import Kind, Named, Which
from stead.memory.timing.found import Found, fixed, hours_of, part_of_day, recurring
from stead.memory.timing.names import bare_name, dated, is_name
from stead.memory.timing.quantities import Length, length, rolling
from stead.memory.timing.spans import DayUnit, Span, days, in_days, later, months, week, weekend
from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import HOURS, OWNERS, UNITS, VERBS, WHICH

RECENT_DAYS: Final = 14
"""How long "recently" and "lately" reach back."""

_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_RECENTLY: Final = frozenset({"recently", "lately"})
_STEPS: Final[dict[str, tuple[DayUnit, int]]] = {
    "week": ("week", 1),
    "weekend": ("week", 1),
    "fortnight": ("week", 2),
    "month": ("month", 1),
    "quarter": ("month", 3),
    "year": ("year", 1),
    "decade": ("year", 10),
}


def relative(tokens: Tokens, at: int) -> Found | None:
    """The time told from today that begins here."""
    return _day(tokens, at) or _other(tokens, at) or _so_far(tokens, at) or _which(tokens, at)


def unit_around(tokens: Tokens, unit: str, offset: int = 0) -> Span | None:
    """The whole week, month or year that today is in, or that so many before or after it."""
    if unit == "day":
        return days(tokens.today + timedelta(days=offset))
    step = _STEPS.get(unit)
    if step is None:
        return None
    day = later(tokens.today, offset * step[1], step[0])
    match unit:
        case "week":
            return week(day)
        case "weekend":
            return weekend(day)
        case "fortnight":
            monday = week(day).start
            return Span(monday, monday + timedelta(days=14)) if monday else None
        case "month":
            return months(day.year, day.month)
        case "quarter":
            return months(day.year, (day.month - 1) // 3 * 3 + 1, 3)
        case "year":
            return months(day.year, 1, 12)
        case _:
            return months(day.year // 10 * 10, 1, 120)


def _day(tokens: Tokens, at: int) -> Found | None:
    at = tokens.skip(at, "the")
    for words, offset in (("day before yesterday", -2), ("day after tomorrow", 2)):
        if tokens.follow(at, words):
            return hours_of(fixed(at + 3, days(tokens.today + timedelta(days=offset))), tokens)
    if tokens.follow(at, "night before last"):
        return fixed(at + 3, part_of_day(days(tokens.today - timedelta(days=2)), HOURS["night"]))
    word = tokens.word(at)
    if word == "tonight":
        return fixed(at + 1, part_of_day(days(tokens.today), HOURS["night"]))
    offset = _DAYS.get(word)
    if offset is None:
        return None
    return hours_of(fixed(at + 1, days(tokens.today + timedelta(days=offset))), tokens)


def _other(tokens: Tokens, at: int) -> Found | None:
    word = tokens.word(at)
    if word in _RECENTLY or tokens.follow(at, "of late"):
        end = at + (1 if word in _RECENTLY else 2)
        return fixed(end, days(tokens.today - timedelta(days=RECENT_DAYS), RECENT_DAYS + 1))
    at = tokens.skip(at, "the")
    if tokens.word(at) != "other" or tokens.word(at - 1) != "the":
        return None
    match tokens.word(at + 1):
        case "day" | "night" | "evening":
            return fixed(at + 2, days(tokens.today - timedelta(days=7), 7))
        case "week":
            return fixed(at + 2, days(tokens.today - timedelta(days=28), 22))
        case _:
            return None


def _so_far(tokens: Tokens, at: int) -> Found | None:
    """``earlier this week``, ``later today``, ``so far this year``."""
    if tokens.follow(at, "so far"):
        begin, past = at + 2, True
    elif tokens.word(at) in {"earlier", "later"}:
        begin, past = at + 1, tokens.word(at) == "earlier"
    else:
        return None
    if tokens.word(begin) == "today":
        whole, end = days(tokens.today), begin + 1
    elif tokens.word(begin) == "this":
        whole, end = unit_around(tokens, tokens.word(begin + 1)), begin + 2
    else:
        return None
    if whole is None:
        return None
    today = days(tokens.today)
    return fixed(end, Span(whole.start, today.end) if past else Span(today.start, whole.end))


def _which(tokens: Tokens, at: int) -> Found | None:
    begin = tokens.skip(at, "the")
    the = begin > at or tokens.word(at - 1) == "the"
    which = WHICH.get(tokens.word(begin))
    if tokens.follow(begin, "this time"):
        return _this_time(tokens, begin + 2)
    owned = tokens.word(begin - 1) in OWNERS and not tokens[begin].given
    if which is None:
        return _before_last(tokens, begin)
    if owned:
        return None
    return _rolling(tokens, begin, which, the=the) or _unit(tokens, begin, which, the=the)


def _this_time(tokens: Tokens, at: int) -> Found | None:
    sign = {"last": -1, "next": 1}.get(tokens.word(at))
    word = UNITS.get(tokens.word(at + 1))
    unit = in_days(word) if word else None
    if sign is None or unit is None:
        return None
    day = later(tokens.today, sign, unit)
    slack = {"day": 0, "week": 1, "month": 4, "year": 15}[unit]
    return fixed(at + 2, days(day - timedelta(days=slack), 2 * slack + 1))


def _before_last(tokens: Tokens, at: int) -> Found | None:
    unit = tokens.word(at)
    for words, offset in (("before last", -2), ("after next", 2)):
        if unit in _STEPS and tokens.follow(at + 1, words):
            return fixed(at + 3, unit_around(tokens, unit, offset))
    return None


def _rolling(tokens: Tokens, at: int, which: Which, *, the: bool) -> Found | None:
    """``the last three weeks``, ``past month``, ``the last week`` (which is not ``last week``)."""
    if which == "this":
        return None
    sign = 1 if which == "next" else -1
    given = length(tokens, at + 1)
    unit = UNITS.get(tokens.word(at + 1))
    if given is None and unit and tokens.word(at + 1).rstrip("s") == tokens.word(at + 1):
        single = the and not tokens[at].given and unit in {"week", "month", "year", "hour"}
        ahead_or_said = sign > 0 and tokens.word(at - 2) not in _WITHIN
        if tokens.word(at) == "previous" or ahead_or_said or tokens.word(at - 2) in _BEING:
            single = False
        if tokens.word(at) == "past" or single:
            given = Length(at + 2, 1, 1, unit)
    if given is None or tokens.word(at + 1) in {"a", "an", "half"} or tokens.word(given.end) == "of":
        return None
    return Found(given.end, lambda moment: rolling(moment, given, sign))


_BEING: Final = frozenset({"is", "was", "be", "it's", "that's"})
"""Behind these, "the last year" is one of a count."""

_WITHIN: Final = frozenset({"in", "over", "within", "during", "for", "throughout"})


def _unit(tokens: Tokens, at: int, which: Which, *, the: bool) -> Found | None:
    word, end = tokens.word(at + 1), at + 2
    if tokens.word(at) == "past":  # half past five, past lives
        return None
    if which == "last" and word in {"night", "evening"}:
        return fixed(end, part_of_day(days(tokens.today - timedelta(days=1)), HOURS[word]))
    if which == "this" and word in {"morning", "afternoon", "evening"}:
        return fixed(end, part_of_day(days(tokens.today), HOURS[word]))
    if word in _STEPS:
        told_before = the and which in {"next", "last"} and not tokens[at].given
        if (told_before and word != "weekend") or (tokens.word(end) == "of" and which != "this"):
            return None  # "the next week" is told from another day; "last year of school" from none
        return _unit_found(tokens, end, word, which)
    name = bare_name(tokens, at + 1)
    if name is None or (word in VERBS and which != "last" and not is_name(tokens[at + 1])):
        return None
    kind, value, end = name
    found = recurring(end, Named(kind, value, which=which))
    return hours_of(found, tokens) if kind == "weekday" else found


_KINDS: Final[dict[str, frozenset[Kind]]] = {
    "year": frozenset({"month", "season", "feast", "quarter"}),
    "week": frozenset({"weekday", "weekend"}),
}


def _unit_found(tokens: Tokens, end: int, unit: str, which: Which) -> Found:
    offset = {"last": -1, "this": 0, "next": 1}[which]
    if unit == "weekend":
        return recurring(end, Named("weekend", 5, which=which))
    whole = unit_around(tokens, unit, offset)
    inside = tokens.skip(end, "in", "on", "at", "around")
    if unit in _KINDS and whole is not None and (inside > end or unit == "week"):
        found = dated(tokens, inside, _KINDS[unit], whole)
        if found is not None:
            return hours_of(found, tokens)
    return fixed(end, whole)
