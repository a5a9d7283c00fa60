"""Schedules as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

#: What becomes of ticks at which nothing was there to fire them: nothing, one job for all of them, a job for each.
Missed = Literal["skip", "once", "all"]
#: `system`: what workers do themselves.
Source = Literal["code", "api", "system"]


@dataclass(frozen=True, kw_only=True)
class NewSchedule:
    """A schedule as somebody wants it.

    Args:
        name: Unique among those of its tenant, or of every tenant.
        cron: Five fields: minute, hour, day of the month, month, day of the week; or ``@daily`` and the like.
        time_zone: IANA name of the zone whose clock it goes by.
        kind: Which jobs it makes.
        input: Their input.
        tick_argument: The member of the input that is given the tick (ISO 8601, UTC); None: none is.
        queue: Which queue they go to; None: what the handler says.
        missed: What becomes of ticks that nobody fired in time.
    """

    name: str
    cron: str
    time_zone: str = "UTC"
    kind: str
    input: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tick_argument: str | None = None
    queue: str | None = None
    missed: Missed = "once"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule as it stands.

    Args:
        tenant_id: None: a job for every tenant.
        next_at: The next tick; None: there will be none.
        last_at: The latest that was fired.
        seen_at: When a worker that has it in its code last said so (``source`` code).
    """

    id: UUID
    tenant_id: UUID | None
    tenant_slug: str | None
    name: str
    cron: str
    time_zone: str
    kind: str
    input: dict[str, Any]
    tick_argument: str | None
    queue: str
    max_attempts: int
    missed: Missed
    source: Source
    paused: bool
    next_at: datetime | None
    last_at: datetime | None
    seen_at: datetime
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class SharedSchedule:
    """A schedule that serves every tenant, as one of them sees it.

    Args:
        paused: For all, by who runs the server.
        paused_here: By this tenant, for itself.
    """

    id: UUID
    name: str
    cron: str
    time_zone: str
    kind: str
    source: Source
    paused: bool
    paused_here: bool
    next_at: datetime | None
    last_at: datetime | None
