"""Files of a tenant in a bucket: stored, linked to, deleted. For its service.

A bucket is in no transaction, so the row comes first and the object after it. Whoever dies between the two leaves
a row that nobody sees and perhaps an object: both are swept. What takes a row away, be it a request, a person who
is forgotten or a tenant that goes, leaves in the same transaction a note of the object, which workers remove.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from stead import audit
from stead.core.ids import new_id
from stead.db import NOBODY, Database, Row, Transaction
from stead.evidence import links, queries
from stead.evidence.errors import (
    ArtifactContentMissing,
    ArtifactInvalid,
    ArtifactUnknown,
    EvidenceUnknown,
    LinkInvalid,
)
from stead.evidence.models import Artifact, Link, NewArtifact
from stead.evidence.store import MAX_LINK_S, ArtifactStore, Stored
from stead.identity import Principal, tenant_service, tenants

_log = structlog.stdlib.get_logger(__name__)
#: Rows without an object are swept after twice as long as an upload may take.
UNFINISHED_S: Final = 3600.0
_BATCH: Final = 100
_LEASE_S: Final = 60.0
_NAME: Final = re.compile(
    r"[^\x00-\x1f\x7f-\x9f/\\\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]{1,255}"
)
_MEDIA: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


async def store(
    db: Database,
    principal: Principal,
    new: NewArtifact,
    chunks: AsyncIterator[bytes],
    *,
    bucket: ArtifactStore,
) -> Artifact:
    """Stores a file as it comes in.

    Args:
        db: The database; no transaction may be open.
        principal: The tenant's service.
        new: What it is.
        chunks: Its bytes.
        bucket: Where to.

    Raises:
        ArtifactInvalid: Its name or media type is none, or there is no such person here.
        EvidenceUnknown: There is no such evidence here.
        ArtifactTooLarge: There were more bytes than are taken.
        ArtifactStoreUnavailable: The bucket does not take it.
        ArtifactUnknown: Somebody deleted it while it came.
    """
    media_type = new.media_type.partition(";")[0].strip().lower()
    if not _NAME.fullmatch(new.name) or new.name in {".", ".."} or len(media_type) > 127:
        raise ArtifactInvalid("the name of a file is a name, and no path", hint="?name=report.pdf")
    if not _MEDIA.fullmatch(media_type):
        raise ArtifactInvalid("the media type is none", hint="Content-Type: application/pdf")
    artifact_id = new_id()
    key = f"{principal.tenant.id}/{artifact_id}"
    async with db.transaction(principal) as tx:
        try:
            await queries.insert_artifact(
                tx,
                artifact_id,
                principal.tenant.id,
                new.evidence_id,
                new.envelope_id,
                bucket.bucket,
                key,
                new.name,
                media_type,
                new.created_by,
                new.keep_s,
            )
        except asyncpg.ForeignKeyViolationError as error:
            if "created_by" in (error.constraint_name or ""):
                raise ArtifactInvalid("no person with this id is yours") from None
            raise EvidenceUnknown("no evidence with this id is yours") from None
    try:
        stored = await bucket.put(key, chunks, name=new.name, media_type=media_type)
        return await _finish(db, principal, artifact_id, stored)
    except ArtifactUnknown:
        await bucket.remove([key])
        raise
    except Exception:
        await _give_up(db, principal, artifact_id)
        raise


async def _finish(db: Database, principal: Principal, artifact_id: UUID, stored: Stored) -> Artifact:
    async with db.transaction(principal) as tx:
        row = await queries.finish_artifact(
            tx, principal.tenant.id, artifact_id, stored.size, stored.sha256
        )
        if row is None:
            raise ArtifactUnknown("it was deleted while it was being stored")
        artifact = _artifact(row)
        await _record(tx, principal, "store", artifact)
    return artifact


async def _give_up(db: Database, principal: Principal, artifact_id: UUID) -> None:
    """Takes back the row of a file that did not come; where that fails too, it is swept."""
    try:
        async with db.transaction(principal) as tx:
            await queries.delete_artifact(tx, principal.tenant.id, artifact_id)
    except (asyncpg.PostgresError, OSError) as error:
        _log.warning("artifact_left_behind", artifact_id=str(artifact_id), reason=type(error).__name__)


async def get(tx: Transaction, principal: Principal, artifact_id: UUID) -> Artifact:
    """One file, without its bytes.

    Raises:
        ArtifactUnknown: There is none of this id here.
    """
    row = await queries.artifact_by_id(tx, principal.tenant.id, artifact_id)
    if row is None:
        raise ArtifactUnknown("no artifact with this id is yours")
    return _artifact(row)


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    evidence_id: UUID | None = None,
    envelope_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Artifact]:
    """The tenant's files, newest first.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        evidence_id: Only those of this evidence.
        envelope_id: Only those of this envelope.
        before: Only what is older than this one.
        limit: How many at most.
    """
    rows = await queries.artifacts_of_tenant(
        tx, principal.tenant.id, evidence_id, envelope_id, before, limit
    )
    return [_artifact(row) for row in rows]


async def delete(tx: Transaction, principal: Principal, artifact_id: UUID) -> None:
    """Deletes a file: at once for everybody who asks here, and from the bucket soon after the commit.

    Raises:
        ArtifactUnknown: There is none of this id here.
    """
    artifact = await get(tx, principal, artifact_id)
    await queries.delete_artifact(tx, principal.tenant.id, artifact_id)
    await _record(tx, principal, "delete", artifact)


async def link(
    db: Database,
    principal: Principal,
    artifact_id: UUID,
    *,
    bucket: ArtifactStore,
    expires_in_s: int = 300,
) -> Link:
    """A link under which whoever has it downloads the file, until it expires.

    Args:
        db: The database; no transaction may be open.
        principal: The tenant's service.
        artifact_id: The file.
        bucket: Where it is.
        expires_in_s: For how long, up to seven days.

    Raises:
        ArtifactUnknown: There is none of this id here.
        ArtifactContentMissing: It was stored in another bucket than the one in use.
        ArtifactStoreUnavailable: No credentials can be had.
    """
    wanted = min(max(expires_in_s, 1), MAX_LINK_S)
    async with db.transaction(principal) as tx:
        artifact = await get(tx, principal, artifact_id)
        if artifact.bucket != bucket.bucket:
            raise ArtifactContentMissing(f"it is in the bucket {artifact.bucket}")
        until = await queries.clock(tx) + timedelta(seconds=wanted)
        if artifact.expires_at is not None:
            until = min(until, artifact.expires_at)
        await _record(tx, principal, "link", artifact)
    if bucket.serves:
        signed = links.sign(bucket.config.secret, principal.tenant.id, artifact_id, until)
        return Link(url=signed, expires_at=until)
    return Link(url=await bucket.presigned(artifact.key, wanted), expires_at=until)


async def open_link(
    db: Database, artifact_id: UUID, expires: int, signature: str, *, bucket: ArtifactStore
) -> tuple[Artifact, Path]:
    """The file that a link of Stead's own opens.

    Raises:
        LinkInvalid: It was not made here, or its time is over.
        ArtifactUnknown: The file was deleted meanwhile.
        ArtifactContentMissing: It is not on this host.
    """
    if not bucket.serves:
        raise LinkInvalid("files are not served from here")
    tenant_id, until = links.verify(bucket.config.secret, artifact_id, expires, signature)
    async with db.transaction(NOBODY, read_only=True) as tx:
        tenant = await tenants.find_by_id(tx, tenant_id)
    if tenant is None:
        raise ArtifactUnknown("no such artifact")
    principal = tenant_service(tenant, credential="link")
    async with db.transaction(principal, read_only=True) as tx:
        if await queries.clock(tx) >= until:
            raise LinkInvalid("the time of this link is over", hint="Ask for another one.")
        artifact = await get(tx, principal, artifact_id)
    path = bucket.path(artifact.key)
    if path is None or artifact.bucket != bucket.bucket:
        raise ArtifactContentMissing(
            "its file is not on this host", hint="Several hosts need one bucket: STEAD_ARTIFACTS_URL."
        )
    return artifact, path


async def sweep(db: Database, *, bucket: ArtifactStore) -> int:
    """Removes what nobody finished, what has expired, and objects whose row is gone; one round.

    Returns:
        How many rows and objects went.
    """
    async with db.transaction(NOBODY) as tx:
        rows = await queries.sweep_artifacts(tx, UNFINISHED_S, _BATCH)
    async with db.transaction(NOBODY) as tx:
        due = await queries.claim_removals(tx, bucket.bucket, _BATCH, _LEASE_S)
    if not due:
        return rows
    gone = set(await bucket.remove([row["key"] for row in due]))
    async with db.transaction(NOBODY) as tx:
        await queries.settle_removals(tx, [row["id"] for row in due if row["key"] in gone])
    if len(gone) < len(due):
        _log.warning("artifacts_not_removed", objects=len(due) - len(gone))
    return rows + len(gone)


async def _record(tx: Transaction, principal: Principal, action: str, artifact: Artifact) -> None:
    await audit.record(
        tx,
        principal,
        category="evidence",
        action=f"artifact_{action}",
        subject_type="artifact",
        subject_id=artifact.id,
        payload={
            "bucket": artifact.bucket,
            "artifact_id": artifact.id,
            "key_sha256": hashlib.sha256(artifact.key.encode()).hexdigest(),
            "sha256": artifact.sha256.hex(),
            "bytes": artifact.bytes,
            "evidence_id": artifact.evidence_id,
            "envelope_id": artifact.envelope_id,
        },
    )


def _artifact(row: Row) -> Artifact:
    return Artifact(**dict(row))
