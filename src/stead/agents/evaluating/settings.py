"""Settings side by side: embedders, and arms of the search switched off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from stead.agents.errors import EvaluationSettingsInvalid
from stead.agents.evaluating.dataset import Scope
from stead.agents.evaluating.figures import by_category, percentile, recall_at
from stead.agents.evaluating.trial import Progress, Trial, no_progress
from stead.db import Database
from stead.identity import Tenant
from stead.memory import RecallWeights
from stead.memory.recall import DEFAULT_WEIGHTS
from stead.providers.embedders import Embedder

MAX_DEPTH: Final = 200


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How one setting did.

    Args:
        embedder: Its name.
        without: The arm that was switched off; None: none was.
        n: How many questions there were.
        recall: The mean share of a question's evidence among the first ``k``, by ``k`` as text.
        by_category: The same for each category, with its ``n``.
        p50_ms: Median time of a recall; ``p95_ms``: what one in twenty took longer than.
    """

    embedder: str
    without: str | None
    n: int
    recall: dict[str, float]
    by_category: dict[str, dict[str, float]]
    p50_ms: float
    p95_ms: float


def arms() -> list[str]:
    """What can be switched off: the names of the weights of a recall."""
    return [field.name for field in fields(RecallWeights)]


def check_arms(names: Sequence[str]) -> None:
    """Raises EvaluationSettingsInvalid when one of the names is no arm."""
    known = arms()
    for name in names:
        if name not in known:
            raise EvaluationSettingsInvalid(
                f"there is no arm {name!r}", hint=f"There are: {', '.join(known)}."
            )


def check_depths(ks: Sequence[int]) -> list[int]:
    """The depths in order, each once.

    Raises:
        EvaluationSettingsInvalid: There are none, or one lies outside of 1 to 200.
    """
    if not ks or any(not 1 <= k <= MAX_DEPTH for k in ks):
        raise EvaluationSettingsInvalid(
            f"k lies between 1 and {MAX_DEPTH}", hint="For instance 5,10,20."
        )
    return sorted(set(ks))


async def compare(
    db: Database,
    tenant: Tenant,
    scopes: Sequence[Scope],
    embedder: Embedder,
    *,
    name: str,
    without: Sequence[str] = (),
    ks: Sequence[int] = (5, 10, 20),
    progress: Progress = no_progress,
) -> AsyncIterator[Measured]:
    """Stores a data set with an embedder, then asks its questions with every arm and without each of some.

    Args:
        db: The database.
        tenant: Made for this, and deleted by whoever made it.
        scopes: The data set, with at least one question.
        embedder: What makes the vectors.
        name: What it is called in the result.
        without: Arms to switch off, one after the other.
        ks: Cut-offs.
        progress: Told of each scope.

    Raises:
        EvaluationSettingsInvalid: There is no such arm or no such cut-off.
        SteadError: The embedder failed: without vectors there is nothing to compare.
    """
    check_arms(without)
    ks = check_depths(ks)
    trial = Trial(db, embedder, tenant, depth=ks[-1], progress=progress)
    await trial.fill(scopes)
    # The first questions wait for caches and plans, which is nobody's setting.
    await trial.ask(scopes[:1], DEFAULT_WEIGHTS)
    for arm in (None, *without):
        weights = DEFAULT_WEIGHTS if arm is None else replace(DEFAULT_WEIGHTS, **{arm: 0.0})
        trial.forget_times()
        asked = await trial.ask(scopes, weights)
        yield Measured(
            embedder=name,
            without=arm,
            n=len(asked),
            recall={str(k): recall_at(asked, k) for k in ks},
            by_category=by_category(asked, ks),
            p50_ms=round(percentile(trial.recall_ms, 0.5), 2),
            p95_ms=round(percentile(trial.recall_ms, 0.95), 2),
        )
