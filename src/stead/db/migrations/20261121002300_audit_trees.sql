-- Seals of form 2: their root is that of a Merkle tree, so that one row can be proven to be in a seal without
-- showing the others. Seals of form 1 stay as they are, and verify as before.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

alter table stead.audit_seals add column form smallint not null default 1;

-- The tree hash of RFC 6962: pairs are hashed level by level, and what has no partner goes up as it is. Whole levels
-- at a time: a loop over leaves would be slower than all else that sealing does.
create function stead.audit_tree(leaves bytea[]) returns bytea
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
declare
  hashes bytea[] := leaves;
begin
  while cardinality(hashes) > 1 loop
    select array_agg(case when p.other is null then p.hash else sha256('\x01'::bytea || p.hash || p.other) end order by p.n)
    into hashes
    from (
      select u.n, u.hash, lead(u.hash) over (order by u.n) as other
      from unnest(hashes) with ordinality as u (hash, n)
    ) p
    where p.n % 2 = 1;
  end loop;
  return hashes[1];
end
$$;

-- As before (20261121000200 says how it works), but for the root.
create or replace function stead.seal_audit(batch integer, signing boolean)
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
      stead.audit_tree(array_agg(sha256('\x00'::bytea || int8send(f.id) || f.digest) order by f.id)) as root
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
  insert into stead.audit_seals
    (tenant_id, seal_no, prev_digest, rows, root, complete_to, sealed_at, form, digest)
  select k.tenant_id, k.seal_no, k.prev, k.n, k.root, bound, now(), 2,
    sha256(convert_to('stead.audit.seal.2,'
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

revoke execute on function stead.audit_tree(bytea[]) from public;
grant execute on function stead.audit_tree(bytea[]) to stead_definer;
