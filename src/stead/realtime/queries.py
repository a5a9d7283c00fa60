"""Statements of live updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from stead.db import Row, Transaction


async def keep_interest(
    tx: Transaction, tenants: Sequence[UUID], tables: Sequence[str], lease_s: float
) -> list[Row]:
    return await tx.rows("select * from stead.keep_interest($1, $2, $3)", tenants, tables, lease_s)


async def settled(tx: Transaction, since: int) -> bool:
    return await tx.value("select stead.settled($1)", str(since))


async def snapshot(tx: Transaction) -> str:
    return await tx.value("select pg_current_snapshot()::text")


async def read_changes(
    tx: Transaction,
    seen: str,
    upto: str | None,
    after: int,
    batch: int,
    tenant: UUID | None = None,
    table: str | None = None,
) -> list[Row]:
    return await tx.rows(
        "select * from stead.read_changes($1, $2, $3, $4, $5, $6)",
        seen,
        upto,
        after,
        batch,
        tenant,
        table,
    )


async def read_broadcasts(
    tx: Transaction, seen: str, upto: str | None, after: int, batch: int, process: UUID
) -> list[Row]:
    return await tx.rows(
        "select * from stead.read_broadcasts($1, $2, $3, $4, $5)", seen, upto, after, batch, process
    )


async def visible_changes(
    tx: Transaction, table: str, op: str, given: list[dict[str, Any]]
) -> Row | None:
    return await tx.row("select * from stead.visible_changes($1, $2, $3)", table, op, given)


async def texts_match(
    tx: Transaction, texts: Sequence[str], patterns: Sequence[str]
) -> list[bool | None]:
    return await tx.value("select stead.texts_match($1, $2)", texts, patterns)


async def broadcast(tx: Transaction, topic: str, event: str, payload: Any) -> None:
    await tx.execute("select stead.broadcast($1, $2, $3)", topic, event, payload)


async def send_broadcasts(
    tx: Transaction,
    process: UUID,
    tenants: Sequence[UUID],
    topics: Sequence[str],
    kinds: Sequence[str],
    events: Sequence[str],
    payloads: list[Any],
) -> None:
    await tx.execute(
        "select stead.send_broadcasts($1, $2, $3, $4, $5, $6)",
        process,
        tenants,
        topics,
        kinds,
        events,
        payloads,
    )


async def change_presence(
    tx: Transaction,
    process: UUID,
    tenant: UUID,
    presence: UUID,
    topic: str,
    key: str,
    meta: dict[str, Any] | None,
    lease_s: float,
) -> None:
    await tx.execute(
        "select stead.change_presence($1, $2, $3, $4, $5, $6, $7)",
        process, tenant, presence, topic, key, meta, lease_s,
    )  # fmt: skip


async def presence_state(tx: Transaction, tenant: UUID, topic: str) -> dict[str, Any]:
    return await tx.value("select stead.presence_state($1, $2)", tenant, topic)


async def keep_presences(
    tx: Transaction, tenants: Sequence[UUID], presences: Sequence[UUID], lease_s: float
) -> list[UUID]:
    return await tx.value("select stead.keep_presences($1, $2, $3)", tenants, presences, lease_s)


async def sweep_presences(tx: Transaction, batch: int) -> int:
    return await tx.value("select stead.sweep_presences($1)", batch)


async def forget_changes(tx: Transaction) -> None:
    await tx.execute("select stead.forget_changes()")


async def sweep_changes(tx: Transaction, keep_s: float, batch: int) -> int:
    return await tx.value("select stead.sweep_changes($1, $2)", keep_s, batch)
