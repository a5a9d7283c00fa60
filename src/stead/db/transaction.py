"""One transaction: the typed, thin wrapper that every query function receives as ``tx``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, LiteralString, TypeAlias, cast

import asyncpg

from stead.core.ids import parse_id
from stead.db.actor import ROLES, Actor

Row: TypeAlias = asyncpg.Record
if TYPE_CHECKING:
    # Generic in the type stubs only.
    RawConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy[Row]


def begin_message(actor: Actor, *, read_only: bool) -> str:
    """The single simple-protocol message that opens a transaction as ``actor``.

    BEGIN, the role and the claims travel together, so that opening costs one round trip; SET LOCAL needs no
    planning, as ``select set_config(…)`` would. In the claims every quote is spelt ``\\u0027``, which means
    the same in JSON: no content of theirs can end the literal.

    Raises:
        ValueError: The role is none that the server may take on, or the claims are no JSON object.
    """
    if actor.role not in ROLES:
        raise ValueError(f"not a runtime role: {actor.role!r}")
    claims: Any = json.loads(actor.claims_json)
    if not isinstance(claims, dict):
        raise ValueError("claims must be a JSON object")  # noqa: TRY004 - as documented
    literal = json.dumps(claims, separators=(",", ":")).replace("'", "\\u0027")
    return (
        f"begin{' read only' if read_only else ''};"
        f"set local role {actor.role};"
        f"set local request.jwt.claims='{literal}';{_told(cast('dict[str, Any]', claims))}"
    )


def _told(claims: dict[str, Any]) -> str:
    """What the claims say of tenant, person and session, as settings that policies read faster than JSON.

    Whatever is no UUID is left to the database, which then reads the claims.
    """
    told = ""
    for setting, claim in (("tenant", "tenant_id"), ("profile", "sub"), ("session", "stead_session")):
        value = parse_id(str(claims.get(claim, "")))
        if value is not None:
            told += f"set local stead.{setting}='{value}';"
    return told


class Transaction:
    """An open transaction. SQL must be a literal: nothing is ever formatted into it.

    The methods are asyncpg's. Arguments are bound as ``$1, $2, …``; jsonb goes in and comes out as
    Python values, timestamps as aware datetimes.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: RawConnection) -> None:
        self._connection = connection

    async def execute(self, sql: LiteralString, *args: object) -> int:
        """Runs one statement and returns the number of rows that it affected."""
        status = await self._connection.execute(sql, *args)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, sql: LiteralString, rows: Iterable[Sequence[object]]) -> None:
        """Runs one statement for each row, pipelined into few round trips."""
        await self._connection.executemany(sql, rows)

    async def rows(self, sql: LiteralString, *args: object) -> list[Row]:
        """All rows."""
        return await self._connection.fetch(sql, *args)

    async def row(self, sql: LiteralString, *args: object) -> Row | None:
        """The first row, or None."""
        return await self._connection.fetchrow(sql, *args)

    async def value(self, sql: LiteralString, *args: object) -> Any:
        """The first column of the first row, or None."""
        return await self._connection.fetchval(sql, *args)

    async def stream(self, sql: LiteralString, *args: object, batch: int = 500) -> AsyncIterator[Row]:
        """Rows one by one through a cursor, ``batch`` at a time."""
        async for row in self._connection.cursor(sql, *args, prefetch=batch):
            yield row
