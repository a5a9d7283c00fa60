"""Finding what is not sealed yet, and sealing it once."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stead import audit
from stead.audit import SigningKey
from stead.audit.digests import row_digest
from stead.audit.errors import AuditKeyMissing
from stead.audit.models import ROW_FIELDS
from stead.db import Database, PoolConfig
from stead.db.embedded import EmbeddedServer, psql_path
from stead.identity import Tenant
from tests.audit.conftest import Log, open_log
from tests.support import cluster as clusters
from tests.support.people import service


async def sealed_ids(log: Log, tenant: Tenant | None = None) -> list[int]:
    rows = await log.admin.fetch(
        "select audit_id from stead.audit_entries where tenant_id = $1 order by seal_no, position",
        (tenant or log.tenant).id,
    )
    return [row["audit_id"] for row in rows]


class Writer:
    """A transaction that has written a row and is still open."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    @classmethod
    async def open(cls, log: Log) -> Writer:
        connection = await asyncpg.connect(str(log.access.admin_url))
        await connection.execute("begin")
        await connection.execute(
            "insert into public.audit_log (tenant_id, actor_type, category) values ($1, 'service', 'slow')",
            log.tenant.id,
        )
        return cls(connection)

    async def end(self, how: str = "commit") -> None:
        await self.connection.execute(how)
        await self.connection.close()


async def test_nothing_to_seal_writes_nothing(log: Log) -> None:
    assert await audit.seal(log.db) == 0
    await log.write()
    assert await log.seal() == 1
    before = await log.admin.fetchval("select xmin from stead.sealing_progress")
    assert await audit.seal(log.db) == 0
    assert await log.admin.fetchval("select xmin from stead.sealing_progress") == before


async def test_every_tenant_has_a_chain_of_its_own(log: Log) -> None:
    await log.write(3)
    await log.write(2, log.other)
    assert await log.seal() == 5
    await log.write(1)
    assert await log.seal() == 1
    seals = await log.admin.fetch(
        "select seal_no, rows, prev_digest, digest from stead.audit_seals where tenant_id = $1 order by 1",
        log.tenant.id,
    )
    assert [(s["seal_no"], s["rows"]) for s in seals] == [(1, 3), (2, 1)]
    assert seals[0]["prev_digest"] == bytes(32)
    assert seals[1]["prev_digest"] == seals[0]["digest"]
    assert await sealed_ids(log) == await log.ids()
    assert await sealed_ids(log, log.other) == await log.ids(log.other)


async def test_a_backlog_is_sealed_in_batches(log: Log) -> None:
    await log.write(250)
    sizes = [await audit.seal(log.db, batch=100) for _ in range(3)]
    assert sizes == [100, 100, 50]
    await log.seal(batch=100)
    assert await sealed_ids(log) == await log.ids()
    assert (await log.verify()).is_sound


async def test_a_row_that_commits_late_is_sealed_late(log: Log) -> None:
    """Ids are taken in one order and committed in another."""
    slow = await Writer.open(log)
    await log.write(5)
    assert await audit.seal(log.db) == 5
    for _ in range(3):
        await log.write(1)
        assert await audit.seal(log.db) == 1
    early, *others = [*await log.ids()]
    progress = await log.progress()
    assert progress["complete_to"] < early - 1 or progress["complete_to"] == 0
    await slow.end()
    assert await log.seal() == 1
    slow_id = (await log.ids())[0]
    assert slow_id < early
    assert await sealed_ids(log) == [early, *others, slow_id]
    assert (await log.verify()).is_sound


async def test_an_id_that_was_given_up_is_not_waited_for(log: Log) -> None:
    slow = await Writer.open(log)
    await log.write(2)
    assert await audit.seal(log.db) == 2
    await slow.end("rollback")
    assert await log.seal() == 0
    assert (await log.verify()).is_sound


