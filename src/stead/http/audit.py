"""The audit log of a tenant: listed, and searched together with what tools answered and what was proposed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from stead import audit
from stead.evidence import history
from stead.http.cursors import read_number_cursor, write_number_cursor
from stead.http.dependencies import Caller, Seeing, ServiceCaller, needs_scope, parts_of
from stead.http.errors import RequestInvalid
from stead.http.routing import JsonRoute

router = APIRouter(
    route_class=JsonRoute, prefix="/v1/audit", tags=["audit"], dependencies=[needs_scope("audit")]
)

Word = Annotated[str | None, Query(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
Id = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]


class AuditRowOut(BaseModel):
    """A row of the log."""

    model_config = ConfigDict(from_attributes=True)

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
    payload: dict[str, Any]
    texts: dict[str, str] | None


class AuditPageOut(BaseModel):
    """Some rows, and the cursor of the next ones."""

    items: list[AuditRowOut]
    next_cursor: str | None


class FoundOut(BaseModel):
    """Something that happened, with what it was ordered by where that was asked for."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    id: str
    at: datetime
    title: str
    content: str | None
    details: dict[str, Any]
    score: float | None = None
    dense: float | None = None
    lexical: float | None = None


class FoundHistory(BaseModel):
    """What a search found."""

    items: list[FoundOut]


@router.get("", summary="List the audit log")
async def listing(
    caller: Caller,
    tx: Seeing,
    category: Word = None,
    action: Word = None,
    actor: Id = None,
    subject_type: Word = None,
    subject: Id = None,
    profile_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditPageOut:
    """Rows, newest first: all of the tenant for its service, for a person what they did and what concerns them."""
    page = await audit.listing(
        tx,
        caller,
        category=category,
        action=action,
        actor_id=actor,
        subject_type=subject_type,
        subject_id=subject,
        profile_id=profile_id,
        since=_aware(since, "since"),
        until=_aware(until, "until"),
        before=read_number_cursor(cursor),
        limit=limit,
    )
    return AuditPageOut(
        items=[AuditRowOut.model_validate(item) for item in page.items],
        next_cursor=write_number_cursor(page.next_before),
    )


@router.get(
    "/search",
    summary="Search what happened",
    response_model=FoundHistory,
    response_model_exclude_none=True,
)
async def search(
    request: Request,
    principal: ServiceCaller,
    q: Annotated[str, Query(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")],
    kind: Annotated[list[str] | None, Query(max_length=10)] = None,
    explain: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> FoundHistory:
    """The log, what tools answered and what was proposed, by words and by meaning, best first."""
    if not q.strip():
        raise RequestInvalid("q: is empty", hint="Ask in words.")
    if any("\x00" in each or not 0 < len(each) <= 100 for each in kind or ()):
        raise RequestInvalid("kind: is none", hint="audit, tool_output, proposal …")
    parts = parts_of(request)
    found = await history.search(
        parts.db, principal, q, embedder=parts.runtime.embedder, kinds=kind, limit=limit
    )
    items = [FoundOut.model_validate(each) for each in found]
    if not explain:
        items = [
            each.model_copy(update={"score": None, "dense": None, "lexical": None}) for each in items
        ]
    return FoundHistory(items=items)


def _aware(moment: datetime | None, name: str) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise RequestInvalid(f"{name}: has no time zone", hint="Such as 2026-11-21T07:00:00Z.")
    return moment
