"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_PROJECT: Final = """
  id, user_id, title, description, mode, status, requirements_spec, architecture_spec, tech_stack,
  created_at, updated_at
"""
_FILE: Final = "id, project_id, path, content, language, version, created_at, updated_at"
_ROADMAP: Final = "id, project_id, modules, current_step_index, created_at"
_SESSION: Final = """
  id, project_id, coalesce(transcript, '[]') as transcript, coalesce(concepts_covered, '{}') as
  concepts_covered, duration_minutes, created_at
"""


async def insert_project(
    tx: Transaction,
    project_id: UUID,
    tenant_id: UUID,
    user_id: UUID,
    title: str,
    description: str | None,
    mode: str,
    tech_stack: Sequence[str] | None,
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.projects (id, tenant_id, user_id, title, description, mode, tech_stack)
        values ($1, $2, $3, $4, $5, $6, $7) returning {_PROJECT}
        """,
        project_id,
        tenant_id,
        user_id,
        title,
        description,
        mode,
        tech_stack,
    )


async def project_by_id(tx: Transaction, tenant_id: UUID, project_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_PROJECT} from public.projects where tenant_id = $1 and id = $2", tenant_id, project_id
    )


async def lock_project(tx: Transaction, tenant_id: UUID, project_id: UUID) -> Row | None:
    return await tx.row(
        f"select {_PROJECT} from public.projects where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        project_id,
    )


async def projects_before(
    tx: Transaction,
    tenant_id: UUID,
    user_id: UUID | None,
    status: str | None,
    mode: str | None,
    before: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Row]:
    # Row-level security shows people their own only; user_id narrows down what a service sees.
    return await tx.rows(
        f"""
        select {_PROJECT} from public.projects
        where tenant_id = $1 and ($2::uuid is null or user_id = $2) and ($3::text is null or status = $3)
          and ($4::text is null or mode = $4) and ($5::timestamptz is null or (created_at, id) < ($5, $6))
        order by created_at desc, id desc limit $7
        """,
        tenant_id,
        user_id,
        status,
        mode,
        before,
        before_id,
        limit,
    )


async def update_project(
    tx: Transaction, tenant_id: UUID, project_id: UUID, changes: dict[str, Any]
) -> Row | None:
    # What is not among the changes stays; null is a value where the column takes it.
    return await tx.row(
        f"""
        update public.projects set
          title = case when $3::jsonb ? 'title' then $3 ->> 'title' else title end,
          description = case when $3 ? 'description' then $3 ->> 'description' else description end,
          mode = case when $3 ? 'mode' then $3 ->> 'mode' else mode end,
          status = case when $3 ? 'status' then $3 ->> 'status' else status end,
          tech_stack = case when not $3 ? 'tech_stack' then tech_stack
            when jsonb_typeof($3 -> 'tech_stack') = 'array'
            then array(select t from jsonb_array_elements_text($3 -> 'tech_stack') t) end,
          requirements_spec = case when $3 ? 'requirements_spec'
            then nullif($3 -> 'requirements_spec', 'null') else requirements_spec end,
          architecture_spec = case when $3 ? 'architecture_spec'
            then nullif($3 -> 'architecture_spec', 'null') else architecture_spec end
        where tenant_id = $1 and id = $2
        returning {_PROJECT}
        """,
        tenant_id,
        project_id,
        changes,
    )


async def delete_project(tx: Transaction, tenant_id: UUID, project_id: UUID) -> int:
    return await tx.execute(
        "delete from public.projects where tenant_id = $1 and id = $2", tenant_id, project_id
    )


async def set_status(
    tx: Transaction, tenant_id: UUID, project_id: UUID, status: str, before: Sequence[str]
) -> int:
    return await tx.execute(
        "update public.projects set status = $3 where tenant_id = $1 and id = $2 and status = any ($4)",
        tenant_id,
        project_id,
        status,
        list(before),
    )


