"""LangMem's tools and its manager of memories, on the store."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from stead.adapters.langgraph import SteadStore
from stead.db import Database
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply, ToolCall
from tests.support.people import Person

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

EMBEDDER = build_embedder("static", EmbedderConfig())
NS = ("memories", "ann")


@pytest_asyncio.fixture
async def store(db: Database, person: Person) -> SteadStore:
    return SteadStore(db, person.principal, EMBEDDER)


@pytest_asyncio.fixture
async def models() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as server:
        yield server


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


async def test_its_tools_create_find_change_and_delete(store: SteadStore) -> None:
    from langmem import create_manage_memory_tool, create_search_memory_tool  # noqa: PLC0415

    manage = create_manage_memory_tool(namespace=NS, store=store)
    search = create_search_memory_tool(namespace=NS, store=store)

    await manage.ainvoke({"content": "Ann rides a blue bicycle", "action": "create"})
    await manage.ainvoke({"content": "Ann cooks tomato soup", "action": "create"})
    found = json.loads(await search.ainvoke({"query": "what does she cycle on", "limit": 1}))
    assert [one["value"]["content"] for one in found] == ["Ann rides a blue bicycle"]

    key = uuid.UUID(found[0]["key"])
    await manage.ainvoke({"content": "Ann rides a red bicycle", "action": "update", "id": key})
    item = await store.aget(NS, str(key))
    assert item is not None
    assert item.value["content"] == "Ann rides a red bicycle"
    await manage.ainvoke({"action": "delete", "id": key})
    assert [i.value["content"] for i in await store.asearch(NS)] == ["Ann cooks tomato soup"]


async def test_its_manager_extracts_and_updates(
    store: SteadStore, models: OpenAIServer, http: httpx.AsyncClient
) -> None:
    from langchain_openai import ChatOpenAI  # noqa: PLC0415
    from langmem import create_memory_store_manager  # noqa: PLC0415

    model = ChatOpenAI(
        model="gpt-4.1-mini",
        base_url=models.base_url,
        api_key="local",
        max_retries=0,
        http_async_client=http,
    )
    manager = create_memory_store_manager(model, namespace=NS, store=store)

    models.script(Reply(tool_calls=[ToolCall(name="Memory", arguments={"content": "Lives in Porto"})]))
    await manager.ainvoke({"messages": [{"role": "user", "content": "I live in Porto"}]})
    (first,) = await store.asearch(NS)
    assert first.value["content"] == {"content": "Lives in Porto"}

    change = {
        # What LangMem calls an item before the model.
        "json_doc_id": uuid.uuid5(uuid.NAMESPACE_DNS, str((*first.namespace, first.key))).hex,
        "planned_edits": "Ann moved.",
        "patches": [{"op": "replace", "path": "/content", "value": "Lives in Lisbon"}],
    }
    models.script(Reply(tool_calls=[ToolCall(name="PatchDoc", arguments=change)]))
    await manager.ainvoke({"messages": [{"role": "user", "content": "I moved to Lisbon"}]})
    (item,) = await store.asearch(NS)
    assert (item.key, item.value["content"]) == (first.key, {"content": "Lives in Lisbon"})
    sent: Any = models.requests[-1].body["messages"]
    assert "Lives in Porto" in json.dumps(sent)  # what the store found was before the model
