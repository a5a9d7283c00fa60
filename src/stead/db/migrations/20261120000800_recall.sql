-- Recall: one function, one round trip. It reads its tenant from the claims and is executable by Stead's
-- own role only; row-level security cannot serve here, because the operators of search are not leakproof
-- and would be kept from their indexes.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Every memory of a scope with what each arm makes of it, best first.
--
-- Lexical arms: Okapi BM25 (Robertson and Zaragoza 2009, eq. 3.15; k1 = 1.2, b = 0.75) over a turn alone and
-- over windows of one and two neighbours on each side, with the document frequency of the single turn. A
-- short answer ("Yes, the blue one") is found by the question before it.
-- Dense arm: inner product of unit vectors.
-- Fusion: each arm divided by its best score, then a weighted sum. The arms are correlated, where sums of
-- normalised scores keep how much better the best is; rank fusion throws that away.
create function stead.recall_memories(
  scope uuid, agent uuid, question text, vector real[], model smallint, weights real[], wanted integer
)
returns table (memory_id uuid, score double precision, dense double precision,
  lexical double precision, lexical_near double precision, lexical_wide double precision)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan
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
  return query
  with terms as (
    select row_number() over () as n, stead.term_key(scope, l.lexeme) as term
    from unnest(to_tsvector(stead.search_config(tenant), question)) l
  ),
  docs as materialized (
    select d.place, d.memory_id, d.agent_id, d.length as length0,
      sum(d.length) over (order by d.place range between 1 preceding and 1 following) as length1,
      sum(d.length) over (order by d.place range between 2 preceding and 2 following) as length2
    from stead.memory_docs d
    where d.tenant_id = tenant and d.scope_id = scope
  ),
  size as (
    select count(*) as n, greatest(avg(length0), 1) as mean0, greatest(avg(length1), 1) as mean1,
      greatest(avg(length2), 1) as mean2
    from docs
  ),
  hits as materialized (
    select t.n, p.place, p.frequency from terms t join stead.memory_terms p on p.term = t.term
  ),
  rarity as (
    select h.n, ln(1 + (s.n - count(*) + 0.5) / (count(*) + 0.5)) as idf
    from hits h cross join size s group by h.n, s.n
  ),
  spread as (
    select h.n, h.place + o.step as place,
      sum(h.frequency) filter (where o.step = 0) as f0,
      sum(h.frequency) filter (where o.step between -1 and 1) as f1,
      sum(h.frequency) as f2
    from hits h cross join (values (-2), (-1), (0), (1), (2)) as o (step)
    group by h.n, h.place + o.step
  ),
  lexical as (
    select d.place,
      coalesce(sum(r.idf * s.f0 * 2.2 / (s.f0 + 0.3 + 0.9 * d.length0 / z.mean0)), 0) as b0,
      coalesce(sum(r.idf * s.f1 * 2.2 / (s.f1 + 0.3 + 0.9 * d.length1 / z.mean1)), 0) as b1,
      coalesce(sum(r.idf * s.f2 * 2.2 / (s.f2 + 0.3 + 0.9 * d.length2 / z.mean2)), 0) as b2
    from spread s join docs d on d.place = s.place join rarity r on r.n = s.n cross join size z
    group by d.place
  ),
  near as (
    select e.owner_id, greatest(stead.similarity(e.embedding, stead.as_embedding(vector)), 0) as similarity
    from stead.embeddings e
    where vector is not null and e.tenant_id = tenant and e.scope_id = scope and e.kind = 'memory'
      and e.model_id = model
  ),
  best as (
    select (select nullif(max(n.similarity), 0) from near n) as dense,
      nullif(max(l.b0), 0) as b0, nullif(max(l.b1), 0) as b1, nullif(max(l.b2), 0) as b2
    from lexical l
  ),
  scored as (
    select d.place, d.memory_id, n.similarity, l.b0, l.b1, l.b2,
      coalesce(weights[1] * n.similarity / b.dense, 0) + coalesce(weights[2] * l.b0 / b.b0, 0)
        + coalesce(weights[3] * l.b1 / b.b1, 0) + coalesce(weights[4] * l.b2 / b.b2, 0) as total
    from docs d
    left join lexical l on l.place = d.place
    left join near n on n.owner_id = d.memory_id
    cross join best b
    where agent is null or d.agent_id is null or d.agent_id = agent
  )
  select s.memory_id, s.total::double precision, s.similarity, s.b0::double precision,
    s.b1::double precision, s.b2::double precision
  from scored s
  order by s.total desc, s.place desc
  limit wanted;
end
$$;

-- Notes that these were recalled by a run. Counting is no reason to index a memory again.
create function stead.note_recall(memories uuid[]) returns void
language sql security definer set search_path = ''
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
