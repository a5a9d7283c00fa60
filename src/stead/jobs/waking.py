"""What workers listen to, and telling them."""

from __future__ import annotations

from typing import Final

from stead.db import Transaction
from stead.realtime import notify

#: There may be a job to claim. The same name stands in the triggers of ``agent_jobs``.
WAKE_TOPIC: Final = "jobs"
#: Some job was taken from whoever held it.
HELD_TOPIC: Final = "jobs:held"


async def wake_workers(tx: Transaction) -> None:
    """Lets all workers look for jobs when the transaction commits."""
    await notify(tx, [WAKE_TOPIC])
