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
    its lease, and later each time.

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
        await queries.store_backlog(tx, [row["owner_id"] for row in rows], model, vectors)
    return len(rows)
