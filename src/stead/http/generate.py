"""003's generation: what an agent makes of a session's answers, at once and outside of the conversation."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from stead import agents
from stead.agents import OnceKey
from stead.agents.registry import TYPE_PATTERN
from stead.http.chat import limit_messages
from stead.http.dependencies import Caller, OnceOnly, Reading, needs_scope, parts_of
from stead.http.routing import JsonRoute
from stead.http.session_bodies import Body

router = APIRouter(route_class=JsonRoute, tags=["chat"], dependencies=[needs_scope("chat")])


class Generate(Body):
    """The session whose context is read: answers in the body are refused, so that none is thought to count."""

    session_id: UUID = Field(alias="sessionId", examples=["0192d3a4-7c1e-7d55-9f3e-3f1f6f0f2b11"])


Type = Annotated[str, Path(alias="type", pattern=TYPE_PATTERN, examples=["diagnosis"])]


class Generated(BaseModel):
    """What was generated, and the run that did it."""

    content: str
    run_id: UUID = Field(serialization_alias="runId")


@router.post("/api/generate/{type}", response_model=Generated, dependencies=[Depends(limit_messages)])
async def generate(
    body: Generate,
    request: Request,
    response: Response,
    caller: Caller,
    once: OnceOnly,
    generates: Type,
) -> Generated:
    """Asks the agent of this type what it makes of the session's context as it is now, and waits for the answer.

    The run goes on if the client leaves. Sent again with the same Idempotency-Key, it is the same run that is
    waited for, unless that one failed.
    """
    key = None if once.key is None else OnceKey(key=once.key, request=once.request)
    found = await parts_of(request).runtime.generate(
        caller, body.session_id, generates, once=key, traceparent=request.headers.get("traceparent")
    )
    if found.repeated:
        response.headers["idempotency-replayed"] = "true"
    return Generated(content=found.content, run_id=found.run_id)


@router.get(
    "/api/generate/{type}",
    response_model=Generated,
    responses={204: {"description": "Nothing of this type was generated yet"}},
)
async def latest(
    caller: Caller, tx: Reading, generates: Type, session_id: Annotated[UUID, Query(alias="sessionId")]
) -> Generated | Response:
    """What was generated last for a session: for another device, or another visit. No model is asked."""
    found = await agents.latest_generation(tx, caller, session_id, generates)
    if found is None:
        return Response(status_code=204)
    return Generated(content=found.content, run_id=found.run_id)
