"""Lengths of time (three weeks, a couple of days, a year and a half), and how long ago or ahead."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from stead.memory.timing.calendar import Moment
from stead.memory.timing.found import Found
from stead.memory.timing.spans import Span, Unit, distant, in_days, later, midnight
from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import LONGER, NUMBERS, UNITS, VAGUE, listed

_ABOUT: Final = frozenset({"about", "around", "roughly", "approximately", "almost", "nearly"})
_SAYING: Final = listed(
    "talk talked talking speak spoke speaking tell told telling say said saying know knew think thought ask "
    "asked chat chatted hear heard write wrote complain complained worry worried happy sad excited"
)
_MORE: Final = ("more than", "over", "at least")
_LESS: Final = ("less than", "under", "not even")
_MOST_DIGITS: Final = 4


class Length(NamedTuple):
    """A length of time, from ``least`` to ``most`` units.

    Args:
        vague: Whether the words themselves leave it open: "a few".
    """

    end: int
    least: float
    most: float
    unit: Unit
    vague: bool = False

    def loosened(self) -> Length:
        """As people mean it: half a unit to each side. Days are exact; an hour may be two, minutes double."""
        if self.vague or self.unit == "day":
            return self
        slack = {"minute": max(5, self.most), "hour": 1}.get(self.unit, 0.5)
        return self._replace(least=max(self.least - slack, 0), most=self.most + slack, vague=True)


def number(tokens: Tokens, at: int) -> tuple[int, int] | None:
    """A whole number and the place behind it: ``14``, ``twelve``, ``twenty-one``."""
    word = tokens.word(at)
    if word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS:
        return int(word), at + 1
    value = NUMBERS.get(word)
    if value is None:
        return None
    ones = tokens.skip(at + 1, "-")
    low = NUMBERS.get(tokens.word(ones), 0)
    return (value + low, ones + 1) if 20 <= value < 100 and 1 <= low <= 9 else (value, at + 1)


def length(tokens: Tokens, at: int) -> Length | None:
    """A number or a vague quantity with a unit."""
    loose = tokens.word(at) in _ABOUT and tokens.word(at - 1) not in _SAYING  # "talk about"
    amount = _amount(tokens, at + 1 if loose else at)
    if amount is None:
        return None
    least, most, end, vague = amount
    unit = _unit(tokens, end)
    if unit is None:
        return None
    name, times = unit
    end += 1
    if tokens.follow(end, "and a half") and not vague:
        least, most, end = least + 0.5, most + 0.5, end + 3
    slack = 1.0 if loose and not vague else 0.0
    return Length(
        end, max(least * times - slack, 0), most * times + slack, name, vague=vague or bool(slack)
    )


def _amount(tokens: Tokens, at: int) -> tuple[float, float, int, bool] | None:
    if tokens.word(at) == "half" and tokens.word(at + 1) in {"a", "an"}:
        return 0.5, 0.5, at + 2, False
    vague_at = tokens.skip(at, "a")
    vague = VAGUE.get(tokens.word(vague_at))
    if vague is not None:
        return *vague, tokens.skip(vague_at + 1, "of"), True
    if tokens.word(at) in {"a", "an"}:
        return 1, 1, at + 1, False
    counted = number(tokens, at)
    if counted is None:
        return None
    value, end = counted
    if tokens.follow(end, "and a half"):
        return value + 0.5, value + 0.5, end + 3, False
    return value, value, end, False


def _unit(tokens: Tokens, at: int) -> tuple[Unit, int] | None:
    word = tokens.word(at)
    unit = UNITS.get(word)
    return (unit, 1) if unit else LONGER.get(word)


def ago(tokens: Tokens, at: int) -> Found | None:
    """``three weeks ago``, ``over a year ago``, ``weeks ago``, ``two days from now``."""
    for words in (*_MORE, *_LESS):
        if tokens.follow(at, words):
            return _limit(tokens, at + len(words.split()), more=words in _MORE)
    plural = UNITS.get(tokens.word(at))
    counted = tokens.word(at - 1)
    counted_already = counted.isdecimal() or counted in NUMBERS or counted in {"thousand", "million"}
    if plural and plural != "day" and counted_already is False and tokens.follow(at, f"{plural}s ago"):
        return Found(at + 2, lambda moment: Span(None, _before(moment, 2, plural)))
    first = length(tokens, at)
    if first is None:
        return None
    second = length(tokens, first.end + 1) if tokens.word(first.end) in {"and", ","} else None
    if second is not None and second.unit == first.unit:
        second = None
    shift, last = (first, second) if second else (None, first)
    ahead = _direction(tokens, last.end)
    if ahead is None:
        return None
    sign, end = ahead

    def read(moment: Moment) -> Span:
        today = moment.today
        coarse = in_days(shift.unit) if shift else None
        if shift and coarse:
            today = later(today, sign * round(shift.most), coarse)
        return away(today, moment.now, last.loosened(), sign)

    return Found(end, read)


def _direction(tokens: Tokens, at: int) -> tuple[int, int] | None:
    if tokens.word(at) in {"ago", "back"}:
        return -1, at + 1
    if tokens.follow(at, "from now") or tokens.follow(at, "from today"):
        return 1, at + 2
    return None


def _limit(tokens: Tokens, at: int, *, more: bool) -> Found | None:
    given = length(tokens, at)
    if given is None or tokens.word(given.end) != "ago":
        return None

    def read(moment: Moment) -> Span:
        at_most = _before(moment, given.least if more else given.most, given.unit)
        return Span(None, at_most) if more else Span(at_most, _end_of(moment))

    return Found(given.end + 1, read)


def away(today: date, now: datetime, given: Length, sign: int) -> Span:
    """What lies that long before (``sign`` -1) or after today; of hours and minutes, before or after now."""
    unit = in_days(given.unit)
    if unit is None:
        least, most = _clock(given.least, given.unit), _clock(given.most, given.unit)
        instant = now.astimezone(UTC)
        low, high = (instant - most, instant - least) if sign < 0 else (instant + least, instant + most)
        return Span(low, high)
    low, high = (-given.most, -given.least) if sign < 0 else (given.least, given.most)
    return distant(today, low, high, unit)


def _clock(count: float, unit: Unit) -> timedelta:
    return timedelta(minutes=count) if unit == "minute" else timedelta(hours=count)


def rolling(moment: Moment, given: Length, sign: int) -> Span:
    """From so long ago to the end of today; or from today to so long ahead."""
    if sign > 0:
        last = away(moment.today, moment.now, given._replace(least=given.most), 1).end
        return Span(midnight(moment.today), last)
    return Span(_before(moment, given.most, given.unit), _end_of(moment))


def _before(moment: Moment, count: float, unit: Unit) -> datetime | None:
    return away(moment.today, moment.now, Length(0, count, count, unit), -1).start


def _end_of(moment: Moment) -> datetime:
    return midnight(moment.today + timedelta(days=1))
