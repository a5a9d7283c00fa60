"""Document 001's recurring jobs as schedules: what workers do by the clock."""

from __future__ import annotations

import structlog

from stead import knowledge, sessions
from stead.http import Parts
from stead.memory import curation
from stead.scheduling import Standing
from stead.tools import refreshing

_log = structlog.stdlib.get_logger(__name__)


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
        # Each toolkit half an hour to an hour after it was asked last, at a time of its own.
        Standing(
            name="catalog-refresh",
            cron="* * * * *",
            kind="catalog.refresh",
            rounds=[lambda: refreshing.enqueue_due(parts.db, parts.dispatch)],
        ),
        Standing(
            name="catalog-drift",
            cron="40 3 * * *",
            kind="catalog.drift",
            rounds=[lambda: refreshing.enqueue_all(parts.db, parts.dispatch)],
        ),
    ]
