-- What is listed has an index in its order: one's own approvals among a tenant's many, and a tenant's sessions.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

-- Migrations run in a transaction; what cannot wait for these makes them concurrently beforehand, under these names.
-- squawk-ignore require-concurrent-index-creation
create index if not exists approvals_proposer_idx on public.approvals (tenant_id, proposer_id, id) where proposer_id is not null;
-- squawk-ignore require-concurrent-index-creation
create index if not exists sessions_created_idx on public.sessions (tenant_id, created_at desc);
