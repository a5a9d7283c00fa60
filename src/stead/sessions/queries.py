"""The statements of this part: one a function."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from stead.db import Row, Transaction

Whose: TypeAlias = Literal["person", "visitor", "tenant"]

_COLUMNS: Final = """
  id, tenant_id, number, profile_id, owning_agent_id, clerk_user_id, clerk_org_id, email, phone, name,
  memory_container, status, context, created_at, updated_at, last_active_at, ended_at
"""
_MESSAGE_COLUMNS: Final = "id, session_id, client_id, seq, role, parts, metadata, run_id, created_at"
_FEEDBACK_COLUMNS: Final = "id, session_id, run_id, rating, comment, created_at, updated_at"


async def insert_session(
    tx: Transaction,
    session_id: UUID,
    tenant_id: UUID,
    profile_id: UUID | None,
    agent_id: UUID | None,
    clerk_user_id: str | None,
    clerk_org_id: str | None,
    context: dict[str, Any],
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.sessions
          (id, tenant_id, profile_id, owning_agent_id, clerk_user_id, clerk_org_id, context)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning {_COLUMNS}
        """,
        session_id,
        tenant_id,
        profile_id,
        agent_id,
        clerk_user_id,
        clerk_org_id,
        context,
    )


async def session_by_id(tx: Transaction, tenant_id: UUID, session_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_COLUMNS} from public.sessions where tenant_id = $1 and id = $2", tenant_id, session_id
    )


async def lock_session(tx: Transaction, tenant_id: UUID, session_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_COLUMNS} from public.sessions where tenant_id = $1 and id = $2 for update",
        tenant_id,
        session_id,
    )


async def open_session_by_email(
    tx: Transaction, tenant_id: UUID, email: str, profile_id: UUID | None, other_than: UUID | None
) -> Row | None:
    # Row-level security shows the caller its own sessions only; the email narrows those down.
    return await tx.row(
        f"""
        select {_COLUMNS} from public.sessions
        where tenant_id = $1 and lower(email) = lower($2) and status = 'in_progress'
          and ($3::uuid is null or profile_id = $3) and id is distinct from $4
        order by created_at desc limit 1
        """,
        tenant_id,
        email,
        profile_id,
        other_than,
    )


async def sessions_before(
    tx: Transaction,
    tenant_id: UUID,
    whose: Whose,
    their_id: UUID | None,
    status: str | None,
    before: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Row]:
    # The policy narrows a tenant down to its caller, but its arms are no condition of an index: these are.
    narrowed = (
        "profile_id = $2"
        if whose == "person"
        else "id = $2"
        if whose == "visitor"
        else "$2::uuid is null"
    )
    return await tx.rows(
        f"""
        select {_COLUMNS} from public.sessions
        where tenant_id = $1 and {narrowed} and ($3::text is null or status = $3)
          and ($4::timestamptz is null or (created_at, id) < ($4, $5))
        order by created_at desc, id desc limit $6
        """,
        tenant_id,
        their_id,
        status,
        before,
        before_id,
        limit,
    )


async def update_session(
    tx: Transaction,
    tenant_id: UUID,
    session_id: UUID,
    email: str | None,
    phone: str | None,
    name: str | None,
    context: dict[str, Any],
) -> Row | None:
    return await tx.row(
        f"""
        update public.sessions set
          email = coalesce($3, email), phone = coalesce($4, phone), name = coalesce($5, name),
          context = stead.deep_merge(context, $6), last_active_at = now()
        where tenant_id = $1 and id = $2
        returning {_COLUMNS}
        """,
        tenant_id,
        session_id,
        email,
        phone,
        name,
        context,
    )


async def end_session(tx: Transaction, tenant_id: UUID, session_id: UUID, status: str) -> Row | None:
    return await tx.row(
        f"""
        update public.sessions set status = $3 where tenant_id = $1 and id = $2 returning {_COLUMNS}
        """,
        tenant_id,
        session_id,
        status,
    )


async def link_session(
    tx: Transaction,
    tenant_id: UUID,
    session_id: UUID,
    profile_id: UUID,
    clerk_user_id: str | None,
    clerk_org_id: str | None,
) -> Row | None:
    return await tx.row(
        f"""
        update public.sessions set profile_id = $3, clerk_user_id = $4,
          clerk_org_id = coalesce($5, clerk_org_id)
        where tenant_id = $1 and id = $2
        returning {_COLUMNS}
        """,
        tenant_id,
        session_id,
        profile_id,
        clerk_user_id,
        clerk_org_id,
    )


async def link_messages(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        "update public.messages set profile_id = $3 where tenant_id = $1 and session_id = $2",
        tenant_id,
        session_id,
        profile_id,
    )


async def message_by_client_id(
    tx: Transaction, tenant_id: UUID, session_id: UUID, client_id: str
) -> Row | None:
    return await tx.row(
        f"""
        select {_MESSAGE_COLUMNS} from public.messages
        where tenant_id = $1 and session_id = $2 and client_id = $3
        """,
        tenant_id,
        session_id,
        client_id,
    )


