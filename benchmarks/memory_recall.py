"""Whether the turns that answer a question are found, and how fast: ``python -m benchmarks.memory_recall``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from benchmarks import report
from benchmarks.cluster import cluster, settle
from stead import memory
from stead.agents import evaluating
from stead.agents.evaluating import Scope, Trial, by_category, recall_at
from stead.assembly import demo
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.memory.recall import DEFAULT_WEIGHTS
from stead.providers.embedders import EmbedderConfig, build_embedder

DEFAULT_DATA: Final = Path(__file__).parent / "data" / "conversations.jsonl"


async def ablation(trial: Trial, scopes: Sequence[Scope], ks: Sequence[int]) -> dict[str, Any]:
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
        asked = await trial.ask(scopes, weights)
        table[name] = {str(k): recall_at(asked, k) for k in ks}
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in table[name].values())} |", flush=True)
    return table


def _progress(what: str, done: int, of: int) -> None:
    if done == of or what == "storing":
        report.progress(f"{what} {done}/{of}")


async def measure(access: DatabaseAccess, path: Path, name: str, ks: list[int], *, ablate: bool) -> None:
    """Fills, asks, prints."""
    about = report.machine()
    scopes = evaluating.load(path)
    embedder = build_embedder(name, EmbedderConfig())
    db = await Database.open(PoolConfig(url=access.runtime_url, max_size=4))
    try:
        assert access.admin_url is not None
        tenant = await demo.ensure_tenant(access.admin_url, "bench", "Bench", None)
        trial = Trial(db, embedder, tenant, depth=max(ks), progress=_progress)
        stored_s = await trial.fill(scopes)
        postgres = await settle(access)
        await trial.ask(scopes[:1], DEFAULT_WEIGHTS)
        trial.forget_times()
        asked = await trial.ask(scopes, DEFAULT_WEIGHTS, embed_anew=True)
        times = list(trial.recall_ms), list(trial.whole_ms)
        arms = {"arms": await ablation(trial, scopes, ks)} if ablate else {}
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
            "turns": sum(len(scope.turns) for scope in scopes),
            "scopes": len(scopes),
            "stored_per_s": round(sum(len(scope.turns) for scope in scopes) / stored_s, 1),
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
