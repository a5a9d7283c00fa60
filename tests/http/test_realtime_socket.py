"""Supabase Realtime's socket, frame by frame: what the client's own tests do not reach."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from stead.assembly.database import DatabaseAccess
from stead.db import NOBODY, Database
from stead.http import realtime as route
from stead.identity import Tenant
from stead.realtime import queries
from stead.realtime.presence import LEASE_S
from stead.realtime.socket import SocketLimits
from tests.support.people import Person, make_person, open_session, service_headers
from tests.support.servers import Running, ServerProcess, running_server

PATIENCE_S = 20
TOPIC = "realtime:room"


class Peer:
    """One connection, in Phoenix's words."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ref = 0

    async def send(
        self, event: str, payload: Any = None, *, topic: str = TOPIC, join_ref: str | None = "1"
    ) -> str:
        self._ref += 1
        await self.socket.send(json.dumps([join_ref, str(self._ref), topic, event, payload or {}]))
        return str(self._ref)

    async def next(self, event: str | None = None) -> list[Any]:
        """The next frame, or the next with that event."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = json.loads(await self.socket.recv())
                if event in {None, frame[3]}:
                    return frame

    async def reply(self, ref: str) -> dict[str, Any]:
        """The answer to that message."""
        while True:
            frame = await self.next("phx_reply")
            if frame[1] == ref:
                return frame[4]

    async def join(self, token: str, *, topic: str = TOPIC, **config: Any) -> dict[str, Any]:
        return await self.reply(
            await self.send("phx_join", {"config": config, "access_token": token}, topic=topic)
        )

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the end."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionClosedError):
                async for _ in self.socket:
                    pass
            await self.socket.wait_closed()
        return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def peer(url: str, query: str = "vsn=2.0.0") -> AsyncIterator[Peer]:
    address = url.replace("http", "ws", 1)
    async with connect(f"{address}/realtime/v1/websocket?{query}", max_size=None) as socket:
        yield Peer(socket)


@pytest_asyncio.fixture
async def colleague(db: Database, tenant: Tenant) -> Person:
    return await make_person(db, tenant, "bob")


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the limits of sockets that are opened from now on."""

    def set_to(**changed: Any) -> None:
        monkeypatch.setattr(route, "LIMITS", SocketLimits(**changed))

    return set_to


async def test_joining_in_the_words_of_the_protocol(server: Running, person: Person) -> None:
    async with peer(server.base_url) as ann:
        wanted = {"event": "UPDATE", "schema": "public", "table": "sessions", "filter": "name=eq.Ann"}
        ref = await ann.send(
            "phx_join",
            {
                "config": {
                    "broadcast": {"ack": False, "self": False},
                    "presence": {"key": "", "enabled": True},
                    "postgres_changes": [wanted],
                    "private": False,
                },
                "access_token": person.token,
            },
        )
        join_ref, reply_ref, topic, event, body = await ann.next()
        assert [join_ref, reply_ref, topic, event] == ["1", ref, TOPIC, "phx_reply"]
        [given] = body["response"]["postgres_changes"]
        assert body["status"] == "ok"
        assert list(given) == ["event", "schema", "table", "filter", "id"]
        assert given["id"] > 0
        assert await ann.next() == [
            None,
            None,
            TOPIC,
            "system",
            {
                "extension": "postgres_changes",
                "status": "ok",
                "message": "Subscribed to PostgreSQL",
                "channel": "room",
            },
        ]
        assert await ann.next() == [None, None, TOPIC, "presence_state", {}]
        beat = await ann.send("heartbeat", topic="phoenix", join_ref=None)
        assert await ann.next() == [None, beat, "phoenix", "phx_reply", {"status": "ok", "response": {}}]
        session = await open_session(server.client, person)
        await server.client.patch(
            f"/api/session/{session}", json={"name": "Ann"}, headers=person.headers
        )
        join_ref, ref, topic, event, body = await ann.next()
        assert [join_ref, ref, topic, event] == [None, None, TOPIC, "postgres_changes"]
        assert body["ids"] == [given["id"]]
        assert body["data"]["record"]["name"] == "Ann"


async def test_leaving_ends_with_a_close(server: Running, person: Person) -> None:
    async with peer(server.base_url) as ann:
        await ann.join(person.token)
        left = await ann.send("phx_leave")
        assert await ann.next() == ["1", left, TOPIC, "phx_reply", {"status": "ok", "response": {}}]
        assert await ann.next() == ["1", "1", TOPIC, "phx_close", {}]
        assert (await ann.reply(await ann.send("broadcast", {"event": "x"})))["status"] == "error"