async def append_message(
    tx: Transaction,
    message_id: UUID,
    tenant_id: UUID,
    session_id: UUID,
    max_seq: int,
    client_id: str,
    run_id: UUID | None,
    role: str,
    parts: list[dict[str, Any]],
    metadata: dict[str, Any],
) -> Row | None:
    # The row lock gives the messages of a session one order. No row: no such session; no id: it is full.
    return await tx.row(
        f"""
        with place as (
          update public.sessions set last_seq = last_seq + 1, last_active_at = now()
          where tenant_id = $2 and id = $3
          returning last_seq, profile_id
        ),
        stored as (
          insert into public.messages
            (id, tenant_id, session_id, profile_id, seq, client_id, run_id, role, parts, metadata)
          select $1, $2, $3, p.profile_id, p.last_seq, $5, $6, $7, $8, $9 from place p where p.last_seq <= $4
          returning {_MESSAGE_COLUMNS}
        )
        select s.* from place p left join stored s on true
        """,
        message_id,
        tenant_id,
        session_id,
        max_seq,
        client_id,
        run_id,
        role,
        parts,
        metadata,
    )


async def replace_message(
    tx: Transaction,
    tenant_id: UUID,
    message_id: UUID,
    parts: list[dict[str, Any]],
    metadata: dict[str, Any],
) -> Row | None:
    return await tx.row(
        f"""
        update public.messages set parts = $3, metadata = $4 where tenant_id = $1 and id = $2
        returning {_MESSAGE_COLUMNS}
        """,
        tenant_id,
        message_id,
        parts,
        metadata,
    )


async def delete_messages_from(
    tx: Transaction, tenant_id: UUID, session_id: UUID, seq: int
) -> list[Row]:
    return await tx.rows(
        """
        delete from public.messages where tenant_id = $1 and session_id = $2 and seq >= $3
        returning id, seq
        """,
        tenant_id,
        session_id,
        seq,
    )


async def messages_after(
    tx: Transaction, tenant_id: UUID, session_id: UUID, after_seq: int, limit: int
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_MESSAGE_COLUMNS} from public.messages
        where tenant_id = $1 and session_id = $2 and seq > $3 order by seq limit $4
        """,
        tenant_id,
        session_id,
        after_seq,
        limit,
    )


async def latest_messages(
    tx: Transaction, tenant_id: UUID, session_id: UUID, before_seq: int, limit: int
) -> list[Row]:
    return await tx.rows(
        f"""
        select * from (
          select {_MESSAGE_COLUMNS} from public.messages
          where tenant_id = $1 and session_id = $2 and seq < $3 order by seq desc limit $4
        ) latest order by seq
        """,
        tenant_id,
        session_id,
        before_seq,
        limit,
    )


async def message_and_latest(
    tx: Transaction, tenant_id: UUID, session_id: UUID, client_id: str, limit: int
) -> list[Row]:
    return await tx.rows(
        f"""
        select true as asked_for, {_MESSAGE_COLUMNS} from public.messages
        where tenant_id = $1 and session_id = $2 and client_id = $3
        union all
        select false, latest.* from (
          select {_MESSAGE_COLUMNS} from public.messages
          where tenant_id = $1 and session_id = $2 order by seq desc limit $4
        ) latest
        """,
        tenant_id,
        session_id,
        client_id,
        limit,
    )


async def upsert_feedback(
    tx: Transaction,
    feedback_id: UUID,
    tenant_id: UUID,
    session_id: UUID,
    profile_id: UUID | None,
    message_id: UUID,
    run_id: UUID | None,
    rating: int,
    comment: str | None,
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.message_feedback as f
          (id, tenant_id, session_id, profile_id, message_id, run_id, rating, comment)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant_id, message_id) do update
          set rating = excluded.rating, comment = excluded.comment
        returning {_FEEDBACK_COLUMNS}
        """,
        feedback_id,
        tenant_id,
        session_id,
        profile_id,
        message_id,
        run_id,
        rating,
        comment,
    )


async def feedback_of(tx: Transaction, tenant_id: UUID, message_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_FEEDBACK_COLUMNS} from public.message_feedback where tenant_id = $1 and message_id = $2",
        tenant_id,
        message_id,
    )


async def delete_feedback(tx: Transaction, tenant_id: UUID, message_id: UUID) -> int:
    return await tx.execute(
        "delete from public.message_feedback where tenant_id = $1 and message_id = $2",
        tenant_id,
        message_id,
    )


async def link_feedback(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        "update public.message_feedback set profile_id = $3 where tenant_id = $1 and session_id = $2",
        tenant_id,
        session_id,
        profile_id,
    )


async def reap_sessions(tx: Transaction, idle_s: float, batch: int, tenant_id: UUID | None) -> list[Row]:
    return await tx.rows(
        "select tenant_slug, sessions from stead.reap_sessions($1, $2, $3)", idle_s, batch, tenant_id
    )


async def count_idle_sessions(tx: Transaction, idle_s: float, tenant_id: UUID | None) -> list[Row]:
    return await tx.rows(
        "select tenant_slug, sessions from stead.count_idle_sessions($1, $2)", idle_s, tenant_id
    )
