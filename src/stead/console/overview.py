"""What waits, at one look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Response

from stead import outbox
from stead.actions import Approval, approving
from stead.console.dependencies import Operator, Viewer
from stead.console.pages import elsewhere
from stead.console.routing import PageRoute
from stead.governance import PolicyInvalid, StoredPolicy, policies, read_policy
from stead.http.dependencies import config_of

router = APIRouter(route_class=PageRoute)
_SHOWN: Final = 5
#: In the order of an envelope's life; what waits for a person has a place of its own.
_QUEUE: Final = ("proposed", "deferred", "awaiting_approval", "pending", "executing", "retry_wait")


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What there is to see.

    What is None is not for this operator.

    Args:
        approvals: The latest that are pending.
        queue: How many envelopes are in each state that is not over.
        unknown: How many outcomes are not known.
        letters: How many dead letters there are.
        killed: ``on``, ``partly``, ``off``; ``unreadable``: the policy cannot be read, so nothing is allowed.
        policy_version: Of the policy.
    """

    approvals: list[Approval] | None
    queue: dict[str, int] | None
    unknown: int | None
    letters: int | None
    killed: str | None
    policy_version: int


@router.get("/console")
async def overview(operator: Viewer) -> Response:
    """Approvals, unknown outcomes, dead letters, the queue, the kill switch, and what is offline."""
    config = config_of(operator.request)
    return operator.page(
        "overview.html",
        waiting=await _waiting(operator),
        offline_model=config.model == "offline",
        static_embedder=config.embedder == "static",
    )


@router.get("/console/")
async def slash() -> Response:
    """The same, as people type it."""
    return elsewhere("/console")


async def _waiting(operator: Operator) -> Waiting:
    who = operator.principal
    counts: dict[str, int] | None = None
    async with operator.db.transaction(who.served(), read_only=True) as tx:
        pending: list[Approval] | None = None
        if operator.may("approvals"):
            pending = await approving.listing(tx, who, limit=_SHOWN)
        policy = await policies.get(tx, who)
        # The figures are the whole tenant's.
        if who.kind == "service" and operator.may("outbox"):
            found = await outbox.upkeep.depths(tx, who.tenant.id)
            counts = {status: n for (_, status), n in found.items()}
    return Waiting(
        approvals=pending,
        queue=None if counts is None else {status: counts.get(status, 0) for status in _QUEUE},
        unknown=None if counts is None else counts.get("outcome_unknown", 0),
        letters=None if counts is None else counts.get("dlq", 0),
        killed=_killed(policy) if operator.may("guardrails") else None,
        policy_version=policy.version,
    )


def _killed(policy: StoredPolicy) -> str:
    try:
        switch = read_policy(policy.policy, policy.version).kill_switch
    except PolicyInvalid:
        return "unreadable"
    if switch.everything:
        return "on"
    some = any(names.exact or names.prefixes for names in (switch.tools, switch.providers))
    return "partly" if some else "off"
