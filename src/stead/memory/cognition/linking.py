"""What a session had, for the person whom it turned out to be of."""

from __future__ import annotations

from uuid import UUID

from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.memory.cognition import graph
from stead.memory.cognition.queries import beliefs as belief_queries
from stead.memory.cognition.queries import edges as edge_queries
from stead.memory.cognition.queries import linking as queries


async def move_session(tx: Transaction, principal: Principal, session_id: UUID, profile_id: UUID) -> int:
    """Makes goals, beliefs and metrics of a session that was linked those of the person.

    What the person has in the same words is kept once: its assessments, evidence and edges come together.

    Args:
        tx: A transaction of the tenant's service, in which the session was linked.
        principal: The tenant's service.
        session_id: The session.
        profile_id: The person.

    Returns:
        How many goals and beliefs became the person's.
    """
    tenant_id = principal.tenant.id
    if await queries.lock_twin_goals(tx, tenant_id, session_id, profile_id):
        await queries.copy_twin_progress(tx, tenant_id, session_id, profile_id)
        await queries.drop_twin_goals(tx, tenant_id, session_id, profile_id)
        await queries.refresh_goals(tx, tenant_id, profile_id)
    moved = await queries.move_goals(tx, tenant_id, session_id, profile_id)
    moved += await _move_beliefs(tx, principal, session_id, profile_id)
    await queries.move_metrics(tx, tenant_id, session_id, profile_id)
    return moved


async def _move_beliefs(
    tx: Transaction, principal: Principal, session_id: UUID, profile_id: UUID
) -> int:
    tenant_id = principal.tenant.id
    twins = {
        row["twin"]: row["kept"]
        for row in await queries.twin_beliefs(tx, tenant_id, session_id, profile_id)
    }
    edges: list[Row] = []
    if twins:
        await belief_queries.lock_beliefs(tx, tenant_id, [*twins, *twins.values()])
        edges = await edge_queries.edges_of(tx, tenant_id, list(twins))
        for twin, kept in twins.items():
            await queries.copy_updates(tx, tenant_id, twin, kept)
            await graph.withdraw(tx, principal, twin)
        # An edge may not lead from one scope to another: those of twins go with them, and come again below.
        await belief_queries.delete_beliefs(tx, tenant_id, list(twins))
    moved = await queries.move_beliefs(tx, tenant_id, session_id, profile_id)
    if twins:
        await belief_queries.recompute_beliefs(tx, tenant_id, list(twins.values()))
    for edge in edges:
        source, target = (twins.get(edge[end], edge[end]) for end in ("from_belief_id", "to_belief_id"))
        await edge_queries.upsert_edge(
            tx, new_id(), tenant_id, source, target, edge["relation"], edge["weight"]
        )
    return moved
