"""Abuse, as strangers try it over HTTP: refused or without effect, counted, told in the log, and nothing stored.

Webhooks that come again stand in `test_accounts.py`, and servers that count together in `test_limits.py`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Tenant, signatures
from stead.identity.jwt import SteadTokens
from tests.http.conftest import SERVICE_SECRET, Ledger, Logs, from_anywhere, problem_of
from tests.support.people import SECRET, Person, make_person, open_session, service_headers
from tests.support.servers import Running, running_server


@pytest_asyncio.fixture(scope="module")
async def guarded(access: DatabaseAccess) -> AsyncIterator[Running]:
    """A server with low limits, behind a trusted proxy."""
    async with running_server(
        access,
        trusted_proxies=("127.0.0.1",),
        service_secret=SERVICE_SECRET,
        rate_limit="20/minute",
        session_rate_limit="8/minute",
        address_rate_limit="40/minute",
        open_rate_limit="6/minute",
        chat_rate_limit="3/minute",
        address_chat_rate_limit="5/minute",
        service_rate_limit="100000/minute",
        unknown_id_rate_limit="5/minute",
    ) as running:
        yield running


class Told:
    """What was counted and logged since it was made."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._from = len(logs.lines)
        self._before: dict[tuple[str, str], float] = {}
        for family in REGISTRY.collect():
            for sample in family.samples:
                for label in sample.labels.values():
                    self._before[sample.name, label] = sample.value

    def refusals(self, code: str) -> int:
        """How many requests were refused with that code."""
        return self._since("stead_http_refusals_total", "code", code)

    def suspected(self, kind: str) -> int:
        """How often it looked like that."""
        return self._since("stead_http_suspected_total", "kind", kind)

    async def until_suspected(self, kind: str, times: int) -> None:
        """Waits for what is found out when the answer is out."""
        async with asyncio.timeout(20):
            while True:
                if (found := self.suspected(kind)) >= times:
                    assert found == times
                    return
                await asyncio.sleep(0.01)

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """What the log says of it."""
        return [
            line
            for line in self._logs.lines[self._from :]
            if line["event"] == "abuse_suspected" and line["kind"] == kind
        ]

    def _since(self, name: str, label: str, value: str) -> int:
        now = REGISTRY.get_sample_value(name, {label: value}) or 0
        return round(now - self._before.get((name, value), 0))


@pytest.fixture
def told(logs: Logs) -> Told:
    return Told(logs)


async def _opened(
    server: Running, tenant: Tenant, address: dict[str, str], **body: Any
) -> tuple[str, dict[str, str]]:
    """An anonymous session and the header that holds it."""
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        answer = await client.post("/api/session", json={"orgId": tenant.slug, **body}, headers=address)
    assert answer.status_code == 200, answer.text
    return answer.json()["sessionId"], {"x-session-token": answer.json()["sessionToken"]}


def _held(tenant: Tenant) -> dict[str, str]:
    """The header of a session of which nobody knows: each is an identity."""
    return {"x-session-token": SteadTokens(SECRET).issue_session(tenant.id, new_id(), 60)}


def _limited(answer: httpx.Response, limit: str) -> None:
    """Asserts that the answer is a refusal for now, by that limit, as clients are told of it."""
    assert problem_of(answer, 429, "rate_limited")["limit"] == limit
    wait_s = int(answer.headers["retry-after"])
    assert 1 <= wait_s <= 60
    assert answer.headers["ratelimit"] == f'"{limit}";r=0;t={wait_s}'
    assert answer.headers["ratelimit-policy"].startswith(f'"{limit}";q=')


# Guessing ids.


