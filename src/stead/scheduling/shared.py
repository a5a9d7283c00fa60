"""Schedules that serve every tenant, for one of them: listed, and paused for itself alone."""

from __future__ import annotations

from typing import Final

from stead.db import Transaction
from stead.scheduling import queries
from stead.scheduling.errors import ScheduleForAll, ScheduleUnknown
from stead.scheduling.models import SharedSchedule

#: What goes through the documents of all tenants at once.
_FOR_ALL: Final = frozenset({"embeddings.reindex"})


async def listing(tx: Transaction) -> list[SharedSchedule]:
    """All of them, by name.

    Args:
        tx: A transaction of a tenant's service.
    """
    return [SharedSchedule(**dict(row)) for row in await queries.shared(tx)]


async def pause(tx: Transaction, name: str, *, paused: bool) -> SharedSchedule:
    """Pauses one for the tenant of the transaction, or lets it go on there. Twice is no error.

    Raises:
        ScheduleUnknown: There is none of that name.
        ScheduleForAll: It cannot be told apart by tenants.
    """
    found = {each.name: each for each in await listing(tx)}.get(name)
    if found is None:
        raise ScheduleUnknown(f"no schedule {name!r} serves every tenant")
    if found.kind in _FOR_ALL:
        raise ScheduleForAll(
            f"{name!r} is done for all tenants at once",
            hint="Who runs the server pauses it: stead schedules pause.",
        )
    await queries.pause_shared(tx, found.id, paused)
    return {each.name: each for each in await listing(tx)}[name]
