"""Live updates: changes of tables as an event stream, and Supabase Realtime's socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Query, Request, WebSocket
from starlette.websockets import WebSocketDisconnect

from stead.core.errors import Unauthenticated
from stead.http.counting import count_failed_proof, count_request
from stead.http.dependencies import Caller, needs_scope, parts_of, proven_until
from stead.http.sse import EventStream
from stead.identity import Admission, Credentials
from stead.realtime import ChangeStream, Position, Wanted
from stead.realtime.messages import Version
from stead.realtime.socket import Socket, SocketLimits

router = APIRouter(tags=["realtime"])

LIMITS: Final = SocketLimits()
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}
}


@router.get(
    "/v1/changes",
    status_code=200,
    response_class=EventStream,
    responses=_STREAM,
    dependencies=[needs_scope("realtime")],
)
async def changes(
    request: Request,
    caller: Caller,
    table: Annotated[str, Query(min_length=1, max_length=63, examples=["sessions"])],
    event: Literal["*", "INSERT", "UPDATE", "DELETE"] = "*",
    filter: Annotated[str, Query(max_length=4000)] = "",  # noqa: A002
    select: Annotated[str | None, Query(max_length=4000)] = None,
    last_event_id: Annotated[str | None, Header(max_length=8192)] = None,
) -> EventStream:
    """Changes of a table that the caller may see, as they are committed, as server-sent events."""
    wanted = Wanted.read({"table": table, "event": event, "filter": filter, "select": select})
    position = Position.parse(last_event_id) if last_event_id else None
    live = parts_of(request).live
    stream = await ChangeStream.open(live.feed, caller, wanted, position)
    return EventStream(stream, expires_at=proven_until(request), hold=live.keys.of(caller))


@router.websocket("/realtime/v1/websocket")
async def websocket(socket: WebSocket) -> None:
    """Supabase Realtime: ``?apikey=…&vsn=2.0.0``, as `@supabase/supabase-js` connects.

    Who may do what is decided when a channel is joined, by the token that it brings, else by ``apikey``.
    """

    async def admit(token: str) -> Admission:
        try:
            return await parts_of(socket).authenticator.admit(Credentials(bearer=token))
        except Unauthenticated as error:
            await count_failed_proof(socket, error)
            raise

    version: Version = "1.0.0" if socket.query_params.get("vsn") == "1.0.0" else "2.0.0"
    await count_request(socket, None)
    await socket.accept()
    served = Socket(parts_of(socket).live, admit, socket.query_params.get("apikey", ""), version, LIMITS)

    async def send(data: str | bytes) -> None:
        try:
            await (socket.send_text(data) if isinstance(data, str) else socket.send_bytes(data))
        except (RuntimeError, WebSocketDisconnect) as error:
            raise ConnectionResetError from error

    code, reason = await served.run(_received(socket), send)
    try:
        await socket.close(code, reason)
    except (RuntimeError, WebSocketDisconnect):
        return  # The other end was first.


async def _received(socket: WebSocket) -> AsyncIterator[str | bytes]:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        yield message["text"] if message.get("text") is not None else message["bytes"]
