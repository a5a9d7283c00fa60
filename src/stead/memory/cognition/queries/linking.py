"""The statements that give a person what a session had: one a function."""

from __future__ import annotations

from uuid import UUID

from stead.db import Row, Transaction


async def twin_beliefs(
    tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID
) -> list[Row]:
    return await tx.rows(
        """
        select s.id as twin, p.id as kept
        from public.belief_graphs s join public.belief_graphs p
          on p.tenant_id = s.tenant_id and p.scope_id = $3 and p.digest = s.digest
            and p.agent_name is not distinct from s.agent_name
        where s.tenant_id = $1 and s.session_id = $2 and s.profile_id is null
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def copy_updates(
    tx: Transaction, tenant_id: UUID, from_belief_id: UUID, to_belief_id: UUID
) -> int:
    # What spoke for both counts once: the unique index drops the second.
    return await tx.execute(
        """
        insert into public.belief_updates
          (tenant_id, scope_id, belief_id, evidence_kind, evidence_id, direction, weight, reliability, prior,
           posterior, at, retracted_at)
        select u.tenant_id, b.scope_id, b.id, u.evidence_kind, u.evidence_id, u.direction, u.weight,
          u.reliability, u.prior, u.posterior, u.at, u.retracted_at
        from public.belief_updates u join public.belief_graphs b on b.tenant_id = u.tenant_id and b.id = $3
        where u.tenant_id = $1 and u.belief_id = $2
        on conflict do nothing
        """,
        tenant_id,
        from_belief_id,
        to_belief_id,
    )


async def move_beliefs(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    # All in one statement: an edge between two of them moves when both are in their new scope.
    return await tx.execute(
        """
        update public.belief_graphs set profile_id = $3
        where tenant_id = $1 and session_id = $2 and profile_id is null
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def lock_twin_goals(
    tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID
) -> list[Row]:
    # Before their assessments are copied, so that none comes in between copying and dropping.
    return await tx.rows(
        """
        select s.id
        from public.goal_assessments s join public.goal_assessments p
          on p.tenant_id = s.tenant_id and p.scope_id = $3 and p.digest = s.digest
            and p.agent_name is not distinct from s.agent_name
        where s.tenant_id = $1 and s.session_id = $2 and s.profile_id is null
        order by s.id for no key update of s, p
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def copy_twin_progress(
    tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID
) -> int:
    return await tx.execute(
        """
        insert into public.goal_progress
          (tenant_id, scope_id, goal_id, progress, note, evidence_kind, evidence_ids, run_id, at)
        select p.tenant_id, p.scope_id, p.id, x.progress, x.note, x.evidence_kind, x.evidence_ids, x.run_id, x.at
        from public.goal_assessments s join public.goal_assessments p
          on p.tenant_id = s.tenant_id and p.scope_id = $3 and p.digest = s.digest
            and p.agent_name is not distinct from s.agent_name
        join public.goal_progress x on x.tenant_id = s.tenant_id and x.scope_id = s.scope_id and x.goal_id = s.id
        where s.tenant_id = $1 and s.session_id = $2 and s.profile_id is null
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def drop_twin_goals(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        """
        delete from public.goal_assessments s
        where s.tenant_id = $1 and s.session_id = $2 and s.profile_id is null and exists (
          select from public.goal_assessments p
          where p.tenant_id = $1 and p.scope_id = $3 and p.digest = s.digest
            and p.agent_name is not distinct from s.agent_name)
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def refresh_goals(tx: Transaction, tenant_id: UUID, profile_id: UUID) -> int:
    # After assessments came in from a session: each goal shows its latest.
    return await tx.execute(
        """
        update public.goal_assessments g
        set progress = l.progress, assessed_at = l.at,
          status = case when g.status = 'abandoned' then g.status
            when l.progress = 1 then 'achieved' else 'active' end
        from (
          select distinct on (x.goal_id) x.goal_id, x.progress, x.at from public.goal_progress x
          where x.tenant_id = $1 and x.scope_id = $2
          order by x.goal_id, x.at desc, x.id desc
        ) l
        where g.tenant_id = $1 and g.scope_id = $2 and g.id = l.goal_id
          and g.assessed_at is distinct from l.at
        """,
        tenant_id,
        profile_id,
    )


async def move_goals(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        """
        update public.goal_assessments set profile_id = $3
        where tenant_id = $1 and session_id = $2 and profile_id is null
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def move_metrics(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        """
        update public.cognitive_metrics set profile_id = $3
        where tenant_id = $1 and session_id = $2 and profile_id is null
        """,
        tenant_id,
        session_id,
        profile_id,
    )
