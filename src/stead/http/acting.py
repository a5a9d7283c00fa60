"""What a process that only carries actions out tells of itself: ``/healthz`` and ``/metrics`` (001)."""

from __future__ import annotations

import asyncio
import hmac
from typing import Final

import asyncpg
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY
from stead.http.parts import Parts

#: A loop that claimed nothing for so long, with room for more, does not claim.
_CLAIMS_WITHIN_S: Final = 30.0
_DATABASE_WITHIN_S: Final = 5.0


def acting_app(parts: Parts, metrics_token: str | None = None) -> Starlette:
    """The application.

    Args:
        parts: With the worker of the outbox under way.
        metrics_token: The bearer that metrics are for; None: anybody.
    """

    async def healthz(request: Request) -> JSONResponse:
        del request
        worker = parts.outbox
        since_s = worker.last_claim_s
        busy = worker.running >= worker.config.concurrency
        claims = since_s is not None and (busy or since_s < _CLAIMS_WITHIN_S)
        database = await _answers(parts)
        body = {
            "status": "ok" if claims and database else "failing",
            "claims": claims,
            "database": database,
            "running": worker.running,
        }
        return JSONResponse(body, status_code=200 if claims and database else 503)

    async def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if metrics_token is not None and not hmac.compare_digest(
            given.encode(), f"Bearer {metrics_token}".encode()
        ):
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])


async def _answers(parts: Parts) -> bool:
    try:
        async with (
            asyncio.timeout(_DATABASE_WITHIN_S),
            parts.db.transaction(NOBODY, read_only=True) as tx,
        ):
            return await tx.value("select 1") == 1
    except (TimeoutError, SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
        return False
