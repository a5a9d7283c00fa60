"""The statements about edges between beliefs: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from stead.db import Row, Transaction

_EDGE: Final = "id, from_belief_id, to_belief_id, relation, weight, created_at"


async def upsert_edge(
    tx: Transaction,
    edge_id: UUID,
    tenant_id: UUID,
    from_belief_id: UUID,
    to_belief_id: UUID,
    relation: str,
    weight: float,
) -> Row | None:
    # The join finds nothing where the two are not in one scope.
    return await tx.row(
        f"""
        insert into public.belief_edges as e
          (id, tenant_id, scope_id, from_belief_id, to_belief_id, relation, weight)
        select $1, $2, f.scope_id, f.id, t.id, $5, $6
        from public.belief_graphs f join public.belief_graphs t
          on t.tenant_id = f.tenant_id and t.scope_id = f.scope_id
        where f.tenant_id = $2 and f.id = $3 and t.id = $4
        on conflict (tenant_id, from_belief_id, to_belief_id, relation) do update set weight = excluded.weight
        returning {_EDGE}
        """,
        edge_id,
        tenant_id,
        from_belief_id,
        to_belief_id,
        relation,
        weight,
    )


async def delete_edge(
    tx: Transaction, tenant_id: UUID, from_belief_id: UUID, to_belief_id: UUID, relation: str
) -> int:
    return await tx.execute(
        """
        delete from public.belief_edges
        where tenant_id = $1 and from_belief_id = $2 and to_belief_id = $3 and relation = $4
        """,
        tenant_id,
        from_belief_id,
        to_belief_id,
        relation,
    )


async def edges_of(tx: Transaction, tenant_id: UUID, belief_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        f"""
        select {_EDGE} from public.belief_edges e
        where e.tenant_id = $1 and (e.from_belief_id = any ($2) or e.to_belief_id = any ($2))
          and e.scope_id in (select b.scope_id from public.belief_graphs b where b.tenant_id = $1 and b.id = any ($2))
        order by e.created_at, e.id
        """,
        tenant_id,
        list(belief_ids),
    )
