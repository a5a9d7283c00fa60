-- The audit log (001, and 002's audit_logs), its seals, and what finds rows that are not sealed yet.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- No foreign keys, on purpose: what was done outlives whom it was done to, a cascade would be a way to delete
-- it, and checking one would lock the tenant's row in every audited transaction.
create table public.audit_log (
  -- Before `id`: defaults are evaluated in this order, so that a transaction has its number before it takes an
  -- id. stead.seal_audit relies on it.
  xid xid8 not null default pg_current_xact_id(),
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  actor_type text not null check (length(actor_type) between 1 and 64),
  actor_id text check (length(actor_id) between 1 and 255),
  category text not null check (length(category) between 1 and 64),
  action text not null default 'recorded' check (length(action) between 1 and 64),
  subject_type text check (length(subject_type) between 1 and 64),
  subject_id text check (length(subject_id) between 1 and 255),
  subject_profile_id uuid,
  request_id text check (length(request_id) between 1 and 255),
  -- Ids, counts, digests. Never a text that somebody wrote: this is kept when that is forgotten.
  payload jsonb not null default '{}'
    check (jsonb_typeof(payload) = 'object' and pg_column_size(payload) <= 65536),
  created_at timestamptz not null default now()
);
create index audit_log_tenant_created_idx on public.audit_log (tenant_id, created_at desc);

-- What was sealed: one entry a row, in the order in which rows were sealed.
create table stead.audit_entries (
  tenant_id uuid not null,
  audit_id bigint not null,
  seal_no bigint not null,
  position integer not null check (position > 0),
  digest bytea not null check (length(digest) = 32),
  primary key (tenant_id, audit_id)
);
create unique index audit_entries_seal_idx on stead.audit_entries (tenant_id, seal_no, position);

-- The chain of each tenant. `complete_to`: every row of the tenant with an id up to here, and no later one of
-- such an id, is in this seal or in one before it.
create table stead.audit_seals (
  tenant_id uuid not null,
  seal_no bigint not null check (seal_no > 0),
  prev_digest bytea not null check (length(prev_digest) = 32),
  rows integer not null check (rows > 0),
  root bytea not null check (length(root) = 32),
  complete_to bigint not null check (complete_to >= 0),
  sealed_at timestamptz not null default now(),
  digest bytea not null check (length(digest) = 32),
  primary key (tenant_id, seal_no)
);

-- Ed25519 over the digest of a seal, made outside the database by whoever has the key.
create table stead.audit_signatures (
  tenant_id uuid not null,
  seal_no bigint not null,
  key bytea not null check (length(key) = 32),
  signature bytea not null check (length(signature) = 64),
  primary key (tenant_id, seal_no)
);

-- How far sealing has come, over all tenants. No evidence: a verifier believes the seals.
create table stead.sealing_progress (
  log text primary key check (length(log) between 1 and 64),
  scanned_to bigint not null default 0,   -- rows up to here were looked at
  complete_to bigint not null default 0,  -- up to here nothing can appear any more, and all is sealed
  mark_id bigint,                         -- ids up to here were taken by transactions
  mark_xid xid8,                          -- with numbers below this one
  check ((mark_id is null) = (mark_xid is null))
);

-- The canonical form of a value: its length in bytes of UTF-8, a colon, the value; a hyphen for null. With the
-- length in front, no value can pass for two others.
create function stead.audit_field(value text) returns text
language sql stable parallel safe
return coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value, '-');

-- Microseconds since 1970 in UTC: the same in every time zone and date style. Infinities are written as words, so
-- that none of them stops sealing.
create function stead.audit_micros(value timestamptz) returns text
language sql stable parallel safe
return case when isfinite(value) then (extract(epoch from value) * 1000000)::bigint::text else value::text end;

