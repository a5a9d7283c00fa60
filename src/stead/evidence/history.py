"""What happened, found by words and by meaning: the audit log, what tools answered, what was proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead import audit, knowledge
from stead.db import Database, Row, Transaction
from stead.evidence import queries
from stead.identity import Principal
from stead.knowledge import Hit
from stead.providers.embedders import Embedder

#: The audit log's own kind; every other one is a `source_type` of evidence.
AUDIT: Final = "audit"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that happened.

    Args:
        kind: ``audit``, or the kind of evidence, such as ``tool_output`` or ``proposal``.
        id: Of the audit row, or of the evidence.
        at: When.
        title: What it is in a few words.
        content: The evidence's text; the texts beside an audit row, where it has some.
        details: The audit row's payload with actor and subject; the evidence's metadata and source.
        score: What it was ordered by.
        dense: Likeness of meaning; None where there is no vector yet.
        lexical: BM25; None where no word occurs.
    """

    kind: str
    id: str
    at: datetime
    title: str
    content: str | None
    details: Mapping[str, Any]
    score: float
    dense: float | None
    lexical: float | None


async def search(
    db: Database,
    principal: Principal,
    question: str,
    *,
    embedder: Embedder,
    kinds: Sequence[str] | None = None,
    limit: int = 10,
) -> list[Found]:
    """What happened in a tenant, best first.

    Of the log the newest rows are searched that are sealed and indexed (`audit.index`); all of the evidence.

    Args:
        db: The database; no transaction may be open, as the question is embedded first.
        principal: The tenant's service.
        question: In words.
        embedder: The model whose vectors are searched.
        kinds: Only these: ``audit``, or kinds of evidence. None: all.
        limit: How many at most.
    """
    (vector,) = await embedder.embed([question])
    # Not read-only: the first search with a model gives it its number.
    async with db.transaction(principal) as tx:
        found: list[Found] = []
        if kinds is None or AUDIT in kinds:
            hits = await _hits(tx, principal, "audit", question, embedder, vector, limit, None)
            rows = await audit.of_documents(tx, principal, [hit.owner_id for hit in hits])
            found += [_of_log(hit, rows[hit.owner_id]) for hit in hits if hit.owner_id in rows]
        facets = [None] if kinds is None else [kind for kind in dict.fromkeys(kinds) if kind != AUDIT]
        for facet in facets:
            hits = await _hits(tx, principal, "evidence", question, embedder, vector, limit, facet)
            owners = [hit.owner_id for hit in hits]
            pieces = {row["id"]: row for row in await queries.pieces(tx, principal.tenant.id, owners)}
            found += [_of_evidence(hit, pieces[hit.owner_id]) for hit in hits if hit.owner_id in pieces]
    # Each search divides by its own best: one scale for all.
    found.sort(key=lambda each: each.score, reverse=True)
    return found[:limit]


async def _hits(
    tx: Transaction,
    principal: Principal,
    kind: str,
    question: str,
    embedder: Embedder,
    vector: Sequence[float],
    limit: int,
    facet: str | None,
) -> list[Hit]:
    hits = await knowledge.search(
        tx,
        kind,
        principal.tenant.id,
        question,
        embedder=embedder,
        vector=vector,
        limit=limit,
        facet=facet,
    )
    # What neither shares a word nor points the same way was not found: it only fills up.
    return [hit for hit in hits if hit.score > 0]


def _of_log(hit: Hit, row: audit.AuditRow) -> Found:
    subject = f" of {row.subject_type}" if row.subject_type else ""
    return Found(
        kind=AUDIT,
        id=str(row.id),
        at=row.created_at,
        title=f"{row.category}.{row.action}{subject}",
        content="\n".join(row.texts.values()) if row.texts else None,
        details={
            "actor_type": row.actor_type,
            "actor_id": row.actor_id,
            "subject_type": row.subject_type,
            "subject_id": row.subject_id,
            "request_id": row.request_id,
            "payload": row.payload,
        },
        score=hit.score,
        dense=hit.dense,
        lexical=hit.lexical,
    )


def _of_evidence(hit: Hit, row: Row) -> Found:
    return Found(
        kind=row["source_type"],
        id=str(row["id"]),
        at=row["created_at"],
        title=row["source_type"].replace("_", " "),
        content=row["content"],
        details={"source_id": _text(row["source_id"]), "metadata": row["metadata"]},
        score=hit.score,
        dense=hit.dense,
        lexical=hit.lexical,
    )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
