"""`stead outbox` and `stead approvals` on the database of a test, and the worker as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from stead.actions import redriving
from stead.cli.main import app
from stead.core.errors import SteadError
from stead.core.ids import new_id
from tests.actions.conftest import Office, office
from tests.support.people import make_person

__all__ = ["office"]

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def environment(office: Office, tmp_path: Path) -> dict[str, str]:
    return {
        "STEAD_HOME": str(tmp_path),
        "STEAD_DATABASE_URL": office.access.runtime_url,
        "STEAD_HOST": "127.0.0.1",
    }


@pytest.fixture
def stead(environment: dict[str, str]) -> Run:
    """The command."""

    async def run(*words: str, **more: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, words, env={**environment, **more})

    return run


@asynccontextmanager
async def worker(
    environment: dict[str, str], *words: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """``python -m stead.outbox start`` under way, and where it tells of itself."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("STEAD_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stead.outbox", "start", "--metrics-port", "0", *words,
        env={**kept, **environment}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    url = ""
    try:
        async with asyncio.timeout(60):
            while (said := (await process.stderr.readline()).decode()).strip() != "working":
                assert said, "it ended"
                if "health and metrics on" in said:
                    url = said.split()[-1]
        yield process, url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _bury(office: Office, n: int = 1) -> list[str]:
    """Dead letters, as they come about: unknown outcomes that somebody gave up."""

    async def fail(order: str) -> None:
        del order
        raise RuntimeError("nobody knows")

    office.registry.add(fail, name="fail", risk="low")
    await office.registry.register(office.db)
    ids = [(await office.propose("fail")).envelope.id for _ in range(n)]
    async with office.worker():
        for envelope_id in ids:
            await office.until(envelope_id, "outcome_unknown")
    for envelope_id in ids:
        async with office.db.transaction(office.service) as tx:
            await redriving.resolve(tx, office.service, envelope_id, "give_up")
    return [str(each) for each in ids]


async def test_status_exits_with_one_when_there_are_too_many_dead_letters(
    office: Office, stead: Run
) -> None:
    slug = office.tenant.slug
    empty = await stead("outbox", "status")
    assert (empty.exit_code, empty.output) == (0, "")
    await _bury(office, 2)
    await office.propose("do_high")
    told = await stead("outbox", "status", "--tenant", slug)
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [f"{slug}\tawaiting_approval\t1", f"{slug}\tdlq\t2"]
    by_id = await stead(
        "outbox", "status", "--tenant", str(office.tenant.id), "--json", STEAD_OUTBOX_DLQ_LIMIT="2"
    )
    assert by_id.exit_code == 0
    assert json.loads(by_id.stdout) == {"tenant": slug, "dlq": 2, "depths": {"awaiting_approval": 1}}


async def test_dead_letters_are_taken_out(office: Office, stead: Run) -> None:
    slug = office.tenant.slug
    first, second, third = await _bury(office, 3)
    some = await stead("outbox", "drain", "--tenant", slug, "--limit", "1")
    assert [row.split("\t")[:2] for row in some.stdout.splitlines()] == [[first, "pending"]]
    one = await stead("outbox", "retry-dlq", "--tenant", slug, "--envelope", third)
    assert "pending" in one.stdout
    rest = await stead("outbox", "drain")
    assert [row.split("\t")[0] for row in rest.stdout.splitlines()] == [second]
    again = await stead("outbox", "retry-dlq", "--tenant", slug, "--envelope", third)
    assert isinstance(again.exception, SteadError)
    assert again.exception.code == "envelope_not_dead"
    unknown = await stead("outbox", "retry-dlq", "--tenant", slug, "--envelope", str(new_id()))
    assert isinstance(unknown.exception, SteadError)
    assert unknown.exception.code == "envelope_unknown"
    assert (await stead("outbox", "status")).exit_code == 0


