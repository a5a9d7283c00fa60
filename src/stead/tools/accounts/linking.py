"""Accounts and their provider: linked, looked at, given up."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from stead import audit
from stead.core.ids import new_id
from stead.db import Transaction
from stead.identity import Principal
from stead.jobs import NewJob, enqueue
from stead.tools.accounts import accounts, queries
from stead.tools.accounts.errors import (
    AccountHolderUnknown,
    AccountsNotConfigured,
    CallbackRefused,
    LinkRefused,
)
from stead.tools.accounts.models import (
    Account,
    AccountProvider,
    AccountServices,
    Link,
    NewLink,
)

#: The jobs of this part.
WAIT: Final = "accounts.wait"
REFRESH: Final = "accounts.refresh"
REVOKE: Final = "accounts.revoke"
#: Over some hours: a provider may be away for a while.
_ATTEMPTS: Final = 20


async def link(services: AccountServices, principal: Principal, wanted: NewLink) -> tuple[Account, Link]:
    """Begins to connect an account, and has a job wait until the person has done it.

    Each call begins another one. Where this fails after the provider has answered, nobody was told the address,
    and the link ends by itself.

    Args:
        services: What linking works with.
        principal: Whose account it will be; the tenant's, for its service.
        wanted: Which.

    Raises:
        AccountHolderUnknown: It is a visitor.
        AccountsNotConfigured: There is no provider.
        CallbackRefused: The address to come back to is not one of ours.
        AccountNotLinkable, LinkRefused: The provider does not link it.
        ToolProviderUnavailable, ToolProviderBusy: It does not answer, or not now.
    """
    if principal.kind == "anonymous":
        raise AccountHolderUnknown("a visitor has no accounts", hint="Sign in.")
    provider = provider_of(services)
    if wanted.callback_url is not None:
        check_callback(wanted.callback_url, services.callback_origins)
    made = await provider.link(remote_user(principal), wanted.toolkit, wanted.callback_url)
    async with services.db.transaction(principal.served()) as tx:
        row = await queries.insert(
            tx,
            principal.tenant.id,
            new_id(),
            principal.profile_id,
            provider.name,
            wanted.toolkit,
            made.external_id,
            made.expires_at,
            dict(wanted.metadata),
        )
        if row is None:
            raise LinkRefused("the provider answers with an account that is somebody's already")
        account = accounts.account_of(row)
        await audit.record(
            tx,
            principal,
            category="accounts",
            action="link",
            subject_type="connected_account",
            subject_id=account.id,
            subject_profile_id=account.profile_id,
            payload={"provider": account.provider, "toolkit": account.toolkit},
        )
        await _enqueue(tx, services, principal, WAIT, account.id)
    return account, made


async def refresh(services: AccountServices, principal: Principal, account_id: UUID) -> Account:
    """Asks the provider how an account stands, and stores it.

    Raises:
        AccountsNotConfigured: There is no provider, or it is not the one that has this account.
        AccountUnknown: It is not there for this principal.
        ToolProviderUnavailable, ToolProviderBusy: The provider does not answer, or not now.
    """
    return await look(services, principal, account_id, why="refresh")


async def look(
    services: AccountServices, principal: Principal, account_id: UUID, *, why: str
) -> Account:
    """As `refresh`, for a reason that the audit log names."""
    async with services.db.transaction(principal.served(), read_only=True) as tx:
        account = await accounts.get(tx, principal, account_id)
    if account.status == "revoked":
        return account
    remote = await provider_of(services, account).look(account.external_id)
    async with services.db.transaction(principal.served()) as tx:
        return await accounts.settle(
            tx, principal, account_id, remote, why=why, activated=services.activated
        )


async def revoke(
    tx: Transaction, services: AccountServices, principal: Principal, account_id: UUID
) -> Account:
    """Revokes an account here with this transaction, and has a job tell its provider.

    Args:
        tx: A transaction as the server.
        services: What linking works with.
        principal: Whose it is.
        account_id: The account.

    Raises:
        AccountUnknown: It is not there for this principal.
    """
    account, new = await accounts.revoke(tx, principal, account_id)
    if new:
        await _enqueue(tx, services, principal, REVOKE, account.id)
    return account


async def refresh_later(
    tx: Transaction, services: AccountServices, principal: Principal, account_id: UUID
) -> None:
    """Has a job look at an account with the end of this transaction."""
    await _enqueue(tx, services, principal, REFRESH, account_id)


def provider_of(services: AccountServices, account: Account | None = None) -> AccountProvider:
    """Who holds an account, or will hold new ones.

    Raises:
        AccountsNotConfigured: That one is not configured.
    """
    provider = services.provider
    if provider is None or (account is not None and account.provider != provider.name):
        raise AccountsNotConfigured(
            "no provider holds such accounts here", hint="Set STEAD_COMPOSIO_API_KEY."
        )
    return provider


def remote_user(principal: Principal) -> str:
    """Whom the provider knows the principal as: no two tenants, and no two people, are the same user there."""
    return f"{principal.tenant.id}:{principal.profile_id or 'tenant'}"


def check_callback(url: str, origins: tuple[str, ...]) -> None:
    """Refuses an address that a link may not lead back to: it would lend this server's name to it.

    Raises:
        CallbackRefused: Its origin is none of these.
    """
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        origin = ""
    if origin not in origins or "\\" in url:
        raise CallbackRefused(
            "callback_url leads elsewhere", hint="Its origin has to be one of STEAD_CORS_ORIGINS."
        )


async def _enqueue(
    tx: Transaction, services: AccountServices, principal: Principal, kind: str, account_id: UUID
) -> None:
    # Not one job for several causes: one that is under way may have asked before the latest of them.
    job = NewJob(kind=kind, input={"account_id": str(account_id)}, max_attempts=_ATTEMPTS)
    await enqueue(tx, principal, job, dispatch=services.dispatch)
