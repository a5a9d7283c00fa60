"""What agents and people want (goals), what they take to be true (beliefs), and how well a run was served by
memory (metrics).

Owns ``goal_assessments`` with ``goal_progress``, ``belief_graphs`` with ``belief_edges`` and ``belief_updates``,
and ``cognitive_metrics``. What always holds: each belongs to one person, to the session of somebody not yet
known, or (with neither) to the tenant as an agent's own, and the database enforces it; a belief's confidence
follows from its prior and the evidence that stands, whatever the order in which it came in; a piece of evidence
counts once; history is added to and never rewritten.
"""

from stead.memory.cognition import beliefs, goals, graph, metrics
from stead.memory.cognition.errors import (
    BeliefInvalid,
    BeliefUnknown,
    EvidenceInvalid,
    GoalAbandoned,
    GoalInvalid,
    GoalUnknown,
    MetricsPeriodInvalid,
)
from stead.memory.cognition.linking import move_session
from stead.memory.cognition.metrics import record, summary
from stead.memory.cognition.models import (
    Belief,
    BeliefEdge,
    BeliefUpdate,
    Evidence,
    Goal,
    GoalProgress,
    Holder,
    MetricsSummary,
    Relation,
)

__all__ = [
    "Belief",
    "BeliefEdge",
    "BeliefInvalid",
    "BeliefUnknown",
    "BeliefUpdate",
    "Evidence",
    "EvidenceInvalid",
    "Goal",
    "GoalAbandoned",
    "GoalInvalid",
    "GoalProgress",
    "GoalUnknown",
    "Holder",
    "MetricsPeriodInvalid",
    "MetricsSummary",
    "Relation",
    "beliefs",
    "goals",
    "graph",
    "metrics",
    "move_session",
    "record",
    "summary",
]