async def test_guessing_session_ids(
    guarded: Running,
    db: Database,
    person: Person,
    stranger: Person,
    ledger: Ledger,
    logs: Logs,
    told: Told,
) -> None:
    mine = await open_session(guarded.client, person)
    theirs = await open_session(guarded.client, stranger)
    colleague = await make_person(db, person.tenant, "bob")
    colleagues = await open_session(guarded.client, colleague)
    anonymous, holder = await _opened(guarded, person.tenant, from_anywhere())
    before = await ledger.of(person.tenant.id, stranger.tenant.id)
    near = uuid.UUID(mine).int
    guesses = [
        str(uuid.UUID(int=near + 1)),  # the one after one's own
        str(uuid.uuid4()),
        colleagues,
        theirs,  # of another organisation
        anonymous,
    ]

    # Without a token nothing is looked up.
    for guess in guesses:
        answer = await guarded.client.get(f"/api/session/{guess}", headers=from_anywhere())
        problem_of(answer, 401, "credentials_missing")

    async def guess_as(who: dict[str, str], own: str, address: dict[str, str]) -> None:
        tried = [guess for guess in [*guesses, mine] if guess != own][:5]
        answers = [
            await guarded.client.request(
                method, f"/api/session/{guess}{path}", json=body, headers={**who, **address}
            )
            for guess, (method, path, body) in zip(
                tried,
                [
                    ("GET", "", None),
                    ("GET", "/messages", None),
                    ("PATCH", "", {"name": "Eve"}),
                    ("POST", "/complete", {}),
                    ("GET", "/runs", None),
                ],
                strict=True,
            )
        ]
        documents = [problem_of(answer, 404, "session_unknown") for answer in answers]
        # What is somebody else's answers like what is not there.
        assert len({(each["title"], each["detail"]) for each in documents}) == 1
        # From now on a right guess is not answered either.
        _limited(
            await guarded.client.get(f"/api/session/{own}", headers={**who, **address}),
            "unknown-ids",
        )

    office = from_anywhere()
    await guess_as(person.headers, mine, office)
    # Those who sit beside them are not held up, signed in or not.
    for headers, session in ((colleague.headers, colleagues), (holder, anonymous)):
        answer = await guarded.client.get(f"/api/session/{session}", headers={**headers, **office})
        assert answer.status_code == 200
    # With the token of another organisation.
    await guess_as(stranger.headers, theirs, from_anywhere())
    # With a session's token, of which there are as many as somebody opens: the address counts.
    street = from_anywhere()
    await guess_as(holder, anonymous, street)
    _limited(
        await guarded.client.get("/api/sessions", headers={**_held(person.tenant), **street}),
        "address-unknown-ids",
    )
    answer = await guarded.client.get("/api/sessions", headers={**colleague.headers, **street})
    assert answer.status_code == 200
    # A service is not held to the ids that people name through it.
    for _ in range(7):
        answer = await guarded.client.get(
            f"/api/session/{uuid.uuid4()}", headers=service_headers(person.tenant)
        )
        problem_of(answer, 404, "session_unknown")

    assert await ledger.of(person.tenant.id, stranger.tenant.id) == before
    assert told.refusals("credentials_missing") == 5
    assert told.refusals("session_unknown") == 3 * 5 + 7
    assert told.refusals("rate_limited") == 4
    assert told.suspected("guessing") == 4
    lines = told.lines("guessing")
    assert len(lines) == 4
    assert {line["level"] for line in lines} == {"warning"}
    assert len({line["caller"] for line in lines}) == 4
    # The last two came from one address, the others from one each.
    assert len({line["address"] for line in lines}) == 3
    for secret in (mine, theirs, anonymous, str(person.id), *office.values(), *holder.values()):
        assert all(secret not in str(line) for line in lines)


async def test_guessing_organisations(guarded: Running, tenant: Tenant, told: Told) -> None:
    street = from_anywhere()
    for number in range(5):
        body = {"orgId": f"{tenant.slug}-{number}"}
        answer = await guarded.client.post("/api/session", json=body, headers=street)
        problem_of(answer, 404, "tenant_unknown")
    answer = await guarded.client.post("/api/session", json={"orgId": tenant.slug}, headers=street)
    _limited(answer, "address-unknown-ids")
    assert (told.refusals("tenant_unknown"), told.suspected("guessing")) == (5, 1)


# Claiming somebody's email.


def _unverified(person: Person, email: str) -> dict[str, str]:
    claims = {
        "iss": "stead",
        "aud": "authenticated",
        "role": "authenticated",
        "sub": str(person.id),
        "tenant_id": str(person.tenant.id),
        "email": email,
        "exp": int(datetime.now(UTC).timestamp()) + 600,
    }
    return {"authorization": f"Bearer {jwt.encode(claims, SECRET)}"}


