-- Evidence: which scope is needed to record it, files in a bucket, and what of it is put before agents.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- What a caller's key was granted, as Stead puts it into the claims of services; null: everything.
create function stead.scopes() returns text[]
language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case
    when not stead.claims() ? 'scopes' then null
    when jsonb_typeof(stead.claims() -> 'scopes') = 'array'
      then array(select jsonb_array_elements_text(stead.claims() -> 'scopes'))
    else '{}'
  end
$$;

create table public.evidence_scopes (
  tenant_id uuid not null default stead.tenant_id() references public.tenants (id) on delete cascade,
  source_type text not null check (length(source_type) between 1 and 100),
  scope text not null check (scope ~ '^[a-z0-9_.:*-]{1,100}$'),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, source_type)
);
comment on table public.evidence_scopes is 'the scope that a key needs to record evidence of a kind';
comment on column public.evidence_scopes.source_type is '*: of every kind';

create table public.evidence_artifacts (
  id uuid primary key default stead.new_id(),
  tenant_id uuid not null default stead.tenant_id() references public.tenants (id) on delete cascade,
  evidence_id uuid,
  envelope_id uuid,
  bucket text not null check (bucket ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
  key text not null check (length(key) between 1 and 300),
  name text not null check (length(name) between 1 and 255 and name !~ '[[:cntrl:]/\\]'),
  media_type text not null check (length(media_type) <= 127 and media_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$'),
  bytes bigint check (bytes >= 0),
  sha256 bytea check (length(sha256) = 32),
  -- Null: it is being stored, or whoever stored it died.
  stored_at timestamptz,
  created_by uuid,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  check (starts_with(key, tenant_id::text || '/')),
  check ((stored_at is null) = (bytes is null) and (stored_at is null) = (sha256 is null)),
  foreign key (tenant_id, evidence_id) references public.evidence_embeddings (tenant_id, id) on delete cascade,
  foreign key (tenant_id, created_by) references public.profiles (tenant_id, id) on delete cascade
);
create index evidence_artifacts_evidence_idx on public.evidence_artifacts (tenant_id, evidence_id)
  where evidence_id is not null;
create index evidence_artifacts_envelope_idx on public.evidence_artifacts (tenant_id, envelope_id)
  where envelope_id is not null;
create index evidence_artifacts_creator_idx on public.evidence_artifacts (tenant_id, created_by)
  where created_by is not null;
create index evidence_artifacts_unstored_idx on public.evidence_artifacts (created_at) where stored_at is null;
create index evidence_artifacts_expiry_idx on public.evidence_artifacts (expires_at) where expires_at is not null;

-- Objects whose row is gone, whatever took it along: a bucket is in no transaction.
create table stead.artifact_removals (
  id uuid primary key default stead.new_id(),
  -- The tenant may be gone as well.
  tenant_id uuid not null,
  bucket text not null,
  key text not null,
  attempts integer not null default 0,
  due_at timestamptz not null,
  created_at timestamptz not null default now()
);
create index artifact_removals_due_idx on stead.artifact_removals (bucket, due_at);
create index artifact_removals_tenant_idx on stead.artifact_removals (tenant_id);

create function stead.remove_artifact() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- Whoever is still sending an unfinished one is at it for an hour at most.
  insert into stead.artifact_removals (tenant_id, bucket, key, due_at)
  values (old.tenant_id, old.bucket, old.key,
    case when old.stored_at is null then now() + interval '1 hour' else now() end);
  return null;
end
$$;
create trigger evidence_artifacts_removal after delete on public.evidence_artifacts
  for each row execute function stead.remove_artifact();

-- Rows whose object nobody finished, and those whose time is over. Returns how many went.
create function stead.sweep_artifacts(unfinished_s double precision, batch integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with unfinished as (
    select a.id from public.evidence_artifacts a
    where a.stored_at is null and a.created_at < now() - make_interval(secs => unfinished_s)
    order by a.created_at limit batch for update skip locked
  ),
  expired as (
    select a.id from public.evidence_artifacts a
    where a.expires_at < now() and a.stored_at is not null
    order by a.expires_at limit batch for update skip locked
  ),
  old as (select u.id from unfinished u union all select e.id from expired e),
  gone as (delete from public.evidence_artifacts a using old o where a.id = o.id returning 1)
  select count(*) from gone
$$;

-- Objects of a bucket that are to be removed, for one worker; they come again unless they are settled.
create function stead.claim_artifact_removals(of_bucket text, batch integer, lease_s double precision)
returns table (id uuid, key text)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select r.id from stead.artifact_removals r
    where r.bucket = of_bucket and r.due_at <= now()
    order by r.due_at limit batch for update skip locked
  )
  update stead.artifact_removals r
  set attempts = r.attempts + 1,
    due_at = now() + make_interval(secs => lease_s * least(2 ^ r.attempts, 64))
  from due d where r.id = d.id
  returning r.id, r.key
$$;

create function stead.settle_artifact_removals(removed uuid[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  delete from stead.artifact_removals r where r.id = any (removed)
$$;

-- What of some kinds is put before an agent that somebody talks to: their own and what is shared with all of the tenant,
-- of each the latest five hundred; by words and by meaning, best first. Person null: nobody is known.
create function stead.relevant_evidence(
  person uuid, source_types text[], question text, vector real[], model smallint, wanted integer
)
returns table (id uuid, source_type text, source_id uuid, content text, created_at timestamptz,
  score double precision, dense double precision, lexical double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0 set jit = off
as $$
#variable_conflict use_column
declare
  tenant constant uuid := stead.tenant_id();
  kinds constant text[] := relevant_evidence.source_types;
  whose constant uuid := relevant_evidence.person;
  probe stead.embeddings.embedding%type := stead.as_embedding(vector);
begin
  if tenant is null or (whose is not null and not stead.may_search(whose)) then
    raise insufficient_privilege using message = 'not the evidence of this caller';
  end if;
  return query
  with mine as (
    (select x.id from public.evidence_embeddings x
     where x.tenant_id = tenant and x.profile_id = whose and x.source_type = any (kinds)
     order by x.created_at desc limit 500)
    union
    (select x.id from public.evidence_embeddings x
     where x.tenant_id = tenant and x.shared and x.source_type = any (kinds)
     order by x.created_at desc limit 500)
  ),
  docs as materialized (
    select m.id, d.place, d.length::double precision as length
    from mine m cross join lateral (
      select y.place, y.length from stead.search_docs y where y.kind = 'evidence' and y.owner_id = m.id offset 0
    ) d
  ),
  size as materialized (select count(*)::double precision as n, greatest(avg(d.length), 1) as mean from docs d),
  terms as materialized (
    select l.lexeme, stead.term_key(stead.collection('evidence', tenant), l.lexeme) as term
    from unnest(to_tsvector(stead.search_config(tenant), question)) l limit 32
  ),
  -- By place and term, not the whole list of a term: that is as long as the tenant's evidence.
  hits as materialized (
    select t.lexeme, d.id, d.length, p.frequency::double precision as frequency
    from terms t cross join docs d cross join lateral (
      select x.frequency from stead.search_terms x where x.term = t.term and x.place = d.place offset 0
    ) p
  ),
  rarity as (
    select h.lexeme, ln(1 + (s.n - count(*) + 0.5::double precision) / (count(*) + 0.5::double precision)) as idf
    from hits h cross join size s group by h.lexeme, s.n
  ),
  words as (
    select h.id, sum(r.idf * h.frequency / (h.frequency + 0.45::double precision * (1 + h.length / s.mean))) as lexical
    from hits h join rarity r using (lexeme) cross join size s group by h.id
  ),
  near as (
    select d.id, greatest(stead.similarity(e.embedding, probe), 0) as dense
    from docs d cross join lateral (
      select x.embedding from stead.embeddings x
      where x.tenant_id = tenant and x.kind = 'evidence' and x.owner_id = d.id
        and x.model_id = relevant_evidence.model offset 0
    ) e
    where probe is not null
  ),
  scored as materialized (
    select d.id, n.dense, w.lexical,
      max(n.dense) over () as best_dense, max(w.lexical) over () as best_lexical
    from docs d left join near n on n.id = d.id left join words w on w.id = d.id
  )
  select x.id, x.source_type, x.source_id, x.content, x.created_at,
    coalesce(s.dense / nullif(s.best_dense, 0), 0) + coalesce(s.lexical / nullif(s.best_lexical, 0), 0) as score,
    s.dense, s.lexical
  from scored s join public.evidence_embeddings x on x.id = s.id
  -- What neither shares a word nor is near in meaning is no answer to the question.
  where s.lexical > 0 or s.dense >= 0.3
  order by 6 desc, x.created_at desc, x.id
  limit greatest(least(wanted, 100), 0);
end
$$;

alter table public.evidence_scopes enable row level security;
alter table public.evidence_scopes force row level security;
alter table public.evidence_artifacts enable row level security;
alter table public.evidence_artifacts force row level security;
alter table stead.artifact_removals enable row level security;
alter table stead.artifact_removals force row level security;
-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.evidence_scopes, public.evidence_artifacts from anon, authenticated;
grant select, insert, update, delete on public.evidence_scopes, public.evidence_artifacts to stead_service, service_role;
grant select, insert, update, delete on public.evidence_artifacts, stead.artifact_removals to stead_definer;

-- Whoever lacks a scope must not take away that it is needed.
create policy tenant_isolation on public.evidence_scopes for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_insert on public.evidence_scopes for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and coalesce((select stead.scopes()) && array['evidence:admin', '*'], true));
create policy tenant_update on public.evidence_scopes for update to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and coalesce((select stead.scopes()) && array['evidence:admin', '*'], true))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and coalesce((select stead.scopes()) && array['evidence:admin', '*'], true));
create policy tenant_delete on public.evidence_scopes for delete to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and coalesce((select stead.scopes()) && array['evidence:admin', '*'], true));
create policy service_role_full_access on public.evidence_scopes to service_role using (true) with check (true);

create policy tenant_isolation on public.evidence_artifacts to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy service_role_full_access on public.evidence_artifacts to service_role using (true) with check (true);
create policy stead_definer_access on public.evidence_artifacts to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.artifact_removals to stead_definer using (true) with check (true);

-- 001: "require scope = 'finance:write' before allowing inserts into evidence_embeddings for finance tenants". Reading
-- needs none.
drop policy tenant_isolation on public.evidence_embeddings;
create policy tenant_isolation on public.evidence_embeddings for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy tenant_insert on public.evidence_embeddings for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and not exists (select from public.evidence_scopes s
      where s.tenant_id = evidence_embeddings.tenant_id and s.source_type in (evidence_embeddings.source_type, '*')
        and not coalesce((select stead.scopes()) && array[s.scope, '*'], true)));
