"""Providers that hang, break off, drip and turn away: each is taken for what it is, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from stead import tools
from stead.identity import Tenant, tenant_service
from tests.guarantees.acts import Works
from tests.servers.faulty import FaultyServer, Heard, answering, faulty_server
from tests.support.servers import ServerProcess
from tests.tools.calls import tool


async def put_tool(
    works: Works, server: FaultyServer, *, idempotent: bool, tenant: Tenant | None = None
) -> str:
    """A tool of a tenant that calls a server."""
    service = tenant_service(tenant or works.tenant)
    slug = f"call_{'again' if idempotent else 'once'}"
    spec = tool(
        slug,
        config={"url": f"{server.url}/do", "method": "POST"},
        idempotent=idempotent,
        timeout_s=1.0,
        risk="medium",
    )
    async with works.db.transaction(service) as tx:
        await tools.catalog.put(tx, service, spec)
    return slug


@asynccontextmanager
async def working(
    works: Works, *servers: FaultyServer, **environment: str
) -> AsyncIterator[ServerProcess]:
    """A worker that may call these."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    worker = await works.worker(STEAD_TOOL_HOSTS=hosts, **environment).start()
    try:
        yield worker
    finally:
        assert await worker.stop() == 0


def keys_of(server: FaultyServer) -> list[str]:
    """The idempotency keys of what it heard."""
    return [heard.headers["idempotency-key"] for heard in server.heard]


async def ended(works: Works, ids: list[UUID]) -> dict[UUID, tuple[str, str | None, int]]:
    """How they stand, each with its code and its attempts."""
    rows = await works.admin.fetch(
        "select id, status, error_code, attempts from public.outbox where id = any ($1)", ids
    )
    return {row["id"]: (row["status"], row["error_code"], row["attempts"]) for row in rows}


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("black_hole", "timeout"),
        ("drip", "timeout"),
        ("reset", "connection_lost"),
        ("reset_mid_body", "connection_lost"),
    ],
)
async def test_what_may_have_been_done_is_unknown(acting: Works, behaviour: str, code: str) -> None:
    async with faulty_server(behaviour) as server:
        once = await put_tool(acting, server, idempotent=False)
        again = await put_tool(acting, server, idempotent=True)
        ids = await acting.propose_many([(once, {"n": 1}), (again, {"n": 1})])
        async with working(acting, server):
            await acting.until(
                "select bool_and(attempts > 0 and status <> 'executing') from public.outbox where id = any ($1)",
                ids,
            )
            found = await ended(acting, ids)
            assert found[ids[0]] == ("outcome_unknown", code, 1)
            assert found[ids[1]][0] in {"retry_wait", "pending", "executing", "dead"}
            # It works again: the one is repeated with its key, the other is not.
            server.behaviour = "answer"
            await acting.admin.execute("delete from stead.breakers")
            await acting.all_still()
        found = await ended(acting, ids)
        assert found[ids[0]] == ("outcome_unknown", code, 1)
        assert found[ids[1]][0] == "succeeded"
        assert keys_of(server).count(str(ids[0])) == 1
        assert keys_of(server).count(str(ids[1])) == found[ids[1]][2] > 1
    await acting.check_audit()


async def test_what_was_never_connected_is_tried_again(acting: Works) -> None:
    """Nobody listens: nothing can have been done, so that also what must not be repeated is."""
    async with faulty_server() as gone:
        once = await put_tool(acting, gone, idempotent=False)
    (envelope_id,) = await acting.propose_many([(once, {"n": 1})])
    async with working(acting, gone):
        await acting.until(
            "select attempts > 1 or status = 'dead' from public.outbox where id = $1", envelope_id
        )
        await acting.all_still()
    assert (await ended(acting, [envelope_id]))[envelope_id] == ("dead", "not_connected", 5)


async def test_a_storm_of_429_is_waited_out(acting: Works) -> None:
    """As long as it asks for, and with every key done once."""
    turned_away: set[str] = set()

    def storm(heard: Heard) -> bytes:
        key = heard.headers["idempotency-key"]
        if key not in turned_away:
            turned_away.add(key)
            return answering("429 Too Many Requests", b"", "retry-after: 3600")
        return answering("200 OK", b"{}")

    async with faulty_server(answer=storm) as server:
        once = await put_tool(acting, server, idempotent=False)
        ids = await acting.propose_many([(once, {"n": n}) for n in range(30)])
        async with working(acting, server):
            await acting.until(
                "select bool_and(status = 'retry_wait' or error_code = 'breaker_open') from public.outbox"
            )
            # Not before its time, whatever the backoff of the policy would be; then all of them.
            assert await acting.admin.fetchval(
                "select min(next_run_at) > now() + interval '50 minutes' from public.outbox "
                "where status = 'retry_wait'"
            )
            async with asyncio.timeout(60):
                while set((await acting.statuses(ids)).values()) != {"succeeded"}:
                    await acting.admin.execute("delete from stead.breakers")
                    await acting.admin.execute(
                        "update public.outbox set next_run_at = now() where next_run_at > now()"
                    )
                    await asyncio.sleep(0.05)
        assert turned_away == {str(envelope_id) for envelope_id in ids}
        assert len(server.heard) == 2 * len(ids)
    await acting.check_audit()


async def test_one_tenants_provider_that_hangs_starves_nobody(acting: Works) -> None:
    """Sixty actions of one tenant hang; those of others are done meanwhile."""
    async with faulty_server("black_hole") as hole:
        service = acting.service
        spec = tool(
            "hang",
            config={"url": f"{hole.url}/do", "method": "POST"},
            idempotent=True,
            timeout_s=120.0,
            risk="medium",
        )
        async with acting.db.transaction(service) as tx:
            await tools.catalog.put(tx, service, spec)
        hanging = await acting.propose_many([("hang", {"n": n}) for n in range(60)])
        async with working(acting, hole, STEAD_DRAIN_S="0", STEAD_OUTBOX_CONCURRENCY="16"):
            async with asyncio.timeout(60):
                while len(hole.heard) < 4:  # noqa: ASYNC110 - another process calls
                    await asyncio.sleep(0.02)
            others: list[UUID] = []
            for _ in range(5):
                tenant = await acting.add_tenant()
                given: list[tuple[str, dict[str, Any]]] = [
                    ("send", {"order": f"o{n}"}) for n in range(20)
                ]
                others += await acting.propose_many(given, by=tenant_service(tenant))
            await acting.until(
                "select count(*) = $2 from public.outbox where id = any ($1) and status = 'succeeded'",
                others,
                len(others),
            )
            # All the while it hung, with its share and no more.
            statuses = list((await acting.statuses(hanging)).values())
            assert "succeeded" not in statuses
            assert statuses.count("executing") == 4
            assert len(hole.heard) == 4
    assert [acting.done(envelope_id) for envelope_id in others] == [1] * len(others)
