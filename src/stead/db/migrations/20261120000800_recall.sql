-- Recall: one function, one round trip. It reads its tenant from the claims and is executable by Stead's
-- own role only; row-level security cannot serve here, because the operators of search are not leakproof
-- and would be kept from their indexes.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- A memory with what each arm says of it.
create type stead.scored_memory as (
  memory_id uuid, place bigint, score double precision, dense double precision, dense_near double precision,
  lexical double precision, lexical_near double precision, lexical_wide double precision, named boolean,
  timely boolean
);

-- The three of the next functions are put into the statements that call them, as their text.

-- Is a memory to be found by this agent, of these kinds, as of then? What holds no more is found where a time is named
-- in which it did.
create function stead.is_sought(
  agent_id uuid, facet text, told_from timestamptz, ended_at timestamptz, agent uuid, facets text[],
  as_of timestamptz, period_from timestamptz, period_to timestamptz
) returns boolean
language sql immutable parallel safe
return (agent is null or agent_id is null or agent_id = agent)
  and (facets is null or facet = any (facets))
  and (as_of is null or told_from <= as_of)
  and (ended_at is null or ended_at > as_of
    or (as_of is null and (period_from is not null or period_to is not null)
      and coalesce(ended_at > period_from, true) and coalesce(told_from < period_to, true)));

-- Does a memory tell of that time?
create function stead.tells_of(
  told_from timestamptz, told_to timestamptz, ended_at timestamptz, period_from timestamptz, period_to timestamptz
) returns boolean
language sql immutable parallel safe
return coalesce(told_from < period_to, true) and coalesce(told_to >= period_from, true)
    and (period_from is not null or period_to is not null)
  or ended_at is not null and coalesce(ended_at > period_from, true) and coalesce(told_from < period_to, true);

-- Arms, each divided by its best, added with weights; then the factors, all bounded: a long turn tells more than a
-- short one; one that mostly asks answers little; one said by somebody whom the question names, or that tells of the
-- time that it names, is more likely meant.
create function stead.weighed(
  weights real[], dense double precision, dense_near double precision, lexical double precision,
  lexical_near double precision, lexical_wide double precision, length double precision, asks boolean,
  named boolean, timely boolean
) returns double precision
language sql immutable parallel safe
return (coalesce(weights[1] * dense, 0) + coalesce(weights[2] * dense_near, 0) + coalesce(weights[3] * lexical, 0)
    + coalesce(weights[4] * lexical_near, 0) + coalesce(weights[5] * lexical_wide, 0))
  * (1 + weights[6] * length / (length + 20) - case when asks then weights[7] else 0 end)
  * (1 + case when named then weights[8] else 0 end + case when timely then weights[9] else 0 end);

