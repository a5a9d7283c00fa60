"""The connection pool, and how a transaction is opened and ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from stead.db.actor import Actor
from stead.db.context import in_transaction
from stead.db.errors import DatabaseUnavailable
from stead.db.transaction import Transaction, begin_message

if TYPE_CHECKING:
    from stead.db.transaction import RawConnection

_BEGIN_TRIES: Final = 10
_CLOSE_TIMEOUT_S: Final = 5.0
#: A rollback takes no time, unless the statement before it is still running because its cancellation came too
#: early to be heard: then the connection is given up.
_ROLLBACK_TIMEOUT_S: Final = 1.0

# Made once: `json.dumps` would make one for every value.
_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

#: What a connection that went away looks like, before anything was done on it.
CONNECTION_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What asyncpg makes of a connection that ended between two statements.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectionError,
    TimeoutError,
    OSError,
)


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """How to connect.

    Args:
        url: ``postgresql://`` URL of the runtime login. ``?pgbouncer=true`` (or port 6543, Supabase's
            transaction pooler) says that statements cannot stay prepared between transactions.
        min_size: Connections opened at start.
        max_size: Most connections at once.
        acquire_timeout_s: How long a caller waits for a free connection before it is told so.
    """

    url: str
    min_size: int = 2
    max_size: int = 20
    acquire_timeout_s: float = 10.0


def split_pooler_flag(url: str) -> tuple[str, bool]:
    """The URL without Stead's own ``pgbouncer`` parameter, and whether a transaction pooler is in front."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    flag = any(k == "pgbouncer" and v.lower() in {"1", "true", "yes"} for k, v in query)
    rest = urlencode([(k, v) for k, v in query if k != "pgbouncer"], safe="/")
    try:
        supavisor = parts.port == 6543
    except ValueError:
        supavisor = False
    return urlunsplit(parts._replace(query=rest)), flag or supavisor


async def prepare_connection(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """jsonb and json as Python values. No statement is sent: both types are built in."""
    for name in ("jsonb", "json"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=_to_json,
            decoder=json.loads,
        )


async def _nothing_to_reset(connection: object) -> None:
    # All that a transaction sets is local to it, so the default reset (a round trip of RESET ALL,
    # CLOSE ALL, UNLISTEN *) would buy nothing.
    del connection


class Database:
    """The pool behind every transaction. One per process; holds no state besides connections."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], config: PoolConfig) -> None:
        self._pool = pool
        self.config = config

    @classmethod
    async def open(cls, config: PoolConfig) -> Database:
        """Connects.

        Raises:
            DatabaseUnavailable: Nothing answers at that address, or it refuses this login.
        """
        url, pooled = split_pooler_flag(config.url)
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=min(config.min_size, config.max_size),
                max_size=config.max_size,
                # Behind a transaction pooler the next transaction may meet another server connection.
                statement_cache_size=0 if pooled else 512,
                max_inactive_connection_lifetime=300.0,
                init=prepare_connection,
                reset=_nothing_to_reset,
                timeout=10.0,
                command_timeout=60.0,
                server_settings={} if pooled else {"application_name": "stead"},
            )
        except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable.from_connect(url, error) from error
        return cls(pool, config)

    async def close(self) -> None:
        """Waits for open transactions for some seconds, then closes every connection."""
        try:
            await asyncio.wait_for(self._pool.close(), _CLOSE_TIMEOUT_S)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self, actor: Actor, *, read_only: bool = False) -> AsyncGenerator[Transaction]:
        """A transaction as ``actor``: committed when the block ends, rolled back when it raises.

        Role and claims are set with SET LOCAL's effect, so nothing of them outlives the transaction and
        the same code works through PgBouncer in transaction mode.

        Args:
            actor: Role and claims.
            read_only: True for reads: the database refuses writes.

        Raises:
            DatabaseUnavailable: No connection could be had.
            RuntimeError: A transaction is already open in this context.
        """
        if in_transaction.get():
            raise RuntimeError("a transaction is already open here: pass its tx on instead")
        connection = await self._begin(begin_message(actor, read_only=read_only))
        token = in_transaction.set(True)
        try:
            yield Transaction(connection)
        except BaseException:
            await self._end(connection, "rollback", failing=True)
            raise
        else:
            await self._end(connection, "commit", failing=False)
        finally:
            in_transaction.reset(token)

    async def _begin(self, message: str) -> RawConnection:
        # A pooled connection may have died unnoticed (server restart, pooler time-out). Nothing was done
        # on it yet, so another one is tried.
        last: BaseException | None = None
        for attempt in range(_BEGIN_TRIES):
            connection: RawConnection | None = None
            try:
                connection = await self._pool.acquire(timeout=self.config.acquire_timeout_s)
                await connection.execute(message)
            except CONNECTION_LOST as error:
                last = error
                if connection is not None:
                    await self._discard(connection)
                elif isinstance(error, TimeoutError):
                    break
                # After a restart of the server every pooled connection is dead, and it may take a moment.
                await asyncio.sleep(min(0.02 * 2**attempt, 0.5))
            except BaseException:
                if connection is not None:
                    await self._discard(connection)
                raise
            else:
                return connection
        raise DatabaseUnavailable.from_acquire(last)

    async def _end(self, connection: RawConnection, command: str, *, failing: bool) -> None:
        try:
            # Shielded: a cancelled request must neither leave a transaction open nor return a
            # connection to the pool that is still busy.
            await asyncio.shield(self._finish(connection, command))
        except (asyncpg.PostgresError, *CONNECTION_LOST):
            # The first error is the one to tell of.
            if not failing:
                raise

    async def _finish(self, connection: RawConnection, command: str) -> None:
        try:
            await connection.execute(
                command, timeout=_ROLLBACK_TIMEOUT_S if command == "rollback" else None
            )
        except BaseException:
            await self._discard(connection)
            raise
        await self._pool.release(connection)

    async def _discard(self, connection: RawConnection) -> None:
        connection.terminate()
        await self._pool.release(connection)
