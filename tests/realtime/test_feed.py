"""The feed: who is told of what, in which order, and what it costs while nobody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import NOBODY, Database, PoolConfig
from stead.identity import Tenant, anonymous
from stead.memory.forgetting import forget_all
from stead.realtime import Feed, Position, Wanted, queries
from stead.realtime.errors import FilterInvalid, SubscriptionInvalid, TableNotPublished
from tests.realtime.conftest import Listener, Sessions, listening, opened_feed
from tests.support.cluster import copy_of_template
from tests.support.people import Person, make_person, make_tenant, service


@pytest_asyncio.fixture
async def admin(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(access.admin_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def colleague(db: Database, tenant: Tenant) -> Person:
    return await make_person(db, tenant, "bob")


async def test_each_sees_their_own_rows_and_nobody_elses(
    feed: Feed, sessions: Sessions, person: Person, colleague: Person, stranger: Person
) -> None:
    ann, bob = await listening(feed, person), await listening(feed, colleague)
    cat, all_of_it = await listening(feed, stranger), await listening(feed, service(person.tenant))
    nobody = await listening(feed, anonymous(person.tenant))

    of_bob = await sessions.add(colleague)
    of_cat = await sessions.add(stranger)
    of_ann = await sessions.add(person)
    await sessions.rename(of_ann, "Ann")
    # Each is told last of something that is theirs: by then they have been told all there was before.
    last = {who.id: await sessions.add(who) for who in (person, colleague, stranger)}
    await ann.has(3)
    await bob.has(2)
    await cat.has(2)
    await all_of_it.has(5)

    assert ann.seen == [("INSERT", of_ann), ("UPDATE", of_ann), ("INSERT", last[person.id])]
    assert bob.seen == [("INSERT", of_bob), ("INSERT", last[colleague.id])]
    assert cat.seen == [("INSERT", of_cat), ("INSERT", last[stranger.id])]
    assert all_of_it.seen == [
        ("INSERT", of_bob),
        ("INSERT", of_ann),
        ("UPDATE", of_ann),
        ("INSERT", last[person.id]),
        ("INSERT", last[colleague.id]),
    ]
    assert nobody.changes == []


async def test_a_visitor_sees_the_session_that_his_token_holds(
    feed: Feed, sessions: Sessions, tenant: Tenant, person: Person
) -> None:
    held = new_id()
    visitor = await listening(feed, anonymous(tenant, held))
    await sessions.add(person)
    await sessions.connection.execute(
        "insert into public.sessions (id, tenant_id) values ($1, $2)", held, tenant.id
    )
    await visitor.has(1)
    await sessions.connection.execute(
        "update public.sessions set profile_id = $2 where id = $1", held, person.id
    )
    mine = await listening(feed, person)
    await sessions.rename(str(held), "linked")
    await mine.has(1)
    assert visitor.seen == [("INSERT", str(held))]


async def test_what_is_told(feed: Feed, sessions: Sessions, person: Person) -> None:
    ann = await listening(feed, person)
    session = await sessions.add(person, "Ann", plan="free")
    await sessions.rename(session, "Anna")
    await sessions.remove(session)
    inserted, updated, deleted = await ann.has(3)

    assert inserted["schema"] == "public"
    assert inserted["table"] == "sessions"
    assert inserted["record"]["name"] == "Ann"
    assert inserted["record"]["context"] == {"plan": "free"}
    assert inserted["record"]["created_at"].endswith("+00:00")
    assert inserted["commit_timestamp"].endswith("Z")
    assert {"name": "id", "type": "uuid"} in inserted["columns"]
    assert {"name": "context", "type": "jsonb"} in inserted["columns"]
    assert {"name": "created_at", "type": "timestamptz"} in inserted["columns"]
    assert inserted["errors"] is None
    assert "old_record" not in inserted
    assert updated["record"]["name"] == "Anna"
    assert updated["old_record"] == {"id": session}
    assert deleted["old_record"] == {"id": session}
    assert "record" not in deleted


async def test_columns_that_may_not_be_selected_are_not_told_and_not_asked_about(
    feed: Feed, admin: asyncpg.Connection, access: DatabaseAccess, db: Database, sessions: Sessions
) -> None:
    assert access.server is not None
    # Privileges are the database's as a whole: one of this test's own.
    async with copy_of_template(access.server) as own:
        owner = await asyncpg.connect(own.admin_url)
        await owner.execute(
            "revoke select on public.sessions from authenticated;"
            "grant select (id, tenant_id, profile_id, name) on public.sessions to authenticated"
        )
        pool = await Database.open(PoolConfig(url=own.runtime_url, min_size=1, max_size=4))
        ann = await make_person(pool, await make_tenant(own))
        async with opened_feed(own, pool) as narrow:
            listener = await listening(narrow, ann)
            with pytest.raises(FilterInvalid, match="no column email"):
                await listening(narrow, ann, filter="email=eq.a@example.com")
            with pytest.raises(SubscriptionInvalid, match="no column email"):
                await listening(narrow, ann, select=("id", "email"))
            # The privilege goes while somebody filters by it: then nothing is told.
            by_name = await listening(narrow, ann, filter="name=eq.Ann")
            await Sessions(owner).add(ann, "Ann")
            await by_name.has(1)
            await owner.execute("revoke select (name) on public.sessions from authenticated")
            await Sessions(owner).add(ann, "Ann")
            first, second = await listener.has(2)
            assert set(first["record"]) == {"id", "tenant_id", "profile_id", "name"}
            assert [column["name"] for column in second["columns"]] == ["id", "tenant_id", "profile_id"]
            assert set(second["record"]) == {"id", "tenant_id", "profile_id"}
            assert len(by_name.changes) == 1
        await pool.close()
        await owner.close()


async def test_deleted_rows_are_told_to_whoever_could_see_them(
    feed: Feed, sessions: Sessions, person: Person, colleague: Person, stranger: Person
) -> None:
    people = (person, colleague, stranger)
    listeners = [await listening(feed, who, event="DELETE") for who in people]
    server = await listening(feed, service(person.tenant), event="DELETE")
    first = [await sessions.add(who) for who in people]
    last = [await sessions.add(who) for who in people]
    await sessions.remove(*first[:2])
    await sessions.remove(*last)
    await server.has(4)
    for listener, expected in zip(listeners, ([0, 1], [0, 1], [1]), strict=True):
        await listener.has(len(expected))
    ann, bob, cat = listeners
    assert ann.seen == [("DELETE", first[0]), ("DELETE", last[0])]
    assert bob.seen == [("DELETE", first[1]), ("DELETE", last[1])]
    assert cat.seen == [("DELETE", last[2])]
    assert {session for _, session in server.seen} == {*first[:2], *last[:2]}


async def test_of_deleted_rows_the_feed_keeps_what_policies_look_at_only(
    feed: Feed, sessions: Sessions, person: Person
) -> None:
    ann = await listening(feed, person, event="DELETE")
    session = await sessions.add(person, "a name that is nobody's business")
    await sessions.remove(session)
    await ann.has(1)
    [rows] = await sessions.connection.fetch(
        "select rows from stead.changes where tenant_id = $1 and op = 'DELETE'", person.tenant.id
    )
    assert "nobody's business" not in rows["rows"]
    assert person.id.hex in rows["rows"].replace("-", "")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"filter": "name=eq.Ann"}, ["Ann"]),
        ({"filter": "name=like.A%"}, ["Ann", "Anton"]),
        ({"filter": "name=not.in.(Ann,Bea)"}, ["Anton"]),
        ({"filter": "name=match.^A.*n$"}, ["Ann", "Anton"]),
        ({"filter": "name=not.imatch.^a"}, ["Bea"]),
        ({"filter": "name=is.null"}, [None]),
        ({"filter": "name=like.A%,name=neq.Ann"}, ["Anton"]),
        ({"event": "INSERT", "select": ("name",)}, ["Ann", "Anton", "Bea", None]),
    ],
)
async def test_filters(
    feed: Feed, sessions: Sessions, person: Person, wanted: dict[str, Any], names: list[str | None]
) -> None:
    some, every = await listening(feed, person, **wanted), await listening(feed, person)
    for name in ("Ann", "Anton", "Bea", None):
        await sessions.add(person, name)
    await every.has(4)
    await some.has(len(names))
    assert [change["record"]["name"] for change in some.changes] == names
    if "select" in wanted:
        assert set(some.changes[0]["record"]) == {"id", "name"}


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"table": "nothing"}, TableNotPublished),
        ({"table": "tenants"}, TableNotPublished),
        ({"table": "pg_class"}, TableNotPublished),
        ({"table": 'sessions" where true --'}, TableNotPublished),
        ({"filter": "nothing=eq.1"}, FilterInvalid),
        ({"filter": "name=match.(("}, FilterInvalid),
        ({"filter": "name=match.(a*)*\\1b"}, FilterInvalid),
        ({"filter": "id=eq.7"}, FilterInvalid),
        ({"filter": "context=eq.{}"}, FilterInvalid),
    ],
)
async def test_what_cannot_be_followed(
    feed: Feed, person: Person, wanted: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await listening(feed, person, **wanted)


async def test_who_commits_late_is_not_skipped(
    access: DatabaseAccess, feed: Feed, sessions: Sessions, person: Person
) -> None:
    """Its rows have smaller ids than those that were read before it ended."""
    ann = await listening(feed, person)
    late = await asyncpg.connect(access.admin_url)
    async with late.transaction():
        first = await Sessions(late).add(person)
        second = await sessions.add(person)
        await ann.has(1)
        assert ann.seen == [("INSERT", second)]
    await late.close()
    await ann.has(2)
    assert ann.seen == [("INSERT", second), ("INSERT", first)]


async def test_nothing_is_told_that_was_rolled_back(
    feed: Feed, sessions: Sessions, person: Person
) -> None:
    ann = await listening(feed, person)
    transaction = sessions.connection.transaction()
    await transaction.start()
    await sessions.add(person)
    await transaction.rollback()
    async with sessions.connection.transaction():
        savepoint = sessions.connection.transaction()
        await savepoint.start()
        await sessions.add(person)
        await savepoint.rollback()
        kept = await sessions.add(person)
    await ann.has(1)
    assert ann.seen == [("INSERT", kept)]


async def test_a_statement_is_one_row_of_the_feed_and_a_large_one_a_few(
    feed: Feed, sessions: Sessions, person: Person, stranger: Person
) -> None:
    ann = await listening(feed, person, event="UPDATE")
    await sessions.connection.execute(
        "insert into public.sessions (tenant_id, profile_id) select $1, $2 from generate_series(1, 600)",
        person.tenant.id,
        person.id,
    )
    await sessions.connection.execute(
        "update public.sessions set name = 'x' where tenant_id = any ($1)",
        [person.tenant.id, stranger.tenant.id],
    )
    await ann.has(600)
    rows = await sessions.connection.fetch(
        "select op, jsonb_array_length(rows) as n from stead.changes where tenant_id = $1 order by id",
        person.tenant.id,
    )
    assert [(row["op"], row["n"]) for row in rows] == [
        (op, n) for op in ("INSERT", "UPDATE") for n in (250, 250, 100)
    ]


async def test_of_a_very_large_row_only_what_is_small_is_told(
    feed: Feed, sessions: Sessions, person: Person
) -> None:
    ann = await listening(feed, person)
    session = await sessions.add(person, "Ann", text="x" * 300_000)
    [change] = await ann.has(1)
    assert change["record"]["id"] == session
    assert change["record"]["name"] == "Ann"
    assert "context" not in change["record"]
    assert change["errors"] == ["Error 413: Payload Too Large"]


async def test_nothing_is_written_while_nobody_listens(
    feed: Feed, sessions: Sessions, person: Person, stranger: Person
) -> None:
    cat = await listening(feed, stranger)
    messages = await listening(feed, person, "messages")
    # Somebody listens to sessions, but in another tenant; to this tenant, but to another table.
    await sessions.add(person)
    await sessions.add(stranger)
    await cat.has(1)
    assert messages.changes == []
    count = "select count(*) from stead.changes where tenant_id = $1"
    assert await sessions.connection.fetchval(count, person.tenant.id) == 0
    assert await sessions.connection.fetchval(count, stranger.tenant.id) == 1


async def test_leases_run_out(feed: Feed, sessions: Sessions, person: Person) -> None:
    ann = await listening(feed, person)
    await sessions.connection.execute(
        "update stead.change_interest set until = now() - interval '1 second' where tenant_id = $1",
        person.tenant.id,
    )
    await sessions.add(person)
    # The next renewal sees that there was a gap, and whoever listened is told so.
    broken = await feed.interest.renew()
    assert broken == [(person.tenant.id, "sessions")]
    feed.lose(broken)
    assert ann.losses == 1
    session = await sessions.add(person)
    await ann.has(1)
    assert ann.seen == [("INSERT", session)]


async def test_a_reader_goes_on_where_it_was_when_the_database_went_away(
    access: DatabaseAccess, feed: Feed, sessions: Sessions, person: Person
) -> None:
    ann = await listening(feed, person)
    first = await sessions.add(person)
    await ann.has(1)
    await sessions.connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename = 'stead_api' and datname = current_database()"
    )
    second = await sessions.add(person)
    await ann.has(2)
    assert ann.seen == [("INSERT", first), ("INSERT", second)]


async def resumed(feed: Feed, person: Person, token: str) -> tuple[Listener, list[Any] | None]:
    listener = Listener()
    listener.subscription, missed = await feed.resume(
        person.principal, Wanted(table="sessions"), listener, Position.parse(token)
    )
    return listener, None if missed is None else [change.position.token for change in missed]


async def test_going_on_from_any_place_tells_the_rest_once(
    access: DatabaseAccess, db: Database, feed: Feed, sessions: Sessions, person: Person
) -> None:
    """Also at another process, and with transactions that overlap."""
    ann = await listening(feed, person)
    late = await asyncpg.connect(access.admin_url)
    async with late.transaction():
        await Sessions(late).add(person)
        await sessions.connection.execute(
            "insert into public.sessions (tenant_id, profile_id) select $1, $2 from generate_series(1, 3)",
            person.tenant.id,
            person.id,
        )
        await ann.has(3)
        await Sessions(late).add(person)
    await late.close()
    await ann.has(5)
    await sessions.add(person)
    await ann.has(6)
    async with opened_feed(access, db) as elsewhere:
        for reader in (feed, elsewhere):
            for n in range(6):
                listener = Listener()
                listener.subscription, missed = await reader.resume(
                    person.principal, Wanted(table="sessions"), listener, Position.parse(ann.tokens[n])
                )
                assert missed is not None
                ids = {c["record"]["id"] for c in ann.changes[n + 1 :]}
                told = [json.loads(change.data)["record"]["id"] for change in missed]
                assert len(told) == len(ids)
                assert set(told) == ids
                reader.unsubscribe(listener.subscription)


async def test_going_on_at_a_process_that_is_behind(
    access: DatabaseAccess, db: Database, feed: Feed, sessions: Sessions, person: Person
) -> None:
    ann = await listening(feed, person)
    async with opened_feed(access, db) as elsewhere:
        there = await listening(elsewhere, person)
        first = await sessions.add(person)
        await ann.has(1)
        listener, missed = await resumed(elsewhere, person, ann.tokens[0])
        assert missed == []
        second = await sessions.add(person)
        await listener.has(1)
        await there.has(2)
        assert listener.seen == [("INSERT", second)]
        assert there.seen == [("INSERT", first), ("INSERT", second)]


@pytest.mark.parametrize("fate", ["swept", "lapsed", "future", "ancient"])
async def test_where_the_feed_no_longer_has_all_it_says_so(
    access: DatabaseAccess, db: Database, feed: Feed, sessions: Sessions, person: Person, fate: str
) -> None:
    ann = await listening(feed, person)
    await sessions.add(person)
    await ann.has(1)
    token = ann.tokens[0]
    await sessions.add(person)
    await ann.has(2)
    if fate == "swept":
        async with db.transaction(NOBODY) as tx:
            while await queries.sweep_changes(tx, 0.0, 10_000):
                pass
    elif fate == "lapsed":
        await sessions.connection.execute(
            "update stead.change_interest set until = now() - interval '1 second' where tenant_id = $1",
            person.tenant.id,
        )
    elif fate == "future":
        token = "9000000000:9000000000:"
    else:
        token = "3:3:"
    listener, missed = await resumed(feed, person, token)
    assert missed is None
    session = await sessions.add(person)
    await listener.has(1)
    assert listener.seen == [("INSERT", session)]


async def test_what_is_forgotten_is_not_in_the_feed(
    db: Database, feed: Feed, sessions: Sessions, person: Person, colleague: Person, stranger: Person
) -> None:
    ann, bob, cat = [await listening(feed, who) for who in (person, colleague, stranger)]
    await sessions.add(person, "a secret of Ann's")
    await sessions.add(stranger, "Cat")
    await ann.has(1)
    await cat.has(1)
    held = "select count(*) from stead.changes c where c.rows::text like $1"
    assert await sessions.connection.fetchval(held, "%a secret of Ann%") == 1
    await forget_all(db, person.principal, "profile", person.id)
    assert await sessions.connection.fetchval(held, "%a secret of Ann%") == 0
    assert await sessions.connection.fetchval(held, f"%{stranger.id}%") >= 1
    # Whoever listens in that tenant may have missed something, and is told so; the others have not.
    feed.lose(await feed.interest.renew())
    assert (bob.losses, cat.losses) == (1, 0)
    session = await sessions.add(colleague)
    await bob.has(1)
    assert bob.seen[-1] == ("INSERT", session)


async def test_sweeping_leaves_what_is_new(
    db: Database, feed: Feed, sessions: Sessions, person: Person
) -> None:
    ann = await listening(feed, person)
    await sessions.add(person)
    await sessions.add(person)
    await ann.has(2)
    await sessions.connection.execute(
        "update stead.changes set created_at = created_at - interval '1 hour' "
        "where id = (select min(id) from stead.changes where tenant_id = $1)",
        person.tenant.id,
    )
    async with db.transaction(NOBODY) as tx:
        assert await queries.sweep_changes(tx, 600.0, 10_000) >= 1
    left = "select count(*) from stead.changes where tenant_id = $1"
    assert await sessions.connection.fetchval(left, person.tenant.id) == 1


async def test_a_new_subscriber_waits_for_writers_who_do_not_know_of_him(
    access: DatabaseAccess, feed: Feed, sessions: Sessions, person: Person
) -> None:
    """Their statement ran before the lease: only what they write after it is in the feed."""
    early = await asyncpg.connect(access.admin_url)
    transaction = early.transaction()
    await transaction.start()
    await Sessions(early).add(person)
    coming = asyncio.create_task(listening(feed, person))
    leases = "select count(*) from stead.change_interest where tenant_id = $1"
    while not await sessions.connection.fetchval(leases, person.tenant.id):  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert not coming.done()
    await transaction.commit()
    ann = await coming
    await early.close()
    session = await sessions.add(person)
    await ann.has(1)
    assert ann.seen == [("INSERT", session)]


async def test_tables_are_published_by_one_call(access: DatabaseAccess, fresh: DatabaseAccess) -> None:
    owner = await asyncpg.connect(fresh.admin_url)
    published = (
        "select tablename from pg_publication_tables where pubname = 'supabase_realtime' order by 1"
    )
    assert [row[0] for row in await owner.fetch(published)] == [
        "agent_jobs",
        "agent_runs",
        "approvals",
        "guardrails",
        "messages",
        "objectives",
        "outbox",
        "projects",
        "sessions",
    ]
    await owner.execute("select stead.publish_changes('public.agent_memories')")
    await owner.execute("select stead.publish_changes('public.agent_memories')")
    assert "agent_memories" in [row[0] for row in await owner.fetch(published)]
    assert (
        await owner.fetchval(
            "select count(*) from pg_trigger where tgrelid = 'public.agent_memories'::regclass "
            "and tgname like 'stead_changes_%'"
        )
        == 3
    )
    for refused in ("public.tenants", "stead.api_keys", "public.agent_executions"):
        with pytest.raises(asyncpg.RaiseError):
            await owner.execute(f"select stead.publish_changes('{refused}')")
    await owner.execute("drop publication supabase_realtime")
    await owner.execute("select stead.publish_changes('public.store_items')")
    await owner.close()


async def test_whoever_comes_first_to_a_table_can_go_on_from_there_at_once(
    feed: Feed, sessions: Sessions, person: Person, stranger: Person
) -> None:
    """What a feed that reads for others knows may be older than the lease of whoever comes new."""
    await listening(feed, person)
    cat = await listening(feed, stranger)
    assert cat.subscription is not None
    place = feed.told(cat.subscription) or feed.position
    feed.unsubscribe(cat.subscription)
    missed = await sessions.add(stranger)

    again = Listener()
    _, between = await feed.resume(stranger.principal, Wanted(table="sessions"), again, place)

    assert between is not None
    if not between:
        # The reader had not met it yet: it is told as what comes now.
        await again.has(1)
    told = [json.loads(change.data)["record"]["id"] for change in between]
    assert told + [session for _, session in again.seen] == [missed]
