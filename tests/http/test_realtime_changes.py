"""`/v1/changes`: changes of tables as an event stream."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from stead.assembly.database import DatabaseAccess
from stead.identity import Tenant
from stead.identity.jwt import SteadTokens
from tests.http.conftest import problem_of
from tests.support.people import SECRET, Person, make_person, open_session, service_headers
from tests.support.servers import Running, running_server

PATIENCE_S = 20


class Following:
    """An event stream, event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()
        self.last_id: str | None = None

    async def next(self) -> tuple[str, Any]:
        """Name and data of the next event."""
        name, data = "message", None
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                if field == "id":
                    self.last_id = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data = json.loads(value)
                elif not line and data is not None:
                    return name, data
        raise AssertionError("the stream ended")


@asynccontextmanager
async def following(
    url: str, headers: dict[str, str], *, last_id: str | None = None, **query: str
) -> AsyncIterator[Following]:
    more = {"last-event-id": last_id} if last_id else {}
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client,
        client.stream(
            "GET", "/v1/changes", params={"table": "sessions", **query}, headers={**headers, **more}
        ) as answer,
    ):
        if answer.status_code != 200:
            await answer.aread()
            raise AssertionError(answer.text)
        yield Following(answer)


async def rename(server: Running, person: Person, session: str, name: str) -> None:
    answer = await server.client.patch(
        f"/api/session/{session}", json={"name": name}, headers=person.headers
    )
    assert answer.status_code == 200, answer.text


async def test_changes_come_as_events(server: Running, person: Person, stranger: Person) -> None:
    async with (
        following(server.base_url, person.headers) as mine,
        following(server.base_url, stranger.headers) as other,
        following(server.base_url, service_headers(person.tenant), event="UPDATE") as updates,
    ):
        assert await mine.next() == ("ready", {})
        assert await other.next() == ("ready", {})
        assert await updates.next() == ("ready", {})
        session = await open_session(server.client, person)
        theirs = await open_session(server.client, stranger)
        await rename(server, person, session, "Ann")

        name, change = await mine.next()
        assert (name, change["type"], change["record"]["id"]) == ("INSERT", "INSERT", session)
        name, change = await mine.next()
        assert (name, change["record"]["name"]) == ("UPDATE", "Ann")
        name, change = await updates.next()
        assert (name, change["record"]["id"]) == ("UPDATE", session)
        name, change = await other.next()
        assert (name, change["record"]["id"]) == ("INSERT", theirs)
    assert mine.answer.headers["content-type"].startswith("text/event-stream")


async def test_going_on_after_a_restart(access: DatabaseAccess, server: Running, person: Person) -> None:
    async with running_server(access) as first:
        async with following(first.base_url, person.headers) as before:
            await before.next()
            session = await open_session(first.client, person)
            await before.next()
            await rename(first, person, session, "one")
            await before.next()
            last = before.last_id
        assert last is not None
    await rename(server, person, session, "two")
    await rename(server, person, session, "three")
    async with following(server.base_url, person.headers, last_id=last, event="UPDATE") as after:
        seen = [await after.next() for _ in range(3)]
        assert [name for name, _ in seen] == ["ready", "UPDATE", "UPDATE"]
        assert [data["record"]["name"] for _, data in seen[1:]] == ["two", "three"]
        await rename(server, person, session, "four")
        _, data = await after.next()
        assert data["record"]["name"] == "four"


async def test_an_unknown_place_is_said_to_be(server: Running, person: Person) -> None:
    async with following(server.base_url, person.headers, last_id="3:3:") as stream:
        assert await stream.next() == ("reset", {"reason": "position_unknown"})
        assert await stream.next() == ("ready", {})
        session = await open_session(server.client, person)
        name, data = await stream.next()
        assert (name, data["record"]["id"]) == ("INSERT", session)


