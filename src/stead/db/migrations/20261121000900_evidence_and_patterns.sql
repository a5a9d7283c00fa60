-- What else is searched: evidence (001), patterns (004) and agents' profiles (000), and search by a vector as remote
-- procedures (004's match_patterns, and match_memories of the same shape).

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table public.evidence_embeddings (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id() references public.tenants (id) on delete cascade,
  source_type text not null check (length(source_type) between 1 and 100),
  source_id uuid,
  content text not null check (length(content) between 1 and 100000),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  -- Whose it is; null: the tenant's as a whole.
  profile_id uuid,
  -- Put before agents whoever talks to them.
  shared boolean not null default false,
  unique (tenant_id, id),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade
);
create index evidence_embeddings_profile_idx on public.evidence_embeddings (tenant_id, profile_id, created_at desc)
  where profile_id is not null;
create index evidence_embeddings_shared_idx on public.evidence_embeddings (tenant_id, created_at desc) where shared;
create index evidence_embeddings_tenant_idx on public.evidence_embeddings (tenant_id);
create index evidence_embeddings_source_idx on public.evidence_embeddings (tenant_id, source_type, source_id);

create table public.pattern_embeddings (
  id uuid primary key default gen_random_uuid(),
  -- Null: shared with every tenant.
  tenant_id uuid references public.tenants (id) on delete cascade,
  project_type text not null check (length(project_type) between 1 and 100),
  metadata jsonb check (jsonb_typeof(metadata) = 'object'),
  success_score double precision check (success_score between 0 and 1),
  created_at timestamptz not null default now()
);
create index pattern_embeddings_type_idx on public.pattern_embeddings (tenant_id, project_type);

insert into stead.searchable (kind, source, content) values
  ('evidence', 'public.evidence_embeddings', 'content'),
  ('pattern', 'public.pattern_embeddings', 'concat_ws('' '', project_type, metadata::text)'),
  ('agent', 'public.agents', 'concat_ws('' '', name, tagline, description)');
create trigger evidence_embeddings_search after insert or update or delete on public.evidence_embeddings
  for each row execute function stead.index_document('evidence', 'tenant_id', 'source_type', 'content');
create trigger pattern_embeddings_search after insert or update or delete on public.pattern_embeddings
  for each row execute function stead.index_document('pattern', 'tenant_id', 'project_type', 'project_type', 'metadata');
create trigger agents_search after insert or update or delete on public.agents
  for each row execute function stead.index_document('agent', 'tenant_id', 'visibility', 'name', 'tagline', 'description');
select stead.search_put('agent', coalesce(a.tenant_id, '00000000-0000-0000-0000-000000000000'),
  coalesce(a.tenant_id, '00000000-0000-0000-0000-000000000000'), a.id,
  concat_ws(' ', a.name, a.tagline, a.description), a.visibility::text)
from public.agents a;

alter table public.evidence_embeddings enable row level security;
alter table public.evidence_embeddings force row level security;
alter table public.pattern_embeddings enable row level security;
alter table public.pattern_embeddings force row level security;
-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.evidence_embeddings, public.pattern_embeddings from anon, authenticated;
-- What tools brought to light is for those who run the tenant, not for everybody who talks to its agents.
grant select, insert, update, delete on public.evidence_embeddings to stead_service, service_role;
grant select, delete on public.evidence_embeddings to stead_definer;
grant select on public.pattern_embeddings to authenticated, stead_definer;
grant select, insert, update, delete on public.pattern_embeddings to stead_service, service_role;
create policy tenant_isolation on public.evidence_embeddings to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.evidence_embeddings to service_role
  using (true) with check (true);
create policy stead_definer_access on public.evidence_embeddings to stead_definer using (true) with check (true);
create policy tenant_isolation on public.pattern_embeddings for select to authenticated, stead_service
  using (tenant_id is null or tenant_id = (select stead.tenant_id()));
create policy tenant_insert on public.pattern_embeddings for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_update on public.pattern_embeddings for update to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_delete on public.pattern_embeddings for delete to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.pattern_embeddings to service_role
  using (true) with check (true);
create policy stead_definer_access on public.pattern_embeddings to stead_definer using (true) with check (true);

-- The documents' columns, as PostgREST computes columns: select=content,embedding.
create function public.embedding(memory public.agent_memories) returns jsonb
language sql stable
return stead.vector_of('memory', (memory).tenant_id, (memory).id);
create function public.embedding(evidence public.evidence_embeddings) returns jsonb
language sql stable
return stead.vector_of('evidence', (evidence).tenant_id, (evidence).id);
create function public.embedding(pattern public.pattern_embeddings) returns jsonb
language sql stable
return stead.vector_of('pattern', coalesce((pattern).tenant_id, '00000000-0000-0000-0000-000000000000'), (pattern).id);
create function public.profile_embedding(agent public.agents) returns jsonb
language sql stable
return stead.vector_of('agent', coalesce((agent).tenant_id, '00000000-0000-0000-0000-000000000000'), (agent).id);

-- The model whose vectors a query vector can be compared with: the newest of its dimensions.
create function stead.model_of_dimensions(query real[]) returns smallint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  model smallint;
begin
  if query is null or array_position(query, null) is not null then
    raise invalid_parameter_value using message = 'query_embedding is null or has a null in it';
  end if;
  select m.id into model from stead.embedding_models m
  where m.dimensions = cardinality(query) order by m.id desc limit 1;
  if model is null then
    raise invalid_parameter_value using
      message = format('query_embedding has %s dimensions', cardinality(query)),
      hint = 'There is: ' || coalesce((select string_agg(m.name || ' with ' || m.dimensions, ', ' order by m.id)
        from stead.embedding_models m), 'no vector yet');
  end if;
  return model;
end
$$;

create function stead.unit(v real[]) returns real[]
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select array_agg((x / n.length)::real order by i)
  from unnest(v) with ordinality as u (x, i),
    (select greatest(sqrt(sum(y::double precision * y)), 1e-30) as length from unnest(v) y) n
$$;

-- 004: patterns by likeness (cosine) to a vector, best first.
create function public.match_patterns(
  query_embedding real[], match_count integer default 5, filter_type text default null
)
returns table (id uuid, project_type text, metadata jsonb, success_score double precision, similarity double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  tenant uuid := stead.tenant_id();
  model smallint := stead.model_of_dimensions(query_embedding);
  probe stead.embeddings.embedding%type := stead.as_embedding(stead.unit(query_embedding));
begin
  if tenant is null then
    raise insufficient_privilege using message = 'no tenant is proven';
  end if;
  return query
  select p.id, p.project_type, p.metadata, p.success_score, stead.similarity(e.embedding, probe)
  from stead.embeddings e join public.pattern_embeddings p on p.id = e.owner_id
  where e.scope_id in (tenant, '00000000-0000-0000-0000-000000000000') and e.kind = 'pattern' and e.model_id = model
    and (filter_type is null or p.project_type = filter_type) and (p.tenant_id is null or p.tenant_id = tenant)
  order by 5 desc, p.id
  limit greatest(least(match_count, 200), 0);
end
$$;

-- Of the same shape: the caller's own memories that hold (for a service: the tenant's) by likeness to a vector.
-- filter_type is a kind: turn, fact or summary. Words count for nothing here: Stead's recall is better.
create function public.match_memories(
  query_embedding real[], match_count integer default 5, filter_type text default null
)
returns table (id uuid, kind text, content text, metadata jsonb, happened_at timestamptz, similarity double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  tenant uuid := stead.tenant_id();
  person uuid := coalesce(stead.profile_id(), stead.session_id());
  model smallint := stead.model_of_dimensions(query_embedding);
  probe stead.embeddings.embedding%type := stead.as_embedding(stead.unit(query_embedding));
begin
  -- Here the current user is this function's owner; the role that called stands in the setting.
  if tenant is null
    or (person is null and current_setting('role', true) not in ('stead_service', 'service_role')) then
    raise insufficient_privilege using message = 'nobody is proven';
  end if;
  return query
  select m.id, m.kind, m.content, m.metadata, m.happened_at, stead.similarity(e.embedding, probe)
  from stead.embeddings e join public.agent_memories m on m.id = e.owner_id
  where e.tenant_id = tenant and (person is null or e.scope_id = person) and e.kind = 'memory' and e.model_id = model
    and m.valid_to is null and m.archived_at is null and (filter_type is null or m.kind = filter_type)
    -- A session's token opens it until it is linked.
    and (person is null or m.profile_id = person or (m.profile_id is null and m.session_id = person))
  order by 6 desc, m.id
  limit greatest(least(match_count, 200), 0);
end
$$;

alter function stead.model_of_dimensions(real[]) owner to stead_definer;
alter function public.match_patterns(real[], integer, text) owner to stead_definer;
alter function public.match_memories(real[], integer, text) owner to stead_definer;
-- Older Supabase projects grant every new function of public to anon and authenticated by default.
revoke execute on function stead.model_of_dimensions(real[]), stead.unit(real[]),
  public.match_patterns(real[], integer, text), public.match_memories(real[], integer, text),
  public.embedding(public.agent_memories), public.embedding(public.evidence_embeddings),
  public.embedding(public.pattern_embeddings), public.profile_embedding(public.agents)
  from public, anon, authenticated;
grant execute on function stead.model_of_dimensions(real[]), stead.unit(real[]) to stead_definer;
grant execute on function public.match_patterns(real[], integer, text) to authenticated, stead_service, service_role;
grant execute on function public.match_memories(real[], integer, text), public.embedding(public.agent_memories)
  to anon, authenticated, stead_service, service_role;
grant execute on function public.embedding(public.evidence_embeddings), public.embedding(public.pattern_embeddings),
  public.profile_embedding(public.agents) to stead_service, service_role;
