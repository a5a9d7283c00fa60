"""mem0's client: what goes in, what comes out, and whose it is."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from stead import sessions
from stead.adapters import AdapterArgumentInvalid
from stead.adapters.mem0 import Mem0Memory
from stead.adapters.mem0_filters import fits
from stead.db import Database
from stead.identity import Tenant, anonymous
from stead.memory.errors import MemoryInvalid, MemoryUnknown
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.support.people import Person, service

EMBEDDER = build_embedder("static", EmbedderConfig())


@pytest.fixture
def client(db: Database, tenant: Tenant) -> Mem0Memory:
    return Mem0Memory(db, service(tenant), EMBEDDER)


def texts(answer: dict[str, Any]) -> list[str]:
    return [one["memory"] for one in answer["results"]]


async def test_add_search_get_update_history_delete(client: Mem0Memory) -> None:
    added = await client.add(
        "I live in Porto.", user_id="ann", agent_id="guide", metadata={"app": "travel"}
    )
    (one,) = added["results"]
    assert (one["memory"], one["event"], one["user_id"]) == ("I live in Porto.", "ADD", "ann")

    found = await client.search("Where does she live?", user_id="ann")
    (hit,) = found["results"]
    assert 0 < hit["score"] <= 1
    assert {k: hit[k] for k in ("id", "memory", "user_id", "agent_id", "hash", "role")} == {
        k: one[k] for k in ("id", "memory", "user_id", "agent_id", "hash", "role")
    }
    assert hit["metadata"] == {"app": "travel", "category": "identity"}

    await client.update(one["id"], "I live in Lisbon.")
    now = await client.get(one["id"])
    assert now is not None
    assert (now["id"], now["memory"]) == (one["id"], "I live in Lisbon.")
    history = await client.history(one["id"])
    assert [(h["event"], h["old_memory"], h["new_memory"]) for h in history] == [
        ("ADD", None, "I live in Porto."),
        ("UPDATE", "I live in Porto.", "I live in Lisbon."),
    ]
    assert texts(await client.get_all(user_id="ann")) == ["I live in Lisbon."]
    # Both ids go on meaning the same memory.
    await client.update(one["id"], text="I live in Braga.", metadata={"app": "maps"})
    (latest,) = (await client.get_all(user_id="ann"))["results"]
    assert (latest["memory"], latest["metadata"]["app"]) == ("I live in Braga.", "maps")
    assert len(await client.history(latest["id"])) == 3

    await client.delete(one["id"])
    assert await client.get(one["id"]) is None
    assert await client.get(latest["id"]) is None
    assert await client.history(latest["id"]) == []
    assert await client.search("Where does she live?", user_id="ann") == {"results": []}
    with pytest.raises(MemoryUnknown):
        await client.delete(one["id"])
    with pytest.raises(MemoryUnknown):
        await client.update(one["id"], "I live in Faro.")


async def test_said_again_and_said_otherwise(client: Mem0Memory) -> None:
    (first,) = (await client.add("I live in Porto.", user_id="ann"))["results"]
    (again,) = (await client.add("I live in Porto.", user_id="ann"))["results"]
    (moved,) = (await client.add("I live in Lisbon.", user_id="ann"))["results"]

    assert (again["id"], again["event"]) == (first["id"], "NONE")
    assert (moved["event"], moved["previous_memory"]) == ("UPDATE", "I live in Porto.")
    assert texts(await client.get_all(user_id="ann")) == ["I live in Lisbon."]


async def test_facts_are_found_only_in_what_a_person_says(client: Mem0Memory) -> None:
    conversation = [
        {"role": "system", "content": "My name is Judas. I live in Rome."},
        {"role": "user", "content": [{"type": "text", "text": "I am allergic to peanuts."}]},
        {"role": "assistant", "content": "I am allergic to cats. My name is Rafael."},
        {"role": "tool", "content": "I live in Paris."},
        {"role": "user", "content": "What is the weather like?", "name": "ann"},
        {"role": "user", "content": "My dog is called Pixel.", "name": "ann"},
    ]
    added = await client.add(conversation, user_id="ann")

    assert texts(added) == ["I am allergic to peanuts.", "My dog is called Pixel."]
    assert [one.get("actor_id") for one in added["results"]] == [None, "ann"]
    assert await client.add([conversation[0], conversation[2]], user_id="eve") == {"results": []}


async def test_without_inference_people_and_assistants_are_kept_as_they_spoke(
    client: Mem0Memory,
) -> None:
    conversation = [
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "What is the weather like?"},
        {"role": "assistant", "content": "Sunny, with a light wind from the sea."},
        {"role": "user", "content": "  "},
    ]
    added = await client.add(conversation, user_id="ann", infer=False)

    assert [(one["role"], one["memory"]) for one in added["results"]] == [
        ("user", "What is the weather like?"),
        ("assistant", "Sunny, with a light wind from the sea."),
    ]


async def test_each_user_has_their_own_and_unknown_ones_none(
    client: Mem0Memory, db: Database, other_tenant: Tenant
) -> None:
    (mine,) = (await client.add("I play the cello.", user_id="ann"))["results"]
    await client.add("I play the drums.", user_id="bob")
    elsewhere = Mem0Memory(db, service(other_tenant), EMBEDDER)

    assert texts(await client.search("What do I play?", user_id="ann")) == ["I play the cello."]
    assert await client.search("What do I play?", user_id="carl") == {"results": []}
    assert await client.get_all(user_id="carl") == {"results": []}
    await client.delete_all(user_id="carl")
    assert await elsewhere.get_all(user_id="ann") == {"results": []}
    assert await elsewhere.get(mine["id"]) is None
    assert await elsewhere.history(mine["id"]) == []
    for attempt in (elsewhere.delete(mine["id"]), elsewhere.update(mine["id"], "I play nothing.")):
        with pytest.raises(MemoryUnknown):
            await attempt
    assert texts(await client.get_all(user_id="ann")) == ["I play the cello."]


async def test_looking_for_a_user_makes_none(client: Mem0Memory, db: Database, tenant: Tenant) -> None:
    await client.search("anything", user_id="nobody")
    await client.get_all(user_id="nobody")
    await client.delete_all(user_id="nobody")
    async with db.transaction(service(tenant), read_only=True) as tx:
        assert await tx.value("select count(*) from public.profiles where external_id = 'nobody'") == 0


async def test_a_person_means_themselves(db: Database, person: Person, stranger: Person) -> None:
    mine = Mem0Memory(db, person.principal, EMBEDDER)
    theirs = Mem0Memory(db, stranger.principal, EMBEDDER)
    (one,) = (await mine.add("I play the cello."))["results"]

    assert texts(await mine.get_all(user_id=str(person.id))) == ["I play the cello."]
    assert await theirs.get(one["id"]) is None
    with pytest.raises(AdapterArgumentInvalid):
        await theirs.get_all(user_id=str(person.id))


async def test_a_run_that_is_a_session_is_that_session(
    client: Mem0Memory, db: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    visitor = anonymous(tenant, uuid.uuid4())
    async with db.transaction(visitor.served()) as tx:
        session, _ = await sessions.open_session(tx, visitor)
    run = str(session.id)
    await client.add("I play the cello.", run_id=run)
    await client.add("I paint.", user_id="ann", run_id="tuesday")
    await client.add("I bake bread.", user_id="ann", run_id=str(uuid.uuid4()))

    assert texts(await client.get_all(run_id=run)) == ["I play the cello."]
    assert texts(await client.search("hobby", user_id="ann", run_id="tuesday")) == ["I paint."]
    assert len(texts(await client.get_all(user_id="ann"))) == 2
    with pytest.raises(AdapterArgumentInvalid):
        await Mem0Memory(db, service(other_tenant), EMBEDDER).get_all(run_id=run)
    await client.delete_all(run_id=run)
    assert await client.get_all(run_id=run) == {"results": []}
    await client.delete_all(user_id="ann", run_id="tuesday")
    assert texts(await client.get_all(user_id="ann")) == ["I bake bread."]


async def test_a_profile_that_is_another_tenants_is_nobody_here(
    client: Mem0Memory, stranger: Person
) -> None:
    from stead.identity.errors import TenantMismatch  # noqa: PLC0415

    assert await client.get_all(user_id=str(stranger.id)) == {"results": []}
    with pytest.raises(TenantMismatch):
        await client.add("I play the cello.", user_id=str(stranger.id))


async def test_filters_find_what_fits_beyond_the_best_answers(client: Mem0Memory) -> None:
    for n in range(130):
        await client.add(
            [{"role": "user", "content": f"I like the colour blue number {n}"}],
            user_id="ann",
            infer=False,
            metadata={"n": n},
        )
    await client.add("My bicycle is old.", user_id="ann", metadata={"n": -1})

    found = await client.search("the colour blue", filters={"user_id": "ann", "n": {"lt": 0}}, top_k=3)
    assert texts(found) == ["My bicycle is old."]
    both = {"AND": [{"user_id": "ann"}, {"n": {"gte": 128}}]}
    assert len(texts(await client.get_all(filters=both))) == 2
    assert len(texts(await client.get_all(user_id="ann", limit=120))) == 120
    best = await client.search("the colour blue", user_id="ann", limit=200, threshold=0.3)
    assert 0 < len(best["results"]) <= 131
    assert all(one["score"] >= 0.3 for one in best["results"])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"a": 1}, True),
        ({"a": 2}, False),
        ({"b": "*"}, True),
        ({"z": "*"}, False),
        ({"a": {"eq": 1, "ne": 2, "gt": 0, "gte": 1, "lt": 2, "lte": 1}}, True),
        ({"a": {"gt": "0"}}, False),
        ({"b": {"gt": "a"}}, True),
        ({"a": {"in": [1, 2]}}, True),
        ({"a": {"nin": [1, 2]}}, False),
        ({"b": {"contains": "lu"}}, True),
        ({"b": {"contains": "LU"}}, False),
        ({"b": {"icontains": "LU"}}, True),
        ({"c": {"contains": "x"}}, True),
        ({"c": {"icontains": "X"}}, True),
        ({"z": {"contains": "x"}}, False),
        ({"z": {"ne": 1}}, True),
        ({"AND": [{"a": 1}, {"b": "blue"}]}, True),
        ({"AND": [{"a": 1}, {"b": "red"}]}, False),
        ({"OR": [{"a": 2}, {"b": "blue"}]}, True),
        ({"OR": [{"a": 2}, {"b": "red"}]}, False),
        ({"NOT": [{"a": 2}, {"b": "red"}]}, True),
        ({"NOT": [{"a": 1}]}, False),
        ({"OR": [{"AND": [{"a": 1}, {"NOT": [{"b": "blue"}]}]}, {"c": ["x"]}]}, True),
    ],
    ids=str,
)
def test_filters(filters: dict[str, Any], expected: bool) -> None:
    assert fits({"a": 1, "b": "blue", "c": ["x"]}, filters) is expected


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.add("I play the cello."),
        lambda c: c.add("I play the cello.", agent_id="guide"),
        lambda c: c.add("I play the cello.", run_id="no-session"),
        lambda c: c.add("I play the cello.", user_id=""),
        lambda c: c.add("I play the cello.", user_id="a b"),
        lambda c: c.add("I play the cello.", user_id="a\x00"),
        lambda c: c.add("I play the cello.", user_id="a" * 256),
        lambda c: c.add(7, user_id="ann"),
        lambda c: c.add([7], user_id="ann"),
        lambda c: c.add([{"content": "I play the cello."}], user_id="ann"),
        lambda c: c.search("  ", user_id="ann"),
        lambda c: c.search("x"),
        lambda c: c.search("x", user_id="ann", limit=-1),
        lambda c: c.search("x", user_id="ann", top_k=1001),
        lambda c: c.search("x", user_id="ann", threshold=1.5),
        lambda c: c.search("x", user_id="ann", filters={"user_id": "bob"}),
        lambda c: c.search("x", user_id="ann", filters={"n": {"near": 1}}),
        lambda c: c.search("x", user_id="ann", filters={"n": {"in": 1}}),
        lambda c: c.search("x", user_id="ann", filters={"OR": []}),
        lambda c: c.search("x", user_id="ann", filters={"OR": [1]}),
        lambda c: c.search("x", filters={"OR": [{"user_id": "ann"}, {"user_id": "bob"}]}),
        lambda c: c.get_all(agent_id="guide"),
        lambda c: c.delete_all(),
        lambda c: c.delete_all(agent_id="guide"),
        lambda c: c.update(str(uuid.uuid4())),
    ],
)
async def test_arguments_that_do_not_fit(client: Mem0Memory, call: Any) -> None:
    with pytest.raises(AdapterArgumentInvalid) as caught:
        await call(client)
    assert isinstance(caught.value, ValueError)
    assert caught.value.detail


async def test_what_is_no_memory(client: Mem0Memory) -> None:
    for memory_id in ("", "x", str(uuid.uuid4()), "\x00", "'; drop table agent_memories; --"):
        assert await client.get(memory_id) is None
        assert await client.history(memory_id) == []
        with pytest.raises(MemoryUnknown):
            await client.delete(memory_id)
    with pytest.raises(MemoryInvalid):
        await client.add("x" * 100_001, user_id="ann", infer=False)
    with pytest.raises(MemoryInvalid):
        await client.add("I sing.", user_id="ann", metadata={"message_id": "mine"})
