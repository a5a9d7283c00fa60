"""The statements of the move: one a function. They read rows as JSON, so that a column that is not there is null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, LiteralString, TypeAlias
from uuid import UUID

import asyncpg

if TYPE_CHECKING:
    # Generic in the type stubs only.
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

# A row's place is its block: a range of them is read without an index and without sorting.
_READ: Final[dict[str, LiteralString]] = {
    "comparison_sessions": """
        select to_jsonb(t)::text from public.comparison_sessions t
        where t.ctid >= $1::text::tid and t.ctid < $2::text::tid""",
    "comparison_candidates": """
        select to_jsonb(t)::text from public.comparison_candidates t
        where t.ctid >= $1::text::tid and t.ctid < $2::text::tid""",
    "integration_events": """
        select to_jsonb(t)::text from public.integration_events t
        where t.ctid >= $1::text::tid and t.ctid < $2::text::tid""",
    "anonymous_prompts": """
        select to_jsonb(t)::text from public.anonymous_prompts t
        where t.ctid >= $1::text::tid and t.ctid < $2::text::tid""",
}
_COUNT: Final[dict[str, LiteralString]] = {
    "comparison_sessions": "select count(*) from public.comparison_sessions",
    "comparison_candidates": "select count(*) from public.comparison_candidates",
    "integration_events": "select count(*) from public.integration_events",
    "anonymous_prompts": "select count(*) from public.anonymous_prompts",
}
_LOCK: Final[dict[str, LiteralString]] = {
    "comparison_sessions": "lock table public.comparison_sessions in access exclusive mode",
    "comparison_candidates": "lock table public.comparison_candidates in access exclusive mode",
    "integration_events": "lock table public.integration_events in access exclusive mode",
    "anonymous_prompts": "lock table public.anonymous_prompts in access exclusive mode",
}
_DROP: Final[dict[str, LiteralString]] = {
    "comparison_sessions": "drop table public.comparison_sessions",
    "comparison_candidates": "drop table public.comparison_candidates",
    "integration_events": "drop table public.integration_events",
    "anonymous_prompts": "drop table public.anonymous_prompts",
}

# Whose a row is: a profile of the tenant, by its id or the provider's.
_PERSON: Final = """
  left join lateral (
    select p.id from public.profiles p
    where p.tenant_id = $1 and (p.id = stead.as_uuid(r.whose) or p.external_id = r.whose) limit 1
  ) p on true