async def set_requirements(
    tx: Transaction, tenant_id: UUID, project_id: UUID, document: dict[str, Any], stack: Sequence[str]
) -> int:
    # What the person chose stays.
    return await tx.execute(
        """
        update public.projects set requirements_spec = $3, tech_stack = coalesce(tech_stack, $4)
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        project_id,
        document,
        list(stack),
    )


async def set_architecture(
    tx: Transaction, tenant_id: UUID, project_id: UUID, spec: dict[str, Any]
) -> int:
    return await tx.execute(
        "update public.projects set architecture_spec = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        project_id,
        spec,
    )


async def list_files(
    tx: Transaction, tenant_id: UUID, project_id: UUID, after: str, limit: int
) -> list[Row]:
    return await tx.rows(
        """
        select id, path, language, version, coalesce(length(content), 0) as size, created_at, updated_at
        from public.project_files
        where tenant_id = $1 and project_id = $2 and path collate "C" > $3 order by path collate "C"
        limit $4
        """,
        tenant_id,
        project_id,
        after,
        limit,
    )


async def files_after(
    tx: Transaction, tenant_id: UUID, project_id: UUID, after: str, limit: int
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_FILE} from public.project_files
        where tenant_id = $1 and project_id = $2 and path collate "C" > $3 order by path collate "C"
        limit $4
        """,
        tenant_id,
        project_id,
        after,
        limit,
    )


async def count_files(tx: Transaction, tenant_id: UUID, project_id: UUID) -> Row | None:
    return await tx.row(
        """
        select count(*) as files, coalesce(sum(length(content)), 0) as size
        from public.project_files where tenant_id = $1 and project_id = $2
        """,
        tenant_id,
        project_id,
    )


async def file_by_path(tx: Transaction, tenant_id: UUID, project_id: UUID, path: str) -> Row | None:
    return await tx.row(
        f"select {_FILE} from public.project_files where tenant_id = $1 and project_id = $2 and path = $3",
        tenant_id,
        project_id,
        path,
    )


async def upsert_file(
    tx: Transaction,
    file_id: UUID,
    tenant_id: UUID,
    project_id: UUID,
    path: str,
    content: str,
    language: str | None,
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.project_files (id, tenant_id, project_id, path, content, language)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (project_id, path) do update
          set content = excluded.content, language = coalesce(excluded.language, project_files.language)
        returning {_FILE}
        """,
        file_id,
        tenant_id,
        project_id,
        path,
        content,
        language,
    )


async def delete_file(tx: Transaction, tenant_id: UUID, project_id: UUID, path: str) -> int:
    return await tx.execute(
        "delete from public.project_files where tenant_id = $1 and project_id = $2 and path = $3",
        tenant_id,
        project_id,
        path,
    )


async def file_versions(tx: Transaction, tenant_id: UUID, file_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select version, language, coalesce(length(content), 0) as size, created_at, replaced_at
        from public.project_file_versions where tenant_id = $1 and file_id = $2 order by version desc
        """,
        tenant_id,
        file_id,
    )


async def file_version(tx: Transaction, tenant_id: UUID, file_id: UUID, version: int) -> Row | None:
    return await tx.row(
        """
        select content, language, version, created_at, replaced_at from public.project_file_versions
        where tenant_id = $1 and file_id = $2 and version = $3
        """,
        tenant_id,
        file_id,
        version,
    )


async def insert_roadmap(
    tx: Transaction, roadmap_id: UUID, tenant_id: UUID, project_id: UUID, modules: list[Any]
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.learning_roadmaps (id, tenant_id, project_id, modules) values ($1, $2, $3, $4)
        returning {_ROADMAP}
        """,
        roadmap_id,
        tenant_id,
        project_id,
        modules,
    )


async def roadmaps_before(
    tx: Transaction,
    tenant_id: UUID,
    project_id: UUID,
    before: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_ROADMAP} from public.learning_roadmaps
        where tenant_id = $1 and project_id = $2 and ($3::timestamptz is null or (created_at, id) < ($3,
        $4)) order by created_at desc, id desc limit $5
        """,
        tenant_id,
        project_id,
        before,
        before_id,
        limit,
    )


async def roadmap_by_id(
    tx: Transaction, tenant_id: UUID, project_id: UUID, roadmap_id: UUID
) -> Row | None:
    return await tx.row(
        f"""
        select {_ROADMAP} from public.learning_roadmaps where tenant_id = $1 and project_id = $2 and id = $3
        """,
        tenant_id,
        project_id,
        roadmap_id,
    )


async def lock_roadmap(
    tx: Transaction, tenant_id: UUID, project_id: UUID, roadmap_id: UUID
) -> Row | None:
    return await tx.row(
        f"""
        select {_ROADMAP} from public.learning_roadmaps where tenant_id = $1 and project_id = $2 and id = $3
        for no key update
        """,
        tenant_id,
        project_id,
        roadmap_id,
    )


