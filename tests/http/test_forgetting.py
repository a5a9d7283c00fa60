"""Forgetting over HTTP: who may, what is refused, what is answered."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from stead.core.ids import new_id
from stead.db import Database
from stead.http import forgetting
from tests.http.conftest import Ledger, problem_of
from tests.support.people import Person, make_person, open_session, service_headers
from tests.support.servers import Running, say

PATH = "/agents/memories/forget"


async def forget(server: Running, headers: dict[str, str], **body: Any) -> httpx.Response:
    return await server.client.post(PATH, json=body, headers=headers)


async def remembered(server: Running, person: Person, content: str = "I live in Lisbon.") -> str:
    answer = await server.client.post(
        "/agents/memories", json={"memories": [{"content": content}]}, headers=person.headers
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["stored"][0]


async def test_a_person_forgets_a_memory_a_session_and_themselves(
    server: Running, person: Person
) -> None:
    client, headers = server.client, person.headers
    session = await open_session(client, person)
    await say(client, headers, session, "I live in Lisbon.")
    memory_id = await remembered(server, person, "I play the harp.")

    one = await forget(server, headers, memory_id=memory_id)
    assert (one.status_code, one.json()["finished"]) == (200, True)
    assert one.json()["erased"]["memories"] == 1
    assert (await client.get(f"/agents/memories/{memory_id}", headers=headers)).status_code == 404

    two = await forget(server, headers, session_id=session)
    assert two.json()["erased"]["sessions"] == 1
    assert two.json()["erased"]["messages"] == 2
    problem_of(await client.get(f"/api/session/{session}", headers=headers), 404, "session_unknown")

    three = await forget(server, headers, everything=True)
    assert three.json()["erased"]["profiles"] == 1
    # Sent again: there is nothing of it.
    problem_of(await forget(server, headers, everything=True), 404, "memory_owner_unknown")
    problem_of(await forget(server, headers, session_id=session), 404, "memory_owner_unknown")
    # What was under way on another device is told so, and makes nothing of it come back.
    problem_of(
        await client.post("/api/session", json={"orgId": person.tenant.slug}, headers=headers),
        409,
        "conflict",
    )


async def test_an_anonymous_holder_forgets_their_session(server: Running, person: Person) -> None:
    client = server.client
    opened = (await client.post("/api/session", json={"orgId": person.tenant.slug})).json()
    client.cookies.clear()
    headers = {"x-session-token": opened["sessionToken"]}
    other = await open_session(client, person)
    await say(client, headers, opened["sessionId"], "I live in Lisbon.")
    problem_of(await forget(server, headers, session_id=other), 404, "memory_owner_unknown")
    problem_of(await forget(server, headers, profile_id=str(person.id)), 404, "memory_owner_unknown")

    gone = await forget(server, headers, everything=True)

    assert gone.status_code == 200, gone.text
    assert gone.json()["erased"]["sessions"] == 1
    assert gone.json()["erased"]["memories"] >= 1
    left = await client.get(f"/api/session/{opened['sessionId']}", headers=headers)
    assert left.status_code == 404


async def test_a_service_forgets_anybody_of_its_tenant_and_nobody_else(
    server: Running, person: Person, stranger: Person, db: Database, ledger: Ledger
) -> None:
    memory_id = await remembered(server, person)
    session = await open_session(server.client, person)
    neighbour = await make_person(db, person.tenant, "bob")
    for content in ("I live in Porto.", "I like tea."):
        await remembered(server, neighbour, content)
    before = await ledger.of(person.tenant.id, stranger.tenant.id)
    targets = {"memory_id": memory_id, "session_id": session, "profile_id": str(person.id)}
    for who in (neighbour.headers, stranger.headers, service_headers(stranger.tenant)):
        for name, value in targets.items():
            answer = await forget(server, who, **{name: value})
            unknown = await forget(server, who, **{name: str(new_id())})
            assert answer.status_code == unknown.status_code == 404
            assert answer.json()["detail"] == unknown.json()["detail"]
    assert await ledger.of(person.tenant.id, stranger.tenant.id) == before

    mine = service_headers(person.tenant)
    problem_of(await forget(server, mine, everything=True), 422, "request_invalid")
    for name, value in targets.items():
        assert (await forget(server, mine, **{name: value})).status_code == 200, name
    left = await ledger.of(person.tenant.id)
    assert left["public.agent_memories" if "public.agent_memories" in left else "agent_memories"][0] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"memory_id": None},
        {"memory_id": "x"},
        {"everything": False},
        {"everything": "yes please"},
        {"memory_id": str(new_id()), "everything": True},
        {"session_id": str(new_id()), "profile_id": str(new_id())},
        {"session_id": str(new_id()), "sources": False},
        {"profile_id": str(new_id()), "why": "GDPR"},
        [],
    ],
)
async def test_what_is_not_clear_forgets_nothing(
    server: Running, person: Person, body: Any, ledger: Ledger
) -> None:
    await remembered(server, person)
    before = await ledger.of(person.tenant.id)
    answer = await server.client.post(PATH, json=body, headers=person.headers)
    problem_of(answer, 422, "request_invalid")
    assert await ledger.of(person.tenant.id) == before


async def test_a_key_needs_the_scope(server: Running, person: Person) -> None:
    made = await server.client.post(
        "/v1/api-keys", json={"name": "chat", "scopes": ["chat"]}, headers=service_headers(person.tenant)
    )
    headers = {"authorization": f"Bearer {made.json()['key']}"}
    problem_of(await forget(server, headers, profile_id=str(person.id)), 403, "scope_missing")
    problem_of(await forget(server, {}, everything=True), 401, "credentials_missing")


async def test_what_takes_long_is_answered_with_202(
    server: Running, person: Person, db: Database, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    await remembered(server, person)
    monkeypatch.setattr(forgetting, "_BUDGET_S", 0.0)
    begun = await forget(server, person.headers, everything=True)
    assert (begun.status_code, begun.json()["finished"]) == (202, False)
    assert begun.json()["erased"]["memories"] == 1
    # Asked again, it is the same wish, and goes on where it was.
    again = await forget(server, person.headers, everything=True)
    assert (again.status_code, again.json()["finished"]) == (200, True)
    assert again.json()["erased"]["profiles"] == 1


async def test_many_at_once_are_one(server: Running, person: Person) -> None:
    for n in range(5):
        await remembered(server, person, f"I own house number {n}.")
    answers = await asyncio.gather(*(forget(server, person.headers, everything=True) for _ in range(6)))
    assert {a.status_code for a in answers} <= {200, 404}
    counted = [a.json()["erased"] for a in answers if a.status_code == 200 and a.json()["erased"]]
    assert [c["profiles"] for c in counted] == [1]
