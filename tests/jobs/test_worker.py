"""Jobs from enqueueing to their end, by real workers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import BaseModel

from stead import jobs
from stead.core.errors import Unavailable
from stead.db import Transaction
from stead.identity import Principal, Tenant, tenant_service
from stead.jobs import (
    Answer,
    AnswersInvalid,
    JobContext,
    JobEnded,
    JobFailed,
    JobInputInvalid,
    JobKindUnknown,
    JobNotWaiting,
    JobUnknown,
    NewJob,
    Question,
)
from tests.jobs.conftest import Workshop
from tests.support.people import make_person, make_tenant


class Draft(BaseModel):
    """What a step may return."""

    title: str
    pages: int


async def test_a_job_runs_and_keeps_what_its_handler_returned(shop: Workshop) -> None:
    async def add(job: JobContext, a: int, b: int) -> int:
        return a + b

    shop.registry.add("add", add)
    job = await shop.enqueue("add", input={"a": 2, "b": 3})
    assert (await shop.get(job)).status == "queued"
    async with shop.worker():
        done = await shop.ended(job)

    assert (done.status, done.result, done.progress, done.attempts) == ("completed", 5, 100, 1)
    assert done.created_at <= done.started_at <= done.completed_at


async def test_a_job_enqueued_in_a_transaction_that_fails_is_not_there(shop: Workshop) -> None:
    async def nothing(job: JobContext) -> None:
        pass

    shop.registry.add("nothing", nothing)

    async def enqueue_and_fail() -> None:
        async with shop.db.transaction(shop.service) as tx:
            await jobs.enqueue(tx, shop.service, NewJob(kind="nothing"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail()
    async with shop.db.transaction(shop.service, read_only=True) as tx:
        assert await jobs.jobs.listing(tx, shop.service) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"a": "x", "b": 1}, "a:"),
        ({"a": 1}, "b:"),
        ({"a": 1, "b": 2, "c": 3}, "c:"),
    ],
)
async def test_input_that_does_not_fit_is_refused_when_the_job_is_made(
    shop: Workshop, given: dict[str, object], says: str
) -> None:
    async def add(job: JobContext, a: int, b: int) -> int:
        return a + b

    shop.registry.add("add", add)
    with pytest.raises(JobInputInvalid, match=says):
        await shop.enqueue("add", input=given)
    with pytest.raises(JobKindUnknown):
        await shop.enqueue("subtract")


async def test_a_kind_that_this_worker_does_not_know_is_left_to_others(shop: Workshop) -> None:
    async def known(job: JobContext) -> str:
        return "done"

    async with shop.db.transaction(shop.service) as tx:
        strange = await jobs.enqueue(tx, shop.service, NewJob(kind="strange"))
    shop.registry.add("known", known)
    mine = await shop.enqueue("known")
    async with shop.worker():
        assert (await shop.ended(mine)).result == "done"

    assert (await shop.get(strange.id)).status == "queued"


async def test_steps_that_were_stored_do_not_run_again(shop: Workshop) -> None:
    ran: list[str] = []

    async def draft(title: str) -> Draft:
        ran.append("draft")
        return Draft(title=title, pages=3)

    async def count(draft: Draft) -> int:
        ran.append("count")
        if ran.count("count") == 1:
            raise Unavailable("not now")
        return draft.pages

    async def write(job: JobContext, title: str) -> int:
        made = await job.step("draft", draft, title)
        assert isinstance(made, Draft)
        return await job.step("count", count, made)

    shop.registry.add("write", write, backoff_s=0.01)
    job = await shop.enqueue("write", input={"title": "T"})
    async with shop.worker():
        done = await shop.ended(job)

    assert (done.status, done.result, done.attempts) == ("completed", 3, 2)
    assert ran == ["draft", "count", "count"]
    async with shop.db.transaction(shop.service, read_only=True) as tx:
        steps = await jobs.jobs.steps(tx, shop.service, job)
    assert [(s.name, s.kind, s.position) for s in steps] == [("draft", "step", 1), ("count", "step", 2)]


async def test_steps_of_one_name_are_told_apart_by_their_order(shop: Workshop) -> None:
    async def double(n: int) -> int:
        return 2 * n

    async def many(job: JobContext) -> list[int]:
        return [await job.step("double", double, n) for n in range(3)]

    shop.registry.add("many", many)
    job = await shop.enqueue("many")
    async with shop.worker():
        assert (await shop.ended(job)).result == [0, 2, 4]


async def test_what_a_step_writes_commits_with_its_checkpoint(shop: Workshop) -> None:
    tries = 0

    async def write(tx: Transaction, text: str) -> str:
        nonlocal tries
        tries += 1
        made = await jobs.enqueue(tx, shop.service, NewJob(kind="other", dedupe_key=f"{text}{tries}"))
        if tries == 1:
            raise Unavailable("after the write")
        return str(made.id)

    async def writer(job: JobContext) -> str:
        first = await job.write("write", write, "x")
        assert await job.write("again", write, "y") != first
        return first

    shop.registry.add("writer", writer, backoff_s=0.01)
    job = await shop.enqueue("writer")
    async with shop.worker():
        assert (await shop.ended(job)).status == "completed"

    async with shop.db.transaction(shop.service, read_only=True) as tx:
        others = await jobs.jobs.listing(tx, shop.service, kind="other")
    assert len(others) == 2
    assert tries == 3


async def test_a_job_that_asks_frees_the_worker_and_goes_on_when_answered(shop: Workshop) -> None:
    began = 0

    async def ask(job: JobContext) -> list[str]:
        nonlocal began
        began += 1
        answers = await job.ask(
            [
                Question(id="q1", question="Who pays?"),
                Question(id="q2", question="How?", options=["a", "b"]),
            ]
        )
        return [f"{a.question_id}={a.answer}" for a in answers]

    shop.registry.add("ask", ask)
    job = await shop.enqueue("ask")
    async with shop.worker() as worker:
        waiting = await shop.until(job, "waiting_for_input")
        assert worker.running == 0
        assert [(q.id, q.question, q.options) for q in waiting.questions] == [
            ("q1", "Who pays?", None),
            ("q2", "How?", ["a", "b"]),
        ]
        for wrong in (
            [Answer(question_id="q1", answer="Ann")],
            [Answer(question_id="q1", answer="Ann"), Answer(question_id="q3", answer="x")],
            [Answer(question_id=q, answer="x") for q in ("q1", "q1", "q2")],
        ):
            with pytest.raises(AnswersInvalid):
                await _respond(shop, job, wrong)
        assert (await shop.get(job)).status == "waiting_for_input"
        right = [Answer(question_id="q2", answer="b"), Answer(question_id="q1", answer="Ann")]
        await _respond(shop, job, right)
        done = await shop.ended(job)
        with pytest.raises(JobNotWaiting):
            await _respond(shop, job, right)

    assert done.result == ["q2=b", "q1=Ann"]
    assert (done.questions, done.attempts, began) == ([], 1, 2)


async def _respond(shop: Workshop, job: UUID, answers: list[Answer]) -> None:
    async with shop.db.transaction(shop.service) as tx:
        await jobs.jobs.respond(tx, shop.service, job, answers)


async def test_of_two_answers_at_once_one_is_taken(shop: Workshop) -> None:
    async def ask(job: JobContext) -> str:
        return (await job.ask([Question(id="q", question="?")]))[0].answer

    shop.registry.add("ask", ask)
    for _ in range(5):
        job = await shop.enqueue("ask")
        async with shop.worker():
            await shop.until(job, "waiting_for_input")
        outcomes = await asyncio.gather(
            *(_respond(shop, job, [Answer(question_id="q", answer=str(n))]) for n in range(4)),
            return_exceptions=True,
        )
        assert sorted(type(o).__name__ for o in outcomes) == ["JobNotWaiting"] * 3 + ["NoneType"]
        async with shop.worker():
            assert (await shop.ended(job)).result == str(outcomes.index(None))


async def test_an_attempt_that_fails_is_tried_again_and_then_given_up(shop: Workshop) -> None:
    async def broken(job: JobContext) -> None:
        raise ValueError(f"attempt {job.attempt}")

    async def hopeless(job: JobContext) -> None:
        raise JobFailed("no such repository")

    shop.registry.add("broken", broken, max_attempts=3, backoff_s=0.01)
    shop.registry.add("hopeless", hopeless, max_attempts=3)
    one, two = await shop.enqueue("broken"), await shop.enqueue("hopeless")
    async with shop.worker():
        broke, gave_up = await shop.ended(one), await shop.ended(two)

    assert (broke.status, broke.attempts, broke.error) == ("failed", 3, "ValueError: attempt 3")
    assert broke.error_code == "job_handler_failed"
    assert (gave_up.status, gave_up.attempts) == ("failed", 1)
    assert (gave_up.error, gave_up.error_code) == ("no such repository", "job_failed")
    async with shop.db.transaction(shop.service) as tx:
        await jobs.jobs.try_again(tx, shop.service, two)
    async with shop.worker():
        assert (await shop.ended(two)).attempts == 1


async def test_in_production_an_unexpected_error_does_not_tell_its_text(shop: Workshop) -> None:
    async def broken(job: JobContext) -> None:
        raise ValueError("postgresql://user:secret@host")

    shop.registry.add("broken", broken, max_attempts=1)
    job = await shop.enqueue("broken")
    async with shop.worker(tell_errors=False):
        assert (await shop.ended(job)).error == "ValueError"


async def test_an_attempt_that_takes_too_long_is_ended(shop: Workshop) -> None:
    ended = asyncio.Event()

    async def slow(job: JobContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    shop.registry.add("slow", slow, timeout_s=0.05, max_attempts=1)
    job = await shop.enqueue("slow")
    async with shop.worker():
        done = await shop.ended(job)

    assert ended.is_set()
    assert (done.status, done.error_code) == ("failed", "job_timed_out")


@pytest.mark.parametrize(
    "bad",
    ["a\x00b", {"k": "\ud800"}, {1, 2}, float("nan"), object()],
    ids=["nul", "surrogate", "set", "nan", "object"],
)
async def test_a_result_that_cannot_be_stored_fails_its_job_alone(shop: Workshop, bad: object) -> None:
    async def make(job: JobContext, good: bool) -> object:
        return "fine" if good else bad

    shop.registry.add("make", make, max_attempts=1)
    made = [await shop.enqueue("make", input={"good": n != 1}) for n in range(3)]
    async with shop.worker():
        done = [await shop.ended(job) for job in made]

    if isinstance(bad, set):
        assert [job.status for job in done] == ["completed"] * 3
        return
    assert [job.status for job in done] == ["completed", "failed", "completed"]
    assert done[1].error_code == "job_result_invalid"


async def test_cancelling_ends_a_handler_that_runs(shop: Workshop) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def forever(job: JobContext) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    shop.registry.add("forever", forever)
    job = await shop.enqueue("forever")
    # Nothing but the notification can tell this worker in time.
    async with shop.worker(hold_check_s=3600.0, report_s=3600.0):
        await asyncio.wait_for(began.wait(), 10)
        async with shop.db.transaction(shop.service) as tx:
            await jobs.jobs.cancel(tx, shop.service, job)
        await asyncio.wait_for(ended.wait(), 10)
        done = await shop.ended(job)

    assert (done.status, done.result) == ("cancelled", None)
    assert done.completed_at is not None
    async with shop.db.transaction(shop.service) as tx:
        assert await jobs.jobs.cancel(tx, shop.service, job) == []


async def test_cancelling_takes_along_what_was_spawned_and_refuses_what_has_ended(
    shop: Workshop,
) -> None:
    began = 0

    async def child(job: JobContext) -> None:
        nonlocal began
        began += 1
        await asyncio.Event().wait()

    async def parent(job: JobContext) -> None:
        await job.wait([await job.spawn("child", {}) for _ in range(3)])

    async def quick(job: JobContext) -> None:
        pass

    for kind, function in (("child", child), ("parent", parent), ("quick", quick)):
        shop.registry.add(kind, function)
    job, ended = await shop.enqueue("parent"), await shop.enqueue("quick")
    async with shop.worker() as worker:
        await shop.ended(ended)
        await shop.poll(lambda: began == worker.running == 3)
        async with shop.db.transaction(shop.service) as tx:
            await jobs.jobs.cancel(tx, shop.service, job)
        await shop.poll(lambda: worker.running == 0)
        with pytest.raises(JobEnded):
            async with shop.db.transaction(shop.service) as tx:
                await jobs.jobs.cancel(tx, shop.service, ended)

    async with shop.db.transaction(shop.service, read_only=True) as tx:
        family = await jobs.jobs.listing(tx, shop.service, statuses=["cancelled"])
    assert sorted(j.kind for j in family) == ["child", "child", "child", "parent"]


async def test_a_parent_waits_for_its_children_without_holding_the_worker(shop: Workshop) -> None:
    parents = 0

    async def child(job: JobContext, n: int) -> int:
        if n == 2:
            raise JobFailed("two is no good")
        return n * n

    async def parent(job: JobContext, n: int) -> list[object]:
        nonlocal parents
        parents += 1
        spawned = [await job.spawn("child", {"n": i}) for i in range(n)]
        return [(r.status, r.result) for r in await job.wait(spawned)]

    shop.registry.add("child", child)
    shop.registry.add("parent", parent)
    made = [await shop.enqueue("parent", input={"n": 5}) for _ in range(20)]
    async with shop.worker(concurrency=2, poll_s=60.0), shop.worker(concurrency=2, poll_s=60.0):
        done = [await shop.ended(job) for job in made]

    expected = [
        ["completed", 0],
        ["completed", 1],
        ["failed", None],
        ["completed", 9],
        ["completed", 16],
    ]
    assert [job.result for job in done] == [expected] * 20
    # At most a run that spawns, and one when all have ended: nobody is woken in between.
    assert 20 <= parents <= 40


async def test_a_job_sleeps_until_a_moment(shop: Workshop) -> None:
    runs: list[datetime] = []

    async def nap(job: JobContext, until: datetime) -> str:
        runs.append(datetime.now(UTC))
        await job.sleep_until(until)
        return "awake"

    shop.registry.add("nap", nap)
    until = datetime.now(UTC) + timedelta(seconds=1)
    job = await shop.enqueue("nap", input={"until": until.isoformat()})
    past = await shop.enqueue("nap", input={"until": "2020-01-01T00:00:00Z"})
    async with shop.worker() as worker:
        assert (await shop.ended(past)).result == "awake"
        sleeping = await shop.until(job, "queued", "completed")
        assert worker.running == 0 or sleeping.status == "completed"
        done = await shop.ended(job)

    assert done.result == "awake"
    assert done.completed_at >= until
    assert done.attempts == 1
    assert len(runs) == 3


async def test_a_job_for_later_is_not_run_before_and_needs_no_wake_up(shop: Workshop) -> None:
    async def now(job: JobContext) -> str:
        return "ran"

    shop.registry.add("now", now)
    at = datetime.now(UTC) + timedelta(seconds=0.7)
    job = await shop.enqueue("now", run_at=at)
    async with shop.worker(poll_s=60.0):
        done = await shop.ended(job)

    assert done.started_at >= at


async def test_while_a_job_of_a_key_has_not_ended_there_is_no_second(shop: Workshop) -> None:
    async def nothing(job: JobContext) -> None:
        pass

    shop.registry.add("nothing", nothing)
    made = await asyncio.gather(*(shop.enqueue("nothing", dedupe_key="k") for _ in range(8)))
    assert len(set(made)) == 1
    async with shop.worker():
        await shop.ended(made[0])
    assert await shop.enqueue("nothing", dedupe_key="k") != made[0]
    other = tenant_service(await make_tenant(shop.access))
    assert await shop.enqueue("nothing", principal=other, dedupe_key="k") not in made


async def test_higher_priority_goes_first_within_a_tenant(shop: Workshop) -> None:
    order: list[int] = []

    async def note(job: JobContext, n: int) -> None:
        order.append(n)

    shop.registry.add("note", note)
    for n, priority in enumerate([0, 5, -1, 5, 0]):
        await shop.enqueue("note", input={"n": n}, priority=priority)
    last = await shop.enqueue("note", input={"n": 9}, priority=-5)
    async with shop.worker(concurrency=1):
        await shop.ended(last)

    assert order == [1, 3, 0, 4, 2, 9]


async def test_a_stopping_worker_hands_back_what_does_not_end_in_time(shop: Workshop) -> None:
    began = asyncio.Event()
    let = asyncio.Event()

    async def slow(job: JobContext) -> str:
        began.set()
        await let.wait()
        return "done"

    shop.registry.add("slow", slow, max_attempts=1)
    job = await shop.enqueue("slow")
    async with shop.worker(drain_s=0.05):
        await asyncio.wait_for(began.wait(), 10)
    back = await shop.get(job)
    assert (back.status, back.attempts) == ("queued", 1)
    let.set()
    async with shop.worker():
        done = await shop.ended(job)

    # Handing back cost no attempt.
    assert (done.status, done.attempts) == ("completed", 1)


async def test_a_stopping_worker_lets_jobs_end(shop: Workshop) -> None:
    began = asyncio.Event()

    async def slow(job: JobContext) -> str:
        began.set()
        await asyncio.sleep(0.1)
        return "done"

    shop.registry.add("slow", slow)
    job = await shop.enqueue("slow")
    async with shop.worker(drain_s=10.0):
        await asyncio.wait_for(began.wait(), 10)
    assert (await shop.get(job)).status == "completed"


async def test_progress_is_stored_in_order_and_ends_at_a_hundred(shop: Workshop) -> None:
    reached = asyncio.Event()
    go_on = asyncio.Event()

    async def work(job: JobContext) -> None:
        await job.progress(30, "a third")
        reached.set()
        await go_on.wait()

    shop.registry.add("work", work)
    job = await shop.enqueue("work")
    async with shop.worker():
        await reached.wait()
        await shop.poll(lambda: _has_progress(shop, job, 30))
        go_on.set()
        assert (await shop.ended(job)).progress == 100


async def test_a_job_runs_in_the_name_of_who_enqueued_it(shop: Workshop) -> None:
    seen: list[Principal] = []

    async def who(job: JobContext) -> int:
        seen.append(job.principal)
        async with job.transaction(read_only=True) as tx:
            return await tx.value("select count(*) from public.agent_jobs")

    shop.registry.add("who", who)
    ann = (await make_person(shop.db, shop.tenant)).principal.served()
    await shop.enqueue("who", run_at=datetime.now(UTC) + timedelta(days=1))
    job = await shop.enqueue("who", principal=ann)
    async with shop.worker():
        done = await shop.ended(job)

    assert done.user_id == ann.profile_id == seen[0].profile_id
    # She sees her own job and not the tenant's.
    assert done.result == 1
    stranger = (await make_person(shop.db, shop.tenant)).principal
    with pytest.raises(JobUnknown):
        async with shop.db.transaction(stranger.served()) as tx:
            await jobs.jobs.cancel(tx, stranger, job)
    async with shop.db.transaction(stranger.served()) as tx:
        assert await tx.rows("select * from stead.cancel_jobs($1)", job) == []


async def test_a_paused_queue_waits_and_a_limited_one_keeps_to_its_limit(shop: Workshop) -> None:
    running = most = 0

    async def count(job: JobContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1

    shop.registry.add("count", count)
    async with shop.db.transaction(shop.service) as tx:
        await jobs.queues.save(tx, shop.service, "default", paused=True, max_running=2)
    other = tenant_service(await make_tenant(shop.access))
    mine = [await shop.enqueue("count") for _ in range(30)]
    theirs = await shop.enqueue("count", principal=other)
    async with shop.worker(poll_s=0.05), shop.worker(poll_s=0.05):
        await shop.poll(lambda: _is_completed(shop, other, theirs))
        assert {(await shop.get(job)).status for job in mine} == {"queued"}
        most = 0
        async with shop.db.transaction(shop.service) as tx:
            await jobs.queues.save(tx, shop.service, "default", paused=False)
        for job in mine:
            await shop.ended(job)

    assert 1 <= most <= 2
    async with shop.db.transaction(shop.service, read_only=True) as tx:
        assert [
            (q["queue"], q["paused"], q["max_running"], q["queued"])
            for q in await jobs.queues.listing(tx, shop.service)
        ] == [("default", False, 2, 0)]


async def _is_completed(shop: Workshop, principal: Principal, job: UUID) -> bool:
    async with shop.db.transaction(principal, read_only=True) as tx:
        return (await jobs.jobs.get(tx, principal, job)).status == "completed"


async def _has_progress(shop: Workshop, job: UUID, percent: float) -> bool:
    return (await shop.get(job)).progress == percent


async def test_many_of_one_tenant_do_not_stand_before_few_of_others(shop: Workshop) -> None:
    order: list[Tenant] = []

    async def note(job: JobContext) -> None:
        order.append(job.principal.tenant.id)

    shop.registry.add("note", note)
    async with shop.db.transaction(shop.service) as tx:
        await jobs.enqueue_many(tx, shop.service, [NewJob(kind="note") for _ in range(3000)])
    others = [tenant_service(await make_tenant(shop.access)) for _ in range(9)]
    for other in others:
        async with shop.db.transaction(other) as tx:
            await jobs.enqueue_many(tx, other, [NewJob(kind="note") for _ in range(10)])
    async with shop.worker(concurrency=50):
        await shop.poll(lambda: len(order) == 3090, timeout_s=60)

    last = max(n for n, tenant in enumerate(order) if tenant != shop.tenant.id)
    assert order[: last + 1].count(shop.tenant.id) < 200


async def test_a_claim_whose_answer_was_lost_is_handed_back(shop: Workshop) -> None:
    ran: list[UUID] = []

    async def note(job: JobContext) -> None:
        ran.append(job.id)

    shop.registry.add("note", note)
    async with shop.worker(hold_check_s=0.2, poll_s=60.0) as worker:
        job = await shop.enqueue("note", run_at=datetime.now(UTC) + timedelta(hours=1))
        # Committed in its name, while the answer never reached it.
        await shop.admin(
            "update public.agent_jobs set status = 'running', worker_id = $2, lease_no = lease_no + 1, "
            "attempts = attempts + 1, ready = true, run_at = now() where id = $1",
            job,
            worker._worker_id,
        )
        done = await shop.ended(job)
    assert (done.status, done.attempts) == ("completed", 1)
    assert ran == [job]
