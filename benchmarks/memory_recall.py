"""Whether the turns that answer a question are found, and how fast: ``python -m benchmarks.memory_recall``."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from benchmarks import conversations, report
from benchmarks.cluster import cluster, settle
from benchmarks.conversations import Query, Scope
from stead import knowledge, memory
from stead.assembly import demo
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity import Principal, Tenant
from stead.memory.recall import DEFAULT_WEIGHTS
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder

DEFAULT_DATA: Final = Path(__file__).parent / "data" / "conversations.jsonl"
Asked = list[tuple[Query, Sequence[str]]]


class Bench:
    """A database filled with a data set, and the questions put to it."""

    def __init__(self, db: Database, embedder: Embedder, tenant: Tenant, depth: int) -> None:
        self.db = db
        self.embedder = embedder
        self.tenant = tenant
        self.depth = depth
        self.people: dict[str, UUID] = {}
        self.vectors: dict[str, Sequence[float]] = {}
        self.recall_ms: list[float] = []
        self.whole_ms: list[float] = []

    async def fill(self, scopes: Sequence[Scope]) -> float:
        """Stores every scope; returns the seconds it took."""
        began = time.monotonic()
        for number, scope in enumerate(scopes, 1):
            self.people[scope.name] = await conversations.store(
                self.db, self.embedder, self.tenant, scope
            )
            report.progress(f"stored {number}/{len(scopes)} {scope.name}: {len(scope.messages)} turns")
        while await knowledge.embed_backlog(self.db, self.embedder):
            pass
        return time.monotonic() - began

    async def ask(self, scopes: Sequence[Scope], weights: memory.RecallWeights) -> Asked:
        """Puts every question, timed, and returns the ids of the messages found, best first."""
        asked: Asked = []
        for scope in scopes:
            person = self.people[scope.name]
            principal = Principal(
                kind="user", tenant=self.tenant, role="authenticated", profile_id=person
            ).served()
            for query in scope.queries:
                asked.append((query, await self._ask(principal, person, query.text, query.at, weights)))
        return asked

    async def _ask(
        self,
        principal: Principal,
        person: UUID,
        text: str,
        at: datetime | None,
        weights: memory.RecallWeights,
    ) -> Sequence[str]:
        began = time.perf_counter()
        vector = (await self.embedder.embed([text]))[0]
        async with self.db.transaction(principal) as tx:
            opened = time.perf_counter()
            found = await memory.recall(
                tx,
                person,
                await memory.read_question(tx, person, text, vector=vector, asked_at=at),
                embedder=self.embedder,
                limit=self.depth,
                weights=weights,
            )
            self.recall_ms.append((time.perf_counter() - opened) * 1000)
        self.whole_ms.append((time.perf_counter() - began) * 1000)
        return [item.memory.metadata["message_id"] for item in found]


def recall_at(asked: Asked, k: int) -> float:
    """The mean share of a question's evidence that is among the first ``k``."""
    shares = [
        len(query.evidence.intersection(found[:k])) / len(query.evidence) for query, found in asked
    ]
    return round(sum(shares) / len(shares), 4)


def by_category(asked: Asked, ks: Sequence[int]) -> dict[str, dict[str, float]]:
    """The same for each category, with its number of questions."""
    groups: defaultdict[str, Asked] = defaultdict(list)
    for query, found in asked:
        groups[query.category].append((query, found))
    return {
        name: {**{str(k): recall_at(group, k) for k in ks}, "n": len(group)}
        for name, group in sorted(groups.items())
    }


async def ablation(bench: Bench, scopes: Sequence[Scope], ks: Sequence[int]) -> dict[str, Any]:
    """Recall with each arm switched off, and with each arm alone; printed as a table too."""
    names = [field.name for field in fields(DEFAULT_WEIGHTS)]
    arms = {"all": DEFAULT_WEIGHTS}
    arms |= {f"without {name}": replace(DEFAULT_WEIGHTS, **{name: 0.0}) for name in names}
    nothing = dict.fromkeys(names, 0.0)
    # Length and asking scale what the arms say, and say nothing alone.
    arms |= {
        f"{name} only": memory.RecallWeights(**{**nothing, name: 1.0})
        for name in names
        if name not in {"length", "asking"}
    }
    table: dict[str, Any] = {}
    print(f"| arms | {' | '.join(f'@{k}' for k in ks)} |\n|---|{'---|' * len(ks)}")
    for name, weights in arms.items():
        asked = await bench.ask(scopes, weights)
        table[name] = {str(k): recall_at(asked, k) for k in ks}
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in table[name].values())} |", flush=True)
    return table


async def measure(access: DatabaseAccess, path: Path, name: str, ks: list[int], *, ablate: bool) -> None:
    """Fills, asks, prints."""
    about = report.machine()
    scopes = conversations.load(path)
    embedder = build_embedder(name, EmbedderConfig())
    db = await Database.open(PoolConfig(url=access.runtime_url, max_size=4))
    try:
        assert access.admin_url is not None
        tenant = await demo.ensure_tenant(access.admin_url, "bench", "Bench", None)
        bench = Bench(db, embedder, tenant, max(ks))
        stored_s = await bench.fill(scopes)
        postgres = await settle(access)
        await bench.ask(scopes[:1], DEFAULT_WEIGHTS)
        bench.recall_ms.clear()
        bench.whole_ms.clear()
        report.progress("asking")
        asked = await bench.ask(scopes, DEFAULT_WEIGHTS)
        times = list(bench.recall_ms), list(bench.whole_ms)
        arms = {"arms": await ablation(bench, scopes, ks)} if ablate else {}
    finally:
        await db.close()
        await embedder.aclose()
    half = [q for scope in scopes[1::2] for q in scope.queries]
    held_out = [pair for pair in asked if pair[0] in set(half)]
    report.finish(
        "memory_recall",
        postgres,
        {
            "recall": {str(k): recall_at(asked, k) for k in ks},
            "recall_second_half": {str(k): recall_at(held_out, k) for k in ks} if held_out else None,
            "by_category": by_category(asked, ks),
            "p50_ms": round(report.percentile(times[0], 0.5), 2),
            "p95_ms": round(report.percentile(times[0], 0.95), 2),
            "with_embedding_and_transaction": {
                "p50_ms": round(report.percentile(times[1], 0.5), 2),
                "p95_ms": round(report.percentile(times[1], 0.95), 2),
            },
            "n": len(asked),
            "turns": sum(len(scope.messages) for scope in scopes),
            "scopes": len(scopes),
            "stored_per_s": round(sum(len(scope.messages) for scope in scopes) / stored_s, 1),
            "data": path.name,
            "embedder": name,
            **arms,
        },
        about=about,
    )


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "Recall at k of conversation turns, through the product's own write and recall path.",
        "python -m benchmarks.memory_recall --k 5,10,20 --ablate",
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="JSONL of messages and queries")
    parser.add_argument("--embedder", default="static", help="as STEAD_EMBEDDER")
    parser.add_argument("--k", default="5,10,20", help="cut-offs, with commas between them")
    parser.add_argument(
        "--ablate", action="store_true", help="also print a table with arms switched off"
    )
    given = parser.parse_args()
    async with cluster() as access:
        await measure(
            access, given.data, given.embedder, [int(k) for k in given.k.split(",")], ablate=given.ablate
        )
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
