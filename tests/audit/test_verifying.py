"""Every way to change what was sealed is found and located, in the database, in an export and in a dump."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio

from stead import audit
from stead.audit import Expectations, Fault, SigningKey
from stead.audit.errors import AuditDumpInvalid
from stead.db import NOBODY
from tests.audit.conftest import Log

Tamper = Callable[[Log], Awaitable[object]]


@pytest_asyncio.fixture
async def sealed(log: Log) -> Log:
    """Ids 1 to 3 in seal 1, (4 and 5 are another tenant's,) 6 to 8 in seal 2, 9 to 11 in seal 3; all signed."""
    await log.write(3)
    await log.seal(log.key)
    await log.write(2, log.other)
    for _ in range(2):
        await log.write(3)
        await log.seal(log.key)
    assert await log.ids() == [1, 2, 3, 6, 7, 8, 9, 10, 11]
    return log


def places(faults: tuple[Fault, ...]) -> list[tuple[str, int | None, int | None]]:
    return [(fault.kind, fault.seal_no, fault.audit_id) for fault in faults]


def sql(*statements: str) -> Tamper:
    async def tamper(log: Log) -> None:
        for statement in statements:
            await log.admin.execute(statement.replace("{tenant}", str(log.tenant.id)))

    return tamper


def row(change: str, number: int = 7) -> Tamper:
    return sql(f"update public.audit_log set {change} where id = {number}")


#: A row put between the others: it takes an id that nobody has.
_INSERT = (
    "insert into public.audit_log (id, tenant_id, actor_type, category) overriding system value "
    "values ({id}, '{{tenant}}', 'service', 'forged')"
)
_SWAP = (
    "update public.audit_log a set payload = b.payload, action = b.action from public.audit_log b "
    "where (a.id, b.id) in ((6, 8), (8, 6))"
)
_SWAP_IDS = (
    "alter table public.audit_log alter id drop identity",
    "update public.audit_log set id = -1 where id = 6",
    "update public.audit_log set id = 6 where id = 8",
    "update public.audit_log set id = 8 where id = -1",
)
_SWAP_ENTRIES = (
    "update stead.audit_entries set position = 99 where audit_id = 6",
    "update stead.audit_entries set position = 1 where audit_id = 7",
    "update stead.audit_entries set position = 2 where audit_id = 6",
)
_OF_SEAL = "delete from stead.audit_{what} where tenant_id = '{{tenant}}' and seal_no = {seal}"
_SEAL = "update stead.audit_seals set {change} where tenant_id = '{{tenant}}' and seal_no = 2"

ALTERED = [("row_altered", 2, 7)]
#: What is done, and everything that is to be found.
TAMPERING: dict[str, tuple[Tamper, list[tuple[str, int | None, int | None]]]] = {
    "payload edited": (row("payload = payload || '{\"n\": 99}'"), ALTERED),
    "payload edited in type only": (row("payload = '{\"n\": \"1\"}'"), ALTERED),
    "actor edited": (row("actor_id = 'somebody'"), ALTERED),
    "actor emptied": (row("actor_id = null"), ALTERED),
    "category edited": (row("category = 'other'"), ALTERED),
    "request added": (row("request_id = 'r'"), ALTERED),
    "subject added": (row("subject_profile_id = gen_random_uuid()"), ALTERED),
    "time moved by a microsecond": (row("created_at = created_at + interval '1 microsecond'"), ALTERED),
    "time made infinite": (row("created_at = 'infinity'"), ALTERED),
    "time made ancient": (row("created_at = '0044-03-15 BC'"), ALTERED),
    "transaction edited": (row("xid = '1'::xid8"), ALTERED),
    "first row edited": (row("action = 'x'", 1), [("row_altered", 1, 1)]),
    "last row edited": (row("action = 'x'", 11), [("row_altered", 3, 11)]),
    "row deleted": (sql("delete from public.audit_log where id = 7"), [("row_missing", 2, 7)]),
    "row moved to another tenant": (
        row("tenant_id = gen_random_uuid()"), [("row_missing", 2, 7)]
    ),
    "row deleted with its entry": (
        sql("delete from public.audit_log where id = 7", "delete from stead.audit_entries where audit_id = 7"),
        [("entries_altered", 2, 8), ("entries_altered", 2, None)],
    ),
    "last row of a seal deleted with its entry": (
        sql("delete from public.audit_log where id = 8", "delete from stead.audit_entries where audit_id = 8"),
        [("entries_altered", 2, None)],
    ),
    "entry deleted": (
        sql("delete from stead.audit_entries where audit_id = 8"),
        [("entries_altered", 2, None), ("row_inserted", None, 8)],
    ),
    "row inserted": (sql(_INSERT.format(id=4000), _INSERT.format(id=-5)), [("row_inserted", None, -5)]),
    "row replaced": (
        sql("delete from public.audit_log where id = 7", _INSERT.format(id=7)), [("row_altered", 2, 7)]
    ),
    "contents swapped": (sql(_SWAP), [("row_altered", 2, 6), ("row_altered", 2, 8)]),
    "ids swapped": (sql(*_SWAP_IDS), [("row_altered", 2, 6), ("row_altered", 2, 8)]),
    "entries swapped": (
        sql(*_SWAP_ENTRIES), [("entries_altered", 2, 6), ("entries_altered", 2, None)]
    ),
    "row and entry edited": (
        sql(
            "update public.audit_log set action = 'x' where id = 7",
            "update stead.audit_entries e set digest = stead.audit_digest(l) from public.audit_log l "
            "where l.id = e.audit_id",
        ),
        [("entries_altered", 2, None)],
    ),
    "seal's root edited": (
        sql(_SEAL.format(change="root = sha256('x')")), [("seal_altered", 2, None), ("entries_altered", 2, None)]
    ),
    "seal's count edited": (
        sql(_SEAL.format(change="rows = 4")), [("seal_altered", 2, None), ("entries_altered", 2, None)]
    ),
    "seal's time edited": (
        sql(_SEAL.format(change="sealed_at = sealed_at - interval '1 day'")), [("seal_altered", 2, None)]
    ),
    "seal's reach edited": (
        sql(_SEAL.format(change="complete_to = complete_to - 1")), [("seal_altered", 2, None)]
    ),
    "seal's link edited": (
        sql(_SEAL.format(change="prev_digest = sha256('x')")),
        [("chain_broken", 2, None), ("seal_altered", 2, None)],
    ),
    "seal's digest edited": (
        sql(_SEAL.format(change="digest = sha256('x')")),
        [("seal_altered", 2, None), ("signature_wrong", 2, None), ("chain_broken", 3, None)],
    ),
    "seal deleted": (
        sql(_OF_SEAL.format(what="seals", seal=2)), [("seal_missing", 2, 6), ("seal_missing", 2, None)]
    ),
    "seal deleted with entries and rows": (
        sql(
            "delete from public.audit_log where id in (6, 7, 8)",
            _OF_SEAL.format(what="entries", seal=2),
            _OF_SEAL.format(what="seals", seal=2),
        ),
        [("seal_missing", 2, None)],
    ),
    "first seal deleted with all": (
        sql(
            "delete from public.audit_log where id < 4",
            _OF_SEAL.format(what="entries", seal=1),
            _OF_SEAL.format(what="seals", seal=1),
        ),
        [("seal_missing", 1, None)],
    ),
    "last seal deleted, rows kept": (
        sql(_OF_SEAL.format(what="entries", seal=3), _OF_SEAL.format(what="seals", seal=3)),
        [("row_inserted", None, number) for number in (9, 10, 11)],
    ),
    "signature deleted": (
        sql(_OF_SEAL.format(what="signatures", seal=3)), [("signature_missing", 3, None)]
    ),
    "signature of another seal": (
        sql(
            "update stead.audit_signatures a set signature = b.signature from stead.audit_signatures b "
            "where a.seal_no = 2 and b.seal_no = 3 and a.tenant_id = '{tenant}' and b.tenant_id = a.tenant_id"
        ),
        [("signature_wrong", 2, None)],
    ),
    "all rows deleted": (
        sql("delete from public.audit_log where tenant_id = '{tenant}'"),
        [("row_missing", 1 + n // 3, (1, 2, 3, 6, 7, 8, 9, 10, 11)[n]) for n in range(9)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERING)
async def test_tampering_is_found_and_located(sealed: Log, how: str) -> None:
    tamper, expected = TAMPERING[how]
    keys = frozenset({sealed.key.public})
    sound = await sealed.verify(keys=keys)
    assert sound.is_sound
    assert sound.signed == 3
    await tamper(sealed)
    report = await sealed.verify_all(keys=keys)
    assert places(report.faults) == expected
    assert report.fault_count == len(expected)
    # Other tenants are not suspected.
    assert (await sealed.verify(sealed.other, keys=keys)).is_sound


async def write_anew(log: Log, start: int) -> None:
    """Computes entries, seals and links anew from a seal on: what someone with the owner's rights can do."""
    await log.admin.execute(
        "update stead.audit_entries e set digest = stead.audit_digest(l) from public.audit_log l "
        "where l.id = e.audit_id"
    )
    last = await log.admin.fetchval(
        "select max(seal_no) from stead.audit_seals where tenant_id = $1", log.tenant.id
    )
    for number in range(start, last + 1):
        await log.admin.execute(
            """
            update stead.audit_seals s set
              prev_digest = coalesce((select p.digest from stead.audit_seals p
                where p.tenant_id = s.tenant_id and p.seal_no = s.seal_no - 1), decode(repeat('00', 32), 'hex')),
              (root, rows) = (select stead.audit_tree(array_agg(
                  sha256('\\x00'::bytea || int8send(e.audit_id) || e.digest) order by e.position)),
                count(*) from stead.audit_entries e where e.tenant_id = s.tenant_id and e.seal_no = s.seal_no)
            where s.tenant_id = $1 and s.seal_no = $2
            """,
            log.tenant.id,
            number,
        )
        await log.admin.execute(
            """
            update stead.audit_seals set digest = sha256(convert_to('stead.audit.seal.2,'
              || stead.audit_field(tenant_id::text) || ',' || stead.audit_field(seal_no::text) || ','
              || stead.audit_field(encode(prev_digest, 'hex')) || ',' || stead.audit_field(rows::text) || ','
              || stead.audit_field(encode(root, 'hex')) || ',' || stead.audit_field(complete_to::text) || ','
              || stead.audit_field(stead.audit_micros(sealed_at)), 'UTF8'))
            where tenant_id = $1 and seal_no = $2
            """,
            log.tenant.id,
            number,
        )


async def test_a_chain_written_anew_is_found_by_its_signatures(sealed: Log) -> None:
    await sealed.admin.execute("update public.audit_log set action = 'x' where id = 7")
    await write_anew(sealed, 2)
    assert (await sealed.verify_all()).is_sound  # the chain alone cannot tell
    report = await sealed.verify_all(keys=frozenset({sealed.key.public}))
    assert places(report.faults) == [("signature_wrong", 2, None), ("signature_wrong", 3, None)]


async def test_a_chain_written_anew_and_signed_by_somebody_is_found(sealed: Log) -> None:
    await write_anew(sealed, 1)
    forger = SigningKey.from_secret("f" * 40)
    for number in (2, 3):
        digest = await sealed.admin.fetchval(
            "select digest from stead.audit_seals where tenant_id = $1 and seal_no = $2",
            sealed.tenant.id,
            number,
        )
        await sealed.admin.execute(
            "update stead.audit_signatures set key = $3, signature = $4 where tenant_id = $1 and seal_no = $2",
            sealed.tenant.id,
            number,
            forger.public,
            forger.sign(digest),
        )
    report = await sealed.verify_all(keys=frozenset({sealed.key.public}))
    assert places(report.faults) == [("signature_unknown", 2, None)]
    # As after a change of the secret, where one says so.
    assert (await sealed.verify_all(keys=frozenset({sealed.key.public, forger.public}))).is_sound


async def test_a_chain_without_its_signatures_is_not_taken_for_an_old_one(sealed: Log) -> None:
    await sealed.admin.execute("truncate stead.audit_signatures")
    keys = frozenset({sealed.key.public})
    assert places((await sealed.verify_all(keys=keys)).faults) == [("signature_missing", 1, None)]
    assert places((await sealed.verify_all(keys=keys, unsigned_to=2)).faults) == [
        ("signature_missing", 3, None)
    ]
    assert (await sealed.verify_all(keys=keys, unsigned_to=3)).is_sound


async def test_a_chain_written_anew_is_found_by_remembered_heads(log: Log) -> None:
    heads: dict[int, bytes] = {}
    for _ in range(4):
        await log.write(2)
        await log.seal()
        head = (await log.verify()).head
        assert head is not None
        heads[head.seal_no] = head.digest
    assert list(heads) == [1, 2, 3, 4]
    assert (await log.verify_all(heads=heads)).is_sound
    await log.admin.execute("update public.audit_log set action = 'x' where id = 5")
    await write_anew(log, 3)
    assert (await log.verify_all()).is_sound
    report = await log.verify_all(heads={1: heads[1], 4: heads[4]})
    assert places(report.faults) == [("head_differs", 4, None)]
    assert "after seal 1 and no later than seal 4" in report.faults[0].says


async def test_an_end_that_was_cut_off_is_found_by_a_remembered_head(sealed: Log) -> None:
    head = (await sealed.verify()).head
    assert head is not None
    for statement in (
        "delete from public.audit_log where id > 8",
        *(_OF_SEAL.format(what=what, seal=3) for what in ("entries", "seals", "signatures")),
    ):
        await sealed.admin.execute(statement.replace("{tenant}", str(sealed.tenant.id)))
    assert (await sealed.verify_all(keys=frozenset({sealed.key.public}))).is_sound  # this is the limit
    report = await sealed.verify_all(heads={head.seal_no: head.digest})
    assert places(report.faults) == [("head_missing", 3, None)]


async def test_a_row_put_behind_a_seal_is_found_though_it_was_sealed(sealed: Log) -> None:
    """Progress is set back, so that the sealer itself seals a row with an old id."""
    await sealed.write(2)
    await sealed.seal(sealed.key)
    await sealed.admin.execute("delete from public.audit_log where id = 4")
    await sealed.admin.execute(_INSERT.format(id=4).replace("{tenant}", str(sealed.tenant.id)))
    await sealed.admin.execute(
        "update stead.sealing_progress set complete_to = 0, mark_id = 5, mark_xid = '3'::xid8"
    )
    await sealed.write(1)
    assert await sealed.seal(sealed.key) == 2
    report = await sealed.verify_all(keys=frozenset({sealed.key.public}))
    assert places(report.faults) == [("row_inserted", 5, 4)]


async def test_many_faults_are_counted_and_the_first_are_told(log: Log) -> None:
    await log.write(1500)
    await log.seal()
    await log.admin.execute("update public.audit_log set action = 'x'")
    report = await log.verify()
    assert report.fault_count == 1500
    assert len(report.faults) == 1000


async def test_what_waits_to_be_sealed_is_no_fault(sealed: Log) -> None:
    await sealed.write(4)
    report = await sealed.verify_all(keys=frozenset({sealed.key.public}))
    assert report.is_sound
    assert (report.rows, report.pending) == (9, 4)


async def test_an_empty_log_is_sound(log: Log) -> None:
    report = await log.verify()
    assert report.is_sound
    assert report.head is None
    assert list(audit.verify_dump((await log.export()).splitlines(keepends=True))) == [report]


async def test_tenants_that_are_gone_are_verified_too(sealed: Log) -> None:
    await sealed.admin.execute("delete from public.tenants where id = $1", sealed.other.id)
    async with sealed.db.transaction(NOBODY) as tx:
        tenants = await audit.audited_tenants(tx)
    assert {tenant.id for tenant in tenants} == {sealed.tenant.id, sealed.other.id}
    gone = next(tenant for tenant in tenants if tenant.id == sealed.other.id)
    assert gone.slug == str(gone.id)
    assert (await sealed.verify(gone)).rows == 2


async def lines_of(log: Log) -> list[str]:
    return (await log.export()).splitlines(keepends=True)


async def test_an_export_that_breaks_off_is_no_whole_one(sealed: Log) -> None:
    lines = await lines_of(sealed)
    for upto in range(1, len(lines)):
        (report,) = audit.verify_dump(lines[:upto])
        assert not report.is_sound
        assert "dump_incomplete" in {fault.kind for fault in report.faults}


async def test_each_line_of_an_export_matters(sealed: Log) -> None:
    """Taken out, doubled or exchanged with the next: whichever line it is."""
    lines = await lines_of(sealed)
    expected = Expectations(keys=frozenset({sealed.key.public}))
    for n in range(1, len(lines) - 1):
        for changed in (
            [*lines[:n], *lines[n + 1 :]],
            [*lines[: n + 1], *lines[n:]],
            [*lines[:n], lines[n + 1], lines[n], *lines[n + 2 :]],
        ):
            try:
                (report, *_) = audit.verify_dump(changed, expected=expected)
            except AuditDumpInvalid:
                continue
            assert not report.is_sound, n


async def test_each_value_of_an_export_matters(sealed: Log) -> None:
    lines = await lines_of(sealed)
    expected = Expectations(keys=frozenset({sealed.key.public}))
    tried = 0
    for n, line in enumerate(lines[1:-1], 1):
        members = json.loads(line)
        for part, values in members.items():
            for name, value in values.items():
                other = value + 1 if isinstance(value, int) else ("1" * 64 if value else "x")
                changed = json.dumps({**members, part: {**values, name: other}}) + "\n"
                tried += 1
                try:
                    (report,) = audit.verify_dump(
                        [*lines[:n], changed, *lines[n + 1 :]], expected=expected
                    )
                except AuditDumpInvalid:
                    continue
                assert not report.is_sound, (n, part, name)
    assert tried > 150


async def test_several_exports_in_one_file(sealed: Log) -> None:
    lines = [*await lines_of(sealed), *(await sealed.export(sealed.other)).splitlines(keepends=True)]
    reports = list(audit.verify_dump(lines))
    assert [report.slug for report in reports] == [sealed.tenant.slug, sealed.other.slug]
    assert all(report.is_sound for report in reports)
    (one,) = audit.verify_dump(lines, tenant=str(sealed.other.id))
    assert one.rows == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no dump",
        "{",
        "{}",
        "[1]",
        "{}\n{}",
        '{"stead_audit": 2, "tenant_id": "x"}',
        '{"stead_audit": 1, "tenant_id": "no uuid", "complete_to": 1}',
        '{"seal": {}}',
        '{"end": 1}',
        '{"end": 1e400}',
        "{" * 10000,
        '{"a":' * 100000,
        "COPY public.audit_log (xid, id) FROM stdin;\n1\t2\n",
        "COPY public.audit_log (xid, id) FROM stdin;\n1\n\\.\n",
        "COPY public.audit_log (tenant_id, id) FROM stdin;\nx\ty\n\\.\n",
        "COPY public.tenants (id) FROM stdin;\n1\n\\.\n",
        "INSERT INTO public.audit_log VALUES (1);",
    ],
)
def test_what_is_no_dump_is_said_so(text: str) -> None:
    with pytest.raises(AuditDumpInvalid) as refused:
        list(audit.verify_dump(text.splitlines(keepends=True)))
    assert refused.value.hint
