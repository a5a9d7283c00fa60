"""What can go wrong with goals, beliefs and metrics."""

from stead.core.errors import Conflict, Invalid, NotFound


class GoalUnknown(NotFound):
    """There is no such goal."""

    code = "goal_unknown"


class GoalAbandoned(Conflict):
    """The goal was given up."""

    code = "goal_abandoned"


class GoalInvalid(Invalid):
    """The goal or its assessment is not valid."""

    code = "goal_invalid"


class BeliefUnknown(NotFound):
    """There is no such belief."""

    code = "belief_unknown"


class BeliefInvalid(Invalid):
    """The belief or its edge is not valid."""

    code = "belief_invalid"


class EvidenceInvalid(Invalid):
    """The evidence is not valid."""

    code = "evidence_invalid"


class MetricsPeriodInvalid(Invalid):
    """Metrics are not summed by that period."""

    code = "metrics_period_invalid"
