"""Finding what matters now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from stead.db import Row, Transaction
from stead.identity import Principal
from stead.memory import queries
from stead.memory.models import Memory, Recalled
from stead.providers.embedders import Embedder

MAX_QUESTION_CHARS: Final = 4000


@dataclass(frozen=True, kw_only=True)
class RecallWeights:
    """What each arm counts for, after division by its best score. Measured in `benchmarks.memory_recall`.

    Args:
        dense: Likeness of a memory to the question.
        dense_near: The same of a turn together with its neighbours.
        lexical: Words of the memory.
        lexical_near: Words of a turn and the one before it.
        lexical_wide: Words of a turn and two on each side.
        length: How much more (as a share) a very long memory counts than an empty one.
        asking: How much less (as a share) one counts that mostly asks.
    """

    dense: float = 1.0
    dense_near: float = 0.5
    lexical: float = 0.6
    lexical_near: float = 0.6
    lexical_wide: float = 0.5
    length: float = 1.0
    asking: float = 0.2

    def values(self) -> list[float]:
        """In the order of the SQL function."""
        return [
            self.dense,
            self.dense_near,
            self.lexical,
            self.lexical_near,
            self.lexical_wide,
            self.length,
            self.asking,
        ]


DEFAULT_WEIGHTS: Final = RecallWeights()


def _recalled(row: Row) -> Recalled:
    fields = dict(row)
    arms = {name: fields.pop(name) for name in ("dense", "lexical", "lexical_near", "lexical_wide")}
    score = fields.pop("score")
    return Recalled(memory=Memory(**fields), score=score, **arms)


async def recall(
    tx: Transaction,
    scope_id: UUID,
    question: str,
    *,
    embedder: Embedder,
    vector: Sequence[float] | None,
    agent_id: UUID | None = None,
    limit: int = 12,
    weights: RecallWeights = DEFAULT_WEIGHTS,
) -> list[Recalled]:
    """Memories of one scope for a question, best first, in one round trip.

    When fewer match than are wanted, the latest fill up the list with a score of 0.

    Args:
        tx: A transaction as the server.
        scope_id: The person, or the session of somebody not known.
        question: What they are wanted for; only its first 4,000 characters count.
        embedder: The model whose vectors are searched.
        vector: The question's embedding, made before the transaction; None leaves out the dense arm.
        agent_id: Leaves out what other agents keep to themselves.
        limit: How many at most.
        weights: What each arm counts for.
    """
    rows = await queries.recall(
        tx,
        scope_id,
        agent_id,
        question[:MAX_QUESTION_CHARS],
        vector,
        embedder.model_id,
        embedder.dimensions,
        weights.values(),
        limit,
    )
    return [_recalled(row) for row in rows]


async def note(
    tx: Transaction,
    principal: Principal,
    *,
    session_id: UUID,
    profile_id: UUID | None,
    run_id: UUID,
    agent_name: str,
    found: Sequence[Recalled],
    injected: Sequence[Recalled],
    embedder: Embedder,
    started_at: float,
) -> None:
    """Logs a recall: what was found and what was given to the model, by id and score.

    Args:
        started_at: ``time.monotonic()`` before the recall.
    """
    await queries.insert_log(
        tx,
        principal.tenant.id,
        profile_id,
        session_id,
        run_id,
        agent_name,
        "recall",
        None,
        {
            "embedder": embedder.model_id,
            "latency_ms": round((time.monotonic() - started_at) * 1000, 2),
            "found": [{"id": str(r.memory.id), "score": round(r.score, 4)} for r in found],
            "injected": [str(r.memory.id) for r in injected],
        },
    )
    if injected:
        await queries.note_recall(tx, [r.memory.id for r in injected])
