"""Who came how far, by phase and step."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from stead.analytics import queries
from stead.analytics.catalogue import CATALOGUE
from stead.analytics.errors import FunnelPeriodInvalid
from stead.analytics.models import Funnel, Stage, Total
from stead.db import Row, Transaction
from stead.identity import Principal

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 400
#: Phases, and steps, that are told of.
_MOST_STAGES: Final = 200


async def measure(
    tx: Transaction,
    principal: Principal,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Funnel:
    """The funnel of a tenant: distinct sessions by phase and step.

    Phases and steps stand in the order in which sessions come by: by the mean of their places on the way of each
    session that came to them.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        since: From then on; None: for thirty days.
        until: Before then; None: until now.

    Raises:
        FunnelPeriodInvalid: It ends before it begins, or is longer than 400 days.
    """
    until = until or await queries.clock(tx)
    since = since or until - timedelta(days=DEFAULT_DAYS)
    if since >= until:
        raise FunnelPeriodInvalid("the time ends before it begins")
    if until - since > timedelta(days=MAX_DAYS):
        raise FunnelPeriodInvalid(f"the time is longer than {MAX_DAYS} days")
    rows = await queries.funnel(tx, principal.tenant.id, since, until, _MOST_STAGES)
    totals = {row["name"]: row for row in rows if row["name"] is not None}
    stages = [_stage(row) for row in rows if row["name"] is None]
    return Funnel(
        since=since,
        until=until,
        totals=tuple(
            Total(
                name=event.name,
                events=totals[event.name]["events"],
                sessions=totals[event.name]["sessions"],
            )
            for event in CATALOGUE
            if event.name in totals
        ),
        phases=tuple(stage for stage in stages if stage.step is None),
        steps=tuple(stage for stage in stages if stage.step is not None),
    )


def _stage(row: Row) -> Stage:
    fields = dict(row)
    del fields["name"], fields["events"]
    return Stage(**fields)
