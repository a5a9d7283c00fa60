"""Edges between beliefs, and passing confidence along them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from stead.core.ids import new_id
from stead.db import Transaction
from stead.identity import Principal
from stead.memory.cognition import beliefs
from stead.memory.cognition.errors import BeliefInvalid, BeliefUnknown
from stead.memory.cognition.models import Belief, BeliefEdge, Evidence, Relation
from stead.memory.cognition.queries import beliefs as belief_queries
from stead.memory.cognition.queries import edges as queries

#: How evidence that is itself a belief is called.
BELIEF: Final = "belief"
_RELATIONS: Final = frozenset({"supports", "contradicts", "refines", "depends_on"})


async def connect(
    tx: Transaction,
    principal: Principal,
    from_belief_id: UUID,
    to_belief_id: UUID,
    relation: Relation,
    *,
    weight: float = 1.0,
) -> BeliefEdge:
    """Says how one belief bears on another of the same holder; said again, it changes the weight.

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        from_belief_id: What supports, contradicts, refines or depends.
        to_belief_id: What is supported, contradicted, refined or depended on.
        relation: How.
        weight: How much, 0 to 1.

    Raises:
        BeliefUnknown: One of them is not there for this caller, or they are of different people or sessions.
        BeliefInvalid: Both are the same, or relation or weight do not fit.
    """
    if from_belief_id == to_belief_id:
        raise BeliefInvalid("a belief does not bear on itself")
    if relation not in _RELATIONS:
        raise BeliefInvalid(f"{relation!r} is no relation", hint=", ".join(sorted(_RELATIONS)))
    if not 0 <= weight <= 1:
        raise BeliefInvalid(f"weight is {weight}", hint="0 to 1.")
    row = await queries.upsert_edge(
        tx, new_id(), principal.tenant.id, from_belief_id, to_belief_id, relation, weight
    )
    if row is None:
        raise BeliefUnknown("these two are not beliefs of one person or session of yours")
    return BeliefEdge(**dict(row))


async def disconnect(
    tx: Transaction,
    principal: Principal,
    from_belief_id: UUID,
    to_belief_id: UUID,
    relation: Relation,
) -> bool:
    """Removes an edge; returns whether it was there. What was passed along it stays until `propagate`."""
    gone = await queries.delete_edge(tx, principal.tenant.id, from_belief_id, to_belief_id, relation)
    return gone > 0


async def edges(tx: Transaction, principal: Principal, belief_id: UUID) -> list[BeliefEdge]:
    """The edges from and to a belief, oldest first."""
    rows = await queries.edges_of(tx, principal.tenant.id, [belief_id])
    return [BeliefEdge(**dict(row)) for row in rows]


async def propagate(
    tx: Transaction, principal: Principal, belief_id: UUID, *, damping: float = 0.5
) -> list[Belief]:
    """Passes a belief's confidence one step along its edges, as evidence of kind ``belief``.

    A belief that is held (above 0.5) speaks for what it supports or refines, and against what it contradicts. One
    that is doubted (below 0.5) speaks against what depends on it; it says nothing of what it would support. Its
    confidence is the evidence's reliability, the edge's weight times ``damping`` the evidence's weight.

    What it passed before is replaced, not added to, so that repeating this changes nothing. It goes one step and
    only on request: round a circle, beliefs would otherwise confirm themselves.

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        belief_id: The belief that speaks.
        damping: The share of its weight that arrives, 0 to 1.

    Returns:
        The beliefs that changed.

    Raises:
        BeliefUnknown: There is none of this id, or it is somebody else's.
        BeliefInvalid: ``damping`` is out of bounds.
    """
    if not 0 <= damping <= 1:
        raise BeliefInvalid(f"damping is {damping}", hint="0 to 1.")
    tenant_id = principal.tenant.id
    around = await edges(tx, principal, belief_id)
    standing = {
        row["belief_id"]: row
        for row in await belief_queries.standing_from(tx, tenant_id, BELIEF, belief_id)
    }
    near = {e.to_belief_id for e in around} | {e.from_belief_id for e in around} | standing.keys()
    locked = await belief_queries.lock_beliefs(tx, tenant_id, [belief_id, *near])
    held = {row["id"]: row["confidence"] for row in locked}
    if belief_id not in held:
        raise BeliefUnknown("no belief with this id is yours")
    wanted = _said(belief_id, held[belief_id], around, damping)
    changed: dict[UUID, Belief] = {}
    for target in sorted(held.keys() & (standing.keys() | wanted.keys())):
        old, new = standing.get(target), wanted.get(target)
        if old and new and _same(old["direction"], old["weight"], old["reliability"], new):
            continue
        if old is not None:
            changed[target], _ = await beliefs.retract(tx, principal, target, BELIEF, belief_id)
        if new is not None:
            changed[target], _ = await beliefs.weigh(tx, principal, target, new)
    return list(changed.values())


async def withdraw(tx: Transaction, principal: Principal, belief_id: UUID) -> int:
    """Takes back whatever a belief passed on; returns from how many beliefs."""
    rows = await belief_queries.standing_from(tx, principal.tenant.id, BELIEF, belief_id)
    for row in rows:
        await beliefs.retract(tx, principal, row["belief_id"], BELIEF, belief_id)
    return len(rows)


async def remove(tx: Transaction, principal: Principal, belief_id: UUID) -> None:
    """Deletes a belief with its edges and history, and takes back what it passed on.

    Raises:
        BeliefUnknown: There is none of this id, or it is somebody else's.
    """
    await withdraw(tx, principal, belief_id)
    if not await belief_queries.delete_beliefs(tx, principal.tenant.id, [belief_id]):
        raise BeliefUnknown("no belief with this id is yours")


def _said(
    source: UUID, confidence: float, around: list[BeliefEdge], damping: float
) -> dict[UUID, Evidence]:
    """What a belief says to each of its neighbours."""
    sums: dict[UUID, float] = {}
    for edge in around:
        outward = edge.from_belief_id == source
        if confidence > 0.5 and outward and edge.relation != "depends_on":
            target, sign = edge.to_belief_id, -1.0 if edge.relation == "contradicts" else 1.0
        elif confidence < 0.5 and not outward and edge.relation == "depends_on":
            target, sign = edge.from_belief_id, -1.0
        else:
            continue
        sums[target] = sums.get(target, 0.0) + sign * edge.weight * damping
    reliability = min(max(confidence, 1 - confidence), beliefs.MAX_RELIABILITY)
    return {
        target: Evidence(
            kind=BELIEF,
            id=source,
            direction="supports" if total > 0 else "contradicts",
            weight=min(abs(total), 1.0),
            reliability=reliability,
        )
        for target, total in sums.items()
        if total != 0
    }


def _same(direction: str, weight: float, reliability: float, new: Evidence) -> bool:
    return (direction, weight, reliability) == (new.direction, new.weight, new.reliability)
