"""Search over evidence, patterns and agents; by words and meaning, and by a vector as a remote procedure."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from stead import knowledge, memory
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, Row, StaticActor
from stead.identity import Principal
from stead.memory import NewMemory
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.memory.test_recall import AT
from tests.support.people import Person, service


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return build_embedder("static", EmbedderConfig())


async def settle(db: Database, embedder: Embedder) -> None:
    while await knowledge.embed_backlog(db, embedder):
        pass


async def add_evidence(
    db: Database, who: Principal, *texts: str, kind: str = "tool_output"
) -> list[Any]:
    async with db.transaction(who) as tx:
        return [
            await tx.value(
                "insert into evidence_embeddings (tenant_id, source_type, source_id, content) "
                "values ($1, $2, $3, $4) returning id",
                who.tenant.id, kind, new_id(), text,
            )
            for text in texts
        ]  # fmt: skip


async def find(
    db: Database, who: Principal, embedder: Embedder, kind: str, question: str, **options: Any
) -> list[knowledge.Hit]:
    vector = (await embedder.embed([question]))[0] if options.pop("dense", True) else None
    async with db.transaction(who) as tx:
        return await knowledge.search(
            tx, kind, who.tenant.id, question, embedder=embedder, vector=vector, **options
        )


async def rpc(db: Database, actor: StaticActor, name: str, vector: list[float], *args: Any) -> list[Row]:
    async with db.transaction(actor) as tx:
        if name == "match_patterns":
            return await tx.rows("select * from match_patterns($1, $2, $3)", vector, *args)
        return await tx.rows("select * from match_memories($1, $2, $3)", vector, *args)


def as_role(role: Any, **claims: Any) -> StaticActor:
    return StaticActor.of(role, {key: str(value) for key, value in claims.items()})


async def test_evidence_is_found_by_words_and_by_meaning_within_its_tenant(
    db: Database, person: Person, stranger: Person, embedder: Embedder
) -> None:
    ours, theirs = service(person.tenant), service(stranger.tenant)
    texts = ("Invoice 4711 was paid late.", "The dog bit the postman.", "Servers were restarted twice.")
    paid, dog, _ = await add_evidence(db, ours, *texts)
    await add_evidence(db, theirs, "Invoice 4711 of somebody else.")
    by_words = await find(db, ours, embedder, "evidence", "invoice 4711", dense=False)
    assert by_words[0].owner_id == paid
    assert len(by_words) == 3, "what no arm knows fills up"
    await settle(db, embedder)
    assert (await find(db, ours, embedder, "evidence", "puppy attacked the mailman"))[0].owner_id == dog
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction(person.principal.served()) as tx:
            await knowledge.search(tx, "evidence", new_id(), "invoice", embedder=embedder, vector=None)


async def test_an_index_entry_goes_and_changes_with_its_row(
    db: Database, person: Person, embedder: Embedder, access: DatabaseAccess
) -> None:
    ours = service(person.tenant)
    one, other = await add_evidence(db, ours, "A zebra.", "A giraffe.")
    await settle(db, embedder)
    async with db.transaction(ours) as tx:
        await tx.execute("update evidence_embeddings set content = 'A walrus.' where id = $1", one)
        await tx.execute("delete from evidence_embeddings where id = $1", other)
    found = await find(db, ours, embedder, "evidence", "zebra walrus", dense=False)
    assert [(h.owner_id, bool(h.lexical)) for h in found] == [(one, True)]
    admin = await asyncpg.connect(access.admin_url)
    try:
        for table in ("embeddings", "search_docs", "embedding_backlog"):
            count = f"select count(*) from stead.{table} where owner_id = $1"
            assert await admin.fetchval(count, other) == 0
        waiting = "select count(*) from stead.embedding_backlog where owner_id = $1"
        assert await admin.fetchval(waiting, one) == 1, "the old vector is no longer its vector"
        totals = await admin.fetchrow(
            "select sum(docs) as docs, sum(length) as length from stead.search_totals "
            "where tenant_id = $1 and kind = 'evidence'", ours.tenant.id,
        )  # fmt: skip
        docs = await admin.fetchrow(
            "select count(*) as docs, sum(length) as length from stead.search_docs "
            "where tenant_id = $1 and kind = 'evidence'", ours.tenant.id,
        )  # fmt: skip
        assert tuple(totals) == tuple(docs)
    finally:
        await admin.close()


async def test_agents_are_found_among_ones_own_and_the_shared(
    db: Database, person: Person, stranger: Person, embedder: Embedder
) -> None:
    word = f"quokka{new_id().hex[:8]}"
    for who in (person, stranger):
        async with db.transaction(service(who.tenant)) as tx:
            await tx.execute(
                "insert into agents (tenant_id, slug, name, description) values ($1, 'zoo', 'Zoo', $2)",
                who.tenant.id, f"Feeds the {word} and writes reports.",
            )  # fmt: skip
    found = await find(db, service(person.tenant), embedder, "agent", word, dense=False, shared=True)
    async with db.transaction(service(person.tenant)) as tx:
        seen = await tx.rows(
            "select slug from agents where id = any ($1)", [h.owner_id for h in found if h.lexical]
        )
    assert [row["slug"] for row in seen] == ["zoo"]


async def test_match_patterns_as_a_frontend_calls_it(
    db: Database, person: Person, stranger: Person, embedder: Embedder, access: DatabaseAccess
) -> None:
    async with db.transaction(service(person.tenant)) as tx:
        for kind, name in (("saas", "subscription billing"), ("social", "a feed of friends' photos")):
            await tx.execute(
                "insert into pattern_embeddings (tenant_id, project_type, metadata, success_score) "
                "values ($1, $2, $3, 0.9)", person.tenant.id, kind, {"pattern": name},
            )  # fmt: skip
    async with db.transaction(service(stranger.tenant)) as tx:
        await tx.execute(
            "insert into pattern_embeddings (tenant_id, project_type) values ($1, 'saas')",
            stranger.tenant.id,
        )
    admin = await asyncpg.connect(access.admin_url)
    try:
        await admin.execute(
            "insert into pattern_embeddings (project_type) values ('shared monthly billing')"
        )
    finally:
        await admin.close()
    await settle(db, embedder)
    (vector,) = await embedder.embed(["monthly subscription billing"])
    somebody = as_role("authenticated", tenant_id=person.tenant.id, sub=person.id)
    found = await rpc(db, somebody, "match_patterns", [2 * x for x in vector], 10, None)
    mine = [row["project_type"] for row in found]
    assert mine.index("saas") < mine.index("social")
    assert "shared monthly billing" in mine
    assert mine.count("saas") == 1
    assert -1 <= found[0]["similarity"] <= 1.001, "a vector of any length is made one of unit length"
    only = await rpc(db, somebody, "match_patterns", vector, 10, "social")
    assert [row["project_type"] for row in only] == ["social"]
    assert len(await rpc(db, somebody, "match_patterns", vector, 1, None)) == 1
    with pytest.raises(asyncpg.InvalidParameterValueError, match="3 dimensions"):
        await rpc(db, somebody, "match_patterns", [1.0, 0.0, 0.0], 1, None)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rpc(db, as_role("anon"), "match_patterns", vector, 1, None)


async def test_match_memories_shows_ones_own_that_hold(
    db: Database, person: Person, stranger: Person, embedder: Embedder
) -> None:
    for who, text in ((person, "I have a sick dog."), (stranger, "I have a sick cat.")):
        ready = await memory.prepare(embedder, [NewMemory(content=text, happened_at=AT)])
        async with db.transaction(who.principal.served()) as tx:
            await memory.remember(
                tx, who.principal, session_id=None, profile_id=who.id, memories=ready, embedder=embedder
            )
    (vector,) = await embedder.embed(["an ill puppy"])
    mine = as_role("authenticated", tenant_id=person.tenant.id, sub=person.id)
    assert [r["content"] for r in await rpc(db, mine, "match_memories", vector, 5, None)] == [
        "I have a sick dog."
    ]
    assert await rpc(db, mine, "match_memories", vector, 5, "turn") == []
    whole = as_role("stead_service", tenant_id=person.tenant.id)
    assert len(await rpc(db, whole, "match_memories", vector, 5, None)) == 1
    for nobody in (as_role("authenticated", tenant_id=person.tenant.id), as_role("anon")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rpc(db, nobody, "match_memories", vector, 5, None)


async def test_documented_columns_read_the_shared_table(
    db: Database, person: Person, stranger: Person, embedder: Embedder
) -> None:
    ready = await memory.prepare(embedder, [NewMemory(content="I have a dog.", happened_at=AT)])
    async with db.transaction(person.principal.served()) as tx:
        await memory.remember(
            tx,
            person.principal,
            session_id=None,
            profile_id=person.id,
            memories=ready,
            embedder=embedder,
        )
    async with db.transaction(as_role("authenticated", tenant_id=person.tenant.id, sub=person.id)) as tx:
        shown = await tx.value("select m.embedding from agent_memories m")
        memory_id = await tx.value("select id from agent_memories")
    assert json.loads(shown) if isinstance(shown, str) else len(shown) == embedder.dimensions
    async with db.transaction(
        as_role("authenticated", tenant_id=stranger.tenant.id, sub=stranger.id)
    ) as tx:
        forged = await tx.value(
            "select embedding(jsonb_populate_record(null::agent_memories, $1))",
            {"id": str(memory_id), "tenant_id": str(person.tenant.id)},
        )
    assert forged is None


async def test_another_model_takes_over_without_ddl(db: Database, person: Person) -> None:
    """Vectors of two models side by side; what has none yet is found by words meanwhile."""
    from tests.servers.openai import OpenAIServer  # noqa: PLC0415 - only here

    ours = service(person.tenant)
    static = build_embedder("static", EmbedderConfig())
    (only,) = await add_evidence(db, ours, "The kiln is broken.")
    await settle(db, static)
    async with OpenAIServer() as vendor:
        remote = build_embedder(
            "openai/text-embedding-3-small@32",
            EmbedderConfig(openai_api_key="k", openai_base_url=vendor.base_url),
        )
        before = await find(db, ours, remote, "evidence", "kiln")
        assert (before[0].owner_id, before[0].dense) == (only, None)
        while await knowledge.reindex(db, remote):
            pass
        await settle(db, remote)
        after = await find(db, ours, remote, "evidence", "kiln")
        assert after[0].dense is not None
        assert await knowledge.reindex(db, remote) == 0
        assert (await find(db, ours, static, "evidence", "kiln"))[0].dense is not None
        while await knowledge.forget_model(db, remote.model_id):
            pass
        assert (await find(db, ours, remote, "evidence", "kiln"))[0].dense is None
        assert (await find(db, ours, static, "evidence", "kiln"))[0].dense is not None
        await remote.aclose()
