"""The embedder that needs nothing: a static model of 8 MB that is part of the package.

Every token has one vector, computed once from all-MiniLM-L6-v2; a text's vector is their mean.
The method is Model2Vec's: see ``minilm_256/NOTICE`` and ``tools/distill_static_embedder.py``. Word order
plays no part, and languages other than English come out poorly.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stead.providers.embedders.vectors import unit_rows

if TYPE_CHECKING:
    from model2vec import StaticModel

MODEL_ID: Final = "static/minilm-256"
"""Changes whenever the weights do: stored vectors are told apart by it."""

DIMENSIONS: Final = 256
FOLDER: Final = Path(__file__).parent / "minilm_256"

INLINE_TEXTS: Final = 64
INLINE_CHARACTERS: Final = 16_384
"""Below these a call takes some milliseconds, and a thread would only add to it."""

SLICE_TEXTS: Final = 32
"""A thread lets others at the model after so many texts."""

_lock = threading.Lock()
_model: StaticModel | None = None


class StaticEmbedder:
    """The built-in embedder. All instances share one model, loaded at the first call."""

    @property
    def model_id(self) -> str:
        return MODEL_ID

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    @property
    def local(self) -> bool:
        return True

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        small = len(texts) < INLINE_TEXTS and sum(map(len, texts)) < INLINE_CHARACTERS
        if _model is not None and small:
            return _embed(texts)
        return await asyncio.to_thread(_embed, texts)

    async def aclose(self) -> None:
        """Does nothing: the model stays for other instances."""


def _embed(texts: Sequence[str]) -> list[list[float]]:
    vectors: list[list[float]] = []
    for start in range(0, len(texts), SLICE_TEXTS):
        part = list(texts[start : start + SLICE_TEXTS])
        # encode() sets the tokenizer's truncation each time; tokenizers before 0.23 fail on that while
        # another thread uses them ("Already borrowed").
        with _lock:
            rows = _loaded().encode(part, use_multiprocessing=False)
        vectors += unit_rows(rows)
    return vectors


def _loaded() -> StaticModel:
    """The process's model; the caller holds the lock."""
    global _model  # noqa: PLW0603 one copy of the weights in a process
    if _model is None:
        _model = _load()
    return _model


def _load() -> StaticModel:
    """Reads the model from its files: `from_pretrained` would import huggingface_hub for 0.7 s."""
    from model2vec import StaticModel  # noqa: PLC0415 half a second that no other command should pay
    from safetensors.numpy import (  # noqa: PLC0415
        load_file,  # pyright: ignore[reportUnknownVariableType] its PathLike has no argument
    )
    from tokenizers import Tokenizer  # noqa: PLC0415

    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    return StaticModel(
        vectors=load_file(FOLDER / "model.safetensors")["embeddings"],
        tokenizer=Tokenizer.from_file(str(FOLDER / "tokenizer.json")),
        config=config,
        normalize=config["normalize"],
        max_length=config["max_length"],
    )
