-- Roles, the private schema, and the functions through which policies read the caller's claims.

set local lock_timeout = '5s';
set local statement_timeout = '10min';

do $$
begin
  -- Roles belong to the whole cluster: two databases migrated at once would collide.
  perform pg_advisory_xact_lock(7331000);
  if to_regrole('anon') is null or to_regrole('authenticated') is null or to_regrole('service_role') is null
    or to_regprocedure('auth.uid()') is null then
    raise exception 'this database is neither Supabase nor bootstrapped'
      using hint = 'Run `stead db migrate`, which bootstraps a plain PostgreSQL first.';
  end if;
  -- Stead acting inside one tenant: more verbs than a person has, the same rows.
  if to_regrole('stead_service') is null then
    create role stead_service nologin noinherit;
  end if;
  -- Owner of the SECURITY DEFINER functions. Policies name it, so that it needs no BYPASSRLS.
  if to_regrole('stead_definer') is null then
    create role stead_definer nologin noinherit;
  end if;
  -- The server's login: no owner, no superuser, no BYPASSRLS; inherits nothing and must SET ROLE.
  if to_regrole('stead_api') is null then
    create role stead_api login noinherit;
  end if;
  grant anon, authenticated, stead_service to stead_api;
  execute format('grant stead_definer to %I', current_user);
  alter role stead_api set search_path = public, pg_temp;
  alter role stead_api set statement_timeout = '30s';
  alter role stead_api set idle_in_transaction_session_timeout = '30s';
  alter role stead_api set lock_timeout = '10s';
  -- A statement whose client went away ends: its cancellation may have been sent too early to be heard.
  alter role stead_api set client_connection_check_interval = '1s';
end
$$;

create schema if not exists stead;
revoke all on schema stead from public;
grant usage on schema stead to anon, authenticated, stead_service, service_role, stead_api;
grant usage, create on schema stead to stead_definer;
grant usage, create on schema public to stead_definer;
grant usage on schema public to stead_service;

-- Every policy asks for tenant, person and session, once a query; on a short read that is most of what
-- row-level security costs. Stead's server sets them, from the claims and beside them, as settings of their own:
-- reading one takes a microsecond, taking a UUID out of JSON ten. PostgREST and Realtime set the claims alone.
-- So each is asked for by an expression that is inlined and small (its nodes are set up for every query): the
-- setting, else a function that reads the claims. Bodies in SQL's own form (`return`) bind names when they are
-- made: no search_path can shadow them, and none need be set, which would keep them from being inlined.

-- The claims of this transaction; an empty object where there are none. After a local setting ends its
-- value is '', not null.
create function stead.claims() returns jsonb
language sql stable parallel safe
return coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb;

create function stead.as_uuid(value text) returns uuid
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case
    when value ~ '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$' then value::uuid
  end
$$;

create function stead.session_of_claims() returns uuid
language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select stead.as_uuid(stead.claims() ->> 'stead_session') $$;

-- The session that an anonymous caller holds a token for.
create function stead.session_id() returns uuid
language sql stable parallel safe
return coalesce(nullif(current_setting('stead.session', true), '')::uuid, stead.session_of_claims());

-- Stead itself at work for a whole tenant, on behalf of no person and no session.
create function stead.is_tenant_service() returns boolean
language sql stable parallel safe
return current_user = 'stead_service' and not (stead.claims() ?| array['sub', 'stead_session']);

create function public.update_updated_at_column() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
revoke execute on function public.update_updated_at_column() from public, anon, authenticated;

revoke execute on all functions in schema stead from public;
grant execute on function stead.claims(), stead.as_uuid(text), stead.session_of_claims(), stead.session_id(), stead.is_tenant_service()
  to anon, authenticated, stead_service, service_role, stead_definer;
