"""Who may call `/mcp`, for whom, and what its wire makes of hostile, interrupted and many calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import jwt
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant, keys
from tests.http.conftest import captured_logs
from tests.support.mcp import ERAS, code_of, connected, contents, text_of
from tests.support.people import SECRET, Person, make_person, make_tenant, service, service_headers
from tests.support.servers import Running, ServerProcess, running_server

# Who calls.


@pytest.mark.parametrize("mode", ERAS)
async def test_two_people_of_two_tenants_never_meet(
    server: Running, db: Database, person: Person, stranger: Person, mode: str
) -> None:
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(connected(server.base_url, person.headers, mode))
        eve = await stack.enter_async_context(connected(server.base_url, stranger.headers, mode))
        done = await ann.call_tool("remember", {"content": "My alarm code is 4471."})
        assert done.structured_content is not None
        (secret,) = done.structured_content["stored"]
        # At the same moment, on the same words.
        both = await asyncio.gather(
            *(who.call_tool("recall", {"question": "alarm code 4471"}) for who in (ann, eve) * 10)
        )
        found = [[m["id"] for m in r.structured_content["memories"]] for r in both]  # type: ignore[index]
        assert found == [[secret], []] * 10
        for sources in (True, False):
            refused = await eve.call_tool("forget", {"memory_id": secret, "sources": sources})
            assert code_of(refused) == "memory_unknown"
    colleague = await make_person(db, person.tenant, "bob")
    async with connected(server.base_url, colleague.headers, mode) as bob:
        assert code_of(await bob.call_tool("forget", {"memory_id": secret})) == "memory_unknown"
        nothing = await bob.call_tool("recall", {"question": "alarm code"})
        assert text_of(nothing) == "Nothing is known."
    assert await contents(db, person) == ["My alarm code is 4471."]


def _expired(person: Person) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": "stead", "aud": "authenticated", "role": "authenticated", "sub": str(person.id),
        "tenant_id": str(person.tenant.id), "iat": now - timedelta(hours=2), "exp": now - timedelta(hours=1),
    }  # fmt: skip
    return jwt.encode(claims, SECRET, algorithm="HS256")


def _message(method: str = "tools/list", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


ACCEPT = {"accept": "application/json, text/event-stream"}


async def test_without_a_good_token_nothing_opens(server: Running, person: Person) -> None:
    refusals = {
        "credentials_missing": [{}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer"}],
        "token_expired": [{"authorization": f"Bearer {_expired(person)}"}],
        "token_malformed": [{"authorization": "Bearer garbage"}],
        "token_signature_invalid": [{"authorization": f"Bearer {person.token[:-4]}AAAA"}],
        "api_key_malformed": [{"authorization": "Bearer sk_stead_nonsense"}],
    }
    for code, presented in refusals.items():
        for headers in presented:
            answer = await server.client.post("/mcp", json=_message(), headers=ACCEPT | headers)
            assert answer.status_code == 401, code
            assert answer.headers["www-authenticate"].startswith("Bearer ")
            body = answer.json()
            assert body["id"] is None
            assert body["error"]["data"]["code"] == code
            assert f"({code})" in body["error"]["message"]
    # The official client shows its user why.
    with pytest.raises((MCPError, BaseExceptionGroup)) as refused:
        async with connected(server.base_url, {"authorization": "Bearer garbage"}, "legacy"):
            pass
    assert "token_malformed" in _told(refused.value)


def _told(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return " ".join(_told(inner) for inner in error.exceptions)
    return str(error)


async def test_a_cookie_opens_nothing(server: Running, tenant: Tenant) -> None:
    opened = await server.client.post("/api/session", json={"orgId": tenant.slug})
    token = opened.json()["sessionToken"]
    for headers in ({"cookie": f"stead_session={token}"}, {"x-session-token": token}):
        answer = await server.client.post("/mcp", json=_message(), headers=ACCEPT | headers)
        assert answer.status_code == 401
    # As a bearer token it is its session's memory.
    async with connected(server.base_url, {"authorization": f"Bearer {token}"}) as client:
        await client.call_tool("remember", {"content": "I ride a blue bicycle."})
        found = await client.call_tool("recall", {"question": "bicycle"})
        assert found.structured_content is not None
        (memory,) = found.structured_content["memories"]
        assert not (await client.call_tool("forget", {"memory_id": memory["id"]})).is_error


async def _key(db: Database, tenant: Tenant, *scopes: str) -> dict[str, str]:
    async with db.transaction(service(tenant)) as tx:
        _, text = await keys.create(tx, service(tenant), name="mcp", scopes=scopes)
    return {"authorization": f"Bearer {text}"}


async def test_a_key_names_a_person(
    server: Running, access: DatabaseAccess, db: Database, person: Person
) -> None:
    key = await _key(db, person.tenant, "memories")
    for name in (person.email, person.email.upper(), str(person.id)):
        async with connected(server.base_url, key | {"x-stead-profile": name}) as client:
            done = await client.call_tool("remember", {"content": f"I was called {name}."})
            assert not done.is_error, text_of(done)
            assert done.structured_content is not None
    (memory_id,) = done.structured_content["stored"]
    colleague = await make_person(db, person.tenant, "bob")
    async with connected(server.base_url, key | {"x-stead-profile": colleague.email}) as client:
        # The whole tenant's key, and yet for Bob it is Bob's memory.
        assert text_of(await client.call_tool("recall", {"question": "called"})) == "Nothing is known."
        assert code_of(await client.call_tool("forget", {"memory_id": memory_id})) == "memory_unknown"
    async with connected(server.base_url, key | {"x-stead-profile": person.email}) as client:
        assert not (await client.call_tool("forget", {"memory_id": memory_id})).is_error
    assert access.admin_url is not None
    owner = await asyncpg.connect(access.admin_url)
    row = await owner.fetchrow(
        "select actor_type, actor_id, subject_profile_id from public.audit_log "
        "where tenant_id = $1 and subject_id = $2",
        person.tenant.id,
        memory_id,
    )
    await owner.close()
    # It was the key that did it, not the person.
    assert row is not None
    assert row["actor_type"] == "service"
    assert row["actor_id"].startswith("key:")
    assert row["subject_profile_id"] == person.id


async def test_for_whom_is_refused(
    server: Running, db: Database, person: Person, stranger: Person
) -> None:
    key = await _key(db, person.tenant, "memories")
    other = await _key(db, person.tenant, "chat")
    named = {"x-stead-profile": person.email}
    token = person.headers
    cases: list[tuple[dict[str, str], int, str]] = [
        (key, 400, "profile_not_named"),
        (service_headers(person.tenant), 400, "profile_not_named"),
        (key | {"x-stead-profile": ""}, 400, "profile_not_named"),
        (key | {"x-stead-profile": "nobody@example.com"}, 403, "profile_not_allowed"),
        (key | {"x-stead-profile": stranger.email}, 403, "profile_not_allowed"),
        (key | {"x-stead-profile": str(stranger.id)}, 403, "profile_not_allowed"),
        (key | {"x-stead-profile": "x" * 5000}, 403, "profile_not_allowed"),
        (token | {"x-stead-profile": stranger.email}, 403, "profile_not_allowed"),
        (other | named, 403, "scope_missing"),
    ]
    for headers, status, code in cases:
        answer = await server.client.post("/mcp", json=_message(), headers=ACCEPT | headers)
        assert (answer.status_code, answer.json()["error"]["data"]["code"]) == (status, code)
    for headers in (key | named, service_headers(person.tenant) | named, token | named):
        answer = await server.client.post("/mcp", json=_message(), headers=ACCEPT | headers)
        assert answer.status_code == 200, answer.text


async def test_a_page_that_bent_a_name_to_this_machine_is_refused(
    access: DatabaseAccess, person: Person
) -> None:
    async with running_server(access, cors_origins=("https://app.example.com",)) as running:
        port = running.base_url.rpartition(":")[2]

        async def post(**headers: str) -> tuple[int, str | None]:
            answer = await running.client.post(
                "/mcp", json=_message(), headers=ACCEPT | person.headers | headers
            )
            return answer.status_code, answer.json().get("error", {}).get("data", {}).get("code")

        for host in (f"evil.example:{port}", "evil.example", "127.0.0.1.evil.example", "[::1", "@"):
            assert await post(host=host) == (403, "host_not_allowed"), host
        for host in (f"localhost:{port}", "127.0.0.1", f"[::1]:{port}"):
            assert await post(host=host) == (200, None), host
        for origin in (
            f"http://evil.example:{port}",
            "null",
            "http://[::1",
            "https://app.example.com.x",
        ):
            assert await post(origin=origin) == (403, "origin_not_allowed"), origin
        for origin in ("https://app.example.com", "http://localhost:6274"):
            assert await post(origin=origin) == (200, None), origin
    async with running_server(access, mcp_hosts=("Memory.example.com",)) as running:
        for host, status in (("memory.example.com", 200), ("127.0.0.1", 403)):
            answer = await running.client.post(
                "/mcp", json=_message(), headers=ACCEPT | person.headers | {"host": host}
            )
            assert answer.status_code == status, host


async def test_it_is_limited_like_other_requests(access: DatabaseAccess, person: Person) -> None:
    async with running_server(access, rate_limit="3/minute") as running:
        headers = ACCEPT | person.headers
        for _ in range(2):
            assert (await running.client.get("/api/sessions", headers=headers)).status_code == 200
        assert (await running.client.post("/mcp", json=_message(), headers=headers)).status_code == 200
        answer = await running.client.post("/mcp", json=_message(), headers=headers)
        assert (answer.status_code, answer.json()["error"]["data"]["code"]) == (429, "rate_limited")
        assert int(answer.headers["retry-after"]) >= 1


# The wire.


async def test_what_is_no_message_is_refused_and_logged_without_its_words(
    server: Running, person: Person
) -> None:
    envelope = json.dumps(
        {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        }
    ).encode()
    eras = (
        (b"{}", {}),
        (b"{}", {"mcp-protocol-version": "CANARY"}),
        (envelope, {"mcp-protocol-version": "2026-07-28"}),
    )
    call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
    bodies: dict[bytes, str] = {
        b"": "", b"CANARY": "", b"[]": "", b"{}": "", b"null": "", b"\xff\xfe": "",
        b"[" * 100_000: "", b'"\\ud800"': "", json.dumps([_message(), _message()]).encode(): "",
        b'{"jsonrpc":"2.0","id":{"CANARY":1},"method":"tools/list"}': "tools/list",
        b'{"jsonrpc":"2.0","id":1,"method":"CANARY","params":{"_meta":META}}': "CANARY",
        b'{"jsonrpc":"2.0","id":"\\ud800CANARY","method":"tools/list","params":{"_meta":META}}': "tools/list",
        call + b'{"name":7,"_meta":META}}': "tools/call",
        call + b'["CANARY"]}': "tools/call",
        call + b'{"name":"\\ud800","_meta":META}}': "tools/call",
        call + b'{"name":"remember","arguments":{"content":"\\ud800CANARY"},"_meta":META}}': "tools/call",
    }  # fmt: skip
    with captured_logs() as logs:
        for meta, era in eras:
            for body, method in bodies.items():
                headers = ACCEPT | person.headers | {"content-type": "application/json"} | era
                if method:
                    headers |= {"mcp-method": method}
                if b'"remember"' in body:
                    headers |= {"mcp-name": "remember"}
                content = body.replace(b"META", meta)
                answer = await server.client.post("/mcp", content=content, headers=headers)
                assert answer.status_code < 500, (era, body[:80], answer.text)
        for headers in ({"content-type": "text/plain"}, {"accept": "text/html"}):
            answer = await server.client.post(
                "/mcp", content=json.dumps(_message()), headers=ACCEPT | person.headers | headers
            )
            assert 400 <= answer.status_code < 500
    assert "CANARY" not in logs.text
    assert "Traceback" not in logs.text
    assert {line["level"] for line in logs.lines} <= {"info", "debug"}
    assert {line["route"] for line in logs.requests()} == {"/mcp"}


async def test_there_are_no_sessions_to_stream_or_to_end(server: Running, person: Person) -> None:
    for method in ("GET", "DELETE", "PUT"):
        answer = await server.client.request(method, "/mcp", headers=ACCEPT | person.headers)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    async with connected(server.base_url, person.headers, "legacy") as client:
        await client.list_tools()
    assert "/mcp" not in (await server.client.get("/openapi.json")).json()["paths"]


async def test_a_large_body_is_refused_before_it_is_read(access: DatabaseAccess, person: Person) -> None:
    async with running_server(access, max_body_bytes=2048) as running:
        headers = ACCEPT | person.headers | {"content-type": "application/json"}

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b" " * 1024

        with captured_logs() as logs:
            for content in (b" " * 4096, parts()):
                answer = await running.client.post("/mcp", content=content, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert {line["level"] for line in logs.lines} <= {"info", "debug"}


async def test_a_client_that_goes_away_loses_nothing(
    server: Running, access: DatabaseAccess, db: Database, person: Person
) -> None:
    assert access.admin_url is not None
    waits = (
        "select count(*) > 0 from pg_locks where locktype = 'advisory' and not granted and "
        "database = (select oid from pg_database where datname = current_database())"
    )
    owner, watcher = await asyncpg.connect(access.admin_url), await asyncpg.connect(access.admin_url)
    call = _message("tools/call", name="remember", arguments={"content": "I live in Porto."})
    async with owner.transaction():
        # Whoever writes this person's facts waits behind this.
        await owner.execute(
            "select pg_advisory_xact_lock(hashtextextended('memory ' || $1::text, 0))", str(person.id)
        )
        sending = asyncio.create_task(
            server.client.post("/mcp", json=call, headers=ACCEPT | person.headers)
        )
        while not await watcher.fetchval(waits):
            assert not sending.done(), sending.result().text
            await asyncio.sleep(0.01)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    await owner.close()
    await watcher.close()
    # What had begun is finished.
    while not await contents(db, person):  # noqa: ASYNC110 - it is another connection's transaction
        await asyncio.sleep(0.01)
    assert await contents(db, person) == ["I live in Porto."]


async def test_many_calls_at_once(server: Running, db: Database, person: Person) -> None:
    facts = [f"Locker {n} holds the {n * 7919 % 1000} papers." for n in range(24)]
    async with connected(server.base_url, person.headers) as client:
        done = await asyncio.gather(*(client.call_tool("remember", {"content": fact}) for fact in facts))
        assert not any(result.is_error for result in done)
        same = await asyncio.gather(
            *(client.call_tool("remember", {"content": "I live in Porto."}) for _ in range(8))
        )
        stored = [i for r in same for i in r.structured_content["stored"]]  # type: ignore[index]
        assert len(stored) == 1
    assert await contents(db, person) == sorted([*facts, "I live in Porto."])


async def test_two_processes_serve_one_client(access: DatabaseAccess, db: Database) -> None:
    person = await make_person(db, await make_tenant(access))
    environment = {"STEAD_ADMIN_DATABASE_URL": access.admin_url or "", "STEAD_LOG_LEVEL": "warning"}
    first, second = await asyncio.gather(
        *(ServerProcess(access, **environment).start() for _ in range(2))
    )

    async def alternate(request: httpx2.Request) -> None:
        nonlocal turn
        turn += 1
        request.url = request.url.copy_with(port=(first.port, second.port)[turn % 2])

    for mode in ERAS:
        turn = 0
        async with (
            httpx2.AsyncClient(
                headers=person.headers, timeout=30, event_hooks={"request": [alternate]}
            ) as http,
            Client(
                streamable_http_client(f"{first.base_url}/mcp", http_client=http), mode=mode
            ) as client,
        ):
            await client.call_tool("remember", {"content": f"I speak {mode}."})
            for _ in range(3):
                found = await client.call_tool("recall", {"question": f"speak {mode}", "limit": 1})
                assert f"I speak {mode}." in text_of(found)
        assert turn > 4
    assert [await first.stop(), await second.stop()] == [0, 0]
    assert [len(process.log) for process in (first, second)] == [1, 1], (
        "it says where it serves, no more"
    )
