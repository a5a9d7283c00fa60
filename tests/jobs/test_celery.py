"""Jobs that Celery delivers: real workers of Celery, on a real Redis."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.jobs import Answer, WorkerConfig, jobs, queues, upkeep
from tests.guarantees.jobs import plant
from tests.support.brokers import RedisBroker, rabbit_broker, redis_broker
from tests.support.fleet import HASTY_S, CeleryProcess, Fleet, fleet

POOLS = [("--pool", "threads", "--concurrency", "4"), ("--pool", "prefork", "--concurrency", "2")]

ALL_SENT = "select bool_and(dispatched_at is not null or status = 'running') from public.agent_jobs"


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[RedisBroker]:
    """A broker."""
    async with redis_broker() as broker:
        yield broker


@pytest_asyncio.fixture
async def yard(fresh: DatabaseAccess, redis: RedisBroker, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A fleet on it."""
    async with plant(fresh, tmp_path) as made, fleet(made, redis.url) as found:
        yield found


async def _cancel(yard: Fleet, job: UUID) -> list[str]:
    service = yard.plant.service
    async with yard.plant.db.transaction(service) as tx:
        tasks = await jobs.cancel(tx, service, job)
    await yard.delivery.revoke(tasks)
    return tasks


async def _try_again(yard: Fleet, job: UUID) -> None:
    async with yard.plant.db.transaction(yard.plant.service) as tx:
        await jobs.try_again(tx, yard.plant.service, job)


