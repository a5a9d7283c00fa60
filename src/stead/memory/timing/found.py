"""What reading some words gave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from stead.memory.timing.calendar import Moment, Named, span_of
from stead.memory.timing.spans import Span
from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import HOURS


@dataclass(frozen=True, slots=True)
class Found:
    """A time that some words mean.

    Args:
        end: The place behind the words.
        read: The time they mean at a moment, or None if there is none.
        named: What they name, if it is something that comes again.
    """

    end: int
    read: Callable[[Moment], Span | None]
    named: Named | None = None


def fixed(end: int, span: Span | None) -> Found:
    """A time that is the same at each moment."""
    return Found(end, lambda _: span)


def recurring(end: int, named: Named) -> Found:
    """A time that comes again."""
    return Found(end, lambda moment: span_of(named, moment), named)


def changed(inner: Found, change: Callable[[Span], Span | None], end: int | None = None) -> Found:
    """A time that is made of another one."""

    def read(moment: Moment) -> Span | None:
        span = inner.read(moment)
        return change(span) if span else None

    return Found(inner.end if end is None else end, read)


def hours_of(inner: Found, tokens: Tokens) -> Found:
    """With the part of the day that follows, if one does: ``yesterday evening``, ``Friday night``."""
    hours = HOURS.get(tokens.word(inner.end))
    return changed(inner, lambda span: part_of_day(span, hours), inner.end + 1) if hours else inner


def part_of_day(span: Span, hours: tuple[int, int]) -> Span | None:
    """From and to these hours of the span's first day."""
    if span.start is None:
        return None
    return Span(span.start + timedelta(hours=hours[0]), span.start + timedelta(hours=hours[1]))
