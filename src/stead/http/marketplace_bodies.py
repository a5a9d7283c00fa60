"""Bodies of the marketplace's endpoints: what comes in, what goes out."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field

from stead.agents.registry import SLUG_PATTERN
from stead.apps.marketplace import ReasonsBy, WaitlistStatus
from stead.http.chat import MAX_MESSAGE_CHARS
from stead.http.session_bodies import Body, Email

_MAX_METADATA_BYTES: Final = 16_384
_MAX_METADATA_DEPTH: Final = 32
_MAX_PRICE: Final = 1_000_000_000


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*cast("dict[str, Any]", value).values()]
    return [*cast("list[Any]", value)] if isinstance(value, list) else []


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    level: list[Any] = [metadata]
    for _ in range(_MAX_METADATA_DEPTH):
        level = [inner for value in level for inner in _inside(value)]
    if level:
        raise ValueError(f"has more than {_MAX_METADATA_DEPTH} levels")
    if len(json.dumps(metadata).encode()) > _MAX_METADATA_BYTES:
        raise ValueError(f"has more than {_MAX_METADATA_BYTES} bytes")
    return metadata


Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]
TagSlug = Annotated[str, Field(pattern=SLUG_PATTERN)]
Industry = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_not_blank)]
Price = Annotated[float, Field(ge=0, le=_MAX_PRICE)]
Rating = Annotated[float, Field(ge=1, le=5)]
PricingModel = Annotated[str, Field(min_length=1, max_length=50, examples=["subscription"])]
Said = Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS), AfterValidator(_not_blank)]
Metadata = Annotated[dict[str, Any], AfterValidator(_small)]


class TagOut(BaseModel):
    """A word of the taxonomy."""

    model_config = ConfigDict(from_attributes=True)

    slug: str
    label: str


class ListingOut(BaseModel):
    """An agent for hire."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    name: str
    tagline: str | None
    description: str | None
    pricing_model: str | None
    base_rate: float | None
    rating: float | None
    experience_years: int | None
    success_rate: float | None
    industries: list[str]
    tags: list[TagOut]
    endorsements: int
    shared: bool
    created_at: datetime
    score: float | None


class ListingPage(BaseModel):
    """Some of them."""

    items: list[ListingOut]
    next_cursor: str | None


class EndorsementOut(BaseModel):
    """What somebody says of an agent."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    author: str
    quote: str
    rating: float | None
    created_at: datetime


class MemoryStatisticsOut(BaseModel):
    """What is remembered with an agent, of what the caller may see."""

    model_config = ConfigDict(from_attributes=True)

    memories: int
    people: int
    by_source: dict[str, int]
    recalled: int
    used: int
    last_at: datetime | None


class DetailOut(BaseModel):
    """One agent."""

    model_config = ConfigDict(from_attributes=True)

    agent: ListingOut
    endorsements: list[EndorsementOut]
    memory: MemoryStatisticsOut


class NewTag(Body):
    """A word of the taxonomy, made where it is new."""

    slug: TagSlug
    label: str | None = Field(None, min_length=1, max_length=200, description="null: the slug")


class SaveListing(Body):
    """What an agent costs, can and is about. What is left out is taken away."""

    pricing_model: PricingModel | None = Field(None, examples=["subscription"])
    base_rate: Price | None = Field(None, examples=[49])
    rating: Rating | None = Field(None, examples=[4.6])
    experience_years: int | None = Field(None, ge=0, le=200)
    success_rate: float | None = Field(None, ge=0, le=100)
    industries: list[Industry] = Field(default_factory=list[str], max_length=50)
    tags: list[NewTag] = Field(default_factory=list[NewTag], max_length=50)


class Endorse(Body):
    """What somebody says of an agent."""

    author: str = Field(min_length=1, max_length=200, examples=["Ann, founder of Pawlog"])
    quote: str = Field(min_length=1, max_length=2000, examples=["Found our first ten customers."])
    rating: Rating | None = None


class Compare(Body):
    """What somebody looks for."""

    goal: Annotated[
        str,
        Field(min_length=1, max_length=4000, examples=["Hire two backend engineers"]),
        AfterValidator(_not_blank),
    ]
    agents: list[Slug] = Field(default_factory=list[str], max_length=20)
    tags: list[TagSlug] = Field(default_factory=list[str], max_length=20)
    industries: list[Industry] = Field(default_factory=list[str], max_length=20)
    min_rating: Rating | None = None
    max_price: Price | None = None
    pricing_model: PricingModel | None = None
    limit: int = Field(5, ge=1, le=20)
    weights: dict[str, float] = Field(default_factory=dict[str, float], max_length=20)
    reasons: ReasonsBy = "model"
    session_id: UUID | None = None
    profile_id: UUID | None = Field(None, description="For services: for whom.")
    metadata: Metadata = Field(default_factory=dict[str, Any])


class FactorOut(BaseModel):
    """A part of a score."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    weight: float
    value: float
    points: float
    reason: str
    memory_ids: list[UUID]


class CandidateOut(BaseModel):
    """How well an agent fits."""

    model_config = ConfigDict(from_attributes=True)

    agent: ListingOut
    fit_score: float
    rank: int
    rationale: list[str]
    factors: list[FactorOut]


class Compared(BaseModel):
    """A comparison."""

    session_id: UUID
    candidates: list[CandidateOut]
    reasons_by: ReasonsBy
    notice: str | None


class KeptCandidates(BaseModel):
    """The candidates of a session."""

    session_id: UUID
    candidates: list[CandidateOut]


class ChatWithAgent(Body):
    """A message to an agent. Without a session a new one is made."""

    agent: Slug = Field(examples=["concierge"])
    message: Said = Field(
        validation_alias=AliasChoices("message", "prompt"), examples=["What would you do first?"]
    )
    session_id: UUID | None = None
    message_id: str | None = Field(None, min_length=1, max_length=200)
    metadata: Metadata = Field(default_factory=dict[str, Any])


class RunAgent(Body):
    """A prompt of a session, for the agent that is named, the session's, or the concierge."""

    session_id: UUID
    prompt: Said = Field(examples=["What would you do first?"])
    agent: Slug | None = None
    message_id: str | None = Field(None, min_length=1, max_length=200)
    metadata: Metadata = Field(default_factory=dict[str, Any])
    stream: bool = True


class RunError(BaseModel):
    """Why a run failed."""

    code: str
    message: str


class RanAgent(BaseModel):
    """An answer that was waited for."""

    run_id: UUID
    session_id: UUID
    agent: str
    status: Literal["running", "completed", "failed", "cancelled"]
    output: str
    error: RunError | None
    latency_ms: int | None
    input_tokens: int
    output_tokens: int


class JoinWaitlist(Body):
    """Who wants to hire whom."""

    agent_session_id: UUID = Field(
        validation_alias=AliasChoices("agent_session_id", "session_id"),
        description="The session that a chat or a comparison gave.",
    )
    agent: Slug
    email_override: Email | None = Field(None, examples=["ann@example.com"])
    message: str | None = Field(None, min_length=1, max_length=10_000)


class EntryOut(BaseModel):
    """An entry of the waitlist."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    profile_id: UUID | None
    agent_id: UUID
    agent: str
    session_id: UUID
    email_override: str | None
    email: str | None
    message: str | None
    status: WaitlistStatus
    created_at: datetime


class EntryPage(BaseModel):
    """Some of them."""

    items: list[EntryOut]
    next_cursor: str | None


class SetEntryStatus(Body):
    """Whether somebody was written to."""

    status: WaitlistStatus = Field(examples=["contacted"])
