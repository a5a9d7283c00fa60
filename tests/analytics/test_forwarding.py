"""Sending on to PostHog: nothing is lost, nothing is sent by two at once, repeats are repeats."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from stead import analytics
from stead.analytics import Forwarder, NewEvent, PostHogConfig, queries
from stead.assembly.database import DatabaseAccess
from stead.db import NOBODY, Database, PoolConfig
from stead.db.embedded import EmbeddedServer
from stead.identity import Tenant
from tests.http.conftest import captured_logs
from tests.servers.posthog import KEY, PostHogServer
from tests.servers.script import Reply
from tests.support import cluster as clusters
from tests.support.people import Person, make_person, make_tenant, service, service_headers
from tests.support.servers import running_server


@dataclass
class Bench:
    """A database of this module's own, without other events."""

    access: DatabaseAccess
    db: Database
    admin: asyncpg.Connection[asyncpg.Record]
    tenant: Tenant
    stack: AsyncExitStack
    now_s: float = field(default=1000.0)

    async def forwarder(self, server: PostHogServer, **config: Any) -> Forwarder:
        http = await self.stack.enter_async_context(httpx.AsyncClient())
        told = {"url": server.base_url, "key": KEY, **config}
        return Forwarder(self.db, PostHogConfig(**told), http, lambda: self.now_s)

    async def happened(self, n: int, name: str = "conversion.call_booked") -> list[uuid.UUID]:
        """So many events that are of no session."""
        events = [NewEvent(id=uuid.uuid4(), name=name, session_id=None) for _ in range(n)]
        async with self.db.transaction(service(self.tenant)) as tx:
            await analytics.events.take(tx, service(self.tenant), events)
        return [event.id for event in events]

    async def due(self) -> int:
        """How many are still to be sent."""
        return await self.admin.fetchval(
            "select count(*) from public.analytics_events where forward_at is not null"
        )

    async def leases_run_out(self) -> None:
        await self.admin.execute(
            "update public.analytics_events set forward_at = now() where forward_at is not null"
        )

    def sent_as(self, event_id: uuid.UUID) -> str:
        return str(uuid.uuid5(self.tenant.id, str(event_id)))


@pytest_asyncio.fixture(scope="module")
async def _own(cluster: EmbeddedServer) -> AsyncIterator[DatabaseAccess]:
    async with clusters.copy_of_template(cluster) as access:
        yield access


@pytest_asyncio.fixture
async def bench(_own: DatabaseAccess) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        db = await Database.open(PoolConfig(url=_own.runtime_url, min_size=1, max_size=4))
        stack.push_async_callback(db.close)
        admin = await asyncpg.connect(_own.admin_url)
        stack.push_async_callback(admin.close)
        await admin.execute("delete from public.analytics_events")
        yield Bench(access=_own, db=db, admin=admin, tenant=await make_tenant(_own), stack=stack)


async def _session(bench: Bench, person: Person | None) -> uuid.UUID:
    session = uuid.uuid4()
    await bench.admin.execute(
        "insert into public.sessions (id, tenant_id, profile_id, memory_container) values ($1, $2, $3, $4)",
        session, bench.tenant.id, person.id if person else None, str(session),
    )  # fmt: skip
    return session


