"""Forgetting: a memory, a session, a person."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, model_validator

from stead.http.dependencies import Caller, needs_scope, parts_of
from stead.http.errors import RequestInvalid
from stead.http.routing import JsonRoute
from stead.http.session_bodies import Body
from stead.identity import Principal
from stead.memory import forgetting

router = APIRouter(route_class=JsonRoute, tags=["memories"], dependencies=[needs_scope("memories")])

#: Longer than this nobody is kept waiting: a worker does the rest.
_BUDGET_S: Final = 10.0


class Forget(Body):
    """What is to be forgotten: exactly one of memory, session, person, or everything of the caller's own."""

    memory_id: UUID | None = None
    sources: bool = Field(
        default=True,
        description="Of a memory: also what it was said in. False: only the memory's own row.",
    )
    session_id: UUID | None = None
    profile_id: UUID | None = None
    everything: Literal[True] | None = Field(None, examples=[True])

    @model_validator(mode="after")
    def _says_one_thing(self) -> Forget:
        given = (self.memory_id, self.session_id, self.profile_id, self.everything)
        if sum(value is not None for value in given) != 1:
            raise ValueError("exactly one of memory_id, session_id, profile_id and everything is needed")
        if not self.sources and self.memory_id is None:
            raise ValueError("sources: is said of a memory_id")
        return self


class ForgottenOut(BaseModel):
    """What went, by what it was; ``finished`` is false where a worker does the rest."""

    erased: dict[str, int]
    finished: bool


# No Idempotency-Key: sent again there is nothing left of it (404), and a key kept under a person's name would be
# one more thing to forget.
@router.post(
    "/agents/memories/forget",
    response_model=ForgottenOut,
    responses={202: {"model": ForgottenOut, "description": "A worker does the rest"}},
)
async def forget(body: Forget, request: Request, caller: Caller, response: Response) -> ForgottenOut:
    """Erases a memory with what it was said in, a session, or a person, out of every table."""
    db = parts_of(request).db
    if body.memory_id is not None:
        async with db.transaction(caller.served()) as tx:
            done = await forgetting.forget_memory(tx, caller, body.memory_id, sources=body.sources)
    else:
        kind, subject_id = _subject(body, caller)
        done = await forgetting.forget_all(db, caller, kind, subject_id, budget_s=_BUDGET_S)
    if not done.finished:
        response.status_code = 202
    return ForgottenOut(erased=done.erased, finished=done.finished)


def _subject(body: Forget, caller: Principal) -> tuple[forgetting.Subject, UUID]:
    """Who or what is meant; whether it is the caller's own is for the database to say."""
    if body.session_id is not None:
        return "session", body.session_id
    if body.profile_id is not None:
        return "profile", body.profile_id
    if caller.profile_id is not None:
        return "profile", caller.profile_id
    if caller.session_id is not None:
        return "session", caller.session_id
    raise RequestInvalid("everything: of whom?", hint="A service names profile_id or session_id.")
