-- Which migrations are applied, for the server's login, which may not read the ledger itself.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

grant usage on schema supabase_migrations to stead_definer;
grant select on supabase_migrations.schema_migrations to stead_definer;

create function stead.applied_versions() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select version from supabase_migrations.schema_migrations $$;

alter function stead.applied_versions() owner to stead_definer;
revoke execute on function stead.applied_versions() from public;
grant execute on function stead.applied_versions() to stead_api, stead_service;
