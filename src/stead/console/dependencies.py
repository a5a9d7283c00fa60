"""What a page asks for: who looks at it, and the form that was posted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from stead import identity
from stead.console import pages
from stead.console.errors import PageForged, SignedOut
from stead.console.forms import Form, check_origin, check_reader, read_form
from stead.console.sessions import COOKIE, ConsoleSession, ConsoleSessions
from stead.db import NOBODY, Database
from stead.http.counting import count_request
from stead.http.dependencies import parts_of
from stead.http.errors import ServiceOnly
from stead.identity import Principal, Tenant, tenants


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Somebody who looks at the console.

    Args:
        form_token: For the forms of the page.
    """

    request: Request
    session: ConsoleSession
    form_token: str

    @property
    def principal(self) -> Principal:
        """As whom."""
        return self.session.principal

    @property
    def db(self) -> Database:
        """Where it all is."""
        return parts_of(self.request).db

    def may(self, scope: str) -> bool:
        """Whether nothing keeps them from it but the database: people have no scopes."""
        scopes = self.principal.scopes
        return not scopes or bool(scopes & {scope, "*"})

    def need(self, scope: str) -> None:
        """For what is the whole tenant's.

        Raises:
            ServiceOnly: It is a person.
            ScopeMissing: It is a key without that scope.
        """
        if self.principal.kind != "service":
            raise ServiceOnly(
                "this page is for the organisation's service",
                hint="Sign in with an API key or a service token.",
            )
        self.principal.require_scope(scope)

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for them."""
        return pages.page(
            self.request,
            template,
            self.session,
            form_token=self.form_token,
            status=status,
            may=self.may,
            **values,
        )


def sessions_of(request: Request) -> ConsoleSessions:
    """What makes and reads cookies."""
    return ConsoleSessions(parts_of(request).console_key)


async def _operator(request: Request) -> Operator:
    sessions = sessions_of(request)
    session = sessions.read(request.cookies.get(COOKIE))
    if session is None:
        await count_request(request, None)
        raise SignedOut("sign in first", hint="Open /console/sign-in.")
    check_reader(request)
    principal = session.principal
    await count_request(request, principal)
    if not await _is_there(request, principal):
        raise SignedOut("the key or the person that you signed in with is gone", hint="Sign in again.")
    request.state.tenant_id = str(principal.tenant.id)
    structlog.contextvars.bind_contextvars(tenant_id=str(principal.tenant.id))
    return Operator(request=request, session=session, form_token=sessions.form_token(session))


async def _is_there(request: Request, principal: Principal) -> bool:
    """Whether the key, the person and the tenant are still what they were at signing in."""
    found: Tenant | None
    async with parts_of(request).db.transaction(NOBODY, read_only=True) as tx:
        if principal.profile_id is not None:
            found = await tenants.find_by_profile(tx, principal.profile_id)
        else:
            found = await tenants.find_by_id(tx, principal.tenant.id)
            key_id = principal.api_key
            if key_id is not None and not await identity.keys.still_good(tx, [key_id]):
                return False
    return found is not None and found.id == principal.tenant.id


Viewer = Annotated[Operator, Depends(_operator)]


async def _posted(request: Request, operator: Viewer) -> Form:
    check_origin(request)
    form = await read_form(request)
    if not sessions_of(request).is_form_token(operator.session, form.fields.get("form", "")):
        raise PageForged("the form is of another sign-in", hint="Load the page again.")
    return form


async def _posted_by_anybody(request: Request) -> Form:
    check_origin(request)
    return await read_form(request)


Posted = Annotated[Form, Depends(_posted)]
PostedByAnybody = Annotated[Form, Depends(_posted_by_anybody)]
