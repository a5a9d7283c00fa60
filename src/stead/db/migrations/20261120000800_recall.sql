-- Recall: one function, one round trip. It reads its tenant from the claims and is executable by Stead's
-- own role only; row-level security cannot serve here, because the operators of search are not leakproof
-- and would be kept from their indexes.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Scores memories of a scope: all of them, or only these places (with what stands beside them).
--
-- Lexical arms: Okapi BM25 (Robertson and Zaragoza 2009, eq. 3.15; k1 = 0.9, b = 0.5) over a turn alone, over
-- a turn with the one before it (a short answer, "Yes, the blue one", is found by its question), and over a
-- window of two neighbours on each side; always with the document frequency of the single turn, and a window's
-- length taken for that of its middle and average neighbours (reading theirs made no difference to what was found).
-- Dense arms: inner product of unit vectors; and the inner product with the sum of a turn's vector and its two
-- neighbours', scaled to unit length.
-- Fusion: each arm divided by its best score, then a weighted sum. The arms are correlated, where sums of
-- normalised scores keep how much better the best is; rank fusion throws that away.
-- Factors, all bounded: a long turn tells more than a short one; one that mostly asks answers little; one said by
-- somebody whom the question names, or that tells of the time that it names, is more likely meant.
--
-- weights: dense, dense_near, lexical, lexical_near, lexical_wide, length, asking, speaker, period.
create function stead.score_memories(
  tenant uuid, scope uuid, agent uuid, facets text[], lexemes text[], vector real[], model smallint,
  weights real[], period_from timestamptz, period_to timestamptz, as_of timestamptz,
  places bigint[], eligible boolean[], rarities double precision[], mean_length double precision, wanted integer
)
returns table (memory_id uuid, place bigint, score double precision, dense double precision,
  dense_near double precision, lexical double precision, lexical_near double precision,
  lexical_wide double precision, named boolean, timely boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
-- One plan for all scopes, made once a connection: making it costs more than running it for most. What that plan
-- must not do is chosen here instead: looping over estimates of one row. Where an index has to be probed the
-- statement says so itself (lateral … offset 0). No parallel workers and no compilation: both cost more than the
-- few milliseconds that the query takes.
set plan_cache_mode = force_generic_plan set enable_nestloop = off set max_parallel_workers_per_gather = 0
set jit = off
as $$
#variable_conflict use_column
declare
  -- Converted once: in a plan for all questions it would be once a row.
  probe constant stead.embeddings.embedding%type := stead.as_embedding(vector);
  question_mark constant bigint := stead.term_key(score_memories.scope, '?');
begin
  -- Everything is double precision: numeric arithmetic was half of the time, and is what `2.2` or an average of
  -- integers silently brings. Of two branches with a test of `places` one is never begun.
  return query
  with terms as materialized (
    select t.n, stead.term_key(score_memories.scope, t.lexeme) as term,
      stead.term_key(score_memories.scope, '@' || t.lexeme) as speaker
    from unnest(lexemes) with ordinality as t (lexeme, n)
  ),
  docs as materialized (
    select d.place, d.owner_id, d.agent_id, d.facet, d.told_from, d.told_to, d.ended_at, d.terms, d.eligible,
      d.length::double precision as length0
    from (
      select s.place, s.owner_id, s.agent_id, s.facet, s.told_from, s.told_to, s.ended_at, s.length,
        null::bigint[] as terms, true as eligible
      from stead.search_docs s
      where places is null and s.tenant_id = score_memories.tenant and s.scope_id = score_memories.scope
        and s.kind = 'memory'
      union all
      select s.place, s.owner_id, s.agent_id, s.facet, s.told_from, s.told_to, s.ended_at, s.length, s.terms,
        p.eligible
      from unnest(places, eligible) as p (place, eligible)
      cross join lateral (
        select x.* from stead.search_docs x where x.place = p.place offset 0
      ) s
      where places is not null and s.tenant_id = score_memories.tenant and s.scope_id = score_memories.scope
    ) d
  ),
  size as materialized (
    select count(*)::double precision as n, greatest(coalesce(mean_length, avg(d.length0)), 1) as mean0
    from docs d
  ),
  hits as materialized (
    select t.n, p.place, p.frequency::double precision as frequency
    from terms t cross join lateral (
      select x.place, x.frequency from stead.search_terms x where x.term = t.term offset 0
    ) p
    where places is null
    union all
    select t.n, d.place, p.frequency
    from docs d join terms t on t.term = any (d.terms)
    cross join lateral (
      select x.frequency from stead.search_terms x where x.term = t.term and x.place = d.place offset 0
    ) p
    where places is not null
  ),
  rarity as materialized (
    select h.n, ln(1 + (s.n - count(*) + 0.5::double precision) / (count(*) + 0.5::double precision)) as idf
    from hits h cross join size s where rarities is null group by h.n, s.n
    union all
    select r.n, r.idf from unnest(rarities) with ordinality as r (idf, n) where rarities is not null
  ),
  spread as (
    select h.n, h.place + o.step as place,
      sum(case when o.step = 0 then h.frequency else 0 end) as f0,
      sum(case when o.step between 0 and 1 then h.frequency else 0 end) as f1,
      sum(h.frequency) as f2
    from hits h cross join (values (-2), (-1), (0), (1), (2)) as o (step)
    group by h.n, h.place + o.step
  ),
  -- BM25's factor k1 + 1 is left out: it is the same for all and falls out when an arm is normalised.
  lexical as materialized (
    select d.place,
      sum(r.idf * s.f0 / (s.f0 + 0.45::double precision * (1 + d.length0 / z.mean0))) as b0,
      sum(r.idf * s.f1 / (s.f1 + 0.45::double precision * (1 + (d.length0 + z.mean0) / (2 * z.mean0)))) as b1,
      sum(r.idf * s.f2 / (s.f2 + 0.45::double precision * (1 + (d.length0 + 4 * z.mean0) / (5 * z.mean0)))) as b2
    from spread s join docs d on d.place = s.place join rarity r on r.n = s.n cross join size z
    group by d.place
  ),
  vectors as (
    select d.place, e.embedding
    from docs d join stead.embeddings e on e.owner_id = d.owner_id
    where places is null and probe is not null and e.tenant_id = score_memories.tenant
      and e.scope_id = score_memories.scope and e.kind = 'memory' and e.model_id = score_memories.model
    union all
    select d.place, e.embedding
    from docs d cross join lateral (
      select x.embedding from stead.embeddings x
      where x.tenant_id = score_memories.tenant and x.kind = 'memory' and x.owner_id = d.owner_id
        and x.model_id = score_memories.model offset 0
    ) e
    where places is not null and probe is not null
  ),
  near as materialized (
    select v.place, greatest(stead.similarity(v.embedding, probe), 0) as similarity,
      case when lag(v.place) over w = v.place - 1
        then stead.similarity(v.embedding, lag(v.embedding) over w) end as bond
    from vectors v
    window w as (order by v.place)
  ),
  around as materialized (
    select m.place, m.similarity, (m.similarity + m.before + m.after) / sqrt(greatest(m.size, 1)) as joint
    from (
      select n.place, n.similarity,
        case when n.bond is null then 0 else lag(n.similarity) over w end as before,
        case when lead(n.bond) over w is null then 0 else lead(n.similarity) over w end as after,
        -- The square of the sum's length. What the two neighbours have in common is taken for the mean of
        -- what each has with the turn.
        1 + case when n.bond is null then 0 else 1 + 2 * n.bond end
          + case when lead(n.bond) over w is null then 0 else 1 + 2 * lead(n.bond) over w end
          + coalesce(n.bond + lead(n.bond) over w, 0) as size
      from near n window w as (order by n.place)
    ) m
  ),
  best as materialized (
    select (select nullif(max(a.similarity), 0) from around a) as dense,
      (select nullif(max(a.joint), 0) from around a) as joint,
      nullif(max(l.b0), 0) as b0, nullif(max(l.b1), 0) as b1, nullif(max(l.b2), 0) as b2
    from lexical l
  ),
  asking as materialized (
    select p.place from stead.search_terms p where p.term = question_mark and places is null
    union all
    select d.place from docs d where places is not null and question_mark = any (d.terms)
  ),
  speakers as materialized (
    select p.place from terms t cross join lateral (
      select x.place from stead.search_terms x where x.term = t.speaker offset 0
    ) p
    where places is null
    union
    select d.place from docs d join terms t on t.speaker = any (d.terms)
    where places is not null
  ),
  -- Where everybody whom the question names said everything, naming says nothing.
  told as (
    select d.place, d.owner_id, d.length0,
      sp.place is not null as named, q.place is not null as asks,
      coalesce(d.told_from < period_to, true) and coalesce(d.told_to >= period_from, true)
        and (period_from is not null or period_to is not null)
        or d.ended_at is not null and coalesce(d.ended_at > period_from, true)
          and coalesce(d.told_from < period_to, true) as timely
    from docs d
    left join asking q on q.place = d.place
    left join speakers sp on sp.place = d.place
    where (score_memories.agent is null or d.agent_id is null or d.agent_id = score_memories.agent)
      and (facets is null or d.facet = any (facets))
      and d.eligible
      and (as_of is null or d.told_from <= as_of)
      and (d.ended_at is null or d.ended_at > as_of
        or (as_of is null and (period_from is not null or period_to is not null)
          and coalesce(d.ended_at > period_from, true) and coalesce(d.told_from < period_to, true)))
  )
  select t.owner_id, t.place,
    (coalesce(weights[1] * a.similarity / b.dense, 0) + coalesce(weights[2] * a.joint / b.joint, 0)
      + coalesce(weights[3] * l.b0 / b.b0, 0) + coalesce(weights[4] * l.b1 / b.b1, 0)
      + coalesce(weights[5] * l.b2 / b.b2, 0))
    * (1 + weights[6] * t.length0 / (t.length0 + 20) - case when t.asks then weights[7] else 0 end)
    * (1 + case when t.named then weights[8] else 0 end + case when t.timely then weights[9] else 0 end) as score,
    a.similarity, a.joint, l.b0, l.b1, l.b2, t.named, t.timely
  from told t
  left join lexical l on l.place = t.place
  left join around a on a.place = t.place
  cross join best b
  order by score desc, t.place desc
  limit wanted;
end
$$;

-- Places worth scoring in a scope too large to be read whole: by its words the rarest first, as long as their
-- postings are few; by meaning from an HNSW index where there is one; with two neighbours on each side.
create function stead.memory_candidates(
  tenant uuid, scope uuid, lexemes text[], vector real[], model smallint, documents double precision,
  out places bigint[], out eligible boolean[], out rarities double precision[]
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan set max_parallel_workers_per_gather = 0 set jit = off
as $$
#variable_conflict use_variable
declare
  most_of_a_word constant integer := 6000;
  most_of_all constant integer := 12000;
  from_words constant integer := 80;
  from_meaning constant integer := 80;
  terms bigint[];
  counts integer[];
  found bigint[];
  index_dimensions integer;
begin
  select array_agg(stead.term_key(scope, l.lexeme) order by l.n) into terms
  from unnest(lexemes) with ordinality as l (lexeme, n);
  -- Counted up to a limit: beyond it a word is common, and how common makes little difference.
  select array_agg(c.n order by t.n) into counts
  from unnest(terms) with ordinality as t (term, n)
  cross join lateral (
    select count(*)::integer as n
    from (select from stead.search_terms x where x.term = t.term limit most_of_a_word) y
  ) c;
  select array_agg(ln(1 + (documents - c.n + 0.5) / (c.n + 0.5))::double precision order by c.i) into rarities
  from unnest(counts) with ordinality as c (n, i);
  select array_agg(h.place) into found from (
    select p.place
    from (
      select t.term, r.idf, sum(c.n) over (order by c.n, t.i) as read
      from unnest(terms) with ordinality as t (term, i)
      join unnest(counts) with ordinality as c (n, i) using (i)
      join unnest(rarities) with ordinality as r (idf, i) using (i)
      where c.n > 0
    ) t
    cross join lateral (
      select x.place, x.frequency from stead.search_terms x where x.term = t.term limit most_of_a_word
    ) p
    where t.read <= most_of_all
    group by p.place
    order by sum(t.idf * p.frequency / (p.frequency + 0.9::double precision)) desc, p.place desc
    limit from_words
  ) h;
  if vector is not null then
    found := found || stead.nearest_places(tenant, scope, vector, model, from_meaning);
  end if;
  -- The latest, when nothing else is found.
  found := found || array(
    select d.place from stead.search_docs d
    where d.tenant_id = tenant and d.scope_id = scope and d.kind = 'memory' order by d.place desc limit 20);
  -- What stands beside a find may be what was asked for; what stands beside that is only for its context.
  select array_agg(n.place), array_agg(n.near) into places, eligible
  from (
    select f.place + o.step as place, bool_or(abs(o.step) <= 2) as near
    from unnest(found) as f (place) cross join generate_series(-4, 4) as o (step) group by 1
  ) n;
end
$$;

-- The nearest vectors of a large scope. With a partial HNSW index of it (which the maintenance loop builds when
-- there are enough) from that; else from all of them.
create function stead.nearest_places(tenant uuid, scope uuid, vector real[], model smallint, wanted integer)
returns bigint[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  indexed stead.vector_indexes;
  found bigint[];
begin
  select * into indexed from stead.vector_indexes v
  where v.tenant_id = tenant and v.scope_id = scope and v.kind = 'memory' and v.model_id = model and v.ready;
  if indexed.name is null then
    select array_agg(d.place) into found from (
      select e.owner_id from stead.embeddings e
      where e.tenant_id = tenant and e.scope_id = scope and e.kind = 'memory' and e.model_id = model
      order by stead.similarity(e.embedding, stead.as_embedding(vector)) desc limit wanted
    ) n
    join public.agent_memories m on m.id = n.owner_id
    join stead.search_docs d on d.place = m.place;
    return found;
  end if;
  perform set_config('hnsw.ef_search', '240', true);
  -- The index is partial and of an expression: only literals let the planner see that it fits.
  execute format(
    'select array_agg(m.place) from (
       select e.owner_id from stead.embeddings e
       where e.tenant_id = %L and e.scope_id = %L and e.kind = ''memory'' and e.model_id = %s
       order by (e.embedding::%s.halfvec(%s)) operator(%s.<#>) ($1::%s.halfvec(%s)) limit %s
     ) n join public.agent_memories m on m.id = n.owner_id',
    tenant, scope, model, indexed.home, indexed.dimensions, indexed.home, indexed.home, indexed.dimensions, wanted)
  into found using vector;
  return found;
end
$$;

-- Memories of a scope for a question, best first.
--
-- weights: those of score_memories, then recency, importance, uselessness. These three look at more of a memory
-- than the index holds, and are bounded: they are applied to the best only.
create function stead.recall_memories(
  scope uuid, agent uuid, question text, vector real[], model smallint, weights real[], wanted integer,
  facets text[], period_from timestamptz, period_to timestamptz, as_of timestamptz, asked_at timestamptz,
  whole_below integer
)
returns table (memory_id uuid, score double precision, dense double precision, dense_near double precision,
  lexical double precision, lexical_near double precision, lexical_wide double precision, named boolean,
  timely boolean, recency double precision, usefulness double precision, approximate boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set jit = off
as $$
#variable_conflict use_column
declare
  tenant uuid := stead.tenant_id();
  lexemes text[];
  documents double precision;
  total_length double precision;
  pool integer := least(wanted * 3 + 30, 1000);
  places bigint[];
  eligible boolean[];
  rarities double precision[];
begin
  if tenant is null or not stead.may_search(scope) then
    raise insufficient_privilege using message = 'not the memories of this caller';
  end if;
  select array_agg(l.lexeme) into lexemes
  from unnest(to_tsvector(stead.search_config(tenant), question)) l;
  select sum(t.docs), sum(t.length) into documents, total_length from stead.search_totals t
  where t.tenant_id = tenant and t.scope_id = recall_memories.scope and t.kind = 'memory';
  if documents > whole_below then
    select c.places, c.eligible, c.rarities into places, eligible, rarities
    from stead.memory_candidates(tenant, scope, lexemes, vector, model, documents) c;
  end if;
  return query
  select r.id, s.score * r.recency * r.importance * r.usefulness, s.dense, s.dense_near, s.lexical, s.lexical_near,
    s.lexical_wide, s.named, s.timely, r.recency, r.usefulness, places is not null
  from stead.score_memories(tenant, scope, agent, facets, lexemes, vector, model, weights, period_from, period_to,
    as_of, places, eligible, rarities, case when places is not null then total_length / documents end, pool) s
  cross join lateral (
    select m.id, m.place,
      -- At most 200 years: exp() of much less is an error, not 0.
      1 + weights[10] * exp(-0.01::double precision * least(greatest(
        extract(epoch from recall_memories.asked_at - m.happened_at)::double precision / 86400, 0), 73000)) as recency,
      -- A turn of which something no longer holds comes after what took its place.
      (1 + weights[11] * (m.importance - 0.5::double precision))
        * case when m.metadata ? 'outdated' then 0.35::double precision else 1 end as importance,
      -- The expected rate of use, of the prior 1 in 2, below one half.
      1 - weights[12] * greatest(1 - 2 * (m.used_count + 1) / (m.recall_count + 2)::double precision, 0)
        as usefulness
    from public.agent_memories m where m.id = s.memory_id offset 0
  ) r
  order by 2 desc, r.place desc
  limit wanted;
end
$$;

-- Notes that these were recalled by a run. Counting is no reason to index a memory again.
create function stead.note_recall(memories uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update public.agent_memories set recall_count = recall_count + 1, last_recalled_at = now()
  where tenant_id = stead.tenant_id() and id = any (memories)
$$;

-- Notes that an answer made use of these.
create function stead.note_use(memories uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update public.agent_memories set used_count = used_count + 1
  where tenant_id = stead.tenant_id() and id = any (memories)
$$;

-- Live facts of a scope that are near to each of these vectors (rows of one matrix), to be told apart from
-- duplicates and contradictions by whoever writes.
create function stead.near_facts(scope uuid, vectors real[], model smallint, floor double precision, wanted integer)
returns table (n integer, memory_id uuid, similarity double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan set max_parallel_workers_per_gather = 0 set jit = off
as $$
#variable_conflict use_column
declare
  tenant uuid := stead.tenant_id();
  dimensions constant integer := array_length(vectors, 2);
  vector real[];
  probe stead.embeddings.embedding%type;
  documents bigint;
begin
  if tenant is null or not stead.may_search(scope) then
    raise insufficient_privilege using message = 'not the memories of this caller';
  end if;
  select sum(t.docs) into documents from stead.search_totals t
  where t.tenant_id = tenant and t.scope_id = near_facts.scope and t.kind = 'memory';
  for i in 1 .. coalesce(array_length(vectors, 1), 0) loop
    vector := array(select v from unnest(vectors[i:i][1:dimensions]) with ordinality as u (v, o) order by u.o);
    probe := stead.as_embedding(vector);
    if documents > 20000 then
      return query
        select i, d.owner_id, stead.similarity(e.embedding, probe)
        from unnest(stead.nearest_places(tenant, near_facts.scope, vector, near_facts.model, 50)) as p (place)
        join stead.search_docs d on d.place = p.place and d.facet = 'fact' and d.ended_at is null
        join stead.embeddings e on e.tenant_id = tenant and e.kind = 'memory' and e.owner_id = d.owner_id
          and e.model_id = near_facts.model
        where stead.similarity(e.embedding, probe) >= floor
        order by 3 desc limit wanted;
    else
      return query
        select i, d.owner_id, s.similarity
        from stead.embeddings e
        cross join lateral (select stead.similarity(e.embedding, probe) as similarity) s
        join stead.search_docs d on d.owner_id = e.owner_id and d.tenant_id = tenant
          and d.scope_id = near_facts.scope and d.kind = 'memory' and d.facet = 'fact' and d.ended_at is null
        where e.tenant_id = tenant and e.scope_id = near_facts.scope and e.kind = 'memory'
          and e.model_id = near_facts.model and s.similarity >= floor
        order by s.similarity desc limit wanted;
    end if;
  end loop;
end
$$;

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('score_memories', 'memory_candidates', 'nearest_places', 'recall_memories', 'note_recall',
      'note_use', 'near_facts')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
grant execute on function stead.recall_memories(uuid, uuid, text, real[], smallint, real[], integer, text[],
  timestamptz, timestamptz, timestamptz, timestamptz, integer), stead.note_recall(uuid[]), stead.note_use(uuid[]),
  stead.near_facts(uuid, real[], smallint, double precision, integer) to stead_service;
