"""Storing envelopes, looking at them, and what people do to them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

from stead.db import Row, Transaction
from stead.identity import Principal
from stead.outbox import queries
from stead.outbox.errors import (
    EnvelopeInvalid,
    EnvelopeKeyReused,
    EnvelopeNotCancellable,
    EnvelopeUnknown,
    OutcomeKnown,
)
from stead.outbox.models import Attempt, Envelope, EnvelopeStatus, NewEnvelope

#: More belongs into an artifact, whose id is the argument.
MAX_ARGUMENTS_BYTES: Final = 256 * 1024
_MAX_DEPTH: Final = 64
_CANCELLABLE: Final = frozenset({"deferred", "awaiting_approval", "pending", "retry_wait"})


def canonical(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as the database will hold them.

    Raises:
        EnvelopeInvalid: They are no JSON object, or too large.
    """
    try:
        text = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise EnvelopeInvalid(
            "the arguments are no JSON", hint="Text, finite numbers, lists and objects."
        ) from error
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_ARGUMENTS_BYTES:
        raise EnvelopeInvalid(
            f"the arguments take {size} bytes; at most {MAX_ARGUMENTS_BYTES} fit",
            hint="Store what is large as an artifact and pass its id.",
        )
    _check(arguments, 0)
    return cast("dict[str, Any]", json.loads(text))


