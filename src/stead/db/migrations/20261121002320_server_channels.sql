-- What the server says in the channels of a tenant: approvals and their outcomes, changes of the guardrails, how much
-- waits in the outbox. Ids, states and numbers only: every person of the tenant may listen.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Tells channels of any tenant something, as far as any server has somebody in a channel of it.
create function stead.tell_channels(tenants uuid[], topics text[], events text[], payloads jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into stead.broadcasts (tenant_id, topic, kind, event, payload)
  select u.tenant, u.topic, 'broadcast', u.event, payloads -> (u.n::integer - 1)
  from unnest(tenants, topics, events) with ordinality as u (tenant, topic, event, n)
  where exists (select from stead.change_interest i
    where i.tenant_id = u.tenant and i.table_name = '#channels' and i.until > now())
  order by u.n;
  if found then
    perform pg_notify('stead', '["broadcasts"]');
  end if;
end
$$;

create function stead.tell_approvals() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  tenants uuid[];
  payloads jsonb;
begin
  -- Nearly always nobody listens.
  if not exists (select from stead.change_interest i where i.table_name = '#channels' and i.until > now()) then
    return null;
  end if;
  select array_agg(c.tenant_id order by c.id), jsonb_agg(jsonb_build_object('id', c.id, 'envelope_id', c.envelope_id,
    'status', c.status, 'risk', c.risk, 'approvals', c.approvals, 'quorum', c.quorum, 'expires_at', c.expires_at,
    'decided_at', c.decided_at) order by c.id)
  into tenants, payloads
  from changed c;
  if tenants is not null then
    perform stead.tell_channels(tenants, array(select 'approvals:' || t from unnest(tenants) t),
      array_fill('approval'::text, array[cardinality(tenants)]), payloads);
  end if;
  return null;
end
$$;
create trigger tell_asked after insert on public.approvals
  referencing new table as changed for each statement execute function stead.tell_approvals();
create trigger tell_decided after update on public.approvals
  referencing new table as changed for each statement execute function stead.tell_approvals();

create function stead.tell_guardrails() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.tell_channels(array[new.tenant_id], array['guardrails:' || new.tenant_id], array['policy'],
    jsonb_build_array(jsonb_build_object('version', new.version)));
  return null;
end
$$;
create trigger tell_channels after insert or update on public.guardrails
  for each row execute function stead.tell_guardrails();

-- Tells tenants of which somebody is in a channel how much waits in their outboxes, where that is not what they were
-- told last. One caller at a time: another finds nothing to do.
create function stead.tell_depths() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  tenants uuid[];
  payloads jsonb;
begin
  perform stead.refuse_tenants();
  if not pg_try_advisory_xact_lock(hashtextextended('stead.tell_depths', 0)) then
    return 0;
  end if;
  with listening as (
    select distinct i.tenant_id from stead.change_interest i where i.table_name = '#channels' and i.until > now()
  ),
  depths as (
    select l.tenant_id, coalesce((select jsonb_object_agg(d.status, d.count) from stead.outbox_depths(l.tenant_id) d), '{}')
      as payload
    from listening l
  ),
  news as (
    select d.tenant_id, d.payload from depths d
    where d.payload is distinct from (
      select b.payload from stead.broadcasts b
      where b.tenant_id = d.tenant_id and b.topic = 'outbox:' || d.tenant_id and b.event = 'depth'
      order by b.id desc limit 1)
  )
  select array_agg(n.tenant_id order by n.tenant_id), jsonb_agg(n.payload order by n.tenant_id) into tenants, payloads
  from news n;
  if tenants is null then
    return 0;
  end if;
  perform stead.tell_channels(tenants, array(select 'outbox:' || t from unnest(tenants) t),
    array_fill('depth'::text, array[cardinality(tenants)]), payloads);
  return cardinality(tenants);
end
$$;

alter function stead.tell_channels(uuid[], text[], text[], jsonb) owner to stead_definer;
alter function stead.tell_approvals() owner to stead_definer;
alter function stead.tell_guardrails() owner to stead_definer;
alter function stead.tell_depths() owner to stead_definer;
revoke execute on function stead.tell_channels(uuid[], text[], text[], jsonb), stead.tell_approvals(),
  stead.tell_guardrails(), stead.tell_depths() from public;
grant execute on function stead.tell_channels(uuid[], text[], text[], jsonb) to stead_definer;
grant execute on function stead.tell_depths() to stead_service;
