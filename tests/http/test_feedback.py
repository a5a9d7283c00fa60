"""Feedback on answers over HTTP: given, changed, withdrawn, handed over with its session, gone with its answer."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from tests.http.conftest import problem_of
from tests.support.people import Person, make_person, open_session, service_headers
from tests.support.servers import Running, say


def path(session: str, message: str) -> str:
    return f"/api/session/{session}/messages/{message}/feedback"


async def talk(
    server: Running, headers: dict[str, str], session: str, words: str = "My bike is blue."
) -> tuple[str, str]:
    """Says something and returns the ids of the question and of the answer, as the client is told them."""
    await say(server.client, headers, session, words)
    page = await server.client.get(f"/api/session/{session}/messages", headers=headers)
    asked, answered = page.json()["items"][-2:]
    assert (asked["role"], answered["role"]) == ("user", "assistant")
    return asked["id"], answered["id"]


async def rate(
    server: Running, headers: dict[str, str], session: str, message: str, rating: str = "up", **body: Any
) -> httpx.Response:
    return await server.client.post(
        path(session, message), json={"rating": rating, **body}, headers=headers
    )


async def anonymous(server: Running, person: Person) -> tuple[str, dict[str, str]]:
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        opened = (await client.post("/api/session", json={"orgId": person.tenant.slug})).json()
    return opened["sessionId"], {"x-session-token": opened["sessionToken"]}


async def stored(db: Database, person: Person) -> list[asyncpg.Record]:
    async with db.transaction(person.principal.served(), read_only=True) as tx:
        return await tx.rows(
            "select f.*, m.client_id from public.message_feedback f "
            "join public.messages m on m.id = f.message_id order by f.created_at"
        )


async def test_the_life_of_a_rating(server: Running, db: Database, person: Person) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    problem_of(
        await server.client.get(path(session, answer), headers=person.headers), 404, "feedback_unknown"
    )

    given = await rate(server, person.headers, session, answer, "down", comment="It is green.")
    assert given.status_code == 200
    first = given.json()
    runs = await server.client.get(f"/api/session/{session}/runs", headers=person.headers)
    wanted = {
        "session_id": session, "message_id": answer, "run_id": runs.json()[0]["id"], "rating": "down",
        "comment": "It is green.",
    }  # fmt: skip
    assert wanted.items() <= first.items()
    read = await server.client.get(path(session, answer), headers=person.headers)
    assert read.json() == first

    changed = (await rate(server, person.headers, session, answer, "up")).json()
    assert (changed["rating"], changed["comment"]) == ("up", None)
    assert changed["created_at"] == first["created_at"]
    assert changed["updated_at"] > first["updated_at"]
    (row,) = await stored(db, person)
    assert (row["rating"], row["profile_id"]) == (1, person.id)

    for _ in range(2):
        gone = await server.client.delete(path(session, answer), headers=person.headers)
        assert (gone.status_code, gone.content) == (204, b"")
    assert await stored(db, person) == []


async def test_rated_at_once_it_is_rated_once(server: Running, db: Database, person: Person) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    ratings = ["up", "down"] * 5
    answers = await asyncio.gather(*(rate(server, person.headers, session, answer, r) for r in ratings))
    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["created_at"] for a in answers}) == 1
    assert len(await stored(db, person)) == 1


async def test_what_is_no_answer_cannot_be_rated(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    other = await open_session(server.client, person)
    question, answer = await talk(server, person.headers, session)
    for method, body in (("POST", {"rating": "up"}), ("GET", None), ("DELETE", None)):

        async def call(where: str, code: int, name: str, *, m: str = method, b: Any = body) -> None:
            reply = await server.client.request(m, where, json=b, headers=person.headers)
            problem_of(reply, code, name)

        await call(path(session, question), 422, "message_not_rateable")
        await call(path(session, str(new_id())), 404, "message_unknown")
        await call(path(session, "no such id"), 404, "message_unknown")
        # An answer of another session of the same person.
        await call(path(other, answer), 404, "message_unknown")
        await call(path(str(new_id()), answer), 404, "session_unknown")
        await call(path(session, "m" * 201), 422, "request_invalid")
        await call(path(session, "a%00b"), 422, "text_not_storable")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "request_invalid"),
        ({"rating": "sideways"}, "request_invalid"),
        ({"rating": 1}, "request_invalid"),
        ({"rating": "up", "comment": ""}, "request_invalid"),
        ({"rating": "up", "comment": "x" * 2001}, "request_invalid"),
        ({"rating": "up", "stars": 5}, "request_invalid"),
        ({"rating": "up", "comment": "a\x00b"}, "text_not_storable"),
    ],
)
async def test_a_body_that_is_wrong_changes_nothing(
    server: Running, db: Database, person: Person, body: dict[str, Any], code: str
) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    refused = await server.client.post(path(session, answer), json=body, headers=person.headers)
    problem_of(refused, 422, code)
    assert await stored(db, person) == []


async def test_the_longest_comment_fits_whatever_its_language(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    comment = "שלום 🚲" * 333
    assert (await rate(server, person.headers, session, answer, comment=comment)).json()[
        "comment"
    ] == comment


async def test_nobody_else_rates_reads_or_withdraws(
    server: Running, db: Database, person: Person, stranger: Person
) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    assert (await rate(server, person.headers, session, answer, "up")).status_code == 200
    colleague = await make_person(db, person.tenant, "bob")
    _, visitor = await anonymous(server, person)
    for headers in (
        stranger.headers, colleague.headers, visitor, service_headers(stranger.tenant),
    ):  # fmt: skip
        for method, body in (("POST", {"rating": "down"}), ("GET", None), ("DELETE", None)):
            refused = await server.client.request(
                method, path(session, answer), json=body, headers=headers
            )
            problem_of(refused, 404, "session_unknown")
    (row,) = await stored(db, person)
    assert row["rating"] == 1


async def test_a_service_rates_for_the_holder(server: Running, db: Database, person: Person) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    headers = service_headers(person.tenant)
    assert (await rate(server, headers, session, answer, "down")).status_code == 200
    read = await server.client.get(path(session, answer), headers=person.headers)
    assert read.json()["rating"] == "down"
    # One message, one holder, one rating.
    assert (await rate(server, person.headers, session, answer, "up")).status_code == 200
    assert [row["rating"] for row in await stored(db, person)] == [1]


async def test_a_visitors_rating_goes_with_the_session(
    server: Running, db: Database, person: Person
) -> None:
    session, visitor = await anonymous(server, person)
    _, answer = await talk(server, visitor, session)
    assert (await rate(server, visitor, session, answer, "up")).status_code == 200
    assert await stored(db, person) == []

    linked = await server.client.post(
        f"/api/session/{session}/link",
        json={"clerkUserId": str(person.id)},
        headers={**person.headers, **visitor},
    )
    assert linked.status_code == 200
    (row,) = await stored(db, person)
    assert (row["profile_id"], row["rating"]) == (person.id, 1)
    for method in ("GET", "DELETE"):
        refused = await server.client.request(method, path(session, answer), headers=visitor)
        problem_of(refused, 404, "session_unknown")
    read = await server.client.get(path(session, answer), headers=person.headers)
    assert read.json()["rating"] == "up"


async def test_a_rating_given_while_its_session_is_linked_is_somebodys(
    server: Running, db: Database, person: Person
) -> None:
    for _ in range(10):
        session, visitor = await anonymous(server, person)
        _, answer = await talk(server, visitor, session)
        rated, linked = await asyncio.gather(
            rate(server, visitor, session, answer, "up"),
            server.client.post(
                f"/api/session/{session}/link",
                json={"clerkUserId": str(person.id)},
                headers={**person.headers, **visitor},
            ),
        )
        assert linked.status_code == 200
        # In time, or too late; never without an owner.
        read = await server.client.get(path(session, answer), headers=person.headers)
        assert (rated.status_code, read.status_code) in {(200, 200), (404, 404)}


async def test_a_rating_goes_with_its_answer(server: Running, db: Database, person: Person) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    assert (await rate(server, person.headers, session, answer, "down")).status_code == 200
    async with server.client.stream(
        "POST",
        "/api/chat",
        json={"sessionId": session, "trigger": "regenerate-message"},
        headers=person.headers,
    ) as again:
        await again.aread()
        assert again.status_code == 200
    assert await stored(db, person) == []


async def test_a_comment_goes_where_the_answers_words_are_taken_out(
    server: Running, db: Database, person: Person, access: DatabaseAccess
) -> None:
    session = await open_session(server.client, person)
    _, answer = await talk(server, person.headers, session)
    await rate(server, person.headers, session, answer, "down", comment="My bike is not blue.")
    admin = await asyncpg.connect(access.admin_url)
    try:
        # What changes beside the words leaves the comment.
        await admin.execute("update public.messages set metadata = '{}' where client_id = $1", answer)
        (row,) = await stored(db, person)
        assert row["comment"] == "My bike is not blue."
        await admin.execute(
            'update public.messages set parts = \'[{"type": "text", "text": "[forgotten]"}]\' '
            "where client_id = $1",
            answer,
        )
    finally:
        await admin.close()
    (row,) = await stored(db, person)
    assert (row["rating"], row["comment"]) == (-1, None)


async def test_a_comment_that_quotes_a_forgotten_memory_is_forgotten(
    server: Running, db: Database, person: Person
) -> None:
    session = await open_session(server.client, person)
    # Answered before there is anything to tell: the answers themselves say nothing that is forgotten.
    answers = [(await talk(server, person.headers, session, f"Hello {n}!"))[1] for n in range(3)]
    told = await server.client.post(
        "/agents/memories",
        json={"memories": [{"content": "I live in Lisbon."}, {"content": "I am Ann."}]},
        headers=person.headers,
    )
    comments = ("Wrong: i live in LISBON, you know.", "I am Ann", "Nothing of that was asked.")
    for answer, comment in zip(answers, comments, strict=True):
        assert (await rate(server, person.headers, session, answer, comment=comment)).is_success
    for memory_id in told.json()["stored"]:
        gone = await server.client.post(
            "/agents/memories/forget", json={"memory_id": memory_id}, headers=person.headers
        )
        assert gone.status_code == 200, gone.text
    rows = {row["client_id"]: row["comment"] for row in await stored(db, person)}
    assert [rows[answer] for answer in answers] == [None, None, comments[2]]
