"""Agents without code: rows and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from stead import agents, tools
from stead.agents.registry import SLUG_PATTERN, TYPE_PATTERN
from stead.core.errors import Unavailable
from stead.http.dependencies import Caller, OnceOnly, ServiceCaller, Writing, needs_scope, parts_of
from stead.http.errors import RequestInvalid
from stead.http.routing import JsonRoute

router = APIRouter(
    route_class=JsonRoute, prefix="/v1/agents", tags=["agents"], dependencies=[needs_scope("agents")]
)


class SaveAgent(BaseModel):
    """An agent's place in the catalogue."""

    model_config = ConfigDict(extra="forbid")

    slug: str = Field(pattern=SLUG_PATTERN, examples=["concierge"])
    name: str = Field(min_length=1, max_length=200)
    tagline: str | None = Field(None, max_length=500)
    description: str | None = Field(None, max_length=20_000)
    visibility: Literal["public", "hidden", "internal"] = "public"
    generates: str | None = Field(
        None,
        pattern=TYPE_PATTERN,
        description="The type of /api/generate that it answers.",
        examples=["diagnosis"],
    )


class SaveVersion(BaseModel):
    """What runs."""

    model_config = ConfigDict(extra="forbid")

    instructions: str = Field(min_length=1, max_length=100_000)
    model: str | None = Field(None, max_length=200, examples=["openai/gpt-5-mini"])
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, gt=0, le=1_000_000)
    tools: list[str] = Field(default_factory=list[str], max_length=100)
    output_schema: dict[str, Any] | None = None


class AgentOut(BaseModel):
    """An agent as the catalogue lists it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    name: str
    tagline: str | None
    description: str | None
    visibility: str
    generates: str | None
    version: int | None
    model: str | None
    shared: bool


class VersionOut(BaseModel):
    """One version."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    model: str | None
    temperature: float | None
    max_tokens: int | None
    instructions: str
    tools: list[str]
    output_schema: dict[str, Any] | None
    created_at: datetime


class Saved(BaseModel):
    """The agent's id."""

    id: UUID
    slug: str


@router.get("", response_model=list[AgentOut])
async def list_agents(caller: Caller, request: Request) -> list[AgentOut]:
    """The organisation's agents and the shared ones. A person sees the public ones and those in code."""
    async with parts_of(request).db.transaction(caller.served(), read_only=True) as tx:
        found = await agents.listing(tx, caller)
    in_code = {agent.slug for agent in parts_of(request).runtime.registry.code_agents()}
    return [
        AgentOut.model_validate(agent)
        for agent in found
        if caller.kind == "service" or agent.visibility == "public" or agent.slug in in_code
    ]


@router.post("", response_model=Saved, status_code=201)
async def save_agent(body: SaveAgent, caller: ServiceCaller, tx: Writing, once: OnceOnly) -> Response:
    """Makes an agent, or changes how it is listed."""
    if again := await once.before(tx, caller):
        return again
    agent_id = await agents.save_agent(tx, caller, **body.model_dump())
    return await once.after(tx, caller, Saved(id=agent_id, slug=body.slug), 201)


@router.post("/{slug}/versions", response_model=VersionOut, status_code=201)
async def add_version(
    slug: str, body: SaveVersion, request: Request, caller: ServiceCaller, tx: Writing, once: OnceOnly
) -> Response:
    """Makes the next version; it answers from the next message on."""
    if again := await once.before(tx, caller):
        return again
    runtime = parts_of(request).runtime
    try:
        runtime.check_model(body.model)
    except Unavailable as error:
        # It will not be there in a moment either: for who saves a version it is a wrong name.
        raise RequestInvalid(f"model: {error.detail}", hint=error.hint) from None
    if body.output_schema is not None:
        agents.check_schema(body.output_schema)
    named = set(body.tools) - set(runtime.registry.known_tools())
    found = await tools.catalog.find_many(tx, caller, sorted(named)) if named else []
    if unknown := sorted(named - {spec.slug for spec in found}):
        raise RequestInvalid(
            f"tools: {', '.join(unknown)} are not registered here, and not in the catalogue",
            hint=f"There are: {', '.join(runtime.registry.known_tools()) or 'none'}; GET /v1/tools lists others.",
        )
    version = await agents.add_version(tx, caller, slug, **body.model_dump())
    return await once.after(tx, caller, VersionOut.model_validate(version), 201)


@router.get("/{slug}/versions", response_model=list[VersionOut])
async def list_versions(slug: str, caller: ServiceCaller, tx: Writing) -> list[VersionOut]:
    """The versions of an agent, newest first."""
    return [VersionOut.model_validate(v) for v in await agents.versions(tx, caller, slug)]
