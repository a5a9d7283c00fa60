-- Long-term memory: what is remembered, and the log of what was done with it.

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
  -- What only one value of can hold at a time (`residence`, `favourite:colour`): a later one supersedes.
  topic text check (length(topic) between 1 and 120),
  -- The messages that it comes from.
  message_ids uuid[] not null default '{}',
  -- When it was said; when what it tells of happens; when it holds.
  happened_at timestamptz not null default now(),
  event_from timestamptz,
  event_to timestamptz,
  valid_from timestamptz not null default now(),
  valid_to timestamptz,
  superseded_by uuid,
  -- How often it was found and given to a model, and how often the answer made use of it.
  recall_count integer not null default 0,
  used_count integer not null default 0,
  last_recalled_at timestamptz,
  archived_at timestamptz,
  -- When its importance was last let fade.
  curated_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  check (scope_id is not null),
  check (event_to is null or event_to >= event_from),
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
create index agent_memories_topic_idx on public.agent_memories (tenant_id, scope_id, topic)
  where topic is not null and valid_to is null;
create index agent_memories_messages_idx on public.agent_memories using gin (message_ids)
  where message_ids <> '{}';
-- For curation: what was not looked at for long, what is kept only for a while, what is to be deleted by its age.
create index agent_memories_curated_idx on public.agent_memories (curated_at) where archived_at is null;
create index agent_memories_ended_idx on public.agent_memories (tenant_id, (coalesce(archived_at, valid_to)))
  where archived_at is not null or valid_to is not null;
create index agent_memories_created_idx on public.agent_memories (tenant_id, created_at);
-- The same fact said twice is remembered once.
create unique index agent_memories_digest_idx on public.agent_memories (tenant_id, scope_id, content_digest)
  where kind <> 'turn' and valid_to is null;

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
create index memory_logs_session_idx on public.memory_logs (tenant_id, session_id);
create index memory_logs_run_idx on public.memory_logs (run_id);

