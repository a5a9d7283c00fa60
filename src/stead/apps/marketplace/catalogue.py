"""The catalogue of agents for hire: listed, searched, described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead import knowledge
from stead.agents import AgentUnknown
from stead.apps.marketplace import queries
from stead.apps.marketplace.models import (
    Detail,
    Endorsement,
    Filters,
    Listing,
    MemoryStatistics,
    Page,
    Tag,
)
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.providers.embedders import Embedder

#: How deep a search goes: what comes later fits so little that nobody pages there.
SEARCH_DEPTH: Final = 500
_ENDORSEMENTS: Final = 20
_FIELDS: Final = frozenset(Listing.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Agents that a search found, and how well they fit, 0 to 1."""

    ids: list[UUID]
    scores: list[float]

    @property
    def by_id(self) -> dict[UUID, float]:
        """The same, to look up."""
        return dict(zip(self.ids, self.scores, strict=True))


def as_listing(row: Row) -> Listing:
    """A row of the catalogue; what else it has is left out."""
    fields: dict[str, Any] = {name: v for name, v in row.items() if name in _FIELDS}
    fields["tags"] = [Tag(**tag) for tag in row["tags"]]
    return Listing(**fields)


async def search(
    tx: Transaction,
    principal: Principal,
    question: str,
    *,
    embedder: Embedder,
    vector: Sequence[float] | None,
) -> Found:
    """Public agents for a question, by words and by meaning. 1: nothing in the catalogue is nearer.

    Args:
        tx: A transaction as the server.
        principal: In whose tenant.
        question: In words.
        embedder: The model whose vectors are searched.
        vector: The question's embedding, or None.
    """
    hits = await knowledge.search(
        tx,
        "agent",
        principal.tenant.id,
        question,
        embedder=embedder,
        vector=vector,
        limit=SEARCH_DEPTH,
        facet="public",
        shared=True,
    )
    hits = [hit for hit in hits if hit.score > 0]
    # Each arm is divided by its best: an arm that says nothing of any agent counts for none.
    arms = any(hit.dense for hit in hits) + any(hit.lexical for hit in hits)
    return Found(
        ids=[hit.owner_id for hit in hits], scores=[min(hit.score / (arms or 1), 1.0) for hit in hits]
    )


async def listing(
    tx: Transaction,
    principal: Principal,
    filters: Filters,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 20,
) -> Page[Listing]:
    """Public agents of the tenant and the shared catalogue, the latest first, in one statement."""
    at, at_id = before or (None, None)
    rows = await queries.listings_before(tx, principal.tenant.id, filters, at, at_id, limit + 1)
    items = [as_listing(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


async def found_listing(
    tx: Transaction,
    principal: Principal,
    filters: Filters,
    found: Found,
    *,
    below: tuple[float, UUID] | None = None,
    limit: int = 20,
) -> Page[Listing]:
    """What a search found, the best first."""
    score, score_id = below or (None, None)
    rows = await queries.listings_found(
        tx, principal.tenant.id, filters, found.ids, found.scores, score, score_id, limit + 1
    )
    items = [as_listing(row) for row in rows[:limit]]
    last = items[-1] if len(rows) > limit else None
    return Page(
        items=items, next_score=None if last is None or last.score is None else (last.score, last.id)
    )


async def get(tx: Transaction, principal: Principal, slug: str) -> Detail:
    """An agent with its endorsements and what is remembered with it. A service sees hidden ones too.

    Raises:
        AgentUnknown: There is none for this caller.
    """
    row = await queries.listing_by_slug(
        tx, principal.tenant.id, slug, only_public=principal.kind != "service"
    )
    if row is None:
        raise AgentUnknown("no agent of that name is listed here", hint="GET /api/agents lists them.")
    said = await queries.endorsements(tx, row["id"], _ENDORSEMENTS)
    memory = await queries.memory_statistics(tx, principal.tenant.id, row["id"])
    assert memory is not None  # noqa: S101 - an aggregate always has a row
    return Detail(
        listing=as_listing(row),
        endorsements=[Endorsement(**dict(one)) for one in said],
        memory=MemoryStatistics(**dict(memory)),
    )


async def slug_of(tx: Transaction, agent_id: UUID | None) -> str | None:
    """What an agent is called."""
    return None if agent_id is None else await queries.agent_slug(tx, agent_id)


async def save_listing(
    tx: Transaction,
    principal: Principal,
    slug: str,
    *,
    fields: Mapping[str, Any],
    tags: Mapping[str, str],
) -> Listing:
    """Says what one of the tenant's own agents costs, can and is about; replaces what was said before.

    Args:
        tx: A transaction of the tenant's service.
        principal: The service.
        slug: Which agent.
        fields: ``pricing_model``, ``base_rate``, ``rating``, ``experience_years``, ``success_rate``,
            ``industries``.
        tags: Labels by slug.

    Raises:
        AgentUnknown: The tenant has no such agent of its own.
    """
    industries = dict.fromkeys(name.strip().lower() for name in fields["industries"])
    agent_id = await queries.update_listing(
        tx, principal.tenant.id, slug, {**fields, "industries": [name for name in industries if name]}
    )
    if agent_id is None:
        raise AgentUnknown("no agent of this organisation is called so", hint="POST /v1/agents first.")
    # In one order, so that two that save the same new tags wait for each other and do not deadlock.
    ordered = sorted(tags)
    await queries.insert_tags(tx, principal.tenant.id, ordered, [tags[tag] for tag in ordered])
    await queries.replace_tags(tx, principal.tenant.id, agent_id, ordered)
    row = await queries.listing_by_slug(tx, principal.tenant.id, slug, only_public=False)
    assert row is not None  # noqa: S101 - just written
    return as_listing(row)


async def endorse(
    tx: Transaction, principal: Principal, slug: str, *, author: str, quote: str, rating: float | None
) -> Endorsement:
    """Adds what somebody says of one of the tenant's own agents.

    Raises:
        AgentUnknown: The tenant has no such agent of its own.
    """
    agent_id = await queries.own_agent(tx, principal.tenant.id, slug)
    if agent_id is None:
        raise AgentUnknown("no agent of this organisation is called so", hint="POST /v1/agents first.")
    row = await queries.insert_endorsement(tx, principal.tenant.id, agent_id, author, quote, rating)
    assert row is not None  # noqa: S101 - an insert returns it
    return Endorsement(**dict(row))
