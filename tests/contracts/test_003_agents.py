"""Document 003: its organisation, agents, their configuration, tools, and what they generate."""

from __future__ import annotations

import dataclasses
from typing import Any

import asyncpg
import pytest

from stead.agents import AgentUnknown, ToolContext
from stead.agents.shared_tools import SHARED_TOOLS
from stead.apps import mentor
from stead.apps.mentor import AgentFile, Organisation
from stead.db import Database
from stead.identity import Tenant
from stead.sessions import Session
from tests.contracts import columns
from tests.support.people import service
from tests.support.servers import Running

ORGANISATION = "rafael-tatts"
#: src/agents/registry.ts
AGENTS = ["rafael-chat", "rafael-diagnosis", "rafael-summary"]
#: AgentConfig: field of the document, our table, column and type, and whether each of 003's agents has it.
CONFIG = [
    ("id", "public.agents", "slug", "text", True),
    ("model", "public.agent_versions", "model", "text", False),
    ("temperature", "public.agent_versions", "temperature", "double precision", True),
    ("maxTokens", "public.agent_versions", "max_tokens", "integer", True),
    ("systemPrompt", "public.agent_versions", "instructions", "text", True),
    ("tools", "public.agent_versions", "tools", "jsonb", False),
]
#: The example agent of the document.
CHAT = {"slug": "rafael-chat", "temperature": 0.7, "max_tokens": 1024}
#: POST /api/generate/[type]
GENERATIONS = {"diagnosis": "rafael-diagnosis", "summary": "rafael-summary"}
#: src/agents/_shared/tools/memory-search.ts
SHARED = ["memory_search"]
#: ToolContext: field of the document, and where it is here.
TOOL_CONTEXT = [
    ("sessionId", Session, "id"),
    ("orgId", Tenant, "slug"),
    ("context", Session, "context"),
]


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    return mentor.read_organisation(mentor.shipped()[ORGANISATION])


def _agent(organisation: Organisation, slug: str) -> AgentFile:
    return next(agent for agent in organisation.agents if agent.slug == slug)


def test_the_organisation_comes_with_stead(organisation: Organisation) -> None:
    assert organisation.itself.slug == ORGANISATION
    assert sorted(agent.slug for agent in organisation.agents) == AGENTS


@pytest.mark.parametrize(("name", "table", "column", "kind", "_"), CONFIG, ids=str)
async def test_configuration_is_stored(
    catalogue: asyncpg.Connection, name: str, table: str, column: str, kind: str, _: bool
) -> None:
    assert (await columns.types(catalogue, table))[column] == kind, name


@pytest.mark.parametrize(("name", "_table", "column", "_kind", "always"), CONFIG, ids=str)
@pytest.mark.parametrize("slug", AGENTS)
def test_each_agent_has_its_configuration(
    organisation: Organisation, slug: str, name: str, _table: str, column: str, _kind: str, always: bool
) -> None:
    value = getattr(_agent(organisation, slug), column)
    assert (value is not None) or not always, name


def test_the_example_is_as_in_the_document(organisation: Organisation) -> None:
    chat = _agent(organisation, CHAT["slug"]).model_dump()
    assert CHAT.items() <= chat.items()
    # A function of what is remembered there, a place for it here.
    assert "{{memories}}" in chat["instructions"]


async def test_configuration_is_taken_over_http(server: Running) -> None:
    document: dict[str, Any] = (await server.client.get("/openapi.json")).json()
    bodies = document["components"]["schemas"]
    taken = {*bodies["SaveAgent"]["properties"], *bodies["SaveVersion"]["properties"]}
    assert {column for _, _, column, _, _ in CONFIG} <= taken


@pytest.mark.parametrize(("generates", "slug"), GENERATIONS.items())
async def test_each_type_has_its_agent(
    server: Running, db: Database, tenant: Tenant, organisation: Organisation, generates: str, slug: str
) -> None:
    registry = server.parts.runtime.registry
    async with db.transaction(service(tenant)) as tx:
        await mentor.apply(tx, service(tenant), organisation.agents)
        found = await registry.resolve_generator(tx, service(tenant), generates)
    assert found.slug == slug
    # JSONB, and never memory.
    assert "{{memories}}" not in str(found.instructions)
    assert not found.tools


async def test_get_agent_and_list_agents(
    server: Running, db: Database, tenant: Tenant, organisation: Organisation
) -> None:
    registry = server.parts.runtime.registry
    async with db.transaction(service(tenant)) as tx:
        await mentor.apply(tx, service(tenant), organisation.agents)
        for slug in AGENTS:
            assert (await registry.resolve(tx, service(tenant), slug)).slug == slug
        with pytest.raises(AgentUnknown) as caught:
            await registry.resolve(tx, service(tenant), "rafael-unheard-of")
    assert all(slug in caught.value.hint for slug in AGENTS if slug == "rafael-chat")


@pytest.mark.parametrize("name", SHARED)
async def test_a_shared_tool_is_there_for_every_agent(server: Running, name: str) -> None:
    assert name in SHARED_TOOLS
    assert name in server.parts.runtime.registry.known_tools()


def test_the_chat_agent_may_search_memory(organisation: Organisation) -> None:
    assert _agent(organisation, "rafael-chat").tools == SHARED


@pytest.mark.parametrize(("name", "owner", "attribute"), TOOL_CONTEXT)
def test_a_tool_knows_of_its_session(name: str, owner: type[Any], attribute: str) -> None:
    assert attribute in {field.name for field in dataclasses.fields(owner)}, name
    assert {"session", "principal"} <= {field.name for field in dataclasses.fields(ToolContext)}
