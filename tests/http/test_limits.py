"""Rate limits: per identity, per address, and over several servers through Redis."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import httpx
import pytest
from starlette.requests import HTTPConnection

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.http.addresses import address_of
from stead.http.config import HttpConfig
from stead.identity import Tenant
from stead.identity.jwt import SteadTokens
from tests.http.conftest import Logs, problem_of
from tests.support.people import Person, make_person, open_session
from tests.support.servers import Running, running_server


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _limited(answer: httpx.Response) -> int:
    """Asserts that the answer is a refusal for now, and returns after how many seconds to ask again."""
    problem_of(answer, 429, "rate_limited")
    return int(answer.headers["retry-after"])


async def test_limits_are_per_identity_and_per_address(
    access: DatabaseAccess, db: Database, person: Person, tenant: Tenant
) -> None:
    bob = await make_person(db, tenant, "bob")
    app = Stead()
    app.registry.add_agent("concierge", "You are a concierge.")
    async with running_server(
        access,
        app,
        rate_limit="5/minute",
        chat_rate_limit="2/minute",
        trusted_proxies=("127.0.0.1",),
    ) as running:
        here, there = {"x-forwarded-for": "192.0.2.1"}, {"x-forwarded-for": "192.0.2.2, 127.0.0.1"}

        async def sessions(*headers: dict[str, str]) -> httpx.Response:
            merged = {name: value for each in headers for name, value in each.items()}
            return await running.client.get("/api/sessions", headers=merged)

        for _ in range(5):
            assert (await sessions(person.headers, here)).status_code == 200
        # A change of address does not help; another person at the same address is not held up.
        assert 1 <= _limited(await sessions(person.headers, there)) <= 60
        assert (await sessions(bob.headers, here)).status_code == 200
        # Whoever presents nothing counts by address, an IPv6 one by its network.
        for address, more in (
            ("192.0.2.7", ["192.0.2.7"]),
            ("2001:db8::1", ["2001:db8::ffff", "2001:db8:0:0:1::"]),
        ):
            for _ in range(5):
                problem_of(await sessions({"x-forwarded-for": address}), 401, "credentials_missing")
            for same in more:
                _limited(await sessions({"x-forwarded-for": same}))
        problem_of(await sessions({"x-forwarded-for": "2001:db8:0:1::1"}), 401, "credentials_missing")
        # What a client writes in front of the trusted hop is not believed.
        forged = {"x-forwarded-for": "203.0.113.9, 192.0.2.7"}
        _limited(await sessions(forged))

        session = await open_session(running.client, bob)
        body = {"sessionId": session, "message": "hello"}
        for _ in range(2):
            answer = await running.client.post("/api/chat", json=body, headers=bob.headers)
            assert answer.status_code == 200
        _limited(await running.client.post("/api/chat", json=body, headers=bob.headers))


async def test_guessing_is_limited_per_address(access: DatabaseAccess, person: Person) -> None:
    async with running_server(access, trusted_proxies=("127.0.0.1",)) as running:
        here = {"x-forwarded-for": "192.0.2.1"}
        guess = _bearer(SteadTokens("x" * 40).issue_session(person.tenant.id, person.id, 60))
        answers = [
            await running.client.get("/api/sessions", headers={**guess, **here}) for _ in range(31)
        ]
        assert {answer.status_code for answer in answers[:30]} == {401}
        _limited(answers[30])
        # Who proves itself from there still gets through.
        fine = await running.client.get("/api/sessions", headers={**person.headers, **here})
        assert fine.status_code == 200


@pytest.fixture
async def redis() -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A Redis of this test's own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    if find_spec("coredis") is None:
        pytest.skip("the extra redis is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            await writer.wait_closed()
            break
    yield f"redis://127.0.0.1:{port}/0", process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_servers_count_together_in_redis_and_alone_without_it(
    access: DatabaseAccess,
    db: Database,
    tenant: Tenant,
    logs: Logs,
    redis: tuple[str, asyncio.subprocess.Process],
) -> None:
    url, process = redis
    ann, bob = await make_person(db, tenant), await make_person(db, tenant, "bob")
    async with (
        running_server(access, rate_limit="6/minute", redis_url=url) as one,
        running_server(access, rate_limit="6/minute", redis_url=url) as two,
    ):

        async def ask(server: Running, who: Person) -> httpx.Response:
            return await server.client.get("/api/sessions", headers=who.headers)

        answers = [await ask(server, ann) for server in (one, two) * 3]
        assert {answer.status_code for answer in answers} == {200}
        for server in (one, two):
            assert 1 <= _limited(await ask(server, ann)) <= 60

        process.kill()
        await process.wait()
        # Neither closed to all nor open to all: each server counts for itself.
        for server in (one, two):
            answers = [await ask(server, bob) for _ in range(6)]
            assert {answer.status_code for answer in answers} == {200}
            _limited(await ask(server, bob))
    assert any(line["event"] == "rate_limit_store_failed" for line in logs.lines)


async def test_servers_count_each_limit_together_in_one_round_trip(
    access: DatabaseAccess, tenant: Tenant, person: Person, redis: tuple[str, asyncio.subprocess.Process]
) -> None:
    url, _ = redis
    settings = {
        "redis_url": url,
        "trusted_proxies": ("127.0.0.1",),
        "address_rate_limit": "12/minute",
        "session_rate_limit": "6/minute",
        "open_rate_limit": "3/minute",
    }
    asked = import_module("coredis").Redis.from_url(url)
    async with running_server(access, **settings) as one, running_server(access, **settings) as two:
        here = {"x-forwarded-for": "192.0.2.1"}

        async def scripts() -> int:
            found = await asked.info("commandstats")
            return found["cmdstat_evalsha"]["calls"]

        # Anonymous sessions opened from one address.
        for server in (one, two, one):
            opened = await server.client.post("/api/session", json={"orgId": tenant.slug}, headers=here)
            assert opened.status_code == 200
            server.client.cookies.clear()
        for server in (one, two):
            refused = await server.client.post("/api/session", json={"orgId": tenant.slug}, headers=here)
            assert problem_of(refused, 429, "rate_limited")["limit"] == "opening"
        # One session; which is asked together with its holder and their address.
        session, holder = opened.json()["sessionId"], {"x-session-token": opened.json()["sessionToken"]}
        before = await scripts()
        answers = [
            await server.client.get(f"/api/session/{session}", headers={**holder, **here})
            for server in (one, two) * 3
        ]
        assert {answer.status_code for answer in answers} == {200}
        assert await scripts() - before == 6
        for server in (one, two):
            refused = await server.client.get(f"/api/session/{session}", headers={**holder, **here})
            assert problem_of(refused, 429, "rate_limited")["limit"] == "session"
        # What was refused took no room from the address: it has one more of twelve.
        answer = await two.client.get("/api/sessions", headers={**person.headers, **here})
        assert answer.status_code == 200
        for server in (one, two):
            refused = await server.client.get("/api/sessions", headers={**person.headers, **here})
            assert problem_of(refused, 429, "rate_limited")["limit"] == "address"
            assert 1 <= int(refused.headers["retry-after"]) <= 60
        elsewhere = await two.client.get(
            "/api/sessions", headers={**person.headers, "x-forwarded-for": "192.0.2.2"}
        )
        assert elsewhere.status_code == 200
    asked.connection_pool.disconnect()


async def test_a_redis_that_does_not_answer_holds_nobody_up(
    access: DatabaseAccess, person: Person, redis: tuple[str, asyncio.subprocess.Process], logs: Logs
) -> None:
    url, process = redis
    async with running_server(access, redis_url=url, rate_limit="3/minute") as running:
        for _ in range(2):
            assert (await running.client.get("/api/sessions", headers=person.headers)).status_code == 200
        process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(3):
                answer = await running.client.get("/api/sessions", headers=person.headers)
                assert answer.status_code == 200
            _limited(await running.client.get("/api/sessions", headers=person.headers))
        finally:
            process.send_signal(signal.SIGCONT)
    failed = [line for line in logs.lines if line["event"] == "rate_limit_store_failed"]
    assert failed
    assert {line["reason"] for line in failed} == {"TimeoutError"}


def test_ipv4_over_a_socket_for_both_is_no_one_network() -> None:
    def counted_as(host: str) -> str:
        app = SimpleNamespace(state=SimpleNamespace(config=HttpConfig(version="0")))
        return address_of(
            HTTPConnection({"type": "http", "client": (host, 1), "headers": [], "app": app})
        )

    assert counted_as("::ffff:192.0.2.1") == counted_as("192.0.2.1")
    assert counted_as("::ffff:192.0.2.2") != counted_as("192.0.2.1")
    assert counted_as("2001:db8::1") == counted_as("2001:db8::2")