def _check(value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise EnvelopeInvalid(f"the arguments are nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise EnvelopeInvalid(
                "the arguments hold a character that cannot be stored (NUL or half a pair)"
            )
    elif isinstance(value, Mapping):
        for key, item in cast("Mapping[Any, Any]", value).items():
            _check(key, depth)
            _check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            _check(item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise EnvelopeInvalid("the arguments hold a number that is none")


async def insert(tx: Transaction, principal: Principal, new: NewEnvelope) -> tuple[Envelope, bool]:
    """Stores an envelope, once for its key.

    Args:
        tx: A transaction as the server.
        principal: In whose tenant, and who may see it.
        new: The envelope, judged.

    Returns:
        The envelope, and whether it is new.

    Raises:
        EnvelopeKeyReused: The key names another action.
    """
    ids = await insert_many(tx, principal, [new])
    if ids:
        return await get(tx, principal, new.id), True
    row = await queries.by_external_id(tx, principal.tenant.id, new.external_id or "")
    if row is None:
        # Of somebody else in the tenant, who may not be seen.
        raise EnvelopeKeyReused("this key was used", hint="Keys are unique in an organisation.")
    known = _envelope(row)
    if (known.tool_slug, known.connected_account_id) != (new.tool, new.account_id) or (
        known.version == 1 and known.arguments != dict(new.arguments)
    ):
        raise EnvelopeKeyReused(
            "this key names another action", hint="A new action takes a new key.", id=str(known.id)
        )
    return known, False


async def insert_many(tx: Transaction, principal: Principal, new: Sequence[NewEnvelope]) -> list[UUID]:
    """Stores envelopes in one statement; returns the ids of those that are new."""
    return await queries.insert_envelopes(tx, principal.tenant.id, [_json_of(one) for one in new])


async def get(tx: Transaction, principal: Principal, envelope_id: UUID) -> Envelope:
    """An envelope.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
    """
    return _found(await queries.by_id(tx, principal.tenant.id, envelope_id))


async def by_external_id(tx: Transaction, principal: Principal, external_id: str) -> Envelope | None:
    """The envelope of a key of the caller's, if there is one."""
    row = await queries.by_external_id(tx, principal.tenant.id, external_id)
    return None if row is None else _envelope(row)


async def locked(tx: Transaction, principal: Principal, envelope_id: UUID) -> Envelope:
    """An envelope that nobody else changes until the transaction ends.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
    """
    return _found(await queries.lock(tx, principal.tenant.id, envelope_id))


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    proposer_id: UUID | None = None,
    statuses: Sequence[str] | None = None,
    tool: str | None = None,
    run_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Envelope]:
    """Envelopes, newest first, before one.

    Args:
        tx: A transaction of whoever asks.
        principal: Who that is.
        proposer_id: Only what this person or their agents proposed. Who may see no other's says so: it finds
            them without looking at the others'.
        statuses: Only those in one of these.
        tool: Only those of this tool.
        run_id: Only those of this run.
        before: Where the page begins.
        limit: How many at most.
    """
    rows = await queries.listing(
        tx, principal.tenant.id, proposer_id, statuses, tool, run_id, before, limit
    )
    return [_envelope(row) for row in rows]


async def attempts(tx: Transaction, principal: Principal, envelope_id: UUID) -> list[Attempt]:
    """The attempts of an envelope, in their order."""
    rows = await queries.attempts(tx, principal.tenant.id, envelope_id)
    return [Attempt(**dict(row)) for row in rows]


async def cancel(tx: Transaction, principal: Principal, envelope_id: UUID) -> Envelope:
    """Ends an envelope that does not run yet.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
        EnvelopeNotCancellable: It runs, or has ended.
    """
    envelope = await locked(tx, principal, envelope_id)
    if envelope.status not in _CANCELLABLE:
        raise EnvelopeNotCancellable(
            f"the envelope is {envelope.status}", hint="What runs cannot be called back."
        )
    return await moved(tx, principal, envelope_id, "cancelled", code="envelope_cancelled")


async def moved(
    tx: Transaction,
    principal: Principal,
    envelope_id: UUID,
    status: EnvelopeStatus,
    *,
    not_before: datetime | None = None,
    error: str | None = None,
    code: str | None = None,
) -> Envelope:
    """Puts a locked envelope into another state; those that waited for it go on when it has ended."""
    row = await queries.move(tx, principal.tenant.id, envelope_id, status, not_before, error, code)
    envelope = _found(row)
    await queries.unblock(tx, [envelope_id])
    return envelope


async def edited(
    tx: Transaction,
    principal: Principal,
    envelope_id: UUID,
    *,
    arguments: dict[str, Any],
    risk: str,
    status: EnvelopeStatus,
    not_before: datetime | None = None,
    error: str | None = None,
    code: str | None = None,
) -> Envelope:
    """Gives a locked envelope other arguments, which makes it another version; judged already."""
    row = await queries.edit(
        tx, principal.tenant.id, envelope_id, arguments, risk, status, not_before, error, code
    )
    envelope = _found(row)
    await queries.unblock(tx, [envelope_id])
    return envelope


async def resolve(
    tx: Transaction,
    principal: Principal,
    envelope_id: UUID,
    outcome: Literal["succeeded", "not_done", "give_up"],
    result: Any = None,
) -> Envelope:
    """Records what a person found out of an envelope whose outcome was not known.

    Args:
        tx: A transaction as the server.
        principal: In whose tenant.
        envelope_id: Which.
        outcome: ``succeeded``: it had its effect; ``not_done``: it had none, and is tried again; ``give_up``:
            nobody knows, or needs it any more: to the dead letters.
        result: What the provider shows of it; JSON.

    Raises:
        EnvelopeUnknown: There is none of that id for this caller.
        OutcomeKnown: Its outcome is known.
    """
    envelope = await locked(tx, principal, envelope_id)
    if envelope.status != "outcome_unknown":
        raise OutcomeKnown(f"the envelope is {envelope.status}")
    stored = None if result is None else json.dumps(result, ensure_ascii=False)
    if outcome == "give_up":
        await queries.bury(tx, principal.tenant.id, envelope_id)
        await queries.unblock(tx, [envelope_id])
        return await get(tx, principal, envelope_id)
    await queries.note_outcome(
        tx,
        principal.tenant.id,
        envelope_id,
        "succeeded" if outcome == "succeeded" else "retryable",
        stored,
    )
    return await moved(
        tx, principal, envelope_id, "succeeded" if outcome == "succeeded" else "retry_wait"
    )


def _found(row: Row | None) -> Envelope:
    if row is None:
        raise EnvelopeUnknown("no envelope of that id is here")
    return _envelope(row)


def _envelope(row: Row) -> Envelope:
    return Envelope(**dict(row))


def _json_of(new: NewEnvelope) -> str:
    return json.dumps(
        {
            "id": str(new.id),
            "tool_slug": new.tool,
            "tool_version": new.version,
            "tool_digest": new.tool_digest,
            "provider": new.provider,
            "arguments": new.arguments,
            "connected_account_id": new.account_id,
            "risk": new.risk,
            "external_id": new.external_id,
            "trust_context": new.trust_context,
            "metadata": new.metadata,
            "status": new.status,
            "not_before": new.not_before.isoformat() if new.not_before else None,
            "order_key": new.order_key,
            "idempotent": new.idempotent,
            "attempt_limit": new.attempt_limit,
            "proposed_by": new.proposed_by,
            "proposer_id": str(new.proposer_id) if new.proposer_id else None,
            "by_agent": new.by_agent,
            "run_id": str(new.run_id) if new.run_id else None,
            "session_id": str(new.session_id) if new.session_id else None,
            "evidence": [str(each) for each in new.evidence],
            "expires_at": new.expires_at.isoformat() if new.expires_at else None,
            "last_error": new.last_error,
            "error_code": new.error_code,
        },
        ensure_ascii=False,
    )
