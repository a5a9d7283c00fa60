"""Queues of a tenant: paused, weighed, limited."""

from __future__ import annotations

from typing import Any

from stead.db import Transaction
from stead.identity import Principal
from stead.jobs import queries
from stead.jobs.waking import wake_workers


async def listing(tx: Transaction, principal: Principal) -> list[dict[str, Any]]:
    """What waits and runs in each queue of the tenant, and how it is limited."""
    return [dict(row) for row in await queries.list_queues(tx, principal.tenant.id)]


async def save(
    tx: Transaction,
    principal: Principal,
    queue: str,
    *,
    paused: bool | None = None,
    weight: int | None = None,
    max_running: int | None = None,
    unlimited: bool = False,
) -> None:
    """Changes a queue of the tenant; what is None stays.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        queue: Its name.
        paused: Whether its jobs wait.
        weight: Its share beside those of other tenants.
        max_running: How many of its jobs may run at once, over all workers.
        unlimited: Lifts that limit.
    """
    await queries.save_queue(tx, principal.tenant.id, queue, paused, weight, max_running, unlimited)
    await wake_workers(tx)


async def save_for_all(
    tx: Transaction,
    queue: str,
    *,
    paused: bool | None = None,
    weight: int | None = None,
    max_running: int | None = None,
    unlimited: bool = False,
) -> None:
    """Changes a queue for every tenant; what a tenant has of its own holds beside it, but for a pause.

    Args:
        tx: A transaction of nobody (`stead.db.NOBODY`): for who runs the server.
        queue: Its name.
        paused: Whether its jobs wait.
        weight: The share of a tenant that has no weight of its own.
        max_running: The limit of a tenant that has none of its own.
        unlimited: Lifts that limit.
    """
    await queries.save_queue_for_all(tx, queue, paused, weight, max_running, unlimited)
    await wake_workers(tx)
