"""Signing in with a token or a key, signing out, and the files that pages load."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from stead import audit
from stead.console import pages
from stead.console.assets import ASSETS
from stead.console.dependencies import Posted, PostedByAnybody, Viewer, sessions_of
from stead.console.errors import PeopleAndServicesOnly
from stead.console.routing import PageRoute
from stead.console.sessions import COOKIE, PATH
from stead.core.errors import Forbidden, SteadError, Unauthenticated
from stead.http.dependencies import config_of, parts_of, prove
from stead.http.errors import RouteUnknown
from stead.identity import Admission, Credentials

router = APIRouter(prefix="/console", route_class=PageRoute)
_MAX_TOKEN_CHARS: Final = 16_384
_BY_PATH: Final = {asset.path: asset for asset in ASSETS.values()}


@router.get("/static/{version}/{name}")
async def static(version: str, name: str) -> Response:
    """Style and scripts. A file that changes gets another address, so it is kept for good."""
    asset = _BY_PATH.get(f"/console/static/{version}/{name}")
    if asset is None:
        raise RouteUnknown("there is no such file")
    return Response(
        asset.body,
        media_type=asset.media_type,
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )


@router.get("/sign-in")
async def ask(request: Request) -> Response:
    """Where a token or a key is typed in."""
    return pages.page(request, "sign_in.html", None, error=None)


@router.post("/sign-in")
async def sign_in(request: Request, form: PostedByAnybody) -> Response:
    """Looks at the token once; what is kept of it is who it is."""
    proof = Credentials(bearer=form.text("token", most=_MAX_TOKEN_CHARS) or None)
    try:
        principal = await prove(request, proof)
        if principal is None:
            principal = await parts_of(request).authenticator.authenticate(proof)
        if principal.kind == "anonymous":
            raise PeopleAndServicesOnly("this token only holds one session")
    except (Unauthenticated, Forbidden) as error:
        return _again(request, error)
    admission = Admission(principal=principal, expires_at=request.state.proven_until)
    session, cookie = sessions_of(request).begin(admission)
    async with parts_of(request).db.transaction(principal.served()) as tx:
        await audit.record(tx, principal, category="console", action="sign_in")
    response = pages.elsewhere("/console")
    response.set_cookie(
        COOKIE,
        cookie,
        expires=session.expires_at,
        path=PATH,
        secure=config_of(request).secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/sign-out")
async def sign_out(operator: Viewer, form: Posted) -> Response:
    """Makes the browser forget the cookie."""
    _ = form
    principal = operator.principal
    async with operator.db.transaction(principal.served()) as tx:
        await audit.record(tx, principal, category="console", action="sign_out")
    response = pages.elsewhere("/console/sign-in?done=signed-out")
    secure = config_of(operator.request).secure_cookies
    response.delete_cookie(COOKIE, path=PATH, secure=secure, httponly=True, samesite="strict")
    return response


def _again(request: Request, error: SteadError) -> Response:
    request.scope.setdefault("state", {})["problem_code"] = error.code
    return pages.page(request, "sign_in.html", None, status=error.status, error=error)
