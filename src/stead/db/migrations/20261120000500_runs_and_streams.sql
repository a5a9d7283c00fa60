-- Agent runs (000's agent_run_logs and 002's agent_executions: one table), the processes that carry them
-- out, and the chunks of their streams, so that any process can serve a resumed stream.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table stead.processes (
  id uuid primary key,
  kind text not null check (kind in ('serve', 'worker', 'up')),
  host text not null,
  pid integer not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now()
);

create table public.agent_runs (
  id uuid primary key default gen_random_uuid(),
  number bigint generated always as identity unique,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  session_id uuid,
  profile_id uuid,
  agent_id uuid references public.agents (id) on delete set null,
  agent_version_id uuid references public.agent_versions (id) on delete set null,
  agent_name text not null,
  user_message_id uuid,
  message_id uuid not null,
  status text not null default 'running' check (status in ('running', 'completed', 'failed', 'cancelled')),
  stop_requested boolean not null default false,
  process_id uuid references stead.processes (id) on delete set null,
  model text,
  input jsonb,
  output jsonb,
  error jsonb,
  finish_reason text,
  latency_ms integer check (latency_ms >= 0),
  first_token_ms integer check (first_token_ms >= 0),
  input_tokens integer not null default 0,
  output_tokens integer not null default 0,
  cached_tokens integer not null default 0,
  requests integer not null default 0,
  cost_usd numeric(14, 8),
  trace_id text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  completed_at timestamptz,
  unique (tenant_id, id),
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade,
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  check ((status = 'running') = (completed_at is null)),
  check (status <> 'failed' or error is not null)
);
create index agent_runs_session_idx on public.agent_runs (tenant_id, session_id, created_at desc);
create index agent_runs_profile_idx on public.agent_runs (tenant_id, profile_id, created_at desc);
create index agent_runs_agent_idx on public.agent_runs (agent_id, created_at desc);
create index agent_runs_version_idx on public.agent_runs (agent_version_id);
-- One run at a time in a session: its messages have one order.
create unique index agent_runs_active_idx on public.agent_runs (session_id) where status = 'running';
create index agent_runs_process_idx on public.agent_runs (process_id) where process_id is not null;
comment on column public.agent_runs.message_id is 'the assistant message that this run writes, stored or to be stored';
comment on column public.agent_runs.cost_usd is 'null: the price of this model is not known';

-- Both tables are new and empty: there is nothing to scan.
alter table public.messages
  -- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
  add foreign key (tenant_id, run_id) references public.agent_runs (tenant_id, id) on delete set null (run_id);

create trigger agent_runs_agent before insert or update of agent_id, tenant_id on public.agent_runs
  for each row when (new.agent_id is not null) execute function stead.check_agent();
create trigger agent_runs_version before insert or update of agent_version_id, tenant_id on public.agent_runs
  for each row when (new.agent_version_id is not null) execute function stead.check_agent_version();

-- Frames of the UI message stream, many to a row: written once every few tens of milliseconds for all the
-- streams of a process.
create table stead.stream_chunks (
  tenant_id uuid not null,
  run_id uuid not null,
  seq integer not null,
  frames jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, run_id, seq),
  foreign key (tenant_id, run_id) references public.agent_runs (tenant_id, id) on delete cascade
);
create index stream_chunks_created_idx on stead.stream_chunks (created_at);

