"""Supabase Realtime: `@supabase/supabase-js` over real sockets, with two tenants and two servers."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from stead import realtime
from stead.db import Database
from stead.identity.jwt import SteadTokens
from tests.clients.conversation import Script
from tests.support.people import SECRET, Person, make_person
from tests.support.servers import Running

PACKAGE = "@supabase/supabase-js"


def token_of(person: Person, ttl_s: int = 3600, secret: str = SECRET) -> str:
    return SteadTokens(secret).issue_development(
        person.tenant.id, person.id, person.email, "authenticated", ttl_s
    )


@pytest_asyncio.fixture
async def colleague(db: Database, person: Person) -> Person:
    return await make_person(db, person.tenant, "bob")


@pytest.fixture
def case(
    quick: Running, second: str, person: Person, colleague: Person, stranger: Person
) -> dict[str, Any]:
    """Addresses of two servers, and tokens of two people of a tenant and one of another."""
    return {
        "url": quick.base_url,
        "other": second,
        "token": person.token,
        "colleague": colleague.token,
        "stranger": stranger.token,
        "org": person.tenant.slug,
        "strangers_org": stranger.tenant.slug,
        "tenant": str(person.tenant.id),
        "other_tenant": str(stranger.tenant.id),
    }


async def test_each_tenant_sees_its_own(script: Script, case: dict[str, Any]) -> None:
    seen = await script("realtime", PACKAGE, "tenants", **case)
    for changes, session, name in zip(
        (seen["mine"], seen["hers"]), seen["sessions"], ("Ann", "Cat"), strict=True
    ):
        assert [(c["eventType"], c["id"], c["name"]) for c in changes] == [
            ("INSERT", session, None),
            ("UPDATE", session, name),
        ]
        assert changes[0]["old"] == {}
        assert changes[1]["old"] == {"id": session}
        assert changes[0]["table"] == "sessions"
        assert changes[0]["schema"] == "public"
        assert changes[0]["errors"] is None
    assert [(note["extension"], note["status"]) for note in seen["system"]] == [
        ("postgres_changes", "ok")
    ]
    assert seen["created"] == "string"
    assert seen["context"] == {}
    assert seen["at"].endswith("Z")


async def test_filters(script: Script, case: dict[str, Any]) -> None:
    seen = await script("realtime", PACKAGE, "filters", **case)
    assert seen == {"byId": ["Anna", "Dan"], "both": ["Bea", "Anna"]}


async def test_what_is_refused_is_told_so(script: Script, case: dict[str, Any], person: Person) -> None:
    expired = SteadTokens(SECRET, clock=_Yesterday()).issue_development(
        person.tenant.id, person.id, person.email, "authenticated", 60
    )
    forged = token_of(person, secret="another-secret-another-secret-another-secret")
    seen = await script("realtime", PACKAGE, "refused", **case, expired=expired, forged=forged)
    begins = {
        "table": "table_not_published",
        "hidden": "table_not_published",
        "column": "filter_invalid",
        "filter": "filter_invalid",
        "value": "filter_invalid",
        "schema": "subscription_invalid",
        "expired": "token_expired",
        "forged": "token_signature_invalid",
        "outbox": "channel_forbidden",
        "approvals": "channel_forbidden",
        "jobs": "channel_forbidden",
    }
    assert {name: seen[name].partition(":")[0] for name in begins} == begins
    assert seen["own"] == ["SUBSCRIBED"]
    assert seen["speaking"] == "error"


class _Yesterday:
    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=1)

    def monotonic_s(self) -> float:
        return 0.0


async def test_leaving_and_joining_again(script: Script, case: dict[str, Any]) -> None:
    seen = await script("realtime", PACKAGE, "rejoin", **case)
    first, third = seen["sessions"]
    assert seen["left"] == "ok"
    assert seen["first"] == [first]
    assert seen["second"] == [third]
    assert seen["statuses"] == ["SUBSCRIBED", "CLOSED"]


async def test_a_token_ends_a_channel_unless_it_is_renewed(
    script: Script, case: dict[str, Any], person: Person
) -> None:
    seen = await script("realtime", PACKAGE, "refresh", **case, short=token_of(person, ttl_s=5))
    assert seen["changes"] == [seen["session"]]
    assert seen["statuses"] == ["SUBSCRIBED"]
    assert seen["dead"] == ["SUBSCRIBED", "CLOSED"]
    assert ["error", "Access token has expired"] in seen["said"]
    assert seen["told"] == 0


async def test_another_tenants_token_takes_nothing_over(script: Script, case: dict[str, Any]) -> None:
    seen = await script("realtime", PACKAGE, "switched", **case)
    assert seen["said"][-1][0] == "error"
    assert seen["changes"] == []


async def test_broadcast_across_servers_and_not_across_tenants(
    script: Script, case: dict[str, Any]
) -> None:
    seen = await script("realtime", PACKAGE, "broadcast", **case)
    assert seen["sent"] == "ok"
    assert seen["large"] == "error"
    assert seen["own"] == []
    assert [(m["event"], m["payload"]) for m in seen["echoed"]] == [("hello", {"n": 1})]
    for hello, numbers in (seen["there"], seen["here"]):
        assert (hello["type"], hello["event"]) == ("broadcast", "hello")
        assert hello["payload"] == {"text": "ä😀"}
        assert numbers == [0, 1, 254, 255]
    assert seen["alien"] == []


async def test_presence_across_servers_and_not_across_tenants(
    script: Script, case: dict[str, Any]
) -> None:
    seen = await script("realtime", PACKAGE, "presence", **case)
    assert seen["moods"] == [["well", "tired"]] * 2
    assert seen["after"] == 1
    assert ["join", "bob"] in seen["events"]
    assert seen["events"][-1] == ["leave", "bob"]
    assert seen["alien"] == []


async def test_the_server_speaks_from_a_transaction(
    script: Script, case: dict[str, Any], quick: Running, person: Person
) -> None:
    channel = f"outbox:{person.tenant.id}"
    alien = f"outbox:{case['other_tenant']}"
    listening = asyncio.create_task(
        script("realtime", PACKAGE, "listen", **case, channel=channel, alien_channel=alien)
    )
    n = 0
    while not listening.done():
        # Whoever joins between two of these hears the next one.
        n += 1
        async with quick.parts.db.transaction(person.principal.served()) as tx:
            await realtime.broadcast(tx, person.principal, channel, "depth", {"n": n})
        with contextlib.suppress(ZeroDivisionError):
            async with quick.parts.db.transaction(person.principal.served()) as tx:
                await realtime.broadcast(tx, person.principal, channel, "depth", {"n": -1})
                raise ZeroDivisionError
        await asyncio.wait([listening], timeout=0.1)
    seen = await listening
    for who in ("one", "two"):
        assert {m["event"] for m in seen[who]} == {"depth"}
        assert all(m["payload"]["n"] > 0 for m in seen[who])
    assert seen["alien"] == []


async def test_the_older_protocol(script: Script, case: dict[str, Any]) -> None:
    seen = await script("realtime", PACKAGE, "oldVersion", **case)
    assert seen["changes"] == [seen["session"]]
    assert [(m["event"], m["payload"]) for m in seen["said"]] == [("hi", {"n": 1})]
