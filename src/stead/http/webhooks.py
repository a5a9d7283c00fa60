"""Webhooks of others. They are proven by their signature, and are nobody's of a tenant."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from stead import analytics
from stead.analytics import Provider, Reception, WebhookNotExpected
from stead.core.clock import system_clock
from stead.core.errors import Unauthenticated
from stead.http.counting import count_failed_proof, note_replay
from stead.http.dependencies import parts_of
from stead.http.routing import JsonRoute
from stead.tools import accounts

# Without the dependencies of other routers: these headers would be taken for a service's own signature.
router = APIRouter(route_class=JsonRoute, prefix="/v1/webhooks", tags=["webhooks"])


class Received(BaseModel):
    """Whether anything came of a webhook."""

    done: bool


class ConversionReceived(BaseModel):
    """What became of a webhook: an event; nothing, as it came before; nothing, as it is about something else."""

    outcome: Reception


Org = Annotated[str, Path(min_length=1, max_length=255, description="The tenant's slug.")]


@router.post("/composio", summary="Take a webhook of Composio")
async def composio(request: Request) -> Received:
    """For Composio alone: signed in the form of Standard Webhooks. What was received before is not done again."""
    parts = parts_of(request)
    try:
        receipt = await accounts.webhooks.receive(
            parts.accounts, parts.webhook_secret, request.headers, await request.body(), system_clock
        )
    except Unauthenticated as error:
        await count_failed_proof(request, error)
        raise
    if receipt == "replayed":
        note_replay(request)
    return Received(done=receipt == "done")


@router.post("/whop/{org}", summary="Take a webhook of Whop")
async def whop(org: Org, request: Request) -> ConversionReceived:
    """For Whop alone: signed in the form of Standard Webhooks. `payment.succeeded` is recorded once, as
    `conversion.checkout_completed`; others are received and ignored.
    """
    return await _conversion("whop", org, request)


@router.post("/calendly/{org}", summary="Take a webhook of Calendly")
async def calendly(org: Org, request: Request) -> ConversionReceived:
    """For Calendly alone, signed by it. `invitee.created` is recorded once, as `conversion.call_booked`; others,
    and calls that were moved, are received and ignored.
    """
    return await _conversion("calendly", org, request)


async def _conversion(provider: Provider, org: str, request: Request) -> ConversionReceived:
    parts = parts_of(request)
    try:
        outcome = await analytics.receiving.receive(
            parts.db, parts.analytics, provider, org, request.headers, await request.body(), system_clock
        )
    except (Unauthenticated, WebhookNotExpected) as error:
        await count_failed_proof(request, error)
        raise
    if outcome == "repeated":
        note_replay(request)
    return ConversionReceived(outcome=outcome)
