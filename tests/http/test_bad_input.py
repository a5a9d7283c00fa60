"""What cannot be right is refused as a problem document, stored nowhere, and repeated nowhere."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity.jwt import SteadTokens
from tests.http.conftest import Ledger, Logs
from tests.support.people import SECRET, Person, make_person, make_tenant, open_session, service_headers
from tests.support.servers import Running

CANARY = "CANARYc4n4ry"
JSON = {"content-type": "application/json"}
ANY_OF_THE_TOKEN = {
    "token_malformed",
    "token_algorithm_refused",
    "token_signature_invalid",
    "token_claims_invalid",
    "token_issuer_refused",
}


@dataclass(frozen=True)
class Bad:
    """A request that is wrong in one way. ``{session}`` and ``{tenant}`` stand for real ones."""

    name: str
    method: str
    path: str
    codes: set[str]
    content: bytes | None = None
    headers: dict[str, str | bytes] = field(default_factory=dict)
    caller: str = "person"  # person, service or nobody


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _nested(depth: int) -> bytes:
    return b'{"context":{"%s":' % CANARY.encode() + b"[" * depth + b"]" * depth + b"}}"


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


PATCH, OPEN, CHAT = "/api/session/{session}", "/api/session", "/api/chat"
CONTEXT = b'{"context":{"%s":%s}}'
C = CANARY.encode()

BODIES: list[tuple[str, str, str, set[str], bytes]] = [
    # Not JSON.
    *(
        (name, method, path, {"malformed_json"}, content)
        for method, path in (("PATCH", PATCH), ("POST", OPEN), ("POST", CHAT))
        for name, content in (
            ("cut short", b'{"name": "' + C),
            ("not JSON", C),
            ("two values", b'{"name": "' + C + b'"} {}'),
            ("single quotes", b"{'name': '" + C + b"'}"),
            ("invalid UTF-8", b'{"name": "' + C + b'\xff\xfe"}'),
            ("a surrogate in UTF-8", b'{"name": "' + C + b'\xed\xa0\x80"}'),
            ("UTF-16", json.dumps({"name": CANARY}).encode("utf-16")),
            ("NaN", b'{"name": "' + C + b'", "context": {"a": NaN}}'),
            ("Infinity", b'{"name": "' + C + b'", "context": {"a": -Infinity}}'),
            ("a float beyond floats", CONTEXT % (C, b"1e400")),
            ("a negative float beyond floats", CONTEXT % (C, b"-1.5e999")),
            ("an integer of 5000 digits", CONTEXT % (C, b"1" + b"0" * 5000)),
            ("an escape that is none", b'{"name": "' + C + b'\\x41"}'),
            ("a raw control character", b'{"name": "' + C + b'\x01"}'),
            ("nesting beyond the parser", _nested(100_000)),
        )
    ),
    # Text that cannot be stored.
    *(
        (name, method, path, {"text_not_storable", "malformed_json"}, content)
        for method, path in (("PATCH", PATCH), ("POST", OPEN), ("POST", CHAT))
        for name, content in (
            ("NUL in text", b'{"name": "' + C + b'\\u0000"}'),
            ("a raw NUL", b'{"name": "' + C + b'\x00"}'),
            ("half a pair", b'{"name": "' + C + b'\\ud83d"}'),
            ("the other half", b'{"name": "' + C + b'\\uDe00"}'),
            ("halves in the wrong order", b'{"name": "' + C + b'\\ude00\\ud83d"}'),
            ("NUL deep in context", CONTEXT % (C, b'[{"a": ["\\u0000"]}]')),
            ("NUL in a name", CONTEXT % (C, b'{"\\u0000": 1}')),
            ("half a pair in a name", CONTEXT % (C, b'[{"\\uD800x": 1}]')),
            ("NUL in the message", _json({"message": CANARY + "\0"})),
        )
    ),
    # The wrong form.
    *(
        (f"{name}: {json.dumps(value)[:40]}", "PATCH", PATCH, {"request_invalid"}, _json(value))
        for name, value in (
            ("no object", [CANARY]),
            ("no object", CANARY),
            ("no object", 5),
            ("unknown member", {"status": CANARY}),
            ("unknown member", {"profile_id": CANARY}),
            ("name", {"name": {"a": CANARY}}),
            ("name", {"name": 5}),
            ("empty name", {"name": ""}),
            ("long name", {"name": CANARY * 50}),
            ("email", {"email": CANARY}),
            ("email", {"email": f"{CANARY} @x"}),
            ("email", {"email": f"a@b@{CANARY}"}),
            ("long email", {"email": "a@" + CANARY * 40}),
            ("long phone", {"phone": CANARY * 10}),
            ("context", {"context": [CANARY]}),
            ("context", {"context": CANARY}),
        )
    ),
    ("null", "PATCH", PATCH, {"request_invalid"}, b"null"),
    *(
        (f"depth {depth}", "PATCH", PATCH, {"context_too_large", "malformed_json"}, _nested(depth))
        for depth in (32, 100, 500, 900, 1000)
    ),
    ("large context", "PATCH", PATCH, {"context_too_large"}, _json({"context": {"a": CANARY * 30_000}})),
    *(
        (f"open: {json.dumps(value)[:40]}", "POST", OPEN, {"request_invalid"}, _json(value))
        for value in ({}, {"orgId": 5}, {"orgId": ""}, {"orgId": CANARY * 30}, {"orgId": None})
    ),
    ("unknown organisation", "POST", OPEN, {"tenant_unknown"}, _json({"orgId": CANARY})),
    *(
        (f"chat: {json.dumps(value)[:60]}", "POST", CHAT, {"request_invalid"}, _json(value))
        for value in (
            {"message": CANARY},
            {"sessionId": CANARY, "message": CANARY},
            {"sessionId": 5, "message": CANARY},
            {"sessionId": "{session}"},
            {"sessionId": "{session}", "message": ""},
            {"sessionId": "{session}", "message": " \n\t "},
            {"sessionId": "{session}", "message": CANARY * 3000},
            {"sessionId": "{session}", "message": 5},
            {"sessionId": "{session}", "message": [CANARY]},
            {"sessionId": "{session}", "messages": []},
            {"sessionId": "{session}", "messages": [{"role": "assistant", "parts": []}]},
            {"sessionId": "{session}", "messages": [{"role": "root", "parts": []}]},
            {"sessionId": "{session}", "messages": [{"role": "user", "parts": []}]},
            {"sessionId": "{session}", "messages": [{"role": "user", "parts": [CANARY]}]},
            {"sessionId": "{session}", "message": {"role": "system", "parts": [{"type": "text", "text": CANARY}]}},
            {"sessionId": "{session}", "message": {"role": "user", "parts": [{"type": "file", "url": CANARY}]}},
            {"sessionId": "{session}", "message": {"role": "user", "parts": [{"type": "text", "text": 5}]}},
            {"sessionId": "{session}", "message": {"id": CANARY * 30, "role": "user", "parts": []}},
            {"sessionId": "{session}", "message": CANARY, "trigger": CANARY},
            {"sessionId": "{session}", "message": CANARY, "messageId": CANARY * 30},
            {"sessionId": "{session}", "message": CANARY, "agentId": ""},
        )
    ),
    (
        "unknown session", "POST", CHAT, {"session_unknown"},
        _json({"sessionId": str(uuid.UUID(int=7)), "message": CANARY}),
    ),
    (
        "unknown agent", "POST", CHAT, {"agent_unknown"},
        _json({"sessionId": "{session}", "agentId": "nobody", "message": CANARY}),
    ),
    (
        "nothing to answer anew", "POST", CHAT, {"nothing_to_answer"},
        _json({"sessionId": "{session}", "trigger": "regenerate-message", "messageId": CANARY}),
    ),
]  # fmt: skip

QUERIES = [
    ("/api/sessions", {"limit": "0"}),
    ("/api/sessions", {"limit": "-1"}),
    ("/api/sessions", {"limit": "101"}),
    ("/api/sessions", {"limit": "9" * 400}),
    ("/api/sessions", {"limit": "1.5"}),
    ("/api/sessions", {"limit": CANARY}),
    ("/api/sessions", {"status": CANARY}),
    ("/api/sessions", {"status": "\0"}),
    ("/api/sessions", {"cursor": CANARY}),
    ("/api/sessions", {"cursor": "\0"}),
    ("/api/sessions", {"cursor": "é" * 20}),
    ("/api/sessions", {"cursor": CANARY * 30}),
    *(
        ("/api/sessions", {"cursor": _cursor(value)})
        for value in (
            5,
            {},
            [],
            [CANARY, CANARY],
            [CANARY, CANARY, CANARY],
            ["2026-01-01T00:00:00+00:00", 5],
            ["2026-01-01T00:00:00+00:00", None],
            ["2026-01-01T00:00:00+00:00", CANARY],
            [5, str(uuid.UUID(int=7))],
            ["0001-01-01T00:00:00+23:59", str(uuid.UUID(int=7))],
            ["9999-12-31T23:59:59-23:59", str(uuid.UUID(int=7))],
        )
    ),
    ("/api/session/{session}/messages", {"after": "-1"}),
    ("/api/session/{session}/messages", {"after": "2147483648"}),
    ("/api/session/{session}/messages", {"limit": "501"}),
    ("/api/session/{session}/runs", {"limit": "0"}),
]

PATHS: list[tuple[str, str, set[str]]] = [
    *(
        ("GET", path.format(id=wrong), codes)
        for path in ("/api/session/{id}", "/api/session/{id}/messages", "/v1/runs/{id}", "/api/chat/{id}/stream")
        for wrong, codes in (
            (CANARY, {"request_invalid"}),
            ("%00", {"request_invalid"}),
            ("%ED%A0%80", {"request_invalid"}),
            ("%FF", {"request_invalid"}),
            ("00000000-0000-0000-0000-00000000000g", {"request_invalid"}),
            ("1" * 4000, {"request_invalid"}),
            (str(uuid.UUID(int=7)), {"session_unknown", "run_unknown"}),
        )
    ),
    ("GET", f"/{CANARY}", {"route_unknown"}),
    ("GET", f"/api/session/%2e%2e/{CANARY}", {"route_unknown"}),
    ("DELETE", f"/api/session/{uuid.UUID(int=7)}?x={CANARY}", {"method_not_allowed"}),
    ("PUT", f"/api/chat?x={CANARY}", {"method_not_allowed"}),
]  # fmt: skip

SERVICE: list[tuple[str, str, set[str], bytes | None]] = [
    ("GET", "/v1/agents/%00/versions", {"text_not_storable"}, None),
    ("GET", "/v1/agents/%ED%A0%80/versions", {"agent_unknown"}, None),
    ("DELETE", "/v1/api-keys/%00", {"text_not_storable"}, None),
    ("DELETE", f"/v1/api-keys/{CANARY}", {"api_key_unknown"}, None),
    ("POST", "/v1/agents/%00/versions", {"text_not_storable"}, _json({"instructions": CANARY})),
    *(
        ("POST", "/v1/agents", {"request_invalid"}, _json(value))
        for value in (
            {"slug": "UPPER" + CANARY, "name": "x"},
            {"slug": "a-", "name": CANARY},
            {"slug": "a\n", "name": CANARY},
            {"slug": "a", "name": ""},
            {"slug": "a", "name": CANARY * 30},
            {"slug": "a", "name": "x", "visibility": CANARY},
            {"slug": "a", "name": "x", "owner": CANARY},
        )
    ),
    *(
        ("POST", "/v1/agents/{agent}/versions", codes, content)
        for codes, content in (
            ({"request_invalid"}, _json({"instructions": ""})),
            ({"request_invalid"}, _json({"instructions": CANARY, "temperature": 2.1})),
            ({"request_invalid"}, _json({"instructions": CANARY, "temperature": "hot"})),
            ({"request_invalid"}, _json({"instructions": CANARY, "max_tokens": 0})),
            ({"request_invalid"}, _json({"instructions": CANARY, "max_tokens": 1e30})),
            ({"request_invalid"}, _json({"instructions": CANARY, "tools": ["no_such_tool"]})),
            ({"request_invalid"}, _json({"instructions": CANARY, "model": "openai/gpt-5-mini"})),
            ({"agent_invalid"}, _json({"instructions": CANARY, "output_schema": {"type": "array"}})),
            ({"agent_invalid"}, _json({"instructions": CANARY, "output_schema": {"type": 5}})),
            (
                {"request_invalid", "agent_invalid", "malformed_json"},
                b'{"instructions":"x","output_schema":' + b'{"not":' * 300 + b"{}" + b"}" * 301,
            ),
            (
                {"request_invalid", "agent_invalid", "malformed_json"},
                b'{"instructions":"x","output_schema":{"type":"object","maximum":1e999}}',
            ),
        )
    ),
    *(
        ("POST", "/v1/api-keys", {"request_invalid"}, _json(value))
        for value in (
            {"name": ""},
            {"name": CANARY * 30},
            {"name": CANARY, "scopes": CANARY},
            {"name": CANARY, "scopes": ["a"] * 101},
            {"name": CANARY, "expires_at": "2030-01-01T00:00:00"},
            {"name": CANARY, "expires_at": CANARY},
            {"name": CANARY, "expires_at": "9999-12-31T23:59:59-23:59"},
            {"name": CANARY, "expires_at": "0001-01-01T00:00:00+23:59"},
            {"name": CANARY, "expires_at": 1e300},
            {"name": CANARY, "id": CANARY},
        )
    ),
]


def _tokens() -> list[tuple[str, set[str], dict[str, str | bytes]]]:
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": "stead", "aud": "authenticated", "role": "authenticated", "exp": now + 600,
        "sub": str(uuid.UUID(int=7)), "tenant_id": str(uuid.UUID(int=8)), "note": CANARY,
    }  # fmt: skip
    none = jwt.encode(claims, None, algorithm="none")
    expired = jwt.encode({**claims, "exp": now - 60}, SECRET)
    forged = jwt.encode(claims, "another-secret-another-secret-another-secret")
    weird = jwt.encode({**claims, "sub": CANARY + "\0"}, SECRET)
    signature = {
        "webhook-id": CANARY,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{CANARY}",
    }
    return [
        ("alg none", {"token_algorithm_refused"}, {"authorization": f"Bearer {none}"}),
        ("expired", {"token_expired"}, {"authorization": f"Bearer {expired}"}),
        ("forged", {"token_signature_invalid"}, {"authorization": f"Bearer {forged}"}),
        ("NUL in a claim", {"token_claims_invalid"}, {"authorization": f"Bearer {weird}"}),
        ("unknown tenant", {"tenant_missing"}, {"authorization": f"Bearer {jwt.encode(claims, SECRET)}"}),
        ("no token", {"token_malformed"}, {"authorization": f"Bearer {CANARY}"}),
        ("long", {"token_malformed"}, {"authorization": f"Bearer {CANARY * 2000}"}),
        ("latin-1", {"token_malformed"}, {"authorization": b"Bearer \xff\xfe" + C}),
        ("another scheme", {"credentials_missing"}, {"authorization": f"Basic {CANARY}"}),
        ("scheme only", {"credentials_missing"}, {"authorization": "Bearer"}),
        ("no key", {"api_key_malformed"}, {"authorization": f"Bearer sk_stead_{CANARY}"}),
        ("session token", ANY_OF_THE_TOKEN, {"x-session-token": CANARY}),
        ("session token latin-1", ANY_OF_THE_TOKEN, {"x-session-token": b"\xff" + C}),
        ("a person's token as a session's", {"token_claims_invalid"},
         {"x-session-token": jwt.encode(claims, SECRET)}),
        ("cookie", {"credentials_missing"}, {"cookie": f"stead_session={CANARY}"}),
        ("signature", {"signature_invalid"}, signature),
        ("half a signature", {"signature_missing"}, {"webhook-id": CANARY}),
    ]  # fmt: skip


def _cases() -> list[Bad]:
    cases = [
        Bad(f"{method} {path} {name}", method, path, codes, content, {**JSON})
        for name, method, path, codes, content in BODIES
    ]
    cases += [
        Bad(f"{method} {path} as {media!r}", method, path, {"unsupported_media_type"},
            b'{"name": "' + C + b'"}', {"content-type": media} if media else {})
        for method, path in (("PATCH", PATCH), ("POST", OPEN), ("POST", CHAT), ("POST", PATCH + "/complete"))
        for media in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                      "application/jsonp", f"text/{CANARY}")
    ]  # fmt: skip
    cases += [
        Bad(f"GET {path} {query}"[:90], "GET", f"{path}?{httpx.QueryParams(query)}", {"request_invalid"})
        for path, query in QUERIES
    ]
    cases += [Bad(f"{method} {path[:70]}", method, path, codes) for method, path, codes in PATHS]
    cases += [
        Bad(f"{method} {path} {str(content)[:70]}", method, path, codes, content, {**JSON}, "service")
        for method, path, codes, content in SERVICE
    ]
    say = _json({"sessionId": "{session}", "message": CANARY})
    cases += [
        Bad(f"{name} at {method} {path}", method, path, codes, body, {**JSON, **headers}, "nobody")
        for name, codes, headers in _tokens()
        for method, path, body in (("GET", PATCH, None), ("POST", CHAT, say))
    ]
    return cases


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Somebody with a session, whose organisation has an agent: nothing of it ever changes here."""

    person: Person
    session: str
    agent: str = "helper"


