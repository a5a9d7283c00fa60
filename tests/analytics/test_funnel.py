"""The funnel against a count by hand, over HTTP and on the command line."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from stead import analytics
from stead.analytics import FunnelPeriodInvalid
from stead.assembly.database import DatabaseAccess
from stead.cli import output
from stead.cli.main import app
from stead.db import Database
from stead.identity import Tenant
from tests.analytics.conftest import Records, Shop
from tests.support.people import make_person, service, service_headers

START = datetime(2026, 5, 7, 12, tzinfo=UTC)
STEPS = [
    ("warm-up", "hello"),
    ("warm-up", "goal"),
    ("deep", "price"),
    ("deep", "fear"),
    ("deep", "offer"),
]
CONVERSIONS = ("conversion.checkout_completed", "conversion.call_booked")
#: Session (a name), event, properties, and seconds since the start.
Happened = tuple[str | None, str, dict[str, Any], float]
Figures = dict[tuple[str, str | None], dict[str, Any]]


async def _store(records: Records, tenant: Tenant, rows: list[Happened]) -> None:
    ids = {name: uuid.uuid5(tenant.id, name) for name, *_ in rows if name is not None}
    await records.connection.executemany(
        "insert into public.sessions (id, tenant_id, memory_container) values ($1, $2, $3) "
        "on conflict do nothing",
        [(each, tenant.id, str(each)) for each in ids.values()],
    )
    await records.connection.executemany(
        """
        insert into public.analytics_events (tenant_id, id, session_id, name, properties, origin, occurred_at)
        values ($1, $2, $3, $4, $5, 'browser', $6)
        """,
        [
            (tenant.id, uuid.uuid4(), ids.get(session or ""), name, json.dumps(properties),
             START + timedelta(seconds=at))
            for session, name, properties, at in rows
        ],
    )  # fmt: skip


def _walks(chance: random.Random, sessions: int) -> list[Happened]:
    """People who come, leave, go back, skip and buy."""
    rows: list[Happened] = []
    for number in range(sessions):
        name, at = f"s{number}", chance.uniform(0, 1000)
        rows.append((name, "session.created", {}, at))
        for phase, step in STEPS:
            at += chance.uniform(1, 60)
            if step == "hello" or (phase == "deep" and step == "price"):
                rows.append((name, "phase.started", {"phase": phase}, at))
            if chance.random() < 0.1:
                continue  # skipped
            for _ in range(chance.choice((1, 1, 2))):  # seen again
                rows.append((name, "step.viewed", {"phase": phase, "step": step}, at))
                at += chance.uniform(1, 20)
            if chance.random() < 0.8:
                rows.append((name, "step.completed", {"phase": phase, "step": step}, at))
            if chance.random() < 0.15:
                break
        else:
            rows.append((name, "phase.completed", {"phase": "deep"}, at + 1))
        if chance.random() < 0.2:
            rows.append((name, chance.choice(CONVERSIONS), {}, at + chance.uniform(-100, 100)))
    rows.append((None, CONVERSIONS[0], {}, 5.0))
    return rows


def _by_hand(
    rows: list[Happened],
) -> Figures:
    """The same figures, counted one session after the other."""
    entered: dict[bool, dict[str, dict[tuple[str, str | None], float]]] = {
        True: defaultdict(dict), False: defaultdict(dict)}  # fmt: skip
    done: dict[tuple[str, str, str | None], float] = {}
    bought: dict[str, float] = {}
    for session, name, properties, at in rows:
        if session is None:
            continue
        if name in CONVERSIONS:
            bought[session] = max(bought.get(session, at), at)
        if "phase" not in properties:
            continue
        keys: list[tuple[str, str | None]] = [(properties["phase"], None)]
        if "step" in properties:
            keys.append((properties["phase"], properties["step"]))
        for key in keys:
            place = entered[key[1] is None][session]
            place[key] = min(place.get(key, at), at)
        if name.endswith(".completed"):
            key = keys[-1]
            done[(session, *key)] = min(done.get((session, *key), at), at)
    found: Figures = {}
    for whole, order in ((True, ["warm-up", "deep"]), (False, STEPS)):
        stages: list[tuple[str, str | None]] = [(p, None) for p in order] if whole else list(order)  # type: ignore[misc]
        for stage, after in zip(stages, [*stages[1:], None], strict=True):
            came = {s: path[stage] for s, path in entered[whole].items() if stage in path}
            took = [done[(s, *stage)] - at for s, at in came.items() if (s, *stage) in done]
            found[stage] = {
                "sessions": len(came),
                "completed": len(took),
                "went_on": sum(1 for s in came if after in entered[whole][s]),
                "dropped": sum(
                    1 for s in came
                    if s not in bought and max(entered[whole][s].items(), key=lambda kv: kv[1])[0] == stage
                ),
                "converted": sum(1 for s, at in came.items() if bought.get(s, -1) >= at),
                "median_s": statistics.median(took) if took else None,
            }  # fmt: skip
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_it_is_what_is_counted_by_hand(
    records: Records, db: Database, tenant: Tenant, other_tenant: Tenant, seed: int
) -> None:
    rows = _walks(random.Random(seed), 80)
    await _store(records, tenant, rows)
    await _store(records, other_tenant, _walks(random.Random(seed + 100), 10))
    # Before and after the time that is asked for.
    await _store(records, tenant, [("early", "step.viewed", {"phase": "deep", "step": "fear"}, -1.0),
                                   ("late", "step.viewed", {"phase": "deep", "step": "fear"}, 1e6)])  # fmt: skip
    async with db.transaction(service(tenant), read_only=True) as tx:
        funnel = await analytics.funnel.measure(
            tx, service(tenant), since=START, until=START + timedelta(seconds=1e6)
        )
    stages = (*funnel.phases, *funnel.steps)
    found = {
        (stage.phase, stage.step): {
            "sessions": stage.sessions, "completed": stage.completed, "went_on": stage.went_on,
            "dropped": stage.dropped, "converted": stage.converted,
            "median_s": None if stage.median_s is None else pytest.approx(stage.median_s, abs=1e-3),
        }
        for stage in stages
    }  # fmt: skip
    assert _by_hand(rows) == found
    assert [stage.phase for stage in funnel.phases] == ["warm-up", "deep"]
    assert [(stage.phase, stage.step) for stage in funnel.steps] == STEPS
    assert [stage.position for stage in funnel.steps] == [1, 2, 3, 4, 5]
    totals = {total.name: (total.events, total.sessions) for total in funnel.totals}
    assert totals["session.created"] == (80, 80)
    bought = [row for row in rows if row[1] == CONVERSIONS[0]]
    assert totals[CONVERSIONS[0]] == (len(bought), len(bought) - 1)


async def test_names_that_browsers_make_up_do_not_fill_it(
    records: Records, db: Database, tenant: Tenant
) -> None:
    real = [(f"s{n}", "step.viewed", {"phase": "one", "step": "real"}, 9.0) for n in range(3)]
    made_up = [("s0", "step.viewed", {"phase": f"p{n}", "step": "x"}, 10.0 + n) for n in range(300)]
    await _store(records, tenant, [*real, *made_up])
    async with db.transaction(service(tenant), read_only=True) as tx:
        funnel = await analytics.funnel.measure(
            tx, service(tenant), since=START, until=START + timedelta(days=1)
        )
    assert (len(funnel.phases), len(funnel.steps)) == (200, 200)
    assert ("one", "real", 3) in {(s.phase, s.step, s.sessions) for s in funnel.steps}


async def test_a_time_is_a_time(db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant), read_only=True) as tx:
        empty = await analytics.funnel.measure(tx, service(tenant))
        assert (empty.totals, empty.phases, empty.steps) == ((), (), ())
        assert empty.until - empty.since == timedelta(days=30)
        for since in (START, START - timedelta(days=401)):
            with pytest.raises(FunnelPeriodInvalid):
                await analytics.funnel.measure(tx, service(tenant), since=since, until=START)


async def test_over_http_it_is_for_services_and_approvers(
    shop: Shop, records: Records, db: Database
) -> None:
    await _store(records, shop.rival, [("a", "step.viewed", {"phase": "one", "step": "x"}, 0.0),
                                       ("a", "step.viewed", {"phase": "one", "step": "y"}, 4.0),
                                       ("b", "step.viewed", {"phase": "one", "step": "x"}, 1.0)])  # fmt: skip
    when = {"from": START.isoformat(), "to": (START + timedelta(hours=1)).isoformat()}
    answer = await shop.client.get("/v1/events/funnel", params=when, headers=service_headers(shop.rival))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["from"].startswith("2026-05-07T12:00:00")
    assert told["phases"] == [{"phase": "one", "position": 1, "sessions": 2, "completed": 0, "went_on": 0,
                               "share": 0.0, "dropped": 2, "converted": 0, "median_s": None}]  # fmt: skip
    assert [(s["step"], s["sessions"], s["went_on"], s["share"], s["dropped"]) for s in told["steps"]] == [
        ("x", 2, 1, 0.5, 1), ("y", 1, 0, 0.0, 1)
    ]  # fmt: skip
    # Another tenant's figures are its own.
    others = await shop.client.get(
        "/v1/events/funnel", params=when, headers=service_headers(shop.tenant)
    )
    assert others.json()["phases"] == []
    person = await make_person(db, shop.rival)
    refused = await shop.client.get("/v1/events/funnel", params=when, headers=person.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "approvers_only")
    turned = await shop.client.get(
        "/v1/events/funnel",
        params={"from": when["to"], "to": when["from"]},
        headers=service_headers(shop.rival),
    )
    assert (turned.status_code, turned.json()["code"]) == (422, "funnel_period_invalid")


async def test_on_the_command_line_it_is_the_same(
    records: Records,
    access: DatabaseAccess,
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = {"phase": "one", "step": "\x1b[2Jx"}
    await _store(
        records, tenant, [("a", "step.viewed", where, 0.0), ("a", "step.completed", where, 90.0)]
    )

    async def stead(*words: str) -> str:
        environment = {"STEAD_HOME": str(tmp_path), "STEAD_DATABASE_URL": access.runtime_url}
        answer = await asyncio.to_thread(CliRunner().invoke, app, ["events", *words], env=environment)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    when = ("--tenant", tenant.slug, "--from", "2026-05-07", "--to", "2026-05-08")
    told = json.loads(await stead("funnel", *when))
    (step,) = told["steps"]
    assert (step["sessions"], step["completed"], step["median_s"], step["share"]) == (1, 1, 90.0, 0.0)
    assert len(json.loads(await stead("catalog"))["events"]) == 12
    # For people, with what browsers made up shown and not obeyed.
    paper = StringIO()
    monkeypatch.setattr(output, "out", Console(file=paper, force_terminal=True, width=200))
    await stead("funnel", *when)
    await stead("catalog")
    assert "\x1b[2J" not in paper.getvalue()
    assert "\\x1b[2Jx" in paper.getvalue()
    assert "90 s" in paper.getvalue()
    assert "conversion.call_booked" in paper.getvalue()
