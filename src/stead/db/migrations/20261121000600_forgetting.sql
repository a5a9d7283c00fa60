-- Forgetting: what a person, a session or a memory left behind, gone from every table. Large ones in steps, each
-- its own transaction, from a request that outlives a crash.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table stead.erasures (
  id uuid primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  kind text not null check (kind in ('profile', 'session')),
  subject_id uuid not null,
  -- Counts by table, so far.
  erased jsonb not null default '{}',
  -- Until then a process is at it.
  claimed_until timestamptz not null default now() + interval '2 minutes',
  requested_at timestamptz not null default now(),
  unique (tenant_id, kind, subject_id)
);
create index erasures_due_idx on stead.erasures (claimed_until, requested_at);
alter table stead.erasures enable row level security;
alter table stead.erasures force row level security;
grant select, insert, update, delete on stead.erasures to stead_definer;
create policy stead_definer_access on stead.erasures to stead_definer using (true) with check (true);

-- Ends the runs of a person or of sessions: their processes find them taken over and write nothing more. The lock
-- waits for frames that are being written, and whoever writes some meanwhile (stead.append_frames) waits for it.
create function stead.end_runs(tenant uuid, person uuid, sessions uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with under_way as (
    select r.id from public.agent_runs r
    where r.tenant_id = tenant and (r.profile_id = person or r.session_id = any (sessions)) and r.status = 'running'
    for update
  )
  update public.agent_runs r
  set status = 'failed', completed_at = now(), finish_reason = 'error',
    error = '{"code": "run_interrupted", "message": "What it was about is forgotten"}'
  from under_way u where r.id = u.id
$$;

-- Asks for a person or a session to be forgotten: the caller's own, or any of its tenant for the service. Null where
-- there is none. Asking twice is asking once. From here on nothing is begun there, and what is under way ends.
create function stead.request_erasure(kind text, subject uuid, erasure uuid) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  tenant constant uuid := stead.tenant_id();
  all_of_it constant boolean := not (stead.claims() ?| array['sub', 'stead_session']);
  person uuid;
  sessions uuid[];
  made uuid;
begin
  if request_erasure.kind = 'profile' then
    select p.id, array(select s.id from public.sessions s where s.tenant_id = tenant and s.profile_id = p.id)
    into person, sessions from public.profiles p
    where p.tenant_id = tenant and p.id = subject and (all_of_it or p.id = stead.profile_id());
  else
    select array_agg(s.id) into sessions from public.sessions s
    where s.tenant_id = tenant and s.id = subject
      and (all_of_it or s.profile_id = stead.profile_id()
        or (s.profile_id is null and s.id = stead.session_id()));
  end if;
  if sessions is null then
    return null;
  end if;
  insert into stead.erasures as e (id, tenant_id, kind, subject_id)
  values (erasure, tenant, request_erasure.kind, subject)
  on conflict (tenant_id, kind, subject_id) do update set requested_at = e.requested_at
  returning e.id into made;
  -- Whoever finished the same just now has been waited for: then there is nothing left to forget.
  if request_erasure.kind = 'profile' then
    perform from public.profiles p where p.tenant_id = tenant and p.id = subject for key share;
  else
    perform from public.sessions s where s.tenant_id = tenant and s.id = subject for key share;
  end if;
  if not found then
    delete from stead.erasures e where e.id = erasure;
    return null;
  end if;
  perform stead.end_runs(tenant, person, sessions);
  update public.sessions s set status = 'abandoned' where s.id = any (sessions) and s.status = 'in_progress';
  return made;
end
$$;

-- One step of an erasure: at most so many rows of the bulky tables, or at last the subject itself with all that hangs
-- on it. Says how many rows went, and whether that was all; nothing when somebody else has finished it.
create function stead.erase_step(erasure uuid, batch integer, out gone integer, out finished boolean, out erased jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  work stead.erasures;
  person uuid;
  sessions uuid[];
  part record;
  n integer;
begin
  gone := 0;
  finished := true;
  erased := '{}';
  select * into work from stead.erasures e
  where e.id = erasure and e.tenant_id = stead.tenant_id() for update;
  if work.id is null then
    return;
  end if;
  erased := work.erased;
  person := case work.kind when 'profile' then work.subject_id end;
  sessions := array(
    select s.id from public.sessions s
    where s.tenant_id = work.tenant_id and (s.profile_id = person or s.id = work.subject_id));
  for part in
    select * from (values
      ('stream_chunks', 'stead.stream_chunks', 'x.run_id in (select r.id from public.agent_runs r
        where r.tenant_id = $1 and (r.session_id = any ($2) or r.profile_id = $3))'),
      ('memories', 'public.agent_memories', null),
      ('memory_logs', 'public.memory_logs', null),
      ('messages', 'public.messages', null),
      ('store_items', 'public.store_items', null),
      ('goals', 'public.goal_assessments', null),
      ('beliefs', 'public.belief_graphs', null),
      ('artifacts', 'public.evidence_artifacts', 'x.created_by = $3'),
      ('evidence', 'public.evidence_embeddings', 'x.profile_id = $3'),
      ('runs', 'public.agent_runs', null)
    ) as parts (name, source, whose)
  loop
    execute format(
      'with old as (select x.ctid from %1$s x where x.tenant_id = $1 and (%2$s) limit $4)
       delete from %1$s x using old o where x.ctid = o.ctid',
      part.source, coalesce(part.whose, 'x.session_id = any ($2) or x.profile_id = $3'))
    using work.tenant_id, sessions, person, batch - gone;
    get diagnostics n = row_count;
    gone := gone + n;
    erased := erased || jsonb_build_object(part.name, coalesce((erased ->> part.name)::bigint, 0) + n);
  end loop;
  if gone > 0 then
    finished := false;
    update stead.erasures e set erased = erase_step.erased, claimed_until = now() + interval '2 minutes'
    where e.id = erasure;
    return;
  end if;

  -- Whoever still writes for them waits here or is waited for: every row of theirs holds a lock on one of these. Each
  -- statement below sees what was committed before it.
  perform from public.profiles p where p.tenant_id = work.tenant_id and p.id = person for update;
  perform from public.sessions s
  where s.tenant_id = work.tenant_id and (s.profile_id = person or s.id = work.subject_id) order by s.id for update;
  sessions := array(
    select s.id from public.sessions s
    where s.tenant_id = work.tenant_id and (s.profile_id = person or s.id = work.subject_id));
  delete from public.agent_runs r
  where r.tenant_id = work.tenant_id and (r.session_id = any (sessions) or r.profile_id = person);
  delete from public.sessions s where s.tenant_id = work.tenant_id and s.id = any (sessions);
  get diagnostics n = row_count;
  erased := erased || jsonb_build_object('sessions', n);
  delete from public.profiles p where p.tenant_id = work.tenant_id and p.id = person;
  get diagnostics n = row_count;
  erased := erased || jsonb_build_object('profiles', n);
  -- What no foreign key takes along.
  delete from public.memory_logs l
  where l.tenant_id = work.tenant_id and (l.session_id = any (sessions) or l.profile_id = person);
  delete from stead.idempotency_keys k
  where k.tenant_id = work.tenant_id
    and (k.owner = 'profile:' || person or k.owner = any (array(select 'session:' || s from unnest(sessions) s)));
  delete from stead.consolidations c
  where c.tenant_id = work.tenant_id and (c.scope_id = person or c.scope_id = any (sessions));
  delete from stead.search_totals t
  where t.tenant_id = work.tenant_id and (t.scope_id = person or t.scope_id = any (sessions));
  update public.agent_versions v set created_by = null where v.tenant_id = work.tenant_id and v.created_by = person;
  delete from stead.erasures e where e.tenant_id = work.tenant_id and (e.id = erasure
    or (e.kind = 'session' and e.subject_id = any (sessions)));
end
$$;

-- Leaves an erasure to whoever claims it next.
create function stead.release_erasure(erasure uuid) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update stead.erasures e set claimed_until = now() - interval '1 second'
  where e.id = erasure and e.tenant_id = stead.tenant_id()
$$;

-- Erasures that nobody is at.
create function stead.claim_erasures(batch integer)
returns table (id uuid, tenant_id uuid, tenant_slug text, kind text, subject_id uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select e.id from stead.erasures e where e.claimed_until < now()
    order by e.claimed_until, e.requested_at limit batch
    for update skip locked
  ),
  taken as (
    update stead.erasures e set claimed_until = now() + interval '2 minutes'
    from due d where e.id = d.id
    returning e.id, e.tenant_id, e.kind, e.subject_id
  )
  select t.id, t.tenant_id, n.slug, t.kind, t.subject_id from taken t join public.tenants n on n.id = t.tenant_id
$$;

-- A session's context without the answers of which those statements were made (`pricing, day rate: $300`, as
-- stead.memory.statements writes them); null when nothing of it is left.
create function stead.without_answers(value jsonb, label text, statements text[]) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case jsonb_typeof(value)
    when 'object' then (
      select jsonb_object_agg(i.key, i.kept) from (
        select e.key, stead.without_answers(e.value, concat_ws(', ', label, btrim(regexp_replace(lower(regexp_replace(
          regexp_replace(e.key, '[_.-]+', ' ', 'g'), '([a-z0-9])([A-Z])', '\1 \2', 'g')), '\s+', ' ', 'g'))),
          statements) as kept
        from jsonb_each(value) e
      ) i where i.kept is not null)
    when 'array' then (
      case when exists (select from jsonb_array_elements(value) e where jsonb_typeof(e) in ('object', 'array', 'null'))
        then (select jsonb_agg(i.kept order by i.n) from (
          select e.n, stead.without_answers(e.v, label, statements) as kept
          from jsonb_array_elements(value) with ordinality e (v, n)) i where i.kept is not null)
        else (select case when stead.without_answers(to_jsonb(string_agg(e.v, ', ' order by e.n)), label, statements)
            is not null then value end
          from jsonb_array_elements_text(value) with ordinality e (v, n))
      end)
    when 'boolean' then case when not left(label || case when value::boolean then ': yes' else ': no' end, 1000)
      = any (statements) then value end
    when 'null' then value
    else case when not left(label || ': ' || btrim(regexp_replace(value #>> '{}', '\s+', ' ', 'g')), 1000)
      = any (statements) then value end
  end
$$;

-- Forgets one memory: it and the versions that it superseded, the messages that it was said in with their answers, the
-- answers that made use of it, the answer in a session's context that it was, and what quotes it word for word within
-- the same scope. Messages stay in their place with the words taken out. Other facts of the same messages stay.
create function stead.erase_memory(memory uuid, sources boolean) returns jsonb
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

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('end_runs', 'request_erasure', 'erase_step', 'release_erasure', 'claim_erasures', 'erase_memory')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to stead_service', f);
  end loop;
end
$$;
revoke execute on function stead.end_runs(uuid, uuid, uuid[]) from stead_service;
revoke execute on function stead.without_answers(jsonb, text, text[]) from public;
grant execute on function stead.without_answers(jsonb, text, text[]) to stead_definer;
