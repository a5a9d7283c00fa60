"""A worker killed at each point of an action: what is not known is said to be, and is not sent again by itself."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from stead.actions import Webhooks
from stead.tools import Guard
from tests.guarantees.acts import SECRET, Works
from tests.servers.faulty import answering, faulty_server

SEEDS = [20261121 + n for n in range(int(os.environ.get("GUARANTEE_RUNS", "2")))]
EACH = 12


@asynccontextmanager
async def locked(works: Works, table: str) -> AsyncGenerator[None]:
    """Nobody writes to a table while the block runs; who tried it is gone when it ends."""
    gate = await asyncpg.connect(works.access.admin_url)
    try:
        async with gate.transaction():
            await gate.execute(f"lock table {table} in share mode")
            yield
            # What a dead process has already asked for would pass when the lock is gone.
            await gate.execute(
                "select pg_terminate_backend(a.pid, 10000) from pg_locks l join pg_stat_activity a using (pid) "
                "where not l.granted and a.datname = current_database()"
            )
    finally:
        await gate.close()


async def until_waiting(works: Works, table: str) -> None:
    """Until somebody waits to write to a table."""
    await works.until(
        "select exists (select from pg_locks where not granted and relation = $1::regclass::oid)", table
    )


def orders(chance: random.Random, **how: Any) -> list[tuple[str, dict[str, Any]]]:
    """Actions of both kinds, mixed."""
    found = [(tool, {"order": f"o{n}", **how}) for n in range(EACH // 2) for tool in ("send", "upsert")]
    chance.shuffle(found)
    return found


async def ends_with(works: Works, ids: list[UUID], *, effects: tuple[int, int]) -> None:
    """Another worker goes on: the one kind is unknown, with that many effects; the other is done."""
    heir = await works.worker().start()
    try:
        await works.all_still()
        # A further round of everything that happens by itself: what is unknown stays so.
        (last,) = await works.propose_many([("send", {"order": "last"})])
        await works.all_still()
    finally:
        assert await heir.stop() == 0
    unknown, repeated = effects
    for envelope_id in ids:
        envelope = await works.get(envelope_id)
        if envelope.idempotent:
            assert envelope.status == "succeeded"
            assert works.done(envelope_id) == repeated
            assert envelope.attempts == 2
        else:
            assert (envelope.status, envelope.error_code) == ("outcome_unknown", "worker_lost")
            assert works.done(envelope_id) == unknown
            assert envelope.attempts == 1
    assert works.done(last) == 1
    await works.check()


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_between_claim_and_attempt(acting: Works, seed: int) -> None:
    """The transaction that claims has locked, judged, and not written the attempts."""
    ids = await acting.propose_many(orders(random.Random(seed)))
    async with locked(acting, "public.outbox_attempts"):
        victim = await acting.worker().start()
        await until_waiting(acting, "public.outbox_attempts")
        await victim.kill()
    assert set((await acting.statuses(ids)).values()) == {"pending"}
    assert acting.lines() == {}
    heir = await acting.worker().start()
    try:
        await acting.all_still()
    finally:
        assert await heir.stop() == 0
    assert set((await acting.statuses(ids)).values()) == {"succeeded"}
    assert [(acting.done(i), (await acting.get(i)).attempts) for i in ids] == [(1, 1)] * len(ids)
    await acting.check()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dies", ["before", "after"])
async def test_killed_around_what_is_sent(acting: Works, seed: int, dies: str, tmp_path: Path) -> None:
    """Attempts are committed. One process dies before anything is sent, another when the provider has done it."""
    chance = random.Random(seed)
    let = tmp_path / "never"
    # All but one wait within the call; the last one ends the process of them all.
    waiting = orders(chance, wait=str(let))
    ids = await acting.propose_many(waiting)
    victim = await acting.worker().start()
    await acting.until_left("effect", len(ids))
    tool = chance.choice(["send", "upsert"])
    (last,) = await acting.propose_many([(tool, {"order": "fatal", "dies": dies})])
    assert victim.process is not None
    await asyncio.wait_for(victim.process.wait(), 60)
    assert acting.done(last) == (1 if dies == "after" else 0)
    let.touch()
    await ends_with(acting, ids, effects=(1, 2))
    envelope = await acting.get(last)
    if tool == "send":
        assert (envelope.status, acting.done(last)) == ("outcome_unknown", int(dies == "after"))
    else:
        assert (envelope.status, acting.done(last)) == ("succeeded", 1 + int(dies == "after"))
    # The provider was told the same key again: it is how it knows.
    assert {line.attempt for line in acting.lines()[last]} <= {1, 2}


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_with_the_answer_in_hand(acting: Works, seed: int, tmp_path: Path) -> None:
    """The provider has answered; what it said cannot be stored before the process is dead."""
    let = tmp_path / "let"
    ids = await acting.propose_many(orders(random.Random(seed), wait=str(let)))
    victim = await acting.worker().start()
    await acting.until_left("effect", len(ids))
    async with locked(acting, "public.outbox_attempts"):
        let.touch()
        await until_waiting(acting, "public.outbox_attempts")
        await victim.kill()
    assert set((await acting.statuses(ids)).values()) == {"executing"}
    await ends_with(acting, ids, effects=(1, 2))


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_when_it_is_committed_and_nobody_was_told(acting: Works, seed: int) -> None:
    """What is to be told commits with what it tells of: another worker tells it, under the same id."""
    chance = random.Random(seed)
    async with faulty_server("black_hole") as receiver:
        hosts = f"127.0.0.1:{receiver.port}"
        teller = Webhooks(acting.db, SECRET, Guard(allowed=frozenset({hosts})))
        async with acting.db.transaction(acting.service) as tx:
            await teller.put(tx, acting.service, f"{receiver.url}/told", ["*"])
        await teller.aclose()
        lost = await acting.propose_many(
            [("send", {"order": f"o{n}", "dies": "after"}) for n in range(1)]
        )
        first = await acting.worker(STEAD_TOOL_HOSTS=hosts).start()
        assert first.process is not None
        await asyncio.wait_for(first.process.wait(), 60)
        await acting.bury()
        # Its outcome is stored as unknown, with the news of it; who sends that hears nothing, and is killed.
        second = await acting.worker(STEAD_TOOL_HOSTS=hosts).start()
        done = await acting.propose_many(orders(chance))
        await acting.until(
            "select count(*) = $1 from public.outbox where status = 'succeeded'", len(done)
        )
        async with asyncio.timeout(60):
            while not receiver.heard:  # noqa: ASYNC110 - another process calls
                await asyncio.sleep(0.02)
        await second.kill()
        assert set((await acting.statuses(lost)).values()) == {"outcome_unknown"}
        receiver.behaviour = "answer"
        receiver.answer = answering("200 OK", b"{}")
        third = await acting.worker(STEAD_TOOL_HOSTS=hosts).start()
        try:
            await acting.all_still()
            # What was carried out is found by searching, once, whoever was killed before it was written.
            await acting.until("select not exists (select from stead.outcomes_to_index)")
        finally:
            assert await third.stop() == 0
    told = {heard.headers["webhook-id"] for heard in receiver.heard}
    assert len(told) == 1
    assert len(receiver.heard) == 2
    assert receiver.heard[0].body == receiver.heard[1].body
    assert [acting.done(i) for i in [*lost, *done]] == [1] * (len(done) + 1)
    assert await acting.admin.fetchval(
        "select count(*) = $1 from public.evidence_embeddings where source_type = 'proposal'",
        len(done) + 1,
    )
    await acting.check()
