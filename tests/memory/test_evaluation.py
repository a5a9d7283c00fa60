"""What was recalled, what answers used of it, and how they were rated: summed up by time, agent and embedder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from stead.agents.rescue import end_lost_run
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal
from stead.memory import evaluation
from stead.memory.errors import EvaluationInvalid
from stead.memory.evaluation import EvaluationRow
from tests.agents.vendors import Vendor, vendor_of
from tests.http.conftest import problem_of
from tests.servers.script import Reply
from tests.support.people import Person, make_person, open_session, service, service_headers
from tests.support.servers import say

PATH = "/agents/memories/evaluation"
# A Wednesday.
AT = datetime(2026, 5, 6, 12, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module")
async def vendor(access: DatabaseAccess) -> AsyncIterator[Vendor]:
    async with vendor_of("responses", access) as found:
        yield found


async def log(
    db: Database, who: Person, *, at: datetime = AT, agent: str = "concierge", embedder: str = "static",
    found: int = 4, injected: int = 2, used: int | None = 1, latency_ms: float = 5.0, rating: int | None = None,
) -> UUID:  # fmt: skip
    """A recall as a run logs it; with ``used`` also what its answer made of it, and a rating of the answer."""
    run_id, session_id, message_id = new_id(), new_id(), new_id()
    ids = [str(new_id()) for _ in range(injected)]
    recall: dict[str, Any] = {
        "embedder": embedder, "latency_ms": latency_ms, "injected": ids, "context_tokens": 10 * injected,
        "found": [{"id": str(n), "score": 1} for n in range(found)],
    }  # fmt: skip
    read = {"embedder": embedder, "injected": ids, "used": ids[:used], "hit_rate": 0.0}
    tenant = who.tenant.id
    async with db.transaction(service(who.tenant)) as tx:
        for operation, details, moment in (
            ("recall", recall, at),
            ("read", read, at + timedelta(seconds=9)),
        ):
            if operation == "recall" or used is not None:
                await tx.execute(
                    "insert into public.memory_logs (tenant_id, profile_id, run_id, agent_name, operation,"
                    " details, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
                    tenant, who.id, run_id, agent, operation, details, moment,
                )  # fmt: skip
        if rating is not None:
            await tx.execute(
                "insert into public.sessions (id, tenant_id, profile_id) values ($1, $2, $3)",
                session_id, tenant, who.id,
            )  # fmt: skip
            await tx.execute(
                "insert into public.agent_runs (id, tenant_id, session_id, profile_id, agent_name, message_id,"
                " status, completed_at) values ($1, $2, $3, $4, $5, $6, 'completed', now())",
                run_id, tenant, session_id, who.id, agent, message_id,
            )  # fmt: skip
            await tx.execute(
                "insert into public.messages (id, tenant_id, session_id, profile_id, seq, client_id, run_id, role,"
                " parts) values ($1, $2, $3, $4, 1, 'answer', $5, 'assistant', '[]')",
                message_id, tenant, session_id, who.id, run_id,
            )  # fmt: skip
            await tx.execute(
                "insert into public.message_feedback (tenant_id, session_id, profile_id, message_id, run_id,"
                " rating) values ($1, $2, $3, $4, $5, $6)",
                tenant, session_id, who.id, message_id, run_id, rating,
            )  # fmt: skip
    return run_id


async def report(db: Database, who: Principal, **options: Any) -> list[EvaluationRow]:
    options = {"since": AT - timedelta(days=30), "until": AT + timedelta(days=30), **options}
    async with db.transaction(who.served(), read_only=True) as tx:
        return await evaluation.report(tx, who, **options)


async def test_an_answer_that_uses_a_memory_is_a_hit_and_one_that_does_not_is_none(
    vendor: Vendor, person: Person, stranger: Person
) -> None:
    client = vendor.running.client
    vendor.script(
        Reply(text=["Nice."]),
        Reply(text=["You told me about the gravel bike, and that you bought it in Porto."]),
        Reply(text=["I cannot say anything about that."]),
        Reply(status=400),
    )
    first = await open_session(client, person)
    await say(client, person.headers, first, "I have a gravel bike that I bought in Porto.")
    session = await open_session(client, person)
    question = "What do you know of my hobbies?"
    for _ in range(3):
        await say(client, person.headers, session, question)
    messages = await client.get(f"/api/session/{session}/messages", headers=person.headers)
    answers = [m for m in messages.json()["items"] if m["role"] == "assistant"]
    for message, rating in zip(answers[:2], ("up", "down"), strict=True):
        given = await client.post(
            f"/api/session/{session}/messages/{message['id']}/feedback",
            json={"rating": rating},
            headers=person.headers,
        )
        assert given.status_code == 200

    page = await client.get(PATH, params={"bucket": "total"}, headers=service_headers(person.tenant))
    assert page.status_code == 200, page.text
    (row,) = page.json()["rows"]
    # Four recalls; the first found nothing to give, and the last run failed.
    assert (row["agent_name"], row["recalls"], row["judged"]) == ("concierge", 4, 2)
    assert row["embedder"].startswith("static")
    assert 0 < row["hit_rate"] < 1
    assert row["used_share"] == 0.5
    assert (row["up"], row["down"]) == (1, 1)
    assert row["context_tokens"] > 0
    assert 0 < row["recall_p50_ms"] <= row["recall_p95_ms"]

    abroad = await client.get(PATH, headers=service_headers(stranger.tenant))
    assert abroad.json()["rows"] == []
    problem_of(await client.get(PATH, headers=person.headers), 403, "service_only")


async def test_each_run_leaves_its_metrics(vendor: Vendor, person: Person) -> None:
    client = vendor.running.client
    vendor.script(
        Reply(text=["Nice."]),
        Reply(text=["You bought the gravel bike in Porto."]),
        Reply(text=["I cannot say anything about that."]),
        Reply(status=400),
    )
    for words in (
        "I have a gravel bike that I bought in Porto.", "Anything about hobbies?", "And?", "Really?",
    ):  # fmt: skip
        await say(client, person.headers, await open_session(client, person), words)
    async with vendor.running.parts.db.transaction(person.principal.served()) as tx:
        rows = await tx.rows(
            "select c.*, r.status, r.latency_ms as took_ms from public.cognitive_metrics c "
            "join public.agent_runs r on r.id = c.run_id order by r.number"
        )
    assert [row["status"] for row in rows] == ["completed", "completed", "completed", "failed"]
    none, hit, miss, failed = rows
    assert (none["recall_hit_rate"], none["memories_injected"]) == (None, 0)
    assert hit["recall_hit_rate"] > 0
    assert miss["recall_hit_rate"] == 0
    # What a failed answer made of its memories nobody can say.
    assert failed["recall_hit_rate"] is None
    assert failed["memories_injected"] >= 1
    for row in rows:
        assert row["latency_ms"] == row["took_ms"]
        assert 0 < row["cognitive_load"] <= 1


async def test_a_run_that_was_rescued_leaves_its_metrics_too(db: Database, person: Person) -> None:
    run_id, process_id = new_id(), new_id()
    async with db.transaction(person.principal.served()) as tx:
        await tx.execute("select stead.beat($1, 'serve', 'gone', 1)", process_id)
        session = await tx.value(
            "insert into public.sessions (profile_id) values ($1) returning id", person.id
        )
        await tx.execute(
            "insert into public.agent_runs (id, session_id, profile_id, agent_name, process_id)"
            " values ($1, $2, $3, 'concierge', $4)",
            run_id, session, person.id, process_id,
        )  # fmt: skip
    async with db.transaction(person.principal.served()) as tx:
        await tx.execute(
            "insert into public.memory_logs (tenant_id, profile_id, run_id, agent_name, operation, details)"
            " values ($1, $2, $3, 'concierge', 'recall', $4)",
            person.tenant.id, person.id, run_id, {"found": [], "injected": ["a", "b"]},
        )  # fmt: skip
    await end_lost_run(db, process_id, person.tenant.id, run_id)
    async with db.transaction(person.principal.served()) as tx:
        row = await tx.row("select * from public.cognitive_metrics where run_id = $1", run_id)
    assert row is not None
    assert (row["memories_injected"], row["recall_hit_rate"], row["cognitive_load"]) == (2, None, None)


async def test_the_rates_are_of_what_was_given_to_answers_that_came(
    db: Database, person: Person
) -> None:
    await log(db, person, found=10, injected=8, used=2, latency_ms=1, rating=1)
    await log(db, person, found=2, injected=2, used=0, latency_ms=3, rating=-1)
    # An answer that never came: recalled, and of no use to anybody.
    await log(db, person, found=6, injected=5, used=None, latency_ms=5)
    (row,) = await report(db, service(person.tenant))
    assert (row.recalls, row.judged) == (3, 2)
    assert (row.found, row.injected, row.context_tokens) == (6, 5, 50)
    assert row.hit_rate == pytest.approx(2 / 10)  # not the mean of 2/8 and 0
    assert row.used_share == 0.5
    assert (row.up, row.down) == (1, 1)
    assert (row.recall_p50_ms, row.recall_p95_ms) == (3, pytest.approx(4.8))


async def test_by_day_week_and_total(db: Database, person: Person) -> None:
    days = [AT, AT + timedelta(hours=11, minutes=59), AT + timedelta(days=1), AT + timedelta(days=7)]
    for day in days:
        await log(db, person, at=day, rating=1)
    who = service(person.tenant)
    by_day = await report(db, who)
    assert [(r.bucket.date().isoformat(), r.recalls, r.up) for r in by_day] == [
        ("2026-05-13", 1, 1), ("2026-05-07", 1, 1), ("2026-05-06", 2, 2),
    ]  # fmt: skip
    by_week = await report(db, who, bucket="week")
    assert [(r.bucket.date().isoformat(), r.recalls) for r in by_week] == [
        ("2026-05-11", 1),
        ("2026-05-04", 3),
    ]
    (total,) = await report(db, who, bucket="total", since=AT)
    assert (total.bucket, total.recalls) == (AT, 4)
    # From since, and before until.
    (some,) = await report(db, who, bucket="total", since=days[1], until=days[3])
    assert some.recalls == 2
    assert len(await report(db, who, limit=2)) == 2


async def test_by_agent_and_embedder(db: Database, person: Person) -> None:
    await log(db, person, used=2)
    await log(db, person, embedder="openai/text-embedding-3-small", used=0, rating=-1)
    await log(db, person, agent="tutor", used=1)
    who = service(person.tenant)
    rows = {(r.agent_name, r.embedder): r for r in await report(db, who)}
    rates = {key: (r.hit_rate, r.down) for key, r in rows.items()}
    assert rates == {
        ("concierge", "static"): (1, 0),
        ("concierge", "openai/text-embedding-3-small"): (0, 1),
        ("tutor", "static"): (0.5, 0),
    }
    (tutor,) = await report(db, who, agent="tutor")
    assert (tutor.agent_name, tutor.hit_rate) == ("tutor", 0.5)
    assert await report(db, who, agent="nobody") == []


async def test_a_person_sees_only_what_is_theirs(db: Database, person: Person, stranger: Person) -> None:
    colleague = await make_person(db, person.tenant, "bob")
    await log(db, person)
    await log(db, colleague)
    await log(db, stranger)
    assert [r.recalls for r in await report(db, person.principal)] == [1]
    assert [r.recalls for r in await report(db, service(person.tenant))] == [2]
    assert [r.recalls for r in await report(db, service(stranger.tenant))] == [1]


@pytest.mark.parametrize(
    "options", [{"bucket": "hour"}, {"until": AT - timedelta(days=31)}, {"since": AT, "until": AT}]
)
async def test_what_is_no_time_is_refused(db: Database, person: Person, options: Any) -> None:
    with pytest.raises(EvaluationInvalid):
        await report(db, service(person.tenant), **options)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"since": "yesterday"}, "request_invalid"),
        ({"since": "2026-05-07"}, "request_invalid"),
        ({"since": "9999-05-07T00:00:00Z"}, "request_invalid"),
        ({"bucket": "hour"}, "request_invalid"),
        ({"agent": "No Slug"}, "request_invalid"),
        ({"limit": "0"}, "request_invalid"),
        ({"since": "2026-05-07T00:00:00Z", "until": "2026-05-06T00:00:00Z"}, "evaluation_invalid"),
    ],
)
async def test_over_http_too(vendor: Vendor, person: Person, params: dict[str, str], code: str) -> None:
    refused = await vendor.running.client.get(
        PATH, params=params, headers=service_headers(person.tenant)
    )
    problem_of(refused, 422, code)


async def test_over_http_in_a_window(vendor: Vendor, db: Database, person: Person) -> None:
    await log(db, person, used=1)
    await log(db, person, at=AT + timedelta(days=3))
    params = {
        "since": "2026-05-06T00:00:00+02:00",
        "until": "2026-05-07T00:00:00Z",
        "agent": "concierge",
    }
    page = await vendor.running.client.get(PATH, params=params, headers=service_headers(person.tenant))
    assert (page.json()["since"], page.json()["until"]) == (
        "2026-05-05T22:00:00Z",
        "2026-05-07T00:00:00Z",
    )
    (row,) = page.json()["rows"]
    assert (row["bucket"], row["recalls"], row["hit_rate"]) == ("2026-05-06T00:00:00Z", 1, 0.5)
