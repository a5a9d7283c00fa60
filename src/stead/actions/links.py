"""Links with which one person votes once on one approval, without signing in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

from stead import audit
from stead.actions import approving, queries
from stead.actions.errors import LinkUnknown
from stead.actions.models import Approval, Vote
from stead.core.ids import new_id, parse_id
from stead.db import NOBODY, Database, Row, Transaction
from stead.identity import Principal, Tenant

_LONGEST: Final = timedelta(days=7)


async def make(tx: Transaction, principal: Principal, approval_id: UUID, profile_id: UUID) -> str:
    """A token for a link; it is good until the approval expires, for a week at most, and for one vote.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        approval_id: What is voted on.
        profile_id: Who votes: what they may is looked at when they do.

    Raises:
        ApprovalUnknown: There is none of that id.
    """
    approval = await approving.get(tx, principal, approval_id)
    link_id, secret = new_id(), secrets.token_urlsafe(32)
    await queries.insert_link(
        tx,
        principal.tenant.id,
        link_id,
        approval_id,
        profile_id,
        _digest(secret),
        min(approval.expires_at, approval.created_at + _LONGEST),
    )
    await audit.record(
        tx,
        principal,
        category="approvals",
        action="link_made",
        subject_type="approval",
        subject_id=approval_id,
        subject_profile_id=profile_id,
        payload={"link_id": link_id},
    )
    return f"{link_id}.{secret}"


async def look(db: Database, token: str) -> Approval:
    """What a link is for. Looking uses nothing up: mail programs open links.

    Raises:
        LinkUnknown: It is malformed, used, or has expired.
    """
    link_id, digest = _read(token)
    async with db.transaction(NOBODY, read_only=True) as tx:
        row = await queries.find_link(tx, link_id, digest)
    person = _person(row)
    async with db.transaction(person, read_only=True) as tx:
        return await approving.get(tx, person, _found(row)["approval_id"])


async def vote(
    db: Database, token: str, vote: Vote, *, digest: bytes, reason: str | None = None
) -> Approval:
    """Votes by a link, as the person that it was made for.

    Args:
        db: The database.
        token: Of the link.
        vote: The vote.
        digest: Of what the person was shown.
        reason: Why.

    Raises:
        LinkUnknown: It is malformed, used, or has expired.
        ApprovalDecided, ApprovalForbidden, VotedAlready: See `approving.vote`; the link is good still.
    """
    link_id, secret_digest = _read(token)
    async with db.transaction(NOBODY, read_only=True) as tx:
        found = await queries.find_link(tx, link_id, secret_digest)
    person = _person(found)
    async with db.transaction(person) as tx:
        # In the transaction of the vote: both count, or neither.
        used = await queries.use_link(tx, link_id, secret_digest)
        if used is None:
            raise LinkUnknown("the link was used")
        return await approving.vote(tx, person, used["approval_id"], vote, digest=digest, reason=reason)


def _read(token: str) -> tuple[UUID, bytes]:
    head, _, secret = token.partition(".")
    link_id = parse_id(head)
    if link_id is None or not 20 <= len(secret) <= 100 or not secret.isascii():
        raise LinkUnknown("the link is malformed")
    return link_id, _digest(secret)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _found(row: Row | None) -> Row:
    if row is None:
        raise LinkUnknown("the link was used, or has expired")
    return row


def _person(row: Row | None) -> Principal:
    found = _found(row)
    return Principal(
        kind="user",
        tenant=Tenant(id=found["tenant_id"], slug=found["tenant_slug"]),
        role="stead_service",
        profile_id=found["profile_id"],
        credential="approval_link",
    )
