"""Taking apart what a person wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_CALLED: Final = re.compile(r"\b(?:called|named)\s+[\"'“]?([A-Z][\w&.-]*(?:\s+[A-Z][\w&.-]*){0,3})")
_FOR: Final = re.compile(
    r"\bfor\s+((?:[\w'-]+\s+){0,3}[\w'-]+?)(?=\s+(?:to|who|that|which|with|where|and|so)\b|[,.;:!?]|$)",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(
    r"[,.;:!?\n]+|\s+and\s+|\s+with\s+|\s+that\s+(?:can|lets?|helps?)\s+", re.IGNORECASE
)
_ARTICLE: Final = re.compile(r"^(?:an?|the|i want|we need|build|make|create)\s+", re.IGNORECASE)
_SMALL: Final = frozenset(
    {"a", "an", "the", "for", "of", "and", "to", "in", "on", "with", "that", "which"}
)


def cut(text: str, limit: int) -> str:
    """One line of at most that many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def name_of(idea: str) -> str:
    """What an application is called: by its own name, else by its first words."""
    called = _CALLED.search(idea)
    if called is not None:
        return cut(called[1], 100)
    words = _without_article(idea).split()[:6]
    title = " ".join(
        w if w.lower() in _SMALL and n else w[:1].upper() + w[1:] for n, w in enumerate(words)
    )
    return cut(title.strip(" ,.;:!?") or "Untitled", 100)


def audience_of(text: str) -> str | None:
    """For whom it is: what follows the first "for"."""
    found = _FOR.search(text)
    return cut(found[1], 100) if found else None


def phrases_of(texts: Sequence[str], *, limit: int = 8) -> list[str]:
    """The parts of which texts are made, without repetitions; each of a word or more."""
    found: dict[str, str] = {}
    for text in texts:
        for part in _PARTS.split(text):
            phrase = _without_article(part.strip(" -*\u2013\u2014\u2022\t\"'"))
            if re.search(r"\w{3}", phrase):
                found.setdefault(phrase.casefold(), phrase[:1].upper() + phrase[1:])
    return list(found.values())[:limit]


def key_words(text: str, limit: int = 5) -> list[str]:
    """The longest words of a text, in the order in which they come."""
    words = re.findall(r"[^\W\d_]{4,40}", text)
    longest = sorted(dict.fromkeys(w.lower() for w in words), key=lambda w: (-len(w), w))[:limit]
    return [w for w in dict.fromkeys(w.lower() for w in words) if w in longest]


def _without_article(text: str) -> str:
    before, text = None, text.strip()
    while before != text:
        before, text = text, _ARTICLE.sub("", text).strip()
    return text
