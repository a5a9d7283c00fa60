"""Statements of curation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stead.db import Row, Transaction


async def fade_memories(tx: Transaction, batch: int) -> int:
    return await tx.value("select stead.fade_memories($1)", batch)


async def expire_memories(tx: Transaction, batch: int) -> int:
    return await tx.value("select stead.expire_memories($1)", batch)


async def claim_consolidation(tx: Transaction, lease_s: float) -> Row | None:
    return await tx.row(
        "select tenant_id, tenant_slug, scope_id, is_profile, ticket from stead.claim_consolidation($1)",
        lease_s,
    )


async def finish_consolidation(
    tx: Transaction, tenant_id: UUID, scope_id: UUID, ticket: datetime
) -> None:
    await tx.execute("select stead.finish_consolidation($1, $2, $3)", tenant_id, scope_id, ticket)


async def near_pairs(
    tx: Transaction, scope_id: UUID, model_name: str, dimensions: int, floor: float, limit: int
) -> list[Row]:
    return await tx.rows(
        "select one, other, similarity from stead.near_pairs($1, stead.embedding_model($2, $3), $4, $5)",
        scope_id,
        model_name,
        dimensions,
        floor,
        limit,
    )


async def candidates(tx: Transaction, tenant_id: UUID, memory_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        """
        select id, content, topic, confidence, importance, happened_at from public.agent_memories
        where tenant_id = $1 and id = any ($2::uuid[]) and valid_to is null and archived_at is null
        """,
        tenant_id,
        list(memory_ids),
    )


async def merge_facts(tx: Transaction, tenant_id: UUID, survivor: UUID, others: Sequence[UUID]) -> None:
    # The survivor holds since the first of them was said, and is as sure as all of them together.
    await tx.execute(
        """
        with others as (
          update public.agent_memories m set valid_to = greatest(now(), m.valid_from), superseded_by = $2
          where m.tenant_id = $1 and m.id = any ($3::uuid[]) and m.valid_to is null
          returning m.confidence, m.importance, m.message_ids, m.valid_from, m.recall_count, m.used_count
        ),
        told as (
          select max(o.importance) as importance, min(o.valid_from) as valid_from,
            exp(sum(ln(1.0001 - o.confidence / 2))) as doubt, sum(o.recall_count) as recalls, sum(o.used_count) as uses,
            array(select distinct i from others x, unnest(x.message_ids) i) as message_ids
          from others o
        )
        update public.agent_memories m
        set importance = greatest(m.importance, t.importance), valid_from = least(m.valid_from, t.valid_from),
          confidence = least(1 - (1 - m.confidence) * t.doubt, greatest(m.confidence, 0.99)),
          recall_count = m.recall_count + t.recalls, used_count = m.used_count + t.uses,
          message_ids = m.message_ids || array(select i from unnest(t.message_ids) i where i <> all (m.message_ids))
        from told t
        where m.tenant_id = $1 and m.id = $2 and t.importance is not null
        """,
        tenant_id,
        survivor,
        list(others),
    )
