"""Embedding for programs that may run without a worker: at once where that works, by the backlog where not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from stead.core.errors import SteadError
from stead.providers.embedders import Embedder

_log = structlog.stdlib.get_logger(__name__)
TEXTS_TIMEOUT_S: Final = 10.0
QUESTION_TIMEOUT_S: Final = 2.0


async def embed_texts(
    embedder: Embedder, texts: Sequence[str], *, timeout_s: float = TEXTS_TIMEOUT_S
) -> list[list[float] | None]:
    """One vector a text; all None where the embedder fails or takes too long: what is stored without a vector
    waits for it in the backlog, and is found by its words until then."""
    if not texts:
        return []
    try:
        async with asyncio.timeout(timeout_s):
            return [*await embedder.embed(texts)]
    except (SteadError, TimeoutError) as error:
        _log.warning("adapter_not_embedded", texts=len(texts), reason=type(error).__name__)
        return [None] * len(texts)


async def embed_question(embedder: Embedder, text: str) -> list[float] | None:
    """The vector of a question; None where there is none within two seconds: it is then answered by words."""
    return (await embed_texts(embedder, [text], timeout_s=QUESTION_TIMEOUT_S))[0]
