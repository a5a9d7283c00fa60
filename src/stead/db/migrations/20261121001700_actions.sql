-- What joins outbox, governance and tools: the facts that a judgement at claim needs, approvals asked for again, and
-- webhooks that tell of it all.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- What else there is to know of envelopes that a worker has locked, of many tenants in one statement. Tools come along
-- where the caller does not hold them as they are: `known` has what it does, as in `tool_key`.
create function stead.envelope_facts(envelopes uuid[], known text[])
returns table (id uuid, tool_key text, tool_status text, tool_digest text, tool jsonb, account_status text,
  account_scopes text[], approval_id uuid, approval_quorum smallint)
language sql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set jit = off
as $$
  select o.id, c.key, c.status, c.digest,
    case when c.key is not null and not c.key = any (known) then jsonb_build_object(
      'slug', c.tool_slug, 'version', c.version, 'provider', c.provider, 'display_name', c.display_name,
      'description', c.description, 'schema', c.schema, 'risk', c.risk, 'required_scopes', c.required_scopes,
      'idempotent', c.idempotent, 'needs_account', c.needs_account, 'amount_argument', c.amount_argument,
      'timeout_s', c.timeout_s, 'config', c.config, 'toolkit', c.toolkit, 'digest', c.digest) end,
    a.status, a.scopes, p.id, p.quorum
  from unnest(envelopes) as u (id)
  join public.outbox o on o.id = u.id
  left join lateral (
    select x.*, x.id || '@' || extract(epoch from x.updated_at) as key from (
      (select * from public.tool_catalog s
       where s.tenant_id is null and s.tool_slug = o.tool_slug and s.version = o.tool_version limit 1)
      union all
      (select * from public.tool_catalog s
       where s.tenant_id = o.tenant_id and s.tool_slug = o.tool_slug and s.version = o.tool_version limit 1)
    ) x limit 1
  ) c on true
  left join public.connected_accounts a
    on a.tenant_id = o.tenant_id and a.external_id = o.connected_account_id
  -- Good until it expires, or for the attempts of what began before that.
  left join public.approvals p on p.tenant_id = o.tenant_id and p.envelope_id = o.id
    and p.envelope_version = o.version and p.digest = o.digest and p.status = 'approved'
    and (p.expires_at > now() or p.used_at is not null)
$$;

