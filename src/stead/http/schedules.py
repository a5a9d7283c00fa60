"""Schedules of a tenant: listed, made, paused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from stead import scheduling
from stead.http.dependencies import (
    Reading,
    ServiceCaller,
    Writing,
    needs_scope,
    parts_of,
    service_principal,
)
from stead.http.job_bodies import Kind
from stead.http.routing import JsonRoute
from stead.scheduling import Missed, NewSchedule, Source

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/schedules",
    tags=["schedules"],
    dependencies=[needs_scope("jobs")],
)

#: Where nothing else asks who it is.
_FOR_SERVICES = [Depends(service_principal)]
_NAME = r"^[a-z0-9][a-z0-9_.:-]{0,99}$"
Name = Annotated[str, Path(pattern=_NAME)]


class SaveSchedule(BaseModel):
    """A schedule as it is to be."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=_NAME, examples=["morning-digest"])
    cron: str = Field(min_length=1, max_length=200, examples=["0 7 * * mon-fri"])
    time_zone: str = Field("UTC", min_length=1, max_length=100, examples=["Europe/Lisbon"])
    kind: Kind
    input: dict[str, Any] = Field(default_factory=dict)
    tick_argument: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$", examples=["at"])
    queue: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$", examples=["default"])
    missed: Missed = "once"


class ScheduleOut(BaseModel):
    """A schedule as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    cron: str
    time_zone: str
    kind: str
    input: dict[str, Any]
    tick_argument: str | None
    queue: str
    missed: Missed
    source: Source
    paused: bool
    next_at: datetime | None
    last_at: datetime | None


class SharedScheduleOut(BaseModel):
    """A schedule that serves every tenant."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    cron: str
    time_zone: str
    kind: str
    source: Source
    paused: bool
    paused_here: bool
    next_at: datetime | None
    last_at: datetime | None


@router.get("", summary="List schedules")
async def listing(principal: ServiceCaller, tx: Reading) -> list[ScheduleOut]:
    """The tenant's own, by name."""
    found = await scheduling.schedules.listing(tx, principal)
    return [ScheduleOut.model_validate(each) for each in found]


@router.get("/shared", summary="List schedules of every tenant", dependencies=_FOR_SERVICES)
async def list_shared(tx: Reading) -> list[SharedScheduleOut]:
    """What the program does for every tenant by the clock, by name."""
    return [SharedScheduleOut.model_validate(each) for each in await scheduling.shared.listing(tx)]


@router.post("/shared/{name}/pause", summary="Pause one of every tenant", dependencies=_FOR_SERVICES)
async def pause_shared(name: Name, tx: Writing) -> SharedScheduleOut:
    """For this tenant alone. Twice is no error."""
    done = await scheduling.shared.pause(tx, name, paused=True)
    return SharedScheduleOut.model_validate(done)


@router.post("/shared/{name}/resume", summary="Resume one of every tenant", dependencies=_FOR_SERVICES)
async def resume_shared(name: Name, tx: Writing) -> SharedScheduleOut:
    """For this tenant alone; a pause for all stays."""
    done = await scheduling.shared.pause(tx, name, paused=False)
    return SharedScheduleOut.model_validate(done)


@router.post("", status_code=201, summary="Make or change a schedule")
async def save(
    body: SaveSchedule, request: Request, principal: ServiceCaller, tx: Writing
) -> ScheduleOut:
    """Sent again it changes nothing. One whose times stay the same goes on where it was."""
    parts = parts_of(request)
    made = await scheduling.schedules.save(
        tx, principal, NewSchedule(**body.model_dump()), jobs=parts.jobs, dispatch=parts.dispatch
    )
    return ScheduleOut.model_validate(made)


@router.delete("/{name}", status_code=204, summary="Delete a schedule")
async def delete(name: Name, principal: ServiceCaller, tx: Writing) -> Response:
    """Jobs that it made stay. One that is defined in code is paused instead."""
    await scheduling.schedules.delete(tx, principal, name)
    return Response(status_code=204)


@router.post("/{name}/pause", summary="Pause a schedule")
async def pause(name: Name, principal: ServiceCaller, tx: Writing) -> ScheduleOut:
    """Its ticks pass without a job. Twice is no error."""
    done = await scheduling.schedules.pause(tx, principal, name, paused=True)
    return ScheduleOut.model_validate(done)


@router.post("/{name}/resume", summary="Resume a schedule")
async def resume(name: Name, principal: ServiceCaller, tx: Writing) -> ScheduleOut:
    """It goes on with its next tick; what came meanwhile counts as missed by nobody."""
    done = await scheduling.schedules.pause(tx, principal, name, paused=False)
    return ScheduleOut.model_validate(done)
