"""Opens the parts in the right order, and closes them in the reverse."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import httpx

from stead.actions import ActionExecutor, ActionGate, Webhooks
from stead.agents import AgentRegistry, AgentRuntime, LoopConfig, RuntimeConfig
from stead.analytics import AnalyticsServices, Forwarder, PostHogConfig
from stead.apps import forge
from stead.apps.forge import ForgeServices
from stead.apps.marketplace import FitWeights
from stead.assembly import secrets
from stead.assembly.database import DatabaseAccess, check_login
from stead.assembly.errors import SettingsInvalid
from stead.assembly.settings import Settings
from stead.assembly.tool_providers import tool_providers
from stead.assembly.traces import tracer_of
from stead.audit import AnchorFile, SigningKey
from stead.core.clock import system_clock
from stead.db import NOBODY, Database, PoolConfig
from stead.db.migration import all_migrations, not_among
from stead.evidence import ArtifactConfig, ArtifactStore, HistoryBudget, links
from stead.http import HttpConfig, Parts
from stead.identity import Authenticator
from stead.identity.jwks import JwksCache
from stead.identity.jwt import ClerkVerifier, CompositeVerifier, SteadTokens, SupabaseVerifier
from stead.jobs import Delivery, JobRegistry, JobStreams, PostgresDelivery, Worker, WorkerConfig
from stead.jobs.broker import BrokerConfig, CeleryDelivery, Dispatcher
from stead.memory import InjectionBudget
from stead.outbox import OutboxConfig, OutboxWorker
from stead.processes import ProcessKind
from stead.providers.embedders import EmbedderConfig, build_embedder
from stead.providers.models import ModelConfig, PriceList
from stead.providers.rerankers import Reranker, RerankerConfig, build_reranker
from stead.realtime import Hub, LiveUpdates
from stead.scheduling import Scheduler, ScheduleRegistry
from stead.tools import (
    CatalogueSources,
    ConfiguredSecrets,
    Guard,
    HttpTools,
    LocalTools,
    Toolbox,
    ToolRegistry,
    accounts,
    refreshing,
)
from stead.tools.secrets import read_secrets

if TYPE_CHECKING:
    from stead.traces.tracer import Tracer


def http_config(settings: Settings, version: str) -> HttpConfig:
    """What the HTTP edge is told of the settings."""
    return HttpConfig(
        version=version,
        env=settings.env,
        model=settings.model,
        embedder=settings.embedder,
        rate_limit=settings.rate_limit,
        session_rate_limit=settings.session_rate_limit,
        address_rate_limit=settings.address_rate_limit,
        open_rate_limit=settings.open_rate_limit,
        chat_rate_limit=settings.chat_rate_limit,
        address_chat_rate_limit=settings.address_chat_rate_limit,
        service_rate_limit=settings.service_rate_limit,
        service_chat_rate_limit=settings.service_chat_rate_limit,
        unknown_id_rate_limit=settings.unknown_id_rate_limit,
        redis_url=settings.redis_url.get_secret_value() if settings.redis_url else None,
        trusted_proxies=settings.trusted_proxies,
        cors_origins=settings.cors_origins,
        max_body_bytes=settings.max_body_bytes,
        max_artifact_bytes=settings.max_artifact_bytes,
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
        secure_cookies=settings.is_production,
        github_api_url=settings.github_api_url,
        fit_weights=FitWeights().changed(settings.fit_weights),
        mcp_hosts=settings.effective_mcp_hosts,
    )


def model_config(settings: Settings) -> ModelConfig:
    """What the model catalogue is told."""
    openai, anthropic = settings.openai_api_key, settings.anthropic_api_key
    return ModelConfig(
        openai_api_key=openai.get_secret_value() if openai else None,
        openai_base_url=settings.openai_base_url,
        openai_api=settings.openai_api,
        anthropic_api_key=anthropic.get_secret_value() if anthropic else None,
        anthropic_base_url=settings.anthropic_base_url,
        timeout_s=settings.model_timeout_s,
        offline_delay_s=settings.offline_delay_s,
    )


def embedder_config(settings: Settings) -> EmbedderConfig:
    """What embedders are told."""
    key = settings.openai_api_key
    return EmbedderConfig(
        openai_api_key=key.get_secret_value() if key else None,
        openai_base_url=settings.openai_base_url,
    )


def artifact_store(settings: Settings) -> ArtifactStore:
    """The bucket that files of evidence are kept in.

    Raises:
        Invalid: Its URL is none of a bucket.
    """
    secret = settings.artifacts_secret_access_key
    return ArtifactStore(
        ArtifactConfig(
            url=settings.effective_artifacts_url,
            secret=links.key_of(secrets.jwt_secret(settings)),
            endpoint=settings.artifacts_endpoint,
            region=settings.artifacts_region,
            access_key_id=settings.artifacts_access_key_id,
            secret_access_key=secret.get_secret_value() if secret else None,
            max_bytes=settings.max_artifact_bytes,
        )
    )


@asynccontextmanager
async def open_parts(
    settings: Settings,
    access: DatabaseAccess,
    registry: AgentRegistry,
    jobs: JobRegistry,
    schedules: ScheduleRegistry,
    kind: ProcessKind,
    *,
    tools: ToolRegistry | None = None,
    solitary_command: Sequence[str] | None = None,
    delivers: bool = True,
) -> AsyncGenerator[Parts]:
    """Everything that requests and the worker are served from.

    Args:
        settings: The settings.
        access: The database.
        registry: Agents and tools.
        jobs: Handlers of jobs.
        schedules: What makes jobs by the clock.
        kind: What process this is.
        tools: Functions that are tools.
        solitary_command: What runs one job in a process of its own.
        delivers: Whether this process gives jobs to the broker, where there is one.

    Raises:
        RoleTooPowerful: The database login could bypass row-level security.
        ModelUnknown, ModelNotConfigured: The configured model cannot be had.
        TracesNotConfigured: Traces are to be sent, and their extra is not installed.
        BrokerNotConfigured: Celery is not installed, or its broker's URL is none.
        JobKindUnknown, JobInputInvalid: Jobs of a schedule could not run.
    """
    async with AsyncExitStack() as stack:
        await check_login(access)
        embedder = build_embedder(settings.embedder, embedder_config(settings))
        stack.push_async_callback(embedder.aclose)
        db = await Database.open(
            PoolConfig(url=access.runtime_url, max_size=settings.database_pool_size)
        )
        stack.push_async_callback(db.close)
        # Heartbeats, claims and ends of jobs: a hundred handlers that use up the pool must not look like a dead
        # process.
        own_db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=4))
        stack.push_async_callback(own_db.close)
        reranker = reranker_of(settings)
        if reranker is not None:
            stack.push_async_callback(reranker.aclose)
        tracer = _tracer(settings, stack)
        hub = Hub(access.listen_url)
        await hub.start()
        stack.push_async_callback(hub.stop)
        runtime = AgentRuntime(
            db,
            hub,
            registry,
            model_config(settings),
            embedder,
            prices=PriceList(settings.model_prices),
            config=RuntimeConfig(
                loop=LoopConfig(model=settings.model, call_timeout_s=settings.model_timeout_s),
                budget=InjectionBudget(max_tokens=settings.memory_tokens),
                history=HistoryBudget(max_tokens=settings.history_tokens),
                memory_model=settings.memory_model,
            ),
            kind=kind,
            beat_db=own_db,
            tracer=tracer,
        )
        await runtime.start()
        stack.push_async_callback(runtime.stop, drain_s=settings.drain_s)
        live = LiveUpdates(db, hub, runtime.process_id, most_subscriptions=settings.max_subscriptions)
        await live.start()
        stack.push_async_callback(live.stop)
        authenticator = await _authenticator(settings, db, stack)

        async def pending() -> list[str]:
            try:
                async with db.transaction(NOBODY, read_only=True) as tx:
                    rows = await tx.rows("select stead.applied_versions()")
            except asyncpg.UndefinedFunctionError:
                rows = []
            applied = {row[0] for row in rows}
            return [m.file_name for m in not_among(applied, all_migrations())]

        forged = forge.handlers(
            ForgeServices(engine=runtime.engine, embedder=embedder, model=settings.model)
        )
        guard = guard_of(settings)
        sources = CatalogueSources()
        providers, services = await tool_providers(settings, db, stack, sources)
        registry_of_tools = tools or ToolRegistry()
        await registry_of_tools.register(db)
        toolbox = Toolbox(
            [
                LocalTools(registry_of_tools),
                HttpTools(guard, tool_secrets(settings)),
                *providers.values(),
            ]
        )
        stack.push_async_callback(toolbox.aclose)
        webhooks = Webhooks(db, secrets.service_secret(settings), guard)
        stack.push_async_callback(webhooks.aclose)
        gate = ActionGate()
        actor = OutboxWorker(
            own_db,
            hub,
            gate,
            ActionExecutor(gate, toolbox, webhooks, [spec.slug for spec in registry_of_tools.specs]),
            runtime.process_id,
            outbox_config(settings),
        )
        # A pipeline makes some twenty calls of a model, one after the other.
        handlers = jobs.completed_by(forged, timeout_s=3600.0)
        handlers = handlers.completed_by(refreshing.handlers(db, sources), timeout_s=600.0)
        handlers = handlers.completed_by(accounts.handlers(services), timeout_s=120.0)
        worker = Worker(
            db,
            hub,
            handlers,
            runtime.process_id,
            worker_config(settings, solitary_command),
            dispatch=settings.dispatch,
            own_db=own_db,
        )
        delivery = await _delivery(settings, db, hub, handlers, stack, delivers=delivers)
        scheduler = Scheduler(db, hub, schedules, handlers, dispatch=settings.dispatch)
        scheduler.check()
        yield Parts(
            db=db,
            jobs=handlers,
            worker=worker,
            job_streams=JobStreams(db, hub),
            delivery=delivery,
            scheduler=scheduler,
            toolbox=toolbox,
            outbox=actor,
            webhooks=webhooks,
            tool_sources=sources,
            guard=guard,
            accounts=services,
            console_key=secrets.console_key(settings),
            webhook_secret=settings.composio_webhook_secret.get_secret_value()
            if settings.composio_webhook_secret
            else None,
            artifacts=artifact_store(settings),
            analytics=await _analytics(settings, db, stack),
            dispatch=settings.dispatch,
            authenticator=authenticator,
            runtime=runtime,
            live=live,
            pending_migrations=pending,
            audit_key=audit_key(settings),
            audit_anchors=anchor_file(settings),
            reranker=reranker,
            session_timeout_s=settings.session_timeout_h * 3600,
        )


async def _analytics(settings: Settings, db: Database, stack: AsyncExitStack) -> AnalyticsServices:
    forwarder: Forwarder | None = None
    if settings.posthog_key is not None:
        http = await stack.enter_async_context(httpx.AsyncClient(follow_redirects=False))
        key = settings.posthog_key.get_secret_value()
        forwarder = Forwarder(db, PostHogConfig(url=settings.posthog_host, key=key), http)
    return AnalyticsServices(
        secrets={
            "whop": {org: s.get_secret_value() for org, s in settings.whop_webhook_secrets.items()},
            "calendly": {
                org: s.get_secret_value() for org, s in settings.calendly_webhook_secrets.items()
            },
        },
        forwarder=forwarder,
        keep_s=settings.events_keep_days * 86_400,
    )


def guard_of(settings: Settings) -> Guard:
    """Which addresses tools may call."""
    return Guard(allowed=frozenset(host.lower() for host in settings.tool_hosts))


def tool_secrets(settings: Settings) -> ConfiguredSecrets:
    """Secrets of http tools.

    Raises:
        SettingsInvalid: They cannot be read.
    """
    given = settings.tool_secrets
    try:
        return read_secrets(given.get_secret_value() if given else "{}")
    except ValueError as error:
        raise SettingsInvalid(
            f"STEAD_TOOL_SECRETS: {error}", hint="See .env.example for what fits."
        ) from None


def broker_config(settings: Settings) -> BrokerConfig | None:
    """What is told of the broker; None where PostgreSQL delivers jobs.

    Raises:
        BrokerNotConfigured: Its URL is none of a broker.
    """
    url = settings.effective_broker_url
    return BrokerConfig(url=url.get_secret_value()) if settings.dispatch == "celery" and url else None


async def _delivery(
    settings: Settings,
    db: Database,
    hub: Hub,
    handlers: JobRegistry,
    stack: AsyncExitStack,
    *,
    delivers: bool,
) -> Delivery:
    config = broker_config(settings)
    if config is None:
        return PostgresDelivery()
    delivery = CeleryDelivery(config)
    stack.push_async_callback(delivery.aclose)
    if delivers:
        dispatcher = Dispatcher(db, hub, delivery, handlers.queues, config)
        dispatcher.start()
        stack.push_async_callback(dispatcher.stop)
    return delivery


def worker_config(settings: Settings, solitary_command: Sequence[str] | None = None) -> WorkerConfig:
    """What the worker of jobs is told of the settings."""
    return WorkerConfig(
        concurrency=settings.job_concurrency,
        queues=settings.job_queues or None,
        drain_s=settings.drain_s,
        keep_s=settings.job_keep_days * 86_400,
        solitary_command=solitary_command,
        tell_errors=not settings.is_production,
    )


def outbox_config(settings: Settings) -> OutboxConfig:
    """What the worker of the outbox is told of the settings."""
    return OutboxConfig(
        concurrency=settings.outbox_concurrency,
        drain_s=settings.drain_s,
        keep_s=settings.outbox_keep_days * 86_400,
        dlq_limit=settings.outbox_dlq_limit,
    )


def _tracer(settings: Settings, stack: AsyncExitStack) -> Tracer | None:
    tracer = tracer_of(settings)
    if tracer is not None:
        stack.push_async_callback(tracer.aclose, min(settings.drain_s, 5.0))
    return tracer


def reranker_of(settings: Settings) -> Reranker | None:
    """What reads found memories once more, where one is configured.

    Raises:
        RerankerUnknown, RerankerNotConfigured: It cannot be had.
    """
    if settings.reranker is None:
        return None
    key = settings.reranker_api_key
    config = RerankerConfig(url=settings.reranker_url, api_key=key.get_secret_value() if key else None)
    return build_reranker(settings.reranker, config)


def audit_key(settings: Settings) -> SigningKey | None:
    """What seals of the audit log are signed with, where there is a service secret."""
    secret = secrets.service_secret(settings)
    return SigningKey.from_secret(secret) if secret else None


def anchor_file(settings: Settings) -> AnchorFile | None:
    """Where the ends of the audit chains are kept outside the database, where that is configured."""
    path = settings.audit_anchors
    return AnchorFile(path, audit_key(settings)) if path else None


async def _authenticator(settings: Settings, db: Database, stack: AsyncExitStack) -> Authenticator:
    tokens = SteadTokens(secrets.jwt_secret(settings))
    supabase: SupabaseVerifier | None = None
    clerk: ClerkVerifier | None = None
    http: httpx.AsyncClient | None = None
    if settings.effective_jwks_url or settings.clerk_issuer:
        http = await stack.enter_async_context(httpx.AsyncClient(follow_redirects=False))
    if settings.jwt_secret is not None or settings.effective_jwks_url:
        secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
        jwks: JwksCache | None = None
        if settings.effective_jwks_url and http is not None:
            jwks = JwksCache(settings.effective_jwks_url, http, system_clock)
            stack.push_async_callback(jwks.aclose)
        issuer = f"{settings.supabase_url.rstrip('/')}/auth/v1" if settings.supabase_url else None
        supabase = SupabaseVerifier(clock=system_clock, secret=secret, jwks=jwks, issuer=issuer)
    if settings.clerk_issuer and http is not None:
        issuer = settings.clerk_issuer.rstrip("/")
        keys = JwksCache(f"{issuer}/.well-known/jwks.json", http, system_clock)
        stack.push_async_callback(keys.aclose)
        clerk = ClerkVerifier(
            issuer=issuer,
            jwks=keys,
            authorized_parties=settings.clerk_authorized_parties or settings.cors_origins,
            clock=system_clock,
        )
    return Authenticator(
        db,
        verifier=CompositeVerifier(stead=tokens, clerk=clerk, supabase=supabase),
        session_tokens=tokens,
        service_secret=secrets.service_secret(settings),
    )
