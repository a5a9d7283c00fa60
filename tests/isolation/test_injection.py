"""What the server's login and its roles try in SQL of their own, and what they cannot do with it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stead.assembly.database import DatabaseAccess
from stead.db import NOBODY, Database, PoolConfig, StaticActor
from stead.db.embedded import EmbeddedServer
from stead.db.transaction import begin_message
from stead.identity import Principal, Tenant, tenant_service
from tests.isolation.catalogue import relations
from tests.isolation.seeding import SEEDS, Label, World, insert_statement, seed
from tests.support import cluster as clusters

A_ANN, B_ANN = Label("A", "ann"), Label("B", "ann")
DENIED = asyncpg.InsufficientPrivilegeError


class Intruder:
    """The server's own login, with statements that the server would never send."""

    def __init__(self, url: str, world: World) -> None:
        self._url = url
        self.world = world

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self._url, statement_cache_size=0)
        try:
            yield connection
        finally:
            await connection.close()

    def claims(self, who: str) -> dict[str, str]:
        """Of A's service, A's ann, or nobody."""
        tenant = {"tenant_id": self.world.known("tenant A")}
        return {
            "service": tenant,
            "ann": {**tenant, "sub": self.world.known("A ann")},
            "nobody": {},
        }[who]

    @asynccontextmanager
    async def acting(self, role: str, who: str = "ann") -> AsyncIterator[asyncpg.Connection]:
        """In a transaction as Stead would have opened it, rolled back at the end."""
        async with self.connection() as connection:
            actor = StaticActor.of(role, self.claims(who))
            await connection.execute(begin_message(actor, read_only=False))
            yield connection
            await connection.execute("rollback")


@pytest_asyncio.fixture(scope="module")
async def intruder(cluster: EmbeddedServer) -> AsyncIterator[Intruder]:
    async with clusters.copy_of_template(cluster) as access:
        admin = await asyncpg.connect(access.admin_url)
        world = await seed(admin)
        await admin.close()
        yield Intruder(access.runtime_url, world)


RUNTIME = ("anon", "authenticated", "stead_service")


@pytest.mark.parametrize("role", RUNTIME)
async def test_switching_row_security_off_only_turns_rows_into_an_error(
    intruder: Intruder, role: str
) -> None:
    async with intruder.acting(role) as connection:
        await connection.execute("set local row_security = off")
        with pytest.raises(DENIED, match="row-level security"):
            await connection.fetch("select * from public.messages")


@pytest.mark.parametrize(
    "statement",
    [
        "set session_replication_role = replica",
        "set local session_replication_role = replica",
        "select set_config('session_replication_role', 'replica', false)",
        "alter role stead_api set session_replication_role = replica",
        "alter role stead_api bypassrls",
        "alter role stead_api superuser",
        "alter role postgres set search_path = evil",
        "alter role all set search_path = evil",
        "alter database {database} set search_path = evil",
        "alter system set row_security = off",
        "set role stead_definer",
        "set role service_role",
        "set role postgres",
        "set role authenticator",
        "select set_config('role', 'stead_definer', true)",
        "set session authorization postgres",
        "set session authorization stead_definer",
        "grant stead_definer to stead_api",
        "grant service_role to stead_api",
        "create role mine",
        "create schema mine",
        "create function public.mine() returns int language sql as 'select 1'",
        "create function stead.mine() returns int language sql as 'select 1'",
        "create table public.mine (id int)",
        "create table stead.mine (id int)",
        "alter table public.messages disable row level security",
        "alter table public.messages no force row level security",
        "alter table public.messages disable trigger all",
        "drop policy tenant_isolation on public.messages",
        "create policy mine on public.messages using (true)",
        "alter policy tenant_isolation on public.messages using (true)",
        "alter function stead.tenant_id() owner to stead_api",
        "alter function stead.tenant_id() set search_path = evil",
        "create or replace function stead.tenant_id() returns uuid language sql as 'select null::uuid'",
        "create or replace view public.agent_sessions as select * from public.sessions",
        "truncate public.messages",
        "copy public.messages to program 'true'",
        "copy public.messages to '/dev/null'",
        "select pg_read_file('postgresql.conf')",
        "select pg_ls_dir('.')",
        "select lo_import('/etc/hostname')",
        "select rolpassword from pg_authid",
        "select * from pg_statistic",
        "do language plpython3u 'pass'",
        (
            "create trigger mine before insert on public.messages "
            "for each row execute function public.update_updated_at_column()"
        ),
        "create rule mine as on select to public.messages do instead select 1",
        "comment on table public.messages is 'mine'",
        "security label on table public.messages is 'mine'",
        "create publication mine for table public.messages",
        "create subscription mine connection 'host=x' publication p",
    ],
)
@pytest.mark.parametrize("role", ["stead_api", *RUNTIME])
async def test_no_role_of_the_server_can_raise_itself(
    intruder: Intruder, role: str, statement: str
) -> None:
    async with intruder.connection() as connection:
        database = await connection.fetchval("select current_database()")
        if role != "stead_api":
            await connection.execute(f"set role {role}")
        with pytest.raises(
            (
                DENIED,
                asyncpg.UndefinedObjectError,
                asyncpg.InvalidParameterValueError,
                asyncpg.ObjectNotInPrerequisiteStateError,
                asyncpg.WrongObjectTypeError,
            )
        ):
            await connection.execute(statement.format(database=database))


