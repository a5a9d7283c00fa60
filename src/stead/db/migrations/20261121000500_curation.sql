-- Curation: memories fade, what is of no use leaves the index, and near-duplicates become one. Scheduled work in
-- bounded rounds, by any number of workers, under each tenant's own policy.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Per tenant; a tenant without a row has the defaults of these columns. Durations in days; null: never.
create table public.memory_policies (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  -- A memory that was not given to a model for so long loses half of what raises it above the least importance.
  half_life_days real default 180 check (half_life_days > 0),
  -- A turn of little importance that is older than this, and was not given for so long, is archived.
  fresh_days real default 365 check (fresh_days > 0),
  -- A memory that was given so often and never used is archived.
  useless_after integer default 20 check (useless_after > 0),
  -- What is archived or superseded is deleted after so long.
  keep_archived_days real default null check (keep_archived_days >= 0),
  -- Every memory is deleted after so long, whatever it is worth.
  keep_days real default null check (keep_days > 0),
  consolidate boolean not null default true,
  updated_at timestamptz not null default now()
);
create trigger update_memory_policies_updated_at before update on public.memory_policies
  for each row execute function public.update_updated_at_column();

-- Scopes whose facts are to be compared with each other.
create table stead.consolidations (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  scope_id uuid not null,
  requested_at timestamptz not null default now(),
  claimed_until timestamptz,
  primary key (tenant_id, scope_id)
);
create index consolidations_due_idx on stead.consolidations (claimed_until nulls first, requested_at);

alter table public.memory_policies enable row level security;
alter table public.memory_policies force row level security;
alter table stead.consolidations enable row level security;
alter table stead.consolidations force row level security;
-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.memory_policies from anon, authenticated;
grant select, insert, update, delete on public.memory_policies to stead_service, service_role, stead_definer;
grant select, insert, update, delete on stead.consolidations to stead_definer;
create policy tenant_isolation on public.memory_policies to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.memory_policies to service_role using (true) with check (true);
create policy stead_definer_access on public.memory_policies to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.consolidations to stead_definer using (true) with check (true);

-- Every tenant's policy, with the defaults where there is no row.
create function stead.policies_of(tenants uuid[]) returns setof public.memory_policies
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(p.tenant_id, t.id), case when p.tenant_id is null then 180 else p.half_life_days end,
    case when p.tenant_id is null then 365 else p.fresh_days end,
    case when p.tenant_id is null then 20 else p.useless_after end,
    p.keep_archived_days, p.keep_days, coalesce(p.consolidate, true), coalesce(p.updated_at, now())
  from unnest(tenants) as t (id) left join public.memory_policies p on p.tenant_id = t.id
$$;

-- A new fact asks for its scope to be looked through.
create function stead.request_consolidation() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into stead.consolidations (tenant_id, scope_id)
  select distinct a.tenant_id, a.scope_id from added a where a.kind = 'fact'
  order by 1, 2
  on conflict do nothing;
  return null;
end
$$;
create trigger agent_memories_consolidation after insert on public.agent_memories
  referencing new table as added for each statement execute function stead.request_consolidation();

