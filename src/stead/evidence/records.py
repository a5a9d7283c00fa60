"""Evidence of a tenant: recorded, read, found, deleted. For its service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from stead import audit, knowledge
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.evidence import queries, scopes
from stead.evidence.errors import EvidencePersonUnknown, EvidenceUnknown
from stead.evidence.models import Evidence, EvidenceHit, NewEvidence
from stead.identity import Principal
from stead.providers.embedders import Embedder

KIND: Final = "evidence"
MAX_CONTENT_CHARS: Final = 100_000


async def add(tx: Transaction, principal: Principal, new: NewEvidence) -> Evidence:
    """Records a piece of evidence. Its vector is made by a worker, soon after the commit.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        new: The evidence.

    Raises:
        ScopeMissing: The tenant wants a scope for its kind that this key lacks.
        EvidencePersonUnknown: There is no such person here.
    """
    await scopes.check(tx, principal, new.source_type)
    try:
        row = await queries.insert(
            tx,
            new_id(),
            principal.tenant.id,
            new.source_type,
            new.source_id,
            new.content,
            dict(new.metadata),
            new.profile_id,
            new.shared,
        )
    except asyncpg.ForeignKeyViolationError:
        raise EvidencePersonUnknown("no person with this id is yours") from None
    assert row is not None  # noqa: S101 - INSERT … RETURNING without ON CONFLICT
    evidence = _evidence(row)
    await audit.record(
        tx,
        principal,
        category="evidence",
        action="record",
        subject_type="evidence",
        subject_id=evidence.id,
        payload={"source_id": evidence.source_id},
    )
    return evidence


async def get(tx: Transaction, principal: Principal, evidence_id: UUID) -> Evidence:
    """One piece of evidence.

    Raises:
        EvidenceUnknown: There is none of this id here.
    """
    row = await queries.by_id(tx, principal.tenant.id, evidence_id)
    if row is None:
        raise EvidenceUnknown("no evidence with this id is yours")
    return _evidence(row)


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    source_type: str | None = None,
    source_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Evidence]:
    """The tenant's evidence, newest first.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        source_type: Only of this kind.
        source_id: Only what comes from there.
        before: Only what is older than this one.
        limit: How many at most.
    """
    rows = await queries.of_tenant(tx, principal.tenant.id, source_type, source_id, before, limit)
    return [_evidence(row) for row in rows]


async def search(
    tx: Transaction,
    principal: Principal,
    question: str,
    *,
    embedder: Embedder,
    vector: Sequence[float] | None,
    source_type: str | None = None,
    limit: int = 10,
) -> list[EvidenceHit]:
    """The tenant's evidence for a question, best first.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        question: In words.
        embedder: The model whose vectors are searched.
        vector: The question's embedding, made before the transaction; None searches by words only.
        source_type: Only of this kind.
        limit: How many at most.
    """
    hits = await knowledge.search(
        tx,
        KIND,
        principal.tenant.id,
        question,
        embedder=embedder,
        vector=vector,
        limit=limit,
        facet=source_type,
    )
    rows = await queries.by_ids(tx, principal.tenant.id, [hit.owner_id for hit in hits])
    found = {row["id"]: _evidence(row) for row in rows}
    return [
        EvidenceHit(evidence=found[hit.owner_id], score=hit.score, dense=hit.dense, lexical=hit.lexical)
        for hit in hits
        # A search fills up with what does not fit at all.
        if hit.score > 0 and hit.owner_id in found
    ]


async def delete(tx: Transaction, principal: Principal, evidence_id: UUID) -> None:
    """Deletes a piece of evidence; files that belong to it go too, the objects soon after the commit.

    Raises:
        EvidenceUnknown: There is none of this id here.
        ScopeMissing: The tenant wants a scope for its kind that this key lacks.
    """
    evidence = await get(tx, principal, evidence_id)
    await scopes.check(tx, principal, evidence.source_type)
    await queries.delete(tx, principal.tenant.id, evidence_id)
    await audit.record(
        tx,
        principal,
        category="evidence",
        action="delete",
        subject_type="evidence",
        subject_id=evidence_id,
    )


def _evidence(row: Row) -> Evidence:
    return Evidence(**dict(row))
