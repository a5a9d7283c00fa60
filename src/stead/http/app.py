"""The app factory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

from stead.http import (
    accounts,
    agents,
    approval_links,
    approvals,
    artifacts,
    audit,
    chat,
    evaluation,
    events,
    evidence,
    feedback,
    forgetting,
    generate,
    guardrails,
    health,
    jobs,
    keys,
    marketplace,
    mcp,
    memories,
    outbox,
    problems,
    projects,
    realtime,
    schedules,
    sessions,
    tools,
    webhook_endpoints,
    webhooks,
)
from stead.http.config import HttpConfig
from stead.http.counting import Limits
from stead.http.limiting import Limiter
from stead.http.middleware import BodyLimit, LastResort, RequestContext
from stead.http.parts import Parts
from stead.http.sse import Handover
from stead.http.suspicions import Suspicions

_DESCRIPTION = """
The backend that AI agents live in: sessions, streaming chat and long-term memory on one PostgreSQL.

Errors are RFC 9457 problem documents with a stable `code`. Another tenant's id answers as one that does not
exist. Writes that would do something twice when repeated take an `Idempotency-Key`; a chat message is known by
its own id. A key made with scopes needs the one of the endpoint: `sessions`, `chat`, `memories`,
`agents`, `jobs`, `projects`, `tools`, `accounts`, `evidence`, `guardrails`, `outbox`, `approvals`, `audit`,
`events`, `realtime` or `keys`.
"""


def create_app(
    config: HttpConfig,
    open_parts: Callable[[], AbstractAsyncContextManager[Parts]],
    *,
    pages: Sequence[APIRouter] = (),
) -> FastAPI:
    """The HTTP application.

    Args:
        config: Limits and addresses.
        open_parts: Opens what requests are served from, for as long as the server runs.
        pages: What is served beside the API, of parts above this one.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_parts() as parts:
            app.state.parts = parts
            yield

    app = FastAPI(
        title="Stead",
        version=config.version,
        description=_DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        responses={
            "4XX": {"description": "A problem document (RFC 9457)", "content": {problems.MEDIA_TYPE: {}}}
        },
    )
    app.state.config = config
    app.state.limiter = Limiter(config.redis_url)
    app.state.limits = Limits.of(config)
    app.state.suspicions = Suspicions()
    problems.install(app)
    # Evaluation before memories, whose `/agents/memories/{memory_id}` would take its path for an id.
    for part in (
        sessions,
        feedback,
        events,
        chat,
        generate,
        evaluation,
        memories,
        forgetting,
        agents,
        marketplace,
        jobs,
        projects,
        schedules,
        tools,
        guardrails,
        outbox,
        # Before approvals, whose ids would take `links` for one.
        approval_links,
        approvals,
        webhook_endpoints,
        audit,
        accounts,
        webhooks,
        evidence,
        artifacts,
        keys,
        mcp,
        realtime,
        health,
    ):
        app.include_router(part.router)
    app.include_router(artifacts.uploads)
    app.include_router(artifacts.downloads)
    for router in pages:
        app.include_router(router)
    # The last one added is the outermost.
    app.add_middleware(
        BodyLimit,
        max_bytes=config.max_body_bytes,
        files={"/v1/artifacts": config.max_artifact_bytes},
    )
    app.add_middleware(LastResort)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(config.cors_origins),
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "x-session-token",
            "x-request-id",
            "x-stead-profile",
            "last-event-id",
            "traceparent",
            "mcp-protocol-version",
            "mcp-method",
            "mcp-name",
        ],
        expose_headers=[
            "etag",
            "x-request-id",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "x-stead-session",
            "x-vercel-ai-ui-message-stream",
        ],
    )
    app.add_middleware(RequestContext)
    app.add_middleware(Handover)
    return app
