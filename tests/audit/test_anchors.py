"""Anchors: heads in a file outside the database, which shows what the database cannot show of itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from stead import audit
from stead.audit import Anchored, AnchorFile, Expectations, SigningKey, read_anchors
from stead.audit.errors import AuditAnchorsInvalid
from tests.audit.conftest import Log
from tests.audit.test_verifying import write_anew


def read(path: Path, *keys: SigningKey) -> Anchored:
    return read_anchors(
        path.read_bytes().splitlines(keepends=True), keys=frozenset(key.public for key in keys)
    )


def written(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)


def remembered(path: Path, log: Log) -> Expectations:
    keys = frozenset({log.key.public})
    return Expectations(anchors=read(path, log.key).heads, keys=keys)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anchors.jsonl"


async def grow(log: Log, file: AnchorFile, rounds: int = 3) -> None:
    """A seal and an anchor at a time."""
    for _ in range(rounds):
        await log.write(2)
        await log.seal(log.key)
        await file.anchor(log.db)


async def test_heads_are_appended_as_they_move(log: Log, path: Path) -> None:
    file = AnchorFile(path, log.key)
    assert await file.anchor(log.db) == 0
    await log.write(2)
    await log.write(1, log.other)
    await log.seal(log.key)
    assert await file.anchor(log.db) == 2
    assert await file.anchor(log.db) == 0
    await log.write(1)
    await log.seal(log.key)
    assert await file.anchor(log.db) == 1
    # Another process goes on where this one ended, and this one where that one did.
    again = AnchorFile(path, log.key)
    assert await again.anchor(log.db) == 0
    await grow(log, again, 1)
    assert await file.anchor(log.db) == 0
    await grow(log, file, 1)
    found = read(path, log.key)
    assert (found.lines, found.signed, found.torn) == (4, 4, 0)
    assert sorted(found.heads[log.tenant.id]) == [1, 2, 3, 4]
    head = (await log.verify()).head
    assert head is not None
    assert found.heads[log.tenant.id][4] == head.digest
    report = await log.verify_all(anchors=found.heads, keys=frozenset({log.key.public}))
    assert report.is_sound


async def test_processes_that_share_a_file_do_not_break_it(log: Log, path: Path) -> None:
    files = [AnchorFile(path, log.key) for _ in range(4)]
    for _ in range(10):
        await log.write(1)
        await log.seal(log.key)
        counts = await asyncio.gather(*(file.anchor(log.db) for file in files))
        assert sorted(counts) == [0, 0, 0, 1]
    assert read(path, log.key).lines == 10


async def test_a_writer_that_died_midway_costs_its_own_line_only(log: Log, path: Path) -> None:
    await grow(log, AnchorFile(path, log.key), 2)
    whole = written(path)
    last = whole.splitlines(keepends=True)[-1]
    for cut in (1, 20, len(last) - 2):
        write(path, whole[: len(whole) - len(last) + cut])
        assert read(path, log.key).torn == 1
        assert await AnchorFile(path, log.key).anchor(log.db) == 1
        found = read(path, log.key)
        assert (found.lines, found.torn) == (2, 1)
        assert sorted(found.heads[log.tenant.id]) == [1, 2]


async def test_a_cut_off_end_is_found(log: Log, path: Path) -> None:
    await grow(log, AnchorFile(path, log.key))
    for table in ("audit_seals", "audit_entries", "audit_signatures"):
        await log.admin.execute(f"delete from stead.{table} where seal_no > 1")
    await log.admin.execute("delete from public.audit_log where id > 2")
    await log.admin.execute("update stead.sealing_progress set complete_to = 2, scanned_to = 2")
    keys = frozenset({log.key.public})
    assert (await log.verify_all(keys=keys)).is_sound  # the database does not know of it
    expected = remembered(path, log)
    report = await log.verify_all(anchors=expected.anchors, keys=keys)
    assert [(f.kind, f.seal_no) for f in report.faults] == [("head_missing", 2), ("head_missing", 3)]


async def test_a_chain_written_anew_and_signed_is_found(log: Log, path: Path) -> None:
    await grow(log, AnchorFile(path, log.key))
    await log.admin.execute("update public.audit_log set action = 'x' where id = 3")
    await write_anew(log, 2)
    for row in await log.admin.fetch("select seal_no, digest from stead.audit_seals"):
        await log.admin.execute(
            "update stead.audit_signatures set signature = $1 where seal_no = $2",
            log.key.sign(row["digest"]),
            row["seal_no"],
        )
    keys = frozenset({log.key.public})
    assert (await log.verify_all(keys=keys)).is_sound  # whoever has owner's rights and the secret
    report = await log.verify_all(anchors=remembered(path, log).anchors, keys=keys)
    assert [(f.kind, f.seal_no) for f in report.faults] == [("head_differs", 2), ("head_differs", 3)]
    assert "after seal 1 and no later than seal 2" in report.faults[0].says


async def test_a_log_that_is_gone_altogether_is_found(log: Log, path: Path) -> None:
    await grow(log, AnchorFile(path, log.key))
    for table in (
        "stead.audit_seals",
        "stead.audit_entries",
        "stead.audit_signatures",
        "public.audit_log",
    ):
        await log.admin.execute(f"delete from {table}")
    expected = remembered(path, log)
    (report,) = audit.missing_chains(expected, [])
    assert {f.kind for f in report.faults} == {"head_missing"}
    assert audit.missing_chains(expected, [log.tenant.id]) == []
    dump = (await log.pg_dump("--data-only")).splitlines(keepends=True)
    (offline,) = audit.verify_dump(dump, expected=expected)
    assert (offline.tenant_id, offline.is_sound) == (log.tenant.id, False)


async def test_a_chain_that_went_back_is_told_and_not_anchored(log: Log, path: Path) -> None:
    file = AnchorFile(path, log.key)
    await grow(log, file)
    before = written(path)
    await log.admin.execute("delete from stead.audit_seals where seal_no > 1")
    for one in (file, AnchorFile(path, log.key)):
        with capture_logs() as logs:
            assert await one.anchor(log.db) == 0
        assert [(entry["event"], entry["seal"]) for entry in logs] == [("audit_chain_changed", 1)]
    await log.admin.execute("delete from stead.audit_seals")
    with capture_logs() as logs:
        await file.anchor(log.db)
    assert [entry["seal"] for entry in logs] == [0]
    assert written(path) == before


TAMPERING: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "line taken out": lambda lines: [lines[0], *lines[2:]],
    "first line taken out": lambda lines: lines[1:],
    "lines swapped": lambda lines: [lines[1], lines[0], *lines[2:]],
    "line doubled": lambda lines: [lines[0], *lines],
    "digest changed": lambda lines: [lines[0], lines[1].replace(b":", b": ", 1), *lines[2:]],
    "line made unreadable": lambda lines: [lines[0], b"x" + lines[1], *lines[2:]],
    "signature taken off": lambda lines: [*lines[:2], unsigned(lines[2])],
    "last head changed": lambda lines: [*lines[:2], altered(lines[2])],
}


def unsigned(line: bytes) -> bytes:
    value = json.loads(line)
    return json.dumps({name: value[name] for name in value if name != "signature"}).encode() + b"\n"


def altered(line: bytes) -> bytes:
    value = json.loads(line)
    value["heads"] = {
        tenant: head[:-1] + ("1" if head[-1] == "0" else "0") for tenant, head in value["heads"].items()
    }
    return json.dumps(value).encode() + b"\n"


@pytest.mark.parametrize("what", TAMPERING)
async def test_a_changed_file_is_found(log: Log, path: Path, what: str) -> None:
    await grow(log, AnchorFile(path, log.key))
    lines = written(path).splitlines(keepends=True)
    write(path, b"".join(TAMPERING[what](lines)))
    with pytest.raises(AuditAnchorsInvalid):
        read(path, log.key)


async def test_a_file_of_another_key_is_found(log: Log, path: Path) -> None:
    await grow(log, AnchorFile(path, SigningKey.from_secret("somebody else's secret, long enough")), 1)
    assert read(path).lines == 1
    with pytest.raises(AuditAnchorsInvalid, match="known key"):
        read(path, log.key)


async def test_where_nothing_can_be_written_it_is_said(log: Log, tmp_path: Path) -> None:
    await log.write(1)
    await log.seal()
    with pytest.raises(AuditAnchorsInvalid, match="cannot be written"):
        await AnchorFile(tmp_path / "nowhere" / "anchors").anchor(log.db)


async def test_a_file_that_was_moved_away_begins_anew(log: Log, path: Path) -> None:
    file = AnchorFile(path, log.key)
    await grow(log, file, 2)
    await asyncio.to_thread(path.rename, path.with_suffix(".1"))
    assert await file.anchor(log.db) == 1
    assert sorted(read(path, log.key).heads[log.tenant.id]) == [2]
