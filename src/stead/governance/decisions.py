"""Decisions as they are kept: with what they were made from, but for what arguments say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from stead.db import Transaction
from stead.governance import queries
from stead.governance.digests import digest_of
from stead.governance.judging import Judgement
from stead.governance.models import Action, Facts, Reason, Verdict
from stead.governance.trust_context import doubt_of
from stead.identity import Principal

Stage = Literal["proposal", "claim", "replay"]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision as it was kept.

    Args:
        stage: When it was made.
        reasons: What every rule said.
    """

    stage: Stage
    verdict: Verdict
    reasons: list[dict[str, Any]]
    not_before: datetime | None
    quorum: int
    policy_version: int
    created_at: datetime


_to_json: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


async def record(
    tx: Transaction,
    judgements: Sequence[Judgement],
    envelopes: Sequence[UUID | None],
    *,
    stage: Stage,
) -> None:
    """Keeps decisions, many with one statement: each at proposal, and refusals at claim.

    Args:
        tx: As for `judge`.
        judgements: What was decided.
        envelopes: About which envelopes.
        stage: When.
    """
    if not judgements:
        return
    await queries.record_decisions(
        tx,
        [each.action.tenant_id for each in judgements],
        list(envelopes),
        stage,
        [each.action.tool for each in judgements],
        [each.verdict for each in judgements],
        [_to_json([plain_reason(reason) for reason in each.reasons]) for each in judgements],
        [each.not_before for each in judgements],
        [each.quorum for each in judgements],
        [each.policy_version for each in judgements],
        [each.inputs_digest for each in judgements],
        [_to_json(inputs_of(each.action, each.facts, each.at)) for each in judgements],
    )


async def decided(tx: Transaction, principal: Principal, envelope_id: UUID) -> list[Decided]:
    """What was decided about an envelope, the latest first: for the tenant's service."""
    rows = await queries.decisions(tx, principal.tenant.id, envelope_id)
    return [Decided(**dict(row)) for row in rows]


def plain_reason(reason: Reason) -> dict[str, Any]:
    """A reason as JSON."""
    said = {"rule": reason.rule, "verdict": reason.verdict, "says": reason.says}
    return said if reason.until is None else {**said, "until": reason.until.isoformat()}


def inputs_of(action: Action, facts: Facts, at: datetime) -> dict[str, Any]:
    """What a decision was made from, as JSON: enough to make it again. Of arguments and of the trust context only
    their digests, and what doubt there is in the latter."""
    return {
        "at": at.isoformat(),
        "action": {
            "tool": action.tool,
            "version": action.version,
            "provider": action.provider,
            "risk": action.risk,
            "required_scopes": sorted(action.required_scopes),
            "account_id": action.account_id,
            "arguments_digest": digest_of(action.arguments).hex(),
            "amount": None if action.amount is None else str(action.amount),
            "spends": action.spends,
            "evidence": action.evidence,
            "confidence": _finite(action.confidence),
            "proposer": action.proposer,
            "doubt": doubt_of(action.trust_context).plain(),
        },
        "facts": {
            "trust": _finite(facts.trust),
            "granted_scopes": None if facts.granted_scopes is None else sorted(facts.granted_scopes),
            "account_status": facts.account_status,
            "actions_last_minute": facts.actions_last_minute,
            "actions_last_hour": facts.actions_last_hour,
            "spent_today": None if facts.spent_today is None else str(facts.spent_today),
            "tool_known": facts.tool_known,
            "approved": facts.approved,
        },
    }


def read_inputs(tenant_id: UUID, inputs: Mapping[str, Any]) -> tuple[Action, Facts, datetime]:
    """What `inputs_of` wrote down."""
    action, facts = inputs["action"], inputs["facts"]
    granted = facts["granted_scopes"]
    return (
        Action(
            tenant_id=tenant_id,
            tool=action["tool"],
            version=action["version"],
            provider=action["provider"],
            risk=action["risk"],
            required_scopes=frozenset(action["required_scopes"]),
            account_id=action["account_id"],
            amount=_decimal(action["amount"]),
            spends=action["spends"],
            evidence=action["evidence"],
            confidence=action["confidence"],
            proposer=action["proposer"],
            trust_context=action["doubt"],
        ),
        Facts(
            trust=facts["trust"],
            granted_scopes=None if granted is None else frozenset(granted),
            account_status=facts["account_status"],
            actions_last_minute=facts["actions_last_minute"],
            actions_last_hour=facts["actions_last_hour"],
            spent_today=_decimal(facts["spent_today"]),
            tool_known=facts["tool_known"],
            approved=facts["approved"],
        ),
        datetime.fromisoformat(inputs["at"]),
    )


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _finite(value: float | None) -> float | None:
    # JSON knows no other numbers. What is none makes every rule stricter, and so does 0.
    return value if value is None or 0 <= value <= 1 else 0.0
