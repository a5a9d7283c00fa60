"""Envelopes in the hands of workers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from stead import outbox
from stead.identity import tenant_service
from stead.outbox import Claimed, EnvelopeKeyReused, EnvelopeNotCancellable, Result, Ruling
from tests.outbox.conftest import Post
from tests.support.people import make_tenant


async def _audit(post: Post) -> list[tuple[str, str]]:
    admin = await asyncpg.connect(post.access.admin_url)
    try:
        rows = await admin.fetch(
            "select action, subject_id from public.audit_log where category = 'outbox' order by id"
        )
    finally:
        await admin.close()
    return [(row["action"], row["subject_id"]) for row in rows]


async def test_an_envelope_is_carried_out_with_its_attempt_and_its_audit_row(post: Post) -> None:
    async with post.worker():
        first = await post.put(arguments={"to": "ann"})
        done = await post.until(first, "succeeded")
    assert (done.attempts, done.last_error, done.finished_at is not None) == (1, None, True)
    (attempt,) = await post.attempts(first)
    assert (attempt.outcome, attempt.result, attempt.attempt) == ("succeeded", {"n": 1}, 1)
    assert attempt.duration_ms is not None
    assert [e.arguments for e in post.effects.done] == [{"to": "ann"}]
    assert await _audit(post) == [("succeeded", str(first))]


async def test_an_attempt_is_written_before_anything_is_sent(post: Post) -> None:
    seen: list[tuple[str, int]] = []

    async def look(envelope: Claimed) -> Result:
        stands = await post.get(envelope.id)
        (attempt,) = await post.attempts(envelope.id)
        assert attempt.ended_at is None
        seen.append((stands.status, envelope.attempt))
        return Result(kind="succeeded")

    post.effects.does = look
    async with post.worker():
        await post.until(await post.put(), "succeeded")
    assert seen == [("executing", 1)]


async def test_what_may_be_repeated_is_until_its_limit_and_then_a_dead_letter(post: Post) -> None:
    async def refuse(envelope: Claimed) -> Result:
        return Result(kind="retryable", error="busy", code="rate_limited")

    post.effects.does = refuse
    async with post.worker(breaker_failures=100):
        envelope = await post.put(attempt_limit=3)
        dead = await post.until(envelope, "dead")
    assert (dead.attempts, dead.last_error, dead.error_code) == (3, "busy", "rate_limited")
    assert [a.outcome for a in await post.attempts(envelope)] == ["retryable"] * 3
    async with post.db.transaction(post.service, read_only=True) as tx:
        (letter,) = await outbox.letters.listing(tx, post.service)
    assert (letter.id, letter.attempts, letter.status) == (envelope, 3, "dead")
    assert [action for action, _ in await _audit(post)] == ["retry_wait", "retry_wait", "dead"]


async def test_a_provider_that_asks_for_time_gets_it(post: Post) -> None:
    async def refuse(envelope: Claimed) -> Result:
        return Result(kind="retryable", code="rate_limited", retry_after_s=3600)

    post.effects.does = refuse
    async with post.worker():
        waiting = await post.until(await post.put(), "retry_wait")
    left = waiting.next_run_at - waiting.updated_at
    assert timedelta(minutes=59) < left < timedelta(minutes=62)


@pytest.mark.parametrize(("idempotent", "ends"), [(False, "outcome_unknown"), (True, "succeeded")])
async def test_an_unknown_outcome_is_sent_again_only_where_it_does_not_matter(
    post: Post, idempotent: bool, ends: str
) -> None:
    async def unclear(envelope: Claimed) -> Result:
        if envelope.attempt == 1:
            return Result(kind="unknown", error="timed out", code="timeout")
        return Result(kind="succeeded")

    post.effects.does = unclear
    async with post.worker():
        envelope = await post.put(idempotent=idempotent)
        await post.until(envelope, ends)
        await post.until(await post.put(), "succeeded", "outcome_unknown")
    assert len([e for e in post.effects.done if e.id == envelope]) == (2 if idempotent else 1)


@pytest.mark.parametrize(
    ("found", "status"), [("succeeded", "succeeded"), ("not_done", "retry_wait"), ("give_up", "dead")]
)
async def test_a_person_says_what_became_of_an_unknown_outcome(
    post: Post, found: str, status: str
) -> None:
    async def unclear(envelope: Claimed) -> Result:
        return Result(kind="unknown", code="timeout")

    post.effects.does = unclear
    async with post.worker():
        envelope = await post.put()
        await post.until(envelope, "outcome_unknown")
    async with post.db.transaction(post.service) as tx:
        resolved = await outbox.envelopes.resolve(tx, post.service, envelope, found, {"seen": True})  # type: ignore[arg-type]
    assert resolved.status == status
    async with post.db.transaction(post.service) as tx:
        with pytest.raises(outbox.OutcomeKnown):
            await outbox.envelopes.resolve(tx, post.service, envelope, "succeeded")


async def test_a_permanent_failure_is_not_repeated(post: Post) -> None:
    async def refuse(envelope: Claimed) -> Result:
        return Result(kind="permanent", error="no such order", code="http_404")

    post.effects.does = refuse
    async with post.worker():
        failed = await post.until(await post.put(), "failed")
    assert (failed.attempts, failed.error_code) == (1, "http_404")


async def test_what_the_gate_holds_does_not_run(post: Post) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    held = {
        status: await post.put(idempotent=True)
        for status in ("denied", "deferred", "awaiting_approval", "expired")
    }
    for status, envelope in held.items():
        post.gate.rulings[envelope] = Ruling(
            status=status,  # type: ignore[arg-type]
            until=later if status == "deferred" else None,
            reason="so it is",
            code=f"{status}_at_claim",
        )
    async with post.worker():
        for status, envelope in held.items():
            stands = await post.until(envelope, status)
            assert (stands.last_error, stands.attempts) == ("so it is", 0)
            assert await post.attempts(envelope) == []
    assert post.effects.done == []


async def test_of_one_account_one_action_runs_at_a_time(post: Post) -> None:
    at_once: dict[str, int] = {}
    most: dict[str, int] = {}

    async def count(envelope: Claimed) -> Result:
        account = envelope.account_id or "none"
        at_once[account] = at_once.get(account, 0) + 1
        most[account] = max(most.get(account, 0), at_once[account])
        await asyncio.sleep(0.01)
        at_once[account] -= 1
        return Result(kind="succeeded")

    post.effects.does = count
    ids = [await post.put(account_id=a) for a in ("x", "y", None) for _ in range(8)]
    async with post.worker(tenant_share=1.0), post.worker(tenant_share=1.0):
        for envelope in ids:
            await post.until(envelope, "succeeded")
    assert most["x"] == most["y"] == 1
    assert most["none"] > 1
    assert len(post.effects.done) == 24


async def test_an_order_that_was_asked_for_is_kept_over_retries_and_approvals(post: Post) -> None:
    tries: list[int] = []

    async def stumble(envelope: Claimed) -> Result:
        tries.append(envelope.arguments["n"])
        if envelope.arguments["n"] == 0 and envelope.attempt < 3:
            return Result(kind="retryable")
        return Result(kind="succeeded")

    post.effects.does = stumble
    ids = [await post.put(order_key="line", arguments={"n": n}) for n in range(3)]
    later = datetime.now(UTC) + timedelta(hours=1)
    ids.append(await post.put(order_key="line", arguments={"n": 3}, status="deferred", not_before=later))
    last = await post.put(order_key="line", arguments={"n": 4})
    async with post.worker(), post.worker():
        for envelope in ids[:3]:
            await post.until(envelope, "succeeded")
        # The fourth waits for its time, and the fifth for the fourth.
        assert (await post.get(last)).status == "pending"
        async with post.db.transaction(post.service) as tx:
            await outbox.envelopes.cancel(tx, post.service, ids[3])
        await post.until(last, "succeeded")
    assert tries == [0, 0, 0, 1, 2, 4]


async def test_one_envelope_a_key(post: Post) -> None:
    first = await post.put(external_id="k", arguments={"a": 1})
    assert await post.put(external_id="k", arguments={"a": 1}) == first
    with pytest.raises(EnvelopeKeyReused):
        await post.put(external_id="k", arguments={"a": 2})
    with pytest.raises(EnvelopeKeyReused):
        await post.put(external_id="k", arguments={"a": 1}, tool="other")
    other = await make_tenant(post.access)
    assert await post.put(tenant_service(other), external_id="k", arguments={"a": 2}) != first


async def test_only_what_does_not_run_is_cancelled(post: Post) -> None:
    envelope = await post.put(not_before=datetime.now(UTC) + timedelta(hours=1))
    async with post.db.transaction(post.service) as tx:
        assert (await outbox.envelopes.cancel(tx, post.service, envelope)).status == "cancelled"
    async with post.db.transaction(post.service) as tx:
        with pytest.raises(EnvelopeNotCancellable):
            await outbox.envelopes.cancel(tx, post.service, envelope)


async def test_an_account_that_fails_is_left_alone_and_tried_by_one(post: Post) -> None:
    broken = True

    async def fail(envelope: Claimed) -> Result:
        if broken:
            return Result(kind="retryable", code="http_503")
        return Result(kind="succeeded")

    post.effects.does = fail
    async with post.worker(breaker_failures=3, breaker_open_s=3600):
        failing = await post.put(attempt_limit=50)
        admin = await asyncpg.connect(post.access.admin_url)
        try:
            async with asyncio.timeout(30):
                while True:
                    if await admin.fetchval(
                        "select exists (select from stead.breakers where open_until > now())"
                    ):
                        break
                    await asyncio.sleep(0.02)
            ones = len(post.effects.done)
            more = [await post.put(attempt_limit=50) for _ in range(5)]
            elsewhere = await post.put(provider="http", tool="another")
            # Another provider's fails by itself, and is not held up by this one.
            await post.poll(lambda: elsewhere in {e.id for e in post.effects.done})
            assert all(
                [(await post.get(e)).status in {"pending", "retry_wait"} for e in [failing, *more]]
            )
            assert not {e.id for e in post.effects.done[ones:]} & set(more)
            broken = False
            await admin.execute("update stead.breakers set open_until = now()")
            await admin.execute(
                "update public.outbox set next_run_at = now() where status in ('pending', 'retry_wait')"
            )
            for envelope in (failing, *more):
                await post.until(envelope, "succeeded", timeout_s=60)
            assert await admin.fetchval("select count(*) from stead.breakers") == 0
        finally:
            await admin.close()


async def test_one_tenant_whose_provider_hangs_leaves_room_for_others(post: Post) -> None:
    stuck = asyncio.Event()

    async def hang(envelope: Claimed) -> Result:
        if envelope.tenant_id == post.tenant.id:
            await stuck.wait()
        return Result(kind="succeeded")

    post.effects.does = hang
    for _ in range(40):
        await post.put()
    others = tenant_service(await make_tenant(post.access))
    async with post.worker(concurrency=8):
        await post.poll(lambda: len(post.effects.running) == 2)
        for envelope in [await post.put(others) for _ in range(10)]:
            async with asyncio.timeout(30):
                while True:
                    async with post.db.transaction(others, read_only=True) as tx:
                        if (await outbox.envelopes.get(tx, others, envelope)).status == "succeeded":
                            break
                    await asyncio.sleep(0.02)
        assert len(post.effects.running) == 2
        stuck.set()


async def test_what_a_worker_holds_and_does_not_know_of_is_handed_back(post: Post) -> None:
    envelope = await post.put()
    async with post.worker(hold_check_s=0.05) as worker:
        await post.until(envelope, "succeeded")
        lost = await post.put(not_before=datetime.now(UTC) + timedelta(hours=1))
        admin = await asyncpg.connect(post.access.admin_url)
        try:
            # A claim whose commit went through and whose answer did not.
            await admin.execute(
                "update public.outbox set status = 'executing', worker_id = $2, lease_no = 1, attempts = 1 "
                "where id = $1",
                lost,
                worker._worker_id,
            )
        finally:
            await admin.close()
        back = await post.until(lost, "succeeded")
    assert (back.attempts, [e.id for e in post.effects.done]) == (1, [envelope, lost])


async def test_a_dead_process_leaves_unknown_outcomes_and_what_may_be_repeated(post: Post) -> None:
    sent = await post.put()
    again = await post.put(idempotent=True)
    admin = await asyncpg.connect(post.access.admin_url)
    try:
        await admin.execute(
            "update public.outbox set status = 'executing', worker_id = gen_random_uuid(), lease_no = 1, "
            "attempts = 1"
        )
    finally:
        await admin.close()
    assert await outbox.upkeep.rescue(post.db, outbox.OutboxConfig()) == 2
    assert (await post.get(sent)).status == "outcome_unknown"
    async with post.worker():
        assert (await post.until(again, "succeeded")).attempts == 2
    assert [e.id for e in post.effects.done] == [again]


async def test_a_late_result_of_a_lost_lease_is_written_nowhere(post: Post) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(envelope: Claimed) -> Result:
        begun.set()
        await go_on.wait()
        return Result(kind="succeeded", result={"late": True})

    post.effects.does = wait
    async with post.worker():
        envelope = await post.put()
        await begun.wait()
        admin = await asyncpg.connect(post.access.admin_url)
        try:
            # As another process sees it when this one is stopped for long.
            await admin.execute("update stead.processes set heartbeat_at = now() - interval '1 hour'")
            await outbox.upkeep.rescue(post.db, outbox.OutboxConfig())
        finally:
            await admin.close()
        go_on.set()
        await post.poll(lambda: not post.effects.running)
    stands = await post.get(envelope)
    assert (stands.status, stands.error_code) == ("outcome_unknown", "worker_lost")
    (attempt,) = await post.attempts(envelope)
    assert (attempt.outcome, attempt.result) == ("unknown", None)


async def test_what_a_worker_cannot_carry_out_is_left_to_others(post: Post) -> None:
    foreign = await post.put(provider="mcp")
    missing = await post.put(tool="elsewhere")
    post.effects.providers, post.effects.functions = ["local"], ["nothing"]
    async with post.worker():
        await post.until(await post.put(), "succeeded")
    for envelope in (foreign, missing):
        assert ((await post.get(envelope)).status, (await post.get(envelope)).attempts) == ("pending", 0)
    post.effects.providers = post.effects.functions = None
    async with post.worker():
        for envelope in (foreign, missing):
            await post.until(envelope, "succeeded")


async def test_what_was_done_and_cannot_be_stored_is_not_done_again(post: Post) -> None:
    admin = await asyncpg.connect(post.access.admin_url)
    try:
        # Whatever is said of this one, the database refuses it.
        await admin.execute(
            """
            create function public.refuse() returns trigger language plpgsql as $$
            begin
              raise exception 'no' using errcode = 'disk_full';
            end $$;
            create trigger refuse before update on public.outbox_attempts for each row
              when (new.outcome <> 'released') execute function public.refuse();
            """
        )
        async with post.worker(hold_check_s=0.05, poll_s=0.05):
            first = await post.put()
            await post.poll(lambda: len(post.effects.done) == 1)
            # Another one that the worker holds and does not know of is handed back, and done.
            lost = await post.put(status="deferred", not_before=datetime.now(UTC) + timedelta(hours=1))
            await admin.execute("update public.outbox set status = 'pending' where id = $1", lost)
            await admin.execute(
                "select stead.begin_envelopes(worker_id, array[$2::uuid]) from public.outbox where id = $1",
                first,
                lost,
            )
            await post.poll(lambda: lost in [e.id for e in post.effects.done])
            assert (await post.get(first)).status == "executing"
        assert [e.id for e in post.effects.done].count(first) == 1
        await admin.execute("drop trigger refuse on public.outbox_attempts")
        await admin.execute("select * from stead.rescue_envelopes(0, 3, 100)")
        assert (await post.get(first)).status == "outcome_unknown"
    finally:
        await admin.close()