async def test_what_only_a_server_knows_is_sent_in_posthogs_form(bench: Bench) -> None:
    person = await make_person(bench.db, bench.tenant)
    theirs, nobodys = await _session(bench, person), await _session(bench, None)
    answered = {"responseLength": 12, "latency": 340}
    events = [
        NewEvent(id=uuid.uuid4(), name="chat.message_received", session_id=theirs, properties=answered),
        NewEvent(id=uuid.uuid4(), name="conversion.checkout_completed", session_id=nobodys,
                 properties={"planId": "plan_a", "amount": 9.5}),
        NewEvent(id=uuid.uuid4(), name="conversion.call_booked", session_id=None),
        NewEvent(id=uuid.uuid4(), name="session.created", session_id=theirs),
        NewEvent(id=uuid.uuid4(), name="step.viewed", session_id=theirs,
                 properties={"phase": "a", "step": "b", "stepType": "c"}),
    ]  # fmt: skip
    async with bench.db.transaction(service(bench.tenant)) as tx:
        await analytics.events.take(tx, service(bench.tenant), events)
    async with PostHogServer() as posthog:
        forwarder = await bench.forwarder(posthog)
        assert [await forwarder.round(), await forwarder.round()] == [3, 0]
    assert len(posthog.requests) == 1
    told = posthog.events
    assert set(told) == {bench.sent_as(event.id) for event in events[:3]}
    received, bought, booked = (told[bench.sent_as(event.id)] for event in events[:3])
    assert received["distinct_id"] == str(person.id)
    assert received["properties"].items() >= {**answered, "sessionId": str(theirs)}.items()
    assert bought["distinct_id"] == bought["properties"]["sessionId"] == str(nobodys)
    assert bought["properties"].items() >= {"planId": "plan_a", "amount": 9.5}.items()
    assert bought["properties"]["$process_person_profile"] is False
    assert booked["distinct_id"] == booked["uuid"]
    assert await bench.due() == 0


async def test_a_failure_is_waited_out_as_long_as_posthog_asks(bench: Bench) -> None:
    ids = await bench.happened(3)
    replies = [Reply(status=503), Reply(drop=True), Reply(status=429, retry_after_s=120)]
    async with PostHogServer(*replies) as posthog:
        forwarder = await bench.forwarder(posthog)
        pauses = []
        for _ in replies:
            assert await forwarder.round() == 0
            due_in = await bench.admin.fetchval(
                "select extract(epoch from max(forward_at) - now())::int from public.analytics_events"
            )
            began, requests = bench.now_s, len(posthog.requests)
            # Whatever comes meanwhile does not make it ask sooner.
            await bench.leases_run_out()
            while len(posthog.requests) == requests and bench.now_s < began + due_in - 1:
                bench.now_s += 0.5
                assert await forwarder.round() == 0
            assert len(posthog.requests) == requests
            bench.now_s = began + due_in + 1
            pauses.append(due_in)
        assert pauses[0] < pauses[1] < 100 < pauses[2] <= 121
        assert await forwarder.round() == 3
    assert set(posthog.events) == set(map(bench.sent_as, ids))
    assert await bench.due() == 0


async def test_a_batch_that_is_too_large_is_halved(bench: Bench) -> None:
    ids = await bench.happened(20)
    async with PostHogServer(most=3) as posthog:
        assert await (await bench.forwarder(posthog)).round() == 20
    assert max(map(len, posthog.batches)) <= 3
    assert posthog.taken == 20
    assert set(posthog.events) == set(map(bench.sent_as, ids))


async def test_what_is_refused_keeps_nothing_else_back(bench: Bench) -> None:
    ids = await bench.happened(8)
    poison = await bench.happened(1, "conversion.checkout_completed")
    with captured_logs() as logs:
        async with PostHogServer(refused=frozenset({"conversion.checkout_completed"})) as posthog:
            assert await (await bench.forwarder(posthog)).round() == 9
    assert set(posthog.events) == set(map(bench.sent_as, ids))
    assert [line["events"] for line in logs.lines if line["event"] == "events_refused"] == [1]
    assert await bench.due() == 0
    kept = await bench.admin.fetchval(
        "select count(*) from public.analytics_events where id = $1", poison[0]
    )
    assert kept == 1


async def test_with_a_wrong_key_events_wait_for_the_right_one(bench: Bench) -> None:
    ids = await bench.happened(4)
    with captured_logs() as logs:
        async with PostHogServer(api_key="phc_another") as posthog:
            forwarder = await bench.forwarder(posthog)
            for _ in range(3):
                assert await forwarder.round() == 0
                await bench.leases_run_out()
                bench.now_s += 400
            assert (posthog.events, len(posthog.requests)) == ({}, 3)
    said = [line for line in logs.lines if line["event"] == "posthog_key_refused"]
    assert len(said) == 1
    assert KEY not in logs.text
    async with PostHogServer() as posthog:
        assert await (await bench.forwarder(posthog)).round() == 4
    assert set(posthog.events) == set(map(bench.sent_as, ids))


