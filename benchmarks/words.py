"""Sentences to fill a database with: English words in topics, as often as words are in a language."""

from __future__ import annotations

import random
from collections import Counter
from itertools import accumulate
from typing import Final

from benchmarks.memory_recall import DEFAULT_DATA
from stead.agents import evaluating

_TOPICS: Final = 400
_WORDS_OF_A_TOPIC: Final = 60
_ASKING: Final = ("what", "when", "who", "where", "did", "was", "about", "the")


class Topics:
    """The words of the conversations in `benchmarks/data`, by how often they occur, and subjects drawn from them.

    A sentence takes a third of its words from its subject and the rest from the language, so that neighbouring
    turns have words in common and frequent words are frequent.
    """

    def __init__(self, source: random.Random) -> None:
        self._random = source
        counts: Counter[str] = Counter()
        for scope in evaluating.load(DEFAULT_DATA):
            for turn in scope.turns:
                counts.update(w.strip(".,!?;:\"'()").lower() for w in turn.text.split())
        counts.pop("", None)
        self._words = list(counts)
        self._weights = list(accumulate(counts[w] for w in self._words))
        rare = [w for w in self._words if counts[w] < 40 and len(w) > 3]
        self._topics = [source.sample(rare, _WORDS_OF_A_TOPIC) for _ in range(_TOPICS)]

    def any(self) -> int:
        """A subject."""
        return self._random.randrange(_TOPICS)

    def sentence(self, topic: int) -> str:
        """Eight to thirty words on a subject."""
        length = self._random.randint(8, 30)
        plain = self._random.choices(self._words, cum_weights=self._weights, k=length - length // 3)
        words = plain + self._random.choices(self._topics[topic], k=length // 3)
        self._random.shuffle(words)
        return " ".join(words).capitalize() + "."

    def question(self, said: str) -> str:
        """A question about that turn: some of its words among those of questions."""
        words = [w for w in said.strip(".").lower().split() if len(w) > 3] or said.split()
        picked = self._random.sample(words, min(len(words), self._random.randint(3, 6)))
        return " ".join([*self._random.sample(_ASKING, 3), *picked]).capitalize() + "?"
