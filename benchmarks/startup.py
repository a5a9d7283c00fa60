"""How long ``stead up`` takes to serve: ``python -m benchmarks.startup``.

Cold: a home that is not there yet (initdb, migrations, demo tenant). Warm: a home that was used before, its
PostgreSQL stopped. The operating system's file cache is warm and Python's bytecode is compiled in both.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import report, streams
from benchmarks.cluster import scratch_home
from benchmarks.processes import Started, free_port, python
from stead.db import embedded
from stead.db.embedded.server import run_sql


async def start(home: Path) -> dict[str, float]:
    """One start and one chat; seconds since the process was made."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    async with python(
        "stead",
        "up",
        "--port",
        str(port),
        environment={"STEAD_HOME": str(home), "STEAD_LOG_LEVEL": "warning"},
    ) as process:

        async def until(path: str) -> float:
            while await streams.get_status(base_url + path) != 200:
                assert process.process.returncode is None, "stead up ended"
                await asyncio.sleep(0.005)
            return time.monotonic() - began

        healthy = asyncio.create_task(until("/healthz"))
        ready = asyncio.create_task(until("/readyz"))
        # The first person does not wait for /readyz: the chat goes out as soon as there is a token.
        token = await _token(process)
        await healthy
        first_token_s = await _first_token(base_url, token) - began
        return {
            "healthz_s": round(await healthy, 3),
            "readyz_s": round(await ready, 3),
            "first_token_s": round(first_token_s, 3),
        }


async def _token(process: Started) -> str:
    while True:
        line = await process.line()
        if line.startswith("eyJ"):
            return line


async def _first_token(base_url: str, token: str) -> float:
    headers = {"authorization": f"Bearer {token}"}
    answer = await streams.post(f"{base_url}/api/session", {"orgId": "demo"}, headers)
    session = json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])["sessionId"]
    return await streams.first_delta(
        f"{base_url}/api/chat", {"sessionId": session, "message": "Hello, what can you do?"}, headers
    )


def _summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    return {
        name: {
            "median": statistics.median(run[name] for run in runs),
            "min": min(run[name] for run in runs),
            "max": max(run[name] for run in runs),
        }
        for name in runs[0]
    }


async def main() -> int:
    """Reads the command line, measures, prints."""
    parser = report.arguments(
        "Cold and warm start of `stead up`: to /healthz, to /readyz, to the first token of a first chat.",
        "python -m benchmarks.startup --runs 5",
    )
    parser.add_argument("--runs", type=int, default=5, help="starts of each kind")
    given = parser.parse_args()
    about = report.machine()
    cold: list[dict[str, float]] = []
    warm: list[dict[str, float]] = []
    postgres = ""
    for number in range(given.runs + 1):
        with scratch_home() as home:
            first = await start(home)
            assert embedded.status(home) is None, "PostgreSQL still runs"
            again = await start(home)
            if number == 0:
                # Compiles bytecode and fills the file cache; not counted.
                server = embedded.ensure_running(home)
                postgres = run_sql(server, "show server_version")
                continue
            cold.append(first)
            warm.append(again)
            report.progress(f"run {number}: cold {first}, warm {again}")
    report.finish(
        "startup",
        postgres,
        {"cold": _summary(cold), "warm": _summary(warm), "runs": given.runs},
        about=about,
    )
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
