-- Connected accounts (001): what people linked at a provider, through which tools act.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table public.connected_accounts (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  profile_id uuid,
  provider text not null check (provider ~ '^[a-z][a-z0-9_-]{0,62}$'),
  toolkit text not null check (toolkit ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
  external_id text not null check (external_id ~ '^[!-~]{1,255}$'),
  status text not null default 'initiated'
    check (status in ('initializing', 'initiated', 'active', 'inactive', 'failed', 'expired', 'revoked')),
  scopes text[] not null default '{}' check (cardinality(scopes) <= 1000),
  linked_at timestamptz,
  expires_at timestamptz,
  metadata jsonb not null default '{}'
    check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 16384),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, external_id),
  -- An account of the provider is one tenant's: nobody can act through another one's by knowing its id.
  unique (provider, external_id),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade
);
create index connected_accounts_tenant_provider_idx on public.connected_accounts (tenant_id, provider);
create index connected_accounts_profile_idx on public.connected_accounts (tenant_id, profile_id)
  where profile_id is not null;
comment on column public.connected_accounts.profile_id is 'whose it is; null: the tenant''s as a whole';
comment on column public.connected_accounts.external_id is 'the provider''s id, which outbox.connected_account_id holds';
comment on column public.connected_accounts.expires_at is 'when the link to connect it ends; null once it was connected';

-- Holds the steps that an account may take, and whose it is. What was revoked stays revoked.
create function stead.step_account() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if (new.id, new.tenant_id, new.provider, new.toolkit, new.external_id, new.created_at)
    is distinct from (old.id, old.tenant_id, old.provider, old.toolkit, old.external_id, old.created_at)
    or new.profile_id is distinct from old.profile_id
  then
    raise integrity_constraint_violation using message = 'whose a connected account is does not change';
  end if;
  if new.status <> old.status then
    if not (case old.status
      when 'initializing' then true
      when 'initiated' then new.status <> 'initializing'
      when 'active' then new.status in ('inactive', 'failed', 'expired', 'revoked')
      when 'revoked' then false
      else new.status not in ('initializing') end)
    then
      raise integrity_constraint_violation
        using message = format('a connected account does not go from %s to %s', old.status, new.status);
    end if;
    if new.status = 'active' then
      new.linked_at := now();
      new.expires_at := null;
    end if;
  end if;
  new.updated_at := now();
  return new;
end
$$;
create trigger connected_accounts_step before update on public.connected_accounts
  for each row execute function stead.step_account();

-- Whose an account of a provider is, for what a provider says of it; null: it is not known here.
create function stead.tenant_of_account(of_provider text, of_external_id text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid;
begin
  perform stead.refuse_tenants();
  select a.tenant_id into found_id from public.connected_accounts a
  where a.provider = of_provider and a.external_id = of_external_id;
  return found_id;
end
$$;

alter table public.connected_accounts enable row level security;
alter table public.connected_accounts force row level security;
-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.connected_accounts from anon, authenticated;
grant select on public.connected_accounts to authenticated;
-- Whose account it is and how it stands is what the provider says, and Stead's to write.
grant update (metadata) on public.connected_accounts to authenticated;
grant select, insert, update, delete on public.connected_accounts to stead_service, service_role;
grant select on public.connected_accounts to stead_definer;

create policy tenant_isolation on public.connected_accounts to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id())
    and (profile_id = (select stead.profile_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id())
    and (profile_id = (select stead.profile_id()) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.connected_accounts to service_role using (true) with check (true);
create policy stead_definer_access on public.connected_accounts for select to stead_definer using (true);

revoke execute on function stead.step_account() from public;
alter function stead.tenant_of_account(text, text) owner to stead_definer;
revoke execute on function stead.tenant_of_account(text, text) from public;
grant execute on function stead.tenant_of_account(text, text) to stead_service;
