-- Long-term memory: what is remembered, its lexemes for BM25, and the log of what was done with it.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create type public.memory_source as enum ('chat', 'context', 'comparison', 'feedback', 'api', 'import');

create table public.agent_memories (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  -- Whose memory it is: the person's or, while nobody is signed in, the session's.
  scope_id uuid not null generated always as (coalesce(profile_id, session_id)) stored,
  profile_id uuid,
  session_id uuid,
  agent_id uuid references public.agents (id) on delete set null,
  -- Where it stands among all memories. The turns of a session have neighbouring places, so that the
  -- context of a turn is found by arithmetic.
  place bigint not null unique,
  kind text not null default 'fact' check (kind in ('turn', 'fact', 'summary')),
  source public.memory_source not null default 'chat',
  speaker text check (length(speaker) <= 200),
  content text not null check (length(content) between 1 and 100000),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  importance real not null default 0.5 check (importance between 0 and 1),
  confidence real not null default 1 check (confidence between 0 and 1),
  content_digest bytea not null,
  happened_at timestamptz not null default now(),
  valid_from timestamptz not null default now(),
  valid_to timestamptz,
  superseded_by uuid,
  recall_count integer not null default 0,
  last_recalled_at timestamptz,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  check (scope_id is not null),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade,
  foreign key (tenant_id, superseded_by) references public.agent_memories (tenant_id, id)
    on delete set null (superseded_by)
);
create index agent_memories_scope_idx on public.agent_memories (tenant_id, scope_id, created_at desc);
create index agent_memories_session_idx on public.agent_memories (tenant_id, session_id);
create index agent_memories_profile_idx on public.agent_memories (tenant_id, profile_id);
create index agent_memories_agent_idx on public.agent_memories (agent_id);
create index agent_memories_superseded_idx on public.agent_memories (tenant_id, superseded_by)
  where superseded_by is not null;
-- The same fact said twice is remembered once.
create unique index agent_memories_digest_idx on public.agent_memories (tenant_id, scope_id, content_digest)
  where kind <> 'turn' and valid_to is null;

-- Places of memories that are no turns: far above any session's, and apart, so that they have no neighbours.
create sequence stead.memory_place start 4611686018427387904 increment 8;

-- Which memories a search goes through, narrow: place, length, and whose it is.
create table stead.memory_docs (
  place bigint primary key,
  tenant_id uuid not null,
  scope_id uuid not null,
  memory_id uuid not null,
  agent_id uuid,
  length integer not null
);
create unique index memory_docs_scope_idx on stead.memory_docs (tenant_id, scope_id, place) include (length);

-- Postings. The key is a hash of scope and lexeme, so that the index needs eight bytes for both and keeps
-- each key once (deduplication); a search reads exactly the postings of its scope, and counts them: that is
-- the document frequency, always right, with nothing to maintain.
create table stead.memory_terms (
  term bigint not null,
  place bigint not null,
  frequency smallint not null
);
create index memory_terms_term_idx on stead.memory_terms (term);
create index memory_terms_place_idx on stead.memory_terms (place);

-- Contents that wait for their embedding, claimed in batches by whoever embeds.
create table stead.embedding_backlog (
  kind text not null,
  owner_id uuid not null,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  scope_id uuid not null,
  claimed_until timestamptz,
  attempts smallint not null default 0,
  created_at timestamptz not null default now(),
  primary key (kind, owner_id)
);
create index embedding_backlog_due_idx on stead.embedding_backlog (claimed_until nulls first, created_at);
create index embedding_backlog_tenant_idx on stead.embedding_backlog (tenant_id);

create table public.memory_logs (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  profile_id uuid,
  session_id uuid,
  run_id uuid,
  agent_name text,
  operation text not null check (operation in ('write', 'read', 'recall', 'decay')),
  memory_id uuid,
  -- For a recall: how many were found, how long it took, what each arm said. Never a text.
  details jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index memory_logs_tenant_idx on public.memory_logs (tenant_id, created_at desc);
create index memory_logs_profile_idx on public.memory_logs (tenant_id, profile_id, created_at desc);
create index memory_logs_run_idx on public.memory_logs (run_id);

create function stead.term_key(scope uuid, lexeme text) returns bigint
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select hashtextextended(lexeme, hashtextextended(scope::text, 0)) $$;

create function stead.search_config(tenant uuid) returns regconfig
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    (select t.search_config::regconfig from public.tenants t where t.id = tenant), 'pg_catalog.simple')
$$;

