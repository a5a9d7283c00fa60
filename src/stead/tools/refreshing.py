"""When providers are asked for their tools again: at once after a connection, then a little at a time.

A refresh is a job. Every provider's toolkit is asked again half an hour to an hour after it was asked last, at a
time of its own; and how often a toolkit is asked by all workers together is limited by a bucket in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

import structlog

from stead.db import NOBODY, Database, Transaction
from stead.identity import Principal
from stead.jobs import Enqueued, JobContext, JobFunction, NewJob, enqueue
from stead.tools import queries
from stead.tools.errors import ToolProviderUnknown
from stead.tools.models import ToolSource
from stead.tools.syncing import sync

_log = structlog.stdlib.get_logger(__name__)
KIND: Final = "refresh_catalogue"
_BATCH: Final = 200


@dataclass(frozen=True, kw_only=True)
class RefreshRate:
    """How often one toolkit of one provider is asked, by all workers together.

    Args:
        burst: How many refreshes may come at once.
        per_minute: How many a minute in the long run.
    """

    burst: float = 10.0
    per_minute: float = 30.0


class CatalogueSources:
    """The providers that list tools, by name. Filled while a program starts, then only read."""

    def __init__(self, sources: Mapping[str, ToolSource] | None = None) -> None:
        self._sources = dict(sources or {})

    def add(self, provider: str, source: ToolSource) -> None:
        """Makes a provider known."""
        self._sources[provider] = source

    @property
    def names(self) -> list[str]:
        """The providers."""
        return sorted(self._sources)

    def get(self, provider: str) -> ToolSource:
        """Who lists a provider's tools.

        Raises:
            ToolProviderUnknown: Nobody does.
        """
        if provider not in self._sources:
            raise ToolProviderUnknown(
                f"no provider {provider[:64]!r} lists tools here",
                hint=f"There is {', '.join(self.names) or 'none'}.",
            )
        return self._sources[provider]


async def after_connection(
    tx: Transaction, provider: str, toolkit: str, *, dispatch: str = "postgres"
) -> None:
    """Has a provider asked at once for its tools, whoever of the tenant connected an account of it.

    Args:
        tx: The transaction in which the account became active, in the tenant of whoever connected it.
        provider: Whom to ask.
        toolkit: For which tools.
        dispatch: Who delivers the job.
    """
    await queries.refresh_at_once(tx, provider, toolkit, dispatch)


async def warm_scan(
    tx: Transaction,
    principal: Principal,
    provider: str,
    toolkit: str = "",
    *,
    dispatch: str = "postgres",
) -> Enqueued:
    """Has a provider asked for its tools at once, and from then on again and again.

    Args:
        tx: A transaction of the tenant's service: with the connection that it follows, or not at all.
        principal: The tenant's service.
        provider: Whom to ask.
        toolkit: Only for this one; all when empty.
        dispatch: Who delivers the job.
    """
    await queries.note_refresh(tx, principal.tenant.id, provider, toolkit, False)  # noqa: FBT003
    job = NewJob(
        kind=KIND,
        input={"provider": provider, "toolkit": toolkit},
        dedupe_key=f"{provider}/{toolkit}",
    )
    return await enqueue(tx, principal, job, dispatch=dispatch)


async def enqueue_due(db: Database, dispatch: str = "postgres") -> int:
    """Makes a job for each refresh that is due; returns how many were."""
    async with db.transaction(NOBODY) as tx:
        return await queries.enqueue_refreshes(tx, _BATCH, dispatch)


async def enqueue_all(db: Database, dispatch: str = "postgres") -> int:
    """Makes a job for each toolkit that was ever asked for, whenever that was; returns how many."""
    async with db.transaction(NOBODY) as tx:
        await queries.hasten_refreshes(tx)
    total = 0
    while done := await enqueue_due(db, dispatch):
        total += done
    # The tick's work is done, however much it was.
    _log.info("catalogue_compared", toolkits=total)
    return 0


def handlers(
    db: Database, sources: CatalogueSources, rate: RefreshRate | None = None
) -> Mapping[str, JobFunction]:
    """The handler of refreshes.

    Args:
        db: The database.
        sources: Who lists tools.
        rate: How often a toolkit is asked.
    """
    limit = rate or RefreshRate()

    async def refresh(job: JobContext, provider: str, toolkit: str = "") -> dict[str, Any]:
        """Asks a provider for its tools, and notes what changed."""
        source = sources.get(provider)
        while True:
            async with db.transaction(NOBODY) as tx:
                bucket = f"{provider}/{toolkit}"
                wait_s = await queries.take_token(tx, bucket, limit.burst, limit.per_minute / 60)
                now = await queries.clock(tx)
            if not wait_s:
                break
            # Frees the worker; whoever goes on draws again.
            await job.sleep_until(now + timedelta(seconds=wait_s + 0.1))
        return asdict(await sync(db, job.principal.tenant, provider, source, toolkit))

    return {KIND: refresh}
