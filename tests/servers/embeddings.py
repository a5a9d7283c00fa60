"""The OpenAI server with answers to ``POST /v1/embeddings`` that are not what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.servers.openai import OpenAIServer, embeddings
from tests.servers.script import Reply, Request
from tests.servers.wire import Connection


class EmbeddingServer(OpenAIServer):
    """Answers embedding requests only.

    Args:
        replies: What becomes of the next requests: failures and delays. Then all are answered.
        spoil: Changes the body of every answer, or gives another one, before it is sent.
    """

    def __init__(
        self, *replies: Reply, spoil: Callable[[dict[str, Any]], Any] | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.embedding_replies.extend(replies)
        self._spoil = spoil

    @property
    def inputs(self) -> list[list[str]]:
        """The texts of each request so far."""
        return [request.body["input"] for request in self.requests]

    async def answer(
        self, request: Request, reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        if self._spoil is None:
            await super().answer(request, reply, out, headers)
        else:
            await out.send_json(200, self._spoil(embeddings(request.body)), headers)