-- What of a memory is indexed: who said it, when, and what. The speaker counts twice: questions name people
-- more often than turns do. `?` is no word that the parser ever gives; it marks what mostly asks.
create function stead.memory_lexemes(
  config regconfig, speaker text, happened_at timestamptz, content text
)
returns table (lexeme text, frequency smallint)
language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select u.lexeme, least(coalesce(array_length(u.positions, 1), 1), 255)::smallint
  from unnest(to_tsvector(config, coalesce(speaker || ' ' || speaker, '') || ' '
    || to_char(happened_at at time zone 'UTC', 'FMDay FMDD FMMonth YYYY') || ' ' || content)) u
  union all
  select '?', 1::smallint
  where 2 * length(regexp_replace(content, '[^.!?？؟\n]*[?？؟]', '', 'g')) < length(content)
$$;

create function stead.index_memory() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  total integer;
begin
  if tg_op <> 'INSERT' then
    delete from stead.memory_terms where place = old.place;
    delete from stead.memory_docs where place = old.place;
  end if;
  if tg_op = 'DELETE' then
    delete from stead.embeddings
      where tenant_id = old.tenant_id and kind = 'memory' and owner_id = old.id;
    delete from stead.embedding_backlog where kind = 'memory' and owner_id = old.id;
    return null;
  end if;
  if tg_op = 'UPDATE' and new.scope_id is distinct from old.scope_id then
    update stead.embeddings set scope_id = new.scope_id
      where tenant_id = old.tenant_id and kind = 'memory' and owner_id = old.id;
    update stead.embedding_backlog set scope_id = new.scope_id where kind = 'memory' and owner_id = old.id;
  end if;
  -- What is archived or no longer holds is not searched.
  if new.archived_at is null and new.valid_to is null then
    with written as (
      insert into stead.memory_terms (term, place, frequency)
      select stead.term_key(new.scope_id, l.lexeme), new.place, l.frequency
      from stead.memory_lexemes(
        stead.search_config(new.tenant_id), new.speaker, new.happened_at, new.content) l
      returning frequency
    )
    select coalesce(sum(frequency), 0) into total from written;
    insert into stead.memory_docs (place, tenant_id, scope_id, memory_id, agent_id, length)
    values (new.place, new.tenant_id, new.scope_id, new.id, new.agent_id, total);
  end if;
  return null;
end
$$;
create trigger agent_memories_index_insert after insert on public.agent_memories
  for each row execute function stead.index_memory();
create trigger agent_memories_index_update
  after update of tenant_id, profile_id, session_id, agent_id, place, speaker, content, happened_at,
    archived_at, valid_to on public.agent_memories
  for each row execute function stead.index_memory();
create trigger agent_memories_index_delete after delete on public.agent_memories
  for each row execute function stead.index_memory();

create trigger agent_memories_agent before insert or update of agent_id, tenant_id on public.agent_memories
  for each row when (new.agent_id is not null) execute function stead.check_agent();

create function stead.remember_place() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  new.place := coalesce(new.place, nextval('stead.memory_place'));
  new.content_digest := sha256(convert_to(lower(regexp_replace(btrim(new.content), '\s+', ' ', 'g')), 'UTF8'));
  return new;
end
$$;
create trigger agent_memories_place before insert or update of content, place on public.agent_memories
  for each row execute function stead.remember_place();

-- A deletion of a tenant, profile or session reaches here as a cascade; the triggers clean up behind it.

alter table public.agent_memories enable row level security;
alter table public.agent_memories force row level security;
alter table public.memory_logs enable row level security;
alter table public.memory_logs force row level security;
alter table stead.memory_docs enable row level security;
alter table stead.memory_docs force row level security;
alter table stead.memory_terms enable row level security;
alter table stead.memory_terms force row level security;
alter table stead.embedding_backlog enable row level security;
alter table stead.embedding_backlog force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.agent_memories, public.memory_logs from anon, authenticated;
grant select on public.agent_memories to anon, authenticated;
grant select, insert, update, delete on public.agent_memories to stead_service, service_role, stead_definer;
grant select on public.memory_logs to anon, authenticated;
grant select, insert on public.memory_logs to stead_service;
grant select, insert, update, delete on public.memory_logs to service_role, stead_definer;
grant select, insert, update, delete on stead.memory_docs, stead.memory_terms, stead.embedding_backlog
  to stead_definer;
