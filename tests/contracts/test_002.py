"""Document 002: tables, columns, views, functions, triggers, and the SQL that it shows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.db.embedded import EmbeddedServer
from stead.db.migrator import migrate
from stead.identity import Tenant
from stead.knowledge import embed_backlog
from stead.memory.cognition import Holder, beliefs, goals
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.contracts import columns
from tests.support import cluster as clusters
from tests.support.people import Person, make_person, service

NAMES = [
    "sessions",
    "agent_executions",
    "memory_logs",
    "goal_assessments",
    "belief_graphs",
    "cognitive_metrics",
    "audit_logs",
]
FUNCTIONS = [
    "get_active_session",
    "close_session",
    "calculate_execution_duration",
    "update_updated_at_column",
]
TRIGGERS = {
    "update_sessions_updated_at": "sessions",
    "update_goal_assessments_updated_at": "goal_assessments",
    "update_belief_graphs_updated_at": "belief_graphs",
    "calculate_agent_execution_duration": "agent_runs",
}
#: What the document names. It shows neither types nor the other columns.
COLUMNS = {
    "public.sessions": {"session_id": "text", "agent_name": "text", "context": "jsonb", "status": "text",
                        "tags": "text[]", "ended_at": "timestamp with time zone"},
    "public.memory_logs": {"session_id": "uuid", "agent_name": "text", "operation": "text"},
    "public.goal_assessments": {"session_id": "uuid", "agent_name": "text", "status": "text",
                                "progress": "double precision"},
    "public.belief_graphs": {"session_id": "uuid", "agent_name": "text", "confidence": "double precision"},
    "public.cognitive_metrics": {"session_id": "uuid", "agent_name": "text",
                                 "cognitive_load": "double precision"},
}  # fmt: skip
VIEWS = {
    "public.unified_sessions": {
        "id": "uuid",
        "session_id": "text",
        "user_id": "uuid",
        "agent_name": "text",
        "status": "text",
        "context": "jsonb",
        "tags": "text[]",
        "started_at": "timestamp with time zone",
        "ended_at": "timestamp with time zone",
        "updated_at": "timestamp with time zone",
    },
    "public.agent_executions": {
        "id": "uuid",
        "session_id": "uuid",
        "user_id": "uuid",
        "agent_name": "text",
        "status": "text",
        "started_at": "timestamp with time zone",
        "completed_at": "timestamp with time zone",
        "duration_ms": "integer",
        "model": "text",
        "input": "jsonb",
        "output": "jsonb",
        "error": "jsonb",
        "input_tokens": "integer",
        "output_tokens": "integer",
        "total_tokens": "integer",
        "cost_usd": "numeric(14,8)",
        "metadata": "jsonb",
    },
}
#: Columns that the document's queries on its views name.
SHOWN = {
    "public.recent_agent_activity": {"started_at"},
    "public.memory_operation_summary": {"agent_name", "operation_type", "operation_date"},
    "public.user_session_stats": {"total_sessions"},
}


# Tables, columns and indexes.


async def test_the_documents_seven_names_are_there(catalogue: asyncpg.Connection) -> None:
    """Its own verification: views count, as in information_schema.tables."""
    found = await catalogue.fetch(
        "select table_name from information_schema.tables "
        "where table_schema = 'public' and table_name = any ($1)",
        NAMES,
    )
    assert {row[0] for row in found} == set(NAMES)


@pytest.mark.parametrize("table", COLUMNS)
async def test_columns(catalogue: asyncpg.Connection, table: str) -> None:
    assert COLUMNS[table].items() <= (await columns.types(catalogue, table)).items()


@pytest.mark.parametrize("view", VIEWS)
async def test_views_with_its_words(catalogue: asyncpg.Connection, view: str) -> None:
    assert await columns.types(catalogue, view) == VIEWS[view]


@pytest.mark.parametrize("view", SHOWN)
async def test_views(catalogue: asyncpg.Connection, view: str) -> None:
    assert SHOWN[view] <= (await columns.types(catalogue, view)).keys()


async def test_tags_have_a_gin_index(catalogue: asyncpg.Connection) -> None:
    found = await catalogue.fetch(
        "select indexdef from pg_indexes where schemaname = 'public' and tablename = 'sessions'"
    )
    assert any("USING gin (tags)" in row[0] for row in found)


async def test_functions(catalogue: asyncpg.Connection) -> None:
    found = await catalogue.fetch(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and proname = any ($1)",
        FUNCTIONS,
    )
    assert sorted(row[0] for row in found) == sorted(FUNCTIONS)


async def test_triggers(catalogue: asyncpg.Connection) -> None:
    found = await catalogue.fetch(
        "select tgname::text, tgrelid::regclass::text from pg_trigger where tgname = any ($1)",
        list(TRIGGERS),
    )
    assert {row[0]: row[1] for row in found} == TRIGGERS


async def test_an_update_moves_updated_at(db: Database, tenant: Tenant) -> None:
    for table, column in (
        ("sessions", "name"),
        ("goal_assessments", "goal"),
        ("belief_graphs", "statement"),
    ):
        values = "" if table == "sessions" else f", {column}"
        async with db.transaction(service(tenant)) as tx:
            row = await tx.row(
                f"insert into public.{table} (tenant_id{values}) values ($1{', $2' if values else ''}) "
                "returning id, updated_at",
                tenant.id,
                *([str(uuid4())] if values else []),
            )
        assert row is not None
        async with db.transaction(service(tenant)) as tx:
            await tx.execute(f"update public.{table} set {column} = 'other' where id = $1", row["id"])
            after = await tx.value(f"select updated_at from public.{table} where id = $1", row["id"])
        assert after > row["updated_at"], table


# The SQL that the document shows.


async def test_its_insert(db: Database, tenant: Tenant) -> None:
    """Word for word: the table takes the document's status, and keeps Stead's."""
    async with db.transaction(service(tenant)) as tx:
        row = await tx.row(
            """
            INSERT INTO sessions (session_id, agent_name, context, status)
            VALUES ('test-session-001', 'sales', '{"test": true}'::jsonb, 'active')
            RETURNING id, session_id, agent_name, status
            """
        )
        assert row is not None
        assert tuple(row)[1:] == ("test-session-001", "sales", "in_progress")
        seen = await tx.row(
            "select session_id, agent_name, status, context from unified_sessions where id = $1",
            row["id"],
        )
    assert seen is not None
    assert tuple(seen) == ("test-session-001", "sales", "active", {"test": True})


async def test_its_insert_through_the_view(db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant)) as tx:
        row = await tx.row(
            """
            INSERT INTO unified_sessions (session_id, agent_name, context, status)
            VALUES ('test-session-001', 'sales', '{"test": true}'::jsonb, 'active')
            RETURNING id, session_id, agent_name, status
            """
        )
    assert row is not None
    assert tuple(row)[1:] == ("test-session-001", "sales", "active")


async def test_a_session_id_is_the_tenants_own(
    db: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    insert = "insert into unified_sessions (session_id) values ('one') returning started_at"
    for each in (tenant, other_tenant):
        async with db.transaction(service(each)) as tx:
            assert await tx.value(insert)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with db.transaction(service(tenant)) as tx:
            await tx.execute(insert)


async def test_its_cleaning_of_old_sessions(db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant)) as tx:
        await tx.execute(
            "insert into unified_sessions (session_id, started_at, context) values "
            "('old', now() - interval '25 hours', '{\"kept\": 1}'), ('new', now() - interval '23 hours', null)"
        )
        cleaned = await tx.execute(
            """
            UPDATE unified_sessions
            SET status = 'timeout', ended_at = NOW()
            WHERE status = 'active'
              AND started_at < NOW() - INTERVAL '24 hours'
            """
        )
        rows = await tx.rows("select session_id, status, context, ended_at from unified_sessions")
    seen = {row["session_id"]: row for row in rows}
    assert cleaned == 1
    assert (seen["old"]["status"], seen["old"]["context"]) == ("timeout", {"kept": 1})
    assert seen["old"]["ended_at"] is not None
    assert (seen["new"]["status"], seen["new"]["context"]) == ("active", {})


async def test_a_write_through_the_view_leaves_alone_what_it_does_not_name(
    db: Database, access: DatabaseAccess, tenant: Tenant
) -> None:
    """Somebody else changes the context, and ends the session, while the statement waits for the row."""
    async with db.transaction(service(tenant)) as tx:
        for name in ("kept", "ended"):
            await tx.execute("insert into unified_sessions (session_id) values ($1)", name)
    other = await asyncpg.connect(access.admin_url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute(
        "update public.sessions set context = '{\"a\": 1}', "
        "status = case session_id when 'ended' then 'failed' else status end where tenant_id = $1",
        tenant.id,
    )
    async with db.transaction(service(tenant)) as tx:
        pid = await tx.value("select pg_backend_pid()")
        updating = asyncio.create_task(tx.execute("update unified_sessions set agent_name = 'sales'"))
        while not await other.fetchval("select cardinality(pg_blocking_pids($1)) > 0", pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await transaction.commit()
        updated = await updating
        rows = await tx.rows("select session_id, agent_name, context, status from unified_sessions")
    await other.close()
    assert updated == 1
    assert sorted((r["session_id"], r["agent_name"], r["context"], r["status"]) for r in rows) == [
        ("ended", None, {"a": 1}, "failed"),
        ("kept", "sales", {"a": 1}, "active"),
    ]


async def test_its_views_answer(db: Database, tenant: Tenant, person: Person) -> None:
    """Monitoring and Maintenance, word for word."""
    async with db.transaction(service(tenant)) as tx:
        assert await tx.value("SELECT COUNT(*) FROM user_session_stats") == 0
        for status in ("active", "active", "completed", "timeout"):
            await tx.execute(
                "insert into unified_sessions (user_id, status) values ($1, $2)", person.id, status
            )
        await tx.execute("insert into unified_sessions (agent_name) values ('nobody''s')")
        for name, age in (("sales", "1 hour"), ("sales", "2 days"), ("coach", "8 days")):
            await tx.execute(
                f"insert into agent_executions (agent_name, status, started_at, completed_at) "
                f"values ($1, 'completed', now() - interval '{age}', now() - interval '{age}' + interval '1.5 s')",
                name,
            )
        for operation in ("write", "recall", "recall"):
            await tx.execute(
                "insert into memory_logs (tenant_id, agent_name, operation, details) values ($1, 'sales', $2, $3)",
                tenant.id,
                operation,
                {"latency_ms": 4} if operation == "recall" else {},
            )
        recent = await tx.rows("SELECT * FROM recent_agent_activity ORDER BY started_at DESC LIMIT 10")
        operations = await tx.rows(
            "SELECT * FROM memory_operation_summary WHERE operation_date >= NOW() - INTERVAL '7 days'"
        )
        (stats,) = await tx.rows("SELECT * FROM user_session_stats ORDER BY total_sessions DESC")
    assert [(row["agent_name"], row["duration_ms"]) for row in recent] == [("sales", 1500)] * 2
    assert {
        (r["agent_name"], r["operation_type"], r["operation_count"], r["average_latency_ms"])
        for r in operations
    } == {("sales", "recall", 2, 4.0), ("sales", "write", 1, None)}
    assert (stats["user_id"], stats["total_sessions"], stats["active_sessions"]) == (person.id, 4, 2)
    assert (stats["completed_sessions"], stats["timeout_sessions"], stats["failed_sessions"]) == (
        1,
        1,
        0,
    )


async def test_views_of_sums_count_what_their_reader_may_see(db: Database, person: Person) -> None:
    bob = await make_person(db, person.tenant, "bob")
    everything = service(person.tenant)
    async with db.transaction(everything) as tx:
        for who in (person, bob, bob):
            await tx.execute("insert into unified_sessions (user_id) values ($1)", who.id)
            await tx.execute(
                "insert into memory_logs (tenant_id, profile_id, operation) values ($1, $2, 'read')",
                person.tenant.id,
                who.id,
            )
    for reader, people, operations in (
        (person.principal, 1, 1),
        (bob.principal, 1, 2),
        (everything, 2, 3),
    ):
        async with db.transaction(reader) as tx:
            assert await tx.value("select count(*) from user_session_stats") == people
            assert (
                await tx.value("select sum(operation_count) from memory_operation_summary") == operations
            )


# Functions.


async def test_get_active_session(db: Database, person: Person, stranger: Person) -> None:
    async with db.transaction(service(person.tenant)) as tx:
        assert await tx.value("select get_active_session($1, 'sales')", person.id) is None
        for status in ("active", "completed"):
            await tx.execute(
                "insert into unified_sessions (user_id, agent_name, status) values ($1, 'sales', $2)",
                person.id,
                status,
            )
        wanted = await tx.value("select id from unified_sessions where status = 'active'")
    for reader, seen in (
        (person.principal, wanted),
        (service(person.tenant), wanted),
        (stranger.principal, None),
        (service(stranger.tenant), None),
    ):
        async with db.transaction(reader) as tx:
            assert await tx.value("select get_active_session($1, 'sales')", person.id) == seen
            assert await tx.value("select get_active_session($1, 'coach')", person.id) is None


async def test_an_agent_that_answered_in_a_session_is_active_there(db: Database, person: Person) -> None:
    """Stead's own sessions are opened without an agent's name: any agent may answer in them."""
    async with db.transaction(service(person.tenant)) as tx:
        session = await tx.value(
            "insert into unified_sessions (user_id) values ($1) returning id", person.id
        )
        await tx.execute(
            "insert into agent_executions (session_id, user_id, agent_name, status) "
            "values ($1, $2, 'sales', 'completed')",
            session,
            person.id,
        )
        assert await tx.value("select get_active_session($1, 'sales')", person.id) == session


async def test_a_session_about_an_agent_is_named_for_it(db: Database, person: Person) -> None:
    async with db.transaction(service(person.tenant)) as tx:
        agent = await tx.value(
            "insert into public.agents (tenant_id, slug, name) values ($1, 'sales', 'Sales') returning id",
            person.tenant.id,
        )
        session = await tx.row(
            "insert into public.sessions (tenant_id, profile_id, owning_agent_id) values ($1, $2, $3) "
            "returning id, agent_name",
            person.tenant.id,
            person.id,
            agent,
        )
        assert session is not None
        assert session["agent_name"] == "sales"
        assert await tx.value("select get_active_session($1, 'sales')", person.id) == session["id"]


async def test_close_session(db: Database, person: Person, stranger: Person) -> None:
    async with db.transaction(service(person.tenant)) as tx:
        made = await tx.rows(
            "insert into unified_sessions (user_id) values ($1), ($1) returning id", person.id
        )
    ids = [row["id"] for row in made]
    async with db.transaction(service(stranger.tenant)) as tx:
        assert await tx.value("select close_session($1)", ids[0]) is False
    async with db.transaction(service(person.tenant)) as tx:
        assert await tx.value("select close_session($1)", ids[0]) is True
        assert await tx.value("select close_session($1, 'failed')", ids[1]) is True
        # Once only, and what ended stays as it ended.
        assert await tx.value("select close_session($1, 'failed')", ids[0]) is False
        rows = await tx.rows("select id, status, ended_at is not null as ended from unified_sessions")
    assert {row["id"]: (row["status"], row["ended"]) for row in rows} == {
        ids[0]: ("completed", True),
        ids[1]: ("failed", True),
    }
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction(person.principal) as tx:
            await tx.value("select close_session($1)", ids[0])


@pytest.mark.parametrize("status", ["active", "in_progress", "open", "", None])
async def test_a_session_is_not_closed_as_anything_else(
    db: Database, tenant: Tenant, status: str | None
) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError, match="a session is not closed as"):
        async with db.transaction(service(tenant)) as tx:
            await tx.value("select close_session($1, $2)", uuid4(), status)


# Executions.


async def test_the_database_computes_a_duration_that_nobody_measured(
    db: Database, tenant: Tenant
) -> None:
    began = datetime(2026, 5, 7, tzinfo=UTC)
    async with db.transaction(service(tenant)) as tx:
        for given, seconds, seen in (
            (None, 2.25, 2250),
            (7, 2.25, 7),
            (None, -3, 0),
            (None, 4e6, 2147483647),
        ):
            row = await tx.row(
                "insert into agent_executions (agent_name, status, started_at, completed_at, duration_ms, "
                "input, input_tokens, output_tokens) values ('sales', 'completed', $1, $2, $3, $4, 3, 4) "
                "returning duration_ms, total_tokens, input",
                began,
                began + timedelta(seconds=seconds),
                given,
                {"q": 1},
            )
            assert row is not None
            assert tuple(row) == (seen, 7, {"q": 1})


async def test_a_failed_execution_says_why(db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant)) as tx:
        assert await tx.value(
            "insert into agent_executions (agent_name, status, error) "
            "values ('sales', 'failed', $1) returning error",
            {"code": "x"},
        ) == {"code": "x"}
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction(service(tenant)) as tx:
            await tx.execute(
                "insert into agent_executions (agent_name, status) values ('sales', 'failed')"
            )


@pytest.mark.parametrize("status", ["running", None])
async def test_a_running_execution_is_the_servers_to_begin(
    db: Database, tenant: Tenant, status: str | None
) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError, match="begun by the server"):
        async with db.transaction(service(tenant)) as tx:
            await tx.execute(
                "insert into agent_executions (agent_name, status) values ('x', $1)", status
            )


# Vectors.


async def test_goal_vector_and_belief_vector_are_shown_to_whom_they_belong(
    db: Database, person: Person, stranger: Person
) -> None:
    embedder = build_embedder("static", EmbedderConfig())
    everything = service(person.tenant)
    async with db.transaction(everything) as tx:
        goal, _ = await goals.add(tx, everything, "Run a marathon", holder=Holder(profile_id=person.id))
        belief, _ = await beliefs.add(tx, everything, "It rains", holder=Holder(profile_id=person.id))
        assert (
            await tx.value("select goal_vector(g) from goal_assessments g where id = $1", goal.id)
            is None
        )
    while await embed_backlog(db, embedder):
        pass
    (wanted,) = await embedder.embed(["Run a marathon"])
    bob = await make_person(db, person.tenant, "bob")
    for reader in (person.principal, everything, person.principal.served()):
        async with db.transaction(reader) as tx:
            # As PostgREST asks for a computed column.
            seen = await tx.value("select g.goal_vector from goal_assessments g where id = $1", goal.id)
            assert seen == pytest.approx(list(wanted), abs=2e-3)
            seen = await tx.value("select b.belief_vector from belief_graphs b where id = $1", belief.id)
            assert len(seen) == embedder.dimensions
    for reader in (bob.principal, bob.principal.served(), stranger.principal, service(stranger.tenant)):
        async with db.transaction(reader) as tx:
            # A row that is made up, with the ids of another's.
            forged = await tx.value(
                "select goal_vector(jsonb_populate_record(null::public.goal_assessments, $1))",
                {"id": str(goal.id), "tenant_id": str(person.tenant.id)},
            )
            direct = await tx.value("select stead.vector_of('goal', $1, $2)", person.tenant.id, goal.id)
            assert (forged, direct) == (None, None)


# Other people's tables.


async def test_its_other_tables_stay_as_they_are(cluster: EmbeddedServer) -> None:
    """Existing Application Tables: installed beside them, Stead touches none."""
    there = [
        "users",
        "dealers",
        "robots",
        "prequalifications",
        "threads",
        "thread_messages",
        "alembic_version",
    ]
    async with clusters.empty_database(cluster) as place:
        assert place.admin_url is not None
        owner = await asyncpg.connect(place.admin_url)
        for name in there:
            await owner.execute(f"create table public.{name} (id int primary key, note text)")
            await owner.execute(f"insert into public.{name} values (1, 'mine')")
        await owner.execute(
            "create function public.touch() returns trigger language plpgsql as 'begin return new; end'"
        )
        await owner.close()
        await migrate(place.admin_url)
        owner = await asyncpg.connect(place.admin_url)
        for name in there:
            assert [tuple(r) for r in await owner.fetch(f"select * from public.{name}")] == [(1, "mine")]
        await owner.close()
