"""Storing vectors beside what they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from stead.db import Transaction
from stead.knowledge import queries
from stead.providers.embedders import Embedder


@dataclass(frozen=True, kw_only=True)
class Vector:
    """What a vector belongs to.

    Args:
        owner_id: The row whose text was embedded.
        scope_id: In whose search it appears.
        values: A unit vector of the model's dimensions.
    """

    owner_id: UUID
    scope_id: UUID
    values: Sequence[float]


async def model_number(tx: Transaction, embedder: Embedder) -> int:
    """The number of an embedder's model in this database, made at first use."""
    return await queries.embedding_model(tx, embedder.model_id, embedder.dimensions)


async def insert(
    tx: Transaction, tenant_id: UUID, kind: str, embedder: Embedder, vectors: Sequence[Vector]
) -> None:
    """Stores vectors. What is stored without one waits for it in the backlog: its table's trigger sees to that."""
    if vectors:
        await queries.insert_embeddings(
            tx,
            tenant_id,
            kind,
            await model_number(tx, embedder),
            [v.owner_id for v in vectors],
            [v.scope_id for v in vectors],
            [v.values for v in vectors],
        )