async def test_settings_of_the_login_are_its_own_and_end_with_it(intruder: Intruder) -> None:
    """A role may change its own defaults in PostgreSQL: none of them widens what it sees."""
    async with intruder.connection() as connection:
        async with intruder.acting("stead_service") as other:
            everything = await other.fetchval("select count(*) from public.messages")
        await connection.execute(f"set request.jwt.claims = '{json.dumps(intruder.claims('service'))}'")
        # Claims of the session are replaced by those of the next transaction, not added to.
        actor = StaticActor.of("stead_service", intruder.claims("ann"))
        await connection.execute(begin_message(actor, read_only=True))
        assert await connection.fetchval("select count(*) from public.messages") == everything == 1


SHADOWS = [
    "create temp table tenants (id uuid, tenant_id uuid)",
    "create temp table profiles (id uuid, tenant_id uuid, external_id text)",
    "create temp table agents (id uuid, tenant_id uuid)",
    "create temp view agent_runs as select gen_random_uuid() as id",
    "create function pg_temp.claims() returns jsonb language sql as $$ select '{}'::jsonb $$",
    "create function pg_temp.tenant_id() returns uuid language sql as $$ select '{b}'::uuid $$",
    (
        "create function pg_temp.current_setting(text, boolean) returns text language sql "
        """as $$ select '{"tenant_id":"{b}"}' $$"""
    ),
    (
        "create function pg_temp.jsonb_object_field_text(jsonb, text) returns text language sql "
        "as $$ select '{b}' $$"
    ),
    "create function pg_temp.isnt(uuid, uuid) returns boolean language sql as 'select true'",
    "create operator pg_temp.= (leftarg = uuid, rightarg = uuid, function = pg_temp.isnt)",
    (
        "create operator pg_temp.->> (leftarg = jsonb, rightarg = text, "
        "function = pg_temp.jsonb_object_field_text)"
    ),
    "create domain pg_temp.uuid as text",
    "create domain pg_temp.jsonb as text",
    "create type pg_temp.text as (id int)",
]


@pytest.mark.parametrize("path", ["pg_temp, public", "pg_temp, pg_catalog, public, stead", "pg_temp"])
async def test_shadowing_changes_nothing_of_what_policies_and_functions_see(
    intruder: Intruder, path: str
) -> None:
    world = intruder.world
    b = world.known("tenant B")
    async with intruder.connection() as connection:
        for statement in SHADOWS:
            await connection.execute(statement.replace("{b}", b))
        own = await connection.fetchval(
            "select nspname from pg_namespace where oid = pg_my_temp_schema()"
        )
        await connection.execute(f"grant usage on schema {own} to public")
        await connection.execute(f"grant all on all tables in schema {own} to public")
        await connection.execute(f"set search_path = {path}")
        for role, who, count in (("authenticated", "ann", 1), ("stead_service", "service", 3)):
            actor = StaticActor.of(role, intruder.claims(who))
            await connection.execute(begin_message(actor, read_only=False))
            assert str(await connection.fetchval("select stead.tenant_id()")) == world.known("tenant A")
            for table in ("public.messages", "public.sessions", "public.agent_runs"):
                rows = await connection.fetch(f"select tenant_id::pg_catalog.text from {table}")
                assert [row[0] for row in rows] == [world.known("tenant A")] * count, table
            await connection.execute("rollback")
        # Through functions with their owner's rights, too.
        clerk = {"sub": f"user_{world.known('A ann')}", "o": {"id": f"org_{world.known('tenant A')}"}}
        await connection.execute(begin_message(StaticActor.of("authenticated", clerk), read_only=False))
        assert str(await connection.fetchval("select stead.tenant_id()")) == world.known("tenant A")
        assert str(await connection.fetchval("select stead.profile_id()")) == world.known("A ann")
        await connection.execute("rollback")
        await connection.execute(
            begin_message(StaticActor.of("stead_service", intruder.claims("service")), read_only=False)
        )
        await connection.execute(
            insert_statement("public.agent_memories", SEEDS["public.agent_memories"].make(world, A_ANN))
        )
        with pytest.raises(DENIED):
            await connection.execute(
                insert_statement(
                    "public.agent_memories", SEEDS["public.agent_memories"].make(world, B_ANN)
                )
            )


