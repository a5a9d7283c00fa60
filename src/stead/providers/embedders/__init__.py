"""Embedders behind one name each: ``static``, ``openai/<model>[@<dimensions>]``, ``fastembed/<model>``.

Owns no table. What always holds: every vector has length 1 and the embedder's number of dimensions; what
uses the network is never called while a transaction is open; importing this loads no library or model.
"""

from stead.providers.embedders.errors import (
    EmbedderAnswerInvalid,
    EmbedderFailed,
    EmbedderNotConfigured,
    EmbedderRateLimited,
    EmbedderRefused,
    EmbedderUnknown,
    EmbedderUnreachable,
)
from stead.providers.embedders.factory import EmbedderConfig, build_embedder
from stead.providers.embedders.interface import Embedder

__all__ = [
    "Embedder",
    "EmbedderAnswerInvalid",
    "EmbedderConfig",
    "EmbedderFailed",
    "EmbedderNotConfigured",
    "EmbedderRateLimited",
    "EmbedderRefused",
    "EmbedderUnknown",
    "EmbedderUnreachable",
    "build_embedder",
]