-- Asks for approvals of envelopes that are locked. One that was asked for before in this version is asked for as the
-- next: what was agreed to then no longer holds.
create function stead.ask_approvals(
  envelopes uuid[], quorums integer[], reasons text[], policy_versions integer[], not_befores timestamptz[],
  ttls double precision[]
) returns table (id uuid, envelope_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  update public.approvals a set status = 'superseded'
  from public.outbox o
  where o.id = any (envelopes) and a.tenant_id = o.tenant_id and a.envelope_id = o.id and a.status = 'pending';
  update public.outbox o set version = o.version + 1
  where o.id = any (envelopes) and exists (
    select from public.approvals a
    where a.tenant_id = o.tenant_id and a.envelope_id = o.id and a.envelope_version = o.version);
  return query
    insert into public.approvals (tenant_id, envelope_id, envelope_version, digest, risk, quorum, reasons,
      policy_version, proposer_id, by_agent, not_before, expires_at, escalate_at)
    select o.tenant_id, o.id, o.version, o.digest, o.risk, u.quorum, u.reasons::jsonb, u.policy_version, o.proposer_id,
      o.by_agent, u.not_before, now() + make_interval(secs => u.ttl_s), now() + make_interval(secs => u.ttl_s / 2)
    from unnest(envelopes, quorums, reasons, policy_versions, not_befores, ttls)
      as u (id, quorum, reasons, policy_version, not_before, ttl_s)
    join public.outbox o on o.id = u.id
    returning approvals.id, approvals.envelope_id;
end
$$;

-- How many of these pieces of evidence the caller's tenant has.
create function stead.count_evidence(ids uuid[]) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select count(*) from public.evidence_embeddings e where e.tenant_id = stead.tenant_id() and e.id = any (ids)
$$;

-- Where a tenant wants to be told (Standard Webhooks). The secret that signs is derived from the server's own and
-- `secret_no`, and stands nowhere.
create table stead.webhook_endpoints (
  id uuid primary key default stead.new_id(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  url text not null check (url ~ '^https?://' and length(url) <= 2000),
  events text[] not null check (cardinality(events) between 1 and 50),
  secret_no integer not null default 1,
  paused boolean not null default false,
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, url)
);

-- Puts what is to be told into the outbox, in the transaction of what it tells of. Ids and states only.
create function stead.tell_webhooks(tenant uuid, event text, about jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.outbox (tenant_id, tool_slug, tool_version, tool_digest, provider, arguments, risk, status,
    idempotent, attempt_limit, proposed_by)
  select tenant, 'stead.webhook', '1', 'stead', 'webhook', jsonb_build_object('endpoint_id', w.id, 'type', event,
    'timestamp', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'data', about), 'low', 'pending',
    true, 12, 'stead'
  from stead.webhook_endpoints w
  where w.tenant_id = tenant and not w.paused and (event = any (w.events) or '*' = any (w.events))
$$;

create function stead.tell_of_approval() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.tell_webhooks(new.tenant_id,
    case when tg_op = 'INSERT' then 'approval.requested'
      when new.status <> old.status then 'approval.' || new.status
      else 'approval.escalated' end,
    jsonb_build_object('approval_id', new.id, 'envelope_id', new.envelope_id, 'status', new.status, 'risk', new.risk,
      'quorum', new.quorum, 'digest', encode(new.digest, 'hex'), 'expires_at', new.expires_at));
  return null;
end
$$;
create trigger tell_of_approval_asked after insert on public.approvals
  for each row execute function stead.tell_of_approval();
create trigger tell_of_approval after update on public.approvals
  for each row when (new.status <> old.status or (new.escalated_at is not null and old.escalated_at is null))
  execute function stead.tell_of_approval();

create function stead.tell_of_envelope() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.tell_webhooks(new.tenant_id, 'envelope.' || new.status,
    jsonb_build_object('envelope_id', new.id, 'status', new.status, 'tool', new.tool_slug, 'code', new.error_code));
  return null;
end
$$;
create trigger tell_of_envelope after update on public.outbox
  for each row when (new.status <> old.status and new.status in ('outcome_unknown', 'dead') and new.provider <> 'webhook')
  execute function stead.tell_of_envelope();

-- Where webhooks of one tenant go, for the worker that sends them.
create function stead.webhook_endpoint(tenant uuid, endpoint uuid)
returns table (url text, secret_no integer, paused boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select w.url, w.secret_no, w.paused from stead.webhook_endpoints w where w.tenant_id = tenant and w.id = endpoint
$$;

-- Writes evidence of a batch of outcomes: the proposal with its fate, and what the tool answered.
create function stead.index_outcomes(batch integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with taken as (
    delete from stead.outcomes_to_index t
    using (select x.tenant_id, x.envelope_id from stead.outcomes_to_index x
      order by x.tenant_id, x.envelope_id limit batch for update skip locked) s
    where t.tenant_id = s.tenant_id and t.envelope_id = s.envelope_id
    returning t.tenant_id, t.envelope_id
  ),
  told as (
    select o.*, a.result, a.error as said, a.outcome
    from taken t
    join public.outbox o on o.tenant_id = t.tenant_id and o.id = t.envelope_id
    cross join lateral (
      select x.result, x.error, x.outcome from public.outbox_attempts x
      where x.tenant_id = o.tenant_id and x.envelope_id = o.id and x.outcome is not null
      order by x.lease_no desc limit 1) a
    where o.provider <> 'webhook'
  ),
  gone as (
    delete from public.evidence_embeddings e using told t
    where e.tenant_id = t.tenant_id and e.source_id = t.id and e.source_type in ('proposal', 'tool_output')
  ),
  written as (
    -- Whose it is decides who may be told of it.
    insert into public.evidence_embeddings (tenant_id, profile_id, source_type, source_id, content, metadata)
    select t.tenant_id, t.proposer_id, k.source_type, t.id, left(k.content, 20000),
      jsonb_build_object('tool', t.tool_slug, 'risk', t.risk, 'status', t.status, 'outcome', t.outcome)
    from told t
    cross join lateral (values
      ('proposal', format('%s (%s risk) with %s: %s%s', t.tool_slug, t.risk, t.arguments, t.status,
        coalesce('. ' || t.said, ''))),
      ('tool_output', case when t.result is not null then format('%s answered %s', t.tool_slug, t.result) end)
    ) as k (source_type, content)
    where k.content is not null
    returning 1
  )
  select count(*) from taken
$$;

-- Has a provider asked at once for the tools of the caller's tenant, whoever of it connected an account; and from then
-- on again and again.
create function stead.refresh_at_once(of_provider text, of_toolkit text, dispatched text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with noted as (
    insert into stead.catalog_refreshes as r (tenant_id, provider, toolkit, next_at)
    values (stead.tenant_id(), of_provider, of_toolkit, now() + interval '30 minutes' + random() * interval '30 minutes')
    on conflict (tenant_id, provider, toolkit) do update set next_at = excluded.next_at
    returning r.tenant_id, stead.new_id() as job
  )
  insert into public.agent_jobs (id, tenant_id, agent_type, input, queue, run_at, ready, max_attempts, dispatch,
    celery_task_id, dedupe_key)
  select n.job, n.tenant_id, 'refresh_catalogue', jsonb_build_object('provider', of_provider, 'toolkit', of_toolkit),
    'default', now(), true, 3, dispatched, case when dispatched = 'celery' then n.job::text end,
    of_provider || '/' || of_toolkit
  from noted n
  on conflict do nothing
$$;

-- Makes every refresh of the catalogue due.
create function stead.hasten_refreshes() returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$ update stead.catalog_refreshes set next_at = now() where next_at > now() $$;

do $$
declare
  t text;
begin
  foreach t in array array['stead.webhook_endpoints']
  loop
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('grant select, insert, update, delete on %s to stead_definer', t);
    execute format('create policy stead_definer_access on %s to stead_definer using (true) with check (true)', t);
  end loop;
end
$$;
grant select, insert, update, delete on stead.webhook_endpoints to stead_service;
create policy tenant_isolation on stead.webhook_endpoints to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
grant select on public.tool_catalog, public.connected_accounts to stead_definer;
grant select, insert, delete on public.evidence_embeddings to stead_definer;

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('envelope_facts', 'ask_approvals', 'count_evidence', 'tell_webhooks', 'tell_of_approval',
      'tell_of_envelope', 'webhook_endpoint', 'refresh_at_once', 'hasten_refreshes', 'index_outcomes')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
grant execute on function stead.envelope_facts(uuid[], text[]),
  stead.ask_approvals(uuid[], integer[], text[], integer[], timestamptz[], double precision[]),
  stead.count_evidence(uuid[]), stead.webhook_endpoint(uuid, uuid), stead.index_outcomes(integer),
  stead.refresh_at_once(text, text, text), stead.hasten_refreshes() to stead_service;
