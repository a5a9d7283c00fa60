"""Recall among a million memories, and in one large scope: ``python -m benchmarks.memory_scale``."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from benchmarks import report
from benchmarks.cluster import as_admin, cluster, settle
from benchmarks.words import Topics
from stead import knowledge, memory, sessions
from stead.assembly import demo
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.db.migrator import admin_connection
from stead.identity import Principal, Tenant, queries, tenant_service
from stead.memory.recall import WHOLE_BELOW
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder

_SESSION_TURNS: Final = 50
_BEGIN: Final = datetime(2025, 1, 1, 9, tzinfo=UTC)
_EXACT: Final = 1_000_000_000
_K: Final = 10
_WRITERS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A scope and some of what was said in it.

    Args:
        said: A sample of its turns, from which questions are made.
    """

    person: UUID
    said: list[str]


class Bench:
    """A database being filled through the product's write path, and asked through its read path."""

    def __init__(self, db: Database, embedder: Embedder, tenant: Tenant, seed: int) -> None:
        self.db = db
        self.embedder = embedder
        self.tenant = tenant
        self.random = random.Random(seed)
        self.topics = Topics(self.random)
        self.stored = 0

    def principal(self, person: UUID) -> Principal:
        """That person, served."""
        return Principal(
            kind="user", tenant=self.tenant, role="authenticated", profile_id=person, credential="bench"
        ).served()

    async def fill(self, turns: int) -> Filled:
        """A person with so many turns, in sessions of fifty."""
        person = new_id()
        async with self.db.transaction(tenant_service(self.tenant)) as tx:
            await queries.insert_profile(tx, self.tenant.id, person, None, None)
        said: list[str] = []
        for begin in range(0, turns, _SESSION_TURNS):
            texts = list(self._session(min(_SESSION_TURNS, turns - begin)))
            await self._store(person, texts, _BEGIN + timedelta(hours=begin / 10))
            said.append(self.random.choice(texts))
        return Filled(person=person, said=said)

    def _session(self, turns: int) -> Iterator[str]:
        topic = self.topics.any()
        for _ in range(turns):
            if self.random.random() < 0.1:
                topic = self.topics.any()
            yield self.topics.sentence(topic)

    async def _store(self, person: UUID, texts: Sequence[str], at: datetime) -> None:
        principal = self.principal(person)
        async with self.db.transaction(principal) as tx:
            session, _ = await sessions.open_session(tx, principal)
        prepared = await memory.prepare(
            self.embedder,
            [
                memory.NewMemory(
                    content=text,
                    kind="turn",
                    speaker=("user", "assistant")[n % 2],
                    happened_at=at + timedelta(minutes=n),
                    place=sessions.place_of(session.number, n + 1),
                    message_ids=(new_id(),),
                )
                for n, text in enumerate(texts)
            ],
        )
        async with self.db.transaction(principal) as tx:
            await memory.remember(
                tx,
                principal,
                session_id=session.id,
                profile_id=person,
                memories=prepared,
                embedder=self.embedder,
            )
        self.stored += len(texts)

    async def ask(self, person: UUID, text: str, *, exact: bool = False) -> tuple[float, list[UUID]]:
        """Milliseconds of one recall inside its transaction, and what it found."""
        vector = (await self.embedder.embed([text]))[0]
        async with self.db.transaction(self.principal(person), read_only=False) as tx:
            began = time.perf_counter()
            found = await memory.recall(
                tx,
                person,
                memory.Question(text=text, vector=vector, asked_at=_BEGIN + timedelta(days=900)),
                embedder=self.embedder,
                limit=_K,
                whole_below=_EXACT if exact else WHOLE_BELOW,
            )
            took = (time.perf_counter() - began) * 1000
        return took, [item.memory.id for item in found]


def times(values: Sequence[float]) -> dict[str, float]:
    """The percentiles that the bars speak of."""
    return {
        f"p{share}_ms": round(report.percentile(values, share / 100), 2) for share in (50, 95, 99)
    } | {"n": len(values)}


async def ask_many(bench: Bench, filled: Sequence[Filled], questions: int) -> dict[str, Any]:
    """Questions over many scopes, each answered exactly."""
    taken: list[float] = []
    for _ in range(questions):
        scope = bench.random.choice(filled)
        taken.append(
            (await bench.ask(scope.person, bench.topics.question(bench.random.choice(scope.said))))[0]
        )
    return times(taken)


