"""The deprecated tables of document 000: counted, moved once, dropped only when told to."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from stead.apps.marketplace.errors import LegacyTableUnknown
from stead.apps.marketplace.legacy import TABLES, Moved, move_legacy
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity.errors import TenantUnknown
from tests.support.people import Person, make_person, make_tenant, service

#: Plausible columns: the document names the tables only.
SCHEMA = """
create table public.comparison_sessions (
  id uuid primary key default gen_random_uuid(), profile_id uuid, prompt text, filters jsonb, metadata jsonb,
  created_at timestamptz default now(), closed_at timestamptz);
create table public.comparison_candidates (
  id bigserial primary key, comparison_session_id uuid references public.comparison_sessions (id), agent_id uuid,
  score numeric, position int, rationale text[]);
create table public.integration_events (
  id bigserial primary key, session_id uuid, profile_id uuid, agent_id uuid, event_type text, payload jsonb,
  response jsonb, latency_ms int, error text, created_at timestamptz default now());
create table public.anonymous_prompts (
  id uuid primary key default gen_random_uuid(), session_token text, prompt text, claimed_by uuid,
  created_at timestamptz default now());
"""


@dataclass
class Old:
    """A database that has the old tables, and a tenant with an agent."""

    owner: asyncpg.Connection
    db: Database
    person: Person
    agent: uuid.UUID
    access: DatabaseAccess
    ids: dict[str, uuid.UUID] = field(default_factory=dict)

    async def move(self, **how: Any) -> dict[str, Moved]:
        done = await move_legacy(self.owner, self.person.tenant.slug, **how)
        return {found.table: found for found in done}

    async def session(
        self, prompt: str = "Hire me", person: uuid.UUID | None = None, **more: Any
    ) -> uuid.UUID:
        return await self.owner.fetchval(
            "insert into public.comparison_sessions (profile_id, prompt, filters, closed_at) "
            "values ($1, $2, $3, $4) returning id",
            person or self.person.id, prompt, json.dumps({"tag": "x"}), more.get("closed_at"),
        )  # fmt: skip

    async def fill(self) -> None:
        """One row of each kind that maps, and one of each that does not."""
        add = self.owner.execute
        self.ids["open"] = await self.session()
        self.ids["closed"] = await self.owner.fetchval(
            "insert into public.comparison_sessions (prompt, metadata, created_at, closed_at) values "
            "('nobody''s', '{\"page\": 1}', '2026-01-01Z', '2026-01-02Z') returning id"
        )
        self.ids["stranger's"] = await self.session(person=uuid.uuid4())
        await add(
            "insert into public.comparison_candidates "
            "(comparison_session_id, agent_id, score, position, rationale) values "
            "($1, $2, 0.87, 1, '{Good}'), ($1, $3, 0.5, 2, null), ($1, $2, 0.1, 3, null), ($4, $2, 1, 1, null)",
            self.ids["open"], self.agent, uuid.uuid4(), self.ids["stranger's"],
        )  # fmt: skip
        await add(
            "insert into public.integration_events "
            "(session_id, agent_id, event_type, payload, response, latency_ms) values "
            "($1, $2, 'chat', '{\"q\": 1}', '{\"a\": 2}', 1500)",
            self.ids["open"], self.agent,
        )  # fmt: skip
        await add(
            "insert into public.integration_events (event_type, error) values ('webhook', 'timed out')"
        )
        await add("insert into public.integration_events (profile_id) values ($1)", uuid.uuid4())
        self.ids["claimed"] = await self.owner.fetchval(
            "insert into public.anonymous_prompts (prompt, claimed_by) values ('Find a tutor', $1) returning id",
            self.person.id,
        )
        await add("insert into public.anonymous_prompts (prompt) values ('who knows')")


@pytest_asyncio.fixture
async def old(fresh: DatabaseAccess) -> AsyncIterator[Old]:
    assert fresh.admin_url is not None
    owner = await asyncpg.connect(fresh.admin_url)
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=4))
    person = await make_person(db, await make_tenant(fresh))
    agent = await owner.fetchval(
        "insert into public.agents (tenant_id, slug, name) values ($1, 'old', 'Old') returning id",
        person.tenant.id,
    )
    await owner.execute(SCHEMA)
    yield Old(owner=owner, db=db, person=person, agent=agent, access=fresh)
    await db.close()
    await owner.close()


async def test_it_says_what_it_would_do_and_does_nothing(old: Old) -> None:
    await old.fill()
    said = await old.move()

    assert list(said) == list(TABLES)
    assert {t: (m.rows, m.moved, m.there, dict(m.left)) for t, m in said.items()} == {
        "comparison_sessions": (3, 2, 0, {"person_unknown": 1}),
        "comparison_candidates": (4, 1, 1, {"agent_unknown": 1, "session_unknown": 1}),
        "integration_events": (3, 2, 0, {"person_unknown": 1}),
        "anonymous_prompts": (2, 1, 0, {"never_claimed": 1}),
    }
    for table in ("sessions", "session_candidates", "agent_runs", "messages"):
        assert await old.owner.fetchval(f"select count(*) from public.{table}") == 0
    assert {t: (m.moved, m.left) for t, m in (await old.move(apply=True)).items()} == {
        t: (m.moved, m.left) for t, m in said.items()
    }


async def test_what_maps_is_moved(old: Old) -> None:
    await old.fill()
    await old.move(apply=True)

    async with old.db.transaction(old.person.principal, read_only=True) as tx:
        opened = await tx.row("select * from public.sessions where id = $1", old.ids["open"])
        (candidate,) = await tx.rows("select * from public.session_candidates")
        (run,) = await tx.rows("select * from public.agent_runs")
        (said,) = await tx.rows("select * from public.messages")
    assert opened is not None
    assert (opened["profile_id"], opened["status"]) == (old.person.id, "abandoned")
    assert opened["context"] == {
        "goal": "Hire me", "filters": {"tag": "x"}, "legacy": "comparison_sessions",
    }  # fmt: skip
    # No score was above 1: they were shares.
    assert (candidate["session_id"], candidate["agent_id"]) == (old.ids["open"], old.agent)
    assert (candidate["fit_score"], candidate["rank"], candidate["rationale"]) == (87, 1, ["Good"])
    assert (run["session_id"], run["agent_name"], run["status"]) == (old.ids["open"], "old", "completed")
    assert (run["input"], run["output"], run["latency_ms"]) == ({"q": 1}, {"a": 2}, 1500)
    assert run["profile_id"] == old.person.id
    assert (said["session_id"], said["seq"]) == (old.ids["claimed"], 1)
    assert said["parts"] == [{"type": "text", "text": "Find a tutor"}]

    async with old.db.transaction(service(old.person.tenant), read_only=True) as tx:
        closed = await tx.row("select * from public.sessions where id = $1", old.ids["closed"])
        failed = await tx.row("select * from public.agent_runs where status = 'failed'")
    assert closed is not None
    assert (closed["status"], closed["profile_id"]) == ("completed", None)
    assert closed["ended_at"].isoformat().startswith("2026-01-02")
    assert failed is not None
    assert failed["error"] == {"code": "legacy", "message": "timed out"}
    # The session of the prompt goes on where its message ended.
    async with old.db.transaction(service(old.person.tenant)) as tx:
        assert (
            await tx.value("select last_seq from public.sessions where id = $1", old.ids["claimed"]) == 1
        )


async def test_run_again_it_moves_what_is_new_only(old: Old) -> None:
    await old.fill()
    first = await old.move(apply=True)
    await old.session("Another")
    again = await old.move(apply=True)

    for table, found in again.items():
        assert found.moved == (table == "comparison_sessions")
        assert found.there == first[table].moved + first[table].there
        assert found.left == first[table].left


async def test_interrupted_it_goes_on(old: Old) -> None:
    """What was committed before it died stays, and is not moved a second time."""
    await old.owner.execute(
        "insert into public.comparison_sessions (profile_id, prompt) select $1, "
        "(select string_agg(md5(g::text || n), '') from generate_series(1, 55) n) from generate_series(1, 600) g",
        old.person.id,
    )  # fmt: skip
    victim = await asyncpg.connect(old.access.admin_url)
    # Its connection ends in the middle of a batch.
    await old.owner.execute(
        """
        create function public.die() returns trigger language plpgsql security definer as $$
        begin
          if (select count(*) from public.sessions) >= 400 then
            perform pg_terminate_backend(pg_backend_pid());
          end if;
          return null;
        end $$;
        create trigger die after insert on public.sessions for each row execute function public.die();
        """
    )
    with pytest.raises(
        (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.InterfaceError)
    ):
        await move_legacy(victim, old.person.tenant.slug, apply=True)
    before = await old.owner.fetchval("select count(*) from public.sessions")
    await old.owner.execute("drop trigger die on public.sessions; drop function public.die()")

    done = (await old.move(apply=True))["comparison_sessions"]

    assert 0 < before < 600
    assert (done.there, done.moved) == (before, 600 - before)
    assert await old.owner.fetchval("select count(*) from public.sessions") == 600


async def test_a_row_that_cannot_be_stored_keeps_no_other_from_it(old: Old) -> None:
    await old.owner.execute("alter table public.comparison_sessions alter created_at type text")
    for n in range(20):
        made = await old.session(f"number {n}")
        if n in {3, 17}:
            await old.owner.execute(
                "update public.comparison_sessions set created_at = 'long ago' where id = $1", made
            )
    found = (await old.move(apply=True))["comparison_sessions"]

    assert (found.moved, found.left) == (18, {"not_storable": 2})


async def test_tables_are_dropped_only_when_told_to_and_when_nothing_is_lost(old: Old) -> None:
    await old.fill()
    assert not any(found.dropped for found in (await old.move(apply=True)).values())
    kept = await old.move(apply=True, drop=True)
    assert {t: m.kept_because for t, m in kept.items()} == {
        "comparison_sessions": "1 rows were not moved",
        "comparison_candidates": "2 rows were not moved",
        "integration_events": "1 rows were not moved",
        "anonymous_prompts": "1 rows were not moved",
    }
    await old.owner.execute("create view public.report as select id from public.anonymous_prompts")
    forced = await old.move(apply=True, drop=True, force=True)

    assert {t for t, m in forced.items() if m.dropped} == set(TABLES) - {"anonymous_prompts"}
    assert forced["anonymous_prompts"].kept_because == "something else depends on it"
    assert list(await old.move()) == ["anonymous_prompts"]


async def test_an_empty_or_wholly_moved_table_is_dropped(old: Old) -> None:
    await old.session()
    done = await old.move(apply=True, drop=True)

    assert all(found.dropped for found in done.values())
    assert await old.move(apply=True, drop=True) == {}


async def test_columns_may_be_missing_and_ids_be_numbers(old: Old) -> None:
    for table in reversed(TABLES):
        await old.owner.execute(f"drop table public.{table}")
    await old.owner.execute(
        """
        create table public.comparison_sessions (id uuid);
        create table public.comparison_candidates (session_id uuid, agent_slug text, fit_score int);
        create table public.integration_events (id int, status text);
        create table public.anonymous_prompts (id int, user_id text, message text);
        """
    )
    session = uuid.uuid4()
    await old.owner.execute("insert into public.comparison_sessions values ($1), (null)", session)
    await old.owner.execute(
        "insert into public.comparison_candidates values ($1, 'old', 70), ($1, 'gone', 5)", session
    )
    await old.owner.execute("insert into public.integration_events values (1, 'failed'), (2, 'ok')")
    await old.owner.execute(
        "update public.profiles set external_id = 'user_1' where id = $1", old.person.id
    )
    await old.owner.execute(
        "insert into public.anonymous_prompts values (1, 'user_1', 'hi'), (2, 'user_1', ' ')"
    )

    done = await old.move(apply=True)

    assert {t: (m.moved, dict(m.left)) for t, m in done.items()} == {
        "comparison_sessions": (1, {"id_unreadable": 1}),
        "comparison_candidates": (1, {"agent_unknown": 1}),
        "integration_events": (2, {}),
        "anonymous_prompts": (1, {"text_missing": 1}),
    }
    assert await old.owner.fetchval("select fit_score from public.session_candidates") == 70
    again = await old.move(apply=True)
    assert [m.moved for m in again.values()] == [0, 0, 0, 0]


async def test_rows_of_another_tenant_are_not_taken_for_moved_ones(old: Old) -> None:
    """An id that another tenant has is a row that stays, and nothing of theirs is touched."""
    other = await make_person(old.db, await make_tenant(old.access))
    taken = await old.session()
    async with old.db.transaction(service(other.tenant)) as tx:
        await tx.execute(
            "insert into public.sessions (id, tenant_id, context) values ($1, $2, '{\"a\": 1}')",
            taken, other.tenant.id,
        )  # fmt: skip
    found = await old.move(apply=True)

    assert found["comparison_sessions"].left == {"id_taken": 1}
    assert (
        await old.owner.fetchval("select tenant_id from public.sessions where id = $1", taken)
        == other.tenant.id
    )


async def test_other_things_of_that_name_are_left_alone(old: Old) -> None:
    await old.owner.execute(
        "drop table public.anonymous_prompts; create view public.anonymous_prompts as select 1 as id"
    )
    with pytest.raises(LegacyTableUnknown):
        await old.move(apply=True)
    with pytest.raises(TenantUnknown):
        await move_legacy(old.owner, "nobody")
