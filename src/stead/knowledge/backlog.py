"""Embedding what waits: claim, embed outside any transaction, store."""

from __future__ import annotations

from stead.db import NOBODY, Database
from stead.knowledge import queries
from stead.knowledge.embeddings import model_number
from stead.providers.embedders import Embedder


async def embed_backlog(
    db: Database, embedder: Embedder, *, batch: int = 128, lease_s: float = 60.0
) -> int:
    """Embeds one batch of the backlog of all tenants, and returns how many it took.

    Two workers take different ones. If this one dies, or the embedder fails, the batch is due again after
    its lease, and later each time. What changes while its old text is being embedded waits again.

    Args:
        db: The database.
        embedder: What makes the vectors.
        batch: How many at most.
        lease_s: Seconds for which nobody else takes them.
    """
    async with db.transaction(NOBODY) as tx:
        rows = await queries.claim_backlog(tx, batch, lease_s)
    if not rows:
        return 0
    vectors = await embedder.embed([row["content"] for row in rows])
    async with db.transaction(NOBODY) as tx:
        model = await model_number(tx, embedder)
        await queries.store_backlog(
            tx,
            [row["kind"] for row in rows],
            [row["owner_id"] for row in rows],
            [row["ticket"] for row in rows],
            model,
            vectors,
        )
    return len(rows)


async def reindex(db: Database, embedder: Embedder, *, batch: int = 1000) -> int:
    """Looks through some documents for those without a vector of the model in use, and lets them wait for one.

    After a switch of the model this goes once through everything; from then on it finds that it is done.
    Meanwhile searches find by words what has no new vector yet. The old model's vectors stay until
    `forget_model`, so that switching back costs nothing.

    Args:
        db: The database.
        embedder: The model in use.
        batch: How many documents to look at.

    Returns:
        How many it looked at; 0 when there is nothing left to do.
    """
    async with db.transaction(NOBODY) as tx:
        return await queries.reindex_step(tx, await model_number(tx, embedder), batch)


async def forget_model(db: Database, model_id: str, *, batch: int = 5000) -> int:
    """Deletes the vectors of a model that is no longer searched, some at a time; returns how many."""
    async with db.transaction(NOBODY) as tx:
        return await queries.forget_embedding_model(tx, model_id, batch)


async def fold_totals(db: Database, *, many: int = 64, batch: int = 500) -> int:
    """Folds the differences in size of collections that have more than ``many`` of them; returns how many."""
    async with db.transaction(NOBODY) as tx:
        return await queries.fold_totals(tx, many, batch)
