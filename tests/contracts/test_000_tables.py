"""Document 000: tables, columns, enums."""

from __future__ import annotations

import asyncpg
import pytest

from stead.assembly.database import DatabaseAccess
from stead.db import Database
from tests.contracts import columns
from tests.support.people import Person, service

#: Text with a fixed set of values is an enum here, as the document's "Define enums" says.
TABLES = {
    "public.profiles": {
        "id": "uuid",
        "created_at": "timestamp with time zone",
        "updated_at": "timestamp with time zone",
        "role": "user_role",
        "company": "text",
        "company_size": "company_size",
        "focus_industries": "text[]",
        "onboarding_status": "onboarding_status",
    },
    "public.agents": {
        "id": "uuid",
        "slug": "text",
        "name": "text",
        "tagline": "text",
        "description": "text",
        "pricing_model": "text",
        "base_rate": "numeric",
        "rating": "numeric",
        "experience_years": "integer",
        "success_rate": "numeric",
        "visibility": "agent_visibility",
    },
    "public.agent_tags": {"id": "uuid"},
    "public.agent_tag_map": {"agent_id": "uuid", "tag_id": "uuid"},
    "public.agent_endorsements": {"id": "uuid", "agent_id": "uuid"},
    "public.agent_memories": {
        "id": "uuid",
        "profile_id": "uuid",
        "agent_id": "uuid",
        "created_at": "timestamp with time zone",
        "source": "memory_source",
        "content": "text",
        "metadata": "jsonb",
    },
}
#: Views have exactly the document's columns.
VIEWS = {
    "public.agent_sessions": {
        "id": "uuid",
        "profile_id": "uuid",
        "agent_context": "jsonb",
        "created_at": "timestamp with time zone",
        "closed_at": "timestamp with time zone",
        "owning_agent_id": "uuid",
    },
    "public.agent_run_logs": {
        "id": "bigint",
        "session_id": "uuid",
        "profile_id": "uuid",
        "agent_id": "uuid",
        "created_at": "timestamp with time zone",
        "input": "jsonb",
        "output": "jsonb",
        "latency_ms": "integer",
        "error": "jsonb",
    },
}
ENUMS = {
    "public.user_role": ["employer", "founder", "recruiter", "other"],
    "public.company_size": ["small", "mid", "enterprise"],
    "public.onboarding_status": ["pending", "completed"],
    "public.agent_visibility": ["public", "hidden", "internal"],
}
MEMORY_SOURCES = {"chat", "comparison", "feedback"}
REFERENCES = {
    "public.sessions": {"profile_id": "profiles", "owning_agent_id": "agents"},
    "public.agent_memories": {"profile_id": "profiles", "agent_id": "agents"},
    "public.agent_runs": {"session_id": "sessions", "profile_id": "profiles", "agent_id": "agents"},
    "public.agent_tag_map": {"agent_id": "agents", "tag_id": "agent_tags"},
    "public.agent_endorsements": {"agent_id": "agents"},
}


@pytest.mark.parametrize("table", TABLES)
async def test_tables(catalogue: asyncpg.Connection, table: str) -> None:
    assert TABLES[table].items() <= (await columns.types(catalogue, table)).items()


@pytest.mark.parametrize("view", VIEWS)
async def test_views(catalogue: asyncpg.Connection, view: str) -> None:
    assert await columns.types(catalogue, view) == VIEWS[view]


@pytest.mark.parametrize("name", ENUMS)
async def test_enums(catalogue: asyncpg.Connection, name: str) -> None:
    assert await columns.enum(catalogue, name) == ENUMS[name]


async def test_memory_sources(catalogue: asyncpg.Connection) -> None:
    assert set(await columns.enum(catalogue, "public.memory_source")) >= MEMORY_SOURCES


@pytest.mark.parametrize("table", REFERENCES)
async def test_references(catalogue: asyncpg.Connection, table: str) -> None:
    assert REFERENCES[table].items() <= (await columns.references(catalogue, table)).items()


async def test_what_may_be_missing(catalogue: asyncpg.Connection) -> None:
    nullable = {
        "public.sessions": {"profile_id", "owning_agent_id", "ended_at"},
        "public.agent_memories": {"agent_id"},
        "public.agent_runs": {"error"},
        "public.agents": {"base_rate", "experience_years"},
        "public.profiles": {"company", "focus_industries"},
    }
    for table, names in nullable.items():
        assert not names & await columns.required(catalogue, table), table


async def test_a_slug_is_unique_within_its_tenant(catalogue: asyncpg.Connection) -> None:
    assert ["slug", "tenant_id"] in await columns.unique(catalogue, "public.agents")


async def test_a_tag_is_put_on_an_agent_once(catalogue: asyncpg.Connection) -> None:
    assert ["agent_id", "tag_id"] in await columns.unique(catalogue, "public.agent_tag_map")


async def test_a_profile_is_pending_until_it_is_onboarded(catalogue: asyncpg.Connection) -> None:
    defaults = await columns.defaults(catalogue, "public.profiles")

    assert "pending" in defaults["onboarding_status"]
    assert defaults["created_at"] == defaults["updated_at"] == "now()"


async def test_rating_and_success_rate_have_bounds(access: DatabaseAccess) -> None:
    connection = await asyncpg.connect(access.admin_url)
    try:
        for column, value in (("rating", 0.5), ("rating", 5.5), ("success_rate", 101)):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(
                    f"insert into public.agents (slug, name, {column}) values ('x', 'X', {value})"
                )
    finally:
        await connection.close()


async def test_agent_sessions_opens_and_closes_sessions(db: Database, person: Person) -> None:
    """A client of the document writes to its view."""
    async with db.transaction(service(person.tenant)) as tx:
        session = await tx.value(
            "insert into public.agent_sessions (profile_id, agent_context) values ($1, $2) returning id",
            person.id,
            {"goal": "hire"},
        )
        before = await tx.row(
            "select status, ended_at, context from public.sessions where id = $1", session
        )
        await tx.execute("update public.agent_sessions set closed_at = now() where id = $1", session)
        after = await tx.row("select status, ended_at from public.sessions where id = $1", session)
    assert before is not None
    assert tuple(before) == ("in_progress", None, {"goal": "hire"})
    assert after is not None
    assert after["status"] == "completed"
    assert after["ended_at"] is not None

    async with db.transaction(person.principal) as tx:
        assert await tx.execute("update public.agent_sessions set agent_context = '{}'") == 1
        assert await tx.value("select public.is_session_owner($1)", session) is True


async def test_an_update_moves_updated_at(db: Database, person: Person) -> None:
    async with db.transaction(service(person.tenant)) as tx:
        made = await tx.value("select updated_at from public.profiles where id = $1", person.id)
    async with db.transaction(person.principal) as tx:
        await tx.execute("update public.profiles set company = 'Acme' where id = $1", person.id)
    async with db.transaction(service(person.tenant)) as tx:
        assert await tx.value("select updated_at from public.profiles where id = $1", person.id) > made