async def ask_large(bench: Bench, scope: Filled, questions: int) -> dict[str, Any]:
    """Questions to one large scope, by index and exactly, and how much of the exact answer the index finds."""
    by_index: list[float] = []
    exactly: list[float] = []
    shares: list[float] = []
    for n in range(questions):
        text = bench.topics.question(bench.random.choice(scope.said))
        took, found = await bench.ask(scope.person, text)
        by_index.append(took)
        took, whole = await bench.ask(scope.person, text, exact=True)
        exactly.append(took)
        shares.append(len(set(found) & set(whole)) / len(whole))
        if n % 50 == 49:
            report.progress(f"asked the large scope {n + 1} times")
    return {
        **times(by_index),
        "exact": times(exactly),
        "recall_at_10_of_exact": round(sum(shares) / len(shares), 4),
        "worst_recall_at_10_of_exact": min(shares),
    }


async def sizes(access: DatabaseAccess) -> dict[str, int]:
    """Bytes of every table that a memory is in, with its indexes."""
    async with as_admin(access) as admin:
        rows = await admin.fetch(
            """
            select c.relname as name, pg_total_relation_size(c.oid) as bytes from pg_class c
            where c.oid = any (array['public.agent_memories', 'stead.search_docs', 'stead.search_terms',
              'stead.search_totals', 'stead.embeddings', 'public.memory_logs']::regclass[])
            """
        )
    return {row["name"]: row["bytes"] for row in rows}


async def measure(
    access: DatabaseAccess, scopes: int, per_scope: int, large: int, questions: int
) -> None:
    """Fills, asks, prints."""
    about = report.machine()
    embedder = build_embedder("static", EmbedderConfig())
    db = await Database.open(PoolConfig(url=access.runtime_url, max_size=4))
    try:
        assert access.admin_url is not None
        tenant = await demo.ensure_tenant(access.admin_url, "bench", "Bench", None)
        bench = Bench(db, embedder, tenant, 1)
        began = time.monotonic()
        filled: list[Filled] = []
        for n in range(0, scopes, _WRITERS):
            some = min(_WRITERS, scopes - n)
            filled += await asyncio.gather(*(bench.fill(per_scope) for _ in range(some)))
            if len(filled) % max(scopes // 40, 1) < _WRITERS:
                rate = bench.stored / (time.monotonic() - began)
                report.progress(
                    f"{bench.stored:,} memories in {len(filled)} scopes, {rate:,.0f} a second"
                )
        ingest_s = time.monotonic() - began
        ingested = bench.stored
        await knowledge.fold_totals(db)
        postgres = await settle(access)
        tables = await sizes(access)
        report.progress("asking many scopes")
        await ask_many(bench, filled, 50)
        figures: dict[str, Any] = {
            "memories": ingested,
            "scopes": scopes,
            **await ask_many(bench, filled, questions),
            "ingest_per_s": round(ingested / ingest_s, 1),
            "writers": _WRITERS,
            "bytes_per_memory": round(sum(tables.values()) / ingested),
            "bytes": tables,
        }
        if large:
            report.progress(f"filling a scope of {large:,}")
            one = await bench.fill(large)
            await knowledge.fold_totals(db)
            indexing_s = await build_index(access, embedder)
            await settle(access)
            await ask_large(bench, one, 20)
            figures["large_scope"] = {
                "memories": large,
                **await ask_large(bench, one, questions // 3),
                "index_built_s": indexing_s,
            }
    finally:
        await db.close()
        await embedder.aclose()
    report.finish("memory_scale", postgres, figures, about=about)


async def build_index(access: DatabaseAccess, embedder: Embedder) -> float:
    """What the maintenance loop does for a scope that has grown large; returns the seconds."""
    report.progress("building the index of the large scope")
    began = time.monotonic()
    assert access.admin_url is not None
    await knowledge.index_large_scopes(partial(admin_connection, access.admin_url), embedder)
    return round(time.monotonic() - began, 1)


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "Latency of recall at scale, ingest and size, through the product's own write and recall path.",
        "python -m benchmarks.memory_scale --scopes 1000 --per-scope 1000",
    )
    parser.add_argument("--scopes", type=int, default=1000, help="people")
    parser.add_argument("--per-scope", type=int, default=1000, help="memories of each")
    parser.add_argument(
        "--large", type=int, default=200_000, help="memories of one more person; 0: none"
    )
    parser.add_argument("--questions", type=int, default=600, help="recalls that are timed")
    given = parser.parse_args()
    async with cluster() as access:
        await measure(access, given.scopes, given.per_scope, given.large, given.questions)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
