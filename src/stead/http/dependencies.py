"""What a handler asks for: who it is, a transaction, an idempotency key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, Header, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection

from stead import actions, identity
from stead.core.errors import Forbidden, NotFound, Unauthenticated
from stead.db import Transaction
from stead.http.config import HttpConfig
from stead.http.counting import count_failed_proof, count_request
from stead.http.errors import ApproversOnly, MembersOnly, ServiceOnly
from stead.http.parts import Parts
from stead.identity import Credentials, Principal, tenant_service

SESSION_COOKIE: Final = "stead_session"
SESSION_HEADER: Final = "x-session-token"
_SIGNATURE_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")


def parts_of(request: HTTPConnection) -> Parts:
    """The open parts."""
    return request.app.state.parts


def config_of(request: HTTPConnection) -> HttpConfig:
    """The edge's configuration."""
    return request.app.state.config


async def _cookie_of(request: Request) -> str | None:
    # A browser keeps a cookie that has become worthless, and its page cannot remove it (HttpOnly): that must
    # keep nobody from signing in or from opening a new session.
    token = request.cookies.get(SESSION_COOKIE)
    try:
        await parts_of(request).authenticator.held_session(token)
    except Unauthenticated:
        return None
    return token


async def credentials_of(request: Request) -> Credentials:
    """What the request brings as proof."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    signature = {h: request.headers[h] for h in _SIGNATURE_HEADERS if h in request.headers}
    return Credentials(
        bearer=token.strip() if scheme.lower() == "bearer" and token.strip() else None,
        session_token=request.headers.get(SESSION_HEADER) or await _cookie_of(request),
        signature=signature,
        body=await request.body() if signature else b"",
    )


async def optional_principal(request: Request) -> Principal | None:
    """Who it is; None when nothing was presented."""
    return await prove(request, await credentials_of(request))


async def prove(request: Request, credentials: Credentials) -> Principal | None:
    """Who brings these credentials, counted against their limits; None when there are none."""
    nothing = not (credentials.bearer or credentials.session_token or credentials.signature)
    if nothing:
        await count_request(request, None)
        return None
    try:
        admission = await parts_of(request).authenticator.admit(credentials)
    except Unauthenticated as error:
        await count_failed_proof(request, error)
        raise
    except (Forbidden, NotFound):
        # Somebody, but nobody here: it took a look into the database all the same.
        await count_request(request, None)
        raise
    principal = admission.principal
    await count_request(request, principal)
    request.state.tenant_id = str(principal.tenant.id)
    request.state.proven_until = admission.expires_at
    structlog.contextvars.bind_contextvars(tenant_id=str(principal.tenant.id))
    return principal


def proven_until(request: Request) -> datetime | None:
    """When the proof that this request brought ends; None: not by itself."""
    return getattr(request.state, "proven_until", None)


async def required_principal(
    request: Request, principal: Annotated[Principal | None, Depends(optional_principal)]
) -> Principal:
    """Who it is.

    Raises:
        CredentialsMissing: Nothing was presented.
    """
    if principal is None:
        return await parts_of(request).authenticator.authenticate(Credentials())
    return principal


async def service_principal(
    principal: Annotated[Principal, Depends(required_principal)],
) -> Principal:
    """A service: an API key, a signed call or a service token.

    Raises:
        ServiceOnly: It is a person.
    """
    if principal.kind != "service":
        raise ServiceOnly("use an API key or a service token", hint="`stead token --role service_role`")
    return principal


async def member_principal(
    principal: Annotated[Principal, Depends(required_principal)],
) -> Principal:
    """A person of the tenant, or a service.

    Raises:
        MembersOnly: It is the holder of an anonymous session.
    """
    if principal.kind == "anonymous":
        raise MembersOnly("sign in, or use an API key")
    return principal


async def operating_principal(
    request: Request, principal: Annotated[Principal, Depends(member_principal)]
) -> Principal:
    """Who looks after what others proposed: a service, or an approver.

    Raises:
        ApproversOnly: It is a person who approves nothing.
    """
    if principal.kind != "service":
        async with parts_of(request).db.transaction(principal.served(), read_only=True) as tx:
            if not await actions.approvers.is_one(tx):
                raise ApproversOnly("this person approves nothing here")
    return principal


Caller = Annotated[Principal, Depends(required_principal)]
OptionalCaller = Annotated[Principal | None, Depends(optional_principal)]
ServiceCaller = Annotated[Principal, Depends(service_principal)]
Member = Annotated[Principal, Depends(member_principal)]
Operator = Annotated[Principal, Depends(operating_principal)]


def needs_scope(scope: str) -> Any:
    """A router's dependency: a key that was made with scopes must have this one. People have no scopes."""

    async def check(principal: OptionalCaller) -> None:
        if principal is not None:
            principal.require_scope(scope)

    return Depends(check)


async def _reading(request: Request, principal: Caller) -> AsyncIterator[Transaction]:
    async with parts_of(request).db.transaction(principal, read_only=True) as tx:
        yield tx


async def _writing(request: Request, principal: Caller) -> AsyncIterator[Transaction]:
    async with parts_of(request).db.transaction(principal.served()) as tx:
        yield tx


async def _seeing(request: Request, principal: Caller) -> AsyncIterator[Transaction]:
    # As the server: the role of an anonymous caller is not granted every table, and is to see nothing there rather
    # than to be an error.
    async with parts_of(request).db.transaction(principal.served(), read_only=True) as tx:
        yield tx


async def _operating(request: Request, principal: Operator) -> AsyncIterator[Transaction]:
    # Of the tenant's service, whose rows they are; in the audit log stands the person.
    async with parts_of(request).db.transaction(tenant_service(principal.tenant)) as tx:
        yield tx


# scope="function": the commit comes before the answer, so that a commit that fails is no 200.
Reading = Annotated[Transaction, Depends(_reading, scope="function")]
Seeing = Annotated[Transaction, Depends(_seeing, scope="function")]
Writing = Annotated[Transaction, Depends(_writing, scope="function")]
Operating = Annotated[Transaction, Depends(_operating, scope="function")]


@dataclass(frozen=True, kw_only=True)
class Once:
    """The request's Idempotency-Key, if it has one.

    Use: ``if again := await once.before(tx, principal): return again``, and at the end
    ``return await once.after(tx, principal, body)``.
    """

    key: str | None
    request: bytes

    async def before(self, tx: Transaction, principal: Principal) -> Response | None:
        """The answer that this key has already; None: do the work."""
        if self.key is None:
            return None
        answer = await identity.idempotency.claim(tx, principal, self.key, self.request)
        if answer is None:
            return None
        return JSONResponse(
            answer.body, status_code=answer.status, headers={"idempotency-replayed": "true"}
        )

    async def after(
        self, tx: Transaction, principal: Principal, body: object, status: int = 200
    ) -> Response:
        """The answer, kept for the key."""
        plain: Any = jsonable_encoder(body, by_alias=True, exclude_none=False)
        if self.key is not None:
            await identity.idempotency.keep(tx, principal, self.key, status, plain)
        return JSONResponse(plain, status_code=status)


async def once(
    request: Request,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Once:
    """The Idempotency-Key header with what it stands for."""
    body = await request.body() if idempotency_key else b""
    return Once(
        key=idempotency_key,
        request=identity.idempotency.digest(request.method, request.url.path, body),
    )


OnceOnly = Annotated[Once, Depends(once)]
