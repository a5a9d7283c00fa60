"""The statements about beliefs: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_BELIEF: Final = """
  id, profile_id, session_id, agent_name, statement, prior, confidence, supporting, contradicting, metadata,
  created_at, updated_at
"""
_B_BELIEF: Final = """
  b.id, b.profile_id, b.session_id, b.agent_name, b.statement, b.prior, b.confidence, b.supporting,
  b.contradicting, b.metadata, b.created_at, b.updated_at
"""
_UPDATE: Final = """
  id, belief_id, evidence_kind, evidence_id, direction, weight, reliability, micronats, prior, posterior, at,
  retracted_at
"""


async def insert_belief(
    tx: Transaction,
    belief_id: UUID,
    tenant_id: UUID,
    profile_id: UUID | None,
    session_id: UUID | None,
    agent_name: str | None,
    statement: str,
    prior: float,
    metadata: dict[str, Any],
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.belief_graphs
          (id, tenant_id, profile_id, session_id, agent_name, statement, prior, metadata)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict do nothing
        returning {_BELIEF}
        """,
        belief_id,
        tenant_id,
        profile_id,
        session_id,
        agent_name,
        statement,
        prior,
        metadata,
    )


async def belief_by_words(
    tx: Transaction, tenant_id: UUID, scope_id: UUID, agent_name: str | None, statement: str
) -> Row | None:
    return await tx.row(
        f"""
        select {_BELIEF} from public.belief_graphs
        where tenant_id = $1 and scope_id = $2 and agent_name is not distinct from $3
          and digest = stead.text_digest($4)
        """,
        tenant_id,
        scope_id,
        agent_name,
        statement,
    )


async def belief_by_id(tx: Transaction, tenant_id: UUID, belief_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_BELIEF} from public.belief_graphs where tenant_id = $1 and id = $2",
        tenant_id,
        belief_id,
    )


async def beliefs_by_id(tx: Transaction, tenant_id: UUID, belief_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        f"select {_BELIEF} from public.belief_graphs where tenant_id = $1 and id = any ($2)",
        tenant_id,
        list(belief_ids),
    )


