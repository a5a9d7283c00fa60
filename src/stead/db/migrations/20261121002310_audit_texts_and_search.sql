-- Beside the audit log: texts that can be erased, documents for searching it, heads for anchors, and a look at the
-- policies of the database itself.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Texts that somebody wrote, such as the reason of a refusal. The sealed row holds a digest over salt and texts:
-- while they are here they can be shown to be the ones, and once they are gone nobody can guess them from the digest.
-- They go with whomever they are about, and with whoever wrote them.
create table stead.audit_texts (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  salt bytea not null check (length(salt) = 32),
  texts text not null check (length(texts) between 2 and 65536),
  profile_id uuid,
  author_id uuid,
  session_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, digest),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, author_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index audit_texts_profile_idx on stead.audit_texts (tenant_id, profile_id) where profile_id is not null;
create index audit_texts_author_idx on stead.audit_texts (tenant_id, author_id) where author_id is not null;
create index audit_texts_session_idx on stead.audit_texts (tenant_id, session_id) where session_id is not null;

-- Rows of the log that can be searched for: the newest of each tenant, as the worker comes to them. No trigger of
-- the log, which would make every audited transaction pay for it.
create table stead.audit_documents (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  audit_id bigint not null,
  -- Of its texts, where it has some.
  digest text,
  unique (tenant_id, audit_id)
);
create index audit_documents_digest_idx on stead.audit_documents (tenant_id, digest) where digest is not null;

-- How far each tenant's seals were gone through. Entries are in an order that nothing is put into later.
create table stead.audit_indexing (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  seal_no bigint not null default 0,
  position integer not null default 0,
  documents integer not null default 0
);

-- The policies, row security and grants of Stead's tables as they were when last looked at.
create table stead.policies_noted (
  name text primary key,
  digest text not null
);

-- The words of a row: what was done to what by whom, and the names and codes in its payload.
create function stead.audit_words(r public.audit_log, texts text) returns text
language sql stable parallel safe
return btrim(regexp_replace(concat_ws(' ', r.category, r.action, r.subject_type, r.actor_type, r.actor_id, r.subject_id,
  (r.payload - 'erasable')::text, texts), '[[:space:]_.:/{}",\[\]]+', ' ', 'g'));

insert into stead.searchable (kind, source, content) values ('audit', '(select d.id, stead.audit_words(l, t.texts) as words
  from stead.audit_documents d join public.audit_log l on l.id = d.audit_id and l.tenant_id = d.tenant_id
  left join stead.audit_texts t on t.tenant_id = d.tenant_id and t.digest = d.digest) documents', 'words');

create function stead.drop_audit_document() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform stead.search_drop('audit', old.id);
  return null;
end
$$;
create trigger audit_documents_search after delete on stead.audit_documents
  for each row execute function stead.drop_audit_document();

-- What was found by erased texts is found by the other words of its row from then on.
create function stead.unindex_audit_texts() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_one record;
begin
  for found_one in
    select d.id, d.tenant_id, l.category, stead.audit_words(l, null) as content
    from stead.audit_documents d join public.audit_log l on l.id = d.audit_id and l.tenant_id = d.tenant_id
    where d.tenant_id = old.tenant_id and d.digest = old.digest
  loop
    perform stead.search_drop('audit', found_one.id);
    perform stead.search_put('audit', found_one.tenant_id, found_one.tenant_id, found_one.id, found_one.content,
      found_one.category);
  end loop;
  return null;
end
$$;
create trigger audit_texts_search after delete on stead.audit_texts
  for each row execute function stead.unindex_audit_texts();

