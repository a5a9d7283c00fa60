"""Statements of the export: other parts' tables too, in one place, because it has to miss none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from stead.db import Row, Transaction


def _export(
    table: LiteralString,
    owned: LiteralString,
    at: LiteralString = "created_at",
    key: LiteralString = "t.id",
) -> LiteralString:
    # Rows of one table after a place, in an order that insertions do not upset. The limit comes before the
    # conversion, so that only rows that are given out are read whole. The time is asked for by itself too: the
    # key's text is not leakproof, and what it stands in is kept from the index by row-level security.
    return f"""
        select to_jsonb(p.t) - '{{place,scope_id,content_digest,digest}}'::text[] as record, p.at, p.key
        from (
          select t, t.{at} as at, ({key})::text collate "C" as key from {table} t
          where t.tenant_id = $1 and {owned} and t.{at} >= coalesce($3, '-infinity'::timestamptz)
            and (t.{at}, ({key})::text collate "C") > (coalesce($3, '-infinity'::timestamptz), $4::text)
          order by t.{at}, ({key})::text collate "C" limit $5
        ) p
        order by p.at, p.key
    """


_OWNED: Final = "(t.profile_id = $2 or (t.session_id = $2 and t.profile_id is null))"
_OF_A_SESSION: Final = """t.session_id in (
    select s.id from public.sessions s
    where s.tenant_id = $1 and (s.profile_id = $2 or (s.id = $2 and s.profile_id is null)))"""
_OF_A_PROJECT: Final = (
    "t.project_id in (select j.id from public.projects j where j.tenant_id = $1 and j.user_id = $2)"
)


# What is stored about a person or a session, table by table. Most are other parts' tables, of which memory may not
# import the statements: whoever asks for everything about somebody must get it from one place, or it is not
# everything. A new table with a profile, session or scope needs its line here; tests/memory/test_exporting.py says so.
EXPORTED: Final[tuple[tuple[str, LiteralString], ...]] = (
    ("profile", _export("public.profiles", "t.id = $2")),
    (
        "session",
        _export("public.sessions", "(t.profile_id = $2 or (t.id = $2 and t.profile_id is null))"),
    ),
    ("message", _export("public.messages", _OWNED)),
    ("run", _export("public.agent_runs", _OWNED)),
    ("memory", _export("public.agent_memories", "t.scope_id = $2")),
    ("memory_log", _export("public.memory_logs", _OWNED)),
    ("goal", _export("public.goal_assessments", "t.scope_id = $2")),
    ("goal_progress", _export("public.goal_progress", "t.scope_id = $2")),
    ("belief", _export("public.belief_graphs", "t.scope_id = $2")),
    ("belief_edge", _export("public.belief_edges", "t.scope_id = $2")),
    ("belief_update", _export("public.belief_updates", "t.scope_id = $2", at="at")),
    ("item", _export("public.store_items", "t.scope_id = $2")),
    ("cognitive_metric", _export("public.cognitive_metrics", _OWNED)),
    ("feedback", _export("public.message_feedback", _OWNED)),
    (
        "action",
        _export(
            "public.outbox", "(t.proposer_id = $2 or (t.session_id = $2 and t.proposer_id is null))"
        ),
    ),
    ("account", _export("public.connected_accounts", "t.profile_id = $2")),
    ("vote", _export("public.approval_votes", "t.profile_id = $2", key="t.approval_id")),
    ("evidence", _export("public.evidence_embeddings", "t.profile_id = $2")),
    ("waitlist_entry", _export("public.waitlist_entries", _OWNED)),
    ("event", _export("public.analytics_events", _OF_A_SESSION, at="received_at")),
    (
        "session_candidate",
        _export("public.session_candidates", _OF_A_SESSION, key="t.session_id || ' ' || t.agent_id"),
    ),
    ("project", _export("public.projects", "t.user_id = $2")),
    ("project_file", _export("public.project_files", _OF_A_PROJECT)),
    ("learning_roadmap", _export("public.learning_roadmaps", _OF_A_PROJECT)),
    ("daily_session", _export("public.daily_sessions", _OF_A_PROJECT)),
)


async def exported(
    tx: Transaction,
    statement: LiteralString,
    tenant_id: UUID,
    scope_id: UUID,
    after_at: datetime | None,
    after_key: str,
    limit: int,
) -> list[Row]:
    return await tx.rows(statement, tenant_id, scope_id, after_at, after_key, limit)


def stream_exported(
    tx: Transaction, statement: LiteralString, tenant_id: UUID, scope_id: UUID
) -> AsyncIterator[Row]:
    # No limit: the cursor reads some at a time.
    return tx.stream(statement, tenant_id, scope_id, None, "", None)
