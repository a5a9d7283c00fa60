"""What every embedder offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Embedder(Protocol):
    """Places texts in a vector space in which near means similar.

    Vectors of two embedders never compare: whoever stores one stores ``model_id`` beside it.
    """

    @property
    def model_id(self) -> str:
        """What names the space: ``static/minilm-256``, ``openai/text-embedding-3-large@1024``."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of every vector."""
        ...

    @property
    def local(self) -> bool:
        """Whether it does no network I/O, ever, so that it may be called inline."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 (L2) per text, in the order of the texts.

        A text with nothing in it to embed (empty, white space, no known token) has no direction, and the
        zero vector has no cosine. It gets `vectors.blank_vector`: always the same, near to nothing.

        Args:
            texts: Any number, also none; batches are made inside. An overlong text loses its end.

        Raises:
            EmbedderFailed: The provider did not answer, refused, or answered with something else.
            RuntimeError: A transaction is open in this context and the embedder is not local.
        """
        ...

    async def aclose(self) -> None:
        """Gives back connections and memory. The embedder is of no use afterwards."""
        ...
