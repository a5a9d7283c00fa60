-- Standing schedules: what the workers themselves do by the clock, beside schedules that make jobs. And what serves
-- every tenant, paused by one for itself.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table stead.schedule_pauses (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  -- One that serves every tenant.
  schedule_id uuid not null references stead.schedules (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (tenant_id, schedule_id)
);
create index schedule_pauses_schedule_idx on stead.schedule_pauses (schedule_id);
alter table stead.schedule_pauses enable row level security;
alter table stead.schedule_pauses force row level security;
grant select, insert, update, delete on stead.schedule_pauses to stead_definer;
create policy stead_definer_access on stead.schedule_pauses to stead_definer using (true) with check (true);

-- The tenants that have paused what serves every tenant under this name.
create function stead.tenants_pausing(schedule_name text) returns uuid[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(p.tenant_id), '{}')
  from stead.schedules s join stead.schedule_pauses p on p.schedule_id = s.id
  where s.tenant_id is null and s.name = schedule_name
$$;

-- What serves every tenant, as the caller's tenant sees it.
create function stead.shared_schedules()
returns table (id uuid, name text, cron text, time_zone text, kind text, source text, paused boolean,
  paused_here boolean, next_at timestamptz, last_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  tenant constant uuid := stead.tenant_id();
begin
  if tenant is null or stead.claims() ?| array['sub', 'stead_session'] then
    raise insufficient_privilege using message = 'this is for the service of a tenant';
  end if;
  return query
    select s.id, s.name, s.cron, s.time_zone, s.kind, s.source, s.paused,
      exists (select from stead.schedule_pauses p where p.tenant_id = tenant and p.schedule_id = s.id),
      s.next_at, s.last_at
    from stead.schedules s where s.tenant_id is null order by s.name;
end
$$;

-- Pauses what serves every tenant for the caller's tenant alone, or lets it go on there.
create function stead.pause_shared_schedule(schedule uuid, pause boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  tenant constant uuid := stead.tenant_id();
begin
  if tenant is null or stead.claims() ?| array['sub', 'stead_session'] then
    raise insufficient_privilege using message = 'this is for the service of a tenant';
  end if;
  if pause then
    insert into stead.schedule_pauses (tenant_id, schedule_id)
    select tenant, s.id from stead.schedules s where s.id = schedule and s.tenant_id is null
    on conflict do nothing;
  else
    delete from stead.schedule_pauses p where p.tenant_id = tenant and p.schedule_id = schedule;
  end if;
end
$$;

-- Makes known a schedule of the program itself; one whose times stay the same goes on where it was, a pause stays.
create function stead.register_standing(
  schedule_name text, expression text, job_kind text, first_at timestamptz
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.refuse_tenants();
  insert into stead.schedules as s (tenant_id, name, cron, time_zone, kind, source, next_at)
  values (null, schedule_name, expression, 'UTC', job_kind, 'system', first_at)
  on conflict (tenant_id, name) do update
  set cron = excluded.cron, time_zone = 'UTC', kind = excluded.kind, input = '{}', tick_argument = null,
    source = 'system', seen_at = now(), updated_at = now(),
    next_at = case when (s.cron, s.time_zone, s.source) = (excluded.cron, 'UTC', 'system') then s.next_at
      else excluded.next_at end
  where (s.cron, s.kind, s.source) is distinct from (excluded.cron, excluded.kind, 'system')
    or s.seen_at < now() - interval '5 minutes';
end
$$;

-- A standing schedule that has come due, for one worker: whoever has the row does the work.
create function stead.due_standing(schedule_name text) returns table (id uuid, cron text, asked_at timestamptz)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select s.id, s.cron, now() from stead.schedules s
  where s.tenant_id is null and s.name = schedule_name and s.source = 'system' and not s.paused and s.next_at <= now()
  for no key update skip locked
$$;

create function stead.advance_standing(schedule uuid, following timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update stead.schedules s set last_at = now(), next_at = following
  where s.id = schedule and s.source = 'system'
$$;

-- Whether work under way may go on: nobody has paused it.
create function stead.standing_goes_on(schedule uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from stead.schedules s where s.id = schedule and not s.paused)
$$;

-- Standing schedules that no worker has known for so long.
create function stead.sweep_standing(unseen_s double precision) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    delete from stead.schedules s
    where s.source = 'system' and s.seen_at < now() - make_interval(secs => unseen_s)
    returning 1
  )
  select count(*) from gone
$$;

-- Makes the jobs of these ticks that are not there yet, but for tenants that have paused the schedule for themselves.
create or replace function stead.enqueue_ticks(schedule uuid, ticks timestamptz[]) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with made as (
    insert into public.agent_jobs (id, tenant_id, agent_type, input, queue, run_at, ready, max_attempts, dispatch,
      celery_task_id)
    select k.id, k.tenant_id, s.kind,
      case when s.tick_argument is null then s.input else s.input || jsonb_build_object(s.tick_argument,
        to_char(k.tick at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) end,
      s.queue, k.tick, k.tick <= now(), s.max_attempts, s.dispatch,
      case when s.dispatch = 'celery' then k.id::text end
    from stead.schedules s
    cross join lateral (
      select stead.tick_id(s.id, t.id, u.tick) as id, t.id as tenant_id, u.tick
      from unnest(ticks) as u (tick)
      join public.tenants t on t.id = s.tenant_id or (s.tenant_id is null and t.created_at <= u.tick
        and not exists (select from stead.schedule_pauses p where p.tenant_id = t.id and p.schedule_id = s.id))
    ) k
    where s.id = schedule and s.source <> 'system'
    order by k.id
    on conflict (id) do nothing
    returning 1
  )
  select count(*) from made
$$;

-- Fires a schedule by hand, or by pg_cron: one job a tick and tenant, however often it is called. A standing one comes
-- due, unless it has been at work since that tick. Answers with how many jobs were made.
create or replace function stead.fire_schedule(
  schedule_name text, tick timestamptz default date_trunc('minute', now()), of_tenant uuid default null,
  even_paused boolean default false
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found stead.schedules;
begin
  perform stead.refuse_tenants();
  select * into found from stead.schedules s
  where s.name = schedule_name and s.tenant_id is not distinct from of_tenant
  for no key update;
  if found.id is null then
    raise no_data_found using message = format('there is no schedule %L', schedule_name);
  end if;
  if found.paused and (not even_paused or found.source = 'system') then
    return 0;
  end if;
  if found.source = 'system' then
    update stead.schedules s set next_at = least(s.next_at, now())
    where s.id = found.id and (s.last_at is null or s.last_at < tick);
    return 0;
  end if;
  update stead.schedules s set last_at = greatest(s.last_at, tick) where s.id = found.id;
  return stead.enqueue_ticks(found.id, array[tick]);
end
$$;

-- A scope whose facts are to be compared, claimed for a while, but of tenants that have paused that; nothing when there
-- is none.
create or replace function stead.claim_consolidation(lease_s double precision)
returns table (tenant_id uuid, tenant_slug text, scope_id uuid, is_profile boolean, ticket timestamptz)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select c.tenant_id, c.scope_id from stead.consolidations c
    where (c.claimed_until is null or c.claimed_until < now()) and c.requested_at < now() - interval '1 minute'
      and coalesce((select p.consolidate from public.memory_policies p where p.tenant_id = c.tenant_id), true)
      and c.tenant_id <> all ((select stead.tenants_pausing('memory-curation'))::uuid[])
    order by c.claimed_until nulls first, c.requested_at limit 1
    for update skip locked
  ),
  taken as (
    update stead.consolidations c set claimed_until = clock_timestamp() + make_interval(secs => lease_s)
    from due d where c.tenant_id = d.tenant_id and c.scope_id = d.scope_id
    returning c.tenant_id, c.scope_id, c.claimed_until
  )
  select t.tenant_id, n.slug, t.scope_id,
    exists (select from public.profiles p where p.tenant_id = t.tenant_id and p.id = t.scope_id), t.claimed_until
  from taken t join public.tenants n on n.id = t.tenant_id
$$;

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('tenants_pausing', 'shared_schedules', 'pause_shared_schedule', 'register_standing', 'due_standing',
      'advance_standing', 'standing_goes_on', 'sweep_standing')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
    if f <> 'stead.tenants_pausing(text)'::regprocedure then
      execute format('grant execute on function %s to stead_service', f);
    end if;
  end loop;
end
$$;
