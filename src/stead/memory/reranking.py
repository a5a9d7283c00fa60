"""Reading what a search found once more, with a cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from stead.memory.models import Recalled
from stead.providers.rerankers import Reranker

#: How many a search has to find for each that is wanted, so that the reranker has a choice.
CHOICE: Final = 4
MOST_READ: Final = 60


def to_read(limit: int) -> int:
    """How many memories to recall when the best ``limit`` of them are wanted after reranking."""
    return max(limit, min(limit * CHOICE, MOST_READ))


async def rerank(
    reranker: Reranker, question: str, found: Sequence[Recalled], *, limit: int
) -> list[Recalled]:
    """What was found in the order of a cross-encoder's scores, which stand in ``scores.reranked``.

    Outside of any transaction. Equals keep their order.

    Args:
        reranker: What reads them.
        question: What is asked.
        found: What a search found, best first.
        limit: How many are wanted.

    Raises:
        RerankerFailed: It did not answer, or not with what was asked for.
    """
    scores = await reranker.score(question, [item.memory.content for item in found])
    read = [
        replace(item, scores=replace(item.scores, reranked=score))
        for item, score in zip(found, scores, strict=True)
    ]
    return sorted(read, key=lambda item: -(item.scores.reranked or 0.0))[:limit]
