"""Items: keys, conditions, namespaces, search, time, isolation, and what a hostile caller sends."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from stead import knowledge, sessions
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant, anonymous
from stead.memory import items
from stead.memory.items import Condition, Item, ItemInvalid, NewItem, Owner, Pattern
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.support.people import Person, make_person, service

EMBEDDER = build_embedder("static", EmbedderConfig())


def owner_of(person: Person) -> Owner:
    return items.owner_of(person.principal)


async def put(db: Database, person: Person, *new: NewItem) -> None:
    async with db.transaction(person.principal.served()) as tx:
        await items.put(tx, owner_of(person), new, embedder=EMBEDDER)


async def get(db: Database, person: Person, namespace: tuple[str, ...], key: str) -> Item | None:
    async with db.transaction(person.principal.served()) as tx:
        return (await items.get(tx, owner_of(person), [(namespace, key)])).get((namespace, key))


async def search(db: Database, person: Person, *prefix: str, **asked: Any) -> list[Item]:
    if "question" in asked:
        asked.setdefault("vector", (await EMBEDDER.embed([asked["question"]]))[0])
    async with db.transaction(person.principal.served()) as tx:
        return await items.search(tx, owner_of(person), prefix, embedder=EMBEDDER, **asked)


def new(key: str, value: dict[str, Any], *namespace: str, **more: Any) -> NewItem:
    return NewItem(namespace=namespace or ("a",), key=key, value=value, **more)


async def searchable(key: str, text: str, *namespace: str) -> NewItem:
    vector = (await EMBEDDER.embed([text]))[0]
    return new(key, {"text": text}, *namespace, search_text=text, vector=vector)


async def test_a_key_holds_one_value(db: Database, person: Person) -> None:
    await put(db, person, new("k", {"n": 1}))
    first = await get(db, person, ("a",), "k")
    await put(db, person, new("k", {"n": 2}), new("k", {"n": 3}))
    second = await get(db, person, ("a",), "k")

    assert first is not None
    assert second is not None
    assert (first.value, second.value) == ({"n": 1}, {"n": 3})
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at


async def test_two_namespaces_never_share_a_key(db: Database, person: Person) -> None:
    names = [
        ("a", "b"),
        ("a", "b", "c"),
        ("ab",),
        ("a", "bc"),
        ("a",),
        ("á", "b"),
        ("a ", "b"),
        ("a/", "b"),
    ]
    await put(db, person, *(new("k", {"at": list(name)}, *name) for name in names))

    for name in names:
        found = await get(db, person, name, "k")
        assert found is not None
        assert found.value == {"at": list(name)}
    below = {item.namespace for item in await search(db, person, "a", limit=50)}
    assert below == {("a", "b"), ("a", "b", "c"), ("a", "bc"), ("a",)}


async def test_delete_leaves_nothing_to_find(
    db: Database, access: DatabaseAccess, person: Person
) -> None:
    await put(db, person, await searchable("k", "my bicycle is blue"))
    async with db.transaction(person.principal.served()) as tx:
        assert await items.delete(tx, owner_of(person), [(("a",), "k"), (("a",), "no")]) == 1

    assert await get(db, person, ("a",), "k") is None
    admin = await asyncpg.connect(access.admin_url)
    left = [
        await admin.fetchval(f"select count(*) from stead.{table} where scope_id = $1", person.id)
        for table in ("search_docs", "embeddings", "embedding_backlog")
    ]
    await admin.close()
    assert left == [0, 0, 0]


VALUES = {
    "number": {"v": 5},
    "float": {"v": 5.5},
    "text": {"v": "5"},
    "flag": {"v": True},
    "null": {"v": None},
    "absent": {},
    "nested": {"v": {"w": 5, "x": [1, 2]}},
    "pointed": {"v.w": 5},
}


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        (Condition(path=("v",), operator="$eq", operand=5), {"number"}),
        (Condition(path=("v",), operator="$eq", operand=5.0), {"number"}),
        (Condition(path=("v",), operator="$eq", operand="5"), {"text"}),
        (Condition(path=("v",), operator="$eq", operand=True), {"flag"}),
        (Condition(path=("v",), operator="$eq", operand=None), {"null", "absent", "pointed"}),
        (Condition(path=("v",), operator="$ne", operand=5), set(VALUES) - {"number"}),
        (Condition(path=("v",), operator="$gt", operand=5), {"float"}),
        (Condition(path=("v",), operator="$gte", operand=5), {"number", "float"}),
        (Condition(path=("v",), operator="$lt", operand=6), {"number", "float"}),
        (Condition(path=("v",), operator="$lte", operand=5), {"number"}),
        (Condition(path=("v",), operator="$gt", operand="4"), {"text"}),
        (Condition(path=("v", "w"), operator="$gte", operand=5), {"nested"}),
        (Condition(path=("v", "x"), operator="$eq", operand=[1, 2]), {"nested"}),
        (Condition(path=("v",), operator="$object"), {"nested"}),
        (Condition(path=("v.w",), operator="$eq", operand=5), {"pointed"}),
    ],
)
async def test_conditions(db: Database, person: Person, condition: Condition, fits: set[str]) -> None:
    await put(db, person, *(new(key, value) for key, value in VALUES.items()))
    assert {item.key for item in await search(db, person, conditions=[condition])} == fits


async def test_pages_are_in_the_order_of_writing(db: Database, person: Person) -> None:
    for n in range(7):
        await put(db, person, new(f"k{n}", {"n": n}))
    pages = [await search(db, person, "a", limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert [[item.key for item in page] for page in pages] == [
        ["k6", "k5", "k4"],
        ["k3", "k2", "k1"],
        ["k0"],
        [],
    ]


async def test_a_question_finds_by_words_and_by_meaning(db: Database, person: Person) -> None:
    await put(
        db,
        person,
        await searchable("bike", "I ride a blue bicycle to work"),
        await searchable("soup", "Tomato soup needs basil"),
        await searchable("code", "The code of the alarm is QX-4471"),
        new("mute", {"text": "I ride a blue bicycle to work"}),
    )
    by_meaning = await search(db, person, question="which cycle does he commute on")
    by_words = await search(db, person, question="QX-4471")

    assert by_meaning[0].key == "bike"
    assert by_words[0].key == "code"
    assert {item.key for item in by_meaning} == {"bike", "soup", "code"}
    scores = [item.score for item in by_words]
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert all(score is not None and 0 <= score <= 1 for score in scores)


async def test_a_new_value_is_found_and_the_old_no_more(db: Database, person: Person) -> None:
    await put(db, person, await searchable("k", "zeppelin"), await searchable("other", "umbrella"))
    await put(db, person, await searchable("k", "accordion"))
    await put(db, person, new("other", {"text": "umbrella"}))  # searched no more

    (found,) = await search(db, person, question="zeppelin")
    assert found.value == {"text": "accordion"}
    assert (found.score or 0) < 0.5
    (found,) = await search(db, person, question="accordion")
    assert (found.score or 0) > 0.9


async def test_conditions_that_fit_only_the_worst_answers_still_find_them(
    db: Database, person: Person
) -> None:
    near = [new(f"n{n}", {"n": n}, search_text=f"blue bicycle {n}") for n in range(300)]
    far = [new(f"f{n}", {"n": -1}, search_text=f"something else {n}") for n in range(5)]
    await put(db, person, *near, *far)
    asked = [Condition(path=("n",), operator="$lt", operand=0)]

    found = await search(db, person, question="blue bicycle", conditions=asked, limit=3)
    rest = await search(db, person, question="blue bicycle", conditions=asked, limit=3, offset=3)

    assert [item.key[0] for item in (*found, *rest)] == ["f"] * 5
    assert len({item.key for item in (*found, *rest)}) == 5


async def test_vectors_that_came_along_wait_for_none_and_others_do(
    db: Database, access: DatabaseAccess, person: Person
) -> None:
    await put(db, person, await searchable("with", "one"), new("without", {}, search_text="two"))
    admin = await asyncpg.connect(access.admin_url)
    waiting = await admin.fetchval(
        "select array_agg(i.key) from stead.embedding_backlog b "
        "join public.store_items i on i.id = b.owner_id where b.scope_id = $1",
        person.id,
    )
    await admin.close()
    assert waiting == ["without"]


async def test_the_backlog_gives_vectors_to_items(fresh: DatabaseAccess) -> None:
    from stead.db import PoolConfig  # noqa: PLC0415
    from tests.support.people import make_tenant  # noqa: PLC0415

    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=4))
    try:
        person = await make_person(db, await make_tenant(fresh))
        # Without a text there is no vector to be made, and no text that an embedder could stumble over.
        await put(
            db, person, new("k", {}, search_text="a blue bicycle"), new("gone", {}, search_text="x")
        )
        await put(db, person, new("gone", {}))
        assert await knowledge.embed_backlog(db, EMBEDDER) == 2
        (found,) = await search(db, person, question="cycling")
        assert found.key == "k"
        assert (found.score or 0) > 0
    finally:
        await db.close()


async def test_namespaces(db: Database, person: Person) -> None:
    names = [("a", "b", "c"), ("a", "b", "d", "e"), ("a", "x", "c"), ("q",), ("a", "b")]
    await put(db, person, *(new("k", {}, *name) for name in names))

    async def told(*patterns: Pattern, **page: Any) -> list[tuple[str, ...]]:
        async with db.transaction(person.principal.served()) as tx:
            return await items.namespaces(tx, owner_of(person), patterns=patterns, **page)

    def prefix(*labels: str) -> Pattern:
        return Pattern(at="prefix", labels=labels)

    def suffix(*labels: str) -> Pattern:
        return Pattern(at="suffix", labels=labels)

    assert await told() == sorted(names)
    assert await told(prefix("a", "b")) == [("a", "b"), ("a", "b", "c"), ("a", "b", "d", "e")]
    assert await told(prefix("a", "*", "c")) == [("a", "b", "c"), ("a", "x", "c")]
    assert await told(prefix("*", "x")) == [("a", "x", "c")]
    assert await told(suffix("c")) == [("a", "b", "c"), ("a", "x", "c")]
    assert await told(suffix("b", "*")) == [("a", "b", "c")]
    assert await told(prefix("a"), suffix("e")) == [("a", "b", "d", "e")]
    assert await told(max_depth=1) == [("a",), ("q",)]
    assert await told(max_depth=2, limit=2, offset=1) == [("a", "x"), ("q",)]
    assert await told(max_depth=10**9) == sorted(names)
    assert await told(prefix("a", "b", "c", "d", "e")) == []


async def test_what_is_over_is_found_no_more_and_begins_anew(
    db: Database, access: DatabaseAccess, person: Person
) -> None:
    await put(db, person, new("k", {"n": 1}, ttl_s=60.0, search_text="blue"), new("kept", {}))
    first = await get(db, person, ("a",), "k")
    assert first is not None
    admin = await asyncpg.connect(access.admin_url)

    async def let_pass(seconds: float) -> None:
        await admin.execute(
            "update public.store_items set expires_at = expires_at - make_interval(secs => $2), "
            "created_at = created_at - make_interval(secs => $2) where profile_id = $1 and ttl_s is not null",
            person.id,
            seconds,
        )

    await let_pass(50)
    async with db.transaction(person.principal.served()) as tx:
        found = await items.get(tx, owner_of(person), [(("a",), "k"), (("a",), "kept")])
        assert await items.refresh(tx, owner_of(person), found.values()) == 1
    await let_pass(50)
    assert await get(db, person, ("a",), "k") is not None  # it was read in between
    await let_pass(50)
    assert await get(db, person, ("a",), "k") is None
    assert [item.key for item in await search(db, person)] == ["kept"]
    assert await search(db, person, question="blue") == []
    async with db.transaction(person.principal.served()) as tx:
        assert await items.namespaces(tx, owner_of(person)) == [("a",)]

    await put(db, person, new("k", {"n": 2}, ttl_s=60.0))
    again = await get(db, person, ("a",), "k")
    assert again is not None
    assert again.created_at > first.created_at
    await let_pass(100)
    assert await items.sweep(db) >= 1
    left = await admin.fetchval(
        "select count(*) from public.store_items where profile_id = $1", person.id
    )
    await admin.close()
    assert left == 1


async def test_each_sees_its_own(
    db: Database, access: DatabaseAccess, tenant: Tenant, person: Person, stranger: Person
) -> None:
    colleague = await make_person(db, tenant, "bob")
    visitor = anonymous(tenant, uuid.uuid4())
    async with db.transaction(visitor.served()) as tx:
        await sessions.open_session(tx, visitor)
    everybody = [person.principal, colleague.principal, stranger.principal, visitor, service(tenant)]
    for n, principal in enumerate(everybody):
        async with db.transaction(principal.served()) as tx:
            one = new("k", {"n": n}, search_text="the same words")
            await items.put(tx, items.owner_of(principal), [one], embedder=EMBEDDER)

    for n, principal in enumerate(everybody):
        async with db.transaction(principal.served()) as tx:
            owner = items.owner_of(principal)
            got = await items.get(tx, owner, [(("a",), "k")])
            found = await items.search(tx, owner, (), embedder=EMBEDDER, question="same words")
        assert [item.value for item in (*got.values(), *found)] == [{"n": n}] * 2

    # Naming another's scope brings nothing of it.
    for other in (colleague.principal, stranger.principal, visitor, service(tenant)):
        owner = items.owner_of(other)
        async with db.transaction(person.principal.served()) as tx:
            assert await items.get(tx, owner, [(("a",), "k")]) == {}
            assert await items.search(tx, owner, (), embedder=EMBEDDER) == []
            assert await items.delete(tx, owner, [(("a",), "k")]) == 0
            assert await items.namespaces(tx, owner) == []
        with pytest.raises(asyncpg.PostgresError):
            async with db.transaction(person.principal.served()) as tx:
                await items.put(tx, owner, [new("k", {"n": "mine"})], embedder=EMBEDDER)


async def test_a_linked_sessions_items_become_the_persons(
    db: Database, tenant: Tenant, person: Person
) -> None:
    visitor = anonymous(tenant, uuid.uuid4())
    assert visitor.session_id is not None
    async with db.transaction(visitor.served()) as tx:
        await sessions.open_session(tx, visitor)
        both = [
            new("both", {"of": "session"}),
            new("own", {"of": "session"}, search_text="a blue bicycle"),
        ]
        await items.put(tx, items.owner_of(visitor), both, embedder=EMBEDDER)
    await put(db, person, new("both", {"of": "person"}))
    async with db.transaction(service(tenant)) as tx:
        assert await items.move_session(tx, service(tenant), visitor.session_id, person.id) == 1

    assert {i.key: i.value["of"] for i in await search(db, person)} == {
        "both": "person",
        "own": "session",
    }
    (found,) = await search(db, person, question="bicycle", vector=None)
    assert found.key == "own"
    async with db.transaction(visitor.served()) as tx:
        assert await items.search(tx, items.owner_of(visitor), (), embedder=EMBEDDER) == []


async def test_writers_of_the_same_keys_do_not_wait_for_each_other_for_ever(
    db: Database, person: Person
) -> None:
    keys = [f"k{n}" for n in range(20)]

    async def write(n: int) -> None:
        order = keys if n % 2 else keys[::-1]
        await put(db, person, *(new(key, {"n": n}, ttl_s=60.0) for key in order))

    async def read() -> None:
        async with db.transaction(person.principal.served()) as tx:
            found = await items.get(tx, owner_of(person), [(("a",), key) for key in keys])
            await items.refresh(tx, owner_of(person), found.values())

    await asyncio.gather(*(write(n) for n in range(8)), *(read() for _ in range(4)))
    values = {item.value["n"] for item in await search(db, person, limit=100)}
    assert len(values) == 1  # each batch is written whole


LONG = "x" * 2000


@pytest.mark.parametrize(
    "bad",
    [
        NewItem(namespace=(), key="k", value={}),
        NewItem(namespace=("a",) * 33, key="k", value={}),
        NewItem(namespace=("a.b",), key="k", value={}),
        NewItem(namespace=("a", ""), key="k", value={}),
        NewItem(namespace=("a", 1), key="k", value={}),  # type: ignore[arg-type]
        NewItem(namespace=("a\x00",), key="k", value={}),
        NewItem(namespace=("\ud800",), key="k", value={}),
        NewItem(namespace=("a",), key="", value={}),
        NewItem(namespace=("a",), key="k\x00", value={}),
        NewItem(namespace=("a",), key=LONG, value={}),
        NewItem(namespace=(LONG,), key="k", value={}),
        NewItem(namespace=("a",), key="k", value={"v": float("nan")}),
        NewItem(namespace=("a",), key="k", value={"v": "a\x00b"}),
        NewItem(namespace=("a",), key="k", value={"v": "\ud800"}),
        NewItem(namespace=("a",), key="k", value={"v": {1}}),
        NewItem(namespace=("a",), key="k", value={"v": "x" * 1_100_000}),
        NewItem(namespace=("a",), key="k", value={}, ttl_s=0),
        NewItem(namespace=("a",), key="k", value={}, ttl_s=float("nan")),
        NewItem(namespace=("a",), key="k", value={}, ttl_s=float("inf")),
        NewItem(namespace=("a",), key="k", value={}, search_text=""),
    ],
    ids=lambda item: str(item)[:80],
)
async def test_what_cannot_be_stored_is_refused_and_nothing_is(
    db: Database, person: Person, bad: NewItem
) -> None:
    with pytest.raises(ItemInvalid):
        await put(db, person, new("good", {}), bad)
    assert await search(db, person) == []


@pytest.mark.parametrize(
    "value",
    [
        {"v": "\\u0000"},
        {"v": "\\\\u0000 \u2028 \U0001f9ff"},
        {"": {"": [[], {}]}},
        {"v": 10**300, "w": -1.5e-300},
        {"v": "x" * 900_000},
        {"שלום": "مرحبا", "v": "'; drop table store_items; --"},
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_what_can_be_stored_comes_back_as_it_was(
    db: Database, person: Person, value: dict[str, Any]
) -> None:
    await put(db, person, new("k", value))
    found = await get(db, person, ("a",), "k")
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": -1},
        {"limit": 10_001},
        {"offset": -1},
        {"offset": 2**31},
        {"conditions": [Condition(path=("v",), operator="$regex", operand="x")]},  # type: ignore[arg-type]
        {"conditions": [Condition(path=("v",), operator="$gt", operand=None)]},
        {"conditions": [Condition(path=("v",), operator="$gt", operand=True)]},
        {"conditions": [Condition(path=("v",), operator="$eq", operand="\x00")]},
        {"conditions": [Condition(path=("v\x00",), operator="$eq", operand=1)]},
    ],
    ids=str,
)
async def test_what_cannot_be_asked_is_refused(
    db: Database, person: Person, asked: dict[str, Any]
) -> None:
    with pytest.raises(ItemInvalid):
        await search(db, person, **asked)


@pytest.mark.parametrize(
    ("namespace", "key"),
    [
        (["a.b"], "k"),
        (["a", ""], "k"),
        ([None], "k"),
        ([], "k"),
        (["a"], ""),
        (["a"], LONG),
        (["a"] * 33, "k"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_the_database_refuses_it_too(
    access: DatabaseAccess, person: Person, namespace: list[str], key: str
) -> None:
    admin = await asyncpg.connect(access.admin_url)
    try:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await admin.execute(
                "insert into public.store_items (tenant_id, profile_id, namespace, key, value) "
                "values ($1, $2, $3, $4, '{}')",
                person.tenant.id,
                person.id,
                namespace,
                key,
            )
    finally:
        await admin.close()


async def test_reading_a_key_and_a_prefix_uses_the_index(
    access: DatabaseAccess, db: Database, person: Person
) -> None:
    await put(db, person, *(new(f"k{n}", {}, "a", f"n{n % 50}") for n in range(3000)))
    admin = await asyncpg.connect(access.admin_url)
    await admin.execute("analyze public.store_items")
    await admin.close()
    async with db.transaction(person.principal.served()) as tx:
        below = await tx.rows(
            "explain select key from public.store_items where tenant_id = $1 and scope_id = $2 "
            "and path >= 'a.n7.' and path < 'a.n7/'",
            person.tenant.id,
            person.id,
        )
    plan = "\n".join(row[0] for row in below)
    assert "store_items_tenant_id_scope_id_path_key_key" in plan
    assert "Index Cond" in plan
    assert "path >=" in plan.partition("Index Cond")[2].partition("\n")[0]
