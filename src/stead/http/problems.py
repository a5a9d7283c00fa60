"""Every failure as RFC 9457 ``application/problem+json``."""

from __future__ import annotations

import math
from typing import Any, Final

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from stead.core.errors import Conflict, RateLimited, SteadError, Unauthenticated, Unavailable
from stead.db import CONNECTION_LOST
from stead.db.errors import DatabaseUnavailable, TextNotStorable
from stead.http.counting import count_refusal
from stead.http.errors import (
    Internal,
    MethodNotAllowed,
    RequestInvalid,
    RouteUnknown,
    TooManyRequests,
    UnsupportedMediaType,
)

_log = structlog.stdlib.get_logger(__name__)
MEDIA_TYPE: Final = "application/problem+json"


def problem(error: SteadError, request_id: str | None = None) -> JSONResponse:
    """The answer for an error."""
    body: dict[str, Any] = {
        "type": f"urn:stead:error:{error.code}",
        "title": error.title(),
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
    }
    if error.hint:
        body["hint"] = error.hint
    if request_id:
        body["request_id"] = request_id
    body |= error.extra
    headers: dict[str, str] = {}
    if isinstance(error, RateLimited):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, TooManyRequests):
        # As the draft has them: draft-ietf-httpapi-ratelimit-headers-10.
        headers["ratelimit-policy"] = f'"{error.limit}";q={error.amount};w={error.window_s}'
        headers["ratelimit"] = f'"{error.limit}";r=0;t={headers["retry-after"]}'
    if isinstance(error, Unavailable):
        headers["retry-after"] = "1"
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = f'Bearer error="invalid_token", error_description="{error.code}"'
    return JSONResponse(body, status_code=error.status, headers=headers, media_type=MEDIA_TYPE)


def translate(error: Exception) -> SteadError:
    """The error that an exception stands for."""
    match error:
        case SteadError():
            return error
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return _by_status(error)
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            return TextNotStorable("text must not contain NUL characters", hint="Remove them.")
        case asyncpg.QueryCanceledError() | asyncpg.LockNotAvailableError():
            return DatabaseUnavailable("the database took too long", hint="Try again.")
        case asyncpg.ForeignKeyViolationError():
            # A person or session that was forgotten while somebody still wrote for them.
            return Conflict("what this belongs to is gone", hint="Look it up again, or sign in again.")
        case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError():
            return Conflict("somebody else changed this at the same moment", hint="Try again.")
        case _ if isinstance(error, CONNECTION_LOST):
            return DatabaseUnavailable("the connection was lost", hint="Try again in a moment.")
        case _:
            return Internal("the server's log has more under this request_id")


def explain(error: Exception) -> SteadError:
    """The error that an exception stands for; logged where it stands for none."""
    known = translate(error)
    if isinstance(known, Internal):
        # The exception's own text may quote data; its type and place do not.
        _log.error("request_failed", reason=type(error).__name__, where=_where(error))
    return known


def answer(error: Exception, state: dict[str, Any]) -> JSONResponse:
    """The answer for an exception, noted in the request's state for the log."""
    known = explain(error)
    state["problem_code"] = known.code
    return problem(known, state.get("request_id"))


def install(app: FastAPI) -> None:
    """Makes every failure that has a handler of its own a problem document; `LastResort` sees to the rest."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        try:
            await count_refusal(request, translate(error))
        except TooManyRequests as instead:
            error = instead
        return answer(error, request.scope.setdefault("state", {}))

    for kind in (SteadError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)


def _invalid(error: RequestValidationError) -> RequestInvalid:
    # What was sent is not repeated: only where it is wrong, and why.
    errors = [
        {"where": ".".join(str(part) for part in e["loc"]), "what": e["msg"], "kind": e["type"]}
        for e in error.errors()[:20]
    ]
    first = errors[0] if errors else {"where": "request", "what": "is not valid"}
    return RequestInvalid(f"{first['where']}: {first['what']}", errors=errors)


def _by_status(error: HTTPException) -> SteadError:
    if error.status_code == 404:
        return RouteUnknown("see /openapi.json for what there is")
    if error.status_code == 405:
        return MethodNotAllowed("see /openapi.json for what it takes")
    if error.status_code == 415:
        return UnsupportedMediaType("send application/json")
    if error.status_code >= 500:
        return Internal("the server's log has more under this request_id")
    return RequestInvalid("the request could not be read")


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