async def test_the_token_ends_the_stream(server: Running, person: Person) -> None:
    token = SteadTokens(SECRET).issue_development(
        person.tenant.id, person.id, person.email, "authenticated", 1
    )
    async with following(server.base_url, {"authorization": f"Bearer {token}"}) as stream:
        assert await stream.next() == ("ready", {})
        assert await stream.next() == ("end", {"reason": "token_expired"})
        with pytest.raises(AssertionError, match="ended"):
            await stream.next()


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"table": "nothing"}, 404, "table_not_published"),
        ({"table": "tenants"}, 404, "table_not_published"),
        ({"table": "sessions", "filter": "nothing=eq.1"}, 422, "filter_invalid"),
        ({"table": "sessions", "filter": "name"}, 422, "filter_invalid"),
        ({"table": "sessions", "select": "id,nothing"}, 422, "subscription_invalid"),
        ({"table": "sessions", "event": "TRUNCATE"}, 422, "request_invalid"),
        ({}, 422, "request_invalid"),
    ],
)
async def test_what_cannot_be_followed(
    server: Running, person: Person, query: dict[str, str], status: int, code: str
) -> None:
    answer = await server.client.get("/v1/changes", params=query, headers=person.headers)
    problem_of(answer, status, code)


async def test_a_place_that_is_none(server: Running, person: Person) -> None:
    for token in ("x", "1:2", "5:3:", "1:9:3,2", "1:1:~1:1:", "9" * 30 + ":1:", "1:2:~1:2:~x.1"):
        answer = await server.client.get(
            "/v1/changes",
            params={"table": "sessions"},
            headers={**person.headers, "last-event-id": token},
        )
        problem_of(answer, 400, "position_invalid")


async def test_nobody_in_particular_follows_nothing(server: Running) -> None:
    problem_of(
        await server.client.get("/v1/changes", params={"table": "sessions"}), 401, "credentials_missing"
    )


async def test_a_key_needs_the_scope(server: Running, tenant: Tenant) -> None:
    made = await server.client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["sessions"]}, headers=service_headers(tenant)
    )
    headers = {"authorization": f"Bearer {made.json()['key']}"}
    answer = await server.client.get("/v1/changes", params={"table": "sessions"}, headers=headers)
    problem_of(answer, 403, "scope_missing")


async def test_a_client_that_leaves_is_forgotten(server: Running, person: Person) -> None:
    feed = server.parts.live.feed
    before = feed.subscriptions
    async with following(server.base_url, person.headers) as stream:
        await stream.next()
        assert feed.subscriptions == before + 1
    async with asyncio.timeout(PATIENCE_S):
        while feed.subscriptions > before:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)


async def test_a_client_that_does_not_read_is_dropped(
    access: DatabaseAccess, server: Running, tenant: Tenant
) -> None:
    """With a bound on what waits for it; who reads beside it gets everything."""
    person = await make_person(server.parts.db, tenant)
    async with running_server(access, stall_s=0.5) as own:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(own.base_url.rpartition(":")[2]))
        writer.write(
            b"GET /v1/changes?table=sessions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
            + person.token.encode()
            + b"\r\n\r\n"
        )
        await reader.readuntil(b"event: ready")
        writer.transport.pause_reading()
        async with following(own.base_url, person.headers, event="UPDATE") as quick:
            await quick.next()
            session = await open_session(server.client, person)
            async with asyncio.timeout(60):
                # Each change carries the context: some kilobytes for a client that takes none.
                count = 0
                while own.parts.live.feed.subscriptions > 1:
                    await server.client.patch(
                        f"/api/session/{session}",
                        json={"context": {"text": "x" * 60_000, "n": count}},
                        headers=person.headers,
                    )
                    count += 1
                    name, data = await quick.next()
                    assert (name, data["record"]["context"]["n"]) == ("UPDATE", count - 1)
        writer.transport.abort()


async def _key(server: Running, tenant: Tenant) -> tuple[str, dict[str, str]]:
    made = await server.client.post("/v1/api-keys", json={"name": "k"}, headers=service_headers(tenant))
    return made.json()["id"], {"authorization": f"Bearer {made.json()['key']}"}


