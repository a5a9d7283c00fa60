"""Statements that erase."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from stead.db import Row, Transaction


async def erase_memory(tx: Transaction, memory_id: UUID, *, sources: bool) -> dict[str, Any] | None:
    return await tx.value("select stead.erase_memory($1, $2)", memory_id, sources)


async def request_erasure(tx: Transaction, kind: str, subject_id: UUID, erasure_id: UUID) -> UUID | None:
    return await tx.value("select stead.request_erasure($1, $2, $3)", kind, subject_id, erasure_id)


async def erase_step(tx: Transaction, erasure_id: UUID, batch: int) -> Row:
    row = await tx.row("select gone, finished, erased from stead.erase_step($1, $2)", erasure_id, batch)
    assert row is not None  # noqa: S101 - a function with OUT parameters always answers with one row
    return row


async def release_erasure(tx: Transaction, erasure_id: UUID) -> None:
    await tx.execute("select stead.release_erasure($1)", erasure_id)


async def claim_erasures(tx: Transaction, batch: int) -> list[Row]:
    return await tx.rows(
        "select id, tenant_id, tenant_slug, kind, subject_id from stead.claim_erasures($1)", batch
    )
