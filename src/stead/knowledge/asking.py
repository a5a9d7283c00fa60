"""A question's vector, where it comes in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from stead.core.errors import SteadError
from stead.db import assert_no_transaction
from stead.providers.embedders import Embedder

_log = structlog.stdlib.get_logger(__name__)
_TIMEOUT_S: Final = 2.0
_MAX_CHARS: Final = 4000


async def embed_question(embedder: Embedder, text: str) -> Sequence[float] | None:
    """The vector of a question; None where there is nothing to embed, or the embedder fails or takes more than two
    seconds: then words alone find. No transaction is open meanwhile.

    Args:
        embedder: The model.
        text: In words; its first 4,000 characters count.
    """
    assert_no_transaction("embedding a question")
    if not text.strip():
        return None
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return (await embedder.embed([text[:_MAX_CHARS]]))[0]
    except (SteadError, TimeoutError) as error:
        _log.warning("question_not_embedded", reason=type(error).__name__)
        return None
