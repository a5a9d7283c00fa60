"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stead.db import Row, Transaction


async def embedding_model(tx: Transaction, name: str, dimensions: int) -> int:
    return await tx.value("select stead.embedding_model($1, $2)", name, dimensions)


async def insert_embeddings(
    tx: Transaction,
    tenant_id: UUID,
    kind: str,
    model: int,
    owner_ids: Sequence[UUID],
    scope_ids: Sequence[UUID],
    vectors: Sequence[Sequence[float]],
) -> None:
    # Two-dimensional arrays cannot be unnested by row, so each vector is one row of parameters.
    await tx.execute_many(
        """
        insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, embedding)
        values ($1, $2, $3, $4, $5, stead.as_embedding($6::real[]))
        on conflict (tenant_id, kind, owner_id, model_id) do update set embedding = excluded.embedding
        """,
        [
            (tenant_id, kind, owner, scope, model, vector)
            for owner, scope, vector in zip(owner_ids, scope_ids, vectors, strict=True)
        ],
    )


async def claim_backlog(tx: Transaction, batch: int, lease_s: float) -> list[Row]:
    return await tx.rows(
        """
        select kind, owner_id, tenant_id, scope_id, content, ticket
        from stead.claim_embedding_backlog($1, $2)
        """,
        batch,
        lease_s,
    )


async def store_backlog(
    tx: Transaction,
    kinds: Sequence[str],
    owner_ids: Sequence[UUID],
    tickets: Sequence[datetime],
    model: int,
    vectors: Sequence[Sequence[float]],
) -> int:
    return await tx.value(
        "select stead.store_embeddings($1, $2, $3, $4::smallint, $5::real[])",
        list(kinds),
        list(owner_ids),
        list(tickets),
        model,
        vectors,
    )


async def reindex_step(tx: Transaction, model: int, batch: int) -> int:
    return await tx.value("select stead.reindex_step($1::smallint, $2)", model, batch)


async def forget_embedding_model(tx: Transaction, name: str, batch: int) -> int:
    return await tx.value("select stead.forget_embedding_model($1, $2)", name, batch)


async def fold_totals(tx: Transaction, many: int, batch: int) -> int:
    return await tx.value("select stead.fold_search_totals($1, $2)", many, batch)


async def unindexed_collections(tx: Transaction, large: int, model_name: str) -> int:
    return await tx.value("select stead.unindexed_collections($1, $2)", large, model_name)


async def search(
    tx: Transaction,
    kind: str,
    scope_id: UUID,
    question: str,
    vector: Sequence[float] | None,
    model: int,
    weights: Sequence[float],
    limit: int,
    facet: str | None,
    *,
    shared: bool,
) -> list[Row]:
    return await tx.rows(
        """
        select owner_id, score, dense, lexical
        from stead.hybrid_search($1, $2, $3, $4::real[], $5::smallint, $6::real[], $7, $8, $9)
        """,
        kind,
        scope_id,
        question,
        vector,
        model,
        list(weights),
        limit,
        facet,
        shared,
    )
