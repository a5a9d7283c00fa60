"""What may be stored as a memory."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final, cast

from stead.memory.errors import EmbeddingDimensionsWrong, MemoryInvalid
from stead.providers.embedders import Embedder

MAX_CONTENT_CHARS: Final = 100_000
MAX_METADATA_BYTES: Final = 64 * 1024
MAX_METADATA_DEPTH: Final = 32
#: Written by Stead, and believed when memories are put before a model.
RESERVED_METADATA: Final = frozenset({"message_id", "message_ids"})


def check_content(content: str, where: str = "content") -> None:
    """Refuses a text that is empty, too long, or cannot be stored.

    Raises:
        MemoryInvalid: It says where, what and how much is allowed.
    """
    if not content.strip():
        raise MemoryInvalid(f"{where}: is empty", hint="Say in words what is to be remembered.")
    if len(content) > MAX_CONTENT_CHARS:
        raise MemoryInvalid(
            f"{where}: has {len(content)} characters; at most {MAX_CONTENT_CHARS} are taken",
            hint="Store several memories, or a summary.",
        )


def check_metadata(metadata: dict[str, Any], where: str = "metadata") -> None:
    """Refuses metadata of a caller that are too large, nested too deeply, or use a name of Stead's own.

    Raises:
        MemoryInvalid: It says where and what.
    """
    if own := sorted(RESERVED_METADATA & metadata.keys()):
        raise MemoryInvalid(
            f"{where}: {', '.join(own)} is a name of Stead's own", hint="Call it otherwise."
        )
    check_size(metadata, where)


def check_size(metadata: dict[str, Any], where: str = "metadata") -> None:
    """Refuses metadata that are too large or nested too deeply.

    Raises:
        MemoryInvalid: It says where and what.
    """
    # Depth first: what is nested too deeply cannot be written as JSON either.
    if _depth(metadata) > MAX_METADATA_DEPTH:
        raise MemoryInvalid(f"{where}: is nested more than {MAX_METADATA_DEPTH} levels deep")
    size = len(json.dumps(metadata, ensure_ascii=False).encode("utf-8", "replace"))
    if size > MAX_METADATA_BYTES:
        raise MemoryInvalid(
            f"{where}: has {size} bytes; at most {MAX_METADATA_BYTES} fit",
            hint="Keep long texts elsewhere and store a reference.",
        )


def unit_vector(embedding: Sequence[float], embedder: Embedder, where: str = "embedding") -> list[float]:
    """An embedding that somebody else made, scaled to length 1.

    Args:
        embedding: As many numbers as the configured model's vectors have.
        embedder: The configured model. That it made the numbers cannot be told: vectors of another model of the
            same length find nothing that makes sense.
        where: What it is called in an error.

    Raises:
        EmbeddingDimensionsWrong: It has another length.
        MemoryInvalid: It has no direction, or a number that is none.
    """
    if len(embedding) != embedder.dimensions:
        raise EmbeddingDimensionsWrong(
            f"{where}: has {len(embedding)} dimensions; {embedder.model_id} has {embedder.dimensions}",
            hint="Leave it out and it is made here, or use the configured model.",
        )
    largest = max(map(abs, embedding), default=0.0)
    if not 0 < largest < math.inf:
        raise MemoryInvalid(f"{where}: has no direction: all its numbers are 0, or one is none")
    # Divided by the largest first: the square of a large number would be infinite, of a small one 0.
    scaled = [value / largest for value in embedding]
    length = math.sqrt(math.fsum(value * value for value in scaled))
    return [value / length for value in scaled]


def _depth(value: object) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, depth = stack.pop()
        deepest = max(deepest, depth)
        if isinstance(item, dict):
            stack.extend((v, depth + 1) for v in cast("dict[str, object]", item).values())
        elif isinstance(item, list):
            stack.extend((v, depth + 1) for v in cast("list[object]", item))
    return deepest
