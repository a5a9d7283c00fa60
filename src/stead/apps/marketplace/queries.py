"""The statements of this part: one a function. The catalogue's tables are the marketplace's to list; agents run
from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.apps.marketplace.models import Filters
from stead.db import Row, Transaction

_LISTING: Final = """
  a.id, a.slug, a.name, a.tagline, a.description, a.pricing_model, a.base_rate::double precision as base_rate,
  a.rating::double precision as rating, a.experience_years, a.success_rate::double precision as success_rate,
  a.industries, a.tenant_id is null as shared, a.created_at,
  coalesce((
    select jsonb_agg(jsonb_build_object('slug', t.slug, 'label', t.label) order by t.slug)
    from public.agent_tag_map m join public.agent_tags t on t.id = m.tag_id where m.agent_id = a.id), '[]') as tags,
  (select count(*) from public.agent_endorsements e where e.agent_id = a.id) as endorsements
"""
# A tenant's own agent hides a shared one of the same slug.
_FOR_HIRE: Final = """
  (a.tenant_id = $1 or (a.tenant_id is null and not exists (
    select from public.agents o where o.tenant_id = $1 and o.slug = a.slug)))
  and a.visibility = 'public'
"""
_FILTERED: Final = """
  (cardinality($2::text[]) = 0 or cardinality($2) = (
    select count(distinct t.slug) from public.agent_tag_map m join public.agent_tags t on t.id = m.tag_id
    where m.agent_id = a.id and t.slug = any ($2)))
  and (cardinality($3::text[]) = 0 or a.industries && $3)
  and ($4::text is null or a.pricing_model = $4)
  and ($5::double precision is null or a.base_rate >= $5)
  and ($6::double precision is null or a.base_rate <= $6)
  and ($7::double precision is null or a.rating >= $7)
"""
_ENTRY: Final = """
  w.id, w.profile_id, w.agent_id, a.slug as agent, w.session_id, w.email_override,
  coalesce(w.email_override, s.email, p.email) as email, w.message, w.status::text as status, w.created_at
"""
_ENTRY_JOINS: Final = """
  join public.agents a on a.id = w.agent_id
  join public.sessions s on s.tenant_id = w.tenant_id and s.id = w.session_id
  left join public.profiles p on p.tenant_id = w.tenant_id and p.id = w.profile_id
"""


def _of(filters: Filters) -> tuple[Any, ...]:
    return (
        list(dict.fromkeys(filters.tags)),
        [name.strip().lower() for name in filters.industries],
        filters.pricing_model,
        filters.min_price,
        filters.max_price,
        filters.min_rating,
    )


async def listings_before(
    tx: Transaction,
    tenant_id: UUID,
    filters: Filters,
    before: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_LISTING} from public.agents a
        where {_FOR_HIRE} and {_FILTERED}
          and ($8::timestamptz is null or (a.created_at, a.id) < ($8, $9))
        order by a.created_at desc, a.id desc limit $10
        """,
        tenant_id,
        *_of(filters),
        before,
        before_id,
        limit,
    )


