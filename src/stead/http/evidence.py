"""Evidence: recorded, found, deleted by services; and which scope that needs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from stead import knowledge
from stead.evidence import NewEvidence, records, scopes
from stead.evidence.scopes import NeededScope
from stead.http.dependencies import (
    OnceOnly,
    Reading,
    ServiceCaller,
    Writing,
    needs_scope,
    parts_of,
)
from stead.http.routing import JsonRoute

_KIND: Final = r"^[a-z0-9][a-z0-9_.:-]{0,99}$"
Kind = Annotated[
    str, Path(pattern=r"^(\*|[a-z0-9][a-z0-9_.:-]{0,99})$", description="`*`: of every kind.")
]

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/evidence",
    tags=["evidence"],
    dependencies=[needs_scope("evidence")],
)


class RecordEvidence(BaseModel):
    """Evidence to be recorded."""

    model_config = ConfigDict(extra="forbid")

    source_type: str = Field(pattern=_KIND, examples=["tool_output"])
    content: str = Field(
        min_length=1, max_length=records.MAX_CONTENT_CHARS, examples=["Invoice 4711 was paid twice."]
    )
    source_id: UUID | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    profile_id: UUID | None = Field(
        None, description="On whose behalf; it goes when they are forgotten."
    )
    shared: bool = Field(default=False, description="Whether agents are given it whoever talks to them.")


class SearchEvidence(BaseModel):
    """What is looked for."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=4000, examples=["invoices that were paid twice"])
    source_type: str | None = Field(None, pattern=_KIND)
    limit: int = Field(10, ge=1, le=100)


class EvidenceOut(BaseModel):
    """Evidence as it is stored."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    source_type: str
    source_id: UUID | None
    content: str
    metadata: dict[str, Any]
    profile_id: UUID | None
    shared: bool
    created_at: datetime


class RecordedOut(BaseModel):
    """What was recorded; without its text, which an idempotency key would keep when it is deleted."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime


class EvidenceHitOut(BaseModel):
    """Evidence that was found."""

    model_config = ConfigDict(from_attributes=True)

    evidence: EvidenceOut
    score: float
    dense: float | None
    lexical: float | None


class NeedScope(BaseModel):
    """The scope that is wanted."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(pattern=r"^[a-z0-9_.:-]{1,100}$", examples=["finance:write"])


class NeededScopeOut(BaseModel):
    """A rule."""

    model_config = ConfigDict(from_attributes=True)

    source_type: str
    scope: str


@router.post("", status_code=201, response_model=RecordedOut, summary="Record evidence")
async def record(
    body: RecordEvidence, principal: ServiceCaller, tx: Writing, once: OnceOnly
) -> Response:
    """It is found by its words at once, and by its meaning as soon as a worker has made its vector."""
    if again := await once.before(tx, principal):
        return again
    made = await records.add(tx, principal, NewEvidence(**body.model_dump()))
    return await once.after(tx, principal, RecordedOut.model_validate(made), 201)


@router.get("", summary="List evidence")
async def listing(
    principal: ServiceCaller,
    tx: Reading,
    source_type: Annotated[str | None, Query(pattern=_KIND)] = None,
    source_id: UUID | None = None,
    before: Annotated[UUID | None, Query(description="Only what is older than this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[EvidenceOut]:
    """Newest first."""
    found = await records.listing(
        tx, principal, source_type=source_type, source_id=source_id, before=before, limit=limit
    )
    return [EvidenceOut.model_validate(each) for each in found]


# A transaction that writes: the first search with a model gives it its number.
@router.post("/search", summary="Search evidence")
async def search(
    body: SearchEvidence, request: Request, principal: ServiceCaller
) -> list[EvidenceHitOut]:
    """By words and by meaning, best first."""
    parts = parts_of(request)
    embedder = parts.runtime.embedder
    vector = await knowledge.embed_question(embedder, body.query)
    async with parts.db.transaction(principal) as tx:
        found = await records.search(
            tx,
            principal,
            body.query,
            embedder=embedder,
            vector=vector,
            source_type=body.source_type,
            limit=body.limit,
        )
    return [EvidenceHitOut.model_validate(each) for each in found]


@router.get("/scopes", summary="List needed scopes")
async def list_scopes(principal: ServiceCaller, tx: Reading) -> list[NeededScopeOut]:
    """Which scope a key that was made with scopes needs, to write evidence of a kind."""
    return [NeededScopeOut.model_validate(each) for each in await scopes.listing(tx, principal)]


@router.put("/scopes/{source_type}", summary="Need a scope")
async def need_scope(
    source_type: Kind, body: NeedScope, principal: ServiceCaller, tx: Writing
) -> NeededScopeOut:
    """From now on evidence of that kind is written by no key without the scope. The database holds it."""
    rule = NeededScope(source_type=source_type, scope=body.scope)
    await scopes.require(tx, principal, rule)
    return NeededScopeOut.model_validate(rule)


@router.delete("/scopes/{source_type}", status_code=204, summary="Need no scope")
async def release_scope(source_type: Kind, principal: ServiceCaller, tx: Writing) -> Response:
    """Twice is no error."""
    await scopes.release(tx, principal, source_type)
    return Response(status_code=204)


@router.get("/{evidence_id}", summary="Get evidence")
async def get(evidence_id: UUID, principal: ServiceCaller, tx: Reading) -> EvidenceOut:
    """One piece of evidence."""
    return EvidenceOut.model_validate(await records.get(tx, principal, evidence_id))


@router.delete("/{evidence_id}", status_code=204, summary="Delete evidence")
async def delete(evidence_id: UUID, principal: ServiceCaller, tx: Writing) -> Response:
    """With the files that belong to it."""
    await records.delete(tx, principal, evidence_id)
    return Response(status_code=204)
