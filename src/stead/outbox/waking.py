"""What workers of the outbox listen to."""

from __future__ import annotations

from typing import Final

from stead.db import Transaction
from stead.realtime import notify

#: There may be an envelope to carry out. The same name stands in functions of the database.
WAKE_TOPIC: Final = "outbox"


async def wake_workers(tx: Transaction) -> None:
    """Lets all workers look for envelopes when the transaction commits."""
    await notify(tx, [WAKE_TOPIC])
