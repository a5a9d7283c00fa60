"""Everything that is stored about a person or a session, as records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Transaction
from stead.identity import Principal
from stead.memory import queries

#: What there is, in its order. Vectors and the search index are made of the texts and are left out.
RECORD_TYPES: Final = tuple(name for name, _ in queries.EXPORTED)


@dataclass(frozen=True, kw_only=True)
class ExportPlace:
    """Where an export goes on."""

    table: int = 0
    after_at: datetime | None = None
    after_key: str = ""


@dataclass(frozen=True, kw_only=True)
class ExportPage:
    """Some records, and where the next ones begin; None: that was all."""

    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    next: ExportPlace | None


async def export(tx: Transaction, principal: Principal, scope_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Everything that is stored about a person, or about a session that is nobody's: profile, sessions, messages,
    runs, memories (also superseded and archived ones), logs, goals, beliefs. One statement a table, through a
    cursor; all of it as of one transaction, which is open as long as it is read from.

    Args:
        tx: A transaction as the server, on behalf of the caller: people may not read every column.
        principal: The caller.
        scope_id: The person, or the session.

    Yields:
        Records as JSON values, with ``type`` beside the columns.
    """
    for name, statement in queries.EXPORTED:
        async for row in queries.stream_exported(tx, statement, principal.tenant.id, scope_id):
            yield {"type": name, **row["record"]}


async def export_page(
    tx: Transaction, principal: Principal, scope_id: UUID, place: ExportPlace, *, limit: int = 500
) -> ExportPage:
    """The same, some at a time, each in a transaction of its own: for readers who may be slow.

    What is there from the first page to the last comes exactly once; what is added or deleted meanwhile may or
    may not be in it.

    Args:
        tx: A transaction as the server, on behalf of the caller: people may not read every column.
        principal: The caller.
        scope_id: The person, or the session.
        place: Where to go on; begin with ``ExportPlace()``.
        limit: How many records at most.
    """
    records: list[dict[str, Any]] = []
    while place.table < len(queries.EXPORTED):
        name, statement = queries.EXPORTED[place.table]
        room = limit - len(records)
        rows = await queries.exported(
            tx, statement, principal.tenant.id, scope_id, place.after_at, place.after_key, room
        )
        records += [{"type": name, **row["record"]} for row in rows]
        if len(rows) == room:
            place = ExportPlace(table=place.table, after_at=rows[-1]["at"], after_key=rows[-1]["key"])
            return ExportPage(records=records, next=place)
        place = ExportPlace(table=place.table + 1)
    return ExportPage(records=records, next=None)
