"""Document 001's recurring jobs as schedules: what workers do themselves, and what makes jobs for every tenant."""

from __future__ import annotations

from typing import Final

import structlog

from stead import knowledge, sessions
from stead.http import Parts
from stead.jobs import JobRegistry
from stead.memory import curation
from stead.scheduling import ScheduleRegistry, Standing

_log = structlog.stdlib.get_logger(__name__)
#: Name, times and kind of job. A job for every tenant; the handlers are the catalogue's.
_OF_JOBS: Final = (
    ("catalog-refresh", "7,37 * * * *", "catalog.refresh"),
    ("catalog-drift", "40 3 * * *", "catalog.drift"),
)


def standing_schedules(parts: Parts) -> list[Standing]:
    """What workers do by the clock.

    Args:
        parts: What is open.
    """

    async def reap() -> int:
        if not parts.session_timeout_s:
            return 0
        reaped = sum((await sessions.reap(parts.db, parts.session_timeout_s)).values())
        if reaped:
            _log.info("sessions_reaped", sessions=reaped)
        return reaped

    embedder = parts.runtime.embedder
    return [
        Standing(
            name="memory-curation",
            cron="*/10 * * * *",
            kind="memory.curate",
            rounds=[
                lambda: curation.fade(parts.db),
                lambda: curation.expire(parts.db),
                lambda: curation.consolidate(parts.db, embedder),
            ],
        ),
        Standing(name="session-reaping", cron="*/5 * * * *", kind="sessions.reap", rounds=[reap]),
        Standing(
            name="embedding-reindex",
            cron="*/5 * * * *",
            kind="embeddings.reindex",
            rounds=[lambda: knowledge.reindex(parts.db, embedder)],
        ),
    ]


def with_catalogue(schedules: ScheduleRegistry, jobs: JobRegistry) -> ScheduleRegistry:
    """An application's schedules, and those that keep the catalogue of tools fresh.

    Args:
        schedules: The application's; one of the same name wins.
        jobs: The handlers that there are. A schedule whose handler is missing is left out, and that is said.
    """
    completed = schedules.copy()
    taken = {each.schedule.name for each in schedules.all if each.tenant is None}
    for name, cron, kind in _OF_JOBS:
        if name in taken:
            continue
        if kind not in jobs.kinds:
            _log.warning("schedule_not_registered", schedule=name, tenant=None, reason="kind_unknown")
            continue
        completed.add(cron, kind=kind, name=name, missed="skip")
    return completed