-- The digest of a row. src/stead/audit/digests.py computes the same; docs/explanation/audit.md defines it.
create function stead.audit_digest(r public.audit_log) returns bytea
language sql stable parallel safe
return sha256(convert_to('stead.audit.row.1,'
  || stead.audit_field(r.tenant_id::text) || ',' || stead.audit_field(r.id::text)
  || ',' || stead.audit_field(r.xid::text)
  || ',' || stead.audit_field(r.actor_type) || ',' || stead.audit_field(r.actor_id)
  || ',' || stead.audit_field(r.category) || ',' || stead.audit_field(r.action)
  || ',' || stead.audit_field(r.subject_type) || ',' || stead.audit_field(r.subject_id)
  || ',' || stead.audit_field(r.subject_profile_id::text) || ',' || stead.audit_field(r.request_id)
  || ',' || stead.audit_field(r.payload::text)
  || ',' || stead.audit_field(stead.audit_micros(r.created_at)), 'UTF8'));

-- Seals what is not sealed yet, `batch` rows at most of those never looked at, and returns the seals.
--
-- Ids are taken in one order and committed in another, so "above the last sealed one" would lose rows. So:
-- 1. Rows above `scanned_to` were never looked at: those that are visible are sealed now.
-- 2. What became visible below it meanwhile is looked for once, when nothing more can appear there. A mark is a
--    value of the sequence, and a transaction number drawn after it was read: whoever took an id up to the mark
--    has a lower number (the column order above). When every transaction below that number has ended, each id
--    up to the mark is visible or will never be.
-- One sealer works at a time; others return at once. Writers wait for none.
create function stead.seal_audit(batch integer, signing boolean)
returns table (tenant uuid, number bigint, row_count integer, seal_digest bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  p stead.sealing_progress;
  taken bigint;
  me xid8;
  decided boolean;
  fresh_to bigint;
  fresh_count bigint;
  bound bigint;  -- the new complete_to
  cut bigint;
begin
  if pg_current_xact_id_if_assigned() is not null then
    raise exception 'sealing begins its own transaction' using errcode = 'active_sql_transaction';
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended('stead.seal_audit', 0)) then
    return;
  end if;
  select * into p from stead.sealing_progress s where s.log = 'audit_log';
  p.scanned_to := coalesce(p.scanned_to, 0);
  p.complete_to := coalesce(p.complete_to, 0);
  select case when q.is_called then q.last_value else 0 end into taken from public.audit_log_id_seq q;
  if taken <= p.complete_to then
    return;
  end if;
  -- A chain that is signed stays signed: an unsigned seal on it would look like one that was put there.
  if not signing and exists (select from stead.audit_signatures) then
    raise exception 'the seals of this database are signed, and there is no key here'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  me := pg_current_xact_id();  -- after `taken` was read
  if p.mark_xid >= me then
    p.mark_id := null;  -- of the cluster that this database was dumped from
  end if;
  decided := p.mark_id is not null and p.mark_xid <= pg_snapshot_xmin(pg_current_snapshot());

  select coalesce(max(f.id), p.scanned_to), count(*) into fresh_to, fresh_count
  from (select l.id from public.audit_log l where l.id > p.scanned_to order by l.id limit batch) f;

  bound := p.complete_to;
  if decided then
    bound := case when fresh_count < batch then p.mark_id else least(p.mark_id, fresh_to) end;
    -- After a long transaction there is much to look through: in parts, so that each round is bounded.
    select max(f.id) into cut
    from (select l.id from public.audit_log l where l.id > p.complete_to and l.id <= p.scanned_to
      order by l.id limit 5 * batch) f
    having count(*) = 5 * batch;
    bound := least(bound, cut);
  end if;

  return query
  with found as materialized (
    select l.tenant_id, l.id, stead.audit_digest(l) as digest
    from public.audit_log l where l.id > p.scanned_to and l.id <= fresh_to
    union all
    -- A scalar subquery, which stays a probe of the key: an anti-join may be planned as a hash of all entries.
    select l.tenant_id, l.id, stead.audit_digest(l)
    from public.audit_log l
    where l.id > p.complete_to and l.id <= least(bound, p.scanned_to)
      and (select true from stead.audit_entries e where e.tenant_id = l.tenant_id and e.audit_id = l.id) is null
  ),
  roots as (
    select f.tenant_id, count(*)::integer as n,
      sha256(string_agg(int8send(f.id) || f.digest, ''::bytea order by f.id)) as root
    from found f group by f.tenant_id
  ),
  links as (
    select r.*, coalesce(h.seal_no, 0) + 1 as seal_no, coalesce(h.digest, decode(repeat('00', 32), 'hex')) as prev
    from roots r left join lateral (
      select s.seal_no, s.digest from stead.audit_seals s where s.tenant_id = r.tenant_id
      order by s.seal_no desc limit 1) h on true
  ),
  entries as (
    insert into stead.audit_entries (tenant_id, audit_id, seal_no, position, digest)
    select f.tenant_id, f.id, k.seal_no, row_number() over (partition by f.tenant_id order by f.id), f.digest
    from found f join links k using (tenant_id)
  )
  insert into stead.audit_seals (tenant_id, seal_no, prev_digest, rows, root, complete_to, sealed_at, digest)
  select k.tenant_id, k.seal_no, k.prev, k.n, k.root, bound, now(),
    sha256(convert_to('stead.audit.seal.1,'
      || stead.audit_field(k.tenant_id::text) || ',' || stead.audit_field(k.seal_no::text)
      || ',' || stead.audit_field(encode(k.prev, 'hex')) || ',' || stead.audit_field(k.n::text)
      || ',' || stead.audit_field(encode(k.root, 'hex')) || ',' || stead.audit_field(bound::text)
      || ',' || stead.audit_field(stead.audit_micros(now())), 'UTF8'))
  from links k
  returning audit_seals.tenant_id, audit_seals.seal_no, audit_seals.rows, audit_seals.digest;

  if p.mark_id is null or bound >= p.mark_id then
    p.mark_id := case when taken > bound then taken end;
    p.mark_xid := case when taken > bound then me end;
  end if;
  insert into stead.sealing_progress (log, scanned_to, complete_to, mark_id, mark_xid)
  values ('audit_log', greatest(fresh_to, bound), bound, p.mark_id, p.mark_xid)
  on conflict (log) do update set scanned_to = excluded.scanned_to, complete_to = excluded.complete_to,
    mark_id = excluded.mark_id, mark_xid = excluded.mark_xid;
