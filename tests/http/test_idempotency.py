"""Idempotency-Key: the same write sent again happens once and gets the same answer."""

from __future__ import annotations

import asyncio
import uuid

import httpx

from stead.db import Database
from stead.identity import Tenant
from tests.http.conftest import Ledger, problem_of
from tests.support.people import Person, make_person, open_session, service_headers
from tests.support.servers import Running


def _keyed(headers: dict[str, str], key: str) -> dict[str, str]:
    return {**headers, "idempotency-key": key}


async def test_the_same_key_and_body_get_the_same_answer_and_one_effect(
    server: Running, tenant: Tenant
) -> None:
    headers = _keyed(service_headers(tenant), uuid.uuid4().hex)
    slug = f"agent-{uuid.uuid4().hex[:8]}"
    await server.client.post(
        "/v1/agents", json={"slug": slug, "name": "A"}, headers=service_headers(tenant)
    )
    answers = [
        await server.client.post(
            f"/v1/agents/{slug}/versions", json={"instructions": "x"}, headers=headers
        )
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    listed = await server.client.get(f"/v1/agents/{slug}/versions", headers=service_headers(tenant))
    assert [version["version"] for version in listed.json()] == [1]


async def test_a_repeated_update_does_not_undo_what_came_between(
    server: Running, person: Person
) -> None:
    session = await open_session(server.client, person)
    url, keyed = f"/api/session/{session}", _keyed(person.headers, "first")
    await server.client.patch(url, json={"name": "Ann"}, headers=keyed)
    await server.client.patch(url, json={"name": "Anna"}, headers=person.headers)
    again = await server.client.patch(url, json={"name": "Ann"}, headers=keyed)
    assert again.json() == {"success": True, "sessionId": session}
    assert (await server.client.get(url, headers=person.headers)).json()["name"] == "Anna"


async def test_the_same_key_with_another_request_is_refused(server: Running, person: Person) -> None:
    session, other = [await open_session(server.client, person) for _ in range(2)]
    keyed = _keyed(person.headers, "once")
    url = f"/api/session/{session}"
    assert (await server.client.patch(url, json={"name": "Ann"}, headers=keyed)).status_code == 200
    for answer in (
        await server.client.patch(url, json={"name": "Eve"}, headers=keyed),
        await server.client.patch(f"/api/session/{other}", json={"name": "Ann"}, headers=keyed),
        await server.client.post(f"{url}/complete", json={"context": {}}, headers=keyed),
    ):
        problem_of(answer, 409, "idempotency_key_reused")
    found = (await server.client.get(url, headers=person.headers)).json()
    assert (found["name"], found["status"]) == ("Ann", "in_progress")


async def test_two_at_once_have_one_effect(server: Running, tenant: Tenant, ledger: Ledger) -> None:
    service = service_headers(tenant)
    slug = f"agent-{uuid.uuid4().hex[:8]}"
    await server.client.post("/v1/agents", json={"slug": slug, "name": "A"}, headers=service)
    headers = _keyed(service, "at-once")
    answers = await asyncio.gather(
        *(
            server.client.post(
                f"/v1/agents/{slug}/versions", json={"instructions": "x"}, headers=headers
            )
            for _ in range(8)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    stored = await ledger.connection.fetchval(
        "select count(*) from public.agent_versions where tenant_id = $1", tenant.id
    )
    assert stored == 1


async def test_a_failed_first_request_releases_its_key(server: Running, tenant: Tenant) -> None:
    service = service_headers(tenant)
    slug = f"agent-{uuid.uuid4().hex[:8]}"
    headers = _keyed(service, "patience")
    url, body = f"/v1/agents/{slug}/versions", {"instructions": "x"}
    problem_of(await server.client.post(url, json=body, headers=headers), 404, "agent_unknown")
    await server.client.post("/v1/agents", json={"slug": slug, "name": "A"}, headers=service)
    answer = await server.client.post(url, json=body, headers=headers)
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers
    again = await server.client.post(url, json=body, headers=headers)
    assert again.json() == answer.json()


async def test_anothers_key_of_the_same_text_is_another_key(
    server: Running, db: Database, person: Person, stranger: Person
) -> None:
    colleague = await make_person(db, person.tenant, "bob")
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        opened = (await client.post("/api/session", json={"orgId": person.tenant.slug})).json()
    holder = {"x-session-token": opened["sessionToken"]}
    callers: list[tuple[str, dict[str, str]]] = [(opened["sessionId"], holder)]
    for each in (person, colleague, stranger):
        callers.append((await open_session(server.client, each), each.headers))  # noqa: PERF401
    for number, (session, headers) in enumerate(callers):
        answer = await server.client.patch(
            f"/api/session/{session}", json={"name": f"n{number}"}, headers=_keyed(headers, "same")
        )
        assert answer.status_code == 200
        assert "idempotency-replayed" not in answer.headers
        assert answer.json()["sessionId"] == session


async def test_a_key_has_a_length(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    for key in ("", "k" * 256):
        answer = await server.client.patch(
            f"/api/session/{session}", json={"name": "Ann"}, headers=_keyed(person.headers, key)
        )
        problem_of(answer, 422, "request_invalid")
