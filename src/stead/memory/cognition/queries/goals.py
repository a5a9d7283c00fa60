"""The statements about goals: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_GOAL: Final = """
  id, profile_id, session_id, agent_name, goal, progress, status, importance, due_at, assessed_at, metadata,
  created_at, updated_at
"""
#: The same of `g`, where another row of the statement has such columns, too.
_G_GOAL: Final = """
  g.id, g.profile_id, g.session_id, g.agent_name, g.goal, g.progress, g.status, g.importance, g.due_at,
  g.assessed_at, g.metadata, g.created_at, g.updated_at
"""
_PROGRESS: Final = "id, goal_id, progress, note, evidence_kind, evidence_ids, run_id, at"


async def insert_goal(
    tx: Transaction,
    goal_id: UUID,
    tenant_id: UUID,
    profile_id: UUID | None,
    session_id: UUID | None,
    agent_name: str | None,
    goal: str,
    importance: float,
    due_at: datetime | None,
    metadata: dict[str, Any],
) -> Row | None:
    # Said twice, kept once: the unique index decides, not a look beforehand.
    return await tx.row(
        f"""
        insert into public.goal_assessments
          (id, tenant_id, profile_id, session_id, agent_name, goal, importance, due_at, metadata)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict do nothing
        returning {_GOAL}
        """,
        goal_id,
        tenant_id,
        profile_id,
        session_id,
        agent_name,
        goal,
        importance,
        due_at,
        metadata,
    )


async def goal_by_words(
    tx: Transaction, tenant_id: UUID, scope_id: UUID, agent_name: str | None, goal: str
) -> Row | None:
    return await tx.row(
        f"""
        select {_GOAL} from public.goal_assessments
        where tenant_id = $1 and scope_id = $2 and agent_name is not distinct from $3
          and digest = stead.text_digest($4)
        """,
        tenant_id,
        scope_id,
        agent_name,
        goal,
    )


async def goal_by_id(tx: Transaction, tenant_id: UUID, goal_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_GOAL} from public.goal_assessments where tenant_id = $1 and id = $2",
        tenant_id,
        goal_id,
    )


async def goals_of(
    tx: Transaction,
    tenant_id: UUID,
    scope_id: UUID,
    agent_name: str | None,
    status: str | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_GOAL} from public.goal_assessments
        where tenant_id = $1 and scope_id = $2 and ($3::text is null or agent_name = $3)
          and ($4::text is null or status = $4)
        order by created_at desc, id desc limit $5
        """,
        tenant_id,
        scope_id,
        agent_name,
        status,
        limit,
    )


async def goals_by_id(tx: Transaction, tenant_id: UUID, goal_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        f"select {_GOAL} from public.goal_assessments where tenant_id = $1 and id = any ($2)",
        tenant_id,
        list(goal_ids),
    )


async def assess_goal(
    tx: Transaction,
    tenant_id: UUID,
    goal_id: UUID,
    assessment_id: UUID,
    progress: float,
    note: str | None,
    evidence_kind: str,
    evidence_ids: Sequence[UUID],
    run_id: UUID | None,
    at: datetime | None,
) -> Row | None:
    # The goal is locked first, so that of two assessments the later one (by its own time) is what it shows.
    # Nothing comes back where there is no goal, it was given up, the assessment was there, or a later one is.
    return await tx.row(
        f"""
        with goal as (
          select g.id, g.scope_id, g.status from public.goal_assessments g
          where g.tenant_id = $1 and g.id = $2 for no key update
        ),
        noted as (
          insert into public.goal_progress
            (id, tenant_id, scope_id, goal_id, progress, note, evidence_kind, evidence_ids, run_id, at)
          select $3, $1, goal.scope_id, goal.id, $4, $5, $6, $7, $8, coalesce($9, now())
          from goal where goal.status <> 'abandoned'
          on conflict do nothing
          returning progress, at
        )
        update public.goal_assessments g
        set progress = n.progress, assessed_at = n.at,
          status = case when n.progress = 1 then 'achieved' else 'active' end
        from noted n
        where g.tenant_id = $1 and g.id = $2 and (g.assessed_at is null or n.at >= g.assessed_at)
        returning {_G_GOAL}
        """,
        tenant_id,
        goal_id,
        assessment_id,
        progress,
        note,
        evidence_kind,
        list(evidence_ids),
        run_id,
        at,
    )


async def set_goal_status(
    tx: Transaction, tenant_id: UUID, goal_id: UUID, *, abandoned: bool
) -> Row | None:
    return await tx.row(
        f"""
        update public.goal_assessments
        set status = case when $3 then 'abandoned' when progress = 1 then 'achieved' else 'active' end
        where tenant_id = $1 and id = $2
        returning {_GOAL}
        """,
        tenant_id,
        goal_id,
        abandoned,
    )


async def progress_of(tx: Transaction, tenant_id: UUID, goal_id: UUID, limit: int) -> list[Row]:
    return await tx.rows(
        f"""
        select {_PROGRESS} from public.goal_progress
        where tenant_id = $1 and goal_id = $2
          and scope_id = (select g.scope_id from public.goal_assessments g where g.tenant_id = $1 and g.id = $2)
        order by at desc, id desc limit $3
        """,
        tenant_id,
        goal_id,
        limit,
    )


async def delete_goal(tx: Transaction, tenant_id: UUID, goal_id: UUID) -> int:
    return await tx.execute(
        "delete from public.goal_assessments where tenant_id = $1 and id = $2", tenant_id, goal_id
    )
