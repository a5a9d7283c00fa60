"""LangGraph's store: each operation, from coroutines, threads and programs without a loop, and for whom."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

from stead.adapters import AdapterArgumentInvalid, AdapterClosed
from stead.adapters.langgraph import SteadStore, open_store, open_store_in_thread
from stead.adapters.search_text import search_text
from stead.assembly.database import DatabaseAccess
from stead.assembly.maintenance import chores
from stead.db import Database
from stead.identity import Tenant, anonymous
from stead.memory.items import ItemInvalid
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply
from tests.support.people import Person, make_person, service
from tests.support.servers import Running

EMBEDDER = build_embedder("static", EmbedderConfig())
NS = ("memories", "ann")


@pytest_asyncio.fixture
async def store(db: Database, person: Person) -> SteadStore:
    return SteadStore(db, person.principal, EMBEDDER)


async def test_put_get_delete(store: SteadStore) -> None:
    await store.aput(NS, "k", {"text": "hello"})
    item = await store.aget(NS, "k")
    assert item is not None
    assert (item.namespace, item.key, item.value) == (NS, "k", {"text": "hello"})
    assert item.created_at.tzinfo is not None
    await store.adelete(NS, "k")
    assert await store.aget(NS, "k") is None
    assert await store.aget(("other",), "k") is None


async def test_a_batch_reads_what_was_before_and_writes_all_or_nothing(store: SteadStore) -> None:
    await store.aput(NS, "a", {"n": 1})
    results = await store.abatch(
        [
            PutOp(NS, "a", {"n": 2}),
            GetOp(NS, "a"),
            PutOp(NS, "b", {"n": 3}),
            PutOp(NS, "b", None),
            SearchOp(("memories",)),
            ListNamespacesOp(),
            PutOp(NS, "c", {"n": 4}),
        ]
    )
    assert [results[n] for n in (0, 2, 3, 6)] == [None] * 4
    assert results[1].value == {"n": 1}  # type: ignore[union-attr]
    assert [item.value for item in results[4]] == [{"n": 1}]  # type: ignore[union-attr]
    assert results[5] == [NS]
    assert {i.key: i.value["n"] for i in await store.asearch(NS)} == {"a": 2, "c": 4}

    with pytest.raises(ItemInvalid):
        await store.abatch([PutOp(NS, "a", {"n": 9}), PutOp(NS, "d", {"v": "\x00"})])
    assert {i.key: i.value["n"] for i in await store.asearch(NS)} == {"a": 2, "c": 4}
    assert await store.abatch([]) == []


async def test_filters_and_pages(store: SteadStore) -> None:
    docs: dict[str, dict[str, Any]] = {
        "a": {"color": "red", "score": 4.5, "by": {"name": "Ann", "year": 2020}},
        "b": {"color": "red", "score": 3, "tags": ["x", "y"]},
        "c": {"color": "green", "score": 4},
        "d": {"color": "blue", "by": {}},
    }
    for key, value in docs.items():
        await store.aput(NS, key, value)

    async def keys(**asked: Any) -> list[str]:
        return sorted([item.key for item in await store.asearch(NS, filter=asked)])

    assert await keys(color="red") == ["a", "b"]
    assert await keys(color={"$ne": "red"}) == ["c", "d"]
    assert await keys(score={"$gte": 4}) == ["a", "c"]
    assert await keys(score={"$gt": 3, "$lt": 4.5}) == ["c"]
    assert await keys(score={"$lte": 3}, color={"$eq": "red"}) == ["b"]
    assert await keys(by={"name": "Ann"}) == ["a"]
    assert await keys(by={"year": {"$gte": 2020}}) == ["a"]
    assert await keys(by={}) == ["a", "d"]
    assert await keys(tags=["x", "y"]) == ["b"]
    assert await keys(tags=("x", "y")) == ["b"]
    assert await keys(missing=None) == ["a", "b", "c", "d"]
    pages = [await store.asearch(NS, limit=3, offset=offset) for offset in (0, 3)]
    assert [[item.key for item in page] for page in pages] == [["d", "c", "b"], ["a"]]


async def test_questions(store: SteadStore) -> None:
    await store.aput(NS, "bike", {"content": "I ride a blue bicycle to work"})
    await store.aput(NS, "soup", {"content": "Tomato soup needs basil", "note": "for the bicycle race"})
    await store.aput(NS, "hidden", {"content": "A bicycle is hidden here"}, index=False)
    await store.aput(NS, "part", {"content": "bicycle", "title": "umbrella"}, index=["title"])

    found = await store.asearch(NS, query="how does he cycle to work")
    assert found[0].key == "bike"
    assert {item.key for item in found} == {"bike", "soup", "part"}
    assert [item.score for item in found] == sorted((item.score or 0 for item in found), reverse=True)
    assert (await store.asearch(NS, query="umbrella"))[0].key == "part"
    hits = await store.asearch(NS, query="bicycle", filter={"note": {"$gt": ""}})
    assert [item.key for item in hits] == ["soup"]
    assert {item.score for item in await store.asearch(NS, query="")} == {None}
    assert await store.asearch(("memories", "bob"), query="bicycle") == []


async def test_the_stores_own_index(db: Database, person: Person) -> None:
    store = SteadStore(db, person.principal, EMBEDDER, index=["title", "parts[*].text"])
    await store.aput(
        NS, "a", {"title": "umbrella", "body": "zeppelin", "parts": [{"text": "accordion"}]}
    )
    await store.aput(NS, "b", {"body": "umbrella"})  # has none of these

    assert [item.key for item in await store.asearch(NS, query="accordion")] == ["a"]
    assert [item.key for item in await store.asearch(NS, query="umbrella")] == ["a"]


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        (["$"], "a\nb\n1.5\nc"),
        (["x"], "a"),
        (["y.z[*]"], "b\n1.5"),
        (["y.z[-1]", "x", "no.such"], "1.5\na"),
        (["no"], None),
        ([], None),
    ],
    ids=str,
)
def test_search_text(paths: list[str], text: str | None) -> None:
    value = {"x": "a", "y": {"z": ["b", 1.5], "w": None, "flag": True}, "v": " ", "u": "c", "t": "a"}
    assert search_text(value, paths) == text


async def test_namespaces(store: SteadStore) -> None:
    for name in (("a", "b", "c"), ("a", "b", "d"), ("a", "x"), ("q", "c")):
        await store.aput(name, "k", {})
    assert await store.alist_namespaces() == [("a", "b", "c"), ("a", "b", "d"), ("a", "x"), ("q", "c")]
    assert await store.alist_namespaces(prefix=("a", "*", "c")) == [("a", "b", "c")]
    assert await store.alist_namespaces(suffix=("c",)) == [("a", "b", "c"), ("q", "c")]
    assert await store.alist_namespaces(prefix=("a",), max_depth=2) == [("a", "b"), ("a", "x")]
    assert await store.alist_namespaces(limit=1, offset=1) == [("a", "b", "d")]


async def test_time_to_live(access: DatabaseAccess, db: Database, person: Person) -> None:
    store = SteadStore(db, person.principal, EMBEDDER, ttl={"default_ttl": 1.0, "refresh_on_read": True})
    admin = await asyncpg.connect(access.admin_url)

    async def let_pass(seconds: float) -> None:
        await admin.execute(
            "update public.store_items set expires_at = expires_at - make_interval(secs => $2) "
            "where profile_id = $1",
            person.id,
            seconds,
        )

    for key in ("read", "searched", "peeked"):
        await store.aput(NS, key, {"k": key})
    await store.aput(NS, "ever", {"k": "ever"}, ttl=None)
    await let_pass(40)
    assert await store.aget(NS, "read") is not None
    assert len(await store.asearch(NS, filter={"k": "searched"})) == 1
    assert await store.aget(NS, "peeked", refresh_ttl=False) is not None
    await let_pass(40)
    assert {item.key for item in await store.asearch(NS)} == {"read", "searched", "ever"}
    await admin.close()


async def test_threads_and_other_loops_use_the_stores_loop(store: SteadStore) -> None:
    # A blocked loop would never finish what it waits for.
    with pytest.raises(asyncio.InvalidStateError, match="name begins with a"):
        store.put(NS, "k", {"n": 1})
    await asyncio.to_thread(store.put, NS, "k", {"n": 1})
    item = await asyncio.to_thread(store.get, NS, "k")
    assert item is not None
    assert item.value == {"n": 1}

    def elsewhere() -> Any:
        return asyncio.run(store.aget(NS, "k"))

    assert (await asyncio.to_thread(elsewhere)).value == {"n": 1}
    with pytest.raises(InvalidNamespaceError):
        await asyncio.to_thread(store.get, ("a.b",), "k")


def test_a_program_without_a_loop(access: DatabaseAccess, tenant: Tenant) -> None:
    before = threading.active_count()
    with open_store_in_thread(
        access.runtime_url, tenant=tenant.slug, profile="ann@example.com"
    ) as store:
        store.put(NS, "k", {"text": "I ride a blue bicycle"})
        item = store.get(NS, "k")
        assert item is not None
        assert item.value == {"text": "I ride a blue bicycle"}
        assert [hit.key for hit in store.search(NS, query="cycling")] == ["k"]
        assert store.list_namespaces() == [NS]
        store.delete(NS, "k")
        assert store.search(()) == []
    assert threading.active_count() <= before + 1  # asyncpg's resolver may linger
    with pytest.raises(AdapterClosed):
        store.get(NS, "k")


def test_without_a_loop_a_store_needs_one(db: Database, person: Person) -> None:
    with pytest.raises(AdapterArgumentInvalid):
        SteadStore(db, person.principal, EMBEDDER)


@pytest_asyncio.fixture
async def stores(
    access: DatabaseAccess, db: Database, tenant: Tenant, person: Person, stranger: Person
) -> AsyncIterator[dict[str, SteadStore]]:
    colleague = await make_person(db, tenant, "bob")
    async with open_store(access.runtime_url, tenant=tenant.slug) as shared:
        yield {
            "ann": SteadStore(db, person.principal, EMBEDDER),
            "bob": SteadStore(db, colleague.principal, EMBEDDER),
            "stranger": SteadStore(db, stranger.principal, EMBEDDER),
            "tenant": SteadStore(db, service(tenant), EMBEDDER),
            "shared": shared,
        }


async def test_each_store_has_its_own(stores: dict[str, SteadStore]) -> None:
    owners = ("ann", "bob", "stranger", "tenant")
    for name in owners:
        await stores[name].aput(NS, "k", {"of": name})
    for name in owners:
        assert [i.value for i in await stores[name].asearch(())] == [{"of": name}]
        assert [i.value for i in await stores[name].asearch((), query="of")] == [{"of": name}]
    assert [i.value for i in await stores["shared"].asearch(())] == [{"of": "tenant"}]
    await stores["stranger"].adelete(NS, "k")
    assert await stores["ann"].aget(NS, "k") is not None


async def test_two_processes_writing_one_key_leave_one_value(stores: dict[str, SteadStore]) -> None:
    async def write(n: int) -> None:
        await stores["tenant" if n % 2 else "shared"].aput(NS, "k", {"text": f"number {n}"})

    await asyncio.gather(*(write(n) for n in range(30)))
    (item,) = await stores["shared"].asearch(NS)
    (hit,) = await stores["tenant"].asearch(NS, query=item.value["text"])
    assert hit.value == item.value


async def test_an_embedder_that_fails_delays_no_item(db: Database, person: Person) -> None:
    async with OpenAIServer() as server:
        embedder = build_embedder(
            "openai/text-embedding-3-small",
            EmbedderConfig(openai_api_key="x", openai_base_url=server.base_url),
        )
        store = SteadStore(db, person.principal, embedder)
        await store.aput(NS, "first", {"text": "a blue bicycle"})
        server.embedding_replies.extend([Reply(status=401)] * 2)
        await store.aput(NS, "second", {"text": "a red bicycle"})
        found = await store.asearch(NS, query="red")  # by words: the question has no vector either
        assert found[0].key == "second"
        await embedder.aclose()


@pytest.mark.parametrize(
    "op",
    [
        GetOp(("a.b",), "k"),
        GetOp((), "k"),
        PutOp((), "k", {}),
        PutOp(("a", ""), "k", {}),
        PutOp(("a", "b\x00"), "k", None),
        SearchOp(("a", 1)),  # type: ignore[arg-type]
        ListNamespacesOp((MatchCondition("suffix", ("a.b",)),)),
    ],
    ids=str,
)
async def test_namespaces_that_are_none(store: SteadStore, op: Any) -> None:
    with pytest.raises(InvalidNamespaceError):
        await store.abatch([PutOp(NS, "k", {}), op])
    assert await store.asearch(()) == []


@pytest.mark.parametrize(
    "op",
    [
        PutOp(NS, "", {}),
        PutOp(NS, "k", {"v": {1}}),
        PutOp(NS, "k", {}, ttl=-1.0),
        SearchOp(NS, limit=-1),
        SearchOp(NS, filter={"v": {"$regex": "x"}}),
        SearchOp(NS, filter={"v": {"$gt": None}}),
        SearchOp(NS, filter={"v": {"$gt": 1, "w": 2}}),
        ListNamespacesOp((MatchCondition("infix", ("a",)),)),  # type: ignore[arg-type]
        "get",
    ],
    ids=str,
)
async def test_operations_that_cannot_be(store: SteadStore, op: Any) -> None:
    with pytest.raises((ItemInvalid, AdapterArgumentInvalid)):
        await store.abatch([PutOp(NS, "k", {}), op])
    assert await store.asearch(()) == []


async def test_what_a_visitor_kept_is_the_persons_once_they_signed_in(
    server: Running, db: Database, person: Person
) -> None:
    async with httpx.AsyncClient(base_url=server.base_url) as browser:
        opened = await browser.post("/api/session", json={"orgId": person.tenant.slug})
    session = opened.json()["sessionId"]
    visitor = SteadStore(db, anonymous(person.tenant, uuid.UUID(session)), EMBEDDER)
    await visitor.aput(NS, "k", {"text": "a blue bicycle"})
    answer = await server.client.post(
        f"/api/session/{session}/link",
        json={"clerkUserId": str(person.id)},
        headers={**person.headers, "x-session-token": opened.json()["sessionToken"]},
    )
    assert answer.status_code == 200, answer.text

    mine = SteadStore(db, person.principal, EMBEDDER)
    assert [item.key for item in await mine.asearch(NS, query="bicycle")] == ["k"]
    assert await visitor.asearch(()) == []


async def test_the_worker_deletes_what_is_over(
    access: DatabaseAccess, db: Database, server: Running, person: Person
) -> None:
    store = SteadStore(db, person.principal, EMBEDDER)
    await store.aput(NS, "k", {"n": 1}, ttl=1.0)
    admin = await asyncpg.connect(access.admin_url)
    try:
        await admin.execute(
            "update public.store_items set expires_at = now() where profile_id = $1", person.id
        )
        chore = next(chore for chore in chores(server.parts) if chore.name == "sweep_items")
        assert await chore.run() >= 1
        assert (
            await admin.fetchval(
                "select count(*) from public.store_items where profile_id = $1", person.id
            )
            == 0
        )
    finally:
        await admin.close()