async def test_joining_twice_replaces_the_first(server: Running, person: Person) -> None:
    async with peer(server.base_url) as ann:
        before = server.parts.live.feed.subscriptions
        changes = [{"event": "*", "schema": "public", "table": "sessions"}]
        await ann.join(person.token, postgres_changes=changes)
        await ann.send(
            "phx_join", {"config": {"postgres_changes": changes}, "access_token": person.token}
        )
        assert (await ann.next("phx_close"))[0] == "1"
        assert (await ann.next("phx_reply"))[4]["status"] == "ok"
        assert server.parts.live.feed.subscriptions == before + 1


async def test_the_key_of_the_address_serves_where_no_token_comes(
    server: Running, person: Person, tenant: Tenant
) -> None:
    made = await server.client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["realtime"]}, headers=service_headers(tenant)
    )
    narrow = await server.client.post(
        "/v1/api-keys", json={"name": "n", "scopes": ["chat"]}, headers=service_headers(tenant)
    )
    changes = [{"event": "*", "schema": "public", "table": "sessions"}]
    async with peer(server.base_url, f"vsn=2.0.0&apikey={made.json()['key']}") as service:
        joined = await service.reply(
            await service.send("phx_join", {"config": {"postgres_changes": changes}})
        )
        assert joined["status"] == "ok"
        session = await open_session(server.client, person)
        frame = await service.next("postgres_changes")
        assert frame[4]["data"]["record"]["id"] == session
    async with peer(server.base_url, f"vsn=2.0.0&apikey={narrow.json()['key']}") as refused:
        joined = await refused.reply(await refused.send("phx_join", {"config": {}}))
        assert joined["status"] == "error"
        assert joined["response"]["reason"].startswith("scope_missing")
    async with peer(server.base_url) as nobody:
        joined = await nobody.reply(await nobody.send("phx_join", {"config": {}}))
        assert joined["status"] == "error"


async def test_a_revoked_key_ends_its_channels(server: Running, tenant: Tenant) -> None:
    made = (
        await server.client.post("/v1/api-keys", json={"name": "k"}, headers=service_headers(tenant))
    ).json()
    async with peer(server.base_url) as service:
        assert (await service.join(made["key"]))["status"] == "ok"
        await server.client.delete(f"/v1/api-keys/{made['id']}", headers=service_headers(tenant))
        note = await service.next("system")
        assert note[4]["status"] == "error"
        assert note[4]["message"] == "The API key is unknown, expired or revoked"
        assert (await service.next())[3] == "phx_close"