@pytest.mark.parametrize("name", ["uuid", "jsonb", "text"])
async def test_a_type_of_the_callers_own_runs_nothing_with_an_owners_rights(
    intruder: Intruder, name: str
) -> None:
    """pg_temp is searched first for types unless a path names it last: a domain's check is code."""
    world = intruder.world
    async with intruder.connection() as connection:
        await connection.execute(
            f"create function pg_temp.grab(pg_catalog.{name}) returns boolean language plpgsql as $$ "
            "begin raise notice 'ran as %', current_user; return true; end $$"
        )
        await connection.execute(
            f"create domain pg_temp.{name} as pg_catalog.{name} check (pg_temp.grab(value))"
        )
        own = await connection.fetchval(
            "select nspname from pg_namespace where oid = pg_my_temp_schema()"
        )
        await connection.execute(f"grant usage on schema {own} to public")
        seen: list[str] = []
        connection.add_log_listener(lambda _, message: seen.append(message.message))
        for claims in (
            {"sub": world.known("A ann")},
            {"sub": f"user_{world.known('A ann')}", "o": {"id": f"org_{world.known('tenant A')}"}},
        ):
            actor = StaticActor.of("stead_service", claims)
            await connection.execute(begin_message(actor, read_only=False))
            assert str(await connection.fetchval("select stead.tenant_id()")) == world.known("tenant A")
            assert str(await connection.fetchval("select stead.profile_id()")) == world.known("A ann")
            await connection.execute("rollback")
        await asyncio.sleep(0)
        assert seen == []


async def test_a_function_of_the_callers_own_is_shown_no_foreign_row(intruder: Intruder) -> None:
    """A cheap function in a condition runs before a policy if it claims to be leakproof: it may not claim."""
    async with intruder.connection() as connection:
        with pytest.raises(DENIED):
            await connection.execute(
                "create function pg_temp.peek(text) returns boolean language sql leakproof as 'select true'"
            )
        await connection.execute(
            "create function pg_temp.peek(value text) returns boolean language plpgsql cost 0.0001 "
            "as $$ begin raise notice 'seen %', value; return true; end $$"
        )
        seen: list[str] = []
        connection.add_log_listener(lambda _, message: seen.append(message.message))
        await connection.execute(
            begin_message(StaticActor.of("authenticated", intruder.claims("ann")), read_only=True)
        )
        await connection.fetch("select * from public.messages where pg_temp.peek(tenant_id::text)")
        await connection.execute("rollback")
        await asyncio.sleep(0)
        assert seen == [f"seen {intruder.world.known('tenant A')}"]


async def _outcome(connection: asyncpg.Connection, statement: str) -> str:
    """What an intruder learns: success, or the error with all that it says but the ids he gave himself."""
    await connection.execute("savepoint probe")
    try:
        await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return f"{error.sqlstate} {error.message}".split('"')[0]
    else:
        return "done"
    finally:
        await connection.execute("rollback to savepoint probe")


REFERENCES = """
select n.nspname || '.' || c.relname as relation, a.attname::text as column,
  rn.nspname || '.' || r.relname as target
from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class r on r.oid = f.confrelid join pg_namespace rn on rn.oid = r.relnamespace
join lateral unnest(f.conkey) k (attnum) on true
join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.attnum
where f.contype = 'f' and n.nspname in ('public', 'stead') and a.attname <> 'tenant_id'
order by 1, 2
"""


@pytest.mark.parametrize("who", ["service", "ann"])
async def test_references_do_not_tell_whether_foreign_rows_exist(intruder: Intruder, who: str) -> None:
    """For every foreign key: another tenant's id gives the same answer as an id of nothing."""
    world = intruder.world
    oracles: set[str] = set()
    tried = 0
    async with intruder.acting("stead_service", who) as connection:
        for reference in await connection.fetch(REFERENCES):
            relation, column, target = reference
            foreign = [
                dict(zip(("id",), key, strict=False))["id"]
                for key, label in world.labels.get(target, {}).items()
                if label.tenant == "B"
            ]
            mine = [label for label in SEEDS[relation].inserted if label.tenant == "A"]
            if not foreign or not mine:
                continue
            label = A_ANN if A_ANN in mine else mine[0]
            for existing in foreign:
                answers = []
                for value in (existing, str(uuid.uuid4())):
                    row = {**SEEDS[relation].make(world, label), column: value}
                    answers.append(await _outcome(connection, insert_statement(relation, row)))
                tried += 1
                if answers[0] != answers[1] or answers[0] == "done":
                    oracles.add(f"{relation}.{column}")
    assert tried >= 20
    assert oracles == set()


