-- Marketplace (000): what agents are hired for, who came into question in a comparison, and who waits for whom.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create type public.waitlist_status as enum ('new', 'contacted');

alter table public.agents add column industries text[] not null default '{}';
alter table public.agents
  -- squawk-ignore constraint-missing-not-valid
  add constraint agents_industries_check check (cardinality(industries) <= 50);
comment on column public.agents.industries is 'where the agent is at home; compared with focus_industries of a profile';
-- squawk-ignore require-concurrent-index-creation
create index agents_industries_idx on public.agents using gin (industries);
-- squawk-ignore require-concurrent-index-creation
create index agents_listing_idx on public.agents (tenant_id, created_at desc, id desc) where visibility = 'public';

create table public.session_candidates (
  tenant_id uuid not null default stead.tenant_id(),
  session_id uuid not null,
  agent_id uuid not null references public.agents (id) on delete cascade,
  fit_score numeric not null check (fit_score between 0 and 100),
  rank integer check (rank > 0),
  rationale text[] not null default '{}' check (cardinality(rationale) <= 50),
  -- What the score is the sum of; ids of memories, never their words: those can be forgotten.
  factors jsonb not null default '[]' check (jsonb_typeof(factors) = 'array'),
  created_at timestamptz not null default now(),
  primary key (session_id, agent_id),
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index session_candidates_session_idx on public.session_candidates (tenant_id, session_id, rank);
create index session_candidates_agent_idx on public.session_candidates (agent_id);

create table public.waitlist_entries (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default stead.tenant_id(),
  -- Null while the session is nobody's.
  profile_id uuid,
  agent_id uuid not null references public.agents (id) on delete cascade,
  session_id uuid not null,
  email_override text check (length(email_override) between 3 and 320),
  message text check (length(message) <= 10000),
  status public.waitlist_status not null default 'new',
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  -- Who asks twice waits once.
  unique (tenant_id, session_id, agent_id),
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade
);
create index waitlist_entries_profile_idx on public.waitlist_entries (tenant_id, profile_id);
create index waitlist_entries_agent_idx on public.waitlist_entries (agent_id);
create index waitlist_entries_created_idx on public.waitlist_entries (tenant_id, created_at desc, id desc);

create trigger session_candidates_agent before insert or update of agent_id, tenant_id on public.session_candidates
  for each row execute function stead.check_agent();
create trigger waitlist_entries_agent before insert or update of agent_id, tenant_id on public.waitlist_entries
  for each row execute function stead.check_agent();

alter table public.session_candidates enable row level security;
alter table public.session_candidates force row level security;
alter table public.waitlist_entries enable row level security;
alter table public.waitlist_entries force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.session_candidates, public.waitlist_entries from anon, authenticated;
grant select on public.session_candidates to anon, authenticated;
-- 000: entries are inserted and read with the service's key, which people do not have.
grant select, insert, update, delete on public.session_candidates, public.waitlist_entries
  to stead_service, service_role, stead_definer;

-- Visible with its session: the policy on sessions decides.
create policy tenant_isolation on public.session_candidates to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and exists (
    select from public.sessions s
    where s.tenant_id = session_candidates.tenant_id and s.id = session_candidates.session_id))
  with check (tenant_id = (select stead.tenant_id()) and exists (
    select from public.sessions s
    where s.tenant_id = session_candidates.tenant_id and s.id = session_candidates.session_id));
create policy service_role_full_access on public.session_candidates to service_role using (true) with check (true);
create policy stead_definer_access on public.session_candidates to stead_definer using (true) with check (true);

-- As its session is: of the person, of the token's holder while it is nobody's, of the tenant's service.
create policy tenant_isolation on public.waitlist_entries to stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null) or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null) or (select stead.is_tenant_service()))
    and exists (select from public.sessions s
      where s.tenant_id = waitlist_entries.tenant_id and s.id = waitlist_entries.session_id));
create policy service_role_full_access on public.waitlist_entries to service_role using (true) with check (true);
create policy stead_definer_access on public.waitlist_entries to stead_definer using (true) with check (true);
