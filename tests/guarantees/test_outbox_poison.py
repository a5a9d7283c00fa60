"""A tool that ends its process is given up or said to be unknown, and its neighbours come to no harm."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from stead.db import NOBODY
from tests.guarantees.acts import Works


async def dies(works: Works) -> None:
    """A worker that somebody's action ends, in whatever order they come."""
    worker = await works.worker().start()
    assert worker.process is not None
    async with asyncio.timeout(60):
        while worker.process.returncode is None:
            await works.hurry()
            await asyncio.sleep(0.05)
    await works.bury()
    async with works.db.transaction(NOBODY) as tx:
        await tx.execute("select * from stead.rescue_envelopes(10, 3, 500)")


@pytest.mark.parametrize("how", ["SIGSEGV", "MEMORY"])
async def test_what_ends_its_process_three_times_is_given_up(acting: Works, how: str) -> None:
    # As a fault in a library ends a process, and as one ends that gets no more memory.
    (once,) = await acting.propose_many([("poison_send", {"how": how})])
    await dies(acting)
    (again,) = await acting.propose_many([("poison_upsert", {"how": how})])
    neighbours = list[UUID]()
    for number in range(3):
        given = [(tool, {"order": f"n{number}"}) for tool in ("send", "upsert") for _ in range(3)]
        neighbours += await acting.propose_many(given)
        await dies(acting)
    survivor = await acting.worker().start()
    assert survivor.process is not None
    try:
        await acting.all_still()
        (after,) = await acting.propose_many([("send", {"order": "after"})])
        await acting.all_still()
        assert survivor.process.returncode is None
    finally:
        assert await survivor.stop() == 0

    assert ((await acting.get(once)).status, len(acting.lines()[once])) == ("outcome_unknown", 1)
    ended = await acting.get(again)
    assert (ended.status, ended.error_code) == ("dead", "worker_lost")
    assert len({line.pid for line in acting.lines()[again]}) == len(acting.lines()[again]) == 3
    assert await acting.admin.fetchval("select count(*) = 1 from public.outbox_dlq where id = $1", again)
    for envelope_id in neighbours:
        envelope = await acting.get(envelope_id)
        # Who was in the same process at that moment may have been done: then it says so. Nobody is given up.
        assert envelope.status == "succeeded" or (
            envelope.status == "outcome_unknown" and not envelope.idempotent
        )
    assert (await acting.get(after)).status == "succeeded"
    await acting.check()


async def test_what_is_no_json_is_stored_as_done(acting: Works) -> None:
    """Its effect is there, whatever it answers: it is not done again."""
    ids = await acting.propose_many([("garbage", {})] + [("send", {"order": "o"})] * 3)
    worker = await acting.worker().start()
    try:
        await acting.all_still()
    finally:
        assert await worker.stop() == 0
    assert [(await acting.get(i)).status for i in ids] == ["succeeded"] * 4
    assert [acting.done(i) for i in ids] == [1] * 4
    await acting.check()


async def test_what_is_always_busy_is_given_up_after_its_attempts(acting: Works) -> None:
    ids = await acting.propose_many([("busy", {})] + [("send", {"order": "o"})] * 3)
    worker = await acting.worker().start()
    try:
        await acting.all_still()
    finally:
        assert await worker.stop() == 0
    ended = await acting.get(ids[0])
    assert (ended.status, ended.attempts, ended.error_code) == ("dead", 5, "retry_wanted")
    assert len(acting.lines()[ids[0]]) == 5
    assert set((await acting.statuses(ids[1:])).values()) == {"succeeded"}
    await acting.check()
