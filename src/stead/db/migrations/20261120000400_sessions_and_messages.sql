-- Sessions (000, 002 and 003: one table) and their messages.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table public.sessions (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id() references public.tenants (id) on delete cascade,
  -- Grows with each session; the upper bits of the place that its turns have among all turns.
  number bigint generated always as identity unique,
  profile_id uuid,
  owning_agent_id uuid references public.agents (id) on delete set null,
  clerk_user_id text check (length(clerk_user_id) <= 255),
  clerk_org_id text,
  email text check (length(email) <= 320),
  phone text check (length(phone) <= 64),
  name text check (length(name) <= 200),
  memory_container text not null unique,
  status text not null default 'in_progress'
    check (status in ('in_progress', 'completed', 'abandoned', 'failed', 'timeout')),
  context jsonb not null default '{}' check (jsonb_typeof(context) = 'object'),
  last_seq integer not null default 0 check (last_seq between 0 and 1048575),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_active_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (tenant_id, id),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  check ((status = 'in_progress') = (ended_at is null))
);
create index sessions_profile_idx on public.sessions (tenant_id, profile_id, created_at desc);
create index sessions_email_idx on public.sessions (tenant_id, lower(email)) where email is not null;
create index sessions_clerk_idx on public.sessions (tenant_id, clerk_user_id) where clerk_user_id is not null;
create index sessions_status_idx on public.sessions (tenant_id, status, last_active_at);
create index sessions_agent_idx on public.sessions (owning_agent_id) where owning_agent_id is not null;
comment on column public.sessions.memory_container is '003: <organisation>-<session id>';

create table public.messages (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  session_id uuid not null,
  profile_id uuid,
  seq integer not null check (seq > 0),
  -- The id that the client gave: sending a message twice stores it once.
  client_id text not null check (length(client_id) between 1 and 200),
  run_id uuid,
  role text not null check (role in ('user', 'assistant', 'system', 'memory')),
  parts jsonb not null check (jsonb_typeof(parts) = 'array'),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  unique (session_id, seq),
  unique (session_id, client_id),
  unique (tenant_id, id),
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade,
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade
);
create index messages_profile_idx on public.messages (tenant_id, profile_id) where profile_id is not null;
create index messages_tenant_session_idx on public.messages (tenant_id, session_id, seq);
create index messages_run_idx on public.messages (tenant_id, run_id) where run_id is not null;

create trigger update_sessions_updated_at before update on public.sessions
  for each row execute function public.update_updated_at_column();

-- A status that ends a session and the time of its end imply each other; the container has its name from
-- the organisation (003).
create function stead.keep_session() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    new.memory_container := coalesce(new.memory_container, stead.tenant_slug(new.tenant_id) || '-' || new.id);
  elsif new.ended_at is not null and old.ended_at is null and new.status = 'in_progress' then
    new.status := 'completed';
  end if;
  if new.status = 'in_progress' then
    new.ended_at := null;
  else
    new.ended_at := coalesce(new.ended_at, now());
  end if;
  return new;
end
$$;
create trigger sessions_keep before insert or update of status, ended_at on public.sessions
  for each row execute function stead.keep_session();

create trigger sessions_agent before insert or update of owning_agent_id, tenant_id on public.sessions
  for each row when (new.owning_agent_id is not null) execute function stead.check_owning_agent();

-- Objects are merged key by key, at every depth; any other value (null too) replaces what was there.
create function stead.deep_merge(target jsonb, patch jsonb) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(target) = 'object' and jsonb_typeof(patch) = 'object' then (
      select coalesce(jsonb_object_agg(coalesce(t.key, p.key), case
        when p.key is null then t.value
        when t.key is null then p.value
        else stead.deep_merge(t.value, p.value)
      end), '{}')
      from jsonb_each(target) t full join jsonb_each(patch) p on t.key = p.key
    )
    else patch
  end
$$;

-- 000: is the caller the owner of that session?
create function public.is_session_owner(session_id uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.sessions s
    where s.id = is_session_owner.session_id and s.tenant_id = (select stead.tenant_id())
      and (s.profile_id = (select stead.profile_id())
        or (s.id = (select stead.session_id()) and s.profile_id is null))
  )
$$;

alter table public.sessions enable row level security;
alter table public.sessions force row level security;
alter table public.messages enable row level security;
alter table public.messages force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.sessions, public.messages from anon, authenticated;
grant select on public.sessions, public.messages to anon, authenticated;
-- Owners may update their records (000); inserting is the server's business.
grant update (email, phone, name, context) on public.sessions to anon, authenticated;
grant select, insert, update, delete on public.sessions, public.messages
  to stead_service, service_role, stead_definer;

-- One predicate for every role: the person's own rows, or the one session of an anonymous token (until it
-- is linked to a person: from then on the token opens nothing), or (for Stead at work on behalf of nobody)
-- the tenant's. What a role may do with them is decided by grants.
create policy tenant_isolation on public.sessions to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (id = (select stead.session_id()) and profile_id is null) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (id = (select stead.session_id()) and profile_id is null) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.sessions to service_role using (true) with check (true);
create policy stead_definer_access on public.sessions to stead_definer using (true) with check (true);

create policy tenant_isolation on public.messages to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.messages to service_role using (true) with check (true);
create policy stead_definer_access on public.messages to stead_definer using (true) with check (true);

alter function stead.keep_session() owner to stead_definer;
revoke execute on function stead.keep_session(), stead.deep_merge(jsonb, jsonb) from public;
grant execute on function stead.deep_merge(jsonb, jsonb) to anon, authenticated, stead_service;
revoke execute on function public.is_session_owner(uuid) from public;
grant execute on function public.is_session_owner(uuid)
  to anon, authenticated, stead_service, service_role, stead_definer;
