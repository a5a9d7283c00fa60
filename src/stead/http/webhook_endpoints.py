"""Where a tenant is told of approvals and of actions that went wrong (Standard Webhooks)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from stead.actions import webhooks
from stead.http.dependencies import Seeing, ServiceCaller, Writing, needs_scope, parts_of
from stead.http.routing import JsonRoute
from stead.http.session_bodies import Body

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/webhook-endpoints",
    tags=["webhooks"],
    dependencies=[needs_scope("approvals")],
)

Events = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]],
    Field(min_length=1, max_length=50, examples=[["approval.requested", "envelope.dead"]]),
]


class AddEndpoint(Body):
    """Where to tell, and of what."""

    url: str = Field(
        min_length=8,
        max_length=2000,
        pattern=r"^https?://[!-~]+$",
        examples=["https://hooks.example.com/stead"],
    )
    events: Events = Field(default_factory=lambda: ["*"])


class ChangeEndpoint(Body):
    """What is to change; what is left out stays."""

    events: Events | None = None
    paused: bool | None = Field(None, examples=[True])


class EndpointOut(BaseModel):
    """Where a tenant is told."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    url: str
    events: list[str]
    paused: bool
    created_at: datetime


class EndpointWithSecret(EndpointOut):
    """With the secret that signatures are checked with: it is shown this once."""

    secret: str


@router.get("", summary="List webhook endpoints")
async def listing(principal: ServiceCaller, tx: Seeing) -> list[EndpointOut]:
    """The tenant's."""
    return [EndpointOut.model_validate(each) for each in await webhooks.listing(tx, principal)]


@router.post("", status_code=201, summary="Add a webhook endpoint")
async def add(
    body: AddEndpoint, request: Request, principal: ServiceCaller, tx: Writing
) -> EndpointWithSecret:
    """What is told is signed with a secret of its own, and sent through the outbox until it is taken."""
    made, secret = await parts_of(request).webhooks.put(tx, principal, body.url, body.events)
    return EndpointWithSecret(**EndpointOut.model_validate(made).model_dump(), secret=secret)


@router.patch("/{endpoint_id}", summary="Change a webhook endpoint")
async def change(
    endpoint_id: UUID,
    body: ChangeEndpoint,
    request: Request,
    principal: ServiceCaller,
    tx: Writing,
) -> EndpointOut:
    """Pausing gives up what is on its way."""
    made, _ = await parts_of(request).webhooks.change(
        tx, principal, endpoint_id, events=body.events, paused=body.paused
    )
    return EndpointOut.model_validate(made)


@router.post("/{endpoint_id}/rotate-secret", summary="Give a webhook endpoint another secret")
async def rotate(
    endpoint_id: UUID, request: Request, principal: ServiceCaller, tx: Writing
) -> EndpointWithSecret:
    """From now on nothing is signed with the one before."""
    made, secret = await parts_of(request).webhooks.change(tx, principal, endpoint_id, new_secret=True)
    return EndpointWithSecret(**EndpointOut.model_validate(made).model_dump(), secret=secret)


@router.delete("/{endpoint_id}", status_code=204, summary="Delete a webhook endpoint")
async def delete(endpoint_id: UUID, principal: ServiceCaller, tx: Writing) -> Response:
    """What is on its way is not sent any more."""
    await webhooks.delete(tx, principal, endpoint_id)
    return Response(status_code=204)
