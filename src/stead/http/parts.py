"""The parts that requests are served from; put together elsewhere, handed in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from stead.agents import AgentRuntime
from stead.audit import SigningKey
from stead.db import Database
from stead.identity import Authenticator
from stead.jobs import Delivery, JobRegistry, JobStreams, Worker
from stead.providers.rerankers import Reranker
from stead.realtime import LiveUpdates
from stead.scheduling import Scheduler
from stead.tools.accounts import AccountServices
from stead.tools.models import Provider


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What is open while the server runs.

    Args:
        jobs: Handlers of jobs.
        worker: Works them off, in processes that do.
        job_streams: What jobs tell, for who follows them.
        delivery: Tells workers of jobs.
        scheduler: Makes jobs by the clock.
        accounts: What linking accounts works with.
        providers: Who carries out calls of tools, by name.
        webhook_secret: What a provider of accounts signs its webhooks with.
        dispatch: Who delivers jobs to workers: `postgres` or `celery`.
        live: The feed of changes and the channels.
        audit_key: What seals of the audit log are signed with; None leaves them unsigned.
        pending_migrations: Names of migrations that the database lacks.
        reranker: Reads what a search found once more, where one is configured.
        session_timeout_s: Seconds after which an idle session ends; 0: never.
    """

    db: Database
    authenticator: Authenticator
    runtime: AgentRuntime
    live: LiveUpdates
    pending_migrations: Callable[[], Awaitable[list[str]]]
    jobs: JobRegistry
    worker: Worker
    job_streams: JobStreams
    delivery: Delivery
    scheduler: Scheduler
    accounts: AccountServices
    providers: Mapping[str, Provider] = field(default_factory=dict[str, Provider])
    webhook_secret: str | None = field(default=None, repr=False)
    dispatch: str = "postgres"
    audit_key: SigningKey | None = None
    reranker: Reranker | None = None
    session_timeout_s: float = 86_400.0
