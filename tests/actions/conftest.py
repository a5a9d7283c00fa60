"""Guarded actions of a test's own: real policies, tools, approvals and an outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest_asyncio

from stead import actions, governance, outbox
from stead.actions import (
    ActionExecutor,
    ActionGate,
    Approval,
    Proposal,
    Proposed,
    Proposer,
    Refusal,
    Webhooks,
    approvers,
    approving,
)
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.governance import Risk
from stead.identity import Principal, Tenant, tenant_service
from stead.outbox import Envelope, OutboxConfig, OutboxWorker
from stead.processes import Heartbeat
from stead.realtime import Hub
from stead.tools import Guard, LocalTools, Toolbox, ToolRegistry
from tests.support.people import Person, make_person, make_tenant

SECRET = "a-secret-of-the-server-for-tests"


class Office:
    """A tenant whose agents act, for one test."""

    def __init__(self, access: DatabaseAccess, db: Database, hub: Hub, tenant: Tenant) -> None:
        self.access = access
        self.db = db
        self.hub = hub
        self.tenant = tenant
        self.service = tenant_service(tenant)
        self.registry = ToolRegistry()
        self.effects: list[dict[str, Any]] = []
        self.gate = ActionGate()
        self.webhooks = Webhooks(db, SECRET, Guard(allowed=frozenset({"127.0.0.1"})))
        for risk in ("low", "medium", "high", "critical"):
            self.add(f"do_{risk}", risk)

    def add(self, name: str, risk: Risk, **how: Any) -> None:
        """A tool that remembers what it did."""

        async def do(order: str, amount: float = 0) -> dict[str, Any]:
            self.effects.append({"tool": name, "order": order, "amount": amount})
            return {"done": order}

        self.registry.add(do, name=name, risk=risk, **how)

    @property
    def toolbox(self) -> Toolbox:
        return Toolbox([LocalTools(self.registry)])

    @asynccontextmanager
    async def worker(self, **config: Any) -> AsyncIterator[OutboxWorker]:
        """A worker under way."""
        worker_id = new_id()
        beat = Heartbeat(self.db, worker_id, "worker", 1.0)
        await beat.start()
        executor = ActionExecutor(self.gate, self.toolbox, self.webhooks)
        worker = OutboxWorker(self.db, self.hub, self.gate, executor, worker_id, OutboxConfig(**config))
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await asyncio.wait_for(task, 30)
            await beat.stop()

    async def person(self, *, approves: Risk | None = None) -> Principal:
        """Somebody of the tenant, who may approve up to a tier."""
        person: Person = await make_person(self.db, self.tenant)
        if approves is not None:
            async with self.db.transaction(self.service) as tx:
                await approvers.put(tx, self.service, person.id, approves)
        return Principal(
            kind="user", tenant=self.tenant, role="stead_service", profile_id=person.id, credential="t"
        )

    async def policy(self, **document: Any) -> None:
        """Another policy."""
        async with self.db.transaction(self.service) as tx:
            await governance.policies.put(tx, self.service, document)

    async def try_to(
        self, tool: str, *, by: Principal | None = None, agent: Proposer | None = None, **how: Any
    ) -> Proposed | Refusal:
        """Proposes."""
        who = by or self.service
        proposal = Proposal(**{"tool": tool, "arguments": {"order": "o1"}, **how})
        async with self.db.transaction(who) as tx:
            return await actions.propose(tx, who, proposal, agent=agent)

    async def propose(self, tool: str, **how: Any) -> Proposed:
        """Proposes what is not refused."""
        proposed = await self.try_to(tool, **how)
        assert isinstance(proposed, Proposed), proposed
        return proposed

    async def vote(
        self, approval_id: UUID | None, who: Principal, vote: str = "approve", **how: Any
    ) -> Approval:
        """Votes."""
        assert approval_id is not None
        async with self.db.transaction(who) as tx:
            return await approving.vote(tx, who, approval_id, vote, **how)  # type: ignore[arg-type]

    async def get(self, envelope_id: UUID) -> Envelope:
        """The envelope as it stands."""
        async with self.db.transaction(self.service, read_only=True) as tx:
            return await outbox.envelopes.get(tx, self.service, envelope_id)

    async def until(self, envelope_id: UUID, *statuses: str, timeout_s: float = 30) -> Envelope:
        """The envelope as soon as it has one of these statuses."""
        async with asyncio.timeout(timeout_s):
            while True:
                envelope = await self.get(envelope_id)
                if envelope.status in statuses:
                    return envelope
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def office(fresh: DatabaseAccess) -> AsyncIterator[Office]:
    """A tenant with guarded tools."""
    db = await Database.open(PoolConfig(url=fresh.runtime_url, max_size=10))
    hub = Hub(fresh.listen_url)
    await hub.start()
    office = Office(fresh, db, hub, await make_tenant(fresh))
    await office.registry.register(db)
    yield office
    await office.webhooks.aclose()
    await hub.stop()
    await db.close()
