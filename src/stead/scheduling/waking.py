"""Tells workers that a schedule has changed."""

from __future__ import annotations

from typing import Final

from stead.db import Transaction
from stead.realtime.notify import notify

TOPIC: Final = "schedules"


async def wake(tx: Transaction) -> None:
    """Wakes whoever waits for the next tick, when the transaction commits."""
    await notify(tx, [TOPIC])
