"""Forgetting leaves no trace: of a person, of a session, of one memory; whatever dies or goes on meanwhile."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio

from stead import audit, knowledge, memory
from stead.agents import queries as agent_queries
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, Transaction
from stead.db.embedded import EmbeddedServer
from stead.identity import Principal, tenant_service
from stead.jobs import (
    Answer,
    JobContext,
    JobRegistry,
    NewJob,
    Question,
    Worker,
    WorkerConfig,
    enqueue,
    jobs,
)
from stead.jobs import queries as job_queries
from stead.memory import NewMemory, forgetting, queries
from stead.memory.cognition import beliefs, goals, graph, metrics
from stead.memory.cognition.models import Evidence, Holder
from stead.memory.errors import MemoryOwnerUnknown
from stead.memory.items import items
from stead.memory.items.models import NewItem, Owner
from stead.processes import Heartbeat
from stead.realtime import Hub, Wanted
from tests.agents.vendors import Vendor, stored_text, vendor_of
from tests.http.conftest import Logs, captured_logs
from tests.servers.script import Reply, ToolCall
from tests.support import cluster as clusters
from tests.support.people import (
    Person,
    make_person,
    make_tenant,
    open_session,
    service,
    service_headers,
)
from tests.support.servers import say
from tests.support.traces import Canaries, Traces

PATH = "/agents/memories/forget"
AT = datetime(2026, 5, 7, 12, tzinfo=UTC)
#: Where a person's id may stand afterwards: that they were forgotten is on record.
AUDIT = {"public.audit_log", "public.audit_logs"}
#: Tables of people that the life below does not fill, and why.
NOT_LIVED = {
    "stead.waiting_runs": "a run that waits; tests/agents/test_waiting_runs.py has one forgotten",
    "stead.vector_indexes": "a person with twenty thousand memories; the owner drops the index",
}


@dataclass
class Place:
    """A database of these tests' own, a server on it, and a model that answers as it is told."""

    vendor: Vendor
    traces: Traces

    @property
    def db(self) -> Database:
        return self.vendor.running.parts.db

    @property
    def client(self) -> httpx.AsyncClient:
        return self.vendor.running.client

    async def work(self) -> None:
        """What a worker would do by now."""
        parts = self.vendor.running.parts
        while await knowledge.embed_backlog(self.db, parts.runtime.embedder):
            pass
        while await audit.seal(self.db, parts.audit_key):
            pass

    async def forget(self, person: Person, **what: Any) -> dict[str, Any]:
        answer = await self.client.post(PATH, json=what, headers=person.headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["finished"] is True
        return answer.json()["erased"]

    async def at_rest(self) -> bool:
        """Whether no run is under way here."""
        return not self.vendor.running.parts.runtime.active

    async def has_runs(self, person: Person, count: int) -> bool:
        """Whether a person has begun so many runs."""
        return len(await runs_of(self, person)) >= count

    async def acts(self, subject: UUID | str) -> list[str]:
        """What the audit log says was done with something."""
        rows = await self.traces.admin.fetch(
            "select action from public.audit_log where subject_id = $1 order by id", str(subject)
        )
        return [row["action"] for row in rows]

    async def audit_is_sound(self, person: Person) -> None:
        await self.work()
        async with self.db.transaction(service(person.tenant), read_only=True) as tx:
            report = await audit.verify(tx, person.tenant)
        assert report.is_sound, report
        assert report.rows > 0


@pytest_asyncio.fixture(scope="module")
async def place(cluster: EmbeddedServer) -> AsyncIterator[Place]:
    async with (
        clusters.copy_of_template(cluster) as access,
        vendor_of("responses", access, memory_model="openai/priced") as vendor,
    ):
        assert access.admin_url is not None
        admin = await asyncpg.connect(access.admin_url)
        yield Place(vendor=vendor, traces=Traces(admin=admin, url=access.admin_url))
        await admin.close()


@pytest_asyncio.fixture
async def someone(place: Place, access: DatabaseAccess) -> Person:
    """A person of a tenant of this test's own, on the database of these tests."""
    tenant = await make_tenant(place_access(place))
    return await make_person(place.db, tenant)


def place_access(place: Place) -> DatabaseAccess:
    return DatabaseAccess(
        runtime_url=place.traces.url,
        admin_url=place.traces.url,
        listen_url=place.traces.url,
        server=None,
    )


async def until(check: Callable[..., Awaitable[object]], *arguments: object) -> None:
    """Waits for something that nothing announces."""
    for _ in range(3000):
        if await check(*arguments):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


async def live(place: Place, person: Person, words: Canaries) -> str:
    """Everything that a person can leave behind, each text with a word of its own; returns a session."""
    w, client, vendor = words.word, place.client, place.vendor
    headers = person.headers
    await place.traces.admin.execute(
        """
        update public.profiles set username = $2, full_name = $3, avatar_url = $4, company = $5,
          focus_industries = array[$6] where id = $1
        """,
        person.id, w("username"), w("full name"), w("avatar"), w("company"), w("industry"),
    )  # fmt: skip
    session = await open_session(client, person)
    for n in range(2):  # the second is answered from what was kept for the key
        answer = await client.patch(
            f"/api/session/{session}",
            json={
                "email": f"{w('email')}@example.com",
                "phone": w("phone"),
                "name": w("name"),
                "context": {"pricing": {"dayRate": w("day rate"), "notes": [w("note 1"), w("note 2")]}},
            },
            headers={**headers, "idempotency-key": w("patch key")},
        )
        assert answer.status_code == 200, (n, answer.text)

    async def turn(message: object, *replies: Reply, **body: Any) -> None:
        vendor.script(*replies)
        await say(client, headers, session, message, **body)  # type: ignore[arg-type]

    await turn(f"I live in {w('residence')}. My dog is called {w('pet')}.", Reply(text=[w("answer")]))
    await turn(f"Actually, I moved to {w('new residence')}.", Reply(text=["Ah, ", w("second answer")]))
    await turn(
        {"id": w("client id"), "role": "user", "parts": [{"type": "text", "text": w("in parts")}]},
        Reply(reasoning=[w("reasoning")], text=["Yes."]),
    )
    await turn(
        f"Say {w('tool input')}",
        Reply(tool_calls=[ToolCall(name="echo", arguments={"text": w("tool argument")})]),
        Reply(text=[w("after the tool")]),
        agentId="calculator",
    )
    # A vendor's error may quote what it was sent.
    await turn(w("refused"), Reply(status=400, error_message=f"cannot read {w('vendor error')}"))
    vendor.script(Reply(status=500))
    assert await vendor.running.parts.runtime.extract() == 1

    stored = await client.post(
        "/agents/memories",
        json={
            "memories": [
                {"content": f"I owe {w('api memory')} ten.", "topic": w("topic"),
                 "metadata": {w("metadata key"): w("metadata")}},
                {"content": f"I play the {w('older version')}.", "kind": "summary"},
            ]
        },
        headers={**headers, "idempotency-key": w("memory key")},
    )  # fmt: skip
    assert stored.status_code == 201, stored.text
    changed = await client.patch(
        f"/agents/memories/{stored.json()['stored'][1]}",
        json={"content": f"I play the {w('newer version')}."},
        headers=headers,
    )
    assert changed.status_code == 200, changed.text
    await client.post(
        "/agents/memories/search", json={"query": f"Where is {w('question')}?"}, headers=headers
    )
    await _hire(place, person, session, w)
    await place.traces.admin.execute(
        """
        insert into public.message_feedback
          (tenant_id, session_id, profile_id, message_id, run_id, rating, comment)
        select tenant_id, session_id, profile_id, id, run_id, -1, $2 from public.messages
        where session_id = $1 and role = 'assistant' limit 1
        """,
        UUID(session), w("feedback"),
    )  # fmt: skip
    await place.traces.admin.execute(
        """
        insert into public.connected_accounts (tenant_id, profile_id, provider, toolkit, external_id, metadata)
        values ($1, $2, 'composio', 'github', $3, jsonb_build_object('name', $4::text))
        """,
        person.tenant.id, person.id, f"ca_{new_id()}", w("account"),
    )  # fmt: skip
    where = {"sessionId": session, "phase": w("phase"), "step": w("step"), "stepType": w("kind of step")}
    sent = await client.post(
        "/api/events",
        json={"events": [{"id": str(uuid.uuid4()), "event": "step.viewed", "properties": where}]},
        headers=headers,
    )
    assert sent.json() == {"accepted": 1, "repeated": 0}
    await _reflect(place, person, session, w)
    await _back(place, person, w)
    await _act(place, person, session, w)
    return session


async def _act(place: Place, person: Person, session: str, w: Any) -> None:
    """An action that an agent proposed for them, another one that they voted on, and a text in the audit log."""
    admin = place.traces.admin
    insert = """
        insert into public.outbox (tenant_id, tool_slug, tool_version, tool_digest, provider, arguments, risk,
          status, proposed_by, proposer_id, by_agent, session_id)
        values ($1, 'refund', '1', 'd', 'local', jsonb_build_object('why', $2::text), 'high', 'awaiting_approval',
          'agent:a', $3, true, $4)
        returning id
        """
    await admin.execute(insert, person.tenant.id, w("arguments"), person.id, UUID(session))
    other = await admin.fetchval(insert, person.tenant.id, "nothing", None, None)
    async with admin.transaction():
        await admin.execute(
            "insert into stead.approvers (tenant_id, profile_id) values ($1, $2)",
            person.tenant.id,
            person.id,
        )
        approval = await admin.fetchval(
            """
            insert into public.approvals (tenant_id, envelope_id, envelope_version, digest, risk, policy_version,
              expires_at, by_agent)
            select tenant_id, id, version, digest, risk, 1, now() + interval '1 day', true
            from public.outbox where id = $1 returning id
            """,
            other,
        )
        await admin.execute(
            "select set_config('stead.tenant', $1, true), set_config('stead.profile', $2, true)",
            str(person.tenant.id),
            str(person.id),
        )
        await admin.execute(
            """
            insert into public.approval_votes (tenant_id, approval_id, counts_for, profile_id, vote, reason,
              digest)
            select tenant_id, id, $2, $2, 'reject', $3, digest from public.approvals where id = $1
            """,
            approval,
            person.id,
            w("why not"),
        )
        await admin.execute(
            """
            insert into stead.approval_links (tenant_id, approval_id, profile_id, secret_digest, expires_at)
            values ($1, $2, $3, sha256('x'), now() + interval '1 day')
            """,
            person.tenant.id,
            approval,
            person.id,
        )
    service = tenant_service(person.tenant)
    async with place.db.transaction(service) as tx:
        await audit.record(
            tx,
            service,
            category="outbox",
            action="note",
            subject_profile_id=person.id,
            erasable={"note": w("audited text")},
        )


async def _hire(place: Place, person: Person, session: str, w: Any) -> None:
    slug = f"agent-{uuid.uuid4().hex[:8]}"
    await place.traces.admin.execute(
        "insert into public.agents (tenant_id, slug, name) values ($1, $2, 'Agent')",
        person.tenant.id,
        slug,
    )
    for path, body in (
        ("/api/agents/compare", {"goal": w("goal of a comparison"), "session_id": session,
                                 "agents": [slug], "reasons": "rules"}),
        ("/api/hire/waitlist", {"agent_session_id": session, "agent": slug, "message": w("waitlist"),
                                "email_override": f"{w('other email')}@example.com"}),
    ):  # fmt: skip
        answer = await place.client.post(path, json=body, headers=person.headers)
        assert answer.status_code == 201, answer.text


async def _back(place: Place, person: Person, w: Any) -> None:
    """Evidence of them, and a file."""
    headers = {**service_headers(person.tenant), "idempotency-key": str(uuid.uuid4())}
    recorded = await place.client.post(
        "/v1/evidence",
        json={"source_type": "proposal", "content": f"Refund {w('evidence')}.",
              "metadata": {"why": w("evidence metadata")}, "profile_id": str(person.id)},
        headers=headers,
    )  # fmt: skip
    assert recorded.status_code == 201, recorded.text
    stored = await place.client.post(
        "/v1/artifacts",
        params={"name": f"{w('file name')}.pdf", "profile_id": str(person.id)},
        content=b"a file",
        headers=service_headers(person.tenant),
    )
    assert stored.status_code == 201, stored.text


async def _reflect(place: Place, person: Person, session: str, w: Any) -> None:
    embedder = place.vendor.running.parts.runtime.embedder
    principal = person.principal
    holder = Holder(profile_id=person.id, session_id=UUID(session), agent_name=w("agent name"))
    async with place.db.transaction(principal.served()) as tx:
        goal, _ = await goals.add(
            tx, principal, f"Reach {w('goal')}", holder=holder, metadata={"why": w("why")}
        )
        await goals.assess(tx, principal, goal.id, 0.5, note=w("progress note"))
        run_id = await tx.value("select id from public.agent_runs order by number limit 1")
        await metrics.record(tx, principal, run_id, recall_hit_rate=0.5)
        one, _ = await beliefs.add(tx, principal, f"Likes {w('belief')}", holder=holder)
        two, _ = await beliefs.add(tx, principal, f"Hates {w('other belief')}", holder=holder)
        await graph.connect(tx, principal, one.id, two.id, "contradicts")
        await beliefs.weigh(
            tx, principal, one.id, Evidence(kind="memory", id=new_id(), direction="supports")
        )
        await items.put(
            tx,
            Owner(tenant_id=person.tenant.id, profile_id=person.id),
            [
                NewItem(
                    namespace=("notes", w("namespace")),
                    key=w("item key"),
                    value={"text": w("item")},
                    search_text=w("item text"),
                )
            ],
            embedder=embedder,
        )


async def test_a_person_leaves_no_trace(place: Place, someone: Person) -> None:
    words, others = Canaries(), Canaries()
    bystander = await make_person(place.db, someone.tenant, "bob")
    logs: Logs
    with captured_logs() as logs:
        await live(place, bystander, others)
        session = UUID(await live(place, someone, words))
        # Some vectors are made, some wait.
        await place.work()
        async with place.db.transaction(someone.principal.served()) as tx:
            await memory.remember(
                tx, someone.principal, session_id=None, profile_id=someone.id,
                memories=[NewMemory(content=words.word("waits for a vector"), happened_at=AT)],
                embedder=place.vendor.running.parts.runtime.embedder,
            )  # fmt: skip
        before = await place.traces.of(words.mark)
        assert {"public.messages", "public.agent_memories", "stead.stream_chunks"} <= before.keys()
        for unheard in ("question", "vendor error"):
            assert await place.traces.of(words.words.pop(unheard)) == {}
        # What was not stored proves nothing.
        assert await place.traces.unheard(words) == []
        known = (someone.id, session, *await runs_of(place, someone))
        lived = set(await place.traces.everything_of(*known))
        assert await place.traces.tables_of_people() - lived == NOT_LIVED.keys()
        theirs = await place.traces.everything_of(bystander.id)
        said_by_others = await place.traces.of(others.mark)

        erased = await place.forget(someone, everything=True)

    assert erased["profiles"] == 1
    assert all(erased[name] for name in ("messages", "memories", "runs", "stream_chunks", "sessions"))
    assert await place.traces.of(words.mark) == {}
    assert (await place.traces.everything_of(someone.id)).keys() <= AUDIT
    assert words.mark not in logs.text
    assert others.mark not in logs.text
    assert "request" in logs.text
    await place.traces.index_is_sound()
    assert await place.traces.everything_of(bystander.id) == theirs
    assert await place.traces.of(others.mark) == said_by_others
    await place.audit_is_sound(someone)
    assert await place.acts(someone.id) == ["forget_requested", "forget"]

    dump = await place.traces.dump()
    assert others.mark in dump
    assert words.mark not in dump
    assert {line.split()[2] for line in dump.splitlines() if str(someone.id) in line} == {
        "public.audit_log"
    }


async def runs_of(place: Place, person: Person) -> list[UUID]:
    rows = await place.traces.admin.fetch(
        "select id from public.agent_runs where profile_id = $1", person.id
    )
    return [row["id"] for row in rows]


async def test_a_session_leaves_no_trace_and_its_neighbour_stays(place: Place, someone: Person) -> None:
    gone, kept = Canaries(), Canaries()
    sessions: list[str] = []
    for words in (gone, kept):
        w = words.word
        session = await open_session(place.client, someone)
        sessions.append(session)
        await place.client.patch(
            f"/api/session/{session}",
            json={"context": {"budget": w("budget")}, "name": w("name")},
            headers=someone.headers,
        )
        place.vendor.script(Reply(text=[w("answer")]))
        await say(place.client, someone.headers, session, f"I collect {w('fact')} stamps.")
        async with place.db.transaction(someone.principal.served()) as tx:
            await goals.add(
                tx, someone.principal, w("goal"),
                holder=Holder(profile_id=someone.id, session_id=UUID(session)),
            )  # fmt: skip
    await place.work()
    before = await place.traces.of(kept.mark)
    assert await place.traces.of(gone.mark)

    erased = await place.forget(someone, session_id=sessions[0])

    assert (erased["sessions"], erased["profiles"], erased["messages"]) == (1, 0, 2)
    assert await place.traces.of(gone.mark) == {}
    assert (await place.traces.everything_of(UUID(sessions[0]))).keys() <= AUDIT
    assert await place.traces.of(kept.mark) == before
    await place.traces.index_is_sound()
    await place.audit_is_sound(someone)
    listed = await place.client.get("/api/sessions", headers=someone.headers)
    assert [s["id"] for s in listed.json()["items"]] == [sessions[1]]


async def facts(place: Place, person: Person) -> dict[str, str]:
    """Facts of a person by their content."""
    answer = await place.client.get(
        "/agents/memories",
        params={"kinds": "fact", "limit": 200, "include_superseded": True},
        headers=person.headers,
    )
    return {item["content"]: item["id"] for item in answer.json()["items"]}


def id_of(found: dict[str, str], word: str) -> str:
    (known,) = [key for content, key in found.items() if word in content]
    return known


async def test_one_memory_with_what_it_was_said_in(place: Place, someone: Person) -> None:
    gone, kept = Canaries(), Canaries()
    w, client = gone.word, place.client
    session = await open_session(client, someone)

    async def turn(message: str, answer: str, session: str = session) -> None:
        place.vendor.script(Reply(text=[answer]))
        await say(client, someone.headers, session, message)

    secret = f"My sister is called {w('secret')}"
    await turn(f"{secret}. I work as a {kept.word('job')}.", f"Hello to {w('secret')}!")
    await turn(f"I like {kept.word('like')}.", f"And {kept.word('answer')}.")
    # Another session: the answer uses the memory in words of its own, and somebody quotes it.
    other = await open_session(client, someone)
    await turn("What is the name of my sister?", f"Her name is {w('secret')}, your sister.", other)
    await turn(f"As I said, {secret}, remember?", "Yes.", other)
    await turn(f"I drink {kept.word('drink')}.", "Fine.", other)
    stored = await client.post(
        "/agents/memories", json={"memories": [{"content": f"{secret}. {w('more')}"}]},
        headers={**someone.headers, "idempotency-key": "k"},
    )  # fmt: skip
    assert stored.status_code == 201
    await place.work()
    found = await facts(place, someone)
    target = found[f"{secret}."]
    before = await place.traces.of(kept.words["drink"])

    erased = await place.forget(someone, memory_id=target)

    assert erased["memories"] >= 4
    assert erased["messages"] >= 5
    assert erased["runs"] >= 3
    assert await place.traces.of(gone.mark) == {}
    # The other fact of the same message stays, without the message; what has nothing to do with it stays whole.
    left = await facts(place, someone)
    assert {c for c in found if kept.mark in c} == {c for c in left if kept.mark in c}
    assert set(await place.traces.of(kept.words["job"])) == {"public.agent_memories"}
    assert await place.traces.of(kept.words["drink"]) == before
    assert {"public.messages", "public.agent_runs"} <= (
        await place.traces.of(kept.words["answer"])
    ).keys()
    messages = await client.get(f"/api/session/{session}/messages", headers=someone.headers)
    texts = [stored_text(m) for m in messages.json()["items"]]
    assert texts[:2] == ["[forgotten]"] * 2
    assert [kept.mark in t for t in texts[2:]] == [True, True]
    await place.traces.index_is_sound()
    await place.audit_is_sound(someone)
    assert await place.acts(target) == ["forget"]
    again = await client.post(PATH, json={"memory_id": target}, headers=someone.headers)
    assert (again.status_code, again.json()["code"]) == (404, "memory_unknown")
    # The conversation goes on.
    await turn(f"I also like {kept.word('later')}.", "Good.")
    sent = str(place.vendor.requests[-1].body)
    assert "[forgotten]" in sent
    assert gone.mark not in sent


async def test_one_memory_without_its_sources(place: Place, someone: Person) -> None:
    words = Canaries()
    session = await open_session(place.client, someone)
    place.vendor.script(Reply(text=["Nice."]))
    await say(place.client, someone.headers, session, f"My cat is called {words.word('cat')}.")
    await place.work()
    target = id_of(await facts(place, someone), words.word("cat"))

    assert await place.forget(someone, memory_id=target, sources=False) == {"memories": 1}

    left = await place.traces.of(words.mark)
    assert left.keys() >= {"public.messages", "public.agent_memories"}  # the turn
    assert (await place.traces.everything_of(UUID(target))).keys() <= {*AUDIT, "public.memory_logs"}
    await place.traces.index_is_sound()


async def test_versions_before_go_and_versions_after_stay(place: Place, someone: Person) -> None:
    words = Canaries()
    session = await open_session(place.client, someone)
    for city in ("first", "second", "third"):
        place.vendor.script(Reply(text=["I see."]))
        await say(place.client, someone.headers, session, f"I live in {words.word(city)}.")
    target = id_of(await facts(place, someone), words.word("second"))

    await place.forget(someone, memory_id=target)

    assert await place.traces.of(words.word("first")) == {}
    assert await place.traces.of(words.word("second")) == {}
    assert {"public.agent_memories", "public.messages"} <= (
        await place.traces.of(words.word("third"))
    ).keys()


async def test_an_answer_in_a_context_goes_with_its_memory(place: Place, someone: Person) -> None:
    words = Canaries()
    w = words.word
    session = await open_session(place.client, someone)
    context = {
        "pricing": {"dayRate": w("rate"), "newsletter": True, "places": [w("rate"), "Rome"]},
        "colour of the car": w("rate"),
        "guests": 3,
    }
    await place.client.patch(
        f"/api/session/{session}", json={"context": context}, headers=someone.headers
    )
    found = await facts(place, someone)

    async def context_now() -> dict[str, Any]:
        answer = await place.client.get(f"/api/session/{session}", headers=someone.headers)
        return answer.json()["context"]

    # The same value under another name is another answer.
    await place.forget(someone, memory_id=found[f"pricing, day rate: {w('rate')}"])
    assert await context_now() == {
        **context,
        "pricing": {k: v for k, v in context["pricing"].items() if k != "dayRate"},
    }  # type: ignore[attr-defined]
    await place.forget(someone, memory_id=found["pricing, newsletter: yes"])
    await place.forget(someone, memory_id=found[f"pricing, places: {w('rate')}, Rome"])
    assert await context_now() == {"colour of the car": w("rate"), "guests": 3}
    await place.forget(someone, memory_id=found["guests: 3"])
    await place.forget(someone, memory_id=found[f"colour of the car: {w('rate')}"])
    assert await context_now() == {}
    assert await place.traces.of(words.mark) == {}


async def test_a_short_memory_takes_no_other_words_along(place: Place, someone: Person) -> None:
    session = await open_session(place.client, someone)
    place.vendor.script(Reply(text=["Yes, this is it."]), Reply(text=["Yes."]))
    await say(place.client, someone.headers, session, "Is this it?")
    stored = await place.client.post(
        "/agents/memories", json={"memories": [{"content": "is"}]}, headers=someone.headers
    )
    erased = await place.forget(someone, memory_id=stored.json()["stored"][0])
    assert (erased["memories"], erased["messages"], erased["runs"]) == (1, 0, 0)


async def remember_many(place: Place, person: Person, count: int, words: Canaries) -> None:
    embedder = place.vendor.running.parts.runtime.embedder
    async with place.db.transaction(person.principal.served()) as tx:
        await queries.insert_memories(
            tx, person.tenant.id, person.id, None, person.id, embedder.model_id, embedder.dimensions,
            [(new_id(), NewMemory(content=f"{words.word('many')} number {n}", happened_at=AT))
             for n in range(count)],
        )  # fmt: skip


async def begin(place: Place, person: Person, steps: int, batch: int) -> UUID:
    """Begins to forget somebody, and stops after some steps as a process does that dies."""
    async with place.db.transaction(person.principal.served()) as tx:
        erasure = await queries.request_erasure(tx, "profile", person.id, new_id())
    assert erasure is not None
    for _ in range(steps):
        async with place.db.transaction(service(person.tenant)) as tx:
            assert not (await queries.erase_step(tx, erasure, batch))["finished"]
    return erasure


@pytest.mark.parametrize("steps", [0, 1, 5])
async def test_what_a_process_left_is_finished_once(place: Place, someone: Person, steps: int) -> None:
    words = Canaries()
    await live(place, someone, words)
    await remember_many(place, someone, 60, words)
    erasure = await begin(place, someone, steps, 10)
    # Somebody is at it, as far as others know.
    assert await forgetting.resume_erasures(place.db) == 0
    assert await place.traces.of(words.mark)
    await place.traces.admin.execute(
        "update stead.erasures set claimed_until = now() - interval '1 second' where id = $1", erasure
    )

    done = await asyncio.gather(*(forgetting.resume_erasures(place.db, batch=10) for _ in range(3)))

    assert sorted(done) == [0, 0, 1]
    assert await place.traces.of(words.mark) == {}
    assert (await place.traces.everything_of(someone.id)).keys() <= AUDIT
    assert await place.acts(someone.id) == ["forget"]
    await place.traces.index_is_sound()
    await place.audit_is_sound(someone)


async def test_two_at_the_same_person_count_every_row_once(place: Place, someone: Person) -> None:
    words = Canaries()
    await remember_many(place, someone, 200, words)
    who = someone.principal

    done = await asyncio.gather(
        *(forgetting.forget_all(place.db, who, "profile", someone.id, batch=10) for _ in range(4)),
        return_exceptions=True,
    )

    counts = [d.erased for d in done if isinstance(d, forgetting.Forgotten) and d.erased]
    assert [c["memories"] for c in counts] == [200]
    assert all(isinstance(d, forgetting.Forgotten | MemoryOwnerUnknown) for d in done)
    assert (await place.acts(someone.id)).count("forget") == 1
    assert await place.traces.of(words.mark) == {}


async def test_what_takes_long_is_left_to_a_worker(place: Place, someone: Person) -> None:
    words = Canaries()
    await remember_many(place, someone, 50, words)

    begun = await forgetting.forget_all(
        place.db, someone.principal, "profile", someone.id, batch=10, budget_s=0
    )

    assert (begun.finished, begun.erased["memories"]) == (False, 10)
    assert await forgetting.resume_erasures(place.db, batch=10) == 1
    assert await place.traces.of(words.mark) == {}
    assert await place.acts(someone.id) == ["forget_requested", "forget"]


async def test_one_that_fails_does_not_keep_the_others_waiting(place: Place, someone: Person) -> None:
    """A session of the first is locked by somebody who does not let go."""
    other = await make_person(place.db, someone.tenant, "bob")
    await open_session(place.client, someone)
    for person in (someone, other):
        await begin(place, person, 0, 10)
    admin = place.traces.admin
    await admin.execute("update stead.erasures set claimed_until = now() - interval '1 second'")
    await admin.execute("alter role stead_api set lock_timeout = '50ms'")
    holding = await asyncpg.connect(place.traces.url)
    patient = await Database.open(place.db.config)  # with the shorter time-out
    try:
        async with holding.transaction():
            await holding.execute(
                "select from public.sessions where profile_id = $1 for update", someone.id
            )
            assert await forgetting.resume_erasures(patient) == 1
        assert (await place.traces.everything_of(other.id)).keys() <= AUDIT
        assert "public.profiles" in await place.traces.everything_of(someone.id)
        await admin.execute("update stead.erasures set claimed_until = now() - interval '1 second'")
        assert await forgetting.resume_erasures(patient) == 1
        assert (await place.traces.everything_of(someone.id)).keys() <= AUDIT
    finally:
        await admin.execute("alter role stead_api set lock_timeout = '10s'")
        await holding.close()
        await patient.close()


class Slow:
    """A model that says a word, and the rest when it is told to."""

    def __init__(self, vendor: Vendor, words: Canaries) -> None:
        self.said = asyncio.Event()
        text: list[Any] = [lambda: self._say(words.word("early"))]
        text += [lambda n=n: words.word(f"late {n}") for n in range(60)]
        vendor.script(Reply(text=text, delay_each_s=0.05))

    def _say(self, word: str) -> str:
        self.said.set()
        return word


@pytest.mark.parametrize("what", ["person", "session", "memory"])
async def test_a_run_under_way_ends_and_writes_nothing_more(
    place: Place, someone: Person, what: str
) -> None:
    words = Canaries()
    session = await open_session(place.client, someone)
    fact = f"My neighbour is called {words.word('neighbour')}."
    stored = await place.client.post(
        "/agents/memories", json={"memories": [{"content": fact}]}, headers=someone.headers
    )
    slow = Slow(place.vendor, words)
    talking = asyncio.create_task(say(place.client, someone.headers, session, fact))
    await asyncio.wait_for(slow.said.wait(), 20)
    wanted = {
        "person": {"everything": True},
        "session": {"session_id": session},
        "memory": {"memory_id": stored.json()["stored"][0]},
    }

    await place.forget(someone, **wanted[what])
    frames = await asyncio.wait_for(talking, 30)

    assert frames[-1]["type"] == "error"
    assert "run_interrupted" in frames[-1]["errorText"]
    await until(place.at_rest)
    left = await place.traces.of(words.mark)
    if what == "session":
        left.pop("public.agent_memories")  # what did not come from this session
    assert left == {}
    if what == "memory":
        (run,) = (await place.client.get(f"/api/session/{session}/runs", headers=someone.headers)).json()
        assert (run["status"], run["error"]["code"]) == ("failed", "run_interrupted")
        place.vendor.script(Reply(text=["Here again."]))
        assert (await say(place.client, someone.headers, session, "Hello?"))[-1]["type"] == "finish"
    else:
        resumed = await place.client.get(f"/api/chat/{session}/stream", headers=someone.headers)
        assert resumed.status_code == 404
    await place.traces.index_is_sound()


async def test_a_person_who_goes_on_talking_is_forgotten_all_the_same(
    place: Place, someone: Person
) -> None:
    """Many devices, each opening sessions and talking, while the same person is forgotten. Nothing of it stays."""
    words = Canaries()
    rng = random.Random(20261121)
    stopped = asyncio.Event()
    place.vendor.script(*(Reply(text=["I see."]) for _ in range(2000)))

    async def talk(device: int) -> None:
        client, n = place.client, 0
        while not stopped.is_set():
            n += 1
            try:
                session = await open_session(client, someone)
                await say(
                    client, someone.headers, session, f"My car is a {words.word(f'{device}.{n}')}."
                )
                stored = [{"content": f"I own {words.word(f'm {device}.{n}')}."}]
                await client.post("/agents/memories", json={"memories": stored}, headers=someone.headers)
            except AssertionError as error:
                # Gone: 404 for what was, 409 for what would be.
                assert any(code in str(error) for code in ("404", "409", "503")), error  # noqa: PT017
                return

    talking = [asyncio.create_task(talk(n)) for n in range(6)]
    await until(place.has_runs, someone, 8)
    await asyncio.sleep(rng.random() * 0.05)
    erased = (
        await forgetting.forget_all(place.db, someone.principal, "profile", someone.id, batch=7)
    ).erased
    await asyncio.wait_for(asyncio.gather(*talking), 30)
    stopped.set()
    await until(place.at_rest)

    assert erased["profiles"] == 1
    assert await place.traces.of(words.mark) == {}
    assert (await place.traces.everything_of(someone.id)).keys() <= AUDIT
    await place.traces.index_is_sound()


async def test_a_vector_that_is_being_stored_does_not_outlive_its_memory(
    place: Place, someone: Person
) -> None:
    """An embedder takes its claim from the backlog and is about to commit while the memory is deleted."""
    words = Canaries()
    await remember_many(place, someone, 1, words)
    embedder = place.vendor.running.parts.runtime.embedder
    model = "select stead.embedding_model($1, $2)"
    admin = place.traces.admin
    number = await admin.fetchval(model, embedder.model_id, embedder.dimensions)
    (row,) = await admin.fetch(
        "update stead.embedding_backlog set claimed_until = now() + interval '1 minute' "
        "where tenant_id = $1 returning kind, owner_id, claimed_until",
        someone.tenant.id,
    )
    storing = await asyncpg.connect(place.traces.url)
    transaction = storing.transaction()
    await transaction.start()
    await storing.execute(
        "select stead.store_embeddings(array[$1], array[$2::uuid], array[$3::timestamptz], $4, $5)",
        row["kind"], row["owner_id"], row["claimed_until"], number, [[0.5] * embedder.dimensions],
    )  # fmt: skip
    forgotten = asyncio.create_task(
        forgetting.forget_all(place.db, someone.principal, "profile", someone.id)
    )
    waiting = "select exists (select from pg_locks where not granted and locktype = 'transactionid')"
    await until(admin.fetchval, waiting)
    await transaction.commit()
    await storing.close()
    await forgotten

    assert (
        await admin.fetchval(
            "select count(*) from stead.embeddings where owner_id = $1", row["owner_id"]
        )
        == 0
    )
    await place.traces.index_is_sound()


async def test_others_ids_are_as_unknown_ones(place: Place, someone: Person) -> None:
    """Neither a neighbour, nor a stranger, nor a service of another tenant."""
    words = Canaries()
    await live(place, someone, words)
    neighbour = await make_person(place.db, someone.tenant, "bob")
    stranger = await make_person(place.db, await make_tenant(place_access(place)))
    before = await place.traces.of(words.mark)
    session = await place.traces.admin.fetchval(
        "select id from sessions where profile_id = $1", someone.id
    )
    memory_id = next(iter((await facts(place, someone)).values()))
    for who in (neighbour.principal, stranger.principal, service(stranger.tenant)):
        for kind, subject in (("profile", someone.id), ("session", session), ("session", uuid.uuid4())):
            with pytest.raises(MemoryOwnerUnknown):
                await forgetting.forget_all(place.db, who, kind, subject)  # type: ignore[arg-type]
        async with place.db.transaction(who.served()) as tx:
            assert await queries.erase_memory(tx, UUID(memory_id), sources=True) is None
    erasure = await begin(place, someone, 0, 10)
    async with place.db.transaction(service(stranger.tenant)) as tx:
        step = await queries.erase_step(tx, erasure, 100)
        assert (step["gone"], step["erased"]) == (0, {})
        await queries.release_erasure(tx, erasure)
    assert await forgetting.resume_erasures(place.db) == 0
    after = await place.traces.of(words.mark)
    assert after == before


@pytest.mark.parametrize("first", ["frames", "forgetting"])
async def test_frames_that_are_being_written_do_not_outlive_what_they_say(
    place: Place, someone: Person, first: str
) -> None:
    """The two at the same moment, in both orders: the one that comes later waits for the other's commit."""
    admin, words = place.traces.admin, Canaries()
    session = UUID(await open_session(place.client, someone))
    await remember_many(place, someone, 1, words)
    memory_id = next(iter((await facts(place, someone)).values()))
    process, run = new_id(), new_id()
    await admin.execute(
        "insert into stead.processes (id, kind, host, pid) values ($1, 'serve', 'x', 1)", process
    )
    await admin.execute(
        """
        insert into public.agent_runs (id, tenant_id, session_id, profile_id, agent_name, message_id, process_id)
        values ($1, $2, $3, $4, 'x', $1, $5)
        """,
        run, someone.tenant.id, session, someone.id, process,
    )  # fmt: skip

    async def write(tx: Transaction) -> list[Any]:
        frame = {"type": "text-delta", "delta": words.word("frame")}
        return await agent_queries.append_frames(tx, process, [run], [1], [[frame]])

    async def forget(tx: Transaction) -> list[Any]:
        await forgetting.forget_memory(tx, someone.principal, UUID(memory_id))
        return []

    order = [write, forget] if first == "frames" else [forget, write]
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with place.db.transaction(service(someone.tenant)) as tx:
            await order[0](tx)
            begun.set()
            await go_on.wait()

    async def follow() -> list[Any]:
        async with place.db.transaction(service(someone.tenant)) as tx:
            return await order[1](tx)

    holding = asyncio.create_task(hold())
    await begun.wait()
    following = asyncio.create_task(follow())
    await until(
        admin.fetchval,
        "select exists (select from pg_locks where not granted and locktype <> 'relation')",
    )
    go_on.set()
    await holding
    ending = await following

    if first == "forgetting":
        assert [(row["run_id"], row["gone"]) for row in ending] == [(run, True)]
    assert await place.traces.of(words.mark) == {}


async def _same(text: str) -> str:
    return text


async def _stored(_: Transaction, text: str) -> str:
    return text


def _kinds(words: dict[UUID, Canaries], working: asyncio.Event, go_on: asyncio.Event) -> JobRegistry:
    """Kinds of jobs that leave words of whoever they are for, wherever a job can leave any."""
    registry = JobRegistry()

    def word(job: JobContext, place: str) -> str:
        assert job.principal.profile_id is not None
        return words[job.principal.profile_id].word(place)

    async def finishes(job: JobContext, text: str) -> dict[str, list[str]]:
        await job.step("step", _same, word(job, "step"))
        await job.write("write", _stored, word(job, "write"))
        return {"result": [word(job, "result")]}

    async def fails(job: JobContext, text: str) -> None:
        await job.step("step", _same, word(job, "step before an error"))
        raise ValueError(word(job, "error"))

    async def asks(job: JobContext, text: str) -> str:
        for n in range(2):
            question = Question(id="q", question=word(job, f"question {n}"), options=[])
            await job.ask([question])
        return "never"

    async def parent(job: JobContext, text: str) -> list[Any]:
        child = await job.spawn("finishes", {"text": word(job, "input of a child")})
        return [each.result for each in await job.wait([child])]

    async def sleeps(job: JobContext, text: str) -> None:
        await job.step("step", _same, word(job, "step before a rest"))
        await job.sleep_until(AT + timedelta(days=36_500))

    async def works(job: JobContext, text: str) -> str:
        await job.step("step", _same, word(job, "step of one at work"))
        await job.progress(50, word(job, "progress"))
        working.set()
        await go_on.wait()
        await job.progress(60, word(job, "late progress"))
        await job.step("late", _same, word(job, "late step"))
        return word(job, "late result")

    registry.add("finishes", finishes)
    registry.add("fails", fails, max_attempts=1)
    registry.add("asks", asks)
    registry.add("parent", parent)
    registry.add("sleeps", sleeps)
    registry.add("works", works)
    return registry


@asynccontextmanager
async def _worker(place: Place, registry: JobRegistry) -> AsyncIterator[Worker]:
    hub = Hub(place.traces.url)
    await hub.start()
    process = new_id()
    heart = Heartbeat(place.db, process, "worker", 1.0)
    await heart.start()
    worker = Worker(place.db, hub, registry, process, WorkerConfig(queues=["default"]))
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, 60)
        await heart.stop()
        await hub.stop()


