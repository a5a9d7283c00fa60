"""Scores of texts of which some are blank."""

from __future__ import annotations

from collections.abc import Sequence


def is_blank(text: str) -> bool:
    """Whether there is nothing in the text but white space."""
    return not text or text.isspace()


def with_blanks(texts: Sequence[str], scores: Sequence[float]) -> list[float]:
    """One score per text, when ``scores`` has only those of the texts that are not blank, in order."""
    found = iter(scores)
    worst = min((0.0, *scores))
    return [worst if is_blank(text) else next(found) for text in texts]
