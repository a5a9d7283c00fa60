"""Single times, and their parts: early 2022, mid-May, the first week of May, the last Friday of June."""

from __future__ import annotations

from typing import Final, Literal

from stead.memory.timing.calendar import Kind, Named, within
from stead.memory.timing.found import Found, changed, fixed
from stead.memory.timing.names import absolute
from stead.memory.timing.quantities import ago
from stead.memory.timing.relative import relative, unit_around
from stead.memory.timing.spans import Part, Span, later, midnight, part_of
from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import ORDINALS, WEEKDAYS

_PARTS: Final[dict[str, Part]] = {"early": "early", "mid": "mid", "late": "late"}
_PARTS_OF: Final[dict[str, Part]] = {
    "beginning": "early", "start": "early", "early": "early", "middle": "mid", "mid": "mid", "end": "late",
    "late": "late",
}  # fmt: skip


def single(tokens: Tokens, at: int, before: str) -> Found | None:
    """One time, without words that bound it."""
    return (
        ago(tokens, at)
        or _part(tokens, at)
        or _counted(tokens, at)
        or relative(tokens, at)
        or absolute(tokens, at, before)
    )


def _part(tokens: Tokens, at: int) -> Found | None:
    """``early 2022``, ``mid-May``, ``the end of last year``, ``the first half of 2022``."""
    begin = tokens.skip(at, "the")
    part = _PARTS.get(tokens.word(begin))
    inner_at = begin + 1
    if tokens.word(begin + 1) == "of" and tokens.word(begin) in _PARTS_OF:
        part, inner_at = _PARTS_OF[tokens.word(begin)], begin + 2
    elif tokens.word(begin) in {"first", "second"} and tokens.follow(begin + 1, "half of"):
        part, inner_at = "first half" if tokens.word(begin) == "first" else "second half", begin + 3
    elif part is not None:
        inner_at = tokens.skip(tokens.skip(inner_at, "-"), "in", "on")
    if part is None:
        return None
    return _part_of(_whole(tokens, inner_at), part)


def _part_of(inner: Found | None, part: Part) -> Found | None:
    return changed(inner, lambda span: part_of(span, part)) if inner else None


def _whole(tokens: Tokens, at: int) -> Found | None:
    """What has parts: a year, a month, ``the week`` (this one)."""
    if tokens.word(at) == "the" and tokens.word(at + 1) in {
        "week",
        "month",
        "year",
        "quarter",
        "decade",
    }:
        return fixed(at + 2, unit_around(tokens, tokens.word(at + 1)))
    return relative(tokens, at) or absolute(tokens, at, "part")


def _counted(tokens: Tokens, at: int) -> Found | None:
    """``the first week of May``, ``last Friday of June``, ``the second weekend in May``."""
    begin = tokens.skip(at, "the")
    place = -1 if tokens.word(begin) == "last" else ORDINALS.get(tokens.word(begin), 0) - 1
    what = tokens.word(begin + 1)
    if tokens.word(begin + 2) not in {"of", "in"} or not -1 <= place <= 4 or not what:
        return None
    if place == -1 and tokens.word(begin) != "last":
        return None
    inner = _whole(tokens, begin + 3)
    if inner is None:
        return None
    if what in WEEKDAYS or what == "weekend":
        kind: Kind = "weekend" if what == "weekend" else "weekday"
        return changed(inner, lambda span: within(Named(kind, WEEKDAYS.get(what, 5)), span, place=place))
    if what not in {"week", "month", "day"}:
        return None
    unit: Literal["day", "week", "month"] = (
        "week" if what == "week" else "month" if what == "month" else "day"
    )
    return changed(inner, lambda span: _nth(span, unit, place))


def _nth(span: Span, unit: Literal["day", "week", "month"], place: int) -> Span | None:
    """The unit at that place, counted from the span's beginning, or the last from its end."""
    if span.start is None or span.end is None:
        return None
    edge = span.end.date() if place == -1 else span.start.date()
    start = midnight(later(edge, place, unit))
    end = midnight(later(edge, place + 1, unit))
    return Span(start, end) if span.start <= start and end <= span.end else None
