-- Schedules: jobs that are made at times of a clock on the wall.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table stead.schedules (
  id uuid primary key default stead.new_id(),
  -- Null: a job for every tenant.
  tenant_id uuid references public.tenants (id) on delete cascade,
  name text not null check (name ~ '^[a-z0-9][a-z0-9_.:-]{0,99}$'),
  cron text not null check (length(cron) between 1 and 200),
  time_zone text not null check (length(time_zone) between 1 and 100),
  kind text not null check (kind ~ '^[a-z][a-z0-9_.:-]{0,99}$'),
  input jsonb not null default '{}' check (jsonb_typeof(input) = 'object'),
  tick_argument text check (tick_argument ~ '^[A-Za-z_][A-Za-z0-9_]{0,99}$'),
  queue text not null default 'default' check (queue ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  max_attempts smallint not null default 3 check (max_attempts between 1 and 100),
  dispatch text not null default 'postgres' check (dispatch in ('postgres', 'celery')),
  missed text not null default 'once' check (missed in ('skip', 'once', 'all')),
  source text not null check (source in ('code', 'api', 'system')),
  paused boolean not null default false,
  next_at timestamptz,
  last_at timestamptz,
  seen_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique nulls not distinct (tenant_id, name)
);
create index schedules_next_idx on stead.schedules (next_at) where not paused;
comment on column stead.schedules.next_at is 'the next tick that is to be fired; null: never again';
comment on column stead.schedules.last_at is 'the latest tick that was fired';
comment on column stead.schedules.tick_argument is 'the member of the input that is given the tick';
comment on column stead.schedules.seen_at is 'when a worker that has it in its code last said so';

-- The job of a tick is the same whoever makes it, and however often. It sorts by its tick, like all ids of jobs.
create function stead.tick_id(schedule uuid, tenant uuid, tick timestamptz) returns uuid
language sql immutable parallel safe
return (lpad(to_hex((extract(epoch from tick) * 1000)::bigint), 12, '0') || '7'
  || overlay(substr(md5(schedule::text || '/' || tenant::text || '/' || extract(epoch from tick)::text), 1, 19)
    placing '8' from 4 for 1))::uuid;

-- Makes the jobs of these ticks that are not there yet. Tenants that came later had no such tick.
create function stead.enqueue_ticks(schedule uuid, ticks timestamptz[]) returns bigint
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
      join public.tenants t on t.id = s.tenant_id or (s.tenant_id is null and t.created_at <= u.tick)
    ) k
    where s.id = schedule
    order by k.id
    on conflict (id) do nothing
    returning 1
  )
  select count(*) from made
$$;

-- A schedule that is due, for one worker: whoever has the row fires it. Those of code only for workers that have
-- them in their code.
create function stead.due_schedule(held uuid[])
returns table (id uuid, name text, cron text, time_zone text, missed text, next_at timestamptz, asked_at timestamptz,
  tenants bigint)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select s.* from stead.schedules s
    where not s.paused and s.next_at <= now() and (s.source = 'api' or s.id = any (held))
    order by s.next_at limit 1 for no key update skip locked
  )
  select d.id, d.name, d.cron, d.time_zone, d.missed, d.next_at, now(),
    case when d.tenant_id is null then (select count(*) from public.tenants) else 1 end
  from due d
$$;

-- Fires ticks of a schedule that the transaction has locked, and says which is the next one.
create function stead.advance_schedule(schedule uuid, ticks timestamptz[], following timestamptz) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update stead.schedules s
  set next_at = following, last_at = greatest(s.last_at, (select max(u.tick) from unnest(ticks) as u (tick)))
  where s.id = schedule;
  select stead.enqueue_ticks(schedule, ticks)
$$;

-- Pauses a schedule that this program cannot read.
create function stead.stop_schedule(schedule uuid) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update stead.schedules s set paused = true, updated_at = now() where s.id = schedule
$$;

-- When the next schedule of these and of the API's comes due; null: none will.
create function stead.next_schedule_in_s(held uuid[]) returns double precision
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select extract(epoch from min(s.next_at) - now())::double precision from stead.schedules s
  where not s.paused and (s.source = 'api' or s.id = any (held))
$$;