end
$$;

-- Signs seals of this very transaction. One that is committed is not signed any more: a chain that was written
-- anew must not get signatures by waiting for them.
create function stead.sign_seals(tenants uuid[], numbers bigint[], public_key bytea, signatures bytea[])
returns integer
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with signed as (
    insert into stead.audit_signatures (tenant_id, seal_no, key, signature)
    select s.tenant_id, s.seal_no, public_key, g.signature
    from unnest(tenants, numbers, signatures) as g (tenant_id, seal_no, signature)
    join stead.audit_seals s using (tenant_id, seal_no)
    where s.xmin = pg_current_xact_id()::xid
    returning 1
  )
  select count(*)::integer from signed
$$;

-- Up to which id sealing is complete, over all tenants.
create function stead.audit_horizon() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select coalesce(max(p.complete_to), 0) from stead.sealing_progress p where p.log = 'audit_log' $$;

-- Tenants that have audit rows or seals, also those that are gone. A loose scan: one probe a tenant.
create function stead.audited_tenants()
returns table (id uuid, tenant_slug text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with recursive
  logged as (
    (select l.tenant_id from public.audit_log l order by l.tenant_id limit 1)
    union all
    select (select l.tenant_id from public.audit_log l where l.tenant_id > p.tenant_id
      order by l.tenant_id limit 1) from logged p where p.tenant_id is not null
  ),
  sealed as (
    (select s.tenant_id from stead.audit_seals s order by s.tenant_id limit 1)
    union all
    select (select s.tenant_id from stead.audit_seals s where s.tenant_id > p.tenant_id
      order by s.tenant_id limit 1) from sealed p where p.tenant_id is not null
  )
  select a.tenant_id, t.slug
  from (select tenant_id from logged union select tenant_id from sealed) a
  left join public.tenants t on t.id = a.tenant_id
  where a.tenant_id is not null
$$;

create view public.audit_logs with (security_invoker = true) as
  select id, tenant_id, actor_type, actor_id, category || '.' || action as action,
    subject_type as resource_type, subject_id as resource_id, payload as details, created_at
  from public.audit_log;
comment on view public.audit_logs is '002: the audit log under the name of that document';

alter table public.audit_log enable row level security;
alter table public.audit_log force row level security;
alter table stead.audit_entries enable row level security;
alter table stead.audit_entries force row level security;
alter table stead.audit_seals enable row level security;
alter table stead.audit_seals force row level security;
alter table stead.audit_signatures enable row level security;
alter table stead.audit_signatures force row level security;
alter table stead.sealing_progress enable row level security;
alter table stead.sealing_progress force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default, and to
-- service_role as well: what that role is granted here is all that it may have.
revoke all on public.audit_log, public.audit_logs from anon, authenticated, service_role;
revoke all on sequence public.audit_log_id_seq from anon, authenticated, service_role;
-- Nobody updates, deletes or truncates. Who writes chooses neither id, nor time, nor transaction.
grant select on public.audit_log, public.audit_logs to authenticated, stead_service, service_role;
grant insert (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id, subject_profile_id,
  request_id, payload) on public.audit_log to stead_service, service_role;
grant select on public.audit_log to stead_definer;
grant select on sequence public.audit_log_id_seq to stead_definer;
grant select on stead.audit_entries, stead.audit_seals, stead.audit_signatures to stead_service;
grant select, insert on stead.audit_entries, stead.audit_seals, stead.audit_signatures to stead_definer;
grant select, insert, update on stead.sealing_progress to stead_definer;

-- People see what they did and what was done with what is theirs. The rest of the tenant's log says what others
-- did: that is for the tenant's service.
create policy tenant_isolation on public.audit_log for select to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (subject_profile_id = (select stead.profile_id())
    or (actor_type = 'user' and actor_id = (select stead.profile_id())::text)
    or (select stead.is_tenant_service())));
