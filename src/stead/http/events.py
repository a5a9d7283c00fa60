"""Events of 003: the catalogue, taking them, and the funnel that they make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from stead import analytics
from stead.analytics import CATALOGUE, VERSION, NewEvent
from stead.core.clock import system_clock
from stead.http.counting import count_events
from stead.http.dependencies import Caller, Operating, Operator, Writing, needs_scope
from stead.http.event_bodies import (
    CatalogueOut,
    EventBody,
    EventsTaken,
    EventTypeOut,
    FunnelOut,
    SendEvents,
)
from stead.http.routing import JsonRoute

router = APIRouter(route_class=JsonRoute, tags=["events"], dependencies=[needs_scope("events")])
#: How far a sender's clock is believed to be off.
_MAX_SKEW: Final = timedelta(days=366)


@router.get("/api/events/catalog", summary="Read the catalogue of events")
async def catalog() -> CatalogueOut:
    """003: the events that there are, with their properties. For everybody; it changes with its version."""
    return CatalogueOut(
        version=VERSION, events=[EventTypeOut.model_validate(event) for event in CATALOGUE]
    )


async def _limit(request: Request, caller: Caller) -> None:
    await count_events(request, caller)


# Counted before a transaction is open.
@router.post("/api/events", summary="Send events", dependencies=[Depends(_limit)])
async def send(body: SendEvents, caller: Caller, tx: Writing) -> EventsTaken:
    """Takes up to a hundred events of the caller's sessions: all of them, or none. An id that is there already is
    no error, and changes nothing. What only a server knows is taken of services alone.
    """
    now = system_clock.now()
    skew = now - body.sent_at.astimezone(UTC) if body.sent_at else timedelta(0)
    if abs(skew) > _MAX_SKEW:
        skew = timedelta(0)
    taken = await analytics.events.take(tx, caller, [_event(each, skew) for each in body.events])
    return EventsTaken(accepted=taken.accepted, repeated=taken.repeated)


@router.get("/v1/events/funnel", summary="Read the funnel")
async def funnel(
    operator: Operator,
    tx: Operating,
    since: Annotated[
        AwareDatetime | None, Query(alias="from", description="Thirty days before the end.")
    ] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Now.")] = None,
) -> FunnelOut:
    """Distinct sessions by phase and step, in the order in which they come by: who finished, who went on, who was
    not seen again, and who bought or booked. For services and approvers.
    """
    found = await analytics.funnel.measure(tx, operator, since=_utc(since), until=_utc(until))
    return FunnelOut.model_validate(found)


def _event(body: EventBody, skew: timedelta) -> NewEvent:
    properties: dict[str, Any] = body.properties.model_dump(mode="json", exclude_none=True)
    session_id = properties.pop("sessionId", None)
    return NewEvent(
        id=body.id,
        name=body.event,
        session_id=UUID(session_id) if session_id else None,
        properties=properties,
        at=_moved(body.timestamp, skew) if body.timestamp else None,
    )


def _moved(moment: datetime, by: timedelta) -> datetime | None:
    try:
        return moment.astimezone(UTC) + by
    except OverflowError:
        return None


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
