-- Tenants (001; 003's organisation) and profiles (000 and 004, columns united).

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create type public.user_role as enum ('employer', 'founder', 'recruiter', 'other');
create type public.company_size as enum ('small', 'mid', 'enterprise');
create type public.onboarding_status as enum ('pending', 'completed');

create table public.tenants (
  id uuid primary key default gen_random_uuid(),
  slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null check (length(name) between 1 and 200),
  plan text not null default 'free',
  external_org_id text unique,
  -- Not regconfig: pg_upgrade refuses columns of that type.
  search_config text not null default 'pg_catalog.english' check (search_config::regconfig is not null),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index tenants_plan_idx on public.tenants (plan);
comment on column public.tenants.external_org_id is 'Clerk organisation (org_…), where identities come from Clerk';
comment on column public.tenants.search_config is 'text search configuration of this tenant''s memories';

create table public.profiles (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  external_id text check (length(external_id) between 1 and 255),
  email text check (length(email) <= 320),
  username text check (length(username) between 1 and 100),
  full_name text check (length(full_name) <= 200),
  avatar_url text check (length(avatar_url) <= 2000),
  skill_level text check (skill_level in ('beginner', 'intermediate', 'advanced')),
  role public.user_role,
  company text,
  company_size public.company_size,
  focus_industries text[],
  onboarding_status public.onboarding_status not null default 'pending',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, external_id),
  unique (tenant_id, username)
);
create index profiles_tenant_email_idx on public.profiles (tenant_id, lower(email));
comment on column public.profiles.external_id is 'subject at the identity provider where it is no UUID (Clerk user_…)';

create table stead.api_keys (
  id text primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  name text not null check (length(name) between 1 and 200),
  digest bytea not null check (length(digest) = 32),
  scopes text[] not null default '{}',
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  unique (tenant_id, id)
);

-- Message ids of signed internal calls that were accepted: a second use is a replay.
create table stead.signature_nonces (
  message_id text primary key check (length(message_id) <= 256),
  seen_at timestamptz not null default now()
);
create index signature_nonces_seen_idx on stead.signature_nonces (seen_at);

-- Answers to writes that carried an Idempotency-Key, given again when the key comes again.
create table stead.idempotency_keys (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  owner text not null,
  key text not null check (length(key) between 1 and 255),
  request_digest bytea not null,
  status integer,
  body jsonb,
  created_at timestamptz not null default now(),
  primary key (tenant_id, owner, key)
);
create index idempotency_keys_created_idx on stead.idempotency_keys (created_at);

create trigger update_tenants_updated_at before update on public.tenants
  for each row execute function public.update_updated_at_column();
create trigger update_profiles_updated_at before update on public.profiles
  for each row execute function public.update_updated_at_column();

-- Where a token names no tenant by id: its Clerk organisation, else the tenant of the profile it belongs to.
-- These take no argument: a caller learns of no identity but the one that its own token proves.
create function stead.tenant_of_claims() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  token jsonb := stead.claims();
  organisation text := coalesce(token -> 'o' ->> 'id', token ->> 'org_id');
  found uuid;
begin
  if token ? 'tenant_id' then
    return stead.as_uuid(token ->> 'tenant_id');
  elsif token -> 'app_metadata' ? 'tenant_id' then
    return stead.as_uuid(token -> 'app_metadata' ->> 'tenant_id');
  elsif organisation is not null then
    select t.id into found from public.tenants t where t.external_org_id = organisation;
  elsif token ? 'sub' then
    select p.tenant_id into found from public.profiles p where p.id = stead.as_uuid(token ->> 'sub');
  end if;
  return found;
end
$$;

-- The tenant of this transaction. Called as (select stead.tenant_id()) in policies: once a query.
create function stead.tenant_id() returns uuid
language sql stable
return coalesce(nullif(current_setting('stead.tenant', true), '')::uuid, stead.tenant_of_claims());

-- The subject itself where it is a UUID, else looked up (Clerk).
create function stead.profile_of_claims() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  subject text := stead.claims() ->> 'sub';
  found uuid := stead.as_uuid(subject);
begin
  if found is null and subject is not null then
    select p.id into found from public.profiles p
    where p.tenant_id = stead.tenant_id() and p.external_id = subject;
  end if;
  return found;
end
$$;

-- The person of this transaction.
create function stead.profile_id() returns uuid
language sql stable
return coalesce(nullif(current_setting('stead.profile', true), '')::uuid, stead.profile_of_claims());

create function public.current_tenant_id_uuid() returns uuid
language sql stable
return stead.tenant_id();

-- Finding the tenant of a request before anybody is known: answers with an id, never with a row.
create function stead.find_tenant(slug text, external_org text)
returns table (id uuid, tenant_slug text, org text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.id, t.slug, t.external_org_id from public.tenants t
  where t.slug = find_tenant.slug or t.external_org_id = find_tenant.external_org
$$;

create function stead.find_tenant_of_profile(profile uuid)
returns table (id uuid, tenant_slug text, org text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.id, t.slug, t.external_org_id
  from public.profiles p join public.tenants t on t.id = p.tenant_id where p.id = profile
$$;

create function stead.tenant_slug(tenant uuid) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select t.slug from public.tenants t where t.id = tenant $$;

-- The stored digest of a live key. Comparing it is the caller's business, in constant time.
create function stead.find_api_key(key_id text)
returns table (tenant_id uuid, tenant_slug text, digest bytea, scopes text[])
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with used as (
    update stead.api_keys k set last_used_at = now()
    where k.id = key_id and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute')
  )
  select k.tenant_id, t.slug, k.digest, k.scopes
  from stead.api_keys k join public.tenants t on t.id = k.tenant_id
  where k.id = key_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
$$;

-- Which of these keys, proven before, are good still.
create function stead.good_api_keys(key_ids text[]) returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select k.id from stead.api_keys k
  where k.id = any (key_ids) and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
$$;

create function stead.use_signature(message text) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with used as (
    insert into stead.signature_nonces (message_id) values (message) on conflict do nothing returning true
  )
  select exists (select from used)
$$;

create function stead.sweep_identity() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with nonces as (delete from stead.signature_nonces where seen_at < now() - interval '1 hour' returning 1),
  keys as (delete from stead.idempotency_keys where created_at < now() - interval '24 hours' returning 1)
  select (select count(*) from nonces) + (select count(*) from keys)
$$;

alter table public.tenants enable row level security;
alter table public.tenants force row level security;
alter table public.profiles enable row level security;
alter table public.profiles force row level security;
alter table stead.api_keys enable row level security;
alter table stead.api_keys force row level security;
alter table stead.signature_nonces enable row level security;
alter table stead.signature_nonces force row level security;
alter table stead.idempotency_keys enable row level security;
alter table stead.idempotency_keys force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.tenants, public.profiles from anon, authenticated;
grant select (id, slug, name, plan, created_at, updated_at) on public.tenants to authenticated;
grant select on public.tenants to stead_service;
grant select, insert, update, delete on public.tenants to service_role, stead_definer;
-- Everybody of a tenant may see who else is there (004), but not their email or provider id.
grant select (id, tenant_id, username, full_name, avatar_url, skill_level, role, company, company_size,
  focus_industries, onboarding_status, created_at, updated_at) on public.profiles to authenticated;
grant insert (id, tenant_id, username, full_name, avatar_url, skill_level, role, company, company_size,
  focus_industries, onboarding_status) on public.profiles to authenticated;
grant update (username, full_name, avatar_url, skill_level, role, company, company_size, focus_industries,
  onboarding_status) on public.profiles to authenticated;
grant select, insert, update, delete on public.profiles to stead_service, service_role, stead_definer;
grant select, insert, update on stead.api_keys to stead_service;
grant select, insert, update, delete on stead.api_keys to stead_definer;
grant select, insert, delete on stead.signature_nonces to stead_definer;
grant select, insert, update on stead.idempotency_keys to stead_service;
grant select, delete on stead.idempotency_keys to stead_definer;

create policy tenant_isolation on public.tenants for select to authenticated, stead_service
  using (id = (select stead.tenant_id()));
create policy service_role_full_access on public.tenants to service_role using (true) with check (true);
create policy stead_definer_access on public.tenants to stead_definer using (true) with check (true);

create policy tenant_isolation on public.profiles for select to authenticated
  using (tenant_id = (select stead.tenant_id()));
create policy own_insert on public.profiles for insert to authenticated
  with check (tenant_id = (select stead.tenant_id()) and id = (select stead.profile_id()));
create policy own_update on public.profiles for update to authenticated
  using (tenant_id = (select stead.tenant_id()) and id = (select stead.profile_id()))
  with check (tenant_id = (select stead.tenant_id()) and id = (select stead.profile_id()));
create policy tenant_service on public.profiles to stead_service
  using (tenant_id = (select stead.tenant_id()) and
    (id = (select stead.profile_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and
    (id = (select stead.profile_id()) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.profiles to service_role using (true) with check (true);
create policy stead_definer_access on public.profiles to stead_definer using (true) with check (true);

create policy tenant_isolation on stead.api_keys to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.api_keys to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.signature_nonces to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.idempotency_keys to stead_service
  using (tenant_id = (select stead.tenant_id())) with check (tenant_id = (select stead.tenant_id()));
create policy stead_definer_access on stead.idempotency_keys to stead_definer using (true) with check (true);

alter function stead.tenant_of_claims() owner to stead_definer;
alter function stead.profile_of_claims() owner to stead_definer;
alter function stead.find_tenant(text, text) owner to stead_definer;
alter function stead.find_tenant_of_profile(uuid) owner to stead_definer;
alter function stead.tenant_slug(uuid) owner to stead_definer;
alter function stead.find_api_key(text) owner to stead_definer;
alter function stead.good_api_keys(text[]) owner to stead_definer;
alter function stead.use_signature(text) owner to stead_definer;
alter function stead.sweep_identity() owner to stead_definer;

revoke execute on all functions in schema stead from public;
revoke execute on function public.current_tenant_id_uuid() from public;
grant execute on function stead.tenant_of_claims(), stead.tenant_id(), stead.profile_of_claims(),
  stead.profile_id(), public.current_tenant_id_uuid()
  to anon, authenticated, stead_service, service_role, stead_definer;
grant execute on function stead.find_tenant(text, text), stead.find_tenant_of_profile(uuid),
  stead.tenant_slug(uuid), stead.find_api_key(text), stead.good_api_keys(text[]), stead.use_signature(text),
  stead.sweep_identity()
  to stead_service;
