"""Connected accounts as rows: found, listed, and moved from one status to the next."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from stead import audit
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.tools.accounts import queries
from stead.tools.accounts.errors import AccountUnknown
from stead.tools.accounts.models import PENDING, Account, AccountStatus, Activated, RemoteAccount
from stead.tools.models import ToolSpec


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    toolkit: str | None = None,
    status: AccountStatus | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Account]:
    """The principal's accounts, or the tenant's for its service; the latest first.

    Args:
        tx: A transaction of the principal.
        principal: Whose.
        toolkit: Only those of it.
        status: Only those in it.
        after: Time and id of the account behind which to go on.
        limit: At most so many.
    """
    rows = await queries.of_tenant(
        tx,
        principal.tenant.id,
        toolkit,
        status,
        after[1] if after else None,
        after[0] if after else None,
        limit,
    )
    return [account_of(row) for row in rows]


async def get(tx: Transaction, principal: Principal, account_id: UUID, *, lock: bool = False) -> Account:
    """One account.

    Raises:
        AccountUnknown: It is not there for this principal.
    """
    read = queries.lock if lock else queries.by_id
    row = await read(tx, principal.tenant.id, account_id)
    if row is None:
        raise AccountUnknown("there is no connected account of that id")
    return account_of(row)


async def find(
    tx: Transaction, principal: Principal, external_id: str, provider: str | None = None
) -> Account | None:
    """The account that an envelope names: how it stands and what it was granted is what guardrails ask.

    Args:
        tx: A transaction of the principal.
        principal: Whose it has to be; for its service the tenant's.
        external_id: The provider's id.
        provider: Of that provider; None: of any.
    """
    row = await queries.by_external_id(tx, principal.tenant.id, provider, external_id)
    return None if row is None else account_of(row)


async def for_tool(
    tx: Transaction, principal: Principal, tool: ToolSpec, profile_id: UUID | None
) -> str | None:
    """The account through which a tool acts for a person: their own, else the tenant's, the latest; or None.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        tool: Which; one without a toolkit takes an account that was granted its scopes.
        profile_id: For whom; None: for nobody known, who has the tenant's alone.
    """
    return await queries.for_tool(
        tx, principal.tenant.id, profile_id, tool.provider, tool.toolkit, list(tool.required_scopes)
    )


async def settle(
    tx: Transaction,
    principal: Principal,
    account_id: UUID,
    remote: RemoteAccount,
    *,
    why: str,
    activated: Activated | None = None,
) -> Account:
    """Stores how an account stands at its provider, with an audit row where that is something new.

    What was revoked here stays revoked, whatever the provider says.

    Args:
        tx: A transaction as the server.
        principal: In whose name.
        account_id: The account.
        remote: What the provider says.
        why: What made it be asked, such as ``refresh``; for the audit log.
        activated: Called where the account became active.

    Raises:
        AccountUnknown: It is not there for this principal.
    """
    account = await get(tx, principal, account_id, lock=True)
    scopes = account.scopes if remote.scopes is None else remote.scopes
    status = _next(account.status, remote.status)
    if (account.status, account.scopes) == (status, scopes):
        return account
    stored = await _step(tx, principal, account, status, scopes, why)
    if stored.status == "active" and account.status != "active" and activated is not None:
        await activated(tx, principal, stored)
    return stored


async def revoke(tx: Transaction, principal: Principal, account_id: UUID) -> tuple[Account, bool]:
    """Revokes an account here, at once: no tool acts through it any more.

    Returns:
        The account, and whether it was revoked only now: then its provider has to be told.

    Raises:
        AccountUnknown: It is not there for this principal.
    """
    account = await get(tx, principal, account_id, lock=True)
    if account.status == "revoked":
        return account, False
    return await _step(tx, principal, account, "revoked", account.scopes, "revoke"), True


def account_of(row: Row) -> Account:
    """The value of a row."""
    members: dict[str, Any] = dict(row)
    members["scopes"] = tuple(members["scopes"])
    return Account(**members)


def _next(now: AccountStatus, said: AccountStatus) -> AccountStatus:
    if now == "revoked":
        return now
    if said in PENDING:
        if now in {"active", "inactive"}:
            # Back at the beginning: as far as tools are concerned the account is lost.
            return "expired"
        return said if now == "initializing" else "initiated"
    return said


async def _step(
    tx: Transaction,
    principal: Principal,
    account: Account,
    status: AccountStatus,
    scopes: tuple[str, ...],
    why: str,
) -> Account:
    row = await queries.step(tx, principal.tenant.id, account.id, status, scopes)
    if row is None:
        raise AccountUnknown("there is no connected account of that id")
    await audit.record(
        tx,
        principal,
        category="accounts",
        action=status if status != account.status else "scopes",
        subject_type="connected_account",
        subject_id=account.id,
        subject_profile_id=account.profile_id,
        payload={
            "provider": account.provider,
            "toolkit": account.toolkit,
            "was": account.status,
            "why": why,
            "scopes": len(scopes),
        },
    )
    return account_of(row)
