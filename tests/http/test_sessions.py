"""003's session endpoints with design section 9's ownership, 000's close, listing and paging."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Tenant
from stead.identity.jwt import SteadTokens
from tests.http.conftest import Ledger, problem_of
from tests.support.people import (
    Person,
    make_person,
    make_tenant,
    open_session,
    service_headers,
)
from tests.support.servers import Running, running_server, say, text_of


async def _anonymous(server: Running, tenant: Tenant, **body: Any) -> tuple[str, dict[str, str]]:
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        answer = await client.post("/api/session", json={"orgId": tenant.slug, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()["sessionId"], {"x-session-token": answer.json()["sessionToken"]}


async def _session(server: Running, headers: dict[str, str], session: str) -> dict[str, Any]:
    answer = await server.client.get(f"/api/session/{session}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


# Opening.


async def test_a_signed_in_person_owns_what_it_opens(server: Running, person: Person) -> None:
    answer = await server.client.post(
        "/api/session", json={"orgId": person.tenant.slug, "context": {"a": 1}}, headers=person.headers
    )
    assert answer.status_code == 200
    assert set(answer.json()) == {"sessionId"}
    assert "set-cookie" not in answer.headers
    found = await _session(server, person.headers, answer.json()["sessionId"])
    assert found["linked"] is True
    assert found["status"] == "in_progress"
    assert found["context"] == {"a": 1}


async def test_an_anonymous_caller_gets_a_token_and_the_same_as_a_cookie(
    server: Running, tenant: Tenant
) -> None:
    async with httpx.AsyncClient(base_url=server.base_url) as browser:
        opened = await browser.post("/api/session", json={"orgId": tenant.slug})
        session, token = opened.json()["sessionId"], opened.json()["sessionToken"]
        cookie = opened.headers["set-cookie"].lower()
        assert opened.cookies["stead_session"] == token
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "path=/" in cookie
        # The cookie alone opens the session.
        mine = await browser.get(f"/api/session/{session}")
        assert mine.status_code == 200
        assert mine.json()["linked"] is False
    # So does the header; neither does nothing at all.
    assert (
        await server.client.get(f"/api/session/{session}", headers={"x-session-token": token})
    ).status_code == 200
    # The cookie of a session that another test opened.
    server.client.cookies.clear()
    problem_of(await server.client.get(f"/api/session/{session}"), 401, "credentials_missing")


async def test_production_cookies_are_for_https_only(access: DatabaseAccess, tenant: Tenant) -> None:
    async with running_server(
        access, env="production", model="openai/gpt-5-mini", openai_api_key="sk-none"
    ) as running:
        opened = await running.client.post("/api/session", json={"orgId": tenant.slug})
    assert "secure" in opened.headers["set-cookie"].lower()


async def test_a_worthless_cookie_keeps_nobody_out(server: Running, person: Person) -> None:
    for cookie in ("garbage", SteadTokens("x" * 40).issue_session(person.tenant.id, new_id(), 60)):
        async with httpx.AsyncClient(
            base_url=server.base_url, cookies={"stead_session": cookie}
        ) as browser:
            opened = await browser.post("/api/session", json={"orgId": person.tenant.slug})
            assert opened.status_code == 200
            listed = await browser.get("/api/sessions", headers=person.headers)
            assert listed.status_code == 200
        async with httpx.AsyncClient(
            base_url=server.base_url, cookies={"stead_session": cookie}
        ) as browser:
            problem_of(await browser.get("/api/sessions"), 401, "credentials_missing")


async def test_the_organisation_is_named_by_slug_or_by_clerk_id(
    access: DatabaseAccess, db: Database, server: Running
) -> None:
    org = f"org_{uuid.uuid4().hex[:12]}"
    tenant = await make_tenant(access, org)
    ann = await make_person(db, tenant)
    for headers in ({}, ann.headers, service_headers(tenant)):
        for name in (tenant.slug, org):
            answer = await server.client.post("/api/session", json={"orgId": name}, headers=headers)
            assert answer.status_code == 200, (name, headers, answer.text)
            server.client.cookies.clear()


async def test_an_unknown_organisation_and_somebody_elses_answer_alike(
    server: Running, person: Person, other_tenant: Tenant
) -> None:
    answers = [
        await server.client.post("/api/session", json={"orgId": org}, headers=headers)
        for org, headers in (
            (other_tenant.slug, person.headers),
            (other_tenant.slug, service_headers(person.tenant)),
            ("no-such-organisation", person.headers),
            ("no-such-organisation", {}),
            (str(other_tenant.id), {}),
        )
    ]
    documents = [problem_of(answer, 404, "tenant_unknown") for answer in answers]
    assert len({document["detail"] for document in documents}) == 1


async def test_an_email_returns_the_open_session_to_its_proven_holder_only(
    server: Running, db: Database, person: Person
) -> None:
    body = {"orgId": person.tenant.slug, "email": person.email.upper()}
    first = (await server.client.post("/api/session", json=body, headers=person.headers)).json()
    again = (await server.client.post("/api/session", json=body, headers=person.headers)).json()
    assert first == again
    colleague = await make_person(db, person.tenant, "bob")
    other = (await server.client.post("/api/session", json=body, headers=colleague.headers)).json()
    nobody = (await server.client.post("/api/session", json=body)).json()
    server.client.cookies.clear()
    assert len({first["sessionId"], other["sessionId"], nobody["sessionId"]}) == 3
    # A session that has ended is not returned.
    await server.client.post(
        f"/api/session/{first['sessionId']}/complete", json={}, headers=person.headers
    )
    later = (await server.client.post("/api/session", json=body, headers=person.headers)).json()
    assert later["sessionId"] != first["sessionId"]


# Updating.


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3, "d": 4}}, {"a": {"b": 1, "c": 3, "d": 4}}),
        ({"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
        ({"a": [{"b": 1}]}, {"a": [{"c": 2}]}, {"a": [{"c": 2}]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": {"b": {"c": {"d": 1}}}}, {"a": {"b": {"c": {"e": 2}}}}, {"a": {"b": {"c": {"d": 1, "e": 2}}}}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": {}}, {"a": {"": {"ключ": "знач 🙂"}}}, {"a": {"": {"ключ": "знач 🙂"}}}),
    ],
)  # fmt: skip
async def test_context_is_merged_deeply(
    server: Running, person: Person, before: dict[str, Any], patch: dict[str, Any], after: dict[str, Any]
) -> None:
    session = await open_session(server.client, person)
    for context in (before, patch):
        answer = await server.client.patch(
            f"/api/session/{session}", json={"context": context}, headers=person.headers
        )
        assert answer.json() == {"success": True, "sessionId": session}
    assert (await _session(server, person.headers, session))["context"] == after


async def test_contact_columns_change_one_by_one(
    server: Running, person: Person, ledger: Ledger
) -> None:
    session = await open_session(server.client, person)
    for body in (
        {"email": "ann@elsewhere.example", "name": "Ann"},
        {"phone": "+351 900"},
        {"name": "Anna"},
    ):
        answer = await server.client.patch(f"/api/session/{session}", json=body, headers=person.headers)
        assert answer.status_code == 200
    found = await _session(server, person.headers, session)
    assert (found["email"], found["phone"], found["name"]) == (
        "ann@elsewhere.example",
        "+351 900",
        "Anna",
    )
    row = await ledger.connection.fetchrow(
        "select email, phone, name, context from public.sessions where id = $1", uuid.UUID(session)
    )
    assert row is not None
    assert tuple(row) == ("ann@elsewhere.example", "+351 900", "Anna", "{}")


async def test_a_verified_email_leads_to_the_persons_other_open_session(
    server: Running, person: Person
) -> None:
    known = await open_session(server.client, person)
    await server.client.patch(
        f"/api/session/{known}", json={"email": person.email}, headers=person.headers
    )
    fresh = await open_session(server.client, person)
    answer = await server.client.patch(
        f"/api/session/{fresh}",
        json={"email": person.email, "context": {"a": 1}},
        headers=person.headers,
    )
    assert answer.json()["sessionId"] == known
    assert (await _session(server, person.headers, known))["context"] == {"a": 1}
    assert (await _session(server, person.headers, fresh))["context"] == {}


async def test_naming_an_email_opens_nothing(
    server: Running, db: Database, person: Person, stranger: Person
) -> None:
    theirs = await open_session(server.client, person)
    await server.client.patch(
        f"/api/session/{theirs}", json={"email": person.email}, headers=person.headers
    )
    colleague = await make_person(db, person.tenant, "bob")
    its_own = await open_session(server.client, colleague)
    unproven, holder = await _anonymous(server, person.tenant)
    abroad = await open_session(server.client, stranger)
    for session, headers in (
        (its_own, colleague.headers),
        (unproven, holder),
        (abroad, stranger.headers),
    ):
        answer = await server.client.patch(
            f"/api/session/{session}",
            json={"email": person.email, "context": {"x": 1}},
            headers=headers,
        )
        assert answer.json()["sessionId"] == session
    assert (await _session(server, person.headers, theirs))["context"] == {}


async def test_context_has_a_size_and_a_depth(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    half = {"a": "x" * 140_000}
    url = f"/api/session/{session}"
    assert (
        await server.client.patch(url, json={"context": half}, headers=person.headers)
    ).status_code == 200
    # Each half fits, the sum does not.
    answer = await server.client.patch(
        url, json={"context": {"b": "y" * 140_000}}, headers=person.headers
    )
    problem_of(answer, 422, "context_too_large")
    assert set((await _session(server, person.headers, session))["context"]) == {"a"}
    deep: dict[str, Any] = {}
    for _ in range(31):
        deep = {"a": deep}
    assert (
        await server.client.patch(url, json={"context": deep}, headers=person.headers)
    ).status_code == 200
    answer = await server.client.patch(url, json={"context": {"a": deep}}, headers=person.headers)
    problem_of(answer, 422, "context_too_large")


async def test_answers_to_a_form_are_remembered_in_chat(server: Running, person: Person) -> None:
    first = await open_session(server.client, person)
    answer = await server.client.patch(
        f"/api/session/{first}",
        json={"context": {"home": {"city": "Lisbon"}}},
        headers=person.headers,
    )
    assert answer.status_code == 200
    await server.client.post(
        f"/api/session/{first}/complete",
        json={"context": {"instrument": "violoncello"}},
        headers=person.headers,
    )
    second = await open_session(server.client, person)
    said = text_of(await say(server.client, person.headers, second, "Which city is my home?"))
    assert "Lisbon" in said
    said = text_of(await say(server.client, person.headers, second, "Which instrument do I play?"))
    assert "violoncello" in said


# Linking.


async def _link(server: Running, session: str, user: str, *headers: dict[str, str]) -> httpx.Response:
    merged = {name: value for each in headers for name, value in each.items()}
    return await server.client.post(
        f"/api/session/{session}/link", json={"clerkUserId": user}, headers=merged
    )


async def test_linking_takes_both_proofs(
    server: Running, db: Database, person: Person, stranger: Person
) -> None:
    session, holder = await _anonymous(server, person.tenant)
    _, other_holder = await _anonymous(server, person.tenant)
    me = str(person.id)
    problem_of(await _link(server, session, me), 401, "credentials_missing")
    problem_of(await _link(server, session, me, holder), 403, "session_not_held")
    problem_of(await _link(server, session, me, person.headers), 404, "session_unknown")
    problem_of(await _link(server, session, me, person.headers, other_holder), 404, "session_unknown")
    problem_of(
        await _link(server, session, str(stranger.id), person.headers, holder), 403, "session_not_held"
    )
    problem_of(
        await _link(server, session, str(stranger.id), stranger.headers, holder), 404, "session_unknown"
    )
    problem_of(
        await _link(server, session, me, service_headers(person.tenant), holder),
        403,
        "session_not_held",
    )
    assert (await _session(server, holder, session))["linked"] is False
    answer = await _link(server, session, me, person.headers, holder)
    assert answer.json() == {"success": True, "sessionId": session}
    assert (await _session(server, person.headers, session))["linked"] is True


async def test_a_linked_session_is_the_persons_and_its_token_opens_nothing(
    server: Running, db: Database, person: Person
) -> None:
    session, holder = await _anonymous(server, person.tenant)
    assert (await _link(server, session, str(person.id), person.headers, holder)).status_code == 200
    for method, path, body in (
        ("GET", f"/api/session/{session}", None),
        ("GET", f"/api/session/{session}/messages", None),
        ("GET", f"/api/session/{session}/runs", None),
        ("PATCH", f"/api/session/{session}", {"name": "Eve"}),
        ("POST", f"/api/session/{session}/complete", {}),
        ("POST", f"/agents/sessions/{session}/close", None),
        ("POST", "/api/chat", {"sessionId": session, "message": "hello"}),
        ("GET", f"/api/chat/{session}/stream", None),
        ("POST", f"/api/chat/{session}/stop", None),
    ):
        answer = await server.client.request(method, path, json=body, headers=holder)
        problem_of(answer, 404, "session_unknown")
    assert (await server.client.get("/api/sessions", headers=holder)).json()["items"] == []
    # Again by the same person: no error. By another one who got hold of the token: refused.
    again = await _link(server, session, str(person.id), person.headers, holder)
    assert again.json() == {"success": True, "sessionId": session}
    thief = await make_person(db, person.tenant, "eve")
    answer = await _link(server, session, str(thief.id), thief.headers, holder)
    problem_of(answer, 409, "session_already_linked")
    assert (await _session(server, person.headers, session))["name"] is None


async def test_messages_runs_and_memories_move_with_the_session(server: Running, person: Person) -> None:
    session, holder = await _anonymous(server, person.tenant)
    await say(server.client, holder, session, "Hi! I live in Ljubljana.")
    await server.client.patch(
        f"/api/session/{session}", json={"context": {"pet": "iguana"}}, headers=holder
    )
    before = (await server.client.get(f"/api/session/{session}/runs", headers=holder)).json()
    # The person knows nothing of it yet.
    elsewhere = await open_session(server.client, person)
    said = text_of(await say(server.client, person.headers, elsewhere, "Where do I live?"))
    assert "Ljubljana" not in said
    assert (await _link(server, session, str(person.id), person.headers, holder)).status_code == 200

    messages = await server.client.get(f"/api/session/{session}/messages", headers=person.headers)
    assert [item["role"] for item in messages.json()["items"]] == ["user", "assistant"]
    runs = await server.client.get(f"/api/session/{session}/runs", headers=person.headers)
    assert runs.json() == before
    run = await server.client.get(f"/v1/runs/{before[0]['id']}", headers=person.headers)
    assert run.status_code == 200
    problem_of(
        await server.client.get(f"/v1/runs/{before[0]['id']}", headers=holder), 404, "run_unknown"
    )
    # In another session of the person: what was said and what was answered before linking.
    said = text_of(await say(server.client, person.headers, elsewhere, "In which town do I live?"))
    assert "Ljubljana" in said
    said = text_of(await say(server.client, person.headers, elsewhere, "Which pet do I have?"))
    assert "iguana" in said


async def test_a_second_device_sees_what_the_first_linked(server: Running, person: Person) -> None:
    phone, phone_holder = await _anonymous(server, person.tenant)
    laptop, laptop_holder = await _anonymous(server, person.tenant)
    # Neither anonymous device sees the other's session.
    problem_of(
        await server.client.get(f"/api/session/{phone}", headers=laptop_holder), 404, "session_unknown"
    )
    for session, holder in ((phone, phone_holder), (laptop, laptop_holder)):
        linked = await _link(server, session, str(person.id), person.headers, holder)
        assert linked.status_code == 200
    listed = await server.client.get("/api/sessions", headers=person.headers)
    assert {item["id"] for item in listed.json()["items"]} == {phone, laptop}
    # Still holding one's own token beside the bearer token changes nothing.
    answer = await server.client.get(
        f"/api/session/{phone}", headers={**person.headers, **laptop_holder}
    )
    assert answer.status_code == 200


# Completing and closing.


async def test_completing_ends_a_session_once(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    url = f"/api/session/{session}/complete"
    # Without any body, as 003 allows.
    answer = await server.client.post(url, headers=person.headers)
    assert answer.json() == {"success": True}
    ended = await _session(server, person.headers, session)
    assert ended["status"] == "completed"
    assert ended["ended_at"] is not None
    again = await server.client.post(url, json={"context": {"late": True}}, headers=person.headers)
    assert again.json() == {"success": True}
    found = await _session(server, person.headers, session)
    assert found["context"] == {"late": True}
    assert found["ended_at"] == ended["ended_at"]
    answer = await server.client.post(
        "/api/chat", json={"sessionId": session, "message": "hello"}, headers=person.headers
    )
    problem_of(answer, 409, "session_ended")


async def test_closing_says_when_and_is_no_error_twice(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    url = f"/agents/sessions/{session}/close"
    first = await server.client.post(url, headers=person.headers)
    assert first.json()["session_id"] == session
    assert (await server.client.post(url, headers=person.headers)).json() == first.json()
    assert (await _session(server, person.headers, session))["status"] == "completed"


async def test_a_session_that_ended_otherwise_is_not_completed(
    server: Running, person: Person, ledger: Ledger
) -> None:
    session = await open_session(server.client, person)
    await ledger.connection.execute(
        "update public.sessions set status = 'abandoned' where id = $1", uuid.UUID(session)
    )
    answer = await server.client.post(
        f"/api/session/{session}/complete", json={"context": {"a": 1}}, headers=person.headers
    )
    problem_of(answer, 409, "session_ended")
    assert (await _session(server, person.headers, session))["context"] == {}


# Listing.


async def test_sessions_are_listed_newest_first_in_pages(
    server: Running, db: Database, person: Person
) -> None:
    colleague = await make_person(db, person.tenant, "bob")
    await open_session(server.client, colleague)
    opened = [await open_session(server.client, person) for _ in range(7)]
    await server.client.post(f"/agents/sessions/{opened[2]}/close", headers=person.headers)
    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while True:
        params = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        page = (await server.client.get("/api/sessions", params=params, headers=person.headers)).json()
        seen += [item["id"] for item in page["items"]]
        pages += 1
        if pages == 1:
            # What comes in between moves nothing.
            await open_session(server.client, person)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == opened[::-1]
    assert pages == 3
    closed = await server.client.get(
        "/api/sessions", params={"status": "completed"}, headers=person.headers
    )
    assert [item["id"] for item in closed.json()["items"]] == [opened[2]]


async def test_an_anonymous_holder_lists_its_one_session(server: Running, tenant: Tenant) -> None:
    await _anonymous(server, tenant)
    session, holder = await _anonymous(server, tenant)
    listed = (await server.client.get("/api/sessions", headers=holder)).json()
    assert [item["id"] for item in listed["items"]] == [session]


async def test_messages_are_read_in_pages(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    for text in ("one", "two", "three"):
        await say(server.client, person.headers, session, text)
    url = f"/api/session/{session}/messages"
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = (
            await server.client.get(url, params={"after": after, "limit": 4}, headers=person.headers)
        ).json()
        found += page["items"]
        after = page["next_after"]
    assert [item["seq"] for item in found] == [1, 2, 3, 4, 5, 6]
    assert [item["role"] for item in found] == ["user", "assistant"] * 3
    assert [item["parts"][0]["text"] for item in found[::2]] == ["one", "two", "three"]
    assert all(json.dumps(item["metadata"]) for item in found)
    last = await server.client.get(url, params={"after": 6}, headers=person.headers)
    assert last.json() == {"items": [], "next_after": None}
