"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
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


_EVIDENCE: Final = """
  e.id, e.source_type, e.source_id, e.content, e.metadata, e.profile_id, e.shared, e.created_at
"""
_ARTIFACT: Final = """
  a.id, a.evidence_id, a.envelope_id, a.bucket, a.key, a.name, a.media_type, a.bytes, a.sha256, a.created_by,
  a.expires_at, a.created_at
"""


async def insert(
    tx: Transaction,
    evidence_id: UUID,
    tenant_id: UUID,
    source_type: str,
    source_id: UUID | None,
    content: str,
    metadata: Any,
    profile_id: UUID | None,
    shared: bool,  # noqa: FBT001
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.evidence_embeddings as e
          (id, tenant_id, source_type, source_id, content, metadata, profile_id, shared)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        returning {_EVIDENCE}
        """,
        evidence_id,
        tenant_id,
        source_type,
        source_id,
        content,
        metadata,
        profile_id,
        shared,
    )


async def by_id(tx: Transaction, tenant_id: UUID, evidence_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_EVIDENCE} from public.evidence_embeddings e where e.tenant_id = $1 and e.id = $2",
        tenant_id,
        evidence_id,
    )


async def by_ids(tx: Transaction, tenant_id: UUID, evidence_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        f"select {_EVIDENCE} from public.evidence_embeddings e where e.tenant_id = $1 and e.id = any ($2)",
        tenant_id,
        evidence_ids,
    )


async def of_tenant(
    tx: Transaction,
    tenant_id: UUID,
    source_type: str | None,
    source_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Row]:
    # Ids sort by time: one is the cursor.
    return await tx.rows(
        f"""
        select {_EVIDENCE} from public.evidence_embeddings e
        where e.tenant_id = $1 and ($2::text is null or e.source_type = $2)
          and ($3::uuid is null or e.source_id = $3) and ($4::uuid is null or e.id < $4)
        order by e.id desc limit $5
        """,
        tenant_id,
        source_type,
        source_id,
        before,
        limit,
    )


async def delete(tx: Transaction, tenant_id: UUID, evidence_id: UUID) -> int:
    return await tx.execute(
        "delete from public.evidence_embeddings e where e.tenant_id = $1 and e.id = $2",
        tenant_id,
        evidence_id,
    )


async def relevant(
    tx: Transaction,
    person: UUID | None,
    source_types: Sequence[str],
    question: str,
    vector: Sequence[float] | None,
    model: int,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        """
        select id, source_type, source_id, content, created_at, score, dense, lexical
        from stead.relevant_evidence($1, $2, $3, $4::real[], $5::smallint, $6)
        """,
        person,
        list(source_types),
        question,
        vector,
        model,
        limit,
    )


async def needed_scopes(tx: Transaction, tenant_id: UUID, source_type: str) -> list[str]:
    rows = await tx.rows(
        """
        select s.scope from public.evidence_scopes s
        where s.tenant_id = $1 and s.source_type in ($2, '*') order by s.scope
        """,
        tenant_id,
        source_type,
    )
    return [row["scope"] for row in rows]


async def all_scopes(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select s.source_type, s.scope from public.evidence_scopes s
        where s.tenant_id = $1 order by s.source_type
        """,
        tenant_id,
    )


async def put_scope(tx: Transaction, tenant_id: UUID, source_type: str, scope: str) -> None:
    await tx.execute(
        """
        insert into public.evidence_scopes (tenant_id, source_type, scope) values ($1, $2, $3)
        on conflict (tenant_id, source_type) do update set scope = excluded.scope, updated_at = now()
        """,
        tenant_id,
        source_type,
        scope,
    )


async def drop_scope(tx: Transaction, tenant_id: UUID, source_type: str) -> int:
    return await tx.execute(
        "delete from public.evidence_scopes s where s.tenant_id = $1 and s.source_type = $2",
        tenant_id,
        source_type,
    )


async def insert_artifact(
    tx: Transaction,
    artifact_id: UUID,
    tenant_id: UUID,
    evidence_id: UUID | None,
    envelope_id: UUID | None,
    bucket: str,
    key: str,
    name: str,
    media_type: str,
    created_by: UUID | None,
    keep_s: float | None,
) -> None:
    await tx.execute(
        """
        insert into public.evidence_artifacts
          (id, tenant_id, evidence_id, envelope_id, bucket, key, name, media_type, created_by, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10::double precision))
        """,
        artifact_id,
        tenant_id,
        evidence_id,
        envelope_id,
        bucket,
        key,
        name,
        media_type,
        created_by,
        keep_s,
    )


async def finish_artifact(
    tx: Transaction, tenant_id: UUID, artifact_id: UUID, size: int, sha256: bytes
) -> Row | None:
    return await tx.row(
        f"""
        update public.evidence_artifacts a set bytes = $3, sha256 = $4, stored_at = now()
        where a.tenant_id = $1 and a.id = $2 and a.stored_at is null
        returning {_ARTIFACT}
        """,
        tenant_id,
        artifact_id,
        size,
        sha256,
    )


async def artifact_by_id(tx: Transaction, tenant_id: UUID, artifact_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_ARTIFACT} from public.evidence_artifacts a
        where a.tenant_id = $1 and a.id = $2 and a.stored_at is not null
          and (a.expires_at is null or a.expires_at > now())
        """,
        tenant_id,
        artifact_id,
    )


async def artifacts_of_tenant(
    tx: Transaction,
    tenant_id: UUID,
    evidence_id: UUID | None,
    envelope_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_ARTIFACT} from public.evidence_artifacts a
        where a.tenant_id = $1 and a.stored_at is not null and (a.expires_at is null or a.expires_at > now())
          and ($2::uuid is null or a.evidence_id = $2) and ($3::uuid is null or a.envelope_id = $3)
          and ($4::uuid is null or a.id < $4)
        order by a.id desc limit $5
        """,
        tenant_id,
        evidence_id,
        envelope_id,
        before,
        limit,
    )


async def delete_artifact(tx: Transaction, tenant_id: UUID, artifact_id: UUID) -> int:
    return await tx.execute(
        "delete from public.evidence_artifacts a where a.tenant_id = $1 and a.id = $2",
        tenant_id,
        artifact_id,
    )


async def clock(tx: Transaction) -> datetime:
    return await tx.value("select now()")


async def sweep_artifacts(tx: Transaction, unfinished_s: float, batch: int) -> int:
    return await tx.value("select stead.sweep_artifacts($1, $2)", unfinished_s, batch)


async def claim_removals(tx: Transaction, bucket: str, batch: int, lease_s: float) -> list[Row]:
    return await tx.rows(
        "select id, key from stead.claim_artifact_removals($1, $2, $3)", bucket, batch, lease_s
    )


async def settle_removals(tx: Transaction, removed: Sequence[UUID]) -> None:
    await tx.execute("select stead.settle_artifact_removals($1)", list(removed))
