"""Files of evidence: stored and linked to by services, downloaded by whoever has a link."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from stead.evidence import Artifact, NewArtifact, artifacts
from stead.evidence.store import MAX_LINK_S, disposition
from stead.http.counting import count_request
from stead.http.dependencies import (
    Reading,
    ServiceCaller,
    Writing,
    needs_scope,
    parts_of,
)
from stead.http.routing import JsonRoute

#: Whose body is a file and no JSON.
uploads = APIRouter(prefix="/v1/artifacts", tags=["evidence"], dependencies=[needs_scope("evidence")])
router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/artifacts",
    tags=["evidence"],
    dependencies=[needs_scope("evidence")],
)
#: For whoever has a link.
downloads = APIRouter(prefix="/v1/artifacts", tags=["evidence"])

_YEARS_S = 10 * 366 * 86_400
#: A page of the site that serves it must get nothing out of a file, should a browser show it all the same.
_SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


class ArtifactOut(BaseModel):
    """A file, without its bytes."""

    id: UUID
    evidence_id: UUID | None
    envelope_id: UUID | None
    bucket: str
    name: str
    media_type: str
    bytes: int
    sha256: str = Field(description="In hex.")
    profile_id: UUID | None
    expires_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, artifact: Artifact) -> ArtifactOut:
        """As the API says it."""
        return cls(
            id=artifact.id,
            evidence_id=artifact.evidence_id,
            envelope_id=artifact.envelope_id,
            bucket=artifact.bucket,
            name=artifact.name,
            media_type=artifact.media_type,
            bytes=artifact.bytes,
            sha256=artifact.sha256.hex(),
            profile_id=artifact.created_by,
            expires_at=artifact.expires_at,
            created_at=artifact.created_at,
        )


class MakeLink(BaseModel):
    """How long a link is to open its file."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"expires_in_s": 600}]})

    expires_in_s: int = Field(300, ge=1, le=MAX_LINK_S)


class LinkOut(BaseModel):
    """A link."""

    model_config = ConfigDict(from_attributes=True)

    url: str
    expires_at: datetime


@uploads.post(
    "",
    status_code=201,
    summary="Store a file",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def store(
    request: Request,
    principal: ServiceCaller,
    name: Annotated[str, Query(min_length=1, max_length=255, examples=["invoice.pdf"])],
    evidence_id: UUID | None = None,
    envelope_id: UUID | None = None,
    profile_id: Annotated[UUID | None, Query(description="On whose behalf.")] = None,
    keep_s: Annotated[float | None, Query(ge=1, le=_YEARS_S)] = None,
) -> ArtifactOut:
    """The body is the file, of any length up to the limit; its Content-Type is what it is served as."""
    parts = parts_of(request)
    new = NewArtifact(
        name=name,
        media_type=request.headers.get("content-type") or "application/octet-stream",
        evidence_id=evidence_id,
        envelope_id=envelope_id,
        created_by=profile_id,
        keep_s=keep_s,
    )
    made = await artifacts.store(parts.db, principal, new, request.stream(), bucket=parts.artifacts)
    return ArtifactOut.of(made)


@router.get("", summary="List files")
async def listing(
    principal: ServiceCaller,
    tx: Reading,
    evidence_id: UUID | None = None,
    envelope_id: UUID | None = None,
    before: Annotated[UUID | None, Query(description="Only what is older than this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ArtifactOut]:
    """Newest first."""
    found = await artifacts.listing(
        tx, principal, evidence_id=evidence_id, envelope_id=envelope_id, before=before, limit=limit
    )
    return [ArtifactOut.of(each) for each in found]


@router.post("/{artifact_id}/link", status_code=201, summary="Make a link")
async def link(artifact_id: UUID, body: MakeLink, request: Request, principal: ServiceCaller) -> LinkOut:
    """Whoever has it downloads the file until it expires: of S3 from the bucket itself, else from here."""
    parts = parts_of(request)
    made = await artifacts.link(
        parts.db, principal, artifact_id, bucket=parts.artifacts, expires_in_s=body.expires_in_s
    )
    url = made.url if "://" in made.url else str(request.base_url).rstrip("/") + made.url
    return LinkOut(url=url, expires_at=made.expires_at)


@router.get("/{artifact_id}", summary="Get a file's description")
async def get(artifact_id: UUID, principal: ServiceCaller, tx: Reading) -> ArtifactOut:
    """Without its bytes: ask for a link."""
    return ArtifactOut.of(await artifacts.get(tx, principal, artifact_id))


@router.delete("/{artifact_id}", status_code=204, summary="Delete a file")
async def delete(artifact_id: UUID, principal: ServiceCaller, tx: Writing) -> Response:
    """Links end at once where Stead serves them; the bucket loses the object soon after."""
    await artifacts.delete(tx, principal, artifact_id)
    return Response(status_code=204)


@downloads.get(
    "/{artifact_id}/content",
    summary="Download a file",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file."}},
)
async def content(
    artifact_id: UUID,
    request: Request,
    expires: Annotated[int, Query(ge=0, le=2**40)],
    signature: Annotated[str, Query(min_length=1, max_length=100)],
) -> Response:
    """Opened by a link that `POST /v1/artifacts/{artifact_id}/link` gave, without anything else. Parts of it by
    `Range`."""
    await count_request(request, None)
    parts = parts_of(request)
    artifact, path = await artifacts.open_link(
        parts.db, artifact_id, expires, signature, bucket=parts.artifacts
    )
    return FileResponse(
        path,
        media_type=artifact.media_type,
        headers={
            "content-disposition": disposition(artifact.name),
            "cache-control": "private, no-store",
            "content-security-policy": _SANDBOX,
        },
    )
