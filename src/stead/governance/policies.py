"""Policies as they are kept: read, changed by version, tried out, and seen through time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from stead import audit
from stead.audit.recording import actor_of
from stead.db import Row, Transaction
from stead.governance import queries
from stead.governance.document import DEFAULT_POLICY, read_policy
from stead.governance.errors import PolicyChanged, PolicyInvalid, PolicyVersionUnknown
from stead.governance.evaluating import evaluate
from stead.governance.judging import Judgement, fill, unreadable
from stead.governance.models import Action, Facts
from stead.governance.policy import Policy
from stead.identity import Principal


@dataclass(frozen=True, kw_only=True)
class StoredPolicy:
    """A version of a policy.

    Args:
        version: 0: the default, of a tenant that has none of its own.
        policy: The document.
        changed_by: Who made it so.
        reason: Why, as they said.
        created_at: When; None for the default.
    """

    version: int
    policy: Mapping[str, Any]
    changed_by: str | None
    reason: str | None
    created_at: datetime | None


async def get(tx: Transaction, principal: Principal) -> StoredPolicy:
    """The policy that holds.

    Args:
        tx: A transaction of the tenant's service, or of a person of the tenant with their own role.
        principal: Who that is.
    """
    row = await queries.policy(tx, principal.tenant.id)
    if row is None:
        return StoredPolicy(
            version=0, policy=DEFAULT_POLICY.document, changed_by=None, reason=None, created_at=None
        )
    return _stored(row)


async def put(
    tx: Transaction,
    principal: Principal,
    document: object,
    *,
    expected: int | None = None,
    reason: str | None = None,
) -> StoredPolicy:
    """Makes a document the policy, as a new version. Recorded in the audit log, and told to who listens.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        document: The policy as JSON values; what it leaves out is as it is by default.
        expected: The version that it was made from: another one, and nothing is changed. None: whatever there is.
        reason: Why, for those who read the history.

    Raises:
        PolicyInvalid: It cannot be read.
        PolicyChanged: There is another version than the expected one.
    """
    policy = read_policy(document)
    actor_type, actor_id = actor_of(principal)
    try:
        row = await queries.save_policy(
            tx,
            principal.tenant.id,
            dict(policy.document),
            f"{actor_type}:{actor_id}"[:255],
            reason,
            expected,
        )
    except asyncpg.InvalidParameterValueError as error:
        raise PolicyInvalid(
            "time_zone: the database does not know this time zone",
            hint="Use another IANA name for it, or bring the database's time zones up to date.",
        ) from error
    if row is None:
        there = await get(tx, principal)
        raise PolicyChanged(
            f"the policy is at version {there.version}, not at {expected}",
            hint="Read it again, make the change on that version, and send it once more.",
            version=there.version,
        )
    await audit.record(
        tx,
        principal,
        category="auth_policy",
        action="guardrails_changed",
        subject_type="guardrails",
        subject_id=row["id"],
        payload={"version": row["version"], "digest": policy.digest},
    )
    return _stored(row)


async def history(
    tx: Transaction, principal: Principal, *, before: int | None = None, limit: int = 50
) -> list[StoredPolicy]:
    """Versions, the latest first.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: Somebody of the tenant.
        before: Only older ones.
        limit: How many at most.
    """
    return [_stored(row) for row in await queries.versions(tx, principal.tenant.id, before, limit)]


async def version(tx: Transaction, principal: Principal, number: int) -> StoredPolicy:
    """One version.

    Raises:
        PolicyVersionUnknown: There was none of that number.
    """
    row = await queries.version(tx, principal.tenant.id, number)
    if row is None:
        raise PolicyVersionUnknown(
            f"there is no version {number}", hint="GET /v1/guardrails/versions lists them."
        )
    return _stored(row)


async def try_action(
    tx: Transaction,
    principal: Principal,
    action: Action,
    known: Facts,
    *,
    proposed: Policy | None = None,
    at: datetime | None = None,
) -> Judgement:
    """What would be decided. Nothing is kept.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: Somebody of the tenant.
        action: Of the tenant.
        known: What is to be taken for known; governance fills in what it knows.
        proposed: The policy to judge by; None: the one that holds.
        at: As if it were this moment; None: now, by the database's clock.

    Raises:
        PolicyInvalid: The policy that holds cannot be read.
    """
    (row,) = await queries.facts(
        tx, [principal.tenant.id], [action.tool], [], holding=False, counting=True
    )
    facts, moment = fill(known, row), at or row["asked_at"]
    policy = proposed
    if policy is None and row["policy_key"] is None:
        policy = DEFAULT_POLICY
    elif policy is None:
        try:
            policy = read_policy(row["policy"], row["version"])
        except PolicyInvalid:
            policy = None
    decision = (
        unreadable(action, facts, moment, row["version"])
        if policy is None
        else evaluate(action, policy, facts, moment)
    )
    return Judgement(
        verdict=decision.verdict,
        reasons=decision.reasons,
        not_before=decision.not_before,
        quorum=decision.quorum,
        policy_version=decision.policy_version,
        policy_digest=decision.policy_digest,
        action=action,
        facts=facts,
        at=moment,
    )


def _stored(row: Row) -> StoredPolicy:
    return StoredPolicy(
        version=row["version"],
        policy=row["policy"],
        changed_by=row["changed_by"],
        reason=row["reason"],
        created_at=row["created_at"],
    )
