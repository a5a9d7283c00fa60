"""Trust in a tool, learned from what people and outcomes say.

Each tenant's trust in each tool is a Beta-Bernoulli model: successes *s* and failures *f* are sums of weights,
half of which is gone after thirty days, neither more than fifty, beside one of each to begin with (the uniform
prior). Trust is the lower end of the one-sided 95% interval of Beta(s + 1, f + 1) by the normal approximation,

    max(0, m - 1.645 sqrt(m (1 - m) / (s + f + 3))),  m = (s + 1) / (s + f + 2),

so that little experience is little trust, however good it was. See A. Gelman et al., Bayesian Data Analysis, 2.4
(the model), and A. Josang and R. Ismail, The Beta Reputation System, 2002 (forgetting).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from stead.db import Transaction
from stead.governance import queries

Outcome = Literal["approved", "rejected", "succeeded", "failed", "unknown"]
#: What each says for (positive) or against (negative) a tool. A person's yes says more than that nothing went
#: wrong, and a no says more than a yes.
WEIGHTS: Final[dict[Outcome, float]] = {
    "approved": 1.0,
    "rejected": -2.0,
    "succeeded": 0.2,
    "failed": -1.0,
    "unknown": -0.5,
}
_Z: Final = 1.645


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """Something that was said of a tool.

    Args:
        tenant_id: Whose trust it is.
        tool: Its slug.
        outcome: What was said: by a person (approved, rejected) or by what happened.
        envelope_id: Of which envelope.
    """

    tenant_id: UUID
    tool: str
    outcome: Outcome
    envelope_id: UUID | None = None


async def learn(tx: Transaction, lessons: Sequence[Lesson]) -> None:
    """Notes what was said of tools, in the transaction in which it was said.

    Args:
        tx: As for `judge`.
        lessons: Of any tenants.

    Raises:
        asyncpg.InsufficientPrivilegeError: One belongs to another tenant than the caller.
    """
    if lessons:
        await queries.learn(
            tx,
            [each.tenant_id for each in lessons],
            [each.tool for each in lessons],
            [each.outcome for each in lessons],
            [each.envelope_id for each in lessons],
            [WEIGHTS[each.outcome] for each in lessons],
        )


def bound(successes: float, failures: float) -> float:
    """Trust after so much for and against, 0 to 1. `stead.trust_bound` computes the same."""
    mean = (successes + 1) / (successes + failures + 2)
    spread = math.sqrt(mean * (1 - mean) / (successes + failures + 3))
    return max(0.0, mean - _Z * spread)
