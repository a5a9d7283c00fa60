"""Memories as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
        topic: What only one value of can hold at a time; None: any number can.
        message_ids: The messages that it comes from.
        happened_at: When it was said, which is not when it was stored.
        event_from: When what it tells of begins, where that is known; ``event_to``: and ends.
        valid_from: Since when it holds; ``valid_to``: until when, None: it still does.
        superseded_by: What took its place.
        recall_count: How often it was given to a model; ``used_count``: how often the answer used it.
    """

    id: UUID
    kind: MemoryKind
    source: MemorySource
    speaker: str | None
    content: str
    metadata: dict[str, Any]
    importance: float
    confidence: float
    topic: str | None
    message_ids: list[UUID]
    happened_at: datetime
    event_from: datetime | None
    event_to: datetime | None
    valid_from: datetime
    valid_to: datetime | None
    superseded_by: UUID | None
    recall_count: int
    used_count: int
    archived_at: datetime | None
    profile_id: UUID | None
    session_id: UUID | None
    agent_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What each part of the search made of a memory. None: it had nothing to say.

    Args:
        dense: Inner product with the question's vector.
        dense_near: The same of the turn together with its neighbours.
        lexical: BM25 of the memory alone.
        lexical_near: BM25 of a turn and the one before it.
        lexical_wide: BM25 of a turn and two on each side.
        named: Somebody whom the question names said it.
        timely: It tells of the time that the question names.
        recency: The factor for its age.
        usefulness: The factor for how often it was given and not used.
        reranked: The cross-encoder's score, where there is one.
        approximate: Only candidates were scored, because the scope is large.
    """

    dense: float | None = None
    dense_near: float | None = None
    lexical: float | None = None
    lexical_near: float | None = None
    lexical_wide: float | None = None
    named: bool = False
    timely: bool = False
    recency: float = 1.0
    usefulness: float = 1.0
    reranked: float | None = None
    approximate: bool = False


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """A memory that was found.

    Args:
        score: The weighted sum of normalised arms, times its factors; 0 when no arm knew it (a fallback by
            recency).
        scores: What it is made of.
    """

    memory: Memory
    score: float
    scores: Scores = field(default_factory=Scores)


@dataclass(frozen=True, kw_only=True)
class NewMemory:
    """A memory to be stored.

    Args:
        content: What is remembered, in words.
        happened_at: When it was said.
        place: Its place among all turns; None for what is no turn.
        importance: 0 to 1; 0.5 is neither.
        confidence: 0 to 1: how sure it is that this was meant.
        topic: What only one value of can hold at a time: a later one supersedes.
        correction: It takes back something said before, even where no topic says what.
        supersedes: What it takes the place of, where that is known.
        message_ids: The messages that it comes from.
        event_from: When what it tells of begins; ``event_to``: and ends.
        vector: Its embedding; None when it still has to be made.
    """

    content: str
    happened_at: datetime
    kind: MemoryKind = "fact"
    source: MemorySource = "chat"
    speaker: str | None = None
    agent_id: UUID | None = None
    place: int | None = None
    importance: float = 0.5
    confidence: float = 1.0
    topic: str | None = None
    correction: bool = False
    supersedes: UUID | None = None
    message_ids: Sequence[UUID] = ()
    event_from: datetime | None = None
    event_to: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    vector: Sequence[float] | None = None
