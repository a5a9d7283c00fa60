-- Search over whatever has a text: which documents there are, their postings for BM25, how many and how long
-- they are, and the backlog of what waits for a vector. Shared by memories, goals, evidence, agents…

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- What is searchable, and how its text is read: a document can be embedded and indexed anew from this alone.
-- Only migrations write here: what stands in `source` and `content` is put into SQL.
create table stead.searchable (
  kind text primary key check (kind ~ '^[a-z_]{1,40}$'),
  source text not null,
  content text not null
);

-- Places of documents that are no turns: far above any session's, and apart, so that they have no neighbours.
create sequence stead.search_place start 4611686018427387904 increment 8;

-- Which documents a search goes through, narrow.
create table stead.search_docs (
  place bigint primary key,
  tenant_id uuid not null,
  scope_id uuid not null,
  kind text not null,
  owner_id uuid not null,
  agent_id uuid,
  -- A memory's own kind (turn, fact, summary), or whatever else a search may be narrowed to.
  facet text,
  length integer not null,
  -- The period that it tells of, and since when it holds no more.
  told_from timestamptz not null,
  told_to timestamptz not null,
  ended_at timestamptz,
  -- Its postings' keys: what has to go when it goes, whatever becomes of dictionaries meanwhile.
  terms bigint[] not null default '{}'
);
-- With all that a search of a whole scope asks of a document: it reads the index alone.
create unique index search_docs_scope_idx on stead.search_docs (tenant_id, scope_id, kind, place)
  include (owner_id, agent_id, facet, length, told_from, told_to, ended_at);
create unique index search_docs_owner_idx on stead.search_docs (kind, owner_id) where kind <> 'memory';

-- Postings. The key is a hash of collection (scope and kind) and lexeme, so that the index needs eight bytes for
-- all and keeps each key once (deduplication); a search reads exactly the postings of its collection, and counts
-- them: that is the document frequency, always right, with nothing to maintain. The index holds all of a posting:
-- the table itself is not read. The document's length is in each of its postings (which are no larger for it), so that
-- they can be weighed without their documents.
create table stead.search_terms (
  term bigint not null,
  place bigint not null,
  frequency smallint not null,
  length smallint not null
);
create unique index search_terms_term_idx on stead.search_terms (term, place) include (frequency, length);

-- How many documents a collection has and how long they are together, as differences that are summed: a counter
-- in one row would make its writers wait for each other. The maintenance loop folds them.
create table stead.search_totals (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  scope_id uuid not null,
  kind text not null,
  docs integer not null,
  length bigint not null
);
create index search_totals_scope_idx on stead.search_totals (tenant_id, scope_id, kind) include (docs, length);

-- Documents that wait for their embedding, claimed in batches by whoever embeds.
create table stead.embedding_backlog (
  kind text not null,
  owner_id uuid not null,
  tenant_id uuid not null,
  scope_id uuid not null,
  place bigint not null,
  claimed_until timestamptz,
  attempts smallint not null default 0,
  created_at timestamptz not null default now(),
  primary key (kind, owner_id)
);
create index embedding_backlog_due_idx on stead.embedding_backlog (claimed_until nulls first, created_at);
create index embedding_backlog_tenant_idx on stead.embedding_backlog (tenant_id);

-- How far the documents of each kind have been looked through for vectors of a model.
create table stead.reindexing (
  model_id smallint not null references stead.embedding_models (id) on delete cascade,
  kind text not null references stead.searchable (kind) on delete cascade,
  after_place bigint not null default -1,
  finished_at timestamptz,
  primary key (model_id, kind)
);
create index reindexing_kind_idx on stead.reindexing (kind);

create function stead.collection(kind text, scope uuid) returns uuid
language sql immutable parallel safe
return case when kind = 'memory' then scope else md5(kind || scope::text)::uuid end;

create function stead.term_key(collection uuid, lexeme text) returns bigint
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select hashtextextended(lexeme, hashtextextended(collection::text, 0)) $$;

create function stead.search_config(tenant uuid) returns regconfig
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    (select t.search_config::regconfig from public.tenants t where t.id = tenant), 'pg_catalog.simple')
$$;

