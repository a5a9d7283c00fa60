"""The broker from the side of those who send: down, silent, wrong, or not installed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from stead.assembly import Stead, load_settings
from stead.assembly.database import DatabaseAccess
from stead.assembly.errors import SettingsInvalid
from stead.jobs.broker import BrokerConfig, CeleryDelivery
from stead.jobs.errors import BrokerNotConfigured, BrokerUnavailable
from tests.guarantees.jobs import Plant, plant
from tests.support.brokers import RedisBroker, rabbit_broker, redis_broker
from tests.support.fleet import Fleet, fleet
from tests.support.people import service_headers
from tests.support.servers import Running, running_server
from tests.support.workshop_app import app


@asynccontextmanager
async def black_hole() -> AsyncIterator[str]:
    """A broker that accepts connections and never says a word."""
    held: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        await reader.read()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in held:
            writer.close()
        await server.wait_closed()


@asynccontextmanager
async def serving(made: Plant, broker_url: str) -> AsyncIterator[Running]:
    """The API, with the workshop's handlers, delivering by Celery."""
    stead = Stead()
    stead.jobs = app.jobs
    async with running_server(made.access, stead, dispatch="celery", broker_url=broker_url) as found:
        yield found


async def _post(server: Running, made: Plant, kind: str) -> UUID:
    answer = await server.client.post(
        "/v1/jobs", json={"kind": kind}, headers=service_headers(made.service.tenant)
    )
    assert answer.status_code == 200, answer.text
    return UUID(answer.json()["job_id"])


async def test_a_job_made_over_http_runs_in_a_worker_of_celery(
    fresh: DatabaseAccess, tmp_path: Path
) -> None:
    async with (
        redis_broker() as redis,
        plant(fresh, tmp_path) as made,
        fleet(made, redis.url, dispatching=False) as yard,
        serving(made, redis.url) as server,
    ):
        await yard.worker()
        job = await _post(server, made, "ask")
        await yard.until(job, "waiting_for_input")
        answered = await server.client.post(
            f"/v1/jobs/{job}/respond",
            json={"responses": [{"question_id": "q", "answer": "yes"}]},
            headers=service_headers(made.service.tenant),
        )
        assert answered.status_code == 200
        assert (await yard.ended(job)).result == "yes"

        running = await _post(server, made, "guarded")
        await yard.left(running, "began")
        cancelled = await server.client.post(
            f"/v1/jobs/{running}/cancel", headers=service_headers(made.service.tenant)
        )
        assert (cancelled.status_code, cancelled.json()) == (200, {"status": "cancelled"})
        await yard.left(running, "ended")


@pytest.mark.parametrize("how", ["nobody listens", "nobody answers"])
async def test_a_broker_that_is_down_keeps_nobody_waiting_and_loses_nothing(
    fresh: DatabaseAccess, tmp_path: Path, how: str
) -> None:
    redis = RedisBroker()
    async with plant(fresh, tmp_path) as made, black_hole() as silent:
        url = redis.url if how == "nobody listens" else f"redis://{silent}/0"
        async with serving(made, url) as server:
            first, second = [await _post(server, made, "note") for _ in range(2)]
            # Well above what one call to the broker may take, and far below what its library would wait.
            async with asyncio.timeout(20):
                cancelled = await server.client.post(
                    f"/v1/jobs/{second}/cancel", headers=service_headers(made.service.tenant)
                )
            assert cancelled.status_code == 200

        try:
            async with fleet(made, redis.url) as yard:
                await redis.start()
                await yard.worker()
                assert (await yard.ended(first)).status == "completed"
                assert (await made.get(second)).status == "cancelled"
                assert made.lines() == {first: [[]]}
        finally:
            await redis.stop()


async def test_a_dispatcher_lives_through_the_broker_s_death(
    fresh: DatabaseAccess, tmp_path: Path
) -> None:
    async with redis_broker() as redis, plant(fresh, tmp_path) as made, fleet(made, redis.url) as yard:
        await yard.worker()
        (before,) = await yard.enqueue("note")
        await yard.ended(before)
        await redis.stop()
        (meanwhile,) = await yard.enqueue("note")
        # Asked, refused, and given back.
        with pytest.raises(BrokerUnavailable):
            await yard.delivery.waiting(["default"])
        await made.until("select dispatched_at is null from public.agent_jobs where id = $1", meanwhile)
        await redis.start()
        assert (await yard.ended(meanwhile)).status == "completed"
        # What it holds is removed while it runs on: its bindings too.
        await redis.command("FLUSHALL")
        (after,) = await yard.enqueue("note")
        assert (await yard.ended(after)).status == "completed"
        assert made.lines() == {before: [[]], meanwhile: [[]], after: [[]]}


