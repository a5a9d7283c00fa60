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
  claimed_until timestamptz,
  requested_at timestamptz not null default now(),
  unique (tenant_id, kind, subject_id)
);
create index erasures_due_idx on stead.erasures (claimed_until nulls first, requested_at);
alter table stead.erasures enable row level security;
alter table stead.erasures force row level security;
grant select, insert, update, delete on stead.erasures to stead_definer;
create policy stead_definer_access on stead.erasures to stead_definer using (true) with check (true);

-- Asks for a person or a session to be forgotten: the caller's own, or any of its tenant for the service. Null where
-- there is none. Asking twice is asking once.
create function stead.request_erasure(kind text, subject uuid, erasure uuid) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  tenant constant uuid := stead.tenant_id();
  all_of_it constant boolean := not (stead.claims() ?| array['sub', 'stead_session']);
  there boolean;
  made uuid;
begin
  if request_erasure.kind = 'profile' then
    select exists (
      select from public.profiles p where p.tenant_id = tenant and p.id = subject
        and (all_of_it or p.id = stead.profile_id())) into there;
  else
    select exists (
      select from public.sessions s where s.tenant_id = tenant and s.id = subject
        and (all_of_it or s.profile_id = stead.profile_id()
          or (s.profile_id is null and s.id = stead.session_id()))) into there;
  end if;
  if not there or tenant is null then
    return null;
  end if;
  insert into stead.erasures as e (id, tenant_id, kind, subject_id)
  values (erasure, tenant, request_erasure.kind, subject)
  on conflict (tenant_id, kind, subject_id) do update set requested_at = e.requested_at
  returning e.id into made;
  return made;
end
$$;

