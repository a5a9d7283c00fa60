"""Rules on the schema as a whole: those of Supabase's linter that apply, and Stead's own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db.actor import ROLES
from tests.isolation.catalogue import policies, relations
from tests.isolation.matrix import SHARED_CATALOGUE, WITHOUT_TENANT, structure

OURS = "('public', 'stead')"
#: Roles that act for callers: what they may do is held by policies.
CALLERS = ("anon", "authenticated", "stead_service", "stead_api", "authenticator")
#: The only functions with their owner's rights that people's roles may call: they take no argument, or answer
#: for what the claims prove to be the caller's.
FOR_EVERYBODY = {
    "stead.tenant_of_claims()",
    "stead.profile_of_claims()",
    "stead.vector_of(text,uuid,uuid)",
    "match_patterns(real[],integer,text)",
    "match_memories(real[],integer,text)",
}
#: Postings have no identity of their own: one is found by its term and removed by its place.
WITHOUT_KEY = {"stead.search_terms"}
#: A model, once used, is never deleted; its index would be a byte count on every embedding.
NEVER_DELETED = ["stead.embeddings FOREIGN KEY (model_id) REFERENCES stead.embedding_models(id)"]
#: Unique without the tenant: keys that nobody chooses, and values made by the database.
GLOBALLY_UNIQUE = {
    # Ids that a provider gives, which only the server writes down: one account, one tenant.
    "public.connected_accounts": {"provider", "external_id"},
    "public.tenants": {"slug", "external_org_id"},
    "public.sessions": {"number", "memory_container"},
    "public.agent_runs": {"number"},
    "public.agent_memories": {"place"},
    "stead.search_docs": {"place", "kind", "owner_id"},
    "stead.search_terms": {"term", "place", "frequency", "length"},
    "stead.searchable": {"kind"},
    "stead.reindexing": {"kind", "model_id"},
    "stead.vector_indexes": {"name"},
    "stead.embedding_backlog": {"kind", "owner_id"},
    "stead.embedding_models": {"name"},
    "stead.processes": {"id"},
    "stead.sealing_progress": {"log"},
    "stead.policies_noted": {"name"},
    "stead.change_sweeps": {"feed"},
    "stead.signature_nonces": {"message_id"},
    "stead.rate_buckets": {"name"},
}


@pytest_asyncio.fixture
async def catalogue(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(access.admin_url)
    yield connection
    await connection.close()


async def lines(connection: asyncpg.Connection, sql: str) -> list[str]:
    return [" ".join(str(value) for value in row) for row in await connection.fetch(sql)]


async def test_every_table_has_row_security_forced_with_policies_and_a_tenant(
    catalogue: asyncpg.Connection,
) -> None:
    found = await relations(catalogue)

    assert len([relation for relation in found if relation.is_table]) >= 20
    assert [line for relation in found for line in structure(relation)] == []
    assert {*WITHOUT_TENANT, *SHARED_CATALOGUE} <= {relation.name for relation in found}


async def test_only_tables_and_views_are_there(catalogue: asyncpg.Connection) -> None:
    """Row-level security holds neither materialized views nor foreign tables."""
    assert {relation.kind for relation in await relations(catalogue)} <= {"r", "v"}


async def test_views_run_with_the_rights_of_their_caller(catalogue: asyncpg.Connection) -> None:
    assert (
        await lines(
            catalogue,
            f"""
            select c.oid::regclass from pg_class c
            where c.relkind = 'v' and c.relnamespace::regnamespace::text in {OURS}
              and not coalesce(c.reloptions @> '{{security_invoker=true}}', false)
            """,
        )
        == []
    )


async def test_every_key_and_every_foreign_key_has_an_index(catalogue: asyncpg.Connection) -> None:
    without_key = await lines(
        catalogue,
        f"""
        select c.relnamespace::regnamespace || '.' || c.relname from pg_class c
        where c.relkind = 'r' and c.relnamespace::regnamespace::text in {OURS}
          and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
        """,
    )
    # A partial index serves a foreign key only where it leaves out nothing but nulls.
    without_index = await lines(
        catalogue,
        f"""
        select f.conrelid::regclass, pg_get_constraintdef(f.oid) from pg_constraint f
        where f.contype = 'f' and f.connamespace::regnamespace::text in {OURS}
          and not exists (
            select from pg_index i
            where i.indrelid = f.conrelid and i.indisvalid
              and (i.indkey::smallint[])[0:cardinality(f.conkey) - 1] @> f.conkey
              and (i.indpred is null
                or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$'))
        """,
    )

    assert set(without_key) == WITHOUT_KEY
    assert without_index == NEVER_DELETED


async def test_no_index_is_there_twice(catalogue: asyncpg.Connection) -> None:
    assert (
        await lines(
            catalogue,
            f"""
            select a.indexrelid::regclass, b.indexrelid::regclass
            from pg_index a join pg_index b on a.indrelid = b.indrelid and a.indexrelid < b.indexrelid
            join pg_class c on c.oid = a.indrelid
            where c.relnamespace::regnamespace::text in {OURS} and a.indkey = b.indkey
              and a.indclass = b.indclass and a.indoption = b.indoption
              and coalesce(pg_get_expr(a.indexprs, a.indrelid), '')
                = coalesce(pg_get_expr(b.indexprs, b.indrelid), '')
              and coalesce(pg_get_expr(a.indpred, a.indrelid), '')
                = coalesce(pg_get_expr(b.indpred, b.indrelid), '')
            """,
        )
        == []
    )


async def test_foreign_keys_between_tables_of_tenants_carry_the_tenant(
    catalogue: asyncpg.Connection,
) -> None:
    """But to the shared catalogue, whose tenant may be null: there a policy stands in."""
    found = await lines(
        catalogue,
        f"""
        select n.nspname || '.' || c.relname, pg_get_constraintdef(f.oid), r.relname
        from pg_constraint f join pg_class c on c.oid = f.conrelid
        join pg_namespace n on n.oid = c.relnamespace join pg_class r on r.oid = f.confrelid
        where f.contype = 'f' and n.nspname in {OURS}
          and exists (select from pg_attribute a
            where a.attrelid = f.conrelid and a.attname = 'tenant_id')
          and exists (select from pg_attribute a
            where a.attrelid = f.confrelid and a.attname = 'tenant_id')
          and not exists (select from pg_attribute a
            where a.attrelid = f.conrelid and a.attname = 'tenant_id' and a.attnum = any (f.conkey))
        """,
    )
    catalogues = {name.split(".")[1] for name in SHARED_CATALOGUE}

    assert [line for line in found if line.rpartition(" ")[2] not in catalogues] == []


async def test_nobody_learns_of_others_by_a_name_that_is_taken(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        f"""
        select n.nspname || '.' || c.relname as relation,
          array(select a.attname::text from pg_attribute a
            where a.attrelid = c.oid and a.attnum = any (i.indkey::smallint[])) as columns,
          i.indisprimary as primary
        from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
        where i.indisunique and n.nspname in {OURS}
        """
    )
    tables = {relation.name for relation in await relations(catalogue)}
    # Ids of 74 random bits or more can be neither guessed nor probed for.
    unguessable = {
        "id",
        "run_id",
        "session_id",
        "agent_id",
        "owner_id",
        "tag_id",
        "job_id",
        "project_id",
    }

    faults = [
        f"{row['relation']} ({', '.join(row['columns'])})"
        for row in rows
        if row["relation"] in tables
        and "tenant_id" not in row["columns"]
        and not unguessable & set(row["columns"])
        and not set(row["columns"]) <= GLOBALLY_UNIQUE.get(row["relation"], set())
    ]

    assert faults == []


async def test_functions_have_a_fixed_search_path(catalogue: asyncpg.Connection) -> None:
    """Those with a parsed body need none: their names were resolved when they were made."""
    assert (
        await lines(
            catalogue,
            f"""
            select p.oid::regprocedure from pg_proc p
            where p.pronamespace::regnamespace::text in {OURS} and p.prosqlbody is null
              and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
              and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
            """,
        )
        == []
    )


async def test_functions_with_their_owners_rights(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        """
        select p.oid::regprocedure::text as name, p.proowner::regrole::text as owner,
          has_function_privilege('stead_service', p.oid, 'execute') as service,
          has_function_privilege('anon', p.oid, 'execute')
            or has_function_privilege('authenticated', p.oid, 'execute') as people,
          p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0) as everybody
        from pg_proc p where p.prosecdef and p.pronamespace::regnamespace::text not in
          ('pg_catalog', 'information_schema')
        """
    )

    assert len(rows) >= 15
    assert {row["owner"] for row in rows} == {"stead_definer"}
    assert [row["name"] for row in rows if row["everybody"]] == []
    assert {row["name"] for row in rows if row["people"]} == FOR_EVERYBODY


async def test_nothing_is_executable_by_everybody(catalogue: asyncpg.Connection) -> None:
    assert (
        await lines(
            catalogue,
            f"""
            select p.oid::regprocedure from pg_proc p
            where p.pronamespace::regnamespace::text in {OURS}
              and (p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0))
              and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
            """,
        )
        == []
    )


async def test_policies_call_functions_once_a_query(catalogue: asyncpg.Connection) -> None:
    """A call that stands outside ``(select …)`` runs for each row."""
    found = await policies(catalogue)
    expressions = [
        (policy, text) for policy in found for text in (policy.visible, policy.writable) if text
    ]
    call = re.compile(r"\b((?:stead|auth)\.\w+|current_setting)\(")
    wrapped = re.compile(r"\( SELECT (?:(?:stead|auth)\.\w+|current_setting)\([^()]*\) AS \w+\)")

    assert any(wrapped.search(text) for _, text in expressions)
    assert [str(policy) for policy, text in expressions if call.search(wrapped.sub("", text))] == []


async def test_policies_check_what_is_written(catalogue: asyncpg.Connection) -> None:
    found = await policies(catalogue)

    writing = [policy for policy in found if policy.command in {"insert", "update", "all"}]
    assert [str(policy) for policy in writing if policy.writable is None] == []
    assert [str(policy) for policy in found if "public" in policy.roles] == []
    open_to_all = [policy for policy in found if "true" in {policy.visible, policy.writable}]
    assert {role for policy in open_to_all for role in policy.roles} == {"service_role", "stead_definer"}
    # What a person can write into their own profile at the provider proves nothing.
    assert [str(p) for p in found if "user_metadata" in f"{p.visible} {p.writable}"] == []


async def test_one_permissive_policy_for_a_role_and_a_verb(catalogue: asyncpg.Connection) -> None:
    seen: dict[tuple[str, str, str], list[str]] = {}
    for policy in await policies(catalogue):
        verbs = ("select", "insert", "update", "delete")
        for verb in verbs if policy.command == "all" else (policy.command,):
            for role in policy.roles:
                seen.setdefault((policy.relation, role, verb), []).append(policy.name)

    assert {key: names for key, names in seen.items() if len(names) > 1} == {}


async def test_extensions_are_not_in_public(catalogue: asyncpg.Connection) -> None:
    assert (
        await lines(
            catalogue,
            "select extname from pg_extension "
            "where extnamespace = 'public'::regnamespace and extname <> 'plpgsql'",
        )
        == []
    )


async def test_no_column_keeps_the_cluster_from_being_upgraded(catalogue: asyncpg.Connection) -> None:
    """`pg_upgrade` refuses databases with columns of types that hold a reference by number."""
    assert (
        await lines(
            catalogue,
            f"""
            select c.relname, a.attname, a.atttypid::regtype from pg_attribute a
            join pg_class c on c.oid = a.attrelid
            where c.relnamespace::regnamespace::text in {OURS} and a.attnum > 0 and not a.attisdropped
              and a.atttypid::regtype::text in ('regcollation', 'regconfig', 'regdictionary',
                'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure')
            """,
        )
        == []
    )


async def test_no_runtime_role_is_above_row_security(catalogue: asyncpg.Connection) -> None:
    roles = [*CALLERS, "stead_definer"]
    rows = await catalogue.fetch(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit "
        "from pg_roles where rolname = any ($1)",
        roles,
    )

    assert {row["rolname"] for row in rows} == set(roles)
    assert [row["rolname"] for row in rows if any(tuple(row)[1:])] == []
    owned = await catalogue.fetch(
        f"""
        select c.oid::regclass::text from pg_class c
        where c.relnamespace::regnamespace::text in {OURS} and c.relowner::regrole::text = any ($1)
        union all select n.nspname from pg_namespace n where n.nspowner::regrole::text = any ($1)
        union all select p.oid::regprocedure::text from pg_proc p where p.proowner::regrole::text = any ($2)
        """,
        roles,
        list(CALLERS),
    )
    assert [row[0] for row in owned] == []


async def test_the_servers_login_may_become_the_three_runtime_roles_only(
    catalogue: asyncpg.Connection,
) -> None:
    rows = await catalogue.fetch(
        "select roleid::regrole::text as role, inherit_option, admin_option from pg_auth_members "
        "where member = 'stead_api'::regrole"
    )

    assert {row["role"] for row in rows} == ROLES
    assert not any(row["inherit_option"] or row["admin_option"] for row in rows)
    beyond = await lines(
        catalogue,
        "select r, m.roleid::regrole from unnest(array['anon', 'authenticated', 'stead_service']) r "
        "join pg_auth_members m on m.member = r::regrole",
    )
    assert beyond == []


async def test_people_are_granted_nothing_private(catalogue: asyncpg.Connection) -> None:
    granted = await lines(
        catalogue,
        """
        select c.relname, a.grantee::regrole, a.privilege_type from pg_class c, aclexplode(c.relacl) a
        where c.relnamespace = 'stead'::regnamespace
          and a.grantee in (0, 'anon'::regrole, 'authenticated'::regrole, 'stead_api'::regrole)
        """,
    )
    by_column = await lines(
        catalogue,
        """
        select c.relname, t.attname, a.grantee::regrole
        from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) a
        where c.relnamespace = 'stead'::regnamespace
          and a.grantee in (0, 'anon'::regrole, 'authenticated'::regrole, 'stead_api'::regrole)
        """,
    )

    assert granted + by_column == []


async def test_nobody_but_the_owner_may_change_tables_as_such(catalogue: asyncpg.Connection) -> None:
    """No TRUNCATE (which knows no row security), TRIGGER, REFERENCES or CREATE for runtime roles."""
    tables = await lines(
        catalogue,
        f"""
        select c.relname, a.grantee::regrole, a.privilege_type from pg_class c, aclexplode(c.relacl) a
        where c.relkind in ('r', 'v') and c.relnamespace::regnamespace::text in {OURS}
          and a.grantee <> c.relowner
          and (a.is_grantable or a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))
        """,
    )
    schemas = await lines(
        catalogue,
        f"""
        select n.nspname, r from pg_namespace n,
          unnest(array['anon', 'authenticated', 'stead_service', 'stead_api', 'service_role']) r
        where n.nspname in {OURS} and has_schema_privilege(r, n.oid, 'create')
        """,
    )
    everybody = await lines(
        catalogue,
        f"""
        select c.relname, a.privilege_type from pg_class c, aclexplode(c.relacl) a
        where c.relnamespace::regnamespace::text in {OURS} and a.grantee = 0
        """,
    )

    assert tables + schemas + everybody == []


@pytest.mark.parametrize("role", ["anon", "authenticated", "stead_service", "service_role", "stead_api"])
async def test_sequences_tell_nothing(catalogue: asyncpg.Connection, role: str) -> None:
    """A sequence counts the rows of all tenants."""
    assert (
        await lines(
            catalogue,
            f"""
            select c.relname from pg_class c
            where c.relnamespace::regnamespace::text in {OURS}
              and case when c.relkind = 'S'
                then has_sequence_privilege('{role}', c.oid, 'usage, select, update') end
            """,
        )
        == []
    )
