"""Rerankers behind one name each: ``http/<model>``, ``fastembed/<model>``. They are optional.

Owns no table. What always holds: one finite score per text, higher is better; none is ever called while a
transaction is open; importing this loads no library or model.
"""

from stead.providers.rerankers.errors import (
    RerankerAnswerInvalid,
    RerankerFailed,
    RerankerNotConfigured,
    RerankerRateLimited,
    RerankerRefused,
    RerankerUnknown,
    RerankerUnreachable,
)
from stead.providers.rerankers.factory import RerankerConfig, build_reranker
from stead.providers.rerankers.interface import Reranker

__all__ = [
    "Reranker",
    "RerankerAnswerInvalid",
    "RerankerConfig",
    "RerankerFailed",
    "RerankerNotConfigured",
    "RerankerRateLimited",
    "RerankerRefused",
    "RerankerUnknown",
    "RerankerUnreachable",
    "build_reranker",
]
