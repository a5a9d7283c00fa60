"""Live updates: changes of tables as an event stream, and Supabase Realtime's socket."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request

from stead.http.dependencies import Caller, needs_scope, parts_of, proven_until
from stead.http.sse import EventStream
from stead.realtime import ChangeStream, Position, Wanted

router = APIRouter(tags=["realtime"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}
}


@router.get(
    "/v1/changes",
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
    stream = await ChangeStream.open(parts_of(request).live.feed, caller, wanted, position)
    return EventStream(stream, expires_at=proven_until(request))
