-- Which collections have earned an HNSW index. The indexes themselves are made by the owner, outside any
-- transaction (`stead db index`, or the worker where it knows the owner's URL).

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Collections of more than `large` documents with their vectors of this model, and those that have an index
-- (of any model): how many there are. Vectors are counted up to one more than `large`. Only the search of memories
-- reads from an index; the other kinds are searched exactly.
create function stead.large_collections(large integer, model_name text)
returns table (tenant_id uuid, scope_id uuid, kind text, model_id smallint, dimensions integer, documents bigint,
  vectors bigint, index_name text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with sized as materialized (
    select t.tenant_id, t.scope_id, t.kind, sum(t.docs) as documents from stead.search_totals t
    where t.kind = 'memory' group by t.tenant_id, t.scope_id, t.kind
  ),
  wanted as (
    select s.tenant_id, s.scope_id, s.kind, m.id as model_id, m.dimensions
    from sized s cross join stead.embedding_models m where s.documents > large and m.name = model_name
    union
    select v.tenant_id, v.scope_id, v.kind, v.model_id, v.dimensions from stead.vector_indexes v
  )
  select w.tenant_id, w.scope_id, w.kind, w.model_id, w.dimensions, coalesce(s.documents, 0)::bigint, c.vectors, v.name
  from wanted w
  left join sized s using (tenant_id, scope_id, kind)
  left join stead.vector_indexes v using (tenant_id, scope_id, kind, model_id)
  cross join lateral (
    select count(*) as vectors from (
      select from stead.embeddings e
      where e.tenant_id = w.tenant_id and e.scope_id = w.scope_id and e.kind = w.kind and e.model_id = w.model_id
      limit large + 1
    ) x
  ) c
$$;

-- How many collections wait for an index: for servers that may not make one, and can only say so.
create function stead.unindexed_collections(large integer, model_name text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case when pg_typeof(stead.as_embedding('{1}')) = 'real[]'::regtype then 0 else (
    select count(*) from stead.large_collections(large, model_name) c
    where c.index_name is null and c.vectors > large
  ) end
$$;

alter function stead.large_collections(integer, text) owner to stead_definer;
alter function stead.unindexed_collections(integer, text) owner to stead_definer;
revoke execute on function stead.large_collections(integer, text), stead.unindexed_collections(integer, text)
  from public;
grant execute on function stead.unindexed_collections(integer, text) to stead_service;
