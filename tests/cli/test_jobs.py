"""`stead jobs`: what it prints, follows, asks, refuses; beside workers, without a server."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from click.testing import Result
from typer.testing import CliRunner

from stead.assembly.database import DatabaseAccess
from stead.cli.main import app
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import Database, PoolConfig
from stead.jobs import JobContext, JobFailed, Question
from stead.realtime import Hub
from tests.jobs.conftest import Workshop
from tests.support.people import make_tenant

HOSTILE = "[bold]red[/] \x1b]0;root\x07 \x1b[31mred"


async def _add(job: JobContext, a: int, b: int = 1) -> int:
    await job.progress(50, HOSTILE)
    return a + b


async def _fail(job: JobContext) -> None:
    raise JobFailed("it is beyond me")


async def _ask(job: JobContext) -> list[str]:
    answers = await job.ask(
        [
            Question(id="q1", question=f"Where? {HOSTILE}"),
            Question(id="q2", question="Which?", options=["tea", "coffee"]),
        ]
    )
    return [answer.answer for answer in answers]


@dataclass
class Terminal:
    """``stead jobs`` on the database of a workshop."""

    shop: Workshop
    home: Path
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        return {"STEAD_HOME": str(self.home), "STEAD_DATABASE_URL": self.shop.access.runtime_url}

    def _words(self, words: tuple[str, ...]) -> list[str]:
        return ["jobs", *words, "--tenant", self.shop.tenant.slug]

    async def run(self, *words: str, stdin: str = "") -> Result:
        """Runs a command in this process, with pipes."""
        return await asyncio.to_thread(
            CliRunner().invoke, app, self._words(words), env=self.env, input=stdin
        )

    async def says(self, *words: str) -> str:
        """What a command that ends well prints."""
        ended = await self.run(*words)
        assert ended.exit_code == 0, ended.output
        assert "\x1b" not in ended.stdout
        return ended.stdout

    async def start(self, *words: str, **how: Any) -> asyncio.subprocess.Process:
        """Runs a command in a process of its own."""
        made = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stead", *self._words(words),
            env={**os.environ, **self.env, "COLUMNS": "160", "TERM": "xterm"}, cwd=self.home, **how,
        )  # fmt: skip
        self.processes.append(made)
        return made

    async def at_a_terminal(self, *words: str, types: str = "", expects: int = 0) -> str:
        """What a person sees, who types that."""
        ours, theirs = pty.openpty()
        os.write(ours, types.encode())
        process = await self.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said = b""
        try:
            while chunk := await asyncio.to_thread(os.read, ours, 65_536):
                said += chunk
        except OSError:
            pass  # Linux's word for the end of a terminal
        os.close(ours)
        assert await process.wait() == expects, said.decode()
        return said.decode()


@pytest_asyncio.fixture
async def terminal(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Terminal]:
    """A terminal beside a workshop."""
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=10))
    hub = Hub(fresh.listen_url)
    await hub.start()
    shop = Workshop(fresh, db, hub, await make_tenant(fresh))
    for kind, function in (("add", _add), ("fail", _fail), ("ask", _ask)):
        shop.registry.add(kind, function)
    made = Terminal(shop, tmp_path)
    yield made
    for process in made.processes:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await hub.stop()
    await db.close()


async def test_a_job_is_run_listed_and_shown(terminal: Terminal) -> None:
    job_id = (await terminal.says("run", "add", "--input", '{"a": 2, "b": 3}')).strip()
    assert (await terminal.says("list")).split()[:4] == [job_id, "queued", "add", "0%"]
    async with terminal.shop.worker():
        await terminal.shop.ended(UUID(job_id))
    (listed,) = (await terminal.says("list", "--json")).splitlines()
    found = json.loads(listed)
    assert (found["id"], found["status"], found["result"]) == (job_id, "completed", 5)
    shown = json.loads(await terminal.says("show", job_id, "--json"))
    assert (shown["status"], shown["attempts"], shown["steps"]) == ("completed", 1, [])
    assert "completed" in await terminal.says("show", job_id)
    assert await terminal.says("list", "--status", "failed") == ""
    assert await terminal.says("list", "--kind", "ask") == ""
    assert job_id in await terminal.says(
        "list", "--kind", "add", "--status", "queued", "--status", "completed"
    )
    assert await terminal.says("list", "--project", str(new_id())) == ""


async def test_a_key_makes_one_job(terminal: Terminal) -> None:
    first = json.loads(await terminal.says("run", "add", "--input", '{"a": 2}', "--key", "k", "--json"))
    second = json.loads(await terminal.says("run", "add", "--input", '{"a": 2}', "--key", "k", "--json"))
    assert (first["new"], second["new"]) == (True, False)
    assert first["job_id"] == second["job_id"]
    third = await terminal.run("run", "add", "--key", "k", stdin="")
    assert third.stdout.strip() == first["job_id"]


async def test_input_comes_by_a_pipe_and_later_jobs_wait(terminal: Terminal) -> None:
    ended = await terminal.run(
        "run", "add", "--input", "-", "--at", "2999-01-01", "--priority", "7", "--queue", "slow",
        stdin='{"a": 1}',
    )  # fmt: skip
    job = await terminal.shop.get(UUID(ended.stdout.strip()))
    assert (job.priority, job.queue, job.run_at.year) == (7, "slow", 2999)


async def test_waiting_for_the_end(terminal: Terminal) -> None:
    async with terminal.shop.worker():
        done = await terminal.run("run", "add", "--input", '{"a": 2}', "--wait")
        failed = await terminal.run("run", "fail", "--wait")
    assert done.exit_code == 0
    *_, last = done.stdout.splitlines()
    assert last.split()[1:] == ["add", "completed", "3"]
    assert failed.exit_code == 1
    assert "it is beyond me (job_failed)" in failed.stdout.splitlines()[-1]
    assert "\x1b" not in done.stdout + failed.stdout


async def test_watching_tells_every_end_in_json(terminal: Terminal) -> None:
    good = await terminal.shop.enqueue("add", input={"a": 1})
    bad = await terminal.shop.enqueue("fail")
    process = await terminal.start(
        "watch", str(good), str(bad), str(good), "--json", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    # It has said how both stand before anything happens to them.
    first = [json.loads(await process.stdout.readline()) for _ in range(2)]
    assert {event["status"] for event in first} == {"queued"}
    async with terminal.shop.worker():
        rest = [json.loads(line) for line in (await process.stdout.read()).splitlines()]
        assert await process.wait() == 1
    ends = {event["job_id"]: event for event in rest if event["event"] in {"complete", "error"}}
    assert ends[str(good)]["result"] == 2
    assert (ends[str(bad)]["status"], ends[str(bad)]["code"]) == ("failed", "job_failed")
    assert len(ends) == 2
    # Watched once more they are over, and say so again.
    again = await terminal.run("watch", str(good), "--json")
    assert (again.exit_code, json.loads(again.stdout)["event"]) == (0, "complete")


async def test_watching_all_that_is_under_way(terminal: Terminal) -> None:
    nothing = await terminal.run("watch")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    job = await terminal.shop.enqueue("add", input={"a": 1})
    async with terminal.shop.worker():
        await terminal.shop.ended(job)
        others = [await terminal.shop.enqueue("add", input={"a": n}) for n in range(3)]
        ended = await terminal.run("watch")
    assert ended.exit_code == 0
    seen = {line.split()[0] for line in ended.stdout.splitlines()}
    assert seen <= {str(other) for other in others}


async def test_a_job_that_is_deleted_is_not_watched_for_ever(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("add", input={"a": 1})
    process = await terminal.start("watch", str(job), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    await terminal.shop.admin("delete from public.agent_jobs")
    assert b"gone" in await asyncio.wait_for(process.stdout.read(), 60)
    assert await process.wait() == 1


async def test_bars_for_a_person(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("add", input={"a": 1})
    async with terminal.shop.worker():
        seen = await terminal.at_a_terminal("watch", str(job))
    assert "completed" in seen
    assert "100%" in seen
    assert str(job)[-6:] in seen
    # What a job says is neither markup nor a command to the terminal.
    for text in (
        seen,
        await terminal.at_a_terminal("list"),
        await terminal.at_a_terminal("show", str(job)),
    ):
        assert "\x1b]0;" not in text
        assert "\x1b[31mred" not in text


async def test_answers_come_with_the_command(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("ask")
    async with terminal.shop.worker():
        await terminal.shop.until(job, "waiting_for_input")
        watching = await terminal.start("watch", str(job), stdout=asyncio.subprocess.PIPE)
        assert watching.stdout is not None
        assert f"stead jobs answer {job} q1=…" in (await watching.stdout.readline()).decode()
        assert "Which?" in await terminal.says("show", str(job))
        alone = await terminal.run("answer", str(job))
        assert isinstance(alone.exception, SteadError)
        assert f"stead jobs answer {job} q1=… q2=…" in alone.exception.hint
        assert "goes on" in await terminal.says("answer", str(job), "q1=a=b", "q2=")
        assert (await terminal.shop.ended(job)).result == ["a=b", ""]
        assert b"completed" in await watching.stdout.read()
        assert await watching.wait() == 0


async def test_a_person_is_asked(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("ask")
    async with terminal.shop.worker():
        await terminal.shop.until(job, "waiting_for_input")
        seen = await terminal.at_a_terminal("answer", str(job), types="Porto\n2\n")
        assert (await terminal.shop.ended(job)).result == ["Porto", "coffee"]
    assert "\x1b]0;" not in seen
    again = await terminal.run("answer", str(job), "q1=x")
    assert isinstance(again.exception, SteadError)
    assert again.exception.code == "job_not_waiting"


async def test_cancel_and_retry(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("add", input={"a": 1})
    await terminal.says("cancel", str(job))
    await terminal.says("cancel", str(job))
    assert (await terminal.shop.get(job)).status == "cancelled"
    assert (await terminal.run("watch", str(job))).exit_code == 1
    await terminal.says("retry", str(job))
    async with terminal.shop.worker():
        assert (await terminal.shop.ended(job)).status == "completed"


async def test_queues_are_paused_and_limited(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("add", input={"a": 1})
    await terminal.says("queues", "pause", "default")
    (queue,) = [
        json.loads(text) for text in (await terminal.says("queues", "list", "--json")).splitlines()
    ]
    assert (queue["queue"], queue["paused"], queue["queued"]) == ("default", True, 1)
    assert "paused" in await terminal.says("queues", "list")
    async with terminal.shop.worker():
        other = await terminal.shop.enqueue("add", input={"a": 1}, queue="default", priority=5)
        await terminal.says("queues", "limit", "default", "3", "--weight", "2")
        assert (await terminal.shop.get(job)).status == "queued"
        await terminal.says("queues", "resume", "default")
        await terminal.shop.ended(job)
        await terminal.shop.ended(other)
    await terminal.says("queues", "limit", "default", "--weight", "4")
    (queue,) = [
        json.loads(text) for text in (await terminal.says("queues", "list", "--json")).splitlines()
    ]
    assert (queue["max_running"], queue["weight"]) == (3, 4)
    assert "no limit" in await terminal.says("queues", "limit", "default")


async def test_a_queue_is_paused_for_every_tenant(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("add", input={"a": 1})
    elsewhere = await terminal.shop.enqueue("add", input={"a": 1}, queue="other")
    await terminal.says("queues", "pause", "default", "--all-tenants")
    async with terminal.shop.worker(queues=["default", "other"]):
        await terminal.shop.ended(elsewhere)
        assert (await terminal.shop.get(job)).status == "queued"
        await terminal.says("queues", "resume", "default", "--all-tenants")
        await terminal.shop.ended(job)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["show", "xyz"], "no id"),
        (["show", "{unknown}"], "job_unknown"),
        (["watch", "{unknown}"], "job_unknown"),
        (["cancel", "{unknown}"], "job_unknown"),
        (["retry", "{unknown}"], "job_unknown"),
        (["answer", "{unknown}", "q=1"], "job_unknown"),
        (["answer", "{unknown}", "q"], "QUESTION=ANSWER"),
        (["answer", "{unknown}", "=x"], "QUESTION=ANSWER"),
        (["retry", "{job}"], "Only a failed or cancelled job"),
        (["answer", "{job}"], "job_not_waiting"),
        (["list", "--status", "done"], "waiting_for_input"),
        (["list", "--project", "x"], "no id"),
        (["run", "Add Things"], "is no name"),
        (["run", "add", "--queue", "A B"], "is no name"),
        (["run", "add", "--input", "{{"], "no JSON"),
        (["run", "add", "--input", "[1]"], "no JSON object"),
        (["run", "add", "--at", "tomorrow"], "no moment"),
        (["run", "add", "--app", "no_such_module:app"], "target_invalid"),
        (["run", "none", "--app", "tests.support.workshop_app:app"], "job_kind_unknown"),
        (["run", "steps", "--app", "tests.support.workshop_app:app"], "job_input_invalid"),
        (["queues", "pause", "A B"], "no name of a queue"),
        (["queues", "pause", "A B", "--all-tenants"], "no name of a queue"),
    ],
)
async def test_what_is_wrong_is_said_in_words(terminal: Terminal, words: list[str], says: str) -> None:
    job = await terminal.shop.enqueue("add", input={"a": 1})
    given = [
        word.replace("{unknown}", str(new_id())).replace("{job}", str(job)).replace("{{", "{")
        for word in words
    ]
    refused = await terminal.run(*given)
    error = refused.exception
    assert isinstance(error, SteadError), refused.output
    assert says in f"{error.detail} {error.hint} {error.code}"
    assert refused.stdout == ""


async def test_another_tenant_sees_nothing(terminal: Terminal) -> None:
    job = await terminal.shop.enqueue("add", input={"a": 1})
    terminal.shop.tenant = await make_tenant(terminal.shop.access)
    assert await terminal.says("list") == ""
    for verb in ("show", "watch", "cancel", "retry"):
        refused = await terminal.run(verb, str(job))
        assert isinstance(refused.exception, SteadError)
        assert refused.exception.code == "job_unknown"


def test_help_has_examples() -> None:
    for verb in (
        "list",
        "show",
        "watch",
        "answer",
        "cancel",
        "retry",
        "run",
        "queues pause",
        "queues limit",
    ):
        assert "Example" in CliRunner().invoke(app, ["jobs", *verb.split(), "--help"]).stdout, verb
