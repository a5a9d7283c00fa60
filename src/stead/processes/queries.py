"""Statements of processes."""

from __future__ import annotations

from uuid import UUID

from stead.db import Transaction


async def beat(tx: Transaction, process_id: UUID, kind: str, host: str, pid: int) -> None:
    await tx.execute("select stead.beat($1, $2, $3, $4)", process_id, kind, host, pid)


async def leave(tx: Transaction, process_id: UUID) -> None:
    await tx.execute("select stead.leave($1)", process_id)
