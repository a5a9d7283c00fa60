"""Around every request: its id, its size, its time, and headers for browsers. Plain ASGI."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stead.core.ids import new_id
from stead.http.errors import BodyTooLarge
from stead.http.problems import answer, problem

_log = structlog.stdlib.get_logger("stead.http")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SECURITY: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-site",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
_PAGES: Final = ("/docs", "/redoc")
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})

REQUESTS: Final = Counter(
    "stead_http_requests_total", "Requests by route and status.", ["method", "route", "status"]
)
REFUSALS: Final = Counter("stead_http_refusals_total", "Requests that were refused, by code.", ["code"])
_REFUSED: Final = frozenset({401, 403, 404, 409, 429})
DURATION: Final = Histogram(
    "stead_http_request_duration_seconds",
    "Time to the first byte of the answer.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class RequestContext:
    """Gives each request an id, logs it, counts it, and adds security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        began = time.perf_counter()
        status = 500
        first_byte_s = 0.0

        async def send_with_headers(message: Message) -> None:
            nonlocal status, first_byte_s
            if message["type"] == "http.response.start":
                status = message["status"]
                first_byte_s = time.perf_counter() - began
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                if not scope["path"].startswith(_PAGES):
                    for name, value in _SECURITY.items():
                        headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                self._record(scope, state, status, first_byte_s, time.perf_counter() - began)

    @staticmethod
    def _record(
        scope: Scope, state: dict[str, object], status: int, first_byte_s: float, total_s: float
    ) -> None:
        # The template of the route, not the path: ids would make a series of each.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in {"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"} else "OTHER"  # fmt: skip  # noqa: E501
        REQUESTS.labels(method, route, str(status)).inc()
        DURATION.labels(method, route).observe(first_byte_s)
        # Codes are those of error classes, so that they are not many.
        if status in _REFUSED and isinstance(code := state.get("problem_code"), str):
            REFUSALS.labels(code).inc()
        # A probe that is told "not yet" is no event either.
        if scope["path"] in _QUIET and (status < 400 or status == 503):
            return
        _log.info(
            "request",
            method=method,
            route=route,
            status=status,
            latency_ms=round(total_s * 1000, 1),
            code=state.get("problem_code"),
            tenant_id=state.get("tenant_id"),
        )


class LastResort:
    """Answers exceptions that nothing else did.

    Starlette would do it outside of all middleware: without the request's id and headers, and with a
    traceback in the log whose last line may quote data.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientDisconnect:
            return  # Nobody is there to be answered.
        except Exception as error:  # noqa: BLE001 - a request's outermost edge
            response = answer(error, scope.setdefault("state", {}))
            # A stream that broke off is cut: its end would say that it is whole.
            if not started:
                await response(scope, receive, send)


class BodyLimit:
    """Refuses bodies above a size, whether they say their length or not, before they are in memory.

    Args:
        app: What is behind it.
        max_bytes: Of a body.
        files: Of bodies that are files, by the path they are posted to. Nobody holds them in memory; that of a
            signed call somebody does, and it is no file here.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, files: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._files = files or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        max_bytes = self._max_bytes
        if scope["method"] == "POST" and not {b"webhook-signature", b"idempotency-key"} & headers.keys():
            max_bytes = max(self._files.get(scope["path"], 0), max_bytes)
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > max_bytes:
            await self._refuse(scope, receive, send, max_bytes)
            return
        received = 0
        too_large = False
        answered = False

        async def receive_counted() -> Message:
            nonlocal received, too_large
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > max_bytes:
                    too_large = True
                    # The app sees a client that went away, and stops reading.
                    return {"type": "http.disconnect"}
            return message

        async def send_unless_too_large(message: Message) -> None:
            nonlocal answered
            if too_large and not answered:
                return
            answered = True
            await send(message)

        try:
            await self._app(scope, receive_counted, send_unless_too_large)
        except Exception:
            if not too_large:
                raise
        if too_large and not answered:
            await self._refuse(scope, receive, send, max_bytes)

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send, max_bytes: int) -> None:
        state = scope.setdefault("state", {})
        state["problem_code"] = BodyTooLarge.code
        error = BodyTooLarge(f"at most {max_bytes} bytes are taken", hint="Send less at once.")
        await problem(error, state.get("request_id"))(scope, receive, send)
