"""How well memory finds what answers a question, measured on conversations with questions.

Owns no table. What always holds: turns are stored and questions asked the way the product does it; nothing is
written but for people made for it, in a tenant that the caller made for it and deletes.
"""

from stead.agents.evaluating.dataset import Query, Scope, Turn, load
from stead.agents.evaluating.figures import Asked, by_category, percentile, recall_at
from stead.agents.evaluating.settings import Measured, arms, check_arms, check_depths, compare
from stead.agents.evaluating.trial import Trial

__all__ = [
    "Asked",
    "Measured",
    "Query",
    "Scope",
    "Trial",
    "Turn",
    "arms",
    "by_category",
    "check_arms",
    "check_depths",
    "compare",
    "load",
    "percentile",
    "recall_at",
]
