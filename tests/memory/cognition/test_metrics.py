"""Metrics of runs, and their sums by agent and day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal
from stead.memory import cognition
from stead.memory.cognition import MetricsPeriodInvalid
from tests.support.people import Person, make_person, open_session, service
from tests.support.servers import Running, say

NOW = datetime.now(UTC)


async def run(
    db: Database, who: Person, *, agent: str = "concierge", latency_ms: int = 100, found: int = 4,
    injected: int = 2, hit_rate: float | None = 0.5, load: float | None = 0.25,
) -> UUID:  # fmt: skip
    """A run that ended, with its recall, and its metrics."""
    run_id, principal = new_id(), who.principal
    async with db.transaction(principal.served()) as tx:
        await tx.execute(
            """
            insert into public.agent_runs (id, tenant_id, profile_id, agent_name, message_id, status, model,
              latency_ms, first_token_ms, input_tokens, output_tokens, completed_at)
            values ($1, $2, $3, $4, $1, 'completed', 'offline', $5, 20, 300, 40, now())
            """,
            run_id, principal.tenant.id, who.id, agent, latency_ms,
        )  # fmt: skip
        if found:
            await tx.execute(
                "insert into public.memory_logs (tenant_id, profile_id, run_id, agent_name, operation, details)"
                " values ($1, $2, $3, $4, 'recall', $5)",
                principal.tenant.id, who.id, run_id, agent,
                {"found": [{"id": str(n), "score": 1} for n in range(found)], "latency_ms": 3.5,
                 "injected": [str(n) for n in range(injected)], "context_tokens": 120},
            )  # fmt: skip
        assert await cognition.record(
            tx, principal, run_id, recall_hit_rate=hit_rate, cognitive_load=load
        )
    return run_id


async def read(db: Database, who: Principal, run_id: UUID) -> dict[str, object]:
    async with db.transaction(who) as tx:
        row = await tx.row("select * from public.cognitive_metrics where run_id = $1", run_id)
    return dict(row) if row else {}


async def test_a_runs_metrics_are_those_of_its_row_and_its_recall(db: Database, person: Person) -> None:
    run_id = await run(db, person)
    seen = await read(db, person.principal, run_id)

    wanted = {
        "profile_id": person.id, "agent_name": "concierge", "model": "offline", "memories_found": 4,
        "memories_injected": 2, "recall_hit_rate": 0.5, "recall_latency_ms": 3.5, "context_tokens": 120,
        "latency_ms": 100, "first_token_ms": 20, "input_tokens": 300, "output_tokens": 40, "cognitive_load": 0.25,
    }  # fmt: skip
    assert wanted.items() <= seen.items()


async def test_of_a_run_of_the_server(server: Running, db: Database, person: Person) -> None:
    """Noted by the run itself, when it ends: what it and its recall log, and what its answer used."""
    first = await open_session(server.client, person)
    await say(server.client, person.headers, first, "My bike is a blue gravel bike.")
    second = await open_session(server.client, person)
    await say(server.client, person.headers, second, "What colour is my bike?")
    async with db.transaction(person.principal.served()) as tx:
        run_id = await tx.value("select id from public.agent_runs where session_id = $1", UUID(second))
        row = await tx.row(
            """
            select c.memories_found, c.memories_injected, c.context_tokens, c.recall_latency_ms,
              c.recall_hit_rate, c.cognitive_load,
              c.latency_ms = r.latency_ms and c.output_tokens = r.output_tokens as same
            from public.cognitive_metrics c join public.agent_runs r on r.id = c.run_id where r.id = $1
            """,
            run_id,
        )
    assert row is not None
    assert row["memories_found"] >= row["memories_injected"] >= 1
    assert row["context_tokens"] >= 5
    assert row["recall_latency_ms"] > 0
    assert row["recall_hit_rate"] > 0
    assert 0 < row["cognitive_load"] <= 1
    assert row["same"] is True


async def test_a_run_without_recall_has_no_hit_rate(db: Database, person: Person) -> None:
    seen = await read(db, person.principal, await run(db, person, found=0, hit_rate=1.0))

    assert (seen["memories_found"], seen["recall_hit_rate"], seen["context_tokens"]) == (0, None, 0)


async def test_noted_twice_the_first_stays(db: Database, person: Person) -> None:
    run_id = await run(db, person)
    async with db.transaction(person.principal.served()) as tx:
        assert not await cognition.record(tx, person.principal, run_id, recall_hit_rate=1.0)
    assert (await read(db, person.principal, run_id))["recall_hit_rate"] == 0.5


@pytest.mark.parametrize(
    ("given", "kept"),
    [(1.5, 1.0), (-1.0, 0.0), (float("nan"), None), (float("inf"), None), (None, None)],
)
async def test_a_figure_that_went_wrong_keeps_no_run_from_ending(
    db: Database, person: Person, given: float | None, kept: float | None
) -> None:
    seen = await read(db, person.principal, await run(db, person, hit_rate=given, load=given))

    assert (seen["recall_hit_rate"], seen["cognitive_load"]) == (kept, kept)


async def test_only_the_runs_own_person_and_the_tenants_service_see_them(
    db: Database, person: Person, stranger: Person
) -> None:
    run_id = await run(db, person)
    neighbour = await make_person(db, person.tenant, "bob")
    assert await read(db, service(person.tenant), run_id)
    for other in (neighbour.principal, stranger.principal, service(stranger.tenant)):
        assert not await read(db, other, run_id)
        async with db.transaction(other.served()) as tx:
            assert not await cognition.record(tx, other, run_id)


async def test_a_summary_by_agent_and_period(db: Database, person: Person) -> None:
    for latency in (100, 200, 300):
        await run(db, person, latency_ms=latency)
    await run(db, person, injected=6, hit_rate=1.0, load=0.75, latency_ms=400)
    await run(db, person, hit_rate=None, latency_ms=500)
    await run(db, person, agent="coach")
    await run(db, person)
    everything = service(person.tenant)
    async with db.transaction(everything) as tx:
        found = await cognition.summary(tx, everything, since=NOW - timedelta(days=1))
        only = await cognition.summary(tx, everything, since=NOW - timedelta(days=1), agent="coach")
        none = await cognition.summary(tx, everything, since=NOW + timedelta(days=1))
    by_agent = {line.agent_name: line for line in found}
    assert set(by_agent) == {"concierge", "coach"}
    assert [line.agent_name for line in only] == ["coach"]
    assert none == []
    line = by_agent["concierge"]
    assert line.runs == 6
    assert line.latency_ms == 250  # the median of 100, 100, 200, 300, 400, 500
    assert line.latency_p95_ms == 475
    # Memories used over memories injected, where somebody looked: 4 · 2 · 0.5 + 6 of 4 · 2 + 6.
    assert line.recall_hit_rate == pytest.approx(10 / 14)
    assert (line.input_tokens, line.output_tokens) == (1800, 240)
    assert (line.peak_load, line.context_tokens) == (0.75, 120)
    assert line.period.replace(hour=0, minute=0, second=0, microsecond=0) == line.period


async def test_a_persons_summary_is_of_her_own_runs(db: Database, person: Person) -> None:
    neighbour = await make_person(db, person.tenant, "bob")
    await run(db, person)
    await run(db, neighbour)
    async with db.transaction(person.principal) as tx:
        (line,) = await cognition.summary(tx, person.principal, since=NOW - timedelta(days=1))
    assert line.runs == 1


async def test_days_stand_apart_and_hours_may(
    db: Database, person: Person, access: DatabaseAccess
) -> None:
    runs = [await run(db, person) for _ in range(3)]
    async with db.transaction(service(person.tenant)) as tx:
        with pytest.raises(MetricsPeriodInvalid):
            await cognition.summary(tx, service(person.tenant), since=NOW, period="year")  # type: ignore[arg-type]
    owner = await asyncpg.connect(access.admin_url)
    day = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    for run_id, at in zip(runs, (day, day + timedelta(hours=5), day + timedelta(days=1)), strict=True):
        await owner.execute(
            "update public.cognitive_metrics set created_at = $2 where run_id = $1", run_id, at
        )
    await owner.close()
    async with db.transaction(service(person.tenant)) as tx:
        await tx.execute("set local timezone = 'America/Los_Angeles'")
        days = await cognition.summary(tx, service(person.tenant), since=day)
        hours = await cognition.summary(tx, service(person.tenant), since=day, period="hour")
        weeks = await cognition.summary(tx, service(person.tenant), since=day, period="week")
    # Days are UTC's, whatever the connection's time zone: the latest first.
    assert [(line.period.day, line.runs) for line in days] == [(30, 1), (29, 2)]
    assert [line.runs for line in hours] == [1, 1, 1]
    assert [(line.period.day, line.runs) for line in weeks] == [(30, 1), (23, 2)]
