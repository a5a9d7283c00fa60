-- One narrow table for every vector: several models and dimensions side by side, re-embedding without DDL.
-- With pgvector (0.7 or later) the column is halfvec, without it real[]; what calls `stead.similarity` and
-- `stead.as_embedding` notices no difference. Nothing else may depend on the column's type: `stead db vectorize`
-- changes it later. Who wants real[] although pgvector is there (tests do) sets `stead.without_pgvector` to `on`
-- for the session or the database that is migrated.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table stead.embedding_models (
  id smallint generated always as identity primary key,
  name text not null unique check (length(name) between 1 and 200),
  dimensions integer not null check (dimensions between 1 and 4000),
  created_at timestamptz not null default now()
);

do $$
begin
  if current_setting('stead.without_pgvector', true) = 'on' then
    return;
  end if;
  if exists (select from pg_available_extensions where name = 'vector') then
    create schema if not exists extensions;
    create extension if not exists vector with schema extensions;
  end if;
exception when insufficient_privilege then
  raise warning 'pgvector is there but may not be created by this login: vectors are kept as real[]';
end;
$$;

do $$
declare
  home text := (
    select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'vector' and current_setting('stead.without_pgvector', true) is distinct from 'on'
      and exists (select from pg_type t where t.typname = 'halfvec' and t.typnamespace = n.oid)
  );
begin
  execute format(
    'create table stead.embeddings (
       -- No foreign keys: the owner''s trigger takes a vector along when it goes, and the shared catalogue has
       -- no tenant (its vectors have the nil UUID).
       tenant_id uuid not null,
       kind text not null,
       owner_id uuid not null,
       scope_id uuid not null,
       model_id smallint not null references stead.embedding_models (id),
       -- Where its owner stands: recall finds vectors of memories, and those beside them, by place.
       place bigint check (kind <> ''memory'' or place is not null),
       embedding %s not null,
       primary key (tenant_id, kind, owner_id, model_id)
     )',
    case when home is null then 'real[]' else home || '.halfvec' end);
  -- Not compressed, not moved out of line: a distance needs every byte of it. But real[] takes twice the room,
  -- and from 2,000 dimensions on must be moved where it does not fit a page.
  if home is null then
    alter table stead.embeddings alter column embedding set storage main;
  else
    alter table stead.embeddings alter column embedding set storage plain;
  end if;
  -- The scope first: with the tenant first it would pass, while there are no statistics yet, for a way to find an
  -- owner's vectors, and read all of the tenant's.
  create index embeddings_scope_idx on stead.embeddings (scope_id, kind, model_id, tenant_id, place);

  if home is null then
    -- Eight at a time: three times as fast as the sum over unnest.
    execute $f$
      create function stead.similarity(a real[], b real[]) returns double precision
      language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp
      as $b$
      declare
        n constant integer := array_length(a, 1);
        total double precision := 0;
        i integer := 1;
      begin
        while i + 7 <= n loop
          total := total + a[i]::double precision * b[i] + a[i + 1]::double precision * b[i + 1]
            + a[i + 2]::double precision * b[i + 2] + a[i + 3]::double precision * b[i + 3]
            + a[i + 4]::double precision * b[i + 4] + a[i + 5]::double precision * b[i + 5]
            + a[i + 6]::double precision * b[i + 6] + a[i + 7]::double precision * b[i + 7];
          i := i + 8;
        end loop;
        while i <= n loop
          total := total + a[i]::double precision * b[i];
          i := i + 1;
        end loop;
        return total;
      end
      $b$
    $f$;
    execute $f$ create function stead.as_embedding(v real[]) returns real[]
      language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $b$ select v $b$ $f$;
  else
    execute format($f$
      create function stead.similarity(a %1$s.halfvec, b %1$s.halfvec) returns double precision
      language sql immutable parallel safe
      return - (a operator(%1$s.<#>) b)
    $f$, home);
    -- For a search that made its probe just before `stead db vectorize` and compares it just after.
    execute format($f$
      create function stead.similarity(a %1$s.halfvec, b real[]) returns double precision
      language sql immutable parallel safe
      return - (a operator(%1$s.<#>) b::%1$s.halfvec)
    $f$, home);
    execute format($f$ create function stead.as_embedding(v real[]) returns %1$s.halfvec
      language sql immutable parallel safe
      return v::%1$s.halfvec $f$, home);
    execute format('grant usage on schema %s to stead_definer', home);
  end if;
end
$$;

-- Which scopes have earned an HNSW index, and what it is called.
create table stead.vector_indexes (
  name text primary key check (name ~ '^embeddings_hnsw_[0-9a-f]{16}$'),
  tenant_id uuid not null,
  scope_id uuid not null,
  kind text not null check (kind ~ '^[a-z_]{1,40}$'),
  model_id smallint not null references stead.embedding_models (id),
  dimensions integer not null,
  -- The schema of pgvector, quoted where it has to be.
  home text not null,
  ready boolean not null default false,
  created_at timestamptz not null default now(),
  unique (tenant_id, scope_id, kind, model_id)
);
create index vector_indexes_model_idx on stead.vector_indexes (model_id);

-- The number of a model, made at first use. A name always stands for one number of dimensions.
create function stead.embedding_model(model_name text, model_dimensions integer) returns smallint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_id smallint;
  found_dimensions integer;
begin
  select id, dimensions into found_id, found_dimensions from stead.embedding_models where name = model_name;
  if found_id is null then
    insert into stead.embedding_models as m (name, dimensions) values (model_name, model_dimensions)
    on conflict (name) do update set name = excluded.name
    returning m.id, m.dimensions into found_id, found_dimensions;
  end if;
  if found_dimensions <> model_dimensions then
    raise check_violation using message = format(
      'embedding model %s has %s dimensions here, not %s', model_name, found_dimensions, model_dimensions);
  end if;
  return found_id;
end
$$;

alter table stead.vector_indexes enable row level security;
alter table stead.vector_indexes force row level security;
grant select, insert, update, delete on stead.vector_indexes to stead_definer;
create policy stead_definer_access on stead.vector_indexes to stead_definer using (true) with check (true);
alter table stead.embedding_models enable row level security;
alter table stead.embedding_models force row level security;
alter table stead.embeddings enable row level security;
alter table stead.embeddings force row level security;
grant select, insert, update on stead.embedding_models to stead_definer;
grant select, insert, update, delete on stead.embeddings to stead_service, stead_definer;
create policy stead_definer_access on stead.embedding_models to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.embeddings to stead_service
  using (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id()) or (select stead.is_tenant_service())));
create policy stead_definer_access on stead.embeddings to stead_definer using (true) with check (true);

alter function stead.embedding_model(text, integer) owner to stead_definer;
do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc
    where pronamespace = 'stead'::regnamespace and proname in ('similarity', 'as_embedding', 'embedding_model')
  loop
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to stead_service, stead_definer', f);
  end loop;
end
$$;