@pytest.mark.parametrize("role", RUNTIME)
async def test_foreign_ids_are_as_unknown_ones(intruder: Intruder, role: str) -> None:
    """Reading, changing and removing by id, for every table."""
    world = intruder.world
    async with intruder.acting(role) as connection:
        for relation in await relations(connection):
            if relation.key != ("id",):
                continue
            foreign = [k[0] for k, label in world.labels[relation.name].items() if label.tenant == "B"]
            for key in foreign:
                unknown = str(uuid.uuid4()) if len(key or "") == 36 else "999999"
                for statement in (
                    "select {c} from {r} where id = '{i}' for update",
                    "select {c} from {r} where id = '{i}'",
                    "update {r} set {c} = {c} where id = '{i}'",
                    "delete from {r} where id = '{i}'",
                ):
                    column = relation.writable[-1]
                    given, other = [
                        await _outcome(connection, statement.format(c=column, r=relation.name, i=value))
                        for value in (key, unknown)
                    ]
                    assert given == other, (relation.name, statement)


async def test_a_person_cannot_take_a_row_by_inserting_over_it(intruder: Intruder) -> None:
    """INSERT … ON CONFLICT DO UPDATE must not reach a row that the caller cannot see."""
    world = intruder.world
    for name in ("public.messages", "public.sessions", "public.agent_runs", "public.agent_memories"):
        async with intruder.acting("stead_service", "service") as connection:
            row = {**SEEDS[name].make(world, A_ANN), "id": world.id(name, B_ANN)}
            with pytest.raises((DENIED, asyncpg.UniqueViolationError)):
                await connection.execute(
                    insert_statement(name, row)
                    + " on conflict (id) do update set tenant_id = excluded.tenant_id"
                )


