-- Goals, beliefs and cognitive metrics (002), that document's columns, views and functions, and the time-out of
-- sessions.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Words as they are compared: a text said twice has one digest.
create function stead.text_digest(content text) returns uuid
language sql immutable parallel safe
return md5(lower(regexp_replace(btrim(content), '\s+', ' ', 'g')))::uuid;

create table public.goal_assessments (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  -- Whose goal it is: the person's; while nobody is signed in, the session's; else an agent's own, which is the
  -- tenant's.
  scope_id uuid not null generated always as (coalesce(profile_id, session_id, tenant_id)) stored,
  profile_id uuid,
  session_id uuid,
  agent_name text check (length(agent_name) between 1 and 200),
  goal text not null check (length(goal) between 1 and 4000),
  digest uuid not null generated always as (stead.text_digest(goal)) stored,
  -- Of the latest assessment. What is wholly reached is achieved, until an assessment says less.
  progress double precision not null default 0 check (progress between 0 and 1),
  status text not null default 'active' check (status in ('active', 'achieved', 'abandoned')),
  importance double precision not null default 0.5 check (importance between 0 and 1),
  due_at timestamptz,
  assessed_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, scope_id, id),
  unique nulls not distinct (tenant_id, scope_id, agent_name, digest),
  check (status <> 'achieved' or progress = 1),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index goal_assessments_scope_idx on public.goal_assessments (tenant_id, scope_id, status, created_at desc);
create index goal_assessments_profile_idx on public.goal_assessments (tenant_id, profile_id);
create index goal_assessments_session_idx on public.goal_assessments (tenant_id, session_id);

-- Progress over time, each assessment with what it rests on.
create table public.goal_progress (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  scope_id uuid not null,
  goal_id uuid not null,
  progress double precision not null check (progress between 0 and 1),
  note text check (length(note) between 1 and 4000),
  evidence_kind text not null default 'memory' check (evidence_kind ~ '^[a-z_]{1,40}$'),
  evidence_ids uuid[] not null default '{}' check (cardinality(evidence_ids) <= 1000),
  run_id uuid,
  at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  -- With the scope in the key, what is linked to a person moves with its goal.
  foreign key (tenant_id, scope_id, goal_id) references public.goal_assessments (tenant_id, scope_id, id)
    on update cascade on delete cascade
);
create index goal_progress_goal_idx on public.goal_progress (tenant_id, scope_id, goal_id, at desc);
create index goal_progress_evidence_idx on public.goal_progress using gin (evidence_ids)
  where evidence_ids <> '{}';

-- How much a piece of evidence weighs: Good's weight of evidence, the logarithm of its likelihood ratio, in
-- millionths of a nat. A source that is right in a share `reliability` of cases has the ratio r / (1 - r), at most
-- 19 for 0.95; `weight` says how much of it bears on the statement. Whole numbers, so that sums are exact and the
-- order in which evidence comes in makes no difference, not even in the last digit.
create function stead.weight_of_evidence(direction text, weight double precision, reliability double precision)
returns integer
language sql immutable parallel safe
return (case direction when 'contradicts' then -1 else 1 end
  * round(1000000 * weight * ln(reliability / (1 - reliability))))::integer;

-- Bayes' rule in odds form: prior odds times all likelihood ratios, as a sum of logarithms. Only what comes out is
-- kept within 0.01 and 0.99, never the sum: evidence beyond the bounds still counts when other evidence is weighed
-- against it or taken back.
create function stead.belief_confidence(prior double precision, evidence_micronats bigint)
returns double precision
language sql immutable parallel safe
return least(greatest(
  1 / (1 + exp(-least(greatest(ln(prior / (1 - prior)) + evidence_micronats / 1000000.0::double precision, -5), 5))),
  0.01), 0.99);

create table public.belief_graphs (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  -- As of a goal: the person's, the session's, or an agent's own.
  scope_id uuid not null generated always as (coalesce(profile_id, session_id, tenant_id)) stored,
  profile_id uuid,
  session_id uuid,
  agent_name text check (length(agent_name) between 1 and 200),
  statement text not null check (length(statement) between 1 and 4000),
  digest uuid not null generated always as (stead.text_digest(statement)) stored,
  prior double precision not null default 0.5 check (prior between 0.01 and 0.99),
  -- The sum over belief_updates that stand.
  evidence_micronats bigint not null default 0,
  confidence double precision not null
    generated always as (stead.belief_confidence(prior, evidence_micronats)) stored,
  supporting integer not null default 0 check (supporting >= 0),
  contradicting integer not null default 0 check (contradicting >= 0),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, scope_id, id),
  unique nulls not distinct (tenant_id, scope_id, agent_name, digest),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index belief_graphs_scope_idx on public.belief_graphs (tenant_id, scope_id, confidence desc);
