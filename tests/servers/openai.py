"""A server that speaks OpenAI's wire format: Responses, Chat Completions, Embeddings, Models."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections import deque
from functools import lru_cache
from typing import Any

import numpy as np

from tests.servers.openai_chat import completion, stream_completion
from tests.servers.openai_checks import refusal
from tests.servers.openai_responses import SERVER_ERROR, response, stream_response
from tests.servers.script import Meter, Reply, Request, whole_duration_s
from tests.servers.wire import Connection, ModelServer, main

ERRORS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "Invalid request."),
    401: ("invalid_request_error", None, "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Not allowed."),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
    ),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    500: ("server_error", None, SERVER_ERROR),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
}
"""Status to type, code and message."""


class OpenAIServer(ModelServer):
    """Speaks OpenAI's wire format. The script answers responses and chat; embeddings have their own."""

    prefix = "/v1"
    request_id_header = "x-request-id"

    def __init__(self, *args: Any, models: tuple[str, ...] = ("gpt-4.1-mini",), **options: Any) -> None:
        super().__init__(*args, **options)
        self.models = models
        self.embedding_replies: deque[Reply] = deque()
        """What becomes of the next embedding requests; only failures and delays are looked at."""

    def refusal(self, request: Request) -> Reply | None:
        return refusal(request, self.api_key)

    def choose(self, request: Request) -> Reply:
        if request.path == "/v1/embeddings":
            return self.embedding_replies.popleft() if self.embedding_replies else Reply()
        return Reply() if request.path == "/v1/models" else super().choose(request)

    def error_body(self, reply: Reply, _request_id: str) -> dict[str, Any]:
        kind, code, message = ERRORS.get(reply.status, ERRORS[500 if reply.status >= 500 else 400])
        return {
            "error": {
                "message": reply.error_message or message,
                "type": kind,
                "param": reply.error_param,
                "code": reply.error_code if reply.error_message else reply.error_code or code,
            }
        }

    async def answer(
        self, request: Request, reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        body = request.body
        if request.path in {"/v1/models", "/v1/embeddings"}:
            await asyncio.sleep(reply.delay_first_s)
            found = _model_list(self.models) if request.path == "/v1/models" else embeddings(body)
            await out.send_json(200, found, headers, half=reply.cut_after is not None)
            return
        chat = request.path == "/v1/chat/completions"
        if not body.get("stream"):
            await asyncio.sleep(whole_duration_s(reply))
            whole = completion(body, reply) if chat else response(body, reply)
            await out.send_json(200, whole, headers, half=reply.cut_after is not None)
            return
        await out.start_events(headers)
        stream = stream_completion if chat else stream_response
        await stream(body, reply, out, Meter(reply, request))
        await out.end_events()


def embed(text: str, dimensions: int = 1536) -> list[float]:
    """A unit vector for a text, the same in every process. Texts that share words have near vectors."""
    total = np.zeros(dimensions)
    for word in re.findall(r"\w+", text.lower()) or [text]:
        total += _word_vector(word, dimensions)
    return (total / np.linalg.norm(total)).astype("<f4").tolist()


@lru_cache(maxsize=4096)
def _word_vector(word: str, dimensions: int) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dimensions)


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to `POST /v1/embeddings`, as floats or base64. Tokens count as words."""
    given = body["input"]
    many = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    texts = [one if isinstance(one, str) else " ".join(map(str, one)) for one in many]
    vectors = [embed(text, body.get("dimensions") or 1536) for text in texts]
    if body.get("encoding_format") == "base64":
        encoded: list[Any] = [base64.b64encode(np.asarray(v, "<f4").tobytes()).decode() for v in vectors]
    else:
        encoded = list(vectors)
    tokens = sum(len(text.split()) for text in texts)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(encoded)
        ],
        "model": body["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _model_list(models: tuple[str, ...]) -> dict[str, Any]:
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "local"} for name in models]
    return {"object": "list", "data": data}


if __name__ == "__main__":
    main(OpenAIServer)
