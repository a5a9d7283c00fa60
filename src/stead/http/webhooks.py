"""Webhooks of others. They are proven by their signature, and are nobody's of a tenant."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

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
