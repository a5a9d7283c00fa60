"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from stead.db import Row, Transaction


async def facts(
    tx: Transaction,
    tenants: Sequence[UUID],
    tools: Sequence[str],
    held: Sequence[UUID],
    *,
    holding: bool,
    counting: bool,
) -> list[Row]:
    return await tx.rows(
        "select * from stead.governance_facts($1, $2, $3, $4, $5)",
        tenants,
        tools,
        held,
        holding,
        counting,
    )


async def count(tx: Transaction, tenants: Sequence[UUID], amounts: Sequence[Decimal | None]) -> None:
    await tx.execute("select stead.count_actions($1, $2)", tenants, amounts)


async def record_decisions(
    tx: Transaction,
    tenants: Sequence[UUID],
    envelopes: Sequence[UUID | None],
    stage: str,
    tools: Sequence[str],
    verdicts: Sequence[str],
    reasons: Sequence[str],
    not_befores: Sequence[datetime | None],
    quorums: Sequence[int],
    versions: Sequence[int],
    digests: Sequence[bytes],
    inputs: Sequence[str],
) -> None:
    await tx.execute(
        "select stead.record_decisions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        tenants,
        envelopes,
        stage,
        tools,
        verdicts,
        reasons,
        not_befores,
        quorums,
        versions,
        digests,
        inputs,
    )


