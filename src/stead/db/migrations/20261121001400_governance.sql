-- Governance (001): what a tenant allows, what was decided by it, what was begun and spent, and what trust was earned.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- One policy a tenant. 001's columns, and what they leave out in `settings`: src/stead/governance/document.py says what
-- that may hold. A policy that cannot be read denies everything.
create table public.guardrails (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id() references public.tenants (id) on delete cascade,
  quiet_hours jsonb check (jsonb_typeof(quiet_hours) = 'object'),
  trust_threshold numeric not null default 0.5 check (trust_threshold between 0 and 1),
  scopes jsonb not null default '["*"]' check (jsonb_typeof(scopes) = 'array'),
  require_evidence boolean not null default false,
  time_zone text not null default 'UTC' check (length(time_zone) between 1 and 100),
  settings jsonb not null default '{}'
    check (jsonb_typeof(settings) = 'object' and pg_column_size(settings) <= 262144),
  -- Kept by triggers: every change is a version, and no two contents ever have the same key.
  version int not null default 1,
  policy_key uuid not null default gen_random_uuid(),
  changed_by text not null default 'unknown' check (length(changed_by) between 1 and 255),
  reason text check (length(reason) between 1 and 1000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index guardrails_tenant_uidx on public.guardrails (tenant_id);
comment on column public.guardrails.require_evidence is 'from which tier up says settings.require_evidence_from; else from low';

create table public.objectives (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id() references public.tenants (id) on delete cascade,
  title text not null check (length(title) between 1 and 200),
  metric text check (length(metric) between 1 and 200),
  target text check (length(target) between 1 and 200),
  horizon text check (length(horizon) between 1 and 200),
  summary text check (length(summary) <= 10000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, id)
);
create index objectives_tenant_metric_idx on public.objectives (tenant_id, metric);
create trigger update_objectives_updated_at before update on public.objectives
  for each row execute function public.update_updated_at_column();

-- Every version that a policy ever was; nobody changes one.
create table stead.guardrail_versions (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  version int not null check (version > 0),
  policy jsonb not null check (jsonb_typeof(policy) = 'object'),
  changed_by text not null,
  reason text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, version)
);

-- What was decided, and from what. No reference to the envelope: what was decided outlives it.
create table stead.decisions (
  id uuid not null default stead.new_id(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  envelope_id uuid,
  stage text not null check (stage in ('proposal', 'claim', 'replay')),
  tool text not null check (length(tool) between 1 and 255),
  verdict text not null check (verdict in ('deny', 'needs_approval', 'defer', 'allow')),
  reasons jsonb not null check (jsonb_typeof(reasons) = 'array'),
  not_before timestamptz,
  quorum smallint not null check (quorum between 0 and 10),
  policy_version int not null,
  inputs_digest bytea not null check (length(inputs_digest) = 32),
  -- Arguments by their digest: what they say belongs to the envelope.
  inputs jsonb not null check (jsonb_typeof(inputs) = 'object'),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index decisions_created_idx on stead.decisions (tenant_id, created_at desc, id desc);
create index decisions_envelope_idx on stead.decisions (tenant_id, envelope_id) where envelope_id is not null;
-- For sweeping.
create index decisions_age_idx on stead.decisions using brin (created_at);

-- What was begun and spent, in buckets of ten seconds (rates) and of a quarter of an hour (days: every zone's
-- midnight begins one). Several shards, so that workers do not wait for each other's rows.
create table stead.action_counts (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  grain_s smallint not null check (grain_s in (10, 900)),
  bucket timestamptz not null,
  shard smallint not null check (shard between 0 and 7),
  actions bigint not null,
  amount numeric not null default 0,
  primary key (tenant_id, grain_s, bucket, shard)
) with (fillfactor = 70);
create index action_counts_bucket_idx on stead.action_counts using brin (bucket);

-- What people and outcomes said for and against a tool; older words count for less.
create table stead.tool_trust (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  tool text not null check (length(tool) between 1 and 255),
  successes double precision not null default 0 check (successes between 0 and 50),
  failures double precision not null default 0 check (failures between 0 and 50),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, tool)
);

create table stead.trust_events (
  id uuid not null default stead.new_id(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  tool text not null check (length(tool) between 1 and 255),
  outcome text not null check (outcome in ('approved', 'rejected', 'succeeded', 'failed', 'unknown')),
  envelope_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index trust_events_envelope_idx on stead.trust_events (tenant_id, envelope_id) where envelope_id is not null;
create index trust_events_age_idx on stead.trust_events using brin (created_at);

-- A policy as one document.
create function stead.policy_document(g public.guardrails) returns jsonb
language sql immutable parallel safe
return (g.settings - 'require_evidence_from') || jsonb_strip_nulls(jsonb_build_object(
  'time_zone', g.time_zone, 'quiet_hours', g.quiet_hours, 'trust_threshold', g.trust_threshold, 'scopes', g.scopes,
  'require_evidence', case when g.require_evidence
    then coalesce(g.settings -> 'require_evidence_from', 'true'::jsonb) else 'false'::jsonb end));

-- Versions are the database's to count, whoever writes.
create function stead.number_guardrails() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- Facts are counted by this zone's clock: one that the database does not know is refused here.
  perform now() at time zone new.time_zone;
  select coalesce(max(v.version), 0) + 1 into new.version from stead.guardrail_versions v
  where v.tenant_id = new.tenant_id;
  new.policy_key := gen_random_uuid();
  new.updated_at := clock_timestamp();
  return new;
end
$$;
create trigger guardrails_number before insert or update on public.guardrails
  for each row execute function stead.number_guardrails();

create function stead.keep_guardrails() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into stead.guardrail_versions (tenant_id, version, policy, changed_by, reason)
  values (new.tenant_id, new.version, stead.policy_document(new), new.changed_by, new.reason);
  return null;
end
$$;
create trigger guardrails_keep after insert or update on public.guardrails
  for each row execute function stead.keep_guardrails();

-- 001: every change of a policy is in the audit log. Stead's server writes what it does by itself; this is for those
-- who write past it.
create function stead.audit_guardrails() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'stead_service' then
    insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id, payload)
    values (coalesce(new.tenant_id, old.tenant_id), 'database', left(current_user, 255), 'auth_policy',
      case tg_op when 'DELETE' then 'guardrails_deleted' else 'guardrails_changed' end, 'guardrails',
      coalesce(new.id, old.id)::text, jsonb_build_object('version', coalesce(new.version, old.version)));
  end if;
  return null;
end
$$;
create trigger guardrails_audit after insert or update or delete on public.guardrails
  for each row execute function stead.audit_guardrails();

-- Refuses what is not the claims' own tenant; Stead in no tenant may ask for any.
create function stead.refuse_others(tenants uuid[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if stead.claims() ?| array['tenant_id', 'sub', 'stead_session', 'app_metadata', 'o', 'org_id']
    and exists (select from unnest(tenants) u (id) where u.id is distinct from stead.tenant_id()) then
    raise insufficient_privilege using message = 'another tenant than the caller''s';
  end if;
end
$$;

-- How far a tool is trusted that has this for and against it: the lower end (95%, one-sided, by the normal
-- approximation) of a Beta distribution that began as Beta(1, 1). src/stead/governance/trust.py computes the same.
create function stead.trust_bound(successes double precision, failures double precision) returns double precision
language sql immutable parallel safe
return greatest(0::double precision, (successes + 1) / (successes + failures + 2) - 1.645 * sqrt(
  (successes + 1) * (failures + 1) / ((successes + failures + 2) ^ 2 * (successes + failures + 3))));

-- What is left after so much time of what was said: half of it after thirty days.
create function stead.trust_left(since interval) returns double precision
language sql immutable parallel safe
return power(0.5::double precision, greatest(extract(epoch from since)::double precision, 0) / 2592000);

-- What the evaluator has to know, for many tools of many tenants in one statement. A policy comes along where its
-- key is not among those that the caller holds; version 0 is: none of its own. Rates and spending are counted where
-- the policy has such ceilings, or always. `holding` lets nobody else begin actions of tenants with ceilings until
-- the transaction ends: what is counted here stays true.
create function stead.governance_facts(
  tenants uuid[], tools text[], held uuid[], holding boolean, counting boolean
)
returns table (tenant_id uuid, tool text, version integer, policy_key uuid, policy jsonb, trust double precision,
  actions_last_minute bigint, actions_last_hour bigint, spent_today numeric, asked_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  asked timestamptz;
begin
  perform stead.refuse_others(tenants);
  if holding then
    -- In one order, and before any row of the counters: nobody waits in a circle.
    perform pg_advisory_xact_lock(hashtextextended('stead.ceilings ' || h.id::text, 0))
    from (
      select g.tenant_id as id from public.guardrails g
      where g.tenant_id = any (tenants) and coalesce(g.settings -> 'ceilings', '{}') <> '{}'
      order by g.tenant_id offset 0
    ) h;
  end if;
  asked := clock_timestamp();
  return query
  with per_tenant as materialized (
    select d.id, coalesce(g.version, 0) as version, g.policy_key,
      case when not g.policy_key = any (held) then stead.policy_document(g) end as policy,
      r.in_minute, r.in_hour, s.spent
    from (select distinct u.id from unnest(tenants) u (id)) d
    left join public.guardrails g on g.tenant_id = d.id
    left join lateral (
      -- Whole buckets: up to ten seconds more than a minute and an hour, never less.
      select coalesce(sum(c.actions) filter (where c.bucket > asked - interval '70 seconds'), 0)::bigint as in_minute,
        coalesce(sum(c.actions), 0)::bigint as in_hour
      from stead.action_counts c
      where c.tenant_id = d.id and c.grain_s = 10 and c.bucket > asked - interval '3610 seconds'
    ) r on counting or g.settings -> 'ceilings' ?| array['per_minute', 'per_hour']
    left join lateral (
      select coalesce(sum(c.amount), 0) as spent
      from stead.action_counts c
      where c.tenant_id = d.id and c.grain_s = 900 and c.bucket >= date_trunc('day',
        asked at time zone coalesce(g.time_zone, 'UTC')) at time zone coalesce(g.time_zone, 'UTC')
    ) s on counting or g.settings -> 'ceilings' ? 'per_day_amount'
  )
  select p.id, u.tool, p.version, p.policy_key, p.policy,
    stead.trust_bound(
      coalesce(t.successes * stead.trust_left(asked - t.updated_at), 0),
      coalesce(t.failures * stead.trust_left(asked - t.updated_at), 0)),
    p.in_minute, p.in_hour, p.spent, asked
  from unnest(tenants, tools) u (id, tool)
  join per_tenant p on p.id = u.id
  left join stead.tool_trust t on t.tenant_id = u.id and t.tool = u.tool;
end
$$;

-- Counts actions that are begun, one for each element, with what each spends.
create function stead.count_actions(tenants uuid[], amounts numeric[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  at double precision := extract(epoch from clock_timestamp());
begin
  perform stead.refuse_others(tenants);
  insert into stead.action_counts as c (tenant_id, grain_s, bucket, shard, actions, amount)
  select u.id, g.grain_s, to_timestamp(floor(at / g.grain_s) * g.grain_s), pg_backend_pid() % 8, count(*),
    coalesce(sum(greatest(u.amount, 0)), 0)
  from unnest(tenants, amounts) u (id, amount) cross join (values (10::smallint), (900::smallint)) g (grain_s)
  group by u.id, g.grain_s
  order by u.id, g.grain_s
  on conflict (tenant_id, grain_s, bucket, shard) do update
  set actions = c.actions + excluded.actions, amount = c.amount + excluded.amount;
end
$$;

create function stead.record_decisions(
  tenants uuid[], envelopes uuid[], stage text, tools text[], verdicts text[], reasons text[], not_befores timestamptz[],
  quorums integer[], versions integer[], digests bytea[], inputs text[]
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.refuse_others(tenants);
  insert into stead.decisions (tenant_id, envelope_id, stage, tool, verdict, reasons, not_before, quorum,
    policy_version, inputs_digest, inputs)
  select u.tenant, u.envelope, record_decisions.stage, u.tool, u.verdict, u.reasons::jsonb, u.not_before, u.quorum,
    u.version, u.digest, u.inputs::jsonb
  from unnest(tenants, envelopes, tools, verdicts, reasons, not_befores, quorums, versions, digests, inputs)
    u (tenant, envelope, tool, verdict, reasons, not_before, quorum, version, digest, inputs);
end
$$;

-- Notes what people and outcomes said of tools. `weights` are for (positive) and against (negative).
create function stead.learn_trust(
  tenants uuid[], tools text[], outcomes text[], envelopes uuid[], weights double precision[]
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.refuse_others(tenants);
  insert into stead.trust_events (tenant_id, tool, outcome, envelope_id)
  select u.tenant, u.tool, u.outcome, u.envelope
  from unnest(tenants, tools, outcomes, envelopes) u (tenant, tool, outcome, envelope);
  insert into stead.tool_trust as t (tenant_id, tool, successes, failures, updated_at)
  select u.tenant, u.tool, least(sum(greatest(u.weight, 0)), 50), least(sum(greatest(-u.weight, 0)), 50), now()
  from unnest(tenants, tools, weights) u (tenant, tool, weight)
  group by u.tenant, u.tool
  order by u.tenant, u.tool
  on conflict (tenant_id, tool) do update
  set successes = least(50, t.successes * stead.trust_left(now() - t.updated_at) + excluded.successes),
    failures = least(50, t.failures * stead.trust_left(now() - t.updated_at) + excluded.failures),
    updated_at = greatest(t.updated_at, now());
end
$$;

-- Deletes counters that no window reaches, and what was decided and learned more than four hundred days ago.
create function stead.sweep_governance(batch integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with counts as (
    delete from stead.action_counts c where c.ctid = any (array(
      select o.ctid from stead.action_counts o
      where (o.grain_s = 10 and o.bucket < now() - interval '2 hours') or o.bucket < now() - interval '3 days'
      limit batch for update skip locked))
    returning 1
  ), decided as (
    delete from stead.decisions d where d.ctid = any (array(
      select o.ctid from stead.decisions o where o.created_at < now() - interval '400 days'
      limit batch for update skip locked))
    returning 1
  ), learned as (
    delete from stead.trust_events e where e.ctid = any (array(
      select o.ctid from stead.trust_events o where o.created_at < now() - interval '400 days'
      limit batch for update skip locked))
    returning 1
  )
  select (select count(*) from counts) + (select count(*) from decided) + (select count(*) from learned)
$$;

alter table public.guardrails enable row level security;
alter table public.guardrails force row level security;
alter table public.objectives enable row level security;
alter table public.objectives force row level security;
alter table stead.guardrail_versions enable row level security;
alter table stead.guardrail_versions force row level security;
alter table stead.decisions enable row level security;
alter table stead.decisions force row level security;
alter table stead.action_counts enable row level security;
alter table stead.action_counts force row level security;
alter table stead.tool_trust enable row level security;
alter table stead.tool_trust force row level security;
alter table stead.trust_events enable row level security;
alter table stead.trust_events force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.guardrails, public.objectives from anon, authenticated;
grant select on public.guardrails, public.objectives to authenticated;
grant select, insert, update on public.guardrails to stead_service;
grant select, insert, update, delete on public.objectives to stead_service;
grant select, insert, update, delete on public.guardrails, public.objectives to service_role;
grant select on public.guardrails to stead_definer;
grant select, insert, update, delete on public.objectives to stead_definer;
grant select on stead.guardrail_versions, stead.decisions, stead.tool_trust, stead.trust_events to stead_service;
grant select, insert on stead.guardrail_versions to stead_definer;
grant select, insert, update, delete on stead.decisions, stead.action_counts, stead.tool_trust, stead.trust_events
  to stead_definer;

-- Everybody of a tenant may know what its agents may do, with their own role; its service says it.
create policy tenant_isolation on public.guardrails to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_read on public.guardrails for select to authenticated
  using (tenant_id = (select stead.tenant_id()));
create policy service_role_full_access on public.guardrails to service_role using (true) with check (true);
create policy stead_definer_access on public.guardrails to stead_definer using (true) with check (true);

create policy tenant_isolation on public.objectives to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_read on public.objectives for select to authenticated
  using (tenant_id = (select stead.tenant_id()));
create policy service_role_full_access on public.objectives to service_role using (true) with check (true);
create policy stead_definer_access on public.objectives to stead_definer using (true) with check (true);

create policy tenant_isolation on stead.guardrail_versions for select to stead_service
  using (tenant_id = (select stead.tenant_id()));
create policy stead_definer_access on stead.guardrail_versions to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.decisions for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.decisions to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.action_counts to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.tool_trust for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.tool_trust to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.trust_events for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.trust_events to stead_definer using (true) with check (true);

revoke execute on function stead.policy_document(public.guardrails), stead.audit_guardrails(),
  stead.refuse_others(uuid[]), stead.trust_bound(double precision, double precision), stead.trust_left(interval)
  from public;
grant execute on function stead.policy_document(public.guardrails) to authenticated, stead_service, stead_definer;
grant execute on function stead.trust_bound(double precision, double precision), stead.trust_left(interval)
  to stead_service, stead_definer;
grant execute on function stead.refuse_others(uuid[]) to stead_definer;
do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('governance_facts', 'count_actions', 'record_decisions', 'learn_trust', 'sweep_governance',
      'number_guardrails', 'keep_guardrails')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
    if f::text !~ 'number_guardrails|keep_guardrails' then
      execute format('grant execute on function %s to stead_service', f);
    end if;
  end loop;
end
$$;

-- 001: those who follow a policy are told when it changes.
select stead.publish_changes('public.guardrails');
select stead.publish_changes('public.objectives');