grant insert on stead.embedding_backlog to stead_service;
grant usage on sequence stead.memory_place to stead_definer;

create policy tenant_isolation on public.agent_memories to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.agent_memories to service_role using (true) with check (true);
create policy stead_definer_access on public.agent_memories to stead_definer using (true) with check (true);

create policy tenant_isolation on public.memory_logs to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.memory_logs to service_role using (true) with check (true);
create policy stead_definer_access on public.memory_logs to stead_definer using (true) with check (true);

create policy stead_definer_access on stead.memory_docs to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.memory_terms to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.embedding_backlog to stead_definer using (true) with check (true);
-- Only for a memory that the caller sees: a row for another tenant's would keep that one from being queued.
create policy tenant_isolation on stead.embedding_backlog for insert to stead_service
  with check (tenant_id = (select stead.tenant_id())
    and exists (select from public.agent_memories m where m.id = owner_id and m.tenant_id = embedding_backlog.tenant_id));

create function stead.claim_embedding_backlog(batch integer, lease_s double precision)
returns table (owner_id uuid, tenant_id uuid, scope_id uuid, content text)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select b.kind, b.owner_id from stead.embedding_backlog b
    where b.kind = 'memory' and (b.claimed_until is null or b.claimed_until < now())
    order by b.claimed_until nulls first, b.created_at
    limit batch
    for update skip locked
  ),
  claimed as (
    update stead.embedding_backlog b
    set claimed_until = now() + make_interval(secs => lease_s * (1 + b.attempts)), attempts = b.attempts + 1
    from due d where b.kind = d.kind and b.owner_id = d.owner_id
    returning b.owner_id, b.tenant_id, b.scope_id
  )
  select c.owner_id, c.tenant_id, c.scope_id, m.content
  from claimed c join public.agent_memories m on m.tenant_id = c.tenant_id and m.id = c.owner_id
$$;

create function stead.store_embeddings(owners uuid[], model smallint, vectors real[]) returns integer
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with given as (
    select o.owner_id, o.n, array_length(vectors, 2) as dimensions
    from unnest(owners) with ordinality as o (owner_id, n)
  ),
  done as (
    delete from stead.embedding_backlog b using given g where b.kind = 'memory' and b.owner_id = g.owner_id
    returning b.owner_id, b.tenant_id, b.scope_id, g.n, g.dimensions
  ),
  written as (
    insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, embedding)
    select d.tenant_id, 'memory', d.owner_id, d.scope_id, model, stead.as_embedding(
      (select array_agg(v order by i) from unnest(vectors[d.n:d.n][1:d.dimensions]) with ordinality u (v, i)))
    from done d
    on conflict (tenant_id, kind, owner_id, model_id) do update set embedding = excluded.embedding
    returning 1
  )
  select count(*)::integer from written
$$;

alter function stead.search_config(uuid) owner to stead_definer;
alter function stead.index_memory() owner to stead_definer;
alter function stead.remember_place() owner to stead_definer;
alter function stead.claim_embedding_backlog(integer, double precision) owner to stead_definer;
alter function stead.store_embeddings(uuid[], smallint, real[]) owner to stead_definer;
revoke execute on function stead.term_key(uuid, text), stead.search_config(uuid), stead.index_memory(),
  stead.memory_lexemes(regconfig, text, timestamptz, text), stead.remember_place(),
  stead.claim_embedding_backlog(integer, double precision), stead.store_embeddings(uuid[], smallint, real[])
  from public;
grant execute on function stead.term_key(uuid, text), stead.search_config(uuid),
  stead.memory_lexemes(regconfig, text, timestamptz, text) to stead_definer;
grant execute on function stead.claim_embedding_backlog(integer, double precision),
  stead.store_embeddings(uuid[], smallint, real[]) to stead_service;
