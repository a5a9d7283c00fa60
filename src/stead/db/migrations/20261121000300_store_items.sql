-- Items: what programs keep under a namespace and a key (LangGraph's store), found by either, by what is in them, or
-- by meaning.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- A namespace as one text, each label with a point behind it: `memories.ann.`. Texts compare without telling anything
-- (they are leakproof, arrays are not), so that the planner may use an index below row-level security; and whatever
-- stands below a namespace is one range of it.
create function stead.namespace_path(namespace text[]) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select array_to_string(namespace, '.', '') || '.' $$;

create table public.store_items (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  profile_id uuid,
  session_id uuid,
  -- A person's, a session's, or the tenant's as a whole.
  scope_id uuid not null generated always as (coalesce(profile_id, session_id, tenant_id)) stored,
  namespace text[] not null,
  path text collate "C" not null generated always as (stead.namespace_path(namespace)) stored,
  root text collate "C" not null generated always as (namespace[1]) stored,
  key text collate "C" not null,
  value jsonb not null check (jsonb_typeof(value) = 'object'),
  -- What of the value is searched by words and meaning; null: nothing.
  search_text text check (length(search_text) between 1 and 100000),
  -- For how long after it was last read or written it is kept; null: for ever.
  ttl_s double precision check (ttl_s > 0),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, scope_id, path, key),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade,
  check (profile_id is null or session_id is null),
  check ((ttl_s is null) = (expires_at is null)),
  -- No label is empty, missing, or has a point in it: two namespaces have two paths.
  check (cardinality(namespace) between 1 and 32 and string_to_array(path, '.') = namespace || ''::text
    and not '' = any (namespace)),
  -- Both are in one entry of an index, which has room for about 2,700 bytes.
  check (key <> '' and octet_length(path) + octet_length(key) <= 2000)
);
create index store_items_profile_idx on public.store_items (tenant_id, profile_id) where profile_id is not null;
create index store_items_session_idx on public.store_items (tenant_id, session_id) where session_id is not null;
create index store_items_updated_idx on public.store_items (tenant_id, scope_id, updated_at desc);
create index store_items_expires_idx on public.store_items (expires_at) where expires_at is not null;

-- Where nothing is to be searched there is no document, and nothing waits for a vector.
create trigger store_items_inserted after insert on public.store_items
  for each row when (new.search_text is not null)
  execute function stead.index_document('item', 'scope_id', 'root', 'search_text');
create trigger store_items_updated
  after update of search_text, namespace, profile_id, session_id, tenant_id on public.store_items
  for each row when (old.search_text is not null or new.search_text is not null)
  execute function stead.index_document('item', 'scope_id', 'root', 'search_text');
create trigger store_items_deleted after delete on public.store_items
  for each row when (old.search_text is not null)
  execute function stead.index_document('item', 'scope_id', 'root', 'search_text');

insert into stead.searchable (kind, source, content)
values ('item', 'public.store_items', 'coalesce(search_text, '''')');

-- Vectors of these items were stored with them: they wait for none.
create function stead.item_vectors_stored(items uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  delete from stead.embedding_backlog b
  where b.kind = 'item' and b.owner_id = any (items) and b.tenant_id = stead.tenant_id()
    and exists (select from stead.embeddings e
      where e.tenant_id = b.tenant_id and e.kind = 'item' and e.owner_id = b.owner_id)
$$;

-- Deletes items whose time is over, some at a time.
create function stead.sweep_items(batch integer) returns integer
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select i.id from public.store_items i where i.expires_at <= now()
    order by i.expires_at limit batch for update skip locked
  ),
  gone as (delete from public.store_items i using due d where i.id = d.id returning 1)
  select count(*)::integer from gone
$$;

alter table public.store_items enable row level security;
alter table public.store_items force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.store_items from anon, authenticated;
grant select on public.store_items to anon, authenticated;
grant select, insert, update, delete on public.store_items to stead_service, service_role, stead_definer;

create policy tenant_isolation on public.store_items to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.store_items to service_role using (true) with check (true);
create policy stead_definer_access on public.store_items to stead_definer using (true) with check (true);

alter function stead.item_vectors_stored(uuid[]) owner to stead_definer;
alter function stead.sweep_items(integer) owner to stead_definer;
revoke execute on function stead.namespace_path(text[]), stead.item_vectors_stored(uuid[]),
  stead.sweep_items(integer) from public;
grant execute on function stead.namespace_path(text[]) to stead_service, service_role, stead_definer;
grant execute on function stead.item_vectors_stored(uuid[]), stead.sweep_items(integer) to stead_service;