async def listings_found(
    tx: Transaction,
    tenant_id: UUID,
    filters: Filters,
    ids: Sequence[UUID],
    scores: Sequence[float],
    below: float | None,
    below_id: UUID | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_LISTING}, f.score from unnest($8::uuid[], $9::double precision[]) as f (id, score)
        join public.agents a on a.id = f.id
        where {_FOR_HIRE} and {_FILTERED}
          and ($10::double precision is null or (f.score, a.id) < ($10, $11))
        order by f.score desc, a.id desc limit $12
        """,
        tenant_id,
        *_of(filters),
        list(ids),
        list(scores),
        below,
        below_id,
        limit,
    )


async def candidates(
    tx: Transaction,
    tenant_id: UUID,
    filters: Filters,
    slugs: Sequence[str],
    profile_id: UUID | None,
    session_id: UUID | None,
    ids: Sequence[UUID],
    scores: Sequence[float],
    limit: int,
) -> list[Row]:
    # Those that a search found, with what came of the person's earlier work with them: everything in one statement.
    return await tx.rows(
        f"""
        select {_LISTING}, coalesce(f.score, 0) as score, h.runs, h.ups, h.downs
        from public.agents a
        left join unnest($11::uuid[], $12::double precision[]) as f (id, score) on f.id = a.id
        cross join lateral (
          select count(*) filter (where r.status = 'completed') as runs,
            count(*) filter (where b.rating = 1) as ups, count(*) filter (where b.rating = -1) as downs
          from public.agent_runs r
          left join public.message_feedback b on b.tenant_id = r.tenant_id and b.run_id = r.id
          where r.tenant_id = $1 and r.agent_id = a.id
            and (r.profile_id = $9 or ($9::uuid is null and r.session_id = $10 and r.profile_id is null))
        ) h
        where {_FOR_HIRE} and {_FILTERED} and (cardinality($8::text[]) = 0 or a.slug = any ($8))
        order by coalesce(f.score, 0) desc, a.rating desc nulls last, a.slug limit $13
        """,
        tenant_id,
        *_of(filters),
        list(slugs),
        profile_id,
        session_id,
        list(ids),
        list(scores),
        limit,
    )


async def listing_by_slug(
    tx: Transaction, tenant_id: UUID, slug: str, *, only_public: bool
) -> Row | None:
    return await tx.row(
        f"""
        select {_LISTING} from public.agents a
        where a.slug = $2 and (a.tenant_id = $1 or a.tenant_id is null) and (not $3 or a.visibility = 'public')
        order by a.tenant_id nulls last limit 1
        """,
        tenant_id,
        slug,
        only_public,
    )


async def listing_for_hire(tx: Transaction, tenant_id: UUID, slug: str) -> UUID | None:
    return await tx.value(
        f"select a.id from public.agents a where {_FOR_HIRE} and a.slug = $2", tenant_id, slug
    )


async def endorsements(tx: Transaction, agent_id: UUID, limit: int) -> list[Row]:
    return await tx.rows(
        """
        select id, author, quote, rating::double precision as rating, created_at
        from public.agent_endorsements where agent_id = $1 order by created_at desc, id desc limit $2
        """,
        agent_id,
        limit,
    )


async def memory_statistics(tx: Transaction, tenant_id: UUID, agent_id: UUID) -> Row | None:
    return await tx.row(
        """
        with kept as (
          select m.source::text as source, m.scope_id, m.recall_count, m.used_count, m.created_at
          from public.agent_memories m
          where m.tenant_id = $1 and m.agent_id = $2 and m.valid_to is null and m.archived_at is null
        )
        select count(*) as memories, count(distinct k.scope_id) as people,
          coalesce((select jsonb_object_agg(s.source, s.n)
            from (select source, count(*) as n from kept group by source) s), '{}') as by_source,
          coalesce(sum(k.recall_count), 0)::bigint as recalled, coalesce(sum(k.used_count), 0)::bigint as used,
          max(k.created_at) as last_at
        from kept k
        """,
        tenant_id,
        agent_id,
    )


async def update_listing(
    tx: Transaction, tenant_id: UUID, slug: str, fields: dict[str, Any]
) -> UUID | None:
    return await tx.value(
        """
        update public.agents a set pricing_model = n.pricing_model, base_rate = n.base_rate, rating = n.rating,
          experience_years = n.experience_years, success_rate = n.success_rate,
          industries = array(select jsonb_array_elements_text($3::jsonb -> 'industries'))
        from jsonb_to_record($3) as n (pricing_model text, base_rate numeric, rating numeric,
          experience_years integer, success_rate numeric)
        where a.tenant_id = $1 and a.slug = $2 returning a.id
        """,
        tenant_id,
        slug,
        fields,
    )


async def insert_tags(
    tx: Transaction, tenant_id: UUID, slugs: Sequence[str], labels: Sequence[str]
) -> None:
    await tx.execute(
        """
        insert into public.agent_tags (tenant_id, slug, label)
        select $1, n.slug, n.label from unnest($2::text[], $3::text[]) as n (slug, label)
        on conflict (tenant_id, slug) do update set label = excluded.label
          where agent_tags.label is distinct from excluded.label
        """,
        tenant_id,
        list(slugs),
        list(labels),
    )


async def replace_tags(tx: Transaction, tenant_id: UUID, agent_id: UUID, slugs: Sequence[str]) -> None:
    await tx.execute(
        """
        delete from public.agent_tag_map m using public.agent_tags t
        where m.agent_id = $2 and t.id = m.tag_id and not (t.tenant_id = $1 and t.slug = any ($3))
        """,
        tenant_id,
        agent_id,
        list(slugs),
    )
    await tx.execute(
        """
        insert into public.agent_tag_map (agent_id, tag_id)
        select $2, t.id from public.agent_tags t where t.tenant_id = $1 and t.slug = any ($3)
        on conflict do nothing
        """,
        tenant_id,
        agent_id,
        list(slugs),
    )


async def agent_slug(tx: Transaction, agent_id: UUID) -> str | None:
    return await tx.value("select slug from public.agents where id = $1", agent_id)


async def own_agent(tx: Transaction, tenant_id: UUID, slug: str) -> UUID | None:
    return await tx.value(
        "select id from public.agents where tenant_id = $1 and slug = $2", tenant_id, slug
    )


async def insert_endorsement(
    tx: Transaction,
    tenant_id: UUID,
    agent_id: UUID,
    author: str,
    quote: str,
    rating: float | None,
) -> Row | None:
    return await tx.row(
        """
        insert into public.agent_endorsements (tenant_id, agent_id, author, quote, rating)
        values ($1, $2, $3, $4, $5::double precision)
        returning id, author, quote, rating::double precision as rating, created_at
        """,
        tenant_id,
        agent_id,
        author,
        quote,
        rating,
    )


async def delete_candidates(tx: Transaction, tenant_id: UUID, session_id: UUID) -> int:
    return await tx.execute(
        "delete from public.session_candidates where tenant_id = $1 and session_id = $2",
        tenant_id,
        session_id,
    )


async def insert_candidates(
    tx: Transaction, tenant_id: UUID, session_id: UUID, rows: list[dict[str, Any]]
) -> int:
    # An agent that was deleted since it was scored is no candidate any more.
    return await tx.execute(
        """
        insert into public.session_candidates (tenant_id, session_id, agent_id, fit_score, rank, rationale, factors)
        select $1, $2, n.agent_id, n.fit_score, n.rank,
          array(select jsonb_array_elements_text(n.rationale)), n.factors
        from jsonb_to_recordset($3) as n
          (agent_id uuid, fit_score numeric, rank integer, rationale jsonb, factors jsonb)
        join public.agents a on a.id = n.agent_id
        """,
        tenant_id,
        session_id,
        rows,
    )


async def candidates_of(tx: Transaction, tenant_id: UUID, session_id: UUID) -> list[Row]:
    return await tx.rows(
        f"""
        select {_LISTING}, c.fit_score::double precision as fit_score, c.rank, c.rationale, c.factors
        from public.session_candidates c join public.agents a on a.id = c.agent_id
        where c.tenant_id = $1 and c.session_id = $2
        order by c.rank nulls last, c.fit_score desc, a.slug
        """,
        tenant_id,
        session_id,
    )


async def focus_of(tx: Transaction, tenant_id: UUID, profile_id: UUID) -> list[str]:
    return (
        await tx.value(
            "select coalesce(focus_industries, '{}') from public.profiles where tenant_id = $1 and id = $2",
            tenant_id,
            profile_id,
        )
        or []
    )


async def upsert_entry(
    tx: Transaction,
    entry_id: UUID,
    tenant_id: UUID,
    profile_id: UUID | None,
    agent_id: UUID,
    session_id: UUID,
    email_override: str | None,
    message: str | None,
) -> UUID | None:
    return await tx.value(
        """
        insert into public.waitlist_entries as w
          (id, tenant_id, profile_id, agent_id, session_id, email_override, message)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant_id, session_id, agent_id) do update
          set email_override = coalesce(excluded.email_override, w.email_override),
            message = coalesce(excluded.message, w.message)
        returning w.id
        """,
        entry_id,
        tenant_id,
        profile_id,
        agent_id,
        session_id,
        email_override,
        message,
    )


async def entry_by_id(tx: Transaction, tenant_id: UUID, entry_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_ENTRY} from public.waitlist_entries w {_ENTRY_JOINS} where w.tenant_id = $1 and w.id = $2
        """,
        tenant_id,
        entry_id,
    )


async def entries_before(
    tx: Transaction,
    tenant_id: UUID,
    status: str | None,
    agent: str | None,
    before: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_ENTRY} from public.waitlist_entries w {_ENTRY_JOINS}
        where w.tenant_id = $1 and ($2::text is null or w.status::text = $2) and ($3::text is null or a.slug = $3)
          and ($4::timestamptz is null or (w.created_at, w.id) < ($4, $5))
        order by w.created_at desc, w.id desc limit $6
        """,
        tenant_id,
        status,
        agent,
        before,
        before_id,
        limit,
    )


async def set_entry_status(tx: Transaction, tenant_id: UUID, entry_id: UUID, status: str) -> int:
    return await tx.execute(
        """
        update public.waitlist_entries set status = $3::text::public.waitlist_status
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        entry_id,
        status,
    )


async def link_entries(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        "update public.waitlist_entries set profile_id = $3 where tenant_id = $1 and session_id = $2",
        tenant_id,
        session_id,
        profile_id,
    )
