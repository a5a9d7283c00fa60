-- Approvals: people who agree to exactly one action. Who may, and how many it takes, is held here and nowhere else.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Who may approve, up to which tier.
create table stead.approvers (
  tenant_id uuid not null,
  profile_id uuid not null,
  most_risk text not null default 'critical' check (most_risk in ('low', 'medium', 'high', 'critical')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, profile_id),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade
);

-- Approvers who let another vote in their place for a time. Their votes count as one.
create table stead.approver_delegations (
  id uuid primary key default stead.new_id(),
  tenant_id uuid not null,
  from_id uuid not null,
  to_id uuid not null,
  begins_at timestamptz not null default now(),
  ends_at timestamptz not null,
  created_at timestamptz not null default now(),
  check (from_id <> to_id),
  check (ends_at > begins_at and ends_at <= begins_at + interval '90 days'),
  foreign key (tenant_id, from_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, to_id) references public.profiles (tenant_id, id) on delete cascade
);
create index approver_delegations_from_idx on stead.approver_delegations (tenant_id, from_id);
create index approver_delegations_to_idx on stead.approver_delegations (tenant_id, to_id, ends_at);

create table public.approvals (
  id uuid primary key default stead.new_id(),
  tenant_id uuid not null,
  envelope_id uuid not null,
  envelope_version integer not null,
  digest bytea not null check (length(digest) = 32),
  status text not null default 'pending'
    check (status in ('pending', 'approved', 'rejected', 'expired', 'superseded', 'cancelled')),
  risk text not null check (risk in ('low', 'medium', 'high', 'critical')),
  quorum smallint not null default 1 check (quorum between 1 and 10),
  approvals smallint not null default 0,
  reasons jsonb not null default '[]' check (jsonb_typeof(reasons) = 'array'),
  policy_version integer not null,
  -- For the two-person rule.
  proposer_id uuid,
  by_agent boolean not null default false,
  edited_by uuid,
  not_before timestamptz,
  expires_at timestamptz not null,
  escalate_at timestamptz,
  escalated_at timestamptz,
  decided_at timestamptz,
  -- When the first attempt of what it allows began: it allows nothing else.
  used_at timestamptz,
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, envelope_id, envelope_version),
  foreign key (tenant_id, envelope_id) references public.outbox (tenant_id, id) on delete cascade,
  check ((decided_at is null) = (status = 'pending'))
);
create index approvals_pending_idx on public.approvals (tenant_id, id) where status = 'pending';
create index approvals_expiry_idx on public.approvals (expires_at) where status = 'pending';
create index approvals_escalation_idx on public.approvals (escalate_at) where status = 'pending' and escalated_at is null;

create table public.approval_votes (
  tenant_id uuid not null,
  approval_id uuid not null,
  -- In whose name: the voter, or who delegated to the voter.
  counts_for uuid not null,
  profile_id uuid not null,
  vote text not null check (vote in ('approve', 'reject')),
  reason text check (length(reason) <= 2000),
  digest bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, approval_id, counts_for),
  unique (tenant_id, approval_id, profile_id),
  foreign key (tenant_id, approval_id) references public.approvals (tenant_id, id) on delete cascade,
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade
);
create index approval_votes_profile_idx on public.approval_votes (tenant_id, profile_id);

-- Links that let one person vote once on one approval without signing in.
create table stead.approval_links (
  id uuid primary key default stead.new_id(),
  tenant_id uuid not null,
  approval_id uuid not null,
  profile_id uuid not null,
  secret_digest bytea not null check (length(secret_digest) = 32),
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (tenant_id, approval_id) references public.approvals (tenant_id, id) on delete cascade,
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade
);
create index approval_links_approval_idx on stead.approval_links (tenant_id, approval_id);
create index approval_links_profile_idx on stead.approval_links (tenant_id, profile_id);
create index approval_links_expiry_idx on stead.approval_links (expires_at);

create function stead.risk_rank(risk text) returns integer
language sql immutable parallel safe
return array_position(array['low', 'medium', 'high', 'critical'], risk);

create function stead.is_approver() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from stead.approvers a where a.tenant_id = stead.tenant_id() and a.profile_id = stead.profile_id())
  or exists (
    select from stead.approver_delegations d join stead.approvers a on a.tenant_id = d.tenant_id and a.profile_id = d.from_id
    where d.tenant_id = stead.tenant_id() and d.to_id = stead.profile_id() and now() between d.begins_at and d.ends_at)
