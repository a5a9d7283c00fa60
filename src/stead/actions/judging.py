"""The judgement at claim: what was allowed or approved is looked at once more before it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from stead import governance
from stead.actions import queries
from stead.actions.proposing import STATUS_OF, action_of, facts_of, higher
from stead.db import Row, Transaction
from stead.governance import Action, Facts, Judgement, Policy, Risk
from stead.outbox import Claimed, Ruling
from stead.tools import ToolSpec

#: Carries out what Stead itself has to tell; no policy stands before it.
WEBHOOKS: Final = "webhook"
_RISKS: Final[dict[str, Risk]] = {risk: risk for risk in governance.RISKS}
_MOST_TOOLS: Final = 5_000
_UNKNOWN_TOOL: Final = "its tool is not in the catalogue any more, or was changed since it was proposed"


@dataclass(frozen=True, slots=True)
class _Case:
    envelope: Claimed
    action: Action
    facts: Facts
    approval_quorum: int | None


class ActionGate:
    """Implements `stead.outbox.Gate` with policies, approvals, accounts and the catalogue.

    Keeps the tools that it has seen, each as it stood: the executor takes them from here.
    """

    def __init__(self) -> None:
        self._tools: dict[str, ToolSpec] = {}
        self._by_digest: dict[str, ToolSpec] = {}

    def tool(self, digest: str) -> ToolSpec | None:
        """The tool of that digest, as it stood when it was judged last."""
        return self._by_digest.get(digest)

    async def judge(self, tx: Transaction, envelopes: Sequence[Claimed]) -> list[Ruling]:
        """See `stead.outbox.Gate`."""
        rulings: dict[UUID, Ruling] = {
            e.id: Ruling(status="executing") for e in envelopes if e.provider == WEBHOOKS
        }
        for envelope in envelopes:
            if envelope.expired:
                rulings[envelope.id] = Ruling(
                    status="expired", reason="its time has passed", code="envelope_expired"
                )
        cases = await self._cases(tx, [e for e in envelopes if e.id not in rulings])
        if cases:
            rulings |= await self._judge(tx, cases)
        return [rulings[e.id] for e in envelopes]

    async def _cases(self, tx: Transaction, envelopes: Sequence[Claimed]) -> list[_Case]:
        if not envelopes:
            return []
        rows = await queries.facts(tx, [e.id for e in envelopes], list(self._tools))
        found = {row["id"]: row for row in rows}
        self._learn(rows)
        return [self._case(envelope, found[envelope.id]) for envelope in envelopes]

    def _learn(self, rows: Sequence[Row]) -> None:
        if len(self._tools) > _MOST_TOOLS:
            self._tools.clear()
            self._by_digest.clear()
        for row in rows:
            if row["tool"] is not None:
                told: dict[str, Any] = row["tool"]
                told["required_scopes"] = tuple(told["required_scopes"])
                spec = ToolSpec(**told)
                self._tools[row["tool_key"]] = spec
                self._by_digest[spec.digest] = spec

    def _case(self, envelope: Claimed, row: Row) -> _Case:
        spec = self._tools.get(row["tool_key"]) if row["tool_key"] is not None else None
        known = (
            spec is not None and row["tool_status"] == "active" and spec.digest == envelope.tool_digest
        )
        if spec is None:
            spec = _placeholder(envelope)
        confidence = envelope.trust_context.get("confidence")
        action = action_of(
            envelope.tenant_id,
            spec,
            # The catalogue may have raised it since.
            higher(spec.risk, _risk(envelope.risk)),
            envelope.arguments,
            account_id=envelope.account_id,
            evidence=envelope.evidence_count,
            proposer=envelope.proposed_by,
            trust_context=envelope.trust_context,
            confidence=confidence if isinstance(confidence, int | float) else None,
        )
        facts = facts_of(
            spec,
            tool_known=known,
            account_id=envelope.account_id,
            account_status=row["account_status"],
            account_scopes=row["account_scopes"],
            approved=row["approval_id"] is not None,
        )
        return _Case(envelope, action, facts, row["approval_quorum"])

    async def _judge(self, tx: Transaction, cases: Sequence[_Case]) -> dict[UUID, Ruling]:
        policies: dict[UUID, Policy | None] = {}
        approved = [case for case in cases if case.facts.approved]
        if approved:
            policies = await governance.policies_of(tx, [c.action.tenant_id for c in approved])
            cases = [_with_quorum(case, policies) for case in cases]
        judgements = await governance.judge(
            tx, [c.action for c in cases], [c.facts for c in cases], holding=True
        )
        begun = [(c, j) for c, j in zip(cases, judgements, strict=True) if j.verdict == "allow"]
        held = [(c, j) for c, j in zip(cases, judgements, strict=True) if j.verdict != "allow"]
        await governance.count_begun(tx, [c.action for c, _ in begun])
        agreed = [c.envelope.id for c, _ in begun if c.facts.approved]
        if agreed:
            await queries.use_approvals(tx, agreed)
        rulings = {c.envelope.id: Ruling(status="executing", backoff_s=j.backoff_s) for c, j in begun}
        if held:
            await governance.record(
                tx, [j for _, j in held], [c.envelope.id for c, _ in held], stage="claim"
            )
            await self._ask(tx, [(c, j) for c, j in held if j.verdict == "needs_approval"])
            rulings |= {c.envelope.id: _ruling(c, j) for c, j in held}
        return rulings

    async def _ask(self, tx: Transaction, asked: Sequence[tuple[_Case, Judgement]]) -> None:
        if not asked:
            return
        policies = await governance.policies_of(tx, [c.action.tenant_id for c, _ in asked])
        ttls: list[float] = []
        for case, _ in asked:
            policy = policies.get(case.action.tenant_id) or governance.DEFAULT_POLICY
            ttls.append(float(policy.handling(case.action.tool, case.action.risk).approval_ttl_s))
        await queries.ask(
            tx,
            [c.envelope.id for c, _ in asked],
            [max(j.quorum, 1) for _, j in asked],
            [_reasons(j) for _, j in asked],
            [j.policy_version for _, j in asked],
            [j.not_before for _, j in asked],
            ttls,
        )


def _with_quorum(case: _Case, policies: dict[UUID, Policy | None]) -> _Case:
    """An approval of fewer people than the policy wants by now is none."""
    if not case.facts.approved:
        return case
    policy = policies.get(case.action.tenant_id)
    if policy is None:
        return case
    wanted = policy.handling(case.action.tool, case.action.risk).quorum
    if (case.approval_quorum or 0) >= wanted:
        return case
    return replace(case, facts=replace(case.facts, approved=False))


def _ruling(case: _Case, judgement: Judgement) -> Ruling:
    against = [r for r in judgement.reasons if r.verdict == judgement.verdict]
    said = "; ".join(r.says for r in against)[:2000]
    if not case.facts.tool_known and judgement.verdict == "deny":
        said = _UNKNOWN_TOOL
    status = STATUS_OF[judgement.verdict]
    if status not in {"denied", "deferred", "awaiting_approval"}:
        raise ValueError(f"no ruling for {judgement.verdict}")
    return Ruling(
        status=status,  # type: ignore[arg-type]
        until=judgement.not_before if judgement.verdict == "defer" else None,
        reason=said,
        code=against[0].rule if against else "policy",
    )


def _reasons(judgement: Judgement) -> str:
    return json.dumps(
        [governance.plain_reason(r) for r in judgement.reasons if r.verdict != "allow"],
        ensure_ascii=False,
    )


def _risk(risk: str) -> Risk:
    return _RISKS[risk]


def _placeholder(envelope: Claimed) -> ToolSpec:
    """What is said of a tool that is not there, so that every rule can still be asked."""
    return ToolSpec(
        slug=envelope.tool_slug,
        version=envelope.tool_version,
        provider=envelope.provider,
        display_name=envelope.tool_slug,
        description="",
        schema={"type": "object"},
        risk=_risk(envelope.risk),
    )
