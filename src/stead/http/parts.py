"""The parts that requests are served from; put together elsewhere, handed in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from stead.actions import Webhooks
from stead.agents import AgentRuntime
from stead.analytics import AnalyticsServices
from stead.audit import AnchorFile, SigningKey
from stead.db import Database
from stead.evidence import ArtifactStore
from stead.identity import Authenticator
from stead.jobs import Delivery, JobRegistry, JobStreams, Worker
from stead.outbox import OutboxWorker
from stead.providers.rerankers import Reranker
from stead.realtime import LiveUpdates
from stead.scheduling import Scheduler
from stead.tools import CatalogueSources, Guard, Toolbox
from stead.tools.accounts import AccountServices


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What is open while the server runs.

    Args:
        jobs: Handlers of jobs.
        worker: Works them off, in processes that do.
        job_streams: What jobs tell, for who follows them.
        delivery: Tells workers of jobs.
        scheduler: Makes jobs by the clock.
        toolbox: Calls tools.
        outbox: Carries actions out, in processes that work.
        webhooks: Tells tenants of what happens.
        tool_sources: Providers that list tools.
        guard: Which addresses tools may call.
        accounts: What linking accounts works with.
        analytics: What events are taken and sent on with.
        console_key: What cookies of the console are signed with.
        webhook_secret: What a provider of accounts signs its webhooks with.
        artifacts: Files of evidence.
        dispatch: Who delivers jobs to workers: `postgres` or `celery`.
        live: The feed of changes and the channels.
        audit_key: What seals of the audit log are signed with; None leaves them unsigned.
        audit_anchors: To which file the ends of the chains are appended; None: to none.
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
    toolbox: Toolbox
    outbox: OutboxWorker
    webhooks: Webhooks
    tool_sources: CatalogueSources
    guard: Guard
    accounts: AccountServices
    console_key: bytes = field(repr=False)
    webhook_secret: str | None = field(default=None, repr=False)
    artifacts: ArtifactStore
    analytics: AnalyticsServices = field(default_factory=AnalyticsServices)
    dispatch: str = "postgres"
    audit_key: SigningKey | None = None
    audit_anchors: AnchorFile | None = None
    reranker: Reranker | None = None
    session_timeout_s: float = 86_400.0

    def stop_working(self) -> None:
        """Lets jobs and actions end for some seconds, and takes no more."""
        self.worker.stop()
        self.outbox.stop()
