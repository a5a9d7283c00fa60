"""Chat: 003's body and `useChat`'s, answered with the AI SDK's UI message stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stead import agents
from stead.agents import frames
from stead.agents.frames import Frame
from stead.http.counting import count_message
from stead.http.dependencies import Caller, needs_scope, parts_of
from stead.http.errors import RequestInvalid
from stead.http.routing import JsonRoute

router = APIRouter(route_class=JsonRoute, tags=["chat"], dependencies=[needs_scope("chat")])

MAX_MESSAGE_CHARS: Final = 32_000


class UIMessage(BaseModel):
    """A message as `useChat` sends it; what else it carries is ignored."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field("", max_length=200)
    role: Literal["system", "user", "assistant"]
    parts: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]], max_length=1000)


class Chat(BaseModel):
    """003: ``{sessionId, agentId, message}``. `useChat`: ``{id, messages, trigger, messageId}``, where ``id``
    is the session; ``{id, message}`` works too."""

    model_config = ConfigDict(
        extra="ignore",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "sessionId": "0192d3a4-7c1e-7d55-9f3e-3f1f6f0f2b11",
                    "agentId": "rafael-chat",
                    "message": "How do I raise my prices?",
                }
            ]
        },
    )

    session_id: UUID | None = Field(None, alias="sessionId")
    id: UUID | None = None
    agent_id: str = Field("concierge", alias="agentId", min_length=1, max_length=100)
    message: str | UIMessage | None = None
    messages: list[UIMessage] | None = Field(None, max_length=5000)
    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    message_id: str | None = Field(None, alias="messageId", max_length=200)

    @model_validator(mode="after")
    def _has_session(self) -> Chat:
        if self.session_id is None and self.id is None:
            raise ValueError("sessionId (or id) is missing")
        return self

    @property
    def session(self) -> UUID:
        """The session that is meant."""
        session = self.session_id or self.id
        assert session is not None  # noqa: S101 - the validator saw to it
        return session


class Stopped(BaseModel):
    """Whether there was an answer to stop, and which."""

    stopped: bool
    run_id: UUID | None


async def limit_messages(request: Request, principal: Caller) -> None:
    """A dependency of what costs a model call: counts against the limits of messages."""
    await count_message(request, principal)


@router.post(
    "/api/chat",
    response_class=StreamingResponse,
    dependencies=[Depends(limit_messages)],
    responses={200: {"content": {"text/event-stream": {}}, "description": "UI message stream"}},
)
async def chat(body: Chat, request: Request, caller: Caller) -> StreamingResponse:
    """Streams an agent's answer. The answer goes on if the client leaves, and is stored when it ends.

    A last message of the assistant with tool parts that are ``approval-responded`` votes on what they ask for, as
    the signed-in person; the stream is that of the run that goes on.
    """
    message = _last(body)
    if message is not None and message.role == "assistant" and (votes := _votes(message)):
        voted = await parts_of(request).runtime.vote(caller, body.session, votes, message.id)
        return streamed(voted)
    stream = await parts_of(request).runtime.begin(
        caller,
        body.session,
        body.agent_id,
        _incoming(body),
        traceparent=request.headers.get("traceparent"),
    )
    return streamed(stream)


@router.get(
    "/api/chat/{session_id}/stream",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "The whole stream, then live"},
        204: {"description": "Nothing is being answered"},
    },
)
async def resume(session_id: UUID, request: Request, caller: Caller) -> Response:
    """The stream of the answer that is being given, from its beginning: for a client that lost it."""
    stream = await parts_of(request).runtime.resume(caller, session_id)
    return Response(status_code=204) if stream is None else streamed(stream)


@router.post("/api/chat/{session_id}/stop", response_model=Stopped)
async def stop(session_id: UUID, request: Request, caller: Caller) -> Stopped:
    """Really stops the answer, wherever it is being made. What there is of it is kept."""
    run_id = await parts_of(request).runtime.request_stop(caller, session_id)
    return Stopped(stopped=run_id is not None, run_id=run_id)


class _Answer(BaseModel):
    """What a tool part says of its approval."""

    model_config = ConfigDict(extra="ignore", strict=False)

    id: UUID
    approved: bool
    reason: str | None = Field(None, max_length=2000)


def _last(body: Chat) -> UIMessage | None:
    """The message that a client of the AI SDK ends with, where it sends one."""
    if body.trigger == "regenerate-message":
        return None
    if isinstance(body.message, UIMessage):
        return body.message
    return body.messages[-1] if body.message is None and body.messages else None


def _votes(message: UIMessage) -> list[agents.ApprovalAnswer]:
    found: dict[UUID, agents.ApprovalAnswer] = {}
    for part in message.parts:
        if part.get("state") != "approval-responded":
            continue
        try:
            answer = _Answer.model_validate(part.get("approval"))
        except ValidationError as error:
            raise RequestInvalid(
                "message: a part is approval-responded without an approval",
                hint="approval: {id, approved, reason?}, with the id that it was asked with.",
            ) from error
        found[answer.id] = agents.ApprovalAnswer(
            approval_id=answer.id, approved=answer.approved, reason=answer.reason
        )
    return list(found.values())


def _incoming(body: Chat) -> agents.Incoming:
    if body.trigger == "regenerate-message":
        return agents.Incoming(parts=[], client_id=body.message_id or "", trigger=body.trigger)
    message = body.message
    if message is None and body.messages:
        message = body.messages[-1]
    if message is None:
        raise RequestInvalid("message: is missing", hint="Send message, or messages as useChat does.")
    if isinstance(message, str):
        parts, client_id = [{"type": "text", "text": message}], body.message_id or ""
    else:
        if message.role != "user":
            raise RequestInvalid("messages: the last one must be the user's")
        parts, client_id = _texts(message.parts), message.id
    length = sum(len(part["text"]) for part in parts)
    if not any(part["text"].strip() for part in parts):
        raise RequestInvalid("message: is empty", hint="Send at least one part of type text.")
    if length > MAX_MESSAGE_CHARS:
        raise RequestInvalid(f"message: has {length} characters; at most {MAX_MESSAGE_CHARS} are taken")
    return agents.Incoming(parts=parts, client_id=client_id)


def _texts(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = []
    for part in parts:
        if part.get("type") == "text" and isinstance(part.get("text"), str):
            texts.append({"type": "text", "text": part["text"]})
        elif part.get("type") == "file":
            raise RequestInvalid("message: files are not taken yet", hint="Send text parts only.")
    return texts


def streamed(
    stream: AsyncIterator[list[Frame]], headers: dict[str, str] | None = None
) -> StreamingResponse:
    """Frames as an event stream, with further headers."""
    return StreamingResponse(
        _encoded(stream), headers={**frames.HEADERS, **(headers or {})}, media_type="text/event-stream"
    )


async def _encoded(stream: AsyncIterator[list[Frame]]) -> AsyncIterator[str]:
    """Frames as events; a comment where nothing was said for a while, so that proxies stay."""
    async for batch in stream:
        yield "".join(map(frames.encode, batch)) if batch else frames.KEEP_ALIVE
    yield frames.DONE
