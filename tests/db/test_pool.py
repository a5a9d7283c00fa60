"""What a transaction is: opened in one message, ended whatever happens."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db import CONNECTION_LOST, NOBODY, Database, PoolConfig, assert_no_transaction, in_transaction
from stead.db.errors import DatabaseUnavailable
from stead.db.pool import split_pooler_flag
from stead.identity import Tenant
from tests.support.people import service


@pytest_asyncio.fixture
async def single(access: DatabaseAccess) -> AsyncIterator[Database]:
    """A pool of one connection: whatever is left on it, the next transaction meets."""
    database = await Database.open(
        PoolConfig(url=access.runtime_url, min_size=1, max_size=1, acquire_timeout_s=5)
    )
    yield database
    await database.close()


async def sessions_of(db: Database, tenant: Tenant) -> int:
    async with db.transaction(service(tenant), read_only=True) as tx:
        return await tx.value("select count(*) from public.sessions")


INSERT = "insert into public.sessions (tenant_id) values ($1)"


async def test_what_ends_well_is_committed(single: Database, tenant: Tenant) -> None:
    async with single.transaction(service(tenant)) as tx:
        assert await tx.execute(INSERT, tenant.id) == 1

    assert await sessions_of(single, tenant) == 1


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, GeneratorExit, KeyboardInterrupt])
async def test_what_raises_is_rolled_back(
    single: Database, tenant: Tenant, error: type[BaseException]
) -> None:
    with pytest.raises(error):  # noqa: PT012
        async with single.transaction(service(tenant)) as tx:
            await tx.execute(INSERT, tenant.id)
            raise error

    assert await sessions_of(single, tenant) == 0


async def test_a_statement_that_fails_undoes_those_before_it(single: Database, tenant: Tenant) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):  # noqa: PT012
        async with single.transaction(service(tenant)) as tx:
            await tx.execute(INSERT, tenant.id)
            await tx.value("select 1 / 0")

    assert await sessions_of(single, tenant) == 0


async def test_reading_only_refuses_writes(single: Database, tenant: Tenant) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with single.transaction(service(tenant), read_only=True) as tx:
            await tx.execute(INSERT, tenant.id)

    async with single.transaction(service(tenant)) as tx:  # and is no property of the connection
        await tx.execute(INSERT, tenant.id)


async def test_one_transaction_at_a_time_in_a_context(single: Database, tenant: Tenant) -> None:
    async with single.transaction(service(tenant)) as tx:
        with pytest.raises(RuntimeError, match="already open"):
            async with single.transaction(NOBODY):
                pass
        assert await tx.value("select 1") == 1


async def test_tasks_have_transactions_of_their_own(db: Database, tenant: Tenant) -> None:
    both = asyncio.Barrier(2)

    async def work() -> int:
        async with db.transaction(service(tenant)) as tx:
            await both.wait()
            return await tx.value("select pg_backend_pid()")

    first, second = await asyncio.gather(work(), work())

    assert first != second


async def test_a_provider_notices_an_open_transaction(single: Database) -> None:
    assert_no_transaction("a call")
    async with single.transaction(NOBODY):
        assert in_transaction.get()
        with pytest.raises(RuntimeError, match="a call inside a database transaction"):
            assert_no_transaction("a call")
    assert_no_transaction("a call")
    with pytest.raises(ValueError, match="x"):
        async with single.transaction(NOBODY):
            raise ValueError("x")
    assert_no_transaction("a call")


async def test_cancelled_in_the_middle_of_a_statement(single: Database, tenant: Tenant) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with single.transaction(service(tenant)) as tx:
            await tx.execute(INSERT, tenant.id)
            inside.set()
            await tx.execute("select pg_sleep(60)")

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await sessions_of(single, tenant) == 0
    assert single._pool.get_idle_size() == single._pool.get_size()


async def test_cancelled_while_it_waits_for_a_connection(single: Database) -> None:
    async with single.transaction(NOBODY):

        async def wait() -> None:
            in_transaction.set(False)
            async with single.transaction(NOBODY):
                raise AssertionError("there was no second connection")

        task = asyncio.create_task(wait())
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with single.transaction(NOBODY) as tx:
        assert await tx.value("select 1") == 1


async def _end_backend(access: DatabaseAccess, pid: int) -> None:
    admin = await asyncpg.connect(access.admin_url)
    try:
        assert await admin.fetchval("select pg_terminate_backend($1, 5000)", pid)
    finally:
        await admin.close()


async def test_a_connection_that_died_in_the_pool_is_replaced(
    access: DatabaseAccess, single: Database
) -> None:
    async with single.transaction(NOBODY) as tx:
        pid = await tx.value("select pg_backend_pid()")
    await _end_backend(access, pid)

    async with single.transaction(NOBODY) as tx:
        assert await tx.value("select pg_backend_pid()") != pid


async def test_a_connection_that_dies_in_a_transaction(
    access: DatabaseAccess, single: Database, tenant: Tenant
) -> None:
    with pytest.raises(CONNECTION_LOST):  # noqa: PT012
        async with single.transaction(service(tenant)) as tx:
            await tx.execute(INSERT, tenant.id)
            await _end_backend(access, await tx.value("select pg_backend_pid()"))
            await tx.value("select 1")

    assert await sessions_of(single, tenant) == 0


async def test_a_connection_that_dies_before_commit_is_told_of(
    access: DatabaseAccess, single: Database, tenant: Tenant
) -> None:
    """Nobody may take for stored what is not."""
    with pytest.raises(CONNECTION_LOST):  # noqa: PT012
        async with single.transaction(service(tenant)) as tx:
            await tx.execute(INSERT, tenant.id)
            await _end_backend(access, await tx.value("select pg_backend_pid()"))

    assert await sessions_of(single, tenant) == 0


async def test_an_error_at_commit_surfaces(fresh: DatabaseAccess) -> None:
    admin = await asyncpg.connect(fresh.admin_url)
    await admin.execute(
        """
        create table public.later (id int unique deferrable initially deferred);
        grant insert, select on public.later to stead_service;
        """
    )
    await admin.close()
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=1))
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            async with db.transaction(NOBODY) as tx:
                await tx.execute("insert into public.later values (1), (1)")
        async with db.transaction(NOBODY) as tx:
            assert await tx.value("select count(*) from public.later") == 0
    finally:
        await db.close()


async def test_after_a_statement_failed_and_was_swallowed_nothing_is_taken_for_stored(
    single: Database, tenant: Tenant
) -> None:
    """COMMIT of a failed transaction is answered with ROLLBACK, and without an error."""
    async with single.transaction(service(tenant)) as tx:
        await tx.execute(INSERT, tenant.id)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tx.value("select 1 / 0")
        with pytest.raises(asyncpg.InFailedSQLTransactionError):
            await tx.execute(INSERT, tenant.id)

    assert await sessions_of(single, tenant) == 0


async def test_role_and_claims_end_with_the_transaction(single: Database, tenant: Tenant) -> None:
    state = "select current_user::text, coalesce(current_setting('request.jwt.claims', true), '')"
    async with single.transaction(service(tenant)) as tx:
        row = await tx.row(state)
        assert row is not None
        assert row[0] == "stead_service"
        assert str(tenant.id) in row[1]
    async with single._pool.acquire() as connection:
        assert tuple(await connection.fetchrow(state)) == ("stead_api", "")
    async with single.transaction(NOBODY) as tx:
        assert await tx.value("select stead.tenant_id()") is None


async def test_opening_is_one_message_and_ending_another(single: Database, tenant: Tenant) -> None:
    sent: list[str] = []
    connection = single._pool._holders[0]._con
    connection.add_query_logger(lambda record: sent.append(record.query))
    async with single.transaction(service(tenant)) as tx:
        await tx.value("select 1")
    await asyncio.sleep(0)  # listeners are called by the loop
    assert sent[0].startswith("begin;")
    assert sent[1:] == ["select 1", "commit"]

    sent.clear()
    with pytest.raises(ValueError, match="x"):
        async with single.transaction(NOBODY, read_only=True):
            raise ValueError("x")
    await asyncio.sleep(0)
    assert sent[0].startswith("begin read only;")
    assert sent[1:] == ["rollback"]


async def test_when_all_connections_are_busy(access: DatabaseAccess) -> None:
    db = await Database.open(
        PoolConfig(url=access.runtime_url, min_size=1, max_size=1, acquire_timeout_s=0.05)
    )

    async def second() -> None:
        in_transaction.set(False)
        async with db.transaction(NOBODY):
            pass

    try:
        async with db.transaction(NOBODY):
            with pytest.raises(DatabaseUnavailable, match="busy"):
                await asyncio.create_task(second())
    finally:
        await db.close()


async def test_where_nothing_answers() -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        await Database.open(PoolConfig(url="postgresql://me:secret-word@127.0.0.1:1/db"))

    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "plain", "pooled"),
    [
        ("postgresql://u@h/d", "postgresql://u@h/d", False),
        ("postgresql://u@h/d?pgbouncer=true", "postgresql://u@h/d", True),
        ("postgresql://u@h/d?pgbouncer=false", "postgresql://u@h/d", False),
        ("postgresql://u@h:6543/d", "postgresql://u@h:6543/d", True),
        ("postgresql://u@/d?host=/tmp/x&pgbouncer=1", "postgresql://u@/d?host=/tmp/x", True),
    ],
)
def test_the_sign_of_a_pooler(url: str, plain: str, pooled: bool) -> None:
    assert split_pooler_flag(url) == (plain, pooled)


async def test_rows_values_and_streams(db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant)) as tx:
        await tx.execute_many(INSERT, [(tenant.id,), (tenant.id,), (tenant.id,)])
        assert len(await tx.rows("select id from public.sessions")) == 3
        assert await tx.row("select id from public.sessions where id = $1", uuid.uuid4()) is None
        assert await tx.value("select '{\"a\": [1, null]}'::jsonb") == {"a": [1, None]}
        assert await tx.value("select $1::jsonb", {"ü": "'"}) == {"ü": "'"}
        streamed = [row[0] async for row in tx.stream("select generate_series(1, 7)", batch=2)]
        assert streamed == list(range(1, 8))
        assert await tx.execute("update public.sessions set name = 'x'") == 3
