"""Goals, and how far they are reached."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead import knowledge
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.memory.cognition.errors import GoalAbandoned, GoalInvalid, GoalUnknown
from stead.memory.cognition.models import Goal, GoalProgress, GoalStatus, Holder
from stead.memory.cognition.queries import goals as queries
from stead.providers.embedders import Embedder

MAX_GOAL_CHARS: Final = 4000
MAX_EVIDENCE: Final = 1000
_KIND: Final = re.compile(r"[a-z_]{1,40}")


def _goal(row: Row | None) -> Goal:
    if row is None:
        raise GoalUnknown("no goal with this id is yours")
    return Goal(**dict(row))


def _share(name: str, value: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise GoalInvalid(f"{name} is {value}", hint="A number from 0 to 1.")
    return value


async def add(
    tx: Transaction,
    principal: Principal,
    goal: str,
    *,
    holder: Holder,
    importance: float = 0.5,
    due_at: datetime | None = None,
    metadata: dict[str, Any] | None = None,
) -> tuple[Goal, bool]:
    """A new goal, or the one that its holder has in these words (but for case and spaces).

    It is found by words at once, and by meaning when the backlog has embedded it.

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        goal: What is wanted, in words; at most 4,000 characters.
        holder: Whose it is.
        importance: 0 to 1.
        due_at: By when.
        metadata: Anything else.

    Returns:
        The goal, and whether it is new.

    Raises:
        GoalInvalid: It is empty or too long, or ``importance`` is no share.
    """
    if not 1 <= len(goal.strip()) <= len(goal) <= MAX_GOAL_CHARS:
        raise GoalInvalid(
            f"the goal has {len(goal)} characters", hint=f"1 to {MAX_GOAL_CHARS}, not all spaces."
        )
    row = await queries.insert_goal(
        tx,
        new_id(),
        principal.tenant.id,
        holder.profile_id,
        holder.session_id,
        holder.agent_name,
        goal,
        _share("importance", importance),
        due_at,
        metadata or {},
    )
    if row is not None:
        return _goal(row), True
    scope_id = holder.profile_id or holder.session_id or principal.tenant.id
    found = await queries.goal_by_words(tx, principal.tenant.id, scope_id, holder.agent_name, goal)
    return _goal(found), False


async def get(tx: Transaction, principal: Principal, goal_id: UUID) -> Goal:
    """One goal.

    Raises:
        GoalUnknown: There is none of this id, or it is somebody else's.
    """
    return _goal(await queries.goal_by_id(tx, principal.tenant.id, goal_id))


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    holder: Holder,
    status: GoalStatus | None = None,
    limit: int = 100,
) -> list[Goal]:
    """The goals of a holder, newest first; of one agent where the holder names one."""
    scope_id = holder.profile_id or holder.session_id or principal.tenant.id
    rows = await queries.goals_of(tx, principal.tenant.id, scope_id, holder.agent_name, status, limit)
    return [_goal(row) for row in rows]


async def find(
    tx: Transaction,
    principal: Principal,
    question: str,
    *,
    holder: Holder,
    embedder: Embedder,
    vector: Sequence[float] | None,
    limit: int = 10,
) -> list[Goal]:
    """The goals of a holder that a question is about, best first.

    Args:
        vector: The question's embedding, made before the transaction; None searches by words only.
    """
    hits = await knowledge.search(
        tx,
        "goal",
        holder.profile_id or holder.session_id or principal.tenant.id,
        question,
        embedder=embedder,
        vector=vector,
        limit=limit,
        facet=holder.agent_name,
    )
    rows = await queries.goals_by_id(tx, principal.tenant.id, [hit.owner_id for hit in hits])
    found = {row["id"]: _goal(row) for row in rows}
    return [found[hit.owner_id] for hit in hits if hit.owner_id in found]


async def assess(
    tx: Transaction,
    principal: Principal,
    goal_id: UUID,
    progress: float,
    *,
    note: str | None = None,
    evidence_kind: str = "memory",
    evidence_ids: Sequence[UUID] = (),
    run_id: UUID | None = None,
    at: datetime | None = None,
    assessment_id: UUID | None = None,
) -> Goal:
    """Notes how far a goal is reached, and on what that rests.

    The goal shows the assessment that is latest by its own time, in whatever order they come in. At 1 it is
    achieved, and no longer when a later assessment says less.

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        goal_id: The goal.
        progress: 0 to 1.
        note: Why, in words; at most 4,000 characters.
        evidence_kind: What the ids are of: lower-case letters and underscores.
        evidence_ids: At most 1,000.
        run_id: The run that assessed it.
        at: When it was so; None: now.
        assessment_id: Given twice, it is noted once; made here when None.

    Raises:
        GoalUnknown: There is none of this id, or it is somebody else's.
        GoalAbandoned: It was given up.
        GoalInvalid: A value does not fit.
    """
    if note is not None and not 1 <= len(note) <= MAX_GOAL_CHARS:
        raise GoalInvalid(f"the note has {len(note)} characters", hint=f"1 to {MAX_GOAL_CHARS}.")
    if len(evidence_ids) > MAX_EVIDENCE:
        raise GoalInvalid(f"{len(evidence_ids)} pieces of evidence", hint=f"At most {MAX_EVIDENCE}.")
    if at is not None and at.tzinfo is None:
        raise GoalInvalid("at has no time zone", hint="An aware datetime.")
    if not _KIND.fullmatch(evidence_kind):
        raise GoalInvalid(
            f"{evidence_kind!r} is no kind of evidence",
            hint="1 to 40 lower-case letters and underscores.",
        )
    row = await queries.assess_goal(
        tx,
        principal.tenant.id,
        goal_id,
        assessment_id or new_id(),
        _share("progress", progress),
        note,
        evidence_kind,
        evidence_ids,
        run_id,
        at,
    )
    if row is not None:
        return _goal(row)
    goal = await get(tx, principal, goal_id)
    if goal.status == "abandoned":
        raise GoalAbandoned("it was given up before", hint="Resume it first.")
    return goal


async def abandon(tx: Transaction, principal: Principal, goal_id: UUID) -> Goal:
    """Gives a goal up. It takes no assessments until it is resumed.

    Raises:
        GoalUnknown: There is none of this id, or it is somebody else's.
    """
    return _goal(await queries.set_goal_status(tx, principal.tenant.id, goal_id, abandoned=True))


async def resume(tx: Transaction, principal: Principal, goal_id: UUID) -> Goal:
    """Takes a goal up again, where it stood.

    Raises:
        GoalUnknown: There is none of this id, or it is somebody else's.
    """
    return _goal(await queries.set_goal_status(tx, principal.tenant.id, goal_id, abandoned=False))


async def remove(tx: Transaction, principal: Principal, goal_id: UUID) -> None:
    """Deletes a goal with its assessments.

    Raises:
        GoalUnknown: There is none of this id, or it is somebody else's.
    """
    if not await queries.delete_goal(tx, principal.tenant.id, goal_id):
        raise GoalUnknown("no goal with this id is yours")


async def progress(
    tx: Transaction, principal: Principal, goal_id: UUID, *, limit: int = 100
) -> list[GoalProgress]:
    """The assessments of a goal, latest first."""
    rows = await queries.progress_of(tx, principal.tenant.id, goal_id, limit)
    return [GoalProgress(**dict(row)) for row in rows]
