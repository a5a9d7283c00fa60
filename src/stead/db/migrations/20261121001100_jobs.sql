-- Durable jobs (004's agent_jobs: the row is the queue), their steps and their events.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- An identifier that sorts by the time of its making (UUIDv7, RFC 9562 section 5.7): where one is made for a time,
-- the smallest of it.
create function stead.id_at(moment timestamptz) returns uuid
language sql immutable parallel safe
return (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;
create function stead.new_id() returns uuid
language sql volatile parallel safe
return (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
  || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;

create table public.agent_jobs (
  -- Sorts by time: it stands for an index on created_at, of which every change of a row would need an entry.
  id uuid primary key default stead.new_id(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  project_id uuid,
  user_id uuid,
  agent_type text not null check (agent_type ~ '^[a-z][a-z0-9_.:-]{0,99}$'),
  status text not null default 'queued'
    check (status in ('queued', 'running', 'completed', 'failed', 'waiting_for_input', 'cancelled')),
  progress double precision not null default 0.0 check (progress between 0 and 100),
  result jsonb,
  error text check (length(error) <= 4000),
  celery_task_id text check (length(celery_task_id) <= 200),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  input jsonb not null default '{}' check (jsonb_typeof(input) = 'object'),
  error_code text check (length(error_code) <= 100),
  queue text not null default 'default' check (queue ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  priority smallint not null default 0,
  run_at timestamptz not null default now(),
  -- Whether run_at has come. Set apart, so that the index of what can be claimed holds nothing else.
  ready boolean not null default true,
  -- Who delivers it to a worker: PostgreSQL, a broker, or a process of its own (it was lost with others twice).
  dispatch text not null default 'postgres' check (dispatch in ('postgres', 'celery', 'solitary')),
  dispatched_at timestamptz,
  attempts smallint not null default 0 check (attempts >= 0),
  max_attempts smallint not null default 3 check (max_attempts between 1 and 100),
  timeout_s real check (timeout_s > 0),
  rescues smallint not null default 0,
  -- Whether the next claim goes on with an attempt that is under way.
  resuming boolean not null default false,
  lease_no integer not null default 0,
  worker_id uuid,
  dedupe_key text check (length(dedupe_key) between 1 and 255),
  parent_id uuid,
  waits_for uuid[],
  asking text,
  questions jsonb,
  responses jsonb,
  has_steps boolean not null default false,
  event_seq integer not null default 0,
  unique (tenant_id, id),
  foreign key (tenant_id, user_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, parent_id) references public.agent_jobs (tenant_id, id) on delete set null (parent_id),
  check ((completed_at is not null) = (status in ('completed', 'failed', 'cancelled'))),
  check ((status = 'waiting_for_input') = (questions is not null))
);
-- As few indexes as there can be: each change of status makes an entry in every one whose condition holds.
-- Rows change twice or more and go after a while: room for the change of progress beside the row, and vacuum
-- before the indexes of what can be claimed fill with what no longer can.
alter table public.agent_jobs set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
-- What can be claimed, in the order in which it is: tenant by tenant (a loose scan finds the next in one descent).
create index agent_jobs_ready_idx on public.agent_jobs (queue, tenant_id, priority desc, run_at, id)
  where status = 'queued' and ready and dispatch = 'postgres';
create index agent_jobs_due_idx on public.agent_jobs (run_at) where status = 'queued' and not ready;
create index agent_jobs_running_idx on public.agent_jobs (tenant_id, queue) where status = 'running';
create index agent_jobs_undispatched_idx on public.agent_jobs (dispatch, dispatched_at)
  where status = 'queued' and ready and dispatch <> 'postgres';
create unique index agent_jobs_dedupe_uidx on public.agent_jobs (tenant_id, agent_type, dedupe_key)
  where dedupe_key is not null and status in ('queued', 'running', 'waiting_for_input');
create index agent_jobs_project_idx on public.agent_jobs (tenant_id, project_id, id)
  where project_id is not null;
create index agent_jobs_user_idx on public.agent_jobs (tenant_id, user_id, id) where user_id is not null;
create index agent_jobs_parent_idx on public.agent_jobs (tenant_id, parent_id) where parent_id is not null;
comment on column public.agent_jobs.agent_type is 'the name that a handler is registered under';
comment on column public.agent_jobs.lease_no is 'counts claims: whoever writes with an older one writes nothing';
comment on column public.agent_jobs.worker_id is 'the process (stead.processes) that runs it';
comment on column public.agent_jobs.run_at is 'infinity: when the jobs that it waits for have ended';

-- What a handler has done: it runs again from its start after a crash or an answer, and finds these results.
create table public.agent_job_steps (
  tenant_id uuid not null,
  job_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  kind text not null check (kind in ('step', 'write', 'ask', 'spawn', 'sleep')),
  position integer not null,
  result jsonb,
  duration_ms integer,
  created_at timestamptz not null default now(),
  primary key (job_id, name),
  foreign key (tenant_id, job_id) references public.agent_jobs (tenant_id, id) on delete cascade
);
create index agent_job_steps_job_idx on public.agent_job_steps (tenant_id, job_id);

-- What a stream of the job tells, but for its end, which the job itself tells.
create table stead.job_events (
  tenant_id uuid not null,
  job_id uuid not null,
  seq integer not null,
  event text not null check (event in ('progress', 'waiting')),
  data jsonb not null,
  created_at timestamptz not null default now(),
  primary key (job_id, seq),
  foreign key (tenant_id, job_id) references public.agent_jobs (tenant_id, id) on delete cascade
);
create index job_events_job_idx on stead.job_events (tenant_id, job_id);
create index job_events_created_idx on stead.job_events (created_at);

-- Jobs that somebody listens to: only of these is told when they change.
create table stead.job_watches (
  tenant_id uuid not null,
  job_id uuid primary key,
  until timestamptz not null,
  foreign key (tenant_id, job_id) references public.agent_jobs (tenant_id, id) on delete cascade
);
create index job_watches_job_idx on stead.job_watches (tenant_id, job_id);
create index job_watches_until_idx on stead.job_watches (until);

-- Queues that are paused, or limited or weighted; of one tenant, or of all (tenant_id null).
create table stead.job_queues (
  id bigint generated always as identity primary key,
  tenant_id uuid references public.tenants (id) on delete cascade,
  queue text not null check (queue ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  paused boolean not null default false,
  weight smallint not null default 1 check (weight between 1 and 1000),
  max_running integer check (max_running >= 0),
  updated_at timestamptz not null default now(),
  unique nulls not distinct (tenant_id, queue)
);

-- The life of a job, and its times (004).
create function public.handle_agent_job_updated_at() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if not (case old.status
    when 'queued' then new.status in ('running', 'cancelled', 'failed')
    when 'running' then new.status in ('queued', 'waiting_for_input', 'completed', 'failed', 'cancelled')
    when 'waiting_for_input' then new.status in ('queued', 'running', 'cancelled', 'failed')
    -- By hand: tried again.
    when 'failed' then new.status = 'queued'
    when 'cancelled' then new.status = 'queued'
    else false
  end) then
    raise check_violation using message = format('a job does not go from %s to %s', old.status, new.status);
  end if;
  if new.status = 'running' then
    new.started_at := coalesce(new.started_at, now());
  else
    -- So a worker's id alone says that the job runs: a condition on the status would invite the planner to the
    -- index of what runs, which is small whenever it looks.
    new.worker_id := null;
  end if;
  new.completed_at := case when new.status in ('completed', 'failed', 'cancelled') then now() end;
  if new.status <> 'waiting_for_input' then
    new.questions := null;
  end if;
  return new;
end
$$;
-- Not called where nothing is left to do: claims and ends set the times themselves, and of a legal step with its
-- times the condition is false, which costs a tenth of the call.
create trigger handle_agent_job_updated_at before update on public.agent_jobs
  for each row when (old.status is distinct from new.status and not (
    (old.status = 'queued' and new.status = 'running' and new.started_at is not null and new.completed_at is null
      and new.questions is null)
    or (old.status = 'running' and new.status in ('completed', 'failed') and new.completed_at is not null
      and new.worker_id is null and new.questions is null)))
  execute function public.handle_agent_job_updated_at();

create function public.refuse_agent_job() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise check_violation using message = format('a job begins as queued, not as %s', new.status);
end
$$;
create trigger agent_jobs_begin before insert on public.agent_jobs
  for each row when (new.status <> 'queued') execute function public.refuse_agent_job();

-- Wakes whoever claims: once a statement, and PostgreSQL sends it once a transaction.
create function stead.wake_workers() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('stead', '["jobs"]');
  return null;
end
$$;
create trigger agent_jobs_wake after insert on public.agent_jobs
  for each statement execute function stead.wake_workers();

create function stead.tell_watchers(jobs uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  topics text;
begin
  for topics in
    select jsonb_agg('job:' || w.job_id)::text
    from (
      select x.job_id, (row_number() over () - 1) / 100 as part
      from stead.job_watches x where x.job_id = any (jobs) and x.until > now()
    ) w group by w.part
  loop
    perform pg_notify('stead', topics);
  end loop;
end
$$;

-- Jobs for a worker: of every tenant that has any its share, so that a tenant with fifty thousand does not stand
-- before one with ten.
--
-- The tenants come from a loose scan of the index, at most a hundred, beginning after the one that the last claim
-- ended with. Shares are by weight; what one tenant cannot fill goes to the others in a second round.
create function stead.claim_jobs(
  worker uuid, wanted_queue text, kinds text[], wanted integer, after_tenant uuid
)
returns table (id uuid, tenant_id uuid, tenant_slug text, agent_type text, input jsonb, project_id uuid, user_id uuid,
  attempt smallint, max_attempts smallint, timeout_s real, lease_no integer, rescues smallint, has_steps boolean,
  queue text, last_tenant uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set enable_sort = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  most_tenants constant integer := 100;
  tenants uuid[];
  shares integer[];
  limited boolean;
  round integer := 0;
  n integer;
begin
  -- A claim need not be on disk before the job begins: whatever the job stores puts it there with itself, and if the
  -- database crashes before, the job is queued still, and what this worker would write is fenced off.
  perform set_config('synchronous_commit', 'off', true);
  perform stead.ready_jobs();
  if exists (select from stead.job_queues q where q.queue = wanted_queue and q.tenant_id is null and q.paused) then
    return;
  end if;
  tenants := stead.tenants_with_jobs(wanted_queue, coalesce(after_tenant, nobody), most_tenants);
  if after_tenant is not null and cardinality(tenants) < most_tenants then
    tenants := tenants || array(
      select t from unnest(stead.tenants_with_jobs(wanted_queue, nobody, most_tenants - cardinality(tenants))) t
      where t <= after_tenant);
  end if;
  if cardinality(tenants) = 0 then
    return;
  end if;
  limited := exists (select from stead.job_queues q where q.queue = wanted_queue);
  while wanted > 0 and round < 3 loop
    if limited then
      select s.tenants, s.shares into tenants, shares
      from stead.job_shares(wanted_queue, tenants, wanted, round = 0) s;
      exit when coalesce(cardinality(tenants), 0) = 0;
    else
      shares := array_fill(greatest(1, wanted / cardinality(tenants)), array[cardinality(tenants)]);
    end if;
    return query
      with picked as materialized (
        select j.id
        from unnest(tenants, shares) as s (tenant, share)
        cross join lateral (
          select x.id from public.agent_jobs x
          where x.queue = wanted_queue and x.tenant_id = s.tenant and x.status = 'queued' and x.ready
            and x.dispatch = 'postgres' and (kinds is null or x.agent_type = any (kinds))
          order by x.priority desc, x.run_at, x.id
          limit s.share
          for no key update skip locked
        ) j
        limit wanted
      ),
      taken as (
        update public.agent_jobs j
        set status = 'running', worker_id = worker, lease_no = j.lease_no + 1, resuming = false,
          started_at = coalesce(j.started_at, now()),
          attempts = j.attempts + case when j.resuming then 0 else 1 end
        from picked p where j.id = p.id
        returning j.id, j.tenant_id, j.agent_type, j.input, j.project_id, j.user_id, j.attempts, j.max_attempts,
          j.timeout_s, j.lease_no, j.rescues, j.has_steps, j.queue
      )
      select t.id, t.tenant_id, o.slug, t.agent_type, t.input, t.project_id, t.user_id, t.attempts, t.max_attempts,
        t.timeout_s, t.lease_no, t.rescues, t.has_steps, t.queue, tenants[cardinality(tenants)]
      from taken t join public.tenants o on o.id = t.tenant_id;
    get diagnostics n = row_count;
    exit when n = 0;
    wanted := wanted - n;
    round := round + 1;
  end loop;
end
$$;

-- Makes claimable what has come due. At each claim: it is one look at the beginning of an index.
create function stead.ready_jobs() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.agent_jobs j set ready = true
  from (
    select x.id from public.agent_jobs x
    where x.status = 'queued' and not x.ready and x.run_at <= now()
    order by x.run_at limit 1000 for no key update skip locked
  ) d
  where j.id = d.id;
end
$$;

create function stead.tenants_with_jobs(wanted_queue text, after_tenant uuid, most integer) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
declare
  found_tenant uuid := after_tenant;
  tenants uuid[] := '{}';
begin
  -- A loop over a cached plan: a recursive query is set up anew at each call, which costs more than it reads.
  while cardinality(tenants) < most loop
    select x.tenant_id into found_tenant from public.agent_jobs x
    where x.queue = wanted_queue and x.status = 'queued' and x.ready and x.dispatch = 'postgres'
      and x.tenant_id > found_tenant
    order by x.tenant_id limit 1;
    exit when not found;
    tenants := tenants || found_tenant;
  end loop;
  return tenants;
end
$$;

-- Shares under weights and limits. Who limits a tenant is counted under a lock of that tenant's, so that two
-- workers do not both take the last place; who does not get the lock comes again.
create function stead.job_shares(
  wanted_queue text, candidates uuid[], wanted integer, lock_them boolean, out tenants uuid[], out shares integer[]
)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  with known as (
    select c.tenant, c.n, coalesce(own.weight, everybody.weight, 1) as weight,
      coalesce(own.max_running, everybody.max_running) as most
    from unnest(candidates) with ordinality as c (tenant, n)
    left join stead.job_queues own on own.queue = wanted_queue and own.tenant_id = c.tenant
    left join stead.job_queues everybody on everybody.queue = wanted_queue and everybody.tenant_id is null
    where not coalesce(own.paused, false)
  ),
  room as (
    select k.tenant, k.n, k.weight,
      case when k.most is null then wanted
        -- Held to the end of the transaction, and taken again by its later rounds.
        when pg_try_advisory_xact_lock(hashtextextended('jobs/' || wanted_queue || '/' || k.tenant, 0)) then
          k.most - (select count(*)::integer from public.agent_jobs j
                    where j.tenant_id = k.tenant and j.queue = wanted_queue and j.status = 'running')
        else 0
      end as room
    from known k
  )
  select array_agg(r.tenant order by r.n),
    array_agg(least(r.room, greatest(1, (wanted * r.weight / r.total)::integer)) order by r.n)
  into tenants, shares
  from (select x.*, sum(x.weight) over () as total from room x where x.room > 0) r;
end
$$;

-- One job by its id: for who was told to run exactly that (a broker's message, a suspect alone in its process).
-- However it becomes queued again, it has not been sent to the broker then.
create function stead.claim_job(worker uuid, job uuid, kinds text[])
returns table (id uuid, tenant_id uuid, tenant_slug text, agent_type text, input jsonb, project_id uuid, user_id uuid,
  attempt smallint, max_attempts smallint, timeout_s real, lease_no integer, rescues smallint, has_steps boolean,
  queue text, last_tenant uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with taken as (
    update public.agent_jobs j
    set status = 'running', worker_id = worker, lease_no = j.lease_no + 1, resuming = false, ready = true,
      dispatched_at = null, attempts = j.attempts + case when j.resuming then 0 else 1 end
    where j.id = job and j.status = 'queued' and j.run_at <= now() and (kinds is null or j.agent_type = any (kinds))
      and not exists (
        select from stead.job_queues q
        where q.queue = j.queue and (q.tenant_id = j.tenant_id or q.tenant_id is null) and q.paused)
      and (
        not exists (
          select from stead.job_queues q
          where q.queue = j.queue and (q.tenant_id = j.tenant_id or q.tenant_id is null) and q.max_running is not null)
        or (select s.shares[1] from stead.job_shares(j.queue, array[j.tenant_id], 1, true) s) > 0)
    returning j.*
  )
  select t.id, t.tenant_id, stead.tenant_slug(t.tenant_id), t.agent_type, t.input, t.project_id, t.user_id,
    t.attempts, t.max_attempts, t.timeout_s, t.lease_no, t.rescues, t.has_steps, t.queue, t.tenant_id
  from taken t
$$;

-- Jobs that were lost twice with their process: each is to run in a process of its own.
create function stead.suspect_jobs(wanted_queue text, kinds text[], most integer) returns table (id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select j.id from public.agent_jobs j
  where j.dispatch = 'solitary' and j.status = 'queued' and j.ready and j.queue = wanted_queue and j.run_at <= now()
    and (kinds is null or j.agent_type = any (kinds))
  order by j.run_at limit most
$$;

-- When the next job comes due that has not yet; null: none.
create function stead.next_job_in_s() returns double precision
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select extract(epoch from j.run_at - now())::double precision from public.agent_jobs j
  where j.status = 'queued' and not j.ready and j.run_at < 'infinity' order by j.run_at limit 1
$$;

-- Ends attempts, many at once, of whoever still holds them. Answers with those that were accepted.
--
-- JSON comes as text: of an array of arrays a client makes one with two dimensions.
-- outcomes: completed, failed, retry (after delay_s), waiting (with questions), sleeping (until), awaiting (jobs),
-- released (handed back).
create function stead.settle_jobs(
  worker uuid, ids uuid[], leases integer[], outcomes text[], results text[], errors text[], codes text[],
  delays double precision[], untils timestamptz[], awaited text[], asked text[], askings text[]
)
returns table (id uuid, status text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
  done uuid[];
  states text[];
  waiting uuid[];
  parents uuid[];
begin
  with given as (
    select u.*, case u.outcome when 'completed' then 'completed' when 'failed' then 'failed'
      when 'waiting' then 'waiting_for_input' else 'queued' end as status
    from unnest(ids, leases, outcomes, results, errors, codes, delays, untils, awaited, asked, askings)
      as u (id, lease_no, outcome, result, error, code, delay_s, until, awaited, asked, asking)
  ),
  ended as (
    update public.agent_jobs j
    set status = g.status,
      result = case when g.outcome = 'completed' then g.result::jsonb else j.result end,
      progress = case when g.outcome = 'completed' then 100 else j.progress end,
      error = case when g.outcome in ('failed', 'retry') then g.error
        when g.outcome = 'completed' then null else j.error end,
      error_code = case when g.outcome in ('failed', 'retry') then g.code
        when g.outcome = 'completed' then null else j.error_code end,
      run_at = case g.outcome when 'retry' then now() + make_interval(secs => g.delay_s)
        when 'sleeping' then g.until when 'awaiting' then 'infinity' else j.run_at end,
      ready = g.outcome not in ('retry', 'sleeping', 'awaiting'),
      resuming = g.outcome in ('waiting', 'sleeping', 'awaiting', 'released'),
      waits_for = case when g.outcome = 'awaiting'
        then array(select jsonb_array_elements_text(g.awaited::jsonb)::uuid) end,
      questions = g.asked::jsonb, asking = g.asking,
      completed_at = case when g.outcome in ('completed', 'failed') then now() end,
      event_seq = j.event_seq + case when g.outcome in ('completed', 'failed', 'waiting') then 1 else 0 end,
      worker_id = null
    from given g
    where j.id = g.id and j.lease_no = g.lease_no and j.worker_id = worker
    returning j.id, j.status, j.tenant_id, j.parent_id, j.event_seq, j.questions, g.outcome
  ),
  told as (
    insert into stead.job_events (tenant_id, job_id, seq, event, data)
    select e.tenant_id, e.id, e.event_seq, 'waiting',
      jsonb_build_object('questions', e.questions, 'status', e.status)
    from ended e where e.outcome = 'waiting'
  )
  select array_agg(e.id), array_agg(e.status), array_agg(e.id) filter (where e.outcome = 'awaiting'),
    array_agg(e.parent_id) filter (where e.parent_id is not null and e.status in ('completed', 'failed'))
  into done, states, waiting, parents
  from ended e;
  if done is null then
    return;
  end if;
  -- Their children may have ended while they were on their way here, and the parents of those that ended may
  -- just be going to wait: both sides change the parent's row first and look then.
  if waiting is not null or parents is not null then
    perform stead.wake_parents(coalesce(waiting, '{}') || coalesce(parents, '{}'));
  end if;
  if 'released' = any (outcomes) then
    perform pg_notify('stead', '["jobs"]');
  end if;
  if exists (select from stead.job_watches) then
    perform stead.tell_watchers(done);
  end if;
  return query select u.id, u.status from unnest(done, states) as u (id, status);
end
$$;

-- Makes claimable those of these jobs that wait for others, all of which have ended.
create function stead.wake_parents(parents uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  woken integer;
begin
  perform from public.agent_jobs j where j.id = any (parents) order by j.id for no key update;
  update public.agent_jobs j set run_at = now(), ready = true, waits_for = null
  where j.id = any (parents) and j.status = 'queued' and j.run_at = 'infinity' and not exists (
    select from public.agent_jobs c where c.id = any (j.waits_for) and c.tenant_id = j.tenant_id
      and c.status not in ('completed', 'failed', 'cancelled'));
  get diagnostics woken = row_count;
  if woken > 0 then
    perform pg_notify('stead', '["jobs"]');
  end if;
end
$$;

-- Stores what a worker's jobs say of their progress (null: nothing new), and answers with those that it no longer
-- holds: they were cancelled, or taken for lost.
create function stead.report_jobs(
  worker uuid, ids uuid[], leases integer[], percents double precision[], messages text[]
)
returns table (id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  with given as (
    select * from unnest(ids, leases, percents, messages) as u (id, lease_no, percent, message)
    where u.percent is not null
  ),
  moved as (
    update public.agent_jobs j set progress = g.percent, event_seq = j.event_seq + 1
    from given g
    where j.id = g.id and j.lease_no = g.lease_no and j.worker_id = worker
    returning j.id, j.tenant_id, j.event_seq, j.status, g.percent, g.message
  )
  insert into stead.job_events (tenant_id, job_id, seq, event, data)
  select m.tenant_id, m.id, m.event_seq, 'progress', jsonb_strip_nulls(
    jsonb_build_object('progress', m.percent, 'status', m.status, 'message', m.message))
  from moved m;
  if found and exists (select from stead.job_watches) then
    perform stead.tell_watchers(ids);
  end if;
  return query
    select u.id from unnest(ids, leases) as u (id, lease_no)
    where not exists (
      select from public.agent_jobs j
      where j.id = u.id and j.lease_no = u.lease_no and j.worker_id = worker);
end
$$;

-- Stores the result of a step, in the transaction of whatever else the step wrote. False: the job is no longer
-- this worker's, and nothing may be written.
create function stead.checkpoint_job(
  worker uuid, job uuid, lease integer, step_name text, step_kind text, step_position integer, step_result jsonb,
  took_ms integer
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held public.agent_jobs;
begin
  -- Locked to the end of the transaction: it cannot be rescued or cancelled between here and the commit.
  select * into held from public.agent_jobs j
  where j.id = job and j.tenant_id = stead.tenant_id() and j.lease_no = lease and j.worker_id = worker
  for share;
  if held.id is null then
    return false;
  end if;
  insert into public.agent_job_steps (tenant_id, job_id, name, kind, position, result, duration_ms)
  values (held.tenant_id, job, step_name, step_kind, step_position, step_result, took_ms);
  if not held.has_steps then
    update public.agent_jobs set has_steps = true where id = job;
  end if;
  return true;
end
$$;

-- Takes jobs from processes that have been silent for so long. One that was lost with its process too often
-- fails: it may well be what ends them.
create function stead.rescue_jobs(silent_s double precision, most_rescues integer, solitary boolean, batch integer)
returns table (id uuid, status text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  done uuid[];
  states text[];
  parents uuid[];
begin
  with lost as (
    select j.id from public.agent_jobs j
    left join stead.processes p on p.id = j.worker_id
    where j.status = 'running'
      and coalesce(p.heartbeat_at < now() - make_interval(secs => silent_s), true)
    order by j.id limit batch
    for no key update of j skip locked
  ),
  taken as (
    update public.agent_jobs j
    set status = case when j.rescues + 1 >= most_rescues then 'failed' else 'queued' end,
      -- Lost a second time: it may be what ends processes, and is kept apart from all others.
      dispatch = case when j.rescues >= 1 and solitary and j.dispatch = 'postgres' then 'solitary' else j.dispatch end,
      rescues = j.rescues + 1, lease_no = j.lease_no + 1, worker_id = null, resuming = true, ready = true,
      error = format('the process that ran it stopped (%s of %s times)', j.rescues + 1, most_rescues),
      error_code = 'worker_lost',
      event_seq = j.event_seq + case when j.rescues + 1 >= most_rescues then 1 else 0 end
    from lost l where j.id = l.id
    returning j.id, j.status, j.parent_id
  )
  select array_agg(t.id), array_agg(t.status), array_agg(t.parent_id) filter (
    where t.parent_id is not null and t.status = 'failed')
  into done, states, parents from taken t;
  if done is null then
    return;
  end if;
  if parents is not null then
    perform stead.wake_parents(parents);
  end if;
  perform pg_notify('stead', '["jobs"]');
  perform stead.tell_watchers(done);
  return query select u.id, u.status from unnest(done, states) as u (id, status);
end
$$;

-- Cancels a job and all that it spawned, at once; whoever runs one of them is told. Answers with what was cancelled.
create function stead.cancel_jobs(job uuid) returns table (id uuid, worker_id uuid, celery_task_id text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller uuid := stead.tenant_id();
  family uuid[];
  workers text;
  parent uuid;
begin
  with recursive below as (
    select j.id, j.parent_id, 0 as depth from public.agent_jobs j
    where j.id = job and j.tenant_id = caller and (j.user_id = stead.profile_id()
      or not (stead.claims() ?| array['sub', 'stead_session']))
    union all
    select c.id, c.parent_id, b.depth + 1
    from below b join public.agent_jobs c on c.tenant_id = caller and c.parent_id = b.id
  )
  select array_agg(b.id), (array_agg(b.parent_id) filter (where b.depth = 0))[1] into family, parent from below b;
  return query
    with held as (
      select j.id, j.worker_id from public.agent_jobs j
      where j.id = any (family) and j.tenant_id = caller
        and j.status in ('queued', 'running', 'waiting_for_input')
      order by j.id for no key update
    ),
    ended as (
      update public.agent_jobs j
      set status = 'cancelled', worker_id = null, lease_no = j.lease_no + 1, event_seq = j.event_seq + 1
      from held h where j.id = h.id
      returning j.id, h.worker_id, j.celery_task_id
    )
    select * from ended;
  perform stead.tell_watchers(family);
  -- Every worker looks whether it is meant: which one holds what is not remembered here any more.
  perform pg_notify('stead', '["jobs:held"]');
  if parent is not null then
    perform stead.wake_parents(array[parent]);
  end if;
end
$$;

-- Deletes jobs that ended so long ago, some at a time; a tree goes from its leaves.
create function stead.sweep_jobs(keep_s double precision, keep_events_s double precision, batch integer)
returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with old as (
    select j.id from public.agent_jobs j
    where j.id < stead.id_at(now() - make_interval(secs => keep_s))
      and j.completed_at < now() - make_interval(secs => keep_s)
      and not exists (
        select from public.agent_jobs c where c.tenant_id = j.tenant_id and c.parent_id = j.id
          and c.status not in ('completed', 'failed', 'cancelled'))
    order by j.id limit batch
    for update skip locked
  ),
  gone as (delete from public.agent_jobs j using old o where j.id = o.id returning 1),
  past as (
    select e.job_id, e.seq from stead.job_events e
    join public.agent_jobs j on j.id = e.job_id
    where e.created_at < now() - make_interval(secs => keep_events_s) and j.completed_at is not null
    order by e.created_at limit batch
  ),
  events as (
    delete from stead.job_events e using past p where e.job_id = p.job_id and e.seq = p.seq returning 1
  ),
  watches as (delete from stead.job_watches w where w.until < now() returning 1)
  select (select count(*) from gone) + (select count(*) from events)
$$;

-- Notes that somebody listens to a job.
create function stead.watch_job(job uuid, for_s double precision) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into stead.job_watches as w (tenant_id, job_id, until)
  select j.tenant_id, j.id, now() + make_interval(secs => for_s) from public.agent_jobs j
  where j.id = job and j.completed_at is null
  on conflict (job_id) do update set until = greatest(w.until, excluded.until)
$$;

-- What a stream of a job tells after a place; its end is told by the job itself. For who was found to be allowed.
create function stead.job_tail(job uuid, after_seq integer)
returns table (seq integer, event text, data jsonb, last boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select e.seq, e.event, e.data, false from stead.job_events e where e.job_id = job and e.seq > after_seq
  union all
  select j.event_seq,
    case j.status when 'completed' then 'complete' when 'failed' then 'error' else 'cancelled' end,
    jsonb_build_object('status', j.status)
      || case j.status when 'completed' then jsonb_build_object('result', j.result)
        when 'failed' then jsonb_build_object('error', j.error, 'code', j.error_code) else '{}' end,
    true
  from public.agent_jobs j where j.id = job and j.completed_at is not null and j.event_seq > after_seq
  order by 1
$$;

-- Jobs that a broker is to deliver and was not given yet, for the caller to give to it.
create function stead.undelivered_jobs(batch integer) returns table (id uuid, queue text, celery_task_id text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  perform stead.ready_jobs();
  return query
    with due as (
      select j.id from public.agent_jobs j
      where j.status = 'queued' and j.ready and j.dispatch = 'celery' and j.dispatched_at is null
      limit batch
      for no key update skip locked
    )
    update public.agent_jobs j set dispatched_at = now()
    from due d where j.id = d.id
    returning j.id, j.queue, j.celery_task_id;
end
$$;

-- The broker did not take these.
create function stead.undeliver_jobs(jobs uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update public.agent_jobs j set dispatched_at = null
  where j.id = any (jobs) and j.status = 'queued' and j.dispatch = 'celery'
$$;

-- Jobs that were given to a broker, and that nobody came for: they are given to it again. Soon where the broker says
-- that it holds nothing; else each after as long again as it has waited, since it may well be in a long queue.
create function stead.redeliver_jobs(
  empty_queues text[], lost_s double precision, least_s double precision, most_s double precision, batch integer
)
returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with late as (
    select j.id from public.agent_jobs j
    where j.status = 'queued' and j.ready and j.dispatch = 'celery'
      and j.dispatched_at < now() - make_interval(secs => least(lost_s, least_s))
      and j.dispatched_at < now() - case when j.queue = any (empty_queues) then make_interval(secs => lost_s)
        else greatest(make_interval(secs => least_s),
          least(make_interval(secs => most_s), j.dispatched_at - j.run_at)) end
      and not exists (
        select from stead.job_queues q
        where q.queue = j.queue and (q.tenant_id = j.tenant_id or q.tenant_id is null) and q.paused)
    order by j.dispatched_at limit batch
    for no key update of j skip locked
  ),
  again as (
    update public.agent_jobs j set dispatched_at = null from late l where j.id = l.id returning 1
  )
  select count(*) from again
$$;

do $$
declare
  t text;
begin
  foreach t in array array['public.agent_jobs', 'public.agent_job_steps', 'stead.job_events', 'stead.job_watches',
    'stead.job_queues']
  loop
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('grant select, insert, update, delete on %s to stead_definer', t);
    execute format('create policy stead_definer_access on %s to stead_definer using (true) with check (true)', t);
  end loop;
end
$$;
-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.agent_jobs, public.agent_job_steps from anon, authenticated;
grant select on public.agent_jobs, public.agent_job_steps to authenticated;
grant select, insert, update, delete on public.agent_jobs, public.agent_job_steps to stead_service, service_role;
grant select, insert, update, delete on stead.job_queues to stead_service;

create policy tenant_isolation on public.agent_jobs to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (user_id = (select stead.profile_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (user_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.agent_jobs to service_role using (true) with check (true);
-- Visible with their job: its policy decides.
create policy tenant_isolation on public.agent_job_steps to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.agent_jobs j where j.tenant_id = agent_job_steps.tenant_id and j.id = job_id))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.agent_jobs j where j.tenant_id = agent_job_steps.tenant_id and j.id = job_id));
create policy service_role_full_access on public.agent_job_steps to service_role using (true) with check (true);
create policy tenant_isolation on stead.job_queues to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('tell_watchers', 'claim_jobs', 'ready_jobs', 'tenants_with_jobs', 'job_shares', 'claim_job',
      'suspect_jobs', 'next_job_in_s', 'settle_jobs', 'wake_parents', 'report_jobs', 'checkpoint_job', 'rescue_jobs',
      'cancel_jobs', 'sweep_jobs', 'undelivered_jobs', 'undeliver_jobs', 'redeliver_jobs', 'watch_job', 'job_tail')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
revoke execute on function stead.new_id(), stead.id_at(timestamptz), stead.wake_workers(), public.handle_agent_job_updated_at(), public.refuse_agent_job()
  from public, anon, authenticated;
grant execute on function stead.claim_jobs(uuid, text, text[], integer, uuid), stead.claim_job(uuid, uuid, text[]),
  stead.suspect_jobs(text, text[], integer), stead.next_job_in_s(),
  stead.settle_jobs(uuid, uuid[], integer[], text[], text[], text[], text[], double precision[], timestamptz[],
    text[], text[], text[]),
  stead.report_jobs(uuid, uuid[], integer[], double precision[], text[]),
  stead.checkpoint_job(uuid, uuid, integer, text, text, integer, jsonb, integer),
  stead.rescue_jobs(double precision, integer, boolean, integer), stead.cancel_jobs(uuid),
  stead.sweep_jobs(double precision, double precision, integer), stead.undelivered_jobs(integer),
  stead.undeliver_jobs(uuid[]), stead.redeliver_jobs(text[], double precision, double precision, double precision, integer),
  stead.watch_job(uuid, double precision), stead.job_tail(uuid, integer), stead.new_id(), stead.id_at(timestamptz)
  to stead_service;
grant execute on function stead.new_id() to service_role;
grant execute on function stead.new_id(), stead.id_at(timestamptz) to stead_definer;
