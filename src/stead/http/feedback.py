"""Feedback on answers: what the holder of a session thinks of one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from stead import sessions
from stead.http.dependencies import Caller, Reading, Writing, needs_scope
from stead.http.routing import JsonRoute
from stead.http.session_bodies import Body
from stead.sessions import Rating
from stead.sessions.feedback import MAX_COMMENT_CHARS

router = APIRouter(route_class=JsonRoute, tags=["sessions"], dependencies=[needs_scope("sessions")])

_PATH = "/api/session/{session_id}/messages/{message_id}/feedback"
MessageId = Annotated[
    str, Path(min_length=1, max_length=200, description="As in the session's messages.")
]


class GiveFeedback(Body):
    """What is thought of an answer."""

    rating: Rating
    comment: str | None = Field(
        None, min_length=1, max_length=MAX_COMMENT_CHARS, examples=["That was last year."]
    )


class FeedbackOut(BaseModel):
    """Feedback as it is stored."""

    model_config = ConfigDict(from_attributes=True)

    session_id: UUID
    message_id: str
    run_id: UUID | None
    rating: Rating
    comment: str | None
    created_at: datetime
    updated_at: datetime


# No Idempotency-Key: sent twice it is given once anyway, and a stored answer would keep the comment.
@router.post(_PATH, response_model=FeedbackOut)
async def give_feedback(
    session_id: UUID, message_id: MessageId, body: GiveFeedback, caller: Caller, tx: Writing
) -> FeedbackOut:
    """Rates an answer. Sent again it replaces what was given before."""
    given = await sessions.feedback.give(
        tx, caller, session_id, message_id, rating=body.rating, comment=body.comment
    )
    return FeedbackOut.model_validate(given)


@router.get(_PATH, response_model=FeedbackOut)
async def get_feedback(
    session_id: UUID, message_id: MessageId, caller: Caller, tx: Reading
) -> FeedbackOut:
    """The feedback on an answer."""
    return FeedbackOut.model_validate(await sessions.feedback.read(tx, caller, session_id, message_id))


@router.delete(_PATH, status_code=204)
async def withdraw_feedback(
    session_id: UUID, message_id: MessageId, caller: Caller, tx: Writing
) -> Response:
    """Takes feedback back. Where there is none, nothing happens."""
    await sessions.feedback.withdraw(tx, caller, session_id, message_id)
    return Response(status_code=204)