$$;

-- An approval can only ever be decided once, and only votes decide for it.
create function stead.approval_moves() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if (new.tenant_id, new.id, new.envelope_id, new.envelope_version, new.digest, new.risk, new.proposer_id, new.by_agent,
      new.edited_by)
    is distinct from (old.tenant_id, old.id, old.envelope_id, old.envelope_version, old.digest, old.risk,
      old.proposer_id, old.by_agent, old.edited_by) or new.quorum < old.quorum or new.expires_at > old.expires_at then
    raise check_violation using message = 'what an approval is asked for does not change';
  end if;
  if new.status <> old.status then
    if old.status <> 'pending' then
      raise check_violation using message = format('an approval that is %s stays it', old.status);
    end if;
    if new.status = 'approved' and new.quorum > (
      select count(*) from public.approval_votes v
      where v.tenant_id = new.tenant_id and v.approval_id = new.id and v.vote = 'approve' and v.digest = new.digest
    ) then
      raise check_violation using message = format('it takes %s people to approve this', new.quorum);
    end if;
    new.decided_at := now();
  end if;
  if old.used_at is not null and new.used_at is distinct from old.used_at then
    raise check_violation using message = 'an approval is used once';
  end if;
  return new;
end
$$;
create trigger approval_moves before update on public.approvals
  for each row execute function stead.approval_moves();

create function stead.approval_begins() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  e public.outbox;
begin
  select * into e from public.outbox o where o.tenant_id = new.tenant_id and o.id = new.envelope_id;
  if new.status <> 'pending' or new.used_at is not null or new.approvals <> 0 then
    raise check_violation using message = 'an approval begins as pending';
  end if;
  if (new.digest, new.envelope_version, new.risk) is distinct from (e.digest, e.version, e.risk)
    or new.proposer_id is distinct from e.proposer_id or new.by_agent <> e.by_agent then
    raise check_violation using message = 'an approval is asked for exactly what its envelope holds';
  end if;
  return new;
end
$$;
create trigger approval_begins before insert on public.approvals
  for each row execute function stead.approval_begins();

-- Whether a vote counts (the two-person rule), whoever writes it and however.
create function stead.vote_counts() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  a public.approvals;
  e public.outbox;
  voter uuid := stead.profile_id();
  of_own boolean;
begin
  if tg_op <> 'INSERT' then
    raise check_violation using message = 'a vote stands';
  end if;
  -- A person, by the claims of this very transaction; a service is nobody.
  if voter is null or (new.profile_id, new.tenant_id) is distinct from (voter, stead.tenant_id()) then
    raise insufficient_privilege using message = 'only a person can vote, and only as themselves';
  end if;
  -- Whoever comes later waits here, and sees what was decided. The envelope first, as whoever edits or cancels does:
  -- in another order two would wait for each other.
  select o.* into e from public.outbox o
  where o.tenant_id = new.tenant_id and o.id = (
    select x.envelope_id from public.approvals x where x.tenant_id = new.tenant_id and x.id = new.approval_id)
  for update;
  select * into a from public.approvals x where x.tenant_id = new.tenant_id and x.id = new.approval_id for update;
  if a.id is null then
    raise foreign_key_violation using message = 'there is no such approval';
  end if;
  if a.status <> 'pending' then
    raise object_not_in_prerequisite_state using message = format('the approval is %s', a.status);
  end if;
  if a.expires_at <= now() then
    raise object_not_in_prerequisite_state using message = 'the approval has expired';
  end if;
  if e.status <> 'awaiting_approval' or e.digest <> a.digest or new.digest <> a.digest then
    raise object_not_in_prerequisite_state using message = 'what was approved is not what would run';
  end if;
  -- One's own agent: a confirmation, where one person is enough. Else nobody approves what they proposed themselves.
  of_own := a.by_agent and a.quorum = 1 and voter = a.proposer_id;
  if not of_own then
    if voter = a.proposer_id or new.counts_for = a.proposer_id then
      raise insufficient_privilege using message = 'nobody approves what they proposed';
    end if;
    if a.proposer_id is not null and exists (
      select from stead.approver_delegations d where d.tenant_id = a.tenant_id and d.from_id = a.proposer_id
        and d.to_id = voter and now() between d.begins_at and d.ends_at) then
      raise insufficient_privilege using message = 'nobody approves through whom they delegated to';
    end if;
    if a.quorum > 1 and a.edited_by in (voter, new.counts_for) then
      raise insufficient_privilege using message = 'nobody approves what they edited, where it takes two';
    end if;
    if new.counts_for <> voter and not exists (
      select from stead.approver_delegations d where d.tenant_id = a.tenant_id and d.from_id = new.counts_for
        and d.to_id = voter and now() between d.begins_at and d.ends_at) then
      raise insufficient_privilege using message = 'nobody delegated that';
    end if;
    if not exists (
      select from stead.approvers p where p.tenant_id = a.tenant_id and p.profile_id = new.counts_for
        and stead.risk_rank(p.most_risk) >= stead.risk_rank(a.risk)) then
      raise insufficient_privilege using message = format('not an approver of %s risk', a.risk);
    end if;
    -- Somebody who votes for themselves and somebody else is still one person.
    if exists (
      select from public.approval_votes v where v.tenant_id = a.tenant_id and v.approval_id = a.id
        and (v.profile_id in (voter, new.counts_for) or v.counts_for in (voter, new.counts_for))) then
      raise unique_violation using message = 'a person votes once';
    end if;
  end if;
  return new;