async def test_claiming_somebodys_email(
    guarded: Running, db: Database, person: Person, stranger: Person, ledger: Ledger, told: Told
) -> None:
    """What is answered says nothing of whether anybody has the address."""
    opened = await guarded.client.post(
        "/api/session",
        json={"orgId": person.tenant.slug, "email": person.email, "context": {"secret": 1}},
        headers=person.headers,
    )
    victim = opened.json()["sessionId"]
    row = "select to_jsonb(s)::text from public.sessions s where id = $1"
    before = await ledger.connection.fetchval(row, uuid.UUID(victim))
    eve = await make_person(db, person.tenant, "eve")
    nobodys = f"nobody-{uuid.uuid4().hex[:8]}@example.com"
    claimed = 0
    others = [await make_person(db, person.tenant, name) for name in ("mallory", "trudy")]
    for who in (
        {},
        _held(person.tenant),
        eve.headers,
        _unverified(others[0], person.email),
        _unverified(others[1], nobodys),
    ):
        answers: list[tuple[object, ...]] = []
        for email in (person.email, person.email.upper(), nobodys):
            headers = {**who, **from_anywhere()}
            guarded.client.cookies.clear()
            answer = await guarded.client.post(
                "/api/session", json={"orgId": person.tenant.slug, "email": email}, headers=headers
            )
            session = answer.json()["sessionId"]
            assert session != victim
            own = headers | (
                {"x-session-token": answer.json()["sessionToken"]}
                if "sessionToken" in answer.json()
                else {}
            )
            patched = await guarded.client.patch(
                f"/api/session/{session}", json={"email": email, "context": {"a": 1}}, headers=own
            )
            # It stays their own session, with nothing of the other's in it.
            assert patched.json() == {"success": True, "sessionId": session}
            found = await guarded.client.get(f"/api/session/{session}", headers=own)
            assert found.json()["context"] == {"a": 1}
            answers.append(
                (
                    answer.status_code,
                    sorted(answer.json()),
                    sorted(answer.headers),
                    patched.status_code,
                    sorted(patched.headers),
                )
            )
            claimed += 2 * (email != nobodys)
        assert answers[0] == answers[1] == answers[2]
    assert await ledger.connection.fetchval(row, uuid.UUID(victim)) == before
    listed = await guarded.client.get("/api/sessions", headers=person.headers)
    assert [item["id"] for item in listed.json()["items"]] == [victim]

    await told.until_suspected("email_claim", claimed)
    lines = told.lines("email_claim")
    assert lines
    assert all(person.email not in str(line) for line in lines)
    # One's own address is none, nor is it for another organisation.
    for who in (person, stranger):
        answer = await guarded.client.post(
            "/api/session", json={"orgId": who.tenant.slug, "email": person.email}, headers=who.headers
        )
        assert (answer.json()["sessionId"] == victim) is (who is person)
    # Nor where it is known to be theirs, and this token does not vouch for it.
    answer = await guarded.client.post(
        "/api/session",
        json={"orgId": person.tenant.slug, "email": person.email},
        headers=_unverified(person, person.email) | from_anywhere(),
    )
    assert answer.json()["sessionId"] != victim
    await guarded.client.patch(
        f"/api/session/{victim}", json={"email": eve.email}, headers=person.headers
    )
    await told.until_suspected("email_claim", claimed + 1)


# Replaying signed calls.


async def test_replaying_a_signed_call(
    access: DatabaseAccess, guarded: Running, person: Person, ledger: Ledger, told: Told
) -> None:
    session = await open_session(guarded.client, person)
    body = b'{"name": "Ann"}'
    signed = {
        **signatures.sign(
            SERVICE_SECRET, body, f"{person.tenant.slug}:{uuid.uuid4().hex}", datetime.now(UTC)
        ),
        "content-type": "application/json",
    }
    async with running_server(
        access, service_secret=SERVICE_SECRET, trusted_proxies=("127.0.0.1",)
    ) as second:

        async def send(server: Running) -> httpx.Response:
            return await server.client.patch(
                f"/api/session/{session}", content=body, headers={**signed, **from_anywhere()}
            )

        answers = await asyncio.gather(*(send(server) for server in (guarded, second) * 3))
        assert sorted(answer.status_code for answer in answers) == [200, *[401] * 5]
        before = await ledger.of(person.tenant.id)
        for server in (guarded, second):
            problem_of(await send(server), 401, "signature_replayed")
    assert await ledger.of(person.tenant.id) == before
    assert told.refusals("signature_replayed") == told.suspected("replay") == 7
    assert {line["code"] for line in told.lines("replay")} == {"signature_replayed"}
    assert all(signed["webhook-signature"] not in str(line) for line in told.lines("replay"))


# Linking a session that is linked.