async def _employ(place: Place, person: Person, words: Canaries, registry: JobRegistry) -> None:
    """Jobs of a person in every state that there is; told to whoever follows them."""
    states = {
        "finishes": "completed",
        "fails": "failed",
        "asks": "waiting_for_input",
        "parent": "completed",
        "sleeps": "queued",
    }
    made: dict[str, UUID] = {}

    async def add(who: Principal, name: str, kind: str, **how: Any) -> None:
        async with place.db.transaction(who.served()) as tx:
            job = await enqueue(
                tx,
                who,
                NewJob(kind=kind, input={"text": words.word(f"input of {name}")}, **how),
                registry=registry,
            )
            await job_queries.watch(tx, job.id, 3600)
        made[name] = job.id

    async def has(job: UUID, status: str) -> bool:
        return status == await place.traces.admin.fetchval(
            "select status from public.agent_jobs where id = $1 and (status <> 'queued' or not ready)",
            job,
        )

    for kind in states:
        await add(person.principal, kind, kind)
    await add(person.principal, "one that waits for a worker", "finishes", queue="nobody")
    await add(person.principal, "one that is cancelled", "finishes", queue="nobody")
    # What a service has done for somebody is theirs.
    await add(service(person.tenant), "one of a service", "finishes", queue="nobody", user_id=person.id)
    async with place.db.transaction(person.principal.served()) as tx:
        await jobs.cancel(tx, person.principal, made["one that is cancelled"])
    for kind, status in states.items():
        await until(has, made[kind], status)
    async with place.db.transaction(person.principal.served()) as tx:
        answer = Answer(question_id="q", answer=words.word("answer"))
        await jobs.respond(tx, person.principal, made["asks"], [answer])
    await until(place.traces.of, words.word("question 1"))


