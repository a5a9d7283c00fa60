"""Reading the log: lists by what a row says, and rows that a search found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from stead.audit import queries
from stead.db import Row, Transaction
from stead.identity import Principal


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """A row of the log.

    Args:
        payload: Ids, counts, digests.
        texts: What was kept beside it; None where there was nothing, or it is erased.
    """

    id: int
    created_at: datetime
    actor_type: str
    actor_id: str | None
    category: str
    action: str
    subject_type: str | None
    subject_id: str | None
    subject_profile_id: UUID | None
    request_id: str | None
    payload: Mapping[str, Any]
    texts: Mapping[str, str] | None


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """Some rows, newest first.

    Args:
        next_before: Where the next page begins; None: there is none.
    """

    items: Sequence[AuditRow]
    next_before: tuple[datetime, int] | None


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    category: str | None = None,
    action: str | None = None,
    actor_id: str | None = None,
    subject_type: str | None = None,
    subject_id: str | None = None,
    profile_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> AuditPage:
    """Rows that the caller may see, newest first: all of the tenant for its service, a person's own for a person.

    Args:
        tx: A transaction as the server, read-only.
        principal: Who asks.
        category: Only those of it.
        action: Only those of it.
        actor_id: Only what this person, session or credential did.
        subject_type: Only what was done to such.
        subject_id: Only what was done to this.
        profile_id: Only what concerns this person.
        since: Not before.
        until: Before.
        before: Where the page begins, as the one before said.
        limit: How many at most.
    """
    rows = await queries.listing(
        tx,
        principal.tenant.id,
        category=category,
        action=action,
        actor_id=actor_id,
        subject_type=subject_type,
        subject_id=subject_id,
        profile_id=profile_id,
        since=since,
        until=until,
        before=before,
        limit=limit + 1,
    )
    items = [_row(row) for row in rows[:limit]]
    more = len(rows) > limit
    return AuditPage(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


async def of_documents(
    tx: Transaction, principal: Principal, document_ids: Sequence[UUID]
) -> dict[UUID, AuditRow]:
    """The rows of documents that a search of kind ``audit`` found.

    Args:
        tx: A transaction as the tenant's service.
        principal: Whose.
        document_ids: What the search answered.
    """
    rows = await queries.of_documents(tx, principal.tenant.id, document_ids)
    return {row["document_id"]: _row(row) for row in rows}


def _row(row: Row) -> AuditRow:
    values = dict(row)
    values.pop("document_id", None)
    texts = values.pop("texts")
    payload = cast("dict[str, Any]", values.pop("payload"))
    return AuditRow(**values, payload=payload, texts=None if texts is None else json.loads(texts))