async def test_once_carries_out_one_batch(
    office: Office, environment: dict[str, str], tmp_path: Path
) -> None:
    target = _application(tmp_path)
    await office.registry.register(office.db)
    proposed = await _propose_note(office)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("STEAD_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stead", "outbox", "start", target, "--once",
        env={**kept, **environment, "PYTHONPATH": str(tmp_path)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert (process.returncode, output.decode().strip()) == (0, "1 action")
    assert (await office.get(proposed)).status == "succeeded"


def _application(folder: Path) -> str:
    (folder / "notes_app.py").write_text(
        "from stead import Stead\napp = Stead()\n\n\n"
        "async def note(text: str) -> dict[str, str]:\n    return {'noted': text}\n\n\n"
        "app.tools.add(note, name='note', risk='low')\n"
    )
    return "notes_app:app"


async def _propose_note(office: Office) -> UUID:
    async def note(text: str) -> dict[str, str]:
        return {"noted": text}

    office.registry.add(note, name="note", risk="low")
    await office.registry.register(office.db)
    return (await office.propose("note", arguments={"text": "x"})).envelope.id


async def test_a_worker_of_its_own_tells_of_itself_and_ends_in_order(
    office: Office, environment: dict[str, str], tmp_path: Path
) -> None:
    target = _application(tmp_path)
    env = {**environment, "PYTHONPATH": str(tmp_path), "STEAD_METRICS_TOKEN": "t0ken"}
    async with worker(env, target) as (process, url), httpx.AsyncClient(base_url=url) as client:
        proposed = await _propose_note(office)
        await office.until(proposed, "succeeded")
        health = await client.get("/healthz")
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        assert (await client.get("/metrics")).status_code == 401
        told = (await client.get("/metrics", headers={"authorization": "Bearer t0ken"})).text
        assert f'outbox_processed_total{{status="success",tenant="{office.tenant.slug}"}} 1.0' in told
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    async with office.db.transaction(office.service, read_only=True) as tx:
        assert await tx.value("select count(*) from public.outbox where status = 'executing'") == 0


async def test_approvals_are_listed_and_voted_on(office: Office, stead: Run) -> None:
    slug = office.tenant.slug
    ann = await make_person(office.db, office.tenant)
    proposed = await office.propose("do_high")
    approval_id = str(proposed.approval_id)
    where = ("--tenant", slug)
    listed = await stead("approvals", "list", *where)
    assert listed.stdout.split() == [approval_id, "do_high", "high", "pending"]
    shown = json.loads((await stead("approvals", "show", approval_id, *where)).stdout)
    assert (shown["arguments"], shown["digest"]) == ({"order": "o1"}, proposed.envelope.digest.hex())
    refused = await stead("approvals", "approve", approval_id, "--as", ann.email, *where)
    assert isinstance(refused.exception, SteadError)
    # Whoever approves nothing sees nothing of what others proposed.
    assert refused.exception.code == "approval_unknown"
    carla = await office.person(approves="high")
    who = ("--as", str(carla.profile_id), *where)
    stale = await stead("approvals", "approve", approval_id, "--digest", "00" * 32, *who)
    assert isinstance(stale.exception, SteadError)
    assert stale.exception.code == "approval_decided"
    voted = await stead("approvals", "approve", approval_id, "--digest", shown["digest"], *who)
    assert "approved (1 of 1)" in voted.stdout
    other = await office.propose("do_high", arguments={"order": "o2"})
    link = await stead("approvals", "link", str(other.approval_id), "--for", ann.email, *where)
    assert link.stdout.startswith("/v1/approvals/links/")
    rejected = await stead("approvals", "reject", str(other.approval_id), "--reason", "no", *who)
    assert "rejected" in rejected.stdout
    assert (await stead("approvals", "list", *where)).stdout == ""
    nobody = await stead("approvals", "approve", approval_id, "--as", "nobody@example.com", *where)
    assert isinstance(nobody.exception, SteadError)