-- Scores all memories of a scope.
--
-- Lexical arms: Okapi BM25 (Robertson and Zaragoza 2009, eq. 3.15; k1 = 0.9, b = 0.5) over a turn alone, over
-- a turn with the one before it (a short answer, "Yes, the blue one", is found by its question), and over a
-- window of two neighbours on each side; always with the document frequency of the single turn, and a window's
-- length taken for that of its middle and average neighbours (reading theirs made no difference to what was found).
-- Dense arms: inner product of unit vectors; and the inner product with the sum of a turn's vector and its two
-- neighbours', scaled to unit length.
-- Fusion: each arm divided by its best score, then a weighted sum. The arms are correlated, where sums of
-- normalised scores keep how much better the best is; rank fusion throws that away.
--
-- weights: dense, dense_near, lexical, lexical_near, lexical_wide, length, asking, speaker, period.
create function stead.score_memories(
  tenant uuid, scope uuid, agent uuid, facets text[], lexemes text[], vector real[], model smallint,
  weights real[], period_from timestamptz, period_to timestamptz, as_of timestamptz,
  documents double precision, mean_length double precision, wanted integer
) returns setof stead.scored_memory
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
  -- integers silently brings. Documents and vectors are both read in the order of their places, so that they are
  -- merged, and windows made of them, without a sort.
  return query
  with terms as materialized (
    select t.n, stead.term_key(score_memories.scope, t.lexeme) as term,
      stead.term_key(score_memories.scope, '@' || t.lexeme) as speaker
    from unnest(lexemes) with ordinality as t (lexeme, n)
  ),
  docs as materialized (
    select n.place, n.owner_id, n.length0, n.timely, n.sought, n.similarity,
      (n.similarity + case when n.bond is null then 0 else lag(n.similarity) over w end
        + case when lead(n.bond) over w is null then 0 else lead(n.similarity) over w end)
      -- The length of the sum. What the two neighbours have in common is taken for the mean of what each has with
      -- the turn.
      / sqrt(greatest(1 + case when n.bond is null then 0 else 1 + 2 * n.bond end
        + case when lead(n.bond) over w is null then 0 else 1 + 2 * lead(n.bond) over w end
        + coalesce(n.bond + lead(n.bond) over w, 0), 1)) as joint
    from (
      select v.*,
        case when lag(v.place) over w = v.place - 1
          then stead.similarity(v.embedding, lag(v.embedding) over w) end as bond
      from (
        select d.place, d.owner_id, d.length::double precision as length0,
          stead.tells_of(d.told_from, d.told_to, d.ended_at, period_from, period_to) as timely,
          stead.is_sought(d.agent_id, d.facet, d.told_from, d.ended_at, score_memories.agent,
            score_memories.facets, as_of, period_from, period_to) as sought,
          e.embedding,
          case when e.embedding is not null then greatest(stead.similarity(e.embedding, probe), 0) end as similarity
        from stead.search_docs d
        left join stead.embeddings e on e.place = d.place and e.tenant_id = score_memories.tenant
          and e.scope_id = score_memories.scope and e.kind = 'memory' and e.model_id = score_memories.model
          and probe is not null
        where d.tenant_id = score_memories.tenant and d.scope_id = score_memories.scope and d.kind = 'memory'
      ) v
      window w as (order by v.place)
    ) n
    window w as (order by n.place)
  ),
  hits as materialized (
    select t.n, p.place, p.frequency::double precision as frequency
    from terms t cross join lateral (
      select x.place, x.frequency from stead.search_terms x where x.term = t.term offset 0
    ) p
  ),
  rarity as materialized (
    select h.n, ln(1 + (documents - count(*) + 0.5::double precision) / (count(*) + 0.5::double precision)) as idf
    from hits h group by h.n
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
      sum(r.idf * s.f0 / (s.f0 + 0.45::double precision * (1 + d.length0 / mean_length))) as b0,
      sum(r.idf * s.f1 / (s.f1 + 0.45::double precision
        * (1 + (d.length0 + mean_length) / (2 * mean_length)))) as b1,
      sum(r.idf * s.f2 / (s.f2 + 0.45::double precision
        * (1 + (d.length0 + 4 * mean_length) / (5 * mean_length)))) as b2
    from spread s join docs d on d.place = s.place join rarity r on r.n = s.n
    group by d.place
  ),
  best as materialized (
    select d.dense, d.joint, l.b0, l.b1, l.b2
    from (
      select nullif(max(d.similarity), 0) as dense, nullif(max(d.joint), 0) as joint from docs d
    ) d
    cross join (
      select nullif(max(l.b0), 0) as b0, nullif(max(l.b1), 0) as b1, nullif(max(l.b2), 0) as b2 from lexical l
    ) l
  ),
  -- Where everybody whom the question names said everything, naming says nothing.
  speakers as (
    select distinct p.place from terms t cross join lateral (
      select x.place from stead.search_terms x where x.term = t.speaker offset 0
    ) p
  )
  select d.owner_id, d.place,
    stead.weighed(weights, d.similarity / b.dense, d.joint / b.joint, l.b0 / b.b0, l.b1 / b.b1, l.b2 / b.b2, d.length0,
      q.place is not null, s.place is not null, d.timely) as score,
    d.similarity, d.joint, l.b0, l.b1, l.b2, s.place is not null, d.timely
  from docs d
  left join lexical l on l.place = d.place
  left join stead.search_terms q on q.term = question_mark and q.place = d.place
  left join speakers s on s.place = d.place
  cross join best b
  where d.sought
  order by score desc, d.place desc
  limit wanted;
end
$$;

-- Scores these memories of a scope as stead.score_memories does, with what stands beside them, probing indexes for
-- each: what it costs does not depend on the scope's size. The best of an arm is the best of these.
--
-- terms, rarities: keys of the question's words, and how rare each is.
-- speakers: keys of whom it may name.
create function stead.score_places(
  tenant uuid, scope uuid, agent uuid, facets text[], vector real[], model smallint, weights real[],
  period_from timestamptz, period_to timestamptz, as_of timestamptz, places bigint[], terms bigint[],
  rarities double precision[], speakers bigint[], mean_length double precision, wanted integer
) returns setof stead.scored_memory
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_nestloop = off set max_parallel_workers_per_gather = 0
set jit = off
as $$
#variable_conflict use_column
declare
  probe constant stead.embeddings.embedding%type := stead.as_embedding(vector);
  question_mark constant bigint := stead.term_key(score_places.scope, '?');
