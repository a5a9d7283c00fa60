"""Connected accounts as values, and what a provider of them can do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from stead.db import Database, Transaction
from stead.identity import Principal

AccountStatus = Literal[
    "initializing", "initiated", "active", "inactive", "failed", "expired", "revoked"
]
#: What an account that is being linked is in.
PENDING: frozenset[str] = frozenset({"initializing", "initiated"})


@dataclass(frozen=True, kw_only=True)
class Account:
    """A connected account as it stands.

    Args:
        profile_id: Whose it is; None: the tenant's as a whole.
        provider: Who holds its credentials, such as ``composio``.
        toolkit: What it is an account of, such as ``github``.
        external_id: The provider's id of it, which envelopes name.
        scopes: What it was granted, as the provider says.
        linked_at: When it last became active.
        expires_at: When the link to connect it ends; None once it was connected.
        metadata: What its owner keeps with it.
    """

    id: UUID
    tenant_id: UUID
    profile_id: UUID | None
    provider: str
    toolkit: str
    external_id: str
    status: AccountStatus
    scopes: tuple[str, ...]
    linked_at: datetime | None
    expires_at: datetime | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewLink:
    """An account that somebody wants to connect.

    Args:
        toolkit: What it is an account of.
        callback_url: Where the provider sends the person afterwards.
        metadata: What is kept with it.
    """

    toolkit: str
    callback_url: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a provider answers to a wish to connect an account.

    Args:
        external_id: Of the account that is to be.
        redirect_url: Where the person connects it. Whoever has it can do so: it is told, and not kept.
        expires_at: Until when.
    """

    external_id: str
    redirect_url: str = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RemoteAccount:
    """How an account stands at its provider; None for scopes where it says nothing of them."""

    status: AccountStatus
    scopes: tuple[str, ...] | None = None


class AccountProvider(Protocol):
    """Whoever holds accounts and their credentials. None of its methods is called inside a transaction."""

    @property
    def name(self) -> str:
        """Its name in ``connected_accounts.provider``."""
        ...

    async def link(self, user: str, toolkit: str, callback_url: str | None) -> Link:
        """Begins to connect an account.

        Args:
            user: Whose, as the provider knows them.
            toolkit: What it is an account of.
            callback_url: Where the person is sent afterwards.

        Raises:
            AccountNotLinkable: No account of that toolkit can be linked.
            LinkRefused: It refuses.
            ToolProviderUnavailable, ToolProviderBusy: It does not answer, or not now.
        """
        ...

    async def look(self, external_id: str) -> RemoteAccount:
        """How an account stands. One that is not there was revoked.

        Raises:
            ToolProviderUnavailable, ToolProviderBusy: It does not answer, or not now.
        """
        ...

    async def revoke(self, external_id: str) -> None:
        """Gives up an account and its credentials. One that is not there is no error.

        Raises:
            ToolProviderUnavailable, ToolProviderBusy: It does not answer, or not now.
        """
        ...


#: Called in the transaction in which an account became active: (transaction, whose tenant's service, account).
Activated = Callable[[Transaction, Principal, Account], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class AccountServices:
    """What linking works with.

    Args:
        db: The database.
        provider: Who holds the accounts; None: nobody is configured.
        dispatch: Who delivers jobs: ``postgres`` or ``celery``.
        callback_origins: Origins that a link may lead back to.
        activated: Called when an account became active: the first look at what it offers.
    """

    db: Database
    provider: AccountProvider | None
    dispatch: str = "postgres"
    callback_origins: tuple[str, ...] = ()
    activated: Activated | None = None