async def test_linking_a_session_that_is_linked(
    guarded: Running, db: Database, tenant: Tenant, ledger: Ledger, told: Told
) -> None:
    ann, eve = await make_person(db, tenant), await make_person(db, tenant, "eve")

    async def link(session: str, who: Person, holder: dict[str, str]) -> httpx.Response:
        return await guarded.client.post(
            f"/api/session/{session}/link",
            json={"clerkUserId": str(who.id)},
            headers={**who.headers, **holder, **from_anywhere()},
        )

    owner = "select profile_id from public.sessions where id = $1"
    taken = 0
    for _ in range(4):
        session, holder = await _opened(guarded, tenant, from_anywhere())
        # Both at once, each with the token of the session: one gets it.
        answers = await asyncio.gather(link(session, ann, holder), link(session, eve, holder))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won, lost = (ann, eve) if answers[0].status_code == 200 else (eve, ann)
        assert await ledger.connection.fetchval(owner, uuid.UUID(session)) == won.id
        before = await ledger.of(tenant.id)
        # By the same person again: no error, and nothing changes.
        assert (await link(session, won, holder)).json() == {"success": True, "sessionId": session}
        problem_of(await link(session, lost, holder), 409, "session_already_linked")
        # Without its token they do not even learn that it is linked.
        problem_of(await link(session, lost, {}), 404, "session_unknown")
        assert await ledger.of(tenant.id) == before
        taken += 2
    assert told.refusals("session_already_linked") == told.suspected("link_taken") == taken
    # One line a minute for each of them.
    assert 1 <= len(told.lines("link_taken")) <= 2
    assert {line["tenant_id"] for line in told.lines("link_taken")} == {str(tenant.id)}


# Flooding.


async def test_flooding_one_session(guarded: Running, tenant: Tenant, told: Told) -> None:
    session, holder = await _opened(guarded, tenant, from_anywhere())

    async def look(who: dict[str, str], of: str = session) -> httpx.Response:
        return await guarded.client.get(f"/api/session/{of}", headers={**who, **from_anywhere()})

    # By its holder and by two services, each of which has room of its own.
    callers = [holder, service_headers(tenant), service_headers(tenant)]
    for number in range(8):
        assert (await look(callers[number % 3])).status_code == 200
    for who in callers:
        _limited(await look(who), "session")
    other, _ = await _opened(guarded, tenant, from_anywhere())
    assert (await look(callers[1], other)).status_code == 200
    assert (told.refusals("rate_limited"), told.suspected("flood")) == (3, 3)
    assert len(told.lines("flood")) == 3


async def test_naming_a_session_uses_up_nothing_of_it(
    guarded: Running, db: Database, tenant: Tenant
) -> None:
    session, holder = await _opened(guarded, tenant, from_anywhere())
    for _ in range(3):
        eve = await make_person(db, tenant, "eve")
        for _ in range(4):
            answer = await guarded.client.get(
                f"/api/session/{session}", headers={**eve.headers, **from_anywhere()}
            )
            problem_of(answer, 404, "session_unknown")
    for _ in range(8):
        answer = await guarded.client.get(f"/api/session/{session}", headers=holder | from_anywhere())
        assert answer.status_code == 200


async def test_flooding_as_one_person_over_many_sessions(
    guarded: Running, person: Person, told: Told
) -> None:
    sessions = [await open_session(guarded.client, person) for _ in range(10)]
    answers = [
        await guarded.client.get(
            f"/api/session/{session}", headers={**person.headers, **from_anywhere()}
        )
        for session in [*sessions, *sessions]
    ]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 10
    _limited(answers[-1], "identity")
    assert told.refusals("rate_limited") == told.suspected("flood") == 10
    # The log is not flooded.
    assert len(told.lines("flood")) == 1