#: What each function that runs with its owner's rights may see beyond the caller's tenant, and why.
ACROSS_TENANTS = {
    "find_tenant": "finding the tenant before anybody is known",
    "find_tenant_of_profile": "the same",
    "tenant_slug": "the same",
    "find_api_key": "finding a key before anybody is known",
    "good_api_keys": "whether keys of whoever follows something here, of all tenants at once, are good still",
    "use_signature": "replays are refused before anybody is known",
    "sweep_identity": "housekeeping",
    "register_code_agent": "the shared catalogue",
    "embedding_model": "names of models",
    "applied_versions": "names of migrations",
    "beat": "Stead's own processes",
    "leave": "Stead's own processes",
    "append_frames": "frames of all the streams of a process",
    "claim_lost_runs": "a claim function",
    "sweep_runs": "housekeeping",
    "seal_audit": "seals the rows of all tenants, and answers with digests",
    "sign_seals": "signs what that sealed in the same transaction",
    "audit_horizon": "how far sealing is",
    "audited_tenants": "ids and slugs, for verifying all",
    "audit_heads": "digests, for anchors",
    "index_audit": "housekeeping: one number",
    "note_policies": "housekeeping: one number",
    "claim_embedding_backlog": "a claim function",
    "claim_extraction": "a claim function",
    "claim_waiting_runs": "a claim function",
    "finish_extraction": "completes that claim",
    "fade_memories": "housekeeping: one number",
    "expire_memories": "housekeeping: one number",
    "claim_consolidation": "a claim function",
    "finish_consolidation": "completes that claim",
    "claim_erasures": "a claim function",
    "reap_sessions": "housekeeping: counts by tenant",
    "count_idle_sessions": "the same, looked at",
    "store_embeddings": "completes that claim",
    "reindex_step": "housekeeping: ids of documents without a vector",
    "forget_embedding_model": "housekeeping",
    "fold_search_totals": "housekeeping: sizes of collections",
    "unindexed_collections": "one number",
    "sweep_items": "housekeeping",
    "claim_jobs": "a claim function",
    "claim_job": "a claim function",
    "suspect_jobs": "ids of jobs for a claim",
    "next_job_in_s": "one number",
    "held_jobs": "what a worker holds; refuses callers with a tenant",
    "settle_jobs": "completes those claims, of whoever holds the lease",
    "report_jobs": "the same, under way",
    "rescue_jobs": "housekeeping: ids and states",
    "sweep_jobs": "housekeeping: one number",
    "watch_job": "a job whose id nobody can guess, after it was seen by its owner",
    "job_tail": "the same",
    "undelivered_jobs": "ids of jobs for a broker",
    "undeliver_jobs": "the same, those that it did not take",
    "redeliver_jobs": "the same, those that it lost",
    "due_schedule": "a claim function",
    "advance_schedule": "completes that claim",
    "stop_schedule": "the same, where it cannot go on",
    "next_schedule_in_s": "one number",
    "register_standing": "schedules of the program",
    "due_standing": "a claim function",
    "advance_standing": "completes that claim",
    "standing_goes_on": "the same, under way",
    "sweep_standing": "housekeeping",
    "sweep_artifacts": "housekeeping",
    "claim_artifact_removals": "a claim function",
    "settle_artifact_removals": "completes that claim",
    "fire_schedule": "makes jobs of the tenants that a schedule is for",
    "register_schedule": "schedules of the program",
    "see_schedules": "the same, seen again",
    "sweep_schedules": "the same, no longer seen",
    "all_schedules": "refuses callers with a tenant",
    "pause_schedule": "refuses callers with a tenant",
    "tenant_of_account": "refuses callers with a tenant",
    "save_queue": "refuses callers with a tenant",
    "take_token": "one number, of a bucket that belongs to nobody",
    "enqueue_refreshes": "makes jobs of the tenants whose refreshes are due",
    "register_tool": "refuses callers with a tenant",
    "governance_facts": "facts for the worker; refuses other tenants to callers with one",
    "count_actions": "the same, what it begins",
    "record_decisions": "the same, what it decided",
    "learn_trust": "the same, what it learned",
    "sweep_governance": "housekeeping: one number",
    "hasten_refreshes": "when providers are asked again",
    "lock_envelopes": "a claim function; refuses callers with a tenant, as do all that follow on it",
    "begin_envelopes": "completes that claim",
    "hold_envelopes": "the same, for what does not run",
    "settle_envelopes": "the same, for what has run, of whoever holds the lease",
    "hand_back_envelopes": "the same, for what a process does not know that it holds",
    "envelope_facts": "what the judgement at claim needs",
    "ask_approvals": "what it asks for",
    "use_approvals": "what it uses",
    "unblock_envelopes": "what waited; refuses other tenants to callers with one",
    "count_failures": "breakers of what was tried",
    "rescue_envelopes": "housekeeping: ids and states",
    "expire_envelopes": "housekeeping: one number",
    "expire_approvals": "housekeeping: ids",
    "escalate_approvals": "housekeeping: ids",
    "sweep_envelopes": "housekeeping: one number",
    "next_envelope_in_s": "one number",
    "outbox_depths": "counts by tenant; refuses other tenants to callers with one",
    "claim_events": "leases events to whoever sends them on; refuses callers with a tenant, as do those below",
    "settle_events": "ends such a lease",
    "sweep_events": "housekeeping: one number",
    "tell_depths": "housekeeping: one number; refuses callers with a tenant",
    "index_outcomes": "housekeeping: one number",
    "find_approval_link": "finding the tenant of a link by its secret, before anybody is known",
    "use_approval_link": "the same, once",
    "webhook_endpoint": "refuses other tenants to callers with one",
    "keep_interest": "leases of Stead's own processes",
    "read_changes": "the feed, for a process that asks the policies before it tells anybody",
    "read_broadcasts": "what is said in channels, for a process that knows who is in them",
    "send_broadcasts": "what sockets of a process said, in the tenants of their tokens",
    "change_presence": "presences of a process's own sockets",
    "presence_state": "of a channel that a process's socket has joined",
    "keep_presences": "presences of a process's own sockets",
    "sweep_presences": "housekeeping",
    "sweep_changes": "housekeeping",
}
WITHIN_TENANT = {"tenant_of_claims", "profile_of_claims", "recall_memories", "note_recall", "note_use",
                 "item_vectors_stored", "vector_of", "near_facts", "hybrid_search", "match_patterns",
                 "match_memories", "near_pairs", "relevant_evidence", "shared_schedules", "pause_shared_schedule",
                 "note_events", "cancel_jobs", "checkpoint_job", "forget_changes", "broadcast",
                 "request_erasure", "erase_step", "release_erasure", "erase_memory",
                 "erase_audit_texts", "is_approver", "count_evidence", "refresh_at_once"}  # fmt: skip
