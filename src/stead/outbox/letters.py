"""Dead letters: envelopes that were given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from stead.db import Transaction
from stead.identity import Principal
from stead.outbox import queries
from stead.outbox.envelopes import locked
from stead.outbox.errors import EnvelopeNotDead
from stead.outbox.models import Envelope, EnvelopeStatus


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A row of ``outbox_dlq``."""

    id: UUID
    tenant_id: UUID
    tool_slug: str
    arguments: dict[str, Any]
    connected_account_id: str | None
    risk: str
    external_id: str | None
    trust_context: dict[str, Any]
    metadata: dict[str, Any]
    status: str
    attempts: int
    last_error: str | None
    created_at: datetime
    moved_at: datetime


async def listing(
    tx: Transaction, principal: Principal, *, before: UUID | None = None, limit: int = 50
) -> list[Letter]:
    """The tenant's dead letters, newest first."""
    rows = await queries.letters(tx, principal.tenant.id, before, limit)
    return [Letter(**dict(row)) for row in rows]


async def oldest(tx: Transaction, principal: Principal, limit: int) -> list[UUID]:
    """Ids of the tenant's oldest dead letters."""
    return await queries.oldest_letters(tx, principal.tenant.id, limit)


async def revived(
    tx: Transaction,
    principal: Principal,
    envelope_id: UUID,
    *,
    status: EnvelopeStatus,
    tool_digest: str,
    not_before: datetime | None = None,
    error: str | None = None,
    code: str | None = None,
) -> Envelope:
    """Takes an envelope out of the dead letters, as its new judgement says: its attempts begin again.

    Args:
        tx: A transaction as the server.
        principal: In whose tenant.
        envelope_id: Which.
        status: What its judgement came to.
        tool_digest: Of the tool as it is now.
        not_before: When it may run.
        error: Why it does not, where it does not.
        code: A stable code of that.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
        EnvelopeNotDead: It is not among the dead letters.
    """
    envelope = await locked(tx, principal, envelope_id)
    if envelope.status != "dead":
        raise EnvelopeNotDead(f"the envelope is {envelope.status}")
    row = await queries.redrive(
        tx, principal.tenant.id, envelope_id, status, not_before, error, code, tool_digest
    )
    if row is None:
        raise EnvelopeNotDead("it is not among the dead letters")
    return Envelope(**dict(row))
