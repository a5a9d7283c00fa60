"""Telling every process that something changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from stead.db import Transaction

CHANNEL: Final = "stead"
_MAX_PAYLOAD: Final = 7000  # PostgreSQL takes 8,000 bytes


async def notify(tx: Transaction, topics: Iterable[str]) -> None:
    """Wakes the subscribers of these topics, in every process, when the transaction commits.

    Topics are names such as ``run:<id>``: never content, since any login of the database may listen.
    """
    batch: list[str] = []
    size = 2
    for topic in topics:
        if size + len(topic) + 3 > _MAX_PAYLOAD:
            await _send(tx, batch)
            batch, size = [], 2
        batch.append(topic)
        size += len(topic) + 3
    if batch:
        await _send(tx, batch)


async def _send(tx: Transaction, topics: list[str]) -> None:
    await tx.execute("select pg_notify($1, $2)", CHANNEL, json.dumps(topics, separators=(",", ":")))
