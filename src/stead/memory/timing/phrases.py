"""What a run of words means: a single time, or one with words that bound it (since March, before we met)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from stead.memory.timing.calendar import Moment
from stead.memory.timing.found import Found, changed, fixed
from stead.memory.timing.names import FEAST_BEGINS
from stead.memory.timing.parts import single
from stead.memory.timing.quantities import ago, away, length, rolling
from stead.memory.timing.ranges import between, from_to
from stead.memory.timing.spans import Bound, Span, days, in_days, later, midnight, opened
from stead.memory.timing.tense import PAST
from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import (
    GOES_ON,
    LONGER,
    MONTHS,
    NUMBERS,
    ORDINALS,
    SEASONS,
    SHORT_MONTHS,
    SHORT_WEEKDAYS,
    UNITS,
    VAGUE,
    WEEKDAYS,
    WHICH,
    listed,
)

_PREPOSITIONS: Final = frozenset(
    {"in", "on", "at", "during", "over", "throughout", "within", "around", "of", "for", "from", "back"}
)
_MEETINGS: Final = (
    "when we first met", "when we met", "the first time we met", "first time we met", "the day we met",
    "when i first met you", "when i met you", "when you first met me",
    *(f"{when} we first {verb}" for when in ("when", "the day") for verb in ("talked", "spoke", "chatted")),
    *(f"{the}first time we {verb}" for the in ("the ", "") for verb in ("talked", "spoke", "chatted")),
    *(f"{the}first time i {verb} {to} you" for the in ("the ", "") for verb in ("talked", "spoke", "chatted")
      for to in ("to", "with")),
    *(f"our {very}first {noun}" for very in ("", "very ")
      for noun in ("conversation", "chat", "talk", "meeting", "session", "day")),
)  # fmt: skip
_MET: Final = (
    "we met",
    "we first met",
    "we first talked",
    "we first spoke",
    "i met you",
    "i first met you",
)


class Context(NamedTuple):
    """What is known beside the words.

    Args:
        first_met: When the two first talked, in the zone of the reading.
        told: Whether somebody tells a fact, and does not ask.
    """

    first_met: datetime | None
    told: bool


def phrase(tokens: Tokens, at: int, context: Context) -> Found | None:
    """The time that begins at this word, with the words that bound it."""
    word = tokens.word(at)
    if word not in _BEGINS and not word[-1:].isdecimal() and not word[:1].isdecimal():
        return None
    if word in {"between", "from"}:
        found = between(tokens, at)
        if found is not None:
            return found
    bound = _bound(tokens, at)
    if bound is not None:
        return _bounded(tokens, *bound, context)
    beside = _beside(tokens, at)
    if beside is not None:
        return beside
    if word == "in":
        found = _ahead(tokens, at)
        if found is not None:
            return found
    if context.told and word in {"for", "over"}:
        found = _lasting(tokens, at)
        if found is not None:
            return found
    if word == "from" and context.told:
        return _from_then_on(single(tokens, at + 1, word))
    if word in _PREPOSITIONS:
        return ago(tokens, at) or single(tokens, at + 1, word)
    return _meeting(tokens, at, context) or from_to(tokens, at) or single(tokens, at, "")


_BOUNDS: Final[tuple[tuple[str, Bound], ...]] = (
    ("ever since", "since"),
    ("since", "since"),
    ("starting in", "since"),
    ("starting from", "since"),
    ("starting", "since"),
    ("before", "before"),
    ("prior to", "before"),
    ("earlier than", "before"),
    ("after", "after"),
    ("later than", "after"),
    ("until", "until"),
    ("till", "until"),
    ("up until", "until"),
    ("up to", "until"),
    ("no later than", "until"),
    ("by", "until"),
)
_BOUND_BEGINS: Final = frozenset(words.split()[0] for words, _ in _BOUNDS)


_BEGINS: Final = (
    frozenset[str]().union(
        MONTHS, SHORT_MONTHS, WEEKDAYS, SHORT_WEEKDAYS, SEASONS, UNITS, LONGER, WHICH, NUMBERS, VAGUE, ORDINALS,
        FEAST_BEGINS, _BOUND_BEGINS, _PREPOSITIONS
    )
    | listed(
        "a about almost an approximately at between early earlier end first half holidays in late lately later "
        "less mid middle more nearly night not of other our over recently roughly so start beginning the today "
        "tomorrow tonight under weekend when yesterday"
    )
)  # fmt: skip
"""Words that a time may begin with, beside those with digits: most words are none, and looked at no further."""


def _bound(tokens: Tokens, at: int) -> tuple[int, Bound] | None:
    if tokens.word(at) not in _BOUND_BEGINS:
        return None
    for words, bound in sorted(_BOUNDS, key=lambda pair: -len(pair[0])):
        if tokens.follow(at, words):
            return at + len(words.split()), bound
    return None


def _bounded(tokens: Tokens, at: int, bound: Bound, context: Context) -> Found | None:
    met = next((words for words in _MET if tokens.follow(at, words)), None)
    if met is not None and context.first_met is not None:
        end = at + len(met.split())
        if tokens.word(end) not in GOES_ON:
            return None
        span = Span(None, context.first_met) if bound in {"before", "until"} else None
        return fixed(end, span or Span(context.first_met, None))
    if bound == "since":
        long = length(tokens, at)
        if long is not None and tokens.word(long.end) not in {"ago", "back"}:  # "since two weeks"
            return Found(long.end, lambda moment: Span(rolling(moment, long, -1).start, None))
    inner = single(tokens, at, bound) or single(tokens, tokens.skip(at, "in", "on", "at"), bound)
    if inner is None:
        return None
    if bound == "since":  # what has begun, whatever the tense
        began = Found(inner.end, lambda moment: inner.read(moment._replace(ahead=False)))
        return changed(began, lambda span: opened(span, bound))
    return changed(inner, lambda span: opened(span, bound))


def _beside(tokens: Tokens, at: int) -> Found | None:
    """``the day after Christmas``, ``two weeks before 8 May``."""
    begin = tokens.skip(at, "the")
    word = UNITS.get(tokens.word(begin))
    unit = in_days(word) if word else None
    count, end = 1, begin + 1
    if word is None or begin == at:
        given = length(tokens, begin)
        if given is None or given.least != given.most or given.least != int(given.least):
            return None
        unit, count, end = in_days(given.unit), int(given.most), given.end
    sign = {"before": -1, "after": 1}.get(tokens.word(end))
    if sign is None or unit is None:
        return None
    inner = single(tokens, end + 1, "after")
    if inner is None:
        return None

    def read(span: Span) -> Span | None:
        anchor = span.start if sign < 0 else span.end
        if anchor is None or anchor.tzinfo is not None:
            return None
        day = anchor.date() if sign < 0 else anchor.date() - timedelta(days=1)
        if begin > at and count == 1 and unit != "day":  # the whole week before, or after
            edge = midnight(later(anchor.date(), sign, unit))
            return Span(edge, anchor) if sign < 0 else Span(anchor, edge)
        return days(later(day, sign * count, unit))

    return changed(inner, read)


def _ahead(tokens: Tokens, at: int) -> Found | None:
    """``in two weeks``, of what is to come: what was done in two weeks took as long."""
    given = length(tokens, at + 1)
    if given is None or given.unit in {"minute", "hour"} or tokens.word(given.end) == "of":
        return None

    def read(moment: Moment) -> Span | None:
        return away(moment.today, moment.now, given.loosened(), 1) if moment.ahead else None

    return Found(tokens.skip(given.end, "time"), read)


def _from_then_on(inner: Found | None) -> Found | None:
    """``From June it is 20 euros``: of what is to come, from then on."""
    if inner is None:
        return None

    def read(moment: Moment) -> Span | None:
        span = inner.read(moment)
        to_come = span is not None and span.start is not None and span.start > midnight(moment.today)
        return opened(span, "since") if span and to_come else span

    return Found(inner.end, read)


def _lasting(tokens: Tokens, at: int) -> Found | None:
    """``I have lived here for three years``: since then."""
    given = length(tokens, at + 1)
    if given is None or given.unit in {"minute", "hour"}:
        return None
    first = max(tokens.sentence(at).start, at - 8)
    if not any(_has_done(tokens, place) for place in range(first, at)):
        return None
    return Found(given.end, lambda moment: Span(rolling(moment, given, -1).start, None))


def _has_done(tokens: Tokens, at: int) -> bool:
    done = tokens.word(tokens.skip(at + 1, "not", "never", "always", "both", "all"))
    return tokens.word(at) in _HAVE and (done in PAST or done.endswith(("ed", "en", "wn")))


_HAVE: Final = listed("have has i've we've you've they've he's she's it's")


def _meeting(tokens: Tokens, at: int, context: Context) -> Found | None:
    if context.first_met is None or tokens.word(at) not in {"when", "the", "first", "our"}:
        return None
    words = next((words for words in _MEETINGS if tokens.follow(at, words)), None)
    if words is None:
        return None
    end = at + len(words.split())
    return fixed(end, days(context.first_met.date())) if tokens.word(end) in GOES_ON else None