begin
  return query
  with docs as materialized (
    select d.place, d.owner_id, d.length::double precision as length0, question_mark = any (d.terms) as asks,
      coalesce(d.terms && speakers, false) as named,
      stead.tells_of(d.told_from, d.told_to, d.ended_at, period_from, period_to) as timely,
      stead.is_sought(d.agent_id, d.facet, d.told_from, d.ended_at, score_places.agent, score_places.facets, as_of,
        period_from, period_to) as sought
    from unnest(places) as p (place)
    cross join lateral (select x.* from stead.search_docs x where x.place = p.place offset 0) d
    where d.tenant_id = score_places.tenant and d.scope_id = score_places.scope and d.kind = 'memory'
  ),
  lexical as materialized (
    select s.place,
      sum(s.idf * s.f0 / (s.f0 + 0.45::double precision * (1 + s.length0 / mean_length))) as b0,
      sum(s.idf * s.f1 / (s.f1 + 0.45::double precision
        * (1 + (s.length0 + mean_length) / (2 * mean_length)))) as b1,
      sum(s.idf * s.f2 / (s.f2 + 0.45::double precision
        * (1 + (s.length0 + 4 * mean_length) / (5 * mean_length)))) as b2
    from (
      select d.place, d.length0, t.idf,
        sum(case when x.place = d.place then x.frequency else 0 end)::double precision as f0,
        sum(case when d.place - x.place between 0 and 1 then x.frequency else 0 end)::double precision as f1,
        sum(x.frequency)::double precision as f2
      from docs d cross join unnest(score_places.terms, rarities) as t (term, idf)
      cross join lateral (
        select x.place, x.frequency from stead.search_terms x
        where x.term = t.term and x.place between d.place - 2 and d.place + 2 offset 0
      ) x
      group by d.place, d.length0, t.term, t.idf
    ) s
    group by s.place
  ),
  around as materialized (
    select n.place, n.similarity,
      (n.similarity + coalesce(n.before, 0) + coalesce(n.after, 0))
      / sqrt(greatest(1 + coalesce(1 + 2 * n.bond_before, 0) + coalesce(1 + 2 * n.bond_after, 0)
        + coalesce(n.bond_before + n.bond_after, 0), 1)) as joint
    from (
      select d.place, greatest(stead.similarity(v.embedding, probe), 0) as similarity,
        case when b.embedding is not null then greatest(stead.similarity(b.embedding, probe), 0) end as before,
        case when a.embedding is not null then greatest(stead.similarity(a.embedding, probe), 0) end as after,
        stead.similarity(v.embedding, b.embedding) as bond_before,
        stead.similarity(a.embedding, v.embedding) as bond_after
      from docs d
      cross join lateral (
        select x.embedding from stead.embeddings x
        where x.tenant_id = score_places.tenant and x.scope_id = score_places.scope and x.kind = 'memory'
          and x.model_id = score_places.model and x.place = d.place offset 0
      ) v
      left join lateral (
        select x.embedding from stead.embeddings x
        where x.tenant_id = score_places.tenant and x.scope_id = score_places.scope and x.kind = 'memory'
          and x.model_id = score_places.model and x.place = d.place - 1 offset 0
      ) b on true
      left join lateral (
        select x.embedding from stead.embeddings x
        where x.tenant_id = score_places.tenant and x.scope_id = score_places.scope and x.kind = 'memory'
          and x.model_id = score_places.model and x.place = d.place + 1 offset 0
      ) a on true
      where probe is not null
    ) n
  ),
  best as materialized (
    select a.dense, a.joint, l.b0, l.b1, l.b2
    from (
      select nullif(max(a.similarity), 0) as dense, nullif(max(a.joint), 0) as joint from around a
    ) a
    cross join (
      select nullif(max(l.b0), 0) as b0, nullif(max(l.b1), 0) as b1, nullif(max(l.b2), 0) as b2 from lexical l
    ) l
  )
  select d.owner_id, d.place,
    stead.weighed(weights, a.similarity / b.dense, a.joint / b.joint, l.b0 / b.b0, l.b1 / b.b1, l.b2 / b.b2, d.length0,
      d.asks, d.named, d.timely) as score,
    a.similarity, a.joint, l.b0, l.b1, l.b2, d.named, d.timely
  from docs d
  left join lexical l on l.place = d.place
  left join around a on a.place = d.place
  cross join best b
  where d.sought
  order by score desc, d.place desc
  limit wanted;
