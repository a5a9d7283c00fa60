"""The Model Context Protocol at ``/mcp``: who calls, and for whom. What the tools do is `stead.adapters.mcp`.

It is no route of the OpenAPI document: its bodies are JSON-RPC, and so are its refusals, as a client of the
protocol shows nothing else to its user. Each carries the problem document of the error in ``data``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from stead.adapters.mcp import MemoryTools
from stead.core.errors import SteadError
from stead.http.dependencies import config_of, parts_of, prove
from stead.http.errors import HostNotAllowed, OriginNotAllowed, ProfileNotAllowed, ProfileNotNamed
from stead.http.problems import explain, problem
from stead.identity import Credentials, Principal, profiles

router = APIRouter(tags=["memories"])

PROFILE_HEADER: Final = "x-stead-profile"
_MAX_PROFILE_CHARS: Final = 320
_KEPT: Final = frozenset({"www-authenticate", "retry-after", "ratelimit", "ratelimit-policy"})
_INVALID_REQUEST: Final = -32600
_INTERNAL_ERROR: Final = -32603


@router.post("/mcp", include_in_schema=False)
async def mcp(request: Request) -> Response:
    """One message of a client of the Model Context Protocol."""
    try:
        _check_source(request)
        caller = await _caller(request)
        owner = await _owner(request, caller)
        # Read here: a body that is too large is refused before anything looks at it.
        body = await request.body()
    except SteadError as error:
        return _refusal(request, error)
    parts = parts_of(request)
    tools = MemoryTools(parts.db, owner, parts.runtime.embedder, actor=caller)
    # In a thread, and only where somebody asks: the first import of the package takes a second.
    server: Any = await asyncio.to_thread(importlib.import_module, "stead.adapters.mcp.server")
    transport: Any = await asyncio.to_thread(importlib.import_module, "stead.adapters.mcp.http")
    config = config_of(request)
    return _Answered(
        transport.answer,
        server.build_server(tools, explain=explain, version=config.version),
        body,
        config.max_body_bytes,
    )


class _Answered(Response):
    """What the protocol's own transport answers."""

    def __init__(self, answer: Any, server: Any, body: bytes, max_body_bytes: int) -> None:
        super().__init__()
        self._answer = answer
        self._server = server
        self._read = body
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        unread = True

        async def read_again() -> Message:
            nonlocal unread
            if unread:
                unread = False
                return {"type": "http.request", "body": self._read, "more_body": False}
            return await receive()

        await self._answer(self._server, scope, read_again, send, max_body_bytes=self._max_body_bytes)


def _check_source(request: Request) -> None:
    """Refuses what a page in somebody's browser sends by way of a name that was bent to this machine.

    Raises:
        HostNotAllowed: The server is not called so.
        OriginNotAllowed: A page sends it, and is not one that may.
    """
    config = config_of(request)
    hosts = config.mcp_hosts
    if hosts is not None and _host_of(f"//{request.headers.get('host', '')}") not in hosts:
        raise HostNotAllowed(
            "/mcp does not answer under this host name", hint="Add the name to STEAD_MCP_HOSTS."
        )
    origin = request.headers.get("origin")
    if origin is None or origin in config.cors_origins:
        return
    if hosts is None or _host_of(origin) not in hosts:
        raise OriginNotAllowed(
            "pages of this origin may not call /mcp", hint="Add it to STEAD_CORS_ORIGINS."
        )


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


async def _caller(request: Request) -> Principal:
    """Who calls: by bearer token only, as a browser adds its cookies to what any page sends.

    Raises:
        CredentialsMissing: Nothing was presented.
        ScopeMissing: A key without the scope ``memories``.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    principal = await prove(request, Credentials(bearer=bearer or None))
    if principal is None:
        principal = await parts_of(request).authenticator.authenticate(Credentials())
    principal.require_scope("memories")
    return principal


async def _owner(request: Request, caller: Principal) -> Principal:
    """Whose memory it is: the caller's own or, of a service, that of the person whom it names.

    Raises:
        ProfileNotNamed: A service names nobody.
        ProfileNotAllowed: There is no such person, or a person names another.
    """
    name = request.headers.get(PROFILE_HEADER, "").strip()
    if caller.kind != "service":
        known = (caller.profile_id, caller.external_id, caller.email)
        if name and name.lower() not in {str(own).lower() for own in known if own is not None}:
            raise ProfileNotAllowed(
                "X-Stead-Profile: names somebody else",
                hint="Leave it out: only a service names a person.",
            )
        return caller
    if not name:
        raise ProfileNotNamed(
            "X-Stead-Profile is missing",
            hint="Name the person: an email address, a profile's id, or the id at the identity provider.",
        )
    if len(name) <= _MAX_PROFILE_CHARS:
        async with parts_of(request).db.transaction(caller.served(), read_only=True) as tx:
            if "@" in name:
                profile_id = await profiles.find_by_email(tx, caller.tenant, name)
            else:
                profile = await profiles.find(tx, caller.tenant, name)
                profile_id = profile.id if profile else None
        if profile_id is not None:
            return replace(caller, kind="user", role="authenticated", profile_id=profile_id)
    raise ProfileNotAllowed(
        "X-Stead-Profile: nobody here is called so", hint="Check the name, and the tenant of the key."
    )


def _refusal(request: Request, error: SteadError) -> JSONResponse:
    """The error as JSON-RPC, with the status and the headers of its problem document."""
    state = request.scope.setdefault("state", {})
    state["problem_code"] = error.code
    document = problem(error, state.get("request_id"))
    told = f"{error.detail} ({error.code}). {error.hint}".strip()
    body = {
        "jsonrpc": "2.0",
        "id": None,
        "error": {
            "code": _INTERNAL_ERROR if error.status >= 500 else _INVALID_REQUEST,
            "message": told,
            "data": json.loads(bytes(document.body)),
        },
    }
    kept = {k: v for k, v in document.headers.items() if k in _KEPT}
    return JSONResponse(body, status_code=error.status, headers=kept)
