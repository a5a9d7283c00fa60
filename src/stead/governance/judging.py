"""Judging many actions of many tenants at once, by the policies that hold and the database's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction
from stead.governance import queries
from stead.governance.document import DEFAULT_POLICY, read_policy
from stead.governance.errors import PolicyInvalid
from stead.governance.evaluating import evaluate
from stead.governance.models import Action, Decision, Facts, Reason
from stead.governance.policy import Policy

_MOST_REMEMBERED: Final = 10_000
# The latest policy of a tenant that this process has read; None: it cannot be read. A key never stands for two
# contents, also when a transaction is rolled back, so what is remembered is never wrong.
_remembered: Final[dict[UUID, tuple[UUID, Policy | None]]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement(Decision):
    """A decision by a tenant's policy.

    Args:
        backoff_s: Seconds before the second attempt, as the policy that was asked says.
    """

    backoff_s: float = 2.0


@dataclass(slots=True)
class _Begun:
    """What is begun by the actions before, in the same batch."""

    actions: int = 0
    amount: Decimal = Decimal(0)


async def judge(
    tx: Transaction, actions: Sequence[Action], known: Sequence[Facts], *, holding: bool = False
) -> list[Judgement]:
    """What their tenants' policies say to actions, in their order.

    Facts that are None and that governance knows (trust, what was begun and spent) are filled in. Actions of the
    batch that are allowed count for those after them, so that together they pass no ceiling.

    Args:
        tx: A transaction as the server: of the one tenant of all actions, or of nobody (`stead.db.NOBODY`).
        actions: Of any tenants.
        known: What is known of each.
        holding: For whoever begins what is allowed, and calls `count_begun` in the same transaction: until it
            ends, nobody else who holds begins actions of tenants with ceilings. Judge once a transaction then.
            Without it, rates and spending are counted also where no ceiling asks for them: a replay will.

    Raises:
        asyncpg.InsufficientPrivilegeError: An action belongs to another tenant than the caller.
    """
    if not actions:
        return []
    pairs = list({(action.tenant_id, action.tool): None for action in actions})
    tenants = [tenant for tenant, _ in pairs]
    held = [_remembered[tenant][0] for tenant in set(tenants) if tenant in _remembered]
    rows = await queries.facts(
        tx, tenants, [tool for _, tool in pairs], held, holding=holding, counting=not holding
    )
    found = {(row["tenant_id"], row["tool"]): row for row in rows}
    policies = {row["tenant_id"]: _policy_of(row) for row in rows}
    begun: dict[UUID, _Begun] = {}
    made: list[Judgement] = []
    for action, given in zip(actions, known, strict=True):
        row = found[action.tenant_id, action.tool]
        before = begun.setdefault(action.tenant_id, _Begun())
        facts = _filled(given, row, before)
        policy, at = policies[action.tenant_id], row["asked_at"]
        decision = (
            evaluate(action, policy, facts, at)
            if policy is not None
            else unreadable(action, facts, at, row["version"])
        )
        if decision.verdict == "allow":
            before.actions += 1
            before.amount += max(action.amount or 0, 0)
        made.append(
            Judgement(
                verdict=decision.verdict,
                reasons=decision.reasons,
                not_before=decision.not_before,
                quorum=decision.quorum,
                policy_version=decision.policy_version,
                policy_digest=decision.policy_digest,
                action=action,
                facts=facts,
                at=at,
                backoff_s=(policy or DEFAULT_POLICY).handling(action.tool, action.risk).backoff_s,
            )
        )
    return made


async def policies_of(tx: Transaction, tenants: Sequence[UUID]) -> dict[UUID, Policy | None]:
    """The policies of tenants, for how their actions are treated (`Policy.handling`); None: it cannot be read.

    Args:
        tx: As for `judge`.
        tenants: Of whom.
    """
    wanted = list(set(tenants))
    held = [_remembered[tenant][0] for tenant in wanted if tenant in _remembered]
    rows = await queries.facts(tx, wanted, [""] * len(wanted), held, holding=False, counting=False)
    return {row["tenant_id"]: _policy_of(row) for row in rows}


async def count_begun(tx: Transaction, actions: Sequence[Action]) -> None:
    """Counts actions that are begun in this transaction, for rates and spending.

    Args:
        tx: As for `judge`.
        actions: Each counts once, with its amount.
    """
    if actions:
        await queries.count(
            tx, [action.tenant_id for action in actions], [action.amount for action in actions]
        )


def unreadable(action: Action, facts: Facts, now: datetime, version: int) -> Decision:
    """The decision where a policy cannot be read: nothing is allowed."""
    return Decision(
        verdict="deny",
        reasons=(Reason(rule="policy", verdict="deny", says="the tenant's policy cannot be read"),),
        not_before=None,
        quorum=0,
        policy_version=version,
        policy_digest=DEFAULT_POLICY.digest,
        action=action,
        facts=facts,
        at=now,
    )


def fill(given: Facts, row: Mapping[str, Any] | Row) -> Facts:
    """Facts with what governance knows in place of None."""
    return _filled(given, row, _Begun())


def _filled(given: Facts, row: Mapping[str, Any] | Row, before: _Begun) -> Facts:
    minute, hour, spent = row["actions_last_minute"], row["actions_last_hour"], row["spent_today"]
    return Facts(
        trust=row["trust"] if given.trust is None else given.trust,
        granted_scopes=given.granted_scopes,
        account_status=given.account_status,
        actions_last_minute=_plus(minute, before.actions, given.actions_last_minute),
        actions_last_hour=_plus(hour, before.actions, given.actions_last_hour),
        spent_today=_plus(spent, before.amount, given.spent_today),
        tool_known=given.tool_known,
        approved=given.approved,
    )


def _plus(counted: Any, before: Any, given: Any) -> Any:
    if given is not None:
        return given
    return None if counted is None else counted + before


def _policy_of(row: Row) -> Policy | None:
    """The policy that a row of facts is about."""
    tenant, key = row["tenant_id"], row["policy_key"]
    if key is None:
        return DEFAULT_POLICY
    known = _remembered.get(tenant)
    if known is not None and known[0] == key:
        return known[1]
    try:
        policy = read_policy(row["policy"], row["version"])
    except PolicyInvalid:
        policy = None
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[tenant] = key, policy
    return policy