async def update_roadmap(
    tx: Transaction, tenant_id: UUID, roadmap_id: UUID, modules: list[Any], current: int
) -> Row | None:
    return await tx.row(
        f"""
        update public.learning_roadmaps set modules = $3, current_step_index = $4
        where tenant_id = $1 and id = $2 returning {_ROADMAP}
        """,
        tenant_id,
        roadmap_id,
        modules,
        current,
    )


async def delete_roadmap(tx: Transaction, tenant_id: UUID, project_id: UUID, roadmap_id: UUID) -> int:
    return await tx.execute(
        "delete from public.learning_roadmaps where tenant_id = $1 and project_id = $2 and id = $3",
        tenant_id,
        project_id,
        roadmap_id,
    )


async def insert_daily_session(
    tx: Transaction, session_id: UUID, tenant_id: UUID, project_id: UUID
) -> Row | None:
    return await tx.row(
        f"""
        insert into public.daily_sessions (id, tenant_id, project_id, transcript, concepts_covered)
        values ($1, $2, $3, '[]', '{{}}') returning {_SESSION}
        """,
        session_id,
        tenant_id,
        project_id,
    )


async def daily_sessions_before(
    tx: Transaction,
    tenant_id: UUID,
    project_id: UUID,
    before: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_SESSION} from public.daily_sessions
        where tenant_id = $1 and project_id = $2 and ($3::timestamptz is null or (created_at, id) < ($3,
        $4)) order by created_at desc, id desc limit $5
        """,
        tenant_id,
        project_id,
        before,
        before_id,
        limit,
    )


async def daily_session_by_id(
    tx: Transaction, tenant_id: UUID, project_id: UUID, session_id: UUID
) -> Row | None:
    return await tx.row(
        f"select {_SESSION} from public.daily_sessions where tenant_id = $1 and project_id = $2 and id = $3",
        tenant_id,
        project_id,
        session_id,
    )


async def append_transcript(
    tx: Transaction,
    tenant_id: UUID,
    project_id: UUID,
    session_id: UUID,
    known: int,
    said: list[dict[str, str]],
    concepts: Sequence[str],
) -> Row | None:
    # Nothing where the transcript has another length than the one that was answered. The pause since
    # the last word counts as learning while it is short; the database's clock measures it. New concepts
    # follow the known ones in the order in which they came up.
    return await tx.row(
        f"""
        update public.daily_sessions d set
          transcript = coalesce(d.transcript, '[]') || $5::jsonb,
          concepts_covered = (
            select coalesce(array_agg(x.concept order by x.first), '{{}}') from (
              select u.concept, min(u.n) as first
              from unnest(coalesce(d.concepts_covered, '{{}}') || $6::text[]) with ordinality as u
              (concept, n) group by u.concept order by 2 limit 200
            ) x),
          active_s = d.active_s + p.spent_s,
          duration_minutes = round((d.active_s + p.spent_s) / 60),
          last_active_at = now()
        from (
          select case when now() - s.last_active_at <= interval '30 minutes'
            then greatest(extract(epoch from now() - s.last_active_at), 0) else 0 end as spent_s
          from public.daily_sessions s where s.tenant_id = $1 and s.project_id = $2 and s.id = $3
        ) p
        where d.tenant_id = $1 and d.project_id = $2 and d.id = $3
          and jsonb_array_length(coalesce(d.transcript, '[]')) = $4
        returning {_SESSION}
        """,
        tenant_id,
        project_id,
        session_id,
        known,
        said,
        list(concepts),
    )


async def delete_daily_session(
    tx: Transaction, tenant_id: UUID, project_id: UUID, session_id: UUID
) -> int:
    return await tx.execute(
        "delete from public.daily_sessions where tenant_id = $1 and project_id = $2 and id = $3",
        tenant_id,
        project_id,
        session_id,
    )


async def skill_level(tx: Transaction, tenant_id: UUID, profile_id: UUID) -> str | None:
    return await tx.value(
        "select skill_level from public.profiles where tenant_id = $1 and id = $2", tenant_id, profile_id
    )


async def patterns(tx: Transaction, pattern_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        "select id, project_type, metadata, success_score from public.pattern_embeddings where id = any ($1)",
        list(pattern_ids),
    )
