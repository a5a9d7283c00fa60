"""The worker's loop: jobs, rescue, embedding, sweeping. Any number of workers against one database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from stead import actions, analytics, audit, governance, identity, knowledge, outbox, realtime
from stead.assembly.standing import standing_schedules
from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY
from stead.db.migrator import admin_connection
from stead.evidence import artifacts
from stead.http import Parts
from stead.jobs import upkeep
from stead.memory import forgetting, items
from stead.scheduling import Clockwork

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


def chores(parts: Parts, admin_url: str | None = None) -> list[Chore]:
    """What is to be done in this version.

    Args:
        parts: What is open.
        admin_url: The owner's URL, for what only the owner may do.
    """

    async def sweep_identity() -> int:
        async with parts.db.transaction(NOBODY) as tx:
            await identity.sweep(tx)
        return 0

    async def sweep_streams() -> int:
        await parts.runtime.sweep()
        return 0

    async def anchor_audit() -> int:
        # The next round waits its time, whatever this one did: sealing never ends.
        if parts.audit_anchors is not None:
            await parts.audit_anchors.anchor(parts.db)
        return 0

    return [
        Chore(name="rescue_runs", every_s=2.0, run=parts.runtime.rescue),
        # Waits by itself for one that can go on.
        Chore(name="resume_runs", every_s=0.1, run=parts.runtime.go_on),
        Chore(name="rescue_jobs", every_s=2.0, run=lambda: upkeep.rescue(parts.db, parts.worker.config)),
        # Waits by itself until something is due.
        Chore(name="fire_schedules", every_s=0.1, run=parts.scheduler.round),
        Chore(
            name="rescue_envelopes",
            every_s=2.0,
            run=lambda: outbox.upkeep.rescue(parts.db, parts.outbox.config),
        ),
        Chore(name="expire_envelopes", every_s=5.0, run=lambda: outbox.upkeep.expire(parts.db)),
        Chore(
            name="expire_approvals", every_s=5.0, run=lambda: actions.upkeep.expire_approvals(parts.db)
        ),
        Chore(
            name="escalate_approvals",
            every_s=15.0,
            run=lambda: actions.upkeep.escalate_approvals(parts.db),
        ),
        Chore(name="index_outcomes", every_s=5.0, run=lambda: actions.upkeep.index_outcomes(parts.db)),
        Chore(
            name="sweep_envelopes",
            every_s=60.0,
            run=lambda: outbox.upkeep.sweep(parts.db, parts.outbox.config),
        ),
        Chore(name="tell_depths", every_s=2.0, run=lambda: outbox.upkeep.tell(parts.db)),
        Chore(name="measure_outbox", every_s=15.0, run=lambda: outbox.upkeep.measure(parts.db)),
        Chore(name="sweep_jobs", every_s=60.0, run=lambda: upkeep.sweep(parts.db, parts.worker.config)),
        Chore(
            name="embed_backlog",
            every_s=1.0,
            run=lambda: knowledge.embed_backlog(parts.db, parts.runtime.embedder),
        ),
        Chore(name="seal_audit", every_s=1.0, run=lambda: audit.seal(parts.db, parts.audit_key)),
        Chore(name="anchor_audit", every_s=60.0, run=anchor_audit),
        Chore(name="index_audit", every_s=5.0, run=lambda: audit.index(parts.db)),
        Chore(name="note_policies", every_s=60.0, run=lambda: audit.note_policies(parts.db)),
        Chore(name="sweep_changes", every_s=30.0, run=lambda: realtime.sweep(parts.db)),
        Chore(name="sweep_governance", every_s=60.0, run=lambda: governance.sweep(parts.db)),
        # Some at a time make a batch.
        Chore(name="forward_events", every_s=2.0, run=parts.analytics.forward),
        Chore(
            name="sweep_events",
            every_s=60.0,
            run=lambda: analytics.upkeep.sweep(parts.db, parts.analytics.keep_s),
        ),
        Chore(name="sweep_items", every_s=60.0, run=lambda: items.sweep(parts.db)),
        Chore(name="extract_memories", every_s=2.0, run=parts.runtime.extract),
        Chore(name="fold_totals", every_s=60.0, run=lambda: knowledge.fold_totals(parts.db)),
        Chore(name="sweep_streams", every_s=60.0, run=sweep_streams),
        Chore(name="resume_erasures", every_s=60.0, run=lambda: forgetting.resume_erasures(parts.db)),
        Chore(
            name="sweep_artifacts",
            every_s=10.0,
            run=lambda: artifacts.sweep(parts.db, bucket=parts.artifacts),
        ),
        Chore(name="sweep_identity", every_s=300.0, run=sweep_identity),
        Chore(name="index_vectors", every_s=600.0, run=_indexing(parts, admin_url)),
        *(
            # Looks whether its time has come, and does all of it then.
            Chore(name=each.kind, every_s=5.0, run=Clockwork(parts.db, each).run)
            for each in standing_schedules(parts)
        ),
    ]


def _indexing(parts: Parts, admin_url: str | None) -> Callable[[], Awaitable[int]]:
    told = 0

    async def run() -> int:
        nonlocal told
        embedder = parts.runtime.embedder
        if admin_url is not None:
            done = await knowledge.index_large_scopes(partial(admin_connection, admin_url), embedder)
            return len(done.built) + len(done.dropped)
        waiting = await knowledge.unindexed(parts.db, embedder)
        if waiting > told:
            # Said once, and again when there are more.
            _log.warning("vector_index_wanted", collections=waiting, run="stead db index")
        told = waiting
        return 0

    return run


async def maintain(parts: Parts, admin_url: str | None = None) -> None:
    """Works off jobs and does all chores side by side.

    Until ``parts.worker`` has stopped, which lets its jobs end for a while; or until it is cancelled, and then its
    jobs are handed back at once.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_repeat(chore), name=chore.name) for chore in chores(parts, admin_url)
        ]
        acting = group.create_task(parts.outbox.run(), name="outbox")
        await parts.worker.run()
        parts.outbox.stop()
        await acting
        for task in tasks:
            task.cancel()


#: What goes with carrying actions out.
_OF_ACTIONS = frozenset(
    {
        "rescue_envelopes",
        "expire_envelopes",
        "expire_approvals",
        "escalate_approvals",
        "index_outcomes",
        "sweep_envelopes",
        "tell_depths",
        "measure_outbox",
    }
)


async def act(parts: Parts) -> None:
    """Carries actions out, with the chores that go with that and no others, until ``parts.outbox`` has stopped."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_repeat(chore), name=chore.name)
            for chore in chores(parts)
            if chore.name in _OF_ACTIONS
        ]
        await parts.outbox.run()
        for task in tasks:
            task.cancel()


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
            pause_s = max(chore.every_s, min(chore.every_s * 2 ** min(chore.failures, 6), 300.0))
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311
