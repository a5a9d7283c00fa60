"""How fast one worker drains governed actions that do nothing, beside PGQueuer:
``python -m benchmarks.outbox_drain``."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import uvloop

from benchmarks import jobs, report
from benchmarks.cluster import as_admin, settle
from benchmarks.peer import compare
from stead import outbox
from stead.actions import ActionExecutor, ActionGate, Proposal, Proposed, Webhooks, propose
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Tenant, tenant_service
from stead.outbox import NewEnvelope, OutboxConfig, OutboxWorker
from stead.processes import Heartbeat
from stead.realtime import Hub
from stead.tools import Guard, LocalTools, Toolbox, ToolRegistry

_AT_ONCE = 500


async def fill(db: Database, tenant: Tenant, n: int) -> None:
    """So many envelopes of one tenant: the first proposed as any other, the others like it, in batches."""
    principal = tenant_service(tenant)
    async with db.transaction(principal) as tx:
        first = await propose(tx, principal, Proposal(tool="nothing", arguments={"n": 0}))
    assert isinstance(first, Proposed)
    known = first.envelope
    for begin in range(1, n, _AT_ONCE):
        batch = [
            NewEnvelope(
                id=new_id(),
                tool=known.tool_slug,
                version=known.tool_version,
                tool_digest=known.tool_digest,
                provider=known.provider,
                arguments={"n": i},
                risk=known.risk,
                status="pending",
                proposed_by=known.proposed_by,
                attempt_limit=known.attempt_limit,
            )
            for i in range(begin, min(n, begin + _AT_ONCE))
        ]
        async with db.transaction(principal) as tx:
            await outbox.insert_many(tx, principal, batch)


async def ours(access: DatabaseAccess, n: int, tenants: int, concurrency: int) -> dict[str, Any]:
    """Actions of many tenants: claimed, judged, begun, carried out, stored with result and audit row."""
    report.progress(f"proposing {n:,} actions of {tenants} tenants")
    done = 0
    all_done = asyncio.Event()

    async def nothing(n: int) -> dict[str, int]:
        """Does nothing."""
        nonlocal done
        done += 1
        if done == total:
            all_done.set()
        return {"n": n}

    total = n
    registry = ToolRegistry()
    registry.add(nothing, risk="low")
    owners = await jobs.make_tenants(access, tenants)
    async with jobs.opened(access) as (db, hub):
        await registry.register(db)
        for tenant, share in jobs.shares(n, owners):
            await fill(db, tenant, share)
        await settle(access)
        began = time.perf_counter()
        await work(db, hub, registry, concurrency, all_done)
        # The worker has stopped: what it ended is stored.
        took_s = time.perf_counter() - began
    async with as_admin(access) as admin:
        counts = await admin.fetchrow(
            """
            select (select count(*) from public.outbox where status = 'succeeded') as succeeded,
              (select count(*) from public.outbox_attempts
                where outcome = 'succeeded' and result is not null) as attempts,
              (select count(*) from public.audit_log where category = 'outbox' and action = 'succeeded') as audited
            """
        )
    assert counts is not None
    assert set(counts.values()) == {n}, dict(counts)
    return {"per_s": round(n / took_s, 1), "took_s": round(took_s, 2)}


async def work(
    db: Database, hub: Hub, registry: ToolRegistry, concurrency: int, until: asyncio.Event
) -> None:
    """One worker, with its heartbeat, until all is done."""
    worker_id = new_id()
    beat = Heartbeat(db, worker_id, "worker", 3.0)
    await beat.start()
    gate = ActionGate()
    webhooks = Webhooks(db, None, Guard())
    executor = ActionExecutor(gate, Toolbox([LocalTools(registry)]), webhooks)
    config = OutboxConfig(concurrency=concurrency)
    worker = OutboxWorker(db, hub, gate, executor, worker_id, config)
    task = asyncio.create_task(worker.run())
    await until.wait()
    worker.stop()
    await task
    await beat.stop()
    await webhooks.aclose()


async def main() -> int:
    """Reads the command line."""
    return await compare(
        "outbox_drain",
        ours,
        about="Governed actions that do nothing, drained by one worker; PGQueuer's bare jobs in the same run.",
        what="actions",
    )


if __name__ == "__main__":
    # As `stead worker` runs.
    sys.exit(uvloop.run(main()))
