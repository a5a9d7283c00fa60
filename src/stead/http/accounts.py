"""Connected accounts: linked, listed, looked at, revoked."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import Caller, Seeing, Writing, needs_scope, parts_of
from stead.http.errors import RequestInvalid
from stead.http.routing import JsonRoute
from stead.tools import accounts
from stead.tools.accounts import Account, AccountStatus, NewLink

router = APIRouter(
    route_class=JsonRoute, prefix="/v1", tags=["accounts"], dependencies=[needs_scope("accounts")]
)


_MAX_METADATA_BYTES: Final = 8192


class LinkAccount(BaseModel):
    """An account to connect."""

    model_config = ConfigDict(extra="forbid")

    toolkit: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$", examples=["github"])
    callback_url: str | None = Field(
        None, min_length=1, max_length=2000, examples=["http://localhost:3000/linked"]
    )
    metadata: dict[str, Any] = Field(default_factory=dict, max_length=50)


class AccountOut(BaseModel):
    """A connected account as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    profile_id: UUID | None
    provider: str
    toolkit: str
    external_id: str
    status: AccountStatus
    scopes: list[str]
    linked_at: datetime | None
    expires_at: datetime | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class LinkedOut(AccountOut):
    """The account that is to be, and where the person connects it."""

    redirect_url: str


class AccountPage(BaseModel):
    """Some accounts, and where the next ones are."""

    items: list[AccountOut]
    next_cursor: str | None


@router.get("/accounts", summary="List connected accounts")
async def listing(
    principal: Caller,
    tx: Seeing,
    toolkit: Annotated[str | None, Query(max_length=100)] = None,
    status: Annotated[AccountStatus | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> AccountPage:
    """One's own, or all of the tenant's for its service; the latest first."""
    found = await accounts.accounts.listing(
        tx, principal, toolkit=toolkit, status=status, after=read_cursor(cursor), limit=limit + 1
    )
    shown = found[:limit]
    more = (shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return AccountPage(
        items=[AccountOut.model_validate(a) for a in shown], next_cursor=write_cursor(more)
    )


@router.post("/accounts/link", status_code=201, summary="Connect an account")
async def link(body: LinkAccount, request: Request, principal: Caller) -> LinkedOut:
    """Begins it, and answers with where the person connects the account; a job waits until they have.

    Each call begins another one. `redirect_url` is told this once.
    """
    if len(json.dumps(body.metadata).encode()) > _MAX_METADATA_BYTES:
        raise RequestInvalid(f"metadata is larger than {_MAX_METADATA_BYTES} bytes")
    wanted = NewLink(**body.model_dump())
    account, made = await accounts.linking.link(parts_of(request).accounts, principal, wanted)
    return LinkedOut(**_shown(account).model_dump(), redirect_url=made.redirect_url)


@router.get("/accounts/{account_id}", summary="How a connected account stands")
async def get(account_id: UUID, principal: Caller, tx: Seeing) -> AccountOut:
    """As it was last heard of."""
    return _shown(await accounts.accounts.get(tx, principal, account_id))


@router.post("/accounts/{account_id}/refresh", summary="Ask how a connected account stands")
async def refresh(account_id: UUID, request: Request, principal: Caller) -> AccountOut:
    """Asks its provider, and stores what it says."""
    return _shown(await accounts.linking.refresh(parts_of(request).accounts, principal, account_id))


@router.post("/accounts/{account_id}/revoke", summary="Revoke a connected account")
async def revoke(account_id: UUID, request: Request, principal: Caller, tx: Writing) -> AccountOut:
    """No tool acts through it any more; a job has its provider give up its credentials. Twice is no error."""
    services = parts_of(request).accounts
    return _shown(await accounts.linking.revoke(tx, services, principal, account_id))


def _shown(account: Account) -> AccountOut:
    return AccountOut.model_validate(account)
