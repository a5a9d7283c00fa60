-- What people think of answers, and the indexes by which answers are evaluated.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- One row for a message: a session has one holder, the person or (while nobody is known) whoever has its token.
create table public.message_feedback (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  session_id uuid not null,
  profile_id uuid,
  message_id uuid not null,
  -- The run that wrote the message: through it agent and embedder are known.
  run_id uuid,
  rating smallint not null check (rating in (-1, 1)),
  comment text check (length(comment) between 1 and 2000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, message_id),
  foreign key (tenant_id, message_id) references public.messages (tenant_id, id) on delete cascade,
  foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade,
  foreign key (tenant_id, profile_id) references public.profiles (tenant_id, id) on delete cascade,
  foreign key (tenant_id, run_id) references public.agent_runs (tenant_id, id) on delete cascade
);
create index message_feedback_session_idx on public.message_feedback (tenant_id, session_id);
create index message_feedback_profile_idx on public.message_feedback (tenant_id, profile_id);
create index message_feedback_run_idx on public.message_feedback (tenant_id, run_id);
comment on column public.message_feedback.rating is '1: up, -1: down';

create trigger update_message_feedback_updated_at before update on public.message_feedback
  for each row execute function public.update_updated_at_column();

-- A comment speaks of the words as they were: where those are taken out, it goes with them. The rating stays.
create function stead.drop_feedback_comment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.message_feedback f set comment = null
  where f.tenant_id = new.tenant_id and f.message_id = new.id and f.comment is not null;
  return null;
end
$$;
create trigger messages_feedback after update of parts on public.messages
  for each row when (new.role = 'assistant' and new.parts is distinct from old.parts)
  execute function stead.drop_feedback_comment();

-- Recalls of a time, without the writes between them, which are many more.
-- squawk-ignore require-concurrent-index-creation
create index memory_logs_recall_idx on public.memory_logs (tenant_id, operation, created_at desc)
  where operation in ('recall', 'read');

alter table public.message_feedback enable row level security;
alter table public.message_feedback force row level security;

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.message_feedback from anon, authenticated;
grant select on public.message_feedback to anon, authenticated;
grant select, insert, update, delete on public.message_feedback to stead_service, service_role, stead_definer;

create policy tenant_isolation on public.message_feedback to anon, authenticated, stead_service
  using (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));
create policy service_role_full_access on public.message_feedback to service_role using (true) with check (true);
create policy stead_definer_access on public.message_feedback to stead_definer using (true) with check (true);

alter function stead.drop_feedback_comment() owner to stead_definer;
revoke execute on function stead.drop_feedback_comment() from public;