create index belief_graphs_profile_idx on public.belief_graphs (tenant_id, profile_id);
create index belief_graphs_session_idx on public.belief_graphs (tenant_id, session_id);

create table public.belief_edges (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  -- In both keys: an edge never leads from one person's beliefs to another's.
  scope_id uuid not null,
  from_belief_id uuid not null,
  to_belief_id uuid not null,
  relation text not null check (relation in ('supports', 'contradicts', 'refines', 'depends_on')),
  weight double precision not null default 1 check (weight between 0 and 1),
  created_at timestamptz not null default now(),
  unique (tenant_id, from_belief_id, to_belief_id, relation),
  check (from_belief_id <> to_belief_id),
  foreign key (tenant_id, scope_id, from_belief_id) references public.belief_graphs (tenant_id, scope_id, id)
    on update cascade on delete cascade,
  foreign key (tenant_id, scope_id, to_belief_id) references public.belief_graphs (tenant_id, scope_id, id)
    on update cascade on delete cascade
);
create index belief_edges_from_idx on public.belief_edges (tenant_id, scope_id, from_belief_id);
create index belief_edges_to_idx on public.belief_edges (tenant_id, scope_id, to_belief_id);

-- The history of a belief. What was taken back stays, and counts no more.
create table public.belief_updates (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  scope_id uuid not null,
  belief_id uuid not null,
  evidence_kind text not null check (evidence_kind ~ '^[a-z_]{1,40}$'),
  evidence_id uuid not null,
  direction text not null check (direction in ('supports', 'contradicts')),
  weight double precision not null check (weight between 0 and 1),
  reliability double precision not null check (reliability between 0.5 and 0.95),
  micronats integer not null
    generated always as (stead.weight_of_evidence(direction, weight, reliability)) stored,
  -- Confidence before and after, as it was then.
  prior double precision not null,
  posterior double precision not null,
  at timestamptz not null default now(),
  retracted_at timestamptz,
  foreign key (tenant_id, scope_id, belief_id) references public.belief_graphs (tenant_id, scope_id, id)
    on update cascade on delete cascade
);
create index belief_updates_belief_idx on public.belief_updates (tenant_id, scope_id, belief_id, at desc);
-- A piece of evidence counts once.
create unique index belief_updates_evidence_idx
  on public.belief_updates (tenant_id, belief_id, evidence_kind, evidence_id) where retracted_at is null;
create index belief_updates_source_idx on public.belief_updates (tenant_id, evidence_kind, evidence_id)
  where retracted_at is null;

