"""Bodies of the memory endpoints: what comes in, what goes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from stead.agents.registry import SLUG_PATTERN
from stead.http.session_bodies import Body
from stead.memory import Memory, MemoryKind, MemorySource, Recalled
from stead.memory.contents import MAX_CONTENT_CHARS


def _in_utc(moment: datetime) -> datetime:
    # Within what every part can count with: PostgreSQL, Python, and arithmetic between two of them.
    if not 1000 <= moment.year <= 3000:
        raise ValueError("lies beyond the years 1000 to 3000")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Slug = Annotated[str, Field(pattern=SLUG_PATTERN, examples=["concierge"])]
Content = Annotated[
    str, Field(min_length=1, max_length=MAX_CONTENT_CHARS, examples=["I live in Porto."])
]
Share = Annotated[float, Field(ge=0, le=1)]
Embedding = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1, max_length=16_000)
]


class StoreMemory(Body):
    """A memory to be stored."""

    content: Content
    # Turns come from messages.
    kind: Literal["fact", "summary"] = "fact"
    source: MemorySource = "api"
    importance: Share = 0.5
    confidence: Share = 1.0
    topic: str | None = Field(None, min_length=1, max_length=120, examples=["residence"])
    happened_at: Moment | None = None
    event_from: Moment | None = None
    event_to: Moment | None = None
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])
    embedding: Embedding | None = None

    @model_validator(mode="after")
    def _fits(self) -> StoreMemory:
        if self.event_to is not None and (self.event_from is None or self.event_to < self.event_from):
            raise ValueError("event_to: needs an event_from that is not later")
        return self


class StoreMemories(Body):
    """000: what an agent decided to persist. A service names a profile or a session."""

    profile_id: UUID | None = None
    session_id: UUID | None = None
    agent: Slug | None = None
    memories: list[StoreMemory] = Field(
        min_length=1, max_length=100, examples=[[{"content": "Prefers answers in French."}]]
    )


class StoredMemories(BaseModel):
    """What became of them."""

    stored: list[UUID]
    reinforced: list[UUID]
    superseded: list[UUID]


class ChangeMemory(Body):
    """A correction: of the content (a new memory takes the place of this one) or beside it (in place)."""

    content: Content | None = Field(None, examples=["I live in Lisbon."])
    importance: Share | None = None
    metadata: dict[str, Any] | None = None
    embedding: Embedding | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ChangeMemory:
        if self.content is None and self.importance is None and self.metadata is None:
            raise ValueError("one of content, importance and metadata is needed")
        if self.embedding is not None and self.content is None:
            raise ValueError("embedding: is that of a content, which is missing")
        return self


class SearchMemories(Body):
    """A question."""

    query: str = Field(min_length=1, max_length=100_000, examples=["Where do I live?"])
    profile_id: UUID | None = None
    session_id: UUID | None = None
    agent: Slug | None = None
    kinds: list[MemoryKind] | None = Field(None, min_length=1, max_length=10)
    limit: int = Field(12, ge=1, le=100)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    as_of: Moment | None = None
    asked_at: Moment | None = None
    explain: bool = False
    rerank: bool = False


class MemoryOut(BaseModel):
    """A memory with all that is known of it."""

    model_config = ConfigDict(from_attributes=True)

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

    @classmethod
    def of(cls, memory: Memory) -> MemoryOut:
        """The memory as it is given out."""
        return cls.model_validate(memory)


class MemoryPageOut(BaseModel):
    """Some memories, and the cursor of the next ones."""

    items: list[MemoryOut]
    next_cursor: str | None


class ScoresOut(BaseModel):
    """What each arm of the search made of a memory; null: it had nothing to say."""

    model_config = ConfigDict(from_attributes=True)

    dense: float | None
    dense_near: float | None
    lexical: float | None
    lexical_near: float | None
    lexical_wide: float | None
    named: bool
    timely: bool
    recency: float
    usefulness: float
    reranked: float | None
    approximate: bool


class FoundMemory(MemoryOut):
    """A memory that was found."""

    score: float
    scores: ScoresOut | None = None

    @classmethod
    def found(cls, item: Recalled, *, explain: bool) -> FoundMemory:
        """What was found, with the scores where they are asked for."""
        return cls(
            **MemoryOut.of(item.memory).model_dump(),
            score=item.score,
            scores=ScoresOut.model_validate(item.scores) if explain else None,
        )


class FoundMemories(BaseModel):
    """What was found, best first."""

    items: list[FoundMemory]


class InspectedMemory(MemoryOut):
    """A row of an inspection; scores where a question was asked."""

    score: float | None = None
    scores: ScoresOut | None = None


class InspectedMemories(BaseModel):
    """Rows of an inspection, and the cursor of the next ones."""

    items: list[InspectedMemory]
    next_cursor: str | None


class DeletedMemories(BaseModel):
    """How many rows are gone: the memory and its older versions."""

    deleted: int
