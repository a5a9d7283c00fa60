-- Where two documents named one thing twice, the other name is a view with that document's columns.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create view public.agent_sessions with (security_invoker = true) as
  select id, profile_id, context as agent_context, created_at, ended_at as closed_at, owning_agent_id
  from public.sessions;
comment on view public.agent_sessions is '000: sessions under the name and columns of that document';

create view public.agent_run_logs with (security_invoker = true) as
  select number as id, session_id, profile_id, agent_id, created_at, input, output, latency_ms, error
  from public.agent_runs;
comment on view public.agent_run_logs is '000: agent runs under the name and columns of that document';

-- Older Supabase projects grant every new table of public to anon and authenticated by default.
revoke all on public.agent_sessions, public.agent_run_logs from anon, authenticated;
grant select, update (agent_context) on public.agent_sessions to anon, authenticated;
grant select, insert, update, delete on public.agent_sessions to stead_service, service_role;
grant select on public.agent_run_logs to anon, authenticated;
grant select on public.agent_run_logs to stead_service, service_role;