-- Into the index, many at a time: their words go through one INSERT, and each collection's totals get one
-- difference. What is archived is not searched. What holds no more is kept, for questions about when it did.
create function stead.index_memories(memories uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  with added as materialized (
    select m.id, m.tenant_id, m.scope_id, m.place, m.agent_id, m.kind, m.speaker, m.content, m.happened_at,
      m.event_from, m.event_to, m.valid_to,
      m.archived_at
    from public.agent_memories m where m.id = any (memories)
  ),
  configs as materialized (
    select t.id, stead.search_config(t.id) as config from (select distinct a.tenant_id as id from added a) t
  ),
  -- Two lexemes may, once in many lifetimes, share a key.
  words as materialized (
    select a.place, stead.term_key(a.scope_id, l.lexeme) as term, max(l.frequency) as frequency,
      sum(l.counted) as counted
    from added a join configs c on c.id = a.tenant_id
    cross join lateral stead.document_lexemes(c.config, a.speaker, a.happened_at, a.content) l
    where a.archived_at is null
    group by 1, 2
  ),
  lengths as materialized (
    select w.place, sum(w.counted) as length, array_agg(w.term) as terms from words w group by w.place
  ),
  terms as (
    insert into stead.search_terms (term, place, frequency, length)
    select w.term, w.place, w.frequency, least(l.length, 32767) from words w join lengths l on l.place = w.place
    order by w.term
  ),
  docs as (
    insert into stead.search_docs
      (place, tenant_id, scope_id, kind, owner_id, agent_id, facet, length, told_from, told_to, ended_at, terms)
    select a.place, a.tenant_id, a.scope_id, 'memory', a.id, a.agent_id, a.kind, coalesce(l.length, 0),
      coalesce(a.event_from, a.happened_at), coalesce(a.event_to, a.event_from, a.happened_at), a.valid_to,
      coalesce(l.terms, '{}')
    from added a left join lengths l on l.place = a.place
    where a.archived_at is null
    returning tenant_id, scope_id, length
  )
  insert into stead.search_totals (tenant_id, scope_id, kind, docs, length)
  select d.tenant_id, d.scope_id, 'memory', count(*), sum(d.length) from docs d group by 1, 2;
end
$$;

create function stead.unindex_memories(places bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    delete from stead.search_docs d where d.place = any (places)
    returning d.place, d.tenant_id, d.scope_id, d.length, d.terms
  ),
  terms as (
    delete from stead.search_terms t using gone g cross join lateral unnest(g.terms) as k (term)
    where t.term = k.term and t.place = g.place
  )
  insert into stead.search_totals (tenant_id, scope_id, kind, docs, length)
  select g.tenant_id, g.scope_id, 'memory', -count(*), -sum(g.length) from gone g group by 1, 2
$$;

-- Into the backlog of vectors goes what has none: a vector may have come in the same statement. (`offset 0`: found
-- by its id, never by an index of what is not archived.)
create function stead.await_vectors(memories uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into stead.embedding_backlog (kind, owner_id, tenant_id, scope_id, place)
  select 'memory', m.id, m.tenant_id, m.scope_id, m.place
  from (select * from public.agent_memories x where x.id = any (memories) offset 0) m
  where m.archived_at is null and not exists (
    select from stead.embeddings e where e.tenant_id = m.tenant_id and e.kind = 'memory' and e.owner_id = m.id)
  on conflict (kind, owner_id) do update
    set tenant_id = excluded.tenant_id, scope_id = excluded.scope_id, place = excluded.place, claimed_until = null,
      attempts = 0
$$;

create function stead.memories_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.index_memories(array(select id from added));
  perform stead.await_vectors(array(select id from added));
  return null;
end
$$;

create function stead.memories_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.unindex_memories(array(select place from removed));
  -- The backlog first: who is about to store a vector has taken it from there, and is waited for.
  delete from stead.embedding_backlog b using removed r where b.kind = 'memory' and b.owner_id = r.id;
  delete from stead.embeddings e using removed r
    where e.tenant_id = r.tenant_id and e.kind = 'memory' and e.owner_id = r.id;
  return null;
end
$$;

-- An update takes out and puts in again what it changed of what is indexed: counting a recall changes nothing of it.
create function stead.memories_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  places bigint[];
  changed uuid[];
  rewritten uuid[];
begin
  select array_agg(o.place), array_agg(o.id),
    coalesce(array_agg(o.id) filter (where o.content <> n.content or n.archived_at is not null), '{}')
  into places, changed, rewritten
  from removed o join added n on n.id = o.id
  where (o.tenant_id, o.scope_id, o.agent_id, o.place, o.kind, o.speaker, o.content, o.happened_at, o.event_from,
      o.event_to, o.archived_at, o.valid_to)
    is distinct from (n.tenant_id, n.scope_id, n.agent_id, n.place, n.kind, n.speaker, n.content, n.happened_at,
      n.event_from, n.event_to, n.archived_at, n.valid_to);
  if changed is null then
    return null;
  end if;
  perform stead.unindex_memories(places);
  perform stead.index_memories(changed);
  delete from stead.embeddings e using removed o
    where e.tenant_id = o.tenant_id and e.kind = 'memory' and e.owner_id = o.id and o.id = any (rewritten);
  delete from stead.embedding_backlog b where b.kind = 'memory' and b.owner_id = any (rewritten);
  update stead.embeddings e set tenant_id = n.tenant_id, scope_id = n.scope_id, place = n.place
    from removed o join added n on n.id = o.id
    where e.tenant_id = o.tenant_id and e.kind = 'memory' and e.owner_id = o.id
      and (n.tenant_id, n.scope_id, n.place) <> (o.tenant_id, o.scope_id, o.place);
  update stead.embedding_backlog b set tenant_id = n.tenant_id, scope_id = n.scope_id, place = n.place
    from removed o join added n on n.id = o.id
    where b.kind = 'memory' and b.owner_id = n.id
      and (n.tenant_id, n.scope_id, n.place) <> (o.tenant_id, o.scope_id, o.place);
  perform stead.await_vectors(changed);
  return null;
end
$$;

create trigger agent_memories_inserted after insert on public.agent_memories
  referencing new table as added for each statement execute function stead.memories_inserted();
create trigger agent_memories_updated after update on public.agent_memories
  referencing old table as removed new table as added
  for each statement execute function stead.memories_updated();
create trigger agent_memories_deleted after delete on public.agent_memories
  referencing old table as removed for each statement execute function stead.memories_deleted();

insert into stead.searchable (kind, source, content) values ('memory', 'public.agent_memories', 'content');

create trigger agent_memories_agent before insert or update of agent_id, tenant_id on public.agent_memories
  for each row when (new.agent_id is not null) execute function stead.check_agent();

-- What tells two contents apart: their words, but for case and spaces.
create function stead.content_digest(content text) returns bytea
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select sha256(convert_to(lower(regexp_replace(btrim(content), '\s+', ' ', 'g')), 'UTF8')) $$;

create function stead.remember_place() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  new.place := coalesce(new.place, nextval('stead.search_place'));
  new.content_digest := stead.content_digest(new.content);
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

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.agent_memories, public.memory_logs from anon, authenticated;
grant select on public.agent_memories to anon, authenticated;
grant select, insert, update, delete on public.agent_memories to stead_service, service_role, stead_definer;
grant select on public.memory_logs to anon, authenticated;
grant select, insert on public.memory_logs to stead_service;
grant select, insert, update, delete on public.memory_logs to service_role, stead_definer;

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

alter function stead.index_memories(uuid[]) owner to stead_definer;
alter function stead.unindex_memories(bigint[]) owner to stead_definer;
alter function stead.await_vectors(uuid[]) owner to stead_definer;
alter function stead.memories_inserted() owner to stead_definer;
alter function stead.memories_updated() owner to stead_definer;
alter function stead.memories_deleted() owner to stead_definer;
alter function stead.remember_place() owner to stead_definer;
revoke execute on function stead.index_memories(uuid[]), stead.unindex_memories(bigint[]),
  stead.await_vectors(uuid[]), stead.memories_inserted(), stead.memories_updated(), stead.memories_deleted(),
  stead.remember_place(), stead.content_digest(text) from public;
grant execute on function stead.content_digest(text) to stead_service, stead_definer;
