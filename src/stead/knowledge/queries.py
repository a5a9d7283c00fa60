"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
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


async def add_to_backlog(
    tx: Transaction, tenant_id: UUID, kind: str, owner_ids: Sequence[UUID], scope_ids: Sequence[UUID]
) -> None:
    await tx.execute(
        """
        insert into stead.embedding_backlog (tenant_id, kind, owner_id, scope_id)
        select $1, $2, u.owner_id, u.scope_id from unnest($3::uuid[], $4::uuid[]) as u (owner_id, scope_id)
        on conflict do nothing
        """,
        tenant_id,
        kind,
        list(owner_ids),
        list(scope_ids),
    )


async def claim_backlog(tx: Transaction, batch: int, lease_s: float) -> list[Row]:
    return await tx.rows(
        "select owner_id, tenant_id, scope_id, content from stead.claim_embedding_backlog($1, $2)",
        batch,
        lease_s,
    )


async def store_backlog(
    tx: Transaction, owner_ids: Sequence[UUID], model: int, vectors: Sequence[Sequence[float]]
) -> int:
    return await tx.value(
        "select stead.store_embeddings($1, $2::smallint, $3::real[])", list(owner_ids), model, vectors
    )
