"""Putting, getting, finding and deleting items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeAlias
from uuid import UUID

from stead import knowledge
from stead.core.ids import new_id
from stead.db import NOBODY, Database, Row, Transaction
from stead.identity import Principal
from stead.knowledge import Hit, Vector
from stead.memory.items import queries
from stead.memory.items.models import Condition, Item, Namespace, NewItem, Owner, Pattern
from stead.memory.items.validity import (
    MAX_LABELS,
    check_conditions,
    check_item,
    check_key,
    check_labels,
    check_page,
    check_patterns,
)
from stead.providers.embedders import Embedder

KIND: Final = "item"
#: The first search asks for so many times what is wanted; conditions may leave few of them.
_FIRST_FACTOR: Final = 4
_FIRST_LEAST: Final = 100
_EVERYTHING: Final = 2**31 - 1

Key: TypeAlias = tuple[Namespace, str]


def owner_of(principal: Principal) -> Owner:
    """Whose items a principal means: a person their own, the holder of a session that session's, a service the
    tenant's."""
    session_id = principal.session_id if principal.kind == "anonymous" else None
    return Owner(tenant_id=principal.tenant.id, profile_id=principal.profile_id, session_id=session_id)


def _item(row: Row, score: float | None = None) -> Item:
    return Item(
        namespace=tuple(row["namespace"]),
        key=row["key"],
        value=row["value"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        expires_at=row["expires_at"],
        score=score,
    )


async def get(tx: Transaction, owner: Owner, keys: Iterable[Key]) -> dict[Key, Item]:
    """Items by their keys; those that are not there, or whose time is over, are missing.

    Raises:
        ItemInvalid: A namespace or a key cannot be one.
    """
    wanted = list(dict.fromkeys(keys))
    for namespace, key in wanted:
        check_key(namespace, key)
    if not wanted:
        return {}
    found = [_item(row) for row in await queries.items_by_key(tx, owner, wanted)]
    return {(item.namespace, item.key): item for item in found}


async def refresh(tx: Transaction, owner: Owner, found: Iterable[Item]) -> int:
    """Begins the time of items anew, because they were read; returns of how many. Others have no end."""
    keys = [(item.namespace, item.key) for item in found if item.expires_at is not None]
    return await queries.refresh(tx, owner, keys) if keys else 0


async def put(tx: Transaction, owner: Owner, items: Iterable[NewItem], *, embedder: Embedder) -> None:
    """Stores items; one that is there under the same key gets the new value. Of two under one key the later holds.

    Args:
        tx: A transaction as the server.
        owner: Whose they are.
        items: With vectors, where they could be made.
        embedder: The model of the vectors.

    Raises:
        ItemInvalid: One of them cannot be stored; then none is.
    """
    new = {(item.namespace, item.key): item for item in items}
    for item in new.values():
        check_item(item)
    if not new:
        return
    rows = await queries.upsert_items(tx, owner, [(new_id(), item) for item in new.values()])
    vectors: list[Vector] = []
    for row in rows:
        values = new[tuple(row["namespace"]), row["key"]].vector
        if values is not None:
            vectors.append(Vector(owner_id=row["id"], scope_id=owner.scope_id, values=values))
    if vectors:
        await knowledge.insert(tx, owner.tenant_id, KIND, embedder, vectors)
        await queries.vectors_stored(tx, [vector.owner_id for vector in vectors])


async def delete(tx: Transaction, owner: Owner, keys: Iterable[Key]) -> int:
    """Deletes items, with what they are found by; returns how many there were."""
    gone = list(dict.fromkeys(keys))
    for namespace, key in gone:
        check_key(namespace, key)
    return await queries.delete_items(tx, owner, gone) if gone else 0


async def search(
    tx: Transaction,
    owner: Owner,
    prefix: Namespace,
    *,
    embedder: Embedder,
    conditions: Sequence[Condition] = (),
    question: str | None = None,
    vector: Sequence[float] | None = None,
    limit: int = 10,
    offset: int = 0,
) -> list[Item]:
    """Items at or below a namespace: the best answers first where something is asked, else what was written last.

    Args:
        tx: A transaction as the server.
        owner: Whose.
        prefix: The namespace; empty: all.
        embedder: The model whose vectors are searched.
        conditions: What their values have to be.
        question: In words. What was put without a search text answers none.
        vector: The question's embedding, made before the transaction; None searches by words only.
        limit: How many at most.
        offset: How many to leave out.

    Raises:
        ItemInvalid: A label, a condition or the page cannot be.
    """
    check_labels(prefix)
    check_conditions(conditions)
    check_page(limit, offset)
    asked = [{"path": c.path, "op": c.operator, "operand": c.operand} for c in conditions]
    if question is None:
        return [_item(r) for r in await queries.items_below(tx, owner, prefix, asked, limit, offset)]
    found, hits = await _found(tx, owner, prefix, asked, question, vector, embedder, limit, offset)
    scores = _scores(hits)
    return [_item(row, scores[row["id"]]) for row in found]


async def _found(
    tx: Transaction,
    owner: Owner,
    prefix: Namespace,
    asked: list[dict[str, Any]],
    question: str,
    vector: Sequence[float] | None,
    embedder: Embedder,
    limit: int,
    offset: int,
) -> tuple[list[Row], list[Hit]]:
    # The search ranks all that is below the first label. What conditions leave of the best may be too few: then
    # all are looked at, which costs little more than the search itself.
    found: list[Row] = []
    hits: list[Hit] = []
    for wanted in (max(_FIRST_LEAST, _FIRST_FACTOR * (offset + limit)), _EVERYTHING):
        hits = await knowledge.search(
            tx,
            KIND,
            owner.scope_id,
            question,
            embedder=embedder,
            vector=vector,
            limit=wanted,
            facet=prefix[0] if prefix else None,
        )
        ids = [hit.owner_id for hit in hits]
        found = await queries.items_among(tx, owner, ids, prefix, asked, limit, offset)
        if len(found) == limit or len(hits) < wanted:
            break
    return found, hits


def _scores(hits: Sequence[Hit]) -> dict[UUID, float]:
    """Between 0 and 1, in the order of the search: the best answer has the likeness of the nearest vector, so that
    a question to which nothing is near has low scores throughout."""
    best = max((hit.score for hit in hits), default=0.0)
    nearest = max((hit.dense for hit in hits if hit.dense is not None), default=None)
    top = 1.0 if nearest is None else min(nearest, 1.0)
    return {hit.owner_id: top * hit.score / best if best else 0.0 for hit in hits}


async def namespaces(
    tx: Transaction,
    owner: Owner,
    *,
    patterns: Sequence[Pattern] = (),
    max_depth: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Namespace]:
    """Namespaces in which there are items, in order.

    Args:
        tx: A transaction as the server.
        owner: Whose.
        patterns: What they begin and end with.
        max_depth: Labels after so many are cut off, and what is the same then is told once.
        limit: How many at most.
        offset: How many to leave out.

    Raises:
        ItemInvalid: A label or the page cannot be.
    """
    check_patterns(patterns)
    check_page(limit, offset)
    if max_depth is not None:
        max_depth = min(max(max_depth, 0), MAX_LABELS)
    told = [asdict(pattern) for pattern in patterns]
    return await queries.namespaces(tx, owner, _literal(patterns), told, max_depth, limit, offset)


def _literal(patterns: Sequence[Pattern]) -> Namespace:
    """The longest beginning that the patterns say without a ``*``."""
    beginnings: list[Namespace] = [()]
    for pattern in patterns:
        if pattern.at == "prefix":
            stars = [n for n, label in enumerate(pattern.labels) if label == "*"]
            beginnings.append(pattern.labels[: stars[0]] if stars else pattern.labels)
    return max(beginnings, key=len)


async def move_session(tx: Transaction, principal: Principal, session_id: UUID, profile_id: UUID) -> int:
    """Makes the items of a session that was linked those of the person; returns how many. What the person has
    under the same key stays as it is, and the session's goes."""
    await queries.drop_twins(tx, principal.tenant.id, session_id, profile_id)
    return await queries.move_session(tx, principal.tenant.id, session_id, profile_id)


async def sweep(db: Database, *, batch: int = 1000) -> int:
    """Deletes items whose time is over, some at a time; returns how many. They are found no more anyway."""
    async with db.transaction(NOBODY) as tx:
        return await queries.sweep(tx, batch)