-- What of a document is indexed: who said it, when, and what. The speaker counts twice: questions name people
-- more often than turns do. Two marks that the parser never gives as words, and that count for no length:
-- `@anna` for each of the speaker's names, and `?` where it mostly asks.
create function stead.document_lexemes(
  config regconfig, speaker text, happened_at timestamptz, content text
)
returns table (lexeme text, frequency smallint, counted smallint)
language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select u.lexeme, f.n, f.n
  from unnest(to_tsvector(config, coalesce(speaker || ' ' || speaker || ' ', '')
    || coalesce(to_char(happened_at at time zone 'UTC', 'FMDay FMDD FMMonth YYYY') || ' ', '') || content)) u
  cross join lateral (select least(coalesce(array_length(u.positions, 1), 1), 255)::smallint) f (n)
  union all
  select '@' || u.lexeme, 1::smallint, 0::smallint from unnest(to_tsvector(config, speaker)) u
  union all
  select '?', 1::smallint, 0::smallint
  where happened_at is not null
    and 2 * length(regexp_replace(content, '[^.!?？؟\n]*[?？؟]', '', 'g')) < length(content)
$$;

-- One document of a kind other than memory into the index, with a place in the backlog of vectors.
create function stead.search_put(kind text, tenant uuid, scope uuid, owner uuid, content text, facet text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  spot bigint := nextval('stead.search_place');
  total integer;
  keys bigint[];
begin
  with written as (
    insert into stead.search_terms (term, place, frequency, length)
    select stead.term_key(stead.collection(search_put.kind, scope), l.lexeme), spot, l.frequency,
      least(sum(l.frequency) over (), 32767)
    from stead.document_lexemes(stead.search_config(tenant), null, null, coalesce(content, '')) l
    on conflict do nothing
    returning term, frequency
  )
  select coalesce(sum(frequency), 0), coalesce(array_agg(term), '{}') into total, keys from written;
  insert into stead.search_docs
    (place, tenant_id, scope_id, kind, owner_id, facet, length, told_from, told_to, terms)
  values (spot, tenant, scope, search_put.kind, owner, search_put.facet, total, now(), now(), keys);
  insert into stead.search_totals (tenant_id, scope_id, kind, docs, length)
  values (tenant, scope, search_put.kind, 1, total);
  insert into stead.embedding_backlog (kind, owner_id, tenant_id, scope_id, place)
  values (search_put.kind, owner, tenant, scope, spot)
  on conflict (kind, owner_id) do update
    set tenant_id = excluded.tenant_id, scope_id = excluded.scope_id, place = excluded.place, claimed_until = null,
      attempts = 0;
end
$$;

create function stead.search_drop(kind text, owner uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- The backlog first: who is about to store a vector has taken it from there, and is waited for.
  delete from stead.embedding_backlog b where b.kind = search_drop.kind and b.owner_id = owner;
  with gone as (
    delete from stead.search_docs d where d.kind = search_drop.kind and d.owner_id = owner
    returning d.place, d.tenant_id, d.scope_id, d.length, d.terms
  ),
  terms as (
    delete from stead.search_terms t using gone g cross join lateral unnest(g.terms) as k (term)
    where t.term = k.term and t.place = g.place
  ),
  vectors as (
    delete from stead.embeddings e using gone g
    where e.tenant_id = g.tenant_id and e.kind = search_drop.kind and e.owner_id = owner
  )
  insert into stead.search_totals (tenant_id, scope_id, kind, docs, length)
  select g.tenant_id, g.scope_id, search_drop.kind, -1, -g.length from gone g;
end
$$;

-- The trigger of a searchable table. Arguments: its kind, the column of its scope, the column that narrows a
-- search (or ''), and the columns whose text is indexed. Where there is no tenant it is the shared catalogue's.
create function stead.index_document() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  watched text[] := tg_argv[1:];
begin
  if tg_op = 'UPDATE' and not exists (
    select from unnest(array['tenant_id'] || watched) as c (name)
    where c.name <> '' and before -> c.name is distinct from after -> c.name)
  then
    return null;
  end if;
  if before is not null then
    perform stead.search_drop(tg_argv[0], (before ->> 'id')::uuid);
  end if;
  if after is not null then
    perform stead.search_put(
      tg_argv[0],
      coalesce((after ->> 'tenant_id')::uuid, nobody),
      coalesce((after ->> tg_argv[1])::uuid, (after ->> 'tenant_id')::uuid, nobody),
      (after ->> 'id')::uuid,
      (select string_agg(after ->> c.name, ' ' order by c.n)
       from unnest(tg_argv[3:]) with ordinality as c (name, n) where after ->> c.name is not null),
      case when tg_argv[2] <> '' then after ->> tg_argv[2] end);
  end if;
  return null;
end
$$;

-- The texts of documents, for whoever embeds them.
create function stead.document_texts(wanted_kind text, owners uuid[])
returns table (owner_id uuid, content text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  how stead.searchable;
begin
  select * into how from stead.searchable s where s.kind = wanted_kind;
  if how.kind is null then
    return;
  end if;
  return query execute format('select id, %s from %s where id = any ($1)', how.content, how.source)
    using owners;
end
$$;

create function stead.claim_embedding_backlog(batch integer, lease_s double precision)
returns table (kind text, owner_id uuid, tenant_id uuid, scope_id uuid, content text, ticket timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  claimed record;
begin
  for claimed in
    with due as (
      select b.kind, b.owner_id from stead.embedding_backlog b
      where b.claimed_until is null or b.claimed_until < now()
      order by b.claimed_until nulls first, b.created_at
      limit batch
      for update skip locked
    ),
    taken as (
      update stead.embedding_backlog b
      set claimed_until = clock_timestamp() + make_interval(secs => lease_s * (1 + b.attempts)),
        attempts = least(b.attempts + 1, 100)
      from due d where b.kind = d.kind and b.owner_id = d.owner_id
      returning b.*
    )
    select t.kind as what, array_agg(t.owner_id) as owners, array_agg(t.tenant_id) as tenants,
      array_agg(t.scope_id) as scopes, array_agg(t.claimed_until) as tickets
    from taken t group by t.kind
  loop
    return query
      select claimed.what, x.owner, x.tenant, x.scope, d.content, x.ticket
      from unnest(claimed.owners, claimed.tenants, claimed.scopes, claimed.tickets)
        as x (owner, tenant, scope, ticket)
      join stead.document_texts(claimed.what, claimed.owners) d on d.owner_id = x.owner;
  end loop;
end
$$;

-- Stores vectors of claimed documents. What was changed or deleted since, or claimed by somebody else after the
-- lease, has another ticket or none, and is left alone.
create function stead.store_embeddings(
  kinds text[], owners uuid[], tickets timestamptz[], model smallint, vectors real[]
) returns integer
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with given as (
    select u.kind, u.owner_id, u.ticket, u.n, array_length(vectors, 2) as dimensions
    from unnest(kinds, owners, tickets) with ordinality as u (kind, owner_id, ticket, n)
  ),
  done as (
    delete from stead.embedding_backlog b using given g
    where b.kind = g.kind and b.owner_id = g.owner_id and b.claimed_until = g.ticket
    returning b.kind, b.owner_id, b.tenant_id, b.scope_id, b.place, g.n, g.dimensions
  ),
  written as (
    insert into stead.embeddings (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
    select d.tenant_id, d.kind, d.owner_id, d.scope_id, model, d.place, stead.as_embedding(
      (select array_agg(v order by i) from unnest(vectors[d.n:d.n][1:d.dimensions]) with ordinality u (v, i)))
    from done d
    on conflict (tenant_id, kind, owner_id, model_id) do update
      set embedding = excluded.embedding, scope_id = excluded.scope_id, place = excluded.place
    returning 1
  )
  select count(*)::integer from written
$$;

-- Puts documents without a vector of this model into the backlog, some at a time. Returns how many were looked
-- at; 0: every document that was there when it began has one or waits for one.
create function stead.reindex_step(model smallint, batch integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  work stead.reindexing;
  last_place bigint;
  looked integer;
begin
  insert into stead.reindexing (model_id, kind)
  select model, s.kind from stead.searchable s
  on conflict do nothing;
  select * into work from stead.reindexing r
    where r.model_id = model and r.finished_at is null order by r.kind limit 1 for update skip locked;
  if work.kind is null then
    return 0;
  end if;
  with page as (
    select d.place, d.kind, d.owner_id, d.tenant_id, d.scope_id from stead.search_docs d
    where d.place > work.after_place order by d.place limit batch
  ),
  queued as (
    insert into stead.embedding_backlog (kind, owner_id, tenant_id, scope_id, place)
    select p.kind, p.owner_id, p.tenant_id, p.scope_id, p.place from page p
    where p.kind = work.kind and not exists (
      select from stead.embeddings e where e.tenant_id = p.tenant_id and e.kind = p.kind
        and e.owner_id = p.owner_id and e.model_id = model)
    on conflict do nothing
  )
  select max(p.place), count(*) into last_place, looked from page p;
  update stead.reindexing r
  set after_place = coalesce(last_place, r.after_place),
    finished_at = case when looked < batch then now() end
  where r.model_id = model and r.kind = work.kind;
  return greatest(looked, 1);
end
$$;

-- Deletes vectors of models that nobody searches any more, some at a time.
create function stead.forget_embedding_model(model_name text, batch integer) returns integer
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with old as (
    select e.ctid from stead.embeddings e
    where e.model_id = (select m.id from stead.embedding_models m where m.name = model_name) limit batch
  ),
  gone as (delete from stead.embeddings e using old o where e.ctid = o.ctid returning 1),
  begun as (
    delete from stead.reindexing r
    where r.model_id = (select m.id from stead.embedding_models m where m.name = model_name)
  )
  select count(*)::integer from gone
$$;

-- Folds the differences of collections that have many into one row each.
create function stead.fold_search_totals(many integer, batch integer) returns integer
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with grown as (
    select t.tenant_id, t.scope_id, t.kind from stead.search_totals t
    group by 1, 2, 3 having count(*) > many limit batch
  ),
  picked as (
    select t.id from stead.search_totals t join grown g using (tenant_id, scope_id, kind)
    for update of t skip locked
  ),
  taken as (
    delete from stead.search_totals t using picked p where t.id = p.id
    returning t.tenant_id, t.scope_id, t.kind, t.docs, t.length
  ),
  folded as (
    insert into stead.search_totals (tenant_id, scope_id, kind, docs, length)
    select t.tenant_id, t.scope_id, t.kind, sum(t.docs), sum(t.length) from taken t
    group by 1, 2, 3 having sum(t.docs) <> 0 or sum(t.length) <> 0
    returning 1
  )
  select count(*)::integer from taken
$$;

-- May the caller search this scope? Its own person or session, its tenant, or any of its tenant as the service.
-- The tenant is compared by each search itself.
create function stead.may_search(scope uuid) returns boolean
language sql stable
return coalesce(
  scope = stead.profile_id() or scope = stead.session_id() or scope = stead.tenant_id()
    or not (stead.claims() ?| array['sub', 'stead_session']), false);

-- Documents of a kind for a question: BM25 (k1 = 0.9, b = 0.5) and likeness of meaning, each divided by its best
-- and added with weights. Exact; for collections of tens of thousands. Shared: also those of the catalogue that
-- every tenant sees.
create function stead.hybrid_search(
  kind text, scope uuid, question text, vector real[], model smallint, weights real[], wanted integer,
  facet text, shared boolean
)
returns table (owner_id uuid, score double precision, dense double precision, lexical double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set enable_nestloop = off set max_parallel_workers_per_gather = 0 set jit = off
as $$
#variable_conflict use_column
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  tenant uuid := stead.tenant_id();
  what text := hybrid_search.kind;
  narrowed text := hybrid_search.facet;
  probe stead.embeddings.embedding%type := stead.as_embedding(vector);
begin
  if tenant is null or not stead.may_search(scope) then
    raise insufficient_privilege using message = 'not the documents of this caller';
  end if;
  -- Without statistics of a scope, nested loops look cheap and are not: ten thousand documents by ten thousand
  -- vectors. Only what is looked up by index is joined so, which `lateral … offset 0` says.
  return query
  with places as (
    select tenant as tenant_id, hybrid_search.scope as scope_id
    union all select nobody, nobody where hybrid_search.shared
  ),
  docs as materialized (
    select d.place, d.owner_id, d.length::double precision as length
    from places p cross join lateral (
      select x.place, x.owner_id, x.length from stead.search_docs x
      where x.tenant_id = p.tenant_id and x.scope_id = p.scope_id and x.kind = what
        and (narrowed is null or x.facet = narrowed) offset 0
    ) d
  ),
  size as materialized (select count(*)::double precision as n, greatest(avg(d.length), 1) as mean from docs d),
  terms as (
    select l.lexeme, stead.term_key(stead.collection(what, p.scope_id), l.lexeme) as term
    from unnest(to_tsvector(stead.search_config(tenant), question)) l cross join places p
  ),
  hits as materialized (
    select t.lexeme, p.place, p.frequency::double precision as frequency, d.length
    from terms t cross join lateral (
      select x.place, x.frequency from stead.search_terms x where x.term = t.term offset 0
    ) p join docs d on d.place = p.place
  ),
  rarity as (
    select h.lexeme, ln(1 + (s.n - count(*) + 0.5::double precision) / (count(*) + 0.5::double precision)) as idf
    from hits h cross join size s group by h.lexeme, s.n
  ),
  words as materialized (
    select h.place,
      sum(r.idf * h.frequency / (h.frequency + 0.45::double precision * (1 + h.length / s.mean))) as lexical
    from hits h join rarity r using (lexeme) cross join size s group by h.place
  ),
  near as materialized (
    select d.place, greatest(stead.similarity(e.embedding, probe), 0) as dense
    from places p cross join lateral (
      select x.owner_id, x.embedding from stead.embeddings x
      where x.tenant_id = p.tenant_id and x.scope_id = p.scope_id and x.kind = what
        and x.model_id = hybrid_search.model offset 0
    ) e join docs d on d.owner_id = e.owner_id
    where probe is not null
  ),
  best as (
    select (select nullif(max(n.dense), 0) from near n) as dense,
      (select nullif(max(w.lexical), 0) from words w) as lexical
  )
  select d.owner_id,
    coalesce(weights[1] * n.dense / b.dense, 0) + coalesce(weights[2] * w.lexical / b.lexical, 0) as score,
    n.dense, w.lexical
  from docs d left join words w on w.place = d.place left join near n on n.place = d.place cross join best b
  order by score desc, d.place desc
  limit wanted;
end
$$;

do $$
declare
  t text;
begin
  foreach t in array array['searchable', 'search_docs', 'search_terms', 'search_totals', 'embedding_backlog',
    'reindexing']
  loop
    execute format('alter table stead.%I enable row level security', t);
    execute format('alter table stead.%I force row level security', t);
    execute format('grant select, insert, update, delete on stead.%I to stead_definer', t);
    execute format('create policy stead_definer_access on stead.%I to stead_definer using (true) with check (true)', t);
  end loop;
end
$$;
grant usage on sequence stead.search_place to stead_definer;

alter function stead.search_config(uuid) owner to stead_definer;
alter function stead.search_put(text, uuid, uuid, uuid, text, text) owner to stead_definer;
alter function stead.search_drop(text, uuid) owner to stead_definer;
alter function stead.index_document() owner to stead_definer;
alter function stead.document_texts(text, uuid[]) owner to stead_definer;
alter function stead.claim_embedding_backlog(integer, double precision) owner to stead_definer;
alter function stead.store_embeddings(text[], uuid[], timestamptz[], smallint, real[]) owner to stead_definer;
alter function stead.reindex_step(smallint, integer) owner to stead_definer;
alter function stead.forget_embedding_model(text, integer) owner to stead_definer;
alter function stead.fold_search_totals(integer, integer) owner to stead_definer;
alter function stead.hybrid_search(text, uuid, text, real[], smallint, real[], integer, text, boolean)
  owner to stead_definer;
revoke execute on function stead.collection(text, uuid), stead.term_key(uuid, text), stead.search_config(uuid),
  stead.document_lexemes(regconfig, text, timestamptz, text),
  stead.search_put(text, uuid, uuid, uuid, text, text), stead.search_drop(text, uuid), stead.index_document(),
  stead.document_texts(text, uuid[]), stead.claim_embedding_backlog(integer, double precision),
  stead.store_embeddings(text[], uuid[], timestamptz[], smallint, real[]), stead.reindex_step(smallint, integer),
  stead.forget_embedding_model(text, integer), stead.fold_search_totals(integer, integer), stead.may_search(uuid),
  stead.hybrid_search(text, uuid, text, real[], smallint, real[], integer, text, boolean)
  from public;
grant execute on function stead.collection(text, uuid), stead.term_key(uuid, text), stead.search_config(uuid),
  stead.document_lexemes(regconfig, text, timestamptz, text), stead.may_search(uuid) to stead_definer;
grant execute on function stead.claim_embedding_backlog(integer, double precision),
  stead.store_embeddings(text[], uuid[], timestamptz[], smallint, real[]), stead.reindex_step(smallint, integer),
  stead.forget_embedding_model(text, integer), stead.fold_search_totals(integer, integer),
  stead.hybrid_search(text, uuid, text, real[], smallint, real[], integer, text, boolean) to stead_service;
