-- Forge (004): projects, their files with versions, roadmaps and daily sessions.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create table public.projects (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id() references public.tenants (id) on delete cascade,
  user_id uuid not null,
  title text not null check (length(title) between 1 and 200),
  description text check (length(description) <= 10000),
  mode text not null check (mode in ('builder', 'student')),
  status text not null default 'planning',
  requirements_spec jsonb check (jsonb_typeof(requirements_spec) = 'object'),
  architecture_spec jsonb check (jsonb_typeof(architecture_spec) = 'object'),
  tech_stack text[] check (cardinality(tech_stack) <= 50),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, id),
  constraint projects_status_check
    check (status in ('planning', 'in-progress', 'building', 'completed', 'archived')),
  foreign key (tenant_id, user_id) references public.profiles (tenant_id, id) on delete cascade
);
create index projects_user_idx on public.projects (tenant_id, user_id, created_at desc, id desc);
create index projects_created_idx on public.projects (tenant_id, created_at desc, id desc);
comment on column public.projects.requirements_spec is 'what the research agent found: RequirementsDoc';
comment on column public.projects.architecture_spec is 'what the wireframe agent drew: WireframeSpec';

-- Whoever writes here without Stead's server (004's clients do, through PostgREST) gives no path either that would leave
-- a folder into which the files are unpacked.
create table public.project_files (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id(),
  project_id uuid not null,
  path text not null check (length(path) between 1 and 500 and path !~ '[[:cntrl:]\\]' and path !~ '^/|/$|//'
    and path !~ '(^|/)\.{1,2}(/|$)' and path !~* '(^|/)\.git(/|$)'),
  content text check (length(content) <= 1000000),
  language text check (length(language) between 1 and 50),
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (project_id, path),
  unique (tenant_id, id),
  foreign key (tenant_id, project_id) references public.projects (tenant_id, id) on delete cascade
);
create index project_files_project_idx on public.project_files (tenant_id, project_id);
comment on column public.project_files.version is 'counts changes of content and language; kept by a trigger';

-- What a file was before: the latest hundred versions.
create table public.project_file_versions (
  tenant_id uuid not null,
  file_id uuid not null,
  version int not null,
  content text,
  language text,
  -- When it was written, and when it was replaced.
  created_at timestamptz not null,
  replaced_at timestamptz not null default now(),
  primary key (tenant_id, file_id, version),
  foreign key (tenant_id, file_id) references public.project_files (tenant_id, id) on delete cascade
);

create table public.learning_roadmaps (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id(),
  project_id uuid not null,
  modules jsonb not null check (jsonb_typeof(modules) = 'array'),
  current_step_index int not null default 0 check (current_step_index >= 0),
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  foreign key (tenant_id, project_id) references public.projects (tenant_id, id) on delete cascade
);
create index learning_roadmaps_project_idx on public.learning_roadmaps (tenant_id, project_id, created_at desc, id desc);
comment on column public.learning_roadmaps.modules is 'array of { title, steps, is_locked }';
comment on column public.learning_roadmaps.current_step_index is 'how many steps are done, counted over all modules';

create table public.daily_sessions (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id(),
  project_id uuid not null,
  transcript jsonb check (jsonb_typeof(transcript) = 'array'),
  concepts_covered text[],
  duration_minutes int not null default 0 check (duration_minutes >= 0),
  created_at timestamptz not null default now(),
  -- What duration_minutes is counted from: a pause of more than half an hour is none of the learning.
  active_s double precision not null default 0 check (active_s >= 0),
  last_active_at timestamptz not null default now(),
  unique (tenant_id, id),
  foreign key (tenant_id, project_id) references public.projects (tenant_id, id) on delete cascade
);
create index daily_sessions_project_idx on public.daily_sessions (tenant_id, project_id, created_at desc, id desc);
comment on column public.daily_sessions.transcript is 'array of { role: user | mentor, content }';

create trigger update_projects_updated_at before update on public.projects
  for each row execute function public.update_updated_at_column();
create trigger update_project_files_updated_at before update on public.project_files
  for each row execute function public.update_updated_at_column();

-- The version is the database's to count, whoever writes.
create function stead.count_file_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    new.version := 1;
  elsif (new.content, new.language) is distinct from (old.content, old.language) then
    new.version := old.version + 1;
  else
    new.version := old.version;
  end if;
  return new;
