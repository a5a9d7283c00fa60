"""A server with ``POST /rerank`` as Cohere and Jina have it. A text's score is its words in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.servers.script import Reply, Request
from tests.servers.wire import Connection, ModelServer


def relevance(question: str, text: str) -> float:
    """The share of the question's words that the text has."""
    asked, said = set(question.lower().split()), set(text.lower().split())
    return len(asked & said) / len(asked)


class RerankServer(ModelServer):
    """Answers rerank requests only, best first, as the vendors do.

    Args:
        replies: What becomes of the next requests: failures and delays. Then all are answered.
        spoil: Changes the body of every answer, or gives another one, before it is sent.
    """

    prefix = "/v2"
    request_id_header = "x-request-id"

    def __init__(
        self, *replies: Reply, spoil: Callable[[dict[str, Any]], Any] | None = None, **options: Any
    ) -> None:
        super().__init__(*replies, **options)
        self._spoil = spoil

    def refusal(self, request: Request) -> Reply | None:
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return Reply(status=401)
        if (request.method, request.path) != ("POST", "/v2/rerank"):
            return Reply(status=404)
        body = request.body
        wanted = isinstance(body, dict) and body.get("query") and body.get("documents")
        return None if wanted and body["top_n"] <= len(body["documents"]) else Reply(status=400)

    def error_body(self, reply: Reply, request_id: str) -> dict[str, Any]:
        return {"id": request_id, "message": reply.error_message or "something is wrong"}

    async def answer(
        self, request: Request, reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        await asyncio.sleep(reply.delay_first_s)
        asked = request.body
        scores = [relevance(asked["query"], text) for text in asked["documents"]]
        ranked = sorted(enumerate(scores), key=lambda pair: -pair[1])[: asked["top_n"]]
        body: Any = {
            "id": "rr_1",
            "results": [{"index": index, "relevance_score": score} for index, score in ranked],
            "meta": {"billed_units": {"search_units": 1}},
        }
        body = self._spoil(body) if self._spoil else body
        await out.send_json(200, body, headers, half=reply.cut_after is not None)
