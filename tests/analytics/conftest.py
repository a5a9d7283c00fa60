"""A server that expects webhooks, and what was recorded."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.identity import Tenant
from tests.support.people import make_tenant
from tests.support.servers import Running, running_server

WHOP_SECRET = "ws_0123456789abcdef0123456789abcdef"
CALENDLY_SECRET = "calendly-signing-key-0123456789"


@dataclass(frozen=True)
class Shop:
    """A server, the tenant that sells there, and another one with secrets of its own."""

    running: Running
    tenant: Tenant
    rival: Tenant

    @property
    def client(self) -> httpx.AsyncClient:
        return self.running.client


@pytest_asyncio.fixture(scope="module")
async def shop(access: DatabaseAccess) -> AsyncIterator[Shop]:
    tenant, rival = await make_tenant(access), await make_tenant(access)
    app = Stead()
    app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
    async with running_server(
        access,
        app,
        whop_webhook_secrets=json.dumps({tenant.slug: WHOP_SECRET, rival.slug: WHOP_SECRET + "2"}),
        calendly_webhook_secrets=json.dumps({tenant.slug: CALENDLY_SECRET, "gone": CALENDLY_SECRET}),
    ) as running:
        yield Shop(running=running, tenant=tenant, rival=rival)


class Records:
    """What the database holds, read past row-level security."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.connection = connection

    async def events(self, tenant: Tenant, name: str | None = None) -> list[dict[str, Any]]:
        rows = await self.connection.fetch(
            "select * from public.analytics_events where tenant_id = $1 and ($2::text is null or name = $2) "
            "order by occurred_at, id",
            tenant.id,
            name,
        )
        return [{**dict(row), "properties": json.loads(row["properties"])} for row in rows]

    async def audited(self, tenant: Tenant, action: str) -> list[dict[str, Any]]:
        rows = await self.connection.fetch(
            "select * from public.audit_log where tenant_id = $1 and category = 'analytics' and action = $2 "
            "order by id",
            tenant.id,
            action,
        )
        return [{**dict(row), "payload": json.loads(row["payload"])} for row in rows]


@pytest_asyncio.fixture
async def records(access: DatabaseAccess) -> AsyncIterator[Records]:
    connection = await asyncpg.connect(access.admin_url)
    yield Records(connection)
    await connection.close()


async def visit(client: httpx.AsyncClient, tenant: Tenant) -> tuple[str, dict[str, str]]:
    """A session that nobody is signed in to: its id, and headers of who holds it."""
    opened = await client.post("/api/session", json={"orgId": tenant.slug})
    assert opened.status_code == 200, opened.text
    client.cookies.clear()
    return opened.json()["sessionId"], {"x-session-token": opened.json()["sessionToken"]}


def event(name: str, session: str | None, **more: Any) -> dict[str, Any]:
    """An event as a browser sends it; ``at`` and ``id`` are its own, the rest are properties."""
    told = {"id": more.pop("id", str(uuid.uuid4())), "event": name}
    if "at" in more:
        told["timestamp"] = more.pop("at")
    return {**told, "properties": {**({"sessionId": session} if session else {}), **more}}


def step(session: str, phase: str | int = "one", name: str = "first", **more: Any) -> dict[str, Any]:
    """A step that somebody sees."""
    return event("step.viewed", session, phase=phase, step=name, stepType="question", **more)