async def test_an_answer_that_is_lost_leads_to_the_same_uuids(bench: Bench) -> None:
    ids = await bench.happened(5)
    async with PostHogServer(Reply(cut_after=0)) as posthog:
        forwarder = await bench.forwarder(posthog)
        assert await forwarder.round() == 0
        assert await bench.due() == 5
        await bench.leases_run_out()
        bench.now_s += 10
        assert await forwarder.round() == 5
    assert posthog.taken == 10
    assert set(posthog.events) == set(map(bench.sent_as, ids))


async def test_a_worker_killed_after_sending_leaves_them_to_another(bench: Bench) -> None:
    ids = await bench.happened(5)
    # Everything arrives there, and nobody is told.
    async with PostHogServer(Reply(hang=True)) as posthog:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.forwarding", bench.access.runtime_url, posthog.base_url, KEY,
        )  # fmt: skip
        arrived = await asyncio.wait_for(posthog.received(1), 60)
        worker.kill()
        await worker.wait()
        first = {event["uuid"] for event in arrived.body["batch"]}
        forwarder = await bench.forwarder(posthog)
        # The dead worker's still, until its lease runs out.
        assert (await forwarder.round(), await bench.due()) == (0, 5)
        await bench.leases_run_out()
        assert await forwarder.round() == 5
    assert set(posthog.events) == first == set(map(bench.sent_as, ids))
    assert await bench.due() == 0


async def test_two_workers_never_send_the_same(bench: Bench) -> None:
    ids = await bench.happened(60)
    async with PostHogServer() as posthog:
        workers = [await bench.forwarder(posthog, batch=7) for _ in range(4)]

        async def work(forwarder: Forwarder) -> int:
            done = 0
            while n := await forwarder.round():
                done += n
            return done

        done = await asyncio.gather(*map(work, workers))
    assert (sum(done), posthog.taken) == (60, 60)
    assert set(posthog.events) == set(map(bench.sent_as, ids))


async def test_who_lost_its_lease_marks_nothing(bench: Bench) -> None:
    await bench.happened(3)

    async def claim() -> list[Any]:
        async with bench.db.transaction(NOBODY) as tx:
            return await queries.claim(tx, 10, 60.0)

    async def settle(rows: list[Any]) -> int:
        async with bench.db.transaction(NOBODY) as tx:
            return await queries.settle(
                tx,
                [r["tenant_id"] for r in rows],
                [r["id"] for r in rows],
                rows[0]["leased_until"],
                None,
            )

    late = await claim()
    assert (len(late), await claim()) == (3, [])
    await bench.leases_run_out()
    present = await claim()
    assert (await settle(late), await bench.due()) == (0, 3)
    assert (await settle(present), await bench.due()) == (3, 0)


async def test_old_events_go_and_what_nobody_sends_is_given_up(bench: Bench) -> None:
    ids = await bench.happened(4)
    await bench.admin.execute(
        "update public.analytics_events set occurred_at = now() - interval '31 days' where id = $1",
        ids[0],
    )
    await bench.admin.execute(
        "update public.analytics_events set forward_at = now() - interval '8 days' where id = $1", ids[1]
    )
    assert await analytics.upkeep.sweep(bench.db, 30 * 86_400.0) == 1
    left = await bench.admin.fetch("select id, forward_at from public.analytics_events")
    assert {row["id"] for row in left} == set(ids[1:])
    assert {row["id"] for row in left if row["forward_at"] is None} == {ids[1]}


async def test_a_worker_that_is_told_of_posthog_sends_to_it(bench: Bench) -> None:
    async with (
        PostHogServer() as posthog,
        running_server(
            bench.access, worker=True, posthog_key=KEY, posthog_host=posthog.base_url
        ) as running,
    ):
        sent = {"id": str(uuid.uuid4()), "event": "conversion.call_booked", "properties": {}}
        answer = await running.client.post(
            "/api/events", json={"events": [sent]}, headers=service_headers(bench.tenant)
        )
        assert answer.json() == {"accepted": 1, "repeated": 0}
        arrived = await asyncio.wait_for(posthog.received(1), 60)
        assert [e["uuid"] for e in arrived.body["batch"]] == [bench.sent_as(uuid.UUID(sent["id"]))]
