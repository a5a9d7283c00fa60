"""Memories as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

MemoryKind = Literal["turn", "fact", "summary"]
MemorySource = Literal["chat", "context", "comparison", "feedback", "api", "import"]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Something remembered.

    Args:
        kind: A ``turn`` as it was said, a ``fact`` drawn from one, or a ``summary``.
        speaker: Who said it.
        happened_at: When it was said, which is not when it was stored.
    """

    id: UUID
    kind: MemoryKind
    source: MemorySource
    speaker: str | None
    content: str
    metadata: dict[str, Any]
    happened_at: datetime
    session_id: UUID | None
    agent_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """A memory with what each arm of the search made of it.

    Args:
        score: The weighted sum of normalised arms; 0 when no arm knew it (a fallback by recency).
        dense: Inner product with the question, or None without a vector.
        lexical: BM25 of the turn alone.
        lexical_near: BM25 of the turn and one neighbour on each side.
        lexical_wide: BM25 of the turn and two neighbours on each side.
    """

    memory: Memory
    score: float
    dense: float | None
    lexical: float | None
    lexical_near: float | None
    lexical_wide: float | None