end
$$;
create trigger project_files_version before insert or update on public.project_files
  for each row execute function stead.count_file_version();

create function stead.keep_file_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.project_file_versions (tenant_id, file_id, version, content, language, created_at)
  values (old.tenant_id, old.id, old.version, old.content, old.language, old.updated_at);
  delete from public.project_file_versions v
  where v.tenant_id = old.tenant_id and v.file_id = old.id and v.version <= old.version - 100;
  return null;
end
$$;
create trigger project_files_keep after update on public.project_files
  for each row when (new.version <> old.version) execute function stead.keep_file_version();

-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table public.agent_jobs add foreign key (tenant_id, project_id)
  references public.projects (tenant_id, id) on delete cascade;

alter table public.projects enable row level security;
alter table public.projects force row level security;
alter table public.project_files enable row level security;
alter table public.project_files force row level security;
alter table public.project_file_versions enable row level security;
alter table public.project_file_versions force row level security;
alter table public.learning_roadmaps enable row level security;
alter table public.learning_roadmaps force row level security;
alter table public.daily_sessions enable row level security;
alter table public.daily_sessions force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.projects, public.project_files, public.project_file_versions, public.learning_roadmaps,
  public.daily_sessions from anon, authenticated;
-- 004: people read and write what is theirs.
grant select, insert, update, delete
  on public.projects, public.project_files, public.learning_roadmaps, public.daily_sessions
  to authenticated, stead_service, service_role, stead_definer;
grant select on public.project_file_versions to authenticated, stead_service, service_role;
grant select, insert, delete on public.project_file_versions to stead_definer;

create policy tenant_isolation on public.projects to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id())
    and (user_id = (select stead.profile_id()) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id())
    and (user_id = (select stead.profile_id()) or (select stead.is_tenant_service())));
create policy service_role_full_access on public.projects to service_role using (true) with check (true);
create policy stead_definer_access on public.projects to stead_definer using (true) with check (true);

create policy tenant_isolation on public.project_files to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.projects p where p.tenant_id = project_files.tenant_id and p.id = project_files.project_id
      and (p.user_id = (select stead.profile_id()) or (select stead.is_tenant_service()))))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.projects p where p.tenant_id = project_files.tenant_id and p.id = project_files.project_id
      and (p.user_id = (select stead.profile_id()) or (select stead.is_tenant_service()))));
create policy service_role_full_access on public.project_files to service_role using (true) with check (true);
create policy stead_definer_access on public.project_files to stead_definer using (true) with check (true);

-- Who sees a file sees what it was. Only the trigger writes.
create policy tenant_isolation on public.project_file_versions for select to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.project_files f
    where f.tenant_id = project_file_versions.tenant_id and f.id = project_file_versions.file_id));
create policy service_role_full_access on public.project_file_versions to service_role using (true) with check (true);
create policy stead_definer_access on public.project_file_versions to stead_definer using (true) with check (true);

create policy tenant_isolation on public.learning_roadmaps to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.projects p where p.tenant_id = learning_roadmaps.tenant_id and p.id = learning_roadmaps.project_id
      and (p.user_id = (select stead.profile_id()) or (select stead.is_tenant_service()))))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.projects p where p.tenant_id = learning_roadmaps.tenant_id and p.id = learning_roadmaps.project_id
      and (p.user_id = (select stead.profile_id()) or (select stead.is_tenant_service()))));
create policy service_role_full_access on public.learning_roadmaps to service_role using (true) with check (true);
create policy stead_definer_access on public.learning_roadmaps to stead_definer using (true) with check (true);

create policy tenant_isolation on public.daily_sessions to authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.projects p where p.tenant_id = daily_sessions.tenant_id and p.id = daily_sessions.project_id
      and (p.user_id = (select stead.profile_id()) or (select stead.is_tenant_service()))))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.projects p where p.tenant_id = daily_sessions.tenant_id and p.id = daily_sessions.project_id
      and (p.user_id = (select stead.profile_id()) or (select stead.is_tenant_service()))));
create policy service_role_full_access on public.daily_sessions to service_role using (true) with check (true);
create policy stead_definer_access on public.daily_sessions to stead_definer using (true) with check (true);

alter function stead.keep_file_version() owner to stead_definer;
revoke execute on function stead.count_file_version(), stead.keep_file_version() from public;

-- Live updates (004, section 3).
select stead.publish_changes('public.projects');
