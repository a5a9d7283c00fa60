"""What another policy would have decided: past decisions made again from what they were made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from stead.db import Row, Transaction
from stead.governance import queries
from stead.governance.decisions import read_inputs
from stead.governance.evaluating import evaluate
from stead.governance.models import VERDICTS, Reason, Verdict
from stead.governance.policy import Policy
from stead.identity import Principal

MAX_REPLAYED: Final = 10_000
_MAX_TOLD: Final = 100


@dataclass(frozen=True, kw_only=True)
class Change:
    """A decision that would have been another one.

    Args:
        decision_id: Of the stored decision.
        before: What was decided.
        after: What the proposed policy decides.
        reasons: Why: of the rules that do not allow.
    """

    decision_id: UUID
    envelope_id: UUID | None
    tool: str
    decided_at: datetime
    before: Verdict
    after: Verdict
    reasons: Sequence[Reason]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What would have changed.

    Args:
        replayed: How many decisions were made again.
        unreadable: How many could not be.
        stricter: How many would have been stricter.
        looser: How many would have been looser: look at these before the policy is set.
        changes: How many went from what to what: ``allow>deny`` and the like.
        examples: Some of them, the looser ones first, then the latest.
        complete: False: there are more decisions than were asked for.
    """

    replayed: int
    unreadable: int
    stricter: int
    looser: int
    changes: dict[str, int]
    examples: Sequence[Change]
    complete: bool


async def replay(
    tx: Transaction,
    principal: Principal,
    proposed: Policy,
    *,
    since: datetime,
    limit: int = 1000,
) -> Replay:
    """Makes past decisions at proposal again, with another policy and with what was known then.

    Decisions come through a cursor. Trust, rates and spending are those of the time of the decision.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        proposed: The policy.
        since: The earliest.
        limit: How many at most, the latest ones; up to `MAX_REPLAYED`.
    """
    limit = max(1, min(limit, MAX_REPLAYED))
    changed: Counter[str] = Counter()
    looser: list[Change] = []
    stricter: list[Change] = []
    seen = unreadable = loosened = 0
    async for row in queries.proposals(tx, principal.tenant.id, since, limit + 1):
        if seen == limit:
            seen += 1
            break
        seen += 1
        change = _made_again(row, principal.tenant.id, proposed)
        if change is None:
            unreadable += 1
        elif change.before != change.after:
            changed[f"{change.before}>{change.after}"] += 1
            loosens = VERDICTS.index(change.after) > VERDICTS.index(change.before)
            loosened += loosens
            told = looser if loosens else stricter
            if len(told) < _MAX_TOLD:
                told.append(change)
    return Replay(
        replayed=min(seen, limit) - unreadable,
        unreadable=unreadable,
        stricter=sum(changed.values()) - loosened,
        looser=loosened,
        changes=dict(sorted(changed.items())),
        examples=[*looser, *stricter][:_MAX_TOLD],
        complete=seen <= limit,
    )


def _made_again(row: Row, tenant_id: UUID, proposed: Policy) -> Change | None:
    try:
        action, facts, at = read_inputs(tenant_id, row["inputs"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    decision = evaluate(action, proposed, facts, at)
    return Change(
        decision_id=row["id"],
        envelope_id=row["envelope_id"],
        tool=row["tool"],
        decided_at=row["created_at"],
        before=row["verdict"],
        after=decision.verdict,
        reasons=[each for each in decision.reasons if each.verdict != "allow"],
    )