end
$$;

-- Places worth scoring, best first: by words, by meaning, and what stands beside a find; the latest, when nothing else
-- is found. Judged by what is known before they are read: BM25 of each alone, likeness of meaning, length; what is
-- found beside a find is judged by that find, and taken to be as like the question as most are.
create function stead.memory_candidates(
  tenant uuid, scope uuid, lexemes text[], vector real[], model smallint, weights real[], documents double precision,
  mean_length double precision, wanted integer, out places bigint[], out terms bigint[],
  out rarities double precision[]
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_nestloop = off set max_parallel_workers_per_gather = 0
set jit = off
as $$
#variable_conflict use_variable
declare
  -- In a large scope, which may have an index, there is more to be told apart.
  large constant boolean := documents > 20000;
  pool constant integer := least(case when large then wanted * 3 + 100 else wanted * 2 + 30 end, 1000);
  from_words constant integer := pool + case when large then 160 else 20 end;
  from_meaning constant integer := least(case when large then pool - 40 else pool end, 600);
  most_of_a_word constant integer := 3000;
  most_of_all constant integer := 20000;
  unread constant double precision := 0.4;
  first_of_no_session constant bigint := 4611686018427387904;
  last_of_all constant bigint := 9223372036854775807;
  probe constant stead.embeddings.embedding%type := stead.as_embedding(vector);
  -- What a turn of average length is multiplied with for it.
  usual constant double precision := 1 + weights[6] * mean_length / (mean_length + 20);
  read boolean[];
  more boolean;
  near bigint[];
begin
  -- How many have a word is counted up to a limit. Beyond it is reckoned from how far into the scope's turns that many
  -- reach. Words are read from the rarest on, while there is room. The ends of the scope are found by whole keys: to be
  -- asked for one end of places, the planner takes the index of all places, and reads everybody's.
  with ends as materialized (
    select d.place as first_place, coalesce(
      (select x.place from (
         select y.* from stead.search_docs y
         where (y.tenant_id, y.scope_id, y.kind, y.place) < (tenant, scope, 'memory', first_of_no_session)
         order by y.tenant_id desc, y.scope_id desc, y.kind desc, y.place desc limit 1
       ) x where (x.tenant_id, x.scope_id, x.kind) = (tenant, scope, 'memory')),
      (select x.place from stead.search_docs x
       where (x.tenant_id, x.scope_id, x.kind, x.place) <= (tenant, scope, 'memory', last_of_all)
       order by x.tenant_id desc, x.scope_id desc, x.kind desc, x.place desc limit 1)) as last_place
    from stead.search_docs d
    where (d.tenant_id, d.scope_id, d.kind, d.place) >= (tenant, scope, 'memory', 0)
    order by d.tenant_id, d.scope_id, d.kind, d.place limit 1
  )
  select array_agg(w.term order by w.n), array_agg(w.idf order by w.n), array_agg(w.read order by w.n),
    not bool_and(w.read)
  into terms, rarities, read, more
  from (
    select c.n, c.term,
      ln(1 + (documents - c.documents + 0.5::double precision) / (c.documents + 0.5::double precision)) as idf,
      sum(c.documents) over u <= most_of_all or row_number() over u = 1 as read
    from (
      select l.n, k.term,
        case when r.counted < most_of_a_word then r.counted
          else greatest(r.counted, least(documents, r.counted * (e.last_place - e.first_place)
            / greatest(least(r.reached, e.last_place) - e.first_place, 1))) end as documents
      from unnest(lexemes) with ordinality as l (lexeme, n)
      cross join lateral (select stead.term_key(scope, l.lexeme) as term) k
      cross join lateral (
        select count(*)::double precision as counted, max(y.place) as reached
        from (select x.place from stead.search_terms x where x.term = k.term order by x.place limit most_of_a_word) y
      ) r
      cross join ends e
      where r.counted > 0
    ) c
    window u as (order by c.documents, c.n rows unbounded preceding)
  ) w;
  if probe is not null and large then
    near := stead.nearest_places(tenant, scope, vector, model, from_meaning, from_meaning * 3 / 2);
  end if;
  with words as materialized (
    select p.place, max(p.length)::double precision as length,
      sum(t.idf * p.frequency / (p.frequency + 0.45::double precision * (1 + p.length / mean_length))) as score
    from unnest(terms, rarities, read) as t (term, idf, read)
    cross join lateral (
      select x.place, x.frequency, x.length from stead.search_terms x where x.term = t.term offset 0
    ) p
    where t.read
    group by p.place
  ),
  finds as (
    (select w.place, w.length, w.score from words w
     order by w.score * (1 + weights[6] * w.length / (w.length + 20)) desc, w.place desc limit from_words)
    union
    select n.place, w.length, w.score
    from (
      select u.place from unnest(near) as u (place)
      union all
      (select e.place from stead.embeddings e
       where e.tenant_id = tenant and e.scope_id = scope and e.kind = 'memory' and e.model_id = model
         and probe is not null and not large
       order by stead.similarity(e.embedding, probe) desc limit from_meaning)
    ) n left join words w on w.place = n.place
    union
    select d.place, null, null from (
      select x.* from stead.search_docs x
      where (x.tenant_id, x.scope_id, x.kind, x.place) <= (tenant, scope, 'memory', last_of_all)
      order by x.tenant_id desc, x.scope_id desc, x.kind desc, x.place desc limit wanted
    ) d where (d.tenant_id, d.scope_id, d.kind) = (tenant, scope, 'memory')
  ),
  judged as (
    select f.place, w.score / nullif(max(w.score) over (), 0) as lexical,
      coalesce(greatest(e.similarity, 0) / nullif(max(e.similarity) over (), 0), 0) as dense,
      coalesce(1 + weights[6] * f.length / (f.length + 20), usual) as factor
    from finds f left join lateral (
      select stead.similarity(x.embedding, probe) as similarity from stead.embeddings x
      where x.tenant_id = tenant and x.scope_id = scope and x.kind = 'memory' and x.model_id = model
        and x.place = f.place and probe is not null offset 0
    ) e on true
    -- Words that were not read are looked for in what was found.
    left join lateral (
      select sum(t.idf * p.frequency / (p.frequency + 0.45::double precision * (1 + p.length / mean_length))) as score
      from unnest(terms, rarities, read) as t (term, idf, read)
      cross join lateral (
        select x.frequency, x.length from stead.search_terms x where x.term = t.term and x.place = f.place offset 0
      ) p
      where more and not t.read
    ) m on true
    cross join lateral (select coalesce(f.score, 0) + coalesce(m.score, 0) as score) w
  )
  select array_agg(p.place) into places from (
    select j.place + o.step as place
    from judged j
    -- Words of a turn count for it in three arms, for the one after it in two, for the others beside it in one.
    join (values
      (0, weights[1] + weights[2] * 0.6::double precision, weights[3] + weights[4] + weights[5]),
      (1, weights[2] * 0.3::double precision, weights[4] + weights[5]),
      (-1, weights[2] * 0.3::double precision, weights[5]),
      (-2, 0, weights[5]), (2, 0, weights[5])
    ) as o (step, dense, lexical) on o.step = 0 or j.place < first_of_no_session
    group by 1
    order by sum((j.dense * o.dense + coalesce(j.lexical, 0) * o.lexical) * case when o.step = 0 then j.factor else usual end)
      + case when bool_or(o.step = 0) then 0 else unread * (weights[1] + weights[2] * 0.6::double precision) * usual end
      desc, 1 desc
    limit pool
  ) p;
end
$$;

-- The nearest vectors of a scope. With a partial HNSW index of it (which the maintenance loop builds when
-- there are enough) from that, best of so many that it looks at; else from all of them.
create function stead.nearest_places(
  tenant uuid, scope uuid, vector real[], model smallint, wanted integer, looked_at integer
) returns bigint[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set max_parallel_workers_per_gather = 0 set jit = off
as $$
declare
  probe constant stead.embeddings.embedding%type := stead.as_embedding(vector);
  indexed stead.vector_indexes;
  found bigint[];
begin
  select * into indexed from stead.vector_indexes v
  where v.tenant_id = tenant and v.scope_id = scope and v.kind = 'memory' and v.model_id = model and v.ready;
  if indexed.name is null then
    select array_agg(n.place) into found from (
      select e.place from stead.embeddings e
      where e.tenant_id = tenant and e.scope_id = scope and e.kind = 'memory' and e.model_id = model
      order by stead.similarity(e.embedding, probe) desc limit wanted
    ) n;
    return found;
  end if;
  perform set_config('hnsw.ef_search', looked_at::text, true);
  -- The index is partial and of an expression: only literals let the planner see that it fits.
  execute format(
    'select array_agg(n.place) from (
       select e.place from stead.embeddings e
       where e.tenant_id = %L and e.scope_id = %L and e.kind = ''memory'' and e.model_id = %s
       order by (e.embedding::%s.halfvec(%s)) operator(%s.<#>) ($1::%s.halfvec(%s)) limit %s
     ) n',
    tenant, scope, model, indexed.home, indexed.dimensions, indexed.home, indexed.home, indexed.dimensions, wanted)
  into found using vector;
  return found;
end
$$;

-- Memories of a scope for a question, best first. All of a scope are scored where they are not more than `whole_below`,
-- else candidates. Of those none knows beforehand which kinds and times are asked for: where they are, and where
-- candidates are too few, all are scored up to twenty thousand.
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
  readable constant integer := 20000;
  pool constant integer := least(wanted * 2 + 30, 1000);
  tenant uuid := stead.tenant_id();
  lexemes text[];
  documents double precision;
  mean_length double precision;
  candidates record;
  picked boolean;
  scored stead.scored_memory[];
begin
  if tenant is null or not stead.may_search(scope) then
    raise insufficient_privilege using message = 'not the memories of this caller';
  end if;
  select sum(t.docs), greatest(sum(t.length)::double precision / nullif(sum(t.docs), 0), 1)
  into documents, mean_length from stead.search_totals t
  where t.tenant_id = tenant and t.scope_id = recall_memories.scope and t.kind = 'memory';
  if documents is null or documents <= 0 then
    return;
  end if;
  select array_agg(l.lexeme) into lexemes
  from unnest(to_tsvector(stead.search_config(tenant), question)) l;
  picked := documents > case when facets is null and as_of is null then whole_below
    else greatest(whole_below, readable) end;
  if picked then
    select * into candidates from stead.memory_candidates(
      tenant, recall_memories.scope, lexemes, vector, recall_memories.model, weights, documents, mean_length, wanted);
    select array_agg(s) into scored from stead.score_places(
      tenant, recall_memories.scope, agent, facets, vector, recall_memories.model, weights, period_from, period_to, as_of,
      candidates.places, candidates.terms, candidates.rarities,
      (select array_agg(stead.term_key(recall_memories.scope, '@' || l)) from unnest(lexemes) l), mean_length,
      pool) s;
    picked := documents > readable or cardinality(scored) >= least(wanted, documents);
  end if;
  if picked is not true then
    select array_agg(s) into scored from stead.score_memories(
      tenant, recall_memories.scope, agent, facets, lexemes, vector, recall_memories.model, weights, period_from,
      period_to, as_of, documents, mean_length, pool) s;
  end if;
  return query
  select r.id, s.score * r.recency * r.importance * r.usefulness, s.dense, s.dense_near, s.lexical, s.lexical_near,
    s.lexical_wide, s.named, s.timely, r.recency, r.usefulness, picked is true
  from unnest(scored) s
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
        from unnest(stead.nearest_places(tenant, near_facts.scope, vector, near_facts.model, 50, 240)) as p (place)
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
    and proname in ('score_memories', 'score_places', 'memory_candidates', 'nearest_places', 'recall_memories',
      'note_recall', 'note_use', 'near_facts')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
revoke execute on function
  stead.is_sought(uuid, text, timestamptz, timestamptz, uuid, text[], timestamptz, timestamptz, timestamptz),
  stead.tells_of(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz),
  stead.weighed(real[], double precision, double precision, double precision, double precision, double precision,
    double precision, boolean, boolean, boolean) from public;
grant execute on function
  stead.is_sought(uuid, text, timestamptz, timestamptz, uuid, text[], timestamptz, timestamptz, timestamptz),
  stead.tells_of(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz),
  stead.weighed(real[], double precision, double precision, double precision, double precision, double precision,
    double precision, boolean, boolean, boolean) to stead_definer;
grant execute on function stead.recall_memories(uuid, uuid, text, real[], smallint, real[], integer, text[],
  timestamptz, timestamptz, timestamptz, timestamptz, integer), stead.note_recall(uuid[]), stead.note_use(uuid[]),
  stead.near_facts(uuid, real[], smallint, double precision, integer) to stead_service;