-- Makes rows that were sealed searchable, `batch` at most, and lets go of the oldest where a tenant has more than
-- `keep`. Returns how many it looked at. One at a time; others return at once.
create function stead.index_audit(batch integer, keep integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  behind record;
  entry record;
  words text;
  document uuid;
  looked integer := 0;
  here integer;
  last_seal bigint;
  last_position integer;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('stead.index_audit', 0)) then
    return 0;
  end if;
  for behind in
    with recursive sealed as (
      (select s.tenant_id from stead.audit_seals s order by s.tenant_id limit 1)
      union all
      select (select s.tenant_id from stead.audit_seals s where s.tenant_id > p.tenant_id
        order by s.tenant_id limit 1) from sealed p where p.tenant_id is not null
    )
    select a.tenant_id, coalesce(i.seal_no, 0) as seal_no, coalesce(i.position, 0) as position,
      coalesce(i.documents, 0) as documents
    from sealed a join public.tenants n on n.id = a.tenant_id
      left join stead.audit_indexing i on i.tenant_id = a.tenant_id
      cross join lateral (
        select s.seal_no, s.rows from stead.audit_seals s where s.tenant_id = a.tenant_id
        order by s.seal_no desc limit 1) h
    where (h.seal_no, h.rows) > (coalesce(i.seal_no, 0), coalesce(i.position, 0))
    order by random()
  loop
    exit when looked >= batch;
    -- Whose log grew by more than is kept: what would be let go of at once is passed over.
    select e.seal_no, e.position - 1 into last_seal, last_position from stead.audit_entries e
    where e.tenant_id = behind.tenant_id and (e.seal_no, e.position) > (behind.seal_no, behind.position)
    order by e.seal_no desc, e.position desc offset keep - 1 limit 1;
    if last_seal is null then
      last_seal := behind.seal_no;
      last_position := behind.position;
    end if;
    here := 0;
    for entry in
      select e.seal_no, e.position, l as logged, l.payload ->> 'erasable' as digest
      from (
        select x.seal_no, x.position, x.audit_id from stead.audit_entries x
        where x.tenant_id = behind.tenant_id and (x.seal_no, x.position) > (last_seal, last_position)
        order by x.seal_no, x.position limit batch - looked
      ) e left join public.audit_log l on l.tenant_id = behind.tenant_id and l.id = e.audit_id
      order by e.seal_no, e.position
    loop
      looked := looked + 1;
      last_seal := entry.seal_no;
      last_position := entry.position;
      continue when (entry.logged).id is null;  -- what is missing is for the verifier to find
      words := null;
      -- Whoever erases them waits until the document is there, and finds it.
      select t.texts into words from stead.audit_texts t
      where t.tenant_id = behind.tenant_id and t.digest = entry.digest for key share;
      insert into stead.audit_documents (tenant_id, audit_id, digest)
      values (behind.tenant_id, (entry.logged).id, entry.digest)
      on conflict (tenant_id, audit_id) do nothing returning id into document;
      continue when document is null;
      here := here + 1;
      perform stead.search_put('audit', behind.tenant_id, behind.tenant_id, document,
        stead.audit_words(entry.logged, words), (entry.logged).category);
    end loop;
    if behind.documents + here > keep then
      delete from stead.audit_documents d using (
        select o.id from stead.audit_documents o where o.tenant_id = behind.tenant_id
        order by o.audit_id limit behind.documents + here - keep
      ) oldest where d.id = oldest.id;
      here := keep - behind.documents;
    end if;
    insert into stead.audit_indexing (tenant_id, seal_no, position, documents)
    values (behind.tenant_id, last_seal, last_position, here)
    on conflict (tenant_id) do update set seal_no = excluded.seal_no, position = excluded.position,
      documents = audit_indexing.documents + excluded.documents;
  end loop;
  return looked;
end
$$;

