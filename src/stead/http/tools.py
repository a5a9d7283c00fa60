"""The catalogue of tools: listed, made, taken out of use; and what changed in it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from stead import tools
from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import Reading, ServiceCaller, Writing, needs_scope, parts_of
from stead.http.routing import JsonRoute
from stead.http.tool_bodies import (
    SLUG,
    DriftOut,
    DriftPageOut,
    RefreshCatalog,
    RefreshOut,
    SaveTool,
    Slug,
    ToolOut,
    ToolPage,
)
from stead.tools import Severity, ToolUnknown
from stead.tools.templates import read_config

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1",
    tags=["tools"],
    dependencies=[needs_scope("tools")],
)

Limit = Annotated[int, Query(ge=1, le=200)]
Version = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]


@router.get("/tools", summary="List tools")
async def listing(
    principal: ServiceCaller,
    tx: Reading,
    provider: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] = None,
    after: Annotated[str, Query(pattern=rf"^$|{SLUG}")] = "",
    limit: Limit = 100,
) -> ToolPage:
    """The tenant's and those of code, in their current versions, by slug."""
    found = await tools.catalog.listing(tx, principal, provider=provider, after=after, limit=limit + 1)
    items = [ToolOut.of(entry) for entry in found[:limit]]
    return ToolPage(items=items, next=items[-1].slug if len(found) > limit else None)


@router.get("/tools/{slug}", summary="Read a tool")
async def show(slug: Slug, principal: ServiceCaller, tx: Reading, version: Version = None) -> ToolOut:
    """Also one that is not to be used: its `status` says so."""
    entry = await tools.catalog.look_up(tx, principal, slug, version)
    if entry is None:
        await tools.catalog.find(tx, principal, slug, version)
        raise ToolUnknown
    return ToolOut.of(entry)


@router.put("/tools/{slug}", summary="Make or change an http tool")
async def put(
    slug: Slug, body: SaveTool, request: Request, principal: ServiceCaller, tx: Writing
) -> ToolOut:
    """Sent again it changes nothing. Secrets are named, and never stored here."""
    spec = body.spec(slug)
    read_config(spec.config, parts_of(request).guard)
    return ToolOut.of(await tools.catalog.put(tx, principal, spec))


@router.delete("/tools/{slug}", status_code=204, summary="Take a tool out of use")
async def retire(slug: Slug, principal: ServiceCaller, tx: Writing) -> Response:
    """In all its versions. What is under way is stopped when it is claimed."""
    await tools.catalog.retire(tx, principal, slug)
    return Response(status_code=204)


@router.get("/catalog/audit", summary="List changes of tools")
async def drifts(
    principal: ServiceCaller,
    tx: Reading,
    severity: Annotated[list[Severity] | None, Query(max_length=3)] = None,
    tool: Annotated[str | None, Query(pattern=SLUG)] = None,
    acknowledged: bool | None = None,  # noqa: FBT001
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    limit: Limit = 50,
) -> DriftPageOut:
    """What was found to have changed in tools that others define, the latest first."""
    page = await tools.drifts.listing(
        tx,
        principal,
        severities=severity,
        slug=tool,
        acknowledged=acknowledged,
        before=read_cursor(cursor),
        limit=limit,
    )
    items = [DriftOut.model_validate(each) for each in page.items]
    return DriftPageOut(items=items, next=write_cursor(page.next))


@router.post("/catalog/audit/{drift_id}/acknowledge", summary="Acknowledge a change")
async def acknowledge(drift_id: UUID, principal: ServiceCaller, tx: Writing) -> DriftOut:
    """Somebody has looked. The last change that held a tool lets it be used again, as it is now."""
    return DriftOut.model_validate(await tools.drifts.acknowledge(tx, principal, drift_id))


@router.post("/catalog/refresh", status_code=202, summary="Ask a provider for its tools")
async def refresh(
    body: RefreshCatalog, request: Request, principal: ServiceCaller, tx: Writing
) -> RefreshOut:
    """At once, as a job; and from then on every half hour to an hour."""
    parts = parts_of(request)
    parts.tool_sources.get(body.provider)
    made = await tools.warm_scan(tx, principal, body.provider, body.toolkit, dispatch=parts.dispatch)
    return RefreshOut(job_id=made.id, new=made.new)