async def test_latecomers_among_many_are_looked_for_in_parts(log: Log) -> None:
    slow = [await Writer.open(log) for _ in range(2)]
    await log.write(40)
    third = await Writer.open(log)
    while await audit.seal(log.db, batch=2):
        pass
    for writer in (*slow, third):
        await writer.end()
    # Ten are looked through a round.
    rounds = 0
    while (await log.progress())["complete_to"] < max(await log.ids()):
        await audit.seal(log.db, batch=2)
        rounds += 1
        await asyncio.sleep(0.001)
    assert rounds > 4
    assert sorted(await sealed_ids(log)) == await log.ids()
    assert len(await log.ids()) == 43
    assert (await log.verify()).is_sound


async def test_of_two_sealers_one_works(log: Log) -> None:
    await log.write(10)
    first = await asyncpg.connect(log.access.runtime_url)
    try:
        await first.execute("begin; set local role stead_service")
        assert len(await first.fetch("select * from stead.seal_audit(100, false)")) == 1
        assert await audit.seal(log.db) == 0
        await first.execute("commit")
    finally:
        await first.close()
    await log.seal()
    assert (await log.verify()).seals == 1


async def test_sealing_begins_its_own_transaction(log: Log) -> None:
    """The number of the transaction must be younger than the ids that it vouches for."""
    async with log.db.transaction(service(log.tenant)) as tx:
        await audit.record(tx, service(log.tenant), category="c", action="a")
        with pytest.raises(asyncpg.ActiveSQLTransactionError):
            await tx.rows("select * from stead.seal_audit(10, false)")


async def test_a_transaction_has_its_number_before_its_id(log: Log) -> None:
    """What the search for unsealed rows stands on: defaults are evaluated in the order of the columns."""
    order = await log.admin.fetch(
        "select attname from pg_attribute where attrelid = 'public.audit_log'::regclass and attnum > 0 "
        "order by attnum limit 2"
    )
    assert [row["attname"] for row in order] == ["xid", "id"]
    cache = await log.admin.fetchval(
        "select seqcache from pg_sequence where seqrelid = 'public.audit_log_id_seq'::regclass"
    )
    assert cache == 1


async def test_marks_of_another_cluster_are_not_believed(log: Log) -> None:
    """A dump brings transaction numbers that the new cluster may not reach for years."""
    await log.write(3)
    await audit.seal(log.db)
    await log.admin.execute(
        "update stead.sealing_progress set mark_id = 1000, mark_xid = '99999999999'::xid8"
    )
    await log.write(2)
    assert await log.seal() == 2
    assert (await log.verify()).is_sound
    assert (await log.progress())["mark_id"] is None


async def test_a_restored_database_goes_on(log: Log, cluster: EmbeddedServer) -> None:
    """What was not sealed when the dump was made is sealed where it is loaded."""
    await log.write(3)
    await audit.seal(log.db, log.key)
    await log.write(2)
    # As from another cluster, which was far ahead.
    await log.admin.execute("update public.audit_log set xid = '99999999999' where id > 3")
    await log.admin.execute("update stead.sealing_progress set mark_xid = '99999999999'")
    dump = await log.pg_dump("--no-publications")
    async with clusters.empty_database(cluster) as access:
        load = [str(psql_path()), "--set=ON_ERROR_STOP=1", "--quiet", "--dbname", str(access.admin_url)]
        await asyncio.to_thread(
            subprocess.run, load, input=dump.encode(), check=True, capture_output=True
        )
        async with open_log(access) as restored:
            restored.tenant = log.tenant
            assert (await restored.verify()).pending == 2
            assert await restored.seal(log.key) == 2
            await restored.write(1)
            await restored.seal(log.key)
            report = await restored.verify(keys=frozenset({log.key.public}))
            assert report.is_sound
            assert (report.rows, report.seals, report.pending) == (6, 3, 0)


async def test_a_key_signs_every_seal(log: Log) -> None:
    for _ in range(3):
        await log.write()
        await log.seal(log.key)
    report = await log.verify(keys=frozenset({log.key.public}))
    assert report.is_sound
    assert report.signed == report.seals == 3
    assert (await log.verify()).unchecked == 3


async def test_a_chain_that_is_signed_stays_signed(log: Log) -> None:
    await log.write()
    await log.seal(log.key)
    await log.write()
    with pytest.raises(AuditKeyMissing):
        await audit.seal(log.db)
    assert (await log.verify()).pending == 1
    assert await log.seal(log.key) == 1