"""
_GIVEN: Final = (
    "given as (select u.n, u.j from jsonb_array_elements($2::jsonb) with ordinality as u (j, n))"
)
_ERROR: Final = (
    "nullif(coalesce(nullif(g.j -> 'error', 'null'), nullif(g.j -> 'error_message', 'null')), '\"\"')"
)

_MOVE: Final[dict[str, LiteralString]] = {
    "comparison_sessions": f"""
        with {_GIVEN},
        read as (
          select g.j, stead.as_uuid(g.j ->> 'id') as id, coalesce(g.j ->> 'profile_id', g.j ->> 'user_id') as whose,
            coalesce((g.j ->> 'created_at')::timestamptz, now()) as made,
            coalesce(g.j ->> 'closed_at', g.j ->> 'completed_at', g.j ->> 'ended_at')::timestamptz as closed
          from given g
        ),
        judged as (
          select r.*, p.id as person, case
            when r.id is null then 'id_unreadable'
            when r.whose is not null and p.id is null then 'person_unknown'
            when s.tenant_id = $1 then 'there'
            when s.id is not null then 'id_taken'
            else 'moved' end as outcome
          from read r {_PERSON} left join public.sessions s on s.id = r.id
        ),
        stored as (
          insert into public.sessions
            (id, tenant_id, profile_id, email, status, context, created_at, updated_at, last_active_at, ended_at)
          select j.id, $1, j.person, left(j.j ->> 'email', 320),
            case when j.closed is null then 'abandoned' else 'completed' end,
            jsonb_strip_nulls(jsonb_build_object('goal', coalesce(j.j ->> 'goal', j.j ->> 'prompt', j.j ->> 'query'),
              'filters', j.j -> 'filters'))
              || case jsonb_typeof(j.j -> 'metadata') when 'object' then j.j -> 'metadata' else '{{}}' end
              || case jsonb_typeof(j.j -> 'context') when 'object' then j.j -> 'context' else '{{}}' end
              || case jsonb_typeof(j.j -> 'agent_context') when 'object' then j.j -> 'agent_context' else '{{}}' end
              || '{{"legacy": "comparison_sessions"}}',
            j.made, j.made, coalesce(j.closed, j.made), coalesce(j.closed, (j.j ->> 'updated_at')::timestamptz, j.made)
          from judged j where j.outcome = 'moved'
        )
        select j.outcome, count(*) as rows from judged j group by j.outcome
        """,
    "comparison_candidates": f"""
        with {_GIVEN},
        read as (
          select g.j, stead.as_uuid(coalesce(g.j ->> 'session_id', g.j ->> 'comparison_session_id',
              g.j ->> 'comparison_id')) as session_id,
            coalesce(g.j ->> 'fit_score', g.j ->> 'score', g.j ->> 'match_score')::numeric as score,
            (select a.id from public.agents a
              where (a.tenant_id is null or a.tenant_id = $1) and (a.id = stead.as_uuid(g.j ->> 'agent_id')
                or a.slug = coalesce(g.j ->> 'agent_slug', g.j ->> 'agent_id'))
              order by a.tenant_id nulls last limit 1) as agent_id,
            coalesce(nullif(g.j -> 'rationale', 'null'), nullif(g.j -> 'reasons', 'null'),
              nullif(g.j -> 'reason', 'null')) as why
          from given g
        ),
        judged as (
          select r.*, case
            when s.id is null then 'session_unknown'
            when r.agent_id is null then 'agent_unknown'
            when r.score is null then 'score_missing'
            when c.agent_id is not null
              or row_number() over (partition by r.session_id, r.agent_id order by r.score desc) > 1 then 'there'
            else 'moved' end as outcome
          from read r left join public.sessions s on s.tenant_id = $1 and s.id = r.session_id
          left join public.session_candidates c on c.session_id = r.session_id and c.agent_id = r.agent_id
        ),
        stored as (
          insert into public.session_candidates
            (tenant_id, session_id, agent_id, fit_score, rank, rationale, created_at)
          select $1, j.session_id, j.agent_id, least(greatest(j.score * $3, 0), 100),
            nullif(greatest(coalesce(j.j ->> 'rank', j.j ->> 'position')::integer, 0), 0),
            case jsonb_typeof(j.why)
              when 'array' then array(select e from jsonb_array_elements_text(j.why) e limit 50)
              when 'string' then array[j.why #>> '{{}}'] else '{{}}' end,
            coalesce((j.j ->> 'created_at')::timestamptz, now())
          from judged j where j.outcome = 'moved'
        )
        select j.outcome, count(*) as rows from judged j group by j.outcome
        """,
    "integration_events": f"""
        with {_GIVEN},
        read as (
          select g.j, coalesce(stead.as_uuid(g.j ->> 'id'),
              md5('integration_events ' || $1::uuid::text || coalesce(g.j ->> 'id', g.j::text))::uuid) as id,
            coalesce(g.j ->> 'profile_id', g.j ->> 'user_id') as whose,
            stead.as_uuid(coalesce(g.j ->> 'session_id', g.j ->> 'agent_session_id',
              g.j ->> 'comparison_session_id')) as session_id,
            coalesce((g.j ->> 'created_at')::timestamptz, now()) as made,
            greatest(coalesce(g.j ->> 'latency_ms', g.j ->> 'duration_ms')::numeric, 0)::integer as latency_ms,
            coalesce(g.j ->> 'event_type', g.j ->> 'type', g.j ->> 'event') as event, {_ERROR} as error,
            g.j ->> 'status' in ('failed', 'failure', 'error') as failed
          from given g
        ),
        judged as (
          select r.*, coalesce(p.id, s.profile_id) as person, s.id as session, a.id as agent, a.slug, case
            when r.whose is not null and p.id is null then 'person_unknown'
            when s.profile_id <> p.id then 'session_of_somebody_else'
            when x.tenant_id = $1 then 'there'
            when x.id is not null then 'id_taken'
            else 'moved' end as outcome
          from read r {_PERSON} left join public.sessions s on s.tenant_id = $1 and s.id = r.session_id
          left join public.agents a on a.id = stead.as_uuid(r.j ->> 'agent_id')
            and (a.tenant_id is null or a.tenant_id = $1)
          left join public.agent_runs x on x.id = r.id
        ),
        stored as (
          insert into public.agent_runs (id, tenant_id, session_id, profile_id, agent_id, agent_name, message_id,
            status, input, output, error, latency_ms, metadata, created_at, completed_at)
          select j.id, $1, j.session, j.person, j.agent,
            left(coalesce(j.slug, j.j ->> 'agent_name', j.j ->> 'agent_slug', j.j ->> 'source', 'legacy'), 200),
            md5('message ' || j.id)::uuid,
            case when j.failed or j.error is not null then 'failed' else 'completed' end,
            coalesce(nullif(j.j -> 'input', 'null'), nullif(j.j -> 'payload', 'null'), nullif(j.j -> 'request', 'null')),
            coalesce(nullif(j.j -> 'output', 'null'), nullif(j.j -> 'response', 'null'), nullif(j.j -> 'result', 'null')),
            case when j.failed or j.error is not null then jsonb_build_object('code', 'legacy',
              'message', left(coalesce(j.error ->> 'message', j.error #>> '{{}}', 'failed'), 2000)) end,
            j.latency_ms, jsonb_strip_nulls(jsonb_build_object('legacy', 'integration_events', 'event', j.event)),
            j.made, j.made + make_interval(secs => coalesce(j.latency_ms, 0) / 1000.0)
          from judged j where j.outcome = 'moved'
          on conflict do nothing
        )
        select j.outcome, count(*) as rows from judged j group by j.outcome
        """,
    "anonymous_prompts": f"""
        with {_GIVEN},
        read as (
          select g.j, coalesce(stead.as_uuid(g.j ->> 'id'),
              md5('anonymous_prompts ' || $1::uuid::text || coalesce(g.j ->> 'id', g.j::text))::uuid) as id,
            coalesce(g.j ->> 'profile_id', g.j ->> 'user_id', g.j ->> 'claimed_by') as whose,
            nullif(btrim(coalesce(g.j ->> 'prompt', g.j ->> 'content', g.j ->> 'message', g.j ->> 'text',
              g.j ->> 'query')), '') as said,
            coalesce((g.j ->> 'created_at')::timestamptz, now()) as made
          from given g
        ),
        judged as (
          select r.*, p.id as person, case
            when r.whose is null then 'never_claimed'
            when p.id is null then 'person_unknown'
            when r.said is null then 'text_missing'
            when s.tenant_id = $1 then 'there'
            when s.id is not null then 'id_taken'
            else 'moved' end as outcome
          from read r {_PERSON} left join public.sessions s on s.id = r.id
        ),
        opened as (
          insert into public.sessions (id, tenant_id, profile_id, status, context, last_seq, created_at, updated_at,
            last_active_at, ended_at)
          select j.id, $1, j.person, 'abandoned', '{{"legacy": "anonymous_prompts"}}', 1, j.made, j.made, j.made, j.made
          from judged j where j.outcome = 'moved'
        ),
        stored as (
          insert into public.messages (id, tenant_id, session_id, profile_id, seq, client_id, role, parts, created_at)
          select md5('message ' || j.id)::uuid, $1, j.id, j.person, 1, 'legacy-' || j.id, 'user',
            jsonb_build_array(jsonb_build_object('type', 'text', 'text', j.said)), j.made
          from judged j where j.outcome = 'moved'
        )
        select j.outcome, count(*) as rows from judged j group by j.outcome
        """,
}


async def kinds(connection: Connection, names: list[str]) -> dict[str, str]:
    rows = await connection.fetch(
        """
        select c.relname::text as name, c.relkind::text as kind from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relname = any ($1)
        """,
        names,
    )
    return {row["name"]: row["kind"] for row in rows}


async def blocks(connection: Connection, table: str) -> int:
    return await connection.fetchval(
        "select ceil(pg_relation_size(format('public.%I', $1::text)::regclass)"
        " / current_setting('block_size')::numeric)::integer",
        table,
    )


async def read(connection: Connection, table: str, first: int, after: int) -> list[str]:
    rows = await connection.fetch(_READ[table], f"({first},0)", f"({after},0)")
    return [row[0] for row in rows]


async def count(connection: Connection, table: str) -> int:
    return await connection.fetchval(_COUNT[table])


async def scores_are_shares(connection: Connection) -> bool:
    """Whether no score of the old table is above 1: then they are shares and no percentages."""
    return await connection.fetchval(
        """
        select coalesce(max(coalesce(to_jsonb(t) ->> 'fit_score', to_jsonb(t) ->> 'score',
          to_jsonb(t) ->> 'match_score')::numeric) <= 1, false) from public.comparison_candidates t
        """
    )


async def move(
    connection: Connection, table: str, tenant_id: UUID, rows: list[str], factor: int
) -> dict[str, int]:
    given: list[Any] = [tenant_id, f"[{','.join(rows)}]"]
    if table == "comparison_candidates":
        given.append(factor)
    return {row["outcome"]: row["rows"] for row in await connection.fetch(_MOVE[table], *given)}


async def as_owner(connection: Connection) -> None:
    # Rows that a policy hides are an error and not left out unseen.
    await connection.execute("reset role; set local row_security = off")


async def as_definer(connection: Connection) -> None:
    await connection.execute("set local role stead_definer; set local row_security = on")


async def tenant_id(connection: Connection, slug: str) -> UUID | None:
    return await connection.fetchval("select id from public.tenants where slug = $1", slug)


async def lock(connection: Connection, table: str) -> None:
    await connection.execute(_LOCK[table])


async def drop(connection: Connection, table: str) -> None:
    await connection.execute(_DROP[table])
