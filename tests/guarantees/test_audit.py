"""The audit chain is whole whatever happens to writers and sealers, and says so: no miss and no false alarm."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import asyncpg
import pytest

from stead import audit
from stead.assembly.database import DatabaseAccess
from stead.audit import AuditEntry, Expectations
from stead.db import CONNECTION_LOST, Database, PoolConfig
from stead.db.context import in_transaction
from tests.audit.conftest import Log, open_log
from tests.support.people import service

WRITERS = 64
KILLS = 20
SEALS = 40


class Storm:
    """Writers, sealers that are killed, and a verifier, all at once."""

    def __init__(self, log: Log, pool: Database, seed: int) -> None:
        self.log = log
        self.pool = pool
        self.random = random.Random(seed)
        self.committed: Counter[str] = Counter()
        self.seals = 0
        self.straddled = 0
        self.kills = 0
        self.verified = 0
        self.sealed = asyncio.Event()  # another one after each seal
        self.over = asyncio.Event()

    async def write(self, number: int) -> None:
        """Small transactions; some give up, and some stay open until a seal was made over their heads."""
        tenant = (self.log.tenant, self.log.other)[number % 2]
        principal = service(tenant)
        while not self.over.is_set():
            rows = self.random.randint(1, 4)
            entries = [AuditEntry(category="storm", action="write", payload={"n": number})] * rows
            try:
                async with self.pool.transaction(principal) as tx:
                    await audit.record_many(tx, principal, entries)
                    if self.random.random() < 0.3:
                        await self.wait_for_seals(self.random.randint(1, 3))
                        await audit.record(tx, principal, category="storm", action="late")
                        rows += 1
                    self.maybe_give_up()
            except LookupError:
                continue
            self.committed[tenant.slug] += rows

    def maybe_give_up(self) -> None:
        """What raises rolls back."""
        if self.random.random() < 0.15:
            raise LookupError

    async def wait_for_seals(self, count: int) -> None:
        for _ in range(count):
            if self.over.is_set():
                return
            await self.sealed.wait()
        self.straddled += 1

    def tell_writers(self) -> None:
        """That a seal was made."""
        made, self.sealed = self.sealed, asyncio.Event()
        made.set()

    async def seal(self) -> None:
        """As the worker's loop does it: what fails is tried again."""
        db = await Database.open(PoolConfig(url=self.log.access.runtime_url, min_size=0, max_size=2))
        while not self.over.is_set():
            try:
                if await audit.seal(db, self.log.key, batch=self.random.choice((1, 20, 1000))):
                    self.seals += 1
                    self.tell_writers()
                else:
                    await asyncio.sleep(0.001)
            except (*CONNECTION_LOST, asyncpg.PostgresError):
                continue
        await db.close()

    async def kill(self) -> None:
        """Ends the database connection of whoever is sealing, wherever it is; until enough has happened."""
        admin = await asyncpg.connect(str(self.log.access.admin_url))
        while self.kills < KILLS or self.seals < SEALS:
            await asyncio.sleep(self.random.random() * 0.3)
            self.kills += await admin.fetchval(
                "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid() "
                "and (query like '%stead.seal_audit%' or query like '%stead.sign_seals%')"
            )
        await admin.close()
        self.over.set()
        self.tell_writers()

    async def verify(self) -> None:
        """Never a false alarm, whatever is going on."""
        while not self.over.is_set():
            report = await self.log.verify(keys=frozenset({self.log.key.public}))
            assert report.faults == ()
            self.verified += 1


@pytest.mark.parametrize("seed", [1, 2])
async def test_writers_and_killed_sealers_leave_a_whole_chain(fresh: DatabaseAccess, seed: int) -> None:
    pool = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=0, max_size=WRITERS))
    async with open_log(fresh) as log:
        storm = Storm(log, pool, seed)
        try:
            async with asyncio.timeout(120), asyncio.TaskGroup() as group:
                for number in range(WRITERS):
                    group.create_task(storm.write(number))
                for work in (storm.seal, storm.seal, storm.verify, storm.kill):
                    group.create_task(work())
        finally:
            await pool.close()
        await log.seal(log.key)

        assert storm.verified > 0
        print("STATS", storm.kills, storm.straddled, storm.seals, storm.verified, storm.committed)
        assert storm.straddled > WRITERS
        keys = frozenset({log.key.public})
        for tenant in (log.tenant, log.other):
            report = await log.verify_all(tenant, keys=keys)
            assert report.faults == ()
            assert report.pending == 0
            assert report.rows == storm.committed[tenant.slug] == len(await log.ids(tenant))
            assert report.signed == report.seals


@pytest.mark.parametrize("after", ["seal", "sign"])
async def test_a_sealer_that_dies_midway_leaves_nothing(fresh: DatabaseAccess, after: str) -> None:
    async with open_log(fresh) as log:
        await log.write(5)
        sealer = await asyncpg.connect(fresh.runtime_url)
        await sealer.execute("begin; set local role stead_service")
        (seal,) = await sealer.fetch("select * from stead.seal_audit(100, true)")
        if after == "sign":
            signed = await sealer.fetchval(
                "select stead.sign_seals($1, $2, $3, $4)",
                [seal["tenant"]],
                [seal["number"]],
                log.key.public,
                [log.key.sign(seal["seal_digest"])],
            )
            assert signed == 1
        pid = sealer.get_server_pid()
        await log.admin.fetchval("select pg_terminate_backend($1, 10000)", pid)
        for table in ("audit_entries", "audit_seals", "audit_signatures", "sealing_progress"):
            assert await log.admin.fetchval(f"select count(*) from stead.{table}") == 0
        assert await log.seal(log.key) == 5
        assert (await log.verify(keys=frozenset({log.key.public}))).is_sound
        with pytest.raises(CONNECTION_LOST):
            await sealer.execute("commit")


async def test_a_chain_cannot_fork(fresh: DatabaseAccess) -> None:
    """Even a sealer that works on an old view of the chain: the key of the seals refuses it."""
    async with open_log(fresh) as log:
        await log.write(2)
        old = await asyncpg.connect(str(fresh.admin_url))
        # It has its view of the data before the other one begins.
        await old.execute("begin isolation level repeatable read; select 1 from public.audit_log")
        await log.seal(log.key)
        with pytest.raises(asyncpg.PostgresError) as refused:
            await old.fetch("select * from stead.seal_audit(100, true)")
        assert refused.value.sqlstate in {"23505", "40001"}
        await old.close()
        report = await log.verify(keys=frozenset({log.key.public}))
        assert (report.is_sound, report.seals) == (True, 1)


async def test_what_is_verified_offline_is_what_was_exported_amid_writes(fresh: DatabaseAccess) -> None:
    """An export takes its time: what is sealed and written meanwhile makes no false alarm."""
    async with open_log(fresh) as log:
        for _ in range(3):
            await log.write(300)
            await log.seal(log.key)
        principal = service(log.tenant)
        lines: list[str] = []
        async with log.db.transaction(principal, read_only=True) as tx:
            async for line in audit.export(tx, log.tenant):
                lines.append(line)
                if len(lines) in {1, 2, 400}:
                    # In a task of its own: a transaction is open in this context.
                    await asyncio.create_task(_write_and_seal(log))
        (report,) = audit.verify_dump(lines, expected=Expectations(keys=frozenset({log.key.public})))
        assert report.faults == ()
        assert report.rows >= 900
        assert (await log.verify_all(keys=frozenset({log.key.public}))).rows == 915


async def _write_and_seal(log: Log) -> None:
    in_transaction.set(False)
    await log.write(5)
    await log.seal(log.key)