create policy tenant_update on public.evidence_embeddings for update to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and not exists (select from public.evidence_scopes s
      where s.tenant_id = evidence_embeddings.tenant_id and s.source_type in (evidence_embeddings.source_type, '*')
        and not coalesce((select stead.scopes()) && array[s.scope, '*'], true)))
  with check (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and not exists (select from public.evidence_scopes s
      where s.tenant_id = evidence_embeddings.tenant_id and s.source_type in (evidence_embeddings.source_type, '*')
        and not coalesce((select stead.scopes()) && array[s.scope, '*'], true)));
create policy tenant_delete on public.evidence_embeddings for delete to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service())
    and not exists (select from public.evidence_scopes s
      where s.tenant_id = evidence_embeddings.tenant_id and s.source_type in (evidence_embeddings.source_type, '*')
        and not coalesce((select stead.scopes()) && array[s.scope, '*'], true)));

revoke execute on function stead.scopes() from public;
grant execute on function stead.scopes() to stead_service, service_role, stead_definer;
do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('remove_artifact', 'sweep_artifacts', 'claim_artifact_removals', 'settle_artifact_removals',
      'relevant_evidence')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
    if f <> 'stead.remove_artifact()'::regprocedure then
      execute format('grant execute on function %s to stead_service', f);
    end if;
  end loop;
end
$$;
