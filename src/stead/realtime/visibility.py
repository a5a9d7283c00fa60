"""What a principal may see of a table, and which changed rows: always the database's own answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import asyncpg

from stead.db import Database, Row
from stead.identity import Principal
from stead.realtime import queries
from stead.realtime.errors import TableNotPublished
from stead.realtime.models import Op, Shape

_SHAPE_S: Final = 10.0


class Visibility:
    """Asks as the principal, with its own role and claims, never as the server."""

    def __init__(self, db: Database) -> None:
        self._db = db
        # Few at once: requests need connections too.
        self._turns = asyncio.Semaphore(4)
        self._shapes: dict[tuple[str, str], tuple[float, Shape]] = {}

    async def shape(self, principal: Principal, table: str) -> Shape:
        """What that principal's role may select of a table.

        Raises:
            TableNotPublished: There is none such, or nothing of it may be selected: both look the same.
        """
        key = (principal.role, table)
        known = self._shapes.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        shape, _ = await self.visible(principal, table, "INSERT", [])
        if shape is None:
            raise TableNotPublished(f"no changes of {table} can be followed")
        self._shapes[key] = (time.monotonic() + _SHAPE_S, shape)
        return shape

    async def visible(
        self, principal: Principal, table: str, op: Op, rows: list[dict[str, Any]]
    ) -> tuple[Shape | None, set[int]]:
        """Which of the rows that principal may see, by their places, with what may be told of them.

        Args:
            principal: Who asks.
            table: In ``public``.
            op: Whether the rows are there or were.
            rows: For ``DELETE`` what is known of each, else its key.
        """
        async with self._turns:
            try:
                async with self._db.transaction(principal, read_only=True) as tx:
                    row = await queries.visible_changes(tx, table, op, rows)
            except (asyncpg.InsufficientPrivilegeError, asyncpg.DataError):
                return None, set()
        shape = _shape(row)
        if row is None or shape is None:
            return None, set()
        return shape, {place - 1 for place in row["visible"]}


def _shape(row: Row | None) -> Shape | None:
    if row is None or row["columns"] is None:
        return None
    return Shape(
        columns=tuple((column["name"], column["type"]) for column in row["columns"]),
        keys=tuple(row["keys"]),
    )
