-- Live updates: a feed of changes, written only while somebody listens, broadcasts, and presence.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Who listens: a tenant's changes of a table are recorded while its lease runs. Renewed by every server that has
-- subscribers; `since` tells from when on nothing is missing.
create table stead.change_interest (
  tenant_id uuid not null,
  table_name text not null check (length(table_name) between 1 and 63),
  until timestamptz not null,
  since xid8 not null,
  primary key (tenant_id, table_name)
) with (fillfactor = 50);
-- What every statement on a published table looks up first.
create index change_interest_table_idx on stead.change_interest (table_name, until);

-- One row for a statement and tenant. `rows` are the new rows; of deleted ones the key and what policies look at.
-- No foreign key to the tenant: checking one would lock the tenant's row for every writer, and rows live for minutes.
create table stead.changes (
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  tenant_id uuid not null,
  table_name text not null,
  op text not null check (op in ('INSERT', 'UPDATE', 'DELETE')),
  rows jsonb not null check (jsonb_typeof(rows) = 'array'),
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
-- Readers ask for transactions that they have not seen.
create index changes_xid_idx on stead.changes (xid);
create index changes_created_idx on stead.changes (created_at);

-- Up to which transaction rows may have been swept.
create table stead.change_sweeps (
  feed text primary key,
  xid xid8 not null
);

-- Messages to whoever is in a channel. Unlogged: they are for those who are there now.
create unlogged table stead.broadcasts (
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  tenant_id uuid not null,
  topic text not null check (length(topic) between 1 and 255),
  kind text not null check (kind in ('broadcast', 'binary', 'presence')),
  event text not null check (length(event) between 1 and 255),
  payload jsonb,
  -- The server that has delivered it to its own clients already.
  process_id uuid,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
create index broadcasts_xid_idx on stead.broadcasts (xid);
create index broadcasts_created_idx on stead.broadcasts (created_at);

-- Who is in a channel, as each says of itself; kept alive by the server that holds the connection.
create unlogged table stead.presences (
  tenant_id uuid not null,
  id uuid not null,
  topic text not null check (length(topic) between 1 and 255),
  key text not null check (length(key) between 1 and 255),
  process_id uuid not null,
  meta jsonb not null,
  until timestamptz not null,
  primary key (tenant_id, id)
);
create index presences_topic_idx on stead.presences (tenant_id, topic);
create index presences_until_idx on stead.presences (until);

-- What the feed keeps of a deleted row: its key, and the columns that policies of the table look at.
create function stead.kept_columns(relation oid) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select array_agg(a.attname::text) from pg_attribute a
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and (
    exists (select from pg_index i where i.indrelid = relation and i.indisprimary and a.attnum = any (i.indkey))
    or exists (select from pg_depend d
      where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_class'::regclass
        and d.refobjid = relation and d.refobjsubid = a.attnum))
$$;

-- A row as it goes into the feed. Of a very large one only what is small: Realtime does the same.
create function stead.feed_row(given jsonb) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case when pg_column_size(given) <= 262144 then given else (
    select jsonb_object_agg(e.key, e.value) from jsonb_each(given) e where pg_column_size(e.value) <= 256
  ) end
$$;

-- Statement trigger: one look at an index that is empty while nobody listens. Times are told in UTC.
create function stead.record_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  kept text[];
begin
  if not exists (select from stead.change_interest i where i.table_name = tg_table_name and i.until > now()) then
    return null;
  end if;
  if tg_op = 'DELETE' then
    kept := stead.kept_columns(tg_relid);
  end if;
  insert into stead.changes (tenant_id, table_name, op, rows)
  select c.tenant_id, tg_table_name, tg_op, jsonb_agg(case when kept is null then stead.feed_row(c.found) else (
    select jsonb_object_agg(k, c.found -> k) from unnest(kept) k
  ) end)
  from (
    -- In pieces, so that no reader has to hold the whole of a large statement.
    select w.tenant_id, w.found, (row_number() over place - 1) / 250 as piece,
      sum(pg_column_size(w.found)) over place / 1048576 as mebibyte
    from (
      select n.tenant_id, to_jsonb(n) as found from changed n
      where exists (select from stead.change_interest i
        where i.tenant_id = n.tenant_id and i.table_name = tg_table_name and i.until > now())
    ) w
    window place as (partition by w.tenant_id rows unbounded preceding)
  ) c
  group by c.tenant_id, c.piece, c.mebibyte;
  if found then
    perform pg_notify('stead', '["changes"]');
  end if;
  return null;
end
$$;

-- Publishes the changes of a table: to Stead's own readers, and to Supabase Realtime where that is.
-- For migrations: select stead.publish_changes('public.agent_jobs').
create function stead.publish_changes(relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  event text;
begin
  if not exists (select from pg_class c where c.oid = relation and c.relkind in ('r', 'p')
      and c.relnamespace = 'public'::regnamespace and c.relrowsecurity and c.relforcerowsecurity)
    or not exists (select from pg_index i where i.indrelid = relation and i.indisprimary)
    or not exists (select from pg_attribute a
      where a.attrelid = relation and a.attname = 'tenant_id' and a.attnotnull and not a.attisdropped) then
    raise exception '% cannot be published', relation
      using hint = 'A table of public with a primary key, tenant_id not null, and row-level security forced.';
  end if;
  foreach event in array array['insert', 'update', 'delete'] loop
    execute format(
      'create or replace trigger stead_changes_%1$s after %1$s on %2$s referencing %3$s table as changed '
      'for each statement execute function stead.record_changes()',
      event, relation, case event when 'delete' then 'old' else 'new' end);
  end loop;
  if exists (select from pg_publication p where p.pubname = 'supabase_realtime' and not p.puballtables)
    and not exists (select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
      where p.pubname = 'supabase_realtime' and r.prrelid = relation) then
    begin
      execute format('alter publication supabase_realtime add table %s', relation);
    exception when insufficient_privilege then
      raise warning 'the publication supabase_realtime belongs to somebody else: add % to it yourself', relation;
    end;
  end if;
end
$$;

-- What of the given rows the caller may see, with the columns that it may select; no columns: nothing at all, or the
-- table is not published. Runs with the caller's own rights. Rows that are there are looked for by their key; of
-- deleted ones the policies are asked as they would have been asked about the row.
create function stead.visible_changes(relation text, op text, given jsonb)
returns table (visible bigint[], columns jsonb, keys text[])
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  relid oid := to_regclass(format('public.%I', relation));
  allowed text;
  required text;
begin
  if not exists (select from pg_trigger t where t.tgrelid = relid and t.tgname = 'stead_changes_insert') then
    return;
  end if;
  select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum)) into keys
  from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = relid and i.indisprimary;
  select jsonb_agg(jsonb_build_object('name', a.attname, 'type', t.typname) order by a.attnum) into columns
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  where a.attrelid = relid and a.attnum > 0 and not a.attisdropped
    and has_column_privilege(relid, a.attnum, 'select');
  visible := '{}';
  if columns is null or exists (select from unnest(keys) k where not has_column_privilege(relid, k, 'select')) then
    return;
  end if;
  if jsonb_array_length(given) > 0 then
    if op = 'DELETE' then
      select string_agg(format('(%s)', pg_get_expr(p.polqual, relid)), ' or ') filter (where p.polpermissive),
        string_agg(format('(%s)', pg_get_expr(p.polqual, relid)), ' and ') filter (where not p.polpermissive)
      into allowed, required
      from pg_policy p
      where p.polrelid = relid and p.polcmd in ('*', 'r') and (p.polroles = '{0}'
        or exists (select from unnest(p.polroles) r where pg_has_role(current_user, r, 'usage')));
      execute format(
        'select coalesce(array_agg(%1$I.ordinality), ''{}'') '
        'from jsonb_populate_recordset(null::public.%1$I, $1) with ordinality %1$I where (%2$s) and (%3$s)',
        relation, coalesce(allowed, 'false'), coalesce(required, 'true')) into visible using given;
    else
      execute format(
        'select coalesce(array_agg(k.ordinality), ''{}'') '
        'from jsonb_populate_recordset(null::public.%1$I, $1) with ordinality k join public.%1$I t on %2$s',
        relation, (select string_agg(format('t.%1$I = k.%1$I', k), ' and ') from unnest(keys) k))
      into visible using given;
    end if;
  end if;
  return next;
end
$$;

-- Renews leases, or begins them. Answers with the transaction since which each has run without a break, the one up to
-- which rows may have been swept, and what is visible now.
create function stead.keep_interest(tenants uuid[], tables text[], lease_s double precision)
returns table (tenant_id uuid, table_name text, since text, swept text, seen text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  -- In one order, so that two servers do not wait for each other in a circle.
  insert into stead.change_interest as i (tenant_id, table_name, until, since)
  select u.t, u.n, clock_timestamp() + make_interval(secs => lease_s), pg_current_xact_id()
  from unnest(tenants, tables) as u (t, n) order by u.t, u.n
  on conflict (tenant_id, table_name) do update set
    until = clock_timestamp() + make_interval(secs => lease_s),
    since = case when i.until > clock_timestamp() then i.since else pg_current_xact_id() end
  -- What another server has just renewed is left alone.
  where i.until < clock_timestamp() + make_interval(secs => lease_s * 0.75);
  return query
  select i.tenant_id, i.table_name, i.since::text, coalesce((select s.xid::text from stead.change_sweeps s where s.feed = 'changes'), '0'),
    pg_current_snapshot()::text
  from unnest(tenants, tables) as u (t, n)
  join stead.change_interest i on i.tenant_id = u.t and i.table_name = u.n;
end
$$;

-- Changes that were committed between two snapshots, page by page. A row may have a smaller id than one that was
-- read before it: what counts is which transactions were visible, so nobody who commits late is skipped. Without an
-- end: up to now, and the first column says what now is. There is always at least one row.
create function stead.read_changes(seen text, upto text, after bigint, batch integer, tenant uuid, relation text)
returns table (snapshot text, id bigint, xid text, tenant_id uuid, table_name text, op text, rows jsonb,
  created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.now::text, c.id, c.xid::text, c.tenant_id, c.table_name, c.op, c.rows, c.created_at
  from (select coalesce(upto::pg_snapshot, pg_current_snapshot()) as now) s
  left join lateral (
    select * from stead.changes c
    where c.xid >= pg_snapshot_xmin(seen::pg_snapshot) and not pg_visible_in_snapshot(c.xid, seen::pg_snapshot)
      and pg_visible_in_snapshot(c.xid, s.now) and c.id > after
      and (tenant is null or (c.tenant_id = tenant and c.table_name = relation))
    order by c.id limit batch
  ) c on true
$$;

create function stead.read_broadcasts(seen text, upto text, after bigint, batch integer, process uuid)
returns table (snapshot text, id bigint, tenant_id uuid, topic text, kind text, event text, payload jsonb)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.now::text, b.id, b.tenant_id, b.topic, b.kind, b.event, b.payload
  from (select coalesce(upto::pg_snapshot, pg_current_snapshot()) as now) s
  left join lateral (
    select * from stead.broadcasts b
    where b.xid >= pg_snapshot_xmin(seen::pg_snapshot) and not pg_visible_in_snapshot(b.xid, seen::pg_snapshot)
      and pg_visible_in_snapshot(b.xid, s.now) and b.id > after and b.process_id is distinct from process
    order by b.id limit batch
  ) b on true
$$;

-- Whether every transaction that began before this one has ended.
create function stead.settled(since text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$ select pg_snapshot_xmin(pg_current_snapshot()) > since::xid8 $$;

-- Whether each text matches its POSIX pattern; null: the pattern is none.
create function stead.texts_match(texts text[], patterns text[]) returns boolean[]
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  answers boolean[] := '{}';
begin
  for n in 1 .. cardinality(texts) loop
    begin
      answers := answers || (texts[n] ~ patterns[n]);
    exception when invalid_regular_expression then
      answers := answers || null::boolean;
    end;
  end loop;
  return answers;
end
$$;

-- Tells a channel of the caller's tenant something, if any server has somebody in a channel of it.
create function stead.broadcast(topic text, event text, payload jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into stead.broadcasts (tenant_id, topic, kind, event, payload)
  select i.tenant_id, broadcast.topic, 'broadcast', broadcast.event, broadcast.payload
  from stead.change_interest i
  where i.tenant_id = stead.tenant_id() and i.table_name = '#channels' and i.until > now();
  if found then
    perform pg_notify('stead', '["broadcasts"]');
  end if;
end
$$;

-- What clients of one server say to channels, many at once.
create function stead.send_broadcasts(
  process uuid, tenants uuid[], topics text[], kinds text[], events text[], payloads jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into stead.broadcasts (tenant_id, topic, kind, event, payload, process_id)
  select u.t, u.topic, u.kind, u.event, payloads -> (u.n::integer - 1), process
  from unnest(tenants, topics, kinds, events) with ordinality as u (t, topic, kind, event, n) order by u.n;
  perform pg_notify('stead', '["broadcasts"]');
end
$$;

create function stead.presence_entry(key text, meta jsonb) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select jsonb_build_object(key, jsonb_build_object('metas', jsonb_build_array(meta))) $$;

-- Somebody is in a channel, says something else of itself, or (no meta) is there no more; all who are there are told.
create function stead.change_presence(
  process uuid, tenant uuid, presence uuid, topic text, key text, meta jsonb, lease_s double precision) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  before stead.presences;
begin
  delete from stead.presences p where p.tenant_id = tenant and p.id = presence returning p.* into before;
  if meta is not null then
    insert into stead.presences (tenant_id, id, topic, key, process_id, meta, until)
    values (tenant, presence, topic, key, process, meta, clock_timestamp() + make_interval(secs => lease_s));
  elsif before.id is null then
    return;
  end if;
  insert into stead.broadcasts (tenant_id, topic, kind, event, payload)
  values (tenant, topic, 'presence', 'presence_diff', jsonb_build_object(
    'joins', case when meta is null then '{}' else stead.presence_entry(key, meta) end,
    'leaves', case when before.id is null then '{}' else stead.presence_entry(before.key, before.meta) end));
  perform pg_notify('stead', '["broadcasts"]');
end
$$;

create function stead.presence_state(tenant uuid, topic text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_object_agg(k.key, jsonb_build_object('metas', k.metas)), '{}')
  from (
    select p.key, jsonb_agg(p.meta order by p.id) as metas from stead.presences p
    where p.tenant_id = tenant and p.topic = presence_state.topic and p.until > clock_timestamp()
    group by p.key
  ) k
$$;

-- Renews what a server holds; answers with what is not there any more, after a crash of the database.
create function stead.keep_presences(tenants uuid[], presences uuid[], lease_s double precision) returns uuid[]
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with kept as (
    update stead.presences p set until = clock_timestamp() + make_interval(secs => lease_s)
    from unnest(tenants, presences) as u (t, id) where p.tenant_id = u.t and p.id = u.id
    returning p.id
  )
  select coalesce(array_agg(u.id), '{}') from unnest(presences) as u (id) where u.id not in (select k.id from kept k)
$$;

-- Those whose server fell silent leave.
create function stead.sweep_presences(batch integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  swept integer;
begin
  with due as (
    select p.tenant_id, p.id from stead.presences p where p.until < clock_timestamp()
    order by p.until limit batch for update skip locked
  ),
  gone as (
    delete from stead.presences p using due d where p.tenant_id = d.tenant_id and p.id = d.id returning p.*
  )
  insert into stead.broadcasts (tenant_id, topic, kind, event, payload)
  select g.tenant_id, g.topic, 'presence', 'presence_diff',
    jsonb_build_object('joins', '{}'::jsonb, 'leaves', stead.presence_entry(g.key, g.meta))
  from gone g;
  get diagnostics swept = row_count;
  if swept > 0 then
    perform pg_notify('stead', '["broadcasts"]');
  end if;
  return swept;
end
$$;

-- Deletes old rows of the feed, some at a time, and remembers up to which transaction.
create function stead.sweep_changes(keep_s double precision, batch integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  latest xid8;
  swept integer;
begin
  with old as (
    select c.tenant_id, c.id from stead.changes c
    where c.created_at < clock_timestamp() - make_interval(secs => keep_s)
    order by c.created_at limit batch for update skip locked
  ),
  gone as (delete from stead.changes c using old o where c.tenant_id = o.tenant_id and c.id = o.id returning c.xid)
  select max(g.xid), count(*) into latest, swept from gone g;
  if swept > 0 then
    insert into stead.change_sweeps as s (feed, xid) values ('changes', latest)
    on conflict (feed) do update set xid = greatest(s.xid, latest);
  end if;
  with old as (
    select b.tenant_id, b.id from stead.broadcasts b
    where b.created_at < clock_timestamp() - interval '1 minute' order by b.created_at limit batch
  ),
  gone as (delete from stead.broadcasts b using old o where b.tenant_id = o.tenant_id and b.id = o.id returning 1)
  select swept + count(*) into swept from gone;
  delete from stead.change_interest i where i.until < clock_timestamp() - interval '1 hour';
  return swept;
end
$$;

-- Something of the caller's tenant was forgotten: what the feed and the channels hold of it goes too. Whoever listens
-- learns with the next renewal of the lease that he may have missed changes.
create function stead.forget_changes() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from stead.changes c where c.tenant_id = stead.tenant_id();
  delete from stead.broadcasts b where b.tenant_id = stead.tenant_id();
  update stead.change_interest i set since = pg_current_xact_id() where i.tenant_id = stead.tenant_id();
end
$$;

alter table stead.change_interest enable row level security;
alter table stead.change_interest force row level security;
alter table stead.changes enable row level security;
alter table stead.changes force row level security;
alter table stead.change_sweeps enable row level security;
alter table stead.change_sweeps force row level security;
alter table stead.broadcasts enable row level security;
alter table stead.broadcasts force row level security;
alter table stead.presences enable row level security;
alter table stead.presences force row level security;

-- Nobody reads or writes these but through the functions above.
grant select, insert, update, delete on stead.change_interest, stead.presences to stead_definer;
grant select, insert, update, delete on stead.changes, stead.broadcasts to stead_definer;
grant select, insert, update on stead.change_sweeps to stead_definer;

create policy stead_definer_access on stead.change_interest to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.changes to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.change_sweeps to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.broadcasts to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.presences to stead_definer using (true) with check (true);

alter function stead.record_changes() owner to stead_definer;
alter function stead.keep_interest(uuid[], text[], double precision) owner to stead_definer;
alter function stead.read_changes(text, text, bigint, integer, uuid, text) owner to stead_definer;
alter function stead.read_broadcasts(text, text, bigint, integer, uuid) owner to stead_definer;
alter function stead.broadcast(text, text, jsonb) owner to stead_definer;
alter function stead.send_broadcasts(uuid, uuid[], text[], text[], text[], jsonb) owner to stead_definer;
alter function stead.change_presence(uuid, uuid, uuid, text, text, jsonb, double precision) owner to stead_definer;
alter function stead.presence_state(uuid, text) owner to stead_definer;
alter function stead.keep_presences(uuid[], uuid[], double precision) owner to stead_definer;
alter function stead.sweep_presences(integer) owner to stead_definer;
alter function stead.sweep_changes(double precision, integer) owner to stead_definer;
alter function stead.forget_changes() owner to stead_definer;

revoke execute on function stead.kept_columns(oid), stead.feed_row(jsonb), stead.record_changes(),
  stead.publish_changes(regclass), stead.visible_changes(text, text, jsonb),
  stead.keep_interest(uuid[], text[], double precision),
  stead.read_changes(text, text, bigint, integer, uuid, text),
  stead.read_broadcasts(text, text, bigint, integer, uuid), stead.settled(text),
  stead.texts_match(text[], text[]), stead.broadcast(text, text, jsonb),
  stead.send_broadcasts(uuid, uuid[], text[], text[], text[], jsonb), stead.presence_entry(text, jsonb),
  stead.change_presence(uuid, uuid, uuid, text, text, jsonb, double precision),
  stead.presence_state(uuid, text), stead.keep_presences(uuid[], uuid[], double precision),
  stead.sweep_presences(integer), stead.sweep_changes(double precision, integer),
  stead.forget_changes() from public;
grant execute on function stead.kept_columns(oid), stead.feed_row(jsonb), stead.presence_entry(text, jsonb)
  to stead_definer;
grant execute on function stead.visible_changes(text, text, jsonb) to anon, authenticated, stead_service;
grant execute on function stead.keep_interest(uuid[], text[], double precision),
  stead.read_changes(text, text, bigint, integer, uuid, text),
  stead.read_broadcasts(text, text, bigint, integer, uuid), stead.settled(text),
  stead.texts_match(text[], text[]), stead.broadcast(text, text, jsonb),
  stead.send_broadcasts(uuid, uuid[], text[], text[], text[], jsonb),
  stead.change_presence(uuid, uuid, uuid, text, text, jsonb, double precision),
  stead.presence_state(uuid, text), stead.keep_presences(uuid[], uuid[], double precision),
  stead.sweep_presences(integer), stead.sweep_changes(double precision, integer),
  stead.forget_changes() to stead_service;

select stead.publish_changes('public.sessions');
select stead.publish_changes('public.messages');
select stead.publish_changes('public.agent_runs');
select stead.publish_changes('public.agent_jobs');
