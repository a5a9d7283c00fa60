-- What a worker holds by the database's word. A claim whose answer was lost with its connection is there, and the worker
-- does not know of it: it lives, so that nobody rescues from it, and has to find out itself.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create function stead.held_jobs(worker uuid) returns table (id uuid, lease_no integer)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select stead.refuse_tenants();
  select j.id, j.lease_no from public.agent_jobs j where j.status = 'running' and j.worker_id = worker
$$;
alter function stead.held_jobs(uuid) owner to stead_definer;
revoke execute on function stead.held_jobs(uuid) from public;
grant execute on function stead.held_jobs(uuid) to stead_service;
