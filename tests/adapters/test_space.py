"""Memory as an object: for a person, for a session, in two processes, and for nobody else."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime

import asyncpg
import pytest
import pytest_asyncio

from stead import Stead, sessions
from stead.adapters import MemorySpace, open_space, people
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant, anonymous
from stead.identity.errors import TenantMismatch, TenantUnknown
from stead.memory import NewMemory
from stead.memory.errors import MemoryInvalid, MemoryOwnerUnknown, MemorySuperseded, MemoryUnknown
from stead.providers.embedders import EmbedderConfig, EmbedderUnknown, build_embedder
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply
from tests.support.people import Person, make_person, service

EMBEDDER = build_embedder("static", EmbedderConfig())


@pytest_asyncio.fixture
async def space(db: Database, person: Person) -> MemorySpace:
    return MemorySpace(db, person.principal, EMBEDDER)


async def test_remember_recall_update_history_delete(space: MemorySpace) -> None:
    done = await space.remember("I live in Porto.", "I ride a blue bicycle.", metadata={"from": "form"})
    home, _ = done.stored
    found = await space.recall("what colour is the bike", limit=1)
    assert [r.memory.content for r in found] == ["I ride a blue bicycle."]
    memory = await space.get(home)
    assert (memory.source, memory.metadata) == ("api", {"from": "form"})
    assert memory.message_ids == []

    now = await space.update(home, content="I live in Lisbon.", importance=0.75)
    assert (now.content, now.importance) == ("I live in Lisbon.", 0.75)
    assert [m.content for m in await space.history(now.id)] == ["I live in Porto.", "I live in Lisbon."]
    with pytest.raises(MemorySuperseded):
        await space.update(home, content="I live in Braga.")
    page = await space.list()
    assert sorted(m.content for m in page.items) == ["I live in Lisbon.", "I ride a blue bicycle."]
    assert len((await space.list(include_superseded=True)).items) == 3
    first = await space.list(limit=1)
    (second,) = (await space.list(limit=1, before=first.next_before)).items
    assert second.id != first.items[0].id

    assert await space.delete(now.id) == 2
    with pytest.raises(MemoryUnknown):
        await space.get(home)


async def test_memories_with_a_topic_supersede(space: MemorySpace) -> None:
    def lives(where: str) -> NewMemory:
        return NewMemory(content=f"I live in {where}.", topic="residence", happened_at=datetime.now(UTC))

    (old,) = (await space.remember(lives("Porto"))).stored
    done = await space.remember(lives("Lisbon"))
    assert done.superseded == [old]
    assert (await space.get(old)).superseded_by == done.stored[0]
    again = await space.remember(lives("Lisbon"))
    assert (again.stored, again.reinforced) == ([], done.stored)


async def test_all_or_nothing(space: MemorySpace) -> None:
    for bad in ("", "x" * 100_001):
        with pytest.raises(MemoryInvalid, match=r"contents\[1\]"):
            await space.remember("I live in Porto.", bad)
    assert (await space.list()).items == []
    assert (await space.remember()).stored == []


async def test_it_is_its_owners_only(
    db: Database, tenant: Tenant, space: MemorySpace, stranger: Person
) -> None:
    (mine,) = (await space.remember("I live in Porto.")).stored
    colleague = await make_person(db, tenant, "bob")
    for other in (colleague.principal, stranger.principal):
        theirs = MemorySpace(db, other, EMBEDDER)
        assert [r.memory for r in await theirs.recall("where do I live")] == []
        for attempt in (theirs.get(mine), theirs.delete(mine), theirs.history(mine),
                        theirs.update(mine, content="I live nowhere.")):  # fmt: skip
            with pytest.raises(MemoryUnknown):
                await attempt
    assert (await space.get(mine)).content == "I live in Porto."


async def test_the_memory_of_a_session(db: Database, tenant: Tenant, person: Person) -> None:
    visitor = anonymous(tenant, uuid.uuid4())
    async with db.transaction(visitor.served()) as tx:
        session, _ = await sessions.open_session(tx, visitor)
    await MemorySpace(db, visitor, EMBEDDER).remember("I live in Porto.")
    by_service = MemorySpace(db, service(tenant), EMBEDDER, session_id=session.id)
    assert [m.content for m in (await by_service.list()).items] == ["I live in Porto."]

    with pytest.raises(MemoryInvalid):  # a service says whose
        await MemorySpace(db, service(tenant), EMBEDDER).remember("I live in Porto.")
    for bad in (session.id, uuid.uuid4()):  # of somebody else, of nobody
        with pytest.raises(MemoryOwnerUnknown):
            await MemorySpace(db, person.principal, EMBEDDER, session_id=bad).remember("I sing.")


async def test_two_programs_share_what_is_remembered(access: DatabaseAccess, tenant: Tenant) -> None:
    who = {"tenant": tenant.slug, "profile": "user_2abc"}
    async with (
        open_space(access.runtime_url, **who) as one,
        open_space(access.runtime_url, embedder=EMBEDDER, **who) as two,
    ):
        assert one.principal.profile_id == two.principal.profile_id
        await asyncio.gather(*(s.remember("I ride a blue bicycle.") for s in (one, two) * 4))
        assert [r.memory.content for r in await two.recall("bike")] == ["I ride a blue bicycle."]


async def test_people_by_address_id_and_subject(
    access: DatabaseAccess, db: Database, tenant: Tenant, person: Person, stranger: Person
) -> None:
    assert (await people.person(db, tenant, person.email)).profile_id == person.id
    assert (await people.person(db, tenant, str(person.id))).profile_id == person.id
    made = await people.person(db, tenant, "user_9")
    assert (await people.person(db, tenant, "user_9")).profile_id == made.profile_id
    with pytest.raises(TenantMismatch):
        await people.person(db, tenant, str(stranger.id))
    with pytest.raises(TenantUnknown):
        await people.find_tenant(db, "no-such-tenant")
    with pytest.raises(EmbedderUnknown):
        async with open_space(access.runtime_url, tenant=tenant.slug, profile="x", embedder="none"):
            pass


async def test_an_embedder_that_fails_delays_nothing(db: Database, person: Person) -> None:
    async with OpenAIServer() as server:
        embedder = build_embedder(
            "openai/text-embedding-3-small",
            EmbedderConfig(openai_api_key="x", openai_base_url=server.base_url),
        )
        space = MemorySpace(db, person.principal, embedder)
        server.embedding_replies.extend([Reply(status=401)] * 2)
        await space.remember("The alarm code is QX-4471.")
        (found,) = await space.recall("QX-4471")
        assert found.scores.dense is None
        await space.remember("I ride a blue bicycle.")
        assert (await space.recall("I ride a blue bicycle."))[0].scores.dense is not None
        await embedder.aclose()


async def test_an_application_opens_one(access: DatabaseAccess, tenant: Tenant) -> None:
    app = Stead(database_url=access.runtime_url)
    async with app.memory(tenant.slug, "ann@example.com") as space:
        await space.remember("I live in Porto.")
        assert (await space.list()).items[0].content == "I live in Porto."
    connection = await asyncpg.connect(access.admin_url)
    kept = await connection.fetchval(
        "select email from public.profiles where id = $1", space.principal.profile_id
    )
    await connection.close()
    assert kept == "ann@example.com"
