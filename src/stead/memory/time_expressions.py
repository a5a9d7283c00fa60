"""The times that people name, as periods: what a question restricts itself to, when a told event happens.

An own grammar, as the libraries that were tried give instants instead of periods and find months in verbs.
What it takes words to mean:

- A day is a day of the given zone. A week begins on Monday (ISO 8601). Spring begins in March.
- "Last Friday" is the latest before today; "this" and "next Friday" are those of this and the next week.
- "Last May" is the latest that is over; "in May" the latest that has begun, or, of what is to come, the next
  that has not ended.
- "Last week" is the week before this one; "the last week" and "the past week" are seven days and today.
- "Two weeks ago" is half a week to each side of that day; so are months and years. Days are exact.
- "A couple" are one to three, "a few" two to five, "several" three to eight.
- "Recently" and "lately" reach back 14 days.
- "Early", "mid" and "late" are thirds.
- A date such as 8/5/2023, which is two days in two countries, is not read.

English in full; of German, Spanish and French the common forms. What is quoted is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal

from stead.memory.timing.calendar import Moment
from stead.memory.timing.found import Found
from stead.memory.timing.languages import in_english
from stead.memory.timing.phrases import Context, phrase
from stead.memory.timing.spans import FIRST_YEAR, LAST_YEAR, Span, in_utc
from stead.memory.timing.states import state
from stead.memory.timing.tense import is_habit, looks_ahead
from stead.memory.timing.tokens import Tokens, read


@dataclass(frozen=True, kw_only=True)
class Period:
    """A stretch of time that somebody named.

    Args:
        start: Its first instant, in UTC; None if it has no beginning.
        end: The first instant behind it, in UTC; None if it has no end.
        phrase: The words that name it, as they stand in the text.
        kind: ``said``: something was said or happened in it. ``held``: something was so in it, as of now
            (from now on, open) or no longer (until now, open).
    """

    start: datetime | None
    end: datetime | None
    phrase: str
    kind: Literal["said", "held"]


def find_period(
    text: str, asked_at: datetime, *, first_met: datetime | None = None, zone: tzinfo = UTC
) -> Period | None:
    """The period that a question restricts itself to; the first that it names.

    ``When did …?`` restricts nothing, and neither does a habit (``what do I do on Fridays?``).

    Args:
        text: The question. Its first 4,000 characters are read.
        asked_at: What the words are relative to; with a zone.
        first_met: When the person first talked to the agent, for "when we first met"; with a zone.
        zone: Where days begin and end.

    Returns:
        None where no time is named. The phrase of a period that is ``held`` is weaker: any other goes first.

    Raises:
        ValueError: A time has no zone.
    """
    tokens, now = _prepared(text, asked_at, zone)
    if tokens is None:
        return None
    context = Context(first_met=None if first_met is None else _aware(first_met, zone), told=False)
    for at, found in _phrases(tokens, context):
        if found.named is not None and _is_for_each(tokens, at, found):
            continue
        moment = Moment(now=now, ahead=looks_ahead(tokens, at) or False)
        period = _period(text, tokens, at, found, moment, zone)
        if period is not None:
            return period
    holds = state(tokens)
    if holds is None:
        return None
    instant = now.astimezone(UTC)
    words = _words(text, tokens, holds.at, holds.end)
    if holds.still:
        return Period(start=instant, end=None, phrase=words, kind="held")
    return Period(start=None, end=instant, phrase=words, kind="held")


def find_event(text: str, said_at: datetime, *, zone: tzinfo = UTC) -> Period | None:
    """The period in which an event that somebody tells happens: in the past or to come.

    Args:
        text: What was said, such as ``I'm flying to Rome next Friday``. Questions in it are not read.
        said_at: When it was said; with a zone.
        zone: Where days begin and end.

    Returns:
        The first that is named, or None. ``held`` where it began and has not ended (``since 2019``).

    Raises:
        ValueError: The time has no zone.
    """
    tokens, now = _prepared(text, said_at, zone)
    if tokens is None:
        return None
    for at, found in _phrases(tokens, Context(first_met=None, told=True)):
        if tokens.word(tokens.sentence_end(at)) == "?" or _is_birth(tokens, at, found):
            continue
        if found.named is not None and is_habit(tokens, at):
            continue
        ahead = looks_ahead(tokens, at)
        readings = [
            _period(text, tokens, at, found, Moment(now=now, ahead=one), zone)
            for one in ((True, False) if ahead is None else (ahead,))
        ]
        period = min(filter(None, readings), key=lambda one: _distance(one, now), default=None)
        if period is not None:
            return replace(period, kind="held") if period.end is None else period
    return None


_PLANS: Final = 0.6
"""People tell more of what they plan: a day to come counts as so much of a day that is over."""


def _distance(period: Period, now: datetime) -> timedelta:
    """How far it is from now. Told without a verb, it is near rather than far, and to come rather than over."""
    edges = [time - now for time in (period.start, period.end) if time is not None]
    return min(edge * _PLANS if edge > timedelta() else -edge for edge in edges)


def _prepared(text: str, at: datetime, zone: tzinfo) -> tuple[Tokens | None, datetime]:
    now = _aware(at, zone)
    if not FIRST_YEAR <= now.year <= LAST_YEAR:
        return None, now
    return Tokens(in_english(read(text)), now.date()), now


def _aware(when: datetime, zone: tzinfo) -> datetime:
    if when.tzinfo is None or when.utcoffset() is None:
        raise ValueError("a time without a zone: give datetimes that are aware")
    try:
        return when.astimezone(zone)
    except OverflowError:  # at the calendar's very ends
        return when


def _phrases(tokens: Tokens, context: Context) -> Iterator[tuple[int, Found]]:
    """The times that the words name, and where each begins. Within a refused one there may be another."""
    behind = 0
    for at in range(len(tokens)):
        found = phrase(tokens, at, context) if at >= behind else None
        if found is not None:
            yield at, found
            if found.named is not None and found.named.kind == "date":
                behind = found.end  # 29 February 2023 is not in February 2023


def _period(
    text: str, tokens: Tokens, at: int, found: Found, moment: Moment, zone: tzinfo
) -> Period | None:
    try:
        span: Span | None = found.read(moment)
        span = span and in_utc(span, zone)
    except (OverflowError, ValueError):  # a thousand years ago
        return None
    if span is None:
        return None
    begin = at + 1 if tokens.word(at) in _LEFT_OUT and tokens.word(at + 1) != "least" else at
    words = _words(text, tokens, begin, found.end)
    return Period(start=span.start, end=span.end, phrase=words, kind="said")


_LEFT_OUT: Final = frozenset({"in", "on", "at", "of", "during", "the"})


def _words(text: str, tokens: Tokens, at: int, end: int) -> str:
    """What stands in the text there, be it in the order of English or not."""
    places = [tokens[place] for place in range(at, end)]
    return text[min(token.start for token in places) : max(token.end for token in places)]


def _is_for_each(tokens: Tokens, at: int, found: Found) -> bool:
    """Whether a question asks for each of them: ``what do I wear in winter?``"""
    named = found.named
    if named is None or named.year is not None or named.which is not None:
        return False
    does = any(tokens.word(place) in {"do", "does"} for place in tokens.sentence(at))
    seasonal = named.kind in {"season", "feast"} and does and bool(looks_ahead(tokens, at))
    return seasonal or is_habit(tokens, at)


def _is_birth(tokens: Tokens, at: int, found: Found) -> bool:
    """A birthday without a year says nothing of when."""
    told = any(tokens.word(place) == "born" for place in range(max(at - 4, 0), at))
    return told and found.named is not None and found.named.year is None
