"""Statements of analytics: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stead.db import Row, Transaction


async def note(
    tx: Transaction,
    ids: Sequence[UUID],
    sessions: Sequence[UUID | None],
    names: Sequence[str],
    properties: Sequence[str],
    times: Sequence[datetime | None],
    onward: Sequence[bool],
    origin: str,
) -> dict[UUID, bool]:
    found = await tx.rows(
        "select n.id, n.fresh from stead.note_events($1, $2, $3, $4, $5, $6, $7) n",
        ids,
        sessions,
        names,
        properties,
        times,
        onward,
        origin,
    )
    return {row["id"]: row["fresh"] for row in found}


async def session(tx: Transaction, tenant_id: UUID, session_id: UUID) -> Row | None:
    return await tx.row(
        "select s.id, s.profile_id from public.sessions s where s.tenant_id = $1 and s.id = $2",
        tenant_id,
        session_id,
    )


async def claim(tx: Transaction, batch: int, lease_s: float) -> list[Row]:
    return await tx.rows("select * from stead.claim_events($1, $2)", batch, lease_s)


async def settle(
    tx: Transaction,
    tenants: Sequence[UUID],
    ids: Sequence[UUID],
    leased_until: datetime,
    again_s: float | None,
) -> int:
    return await tx.value(
        "select stead.settle_events($1, $2, $3, $4)", tenants, ids, leased_until, again_s
    )


async def sweep(tx: Transaction, keep_s: float, unsent_s: float, batch: int) -> int:
    return await tx.value("select stead.sweep_events($1, $2, $3)", keep_s, unsent_s, batch)


async def clock(tx: Transaction) -> datetime:
    return await tx.value("select now()")


async def funnel(
    tx: Transaction, tenant_id: UUID, since: datetime, until: datetime, most: int
) -> list[Row]:
    # One range of analytics_events_funnel_idx, which has all columns that are read, grouped at once: the rest works
    # on a row for each session and stage. A phase as a whole is a stage whose step is ''.
    return await tx.rows(
        """
        with seen as materialized (
          select e.session_id, e.name, e.phase, e.step, min(e.occurred_at) as at, count(*) as n
          from public.analytics_events e
          where e.tenant_id = $1 and e.occurred_at >= $2 and e.occurred_at < $3
          group by e.session_id, e.name, e.phase, e.step
        ),
        converted as (
          select s.session_id, max(s.at) as at from seen s
          where s.session_id is not null
            and s.name in ('conversion.checkout_completed', 'conversion.call_booked')
          group by s.session_id
        ),
        visits as (
          select s.session_id, s.phase, s.step, min(s.at) as entered_at,
            min(s.at) filter (where s.name = 'step.completed') as done_at
          from seen s
          where s.session_id is not null and s.name in ('step.viewed', 'step.completed')
          group by s.session_id, s.phase, s.step
          union all
          select s.session_id, s.phase, '', min(s.at), min(s.at) filter (where s.name = 'phase.completed')
          from seen s
          where s.session_id is not null
            and s.name in ('phase.started', 'phase.completed', 'step.viewed', 'step.completed')
          group by s.session_id, s.phase
        ),
        placed as materialized (
          select v.*, v.step = '' as whole,
            row_number() over (partition by v.session_id, v.step = '' order by v.entered_at, v.phase, v.step) as place,
            count(*) over (partition by v.session_id, v.step = '') as places
          from visits v
        ),
        stages as (
          select p.whole, p.phase, p.step, avg(p.place) as place, min(p.entered_at) as first_at,
            count(*) as sessions, count(p.done_at) as completed,
            count(*) filter (where p.place = p.places and c.session_id is null) as dropped,
            count(*) filter (where c.at >= p.entered_at) as converted,
            percentile_cont(0.5) within group (order by extract(epoch from p.done_at - p.entered_at)) as median_s
          from placed p left join converted c on c.session_id = p.session_id
          group by p.whole, p.phase, p.step
        ),
        -- Names of stages come from browsers: those that most came to, and no more.
        kept as (
          select * from (
            select s.*, row_number() over (partition by s.whole order by s.sessions desc, s.first_at, s.phase, s.step)
              as rank
            from stages s) r
          where r.rank <= $4
        ),
        ordered as (
          select k.*, row_number() over (partition by k.whole
            order by coalesce(f.place, k.place), coalesce(f.first_at, k.first_at), k.phase, k.place, k.first_at, k.step)
            as position
          from kept k left join kept f on f.whole and f.phase = k.phase
        ),
        -- The place that a session was at before the one after it: no visit is joined to all others.
        went_on as (
          select f.whole, f.position, count(*) as n
          from (
            select o.whole, o.position,
              lead(o.position) over (partition by p.session_id, o.whole order by o.position) as following
            from placed p join ordered o on o.whole = p.whole and o.phase = p.phase and o.step = p.step) f
          where f.following = f.position + 1
          group by f.whole, f.position
        )
        select o.phase, nullif(o.step, '') as step, o.position, o.sessions, o.completed, coalesce(w.n, 0) as went_on,
          o.dropped, o.converted, o.median_s::double precision as median_s, null as name, null::bigint as events
        from ordered o left join went_on w on w.whole = o.whole and w.position = o.position
        union all
        select null, null, null, count(distinct s.session_id), null, null, null, null, null, s.name, sum(s.n)::bigint
        from seen s group by s.name
        order by 3 nulls last
        """,
        tenant_id,
        since,
        until,
        most,
    )
