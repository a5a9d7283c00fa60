"""A hundred tenants over four connections, with requests that fail and requests that are cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
import pytest

from stead.assembly.database import DatabaseAccess
from stead.db import NOBODY, Database, PoolConfig, StaticActor, Transaction
from tests.isolation.pgbouncer import transaction_pooler

TENANTS = 100
CONNECTIONS = 4
ROUNDS = 3


class _Abandoned(Exception):
    """What the work of a request raised."""


@dataclass
class Storm:
    """Requests of all tenants at once."""

    db: Database
    tenants: list[uuid.UUID]
    chance: random.Random = field(default_factory=lambda: random.Random(14))
    outcomes: Counter[str] = field(default_factory=Counter)
    written: Counter[uuid.UUID] = field(default_factory=Counter)

    async def run(self) -> None:
        """Every kind of request for every tenant, in no order."""
        kinds: list[Callable[[uuid.UUID], Awaitable[None]]] = [
            self.read,
            self.write,
            self.fail,
            self.break_statement,
            self.write_where_only_reading_is_allowed,
        ]
        work = [(kind, tenant) for kind in kinds for tenant in self.tenants for _ in range(ROUNDS)]
        work += [(self.cancelled, tenant) for tenant in self.tenants]
        self.chance.shuffle(work)
        await asyncio.gather(*(kind(tenant) for kind, tenant in work))

    async def mine(self, tx: Transaction, tenant: uuid.UUID) -> None:
        """What the transaction sees is this tenant's: its rows, its claims, its role."""
        rows = await tx.rows(
            "select tenant_id, current_user::text as role, current_setting('request.jwt.claims') as claims "
            "from public.sessions"
        )
        assert len(rows) >= 1
        assert {row["tenant_id"] for row in rows} == {tenant}
        assert {row["role"] for row in rows} == {"stead_service"}
        assert json.loads(rows[0]["claims"]) == {"tenant_id": str(tenant)}

    def transaction(
        self, tenant: uuid.UUID, *, read_only: bool = False
    ) -> contextlib.AbstractAsyncContextManager[Transaction]:
        """As that tenant's service."""
        actor = StaticActor.of("stead_service", {"tenant_id": str(tenant)})
        return self.db.transaction(actor, read_only=read_only)

    async def read(self, tenant: uuid.UUID) -> None:
        async with self.transaction(tenant, read_only=True) as tx:
            await self.mine(tx, tenant)
        self.outcomes["read"] += 1

    async def write(self, tenant: uuid.UUID) -> None:
        async with self.transaction(tenant) as tx:
            await self.mine(tx, tenant)
            await tx.execute("insert into public.sessions (tenant_id) values ($1)", tenant)
            await self.mine(tx, tenant)
        self.written[tenant] += 1

    async def fail(self, tenant: uuid.UUID) -> None:
        with pytest.raises(_Abandoned):  # noqa: PT012
            async with self.transaction(tenant) as tx:
                await tx.execute("insert into public.sessions (tenant_id) values ($1)", tenant)
                await self.mine(tx, tenant)
                raise _Abandoned
        self.outcomes["failed"] += 1

    async def break_statement(self, tenant: uuid.UUID) -> None:
        other = self.chance.choice([t for t in self.tenants if t != tenant])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with self.transaction(tenant) as tx:
                await tx.execute("insert into public.sessions (tenant_id) values ($1)", other)
        self.outcomes["refused"] += 1

    async def write_where_only_reading_is_allowed(self, tenant: uuid.UUID) -> None:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with self.transaction(tenant, read_only=True) as tx:
                await tx.execute("insert into public.sessions (tenant_id) values ($1)", tenant)
        self.outcomes["read only"] += 1

    async def cancelled(self, tenant: uuid.UUID) -> None:
        """At whatever it is doing: waiting for a connection, at BEGIN, in a statement, at ROLLBACK."""
        inside = asyncio.Event()

        async def work() -> None:
            async with self.transaction(tenant) as tx:
                await tx.execute("insert into public.sessions (tenant_id) values ($1)", tenant)
                inside.set()
                await tx.execute("select pg_sleep(30)")

        task = asyncio.create_task(work())
        if self.chance.random() < 0.5:
            waiter = asyncio.create_task(inside.wait())
            await asyncio.wait([waiter, task], return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
        for _ in range(self.chance.randrange(20)):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        self.outcomes["cancelled"] += 1


async def _tenants(access: DatabaseAccess) -> list[uuid.UUID]:
    connection = await asyncpg.connect(access.admin_url)
    try:
        rows = await connection.fetch(
            """
            with made as (
              insert into public.tenants (slug, name)
              select 't' || n, 'T' from generate_series(1, $1::integer) n returning id
            )
            insert into public.sessions (tenant_id, memory_container) select id, id::text from made
            returning tenant_id
            """,
            TENANTS,
        )
        return [row["tenant_id"] for row in rows]
    finally:
        await connection.close()


async def _weather(access: DatabaseAccess, url: str) -> None:
    tenants = await _tenants(access)
    db = await Database.open(
        PoolConfig(url=url, min_size=1, max_size=CONNECTIONS, acquire_timeout_s=100)
    )
    try:
        storm = Storm(db, tenants)
        await storm.run()
        finished = dict.fromkeys(("read", "failed", "refused", "read only"), TENANTS * ROUNDS)
        assert storm.outcomes == {**finished, "cancelled": TENANTS}

        await _nothing_leaked(db)
        # Committed is what was to be committed, and nothing of what failed or was cancelled.
        for tenant in tenants:
            async with storm.transaction(tenant, read_only=True) as tx:
                count = await tx.value("select count(*) from public.sessions")
            assert count == 1 + storm.written[tenant]
    finally:
        await db.close()
    await _no_backend_hangs(access)


async def _nothing_leaked(db: Database) -> None:
    pool = db._pool
    assert pool.get_size() <= CONNECTIONS
    assert pool.get_idle_size() == pool.get_size()
    connections = [await pool.acquire() for _ in range(CONNECTIONS)]
    try:
        for connection in connections:
            assert not connection.is_in_transaction()
            row = await connection.fetchrow(
                "select current_user::text, session_user::text, "
                "coalesce(current_setting('request.jwt.claims', true), ''), "
                "current_setting('transaction_read_only')"
            )
            assert tuple(row) == ("stead_api", "stead_api", "", "off")
    finally:
        for connection in connections:
            await pool.release(connection)
    async with db.transaction(NOBODY) as tx:
        assert await tx.value("select count(*) from public.sessions") == 0


async def _no_backend_hangs(access: DatabaseAccess) -> None:
    connection = await asyncpg.connect(access.admin_url)
    try:
        hanging: list[asyncpg.Record] = []
        for _ in range(150):
            hanging = await connection.fetch(
                "select state, query from pg_stat_activity where datname = current_database() "
                "and usename = 'stead_api' and state <> 'idle'"
            )
            if not hanging:
                break
            await asyncio.sleep(0.1)
        assert [tuple(row) for row in hanging] == []
    finally:
        await connection.close()


async def test_a_hundred_tenants_over_four_connections(fresh: DatabaseAccess) -> None:
    await _weather(fresh, fresh.runtime_url)


async def test_the_same_through_pgbouncer_in_transaction_mode(fresh: DatabaseAccess) -> None:
    async with transaction_pooler(fresh, size=CONNECTIONS) as url:
        await _weather(fresh, url)


async def test_what_a_transaction_sets_is_gone_for_the_next_client_of_pgbouncer(
    fresh: DatabaseAccess,
) -> None:
    """One server connection, and clients that take turns on it."""
    tenants = await _tenants(fresh)
    async with transaction_pooler(fresh, size=1) as url:
        plain = url.partition("?")[0]
        clients = [await asyncpg.connect(plain, statement_cache_size=0) for _ in range(3)]
        db = await Database.open(PoolConfig(url=url, min_size=1, max_size=2))
        try:
            backends = set()
            for tenant in tenants[:10]:
                actor = StaticActor.of("stead_service", {"tenant_id": str(tenant)})
                async with db.transaction(actor) as tx:
                    backends.add(await tx.value("select pg_backend_pid()"))
                for client in clients:
                    row = await client.fetchrow(
                        "select pg_backend_pid(), current_user::text, "
                        "coalesce(current_setting('request.jwt.claims', true), '')"
                    )
                    backends.add(row[0])
                    assert tuple(row)[1:] == ("stead_api", "")
            assert len(backends) == 1
        finally:
            await db.close()
            for client in clients:
                await client.close()
