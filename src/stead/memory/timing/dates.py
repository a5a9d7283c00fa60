"""Days and years with numbers: 8 May 2023, May 8th, the 8th, 2023-05-08, 25/12/2023, in 2019."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from stead.memory.timing.calendar import Named, within
from stead.memory.timing.found import Found, fixed, recurring
from stead.memory.timing.spans import FIRST_YEAR, LAST_YEAR, days, months
from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import GOES_ON, MONTHS, ORDINALS, SHORT_MONTHS, UNITS, VERBS

_ORDINAL: Final = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)")
_FIGURES: Final = re.compile(r"([0-9]{1,4})([-/.])([0-9]{1,2})(?:\2([0-9]{1,4}))?")
_COUNTED: Final = frozenset(
    {"people", "men", "women", "children", "euro", "usd", "eur", "km", "kg", "percent"}
)
_MONEY: Final = frozenset("$€£#")
_MONTH_OFFSETS: Final = {"last": -1, "this": 0, "next": 1, "the": 0}


def day_number(tokens: Tokens, at: int, *, plain: bool = True) -> int | None:
    """A day of the month: ``8``, if that will do; ``8th``, ``eighth``."""
    word = tokens.word(at)
    if plain and len(word) <= 2 and word.isascii() and word.isdecimal() and 1 <= int(word) <= 31:
        return int(word)
    match = _ORDINAL.fullmatch(word)
    value = int(match[1]) if match else ORDINALS.get(word, 0)
    return value if 1 <= value <= 31 else None


def year_at(tokens: Tokens, at: int) -> int | None:
    """A year from 1900 to 2100, unless it counts something."""
    word = tokens.word(at)
    if len(word) != 4 or not (word.isascii() and word.isdecimal()):
        return None
    if counts(tokens, at) or tokens.word(at - 1) in _MONEY:
        return None
    return int(word) if FIRST_YEAR <= int(word) <= LAST_YEAR else None


def counts(tokens: Tokens, at: int) -> bool:
    """Whether the number here counts what follows: ``2000 words``."""
    behind = tokens[at + 1]
    plural = len(behind.word) > 3 and behind.word.endswith("s") and not behind.capital
    return (
        behind.word in _COUNTED
        or behind.word in UNITS
        or behind.word == "%"
        or (plural and behind.word not in GOES_ON)
    )


def year_behind(tokens: Tokens, at: int) -> tuple[int | None, int]:
    """The year that follows a month, a season or a day, if one does: ``2023``, ``of 2023``, ``last year``."""
    begin = tokens.skip(tokens.skip(at, ","), "of", "in")
    year = year_at(tokens, begin)
    if year is not None:
        return year, begin + 1
    offset = {"last": -1, "this": 0, "next": 1}.get(tokens.word(begin))
    if offset is not None and tokens.word(begin + 1) == "year":
        return tokens.today.year + offset, begin + 2
    return None, at


def month_at(tokens: Tokens, at: int) -> tuple[int, int] | None:
    """The month named here, beside a number, and the place behind it."""
    word = tokens.word(at)
    if word in MONTHS:
        return MONTHS[word], at + 1
    short = SHORT_MONTHS.get(word)
    return (short, tokens.skip(at + 1, ".")) if short else None


def figures(tokens: Tokens, at: int, before: str) -> Found | None:
    """Dates in figures. None where day and month could change places: 8/5/2023."""
    match = _FIGURES.fullmatch(tokens.word(at))
    if match is None:
        return None
    first, mark, second, third = match.groups()
    if third is None:  # 2023-05
        year, month = int(first), int(second)
        usable = before and FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12
        return fixed(at + 1, months(year, month)) if usable else None
    if len(first) == 4 and len(third) <= 2:
        return _date(at + 1, int(first), int(second), int(third))
    if len(third) != 4 or len(first) > 2:
        return None
    one, two, year = int(first), int(second), int(third)
    if mark == "." or one > 12 or one == two:
        return _date(at + 1, year, two, one)
    return _date(at + 1, year, one, two) if two > 12 else None


def _date(end: int, year: int, month: int, day: int) -> Found | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return fixed(end, days(found)) if FIRST_YEAR <= year <= LAST_YEAR else None


def day_and_month(tokens: Tokens, at: int, before: str) -> Found | None:
    """``8 May``, ``the 8th of May 2023``, ``first of May``, ``the 8th of last month``."""
    begin = tokens.skip(at, "the")
    day = day_number(tokens, begin)
    behind = tokens.skip(begin + 1, "of")
    spelt = tokens.word(begin) in ORDINALS
    if day is None or (spelt and behind == begin + 1):
        return None
    month = month_at(tokens, behind)
    if month is None:
        return _of_a_month(tokens, behind, day) if behind > begin + 1 else None
    year, end = year_behind(tokens, month[1])
    name = tokens[behind]
    plain = not before and begin == at and behind == begin + 1 and tokens.word(begin).isdecimal()
    if name.word in VERBS and plain and not (name.capital or name.given or year):
        return None
    return recurring(end, Named("date", (month[0], day), year))


def _of_a_month(tokens: Tokens, at: int, day: int) -> Found | None:
    offset = _MONTH_OFFSETS.get(tokens.word(at))
    if offset is None or tokens.word(at + 1) != "month":
        return None
    whole = months(tokens.today.year, tokens.today.month + offset)
    return fixed(at + 2, within(Named("day of month", day), whole))


def month_and_day(tokens: Tokens, at: int, before: str) -> Found | None:
    """``May 8``, ``May 8th, 2023``, ``May the 8th``."""
    month = month_at(tokens, at)
    if month is None:
        return None
    place = tokens.skip(month[1], "the")
    day = day_number(tokens, place, plain=place == month[1])
    if day is None or tokens.word(place) in ORDINALS:
        return None
    year, end = year_behind(tokens, place + 1)
    figure = tokens.word(place).isdecimal()
    if figure and (tokens.word(place + 1) == ":" or counts(tokens, place)):
        return None
    name = tokens[at]
    sure = (name.capital or name.given) and not tokens.begins_sentence(at)
    if name.word in VERBS and figure and not (sure or before or year):
        return None
    return recurring(end, Named("date", (month[0], day), year))


def the_day(tokens: Tokens, at: int, before: str) -> Found | None:
    """``on the 8th``; not ``the 8th floor``."""
    match = _ORDINAL.fullmatch(tokens.word(at + 1)) if tokens.word(at) == "the" else None
    if match is None or before not in {"on", "since", "before", "after", "until", "by", "from", "range"}:
        return None
    if tokens.word(at + 2) not in GOES_ON or tokens.word(at + 2) in {"of", "-"}:
        return None
    return recurring(at + 2, Named("day of month", int(match[1])))
