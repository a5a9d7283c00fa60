-- Runs that wait for what they proposed: for an approval, for their time, for a slow tool. One row holds all that any
-- process needs to go on with the run.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table stead.waiting_runs (
  tenant_id uuid not null,
  run_id uuid not null,
  session_id uuid not null,
  -- The engine's own text; it holds what was said.
  state text not null check (octet_length(state) <= 16777216),
  sdk_version text not null check (length(sdk_version) between 1 and 100),
  -- The calls that it waits for: [{call_id, name, input, envelope_id, approval_id}].
  calls jsonb not null check (jsonb_typeof(calls) = 'array'),
  envelope_ids uuid[] not null check (cardinality(envelope_ids) > 0),
  -- The run that goes on with it. While that one runs, this is nobody else's.
  resumed_run_id uuid,
  tries smallint not null default 0,
  -- When it is looked at next; an envelope that ends makes it now.
  look_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  primary key (tenant_id, run_id),
  foreign key (tenant_id, run_id) references public.agent_runs (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index waiting_runs_look_idx on stead.waiting_runs (look_at);
create index waiting_runs_session_idx on stead.waiting_runs (tenant_id, session_id);
create index waiting_runs_resumed_idx on stead.waiting_runs (tenant_id, resumed_run_id) where resumed_run_id is not null;
comment on column stead.waiting_runs.state is 'erased with its session, its person and its run';

-- Tells the run whose envelope it is, wherever it is carried out, and whoever goes on with runs that wait.
create function stead.tell_run_of_envelope() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('stead', jsonb_build_array('envelope:' || new.id)::text);
  update stead.waiting_runs w set look_at = now()
  where w.tenant_id = new.tenant_id and w.envelope_ids @> array[new.id]
    and w.session_id = new.session_id;
  if found then
    perform pg_notify('stead', '["waiting"]');
  end if;
  return null;
end
$$;
-- Other envelopes pay nothing for it, and those of runs only where somebody can be waiting.
create trigger outbox_tells_run after update of status on public.outbox
  for each row when (new.run_id is not null and new.status <> old.status
    and new.status not in ('pending', 'executing', 'retry_wait'))
  execute function stead.tell_run_of_envelope();

-- Runs that wait, whose envelopes have all ended and whose session is free; and those whose message was taken out of
-- its session, which nobody waits for any more. Each is looked at again after a while, the
-- later the longer it has waited: whoever takes one and dies has lost nothing.
create function stead.claim_waiting_runs(batch integer)
returns table (run_id uuid, tenant_id uuid, tenant_slug text, session_id uuid, profile_id uuid, input jsonb,
  envelope_ids uuid[], unwanted boolean)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select w.tenant_id, w.run_id, not exists (
        select from public.outbox o
        where o.tenant_id = w.tenant_id and o.id = any (w.envelope_ids)
          and o.status not in ('denied', 'rejected', 'expired', 'superseded', 'cancelled', 'succeeded', 'failed', 'dead')
      ) as ended
    from stead.waiting_runs w
    where w.look_at <= now()
    order by w.look_at limit batch
    for update of w skip locked
  ),
  looked as (
    update stead.waiting_runs w
    set look_at = now() + case when d.ended then interval '1 second'
      else least(interval '10 minutes', interval '10 seconds' + (now() - w.created_at) / 10) end
    from due d where w.tenant_id = d.tenant_id and w.run_id = d.run_id
    returning w.tenant_id, w.run_id, w.session_id, w.envelope_ids, d.ended
  )
  select l.run_id, l.tenant_id, t.slug, l.session_id, r.profile_id, r.input, l.envelope_ids, m.id is null
  from looked l
  join public.tenants t on t.id = l.tenant_id
  join public.agent_runs r on r.tenant_id = l.tenant_id and r.id = l.run_id
  left join public.messages m on m.tenant_id = l.tenant_id and m.id = r.message_id
  where m.id is null or (l.ended and not exists (
    select from public.agent_runs a where a.session_id = l.session_id and a.status = 'running'))
$$;

-- What was to be forgotten is not gone on with.
create or replace function stead.end_runs(tenant uuid, person uuid, sessions uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with under_way as (
    select r.id from public.agent_runs r
    where r.tenant_id = tenant and (r.profile_id = person or r.session_id = any (sessions)) and r.status = 'running'
    for update
  ),
  waiting as (
    delete from stead.waiting_runs w using public.agent_runs r
    where r.tenant_id = tenant and (r.profile_id = person or r.session_id = any (sessions))
      and w.tenant_id = r.tenant_id and w.run_id = r.id
  )
  update public.agent_runs r
  set status = 'failed', completed_at = now(), finish_reason = 'error',
    error = '{"code": "run_interrupted", "message": "What it was about is forgotten"}'
  from under_way u where r.id = u.id
$$;

alter table stead.waiting_runs enable row level security;
alter table stead.waiting_runs force row level security;
grant select, insert, update, delete on stead.waiting_runs to stead_service, stead_definer;
-- Visible with its run: the policy on agent_runs decides.
create policy tenant_isolation on stead.waiting_runs to stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.agent_runs r where r.id = run_id and r.tenant_id = waiting_runs.tenant_id))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.agent_runs r where r.id = run_id and r.tenant_id = waiting_runs.tenant_id));
create policy stead_definer_access on stead.waiting_runs to stead_definer using (true) with check (true);

alter function stead.tell_run_of_envelope() owner to stead_definer;
alter function stead.claim_waiting_runs(integer) owner to stead_definer;
revoke execute on function stead.tell_run_of_envelope(), stead.claim_waiting_runs(integer) from public;
grant execute on function stead.claim_waiting_runs(integer) to stead_service;