end
$$;
create trigger vote_counts before insert or update on public.approval_votes
  for each row execute function stead.vote_counts();

-- What a vote comes to: one against rejects, enough for it lets the envelope run.
create function stead.vote_decides() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  a public.approvals;
begin
  update public.approvals x set approvals = x.approvals + case when new.vote = 'approve' then 1 else 0 end
  where x.tenant_id = new.tenant_id and x.id = new.approval_id
  returning * into a;
  if new.vote = 'reject' then
    update public.approvals x set status = 'rejected' where x.tenant_id = a.tenant_id and x.id = a.id;
    -- Why stands with the vote alone, and goes with who gave it.
    update public.outbox o set status = 'rejected', error_code = 'approval_rejected', last_error = 'it was rejected'
    where o.tenant_id = a.tenant_id and o.id = a.envelope_id;
    perform stead.unblock_envelopes(array[a.envelope_id]);
  elsif a.approvals >= a.quorum then
    update public.approvals x set status = 'approved' where x.tenant_id = a.tenant_id and x.id = a.id;
    update public.outbox o set status = 'pending', ready = coalesce(a.not_before <= now(), true),
      next_run_at = greatest(now(), a.not_before), last_error = null, error_code = null
    where o.tenant_id = a.tenant_id and o.id = a.envelope_id;
    perform pg_notify('stead', '["outbox"]');
  end if;
  return null;
end
$$;
create trigger vote_decides after insert on public.approval_votes
  for each row execute function stead.vote_decides();