create policy tenant_append on public.audit_log for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()));
create policy service_role_full_access on public.audit_log to service_role using (true) with check (true);
create policy stead_definer_access on public.audit_log to stead_definer using (true) with check (true);

create policy tenant_isolation on stead.audit_entries for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.audit_entries to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.audit_seals for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.audit_seals to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.audit_signatures for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.audit_signatures to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.sealing_progress to stead_definer using (true) with check (true);

alter function stead.seal_audit(integer, boolean) owner to stead_definer;
alter function stead.sign_seals(uuid[], bigint[], bytea, bytea[]) owner to stead_definer;
alter function stead.audit_horizon() owner to stead_definer;
alter function stead.audited_tenants() owner to stead_definer;
revoke execute on function stead.audit_field(text), stead.audit_micros(timestamptz),
  stead.audit_digest(public.audit_log), stead.seal_audit(integer, boolean),
  stead.sign_seals(uuid[], bigint[], bytea, bytea[]), stead.audit_horizon(), stead.audited_tenants()
  from public;
grant execute on function stead.audit_field(text), stead.audit_micros(timestamptz),
  stead.audit_digest(public.audit_log) to stead_definer;
grant execute on function stead.seal_audit(integer, boolean),
  stead.sign_seals(uuid[], bigint[], bytea, bytea[]), stead.audit_horizon(), stead.audited_tenants()
  to stead_service;
