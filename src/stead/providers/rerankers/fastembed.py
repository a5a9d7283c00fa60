"""Cross-encoders on this machine, by the library fastembed (an optional extra)."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from stead.db.context import assert_no_transaction
from stead.providers.rerankers.errors import (
    RerankerAnswerInvalid,
    RerankerFailed,
    RerankerNotConfigured,
    RerankerUnknown,
    RerankerUnreachable,
)
from stead.providers.rerankers.scores import is_blank, with_blanks

if TYPE_CHECKING:
    from fastembed.rerank.cross_encoder import TextCrossEncoder  # pyright: ignore[reportMissingTypeStubs]

BATCH_TEXTS: Final = 16
"""A batch is padded to its longest text; the model takes as much of each as it can."""

TEXT_CHARACTERS: Final = 8_000
QUESTION_CHARACTERS: Final = 4_000


class FastEmbedReranker:
    """A cross-encoder that fastembed knows. The first call loads the weights, and downloads them if need be.

    Its scores are probabilities: the models answer with logits, and the logistic function keeps their order.

    Args:
        model: fastembed's name for it, such as ``Xenova/ms-marco-MiniLM-L-6-v2``.

    Raises:
        RerankerNotConfigured: fastembed is not installed.
        RerankerUnknown: fastembed has no such model.
    """

    def __init__(self, model: str) -> None:
        _check(model)
        self._model = model
        self._lock = threading.Lock()
        self._loaded: TextCrossEncoder | None = None

    @property
    def model_id(self) -> str:
        return f"fastembed/{self._model}"

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        assert_no_transaction("reranking with fastembed")
        asked = question[:QUESTION_CHARACTERS]
        wanted = [text[:TEXT_CHARACTERS] for text in texts if not is_blank(text)]
        if is_blank(asked) or not wanted:
            return [0.0] * len(texts)
        return with_blanks(texts, await asyncio.to_thread(self._score, asked, wanted))

    async def aclose(self) -> None:
        self._loaded = None

    def _score(self, question: str, texts: list[str]) -> list[float]:
        with self._lock:
            model = self._loaded = self._loaded or self._load()
        # Likest lengths together: a short text beside a long one would be padded to its length.
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        try:
            logits = list(model.rerank(question, [texts[at] for at in order], batch_size=BATCH_TEXTS))
        except Exception as error:  # likewise: see _load
            raise RerankerFailed(f"{self._model} failed: {type(error).__name__}") from error
        if len(logits) != len(texts) or not all(map(math.isfinite, logits)):
            raise RerankerAnswerInvalid(f"{self._model} gave something other than a score for each text")
        scores = [0.0] * len(texts)
        for at, logit in zip(order, logits, strict=True):
            scores[at] = _probability(float(logit))
        return scores

    def _load(self) -> TextCrossEncoder:
        try:
            return _library()(self._model)
        except (OSError, ValueError) as error:
            raise RerankerUnreachable(
                f"the weights of {self._model} are not here and cannot be downloaded",
                hint="The first call needs the network, or the weights in FASTEMBED_CACHE_PATH.",
            ) from error
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise RerankerFailed(
                f"the weights of {self._model} cannot be read: {type(error).__name__}",
                hint="Empty FASTEMBED_CACHE_PATH, so that they are downloaded again.",
            ) from error


def _probability(logit: float) -> float:
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    return math.exp(max(logit, -700.0)) / (1.0 + math.exp(max(logit, -700.0)))


def _check(model: str) -> None:
    known = sorted(str(one["model"]) for one in _library().list_supported_models())
    if model.lower() not in {name.lower() for name in known}:
        raise RerankerUnknown(f"fastembed has no reranker {model}", hint=f"It has: {', '.join(known)}.")


def _library() -> type[TextCrossEncoder]:
    try:
        from fastembed.rerank.cross_encoder import (  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]
            TextCrossEncoder,  # optional, and seconds long to import
        )
        from loguru import logger  # noqa: PLC0415 what fastembed logs with, to stderr
    except ImportError as error:
        raise RerankerNotConfigured(
            "the reranker fastembed is not installed",
            hint="Install it with `pip install 'stead[fastembed]'`, or leave STEAD_RERANKER unset.",
        ) from error
    logger.disable("fastembed")
    return TextCrossEncoder
