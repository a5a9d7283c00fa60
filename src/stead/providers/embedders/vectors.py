"""Unit vectors, and the vector of a text that says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def unit_rows(rows: npt.NDArray[Any]) -> list[list[float]]:
    """The rows scaled to length 1; a row of zeros becomes the blank vector.

    Args:
        rows: Finite numbers, shape (texts, dimensions).
    """
    scaled = rows.astype(np.float64)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    blank = norms[:, 0] == 0
    scaled[blank, -1] = 1.0
    norms[blank] = 1.0
    return (scaled / norms).tolist()


def blank_vector(dimensions: int) -> list[float]:
    """What stands for a text with nothing in it to embed: the last axis.

    Axes that come from PCA are sorted by variance, so this is the one that real texts say least about.
    """
    return [0.0] * (dimensions - 1) + [1.0]


def is_blank(text: str) -> bool:
    """Whether there is nothing in the text but white space."""
    return not text or text.isspace()


def with_blanks(
    texts: Sequence[str], vectors: Iterable[list[float]], dimensions: int
) -> list[list[float]]:
    """One vector per text, when ``vectors`` has only those of the texts that are not blank, in order."""
    found = iter(vectors)
    return [blank_vector(dimensions) if is_blank(text) else next(found) for text in texts]
