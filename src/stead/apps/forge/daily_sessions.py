"""Daily sessions: what a learner and the mentor said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from stead.apps.forge import projects, queries
from stead.apps.forge.errors import DailySessionMoved, DailySessionUnknown
from stead.apps.forge.models import DailySession, Page
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal

MAX_ENTRIES: Final = 400


def _session(row: Row | None) -> DailySession:
    if row is None:
        raise DailySessionUnknown("the project has no session with this id")
    return DailySession(**dict(row))


async def start(tx: Transaction, principal: Principal, project_id: UUID) -> DailySession:
    """Begins a session.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    return _session(await queries.insert_daily_session(tx, new_id(), principal.tenant.id, project_id))


async def get(tx: Transaction, principal: Principal, project_id: UUID, session_id: UUID) -> DailySession:
    """A session.

    Raises:
        ProjectUnknown, DailySessionUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    return _session(await queries.daily_session_by_id(tx, principal.tenant.id, project_id, session_id))


async def listing(
    tx: Transaction,
    principal: Principal,
    project_id: UUID,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 20,
) -> Page[DailySession]:
    """A project's sessions, newest first.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    at, at_id = before or (None, None)
    rows = await queries.daily_sessions_before(tx, principal.tenant.id, project_id, at, at_id, limit + 1)
    items = [_session(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


def check_seen(session: DailySession, seen: int | None) -> None:
    """Refuses what is said to a session that has gone on.

    Args:
        session: As it is.
        seen: How many entries of its transcript were seen; None: it does not matter.

    Raises:
        DailySessionMoved: There are more, or fewer.
    """
    if seen is not None and seen != len(session.transcript):
        raise DailySessionMoved(
            f"its transcript has {len(session.transcript)} entries", hint="Read it again."
        )


async def append(
    tx: Transaction,
    principal: Principal,
    session: DailySession,
    *,
    said: str,
    answer: str,
    concepts: Sequence[str],
) -> DailySession:
    """Adds what was said and what was answered, and the time that it took.

    Args:
        tx: A transaction as the server.
        principal: The caller.
        session: As it was when the mentor read it.
        said: The learner's words.
        answer: The mentor's.
        concepts: What they were about.

    Raises:
        DailySessionMoved: The session is not any more as it was read: it went on, or is gone.
    """
    row = await queries.append_transcript(
        tx,
        principal.tenant.id,
        session.project_id,
        session.id,
        len(session.transcript),
        [{"role": "user", "content": said}, {"role": "mentor", "content": answer}],
        concepts,
    )
    if row is None:
        raise DailySessionMoved("it went on while the mentor thought", hint="Read it and say it again.")
    return _session(row)


async def delete(tx: Transaction, principal: Principal, project_id: UUID, session_id: UUID) -> None:
    """Deletes a session.

    Raises:
        ProjectUnknown, DailySessionUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    if not await queries.delete_daily_session(tx, principal.tenant.id, project_id, session_id):
        raise DailySessionUnknown("the project has no session with this id")
