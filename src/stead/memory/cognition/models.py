"""Goals, beliefs and metrics as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

GoalStatus = Literal["active", "achieved", "abandoned"]
Direction = Literal["supports", "contradicts"]
Relation = Literal["supports", "contradicts", "refines", "depends_on"]
Period = Literal["hour", "day", "week", "month"]


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whose a goal or belief is: the person's, the session's while nobody is known, else the agent's own.

    Args:
        agent_name: The agent that has it, or that it is about; two agents may hold the same statement.
    """

    profile_id: UUID | None = None
    session_id: UUID | None = None
    agent_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Something wanted.

    Args:
        progress: 0 to 1, of the latest assessment.
        importance: 0 to 1.
        assessed_at: The time of the latest assessment.
    """

    id: UUID
    profile_id: UUID | None
    session_id: UUID | None
    agent_name: str | None
    goal: str
    progress: float
    status: GoalStatus
    importance: float
    due_at: datetime | None
    assessed_at: datetime | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class GoalProgress:
    """One assessment of a goal.

    Args:
        evidence_kind: What ``evidence_ids`` are ids of (``memory``, ``message``, ``run`` …).
        at: When it was so, which is not when it was written down.
    """

    id: UUID
    goal_id: UUID
    progress: float
    note: str | None
    evidence_kind: str
    evidence_ids: list[UUID]
    run_id: UUID | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Belief:
    """A statement, and how far it is believed.

    Args:
        prior: Confidence before any evidence, 0.01 to 0.99.
        confidence: What follows from the prior and the evidence that stands, 0.01 to 0.99.
        supporting: How many pieces of evidence speak for it; ``contradicting``: against it.
    """

    id: UUID
    profile_id: UUID | None
    session_id: UUID | None
    agent_name: str | None
    statement: str
    prior: float
    confidence: float
    supporting: int
    contradicting: int
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Something that speaks for or against a statement.

    Args:
        kind: What ``id`` is an id of (``memory``, ``message``, ``run`` …); together they count once a belief.
        weight: How much of it bears on the statement, 0 to 1.
        reliability: How often such a source is right, 0.5 (a coin) to 0.95.
    """

    kind: str
    id: UUID
    direction: Direction
    weight: float = 1.0
    reliability: float = 0.8


@dataclass(frozen=True, kw_only=True)
class BeliefUpdate:
    """Evidence as it was weighed.

    Args:
        micronats: Its weight: the logarithm of its likelihood ratio, in millionths; negative when it speaks
            against the statement.
        prior: Confidence before, as it was then; ``posterior``: after.
        retracted_at: Since when it counts no more.
    """

    id: UUID
    belief_id: UUID
    evidence_kind: str
    evidence_id: UUID
    direction: Direction
    weight: float
    reliability: float
    micronats: int
    prior: float
    posterior: float
    at: datetime
    retracted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class BeliefEdge:
    """How one belief bears on another.

    Args:
        weight: How much, 0 to 1.
    """

    id: UUID
    from_belief_id: UUID
    to_belief_id: UUID
    relation: Relation
    weight: float
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class MetricsSummary:
    """Runs of one agent in one period, which begins at ``period`` (UTC).

    Args:
        recall_hit_rate: The share of injected memories that answers used; None where nobody looked.
        memories_injected: Of one run, on average; ``context_tokens``: likewise, estimated.
        latency_ms: Median; ``latency_p95_ms``: what one run in twenty took longer than.
        first_token_ms: Median time to the first token.
        cognitive_load: Active runs of a process over the most that it takes: mean, and ``peak_load``.
    """

    agent_name: str
    period: datetime
    runs: int
    recall_hit_rate: float | None
    memories_found: float
    memories_injected: float
    context_tokens: float
    recall_latency_ms: float | None
    latency_ms: float | None
    latency_p95_ms: float | None
    first_token_ms: float | None
    input_tokens: int
    output_tokens: int
    cognitive_load: float | None
    peak_load: float | None
