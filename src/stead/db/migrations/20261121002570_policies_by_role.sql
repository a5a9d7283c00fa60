-- What people and visitors may reach, and what Stead at work for them, in policies of their own. In one policy for
-- all of them the tenant's service was an arm of an OR: no index serves such, so that a person's few rows were looked
-- for among all of the tenant's, and every read of a browser carried an arm that is never true for it. What people
-- may only read has a policy for reading.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

alter policy tenant_isolation on public.projects to authenticated
  using (tenant_id = (select stead.tenant_id()) and user_id = (select stead.profile_id()))
  with check (tenant_id = (select stead.tenant_id()) and user_id = (select stead.profile_id()));
create policy tenant_service on public.projects to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    user_id = (select stead.profile_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    user_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));

alter policy tenant_isolation on public.connected_accounts to authenticated
  using (tenant_id = (select stead.tenant_id()) and profile_id = (select stead.profile_id()))
  with check (tenant_id = (select stead.tenant_id()) and profile_id = (select stead.profile_id()));
create policy tenant_service on public.connected_accounts to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));

alter policy tenant_isolation on public.sessions to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (id = (select stead.session_id()) and profile_id is null)))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.sessions to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.agent_jobs;
create policy tenant_isolation on public.agent_jobs for select to authenticated
  using (tenant_id = (select stead.tenant_id()) and user_id = (select stead.profile_id()));
create policy tenant_service on public.agent_jobs to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    user_id = (select stead.profile_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    user_id = (select stead.profile_id())
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.audit_log;
create policy tenant_isolation on public.audit_log for select to authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    subject_profile_id = (select stead.profile_id())
    or (actor_type = 'user' and actor_id = (select stead.profile_id())::text)));
create policy tenant_service on public.audit_log for select to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    subject_profile_id = (select stead.profile_id())
    or (actor_type = 'user' and actor_id = (select stead.profile_id())::text)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.agent_memories;
create policy tenant_isolation on public.agent_memories for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.agent_memories to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.agent_runs;
create policy tenant_isolation on public.agent_runs for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.agent_runs to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.belief_graphs;
create policy tenant_isolation on public.belief_graphs for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.belief_graphs to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.cognitive_metrics;
create policy tenant_isolation on public.cognitive_metrics for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.cognitive_metrics to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.goal_assessments;
create policy tenant_isolation on public.goal_assessments for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.goal_assessments to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.memory_logs;
create policy tenant_isolation on public.memory_logs for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.memory_logs to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.message_feedback;
create policy tenant_isolation on public.message_feedback for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.message_feedback to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.messages;
create policy tenant_isolation on public.messages for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.messages to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.store_items;
create policy tenant_isolation on public.store_items for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)));
create policy tenant_service on public.store_items to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    profile_id = (select stead.profile_id())
    or (session_id = (select stead.session_id()) and profile_id is null)
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.belief_edges;
create policy tenant_isolation on public.belief_edges for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())));
create policy tenant_service on public.belief_edges to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.belief_updates;
create policy tenant_isolation on public.belief_updates for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())));
create policy tenant_service on public.belief_updates to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())
    or (select stead.is_tenant_service())));

drop policy tenant_isolation on public.goal_progress;
create policy tenant_isolation on public.goal_progress for select to anon, authenticated
  using (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())));
create policy tenant_service on public.goal_progress to stead_service
  using (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())
    or (select stead.is_tenant_service())))
  with check (tenant_id = (select stead.tenant_id()) and (
    scope_id = (select stead.profile_id())
    or scope_id = (select stead.session_id())
    or (select stead.is_tenant_service())));
