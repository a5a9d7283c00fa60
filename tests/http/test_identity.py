"""Who somebody is: tokens, API keys, signed calls, profiles at first sight."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from stead.assembly.database import DatabaseAccess
from stead.identity import Tenant, signatures
from tests.http.conftest import SERVICE_SECRET, Ledger, Logs, from_anywhere, problem_of
from tests.servers.clerk import with_clerk
from tests.servers.jwks import ec_key, rsa_key
from tests.support.people import SECRET, Person, make_tenant, open_session, service_headers
from tests.support.servers import Running, running_server

APP = "https://app.example.com"


def _now() -> int:
    return int(datetime.now(UTC).timestamp())


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _claims(person: Person, **changes: Any) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": "stead",
        "aud": "authenticated",
        "role": "authenticated",
        "sub": str(person.id),
        "tenant_id": str(person.tenant.id),
        "exp": _now() + 600,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


# Each way to fail.


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"exp": _now() - 60}, 401, "token_expired"),
        ({"exp": None}, 401, "token_claims_invalid"),
        ({"exp": "soon"}, 401, "token_claims_invalid"),
        ({"nbf": _now() + 86_400}, 401, "token_not_yet_valid"),
        ({"iat": _now() + 86_400}, 401, "token_not_yet_valid"),
        ({"aud": "somebody-else"}, 401, "token_audience_refused"),
        ({"aud": 5}, 401, "token_claims_invalid"),
        ({"role": "superuser"}, 401, "token_claims_invalid"),
        ({"role": "anon"}, 401, "token_claims_invalid"),
        ({"sub": None}, 401, "token_claims_invalid"),
        ({"sub": "x" * 256}, 401, "token_claims_invalid"),
        ({"app_metadata": {"tenant_id": str(uuid.uuid4())}}, 401, "token_claims_invalid"),
        ({"tenant_id": str(uuid.uuid4())}, 403, "tenant_missing"),
        ({"tenant_id": "no-uuid"}, 403, "tenant_missing"),
        ({"tenant_id": None, "sub": str(uuid.uuid4())}, 403, "tenant_missing"),
        # A user writes its own user_metadata: it names no tenant.
        ({"tenant_id": None, "sub": "somebody", "user_metadata": {"tenant_id": "x"}}, 403, "tenant_missing"),
        # With an issuer that is not Stead's it is the Supabase project's token.
        ({"iss": "https://x.example/auth/v1", "role": "superuser"}, 403, "role_not_allowed"),
        ({"iss": "https://x.example/auth/v1", "role": "anon"}, 403, "role_not_allowed"),
        ({"iss": "https://x.example/auth/v1", "role": "stead_service"}, 403, "role_not_allowed"),
    ],
)  # fmt: skip
async def test_a_token_that_proves_nothing_says_why(
    edge: Running, person: Person, changes: dict[str, Any], status: int, code: str
) -> None:
    token = jwt.encode(_claims(person, **changes), SECRET)
    answer = await edge.client.get("/api/sessions", headers=_bearer(token))
    problem_of(answer, status, code)
    assert ("www-authenticate" in answer.headers) is (status == 401)


async def test_signatures_and_algorithms_are_checked(edge: Running, person: Person) -> None:
    claims = _claims(person)
    good = jwt.encode(claims, SECRET)
    header, payload, signature = good.split(".")
    for token, code in (
        (jwt.encode(claims, "another-secret-another-secret-another-secret"), "token_signature_invalid"),
        (f"{header}.{payload}.{signature[:-6]}AAAAAA", "token_signature_invalid"),
        (jwt.encode(claims, None, algorithm="none"), "token_algorithm_refused"),
        (jwt.encode(claims, SECRET * 2, algorithm="HS512"), "token_algorithm_refused"),
        (rsa_key("k").sign(claims), "token_algorithm_refused"),
        (f"{header}.{payload}", "token_malformed"),
        (f"{header}.{payload}.", "token_signature_invalid"),
        ("a.b.c", "token_malformed"),
        (good + "=", "token_malformed"),
        (jwt.encode(claims, SECRET, headers={"crit": ["b64"]}), "token_malformed"),
    ):
        answer = await edge.client.get("/api/sessions", headers=_bearer(token))
        problem_of(answer, 401, code)
    assert (await edge.client.get("/api/sessions", headers=_bearer(good))).status_code == 200


async def test_a_person_of_another_organisation_gets_no_second_profile(
    edge: Running, person: Person, other_tenant: Tenant, ledger: Ledger
) -> None:
    token = jwt.encode(_claims(person, tenant_id=str(other_tenant.id)), SECRET)
    answer = await edge.client.get("/api/sessions", headers=_bearer(token))
    problem_of(answer, 403, "tenant_mismatch")
    assert (await ledger.of(other_tenant.id))["profiles"][0] == 0


async def test_nothing_presented(edge: Running) -> None:
    problem_of(await edge.client.get("/api/sessions"), 401, "credentials_missing")


async def test_services_only(edge: Running, person: Person) -> None:
    for path in ("/v1/api-keys", "/v1/agents/concierge/versions"):
        problem_of(await edge.client.get(path, headers=person.headers), 403, "service_only")


# API keys.


async def _make_key(edge: Running, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = await edge.client.post("/v1/api-keys", json={"name": "k", **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_key_is_shown_once_and_opens_its_organisation(
    edge: Running, tenant: Tenant, person: Person, stranger: Person, ledger: Ledger, logs: Logs
) -> None:
    made = await _make_key(edge, service_headers(tenant))
    assert made["key"].startswith(f"sk_stead_{made['id']}_")
    assert made["last_used_at"] is None
    mine, theirs = [await open_session(edge.client, each) for each in (person, stranger)]
    headers = _bearer(made["key"])
    assert (await edge.client.get(f"/api/session/{mine}", headers=headers)).status_code == 200
    problem_of(await edge.client.get(f"/api/session/{theirs}", headers=headers), 404, "session_unknown")
    listed = await edge.client.get("/v1/api-keys", headers=headers)
    assert [key["id"] for key in listed.json()] == [made["id"]]
    assert listed.json()[0]["last_used_at"] is not None
    secret = made["key"].rpartition("_")[2]
    assert secret not in listed.text
    assert "key" not in listed.json()[0]
    stored = await ledger.connection.fetchval(
        "select to_jsonb(k)::text from stead.api_keys k where id = $1", made["id"]
    )
    assert secret not in stored
    assert secret not in logs.text


async def test_a_key_may_do_no_more_than_its_maker(edge: Running, tenant: Tenant) -> None:
    service = service_headers(tenant)
    narrow = _bearer((await _make_key(edge, service, scopes=["chat:write"]))["key"])
    answer = await edge.client.post("/v1/api-keys", json={"name": "k"}, headers=narrow)
    problem_of(answer, 403, "scope_missing")
    maker = await _make_key(edge, service, scopes=["keys", "chat:write"])
    headers = _bearer(maker["key"])
    answer = await edge.client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["finance:write"]}, headers=headers
    )
    problem_of(answer, 403, "scope_missing")
    # Without a word about scopes it gets its maker's, not all.
    assert (await _make_key(edge, headers))["scopes"] == ["chat:write", "keys"]
    assert (await _make_key(edge, headers, scopes=["chat:write"]))["scopes"] == ["chat:write"]
    answer = await edge.client.delete(f"/v1/api-keys/{maker['id']}", headers=narrow)
    problem_of(answer, 403, "scope_missing")


async def test_a_key_ends_by_time_or_at_once(
    edge: Running, tenant: Tenant, other_tenant: Tenant, ledger: Ledger
) -> None:
    service = service_headers(tenant)
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = await _make_key(edge, service, expires_at=soon)
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(soon)
    headers = _bearer(made["key"])
    assert (await edge.client.get("/v1/api-keys", headers=headers)).status_code == 200
    await ledger.connection.execute(
        "update stead.api_keys set expires_at = now() where id = $1", made["id"]
    )
    problem_of(await edge.client.get("/v1/api-keys", headers=headers), 401, "api_key_invalid")

    made = await _make_key(edge, service)
    headers = _bearer(made["key"])
    url = f"/v1/api-keys/{made['id']}"
    # Not by another organisation.
    problem_of(
        await edge.client.delete(url, headers=service_headers(other_tenant)), 404, "api_key_unknown"
    )
    assert (await edge.client.get("/v1/api-keys", headers=headers)).status_code == 200
    for _ in range(2):
        assert (await edge.client.delete(url, headers=service)).status_code == 204
    problem_of(await edge.client.get("/v1/api-keys", headers=headers), 401, "api_key_invalid")
    problem_of(
        await edge.client.delete("/v1/api-keys/aaaaaaaaaaaa", headers=service), 404, "api_key_unknown"
    )


async def test_a_key_with_another_keys_id_is_no_key(edge: Running, tenant: Tenant) -> None:
    one, two = [(await _make_key(edge, service_headers(tenant)))["key"] for _ in range(2)]
    mixed = "_".join([*one.split("_")[:3], two.split("_")[3]])
    problem_of(await edge.client.get("/v1/api-keys", headers=_bearer(mixed)), 401, "api_key_malformed")
    problem_of(
        await edge.client.get("/v1/api-keys", headers=_bearer(one[:-1])), 401, "api_key_malformed"
    )


# Signed calls.


def _signed(
    tenant: Tenant, body: bytes = b"", *, message_id: str | None = None, at: datetime | None = None
) -> dict[str, str]:
    return {
        **signatures.sign(
            SERVICE_SECRET,
            body,
            message_id or f"{tenant.slug}:{uuid.uuid4().hex}",
            at or datetime.now(UTC),
        ),
        "content-type": "application/json",
    }


async def test_a_signed_call_is_the_organisations_service(
    edge: Running, tenant: Tenant, person: Person, stranger: Person
) -> None:
    mine, theirs = [await open_session(edge.client, each) for each in (person, stranger)]
    body = b'{"name": "Ann"}'
    answer = await edge.client.patch(f"/api/session/{mine}", content=body, headers=_signed(tenant, body))
    assert answer.status_code == 200, answer.text
    answer = await edge.client.patch(
        f"/api/session/{theirs}", content=body, headers=_signed(tenant, body)
    )
    problem_of(answer, 404, "session_unknown")


async def test_a_signed_call_counts_once_on_every_server(
    access: DatabaseAccess, edge: Running, tenant: Tenant
) -> None:
    async with running_server(access, service_secret=SERVICE_SECRET) as second:
        once = _signed(tenant)
        assert (await edge.client.get("/v1/api-keys", headers=once)).status_code == 200
        for server in (edge, second):
            answer = await server.client.get("/v1/api-keys", headers=once)
            problem_of(answer, 401, "signature_replayed")
        # Two at once: one gets through.
        racing = _signed(tenant)
        answers = await asyncio.gather(
            *(
                server.client.get("/v1/api-keys", headers=racing)
                for server in (edge, second, edge, second)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
        # Another signature over the same id is the same message.
        again = _signed(
            tenant, message_id=racing["webhook-id"], at=datetime.now(UTC) + timedelta(seconds=5)
        )
        problem_of(await second.client.get("/v1/api-keys", headers=again), 401, "signature_replayed")


async def test_a_signed_call_can_fail_in_each_of_its_parts(
    edge: Running, server: Running, tenant: Tenant, other_tenant: Tenant
) -> None:
    now = datetime.now(UTC)
    sent: list[tuple[dict[str, str], int, str]] = [
        (_signed(tenant, at=now - timedelta(minutes=6)), 401, "signature_stale"),
        (_signed(tenant, at=now + timedelta(minutes=6)), 401, "signature_stale"),
        (_signed(tenant, b"another body"), 401, "signature_invalid"),
        (
            {**_signed(tenant), "webhook-id": f"{other_tenant.slug}:{uuid.uuid4().hex}"},
            401,
            "signature_invalid",
        ),
        ({**_signed(tenant), "webhook-timestamp": "now"}, 401, "signature_invalid"),
        (_signed(tenant, message_id=tenant.slug), 401, "token_claims_invalid"),
        (_signed(tenant, message_id=f"{tenant.slug}:"), 401, "token_claims_invalid"),
        (_signed(tenant, message_id=f"nobody-{uuid.uuid4().hex[:8]}:1"), 404, "tenant_unknown"),
    ]
    for missing in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        headers = _signed(tenant)
        del headers[missing]
        sent.append((headers, 401, "signature_missing"))
    for headers, status, code in sent:
        problem_of(await edge.client.get("/v1/api-keys", headers=headers), status, code)
    # A bearer token beside it does not make up for a signature that is wrong.
    headers = {**_signed(tenant, b"another body"), **service_headers(tenant)}
    problem_of(await edge.client.get("/v1/api-keys", headers=headers), 401, "signature_invalid")


# Profiles at first sight.


async def _profiles(ledger: Ledger, tenant: Tenant) -> list[dict[str, Any]]:
    rows = await ledger.connection.fetch(
        "select id, external_id, email from public.profiles where tenant_id = $1", tenant.id
    )
    return [dict(row) for row in rows]


async def test_the_first_request_makes_the_profile(
    edge: Running, tenant: Tenant, ledger: Ledger
) -> None:
    subject = uuid.uuid4()
    stranger = Person(tenant=tenant, id=subject, email="Ann@Example.com")
    assert (await edge.client.get("/api/sessions", headers=stranger.headers)).status_code == 200
    assert await _profiles(ledger, tenant) == [
        {"id": subject, "external_id": None, "email": "ann@example.com"}
    ]
    # An address that nobody vouches for is not stored.
    unverified = _claims(Person(tenant=tenant, id=uuid.uuid4(), email=""), email="eve@example.com")
    await edge.client.get("/api/sessions", headers=_bearer(jwt.encode(unverified, SECRET)))
    assert {each["email"] for each in await _profiles(ledger, tenant)} == {"ann@example.com", None}


async def test_twenty_first_requests_at_once_make_one_profile(
    edge: Running, tenant: Tenant, ledger: Ledger
) -> None:
    newcomer = Person(tenant=tenant, id=uuid.uuid4(), email="ann@example.com")
    by_name = _claims(newcomer, sub=f"user_{uuid.uuid4().hex}", email="bob@example.com")
    for headers in (newcomer.headers, _bearer(jwt.encode(by_name, SECRET))):
        before = len(await _profiles(ledger, tenant))
        answers = await asyncio.gather(
            *(
                edge.client.post("/api/session", json={"orgId": tenant.slug}, headers=headers)
                for _ in range(20)
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len(await _profiles(ledger, tenant)) == before + 1
        listed = await edge.client.get("/api/sessions", headers=headers)
        assert len(listed.json()["items"]) == 20


async def test_clerk(access: DatabaseAccess, ledger: Ledger, logs: Logs) -> None:
    org = f"org_{uuid.uuid4().hex}"
    tenant = await make_tenant(access, org)
    subject = f"user_{uuid.uuid4().hex}"
    async with with_clerk(access) as (clerk, running):
        headers = clerk.token(subject, org)
        opened = await running.client.post("/api/session", json={"orgId": org}, headers=headers)
        assert opened.status_code == 200, opened.text
        (profile,) = await _profiles(ledger, tenant)
        assert profile["external_id"] == subject
        row = await ledger.connection.fetchrow(
            "select profile_id, clerk_user_id, clerk_org_id from public.sessions where id = $1",
            uuid.UUID(opened.json()["sessionId"]),
        )
        assert row is not None
        assert tuple(row) == (profile["id"], subject, org)
        # Version 1 of the claims, and the next token of the same person.
        again = clerk.token(subject, None, org_id=org, org_slug="acme", org_role="org:admin")
        listed = await running.client.get("/api/sessions", headers=again)
        assert [item["id"] for item in listed.json()["items"]] == [opened.json()["sessionId"]]
        assert len(await _profiles(ledger, tenant)) == 1

        # An anonymous session, linked to who the token proves: without an organisation in it, the session
        # says where.
        async with httpx.AsyncClient(base_url=running.base_url) as browser:
            held = (await browser.post("/api/session", json={"orgId": tenant.slug})).json()
            personal = clerk.token(subject, None)
            wrong = await browser.post(
                f"/api/session/{held['sessionId']}/link",
                json={"clerkUserId": "user_2somebodyelse"},
                headers=personal,
            )
            problem_of(wrong, 403, "session_not_held")
            linked = await browser.post(
                f"/api/session/{held['sessionId']}/link",
                json={"clerkUserId": subject},
                headers=personal,
            )
            assert linked.json() == {"success": True, "sessionId": held["sessionId"]}
        row = await ledger.connection.fetchrow(
            "select profile_id, clerk_user_id, clerk_org_id from public.sessions where id = $1",
            uuid.UUID(held["sessionId"]),
        )
        assert row is not None
        assert tuple(row) == (profile["id"], subject, org)
        assert len(await _profiles(ledger, tenant)) == 1

        for refused, status, code in (
            (clerk.token(subject, None), 403, "tenant_missing"),
            (clerk.token(subject, "org_unknown"), 403, "tenant_missing"),
            (clerk.token(subject, org, azp="https://evil.example"), 401, "token_party_refused"),
            (clerk.token(subject, org, exp=_now() - 60), 401, "token_expired"),
            (clerk.token(subject, org, sts="pending"), 401, "token_claims_invalid"),
            (_bearer(ec_key("ins_1").sign({"iss": clerk.issuer})), 401, "token_algorithm_refused"),
            (_bearer(rsa_key("ins_2").sign({"iss": clerk.issuer})), 401, "token_key_unknown"),
        ):
            answer = await running.client.get("/api/sessions", headers={**refused, **from_anywhere()})
            problem_of(answer, status, code)
    assert subject not in logs.text


async def test_clerk_silent(access: DatabaseAccess) -> None:
    tenant = await make_tenant(access, f"org_{uuid.uuid4().hex}")
    async with with_clerk(access) as (clerk, running):
        headers = clerk.token("user_1", tenant.external_org_id)
        await clerk.stop()
        answer = await running.client.get("/api/sessions", headers=headers)
        problem_of(answer, 503, "jwks_unavailable")
        assert answer.headers["retry-after"]
        # Whoever brings a token of Stead's own needs no Clerk.
        person = Person(tenant=tenant, id=uuid.uuid4(), email="ann@example.com")
        assert (await running.client.get("/api/sessions", headers=person.headers)).status_code == 200
