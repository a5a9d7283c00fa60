"""Clients that one server tells of changes, their cost and delay: ``python -m benchmarks.sse_fanout``.

PostgreSQL, ``stead serve`` and the clients are three processes on one machine. Each client follows the session of
one person over ``GET /v1/changes``; every round changes all of those sessions in one transaction, so that every
client is told of one change, judged and trimmed for its person by the database.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, Final

import asyncpg
import psutil

from benchmarks import report
from benchmarks.cluster import as_admin, cluster, settle
from benchmarks.crowd import Client, allow_sockets, connect_all, until_told
from benchmarks.processes import Started, cpu_s, free_port, python
from benchmarks.streams import get_status
from stead.assembly import demo
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity.jwt import SteadTokens

SECRET: Final = "benchmark-secret-benchmark-secret-benchmark"  # noqa: S105 - of a server that lives a minute
_WARM_UP: Final = 200
_PATIENCE_S: Final = 120.0
_UPDATE: Final = "update public.sessions set name = $1 || '-' || $2 where name is not null"


async def people(access: DatabaseAccess, tenants: int, count: int) -> list[str]:
    """People with a session each, over some tenants; their tokens."""
    assert access.admin_url is not None
    db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=4))
    issuer = SteadTokens(SECRET)
    tokens: list[str] = []
    made = [await demo.ensure_tenant(access.admin_url, f"t{n}", f"T {n}", None) for n in range(tenants)]
    async with as_admin(access) as admin:
        for n in range(count):
            tenant = made[n % tenants]
            email = f"p{n}@example.com"
            profile = await demo.ensure_profile(db, tenant, email)
            await admin.execute(
                "insert into public.sessions (tenant_id, profile_id, name) values ($1, $2, '0-0')",
                tenant.id,
                profile,
            )
            tokens.append(
                issuer.issue_development(tenant.id, profile, email, "authenticated", 24 * 3600)
            )
    await db.close()
    return tokens


async def measure(
    admin: asyncpg.Connection[asyncpg.Record],
    server: Started,
    port: int,
    tokens: list[str],
    clients: int,
    rounds: int,
    pause_s: float,
) -> dict[str, Any]:
    """Connects, changes, reads off."""
    latencies: list[float] = []
    warm = [Client(n, latencies) for n in range(_WARM_UP)]
    await connect_all(warm, port, tokens)
    await admin.execute(_UPDATE, "1", str(time.monotonic_ns()))
    await until_told(warm, 1, _PATIENCE_S)
    latencies.clear()

    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    crowd = [Client(n, latencies) for n in range(clients - _WARM_UP)]
    per_s = await connect_all(crowd, port, tokens)
    connected = process.memory_info().rss
    report.progress(f"{clients} clients are connected, {per_s:.0f} a second")
    crowd += warm

    began_cpu = cpu_s(server.pid)
    for number in range(2, rounds + 2):
        await admin.execute(_UPDATE, str(number), str(time.monotonic_ns()))
        await until_told(crowd, number, _PATIENCE_S)
        await asyncio.sleep(pause_s)
    used_s = cpu_s(server.pid) - began_cpu
    after = process.memory_info().rss
    expected = list(range(2, rounds + 2))
    served = sum(client.numbers[-rounds:] == expected and not client.gone for client in crowd)
    new = len(crowd) - _WARM_UP
    for client in crowd:
        client.leave()
    return {
        "clients": clients,
        "served": served,
        "rss_kb_per_client": round((connected - before) / 1024 / new, 1),
        "rss_kb_per_client_after": round((after - before) / 1024 / new, 1),
        "rss_mb": round(after / 2**20, 1),
        "delivery_p50_ms": round(report.percentile(latencies, 0.5), 1),
        "delivery_p99_ms": round(report.percentile(latencies, 0.99), 1),
        "delivery_max_ms": round(max(latencies), 1),
        "deliveries": len(latencies),
        "cpu_us_per_delivery": round(used_s / len(latencies) * 1e6, 1),
        "connects_per_s": round(per_s, 1),
    }


async def main() -> int:
    """Reads the command line, measures, prints."""
    parser = report.arguments(
        "Clients of /v1/changes on one server: memory of each, delivery of a change to all.",
        "python -m benchmarks.sse_fanout --clients 10000",
    )
    parser.add_argument("--clients", type=int, default=10_000, help="connected at once")
    parser.add_argument("--people", type=int, default=100, help="who they are")
    parser.add_argument("--tenants", type=int, default=10, help="where those belong")
    parser.add_argument("--rounds", type=int, default=20, help="changes that each client is told of")
    parser.add_argument("--pause-s", type=float, default=0.5, help="between two of them")
    given = parser.parse_args()
    about = report.machine()
    clients = allow_sockets(given.clients)
    if clients < given.clients:
        report.progress(f"only {clients} clients: the limit of open files allows no more")
    async with cluster() as access:
        tokens = await people(access, given.tenants, given.people)
        postgres = await settle(access)
        port = free_port()
        environment = {
            "STEAD_DATABASE_URL": access.runtime_url,
            "STEAD_JWT_SECRET": SECRET,
            "STEAD_RATE_LIMIT": "10000000/minute",
            "STEAD_ADDRESS_RATE_LIMIT": "10000000/minute",
            "STEAD_LOG_LEVEL": "warning",
        }
        async with python("stead", "serve", "--port", str(port), environment=environment) as server:
            while await get_status(f"http://127.0.0.1:{port}/readyz") != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            async with as_admin(access) as admin:
                figures = await measure(
                    admin, server, port, tokens, clients, given.rounds, given.pause_s
                )
    options = {"people": given.people, "tenants": given.tenants, "rounds": given.rounds}
    report.finish("sse_fanout", postgres, {**figures, **options}, about=about)
    return 0 if figures["served"] == figures["clients"] else 1


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        sys.exit(asyncio.run(main()))
    sys.exit(uvloop.run(main()))