create function stead.beat(process uuid, kind text, host text, pid integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into stead.processes as p (id, kind, host, pid) values (process, kind, host, pid)
  on conflict (id) do update set heartbeat_at = now()
$$;

create function stead.leave(process uuid) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$ delete from stead.processes where id = process $$;

-- Appends the frames of many streams at once, for runs that this process still holds: a run that was
-- rescued from it or stopped takes no more frames. Answers with the runs that must end here.
create function stead.append_frames(process uuid, runs uuid[], seqs integer[], chunks jsonb)
returns table (run_id uuid, gone boolean)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with given as (
    select u.run_id, u.seq, chunks -> (u.n::integer - 1) as frames
    from unnest(runs, seqs) with ordinality as u (run_id, seq, n)
  ),
  held as (
    select g.run_id, g.seq, g.frames, r.tenant_id, r.stop_requested
    from given g join public.agent_runs r on r.id = g.run_id
    where r.status = 'running' and r.process_id = process
    -- What writing a chunk locks anyway, for its foreign key; here, so that a run that was ended meanwhile is seen.
    for key share of r
  ),
  written as (
    insert into stead.stream_chunks (run_id, tenant_id, seq, frames)
    select h.run_id, h.tenant_id, h.seq, h.frames from held h where jsonb_array_length(h.frames) > 0
    on conflict do nothing
  )
  select g.run_id, h.run_id is null from given g left join held h using (run_id)
  where h.run_id is null or h.stop_requested
$$;

-- Runs whose process has not been heard of for so long, claimed for rescue: the caller takes them over.
create function stead.claim_lost_runs(process uuid, silent_s double precision, batch integer)
returns table (id uuid, tenant_id uuid, session_id uuid, profile_id uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with lost as (
    select r.id from public.agent_runs r
    left join stead.processes p on p.id = r.process_id
    where r.status = 'running' and r.process_id is distinct from process
      and coalesce(p.heartbeat_at, r.created_at) < now() - make_interval(secs => silent_s)
    order by r.created_at
    limit batch
    for update of r skip locked
  )
  update public.agent_runs r set process_id = process
  from lost where r.id = lost.id
  returning r.id, r.tenant_id, r.session_id, r.profile_id
$$;

create function stead.sweep_runs(keep_chunks_s double precision) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with old as (
    select c.ctid from stead.stream_chunks c join public.agent_runs r on r.id = c.run_id
    where c.created_at < now() - make_interval(secs => keep_chunks_s) and r.status <> 'running'
    limit 10000
  ),
  chunks as (delete from stead.stream_chunks where ctid in (select ctid from old) returning 1),
  silent as (
    delete from stead.processes p where p.heartbeat_at < now() - interval '1 hour'
      and not exists (select from public.agent_runs r where r.process_id = p.id and r.status = 'running')
  )
  select count(*) from chunks
$$;

alter table stead.processes enable row level security;
alter table stead.processes force row level security;
alter table public.agent_runs enable row level security;
alter table public.agent_runs force row level security;
alter table stead.stream_chunks enable row level security;
alter table stead.stream_chunks force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.agent_runs from anon, authenticated;
grant select on public.agent_runs to anon, authenticated;
grant select, insert, update, delete on public.agent_runs to stead_service, service_role, stead_definer;
grant select, insert, update, delete on stead.processes to stead_definer;
grant select, insert on stead.stream_chunks to stead_service;
grant select, insert, delete on stead.stream_chunks to stead_definer;

create policy tenant_isolation on public.agent_runs to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.agent_runs to service_role using (true) with check (true);
create policy stead_definer_access on public.agent_runs to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.processes to stead_definer using (true) with check (true);

-- Visible with its run: the policy on agent_runs decides.
create policy tenant_isolation on stead.stream_chunks to stead_service
  using (tenant_id = (select stead.tenant_id())
    and exists (select from public.agent_runs r where r.id = run_id))
  with check (tenant_id = (select stead.tenant_id())
    and exists (select from public.agent_runs r where r.id = run_id));
create policy stead_definer_access on stead.stream_chunks to stead_definer using (true) with check (true);

alter function stead.beat(uuid, text, text, integer) owner to stead_definer;
alter function stead.leave(uuid) owner to stead_definer;
alter function stead.append_frames(uuid, uuid[], integer[], jsonb) owner to stead_definer;
alter function stead.claim_lost_runs(uuid, double precision, integer) owner to stead_definer;
alter function stead.sweep_runs(double precision) owner to stead_definer;
revoke execute on function stead.beat(uuid, text, text, integer), stead.leave(uuid),
  stead.append_frames(uuid, uuid[], integer[], jsonb),
  stead.claim_lost_runs(uuid, double precision, integer), stead.sweep_runs(double precision) from public;
grant execute on function stead.beat(uuid, text, text, integer), stead.leave(uuid),
  stead.append_frames(uuid, uuid[], integer[], jsonb),
  stead.claim_lost_runs(uuid, double precision, integer), stead.sweep_runs(double precision)
  to stead_service;
