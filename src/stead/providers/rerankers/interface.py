"""What every reranker offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """Reads a question and a text together and says how well the text answers it (a cross-encoder).

    Far slower than comparing vectors, and far better: it is for the best few dozen that a search found.
    Scores of two rerankers never compare.
    """

    @property
    def model_id(self) -> str:
        """What gives the scores: ``http/rerank-v3.5``, ``fastembed/Xenova/ms-marco-MiniLM-L-6-v2``."""
        ...

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """One finite score per text, in the order of the texts. Higher is better.

        A blank text is not looked at, and neither is any text for a blank question: it has the score of
        the worst that was looked at, or 0 if that is less.

        Args:
            question: What is asked. An overlong one loses its end.
            texts: Any number, also none; batches are made inside. An overlong text loses its end.

        Raises:
            RerankerFailed: The provider did not answer, refused, or answered with something else.
            RuntimeError: A transaction is open in this context.
        """
        ...

    async def aclose(self) -> None:
        """Gives back connections and memory. The reranker is of no use afterwards."""
        ...