#: Called by nobody; triggers, and what other functions call.
INTERNAL = {"tenants_with_envelopes", "ready_envelopes", "pass_breakers", "bury_envelopes", "approval_begins",
            "vote_counts", "vote_decides", "tell_webhooks", "tell_of_approval", "tell_of_envelope",
            "tell_channels", "tell_approvals", "tell_guardrails",
            "number_guardrails",
            "keep_guardrails", "drop_audit_document", "unindex_audit_texts",
            "remove_artifact", "tenants_pausing", "tell_run_of_envelope",
            "drop_feedback_comment", "keep_file_version", "record_changes", "enqueue_ticks", "job_shares",
            "ready_jobs", "tenants_with_jobs", "tell_watchers", "wake_parents",
            "policies_of", "request_consolidation", "end_runs", "name_owning_agent", "large_collections",
            "index_memories", "unindex_memories", "await_vectors", "memories_inserted", "memories_updated",
            "memories_deleted", "search_put", "search_drop", "index_document", "document_texts", "score_memories",
            "score_places", "memory_candidates", "nearest_places", "model_of_dimensions", "remember_place",
            "keep_session", "inherit_agent_tenant", "search_config",
            "check_agent", "check_owning_agent", "check_agent_version"}  # fmt: skip


async def test_each_function_with_its_owners_rights_is_accounted_for(intruder: Intruder) -> None:
    async with intruder.connection() as connection:
        rows = await connection.fetch(
            "select proname::text as name, "
            "has_function_privilege('stead_service', oid, 'execute') as callable, "
            "has_function_privilege('anon', oid, 'execute') "
            "or has_function_privilege('authenticated', oid, 'execute') as people "
            "from pg_proc where prosecdef and pronamespace in ('stead'::regnamespace, 'public'::regnamespace)"
        )
    assert {row["name"] for row in rows} == {*ACROSS_TENANTS, *WITHIN_TENANT, *INTERNAL}
    assert {row["name"] for row in rows if row["callable"]} == {*ACROSS_TENANTS, *WITHIN_TENANT}
    assert not {row["name"] for row in rows if row["people"]} & ACROSS_TENANTS.keys()


#: Functions of the outbox with arguments of the right kinds; `$` stands for ids of another tenant.
OF_THE_WORKER = [
    "lock_envelopes(10, 10, '{}', '{}', null, '{}', '{}')",
    "begin_envelopes(gen_random_uuid(), $)",
    "hold_envelopes($, '{denied}', array[null]::timestamptz[], '{x}', '{x}')",
    "settle_envelopes(gen_random_uuid(), $, '{1}', '{succeeded}', '{x}', '{x}', '{x}', '{0}', '{x}', '{1}')",
    "hand_back_envelopes(gen_random_uuid(), '{}', 0)",
    "envelope_facts($, '{}')",
    "ask_approvals($, '{1}', '{[]}', '{0}', array[null]::timestamptz[], '{60}')",
    "use_approvals($)",
    "count_failures('{}', '{}', 5, 30, 900)",
    "rescue_envelopes(0, 3, 10)",
    "expire_envelopes(10)",
    "expire_approvals(10)",
    "escalate_approvals(10)",
    "sweep_envelopes(0, 10)",
    "next_envelope_in_s()",
    "outbox_depths(null)",
    "tell_depths()",
    "held_jobs(gen_random_uuid())",
    "claim_events(10, 60)",
    "settle_events('{}', '{}', now(), 0)",
    "sweep_events(0, 0, 10)",
    "index_outcomes(10)",
    "hasten_refreshes()",
]


@pytest.mark.parametrize("who", ["service", "ann"])
async def test_what_the_worker_does_across_tenants_no_caller_of_one_can_have_done(
    intruder: Intruder, who: str
) -> None:
    world = intruder.world
    foreign = f"array['{world.id('public.outbox', B_ANN)}']::uuid[]"
    other = world.known("tenant B")
    async with intruder.acting("stead_service", who) as connection:
        for call in OF_THE_WORKER:
            said = await _outcome(connection, f"select * from stead.{call.replace('$', foreign)}")
            assert said == (
                "42501 another tenant than the caller's"
                if call.startswith("outbox_depths")
                else "42501 this is not for the callers of one tenant"
            ), call
        for call in (f"outbox_depths('{other}')", f"webhook_endpoint('{other}', gen_random_uuid())"):
            said = await _outcome(connection, f"select * from stead.{call}")
            assert said == "42501 another tenant than the caller's", call


async def test_what_waits_in_another_tenant_is_not_let_go(intruder: Intruder) -> None:
    row = {**SEEDS["public.outbox"].make(intruder.world, B_ANN), "order_key": "line"}
    admin = intruder.world
    async with intruder.acting("stead_service", "nobody") as connection:
        claims = json.dumps({"tenant_id": admin.known("tenant B")})
        await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
        await connection.execute(insert_statement("public.outbox", row))
        claims = json.dumps({"tenant_id": admin.known("tenant A")})
        await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
        said = await _outcome(
            connection, f"select stead.unblock_envelopes(array['{row['id']}']::uuid[])"
        )
        assert said == "42501 another tenant than the caller's"


