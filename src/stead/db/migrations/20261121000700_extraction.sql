-- Runs whose conversation waits to be read by a model for what is worth remembering.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table stead.extraction_backlog (
  run_id uuid primary key,
  tenant_id uuid not null,
  claimed_until timestamptz,
  attempts smallint not null default 0,
  created_at timestamptz not null default now(),
  foreign key (tenant_id, run_id) references public.agent_runs (tenant_id, id) on delete cascade
);
create index extraction_backlog_due_idx on stead.extraction_backlog (claimed_until nulls first, created_at);
create index extraction_backlog_run_idx on stead.extraction_backlog (tenant_id, run_id);
alter table stead.extraction_backlog enable row level security;
alter table stead.extraction_backlog force row level security;
grant insert on stead.extraction_backlog to stead_service;
grant select, insert, update, delete on stead.extraction_backlog to stead_definer;
-- For a run that the caller sees.
create policy tenant_isolation on stead.extraction_backlog for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.agent_runs r where r.id = run_id and r.tenant_id = extraction_backlog.tenant_id));
create policy stead_definer_access on stead.extraction_backlog to stead_definer using (true) with check (true);

-- What was tried too often is given up: its conversation was read by the rules already.
create function stead.claim_extraction(lease_s double precision, tries integer)
returns table (run_id uuid, tenant_id uuid, tenant_slug text, attempt integer, ticket timestamptz)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select b.run_id from stead.extraction_backlog b
    where b.claimed_until is null or b.claimed_until < now()
    order by b.claimed_until nulls first, b.created_at limit 1
    for update skip locked
  ),
  given_up as (
    delete from stead.extraction_backlog b using due d where b.run_id = d.run_id and b.attempts >= tries
  ),
  taken as (
    update stead.extraction_backlog b
    set claimed_until = clock_timestamp() + make_interval(secs => lease_s * (1 + b.attempts)), attempts = b.attempts + 1
    from due d where b.run_id = d.run_id and b.attempts < tries
    returning b.run_id, b.tenant_id, b.attempts, b.claimed_until
  )
  select t.run_id, t.tenant_id, n.slug, t.attempts, t.claimed_until
  from taken t join public.tenants n on n.id = t.tenant_id
$$;

-- Completes a claim, once: false when it is somebody else's by now.
create function stead.finish_extraction(run uuid, ticket timestamptz) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with done as (
    delete from stead.extraction_backlog b where b.run_id = run and b.claimed_until = ticket returning 1
  )
  select exists (select from done)
$$;

alter function stead.claim_extraction(double precision, integer) owner to stead_definer;
alter function stead.finish_extraction(uuid, timestamptz) owner to stead_definer;
revoke execute on function stead.claim_extraction(double precision, integer),
  stead.finish_extraction(uuid, timestamptz) from public;
grant execute on function stead.claim_extraction(double precision, integer),
  stead.finish_extraction(uuid, timestamptz) to stead_service;
