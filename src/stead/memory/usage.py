"""Whether an answer made use of a memory that it was given: the ground of the hit rate."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from stead.memory.facts.words import content_words
from stead.memory.models import Recalled

#: The share of what a memory says, beyond what was asked, that is found again in an answer that used it.
_USED: Final = 0.4
_MAX_CHARS: Final = 20_000


def used(answer: str, asked: str, injected: Sequence[Recalled]) -> list[UUID]:
    """The memories of which an answer says something.

    A memory was used when at least two fifths of its words that were not in the question (one at the least) are in
    the answer. This finds what was told again and misses what only guided the answer: it is a lower bound, the
    same for all agents and embedders, and needs no model.

    Args:
        answer: What the agent said.
        asked: What it was asked; words of the question prove nothing.
        injected: What it was given.
    """
    said = set(content_words(answer[:_MAX_CHARS]))
    question = set(content_words(asked[:_MAX_CHARS]))
    return [
        item.memory.id for item in injected if said and _is_used(item.memory.content, said, question)
    ]


def _is_used(content: str, said: Collection[str], question: Collection[str]) -> bool:
    words = set(content_words(content[:_MAX_CHARS]))
    telling = words.difference(question) or words
    return bool(telling) and len(telling.intersection(said)) >= max(1, _USED * len(telling))
