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
        values: A unit vector of the model's dimensions, or None: it waits in the backlog.
    """

    owner_id: UUID
    scope_id: UUID
    values: Sequence[float] | None


async def model_number(tx: Transaction, embedder: Embedder) -> int:
    """The number of an embedder's model in this database, made at first use."""
    return await queries.embedding_model(tx, embedder.model_id, embedder.dimensions)


async def insert(
    tx: Transaction, tenant_id: UUID, kind: str, embedder: Embedder, vectors: Sequence[Vector]
) -> None:
    """Stores vectors that are there, and puts the others into the backlog, in the caller's transaction."""
    ready = [v for v in vectors if v.values is not None]
    waiting = [v for v in vectors if v.values is None]
    if ready:
        await queries.insert_embeddings(
            tx,
            tenant_id,
            kind,
            await model_number(tx, embedder),
            [v.owner_id for v in ready],
            [v.scope_id for v in ready],
            [v.values or () for v in ready],
        )
    if waiting:
        await queries.add_to_backlog(
            tx, tenant_id, kind, [v.owner_id for v in waiting], [v.scope_id for v in waiting]
        )