async def test_a_revoked_key_ends_its_streams_on_every_server(
    access: DatabaseAccess, server: Running, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only by being told: within this test nobody looks by himself.
    monkeypatch.setattr("stead.realtime.keys._LOOK_S", 3600.0)
    gone, gone_headers = await _key(server, tenant)
    _, kept_headers = await _key(server, tenant)
    async with (
        running_server(access) as other,
        following(server.base_url, gone_headers) as here,
        following(other.base_url, gone_headers) as there,
        following(server.base_url, kept_headers) as kept,
        following(server.base_url, service_headers(tenant)) as token,
    ):
        for stream in (here, there, kept, token):
            assert await stream.next() == ("ready", {})
        revoked = await server.client.delete(f"/v1/api-keys/{gone}", headers=service_headers(tenant))
        assert revoked.status_code == 204
        for stream in (here, there):
            assert await stream.next() == ("end", {"reason": "key_ended"})
            with pytest.raises(AssertionError, match="ended"):
                await stream.next()
        answer = await server.client.get(
            "/v1/changes", params={"table": "sessions"}, headers=gone_headers
        )
        problem_of(answer, 401, "api_key_invalid")
        # Others go on.
        person = await make_person(server.parts.db, tenant)
        await open_session(server.client, person)
        for stream in (kept, token):
            assert (await stream.next())[0] == "INSERT"


@pytest.mark.parametrize("how", ["revoked", "expired", "deleted"])
async def test_what_nobody_tells_of_is_found_all_the_same(
    access: DatabaseAccess, tenant: Tenant, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server that hears no notification, of a key that is ended in the database."""
    monkeypatch.setattr("stead.realtime.keys._LOOK_S", 0.1)
    statements = {
        "revoked": "update stead.api_keys set revoked_at = now() where id = $1",
        "expired": "update stead.api_keys set expires_at = now() where id = $1",
        "deleted": "delete from stead.api_keys where id = $1",
    }
    admin = await asyncpg.connect(access.admin_url)
    async with running_server(dataclasses.replace(access, listen_url=None)) as deaf:
        key, headers = await _key(deaf, tenant)
        async with following(deaf.base_url, headers) as stream:
            assert await stream.next() == ("ready", {})
            await admin.execute(statements[how], key)
            assert await stream.next() == ("end", {"reason": "key_ended"})
        # Nothing is asked any more, and nothing held.
        async with asyncio.timeout(PATIENCE_S):
            while deaf.parts.live.keys._held:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
        assert not deaf.parts.live.keys._wanted.is_set()
    await admin.close()


async def test_one_identity_follows_no_more_than_it_may(
    access: DatabaseAccess, person: Person, tenant: Tenant
) -> None:
    async with running_server(access, max_subscriptions=3) as own:
        colleague = await make_person(own.parts.db, tenant)
        held: list[Following] = []

        async def opened(stack: AsyncExitStack, who: Person) -> bool:
            try:
                stream = await stack.enter_async_context(following(own.base_url, who.headers))
            except AssertionError as error:
                assert "too_many_subscriptions" in str(error)  # noqa: PT017
                return False
            held.append(stream)
            return await stream.next() == ("ready", {})

        async with AsyncExitStack() as stack:
            # At the same moment: as many as it may, and none more.
            tried = await asyncio.gather(*(opened(stack, person) for _ in range(8)))
            assert sorted(tried) == [False] * 5 + [True] * 3
            answer = await own.client.get(
                "/v1/changes", params={"table": "messages"}, headers=person.headers
            )
            problem_of(answer, 429, "too_many_subscriptions")
            assert int(answer.headers["retry-after"]) > 0
            # Another one is another one; who is refused takes nothing away from anybody.
            assert await opened(stack, colleague)
            assert own.parts.live.feed.subscriptions == 4
        async with asyncio.timeout(PATIENCE_S):
            while own.parts.live.feed.subscriptions:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
        async with AsyncExitStack() as stack:
            assert await opened(stack, person)