async def beliefs_of(
    tx: Transaction,
    tenant_id: UUID,
    scope_id: UUID,
    agent_name: str | None,
    at_least: float,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_BELIEF} from public.belief_graphs
        where tenant_id = $1 and scope_id = $2 and ($3::text is null or agent_name = $3) and confidence >= $4
        order by confidence desc, id desc limit $5
        """,
        tenant_id,
        scope_id,
        agent_name,
        at_least,
        limit,
    )


async def lock_beliefs(tx: Transaction, tenant_id: UUID, belief_ids: Sequence[UUID]) -> list[Row]:
    # By id, so that two who lock several never wait for each other.
    return await tx.rows(
        f"""
        select {_BELIEF} from public.belief_graphs where tenant_id = $1 and id = any ($2)
        order by id for no key update
        """,
        tenant_id,
        list(belief_ids),
    )


async def weigh_evidence(
    tx: Transaction,
    tenant_id: UUID,
    belief_id: UUID,
    update_id: UUID,
    evidence_kind: str,
    evidence_id: UUID,
    direction: str,
    weight: float,
    reliability: float,
) -> Row | None:
    # The belief is locked first; a writer that waited for it sees it as the one before left it, and adds its
    # own difference to that. So any number of writers at once come to what one after another come to.
    # Nothing comes back where there is no belief, or the evidence counts already.
    return await tx.row(
        f"""
        with belief as (
          select b.id, b.scope_id, b.prior, b.confidence, b.evidence_micronats from public.belief_graphs b
          where b.tenant_id = $1 and b.id = $2 for no key update
        ),
        noted as (
          insert into public.belief_updates
            (id, tenant_id, scope_id, belief_id, evidence_kind, evidence_id, direction, weight, reliability,
             prior, posterior, at)
          select $3, $1, b.scope_id, b.id, $4, $5, $6, $7, $8, b.confidence,
            stead.belief_confidence(b.prior, b.evidence_micronats + stead.weight_of_evidence($6, $7, $8)),
            clock_timestamp()
          from belief b
          on conflict do nothing
          returning micronats, direction
        )
        update public.belief_graphs b
        set evidence_micronats = b.evidence_micronats + n.micronats,
          supporting = b.supporting + (n.direction = 'supports')::integer,
          contradicting = b.contradicting + (n.direction = 'contradicts')::integer
        from noted n
        where b.tenant_id = $1 and b.id = $2
        returning {_B_BELIEF}
        """,
        tenant_id,
        belief_id,
        update_id,
        evidence_kind,
        evidence_id,
        direction,
        weight,
        reliability,
    )


async def retract_evidence(
    tx: Transaction, tenant_id: UUID, belief_id: UUID, evidence_kind: str, evidence_id: UUID
) -> Row | None:
    return await tx.row(
        f"""
        with belief as (
          select b.id, b.scope_id from public.belief_graphs b
          where b.tenant_id = $1 and b.id = $2 for no key update
        ),
        gone as (
          update public.belief_updates u set retracted_at = clock_timestamp()
          from belief b
          where u.tenant_id = $1 and u.scope_id = b.scope_id and u.belief_id = b.id and u.evidence_kind = $3
            and u.evidence_id = $4 and u.retracted_at is null
          returning u.micronats, u.direction
        )
        update public.belief_graphs b
        set evidence_micronats = b.evidence_micronats - g.micronats,
          supporting = b.supporting - (g.direction = 'supports')::integer,
          contradicting = b.contradicting - (g.direction = 'contradicts')::integer
        from gone g
        where b.tenant_id = $1 and b.id = $2
        returning {_B_BELIEF}
        """,
        tenant_id,
        belief_id,
        evidence_kind,
        evidence_id,
    )


async def recompute_beliefs(tx: Transaction, tenant_id: UUID, belief_ids: Sequence[UUID]) -> list[Row]:
    # The beliefs must be locked by an earlier statement: this one's snapshot then has all that was added.
    return await tx.rows(
        f"""
        update public.belief_graphs b
        set evidence_micronats = s.micronats, supporting = s.supporting, contradicting = s.contradicting
        from (
          select x.id, coalesce(sum(u.micronats), 0) as micronats,
            count(*) filter (where u.direction = 'supports') as supporting,
            count(*) filter (where u.direction = 'contradicts') as contradicting
          from public.belief_graphs x left join public.belief_updates u
            on u.tenant_id = x.tenant_id and u.scope_id = x.scope_id and u.belief_id = x.id
              and u.retracted_at is null
          where x.tenant_id = $1 and x.id = any ($2)
          group by x.id
        ) s
        where b.tenant_id = $1 and b.id = s.id
        returning {_B_BELIEF}
        """,
        tenant_id,
        list(belief_ids),
    )


async def updates_of(tx: Transaction, tenant_id: UUID, belief_id: UUID, limit: int) -> list[Row]:
    return await tx.rows(
        f"""
        select {_UPDATE} from public.belief_updates
        where tenant_id = $1 and belief_id = $2
          and scope_id = (select b.scope_id from public.belief_graphs b where b.tenant_id = $1 and b.id = $2)
        order by at desc, id desc limit $3
        """,
        tenant_id,
        belief_id,
        limit,
    )


async def standing_from(tx: Transaction, tenant_id: UUID, kind: str, evidence_id: UUID) -> list[Row]:
    return await tx.rows(
        f"""
        select {_UPDATE} from public.belief_updates
        where tenant_id = $1 and evidence_kind = $2 and evidence_id = $3 and retracted_at is null
        order by belief_id
        """,
        tenant_id,
        kind,
        evidence_id,
    )


async def delete_beliefs(tx: Transaction, tenant_id: UUID, belief_ids: Sequence[UUID]) -> int:
    return await tx.execute(
        "delete from public.belief_graphs where tenant_id = $1 and id = any ($2)",
        tenant_id,
        list(belief_ids),
    )
