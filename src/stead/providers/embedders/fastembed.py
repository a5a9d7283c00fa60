"""Transformer embeddings on this machine, by the library fastembed (an optional extra)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from stead.db.context import assert_no_transaction
from stead.providers.embedders.errors import (
    EmbedderFailed,
    EmbedderNotConfigured,
    EmbedderUnknown,
    EmbedderUnreachable,
)
from stead.providers.embedders.vectors import is_blank, unit_rows, with_blanks

if TYPE_CHECKING:
    from fastembed import TextEmbedding

BATCH_TEXTS: Final = 32
"""A batch is padded to its longest text, so that larger ones mostly use more memory."""


class FastEmbedEmbedder:
    """A model that fastembed knows. It is not ``local``: the first call downloads the weights.

    Args:
        model: fastembed's name for it, such as ``BAAI/bge-small-en-v1.5``.

    Raises:
        EmbedderNotConfigured: fastembed is not installed.
        EmbedderUnknown: fastembed has no such model.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._dimensions = _dimensions(model)
        self._lock = threading.Lock()
        self._loaded: TextEmbedding | None = None

    @property
    def model_id(self) -> str:
        return f"fastembed/{self._model}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def local(self) -> bool:
        return False

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        assert_no_transaction("embedding with fastembed")
        wanted = [text for text in texts if not is_blank(text)]
        vectors = await asyncio.to_thread(self._embed, wanted) if wanted else []
        return with_blanks(texts, vectors, self._dimensions)

    async def aclose(self) -> None:
        self._loaded = None

    def _embed(self, texts: list[str]) -> list[list[float]]:
        with self._lock:
            model = self._loaded = self._loaded or self._load()
        try:
            return unit_rows(np.stack(list(model.embed(texts, batch_size=BATCH_TEXTS))))
        except (RuntimeError, ValueError) as error:
            raise EmbedderFailed(f"{self._model} failed: {type(error).__name__}") from error

    def _load(self) -> TextEmbedding:
        try:
            return _library()(self._model)
        except (OSError, RuntimeError, ValueError) as error:
            raise EmbedderUnreachable(
                f"the weights of {self._model} are not here and cannot be downloaded",
                hint="The first call needs the network, or the weights in FASTEMBED_CACHE_PATH.",
            ) from error


def _dimensions(model: str) -> int:
    library = _library()
    try:
        return library.get_embedding_size(model)
    except ValueError as error:
        known = sorted(str(one["model"]) for one in library.list_supported_models())
        raise EmbedderUnknown(
            f"fastembed has no model {model}", hint=f"It has: {', '.join(known)}."
        ) from error


def _library() -> type[TextEmbedding]:
    try:
        from fastembed import TextEmbedding  # noqa: PLC0415 optional, and seconds long to import
        from loguru import logger  # noqa: PLC0415 what fastembed logs with, to stderr
    except ImportError as error:
        raise EmbedderNotConfigured(
            "the embedder fastembed is not installed",
            hint="Install it with `pip install 'stead[fastembed]'`, or set STEAD_EMBEDDER=static.",
        ) from error
    logger.disable("fastembed")
    return TextEmbedding
