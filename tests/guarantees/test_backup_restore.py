"""Backed up and restored under load: the audit log verifies, and nothing that had succeeded runs again."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from stead import audit, jobs
from stead.assembly.database import DatabaseAccess
from stead.audit import AnchorFile, Expectations, SigningKey, read_anchors
from stead.db import Database, PoolConfig
from stead.db.embedded import EmbeddedServer, psql_path
from stead.jobs import NewJob
from tests.audit.conftest import SECRET
from tests.guarantees.jobs import Plant, plant
from tests.support.cluster import empty_database

JOBS_BEFORE = 120
JOBS_AFTER = 60
STEPS = 4


async def enqueue_for_ever(works: Plant) -> None:
    """A client: a job and the row that tells of it, together or not at all."""
    while True:
        async with works.db.transaction(works.service) as tx:
            job = await jobs.enqueue(tx, works.service, NewJob(kind="steps", input={"n": STEPS}))
            await audit.record(
                tx,
                works.service,
                category="jobs",
                action="enqueued",
                subject_type="job",
                subject_id=job.id,
                erasable={"reason": "somebody asked for it"},
            )
        await asyncio.sleep(0.005)


async def seal_for_ever(works: Plant, file: AnchorFile, key: SigningKey) -> None:
    """As workers do it."""
    while True:
        if not await audit.seal(works.db, key):
            await asyncio.sleep(0.01)
        await file.anchor(works.db)


async def tool(program: str, url: str, *options: str) -> None:
    """One of PostgreSQL's own programs."""
    process = await asyncio.create_subprocess_exec(
        str(psql_path().with_name(program)), "--dbname", url, *options, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def completed(works: Plant) -> int:
    return await works.admin.fetchval(
        "select count(*) from public.agent_jobs where status = 'completed'"
    )


async def until_more(works: Plant, count: int) -> None:
    """Until so many more jobs have completed than now."""
    wanted = await completed(works) + count
    async with asyncio.timeout(120):
        while await completed(works) < wanted:  # noqa: ASYNC110 - other processes count
            await asyncio.sleep(0.02)


async def done_steps(works: Plant) -> dict[UUID, int]:
    """How many steps of each job are stored, and will not run again."""
    rows = await works.admin.fetch(
        "select job_id, count(*) as steps from public.agent_job_steps group by job_id"
    )
    return {row["job_id"]: row["steps"] for row in rows}


@pytest.mark.timeout(400)
async def test_a_restored_backup_goes_on_where_it_was(
    cluster: EmbeddedServer, fresh: DatabaseAccess, tmp_path: Path
) -> None:
    key = SigningKey.from_secret(SECRET)
    dump, anchors = tmp_path / "backup.sql", tmp_path / "anchors.jsonl"
    async with plant(fresh, tmp_path) as works:
        assert fresh.admin_url is not None
        workers = [await works.worker(STEAD_SERVICE_SECRET=SECRET).start() for _ in range(2)]
        load = [asyncio.create_task(enqueue_for_ever(works)) for _ in range(2)]
        load.append(asyncio.create_task(seal_for_ever(works, AnchorFile(anchors, key), key)))
        await until_more(works, JOBS_BEFORE)
        # The heads that are known when the backup begins have to be in it.
        before = read_anchors(
            (await asyncio.to_thread(anchors.read_bytes)).splitlines(keepends=True),
            keys=frozenset({key.public}),
        )
        await tool("pg_dump", fresh.admin_url, "--file", str(dump))
        await until_more(works, JOBS_AFTER)
        for task in load:
            task.cancel()
        await asyncio.gather(*load, return_exceptions=True)
        assert [await worker.stop() for worker in workers] == [0, 0]
        at_the_end = await completed(works)
        service = works.service

    expected = Expectations(keys=frozenset({key.public}), anchors=before.heads)
    assert before.heads[service.tenant.id]
    with dump.open(encoding="utf-8") as lines:
        (offline,) = (
            report
            for report in audit.verify_dump(lines, expected=expected)
            if report.tenant_id == service.tenant.id
        )
    assert offline.faults == ()

    async with (
        empty_database(cluster, template="template0") as restored,
        contextlib.AsyncExitStack() as stack,
    ):
        assert restored.admin_url is not None
        await tool("psql", restored.admin_url, "--quiet", "-v", "ON_ERROR_STOP=1", "--file", str(dump))
        db = await Database.open(PoolConfig(url=restored.runtime_url, min_size=1, max_size=5))
        stack.push_async_callback(db.close)
        admin = await asyncpg.connect(restored.admin_url)
        stack.push_async_callback(admin.close)
        again = Plant(restored, db, admin, service, tmp_path / "effects-again")
        # Taken in the middle: some was done, some was not.
        assert 0 < await completed(again) < at_the_end
        told = await admin.fetchval("select count(*) from public.audit_log where action = 'enqueued'")
        assert told == await admin.fetchval("select count(*) from public.agent_jobs")
        ended = {
            row["id"]
            for row in await admin.fetch(
                "select id from public.agent_jobs where completed_at is not null"
            )
        }
        steps = await done_steps(again)
        async with db.transaction(service) as tx:
            more = await jobs.enqueue_many(
                tx, service, [NewJob(kind="steps", input={"n": STEPS}) for _ in range(20)]
            )
            await audit.record(tx, service, category="backup", action="restored")
        worker = await again.worker(STEAD_SERVICE_SECRET=SECRET).start()
        try:
            await again.all_ended()
        finally:
            assert await worker.stop() == 0

        # The outbox belongs here: envelopes that had succeeded in the backup have no second attempt, and those
        # that were being executed are outcome_unknown.
        lines_again = again.lines()
        assert not ended & lines_again.keys()
        for job, count in steps.items():
            # A step that is stored is not done again: only those after it.
            assert len({line[0] for line in lines_again.get(job, [])}) <= STEPS - count
        assert set(more) <= lines_again.keys()
        states = await admin.fetch("select distinct status::text from public.agent_jobs")
        assert [row["status"] for row in states] == ["completed"]

        # Sealing goes on in another cluster's transaction numbers, and the chain is one.
        while await audit.seal(db, key):
            pass
        async with db.transaction(service, read_only=True) as tx:
            report = await audit.verify(tx, service.tenant, expected=expected)
        assert report.faults == ()
        assert report.rows >= told
        assert report.erased == 0
        # What was anchored after the backup is not in it: who restores is told how much is lost.
        after = read_anchors(
            (await asyncio.to_thread(anchors.read_bytes)).splitlines(keepends=True),
            keys=frozenset({key.public}),
        )
        async with db.transaction(service, read_only=True) as tx:
            late = await audit.verify(
                tx, service.tenant, expected=Expectations(anchors=after.heads, keys=expected.keys)
            )
        assert {fault.kind for fault in late.faults} <= {"head_differs", "head_missing"}
        assert not late.is_sound
