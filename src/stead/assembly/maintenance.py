"""The worker's loop: rescue, embedding, sweeping. Any number of workers against one database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from stead import identity, knowledge
from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY
from stead.http import Parts

_log = structlog.stdlib.get_logger(__name__)


@dataclass(kw_only=True)
class Chore:
    """Something that is done again and again.

    Args:
        every_s: Pause after a round that found nothing to do; after others the next follows at once.
        run: Does one bounded round, and returns how much it did.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[int]]
    failures: int = field(default=0)


def chores(parts: Parts) -> list[Chore]:
    """What is to be done in this version."""

    async def sweep_identity() -> int:
        async with parts.db.transaction(NOBODY) as tx:
            await identity.sweep(tx)
        return 0

    async def sweep_streams() -> int:
        await parts.runtime.sweep()
        return 0

    return [
        Chore(name="rescue_runs", every_s=2.0, run=parts.runtime.rescue),
        Chore(
            name="embed_backlog",
            every_s=1.0,
            run=lambda: knowledge.embed_backlog(parts.db, parts.runtime.embedder),
        ),
        Chore(name="sweep_streams", every_s=60.0, run=sweep_streams),
        Chore(name="sweep_identity", every_s=300.0, run=sweep_identity),
    ]


async def maintain(parts: Parts) -> None:
    """Does all chores side by side until it is cancelled."""
    async with asyncio.TaskGroup() as group:
        for chore in chores(parts):
            group.create_task(_repeat(chore), name=chore.name)


async def _repeat(chore: Chore) -> None:
    while True:
        done = 0
        try:
            done = await chore.run()
            chore.failures = 0
        except (SteadError, *CONNECTION_LOST) as error:
            chore.failures += 1
            _log.warning("chore_failed", chore=chore.name, reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - the loop's outermost edge: one chore must not end the others
            chore.failures += 1
            _log.error("chore_broken", chore=chore.name, reason=type(error).__name__)
        if not done:
            pause_s = min(chore.every_s * 2 ** min(chore.failures, 6), 300.0)
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311
