"""An outbox of a test's own, with a gate and an executor that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest_asyncio

from stead import outbox
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, PoolConfig, Transaction
from stead.identity import Principal, Tenant, tenant_service
from stead.outbox import Claimed, Envelope, NewEnvelope, OutboxConfig, OutboxWorker, Result, Ruling
from stead.processes import Heartbeat
from stead.realtime import Hub
from tests.support.people import make_tenant

RUN = Ruling(status="executing", backoff_s=0.02)


class OpenGate:
    """Lets everything run, but for what `rulings` says otherwise."""

    def __init__(self) -> None:
        self.rulings: dict[UUID, Ruling] = {}

    async def judge(
        self,
        tx: Transaction,  # noqa: ARG002
        envelopes: Sequence[Claimed],
    ) -> list[Ruling]:
        return [self.rulings.get(e.id, RUN) for e in envelopes]


class Effects:
    """Carries out by calling `does`, and remembers what was carried out."""

    providers: list[str] | None = None
    functions: list[str] | None = None

    def __init__(self) -> None:
        self.done: list[Claimed] = []
        self.running: set[UUID] = set()
        self.does: Callable[[Claimed], Awaitable[Result]] = self._succeed

    async def _succeed(self, _: Claimed) -> Result:
        return Result(kind="succeeded", result={"n": len(self.done)})

    async def execute(self, envelope: Claimed) -> Result:
        self.done.append(envelope)
        self.running.add(envelope.id)
        try:
            return await self.does(envelope)
        finally:
            self.running.discard(envelope.id)


class Post:
    """A database with an outbox, for one test."""

    def __init__(self, access: DatabaseAccess, db: Database, hub: Hub, tenant: Tenant) -> None:
        self.access = access
        self.db = db
        self.hub = hub
        self.tenant = tenant
        self.service = tenant_service(tenant)
        self.gate = OpenGate()
        self.effects = Effects()

    @asynccontextmanager
    async def worker(self, **config: Any) -> AsyncIterator[OutboxWorker]:
        """A worker under way."""
        worker_id = new_id()
        beat = Heartbeat(self.db, worker_id, "worker", 1.0)
        await beat.start()
        worker = OutboxWorker(
            self.db, self.hub, self.gate, self.effects, worker_id, OutboxConfig(**config)
        )
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await asyncio.wait_for(task, 30)
            await beat.stop()

    async def put(self, principal: Principal | None = None, **how: Any) -> UUID:
        """An envelope of the tenant's service."""
        who = principal or self.service
        new = NewEnvelope(
            **{
                "id": new_id(),
                "tool": "nothing",
                "version": "1",
                "tool_digest": "d",
                "provider": "local",
                "arguments": {},
                "risk": "low",
                "status": "pending",
                "proposed_by": who.key,
                **how,
            }
        )
        async with self.db.transaction(who) as tx:
            envelope, _ = await outbox.insert(tx, who, new)
        return envelope.id

    async def get(self, envelope_id: UUID) -> Envelope:
        """The envelope as it stands."""
        async with self.db.transaction(self.service, read_only=True) as tx:
            return await outbox.envelopes.get(tx, self.service, envelope_id)

    async def attempts(self, envelope_id: UUID) -> list[outbox.Attempt]:
        """Its attempts."""
        async with self.db.transaction(self.service, read_only=True) as tx:
            return await outbox.envelopes.attempts(tx, self.service, envelope_id)

    async def until(self, envelope_id: UUID, *statuses: str, timeout_s: float = 30) -> Envelope:
        """The envelope as soon as it has one of these statuses."""
        async with asyncio.timeout(timeout_s):
            while True:
                envelope = await self.get(envelope_id)
                if envelope.status in statuses:
                    return envelope
                await asyncio.sleep(0.02)

    async def poll(self, true: Callable[[], Any], timeout_s: float = 30) -> None:
        """Until something is so."""
        async with asyncio.timeout(timeout_s):
            while True:
                if true():
                    return
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def post(fresh: DatabaseAccess) -> AsyncIterator[Post]:
    """An outbox."""
    db = await Database.open(PoolConfig(url=fresh.runtime_url, max_size=8))
    hub = Hub(fresh.listen_url)
    await hub.start()
    yield Post(fresh, db, hub, await make_tenant(fresh))
    await hub.stop()
    await db.close()
