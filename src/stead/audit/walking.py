"""Reading one tenant's chain from the database, in the order in which it is checked or exported."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

from stead.audit import queries
from stead.audit.digests import row_digest, texts_digest
from stead.audit.models import ROW_FIELDS, Item, RowFields, Seal, SealedRow, TextsState, UnsealedRow
from stead.db import Row, Transaction


async def walk(tx: Transaction, tenant_id: UUID) -> AsyncIterator[Item]:
    """Seals with their rows, then what is unsealed, through cursors: nothing is held in memory.

    Sealing may go on meanwhile: what is sealed after the beginning is left out, and a row that is sealed
    between is no longer unsealed.

    Args:
        tx: A transaction as the tenant's service.
        tenant_id: Whose chain.
    """
    last = await queries.last_seal(tx, tenant_id)
    rows = queries.sealed_rows(tx, tenant_id, last)
    row = await anext(rows, None)
    async for seal in queries.seals(tx, tenant_id, last):
        while row is not None and row["seal_no"] < seal["seal_no"]:
            yield _sealed_row(row)
            row = await anext(rows, None)
        yield Seal(**seal)
        while row is not None and row["seal_no"] == seal["seal_no"]:
            yield _sealed_row(row)
            row = await anext(rows, None)
    while row is not None:
        yield _sealed_row(row)
        row = await anext(rows, None)
    async for found in queries.row_ids(tx, tenant_id):
        if not found["sealed"]:
            yield UnsealedRow(audit_id=found["audit_id"])


async def row_fields(tx: Transaction, tenant_id: UUID, audit_id: int) -> RowFields | None:
    """The fields of one row."""
    row = await queries.row(tx, tenant_id, audit_id)
    return None if row is None else fields_of(row)


def fields_of(row: Row) -> RowFields:
    """The fields that a digest covers, in their order."""
    return tuple(row[name] for name in ROW_FIELDS)


def _sealed_row(row: Row) -> SealedRow:
    fields = None if row["id"] is None else fields_of(row)
    return SealedRow(
        seal_no=row["seal_no"],
        position=row["position"],
        audit_id=row["audit_id"],
        digest=row["digest"],
        found=None if fields is None else row_digest(fields),
        fields=fields,
        texts=texts_state(row["commitment"], row["salt"], row["texts"]),
        kept=None if row["texts"] is None else (row["salt"], row["texts"]),
    )


def texts_state(commitment: str | None, salt: bytes | None, texts: str | None) -> TextsState | None:
    """What became of the texts of a row.

    Args:
        commitment: The digest in the row; None where it has none.
        salt: What is kept beside the log under that digest; None where nothing is.
        texts: Likewise.
    """
    if commitment is None:
        return None
    if salt is None or texts is None:
        return "erased"
    return "kept" if texts_digest(salt, texts) == commitment else "altered"


def commitment_of(payload: str | None) -> str | None:
    """The digest of texts in a row's payload, as the database finds it there; None where there is none."""
    if payload is None or '"erasable"' not in payload:
        return None
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    value = cast("dict[str, object]", found).get("erasable") if isinstance(found, dict) else None
    return value if isinstance(value, str) else None
