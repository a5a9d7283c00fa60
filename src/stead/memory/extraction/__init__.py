"""Facts drawn from a conversation by a model, as far as they can be believed. No provider is known here."""

from stead.memory.extraction.reading import (
    Answer,
    Completion,
    ExtractedFact,
    Extraction,
    ExtractionTurn,
    KnownFact,
    extract,
)

__all__ = [
    "Answer",
    "Completion",
    "ExtractedFact",
    "Extraction",
    "ExtractionTurn",
    "KnownFact",
    "extract",
]
