"""A server whose worker carries actions out, with tools that remember what they did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity import Tenant
from tests.support.people import Person, make_person, make_tenant, service_headers
from tests.support.servers import Running, running_server

SERVICE_SECRET = "signing-secret-signing-secret"


class Acting:
    """A tenant with people and tools, on a server of its own."""

    def __init__(
        self,
        access: DatabaseAccess,
        server: Running,
        db: Database,
        tenant: Tenant,
        effects: list[str],
    ) -> None:
        self.access = access
        self.server = server
        self.client = server.client
        self.db = db
        self.tenant = tenant
        self.service = service_headers(tenant)
        self.effects = effects

    async def person(self, *, approves: str | None = None, name: str = "ann") -> Person:
        """Somebody of the tenant."""
        person = await make_person(self.db, self.tenant, name)
        if approves is not None:
            put = await self.client.put(
                f"/v1/approvers/{person.id}", json={"most_risk": approves}, headers=self.service
            )
            assert put.status_code == 204, put.text
        return person

    async def propose(self, tool: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
        """Proposes what is not refused."""
        answer = await self.client.post(
            "/v1/outbox", json={"tool": tool, "arguments": {"order": "o1"}, **body}, headers=headers
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def until(self, envelope_id: str, *statuses: str) -> dict[str, Any]:
        """The envelope as soon as it has one of these statuses."""
        async with asyncio.timeout(30):
            while True:
                answer = await self.client.get(f"/v1/outbox/{envelope_id}", headers=self.service)
                if answer.json()["status"] in statuses:
                    return answer.json()
                await asyncio.sleep(0.02)

    async def post(self, path: str, who: Person, **body: Any) -> httpx.Response:
        """A call of a person."""
        return await self.client.post(path, json=body, headers=who.headers)


@pytest_asyncio.fixture
async def acting(fresh: DatabaseAccess) -> AsyncIterator[Acting]:
    """Tools by tier: ``do_low`` to ``do_critical``."""
    effects: list[str] = []
    app = Stead()
    for risk in ("low", "high", "critical"):

        async def do(order: str) -> dict[str, str]:
            effects.append(order)
            return {"done": order}

        app.tools.add(do, name=f"do_{risk}", risk=risk)

    async def fail(order: str) -> None:
        del order
        raise RuntimeError("nobody knows")

    app.tools.add(fail, name="fail", risk="low")
    db = await Database.open(PoolConfig(url=fresh.runtime_url, max_size=5))
    tenant = await make_tenant(fresh)
    async with running_server(
        fresh, app, worker=True, service_secret=SERVICE_SECRET, tool_hosts=("127.0.0.1",)
    ) as server:
        yield Acting(fresh, server, db, tenant, effects)
    await db.close()
