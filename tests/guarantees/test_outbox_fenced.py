"""A worker that was stopped past its lease and goes on then: its late word is fenced off."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.guarantees.acts import Works


async def test_what_a_worker_says_after_its_lease_is_refused(acting: Works, tmp_path: Path) -> None:
    let = tmp_path / "let"
    first = await acting.worker().start()
    assert first.process is not None
    given = [("send", {"order": "s", "wait": str(let)}), ("upsert", {"order": "u", "wait": str(let)})]
    sent, put = await acting.propose_many(given)
    await acting.until_left("effect", 2)
    first.process.send_signal(signal.SIGSTOP)
    await acting.silence(first.process.pid)
    second = await acting.worker().start()
    assert second.process is not None
    try:
        await acting.until_left("effect", 3)
        await acting.until("select status = 'outcome_unknown' from public.outbox where id = $1", sent)
        let.touch()
        await acting.until("select status = 'succeeded' from public.outbox where id = $1", put)
        before = [await acting.get(envelope_id) for envelope_id in (sent, put)]
        first.process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(60):
            while not any("envelopes_fenced" in line for line in first.log):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        # It goes on with others.
        others = await acting.propose_many([("send", {"order": f"o{n}"}) for n in range(50)])
        await acting.all_still()
    finally:
        first.process.send_signal(signal.SIGCONT)
        assert await first.stop() == 0
        assert await second.stop() == 0

    assert [await acting.get(envelope_id) for envelope_id in (sent, put)] == before
    assert (acting.done(sent), [line.pid for line in acting.lines()[put] if line.what == "effect"]) == (
        1,
        [first.process.pid, second.process.pid],
    )
    rows = await acting.admin.fetch(
        "select lease_no, outcome, result->>'by' as by from public.outbox_attempts "
        "where envelope_id = $1 order by 1",
        put,
    )
    assert [(row["outcome"], row["by"]) for row in rows] == [
        ("unknown", None),
        ("succeeded", str(second.process.pid)),
    ]
    assert set((await acting.statuses(others)).values()) == {"succeeded"}
    await acting.check()
