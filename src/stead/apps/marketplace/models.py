"""Agents for hire, comparisons and the waitlist, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from stead.apps.marketplace.scoring import Factor, FitWeights

T = TypeVar("T")
WaitlistStatus = Literal["new", "contacted"]
ReasonsBy = Literal["rules", "model"]


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A word of the taxonomy."""

    slug: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Endorsement:
    """What somebody says of an agent."""

    id: UUID
    author: str
    quote: str
    rating: float | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Listing:
    """An agent as those see it who look for one.

    Args:
        base_rate: What it costs, in the unit of its pricing model.
        rating: 1 to 5.
        success_rate: 0 to 100.
        endorsements: How many there are.
        shared: Whether every tenant sees it.
        score: How well it fits what was searched for, 0 to 1; None without a search.
    """

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
    tags: list[Tag]
    endorsements: int
    shared: bool
    created_at: datetime
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class MemoryStatistics:
    """What is remembered with an agent, of what the caller may see.

    Args:
        memories: How many hold.
        people: Of how many persons or sessions.
        by_source: How many of each source.
        recalled: How often they were found.
        used: How often an answer made use of them.
        last_at: When the latest was stored.
    """

    memories: int
    people: int
    by_source: dict[str, int]
    recalled: int
    used: int
    last_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One agent with what is said of it and remembered with it."""

    listing: Listing
    endorsements: list[Endorsement]
    memory: MemoryStatistics


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which agents.

    Args:
        tags: Slugs; an agent has all of them.
        industries: An agent has one of them.
        pricing_model: As the agent's row has it.
        min_price: Of the base rate.
        max_price: Likewise; an agent without a rate is left out by either.
        min_rating: 1 to 5.
    """

    tags: Sequence[str] = ()
    industries: Sequence[str] = ()
    pricing_model: str | None = None
    min_price: float | None = None
    max_price: float | None = None
    min_rating: float | None = None


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Some of a list, and the place of the next ones; None: that was all."""

    items: list[T]
    next_before: tuple[datetime, UUID] | None = None
    next_score: tuple[float, UUID] | None = None


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody looks for.

    Args:
        goal: In their words.
        agents: Slugs of those to compare; empty: the nearest to the goal.
        filters: Which agents come into question. What is said of prices here is scored and excludes nobody.
        max_price: What they want to pay.
        pricing_model: How they want to pay.
        limit: How many candidates at most.
        weights: What each factor counts for.
        metadata: Anything else that the session's context is to keep.
    """

    goal: str
    agents: Sequence[str] = ()
    filters: Filters = field(default_factory=Filters)
    max_price: float | None = None
    pricing_model: str | None = None
    limit: int = 5
    weights: FitWeights = field(default_factory=FitWeights)
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A candidate with its place.

    Args:
        fit_score: 0 to 100.
        rank: From 1.
        rationale: What people are told.
        factors: What the score is the sum of.
    """

    agent: Listing
    fit_score: float
    rank: int
    rationale: list[str]
    factors: list[Factor]


@dataclass(frozen=True, kw_only=True)
class WaitlistEntry:
    """That somebody waits for an agent."""

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
