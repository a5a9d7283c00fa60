"""Bodies of the event endpoints. Those of events are made of the catalogue, so that they say what it says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, cast
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, create_model

from stead.analytics import CATALOGUE, EventType
from stead.analytics.catalogue import FiredBy, PropertyType
from stead.http.session_bodies import Body

_EXAMPLES: Final[dict[str, Any]] = {
    "orgId": "demo",
    "phase": "discovery",
    "step": "day-rate",
    "stepType": "question",
    "planId": "plan_abc",
    "contentType": "video",
    "contentId": "pricing-101",
    "calendlyUrl": "https://api.calendly.com/scheduled_events/abc",
}
#: How a property is read. Numbers and texts are not made of each other.
_TYPES: Final[dict[PropertyType, Any]] = {
    "uuid": UUID,
    "text": Annotated[str, Field(strict=True, min_length=1, max_length=200)],
    "label": Annotated[str, Field(strict=True, min_length=1, max_length=100)]
    | Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)],
    "url": Annotated[str, Field(strict=True, max_length=500, pattern=r"^https?://\S+$")],
    "count": Annotated[int, Field(strict=True, ge=0, lt=2**31)],
    "milliseconds": Annotated[float, Field(strict=True, ge=0, lt=2**41)],
    "amount": Annotated[float, Field(strict=True, ge=-1e12, le=1e12)],
}


def _not_kept_back(value: UUID) -> UUID:
    if value.version == 8:
        raise ValueError("ids of version 8 are given by the server; use version 4 or 7")
    return value


class EventBody(Body):
    """What every event has."""

    id: Annotated[UUID, AfterValidator(_not_kept_back)] = Field(
        description="Given by you: sent twice it is there once."
    )
    event: str
    timestamp: AwareDatetime | None = Field(None, description="When it happened; now without it.")
    properties: BaseModel


def _model(event: EventType) -> type[EventBody]:
    name = "".join(part.capitalize() for part in event.name.replace("_", ".").split("."))
    fields: dict[str, Any] = {}
    for each in event.properties:
        kind = _TYPES[each.type]
        examples = [_EXAMPLES[each.name]] if each.name in _EXAMPLES else None
        described = Field(description=each.meaning, examples=examples)
        fields[each.name] = (
            (Annotated[kind, described], ...)
            if each.required
            else (Annotated[kind | None, described], None)
        )
    properties = create_model(
        f"{name}Properties", __config__=ConfigDict(extra="forbid"), __doc__="Its properties.", **fields
    )
    members: dict[str, Any] = {
        "event": (cast("Any", Literal)[event.name], ...),
        "properties": (properties, ...),
    }
    return create_model(f"{name}Event", __base__=EventBody, __doc__=event.trigger, **members)


_EXAMPLE: Final = {
    "id": "6f0c1d9e-52d3-4a0e-9f57-3d1f4f0c7a11",
    "event": "step.viewed",
    "properties": {
        "sessionId": "01a1fb26-2cb3-7a40-8b10-76aedd44d4eb",
        "phase": "discovery",
        "step": "day-rate",
        "stepType": "question",
    },
}

if TYPE_CHECKING:
    AnyEvent = EventBody
else:
    AnyEvent = Annotated[Union[tuple(map(_model, CATALOGUE))], Field(discriminator="event")]  # noqa: UP007


class SendEvents(Body):
    """A batch of events."""

    events: list[AnyEvent] = Field(min_length=1, max_length=100, examples=[[_EXAMPLE]])
    sent_at: AwareDatetime | None = Field(
        None,
        alias="sentAt",
        description="What the sender's clock says now: how much it is off is taken off every timestamp.",
    )


class EventsTaken(BaseModel):
    """How many are there now, and how many were before."""

    accepted: int
    repeated: int


class PropertyOut(BaseModel):
    """A property of an event."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    type: PropertyType
    required: bool
    meaning: str


class EventTypeOut(BaseModel):
    """An event of the catalogue."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    domain: str
    action: str
    trigger: str
    fired_by: FiredBy
    forwarded: bool
    properties: list[PropertyOut]


class CatalogueOut(BaseModel):
    """003's events."""

    version: int
    events: list[EventTypeOut]


class TotalOut(BaseModel):
    """How often an event happened, and in how many sessions."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    events: int
    sessions: int


class PhaseOut(BaseModel):
    """A phase, and who came to it: sessions."""

    model_config = ConfigDict(from_attributes=True)

    phase: str
    position: int
    sessions: int
    completed: int
    went_on: int
    share: float
    dropped: int
    converted: int
    median_s: float | None


class StepOut(PhaseOut):
    """A step of it, likewise."""

    step: str


class FunnelOut(BaseModel):
    """Who came how far, in a time."""

    model_config = ConfigDict(from_attributes=True)

    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    totals: list[TotalOut]
    phases: list[PhaseOut]
    steps: list[StepOut]
