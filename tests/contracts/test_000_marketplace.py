"""Document 000: the tables, policies and endpoints of its marketplace, in the order of the document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.http import HttpConfig, Parts, create_app
from tests.contracts import columns
from tests.support.people import Person, service_headers
from tests.support.servers import Running, frames_of, running_server, text_of

# Data Model. Columns of which the document says nothing more are text.

TABLES = {
    "public.session_candidates": {
        "session_id": "uuid",
        "agent_id": "uuid",
        "fit_score": "numeric",
        "rank": "integer",
        "rationale": "text[]",
    },
    "public.waitlist_entries": {
        "id": "uuid",
        "profile_id": "uuid",
        "agent_id": "uuid",
        "session_id": "uuid",
        "email_override": "text",
        "message": "text",
        "status": "waitlist_status",
        "created_at": "timestamp with time zone",
    },
}
REFERENCES = {
    "public.session_candidates": {"session_id": "sessions", "agent_id": "agents"},
    "public.waitlist_entries": {
        "profile_id": "profiles",
        "agent_id": "agents",
        "session_id": "sessions",
    },
}
#: "optional"
NULLABLE = {
    "public.session_candidates": {"rank"},
    "public.waitlist_entries": {"email_override", "message"},
}
#: Supabase Extensions & Types: "Define enums".
ENUMS = {
    "user_role": ["employer", "founder", "recruiter", "other"],
    "company_size": ["small", "mid", "enterprise"],
    "onboarding_status": ["pending", "completed"],
    "agent_visibility": ["public", "hidden", "internal"],
    "waitlist_status": ["new", "contacted"],
}
#: "Deprecated tables".
DEPRECATED = ("anonymous_prompts", "integration_events", "comparison_sessions", "comparison_candidates")

# Supabase Policies: who reads and writes. PostgREST's roles, and the service's key.

GRANTS = {
    # session owners can select/update their records; inserts restricted to server/service key
    "sessions": {"authenticated": {"SELECT"}, "service_role": {"SELECT", "INSERT", "UPDATE", "DELETE"}},
    # readable by owning profile only
    "session_candidates": {
        "authenticated": {"SELECT"},
        "service_role": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    },
    # readable by owning profile, insert/update via service key
    "agent_memories": {
        "authenticated": {"SELECT"},
        "service_role": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    },
    # service key insert; optional admin read
    "agent_runs": {
        "authenticated": {"SELECT"},
        "service_role": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    },
    # service key insert/select; admin read
    "waitlist_entries": {
        "authenticated": set(),
        "anon": set(),
        "service_role": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    },
}

# API & Service Architecture, and the tasks that add to it.

ENDPOINTS = [
    "POST /agents/run",
    "POST /agents/sessions/{session_id}/close",
    "POST /agents/memories",
    "GET /healthz",
    "POST /api/agents/compare",
    "POST /api/agents/chat",
    "POST /api/hire/waitlist",
    "GET /api/agents",
    "GET /api/agents/{slug}",
    "GET /api/admin/memories",  # 18: an admin endpoint to inspect memory rows
    "GET /api/status",  # 20
]


@pytest.mark.parametrize("table", TABLES)
async def test_tables(catalogue: asyncpg.Connection, table: str) -> None:
    assert TABLES[table].items() <= (await columns.types(catalogue, table)).items()
    assert REFERENCES[table].items() <= (await columns.references(catalogue, table)).items()
    assert not NULLABLE[table] & await columns.required(catalogue, table)


async def test_a_candidate_is_in_a_session_once(catalogue: asyncpg.Connection) -> None:
    key = await catalogue.fetchval(
        "select pg_get_constraintdef(oid) from pg_constraint "
        "where conrelid = 'public.session_candidates'::regclass and contype = 'p'"
    )
    assert key == "PRIMARY KEY (session_id, agent_id)"


@pytest.mark.parametrize("name", ENUMS)
async def test_enums(catalogue: asyncpg.Connection, name: str) -> None:
    assert await columns.enum(catalogue, f"public.{name}") == ENUMS[name]


async def test_defaults(catalogue: asyncpg.Connection) -> None:
    defaults = await columns.defaults(catalogue, "public.waitlist_entries")
    assert "'new'" in defaults["status"]
    assert defaults["created_at"] == "now()"


@pytest.mark.parametrize("table", DEPRECATED)
async def test_deprecated_tables_are_not_made(catalogue: asyncpg.Connection, table: str) -> None:
    assert await catalogue.fetchval("select to_regclass('public.' || $1) is null", table)


@pytest.mark.parametrize(("score", "fits"), [(0, True), (100, True), (-0.1, False), (100.1, False)])
async def test_a_fit_score_is_0_to_100(
    access: DatabaseAccess, person: Person, score: float, fits: bool
) -> None:
    owner = await asyncpg.connect(access.admin_url)
    begun = owner.transaction()
    await begun.start()
    try:
        session = await owner.fetchval(
            "insert into public.sessions (tenant_id, profile_id) values ($1, $2) returning id",
            person.tenant.id,
            person.id,
        )
        agent = await owner.fetchval(
            "insert into public.agents (tenant_id, slug, name) values ($1, 'x', 'X') returning id",
            person.tenant.id,
        )

        async def insert() -> str:
            return await owner.execute(
                "insert into public.session_candidates (tenant_id, session_id, agent_id, fit_score) "
                "values ($1, $2, $3, $4::float8)",
                person.tenant.id, session, agent, score,
            )  # fmt: skip

        if fits:
            assert await insert() == "INSERT 0 1"
        else:
            with pytest.raises(asyncpg.CheckViolationError):
                await insert()
    finally:
        await begun.rollback()
        await owner.close()


@pytest.mark.parametrize("table", GRANTS)
async def test_policies(catalogue: asyncpg.Connection, table: str) -> None:
    for role, wanted in GRANTS[table].items():
        rows = await catalogue.fetch(
            "select privilege_type from information_schema.role_table_grants "
            "where table_schema = 'public' and table_name = $1 and grantee = $2",
            table,
            role,
        )
        found = {row[0] for row in rows} & {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert found == wanted, role
    assert await catalogue.fetchval(
        "select relrowsecurity and relforcerowsecurity from pg_class where oid = ('public.' || $1)::regclass",
        table,
    )


async def test_vectors_have_their_table_and_index_columns(catalogue: asyncpg.Connection) -> None:
    """`profile_embedding` and `agent_memories.embedding` are computed columns; the extension is there."""
    assert await catalogue.fetchval("select count(*) from pg_extension where extname = 'vector'") == 1
    for function in (
        "public.profile_embedding(public.agents)",
        "public.embedding(public.agent_memories)",
    ):
        assert await catalogue.fetchval("select to_regprocedure($1) is not null", function), function


@asynccontextmanager
async def _closed() -> AsyncIterator[Parts]:
    raise AssertionError("only the document is asked for")
    yield


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_endpoints(endpoint: str) -> None:
    method, path = endpoint.split(" ")
    document = create_app(HttpConfig(version="0"), _closed).openapi()
    assert method.lower() in document["paths"][path]


@pytest_asyncio.fixture(scope="module")
async def inside(access: DatabaseAccess) -> AsyncIterator[Running]:
    async with running_server(access) as running:
        yield running


async def test_compare_then_chat_then_waitlist(inside: Running, person: Person) -> None:
    """The end-to-end scenario: "user compares agents → starts chat → join waitlist", with its records."""
    client, service = inside.client, service_headers(person.tenant)

    async def post(path: str, body: dict[str, Any], headers: dict[str, str] = person.headers) -> Any:
        answer = await client.post(path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    await post("/v1/agents", {"slug": "hanna", "name": "Hanna", "tagline": "Hires engineers"}, service)
    await post("/v1/agents/hanna/versions", {"instructions": "You hire. {{memories}}"}, service)
    compared = await post("/api/agents/compare", {"goal": "Hire an engineer"})
    session = compared["session_id"]
    async with client.stream(
        "POST",
        "/api/agents/chat",
        json={"agent": "hanna", "message": "I prefer people in Lisbon.", "session_id": session},
        headers=person.headers,
    ) as answer:
        assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
        assert text_of(await frames_of(answer))
    await post("/api/hire/waitlist", {"agent_session_id": session, "agent": "hanna"})

    async with inside.parts.db.transaction(person.principal, read_only=True) as tx:
        counts = [
            await tx.value("select count(*) from public.agent_sessions"),
            await tx.value(
                "select count(*) from public.session_candidates where session_id::text = $1", session
            ),
            await tx.value("select count(*) from public.agent_run_logs where error is null"),
            await tx.value("select count(*) from public.agent_memories where source = 'comparison'"),
            await tx.value("select count(*) from public.agent_memories where source = 'chat'"),
        ]
    assert counts[:4] == [1, 1, 1, 1]
    assert counts[4] >= 1
    closed = await client.post(f"/agents/sessions/{session}/close", headers=service)
    assert closed.json()["closed_at"] is not None


async def test_what_was_stored_is_fetched_and_injected(inside: Running, person: Person) -> None:
    """Definition of Done: new memories are created, retrievable, and injected into subsequent runs."""
    client, service = inside.client, service_headers(person.tenant)
    for path, body in (
        ("/v1/agents", {"slug": "concierge", "name": "C"}),
        ("/v1/agents/concierge/versions", {"instructions": "You help. {{memories}}"}),
        (
            "/agents/memories",
            {"profile_id": str(person.id), "memories": [{"content": "Ann's cat is Mia."}]},
        ),
    ):
        assert (await client.post(path, json=body, headers=service)).status_code == 201
    opened = await client.post(
        "/api/session", json={"orgId": person.tenant.slug}, headers=person.headers
    )
    run: httpx.Response = await client.post(
        "/agents/run",
        json={"session_id": opened.json()["sessionId"], "prompt": "Who is my cat?", "stream": False},
        headers=service,
    )
    assert run.status_code == 200, run.text
    assert "Mia" in run.json()["output"]
