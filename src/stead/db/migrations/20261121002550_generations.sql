-- Runs that are no part of a conversation (003: /api/generate), and the agents that carry them out.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

alter table public.agents add column generates text
  constraint agents_generates_check check (generates ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$');
comment on column public.agents.generates is
  '003: the type that /api/generate answers with this agent; null: it is talked to';
-- squawk-ignore require-concurrent-index-creation
create unique index agents_generates_idx on public.agents (tenant_id, generates) where generates is not null;

alter table public.agent_runs add column kind text not null default 'chat'
  constraint agent_runs_kind_check check (kind in ('chat', 'generation'));
comment on column public.agent_runs.kind is
  'generation: writes no message and takes no turn in its session; message_id names its stream only';
-- One answer at a time in a session: its messages have one order. What is generated has no place in it.
-- squawk-ignore require-concurrent-index-creation
create unique index agent_runs_answering_idx on public.agent_runs (session_id)
  where status = 'running' and kind = 'chat';
-- squawk-ignore require-concurrent-index-deletion
drop index public.agent_runs_active_idx;

-- As it was, but for what was generated: it goes with any of the answers that it was generated from.
create or replace function stead.erase_memory(memory uuid, sources boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  gap constant jsonb := '[{"type": "text", "text": "[forgotten]"}]';
  tenant constant uuid := stead.tenant_id();
  whose uuid;
  sessions uuid[];
  chain uuid[];
  answers text[];
  quotes text[];  -- as they are in a text, without the point at the end
  inside text[];  -- as they are in a text in JSON
  whole text[];  -- too short to be looked for in other words: only where nothing else is said
  said uuid[];
  runs uuid[];
  redacted integer;
  changed integer;
  n integer;
begin
  select m.scope_id into whose from public.agent_memories m
  where m.tenant_id = tenant and m.id = memory and stead.may_search(m.scope_id);
  if whose is null then
    return null;
  end if;
  if not sources then
    delete from public.agent_memories m where m.tenant_id = tenant and m.id = memory;
    return jsonb_build_object('memories', 1, 'profile_id', (
      select p.id from public.profiles p where p.tenant_id = tenant and p.id = whose));
  end if;

  -- Nothing is answered, and nothing extracted, out of what goes here: runs end (first, as a run that ends locks itself
  -- before its session), none begins while the sessions are locked, and whoever reads a conversation begins again.
  for n in 1..2 loop
    sessions := array(
      select s.id from public.sessions s
      where s.tenant_id = tenant and (s.profile_id = whose or (s.profile_id is null and s.id = whose)));
    perform stead.end_runs(tenant, whose, sessions);
    perform from public.sessions s where s.tenant_id = tenant and s.id = any (sessions) order by s.id for update;
  end loop;
  update stead.extraction_backlog b set claimed_until = null, attempts = 0
  from public.agent_runs r
  where r.tenant_id = tenant and (r.profile_id = whose or r.session_id = any (sessions))
    and b.tenant_id = tenant and b.run_id = r.id and b.claimed_until is not null;

  with recursive versions as (
    select memory as id
    union
    select m.id from versions v join public.agent_memories m on m.tenant_id = tenant and m.superseded_by = v.id
    where m.scope_id = whose
  )
  select array_agg(v.id) into chain from versions v;
  select array_agg(m.content) filter (where m.source in ('context', 'comparison')),
    array_agg(t.words) filter (where length(t.words) >= 12),
    array_agg(substr(t.json, 2, length(t.json) - 2)) filter (where length(t.words) >= 12),
    array_agg(t.words) filter (where length(t.words) < 12)
  into answers, quotes, inside, whole
  from public.agent_memories m
  cross join lateral (select lower(rtrim(btrim(m.content), '.!?… '))) w (words)
  cross join lateral (select w.words, to_jsonb(w.words)::text) t (words, json)
  where m.tenant_id = tenant and m.id = any (chain);
  said := array(
    select distinct i from public.agent_memories m cross join unnest(m.message_ids) i
    where m.tenant_id = tenant and m.id = any (chain));

  -- Runs that answered it, used it or quote it, or were about to (those that ended here); and with them what they
  -- answered.
  select array_agg(r.id), said || array_agg(r.message_id) into runs, said
  from public.agent_runs r
  where r.tenant_id = tenant and (r.profile_id = whose or r.session_id = any (sessions)) and (
    r.user_message_id = any (said) or r.message_id = any (said) or (r.status = 'failed' and r.completed_at = now())
    -- What was generated was generated from all answers.
    or (r.kind = 'generation' and answers is not null)
    or exists (select from unnest(inside) t
      where position(t in lower(concat(r.input::text, r.output::text))) > 0)
    or exists (select from public.memory_logs l
      where l.tenant_id = tenant and l.run_id = r.id and l.operation = 'read'
        and l.details -> 'used' ?| chain::text[]));
  update public.messages m set parts = gap
  where m.tenant_id = tenant and m.session_id = any (sessions) and (m.id = any (said)
    or exists (select from unnest(inside) t where position(t in lower(m.parts::text)) > 0)
    or exists (select from jsonb_array_elements(m.parts) p
      where lower(rtrim(btrim(p ->> 'text'), '.!?… ')) = any (whole)));
  get diagnostics redacted = row_count;
  update public.agent_runs r set input = null, output = null where r.tenant_id = tenant and r.id = any (runs);
  delete from stead.stream_chunks c where c.tenant_id = tenant and c.run_id = any (runs);
  delete from stead.extraction_backlog b where b.tenant_id = tenant and b.run_id = any (runs);
  delete from stead.idempotency_keys k
  where k.tenant_id = tenant and exists (select from unnest(inside) t where position(t in lower(k.body::text)) > 0);
  update public.sessions s set context = coalesce(stead.without_answers(s.context, null, answers), '{}')
  where s.tenant_id = tenant and s.id = any (sessions) and answers is not null
    and stead.without_answers(s.context, null, answers) is distinct from s.context;
  get diagnostics changed = row_count;
  -- Reasons for agents that were compared for it may have its words.
  delete from public.session_candidates c using public.agent_memories m
  where m.tenant_id = tenant and m.id = any (chain) and m.source = 'comparison'
    and c.tenant_id = tenant and c.session_id = m.session_id;
  update public.message_feedback f set comment = null
  where f.tenant_id = tenant and f.session_id = any (sessions) and (lower(rtrim(btrim(f.comment), '.!?… ')) = any (whole)
    or exists (select from unnest(quotes) t where position(t in lower(f.comment)) > 0));

  delete from public.agent_memories m
  where m.tenant_id = tenant and m.scope_id = whose and (m.id = any (chain)
    or (m.kind <> 'fact' and m.message_ids && said)
    or exists (select from unnest(quotes) t where position(t in lower(m.content)) > 0)
    or lower(rtrim(btrim(m.content), '.!?… ')) = any (whole));
  get diagnostics n = row_count;
  return jsonb_build_object('memories', n, 'messages', redacted, 'runs', coalesce(cardinality(runs), 0),
    'contexts', changed, 'profile_id', (
      select p.id from public.profiles p where p.tenant_id = tenant and p.id = whose));
end
$$;
