"""Finding documents of any kind by words and by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from stead.db import Transaction
from stead.knowledge import queries
from stead.knowledge.embeddings import model_number
from stead.providers.embedders import Embedder

_MAX_QUESTION_CHARS: Final = 4000


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A document that was found.

    Args:
        owner_id: Its row.
        score: The weighted sum of what both arms say, each divided by its best.
        dense: Inner product with the question, or None without a vector.
        lexical: BM25, or None where no word of the question occurs.
    """

    owner_id: UUID
    score: float
    dense: float | None
    lexical: float | None


async def search(
    tx: Transaction,
    kind: str,
    scope_id: UUID,
    question: str,
    *,
    embedder: Embedder,
    vector: Sequence[float] | None,
    limit: int = 10,
    facet: str | None = None,
    shared: bool = False,
    dense_weight: float = 1.0,
    lexical_weight: float = 1.0,
) -> list[Hit]:
    """Documents of one kind and scope for a question, best first. Exact.

    Which of them the caller may see is decided by the policies of their own table: read the rows from there.

    Args:
        tx: A transaction as the server.
        kind: A kind that a migration made searchable: ``goal``, ``belief``, ``evidence``, ``pattern``, ``agent``…
        scope_id: A person, a session, or the tenant for what belongs to it as a whole.
        question: In words.
        embedder: The model whose vectors are searched.
        vector: The question's embedding, made before the transaction; None searches by words only.
        limit: How many at most.
        facet: Only documents with this value in the column that narrows searches of this kind.
        shared: Also what the catalogue shares with every tenant.
        dense_weight: What meaning counts for.
        lexical_weight: What words count for.

    Raises:
        asyncpg.InsufficientPrivilegeError: The scope is not the caller's.
    """
    rows = await queries.search(
        tx,
        kind,
        scope_id,
        question[:_MAX_QUESTION_CHARS],
        vector,
        await model_number(tx, embedder),
        (dense_weight, lexical_weight),
        limit,
        facet,
        shared=shared,
    )
    return [Hit(**dict(row)) for row in rows]
