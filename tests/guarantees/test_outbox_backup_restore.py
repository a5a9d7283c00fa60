"""Backed up and restored under load: what had succeeded does not run again, and what was under way is unknown."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from stead.db.embedded import EmbeddedServer, psql_path
from tests.guarantees.acts import Works, works_on
from tests.support.cluster import empty_database


async def tool(program: str, url: str, *options: str) -> None:
    """One of PostgreSQL's own programs."""
    process = await asyncio.create_subprocess_exec(
        str(psql_path().with_name(program)), "--dbname", url, *options, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def propose_for_ever(works: Works) -> None:
    """A client."""
    while True:
        await works.propose_many([("send", {"order": "load"}), ("upsert", {"order": "load"})])
        await asyncio.sleep(0.005)


async def test_what_had_succeeded_does_not_run_again(
    acting: Works, cluster: EmbeddedServer, tmp_path: Path
) -> None:
    never = str(tmp_path / "never")
    under_way = await acting.propose_many(
        [("send", {"order": f"w{n}", "wait": never}) for n in range(5)]
    )
    first = await acting.worker().start()
    client = asyncio.create_task(propose_for_ever(acting))
    await acting.until("select count(*) > 100 from public.outbox where status = 'succeeded'")
    await tool("pg_dump", str(acting.access.admin_url), "--format=custom", f"--file={tmp_path / 'dump'}")
    await acting.until("select count(*) > 200 from public.outbox where status = 'succeeded'")
    client.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await client
    await first.kill()

    async with empty_database(cluster) as access:
        await tool("pg_restore", str(access.admin_url), "--exit-on-error", str(tmp_path / "dump"))
        async with works_on(access, tmp_path) as restored:
            restored.tenants = [acting.tenant]
            rows = await restored.admin.fetch(
                "select id, status from public.outbox where status in ('succeeded', 'executing')"
            )
            succeeded = [row["id"] for row in rows if row["status"] == "succeeded"]
            assert len(succeeded) > 100
            assert set(under_way) <= {row["id"] for row in rows if row["status"] == "executing"}
            before = restored.lines()
            second = await restored.worker().start()
            try:
                await restored.all_still()
            finally:
                assert await second.stop() == 0
            after = restored.lines()
            assert [after[i] for i in succeeded] == [before[i] for i in succeeded]
            assert [after[i] for i in under_way] == [before[i] for i in under_way]
            assert set((await restored.statuses(under_way)).values()) == {"outcome_unknown"}
            assert set((await restored.statuses(succeeded)).values()) == {"succeeded"}
            await restored.check_audit()