-- Lets the importance of memories fade that nobody was given for a day or more since they were last looked at.
-- Half of what it has above the least (0.1) goes in half_life_days; being given to a model refreshes. Archives what
-- is past freshness and of little importance (turns only: facts are superseded, not outlived), and what was given
-- often and never used. Returns how many were looked at.
create function stead.fade_memories(batch integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  looked integer;
  paused constant uuid[] := stead.tenants_pausing('memory-curation');
begin
  with due as (
    select m.id, m.tenant_id from public.agent_memories m
    where m.archived_at is null and m.curated_at < now() - interval '1 day'
    order by m.curated_at limit batch
    for update skip locked
  ),
  policies as materialized (
    select p.* from stead.policies_of(array(select distinct d.tenant_id from due d)) p
  ),
  faded as (
    update public.agent_memories m
    set curated_at = now(),
      -- Of a tenant that has paused it time just passes.
      importance = case
        when p.tenant_id = any (paused) or m.importance <= 0.1 or p.half_life_days is null
          or m.last_recalled_at > m.curated_at then m.importance
        else 0.1 + (m.importance - 0.1)
          * 0.5 ^ (extract(epoch from now() - m.curated_at)::real / 86400 / p.half_life_days)
      end,
      archived_at = case
        when p.tenant_id = any (paused) then null
        when m.kind = 'turn' and m.importance < 0.4
          and greatest(m.happened_at, m.created_at, m.last_recalled_at) < now() - make_interval(days => 1) * p.fresh_days
          then now()
        when m.recall_count >= p.useless_after and m.used_count = 0 then now()
      end
    from due d join policies p on p.tenant_id = d.tenant_id
    where m.id = d.id
    returning m.tenant_id, m.profile_id, m.session_id, m.id, m.archived_at
  ),
  logged as (
    insert into public.memory_logs (tenant_id, profile_id, session_id, operation, details)
    select f.tenant_id, f.profile_id, case when f.profile_id is null then f.session_id end, 'decay', jsonb_build_object(
      'looked_at', count(*),
      'archived', coalesce(jsonb_agg(f.id) filter (where f.archived_at is not null), '[]'))
    from faded f
    group by f.tenant_id, f.profile_id, case when f.profile_id is null then f.session_id end
    having count(*) filter (where f.archived_at is not null) > 0
  )
  select count(*) into looked from faded;
  return looked;
end
$$;

-- Deletes what a tenant's policy does not keep any longer. Returns how many went.
create function stead.expire_memories(batch integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone integer;
  paused constant uuid[] := stead.tenants_pausing('memory-curation');
begin
  with strict as (
    select p.* from public.memory_policies p
    where (p.keep_archived_days is not null or p.keep_days is not null) and p.tenant_id <> all (paused)
  ),
  old as (
    select x.id from strict p cross join lateral (
      (select m.id from public.agent_memories m
       where m.tenant_id = p.tenant_id and coalesce(m.archived_at, m.valid_to)
           < now() - make_interval(days => 1) * p.keep_archived_days
         and (m.archived_at is not null or m.valid_to is not null)
       order by coalesce(m.archived_at, m.valid_to) limit batch)
      union
      (select m.id from public.agent_memories m
       where m.tenant_id = p.tenant_id and m.created_at < now() - make_interval(days => 1) * p.keep_days
       order by m.created_at limit batch)
    ) x
    limit batch
  ),
  deleted as (delete from public.agent_memories m using old o where m.id = o.id returning 1)
  select count(*) into gone from deleted;
  return gone;
end
$$;

-- A scope whose facts are to be compared, claimed for a while; nothing when there is none.
create function stead.claim_consolidation(lease_s double precision)
returns table (tenant_id uuid, tenant_slug text, scope_id uuid, is_profile boolean, ticket timestamptz)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select c.tenant_id, c.scope_id from stead.consolidations c
    where (c.claimed_until is null or c.claimed_until < now()) and c.requested_at < now() - interval '1 minute'
      and coalesce((select p.consolidate from public.memory_policies p where p.tenant_id = c.tenant_id), true)
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

create function stead.finish_consolidation(tenant uuid, scope uuid, ticket timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  delete from stead.consolidations c
  where c.tenant_id = tenant and c.scope_id = scope and c.claimed_until = ticket
$$;

-- Pairs of live facts of a scope that are near in meaning, the nearest first: of the latest two thousand facts.
create function stead.near_pairs(scope uuid, model smallint, floor double precision, wanted integer)
returns table (one uuid, other uuid, similarity double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0 set jit = off
as $$
#variable_conflict use_column
declare
  tenant uuid := stead.tenant_id();
begin
  if tenant is null or not stead.may_search(scope) then
    raise insufficient_privilege using message = 'not the memories of this caller';
  end if;
  return query
  with facts as materialized (
    select d.place, d.owner_id, e.embedding
    from stead.search_docs d
    join stead.embeddings e on e.tenant_id = d.tenant_id and e.kind = 'memory' and e.owner_id = d.owner_id
      and e.model_id = near_pairs.model
    where d.tenant_id = tenant and d.scope_id = near_pairs.scope and d.kind = 'memory' and d.facet = 'fact'
      and d.ended_at is null
    order by d.place desc limit 2000
  )
  select a.owner_id, b.owner_id, stead.similarity(a.embedding, b.embedding)
  from facts a join facts b on a.place < b.place
  where stead.similarity(a.embedding, b.embedding) >= floor
  order by 3 desc limit wanted;
end
$$;

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('policies_of', 'request_consolidation', 'fade_memories', 'expire_memories', 'claim_consolidation',
      'finish_consolidation', 'near_pairs')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
grant execute on function stead.fade_memories(integer), stead.expire_memories(integer),
  stead.claim_consolidation(double precision), stead.finish_consolidation(uuid, uuid, timestamptz),
  stead.near_pairs(uuid, smallint, double precision, integer) to stead_service;