-- Fires a schedule by hand, or by pg_cron: as often as it is called, one job a tick and tenant. Answers with how
-- many jobs were made.
create function stead.fire_schedule(
  schedule_name text, tick timestamptz default date_trunc('minute', now()), of_tenant uuid default null,
  even_paused boolean default false
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid;
  is_paused boolean;
begin
  perform stead.refuse_tenants();
  select s.id, s.paused into found_id, is_paused from stead.schedules s
  where s.name = schedule_name and s.tenant_id is not distinct from of_tenant
  for no key update;
  if found_id is null then
    raise no_data_found using message = format('there is no schedule %L', schedule_name);
  end if;
  if is_paused and not even_paused then
    return 0;
  end if;
  update stead.schedules s set last_at = greatest(s.last_at, tick) where s.id = found_id;
  return stead.enqueue_ticks(found_id, array[tick]);
end
$$;

-- What concerns every tenant is for Stead in no tenant, and for the owner.
create function stead.refuse_tenants() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if stead.claims() ?| array['tenant_id', 'sub', 'stead_session', 'app_metadata', 'o', 'org_id'] then
    raise insufficient_privilege using message = 'this is not for the callers of one tenant';
  end if;
end
$$;

-- Makes known a schedule of code: its id, or null where the API has one of that name. One whose times stay the same
-- goes on where it was; a pause stays.
create function stead.register_schedule(
  of_tenant uuid, schedule_name text, expression text, zone text, job_kind text, job_input jsonb, argument text,
  job_queue text, attempts integer, dispatched text, policy text, first_at timestamptz
) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid;
begin
  perform stead.refuse_tenants();
  insert into stead.schedules as s (tenant_id, name, cron, time_zone, kind, input, tick_argument, queue, max_attempts,
    dispatch, missed, source, next_at)
  values (of_tenant, schedule_name, expression, zone, job_kind, job_input, argument, job_queue, attempts, dispatched,
    policy, 'code', first_at)
  on conflict (tenant_id, name) do update
  set cron = excluded.cron, time_zone = excluded.time_zone, kind = excluded.kind, input = excluded.input,
    tick_argument = excluded.tick_argument, queue = excluded.queue, max_attempts = excluded.max_attempts,
    dispatch = excluded.dispatch, missed = excluded.missed, seen_at = now(), updated_at = now(),
    next_at = case when (s.cron, s.time_zone) = (excluded.cron, excluded.time_zone) then s.next_at
      else excluded.next_at end
  where s.source = 'code'
  returning s.id into found_id;
  return found_id;
end
$$;

-- Says that these schedules are in a worker's code; answers with those that are there.
create function stead.see_schedules(held uuid[]) returns table (id uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with seen as (
    select s.id from stead.schedules s
    where s.id = any (held) and s.seen_at < now() - interval '5 minutes'
    order by s.id for no key update skip locked
  )
  update stead.schedules s set seen_at = now() from seen x where s.id = x.id;
  select s.id from stead.schedules s where s.id = any (held)
$$;

-- Deletes schedules that no worker has had in its code for so long.
create function stead.sweep_schedules(unseen_s double precision) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    delete from stead.schedules s
    where s.source = 'code' and s.seen_at < now() - make_interval(secs => unseen_s)
    returning 1
  )
  select count(*) from gone
$$;

-- Every schedule there is, or those of one tenant.
create function stead.all_schedules(of_tenant uuid)
returns table (id uuid, tenant_id uuid, tenant_slug text, name text, cron text, time_zone text, kind text, input jsonb,
  tick_argument text, queue text, max_attempts smallint, missed text, source text, paused boolean,
  next_at timestamptz, last_at timestamptz, seen_at timestamptz, created_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform stead.refuse_tenants();
  return query
    select s.id, s.tenant_id, t.slug, s.name, s.cron, s.time_zone, s.kind, s.input, s.tick_argument, s.queue,
      s.max_attempts, s.missed, s.source, s.paused, s.next_at, s.last_at, s.seen_at, s.created_at
    from stead.schedules s left join public.tenants t on t.id = s.tenant_id
    where of_tenant is null or s.tenant_id = of_tenant
    order by t.slug nulls first, s.name;
end
$$;

-- Pauses a schedule of every tenant, or lets it go on with the tick that follows.
create function stead.pause_schedule(schedule uuid, pause boolean, following timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.refuse_tenants();
  update stead.schedules s
  set paused = pause, next_at = case when pause then s.next_at else following end, updated_at = now()
  where s.id = schedule;
end
$$;

-- Pauses, weighs or limits a queue for every tenant.
create function stead.save_queue(
  queue_name text, pause boolean, new_weight integer, most_running integer, lift_limit boolean
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.refuse_tenants();
  insert into stead.job_queues as q (tenant_id, queue, paused, weight, max_running)
  values (null, queue_name, coalesce(pause, false), coalesce(new_weight, 1), most_running)
  on conflict (tenant_id, queue) do update
  set paused = coalesce(pause, q.paused), weight = coalesce(new_weight, q.weight),
    max_running = case when lift_limit then null else coalesce(most_running, q.max_running) end, updated_at = now();
end
$$;

alter table stead.schedules enable row level security;
alter table stead.schedules force row level security;
grant select, insert, update, delete on stead.schedules to stead_service, stead_definer;
create policy tenant_isolation on stead.schedules to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.schedules to stead_definer using (true) with check (true);

revoke execute on function stead.tick_id(uuid, uuid, timestamptz), stead.refuse_tenants() from public;
grant execute on function stead.tick_id(uuid, uuid, timestamptz) to stead_service, stead_definer;
grant execute on function stead.refuse_tenants() to stead_definer;
do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('enqueue_ticks', 'due_schedule', 'advance_schedule', 'stop_schedule', 'next_schedule_in_s',
      'fire_schedule', 'register_schedule', 'see_schedules', 'sweep_schedules', 'all_schedules', 'pause_schedule',
      'save_queue')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
    if f <> 'stead.enqueue_ticks(uuid, timestamptz[])'::regprocedure then
      execute format('grant execute on function %s to stead_service', f);
    end if;
  end loop;
end
$$;
