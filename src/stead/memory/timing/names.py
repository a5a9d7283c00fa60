"""Times with a name: in May, summer of 2022, last Christmas, Q3 2023, on Friday, in the 90s, in 2019."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from stead.memory.timing import dates
from stead.memory.timing.calendar import Kind, Named, on_weekday, within
from stead.memory.timing.found import Found, fixed, hours_of, recurring
from stead.memory.timing.spans import Span, week, years
from stead.memory.timing.tokens import Token, Tokens
from stead.memory.timing.words import (
    GOES_ON,
    HABITS,
    HOURS,
    MONTHS,
    ORDINALS,
    SEASONS,
    SHORT_MONTHS,
    SHORT_WEEKDAYS,
    VERBS,
    WEEKDAYS,
)

Name = tuple[Kind, int | str, int]

_TIMELIKE: Final = frozenset(
    {"since", "before", "after", "until", "by", "from", "between", "range", "part", "around", "during"}
)
_FOR_LONG: Final = _TIMELIKE | {"in", "over", "throughout", "within", "back"}
"""What stands before a month, a season, a decade or a year."""

_FOR_DAYS: Final = _TIMELIKE | {"on", "for", "over", "at"}
_FOR_FEASTS: Final = _TIMELIKE | {"at", "over", "on"}
_UNCERTAIN: Final = frozenset({"for", "by", "of", "before", "after", "until"})
"""Behind these, "may" in small letters is the verb."""

_BREAKS: Final = frozenset({"holiday", "holidays", "vacation", "break", "months"})
_QUARTER: Final = re.compile(r"q([1-4])")
_DECADE: Final = re.compile(r"(19|20)?([0-9])0s")
_FEASTS: Final = {
    "christmas eve": "christmas eve",
    "christmas day": "christmas day",
    "christmas": "christmas",
    "xmas": "christmas",
    "boxing day": "boxing day",
    "new year eve": "new year's eve",
    "new years eve": "new year's eve",
    "new year day": "new year's day",
    "new years day": "new year's day",
    "new year": "new year",
    "new years": "new year",
    "valentine day": "valentine's day",
    "valentines day": "valentine's day",
    "good friday": "good friday",
    "black friday": "black friday",
    "easter": "easter",
    "halloween": "halloween",
    "thanksgiving": "thanksgiving",
}
FEAST_BEGINS: Final = frozenset(words.split()[0] for words in _FEASTS)


def absolute(tokens: Tokens, at: int, before: str) -> Found | None:
    """The time with a name or a number that begins here.

    Args:
        before: The preposition before it, ``part`` behind "early" and the like, ``range`` at the end of a
            range; empty where there is none.
    """
    word = tokens.word(at)
    if not word[:1].isalnum():
        return None
    return (
        dates.figures(tokens, at, before)
        or dates.day_and_month(tokens, at, before)
        or dates.month_and_day(tokens, at, before)
        or _weekday(tokens, at, before)
        or _named(tokens, at, before)
        or _decade(tokens, at, before)
        or _year(tokens, at, before)
        or _weekend(tokens, at, before)
        or dates.the_day(tokens, at, before)
    )


def bare_name(tokens: Tokens, at: int) -> Name | None:
    """The month, season, quarter, feast or weekday that is named here, and the place behind it."""
    token = tokens[at]
    word = token.word
    if word in MONTHS:
        return "month", MONTHS[word], at + 1
    if word in WEEKDAYS:
        return "weekday", WEEKDAYS[word], at + 1
    if word in SEASONS:
        return "season", SEASONS[word], tokens.skip(at + 1, *_BREAKS)
    if is_name(token) and not token.owns and word in SHORT_MONTHS:  # Jun's family
        return "month", SHORT_MONTHS[word], tokens.skip(at + 1, ".")
    if is_name(token) and word in SHORT_WEEKDAYS:
        return "weekday", SHORT_WEEKDAYS[word], tokens.skip(at + 1, ".")
    if word in FEAST_BEGINS:
        for words, feast in _FEASTS.items():
            if tokens.follow(at, words):
                return "feast", feast, at + len(words.split())
    if word == "holidays" and tokens.word(at - 1) == "the":
        return "feast", "holidays", at + 1
    match = _QUARTER.fullmatch(word)
    if match:
        return "quarter", int(match[1]), at + 1
    if tokens.word(at + 1) == "quarter" and 1 <= ORDINALS.get(word, 0) <= 4:
        return "quarter", ORDINALS[word], at + 2
    return None


def is_name(token: Token) -> bool:
    """Whether it is written as a name, or surely is one."""
    return token.capital or token.given


def dated(tokens: Tokens, at: int, kinds: frozenset[Kind], whole: Span) -> Found | None:
    """What is named here, within a year or a week."""
    name = bare_name(tokens, at)
    if name is None or name[0] not in kinds:
        return None
    return fixed(name[2], within(Named(name[0], name[1]), whole))


def _weekday(tokens: Tokens, at: int, before: str) -> Found | None:
    """``on Friday``, ``Friday night``, ``Monday, 8 May``, ``Friday of last week``."""
    name = bare_name(tokens, at)
    if name is None or name[0] != "weekday":
        return None
    end = name[2]
    date_at = tokens.skip(end, ",")
    found = dates.day_and_month(tokens, date_at, "on") or dates.month_and_day(tokens, date_at, "on")
    if found is not None:
        return _checked(found, int(name[1]), tokens)
    if before != "range" and tokens.word(date_at) == "the":
        found = dates.the_day(tokens, date_at, "on")
        if found is not None:
            return _checked(found, int(name[1]), tokens)
    week_at = tokens.skip(end, "of")
    offset = {"last": -7, "this": 0, "next": 7}.get(tokens.word(week_at))
    if offset is not None and tokens.word(week_at + 1) == "week":
        whole = week(tokens.today + timedelta(days=offset))
        return fixed(week_at + 2, within(Named("weekday", name[1]), whole))
    if tokens.word(at - 1) in HABITS or tokens.word(at - 1) in {"most", "any", "all"}:
        return None
    follows = tokens.word(end) in GOES_ON or tokens.word(end) in HOURS
    if before not in _FOR_DAYS and (not follows or tokens.word(at) in SHORT_WEEKDAYS):
        return None
    return hours_of(recurring(end, Named("weekday", name[1])), tokens)


def _checked(found: Found, weekday: int, tokens: Tokens) -> Found:
    """A date without a year that is told with its weekday: the weekday tells which."""
    if found.named is None or found.named.year is not None:
        return found
    span = on_weekday(found.named, weekday, tokens.today)
    return fixed(found.end, span) if span else found


def _named(tokens: Tokens, at: int, before: str) -> Found | None:
    """A month, season, quarter or feast, with its year or behind a preposition."""
    begin = tokens.skip(at, "the") if before else at
    name = bare_name(tokens, begin)
    if name is None or name[0] == "weekday":
        return None
    kind, value, end = name
    year, year_end = dates.year_behind(tokens, end)
    token = tokens[begin]
    if year is not None and (token.word != "fall" or before or token.capital or is_name(tokens[begin])):
        return recurring(year_end, Named(kind, value, year))
    if not _fits(tokens, begin, kind, end, before):
        return None
    return recurring(end, Named(kind, value))


def _fits(tokens: Tokens, at: int, kind: Kind, end: int, before: str) -> bool:
    """Whether a bare name names a time here, and not a person, a verb or a kind of water."""
    token = tokens[at]
    if kind == "feast":
        return before in _FOR_FEASTS or (before == "in" and token.given)
    if kind == "season":
        behind = tokens.word(end)
        return before in _FOR_LONG and behind in GOES_ON and behind not in {"of", "-"}
    if kind == "month" and (tokens.word(at - 1) == "the" or token.owns):
        return False
    if token.word in VERBS and before in _UNCERTAIN:
        return is_name(token)
    if before in {"for", "of"}:
        return is_name(token)
    return before in _FOR_LONG


def _decade(tokens: Tokens, at: int, before: str) -> Found | None:
    begin = tokens.skip(at, "the")
    match = _DECADE.fullmatch(tokens.word(begin)) if begin > at or before == "part" else None
    if match is None or before not in _FOR_LONG or tokens.word(begin + 1) not in GOES_ON:
        return None
    century = int(match[1]) * 100 if match[1] else 1900 if int(match[2]) >= 3 else 2000
    return fixed(begin + 1, years(century + 10 * int(match[2]), 10))


def _year(tokens: Tokens, at: int, before: str) -> Found | None:
    if tokens.follow(at, "the year") or tokens.word(at) == "year":
        year = dates.year_at(tokens, at + (2 if tokens.word(at) == "the" else 1))
        end = at + (3 if tokens.word(at) == "the" else 2)
    else:
        year = dates.year_at(tokens, at) if before in _FOR_LONG else None
        end = at + 1
    return fixed(end, years(year)) if year else None


def _weekend(tokens: Tokens, at: int, before: str) -> Found | None:
    begin = tokens.skip(at, "the")
    if tokens.word(begin) != "weekend" or before not in _FOR_DAYS | {"in"}:
        return None
    if begin == at and not tokens[begin].given and before != "at":
        return None
    return recurring(begin + 1, Named("weekend", 5))
