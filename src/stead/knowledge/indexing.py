"""HNSW indexes for the collections that have earned one by their size.

Reading all vectors of a collection is exact and faster while they are few. Beyond that a partial index of its own
serves it. Every index costs each INSERT and each plan a little, so there are at most 64, for the largest.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import structlog

from stead.db import NOBODY, Database
from stead.knowledge import hnsw, queries
from stead.knowledge.hnsw import Collection
from stead.providers.embedders import Embedder

_log = structlog.stdlib.get_logger(__name__)
#: Collections of more documents are indexed: those of which recall does not read every vector.
LARGE: Final = 20_000
_MOST: Final = 64
#: Enough for about 300,000 vectors of 256 dimensions; more are built more slowly.
_MEMORY_MB: Final = 512
_WATCH_S: Final = 5.0

Report: TypeAlias = Callable[[str], Any]
if TYPE_CHECKING:
    ConnectAsOwner: TypeAlias = Callable[[], AbstractAsyncContextManager[hnsw.Connection]]


@dataclass(frozen=True, kw_only=True)
class IndexRound:
    """What one round did, or (of a trial) would do.

    Args:
        built: Collections that have an index now.
        dropped: Collections whose index is gone.
        failed: Collections whose index could not be built; the next round tries again.
        cleared: Names of what a builder that died had left behind.
        skipped: Why nothing was looked at, if so.
    """

    built: list[Collection] = field(default_factory=list[Collection])
    dropped: list[Collection] = field(default_factory=list[Collection])
    failed: list[Collection] = field(default_factory=list[Collection])
    cleared: list[str] = field(default_factory=list[str])
    skipped: str | None = None


async def index_large_scopes(
    connect_as_owner: ConnectAsOwner,
    embedder: Embedder,
    *,
    large: int = LARGE,
    most: int = _MOST,
    trial: bool = False,
    report: Report | None = None,
) -> IndexRound:
    """Builds what is missing, and drops what is no longer earned, one at a time; nobody waits for it.

    One builder works at a time in a database; another one finds that out and goes. A builder may die at any point:
    searches use an index only once it is registered as ready, and the next round clears the rest away.

    Args:
        connect_as_owner: Opens a connection of the login that owns Stead's tables, through no transaction pooler.
        embedder: The model in use: new indexes are for its vectors.
        large: A collection of more documents, with as many vectors, is given an index; one that shrinks to half
            of it loses it.
        most: How many indexes there may be. Larger collections come first; an index that is there counts double,
            so that two of about the same size don't take it from each other.
        trial: Only find out.
        report: Told in words what is done.

    Raises:
        DatabaseUnavailable: There is no such connection.
    """
    say: Report = report or (lambda _: None)
    async with connect_as_owner() as owner:
        home = await hnsw.home(owner)
        if home is None:
            return IndexRound(
                skipped="vectors are real[] and searched exactly: see `stead db vectorize`"
            )
        if trial:
            return _round(await hnsw.large_collections(owner, large, embedder.model_id), large, most)
        if not await hnsw.become_builder(owner):
            return IndexRound(skipped="somebody else is building")
        await hnsw.begin(owner, _MEMORY_MB)
        cleared = await _clear(owner, say)
        todo = _round(await hnsw.large_collections(owner, large, embedder.model_id), large, most)
        for collection in todo.dropped:
            await _drop(owner, collection, say)
        failed: list[Collection] = []
        for collection in todo.built:
            async with _watched(connect_as_owner, owner, report):
                if not await _build(owner, collection, home, say):
                    failed.append(collection)
        built = [collection for collection in todo.built if collection not in failed]
        return IndexRound(built=built, dropped=todo.dropped, failed=failed, cleared=cleared)


async def unindexed(db: Database, embedder: Embedder, *, large: int = LARGE) -> int:
    """How many collections wait for an index, for a process that cannot build one."""
    async with db.transaction(NOBODY, read_only=True) as tx:
        return await queries.unindexed_collections(tx, large, embedder.model_id)


def choose(
    collections: Sequence[Collection], large: int, most: int
) -> tuple[list[Collection], list[Collection]]:
    """Which collections are to get an index, largest first, and which are to lose theirs."""
    earned = [
        c
        for c in collections
        if c.vectors > large or (c.index_name is not None and 2 * c.vectors >= large)
    ]
    earned.sort(key=lambda c: (-c.documents * (2 if c.index_name else 1), c.scope_id))
    kept = earned[:most]
    return (
        [c for c in kept if c.index_name is None],
        [c for c in collections if c.index_name is not None and c not in kept],
    )


def _round(collections: Sequence[Collection], large: int, most: int) -> IndexRound:
    build, drop = choose(collections, large, most)
    return IndexRound(built=build, dropped=drop)


def _name(collection: Collection) -> str:
    of = f"{collection.tenant_id} {collection.scope_id} {collection.kind} {collection.model_id}"
    return f"embeddings_hnsw_{hashlib.sha256(of.encode()).hexdigest()[:16]}"


async def _clear(owner: hnsw.Connection, say: Report) -> list[str]:
    """Puts right what a builder that died left: an index that is invalid, or one that is not registered."""
    cleared: list[str] = []
    for state in await hnsw.states(owner):
        name = state["name"]
        if state["registered"] and state["valid"]:
            if not state["ready"]:  # it died between the two last steps
                await hnsw.set_ready(owner, name)
                cleared.append(name)
            continue
        say(f"clearing away {name}")
        await _take_away(owner, name)
        cleared.append(name)
    return cleared


async def _drop(owner: hnsw.Connection, collection: Collection, say: Report) -> None:
    name = collection.index_name
    if name is not None:
        say(f"dropping {name}")
        await _take_away(owner, name)
        _log.info("vector_index_dropped", index=name, tenant_id=str(collection.tenant_id))


async def _take_away(owner: hnsw.Connection, name: str) -> None:
    await hnsw.unregister(owner, name)
    try:
        await hnsw.drop(owner, name)
    except asyncpg.LockNotAvailableError as error:
        # Behind a transaction of ten minutes. Nobody searches with it, and the next round finds it.
        _log.warning("vector_index_failed", index=name, reason=type(error).__name__)


async def _build(owner: hnsw.Connection, collection: Collection, home: str, say: Report) -> bool:
    name = _name(collection)
    say(f"building {name} for {collection.documents} documents")
    try:
        await hnsw.register(owner, name, collection, home)
        await hnsw.build(owner, name, collection, home)
        await hnsw.set_ready(owner, name)
    except asyncpg.PostgresError as error:
        if owner.is_closed():
            raise
        _log.warning("vector_index_failed", index=name, reason=type(error).__name__)
        say(f"{name} could not be built: {error}")
        await _take_away(owner, name)
        return False
    _log.info(
        "vector_index_built",
        index=name,
        tenant_id=str(collection.tenant_id),
        documents=collection.documents,
    )
    return True


@asynccontextmanager
async def _watched(
    connect_as_owner: ConnectAsOwner, owner: hnsw.Connection, report: Report | None
) -> AsyncGenerator[None]:
    """Tells how far a build is, from beside it, to somebody who listens."""
    if report is None:
        yield
        return
    pid = owner.get_server_pid()

    async def watch() -> None:
        said: str | None = None
        async with connect_as_owner() as beside:
            while True:
                await asyncio.sleep(_WATCH_S)
                now = await hnsw.progress(beside, pid)
                if now not in {None, said}:
                    report(str(now))
                said = now

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