async def test_a_seal_that_is_committed_is_not_signed_afterwards(log: Log) -> None:
    await log.write()
    await log.seal()
    async with log.db.transaction(service(log.tenant)) as tx:
        signed = await tx.value(
            "select stead.sign_seals($1, $2, $3, $4)", [log.tenant.id], [1], bytes(32), [bytes(64)]
        )
    assert signed == 0


async def test_the_same_secret_is_the_same_key() -> None:
    one, two = SigningKey.from_secret("a" * 40), SigningKey.from_secret("a" * 40)
    assert one.public == two.public != SigningKey.from_secret("b" * 40).public
    assert "private" not in repr(one)


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


async def test_digests_in_sql_and_in_python_agree(log: Log) -> None:
    """Whatever a row holds, and however the server writes dates and bytes."""
    connection = await asyncpg.connect(str(log.access.admin_url))
    await connection.execute("set timezone = 'Asia/Kathmandu'; set datestyle = 'German, DMY'")
    await connection.execute("set bytea_output = 'escape'; set intervalstyle = 'sql_standard'")
    columns = [name for name in ROW_FIELDS if name != "created_at_us"]
    texts = ", ".join(f"r.{name}::text" for name in columns)
    rows: list[tuple[Any, ...]] = []

    @given(
        st.tuples(
            _TEXT, st.none() | _TEXT, _TEXT, st.none() | _TEXT, st.none() | _TEXT, st.none() | _TEXT
        ),
        st.dictionaries(_TEXT, _JSON, max_size=4),
        st.datetimes(),
    )
    @settings(max_examples=300, deadline=None, database=None)
    def collect(fields: tuple[Any, ...], payload: dict[str, Any], at: Any) -> None:
        rows.append((*fields, json.dumps(payload), at))

    collect()
    found = await connection.fetch(
        f"""
        select stead.audit_digest(r) as digest, {texts},
          (extract(epoch from r.created_at) * 1000000)::bigint::text
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
          $8::timestamp[]) with ordinality as u (actor_type, actor_id, category, action, subject_id, request_id,
          payload, at, n)
        cross join lateral jsonb_populate_record(null::public.audit_log, jsonb_build_object('xid', 7, 'id', n,
          'tenant_id', $9::uuid, 'actor_type', actor_type, 'actor_id', actor_id, 'category', category,
          'action', action, 'subject_id', subject_id, 'request_id', request_id, 'payload', payload,
          'created_at', to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') || '+00')) r
        """,
        *(list(column) for column in zip(*rows, strict=True)),
        log.tenant.id,
    )
    await connection.close()
    assert len(found) == len(rows) > 200
    for row in found:
        assert row_digest(tuple(row)[1:]) == row["digest"]


async def test_no_two_rows_have_one_form(log: Log) -> None:
    """What one field ends with and the next begins with stay apart."""
    await log.admin.execute(
        "insert into public.audit_log (tenant_id, actor_type, actor_id, category) values "
        "($1, 'a', 'b', '1:c'), ($1, 'a', 'b,1:c', 'x'), ($1, 'ab', null, 'x'), ($1, 'ab', '-', 'x')",
        log.tenant.id,
    )
    digests = await log.admin.fetch(
        'select stead.audit_digest(jsonb_populate_record(l, \'{"id": 1, "xid": 1}\')) from public.audit_log l'
    )
    assert len({row[0] for row in digests}) == 4


async def test_an_infinite_time_does_not_stop_sealing(log: Log) -> None:
    await log.write(2)
    await log.admin.execute("update public.audit_log set created_at = 'infinity' where id = 1")
    assert await log.seal() == 2
    assert (await log.verify_all()).is_sound


async def test_a_pool_of_one_connection_is_enough(log: Log) -> None:
    await log.write(2)
    db = await Database.open(PoolConfig(url=log.access.runtime_url, min_size=1, max_size=1))
    assert await audit.seal(db, log.key) == 2
    await db.close()
