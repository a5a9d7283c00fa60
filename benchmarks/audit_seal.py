"""How fast the audit log is sealed and verified, and its cost to writers: ``python -m benchmarks.audit_seal``."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any
from uuid import UUID

import uvloop

from benchmarks import jobs, report
from benchmarks.cluster import cluster, settle
from stead import audit, sessions
from stead.assembly.database import DatabaseAccess
from stead.audit import AuditEntry, Expectations, SigningKey
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.identity import Principal, tenant_service
from stead.sessions import Contact


async def fill(db: Database, owners: list[Principal], n: int) -> None:
    """Rows as the product writes them: payloads of some hundred bytes, a subject, a request."""
    per_transaction = 100
    for begin in range(0, n, per_transaction):
        principal = owners[begin // per_transaction % len(owners)]
        entries = [
            AuditEntry(
                category="outbox",
                action="executed",
                subject_type="envelope",
                subject_id=new_id(),
                payload={"tool": "crm.update_contact", "attempt": 1, "n": begin + k, "digest": "0" * 64},
            )
            for k in range(min(per_transaction, n - begin))
        ]
        async with db.transaction(principal) as tx:
            await audit.record_many(tx, principal, entries)


async def seal_all(db: Database, key: SigningKey, n: int) -> tuple[float, int]:
    """Seals everything that is there, as the worker does: seconds, and in how many rounds."""
    began, sealed, rounds = time.perf_counter(), 0, 0
    while sealed < n:
        sealed += await audit.seal(db, key)
        rounds += 1
    return time.perf_counter() - began, rounds


async def verify_all(db: Database, owners: list[Principal], key: SigningKey, n: int) -> float:
    """Verifies every chain in the database: each row read and hashed here, each signature checked."""
    expected = Expectations(keys=frozenset({key.public}))
    began, rows = time.perf_counter(), 0
    for principal in owners:
        async with db.transaction(principal, read_only=True) as tx:
            found = await audit.verify(tx, principal.tenant, expected=expected)
        assert found.is_sound
        rows += found.rows
    assert rows == n
    return time.perf_counter() - began


async def verify_offline(db: Database, principal: Principal, key: SigningKey) -> float:
    """Rows a second of an export, without the database."""
    async with db.transaction(principal, read_only=True) as tx:
        lines = [line async for line in audit.export(tx, principal.tenant)]
    began = time.perf_counter()
    (found,) = audit.verify_dump(lines, expected=Expectations(keys=frozenset({key.public})))
    assert found.is_sound
    return found.rows / (time.perf_counter() - began)


async def write(db: Database, principal: Principal, session_id: UUID, *, audited: bool) -> None:
    """A small write of the product in a transaction of its own: an answer of a form is stored."""
    async with db.transaction(principal) as tx:
        await sessions.update(
            tx, principal, session_id, contact=Contact(), context={"answer": str(new_id())}
        )
        if audited:
            await audit.record(
                tx,
                principal,
                category="session",
                action="updated",
                subject_type="session",
                subject_id=session_id,
                payload={"fields": 1},
            )


async def writing(
    db: Database, owners: list[Principal], writes: int, rounds: int, writers: int
) -> dict[str, Any]:
    """Writes a second with and without an audit row, in turns."""
    held: list[tuple[Principal, UUID]] = []
    for n in range(writers):
        principal = owners[n % len(owners)]
        async with db.transaction(principal) as tx:
            session, _ = await sessions.open_session(tx, principal)
        held.append((principal, session.id))
    took: dict[bool, list[float]] = {False: [], True: []}

    async def some(principal: Principal, session_id: UUID, *, audited: bool) -> None:
        for _ in range(writes // writers):
            await write(db, principal, session_id, audited=audited)

    for n in range(rounds + 1):
        # The one that comes second finds warmer caches: so in turns.
        for audited in (False, True) if n % 2 else (True, False):
            began = time.perf_counter()
            await asyncio.gather(*(some(*each, audited=audited) for each in held))
            if n:  # the first round warms up
                took[audited].append(time.perf_counter() - began)
    done = writes // writers * writers
    plain, audited_s = (report.percentile(took[kind], 0.5) for kind in (False, True))
    return {
        "unaudited_per_s": round(done / plain, 1),
        "audited_per_s": round(done / audited_s, 1),
        "ratio": round(audited_s / plain, 3),
        "ratios": [round(a / p, 3) for a, p in zip(took[True], took[False], strict=True)],
    }


async def measure(access: DatabaseAccess, given: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """All figures, in one cluster."""
    key = SigningKey.from_secret("of the benchmark, of enough characters")
    db = await Database.open(PoolConfig(url=access.runtime_url, max_size=max(8, given.writers)))
    try:
        tenants = await jobs.make_tenants(access, given.tenants)
        owners = [tenant_service(tenant) for tenant in tenants]
        report.progress(f"recording {given.n:,} rows of {given.tenants} tenants")
        began = time.perf_counter()
        await fill(db, owners, given.n)
        recorded_s = time.perf_counter() - began
        postgres = await settle(access)
        report.progress("sealing")
        sealing_s, rounds = await seal_all(db, key, given.n)
        report.progress(f"{given.n / sealing_s:,.0f} rows a second; verifying")
        await settle(access)
        verifying_s = await verify_all(db, owners, key, given.n)
        offline_per_s = await verify_offline(db, owners[0], key)
        report.progress(f"{given.n / verifying_s:,.0f} rows a second; writing")
        alone = await writing(db, owners, given.writes, given.rounds, 1)
        many = await writing(db, owners, given.writes, given.rounds, given.writers)
    finally:
        await db.close()
    figures = {
        "sealed_per_s": round(given.n / sealing_s, 1),
        "verified_per_s": round(given.n / verifying_s, 1),
        "verified_offline_per_s": round(offline_per_s, 1),
        "recorded_per_s": round(given.n / recorded_s, 1),
        "sealing_rounds": rounds,
        "write_ratio": alone["ratio"],
        "one_writer": alone,
        "many_writers": many,
        "n": given.n,
        "tenants": given.tenants,
        "writers": given.writers,
    }
    return figures, postgres


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "Rows sealed and verified a second; the cost of an audited write against an unaudited one.",
        "python -m benchmarks.audit_seal --n 100000",
    )
    parser.add_argument("--n", type=int, default=100_000, help="rows")
    parser.add_argument("--tenants", type=int, default=50, help="tenants that they belong to")
    parser.add_argument("--writes", type=int, default=2000, help="writes of each kind in a round")
    parser.add_argument("--rounds", type=int, default=7, help="of writes, in turns; the median is told")
    parser.add_argument("--writers", type=int, default=8, help="writers at once")
    given = parser.parse_args()
    about = report.machine()
    async with cluster() as access:
        figures, postgres = await measure(access, given)
    report.finish("audit_seal", postgres, figures, about=about)
    return 0


if __name__ == "__main__":
    # As `stead worker` runs.
    sys.exit(uvloop.run(main()))
