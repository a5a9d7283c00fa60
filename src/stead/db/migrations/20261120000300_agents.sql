-- The agent catalogue (000) and the versions that run (002's agent_versions, 003's AgentConfig).

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create type public.agent_visibility as enum ('public', 'hidden', 'internal');

create table public.agents (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid references public.tenants (id) on delete cascade,
  slug text not null check (slug ~ '^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$'),
  name text not null check (length(name) between 1 and 200),
  tagline text,
  description text,
  pricing_model text,
  base_rate numeric check (base_rate >= 0),
  rating numeric check (rating between 1 and 5),
  experience_years integer check (experience_years >= 0),
  success_rate numeric check (success_rate between 0 and 100),
  visibility public.agent_visibility not null default 'public',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique nulls not distinct (tenant_id, slug),
  unique (tenant_id, id)
);
comment on column public.agents.tenant_id is 'null: the shared catalogue, seen by every tenant';

create table public.agent_versions (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid references public.tenants (id) on delete cascade,
  agent_id uuid not null references public.agents (id) on delete cascade,
  version integer not null check (version > 0),
  model text,
  temperature double precision check (temperature between 0 and 2),
  max_tokens integer check (max_tokens > 0),
  instructions text not null default '',
  tools jsonb not null default '[]' check (jsonb_typeof(tools) = 'array'),
  output_schema jsonb,
  created_by uuid,
  created_at timestamptz not null default now(),
  unique (agent_id, version)
);
create index agent_versions_tenant_idx on public.agent_versions (tenant_id);
comment on column public.agent_versions.model is 'null: the model that the server is configured with';

create table public.agent_tags (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid references public.tenants (id) on delete cascade,
  slug text not null check (length(slug) between 1 and 100),
  label text not null check (length(label) between 1 and 200),
  created_at timestamptz not null default now(),
  unique nulls not distinct (tenant_id, slug)
);

create table public.agent_tag_map (
  agent_id uuid not null references public.agents (id) on delete cascade,
  tag_id uuid not null references public.agent_tags (id) on delete cascade,
  primary key (agent_id, tag_id)
);
create index agent_tag_map_tag_idx on public.agent_tag_map (tag_id);

create table public.agent_endorsements (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid references public.tenants (id) on delete cascade,
  agent_id uuid not null references public.agents (id) on delete cascade,
  author text not null,
  quote text not null,
  rating numeric check (rating between 1 and 5),
  created_at timestamptz not null default now()
);
create index agent_endorsements_agent_idx on public.agent_endorsements (agent_id);
create index agent_endorsements_tenant_idx on public.agent_endorsements (tenant_id);

create trigger update_agents_updated_at before update on public.agents
  for each row execute function public.update_updated_at_column();

-- A version, tag or endorsement belongs to the tenant of its agent: a composite key cannot say so where
-- the tenant may be null.
create function stead.inherit_agent_tenant() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  select a.tenant_id into new.tenant_id from public.agents a
  where a.id = new.agent_id and (a.tenant_id is null or a.tenant_id = new.tenant_id);
  if not found then
    raise foreign_key_violation using message = 'no such agent';
  end if;
  return new;
end
$$;
create trigger agent_versions_tenant before insert or update of agent_id, tenant_id on public.agent_versions
  for each row execute function stead.inherit_agent_tenant();
create trigger agent_endorsements_tenant before insert or update of agent_id, tenant_id
  on public.agent_endorsements for each row execute function stead.inherit_agent_tenant();

-- The same for rows that only refer to an agent. An id of another tenant and an id of nothing get one answer.
create function stead.check_agent() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from public.agents a
    where a.id = new.agent_id and (a.tenant_id is null or a.tenant_id = new.tenant_id))
  then
    raise foreign_key_violation using message = 'no such agent';
  end if;
  return new;
end
$$;

create function stead.check_owning_agent() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from public.agents a
    where a.id = new.owning_agent_id and (a.tenant_id is null or a.tenant_id = new.tenant_id))
  then
    raise foreign_key_violation using message = 'no such agent';
  end if;
  return new;
end
$$;

create function stead.check_agent_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from public.agent_versions v
    where v.id = new.agent_version_id and (v.tenant_id is null or v.tenant_id = new.tenant_id))
  then
    raise foreign_key_violation using message = 'no such version';
  end if;
  return new;
end
$$;

-- Agents defined in code are rows of the shared catalogue, so that runs and memories can refer to them.
create function stead.register_code_agent(agent_slug text, agent_name text, agent_tagline text) returns uuid
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.agents as a (tenant_id, slug, name, tagline, visibility)
  values (null, agent_slug, agent_name, agent_tagline, 'internal')
  on conflict (tenant_id, slug) do update set name = excluded.name, tagline = excluded.tagline
  returning a.id
$$;