async def test_messages_that_the_broker_lost_are_sent_again_and_those_it_holds_are_not(
    fresh: DatabaseAccess, tmp_path: Path
) -> None:
    async with (
        redis_broker() as redis,
        plant(fresh, tmp_path) as made,
        # Nothing is lost by itself while the test runs: jobs are made older.
        fleet(made, redis.url) as yard,
    ):
        many = await yard.enqueue("note", 30)
        await _arrived(yard, 30)
        stamps = "select array_agg(dispatched_at order by id) from public.agent_jobs"
        # A long queue is no loss, however long it is: hours pass in which nobody comes.
        await made.admin.execute(
            "update public.agent_jobs set dispatched_at = dispatched_at - interval '20 hours'"
        )
        old = await made.admin.fetchval(stamps)
        await _rounds(yard)
        assert await made.admin.fetchval(stamps) == old
        assert await yard.delivery.waiting(["default"]) == {"default": 30}

        await redis.command("FLUSHALL")
        await _arrived(yard, 30)
        new = await made.admin.fetchval(stamps)
        assert all(after > before for before, after in zip(old, new, strict=True))
        # And once: what is on its way again is not lost.
        await _rounds(yard)
        assert await made.admin.fetchval(stamps) == new
        assert await yard.delivery.waiting(["default"]) == {"default": 30}
        await yard.worker()
        await made.all_ended()
        assert made.lines() == {job: [[]] for job in many}


async def _arrived(yard: Fleet, count: int) -> None:
    """Waits until the broker holds so many messages. Jobs are marked before they are sent."""
    async with asyncio.timeout(60):
        while (await yard.delivery.waiting(["default"]))["default"] < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _rounds(yard: Fleet) -> None:
    """Looks for what was lost as often as it takes to be sure, beside the dispatcher, which goes on."""
    for _ in range(3):
        await yard.dispatcher._send_lost_again()
        while await yard.dispatcher._send_due():
            pass


async def test_two_dispatchers_send_each_job_once(fresh: DatabaseAccess, tmp_path: Path) -> None:
    async with (
        redis_broker() as redis,
        plant(fresh, tmp_path) as made,
        fleet(made, redis.url) as yard,
        fleet(made, redis.url),
    ):
        await yard.enqueue("note", 700)
        await _arrived(yard, 700)
        await _rounds(yard)
        assert await yard.delivery.waiting(["default"]) == {"default": 700}


async def test_a_sender_reports_what_rabbitmq_took(fresh: DatabaseAccess, tmp_path: Path) -> None:
    async with plant(fresh, tmp_path) as made:
        async with rabbit_broker() as url:
            delivery = CeleryDelivery(BrokerConfig(url=url))
            jobs = [(UUID(int=n), "default", str(UUID(int=n))) for n in range(5)]
            assert await delivery.send(jobs) == 5
            assert await delivery.waiting(["default", "other"]) == {"default": 5, "other": 0}
        for ask in (delivery.send(jobs), delivery.waiting(["default"])):
            with pytest.raises(BrokerUnavailable) as raised:
                await ask
            assert "guest" not in str(raised.value)
        await delivery.revoke(["x"])
        await delivery.aclose()
        assert not made.lines()


async def test_a_broker_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async with black_hole() as address:
        for scheme in ("redis", "amqp"):
            delivery = CeleryDelivery(
                BrokerConfig(url=f"{scheme}://{address}/", answer_s=0.2, batch_s=1.0)
            )
            job = UUID(int=1)
            async with asyncio.timeout(30):
                with pytest.raises(BrokerUnavailable):
                    await delivery.send([(job, "default", str(job))])
                # Not more of them wait than is of use.
                refused = await asyncio.gather(
                    *(delivery.waiting(["default"]) for _ in range(50)), return_exceptions=True
                )
                assert {type(each) for each in refused} == {BrokerUnavailable}
                await delivery.revoke(["x"] * 3)
                await delivery.aclose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1", "http://"),
        ("sqs://secret@", "sqs://"),
        ("redis://", "redis://"),
        ("redis", "the broker's URL"),
        ("redis://:secret@127.0.0.1:port/0", "host and port"),
        ("redis://:secret@127.0.0.1:70000/0", "host and port"),
        ("redis://:secret@127.0.0.1/first", "number of a database"),
    ],
)
def test_a_url_of_no_broker_is_refused(url: str, said: str) -> None:
    with pytest.raises(BrokerNotConfigured) as raised:
        BrokerConfig(url=url)
    assert said in raised.value.detail
    assert "secret" not in raised.value.detail + raised.value.hint


def test_celery_needs_a_broker() -> None:
    with pytest.raises(SettingsInvalid, match="STEAD_BROKER_URL"):
        load_settings(dispatch="celery")
    assert load_settings(dispatch="celery", redis_url="redis://a").effective_broker_url is not None
    both = load_settings(redis_url="redis://a", broker_url="amqp://b").effective_broker_url
    assert both is not None
    assert both.get_secret_value() == "amqp://b"


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['celery'] = None\n"
        "from stead.jobs.broker import BrokerConfig, CeleryDelivery\n"
        "try:\n    CeleryDelivery(BrokerConfig(url='redis://127.0.0.1'))\n"
        "except Exception as error:\n    print(type(error).__name__, error.hint)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "BrokerNotConfigured pip install 'stead[celery]'"
