"""Failures of the console are pages, too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

import asyncpg
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from stead.console import pages
from stead.core.errors import RateLimited, SteadError, Unauthenticated
from stead.db import CONNECTION_LOST
from stead.http.problems import explain

_KNOWN: Final = (
    SteadError,
    RequestValidationError,
    HTTPException,
    asyncpg.PostgresError,
    *CONNECTION_LOST,
)


class PageRoute(APIRoute):
    """A route whose failures are told on a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wraps FastAPI's handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except _KNOWN as error:
                return _told(request, explain(error))

        return answer


def _told(request: Request, error: SteadError) -> Response:
    request.scope.setdefault("state", {})["problem_code"] = error.code
    if isinstance(error, Unauthenticated):
        if request.headers.get("hx-request") == "true":
            # What is loaded into a page is no page to sign in on: the whole page goes there.
            return Response(
                status_code=401, headers={**pages.HEADERS, "hx-redirect": "/console/sign-in"}
            )
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            if request.headers.get("sec-fetch-site") == "cross-site":
                # By a link from elsewhere: the browser kept the cookie back. From a page of ours it sends it.
                query = f"?{request.url.query}" if request.url.query else ""
                return pages.page(request, "continue.html", None, to=f"{request.url.path}{query}")
            return pages.elsewhere("/console/sign-in")
    response = pages.page(request, "error.html", None, status=error.status, error=error)
    if isinstance(error, RateLimited):
        response.headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    return response
