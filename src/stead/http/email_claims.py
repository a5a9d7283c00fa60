"""Email addresses that a caller names and somebody else has proven."""

from __future__ import annotations

import contextlib

from fastapi import Request, Response
from starlette.background import BackgroundTask

from stead import identity
from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST
from stead.http.counting import note_email_claim
from stead.http.dependencies import parts_of
from stead.identity import Principal, tenant_service


def looked_into(response: Response, request: Request, caller: Principal, email: str | None) -> Response:
    """The answer; once it is out, it is noted where the address is another person's.

    Naming an address opens nothing, and the answer says nothing of it. It is looked up afterwards, so that neither
    does the time that the answer takes.

    Args:
        response: Which is the same whether anybody has the address.
        request: That named it.
        caller: Who named it.
        email: The address, if one was named.
    """
    if email is not None and not _is_proven(caller, email):
        response.background = BackgroundTask(_look_into, request, caller, email)
    return response


async def _look_into(request: Request, caller: Principal, email: str) -> None:
    # It is only told: when the database has gone away meanwhile, it is not.
    with contextlib.suppress(SteadError, *CONNECTION_LOST):
        async with parts_of(request).db.transaction(tenant_service(caller.tenant), read_only=True) as tx:
            holder = await identity.profiles.find_by_email(tx, caller.tenant, email)
        if holder is not None and holder != caller.profile_id:
            note_email_claim(request)


def _is_proven(caller: Principal, email: str) -> bool:
    # A service says whose address it is, as it says all else of its people.
    if caller.kind == "service":
        return True
    return caller.email_verified and (caller.email or "").strip().lower() == email.strip().lower()
