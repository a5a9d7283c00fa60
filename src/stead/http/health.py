"""Whether the server lives, is ready, and what it is."""

from __future__ import annotations

import hmac
import time
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stead.core.errors import SteadError
from stead.http.dependencies import config_of, parts_of
from stead.http.errors import NotReady
from stead.identity.errors import CredentialsMissing

router = APIRouter(tags=["health"])
_STARTED: Final = time.monotonic()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives and serves."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    """The database answers and its schema is this version's."""
    try:
        pending = await parts_of(request).pending_migrations()
    except (SteadError, OSError) as error:
        raise NotReady("the database does not answer") from error
    if pending:
        raise NotReady(f"{len(pending)} migrations are pending", hint="Run `stead db migrate`.")
    if not parts_of(request).runtime.engine.ready:
        raise NotReady("the model engine is still loading", hint="Ask again in a moment.")
    return {"status": "ready"}


@router.get("/api/status")
async def status(request: Request) -> JSONResponse:
    """What this server is and how it does, in words and figures; 503 when it cannot serve."""
    config = config_of(request)
    began = time.perf_counter()
    database: dict[str, Any]
    try:
        pending = await parts_of(request).pending_migrations()
        database = {
            "status": "ok" if not pending else "migrations_pending",
            "latency_ms": round((time.perf_counter() - began) * 1000, 1),
        }
    except (SteadError, OSError):
        database = {"status": "unavailable"}
    offline = config.model == "offline"
    body = {
        "status": "ok" if database["status"] == "ok" else "degraded",
        "version": config.version,
        "env": config.env,
        "model": {
            "name": config.model,
            "offline": offline,
            **(
                {"note": "No language model is configured; answers are made by rule."} if offline else {}
            ),
        },
        "embedder": config.embedder,
        "database": database,
        "active_runs": parts_of(request).runtime.active,
        "uptime_s": round(time.monotonic() - _STARTED),
    }
    return JSONResponse(body, status_code=200 if database["status"] == "ok" else 503)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus metrics; with STEAD_METRICS_TOKEN set, for its bearer only."""
    token = config_of(request).metrics_token
    given = request.headers.get("authorization", "")
    if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise CredentialsMissing("metrics need the bearer token of STEAD_METRICS_TOKEN")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