class _Deaf:
    """Somebody who follows changes, so that they are written down."""

    def take(self, change: object) -> None: ...

    def lost(self) -> None: ...


async def test_jobs_leave_no_trace_of_a_person_whatever_kind_they_are(
    place: Place, someone: Person
) -> None:
    """In every state, and with one at work meanwhile, whose handler goes on and ends."""
    words, others = Canaries(), Canaries()
    bystander = await make_person(place.db, someone.tenant, "bob")
    working, go_on = asyncio.Event(), asyncio.Event()
    registry = _kinds({someone.id: words, bystander.id: others}, working, go_on)
    feed = place.vendor.running.parts.live.feed
    following = await feed.subscribe(service(someone.tenant), Wanted(table="agent_jobs"), _Deaf())

    async def kept() -> list[dict[str, Any]]:
        found = [await place.traces.everything_of(bystander.id), await place.traces.of(others.mark)]
        # The feed lets go of the whole tenant.
        return [{k: v for k, v in each.items() if k != "stead.changes"} for each in found]

    with captured_logs() as logs:
        async with _worker(place, registry) as worker:
            await _employ(place, bystander, others, registry)
            await _employ(place, someone, words, registry)
            async with place.db.transaction(someone.principal.served()) as tx:
                at_work = await enqueue(
                    tx,
                    someone.principal,
                    NewJob(kind="works", input={"text": words.word("input of one at work")}),
                    registry=registry,
                )
                await job_queries.watch(tx, at_work.id, 3600)
            await asyncio.wait_for(working.wait(), 60)
            await until(place.traces.of, words.word("progress"))
            # What was not stored proves nothing.
            assert await place.traces.unheard(words) == []
            before = await place.traces.of(words.mark)
            assert before.keys() >= {
                "public.agent_jobs", "public.agent_job_steps", "stead.job_events", "stead.changes",
            }  # fmt: skip
            theirs = await kept()
            assert worker.running == 1

            assert (await place.forget(someone, everything=True))["profiles"] == 1

            gone = await place.traces.of(words.mark)
            go_on.set()
            async with asyncio.timeout(60):
                while worker.running:  # noqa: ASYNC110 - the worker is beside
                    await asyncio.sleep(0.01)
    feed.unsubscribe(following)

    assert gone == {}
    # Nor has it written anything after that.
    assert await place.traces.of(words.mark) == {}
    assert (await place.traces.everything_of(someone.id)).keys() <= AUDIT
    assert words.mark not in await place.traces.dump()
    assert words.mark not in logs.text
    assert "job_attempt_failed" in logs.text
    assert await kept() == theirs
    await place.audit_is_sound(someone)