async def test_flooding_from_one_address_with_many_sessions(
    guarded: Running, tenant: Tenant, person: Person, ledger: Ledger, told: Told
) -> None:
    street = from_anywhere()
    for _ in range(6):
        await _opened(guarded, tenant, street)
    before = await ledger.of(tenant.id)
    # Without a token, and with one of those that were opened: each would be an identity more.
    for who in ({}, _held(tenant)):
        guarded.client.cookies.clear()
        answer = await guarded.client.post(
            "/api/session", json={"orgId": tenant.slug}, headers={**who, **street}
        )
        _limited(answer, "opening")
    assert await ledger.of(tenant.id) == before

    # However many identities they have, an address has room for forty requests.
    for _ in range(40 - 6 - 2):
        answer = await guarded.client.get("/api/sessions", headers={**_held(tenant), **street})
        assert answer.status_code == 200
    for who in (_held(tenant), person.headers, {}):
        _limited(await guarded.client.get("/api/sessions", headers={**who, **street}), "address")
    # A service speaks for many, from one address: it counts by itself.
    answer = await guarded.client.get("/api/sessions", headers={**service_headers(tenant), **street})
    assert answer.status_code == 200
    elsewhere = await guarded.client.get("/api/sessions", headers={**person.headers, **from_anywhere()})
    assert elsewhere.status_code == 200
    assert told.refusals("rate_limited") == told.suspected("flood") == 5
    assert all(street["x-forwarded-for"] not in str(line) for line in told.lines("flood"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/chat", lambda session: {"sessionId": session, "message": " "}),
        (
            "/api/agents/chat",
            lambda session: {"session_id": session, "agent": "nobody", "message": "hello"},
        ),
        ("/agents/run", lambda session: {"session_id": session, "agent": "nobody", "prompt": "hello"}),
        ("/api/agents/compare", lambda session: {"session_id": session, "goal": " "}),
    ],
    ids=["chat", "agents-chat", "run", "compare"],
)
async def test_flooding_with_messages(
    guarded: Running, db: Database, tenant: Tenant, ledger: Ledger, path: str, body: Any
) -> None:
    """By session, by person and by address. What is sent counts before it is found to be no message."""
    ann, bob = await make_person(db, tenant), await make_person(db, tenant, "bob")
    mine, other, bobs = [await open_session(guarded.client, who) for who in (ann, ann, bob)]
    before = await ledger.of(tenant.id)
    office = from_anywhere()

    async def send(
        session: str, who: dict[str, str], address: dict[str, str] | None = None
    ) -> httpx.Response:
        headers = {**who, **(address or from_anywhere())}
        return await guarded.client.post(path, json=body(session), headers=headers)

    async def taken(session: str, who: dict[str, str], address: dict[str, str] | None = None) -> None:
        answer = await send(session, who, address)
        assert answer.status_code in {404, 422}, answer.text

    # A person, over many sessions and addresses.
    await taken(mine, ann.headers, office)
    await taken(mine, ann.headers, office)
    await taken(other, ann.headers, office)
    _limited(await send(other, ann.headers), "messages")
    # The address has room for two more, of anybody.
    await taken(bobs, bob.headers, office)
    await taken(bobs, bob.headers, office)
    _limited(await send(bobs, bob.headers, office), "address-messages")
    await taken(bobs, bob.headers)
    # A session through two services, at any address.
    one, two = service_headers(tenant), service_headers(tenant)
    for service in (one, two, one):
        await taken(mine, service, office)
    _limited(await send(mine, two, office), "session-messages")
    await taken(other, two, office)
    assert await ledger.of(tenant.id) == before


async def test_a_person_counts_through_a_service_too(
    guarded: Running, db: Database, tenant: Tenant
) -> None:
    ann, bob = await make_person(db, tenant), await make_person(db, tenant, "bob")
    service = [service_headers(tenant) for _ in range(3)]

    async def compare(who: Person, headers: dict[str, str]) -> httpx.Response:
        body = {"goal": " ", "profile_id": str(who.id)}
        return await guarded.client.post(
            "/api/agents/compare", json=body, headers=headers | from_anywhere()
        )

    for headers in (*service[:2], ann.headers):
        assert (await compare(ann, headers)).status_code == 422
    _limited(await compare(ann, service[2]), "messages")
    assert (await compare(bob, service[2])).status_code == 422


async def test_failed_proofs(guarded: Running, tenant: Tenant, told: Told) -> None:
    street = from_anywhere()
    forged = {"x-session-token": SteadTokens("x" * 40).issue_session(tenant.id, new_id(), 60)}
    for _ in range(30):
        answer = await guarded.client.get("/api/sessions", headers={**forged, **street})
        problem_of(answer, 401, "token_signature_invalid")
    assert not told.lines("failed_proofs")
    _limited(await guarded.client.get("/api/sessions", headers={**forged, **street}), "failed-proofs")
    assert told.refusals("token_signature_invalid") == 30
    assert told.suspected("failed_proofs") == len(told.lines("failed_proofs")) == 1
    assert forged["x-session-token"] not in str(told.lines("failed_proofs"))


async def test_proofs_of_somebody_who_is_nobody_here(guarded: Running, told: Told) -> None:
    """Each is looked up: such requests count as those that prove nothing."""
    street = from_anywhere()
    gone = Tenant(id=new_id(), slug="gone")
    for _ in range(20):
        answer = await guarded.client.get("/api/sessions", headers={**_held(gone), **street})
        problem_of(answer, 403, "tenant_missing")
    _limited(await guarded.client.get("/api/sessions", headers={**_held(gone), **street}), "nobody")
    assert (told.refusals("tenant_missing"), told.suspected("flood")) == (20, 1)
