"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from stead.db import Row, Transaction


async def pieces(tx: Transaction, tenant_id: UUID, ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        """
        select id, source_type, source_id, content, metadata, created_at from public.evidence_embeddings
        where tenant_id = $1 and id = any ($2)
        """,
        tenant_id,
        ids,
    )
