"""Keeping memories worth having: fading, archiving, expiry, and near-duplicates made one.

Each function does one bounded round and returns how much it did; any number of workers may call it. What a
tenant wants of it stands in ``memory_policies``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from stead.db import NOBODY, Database
from stead.identity import Tenant, tenant_service
from stead.memory import queries
from stead.memory.settling import same_statement
from stead.providers.embedders import Embedder

#: Vectors only bring what is worth comparing; words decide.
_NEAR: Final = 0.75
_MOST_PAIRS: Final = 2000


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A live fact that has a near one."""

    id: UUID
    content: str
    topic: str | None
    confidence: float
    importance: float
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Facts that say the same.

    Args:
        survivor: The surest, of several the latest.
        others: What it takes the place of.
    """

    survivor: UUID
    others: list[UUID]


async def fade(db: Database, *, batch: int = 2000) -> int:
    """Lets the importance of memories fade that were not needed, and archives what is stale or useless."""
    async with db.transaction(NOBODY) as tx:
        return await queries.fade_memories(tx, batch)


async def expire(db: Database, *, batch: int = 1000) -> int:
    """Deletes what a tenant's policy does not keep any longer."""
    async with db.transaction(NOBODY) as tx:
        return await queries.expire_memories(tx, batch)


async def consolidate(db: Database, embedder: Embedder, *, lease_s: float = 120.0) -> int:
    """Looks through the facts of one scope that has new ones, and makes near-duplicates one.

    The survivor takes the sources and the certainty of all; the others stay, superseded by it.

    Returns:
        1 when a scope was looked through, 0 when none was waiting.
    """
    async with db.transaction(NOBODY) as tx:
        claim = await queries.claim_consolidation(tx, lease_s)
    if claim is None:
        return 0
    principal = tenant_service(Tenant(id=claim["tenant_id"], slug=claim["tenant_slug"]))
    scope_id: UUID = claim["scope_id"]
    async with db.transaction(principal) as tx:
        # As long as this lasts nobody writes facts in this scope: see `remember`.
        await queries.lock_scope(tx, scope_id)
        rows = await queries.near_pairs(
            tx, scope_id, embedder.model_id, embedder.dimensions, _NEAR, _MOST_PAIRS
        )
        pairs = [(row["one"], row["other"]) for row in rows]
        facts = await queries.candidates(tx, principal.tenant.id, list({i for p in pairs for i in p}))
        merges = merge([Candidate(**dict(row)) for row in facts], pairs)
        for found in merges:
            await queries.merge_facts(tx, principal.tenant.id, found.survivor, found.others)
        if merges:
            await queries.insert_log(
                tx,
                principal.tenant.id,
                scope_id if claim["is_profile"] else None,
                None if claim["is_profile"] else scope_id,
                None,
                None,
                "write",
                None,
                {"consolidated": {str(m.survivor): [str(i) for i in m.others] for m in merges}},
            )
    async with db.transaction(NOBODY) as tx:
        await queries.finish_consolidation(tx, principal.tenant.id, scope_id, claim["ticket"])
    return 1


def merge(facts: Sequence[Candidate], pairs: Sequence[tuple[UUID, UUID]]) -> list[Merge]:
    """Groups of facts that say the same, each pair of them directly: likeness does not travel along a chain."""
    by_id = {fact.id: fact for fact in facts}
    taken: set[UUID] = set()
    merges: list[Merge] = []
    same: dict[UUID, set[UUID]] = {}
    for one, other in pairs:
        if one in by_id and other in by_id and _say_the_same(by_id[one], by_id[other]):
            same.setdefault(one, set()).add(other)
            same.setdefault(other, set()).add(one)
    for fact in sorted(facts, key=lambda f: (f.confidence, f.happened_at, f.id), reverse=True):
        others = sorted(i for i in same.get(fact.id, ()) if i not in taken)
        if fact.id in taken or not others:
            continue
        taken.update(others, [fact.id])
        merges.append(Merge(survivor=fact.id, others=others))
    return merges


def _say_the_same(one: Candidate, other: Candidate) -> bool:
    return same_statement(one.content, other.content) and same_statement(other.content, one.content)