async def _save_queue(yard: Fleet, **how: object) -> None:
    async with yard.plant.db.transaction(yard.plant.service) as tx:
        await queues.save(tx, yard.plant.service, "default", **how)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def hasty(fresh: DatabaseAccess, redis: RedisBroker, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A fleet on it that soon sends again what nobody came for."""
    async with plant(fresh, tmp_path) as made, fleet(made, redis.url, lost_s=HASTY_S) as found:
        yield found


@pytest.mark.parametrize("pool", POOLS, ids=["threads", "prefork"])
async def test_jobs_run_in_workers_of_celery(yard: Fleet, pool: tuple[str, ...]) -> None:
    worker = await yard.worker(*pool)
    many = await yard.enqueue("steps", 20, n=3)
    await yard.plant.all_ended()

    for job in many:
        done = await yard.plant.get(job)
        assert (done.status, done.result, done.attempts) == ("completed", 3, 1)
        assert yard.plant.lines()[job] == [["0"], ["1"], ["2"]]
    row = await yard.plant.admin.fetchrow("select * from public.agent_jobs where id = $1", many[0])
    assert (row["dispatch"], row["celery_task_id"]) == ("celery", str(many[0]))
    # Each process that runs tasks says that it lives, so that it can be missed.
    lives = await yard.plant.admin.fetchval("select count(*) from stead.processes where kind = 'worker'")
    assert lives == (2 if "prefork" in pool else 1)
    assert await worker.stop() == 0
    assert not await yard.plant.admin.fetchval("select count(*) from stead.processes")


async def test_a_job_that_comes_twice_runs_once(yard: Fleet) -> None:
    go = yard.plant.effects.with_name("go")
    worker = await yard.worker()
    (job,) = await yard.enqueue("gate", path=str(go))
    await yard.left(job, "before")
    assert await yard.delivery.send([(job, "default", str(job))] * 5) == 5
    await worker.says("job_not_claimed", str(job))
    go.touch()
    done = await yard.ended(job)
    # And once more after its end.
    (mark,) = await yard.enqueue("note")
    assert await yard.delivery.send([(job, "default", str(job)), (mark, "default", str(mark))]) == 2
    await yard.ended(mark)

    assert (done.status, done.attempts) == ("completed", 1)
    assert [words[0] for words in yard.plant.lines()[job]] == ["before", "after"]


async def test_what_is_no_job_is_dropped(yard: Fleet, redis: RedisBroker) -> None:
    worker = await yard.worker()
    app = yard.delivery._app
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for args in (["x"], [""], ["'; drop table agent_jobs; --"], [{"id": 1}], [7]):
            app.send_task("stead.run_job", args=args, queue="stead.default", producer=producer)
        app.send_task("stead.run_job", args=[], queue="stead.default", producer=producer)
        app.send_task("os.system", args=["true"], queue="stead.default", producer=producer)
    (job,) = await yard.enqueue("note")
    assert (await yard.ended(job)).status == "completed"
    await worker.says("job_message_invalid")


async def test_a_job_that_waits_goes_on_through_the_broker_elsewhere(yard: Fleet) -> None:
    first = await yard.worker()
    (job,) = await yard.enqueue("ask")
    await yard.until(job, "waiting_for_input")
    assert await first.stop() == 0

    await yard.worker()
    async with yard.plant.db.transaction(yard.plant.service) as tx:
        await jobs.respond(tx, yard.plant.service, job, [Answer(question_id="q", answer="yes")])
    done = await yard.ended(job)
    assert (done.status, done.result, done.attempts) == ("completed", "yes", 1)
    assert yard.plant.lines()[job] == [["before"], ["yes"]]


async def test_retries_sleeps_and_children_go_through_the_broker(yard: Fleet) -> None:
    await yard.worker()
    (flaky,) = await yard.enqueue("flaky")
    (family,) = await yard.enqueue("family", n=3)
    done = await yard.ended(flaky)
    assert (done.status, done.result, done.attempts) == ("completed", 3, 3)
    assert yard.plant.lines()[flaky] == [["1"], ["2"], ["3"]]

    done = await yard.ended(family)
    assert (done.status, done.result) == ("completed", [0, 0, 1])
    kinds = await yard.plant.admin.fetch("select distinct dispatch from public.agent_jobs")
    assert [row["dispatch"] for row in kinds] == ["celery"]


async def test_a_job_is_not_sent_before_it_is_due(yard: Fleet, redis: RedisBroker) -> None:
    (job,) = await yard.enqueue("note")
    await yard.plant.until("select bool_and(dispatched_at is not null) from public.agent_jobs")
    # As if it had been made for later: nothing is sent, and a message that comes all the same finds it not due.
    await yard.plant.admin.execute(
        "update public.agent_jobs set run_at = now() + interval '1 hour', ready = false, dispatched_at = null"
    )
    worker = await yard.worker()
    await worker.says("job_not_claimed", str(job))
    assert (await yard.plant.get(job)).status == "queued"
    assert await yard.delivery.waiting(["default"]) == {"default": 0}
    await yard.plant.admin.execute("update public.agent_jobs set run_at = now()")
    assert (await yard.ended(job)).status == "completed"


async def test_cancelling_ends_a_handler_that_runs(yard: Fleet) -> None:
    await yard.worker()
    (job,) = await yard.enqueue("guarded")
    await yard.left(job, "began")
    assert await _cancel(yard, job) == [str(job)]
    await yard.left(job, "ended")
    assert (await yard.plant.get(job)).status == "cancelled"


async def test_a_revoked_task_is_not_begun_and_the_job_can_be_tried_again(yard: Fleet) -> None:
    go = yard.plant.effects.with_name("go")
    worker = await yard.worker("--pool", "threads", "--concurrency", "1")
    (first,) = await yard.enqueue("gate", path=str(go))
    await yard.left(first, "before")
    (second,) = await yard.enqueue("note")
    await yard.plant.until(
        "select bool_and(dispatched_at is not null or status = 'running') from public.agent_jobs"
    )
    await _cancel(yard, second)
    await worker.says("Tasks flagged as revoked", str(second))
    go.touch()
    await worker.says("Discarding revoked task", str(second))
    assert (await yard.plant.get(second)).status == "cancelled"
    assert second not in yard.plant.lines()

    # Workers remember what was revoked: it comes as another task.
    await _try_again(yard, second)
    assert (await yard.ended(second)).status == "completed"
    assert yard.plant.lines()[second] == [[]]


@pytest.mark.parametrize("pool", POOLS, ids=["threads", "prefork"])
async def test_a_worker_that_stops_hands_back_what_runs(yard: Fleet, pool: tuple[str, ...]) -> None:
    go = yard.plant.effects.with_name("go")
    first = await yard.worker(*pool, STEAD_DRAIN_S="0.2")
    (job,) = await yard.enqueue("gate", path=str(go))
    await yard.left(job, "before")
    code = await first.stop()
    assert code == 0, first.text
    row = await yard.plant.admin.fetchrow("select * from public.agent_jobs where id = $1", job)
    # Not lost with the process, which a rescue would count, but given back by it.
    assert (row["status"], row["rescues"], row["attempts"]) == ("queued", 0, 1)

    go.touch()
    await yard.worker(*pool)
    done = await yard.ended(job)
    assert (done.status, done.attempts) == ("completed", 1)
    assert [words[0] for words in yard.plant.lines()[job]] == ["before", "after"]


async def test_a_child_that_is_killed_loses_its_own_job_alone(yard: Fleet) -> None:
    go = yard.plant.effects.with_name("go")
    worker = await yard.worker("--pool", "prefork", "--concurrency", "2")
    two = await yard.enqueue("gate", 2, path=str(go))
    for job in two:
        await yard.left(job, "before")
    # A step that is under way when its process ends would run again.
    await yard.plant.until("select count(*) = 2 from public.agent_job_steps")
    victim = int(yard.plant.lines()[two[0]][0][1])
    assert victim in worker.children
    os.kill(victim, signal.SIGKILL)
    await worker.says("Worker exited prematurely")
    # Celery gives the message to another child at once, which finds the job held.
    await worker.says("job_not_claimed", str(two[0]))
    await yard.plant.bury()
    # Only what was buried is silent for so long: a neighbour on a busy machine is not.
    assert await upkeep.rescue(yard.plant.db, WorkerConfig(silent_s=600.0)) == 1
    go.touch()
    await yard.plant.all_ended()
    for job in two:
        assert (await yard.plant.get(job)).status == "completed"
        assert [words[0] for words in yard.plant.lines()[job]] == ["before", "after"]
    rescues = await yard.plant.admin.fetch("select rescues from public.agent_jobs order by 1")
    assert [row["rescues"] for row in rescues] == [0, 1]


async def test_a_paused_queue_holds_its_jobs_until_it_goes_on(hasty: Fleet) -> None:
    await _save_queue(hasty, paused=True)
    worker = await hasty.worker()
    (job,) = await hasty.enqueue("note")
    await worker.says("job_not_claimed", str(job))
    await _save_queue(hasty, paused=False)
    assert (await hasty.ended(job)).status == "completed"
    assert hasty.plant.lines()[job] == [[]]


async def test_a_limit_of_a_queue_holds_over_workers(hasty: Fleet) -> None:
    go = hasty.plant.effects.with_name("go")
    await _save_queue(hasty, max_running=1)
    workers = [await hasty.worker(), await hasty.worker()]
    two = await hasty.enqueue("gate", 2, path=str(go))
    await hasty.plant.until("select exists (select from public.agent_jobs where status = 'running')")
    # The other was delivered, and refused.
    await hasty.plant.until(
        "select bool_and(dispatched_at is not null or status = 'running') from public.agent_jobs"
    )
    (queued,) = [job for job in two if (await hasty.plant.get(job)).status == "queued"]
    refused = [asyncio.create_task(w.says("job_not_claimed", str(queued))) for w in workers]
    await asyncio.wait(refused, return_when=asyncio.FIRST_COMPLETED)
    for each in refused:
        each.cancel()
    go.touch()
    await hasty.plant.all_ended()
    assert [(await hasty.plant.get(job)).status for job in two] == ["completed", "completed"]
    at_once = await hasty.plant.admin.fetchval(
        "select bool_or(a.started_at < b.completed_at and b.started_at < a.completed_at)"
        " from public.agent_jobs a join public.agent_jobs b on a.id < b.id"
    )
    assert not at_once


async def test_a_worker_without_the_handler_leaves_the_job_to_others(hasty: Fleet) -> None:
    stranger = await hasty.worker(STEAD_APP="tests.support.other_app:app")
    (job,) = await hasty.enqueue("note")
    await stranger.says("job_not_claimed", str(job))
    assert (await hasty.plant.get(job)).status == "queued"
    await stranger.stop()
    await hasty.worker()
    assert (await hasty.ended(job)).status == "completed"


async def test_workers_take_the_queues_that_they_are_told(yard: Fleet) -> None:
    here = await yard.worker("--pool", "threads", "--concurrency", "2", "-Q", "stead.heavy")
    await yard.worker("--pool", "threads", "--concurrency", "2")
    (light,), (heavy,) = await yard.enqueue("note"), await yard.enqueue("note", queue="heavy")
    await yard.plant.all_ended()
    assert yard.plant.lines()[light] == yard.plant.lines()[heavy] == [[]]
    await here.says("succeeded", str(heavy))
    assert str(light) not in here.text


async def test_a_worker_refuses_a_database_that_is_not_migrated(yard: Fleet, redis: RedisBroker) -> None:
    await yard.plant.admin.execute("create database empty_one")
    try:
        access = yard.plant.access
        name = await yard.plant.admin.fetchval("select current_database()")
        runtime, owner = (
            str(url).replace(name, "empty_one") for url in (access.runtime_url, access.admin_url)
        )
        worker = CeleryProcess(
            yard.plant, redis.url, STEAD_DATABASE_URL=runtime, STEAD_ADMIN_DATABASE_URL=owner
        )
        await worker.start(ready=False)
        assert worker.process is not None
        assert await worker.process.wait() == 1
        await worker.stop()
        assert "migrations_pending" in worker.text
    finally:
        await yard.plant.admin.execute("drop database empty_one with (force)")


async def test_a_job_runs_through_rabbitmq(fresh: DatabaseAccess, tmp_path: Path) -> None:
    async with rabbit_broker() as url, plant(fresh, tmp_path) as made, fleet(made, url) as yard:
        worker = await yard.worker()
        many = await yard.enqueue("steps", 10, n=2)
        (asking,) = await yard.enqueue("ask")
        (guarded,) = await yard.enqueue("guarded")
        await yard.left(guarded, "began")
        await _cancel(yard, guarded)
        await yard.until(asking, "waiting_for_input")
        async with made.db.transaction(made.service) as tx:
            await jobs.respond(tx, made.service, asking, [Answer(question_id="q", answer="yes")])
        await made.all_ended()
        assert {(await made.get(job)).status for job in (*many, asking)} == {"completed"}
        assert all(made.lines()[job] == [["0"], ["1"]] for job in many)
        assert made.lines()[guarded] == [["began"], ["ended"]]
        assert await yard.delivery.waiting(["default", "unheard_of"]) == {"default": 0, "unheard_of": 0}
        assert await worker.stop() == 0