async def decisions(tx: Transaction, tenant_id: UUID, envelope_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select d.stage, d.verdict, d.reasons, d.not_before, d.quorum, d.policy_version, d.created_at
        from stead.decisions d where d.tenant_id = $1 and d.envelope_id = $2 order by d.id desc limit 100
        """,
        tenant_id,
        envelope_id,
    )


async def learn(
    tx: Transaction,
    tenants: Sequence[UUID],
    tools: Sequence[str],
    outcomes: Sequence[str],
    envelopes: Sequence[UUID | None],
    weights: Sequence[float],
) -> None:
    await tx.execute(
        "select stead.learn_trust($1, $2, $3, $4, $5)", tenants, tools, outcomes, envelopes, weights
    )


async def sweep(tx: Transaction, batch: int) -> int:
    return await tx.value("select stead.sweep_governance($1)", batch)


async def policy(tx: Transaction, tenant_id: UUID) -> Row | None:
    return await tx.row(
        """
        select g.version, stead.policy_document(g) as policy, g.changed_by, g.reason, g.updated_at as created_at
        from public.guardrails g where g.tenant_id = $1
        """,
        tenant_id,
    )


async def save_policy(
    tx: Transaction,
    tenant_id: UUID,
    document: Any,
    changed_by: str,
    reason: str | None,
    expected: int | None,
) -> Row | None:
    # 001's columns are taken out of the document here; all that they leave out is `settings`.
    return await tx.row(
        """
        insert into public.guardrails as g (tenant_id, quiet_hours, trust_threshold, scopes, require_evidence,
          time_zone, settings, changed_by, reason)
        select $1, d.whole -> 'quiet_hours', (d.whole ->> 'trust_threshold')::numeric, d.whole -> 'scopes',
          d.whole -> 'require_evidence' <> 'false', d.whole ->> 'time_zone',
          d.whole - array['quiet_hours', 'trust_threshold', 'scopes', 'require_evidence', 'time_zone']
            || case when jsonb_typeof(d.whole -> 'require_evidence') = 'string'
              then jsonb_build_object('require_evidence_from', d.whole -> 'require_evidence') else '{}' end,
          $3, $4
        from (select $2::jsonb as whole) d
        where coalesce($5::int, 0) = 0 or exists (select from public.guardrails o where o.tenant_id = $1)
        on conflict (tenant_id) do update
        set quiet_hours = excluded.quiet_hours, trust_threshold = excluded.trust_threshold, scopes = excluded.scopes,
          require_evidence = excluded.require_evidence, time_zone = excluded.time_zone,
          settings = excluded.settings, changed_by = excluded.changed_by, reason = excluded.reason
        where $5::int is null or g.version = $5
        returning g.id, g.version, stead.policy_document(g) as policy, g.changed_by, g.reason,
          g.updated_at as created_at
        """,
        tenant_id,
        document,
        changed_by,
        reason,
        expected,
    )


async def versions(tx: Transaction, tenant_id: UUID, before: int | None, limit: int) -> list[Row]:
    return await tx.rows(
        """
        select v.version, v.policy, v.changed_by, v.reason, v.created_at
        from stead.guardrail_versions v
        where v.tenant_id = $1 and ($2::int is null or v.version < $2)
        order by v.version desc limit $3
        """,
        tenant_id,
        before,
        limit,
    )


async def version(tx: Transaction, tenant_id: UUID, number: int) -> Row | None:
    return await tx.row(
        """
        select v.version, v.policy, v.changed_by, v.reason, v.created_at
        from stead.guardrail_versions v where v.tenant_id = $1 and v.version = $2
        """,
        tenant_id,
        number,
    )


def proposals(tx: Transaction, tenant_id: UUID, since: datetime, limit: int) -> AsyncIterator[Row]:
    return tx.stream(
        """
        select d.id, d.envelope_id, d.tool, d.verdict, d.inputs, d.created_at
        from stead.decisions d
        where d.tenant_id = $1 and d.stage = 'proposal' and d.created_at >= $2
        order by d.created_at desc, d.id desc limit $3
        """,
        tenant_id,
        since,
        limit,
    )


async def said_of(tx: Transaction, tenant_id: UUID, evidence: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        """
        select u.id, e.metadata ->> 'tool' as tool,
          array(select t.outcome from stead.trust_events t
            where t.tenant_id = $1 and t.envelope_id = e.source_id order by t.created_at, t.id) as outcomes
        from unnest($2::uuid[]) with ordinality u (id, place)
        join public.evidence_embeddings e on e.tenant_id = $1 and e.id = u.id
        order by u.place
        """,
        tenant_id,
        evidence,
    )


async def said_lately(tx: Transaction, tenant_id: UUID, tool: str | None, limit: int) -> list[Row]:
    return await tx.rows(
        """
        select t.tool, t.outcome from stead.trust_events t
        where t.tenant_id = $1 and ($2::text is null or t.tool = $2) and t.created_at > now() - interval '90 days'
        order by t.id desc limit $3
        """,
        tenant_id,
        tool,
        limit,
    )


async def objectives(tx: Transaction, tenant_id: UUID, limit: int) -> list[Row]:
    return await tx.rows(
        """
        select o.id, o.title, o.metric, o.target, o.horizon, o.summary, o.created_at, o.updated_at
        from public.objectives o where o.tenant_id = $1 order by o.created_at desc, o.id desc limit $2
        """,
        tenant_id,
        limit,
    )


async def objective(tx: Transaction, tenant_id: UUID, objective_id: UUID) -> Row | None:
    return await tx.row(
        """
        select o.id, o.title, o.metric, o.target, o.horizon, o.summary, o.created_at, o.updated_at
        from public.objectives o where o.tenant_id = $1 and o.id = $2
        """,
        tenant_id,
        objective_id,
    )


async def insert_objective(
    tx: Transaction,
    tenant_id: UUID,
    title: str,
    metric: str | None,
    target: str | None,
    horizon: str | None,
    summary: str | None,
) -> Row | None:
    return await tx.row(
        """
        insert into public.objectives as o (tenant_id, title, metric, target, horizon, summary)
        values ($1, $2, $3, $4, $5, $6)
        returning o.id, o.title, o.metric, o.target, o.horizon, o.summary, o.created_at, o.updated_at
        """,
        tenant_id,
        title,
        metric,
        target,
        horizon,
        summary,
    )


async def update_objective(
    tx: Transaction,
    tenant_id: UUID,
    objective_id: UUID,
    title: str,
    metric: str | None,
    target: str | None,
    horizon: str | None,
    summary: str | None,
) -> Row | None:
    return await tx.row(
        """
        update public.objectives o set title = $3, metric = $4, target = $5, horizon = $6, summary = $7
        where o.tenant_id = $1 and o.id = $2
        returning o.id, o.title, o.metric, o.target, o.horizon, o.summary, o.created_at, o.updated_at
        """,
        tenant_id,
        objective_id,
        title,
        metric,
        target,
        horizon,
        summary,
    )


async def delete_objective(tx: Transaction, tenant_id: UUID, objective_id: UUID) -> int:
    return await tx.execute(
        "delete from public.objectives o where o.tenant_id = $1 and o.id = $2", tenant_id, objective_id
    )