async def test_a_revoked_key_ends_its_channels_where_nobody_is_told(
    server: Running, tenant: Tenant, limits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the watch over keys look: what is left is the proof that each socket asks for now and then."""
    monkeypatch.setattr("stead.realtime.keys.KeyWatch._look", _nothing)
    limits(recheck_s=0.1)
    made = (
        await server.client.post("/v1/api-keys", json={"name": "k"}, headers=service_headers(tenant))
    ).json()
    async with peer(server.base_url) as service:
        assert (await service.join(made["key"]))["status"] == "ok"
        await server.client.delete(f"/v1/api-keys/{made['id']}", headers=service_headers(tenant))
        assert (await service.next("system"))[4]["status"] == "error"
        assert (await service.next())[3] == "phx_close"


async def _nothing(_: object) -> None:
    """Looks at nothing."""


async def test_a_socket_counts_among_the_subscriptions_of_its_identity(
    access: DatabaseAccess, person: Person
) -> None:
    changes = [{"event": "*", "schema": "public", "table": "sessions"}]
    async with running_server(access, max_subscriptions=3) as own, peer(own.base_url) as ann:
        joined = await ann.join(person.token, topic="realtime:a", postgres_changes=changes * 3)
        assert joined["status"] == "ok"
        refused = await ann.join(person.token, topic="realtime:b", postgres_changes=changes)
        assert refused["status"] == "error"
        assert refused["response"]["reason"].startswith("too_many_subscriptions")
        assert own.parts.live.feed.subscriptions == 3


async def test_visitors_follow_changes_and_neither_hear_nor_speak(
    server: Running, person: Person, tenant: Tenant
) -> None:
    opened = await server.client.post("/api/session", json={"orgId": tenant.slug})
    session, token = opened.json()["sessionId"], opened.json()["sessionToken"]
    changes = [{"event": "UPDATE", "schema": "public", "table": "sessions"}]
    async with peer(server.base_url) as visitor, peer(server.base_url) as ann:
        joined = await visitor.join(token, postgres_changes=changes, presence={"enabled": True})
        assert joined["status"] == "ok"
        await ann.join(person.token, broadcast={"ack": True})
        assert (await ann.reply(await ann.send("broadcast", {"event": "x", "payload": {}})))[
            "status"
        ] == "ok"
        refused = await visitor.reply(await visitor.send("broadcast", {"event": "x", "payload": {}}))
        assert refused["response"]["reason"].startswith("channel_forbidden")
        refused = await visitor.reply(await visitor.send("presence", {"event": "track", "payload": {}}))
        assert refused["response"]["reason"].startswith("channel_forbidden")
        await server.client.patch(
            f"/api/session/{session}", json={"name": "V"}, headers={"x-session-token": token}
        )
        # What comes next is the change: nothing was heard of what was said before it.
        frame = await visitor.next()
        while frame[3] == "system":
            frame = await visitor.next()
        assert frame[3] == "postgres_changes"
        refused = await visitor.join(token, topic=f"realtime:outbox:{tenant.id}")
        assert refused["status"] == "error"


@pytest.mark.parametrize(
    "data",
    [
        "no JSON",
        "{}",
        "[]",
        '["1","1","realtime:x","phx_join"]',
        "[1,2,3,4,5]",
        "[" * 5000,
        '["1","1","realtime:x","x",NaN]',
        json.dumps(["1", "1", "realtime:" + "x" * 300, "phx_join", {}]),
        b"",
        b"\x03",
        b"\x03\x01\x01\xff\x01\x00\x01abc",
        b"\x07\x00\x00\x00\x00\x00\x01{}",
        b"\x03\x00\x00\x01\x01\x00\x01\xff\xff{}",
    ],
)
async def test_what_is_not_understood_ends_the_connection(server: Running, data: str | bytes) -> None:
    async with peer(server.base_url) as strange:
        await strange.socket.send(data)
        assert (await strange.closed())[0] == 1003


@pytest.mark.parametrize(
    "config",
    [
        {"postgres_changes": "sessions"},
        {"postgres_changes": ["sessions"]},
        {"postgres_changes": [{"table": "sessions", "event": 1}]},
        {"postgres_changes": [{"table": None}]},
        {"postgres_changes": [{"table": "sessions", "select": [1]}]},
        {"postgres_changes": [{"table": "sessions", "filter": 1}]},
        {"postgres_changes": [{"table": "sessions"}] * 101},
        {"presence": {"key": "x" * 300}},
        {"presence": {"key": "\0"}},
        {"broadcast": []},
        [],
    ],
)
async def test_a_joining_that_asks_for_nonsense(server: Running, person: Person, config: Any) -> None:
    before = server.parts.live.feed.subscriptions
    async with peer(server.base_url) as ann:
        ref = await ann.send("phx_join", {"config": config, "access_token": person.token})
        reply = await ann.reply(ref)
        assert reply["status"] == "error"
        assert reply["response"]["reason"].startswith("subscription_invalid")
        assert (await ann.join(person.token))["status"] == "ok"
    assert server.parts.live.feed.subscriptions == before


@pytest.mark.parametrize(
    "payload",
    [
        {"event": 1, "payload": {}},
        {"event": "", "payload": {}},
        {"event": "x" * 256, "payload": {}},
        {"event": "x", "payload": {"text": "a\0b"}},
        {"event": "x", "payload": {"text": "\ud800"}},
        {"event": "x", "payload": {"text": "x" * 300_000}},
        {"type": "binary", "event": "x", "payload": 1},
    ],
)
async def test_messages_that_are_not_taken(server: Running, person: Person, payload: Any) -> None:
    async with peer(server.base_url) as ann:
        await ann.join(person.token)
        reply = await ann.reply(await ann.send("broadcast", payload))
        assert reply["status"] == "error"
        assert reply["response"]["reason"].startswith("channel_message_invalid")


async def test_too_many_messages_end_the_connection(
    server: Running, person: Person, limits: Any
) -> None:
    limits(messages_per_s=5.0)
    async with peer(server.base_url) as ann:
        await ann.join(person.token)
        for _ in range(30):
            await ann.socket.send(json.dumps(["1", None, TOPIC, "broadcast", {"event": "x"}]))
        assert await ann.closed() == (1008, "too many messages")


async def test_too_many_channels(server: Running, person: Person, limits: Any) -> None:
    limits(channels=2)
    async with peer(server.base_url) as ann:
        for name in ("a", "b"):
            assert (await ann.join(person.token, topic=f"realtime:{name}"))["status"] == "ok"
        refused = await ann.join(person.token, topic="realtime:c")
        assert refused["response"]["reason"].startswith("channel_forbidden")


async def test_a_connection_that_nobody_uses_ends(server: Running, person: Person, limits: Any) -> None:
    limits(unjoined_s=0.1)
    async with peer(server.base_url) as idle:
        assert await idle.closed() == (1000, "no channel was joined")
    limits(idle_s=0.1)
    async with peer(server.base_url) as silent:
        await silent.join(person.token)
        assert (await silent.closed())[0] == 1000


async def test_too_large_a_frame_ends_the_connection(server: Running, person: Person) -> None:
    async with peer(server.base_url) as ann:
        await ann.join(person.token)
        await ann.socket.send("x" * (1024 * 1024 + 1))
        assert (await ann.closed())[0] == 1009


async def test_a_client_that_does_not_read_is_dropped(
    server: Running, person: Person, colleague: Person, limits: Any
) -> None:
    limits(waiting_chars=100_000, messages_per_s=10_000.0)
    channels = server.parts.live.channels
    async with peer(server.base_url) as bob, peer(server.base_url) as ann:
        await bob.join(colleague.token)
        await ann.join(person.token, broadcast={"ack": True})
        assert channels.members(person.tenant.id, "room") == 2
        bob.socket.transport.pause_reading()
        async with asyncio.timeout(60):
            while channels.members(person.tenant.id, "room") > 1:
                sent = await ann.send("broadcast", {"event": "x", "payload": {"text": "x" * 50_000}})
                assert (await ann.reply(sent))["status"] == "ok"
        bob.socket.transport.abort()


async def test_presences_of_a_server_that_died_leave(
    access: DatabaseAccess,
    server: Running,
    db: Database,
    person: Person,
    colleague: Person,
    tmp_path: Any,
) -> None:
    other = ServerProcess(access, STEAD_HOME=str(tmp_path))
    await other.start()
    async with peer(server.base_url) as ann:
        await ann.join(person.token, presence={"enabled": True, "key": "ann"})
        async with peer(other.base_url) as bob:
            await bob.join(colleague.token, presence={"enabled": True, "key": "bob"})
            await bob.reply(await bob.send("presence", {"event": "track", "payload": {"mood": "well"}}))
            diff = await ann.next("presence_diff")
            assert list(diff[4]["joins"]) == ["bob"]
            await other.kill()
        async with db.transaction(NOBODY) as tx:
            # Nobody renews it any more; the lease runs out here at once.
            await queries.keep_presences(
                tx,
                [person.tenant.id],
                [await _presence_of(access, person.tenant)],
                -LEASE_S,
            )
        await server.parts.live.presences.keep()
        diff = await ann.next("presence_diff")
        assert list(diff[4]["leaves"]) == ["bob"]
        assert await server.parts.live.presences.state(person.tenant.id, "room") == {}


async def _presence_of(access: DatabaseAccess, tenant: Tenant) -> Any:
    connection = await asyncpg.connect(access.admin_url)
    try:
        return await connection.fetchval(
            "select id from stead.presences where tenant_id = $1", tenant.id
        )
    finally:
        await connection.close()


async def test_presences_come_back_after_the_database_lost_them(
    access: DatabaseAccess, server: Running, person: Person, colleague: Person
) -> None:
    """Unlogged tables are empty after a crash of PostgreSQL."""
    async with peer(server.base_url) as ann:
        await ann.join(person.token, presence={"enabled": True, "key": "ann"})
        await ann.reply(await ann.send("presence", {"event": "track", "payload": {"mood": "well"}}))
        connection = await asyncpg.connect(access.admin_url)
        await connection.execute("delete from stead.presences where tenant_id = $1", person.tenant.id)
        await connection.close()
        presences = server.parts.live.presences
        assert await presences.state(person.tenant.id, "room") == {}
        await presences.keep()
        state = await presences.state(person.tenant.id, "room")
        assert state["ann"]["metas"][0]["mood"] == "well"


async def test_a_shutdown_closes_sockets(access: DatabaseAccess, person: Person) -> None:
    async with running_server(access) as own, peer(own.base_url) as ann:
        await ann.join(person.token)
        closing = asyncio.create_task(ann.closed())
        await asyncio.sleep(0)
        own.stop()
        assert (await closing)[0] == 1012