create table public.cognitive_metrics (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  run_id uuid not null,
  profile_id uuid,
  session_id uuid,
  agent_name text not null,
  model text,
  memories_found integer not null default 0 check (memories_found >= 0),
  memories_injected integer not null default 0 check (memories_injected >= 0),
  -- The share of injected memories that the answer used; null where none was injected or nobody looked.
  recall_hit_rate double precision check (recall_hit_rate between 0 and 1),
  recall_latency_ms double precision check (recall_latency_ms >= 0),
  context_tokens integer not null default 0 check (context_tokens >= 0),
  latency_ms integer check (latency_ms >= 0),
  first_token_ms integer check (first_token_ms >= 0),
  input_tokens integer not null default 0,
  output_tokens integer not null default 0,
  -- Active runs of the process over the most that it takes.
  cognitive_load double precision check (cognitive_load between 0 and 1),
  created_at timestamptz not null default now(),
  unique (tenant_id, run_id),
  foreign key (tenant_id, run_id) references public.agent_runs (tenant_id, id) on delete cascade,
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index cognitive_metrics_agent_idx on public.cognitive_metrics (tenant_id, agent_name, created_at desc);
create index cognitive_metrics_created_idx on public.cognitive_metrics (tenant_id, created_at desc);
create index cognitive_metrics_profile_idx on public.cognitive_metrics (tenant_id, profile_id, created_at desc);
create index cognitive_metrics_session_idx on public.cognitive_metrics (tenant_id, session_id);

create trigger update_goal_assessments_updated_at before update on public.goal_assessments
  for each row execute function public.update_updated_at_column();
create trigger update_belief_graphs_updated_at before update on public.belief_graphs
  for each row execute function public.update_updated_at_column();

-- Found by words and by meaning, and embedded by the backlog, as memories are.
insert into stead.searchable (kind, source, content) values
  ('goal', 'public.goal_assessments', 'goal'),
  ('belief', 'public.belief_graphs', 'statement');
create trigger goal_assessments_index after insert or update or delete on public.goal_assessments
  for each row execute function stead.index_document('goal', 'scope_id', 'agent_name', 'goal');
create trigger belief_graphs_index after insert or update or delete on public.belief_graphs
  for each row execute function stead.index_document('belief', 'scope_id', 'agent_name', 'statement');

-- A stored vector as numbers, of the newest model that made one. People are shown those of their own scope only,
-- whatever id they name. The role is read from the setting: here the current user is this function's owner.
create function stead.vector_of(kind text, tenant uuid, owner uuid) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select to_jsonb(e.embedding::real[]) from stead.embeddings e
  where e.tenant_id = vector_of.tenant and e.kind = vector_of.kind and e.owner_id = vector_of.owner
    and (current_setting('role', true) = 'service_role'
      or (e.tenant_id = stead.tenant_id()
        and (e.scope_id = stead.profile_id() or e.scope_id = stead.session_id()
          or (current_setting('role', true) = 'stead_service'
            and not (stead.claims() ?| array['sub', 'stead_session'])))))
  order by e.model_id desc limit 1
$$;

-- 002's columns goal_vector and belief_vector, as PostgREST computes columns: select=goal,goal_vector.
create function public.goal_vector(goal public.goal_assessments) returns jsonb
language sql stable
return stead.vector_of('goal', (goal).tenant_id, (goal).id);

create function public.belief_vector(belief public.belief_graphs) returns jsonb
language sql stable
return stead.vector_of('belief', (belief).tenant_id, (belief).id);

-- What 002 knows of sessions. Its session_id is a name that the application gives.
alter table public.sessions
  add column session_id text,
  add column agent_name text,
  add column tags text[] not null default '{}';
alter table public.sessions
  -- squawk-ignore constraint-missing-not-valid
  add constraint sessions_session_id_check check (length(session_id) between 1 and 200),
  -- squawk-ignore constraint-missing-not-valid
  add constraint sessions_agent_name_check check (length(agent_name) between 1 and 200),
  -- squawk-ignore constraint-missing-not-valid
  add constraint sessions_tags_check check (cardinality(tags) <= 100);
-- squawk-ignore require-concurrent-index-creation
create unique index sessions_session_id_idx on public.sessions (tenant_id, session_id)
  where session_id is not null;
-- squawk-ignore require-concurrent-index-creation
create index sessions_tags_idx on public.sessions using gin (tags) where tags <> '{}';
-- squawk-ignore require-concurrent-index-creation
create index agent_runs_created_idx on public.agent_runs (tenant_id, created_at desc);

-- 002's word for a session in progress is accepted wherever a status is written.
create function stead.accept_active() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.status := 'in_progress';
  return new;
end
$$;
create trigger sessions_active before insert or update of status on public.sessions
  for each row when (new.status = 'active') execute function stead.accept_active();

create function stead.name_owning_agent() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  select a.slug into new.agent_name from public.agents a
  where a.id = new.owning_agent_id and (a.tenant_id is null or a.tenant_id = new.tenant_id);
  return new;
end
$$;
create trigger sessions_agent_name before insert or update of owning_agent_id on public.sessions
  for each row when (new.owning_agent_id is not null and new.agent_name is null)
  execute function stead.name_owning_agent();

-- How long an execution took, where whoever ran it did not measure it.
create function public.calculate_execution_duration() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.latency_ms := least(greatest(
    extract(epoch from new.completed_at - new.created_at) * 1000, 0), 2147483647)::integer;
  return new;
end
$$;
create trigger calculate_agent_execution_duration before insert or update on public.agent_runs
  for each row when (new.completed_at is not null and new.latency_ms is null)
  execute function public.calculate_execution_duration();

-- For executions that are recorded through 002's view.
alter table public.agent_runs
  alter column tenant_id set default stead.tenant_id(),
  alter column message_id set default gen_random_uuid();

create view public.agent_executions with (security_invoker = true) as
  select id, session_id, profile_id as user_id, agent_name, status, created_at as started_at, completed_at,
    latency_ms as duration_ms, model, input, output, error, input_tokens, output_tokens,
    input_tokens + output_tokens as total_tokens, cost_usd, metadata
  from public.agent_runs;
comment on view public.agent_executions is '002: agent runs under the name and columns of that document';

-- An execution that still runs belongs to the process that runs it: without one it would be taken for lost.
create function stead.insert_execution() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  made uuid;
begin
  if coalesce(new.status, 'running') = 'running' then
    raise invalid_parameter_value using
      message = 'an execution that is still running is begun by the server',
      hint = 'Record it when it has ended: status completed, failed or cancelled.';
  end if;
  insert into public.agent_runs as r (id, session_id, profile_id, agent_name, status, created_at, completed_at,
    latency_ms, model, input, output, error, input_tokens, output_tokens, cost_usd, metadata)
  values (coalesce(new.id, gen_random_uuid()), new.session_id, new.user_id, new.agent_name, new.status,
    coalesce(new.started_at, now()), coalesce(new.completed_at, now()), new.duration_ms, new.model, new.input,
    new.output, new.error, coalesce(new.input_tokens, 0), coalesce(new.output_tokens, 0), new.cost_usd,
    coalesce(new.metadata, '{}'))
  returning r.id into made;
  select * into new from public.agent_executions e where e.id = made;
  return new;
end
$$;
create trigger agent_executions_insert instead of insert on public.agent_executions
  for each row execute function stead.insert_execution();

create view public.unified_sessions with (security_invoker = true) as
  select id, session_id, profile_id as user_id, agent_name,
    case status when 'in_progress' then 'active' else status end as status,
    context, tags, created_at as started_at, ended_at, updated_at
  from public.sessions;
comment on view public.unified_sessions is '002: sessions in the words of that document (active for in_progress)';

create function stead.write_unified_session() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  made uuid;
begin
  if tg_op = 'INSERT' then
    insert into public.sessions as s (id, session_id, profile_id, agent_name, status, context, tags, created_at,
      ended_at)
    values (coalesce(new.id, gen_random_uuid()), new.session_id, new.user_id, new.agent_name,
      coalesce(new.status, 'active'), coalesce(new.context, '{}'), coalesce(new.tags, '{}'),
      coalesce(new.started_at, now()), new.ended_at)
    returning s.id into made;
  else
    -- What the statement leaves alone is left to whoever else writes it; a session that was ended meanwhile is
    -- not the one that the statement looked for.
    update public.sessions s set
      session_id = new.session_id, profile_id = new.user_id, agent_name = new.agent_name, status = new.status,
      context = case when new.context is distinct from old.context then new.context else s.context end,
      tags = case when new.tags is distinct from old.tags then new.tags else s.tags end,
      created_at = new.started_at, ended_at = new.ended_at
    where s.id = old.id
      and s.status = case old.status when 'active' then 'in_progress' else old.status end
    returning s.id into made;
    if made is null then
      return null;
    end if;
  end if;
  select * into new from public.unified_sessions u where u.id = made;
  return new;
end
$$;
create trigger unified_sessions_write instead of insert or update on public.unified_sessions
  for each row execute function stead.write_unified_session();

create view public.recent_agent_activity with (security_invoker = true) as
  select id, tenant_id, session_id, profile_id as user_id, agent_name, status, created_at as started_at,
    completed_at, latency_ms as duration_ms, model, error
  from public.agent_runs
  where created_at > now() - interval '7 days';
comment on view public.recent_agent_activity is '002: agent runs of the last seven days';

create view public.memory_operation_summary with (security_invoker = true) as
  select tenant_id, agent_name, operation as operation_type, (created_at at time zone 'UTC')::date as operation_date,
    count(*) as operation_count, avg((details ->> 'latency_ms')::double precision) as average_latency_ms,
    max(created_at) as last_operation_at
  from public.memory_logs
  group by 1, 2, 3, 4;
comment on view public.memory_operation_summary is '002: memory operations by agent, type and day (UTC)';

create view public.user_session_stats with (security_invoker = true) as
  select s.tenant_id, s.profile_id as user_id, count(*) as total_sessions,
    count(*) filter (where s.status = 'in_progress') as active_sessions,
    count(*) filter (where s.status = 'completed') as completed_sessions,
    count(*) filter (where s.status = 'failed') as failed_sessions,
    count(*) filter (where s.status = 'timeout') as timeout_sessions,
    count(*) filter (where s.status = 'abandoned') as abandoned_sessions,
    avg(extract(epoch from s.ended_at - s.created_at))::double precision as average_duration_s,
    min(s.created_at) as first_session_at, max(s.last_active_at) as last_active_at
  from public.sessions s
  where s.profile_id is not null
  group by s.tenant_id, s.profile_id;
comment on view public.user_session_stats is '002: sessions of each person';

-- 002: the session that this person has open with this agent, the latest first. An agent is named when the session
-- is opened, or has answered in it.
create function public.get_active_session(user_id uuid, agent_name text) returns uuid
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select s.id from public.sessions s
  where s.profile_id = get_active_session.user_id and s.status = 'in_progress'
    and (s.agent_name = get_active_session.agent_name or exists (
      select from public.agent_runs r where r.tenant_id = s.tenant_id and r.session_id = s.id
        and r.agent_name = get_active_session.agent_name))
  order by s.last_active_at desc limit 1
$$;

-- 002: ends an open session. False: there is none of this id that is the caller's and open.
create function public.close_session(session_id uuid, status text default 'completed') returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if coalesce(close_session.status, '') not in ('completed', 'failed', 'timeout', 'abandoned') then
    raise invalid_parameter_value using
      message = format('a session is not closed as %L', close_session.status),
      hint = 'completed, failed, timeout or abandoned';
  end if;
  update public.sessions s set status = close_session.status
  where s.id = close_session.session_id and s.status = 'in_progress';
  return found;
end
$$;

-- Ends sessions that nobody has used for so long, of all tenants or of one, some at a time. Per tenant it is one
-- range of sessions_status_idx: an index over all tenants would be written with every message.
create function stead.reap_sessions(idle_s double precision, batch integer, only_tenant uuid)
returns table (tenant_slug text, sessions bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  picked uuid[];
  paused constant uuid[] := stead.tenants_pausing('session-reaping');
begin
  select array_agg(i.id) into picked from (
    select s.id from public.tenants t
    cross join lateral (
      select x.id from public.sessions x
      where x.tenant_id = t.id and x.status = 'in_progress'
        and x.last_active_at < now() - make_interval(secs => idle_s)
        and not exists (select from public.agent_runs r where r.session_id = x.id and r.status = 'running')
      order by x.last_active_at limit batch
      for update of x skip locked
    ) s
    where t.id = only_tenant or (only_tenant is null and t.id <> all (paused))
    limit batch
  ) i;
  -- Looked at again with a new snapshot: a run may have begun before the lock was had, and none can begin after.
  return query
    with ended as (
      update public.sessions x set status = 'timeout', ended_at = now()
      where x.id = any (picked)
        and not exists (select from public.agent_runs r where r.session_id = x.id and r.status = 'running')
      returning x.tenant_id
    )
    select t.slug, count(*) from ended e join public.tenants t on t.id = e.tenant_id group by t.slug;
end
$$;

create function stead.count_idle_sessions(idle_s double precision, only_tenant uuid)
returns table (tenant_slug text, sessions bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.slug, count(*) from public.tenants t
  join public.sessions x on x.tenant_id = t.id and x.status = 'in_progress'
    and x.last_active_at < now() - make_interval(secs => idle_s)
  where (only_tenant is null or t.id = only_tenant)
    and not exists (select from public.agent_runs r where r.session_id = x.id and r.status = 'running')
  group by t.slug
$$;

alter table public.goal_assessments enable row level security;
alter table public.goal_assessments force row level security;
alter table public.goal_progress enable row level security;
alter table public.goal_progress force row level security;
alter table public.belief_graphs enable row level security;
alter table public.belief_graphs force row level security;
alter table public.belief_edges enable row level security;
alter table public.belief_edges force row level security;
alter table public.belief_updates enable row level security;
alter table public.belief_updates force row level security;
alter table public.cognitive_metrics enable row level security;
alter table public.cognitive_metrics force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.goal_assessments, public.goal_progress, public.belief_graphs, public.belief_edges,
  public.belief_updates, public.cognitive_metrics, public.agent_executions, public.unified_sessions,
  public.recent_agent_activity, public.memory_operation_summary, public.user_session_stats
  from anon, authenticated;
grant select on public.goal_assessments, public.goal_progress, public.belief_graphs, public.belief_edges,
  public.belief_updates, public.cognitive_metrics, public.agent_executions, public.unified_sessions,
  public.recent_agent_activity, public.memory_operation_summary, public.user_session_stats
  to anon, authenticated, stead_service, service_role;
grant insert, update, delete on public.goal_assessments, public.belief_graphs, public.belief_edges to stead_service;
-- History is added to.
grant insert on public.goal_progress, public.belief_updates, public.cognitive_metrics to stead_service;
grant update (retracted_at) on public.belief_updates to stead_service;
grant update (profile_id) on public.cognitive_metrics to stead_service;
grant insert, update, delete on public.goal_assessments, public.goal_progress, public.belief_graphs,
  public.belief_edges, public.belief_updates, public.cognitive_metrics to service_role;
grant select, insert, update, delete on public.goal_assessments, public.goal_progress, public.belief_graphs,
  public.belief_edges, public.belief_updates, public.cognitive_metrics to stead_definer;
grant insert on public.agent_executions to stead_service, service_role;
grant insert, update, delete on public.unified_sessions to stead_service, service_role;

create policy tenant_isolation on public.goal_assessments to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.goal_assessments to service_role using (true) with check (true);
create policy stead_definer_access on public.goal_assessments to stead_definer using (true) with check (true);

create policy tenant_isolation on public.belief_graphs to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.belief_graphs to service_role using (true) with check (true);
create policy stead_definer_access on public.belief_graphs to stead_definer using (true) with check (true);

create policy tenant_isolation on public.cognitive_metrics to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.cognitive_metrics to service_role using (true) with check (true);
create policy stead_definer_access on public.cognitive_metrics to stead_definer using (true) with check (true);

-- What hangs on a goal or a belief has its scope by foreign key: the session's until a person is known.
create policy tenant_isolation on public.goal_progress to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.goal_progress to service_role using (true) with check (true);
create policy stead_definer_access on public.goal_progress to stead_definer using (true) with check (true);

create policy tenant_isolation on public.belief_edges to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.belief_edges to service_role using (true) with check (true);
create policy stead_definer_access on public.belief_edges to stead_definer using (true) with check (true);

create policy tenant_isolation on public.belief_updates to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.belief_updates to service_role using (true) with check (true);
create policy stead_definer_access on public.belief_updates to stead_definer using (true) with check (true);

alter function stead.vector_of(text, uuid, uuid) owner to stead_definer;
alter function stead.name_owning_agent() owner to stead_definer;
alter function stead.reap_sessions(double precision, integer, uuid) owner to stead_definer;
alter function stead.count_idle_sessions(double precision, uuid) owner to stead_definer;

-- Older Supabase projects grant every new function of public to anon and authenticated by default.
revoke execute on function public.goal_vector(public.goal_assessments),
  public.belief_vector(public.belief_graphs), public.get_active_session(uuid, text),
  public.close_session(uuid, text), public.calculate_execution_duration()
  from public, anon, authenticated;
revoke execute on function stead.text_digest(text), stead.accept_active(), stead.name_owning_agent(),
  stead.weight_of_evidence(text, double precision, double precision),
  stead.belief_confidence(double precision, bigint), stead.vector_of(text, uuid, uuid),
  stead.insert_execution(), stead.write_unified_session(),
  stead.reap_sessions(double precision, integer, uuid), stead.count_idle_sessions(double precision, uuid)
  from public;
grant execute on function stead.text_digest(text),
  stead.weight_of_evidence(text, double precision, double precision),
  stead.belief_confidence(double precision, bigint) to stead_service, service_role, stead_definer;
grant execute on function stead.vector_of(text, uuid, uuid), public.goal_vector(public.goal_assessments),
  public.belief_vector(public.belief_graphs), public.get_active_session(uuid, text)
  to anon, authenticated, stead_service, service_role;
grant execute on function public.close_session(uuid, text) to stead_service, service_role;
grant execute on function stead.reap_sessions(double precision, integer, uuid),
  stead.count_idle_sessions(double precision, uuid) to stead_service;
