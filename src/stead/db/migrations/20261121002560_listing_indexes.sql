-- What is listed has an index in its order: one's own approvals among a tenant's many, and a tenant's sessions.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

create index approvals_proposer_idx on public.approvals (tenant_id, proposer_id, id) where proposer_id is not null;
create index sessions_created_idx on public.sessions (tenant_id, created_at desc);
