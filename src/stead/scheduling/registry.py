"""Schedules that an application defines in its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stead.jobs import JobFunction, JobRegistry
from stead.scheduling.cron import Cron
from stead.scheduling.errors import ScheduleInvalid
from stead.scheduling.models import Missed, NewSchedule


@dataclass(frozen=True, kw_only=True)
class CodeSchedule:
    """A schedule of code.

    Args:
        tenant: Slug of the tenant whose jobs these are; None: a job for every tenant.
    """

    schedule: NewSchedule
    tenant: str | None


@dataclass
class ScheduleRegistry:
    """The schedules that this process has in its code."""

    _schedules: dict[tuple[str | None, str], CodeSchedule] = field(
        default_factory=dict[tuple[str | None, str], CodeSchedule]
    )

    def add(
        self,
        cron: str,
        *,
        kind: str,
        time_zone: str = "UTC",
        tenant: str | None = None,
        missed: Missed = "once",
        name: str | None = None,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - what it is called everywhere else
        tick_argument: str | None = None,
        queue: str | None = None,
    ) -> None:
        """Defines a schedule.

        Args:
            cron: When.
            kind: Which jobs it makes.
            time_zone: Whose clock it goes by.
            tenant: Slug; None: every tenant.
            missed: What becomes of ticks that nobody fired in time.
            name: Its name; that of the jobs when None.
            input: The jobs' input.
            tick_argument: The handler's argument that is given the tick.
            queue: Where the jobs go; None: what the handler says.

        Raises:
            ScheduleInvalid: It cannot be read, or its name is taken.
        """
        Cron(cron, time_zone)
        if missed not in {"skip", "once", "all"}:
            raise ScheduleInvalid(
                f"missed ticks are not treated as {missed!r}", hint="skip, once or all"
            )
        wanted = name or kind
        if (tenant, wanted) in self._schedules:
            raise ScheduleInvalid(
                f"there is a schedule {wanted!r} already", hint="Give this one a name of its own: name=…"
            )
        self._schedules[tenant, wanted] = CodeSchedule(
            tenant=tenant,
            schedule=NewSchedule(
                name=wanted,
                cron=cron,
                time_zone=time_zone,
                kind=kind,
                input=dict(input or {}),
                tick_argument=tick_argument,
                queue=queue,
                missed=missed,
            ),
        )

    def copy(self) -> ScheduleRegistry:
        """The same schedules, to which others can be added."""
        return ScheduleRegistry(dict(self._schedules))

    @property
    def all(self) -> list[CodeSchedule]:
        """All of them, in the same order in every process: two that register them do not block each other."""
        return [
            self._schedules[key] for key in sorted(self._schedules, key=lambda k: (k[0] or "", k[1]))
        ]


def kind_of(jobs: JobRegistry, function: JobFunction) -> str:
    """The kind of job that a function carries out.

    Raises:
        ScheduleInvalid: It is no handler, or one of several kinds.
    """
    kinds = [kind for kind in jobs.kinds if jobs.get(kind).function is function]
    if len(kinds) != 1:
        raise ScheduleInvalid(
            f"{getattr(function, '__name__', function)} is the handler of {len(kinds)} kinds of job",
            hint="Put @app.schedule above @app.job, or say which: job=…",
        )
    return kinds[0]
