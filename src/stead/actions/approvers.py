"""Who may approve, and who votes for whom."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from stead import audit
from stead.actions import queries
from stead.actions.errors import ApproverInvalid, DelegationUnknown
from stead.actions.models import Approver, Delegation
from stead.db import Transaction
from stead.governance import Risk
from stead.identity import Principal


async def listing(tx: Transaction, principal: Principal) -> list[Approver]:
    """Everybody who may approve in the tenant."""
    return [Approver(**dict(row)) for row in await queries.approvers(tx, principal.tenant.id)]


async def is_one(tx: Transaction) -> bool:
    """Whether the person of this transaction may approve anything, also in another's place."""
    return await queries.is_approver(tx)


async def only_own(tx: Transaction, principal: Principal) -> UUID | None:
    """Whose envelopes and approvals to look for: those of the person of this transaction, who sees no others; None
    for services and for who may approve, who see all. The policies say the same, but to no index."""
    if principal.profile_id is None or await is_one(tx):
        return None
    return principal.profile_id


async def put(tx: Transaction, principal: Principal, profile_id: UUID, most_risk: Risk) -> None:
    """Lets a person approve, up to a tier.

    Raises:
        ApproverInvalid: There is no such person in the tenant.
    """
    try:
        await queries.put_approver(tx, principal.tenant.id, profile_id, most_risk)
    except asyncpg.ForeignKeyViolationError as error:
        raise ApproverInvalid("no person of that id is here") from error
    await _record(tx, principal, "approver_set", profile_id, most_risk=most_risk)


async def remove(tx: Transaction, principal: Principal, profile_id: UUID) -> None:
    """Lets a person approve no more.

    Raises:
        ApproverInvalid: They could not.
    """
    if not await queries.delete_approver(tx, principal.tenant.id, profile_id):
        raise ApproverInvalid("that person is no approver")
    await _record(tx, principal, "approver_removed", profile_id)


async def delegations(tx: Transaction, principal: Principal) -> list[Delegation]:
    """Delegations that the caller may see and that have not ended."""
    return [Delegation(**dict(row)) for row in await queries.delegations(tx, principal.tenant.id)]


async def delegate(
    tx: Transaction,
    principal: Principal,
    to_id: UUID,
    *,
    ends_at: datetime,
    begins_at: datetime | None = None,
    from_id: UUID | None = None,
) -> Delegation:
    """Lets another person vote in one's place for a time.

    Args:
        tx: A transaction as the server.
        principal: The approver; or the tenant's service, for one.
        to_id: Who votes.
        ends_at: At most ninety days after it begins.
        begins_at: None: now.
        from_id: For the service: whose place it is.

    Raises:
        ApproverInvalid: There is no such person, the times do not fit, or nobody's place was named.
    """
    whose = principal.profile_id or from_id
    if whose is None:
        raise ApproverInvalid("nobody's place was named", hint="A service names from_id.")
    try:
        row = await queries.insert_delegation(tx, principal.tenant.id, whose, to_id, begins_at, ends_at)
    except asyncpg.ForeignKeyViolationError as error:
        raise ApproverInvalid("no person of that id is here") from error
    except asyncpg.CheckViolationError as error:
        raise ApproverInvalid(
            "to oneself, or for a time that is over or longer than ninety days"
        ) from error
    if row is None:
        raise ApproverInvalid("the delegation was not stored")
    made = Delegation(**dict(row))
    await _record(tx, principal, "approver_delegated", whose, to_id=to_id, delegation_id=made.id)
    return made


async def revoke(tx: Transaction, principal: Principal, delegation_id: UUID) -> None:
    """Ends a delegation.

    Raises:
        DelegationUnknown: There is none of that id for this caller.
    """
    if not await queries.delete_delegation(tx, principal.tenant.id, delegation_id):
        raise DelegationUnknown("no delegation of that id is here")
    await _record(tx, principal, "delegation_revoked", delegation_id)


async def _record(
    tx: Transaction, principal: Principal, action: str, subject_id: UUID, **payload: object
) -> None:
    await audit.record(
        tx,
        principal,
        category="auth_policy",
        action=action,
        subject_type="approver",
        subject_id=subject_id,
        payload=payload,
    )