-- The ends of all chains, for whoever keeps them elsewhere. Also of tenants that are gone.
create function stead.audit_heads()
returns table (tenant uuid, slug text, seal_no bigint, digest bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with recursive sealed as (
    (select s.tenant_id from stead.audit_seals s order by s.tenant_id limit 1)
    union all
    select (select s.tenant_id from stead.audit_seals s where s.tenant_id > p.tenant_id
      order by s.tenant_id limit 1) from sealed p where p.tenant_id is not null
  )
  select a.tenant_id, t.slug, h.seal_no, h.digest
  from sealed a cross join lateral (
    select s.seal_no, s.digest from stead.audit_seals s where s.tenant_id = a.tenant_id
    order by s.seal_no desc limit 1) h
  left join public.tenants t on t.id = a.tenant_id
$$;

-- Erases the texts of these rows, of the caller's tenant; returns of how many there were some.
create function stead.erase_audit_texts(audit_ids bigint[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone integer;
begin
  -- Here the current user is this function's owner; whose request it is stands in the claims.
  if stead.tenant_id() is null or stead.claims() ?| array['sub', 'stead_session'] then
    raise insufficient_privilege using message = 'only the service of a tenant erases texts of its audit log';
  end if;
  delete from stead.audit_texts t using public.audit_log l
  where l.id = any (audit_ids) and l.tenant_id = stead.tenant_id() and t.tenant_id = l.tenant_id
    and t.digest = l.payload ->> 'erasable';
  get diagnostics gone = row_count;
  return gone;
end
$$;

-- Records what was changed in the policies, the row security and the grants of Stead's tables since the last look, in
-- the chain of no tenant (they are everybody's). Whoever changed them with the owner's rights could change this as
-- well, but not what was sealed before.
create function stead.note_policies() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  first boolean;
  changes integer;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('stead.note_policies', 0)) then
    return 0;
  end if;
  first := not exists (select from stead.policies_noted);
  with seen as materialized (
    select concat('policy ', n.nspname, '.', c.relname, '.', p.polname) as name,
      concat_ws('|', p.polpermissive, p.polcmd,
        (select string_agg(coalesce(r.rolname, 'public'), ',' order by r.rolname)
          from unnest(p.polroles) o (id) left join pg_roles r on r.oid = o.id),
        pg_get_expr(p.polqual, p.polrelid), '|', pg_get_expr(p.polwithcheck, p.polrelid)) as how
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'stead')
    union all
    select concat('row_security ', n.nspname, '.', c.relname), concat_ws('|', c.relrowsecurity, c.relforcerowsecurity)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'stead') and c.relkind in ('r', 'p')
    union all
    select concat('grants ', n.nspname, '.', c.relname),
      concat((select string_agg(a::text, ',' order by a::text) from unnest(c.relacl) a),
        (select string_agg(concat(x.attname, x.attacl::text), ',' order by x.attname) from pg_attribute x
          where x.attrelid = c.oid and x.attacl is not null))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'stead') and c.relkind in ('r', 'p', 'v')
  ),
  now as materialized (
    select s.name, encode(sha256(convert_to(s.how, 'UTF8')), 'hex') as digest from seen s
  ),
  changed as materialized (
    select coalesce(w.name, o.name) as name, o.digest as old, w.digest as new
    from now w full join stead.policies_noted o on o.name = w.name
    where o.digest is distinct from w.digest
  ),
  put as (
    insert into stead.policies_noted (name, digest)
    select c.name, c.new from changed c where c.new is not null
    on conflict (name) do update set digest = excluded.digest
  ),
  gone as (
    delete from stead.policies_noted o using changed c where o.name = c.name and c.new is null
  ),
  told as (
    insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id, payload)
    select nobody, 'system', 'database', 'auth_policy',
      case when c.old is null then 'created' when c.new is null then 'dropped' else 'changed' end,
      split_part(c.name, ' ', 1), left(substr(c.name, strpos(c.name, ' ') + 1), 255),
      jsonb_strip_nulls(jsonb_build_object('before', c.old, 'after', c.new))
    from changed c where not first
    order by c.name
  ),
  begun as (
    insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, payload)
    select nobody, 'system', 'database', 'auth_policy', 'baseline', jsonb_build_object('count', count(*),
      'digest', encode(sha256(convert_to(string_agg(w.name || ' ' || w.digest, ',' order by w.name), 'UTF8')), 'hex'))
    from now w having first
  )
  select count(*) into changes from changed;
  return changes;
end
$$;

alter table stead.audit_texts enable row level security;
alter table stead.audit_texts force row level security;
alter table stead.audit_documents enable row level security;
alter table stead.audit_documents force row level security;
alter table stead.audit_indexing enable row level security;
alter table stead.audit_indexing force row level security;
alter table stead.policies_noted enable row level security;
alter table stead.policies_noted force row level security;
grant select, insert on stead.audit_texts to stead_service;
grant select, insert, delete, update on stead.audit_texts to stead_definer;
grant select on stead.audit_documents to stead_service;
grant select, insert, delete on stead.audit_documents to stead_definer;
grant select, insert, update on stead.audit_indexing to stead_definer;
grant select, insert, update, delete on stead.policies_noted to stead_definer;
grant insert (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id, payload)
  on public.audit_log to stead_definer;

-- Who may read a row may read its texts; who writes a row writes them.
create policy tenant_isolation on stead.audit_texts for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or author_id = (select stead.profile_id()) or (select stead.is_tenant_service())));
create policy tenant_append on stead.audit_texts for insert to stead_service
  with check (tenant_id = (select stead.tenant_id()));
create policy stead_definer_access on stead.audit_texts to stead_definer using (true) with check (true);
create policy tenant_isolation on stead.audit_documents for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (select stead.is_tenant_service()));
create policy stead_definer_access on stead.audit_documents to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.audit_indexing to stead_definer using (true) with check (true);
create policy stead_definer_access on stead.policies_noted to stead_definer using (true) with check (true);

revoke execute on function stead.audit_words(public.audit_log, text) from public;
grant execute on function stead.audit_words(public.audit_log, text) to stead_definer;
do $$
declare
  f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc where pronamespace = 'stead'::regnamespace
    and proname in ('drop_audit_document', 'unindex_audit_texts', 'index_audit', 'audit_heads', 'erase_audit_texts',
      'note_policies')
  loop
    execute format('alter function %s owner to stead_definer', f);
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$;
grant execute on function stead.index_audit(integer, integer), stead.audit_heads(), stead.erase_audit_texts(bigint[]),
  stead.note_policies() to stead_service;
