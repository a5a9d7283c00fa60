"""Reading the memory block of the instructions and ranking its lines by the words of a question."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stead.providers.models.offline.words import clean, content_words, one_line, shorten

MEMORIES_OPEN = "<memories>"
MEMORIES_CLOSE = "</memories>"

_DATE = re.compile(r"\[(\d{4}-\d{2}-\d{2})[^\]]*\]\s*")
_LINE_LIMIT = 500
# Below this share of the best score, a shared word is more likely chance than an answer.
_NEAR_BEST = 0.4


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """One thing that can be quoted: a memory, or what the user said earlier in this conversation."""

    text: str
    date: str | None = None
    from_conversation: bool = False


def parse_memories(instructions: str | None) -> list[Remembered]:
    """The memories between a line ``<memories>`` and a line ``</memories>``, one per line after ``- ``.

    The markers count only when they stand alone on their line, so a memory that quotes one neither opens
    nor closes a block. Nothing outside the block is read.
    """
    found: list[Remembered] = []
    inside = False
    for line in clean(instructions or "").split("\n"):
        stripped = line.strip()
        if stripped in (MEMORIES_OPEN, MEMORIES_CLOSE):
            inside = stripped == MEMORIES_OPEN
        elif inside and stripped.startswith("- "):
            text = one_line(stripped[2:])
            date = _DATE.match(text)
            text = text[date.end() :] if date else text
            if text:
                found.append(
                    Remembered(text=shorten(text, _LINE_LIMIT), date=date.group(1) if date else None)
                )
    return found


def rank(query: str, remembered: Sequence[Remembered], *, least_shared: int = 1) -> list[Remembered]:
    """Those of ``remembered`` that share content words with ``query``, best first.

    A shared word weighs ``log(1 + N/df)`` (inverse document frequency over the lines at hand); ties keep
    their order, which is Stead's own ranking.

    Args:
        query: The user's words.
        remembered: What may be quoted.
        least_shared: How many content words a line must share with the query.
    """
    asked = set(content_words(query))
    bags = [set(content_words(entry.text)) for entry in remembered]
    frequency = Counter(word for bag in bags for word in bag)
    scored = [
        (sum(math.log1p(len(bags) / frequency[word]) for word in sorted(asked & bag)), -position)
        for position, bag in enumerate(bags)
        if len(asked & bag) >= least_shared
    ]
    if not scored:
        return []
    floor = _NEAR_BEST * max(scored)[0]
    return [remembered[-position] for score, position in sorted(scored, reverse=True) if score >= floor]
