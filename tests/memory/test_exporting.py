"""Everything about somebody, and nothing about anybody else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from stead import memory
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal
from stead.memory import NewMemory, exporting, queries, records
from stead.memory.exporting import ExportPlace
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder
from tests.support.people import Person, make_person, open_session, service
from tests.support.servers import Running, say

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)

#: Tables with a person, a session or a scope that are not part of an export, and why.
NOT_EXPORTED = {
    "stead.embeddings": "made of the texts",
    "stead.search_docs": "made of the texts",
    "stead.search_totals": "made of the texts",
    "stead.embedding_backlog": "work to be done",
    "stead.consolidations": "work to be done",
    "stead.vector_indexes": "made of the texts",
    "stead.audit_texts": "beside the audit log, which has an export of its own",
    "stead.waiting_runs": "a run that waits: its messages and actions are exported",
    "stead.approvers": "a right that the tenant gave",
    "stead.approval_links": "a secret that was sent to them",
}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return build_embedder("static", EmbedderConfig())


async def whole(db: Database, who: Principal, scope: UUID) -> list[dict[str, Any]]:
    async with db.transaction(who.served(), read_only=True) as tx:
        return [record async for record in exporting.export(tx, who, scope)]


async def paged(db: Database, who: Principal, scope: UUID, limit: int) -> list[dict[str, Any]]:
    place: ExportPlace | None = ExportPlace()
    found: list[dict[str, Any]] = []
    while place is not None:
        async with db.transaction(who.served(), read_only=True) as tx:
            page = await exporting.export_page(tx, who, scope, place, limit=limit)
        assert len(page.records) <= limit
        found += page.records
        place = page.next
    return found


async def remember(db: Database, person: Person, embedder: Embedder, *contents: str) -> list[UUID]:
    async with db.transaction(person.principal.served()) as tx:
        done = await memory.remember(
            tx, person.principal, session_id=None, profile_id=person.id,
            memories=[NewMemory(content=content, happened_at=AT) for content in contents],
            embedder=embedder,
        )  # fmt: skip
    return done.stored


async def test_everything_about_a_person_is_in_it(
    server: Running, db: Database, person: Person, embedder: Embedder
) -> None:
    session = await open_session(server.client, person)
    await say(server.client, person.headers, session, "I live in Lisbon and my dog is called Bruno.")
    (known,) = await remember(db, person, embedder, "I play the xylophone.")
    async with db.transaction(person.principal.served()) as tx:
        now = await records.update(
            tx, person.principal, known, content="I play the harp.", embedder=embedder
        )
    found = await whole(db, service(person.tenant), person.id)
    of: dict[str, list[dict[str, Any]]] = {}
    for record in found:
        of.setdefault(record["type"], []).append(record)
    assert list(of) == [t for t in exporting.RECORD_TYPES if t in of]
    assert of["profile"][0]["email"] == person.email
    assert [s["id"] for s in of["session"]] == [session]
    assert [m["role"] for m in of["message"]] == ["user", "assistant"]
    assert "Bruno" in str(of["message"][0]["parts"])
    assert "Bruno" in str(of["run"][0]["input"])
    contents = {m["id"]: m for m in of["memory"]}
    assert contents[str(known)]["superseded_by"] == str(now.id)
    assert contents[str(now.id)]["content"] == "I play the harp."
    assert {log["operation"] for log in of["memory_log"]} >= {"write", "recall"}
    assert not any("content_digest" in m or "place" in m for m in of["memory"])
    # A person gets the same, and so does who reads it page by page.
    assert await whole(db, person.principal, person.id) == found
    for limit in (1, 3, 500):
        assert await paged(db, person.principal, person.id, limit) == found


async def test_a_session_that_is_nobodys(server: Running, db: Database, person: Person) -> None:
    opened = await server.client.post("/api/session", json={"orgId": person.tenant.slug})
    server.client.cookies.clear()
    headers = {"x-session-token": opened.json()["sessionToken"]}
    await say(server.client, headers, opened.json()["sessionId"], "My dog is called Bruno.")
    session = UUID(opened.json()["sessionId"])
    found = await whole(db, service(person.tenant), session)
    assert {r["type"] for r in found} >= {"session", "message", "run", "memory", "memory_log"}
    assert all(str(session) in {r["id"], r.get("session_id")} for r in found)
    assert await whole(db, service(person.tenant), person.id) != found


async def test_nothing_about_anybody_else(
    server: Running, db: Database, person: Person, stranger: Person, embedder: Embedder
) -> None:
    colleague = await make_person(db, person.tenant, "bob")
    for one in (person, colleague, stranger):
        session = await open_session(server.client, one)
        await say(server.client, one.headers, session, f"My name is {one.email}.")
    mine = await whole(db, service(person.tenant), person.id)
    assert colleague.email not in str(mine)
    assert str(colleague.id) not in str(mine)
    for other in (stranger.principal, service(stranger.tenant), colleague.principal):
        assert await whole(db, other, person.id) == []


async def test_an_export_survives_what_happens_meanwhile(
    db: Database, person: Person, embedder: Embedder
) -> None:
    stored = await remember(
        db, person, embedder, *(f"Colour {n} is in painting {n * 7}." for n in range(30))
    )
    assert len(stored) == 30
    me = person.principal
    place: ExportPlace | None = ExportPlace()
    seen: list[str] = []
    gone = 0
    while place is not None:
        async with db.transaction(me.served(), read_only=True) as tx:
            page = await exporting.export_page(tx, me, person.id, place, limit=7)
        seen += [r["id"] for r in page.records if r["type"] == "memory"]
        place = page.next
        left = [i for i in stored if str(i) not in seen]
        if left:
            async with db.transaction(me.served()) as tx:
                gone += await records.delete(tx, me, left[-1])
            stored.remove(left[-1])
    assert gone
    assert len(seen) == len(set(seen))
    assert {str(i) for i in stored} <= set(seen)


async def test_no_table_is_forgotten(access: DatabaseAccess) -> None:
    """A new table that holds something of a person needs its line in `queries.EXPORTED`."""
    assert access.admin_url is not None
    connection = await asyncpg.connect(access.admin_url)
    rows = await connection.fetch(
        """
        select distinct format('%I.%I', n.nspname, c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
        where n.nspname in ('public', 'stead') and c.relkind in ('r', 'p')
          and a.attname in ('profile_id', 'session_id', 'scope_id')
        """
    )
    typed = await connection.fetch(
        """
        select format('%I.%I', n.nspname, c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'type' and not a.attisdropped
        where n.nspname in ('public', 'stead') and c.relkind in ('r', 'p')
        """
    )
    await connection.close()
    statements = " ".join(f"{sql} " for _, sql in queries.EXPORTED)
    missing = {row[0] for row in rows if f"from {row[0]} t" not in statements}
    assert missing == set(NOT_EXPORTED)
    # `type` says what a record is: a column of that name would be hidden by it.
    assert not any(f"from {row[0]} t" in statements for row in typed)


async def test_one_statement_a_table_however_many_rows(
    db: Database, person: Person, embedder: Embedder
) -> None:
    await remember(db, person, embedder, *(f"Colour {n} is in painting {n * 7}." for n in range(40)))
    sent: list[str] = []
    me = person.principal
    async with db.transaction(me.served(), read_only=True) as tx:
        stream = tx.stream
        count = 0

        class Counting:
            """The transaction, with its statements counted."""

            def stream(self, sql: Any, *args: object) -> Any:
                sent.append(sql)
                return stream(sql, *args)

        async for _ in exporting.export(Counting(), me, person.id):  # type: ignore[arg-type]
            count += 1
    assert count > 40
    assert len(sent) == len(exporting.RECORD_TYPES)


async def test_an_unknown_scope_has_nothing(db: Database, person: Person) -> None:
    assert await whole(db, service(person.tenant), new_id()) == []