@pytest_asyncio.fixture(scope="module")
async def scene(access: DatabaseAccess, db: Database, edge: Running) -> Scene:
    person = await make_person(db, await make_tenant(access))
    found = Scene(person=person, session=await open_session(edge.client, person))
    made = await edge.client.post(
        "/v1/agents",
        json={"slug": found.agent, "name": "x"},
        headers=service_headers(person.tenant),
    )
    assert made.status_code == 201
    return found


def _assert_refused(answer: httpx.Response, codes: set[str], logs: Logs, canary: str = CANARY) -> None:
    """A 4xx problem document with all of its members, and no trace of what was sent."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["code"] in codes, document
    assert document["status"] == answer.status_code
    assert document["type"] == f"urn:stead:error:{document['code']}"
    for member in ("title", "detail"):
        assert document[member], document
    assert document["request_id"] == answer.headers["x-request-id"]
    assert canary not in answer.text
    assert canary not in str(answer.headers)
    # The access log has the code, and nothing else was said.
    events = [(line["event"], line.get("code")) for line in logs.lines if line["level"] != "debug"]
    assert events == [("request", document["code"])]
    assert canary not in logs.text


@pytest.mark.parametrize("case", _cases(), ids=lambda case: re.sub(r"[^ -~]", "?", case.name))
async def test_bad_input_is_refused(
    edge: Running, ledger: Ledger, scene: Scene, logs: Logs, case: Bad
) -> None:
    tenant = scene.person.tenant
    headers: dict[str, Any] = {**case.headers}
    if case.caller == "person":
        headers |= scene.person.headers
    elif case.caller == "service":
        headers |= service_headers(tenant)
    content = case.content
    if content is not None:
        content = content.replace(b"{session}", scene.session.encode())
    path = case.path.replace("{session}", scene.session).replace("{agent}", scene.agent)
    before = await ledger.of(tenant.id)
    answer = await edge.client.request(case.method, path, content=content, headers=headers)
    _assert_refused(answer, case.codes, logs)
    assert await ledger.of(tenant.id) == before


@pytest.mark.parametrize("path", [OPEN, PATCH, CHAT, "/v1/api-keys", "/no/such/route", "/healthz"])
@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
async def test_ten_megabytes_are_refused(
    edge: Running, ledger: Ledger, scene: Scene, logs: Logs, path: str, chunked: bool
) -> None:
    content = b'{"orgId":"%s","context":{"a":"' % scene.person.tenant.slug.encode()
    content += C * (10_000_000 // len(C)) + b'"}}'

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]

    before = await ledger.of(scene.person.tenant.id)
    method = "PATCH" if path == PATCH else "POST"
    answer = await edge.client.request(
        method,
        path.replace("{session}", scene.session),
        content=pieces() if chunked else content,
        headers={**JSON, **scene.person.headers},
    )
    codes = {"body_too_large"}
    if chunked and path in {"/no/such/route", "/healthz"}:
        codes = {"route_unknown", "method_not_allowed"}  # Answered before any of the body is read.
    _assert_refused(answer, codes, logs)
    assert await ledger.of(scene.person.tenant.id) == before
    # The server is none the worse for it.
    assert (await edge.client.get("/healthz")).status_code == 200


async def test_what_the_parser_of_http_refuses_reaches_nobody(edge: Running, logs: Logs) -> None:
    """Below HTTP there is no problem document: the connection is answered 400 and closed."""
    port = int(edge.base_url.rpartition(":")[2])
    for raw in (
        b"GARBAGE " + C + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nbad header " + C + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: \x00" + C + b"\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n" + C,
        b"POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n" + C,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400")
        assert C not in answer
        writer.close()
        await writer.wait_closed()
    assert CANARY not in logs.text
    assert (await edge.client.get("/healthz")).status_code == 200


async def test_a_session_token_of_no_session_sees_none(edge: Running, scene: Scene, logs: Logs) -> None:
    token = SteadTokens(SECRET).issue_session(scene.person.tenant.id, new_id(), 60)
    answer = await edge.client.get(f"/api/session/{new_id()}", headers={"x-session-token": token})
    _assert_refused(answer, {"session_unknown"}, logs, token)
