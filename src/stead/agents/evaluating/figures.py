"""What the answers to a data set's questions are summed up to."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from stead.agents.evaluating.dataset import Query

#: Questions, each with the ids of the turns that were found for it, best first.
Asked: TypeAlias = list[tuple[Query, Sequence[str]]]


def recall_at(asked: Asked, k: int) -> float:
    """The mean share of a question's evidence that is among the first ``k``; of at least one question."""
    shares = [
        len(query.evidence.intersection(found[:k])) / len(query.evidence) for query, found in asked
    ]
    return round(sum(shares) / len(shares), 4)


def by_category(asked: Asked, ks: Sequence[int]) -> dict[str, dict[str, float]]:
    """The same for each category, by ``k`` as text, with ``n``, its number of questions."""
    groups: defaultdict[str, Asked] = defaultdict(list)
    for query, found in asked:
        groups[query.category].append((query, found))
    return {
        name: {**{str(k): recall_at(group, k) for k in ks}, "n": len(group)}
        for name, group in sorted(groups.items())
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile.

    Args:
        values: At least one.
        share: 0 to 1; 0.5 is the (lower) median.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
