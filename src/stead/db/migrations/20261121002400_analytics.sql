-- Analytics (003): what happened on the way through a product, step by step, up to a purchase or a call.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table public.analytics_events (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  -- Given by whoever sends it: sent twice it is there once.
  id uuid not null,
  -- Null: bought or booked by somebody who came from no session.
  session_id uuid,
  name text not null check (name in ('session.created', 'session.authenticated', 'phase.started', 'phase.completed',
    'step.viewed', 'step.completed', 'chat.message_sent', 'chat.message_received', 'content.served',
    'conversion.checkout_started', 'conversion.checkout_completed', 'conversion.call_booked')),
  properties jsonb not null default '{}'
    check (jsonb_typeof(properties) = 'object' and octet_length(properties::text) <= 4096),
  -- Beside the rest, so that a funnel is read from an index alone.
  phase text generated always as (properties ->> 'phase') stored,
  step text generated always as (properties ->> 'step') stored,
  origin text not null check (origin in ('browser', 'server', 'whop', 'calendly')),
  occurred_at timestamptz not null default now(),
  received_at timestamptz not null default now(),
  forward_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index analytics_events_session_idx on public.analytics_events (tenant_id, session_id)
  where session_id is not null;
create index analytics_events_funnel_idx on public.analytics_events (tenant_id, occurred_at)
  include (session_id, name, phase, step);
create index analytics_events_forward_idx on public.analytics_events (forward_at) where forward_at is not null;
comment on column public.analytics_events.properties is '003: as the catalogue has them, without sessionId';
comment on column public.analytics_events.occurred_at is 'as the sender says, between the session''s beginning and now';
comment on column public.analytics_events.forward_at is 'when it is to be sent on next; null: not, or not any more';

-- Notes events of sessions that are the caller's, or any of its tenant's for the service; which may also note what is of
-- no session. Answers with those that it may note, and whether each is new. Whoever forgets the session meanwhile is
-- waited for.
create function stead.note_events(
  ids uuid[], of_sessions uuid[], names text[], properties text[], times timestamptz[], onward boolean[], of_origin text
) returns table (id uuid, fresh boolean)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with caller as (
    select stead.tenant_id() as tenant, stead.profile_id() as person, stead.session_id() as visit,
      not (stead.claims() ?| array['sub', 'stead_session']) as all_of_it
  ),
  held as (
    select s.id, s.created_at from caller c
    join public.sessions s on s.tenant_id = c.tenant and s.id = any (of_sessions)
      and (c.all_of_it or s.profile_id = c.person or (s.profile_id is null and s.id = c.visit))
    order by s.id for key share of s
  ),
  given as (
    select g.*, c.tenant, h.created_at as since
    from caller c
    cross join unnest(ids, of_sessions, names, properties, times, onward)
      as g (id, session_id, name, properties, at, onward)
    left join held h on h.id = g.session_id
    where h.id is not null or (g.session_id is null and c.all_of_it)
  ),
  noted as (
    insert into public.analytics_events as e (tenant_id, id, session_id, name, properties, origin, occurred_at, forward_at)
    select g.tenant, g.id, g.session_id, g.name, g.properties::jsonb, of_origin,
      least(now(), greatest(coalesce(g.at, now()), g.since)), case when g.onward then now() end
    from given g order by g.id
    on conflict (tenant_id, id) do nothing
    returning e.id
  )
  select g.id, n.id is not null from given g left join noted n on n.id = g.id
$$;

-- Takes events that are to be sent on, of any tenant, for a while: nobody else is given them meanwhile.
create function stead.claim_events(batch integer, lease_s double precision)
returns table (tenant_id uuid, id uuid, session_id uuid, profile_id uuid, name text, properties jsonb,
  occurred_at timestamptz, leased_until timestamptz)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  with due as (
    select e.tenant_id, e.id from public.analytics_events e where e.forward_at <= now()
    order by e.forward_at limit batch for update skip locked
  ),
  taken as (
    update public.analytics_events e set forward_at = now() + make_interval(secs => lease_s)
    from due d where e.tenant_id = d.tenant_id and e.id = d.id
    returning e.*
  )
  select t.tenant_id, t.id, t.session_id, s.profile_id, t.name, t.properties, t.occurred_at, t.forward_at
  from taken t left join public.sessions s on s.tenant_id = t.tenant_id and s.id = t.session_id
  order by t.occurred_at, t.id
$$;

-- Ends a claim: they were sent, or are due again after so many seconds. Only of whoever still has them.
create function stead.settle_events(
  tenants uuid[], ids uuid[], leased_until timestamptz, again_s double precision
) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  with settled as (
    update public.analytics_events e set forward_at = now() + make_interval(secs => again_s)
    from unnest(tenants, ids) as g (tenant_id, id)
    where e.tenant_id = g.tenant_id and e.id = g.id and e.forward_at = leased_until
    returning 1
  )
  select count(*) from settled
$$;

-- Deletes events of before that, and gives up sending on what nobody took for so long. Says how many went.
create function stead.sweep_events(keep_s double precision, unsent_s double precision, batch integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  with stale as (
    select e.tenant_id, e.id from public.analytics_events e
    where e.forward_at < now() - make_interval(secs => unsent_s)
    limit batch for update skip locked
  )
  update public.analytics_events e set forward_at = null
  from stale x where e.tenant_id = x.tenant_id and e.id = x.id;
  with old as (
    select o.tenant_id, o.id from public.tenants t
    cross join lateral (
      select e.tenant_id, e.id from public.analytics_events e
      where e.tenant_id = t.id and e.occurred_at < now() - make_interval(secs => keep_s)
      order by e.occurred_at limit batch
    ) o limit batch
  ),
  gone as (
    delete from public.analytics_events e using old o where e.tenant_id = o.tenant_id and e.id = o.id returning 1
  )
  select count(*) from gone
$$;

alter table public.analytics_events enable row level security;
alter table public.analytics_events force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.analytics_events from anon, authenticated;
-- Written by the functions above alone: what somebody did is nobody's to change.
grant select on public.analytics_events to stead_service;
grant select, insert, update, delete on public.analytics_events to service_role, stead_definer;
-- Visible with its session: the policy on sessions decides.
create policy tenant_isolation on public.analytics_events for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and ((select stead.is_tenant_service()) or exists (
    select from public.sessions s
    where s.tenant_id = analytics_events.tenant_id and s.id = analytics_events.session_id)));
create policy service_role_full_access on public.analytics_events to service_role using (true) with check (true);
create policy stead_definer_access on public.analytics_events to stead_definer using (true) with check (true);

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('note_events', 'claim_events', 'settle_events', 'sweep_events')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to stead_service', f);
  end loop;
end
$$;
