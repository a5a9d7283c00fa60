"""64 writers, and sealers in processes of their own that are killed: no false alarm; and whatever is changed
afterwards is found and located offline, from a dump, by the command.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stead import audit
from stead.assembly.database import DatabaseAccess
from stead.audit import AuditEntry, read_anchors
from stead.cli.main import app
from stead.db import Database, PoolConfig
from stead.db.embedded import EmbeddedServer
from stead.identity import Tenant
from tests.audit.conftest import SECRET, Log, open_log
from tests.audit.test_verifying import write_anew
from tests.support.cluster import empty_database
from tests.support.people import service

WRITERS = 64
KILLS = 8
SEALS = 30


@dataclass
class Storm:
    """Writers in this process, sealers in others."""

    log: Log
    pool: Database
    anchors: Path
    random: random.Random
    committed: Counter[str] = field(default_factory=Counter[str])
    seals: int = 0
    kills: int = 0
    verified: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, number: int) -> None:
        """Small transactions, some of which roll back or stay open for a while."""
        tenant = (self.log.tenant, self.log.other)[number % 2]
        principal = service(tenant)
        while not self.over.is_set():
            # Otherwise the log grows faster than it is dumped and verified, six times over.
            await asyncio.sleep(self.random.uniform(0.05, 0.4))
            rows = self.random.randint(1, 4)
            entries = [
                AuditEntry(category="storm", action="write", payload={"n": number}, erasable=words)
                for words in self.random.choices(({}, {"reason": "because of the storm"}), k=rows)
            ]
            with contextlib.suppress(LookupError):
                async with self.pool.transaction(principal) as tx:
                    await audit.record_many(tx, principal, entries)
                    if self.random.random() < 0.3:
                        seals = self.seals
                        while self.seals < seals + 2 and not self.over.is_set():  # noqa: ASYNC110
                            await asyncio.sleep(0.005)
                        await audit.record(tx, principal, category="storm", action="late")
                        rows += 1
                    self.maybe_give_up()
                self.committed[tenant.slug] += rows

    def maybe_give_up(self) -> None:
        """What raises rolls back."""
        if self.random.random() < 0.15:
            raise LookupError

    async def seal(self) -> None:
        """A process that seals, again and again; each is killed with SIGKILL after some seals and a moment."""
        while not self.over.is_set():
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.support.sealer",
                self.log.access.runtime_url,
                SECRET,
                str(self.anchors),
                str(self.random.randrange(2**32)),
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdout is not None
            try:
                for _ in range(self.random.randint(1, 8)):
                    if await self.unless_over(process.stdout.readline()) is None:
                        break
                    self.seals += 1
                await asyncio.sleep(self.random.random() * 0.02)
            finally:
                process.send_signal(signal.SIGKILL)
                assert await process.wait() == -signal.SIGKILL
            self.kills += 1
            if self.kills >= KILLS and self.seals >= SEALS:
                self.over.set()

    async def unless_over(self, line: Coroutine[Any, Any, bytes]) -> bytes | None:
        """The next line of a sealer; None when the storm is over and no more may come."""
        reading, over = asyncio.create_task(line), asyncio.create_task(self.over.wait())
        await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not reading.done():
            reading.cancel()
            return None
        assert reading.result() == b"sealed\n"
        return reading.result()

    async def verify(self) -> None:
        """Never a false alarm, whatever is going on; also against what is anchored by then."""
        keys = frozenset({self.log.key.public})
        while not self.over.is_set():
            anchored = await asyncio.to_thread(self.anchored)
            report = await self.log.verify(keys=keys, anchors=anchored)
            assert report.faults == ()
            self.verified += 1

    def anchored(self) -> dict[Any, Any]:
        """What the file holds; a line that is being written is no whole one yet."""
        if not self.anchors.exists():
            return {}
        lines = self.anchors.read_bytes().splitlines(keepends=True)
        return dict(read_anchors(lines, keys=frozenset({self.log.key.public})).heads)


def sql(statement: str) -> Callable[[Log, Target], Awaitable[None]]:
    async def tamper(log: Log, target: Target) -> None:
        await log.admin.execute(
            statement.format(
                row=target.row,
                other=target.other_row,
                seal=target.seal,
                tenant=target.tenant.id,
                unused=target.unused,
            )
        )

    return tamper


@dataclass(frozen=True, kw_only=True)
class Target:
    """A row in the middle of a chain, another of the same seal or a later one, and an id that nobody has."""

    tenant: Tenant
    row: int
    other_row: int
    seal: int
    other_seal: int
    unused: int
    last_seal: int
    anchored: list[int]


async def truncate(log: Log, target: Target) -> None:
    """The end of the chain is cut off: seals, entries, signatures and rows; and sealing is set back to there."""
    of = f"tenant_id = '{target.tenant.id}'"
    await log.admin.execute(
        f"delete from public.audit_log where {of} and id in (select audit_id from stead.audit_entries "
        f"where {of} and seal_no > {target.seal})"
    )
    for table in ("audit_entries", "audit_signatures", "audit_seals"):
        await log.admin.execute(f"delete from stead.{table} where {of} and seal_no > {target.seal}")


async def rechain(log: Log, target: Target) -> None:
    """A row is changed, and everything from its seal on computed anew and signed: by a thief of the secret."""
    await log.admin.execute(f"update public.audit_log set action = 'x' where id = {target.row}")
    await write_anew(log, target.seal)
    for row in await log.admin.fetch(
        "select seal_no, digest from stead.audit_seals where tenant_id = $1 and seal_no >= $2",
        target.tenant.id,
        target.seal,
    ):
        await log.admin.execute(
            "update stead.audit_signatures set signature = $1 where tenant_id = $2 and seal_no = $3",
            log.key.sign(row["digest"]),
            target.tenant.id,
            row["seal_no"],
        )


async def swap(log: Log, target: Target) -> None:
    """Two rows change places."""
    await log.admin.execute("alter table public.audit_log alter id drop identity")
    for before, after in ((target.row, -1), (target.other_row, target.row), (-1, target.other_row)):
        await log.admin.execute(f"update public.audit_log set id = {after} where id = {before}")


#: What is done, and the faults (kind, seal, row) that have to be among those that are found.
Places = Callable[[Target], set[tuple[str, int | None, int | None]]]
TAMPERING: dict[str, tuple[Callable[[Log, Target], Awaitable[None]], Places]] = {
    "edit": (
        sql("update public.audit_log set payload = payload || '{{\"n\": -1}}' where id = {row}"),
        lambda t: {("row_altered", t.seal, t.row)},
    ),
    "deletion": (
        sql("delete from public.audit_log where id = {row}"),
        lambda t: {("row_missing", t.seal, t.row)},
    ),
    "insertion": (
        sql(
            "insert into public.audit_log (id, tenant_id, actor_type, category) overriding system value "
            "values ({unused}, '{tenant}', 'service', 'forged')"
        ),
        lambda t: {("row_inserted", None, t.unused)},
    ),
    "swap": (
        swap,
        lambda t: {("row_altered", t.seal, t.row), ("row_altered", t.other_seal, t.other_row)},
    ),
    "truncation": (
        truncate,
        lambda t: {("head_missing", n, None) for n in t.anchored if n > t.seal},
    ),
    "re-chaining": (
        rechain,
        lambda t: {("head_differs", n, None) for n in t.anchored if n >= t.seal},
    ),
}


async def choose(log: Log, chance: random.Random, anchored: list[int]) -> Target:
    """Somewhere in the chain, before some anchor."""
    entries = await log.admin.fetch(
        "select e.seal_no, e.audit_id from stead.audit_entries e where e.tenant_id = $1 "
        "and e.seal_no < $2 order by e.seal_no, e.position",
        log.tenant.id,
        max(anchored),
    )
    one, other = sorted(chance.sample(range(len(entries)), 2))
    # Ids of transactions that rolled back: the sequence went on, the rows did not stay.
    unused = await log.admin.fetch(
        "select n from generate_series(1, (select max(id) from public.audit_log where id <= "
        "(select complete_to from stead.sealing_progress))) n except select id from public.audit_log order by n"
    )
    return Target(
        tenant=log.tenant,
        row=entries[one]["audit_id"],
        other_row=entries[other]["audit_id"],
        seal=entries[one]["seal_no"],
        other_seal=entries[other]["seal_no"],
        unused=chance.choice(unused)["n"],
        last_seal=max(anchored),
        anchored=anchored,
    )


def told(file: Path, anchors: Path, home: Path) -> tuple[int, dict[str, Any]]:
    """What the command says of a dump: its exit code, and the report of each tenant. No database is told to it."""
    environment = {"STEAD_HOME": str(home), "STEAD_SERVICE_SECRET": SECRET, "STEAD_DATABASE_URL": None}
    words = ["audit", "verify", "--from-dump", str(file), "--anchors", str(anchors)]
    answer = CliRunner().invoke(app, words, env=environment)
    assert answer.exit_code in {0, 3}, (answer.output, answer.exception)
    return answer.exit_code, {each["tenant"]: each for each in json.loads(answer.stdout)["tenants"]}


async def dumped(log: Log, file: Path) -> Path:
    """All of the database, as a backup has it."""
    text = await log.pg_dump()
    await asyncio.to_thread(file.write_text, text, encoding="utf-8")
    return file


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
async def test_no_false_alarm_and_every_change_is_found(
    cluster: EmbeddedServer, fresh: DatabaseAccess, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    anchors = tmp_path / "anchors.jsonl"
    pool = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=0, max_size=WRITERS))
    async with open_log(fresh) as log:
        storm = Storm(log=log, pool=pool, anchors=anchors, random=chance)
        try:
            async with asyncio.timeout(300), asyncio.TaskGroup() as group:
                for number in range(WRITERS):
                    group.create_task(storm.write(number))
                for work in (storm.seal, storm.seal, storm.verify):
                    group.create_task(work())
        finally:
            await pool.close()
        await log.seal(log.key)
        assert storm.kills >= KILLS
        assert storm.verified > 0
        code, reports = await asyncio.to_thread(
            told, await dumped(log, tmp_path / "whole.sql"), anchors, tmp_path
        )
        assert code == 0
        for tenant in (log.tenant, log.other):
            report = reports[tenant.slug]
            assert report["rows"] == storm.committed[tenant.slug] == len(await log.ids(tenant))
            assert (report["pending"], report["erased"], report["signed"]) == (0, 0, report["seals"])
        anchored = sorted(storm.anchored()[log.tenant.id])
        target = await choose(log, chance, anchored)
        tenant = log.tenant
    name = fresh.runtime_url.rpartition("/")[2].partition("?")[0]
    for what, (tamper, places) in TAMPERING.items():
        async with empty_database(cluster, template=name) as copy, open_log(copy) as victim:
            victim.tenant = tenant
            await tamper(victim, target)
            code, reports = await asyncio.to_thread(
                told, await dumped(victim, tmp_path / "changed.sql"), anchors, tmp_path
            )
        assert code == 3, what
        found = {(f["kind"], f["seal_no"], f["audit_id"]) for f in reports[tenant.slug]["faults"]}
        assert places(target), what
        assert places(target) <= found, (what, target)
        # And nothing else of the log is accused: neither rows that were left alone nor the other tenant's.
        rows = {n for kind, _, n in found if kind.startswith("row_")}
        assert rows <= {target.row, target.other_row, target.unused}, what
        others = [each for slug, each in reports.items() if slug != tenant.slug]
        assert all(each["sound"] for each in others), what
