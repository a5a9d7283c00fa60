"""A server that takes events as PostHog does: ``POST /batch/``, gzip aside. Events of one uuid are one event."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.servers.script import Reply, Request
from tests.servers.wire import Connection, ModelServer

KEY = "phc_0123456789abcdefghij"


class PostHogServer(ModelServer):
    """Keeps what it was sent.

    Args:
        replies: What becomes of the next requests: failures, pauses, connections that break. Then all are taken.
        refused: Names of events that it refuses a whole request for, with 400.
        most: Events of a request; more are refused with 413.
    """

    request_id_header = "x-request-id"

    def __init__(
        self, *replies: Reply, refused: frozenset[str] = frozenset(), most: int = 1000, **options: Any
    ) -> None:
        super().__init__(*replies, api_key=options.pop("api_key", KEY), **options)
        self.default = Reply()
        self.refused = refused
        self.most = most
        self.batches: list[list[dict[str, Any]]] = []

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """What is there, by uuid."""
        return {event["uuid"]: event for batch in self.batches for event in batch}

    @property
    def taken(self) -> int:
        """How many events were sent, each time counted."""
        return sum(map(len, self.batches))

    def refusal(self, request: Request) -> Reply | None:
        if (request.method, request.path) != ("POST", "/batch/"):
            return Reply(status=404)
        body = request.body
        if not isinstance(body, dict) or not isinstance(body.get("batch"), list):
            return Reply(status=400)
        if body.get("api_key") != self.api_key:
            return Reply(status=401)
        if len(body["batch"]) > self.most:
            return Reply(status=413)
        return None if all(map(self._fits, body["batch"])) else Reply(status=400)

    def _fits(self, event: dict[str, Any]) -> bool:
        try:
            UUID(event["uuid"])
            moment = datetime.fromisoformat(event["timestamp"])
        except (KeyError, ValueError, TypeError):
            return False
        named = bool(event.get("event")) and bool(event.get("distinct_id"))
        known = {"uuid", "event", "distinct_id", "timestamp", "properties"}
        fits = named and moment.tzinfo is not None and isinstance(event.get("properties"), dict)
        return fits and set(event) <= known and event["event"] not in self.refused

    def error_body(self, reply: Reply, request_id: str) -> dict[str, Any]:
        return {"type": "validation_error", "detail": reply.error_message or "refused", "id": request_id}

    async def answer(
        self, request: Request, reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        self.batches.append(request.body["batch"])
        if reply.cut_after is not None:  # taken, and nobody is told
            out.close(reset=reply.reset)
            return
        await out.send_json(200, {"status": "Ok"}, headers)
