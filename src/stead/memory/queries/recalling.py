"""Statements that find memories, and the log of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from stead.db import Row, Transaction


async def recall(
    tx: Transaction,
    scope_id: UUID,
    agent_id: UUID | None,
    question: str,
    vector: Sequence[float] | None,
    model_name: str,
    dimensions: int,
    weights: Sequence[float],
    limit: int,
    kinds: Sequence[str] | None,
    period_from: datetime | None,
    period_to: datetime | None,
    as_of: datetime | None,
    asked_at: datetime,
    whole_below: int,
) -> list[Row]:
    return await tx.rows(
        """
        select r.score, r.dense, r.dense_near, r.lexical, r.lexical_near, r.lexical_wide, r.named, r.timely,
          r.recency, r.usefulness, r.approximate,
          m.id, m.kind, m.source::text as source, m.speaker, m.content, m.metadata, m.importance, m.confidence,
          m.topic, m.message_ids, m.happened_at, m.event_from, m.event_to, m.valid_from, m.valid_to,
          m.superseded_by, m.recall_count, m.used_count, m.archived_at, m.profile_id, m.session_id, m.agent_id,
          m.created_at
        from stead.recall_memories($1, $2, $3, $4::real[], stead.embedding_model($5, $6), $7::real[], $8, $9::text[],
          $10, $11, $12, $13, $14) r
        join public.agent_memories m on m.id = r.memory_id
        order by r.score desc, m.place desc
        """,
        scope_id,
        agent_id,
        question,
        vector,
        model_name,
        dimensions,
        list(weights),
        limit,
        None if kinds is None else list(kinds),
        period_from,
        period_to,
        as_of,
        asked_at,
        whole_below,
    )


async def first_met(tx: Transaction, scope_id: UUID) -> datetime | None:
    return await tx.value(
        """
        select min(d.told_from) from (
          select m.happened_at as told_from from public.agent_memories m
          where m.tenant_id = (select stead.tenant_id()) and m.scope_id = $1 order by m.created_at limit 1
        ) d
        """,
        scope_id,
    )


async def note_recall(tx: Transaction, memory_ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.note_recall($1)", list(memory_ids))


async def note_use(tx: Transaction, memory_ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.note_use($1)", list(memory_ids))


async def insert_log(
    tx: Transaction,
    tenant_id: UUID,
    profile_id: UUID | None,
    session_id: UUID | None,
    run_id: UUID | None,
    agent_name: str | None,
    operation: str,
    memory_id: UUID | None,
    details: dict[str, Any],
) -> None:
    await tx.execute(
        """
        insert into public.memory_logs
          (tenant_id, profile_id, session_id, run_id, agent_name, operation, memory_id, details)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        tenant_id,
        profile_id,
        session_id,
        run_id,
        agent_name,
        operation,
        memory_id,
        details,
    )
