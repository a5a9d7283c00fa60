-- The outbox (001): actions that were accepted, their attempts, and those that were given up.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- What an approval binds: exactly what will run. Of values in the canonical form of the audit log (length, colon,
-- value), so that no two can pass for one another; jsonb is written in one way only.
create function stead.action_digest(
  tenant uuid, envelope uuid, version integer, tool text, tool_version text, tool_digest text, account text,
  arguments jsonb
) returns bytea
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(concat_ws(',', 'stead.action.1', tenant, envelope, version,
    octet_length(tool) || ':' || tool, octet_length(tool_version) || ':' || tool_version,
    octet_length(tool_digest) || ':' || tool_digest, coalesce(octet_length(account) || ':' || account, '-'),
    arguments::text), 'UTF8'))
$$;

create table public.outbox (
  -- Sorts by time: it stands for an index on created_at.
  id uuid primary key default stead.new_id(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  tool_slug text not null check (length(tool_slug) between 1 and 200),
  tool_version text not null check (length(tool_version) between 1 and 100),
  -- Of the catalogue's entry when it was proposed: if that changes, it does not run.
  tool_digest text not null check (length(tool_digest) <= 128),
  provider text not null check (length(provider) between 1 and 50),
  arguments jsonb not null default '{}' check (jsonb_typeof(arguments) = 'object'),
  connected_account_id text check (length(connected_account_id) between 1 and 255),
  risk text not null check (risk in ('low', 'medium', 'high', 'critical')),
  external_id text check (length(external_id) between 1 and 255),
  trust_context jsonb not null default '{}' check (jsonb_typeof(trust_context) = 'object'),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  status text not null default 'proposed' check (status in ('proposed', 'denied', 'deferred', 'awaiting_approval',
    'pending', 'rejected', 'expired', 'superseded', 'cancelled', 'executing', 'succeeded', 'failed', 'retry_wait',
    'outcome_unknown', 'dead')),
  attempts integer not null default 0 check (attempts >= 0),
  next_run_at timestamptz not null default now(),
  last_error text check (length(last_error) <= 2000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  error_code text check (length(error_code) <= 100),
  -- Whether its time has come. Set apart, so that the index of what can be claimed holds nothing else.
  ready boolean not null default true,
  -- Whether it waits for another one with its lock key.
  blocked boolean not null default false,
  -- Of those with one lock key one runs at a time: of an order that was asked for, or else of an account.
  order_key text check (length(order_key) between 1 and 255),
  lock_key text,
  -- Edits count up: what was approved before one is not approved after it.
  version integer not null default 1,
  -- Both by triggers, whoever writes: as generated columns they would be computed anew at every step of every envelope.
  digest bytea not null check (length(digest) = 32),
  -- Whether the provider promises that two calls with one key have one effect.
  idempotent boolean not null default false,
  attempt_limit smallint not null default 5 check (attempt_limit between 1 and 100),
  lease_no integer not null default 0,
  worker_id uuid,
  rescues smallint not null default 0,
  redrives smallint not null default 0,
  -- Who proposed it, for the two-person rule: the person, or the person for whom an agent did.
  proposed_by text not null check (length(proposed_by) between 1 and 300),
  proposer_id uuid,
  by_agent boolean not null default false,
  run_id uuid,
  session_id uuid,
  evidence uuid[] not null default '{}',
  expires_at timestamptz,
  finished_at timestamptz,
  unique (tenant_id, id),
  -- What somebody had done goes with them: its arguments may say anything of them. The audit log keeps that it was.
  foreign key (tenant_id, proposer_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
alter table public.outbox set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
comment on column public.outbox.external_id is 'the caller''s idempotency key: one envelope a tenant and key';
comment on column public.outbox.lease_no is 'counts claims: whoever writes with an older one writes nothing';
-- 001 has it over external_id alone: then one tenant would learn of another's keys.
create unique index outbox_external_id_uidx on public.outbox (tenant_id, external_id) where external_id is not null;
-- 001's, for what is not over yet: each change of status would make an entry in one over all, and of what is over
-- there is ever more.
create index outbox_tenant_status_idx on public.outbox (tenant_id, status, id)
  where status in ('proposed', 'deferred', 'awaiting_approval', 'retry_wait', 'outcome_unknown', 'dead');
-- What can be claimed, in the order in which it is: tenant by tenant (a loose scan finds the next in one descent).
create index outbox_ready_idx on public.outbox (tenant_id, next_run_at, id) where status = 'pending' and ready;
create index outbox_due_idx on public.outbox (next_run_at)
  where (status = 'pending' and not ready and not blocked) or status in ('retry_wait', 'deferred');
create index outbox_suspect_idx on public.outbox (next_run_at)
  where rescues > 1 and status in ('executing', 'pending', 'retry_wait');
create index outbox_executing_idx on public.outbox (tenant_id, worker_id) where status = 'executing';
-- Of one key one runs: two workers that disagree are stopped here.
create unique index outbox_lock_uidx on public.outbox (tenant_id, lock_key)
  where status = 'executing' and lock_key is not null;
create index outbox_line_idx on public.outbox (tenant_id, lock_key, id)
  where lock_key is not null and status not in ('denied', 'rejected', 'expired', 'superseded', 'cancelled',
    'succeeded', 'failed', 'dead');
create index outbox_expiry_idx on public.outbox (expires_at)
  where expires_at is not null and status in ('awaiting_approval', 'deferred', 'pending', 'retry_wait');
create index outbox_proposer_idx on public.outbox (tenant_id, proposer_id, id) where proposer_id is not null;
create index outbox_run_idx on public.outbox (tenant_id, run_id) where run_id is not null;
create index outbox_session_idx on public.outbox (tenant_id, session_id) where session_id is not null;

-- One row for each call that may have been made: written before it is.
create table public.outbox_attempts (
  tenant_id uuid not null,
  envelope_id uuid not null,
  lease_no integer not null,
  attempt integer not null,
  worker_id uuid not null,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  outcome text check (outcome in ('succeeded', 'retryable', 'permanent', 'unknown', 'released')),
  result jsonb,
  error text check (length(error) <= 2000),
  error_code text check (length(error_code) <= 100),
  provider_id text check (length(provider_id) <= 255),
  duration_ms integer,
  primary key (tenant_id, envelope_id, lease_no),
  foreign key (tenant_id, envelope_id) references public.outbox (tenant_id, id) on delete cascade
);
alter table public.outbox_attempts set (fillfactor = 70);

create table public.outbox_dlq (
  id uuid primary key,
  tenant_id uuid not null,
  tool_slug text not null,
  arguments jsonb not null,
  connected_account_id text,
  risk text not null,
  external_id text,
  trust_context jsonb not null,
  metadata jsonb not null,
  status text not null,
  attempts integer not null,
  last_error text,
  created_at timestamptz not null,
  moved_at timestamptz not null default now(),
  unique (tenant_id, id),
  foreign key (tenant_id, id) references public.outbox (tenant_id, id) on delete cascade
);
create index outbox_dlq_tenant_idx on public.outbox_dlq (tenant_id, moved_at desc);

-- Envelopes that ended with something to remember, for whoever makes it searchable: an entry each, taken away in the
-- transaction that does. Without foreign keys: an entry of what is gone is taken away like any other.
create table stead.outcomes_to_index (
  tenant_id uuid not null,
  envelope_id uuid not null,
  primary key (tenant_id, envelope_id)
);

-- Providers and accounts that failed too often in a row, and are left alone for a while.
create table stead.breakers (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  target text not null check (length(target) between 1 and 512),
  failures integer not null default 0,
  open_until timestamptz,
  -- Who tries whether it works again; until when it has the right to.
  probing_until timestamptz,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, target)
);

-- The life of an envelope (DESIGN 6).
create function stead.envelope_moves() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if new.tenant_id <> old.tenant_id or new.id <> old.id then
    raise check_violation using message = 'an envelope keeps its tenant and its id';
  end if;
  if new.version < old.version then
    raise check_violation using message = 'the version of an envelope only counts up';
  end if;
  new.digest := stead.action_digest(new.tenant_id, new.id, new.version, new.tool_slug, new.tool_version,
    new.tool_digest, new.connected_account_id, new.arguments);
  new.lock_key := coalesce('order:' || new.order_key, 'account:' || new.connected_account_id);
  -- Who proposed it is who may not approve it. A person who is erased is nobody's proposer any more.
  if (new.proposed_by, new.by_agent) is distinct from (old.proposed_by, old.by_agent)
    or (new.proposer_id is distinct from old.proposer_id and (new.proposer_id is not null or exists (
      select from public.profiles p where p.tenant_id = old.tenant_id and p.id = old.proposer_id))) then
    raise check_violation using message = 'an envelope keeps its proposer';
  end if;
  if new.risk <> old.risk and new.version = old.version then
    raise check_violation using message = 'the risk of an envelope changes only with its version';
  end if;
  if (new.arguments, new.tool_slug, new.tool_version, new.tool_digest, new.connected_account_id, new.version)
      is distinct from (old.arguments, old.tool_slug, old.tool_version, old.tool_digest, old.connected_account_id,
        old.version)
    and (new.version = old.version
      or new.status not in ('proposed', 'denied', 'deferred', 'awaiting_approval', 'pending')) then
    raise check_violation using message = 'what an envelope does changes only with its version, before it runs';
  end if;
  if new.status <> old.status and not (case old.status
    when 'proposed' then new.status in ('denied', 'deferred', 'awaiting_approval', 'pending')
    when 'deferred' then new.status in ('denied', 'awaiting_approval', 'pending', 'expired', 'superseded', 'cancelled')
    when 'awaiting_approval' then new.status in ('pending', 'deferred', 'denied', 'rejected', 'expired', 'superseded',
      'cancelled')
    when 'pending' then new.status in ('executing', 'denied', 'deferred', 'awaiting_approval', 'expired', 'superseded',
      'cancelled')
    when 'executing' then new.status in ('succeeded', 'failed', 'retry_wait', 'outcome_unknown', 'pending')
    when 'retry_wait' then new.status in ('pending', 'dead', 'expired', 'cancelled')
    -- By a person, who looked what had happened.
    when 'outcome_unknown' then new.status in ('succeeded', 'retry_wait', 'dead')
    -- By hand: judged anew.
    when 'dead' then new.status in ('pending', 'deferred', 'awaiting_approval', 'denied')
    else false
  end) then
    raise check_violation using message = format('an envelope does not go from %s to %s', old.status, new.status);
  end if;
  if old.status = 'awaiting_approval' and new.status in ('pending', 'deferred') and new.version = old.version
    and not exists (
      select from public.approvals a
      where a.tenant_id = new.tenant_id and a.envelope_id = new.id and a.digest = new.digest and a.status = 'approved'
    ) then
    raise check_violation using message = 'nobody approved exactly this';
  end if;
  if new.status = 'executing' and new.worker_id is null then
    raise check_violation using message = 'an envelope is carried out by a worker';
  end if;
  if new.status <> 'executing' then
    new.worker_id := null;
  end if;
  if new.status <> 'pending' then
    new.blocked := false;
  end if;
  new.finished_at := case when new.status in ('denied', 'rejected', 'expired', 'superseded', 'cancelled', 'succeeded',
    'failed', 'dead') then coalesce(old.finished_at, now()) end;
  new.updated_at := now();
  return new;
end
$$;
-- Not called where nothing is left to do: of the two steps that every envelope takes the condition is false, which
-- costs a tenth of the call.
create trigger envelope_moves before update on public.outbox
  for each row when (not (
    old.tenant_id = new.tenant_id and old.id = new.id and old.version = new.version and old.arguments = new.arguments
    and old.tool_slug = new.tool_slug and old.tool_version = new.tool_version and old.tool_digest = new.tool_digest
    and old.connected_account_id is not distinct from new.connected_account_id and old.digest = new.digest
    and old.lock_key is not distinct from new.lock_key and old.order_key is not distinct from new.order_key
    and old.proposer_id is not distinct from new.proposer_id and old.proposed_by = new.proposed_by
    and old.by_agent = new.by_agent and old.risk = new.risk and (
    (old.status = 'pending' and new.status = 'executing' and new.worker_id is not null and not new.blocked
      and new.finished_at is null and new.updated_at = now())
    or (old.status = 'executing' and new.status = 'succeeded' and new.worker_id is null
      and new.finished_at = now() and new.updated_at = now()))))
  execute function stead.envelope_moves();

create function stead.envelope_begins() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if new.status not in ('proposed', 'denied', 'deferred', 'awaiting_approval', 'pending') then
    raise check_violation using message = format('an envelope does not begin as %s', new.status);
  end if;
  new.digest := stead.action_digest(new.tenant_id, new.id, new.version, new.tool_slug, new.tool_version,
    new.tool_digest, new.connected_account_id, new.arguments);
  new.lock_key := coalesce('order:' || new.order_key, 'account:' || new.connected_account_id);
  return new;
end
$$;
create trigger envelope_begins before insert on public.outbox
  for each row execute function stead.envelope_begins();

create function stead.wake_outbox() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('stead', '["outbox"]');
  return null;
end
$$;
create trigger outbox_wake after insert on public.outbox
  for each statement execute function stead.wake_outbox();

-- Tenants that have something to claim, at most so many, beginning after one.
create function stead.tenants_with_envelopes(after_tenant uuid, most integer) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
declare
  found_tenant uuid := after_tenant;
  tenants uuid[] := '{}';
begin
  while cardinality(tenants) < most loop
    select x.tenant_id into found_tenant from public.outbox x
    where x.status = 'pending' and x.ready and x.tenant_id > found_tenant
    order by x.tenant_id limit 1;
    exit when not found;
    tenants := tenants || found_tenant;
  end loop;
  return tenants;
end
$$;

-- Makes claimable what has come due; what was deferred is judged anew when it is claimed. At each claim: it is one
-- look at the beginning of an index.
--
-- Of what was lost twice with its process one is let through at a time: one of them ends processes, and the others
-- were only there.
create function stead.ready_envelopes() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  suspect uuid;
begin
  if not exists (select from public.outbox x where x.rescues > 1 and x.status in ('executing', 'pending', 'retry_wait')
      and (x.status = 'executing' or (x.status = 'pending' and x.ready))) then
    select x.id into suspect from public.outbox x
    where x.rescues > 1 and x.status in ('executing', 'pending', 'retry_wait') and x.status = 'retry_wait'
      and x.next_run_at <= now()
    order by x.next_run_at, x.id limit 1;
  end if;
  update public.outbox o set ready = true, status = 'pending'
  from (
    select x.id from public.outbox x
    where ((x.status = 'pending' and not x.ready and not x.blocked) or x.status in ('retry_wait', 'deferred'))
      and x.next_run_at <= now() and (x.rescues < 2 or x.status <> 'retry_wait' or x.id = suspect)
    order by x.next_run_at limit 500 for no key update skip locked
  ) d
  where o.id = d.id;
end
$$;

-- Envelopes for a worker, locked until the transaction ends: of every tenant its share, and of one tenant never more
-- than `most_of_one` with those that this worker is at. Nothing is changed but what has to wait for another with
-- its lock key, or for a breaker. What this worker cannot carry out is left to others: of `providers` it has these,
-- and of functions (the provider `local`) those of `functions`; null: all.
create function stead.lock_envelopes(
  wanted integer, most_of_one integer, busy uuid[], busy_counts integer[], after_tenant uuid, providers text[],
  functions text[]
)
returns table (id uuid, tenant_id uuid, tenant_slug text, tool_slug text, tool_version text, tool_digest text,
  provider text, arguments jsonb, connected_account_id text, risk text, attempts integer, attempt_limit smallint,
  idempotent boolean, lease_no integer, trust_context jsonb, proposed_by text, evidence_count integer, expired boolean,
  last_tenant uuid)
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
  picked uuid[];
  keyed uuid[];
  held uuid[];
  free uuid[] := '{}';
  e record;
begin
  perform stead.refuse_tenants();
  perform stead.ready_envelopes();
  tenants := stead.tenants_with_envelopes(coalesce(after_tenant, nobody), most_tenants);
  if after_tenant is not null and cardinality(tenants) < most_tenants then
    tenants := tenants || array(
      select t from unnest(stead.tenants_with_envelopes(nobody, most_tenants - cardinality(tenants))) t
      where t <= after_tenant);
  end if;
  if cardinality(tenants) = 0 then
    return;
  end if;
  select array_agg(s.tenant order by s.n), array_agg(s.share order by s.n) into tenants, shares
  from (
    select c.tenant, c.n, least(greatest(1, wanted / cardinality(tenants)), most_of_one - coalesce(b.count, 0)) as share
    from unnest(tenants) with ordinality as c (tenant, n)
    left join unnest(busy, busy_counts) as b (tenant, count) on b.tenant = c.tenant
  ) s where s.share > 0;
  if tenants is null then
    return;
  end if;
  select array_agg(p.id), array_agg(p.id) filter (where p.lock_key is not null) into picked, keyed
  from (
    select j.id, j.lock_key
    from unnest(tenants, shares) as s (tenant, share)
    cross join lateral (
      select x.id, x.lock_key from public.outbox x
      where x.tenant_id = s.tenant and x.status = 'pending' and x.ready
        and (providers is null or x.provider = any (providers))
        and (functions is null or x.provider <> 'local' or x.tool_slug = any (functions))
      order by x.next_run_at, x.id
      limit s.share
      for no key update skip locked
    ) j
    limit wanted
  ) p;
  if picked is null then
    return;
  end if;
  if keyed is not null then
    -- Under a lock of the key, so that who ends sees who waits, and who waits sees who ends. Not waited for: who has
    -- it is at it.
    for e in
      select o.id, o.tenant_id, o.lock_key, o.order_key from public.outbox o
      where o.id = any (keyed) order by o.tenant_id, o.lock_key, o.id
    loop
      if not pg_try_advisory_xact_lock(hashtextextended('outbox/' || e.tenant_id || '/' || e.lock_key, 0)) then
        picked := array_remove(picked, e.id);
      elsif exists (
          select from public.outbox x where x.tenant_id = e.tenant_id and x.lock_key = e.lock_key and x.id <> e.id
            and (x.status = 'executing' or x.id = any (free)))
        or (e.order_key is not null and exists (
          select from public.outbox x where x.tenant_id = e.tenant_id and x.lock_key = e.lock_key and x.id < e.id
            and x.status not in ('denied', 'rejected', 'expired', 'superseded', 'cancelled', 'succeeded', 'failed',
              'dead'))) then
        picked := array_remove(picked, e.id);
        held := held || e.id;
      else
        free := free || e.id;
      end if;
    end loop;
    if held is not null then
      update public.outbox o set ready = false, blocked = true where o.id = any (held);
    end if;
  end if;
  if exists (select from stead.breakers b where b.open_until is not null) then
    picked := stead.pass_breakers(picked);
  end if;
  return query
    select o.id, o.tenant_id, t.slug, o.tool_slug, o.tool_version, o.tool_digest, o.provider, o.arguments,
      o.connected_account_id, o.risk, o.attempts, o.attempt_limit, o.idempotent, o.lease_no, o.trust_context,
      o.proposed_by, cardinality(o.evidence), coalesce(o.expires_at <= now(), false), tenants[cardinality(tenants)]
    from unnest(picked) as p (id)
    join public.outbox o on o.id = p.id
    join public.tenants t on t.id = o.tenant_id;
end
$$;

-- What a breaker stands for: the account, or where there is none the tool.
create function stead.breaker_target(provider text, account text, tool text) returns text
language sql immutable parallel safe
return provider || '/' || coalesce('account:' || account, 'tool:' || tool);

-- Of these envelopes those that no open breaker holds up; the others wait until it may be tried again. When that has
-- come, one may try, and the others wait for what it finds.
create function stead.pass_breakers(candidates uuid[]) returns uuid[]
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  passed uuid[] := '{}';
  e record;
  waits_until timestamptz;
begin
  for e in
    select o.id, o.tenant_id, b.target
    from public.outbox o
    left join stead.breakers b on b.tenant_id = o.tenant_id and b.open_until is not null
      and b.target = stead.breaker_target(o.provider, o.connected_account_id, o.tool_slug)
    where o.id = any (candidates)
    order by b.tenant_id, b.target, o.next_run_at, o.id
  loop
    if e.target is null then
      passed := passed || e.id;
      continue;
    end if;
    update stead.breakers b set probing_until = now() + interval '60 seconds'
    where b.tenant_id = e.tenant_id and b.target = e.target and b.open_until <= now()
      and (b.probing_until is null or b.probing_until <= now());
    if found then
      passed := passed || e.id;
    else
      select greatest(b.open_until, b.probing_until, now() + interval '1 second') into waits_until
      from stead.breakers b where b.tenant_id = e.tenant_id and b.target = e.target;
      update public.outbox o set ready = false, next_run_at = coalesce(waits_until, now()), error_code = 'breaker_open'
      where o.id = e.id;
    end if;
  end loop;
  return passed;
end
$$;

-- Begins attempts: their rows are there before anything is sent.
create function stead.begin_envelopes(worker uuid, ids uuid[])
returns table (id uuid, lease_no integer, attempts integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
begin
  perform stead.refuse_tenants();
  return query
    with begun as (
      update public.outbox o
      set status = 'executing', worker_id = worker, lease_no = o.lease_no + 1, attempts = o.attempts + 1,
        blocked = false, updated_at = now()
      from unnest(ids) as u (id) where o.id = u.id and o.status = 'pending'
      returning o.tenant_id, o.id, o.lease_no, o.attempts
    ),
    noted as (
      insert into public.outbox_attempts (tenant_id, envelope_id, lease_no, attempt, worker_id)
      select b.tenant_id, b.id, b.lease_no, b.attempts, worker from begun b
    )
    select b.id, b.lease_no, b.attempts from begun b;
end
$$;

-- Keeps envelopes from running: what their judgement at claim came to.
create function stead.hold_envelopes(
  ids uuid[], statuses text[], untils timestamptz[], reasons text[], codes text[]
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.refuse_tenants();
  update public.outbox o
  set status = u.status, ready = u.status <> 'deferred',
    next_run_at = coalesce(u.until, case u.status when 'deferred' then now() + interval '1 minute' else o.next_run_at end),
    last_error = u.reason, error_code = u.code
  from unnest(ids, statuses, untils, reasons, codes) as u (id, status, until, reason, code)
  where o.id = u.id and o.status = 'pending';
  perform stead.unblock_envelopes(ids);
end
$$;

-- Lets those run that waited for one of these.
create function stead.unblock_envelopes(ended uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  k record;
  woken boolean := false;
begin
  -- In one order, so that two that end many do not wait for each other.
  for k in
    select distinct o.tenant_id, o.lock_key from public.outbox o
    where o.id = any (ended) and o.lock_key is not null order by 1, 2
  loop
    perform stead.refuse_others(array[k.tenant_id]);
    perform pg_advisory_xact_lock(hashtextextended('outbox/' || k.tenant_id || '/' || k.lock_key, 0));
    update public.outbox o set ready = true, blocked = false
    where o.id = (
      select x.id from public.outbox x
      where x.tenant_id = k.tenant_id and x.lock_key = k.lock_key and x.status = 'pending' and x.blocked
      -- Whoever holds it may be waiting for this very key.
      order by x.id limit 1 for no key update skip locked);
    woken := woken or found;
  end loop;
  if woken then
    perform pg_notify('stead', '["outbox"]');
  end if;
end
$$;

-- Ends attempts, many at once, of whoever still holds them; and writes what the audit log says of them. Answers with
-- those that were accepted.
--
-- outcomes: succeeded, failed (permanent), retry (after delay_s), unknown, dead.
create function stead.settle_envelopes(
  worker uuid, ids uuid[], leases integer[], outcomes text[], results text[], errors text[], codes text[],
  delays double precision[], provider_ids text[], durations integer[]
)
returns table (id uuid, status text, breakers boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
  done uuid[];
  states text[];
  keyed uuid[];
  dead uuid[];
  suspected boolean;
begin
  perform stead.refuse_tenants();
  with given as (
    select u.*, case u.outcome when 'succeeded' then 'succeeded' when 'failed' then 'failed' when 'retry' then 'retry_wait'
      when 'dead' then 'retry_wait' else 'outcome_unknown' end as status
    from unnest(ids, leases, outcomes, results, errors, codes, delays, provider_ids, durations)
      as u (id, lease_no, outcome, result, error, code, delay_s, provider_id, duration_ms)
  ),
  ended as (
    update public.outbox o
    set status = g.status, worker_id = null, updated_at = now(), ready = g.outcome not in ('retry', 'dead'),
      finished_at = case when g.status in ('succeeded', 'failed') then now() end,
      next_run_at = case when g.outcome = 'retry' then now() + make_interval(secs => g.delay_s) else o.next_run_at end,
      last_error = case when g.outcome = 'succeeded' then null else g.error end,
      error_code = case when g.outcome = 'succeeded' then null else g.code end
    from given g
    where o.id = g.id and o.lease_no = g.lease_no and o.worker_id = worker
    returning o.tenant_id, o.id, o.status, o.lock_key, g.lease_no, g.outcome, g.result, g.error, g.code,
      g.provider_id, g.duration_ms, o.attempts, o.tool_slug, o.proposer_id, o.rescues
  ),
  attempted as (
    update public.outbox_attempts a
    set ended_at = now(), result = e.result::jsonb, error = e.error, error_code = e.code, provider_id = e.provider_id,
      duration_ms = e.duration_ms,
      outcome = case e.outcome when 'failed' then 'permanent' when 'retry' then 'retryable' when 'dead' then 'retryable'
        else e.outcome end
    from ended e
    where a.tenant_id = e.tenant_id and a.envelope_id = e.id and a.lease_no = e.lease_no
  ),
  noted as (
    insert into stead.outcomes_to_index (tenant_id, envelope_id)
    select e.tenant_id, e.id from ended e where e.result is not null or e.outcome in ('failed', 'unknown', 'dead')
    on conflict do nothing
  ),
  audited as (
    insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id,
      subject_profile_id, payload)
    select e.tenant_id, 'service', 'outbox', 'outbox',
      case e.outcome when 'dead' then 'dead' else e.status end, 'envelope', e.id,
      e.proposer_id, jsonb_build_object('tool', e.tool_slug, 'attempt', e.attempts, 'code', e.code)
    from ended e
  )
  select array_agg(e.id), array_agg(e.status), array_agg(e.id) filter (where e.lock_key is not null),
    array_agg(e.id) filter (where e.outcome = 'dead'), bool_or(e.rescues > 1)
  into done, states, keyed, dead, suspected from ended e;
  if done is null then
    return;
  end if;
  if dead is not null then
    perform stead.bury_envelopes(dead);
  end if;
  if keyed is not null then
    perform stead.unblock_envelopes(keyed);
  end if;
  if suspected then
    -- The next one is let through.
    perform pg_notify('stead', '["outbox"]');
  end if;
  return query select u.id, u.status, exists (select from stead.breakers) from unnest(done, states) as u (id, status);
end
$$;

-- Gives envelopes up: they are in the dead letters from then on.
create function stead.bury_envelopes(ids uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with buried as (
    update public.outbox o set status = 'dead', ready = true where o.id = any (ids)
      and o.status in ('retry_wait', 'outcome_unknown')
    returning o.*
  )
  insert into public.outbox_dlq (id, tenant_id, tool_slug, arguments, connected_account_id, risk, external_id,
    trust_context, metadata, status, attempts, last_error, created_at)
  select b.id, b.tenant_id, b.tool_slug, b.arguments, b.connected_account_id, b.risk, b.external_id, b.trust_context,
    b.metadata, b.status, b.attempts, b.last_error, b.created_at
  from buried b
  on conflict (id) do nothing
$$;

-- Gives back what a living process holds and does not know of: its claim was committed, and the answer lost. It
-- has sent nothing of it.
create function stead.hand_back_envelopes(worker uuid, known uuid[], older_s double precision) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  back uuid[];
begin
  perform stead.refuse_tenants();
  with mine as (
    select o.id, o.lease_no from public.outbox o
    where o.status = 'executing' and o.worker_id = worker and o.id <> all (known)
      and o.updated_at < now() - make_interval(secs => older_s)
    for no key update skip locked
  ),
  released as (
    update public.outbox o set status = 'pending', ready = true, lease_no = o.lease_no + 1, attempts = o.attempts - 1
    from mine m where o.id = m.id
    returning o.id, o.tenant_id, m.lease_no
  ),
  attempted as (
    update public.outbox_attempts a set ended_at = now(), outcome = 'released'
    from released r where a.tenant_id = r.tenant_id and a.envelope_id = r.id and a.lease_no = r.lease_no
  )
  select array_agg(r.id) into back from released r;
  if back is null then
    return 0;
  end if;
  perform stead.unblock_envelopes(back);
  perform pg_notify('stead', '["outbox"]');
  return cardinality(back);
end
$$;

-- Counts failures of what a breaker stands for, and opens it: for `open_s`, twice as long each time after. What works
-- again is forgotten, and those go on that it held up.
create function stead.count_failures(
  envelopes uuid[], failed boolean[], most_failures integer, open_s double precision,
  longest_s double precision
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  opened bigint;
  free bigint;
begin
  perform stead.refuse_tenants();
  with given as (
    select o.tenant_id as tenant, stead.breaker_target(o.provider, o.connected_account_id, o.tool_slug) as target,
      count(*) filter (where u.failed)::integer as failures, bool_or(not u.failed) as worked
    from unnest(envelopes, failed) as u (id, failed) join public.outbox o on o.id = u.id
    group by 1, 2 order by 1, 2
  ),
  worked as (
    delete from stead.breakers b using given g
    where g.worked and b.tenant_id = g.tenant and b.target = g.target
    returning b.tenant_id, b.target, b.open_until
  ),
  freed as (
    update public.outbox o set next_run_at = now(), ready = true
    from worked w
    where w.open_until is not null and o.tenant_id = w.tenant_id and o.status = 'pending' and not o.ready
      and not o.blocked and o.error_code = 'breaker_open'
      and stead.breaker_target(o.provider, o.connected_account_id, o.tool_slug) = w.target
    returning 1
  ),
  counted as (
    insert into stead.breakers as b (tenant_id, target, failures, open_until)
    select g.tenant, g.target, g.failures,
      case when g.failures >= most_failures then now() + make_interval(secs => open_s) end
    from given g where not g.worked
    on conflict (tenant_id, target) do update set failures = b.failures + excluded.failures, updated_at = now(),
      probing_until = null,
      open_until = case when b.failures + excluded.failures >= most_failures then now() + make_interval(secs =>
        least(longest_s, open_s * 2 ^ least(20, (b.failures + excluded.failures - most_failures) / most_failures))) end
    returning b.open_until
  )
  select (select count(*) from counted c where c.open_until is not null), (select count(*) from freed)
  into opened, free;
  if free > 0 then
    perform pg_notify('stead', '["outbox"]');
  end if;
  return opened;
end
$$;

-- Takes envelopes from processes that have been silent for so long. What they may have sent is not sent again, but
-- where the provider promises that it does not matter; and not without end.
create function stead.rescue_envelopes(silent_s double precision, most_rescues integer, batch integer)
returns table (id uuid, tenant_id uuid, status text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  done uuid[];
  dead uuid[];
begin
  perform stead.refuse_tenants();
  with lost as (
    select o.id, o.lease_no from public.outbox o
    left join stead.processes p on p.id = o.worker_id
    where o.status = 'executing'
      and coalesce(p.heartbeat_at < now() - make_interval(secs => silent_s), true)
    order by o.id limit batch
    for no key update of o skip locked
  ),
  taken as (
    update public.outbox o
    set status = case when o.idempotent then 'retry_wait' else 'outcome_unknown' end,
      ready = false, rescues = o.rescues + 1, lease_no = o.lease_no + 1, worker_id = null,
      last_error = 'the process that carried it out stopped', error_code = 'worker_lost',
      next_run_at = now() + make_interval(secs => o.rescues * 5)
    from lost l where o.id = l.id
    returning o.*, l.lease_no as lost_lease
  ),
  attempted as (
    update public.outbox_attempts a set ended_at = now(), outcome = 'unknown', error_code = 'worker_lost'
    from taken t where a.tenant_id = t.tenant_id and a.envelope_id = t.id and a.lease_no = t.lost_lease
  ),
  noted as (
    insert into stead.outcomes_to_index (tenant_id, envelope_id)
    select t.tenant_id, t.id from taken t on conflict do nothing
  ),
  audited as (
    insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id,
      subject_profile_id, payload)
    select t.tenant_id, 'service', 'outbox', 'outbox', case when t.idempotent and (t.rescues >= most_rescues
        or t.attempts >= t.attempt_limit) then 'dead' else t.status end, 'envelope', t.id, t.proposer_id,
      jsonb_build_object('tool', t.tool_slug, 'attempt', t.attempts, 'code', 'worker_lost', 'rescues', t.rescues)
    from taken t
  )
  select array_agg(t.id), array_agg(t.id) filter (where t.idempotent and (t.rescues >= most_rescues
    or t.attempts >= t.attempt_limit))
  into done, dead from taken t;
  if done is null then
    return;
  end if;
  if dead is not null then
    perform stead.bury_envelopes(dead);
  end if;
  perform stead.unblock_envelopes(done);
  perform pg_notify('stead', '["outbox"]');
  return query select o.id, o.tenant_id, o.status from public.outbox o where o.id = any (done);
end
$$;

-- What has waited too long ends: approvals that nobody gave, and envelopes past their time. And those are freed that
-- wait for nobody any more.
create function stead.expire_envelopes(batch integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  past uuid[];
  freed bigint;
begin
  perform stead.refuse_tenants();
  with late as (
    select o.id from public.outbox o
    where o.expires_at <= now() and o.status in ('awaiting_approval', 'deferred', 'pending', 'retry_wait')
    order by o.expires_at limit batch for no key update skip locked
  ),
  ended as (
    update public.outbox o set status = 'expired', ready = true, error_code = 'envelope_expired'
    from late l where o.id = l.id
    returning o.id, o.tenant_id, o.tool_slug, o.proposer_id
  ),
  audited as (
    insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id,
      subject_profile_id, payload)
    select e.tenant_id, 'service', 'outbox', 'outbox', 'expired', 'envelope', e.id, e.proposer_id,
      jsonb_build_object('tool', e.tool_slug)
    from ended e
  )
  select array_agg(e.id) into past from ended e;
  if past is not null then
    update public.approvals a set status = 'expired', decided_at = now()
    where a.envelope_id = any (past) and a.status = 'pending';
    perform stead.unblock_envelopes(past);
  end if;
  update public.outbox o set ready = true, blocked = false
  from (
    select x.id from public.outbox x
    -- Said so, it is in the index of those that stand in line.
    where x.status = 'pending' and x.blocked and x.lock_key is not null and not exists (
      select from public.outbox h where h.tenant_id = x.tenant_id and h.lock_key = x.lock_key and h.id <> x.id
        and (h.status = 'executing' or (x.order_key is not null and h.id < x.id and h.status in ('proposed', 'deferred',
          'awaiting_approval', 'pending', 'retry_wait', 'outcome_unknown')) or (h.status = 'pending' and not h.blocked)))
    limit batch for no key update skip locked
  ) f where o.id = f.id;
  get diagnostics freed = row_count;
  if freed > 0 then
    perform pg_notify('stead', '["outbox"]');
  end if;
  return coalesce(cardinality(past), 0) + freed;
end
$$;

-- When the next envelope comes due that has not yet; null: none.
create function stead.next_envelope_in_s() returns double precision
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  select extract(epoch from o.next_run_at - now())::double precision from public.outbox o
  where ((o.status = 'pending' and not o.ready and not o.blocked) or o.status in ('retry_wait', 'deferred'))
    -- Nobody waits for the end of another one by looking again and again.
    and (o.rescues < 2 or o.next_run_at > now())
  order by o.next_run_at limit 1
$$;

-- Depth of the queue and of the dead letters, over all tenants or of one: for metrics and for whoever is on call.
create function stead.outbox_depths(only_tenant uuid)
returns table (tenant_id uuid, tenant_slug text, status text, count bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_others(array[only_tenant]);
  select o.tenant_id, t.slug, o.status, count(*) from (
    select x.tenant_id, x.status from public.outbox x where x.status in ('proposed', 'deferred', 'awaiting_approval',
      'retry_wait', 'outcome_unknown') and (only_tenant is null or x.tenant_id = only_tenant)
    union all
    -- Each part has an index.
    select x.tenant_id, 'pending' from public.outbox x where x.status = 'pending' and x.ready
      and (only_tenant is null or x.tenant_id = only_tenant)
    union all
    select x.tenant_id, 'pending' from public.outbox x where x.status = 'pending' and not x.ready and not x.blocked
      and (only_tenant is null or x.tenant_id = only_tenant)
    union all
    select x.tenant_id, 'pending' from public.outbox x where x.status = 'pending' and not x.ready and x.blocked
      and x.lock_key is not null and (only_tenant is null or x.tenant_id = only_tenant)
    union all
    select x.tenant_id, 'executing' from public.outbox x where x.status = 'executing'
      and (only_tenant is null or x.tenant_id = only_tenant)
    union all
    select d.tenant_id, 'dlq' from public.outbox_dlq d where only_tenant is null or d.tenant_id = only_tenant
  ) o join public.tenants t on t.id = o.tenant_id
  group by 1, 2, 3
$$;

-- Deletes envelopes that ended so long ago, some at a time; dead letters stay until somebody deals with them.
create function stead.sweep_envelopes(keep_s double precision, batch integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  with old as (
    select o.id from public.outbox o
    where o.id < stead.id_at(now() - make_interval(secs => keep_s))
      and o.finished_at < now() - make_interval(secs => keep_s) and o.status <> 'dead'
    order by o.id limit batch
    for update skip locked
  ),
  gone as (delete from public.outbox o using old where o.id = old.id returning 1)
  select count(*) from gone
$$;

do $$
declare
  t text;
begin
  foreach t in array array['public.outbox', 'public.outbox_attempts', 'public.outbox_dlq', 'stead.breakers',
    'stead.outcomes_to_index']
  loop
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('grant select, insert, update, delete on %s to stead_definer', t);
    execute format('create policy stead_definer_access on %s to stead_definer using (true) with check (true)', t);
  end loop;
end
$$;
grant insert (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id, subject_profile_id, request_id,
  payload) on public.audit_log to stead_definer;
-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.outbox, public.outbox_attempts, public.outbox_dlq from anon, authenticated;
grant select on public.outbox, public.outbox_attempts, public.outbox_dlq to authenticated;
grant select, insert, update, delete on public.outbox, public.outbox_attempts, public.outbox_dlq
  to stead_service, service_role;
grant select on stead.breakers to stead_service;

-- People see what they proposed, or an agent for them; the rest is for those who approve, and for the tenant's service.
create policy tenant_isolation on public.outbox for select to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (proposer_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));
create policy tenant_insert on public.outbox for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (proposer_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));
create policy tenant_update on public.outbox for update to stead_service
  using (tenant_id = (select stead.tenant_id()) and (proposer_id = (select stead.profile_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (proposer_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));
create policy tenant_delete on public.outbox for delete to stead_service
  using (tenant_id = (select stead.tenant_id()) and (proposer_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.outbox to service_role using (true) with check (true);
-- Visible with their envelope: its policies decide.
create policy tenant_isolation on public.outbox_attempts to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.outbox o where o.tenant_id = outbox_attempts.tenant_id and o.id = envelope_id))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.outbox o where o.tenant_id = outbox_attempts.tenant_id and o.id = envelope_id));
create policy service_role_full_access on public.outbox_attempts to service_role using (true) with check (true);
create policy tenant_isolation on public.outbox_dlq to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.outbox o where o.tenant_id = outbox_dlq.tenant_id and o.id = outbox_dlq.id))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.outbox o where o.tenant_id = outbox_dlq.tenant_id and o.id = outbox_dlq.id));
create policy service_role_full_access on public.outbox_dlq to service_role using (true) with check (true);
create policy tenant_isolation on stead.breakers for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('tenants_with_envelopes', 'ready_envelopes', 'lock_envelopes', 'pass_breakers', 'begin_envelopes',
      'hold_envelopes', 'unblock_envelopes', 'hand_back_envelopes', 'settle_envelopes', 'bury_envelopes', 'count_failures', 'rescue_envelopes',
      'expire_envelopes', 'next_envelope_in_s', 'outbox_depths', 'sweep_envelopes')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
revoke execute on function stead.envelope_moves(), stead.envelope_begins(), stead.wake_outbox(),
  stead.breaker_target(text, text, text),
  stead.action_digest(uuid, uuid, integer, text, text, text, text, jsonb) from public, anon, authenticated;
grant execute on function stead.action_digest(uuid, uuid, integer, text, text, text, text, jsonb),
  stead.breaker_target(text, text, text) to stead_service, service_role, stead_definer;
grant execute on function stead.lock_envelopes(integer, integer, uuid[], integer[], uuid, text[], text[]),
  stead.begin_envelopes(uuid, uuid[]),
  stead.hold_envelopes(uuid[], text[], timestamptz[], text[], text[]), stead.unblock_envelopes(uuid[]),
  stead.settle_envelopes(uuid, uuid[], integer[], text[], text[], text[], text[], double precision[], text[], integer[]),
  stead.hand_back_envelopes(uuid, uuid[], double precision),
  stead.count_failures(uuid[], boolean[], integer, double precision, double precision),
  stead.rescue_envelopes(double precision, integer, integer), stead.expire_envelopes(integer),
  stead.next_envelope_in_s(), stead.outbox_depths(uuid),
  stead.sweep_envelopes(double precision, integer) to stead_service;
select stead.publish_changes('public.outbox');
