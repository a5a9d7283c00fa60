"""How well a run was served by memory, and what it cost."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from stead.db import Transaction
from stead.identity import Principal
from stead.memory.cognition.errors import MetricsPeriodInvalid
from stead.memory.cognition.models import MetricsSummary, Period
from stead.memory.cognition.queries import metrics as queries

_PERIODS: Final = get_args(Period)


async def record(
    tx: Transaction,
    principal: Principal,
    run_id: UUID,
    *,
    recall_hit_rate: float | None = None,
    cognitive_load: float | None = None,
) -> bool:
    """Notes the metrics of a run, in the transaction that ends it, after its row was written.

    Tokens and times are those of the run's row, what was found and injected that of its recall's log: only what
    neither knows is an argument. Noted again, the first stays.

    Args:
        tx: A transaction as the server.
        principal: Whose run it is.
        run_id: The run.
        recall_hit_rate: Share of the injected memories that the answer used, 0 to 1; None: not known. It is left
            out where none was injected.
        cognitive_load: Active runs of the process over the most that it takes; kept within 0 and 1.

    Returns:
        Whether a row was written: not for a run that the caller does not see, or that has one.
    """
    return bool(
        await queries.insert_metrics(
            tx, principal.tenant.id, run_id, _bounded(recall_hit_rate), _bounded(cognitive_load)
        )
    )


async def summary(
    tx: Transaction,
    principal: Principal,
    *,
    since: datetime,
    agent: str | None = None,
    period: Period = "day",
    limit: int = 1000,
) -> list[MetricsSummary]:
    """Runs by agent and period (UTC), latest period first: a person's own, or for a service its tenant's.

    Args:
        tx: A transaction.
        principal: Whose tenant it is.
        since: Runs from then on.
        agent: Only of this one.
        period: ``hour``, ``day``, ``week`` or ``month``.
        limit: How many rows at most.

    Raises:
        MetricsPeriodInvalid: There is no such period.
    """
    if period not in _PERIODS:
        raise MetricsPeriodInvalid(f"{period!r} is no period", hint=", ".join(_PERIODS))
    rows = await queries.metrics_by_agent(tx, principal.tenant.id, agent, since, period, limit)
    return [MetricsSummary(**dict(row)) for row in rows]


def _bounded(share: float | None) -> float | None:
    # A figure that went wrong must not keep a run from ending.
    if share is None or not math.isfinite(share):
        return None
    return min(max(share, 0.0), 1.0)
