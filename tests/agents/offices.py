"""Agents whose tools are governed: Stead in front of a model's server, and a worker that carries actions out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from stead import governance
from stead.actions import ActionExecutor, ActionGate, Webhooks, approvers, approving
from stead.agents import AgentRuntime, RuntimeConfig
from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.governance import Risk
from stead.identity import Tenant, tenant_service
from stead.outbox import OutboxConfig, OutboxWorker
from stead.processes import Heartbeat
from stead.realtime import Hub
from stead.tools import ActionContext, Guard
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply, ToolCall
from tests.support.people import Person
from tests.support.servers import Running, frames_of, running_server, say

SECRET = "a-secret-of-the-server-for-tests"


@dataclass
class Office:
    """Stead with governed tools, a model that answers as it is told, and what the tools did."""

    access: DatabaseAccess
    running: Running
    models: OpenAIServer
    hub: Hub
    effects: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def db(self) -> Database:
        return self.running.parts.db

    @property
    def runtime(self) -> AgentRuntime:
        return self.running.parts.runtime

    @property
    def client(self) -> httpx.AsyncClient:
        return self.running.client

    def script(self, *replies: Reply) -> None:
        self.models.replies.clear()
        self.models.requests.clear()
        self.models.script(*replies)

    @asynccontextmanager
    async def worker(self) -> AsyncGenerator[None]:
        """A worker of the outbox, under way."""
        worker_id = new_id()
        beat = Heartbeat(self.db, worker_id, "worker", 1.0)
        await beat.start()
        gate = ActionGate()
        webhooks = Webhooks(self.db, SECRET, Guard())
        executor = ActionExecutor(gate, self.running.parts.toolbox, webhooks)
        worker = OutboxWorker(self.db, self.hub, gate, executor, worker_id, OutboxConfig())
        task = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            worker.stop()
            await asyncio.wait_for(task, 30)
            await beat.stop()
            await webhooks.aclose()

    async def go_on(self) -> None:
        """Goes on with what can be gone on with, as the chore does, until nothing is under way."""
        while await self.runtime.go_on():
            pass
        await self.at_rest()

    async def at_rest(self) -> None:
        """Until no run is under way here."""
        while self.runtime.active:  # noqa: ASYNC110 - runs end by themselves
            await asyncio.sleep(0.01)

    async def policy(self, tenant: Tenant, **document: Any) -> None:
        service = tenant_service(tenant)
        async with self.db.transaction(service) as tx:
            await governance.policies.put(tx, service, document)

    async def may_approve(self, person: Person, most: Risk = "critical") -> None:
        service = tenant_service(person.tenant)
        async with self.db.transaction(service) as tx:
            await approvers.put(tx, service, person.id, most)

    async def vote(self, person: Person, approval_id: str, vote: Any = "approve", **how: Any) -> None:
        principal = person.principal.served()
        async with self.db.transaction(principal) as tx:
            await approving.vote(tx, principal, UUID(approval_id), vote, **how)

    async def until(self, tenant: Tenant, status: str) -> None:
        """Until the tenant's newest action has that status."""
        service = tenant_service(tenant)
        async with asyncio.timeout(30):
            while True:
                async with self.db.transaction(service, read_only=True) as tx:
                    found = await tx.value("select status from public.outbox order by id desc limit 1")
                if found == status:
                    return
                await asyncio.sleep(0.01)

    async def done(self, tenant: Tenant, count: int = 1) -> None:
        """Until so many of the tenant's actions have succeeded."""
        service = tenant_service(tenant)
        async with asyncio.timeout(30):
            while True:
                async with self.db.transaction(service, read_only=True) as tx:
                    found = await tx.value(
                        "select count(*) from public.outbox where status = 'succeeded'"
                    )
                if found == count:
                    return
                await asyncio.sleep(0.01)

    async def fetch(self, sql: str, *args: object) -> list[dict[str, Any]]:
        """Rows as the owner sees them."""
        admin = await asyncpg.connect(self.access.admin_url)
        try:
            return [dict(row) for row in await admin.fetch(sql, *args)]
        finally:
            await admin.close()

    async def say(self, person: Person, session: str, text: str, **body: Any) -> list[dict[str, Any]]:
        return await say(self.client, person.headers, session, text, agentId="clerk", **body)

    async def resumed(self, person: Person, session: str) -> list[dict[str, Any]]:
        """The stream that a client gets that comes back."""
        async with self.client.stream(
            "GET", f"/api/chat/{session}/stream", headers=person.headers
        ) as answer:
            assert answer.status_code == 200
            return await frames_of(answer)


def calls(*wanted: ToolCall, text: str = "") -> Reply:
    """The model calls tools."""
    return Reply(text=[text] if text else [], tool_calls=list(wanted))


def refund(amount: float = 25, call_id: str = "call_1") -> ToolCall:
    return ToolCall(name="refund", arguments={"order": "A-17", "amount": amount}, call_id=call_id)


def parts_of(message: dict[str, Any], kind: str = "tool-") -> list[dict[str, Any]]:
    """The tool parts of a stored message."""
    return [part for part in message["parts"] if part["type"].startswith(kind)]


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


@asynccontextmanager
async def office_of(
    access: DatabaseAccess, *, patience_s: float = 30.0, **settings: Any
) -> AsyncGenerator[Office]:
    """An office on a database."""
    app = Stead()
    hub = Hub(access.listen_url)
    effects: list[tuple[str, Any]] = []
    gate = asyncio.Event()

    @app.tool(risk="high", amount="amount")
    async def refund(order: str, amount: float) -> dict[str, Any]:
        """Gives money back.

        Args:
            order: Which.
            amount: How much.
        """
        effects.append(("refund", {"order": order, "amount": amount}))
        return {"refunded": amount}

    @app.tool(risk="medium")
    async def note(text: str) -> str:
        """Writes something down."""
        effects.append(("note", text))
        return f"noted: {text}"

    @app.tool(risk="medium")
    async def slow(text: str) -> str:
        """Takes its time."""
        await gate.wait()
        effects.append(("slow", text))
        return f"at last: {text}"

    @app.tool(risk="medium")
    async def broken() -> str:
        """Never works."""
        raise RuntimeError("the kiln is cold")

    @app.tool(risk="medium", scopes=["mail:send"])
    async def mail(ctx: ActionContext, to: str) -> str:
        """Sends a mail."""
        effects.append(("mail", (to, ctx.account_id)))
        return "sent"

    @app.tool()
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    app.registry.add_agent(
        "clerk",
        "You are a clerk.\n{{memories}}",
        tools=[refund, "note", "slow", broken, mail, add, "not.there"],
    )
    async with OpenAIServer() as models:
        where = {"openai_api_key": "key", "openai_base_url": models.base_url, "openai_api": "responses"}
        prices = {"openai/priced": (2.0, 10.0, 0.5)}
        async with running_server(
            access, app, model="openai/priced", model_prices=prices, **where, **settings
        ) as running:
            running.parts.runtime.config = RuntimeConfig(
                loop=running.parts.runtime.config.loop, patience_s=patience_s
            )
            await hub.start()
            try:
                yield Office(access, running, models, hub, effects, gate)
            finally:
                gate.set()
                await hub.stop()