-- One step of an erasure: the bulky tables in batches, then the subject itself with all that hangs on it.
-- Returns how many rows went; 0 and the counts when it is done.
create function stead.erase_step(erasure uuid, batch integer, out gone integer, out finished boolean, out erased jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  work stead.erasures;
  sessions uuid[];
  n integer;
begin
  select * into work from stead.erasures e where e.id = erasure for update;
  if work.id is null then
    gone := 0;
    finished := true;
    erased := '{}';
    return;
  end if;
  gone := 0;
  finished := false;
  erased := work.erased;
  select coalesce(array_agg(s.id), '{}') into sessions from public.sessions s
  where s.tenant_id = work.tenant_id
    and case work.kind when 'profile' then s.profile_id = work.subject_id else s.id = work.subject_id end;

  with old as (
    select c.ctid from stead.stream_chunks c join public.agent_runs r on r.id = c.run_id
    where r.tenant_id = work.tenant_id and r.session_id = any (sessions) limit batch
  )
  delete from stead.stream_chunks c using old o where c.ctid = o.ctid;
  get diagnostics n = row_count;
  gone := gone + n;
  erased := erased || jsonb_build_object('stream_chunks', coalesce((erased ->> 'stream_chunks')::bigint, 0) + n);

  with old as (
    select m.id from public.agent_memories m
    where m.tenant_id = work.tenant_id and (m.session_id = any (sessions)
      or (work.kind = 'profile' and m.profile_id = work.subject_id)) limit batch
  )
  delete from public.agent_memories m using old o where m.id = o.id;
  get diagnostics n = row_count;
  gone := gone + n;
  erased := erased || jsonb_build_object('memories', coalesce((erased ->> 'memories')::bigint, 0) + n);

  with old as (
    select l.id from public.memory_logs l
    where l.tenant_id = work.tenant_id and (l.session_id = any (sessions)
      or (work.kind = 'profile' and l.profile_id = work.subject_id)) limit batch
  )
  delete from public.memory_logs l using old o where l.id = o.id;
  get diagnostics n = row_count;
  gone := gone + n;
  erased := erased || jsonb_build_object('memory_logs', coalesce((erased ->> 'memory_logs')::bigint, 0) + n);

  with old as (
    select m.id from public.messages m
    where m.tenant_id = work.tenant_id and m.session_id = any (sessions) limit batch
  )
  delete from public.messages m using old o where m.id = o.id;
  get diagnostics n = row_count;
  gone := gone + n;
  erased := erased || jsonb_build_object('messages', coalesce((erased ->> 'messages')::bigint, 0) + n);

  with old as (
    select r.id from public.agent_runs r
    where r.tenant_id = work.tenant_id and (r.session_id = any (sessions)
      or (work.kind = 'profile' and r.profile_id = work.subject_id)) limit batch
  )
  delete from public.agent_runs r using old o where r.id = o.id;
  get diagnostics n = row_count;
  gone := gone + n;
  erased := erased || jsonb_build_object('runs', coalesce((erased ->> 'runs')::bigint, 0) + n);

  if gone = 0 then
    -- What was answered to repeated requests, and what is small: with the rows that it hangs on.
    delete from stead.idempotency_keys k where k.tenant_id = work.tenant_id
      and (k.owner = any (array(select 'session:' || s from unnest(sessions) s))
        or (work.kind = 'profile' and k.owner = 'profile:' || work.subject_id));
    delete from public.sessions s where s.tenant_id = work.tenant_id and s.id = any (sessions);
    get diagnostics n = row_count;
    erased := erased || jsonb_build_object('sessions', n);
    if work.kind = 'profile' then
      delete from public.profiles p where p.tenant_id = work.tenant_id and p.id = work.subject_id;
    end if;
    delete from stead.consolidations c where c.tenant_id = work.tenant_id
      and (c.scope_id = any (sessions) or c.scope_id = work.subject_id);
    delete from stead.search_totals t where t.tenant_id = work.tenant_id
      and (t.scope_id = any (sessions) or (work.kind = 'profile' and t.scope_id = work.subject_id));
    delete from stead.erasures e where e.id = erasure;
    finished := true;
    return;
  end if;
  update stead.erasures e set erased = erase_step.erased, claimed_until = now() + interval '2 minutes'
  where e.id = erasure;
end
$$;

-- Erasures whose process died before they were done.
create function stead.claim_erasures(batch integer)
returns table (id uuid, tenant_id uuid, tenant_slug text, kind text, subject_id uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select e.id from stead.erasures e
    where coalesce(e.claimed_until, e.requested_at + interval '1 minute') < now()
    order by e.requested_at limit batch
    for update skip locked
  ),
  taken as (
    update stead.erasures e set claimed_until = now() + interval '2 minutes'
    from due d where e.id = d.id
    returning e.id, e.tenant_id, e.kind, e.subject_id
  )
  select t.id, t.tenant_id, n.slug, t.kind, t.subject_id from taken t join public.tenants n on n.id = t.tenant_id
$$;

-- Forgets one memory: it, the versions before and after it, what it was said in, and what quotes it word for word
-- within the same scope. Messages stay in their place with the words taken out.
create function stead.erase_memory(memory uuid, sources boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  gap constant text := '[forgotten]';
  tenant constant uuid := stead.tenant_id();
  chain uuid[];
  texts text[];
  said uuid[];
  whose uuid;
  runs uuid[];
  redacted integer := 0;
  n integer;
begin
  select m.scope_id into whose from public.agent_memories m
  where m.tenant_id = tenant and m.id = memory and stead.may_search(m.scope_id);
  if whose is null then
    return null;
  end if;
  with recursive versions as (
    select m.id, m.superseded_by from public.agent_memories m where m.tenant_id = tenant and m.id = memory
    union
    select m.id, m.superseded_by from versions v join public.agent_memories m
      on m.tenant_id = tenant and m.scope_id = whose and (m.id = v.superseded_by or m.superseded_by = v.id)
  )
  select array_agg(v.id) into chain from versions v;
  if not sources then
    chain := array[memory];
  end if;
  select array_agg(m.content), array(
      select distinct i from public.agent_memories x, unnest(x.message_ids) i
      where x.tenant_id = tenant and x.id = any (chain))
  into texts, said from public.agent_memories m where m.tenant_id = tenant and m.id = any (chain);
  if sources then
    -- The turns that say it, and the facts of the same words.
    chain := chain || array(
      select m.id from public.agent_memories m
      where m.tenant_id = tenant and m.scope_id = whose and (m.message_ids && said and m.kind = 'turn'
        or exists (select from unnest(texts) t where position(lower(t) in lower(m.content)) > 0)));
    select coalesce(array_agg(r.id), '{}') into runs from public.agent_runs r
    where r.tenant_id = tenant and coalesce(r.profile_id, r.session_id) = whose and (
      r.user_message_id = any (said) or r.message_id = any (said)
      or exists (select from unnest(texts) t
        where position(lower(to_jsonb(t)::text) in lower(coalesce(r.input::text, '') || coalesce(r.output::text, ''))) > 0
          or position(lower(t) in lower(coalesce(r.input::text, '') || coalesce(r.output::text, ''))) > 0));
    update public.messages m set parts = jsonb_build_array(jsonb_build_object('type', 'text', 'text', gap))
    where m.tenant_id = tenant and coalesce(m.profile_id, m.session_id) = whose and (m.id = any (said)
      or exists (select from unnest(texts) t where position(lower(t) in lower(m.parts::text)) > 0
        or position(lower(btrim(to_jsonb(t)::text, '"')) in lower(m.parts::text)) > 0));
    get diagnostics redacted = row_count;
    update public.agent_runs r set input = null, output = null where r.tenant_id = tenant and r.id = any (runs);
    delete from stead.stream_chunks c where c.tenant_id = tenant and c.run_id = any (runs);
    delete from stead.idempotency_keys k where k.tenant_id = tenant and k.body is not null
      and exists (select from unnest(texts) t
        where position(lower(btrim(to_jsonb(t)::text, '"')) in lower(k.body::text)) > 0);
  end if;
  delete from public.agent_memories m where m.tenant_id = tenant and m.id = any (chain);
  get diagnostics n = row_count;
  return jsonb_build_object('memories', n, 'messages_redacted', redacted,
    'runs_redacted', coalesce(array_length(runs, 1), 0), 'profile_id', (
      select p.id from public.profiles p where p.tenant_id = tenant and p.id = whose));
end
$$;

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('request_erasure', 'erase_step', 'claim_erasures', 'erase_memory')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to stead_service', f);
  end loop;
end
$$;
