"""What the guarantees of actions share: worker processes that are killed, and what the provider says was done."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import psutil

from stead import actions, audit, governance, outbox
from stead.actions import Proposal, Proposed, approvers, approving
from stead.assembly.database import DatabaseAccess
from stead.audit import SigningKey
from stead.db import Database, PoolConfig
from stead.governance import Risk
from stead.identity import Principal, Tenant, tenant_service
from stead.outbox import Envelope
from tests.support.acting_app import app
from tests.support.people import make_person, make_tenant
from tests.support.servers import ServerProcess

TARGET = "tests.support.acting_app:app"
SECRET = "service-secret-service-secret-service-secret"
#: What a tenant allows here: as by default, without pauses between attempts and whatever tools are trusted with.
TIERS = {risk: {"backoff_s": 0} for risk in ("low", "medium", "high", "critical")}
#: From these nothing more happens by itself.
STILL = [*sorted(outbox.ENDED), "outcome_unknown"]


@dataclass(frozen=True)
class Line:
    """What the provider wrote down.

    Args:
        what: ``call``: it was called; ``effect``: it did it.
    """

    what: str
    order: str
    attempt: int
    pid: int


@dataclass
class Works:
    """A database with tenants that act, and a file of effects."""

    access: DatabaseAccess
    db: Database
    admin: asyncpg.Connection[asyncpg.Record]
    tenant: Tenant
    effects: Path
    tenants: list[Tenant] = field(default_factory=list[Tenant])

    @property
    def service(self) -> Principal:
        """Of the first tenant."""
        return tenant_service(self.tenant)

    def worker(self, **environment: str) -> ServerProcess:
        """A worker process, not started."""
        return ServerProcess(
            self.access,
            "worker",
            TARGET,
            EFFECTS_FILE=str(self.effects),
            STEAD_ADMIN_DATABASE_URL=self.access.admin_url or "",
            STEAD_SERVICE_SECRET=SECRET,
            **environment,
        )

    async def add_tenant(self, **policy: Any) -> Tenant:
        """One more tenant."""
        tenant = await make_tenant(self.access)
        self.tenants.append(tenant)
        await self.policy(tenant, **policy)
        return tenant

    async def policy(self, tenant: Tenant | None = None, **document: Any) -> None:
        """Another policy."""
        service = tenant_service(tenant or self.tenant)
        async with self.db.transaction(service) as tx:
            await governance.policies.put(
                tx, service, {"tiers": TIERS, "trust_threshold": 0, **document}
            )

    async def person(self, *, approves: Risk | None = None) -> Principal:
        """Somebody of the tenant, who may approve up to a tier."""
        person = await make_person(self.db, self.tenant)
        if approves is not None:
            async with self.db.transaction(self.service) as tx:
                await approvers.put(tx, self.service, person.id, approves)
        return Principal(
            kind="user", tenant=self.tenant, role="stead_service", profile_id=person.id, credential="t"
        )

    async def propose(
        self, tool: str, *, by: Principal | None = None, account_id: str | None = None, **given: Any
    ) -> Proposed:
        """An action that is not refused."""
        who = by or self.service
        proposal = Proposal(tool=tool, arguments=given, account_id=account_id)
        async with self.db.transaction(who) as tx:
            proposed = await actions.propose(tx, who, proposal)
        assert isinstance(proposed, Proposed), proposed
        return proposed

    async def propose_many(
        self, given: Sequence[tuple[str, dict[str, Any]]], *, by: Principal | None = None
    ) -> list[UUID]:
        """Many actions, in one transaction."""
        who, made = by or self.service, list[UUID]()
        async with self.db.transaction(who) as tx:
            for tool, arguments in given:
                proposed = await actions.propose(tx, who, Proposal(tool=tool, arguments=arguments))
                assert isinstance(proposed, Proposed), proposed
                made.append(proposed.envelope.id)
        return made

    async def vote(self, approval_id: UUID | None, who: Principal, vote: str = "approve") -> None:
        """Votes."""
        assert approval_id is not None
        async with self.db.transaction(who) as tx:
            await approving.vote(tx, who, approval_id, vote)  # type: ignore[arg-type]

    async def get(self, envelope_id: UUID) -> Envelope:
        """The envelope as it stands, of the first tenant."""
        async with self.db.transaction(self.service, read_only=True) as tx:
            return await outbox.envelopes.get(tx, self.service, envelope_id)

    async def statuses(self, ids: Sequence[UUID]) -> dict[UUID, str]:
        """How they stand."""
        rows = await self.admin.fetch("select id, status from public.outbox where id = any ($1)", ids)
        return {row["id"]: row["status"] for row in rows}

    async def until(self, sql: str, *args: object, timeout_s: float = 60) -> None:
        """Until a query answers with true."""
        async with asyncio.timeout(timeout_s):
            while True:
                if await self.admin.fetchval(sql, *args):
                    return
                await asyncio.sleep(0.02)

    async def until_left(self, what: str, count: int, timeout_s: float = 60) -> None:
        """Until the provider has written so many lines of a kind."""
        async with asyncio.timeout(timeout_s):
            while self._left(what) < count:  # noqa: ASYNC110 - other processes write
                await asyncio.sleep(0.02)

    def _left(self, what: str) -> int:
        return sum(line.what == what for lines in self.lines().values() for line in lines)

    async def all_still(self, timeout_s: float = 120) -> None:
        """Until nothing happens by itself any more. Processes that are gone count as silent at once."""
        async with asyncio.timeout(timeout_s):
            while await self.admin.fetchval(
                "select exists (select from public.outbox where status <> all ($1))", STILL
            ):
                await self.bury()
                await self.hurry()
                await asyncio.sleep(0.05)

    async def hurry(self) -> None:
        """Lets the pauses pass that follow a rescue."""
        await self.admin.execute(
            "update public.outbox set next_run_at = now() where status = 'retry_wait' and next_run_at > now()"
        )

    async def bury(self) -> None:
        """Lets the time pass after which a dead process counts as dead."""
        for row in await self.admin.fetch("select pid from stead.processes"):
            if is_gone(row["pid"]):
                await self.silence(row["pid"])

    async def silence(self, pid: int) -> None:
        """Lets a process count as silent."""
        await self.admin.execute(
            "update stead.processes set heartbeat_at = now() - interval '30 minutes' where pid = $1", pid
        )

    def lines(self) -> dict[UUID, list[Line]]:
        """What the provider wrote down of each key, in its order."""
        found: defaultdict[UUID, list[Line]] = defaultdict(list)
        if self.effects.exists():
            for line in self.effects.read_text().splitlines():
                key, what, order, attempt, pid = line.split()
                found[UUID(key)].append(Line(what, order, int(attempt), int(pid)))
        return found

    def done(self, envelope_id: UUID) -> int:
        """How often the provider did it."""
        return sum(line.what == "effect" for line in self.lines()[envelope_id])

    async def check(self) -> None:
        """What holds after each test, whatever happened."""
        rows = await self.admin.fetch(
            """
            select o.id, o.status, o.idempotent, o.attempts, o.tool_slug, o.arguments,
              (select count(*) from public.outbox_attempts a
               where a.tenant_id = o.tenant_id and a.envelope_id = o.id
                 and a.outcome is distinct from 'released') as noted,
              exists (select from stead.decisions d where d.tenant_id = o.tenant_id and d.envelope_id = o.id
                and d.verdict = 'allow')
              or exists (select from public.approvals a where a.tenant_id = o.tenant_id and a.envelope_id = o.id
                and a.digest = o.digest and a.status = 'approved' and a.used_at is not null) as allowed
            from public.outbox o
            """
        )
        envelopes = {row["id"]: row for row in rows}
        for key, lines in self.lines().items():
            row = envelopes[key]
            assert row["allowed"], f"{key} was not allowed"
            effects = sum(line.what == "effect" for line in lines)
            assert effects <= 1 or row["idempotent"], f"{key} had {effects} effects"
            # Each call has a row of its own, which was there before.
            calls = max(line.attempt for line in lines)
            assert calls <= row["noted"], f"{key} was called more often than is written down"
        for row in rows:
            assert row["status"] in STILL, row["status"]
            if row["status"] == "succeeded" and row["tool_slug"] in {"send", "upsert", "transfer"}:
                assert any(line.what == "effect" for line in self.lines()[row["id"]]), row["id"]
        await self.check_audit()

    async def check_audit(self) -> None:
        """Everything is sealed, and verifies; and what ended says so in the log."""
        key = SigningKey.from_secret(SECRET)
        last = await self.admin.fetchval("select coalesce(max(id), 0) from public.audit_log")
        async with asyncio.timeout(60):
            while True:
                await audit.seal(self.db, key)
                progress = await self.admin.fetchval(
                    "select complete_to from stead.sealing_progress where log = 'audit_log'"
                )
                if (progress or 0) >= last:
                    break
                await asyncio.sleep(0.02)
        for tenant in self.tenants:
            async with self.db.transaction(tenant_service(tenant), read_only=True) as tx:
                report = await audit.verify(tx, tenant)
            assert (report.faults, report.pending) == ((), 0)
        assert not await self.admin.fetchval(
            """
            select count(*) from public.outbox o
            where o.status in ('succeeded', 'failed', 'outcome_unknown', 'dead')
              and not exists (select from public.audit_log a where a.tenant_id = o.tenant_id
                and a.subject_id = o.id::text and a.action = o.status)
            """
        )


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@asynccontextmanager
async def works_on(access: DatabaseAccess, folder: Path) -> AsyncIterator[Works]:
    """Works on a database of a test's own."""
    db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=8))
    admin = await asyncpg.connect(access.admin_url)
    try:
        await app.tools.register(db)
        tenant = await make_tenant(access)
        works = Works(access, db, admin, tenant, folder / "effects", [tenant])
        await works.policy()
        yield works
    finally:
        await admin.close()
        await db.close()
