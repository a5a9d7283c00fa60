-- Recall: one function, one round trip. It reads its tenant from the claims and is executable by Stead's
-- own role only; row-level security cannot serve here, because the operators of search are not leakproof
-- and would be kept from their indexes.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Every memory of a scope with what each arm makes of it, best first.
--
-- Lexical arms: Okapi BM25 (Robertson and Zaragoza 2009, eq. 3.15; k1 = 0.9, b = 0.5) over a turn alone, over
-- a turn with the one before it (a short answer, "Yes, the blue one", is found by its question), and over a
-- window of two neighbours on each side; always with the document frequency of the single turn.
-- Dense arms: inner product of unit vectors; and the inner product with the sum of a turn's vector and its two
-- neighbours', scaled to unit length.
-- Fusion: each arm divided by its best score, then a weighted sum. The arms are correlated, where sums of
-- normalised scores keep how much better the best is; rank fusion throws that away. A long turn tells more
-- than a short one and one that mostly asks answers little: the sum is scaled by both.
--
-- weights: dense, dense_near, lexical, lexical_near, lexical_wide, length, asking.
create function stead.recall_memories(
  scope uuid, agent uuid, question text, vector real[], model smallint, weights real[], wanted integer
)
returns table (memory_id uuid, score double precision, dense double precision,
  lexical double precision, lexical_near double precision, lexical_wide double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
-- Planned for the scope at hand: a person with ten memories and one with ten thousand need different joins.
-- No parallel workers and no compilation: both cost more than the few milliseconds that the query takes.
set plan_cache_mode = force_custom_plan set max_parallel_workers_per_gather = 0 set jit = off
as $$
declare
  tenant uuid := stead.tenant_id();
begin
  if tenant is null or not coalesce(
    scope = stead.profile_id() or scope = stead.session_id()
      or not (stead.claims() ?| array['sub', 'stead_session']), false)
  then
    raise insufficient_privilege using message = 'not the memories of this caller';
  end if;
  -- The plan that matters: one range scan of memory_docs_scope_idx (which yields places in order, so that the
  -- windows need no sort), one range scan of embeddings_scope_idx, one index scan of memory_terms a word of the
  -- question; the rest are hash joins of CTEs. Everything is double precision: numeric arithmetic was half of
  -- the time, and is what `2.2` or an average of integers silently brings.
  return query
  with terms as materialized (
    select row_number() over () as n, stead.term_key(scope, l.lexeme) as term
    from unnest(to_tsvector(stead.search_config(tenant), question)) l
  ),
  docs as materialized (
    select d.place, d.memory_id, d.agent_id, d.length::double precision as length0,
      (sum(d.length) over (order by d.place range between 1 preceding and current row))::double precision
        as length1,
      (sum(d.length) over (order by d.place range between 2 preceding and 2 following))::double precision
        as length2
    from stead.memory_docs d
    where d.tenant_id = tenant and d.scope_id = scope
  ),
  size as materialized (
    select count(*)::double precision as n, greatest(avg(d.length0), 1) as mean0,
      greatest(avg(d.length1), 1) as mean1, greatest(avg(d.length2), 1) as mean2
    from docs d
  ),
  hits as materialized (
    select t.n, p.place, p.frequency::double precision as frequency
    from terms t join stead.memory_terms p on p.term = t.term
  ),
  rarity as materialized (
    select h.n, ln(1 + (s.n - count(*) + 0.5::double precision) / (count(*) + 0.5::double precision)) as idf
    from hits h cross join size s group by h.n, s.n
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
      sum(r.idf * s.f1 / (s.f1 + 0.45::double precision * (1 + d.length1 / z.mean1))) as b1,
      sum(r.idf * s.f2 / (s.f2 + 0.45::double precision * (1 + d.length2 / z.mean2))) as b2
    from spread s join docs d on d.place = s.place join rarity r on r.n = s.n cross join size z
    group by d.place
  ),
  near as materialized (
    select d.place, greatest(stead.similarity(e.embedding, stead.as_embedding(vector)), 0) as similarity,
      case when lag(d.place) over w = d.place - 1
        then stead.similarity(e.embedding, lag(e.embedding) over w) end as bond
    from stead.embeddings e join docs d on d.memory_id = e.owner_id
    where vector is not null and e.tenant_id = tenant and e.scope_id = scope and e.kind = 'memory'
      and e.model_id = model
    window w as (order by d.place)
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
    select p.place from stead.memory_terms p where p.term = stead.term_key(scope, '?')
  ),
  scored as (
    select d.place, d.memory_id, a.similarity, l.b0, l.b1, l.b2,
      (coalesce(weights[1] * a.similarity / b.dense, 0) + coalesce(weights[2] * a.joint / b.joint, 0)
        + coalesce(weights[3] * l.b0 / b.b0, 0) + coalesce(weights[4] * l.b1 / b.b1, 0)
        + coalesce(weights[5] * l.b2 / b.b2, 0))
      * (1 + weights[6] * d.length0 / (d.length0 + 20)
        - case when q.place is null then 0 else weights[7] end) as total
    from docs d
    left join lexical l on l.place = d.place
    left join around a on a.place = d.place
    left join asking q on q.place = d.place
    cross join best b
    where agent is null or d.agent_id is null or d.agent_id = agent
  )
  select s.memory_id, s.total, s.similarity, s.b0, s.b1, s.b2
  from scored s
  order by s.total desc, s.place desc
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

alter function stead.recall_memories(uuid, uuid, text, real[], smallint, real[], integer) owner to stead_definer;
alter function stead.note_recall(uuid[]) owner to stead_definer;
revoke execute on function stead.recall_memories(uuid, uuid, text, real[], smallint, real[], integer),
  stead.note_recall(uuid[]) from public;
grant execute on function stead.recall_memories(uuid, uuid, text, real[], smallint, real[], integer),
  stead.note_recall(uuid[]) to stead_service;