-- Approvals that have begun to be used, in the transaction that begins the attempts.
create function stead.use_approvals(envelopes uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  update public.approvals a set used_at = now()
  from public.outbox o
  where o.id = any (envelopes) and a.tenant_id = o.tenant_id and a.envelope_id = o.id and a.digest = o.digest
    and a.status = 'approved' and a.used_at is null
$$;

-- Approvals that nobody gave in time, some at a time.
create function stead.expire_approvals(batch integer) returns table (id uuid, tenant_id uuid, envelope_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  ended uuid[];
begin
  perform stead.refuse_tenants();
  return query
    with late as (
      select a.id from public.approvals a
      join public.outbox o on o.tenant_id = a.tenant_id and o.id = a.envelope_id
      where a.status = 'pending' and a.expires_at <= now()
      order by a.expires_at limit batch for update of a, o skip locked
    ),
    past as (
      update public.approvals a set status = 'expired' from late l where a.id = l.id
      returning a.id, a.tenant_id, a.envelope_id, a.digest
    ),
    envelopes as (
      update public.outbox o set status = 'expired', error_code = 'approval_expired'
      from past p where o.tenant_id = p.tenant_id and o.id = p.envelope_id and o.status = 'awaiting_approval'
        and o.digest = p.digest
      returning o.id, o.tenant_id, o.tool_slug, o.proposer_id
    ),
    audited as (
      insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id,
        subject_profile_id, payload)
      select e.tenant_id, 'service', 'approvals', 'approvals', 'expired', 'envelope', e.id, e.proposer_id,
        jsonb_build_object('tool', e.tool_slug)
      from envelopes e
    )
    select p.id, p.tenant_id, p.envelope_id from past p;
end
$$;

-- Approvals that have waited long enough for others to be told, some at a time.
create function stead.escalate_approvals(batch integer) returns table (id uuid, tenant_id uuid, envelope_id uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  with late as (
    select a.id from public.approvals a
    where a.status = 'pending' and a.escalated_at is null and a.escalate_at <= now()
    order by a.escalate_at limit batch for update skip locked
  )
  update public.approvals a set escalated_at = now() from late l where a.id = l.id
  returning a.id, a.tenant_id, a.envelope_id
$$;

-- The approval and the person that a link is for, once. The secret is compared by its digest.
create function stead.use_approval_link(link uuid, digest bytea)
returns table (tenant_id uuid, tenant_slug text, approval_id uuid, profile_id uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with used as (
    update stead.approval_links l set used_at = now()
    where l.id = link and l.secret_digest = digest and l.used_at is null and l.expires_at > now()
    returning l.tenant_id, l.approval_id, l.profile_id
  )
  select u.tenant_id, t.slug, u.approval_id, u.profile_id from used u join public.tenants t on t.id = u.tenant_id
$$;
create function stead.find_approval_link(link uuid, digest bytea)
returns table (tenant_id uuid, tenant_slug text, approval_id uuid, profile_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select l.tenant_id, t.slug, l.approval_id, l.profile_id
  from stead.approval_links l join public.tenants t on t.id = l.tenant_id
  where l.id = link and l.secret_digest = digest and l.used_at is null and l.expires_at > now()
$$;

do $$
declare
  t text;
begin
  foreach t in array array['public.approvals', 'public.approval_votes', 'stead.approvers', 'stead.approver_delegations',
    'stead.approval_links']
  loop
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('grant select, insert, update, delete on %s to stead_definer', t);
    execute format('create policy stead_definer_access on %s to stead_definer using (true) with check (true)', t);
  end loop;
end
$$;
-- Older Supabase projects grant every new table of public to anon and authenticated by default, and to service_role
-- as well. Nobody decides an approval but by voting.
revoke all on public.approvals, public.approval_votes from anon, authenticated, service_role;
grant select on public.approvals, public.approval_votes to authenticated, stead_service, service_role;
grant insert on public.approvals to stead_service, service_role;
grant update (status, escalated_at) on public.approvals to stead_service, service_role;
grant insert on public.approval_votes to authenticated, stead_service, service_role;
grant select, insert, update, delete on stead.approvers to stead_service;
grant select, insert, delete on stead.approver_delegations to stead_service;
grant select, insert, delete on stead.approval_links to stead_service;

create policy tenant_isolation on public.approvals to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (proposer_id = (select stead.profile_id())
    or (select stead.is_approver()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()));
create policy service_role_full_access on public.approvals to service_role using (true) with check (true);
create policy tenant_isolation on public.approval_votes to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.approvals a where a.tenant_id = approval_votes.tenant_id and a.id = approval_id))
  with check (tenant_id = (select stead.tenant_id()) and profile_id = (select stead.profile_id()));
create policy service_role_full_access on public.approval_votes to service_role using (true) with check (true);
create policy tenant_isolation on stead.approvers to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
-- Approvers delegate for themselves.
create policy tenant_isolation on stead.approver_delegations to stead_service
  using (tenant_id = (select stead.tenant_id()) and (from_id = (select stead.profile_id())
    or to_id = (select stead.profile_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (from_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));
create policy tenant_isolation on stead.approval_links to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
-- Who is to approve something sees what it is.
alter policy tenant_isolation on public.outbox
  using (tenant_id = (select stead.tenant_id()) and (proposer_id = (select stead.profile_id())
    or (select stead.is_approver()) or (select stead.is_tenant_service())));

do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('is_approver', 'approval_begins', 'vote_counts', 'vote_decides', 'use_approvals',
      'expire_approvals', 'escalate_approvals', 'use_approval_link', 'find_approval_link')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
revoke execute on function stead.approval_moves(), stead.risk_rank(text) from public, anon, authenticated;
grant execute on function stead.risk_rank(text) to stead_service, service_role, stead_definer;
grant execute on function stead.is_approver() to authenticated, stead_service, service_role, stead_definer;
grant execute on function stead.use_approvals(uuid[]),
  stead.expire_approvals(integer), stead.escalate_approvals(integer), stead.use_approval_link(uuid, bytea),
  stead.find_approval_link(uuid, bytea) to stead_service;
select stead.publish_changes('public.approvals');
