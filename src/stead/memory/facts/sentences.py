"""Cutting a message into sentences, and a sentence into clauses. Every piece is a stretch of what was given.

All patterns are bounded and look at each character a fixed number of times: a message is whatever its sender
likes, and a hundred thousand characters of punctuation must cost no more than as many of prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from stead.memory.facts.words import word_set

_LINE: Final = re.compile(r"[^\n\r\u2028\u2029]+")
_END: Final = re.compile(r"(?<=[.!?…])[\"'”\u2019)\]]{0,3}\s|(?<=[。\uff01\uff1f])")
_QUOTED: Final = re.compile(r"[\"“]([^\"“”]{8,2000})[\"”]")
_ABBREVIATIONS: Final = word_set(
    "dr mr mrs ms prof st vs eg e.g i.e approx no nr jr sr inc ltd dept est etc z.b bzw sra dra"
)
_MIN_QUOTED_WORDS: Final = 4

#: A clause of its own begins where the speaker is named again. A lone "and" joins two objects as well, so what
#: follows has to be a subject.
_CLAUSE: Final = re.compile(
    r"(?:,|;| [-\u2013—])(?: (?:and|but|so|plus|while|also|though|yet))?(?: also)? (?=(?:i|"
    r"i[\u2019']\w{1,2}|my|we|our)\b)"
    r"| (?:and|but|so|plus|while|yet)(?: also| now)? (?=(?:i|i[\u2019']\w{1,2}|my|we|our)\b)",
    re.IGNORECASE,
)
_FOREIGN_CLAUSE: Final = re.compile(
    r"(?:,| und| y| et| e) (?=(?:ich|mein|meine|me llamo|vivo|tengo|soy|trabajo|estoy|mi|"
    r"me gusta|me gustan|prefiero|je|mon|ma|"
    r"eu|meu|minha|moro|sou|tenho|trabalho|gosto|prefiro)\b|j['\u2019])",
    re.IGNORECASE,
)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, without those that lie within quotation marks.

    A line's end is a sentence's end. A quoted name or word counts as the sentence's own.
    """
    quoted = [
        (found.start() + 1, found.end() - 1)
        for found in _QUOTED.finditer(text)
        if len(found[1].split()) >= _MIN_QUOTED_WORDS
    ]
    nth = 0
    for line in _LINE.finditer(text):
        start = line.start()
        for end in chain(_ends(text, line.start(), line.end()), (line.end(),)):
            piece = text[start:end]
            begins = start + len(piece) - len(piece.lstrip())
            start = end
            while nth < len(quoted) and quoted[nth][1] <= begins:
                nth += 1
            if nth < len(quoted) and quoted[nth][0] <= begins:
                continue
            if stripped := piece.strip():
                yield stripped


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    for found in _END.finditer(text, start, end):
        # No word that stands before an abbreviation's full stop is longer than this.
        before = text[max(start, found.start() - 12) : found.start()]
        word = before.rsplit(None, 1)[-1] if before.strip() else ""
        bare = word.rstrip(".").lower()
        initial = len(word) == 2 and word[0].isupper() and word[0] != "I"
        if word.endswith(".") and (bare in _ABBREVIATIONS or initial):
            continue
        yield found.end()


def clauses(sentence: str) -> list[tuple[int, int]]:
    """Where the clauses of a sentence stand that name the speaker again, as (start, end)."""
    spans: list[tuple[int, int]] = []
    start = 0
    pattern = _CLAUSE if _CLAUSE.search(sentence) else _FOREIGN_CLAUSE
    for found in pattern.finditer(sentence):
        if found.start() > start:
            spans.append((start, found.start()))
            start = found.end()
    spans.append((start, len(sentence)))
    return spans