async def test_a_service_makes_a_memory_policy_for_its_own_tenant_only(intruder: Intruder) -> None:
    async with intruder.acting("stead_service", "service") as connection:
        # Refused as not its own, before anybody looks whether there is such a tenant.
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await connection.execute(
                "insert into public.memory_policies (tenant_id) values ($1)", uuid.uuid4()
            )


async def test_a_service_makes_a_policy_of_guardrails_for_its_own_tenant_only(
    intruder: Intruder,
) -> None:
    async with intruder.acting("stead_service", "service") as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await connection.execute(
                "insert into public.guardrails (tenant_id) values ($1)", uuid.uuid4()
            )


async def test_recall_is_of_the_callers_own_scope_only(intruder: Intruder) -> None:
    world = intruder.world
    call = (
        "select * from stead.recall_memories('{scope}', null, 'fact', null, 1::smallint, "
        "'{{1,1,1,1,1,1,1,1,1,1,1,1}}', 9, null, null, null, null, now(), 20000)"
    )
    foreign = [world.scope(label) for label in (B_ANN, Label("B", "visitor"))]

    async with intruder.acting("stead_service") as connection:
        assert len(await connection.fetch(call.format(scope=world.scope(A_ANN)))) == 1
    for scope in (*foreign, world.scope(Label("A", "bob")), str(uuid.uuid4())):
        async with intruder.acting("stead_service") as connection:
            assert await _outcome(connection, call.format(scope=scope)) == (
                "42501 not the memories of this caller"
            )
    async with intruder.acting("stead_service", "service") as connection:
        for scope in (*foreign, str(uuid.uuid4())):
            assert await connection.fetch(call.format(scope=scope)) == []
    async with intruder.acting("stead_service", "nobody") as connection:
        assert "42501" in await _outcome(connection, call.format(scope=world.scope(A_ANN)))


async def test_counting_a_recall_touches_the_callers_tenant_only(
    cluster: EmbeddedServer, fresh: DatabaseAccess
) -> None:
    admin = await asyncpg.connect(fresh.admin_url)
    world = await seed(admin)
    ids = [key[0] for key in world.labels["public.agent_memories"]]
    server = await asyncpg.connect(fresh.runtime_url)
    claims = {"tenant_id": world.known("tenant A")}
    await server.execute(begin_message(StaticActor.of("stead_service", claims), read_only=False))
    await server.execute("select stead.note_recall($1::text[]::uuid[])", ids)
    await server.execute("commit")
    await server.close()
    counted = await admin.fetch(
        "select distinct tenant_id::text from public.agent_memories where recall_count > 0"
    )
    await admin.close()

    assert [row[0] for row in counted] == [world.known("tenant A")]


async def test_frames_go_to_runs_that_the_process_holds_only(intruder: Intruder) -> None:
    world = intruder.world
    async with intruder.acting("stead_service", "service") as connection:
        for run in (world.id("public.agent_runs", B_ANN), str(uuid.uuid4())):
            answer = await connection.fetch(
                "select gone from stead.append_frames($1, array[$2::text::uuid], array[1], '[[1]]')",
                uuid.uuid4(),
                run,
            )
            assert [row["gone"] for row in answer] == [True]
        await connection.execute("reset role")
        actor = StaticActor.of("stead_service", {"tenant_id": world.known("tenant B")})
        await connection.execute("rollback")
        await connection.execute(begin_message(actor, read_only=True))
        count = await connection.fetchval(
            "select count(*) from stead.stream_chunks where run_id = $1::text::uuid",
            world.id("public.agent_runs", B_ANN),
        )
        assert count == 1  # the seeded one


async def test_identity_functions_prove_nothing_but_the_claims(intruder: Intruder) -> None:
    world = intruder.world
    for role in RUNTIME:
        async with intruder.acting(role) as connection:
            assert str(await connection.fetchval("select stead.profile_id()")) == world.known("A ann")
        async with intruder.connection() as connection:
            claims = {"sub": f"user_{world.known('B ann')}", "tenant_id": world.known("tenant A")}
            await connection.execute(begin_message(StaticActor.of(role, claims), read_only=True))
            assert await connection.fetchval("select stead.profile_of_claims()") is None


async def test_is_session_owner_is_no_oracle(intruder: Intruder) -> None:
    world = intruder.world
    async with intruder.acting("authenticated") as connection:
        answers = {
            label: await connection.fetchval("select public.is_session_owner($1::text::uuid)", session)
            for label, session in (
                ("own", world.session(A_ANN)),
                ("bob's", world.session(Label("A", "bob"))),
                ("foreign", world.session(B_ANN)),
                ("none", str(uuid.uuid4())),
            )
        }
    assert answers == {"own": True, "bob's": False, "foreign": False, "none": False}


_HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "'; set role postgres; --",
            "\\'; reset role; --",
            "$$; rollback; $$",
            "\\\\'",
            "\u2019\u02bc\uff07",
            "x" * 100_000,
            "\\u0027; reset role --",
            "'||(select current_user)||'",
            "%s%d{}",
            "\r\n'; commit; begin; --",
        ]
    ),
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), _HOSTILE),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_HOSTILE.filter(lambda t: len(t) < 100), inner, max_size=3),
    ),
    max_leaves=8,
)


def _storable(value: Any) -> bool:
    """PostgreSQL's jsonb has neither NUL nor lone surrogates."""
    text = json.dumps(value, ensure_ascii=False)
    decoded = json.dumps(value)
    return "\\u0000" not in decoded and not any("\ud800" <= c <= "\udfff" for c in text)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    claims=st.dictionaries(_HOSTILE.filter(lambda t: len(t) < 100), _JSON, max_size=4),
    role=st.sampled_from(RUNTIME),
    conforming=st.booleans(),
)
async def test_claims_cannot_break_out_of_the_message_that_carries_them(
    intruder: Intruder, claims: dict[str, Any], role: str, conforming: bool
) -> None:
    actor = StaticActor.of(role, claims)
    async with intruder.connection() as connection:
        # Whatever the server's quoting settings are.
        await connection.execute(f"set standard_conforming_strings = {'on' if conforming else 'off'}")
        await connection.execute("set escape_string_warning = off")
        try:
            await connection.execute(begin_message(actor, read_only=True))
        except (asyncpg.PostgresError, ValueError, UnicodeEncodeError):
            assert not _storable(claims) or not conforming
            return
        row = await connection.fetchrow(
            "select current_user::text, current_setting('transaction_read_only'), "
            "current_setting('request.jwt.claims')"
        )
        assert tuple(row)[:2] == (role, "on")
        if conforming:
            assert json.loads(row[2]) == json.loads(actor.claims_json)
        await connection.execute("rollback")
        assert await connection.fetchval("select current_user::text") == "stead_api"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slug=_HOSTILE, external=_HOSTILE, email=_HOSTILE, credential=_HOSTILE)
async def test_a_principal_carries_only_its_ids(
    db: Database, slug: str, external: str, email: str, credential: str
) -> None:
    tenant = Tenant(id=uuid.uuid4(), slug=slug, external_org_id=external)
    person = Principal(
        kind="user",
        tenant=tenant,
        role="authenticated",
        profile_id=uuid.uuid4(),
        external_id=external,
        email=email,
        credential=credential,
    )
    for principal in (person, person.served(), tenant_service(tenant, credential=credential)):
        async with db.transaction(principal, read_only=True) as tx:
            assert await tx.value("select stead.tenant_id()") == tenant.id
            assert await tx.value("select stead.profile_id()") == principal.profile_id
            assert await tx.value("select current_user::text") == principal.role


@pytest.mark.parametrize(
    "role", ["postgres", "stead_definer", "service_role", "none", "anon'; reset role; --", "Anon", ""]
)
async def test_a_role_that_is_none_of_the_three_is_not_even_sent(role: str) -> None:
    with pytest.raises(ValueError, match="not a runtime role"):
        begin_message(StaticActor(role=role, claims_json="{}"), read_only=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("claims", ["", "{", "'; reset role; --", "[", '{"a":"\x00"}'])
async def test_claims_that_are_no_object_leave_the_pool_healthy(db: Database, claims: str) -> None:
    """Whether they are refused before they are sent or by the first policy that reads them."""
    with pytest.raises((ValueError, asyncpg.PostgresError)):  # noqa: PT012
        async with db.transaction(StaticActor(role="authenticated", claims_json=claims)) as tx:
            await tx.value("select stead.tenant_id()")
            assert await tx.value("select current_user::text") == "authenticated"
            raise ValueError("nothing was claimed")
    async with db.transaction(NOBODY) as tx:
        assert await tx.value("select stead.tenant_id()") is None


async def test_a_statement_of_several_cannot_outlive_its_transaction(access: DatabaseAccess) -> None:
    """Arguments are bound: a statement with arguments is one statement."""
    db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=1))
    try:
        async with db.transaction(NOBODY) as tx:
            with pytest.raises(asyncpg.PostgresSyntaxError, match="multiple commands"):
                await tx.rows("select $1::text; reset role", "x")
    finally:
        await db.close()
