"""Idempotency keys: the same write, sent again, gets the same answer and happens once.

The key, the write and the answer are one transaction. A second request with the key waits for the first
to commit and then finds its answer; when the first rolls back, the second does the work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from stead.db import Transaction
from stead.identity import queries
from stead.identity.errors import IdempotencyKeyReused
from stead.identity.models import Principal


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: Any


def digest(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests the same."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()


async def claim(tx: Transaction, principal: Principal, key: str, request: bytes) -> Answer | None:
    """Takes the key for this transaction, or returns the answer that it already has.

    Args:
        tx: The transaction in which the work will be done, as the server.
        principal: Whose key it is; others' keys of the same text are different keys.
        key: The ``Idempotency-Key`` header.
        request: The digest of the request.

    Raises:
        IdempotencyKeyReused: The key was used for a different request.
    """
    tenant_id, owner = principal.tenant.id, principal.key
    if await queries.reserve_idempotency_key(tx, tenant_id, owner, key, request):
        return None
    row = await queries.idempotent_answer(tx, tenant_id, owner, key)
    if row is None or row["request_digest"] != request or row["status"] is None:
        raise IdempotencyKeyReused(
            "this Idempotency-Key was used for a different request",
            hint="Use a new key for a new request.",
        )
    return Answer(status=row["status"], body=row["body"])


async def keep(tx: Transaction, principal: Principal, key: str, status: int, body: object) -> None:
    """Stores the answer beside the key."""
    await queries.store_idempotent_answer(tx, principal.tenant.id, principal.key, key, status, body)