alter table public.agents enable row level security;
alter table public.agents force row level security;
alter table public.agent_versions enable row level security;
alter table public.agent_versions force row level security;
alter table public.agent_tags enable row level security;
alter table public.agent_tags force row level security;
alter table public.agent_tag_map enable row level security;
alter table public.agent_tag_map force row level security;
alter table public.agent_endorsements enable row level security;
alter table public.agent_endorsements force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.agents, public.agent_versions, public.agent_tags, public.agent_tag_map,
  public.agent_endorsements from anon, authenticated;
grant select on public.agents, public.agent_tags, public.agent_tag_map, public.agent_endorsements
  to anon, authenticated;
grant select, insert, update, delete on public.agents, public.agent_versions, public.agent_tags,
  public.agent_tag_map, public.agent_endorsements to stead_service, service_role, stead_definer;

create policy tenant_isolation on public.agents for select to anon, authenticated
  using ((tenant_id is null or tenant_id = (select stead.tenant_id())) and visibility = 'public');
create policy tenant_service_read on public.agents for select to stead_service
  using (tenant_id is null or tenant_id = (select stead.tenant_id()));
create policy tenant_service_insert on public.agents for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_service_update on public.agents for update to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_service_delete on public.agents for delete to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.agents to service_role using (true) with check (true);
create policy stead_definer_access on public.agents to stead_definer using (true) with check (true);

-- Instructions are the tenant's trade secret: no grant to anon or authenticated.
create policy tenant_service_read on public.agent_versions for select to stead_service
  using (tenant_id is null or tenant_id = (select stead.tenant_id()));
create policy tenant_service_insert on public.agent_versions for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.agent_versions to service_role using (true) with check (true);
create policy stead_definer_access on public.agent_versions to stead_definer using (true) with check (true);

create policy tenant_isolation on public.agent_tags for select to anon, authenticated, stead_service
  using (tenant_id is null or tenant_id = (select stead.tenant_id()));
create policy tenant_service_insert on public.agent_tags for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_service_update on public.agent_tags for update to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_service_delete on public.agent_tags for delete to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.agent_tags to service_role using (true) with check (true);
create policy stead_definer_access on public.agent_tags to stead_definer using (true) with check (true);

-- Visible with its agent: the policy on agents decides.
create policy tenant_isolation on public.agent_tag_map for select to anon, authenticated, stead_service
  using (exists (select from public.agents a where a.id = agent_id));
create policy tenant_service_insert on public.agent_tag_map for insert to stead_service
  with check (exists (select from public.agents a
      where a.id = agent_id and a.tenant_id = (select stead.tenant_id()))
    and exists (select from public.agent_tags g
      where g.id = tag_id and (g.tenant_id is null or g.tenant_id = (select stead.tenant_id())))
    and (select stead.is_tenant_service()));
create policy tenant_service_update on public.agent_tag_map for update to stead_service
  using (exists (select from public.agents a where a.id = agent_id and a.tenant_id = (select stead.tenant_id()))
    and (select stead.is_tenant_service()))
  with check (exists (select from public.agents a
      where a.id = agent_id and a.tenant_id = (select stead.tenant_id()))
    and exists (select from public.agent_tags g
      where g.id = tag_id and (g.tenant_id is null or g.tenant_id = (select stead.tenant_id())))
    and (select stead.is_tenant_service()));
create policy tenant_service_delete on public.agent_tag_map for delete to stead_service
  using (exists (select from public.agents a where a.id = agent_id and a.tenant_id = (select stead.tenant_id()))
    and (select stead.is_tenant_service()));
create policy service_role_full_access on public.agent_tag_map to service_role using (true) with check (true);
create policy stead_definer_access on public.agent_tag_map to stead_definer using (true) with check (true);

create policy tenant_isolation on public.agent_endorsements for select to anon, authenticated, stead_service
  using ((tenant_id is null or tenant_id = (select stead.tenant_id()))
    and exists (select from public.agents a where a.id = agent_id));
create policy tenant_service_insert on public.agent_endorsements for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_service_update on public.agent_endorsements for update to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_service_delete on public.agent_endorsements for delete to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.agent_endorsements to service_role
  using (true) with check (true);
create policy stead_definer_access on public.agent_endorsements to stead_definer using (true) with check (true);

alter function stead.inherit_agent_tenant() owner to stead_definer;
alter function stead.check_agent() owner to stead_definer;
alter function stead.check_owning_agent() owner to stead_definer;
alter function stead.check_agent_version() owner to stead_definer;
revoke execute on function stead.check_agent(), stead.check_owning_agent(), stead.check_agent_version()
  from public;
alter function stead.register_code_agent(text, text, text) owner to stead_definer;
revoke execute on function stead.inherit_agent_tenant(), stead.register_code_agent(text, text, text) from public;
grant execute on function stead.register_code_agent(text, text, text) to stead_service;
