"""``stead memory eval`` and ``report``: settings side by side, nothing left behind, and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from stead.assembly.database import DatabaseAccess
from stead.assembly.scratch import scratch_tenant
from stead.cli.main import app
from stead.core.errors import SteadError
from tests.cli.conftest import Cli
from tests.http.conftest import Ledger, ledger  # noqa: F401 - a fixture
from tests.servers.openai import OpenAIServer
from tests.support.people import Person, open_session
from tests.support.servers import Running, say

TURNS = (
    ("Ann", "I bought a blue gravel bike in Porto."),
    ("Bob", "How is the weather over there?"),
    ("Ann", "My sister Clara plays the cello in an orchestra."),
    ("Bob", "That sounds lovely."),
    ("Ann", "We are moving to Lisbon next spring."),
)


def dataset(scopes: int = 2) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for n in range(scopes):
        scope = f"s{n}"
        rows += [
            {"type": "message", "scope": scope, "session": f"{scope}-{m // 3}", "seq": m,
             "at": f"2026-05-0{m + 1}T10:00:00Z", "speaker": speaker, "text": text, "id": f"{scope}-{m}"}
            for m, (speaker, text) in enumerate(TURNS)
        ]  # fmt: skip
        rows += [
            {"type": "query", "scope": scope, "text": text, "at": "2026-06-01T10:00:00Z",
             "evidence": [f"{scope}-{m}"], "category": category}
            for text, m, category in (
                ("What colour is the bike?", 0, "single"),
                ("Which instrument does Clara play?", 2, "single"),
                ("Where are they moving to?", 4, "open"),
            )
        ]  # fmt: skip
    return rows


def write(folder: Path, *rows: object) -> Path:
    path = folder / "data.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


Run = Callable[..., subprocess.CompletedProcess[str]]


def addresses(access: DatabaseAccess) -> dict[str, str]:
    assert access.admin_url is not None
    return {"STEAD_DATABASE_URL": access.runtime_url, "STEAD_ADMIN_DATABASE_URL": access.admin_url}


@pytest.fixture
def stead(cli: Cli, access: DatabaseAccess) -> Run:
    """``stead memory …`` on the shared database, which the owner's URL reaches too."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return cli.run("memory", *arguments, **addresses(access), **environment)

    return run


@pytest.fixture
def refusal(cli: Cli, access: DatabaseAccess) -> Callable[..., Awaitable[SteadError]]:
    """The error that ``stead memory eval …`` ends with; in this process, which is quicker."""

    async def run(*arguments: str, **environment: str) -> SteadError:
        given = {"STEAD_HOME": str(cli.home), **addresses(access), **environment}
        command = ["memory", "eval", *arguments]
        ended = await asyncio.to_thread(CliRunner().invoke, app, command, env=given)
        assert isinstance(ended.exception, SteadError), ended.output
        return ended.exception

    return run


async def orphans(ledger: Ledger) -> dict[str, set[object]]:  # noqa: F811
    """By table, the tenants that rows are of and that are not there. (The shared catalogue's is one of those.)"""
    return {
        table: {
            row["tenant_id"]
            for row in await ledger.connection.fetch(
                f"select tenant_id from {table} where tenant_id is not null"
                " except select id from public.tenants"
            )
        }
        for table in ledger._tables
    }


@pytest_asyncio.fixture(autouse=True)
async def nothing_is_left(ledger: Ledger) -> AsyncIterator[None]:  # noqa: F811
    """After each of these tests, of the tenants that were made for an evaluation there is nothing in any table."""
    zero = UUID(int=0)
    before = await orphans(ledger)
    yield
    assert await ledger.connection.fetch("select slug from public.tenants where slug ~ '^eval-'") == []
    after = await orphans(ledger)
    assert {t: found - {zero} for t, found in after.items()} == {
        t: found - {zero} for t, found in before.items()
    }


def lines(answer: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert answer.returncode == 0, answer.stderr
    assert "\x1b" not in answer.stdout + answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_settings_side_by_side_for_a_program(stead: Run, tmp_path: Path) -> None:
    path = write(tmp_path, *dataset())
    rows = lines(stead("eval", str(path), "--without", "dense", "--without", "lexical", "--k", "5,1"))
    assert [(row["embedder"], row["without"], row["n"]) for row in rows] == [
        ("static", None, 6), ("static", "dense", 6), ("static", "lexical", 6),
    ]  # fmt: skip
    for row in rows:
        assert list(row["recall"]) == ["1", "5"]
        assert row["recall"]["5"] == 1
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert "by_category" not in row
    assert rows[0]["recall"]["1"] > 0.5


async def test_embedders_side_by_side(stead: Run, tmp_path: Path) -> None:
    path = write(tmp_path, *dataset(1))
    model = "openai/text-embedding-3-small@64"
    async with OpenAIServer() as server:
        answer = await asyncio.to_thread(
            stead, "eval", str(path), "--embedder", model, "--embedder", "static", "--by-category",
            STEAD_OPENAI_API_KEY="key", STEAD_OPENAI_BASE_URL=server.base_url,
        )  # fmt: skip
        asked = [text for r in server.requests for text in r.body["input"]]
    rows = lines(answer)
    assert [row["embedder"] for row in rows] == [model, "static"]
    assert rows[0]["by_category"].keys() == {"open", "single"}
    assert rows[0]["by_category"]["single"]["n"] == 2
    # Each turn and each question once, by this process: nothing waits for a worker.
    assert len(asked) == len(set(asked)) == len(TURNS) + 3


async def test_an_embedder_that_fails_ends_it_and_leaves_nothing(stead: Run, tmp_path: Path) -> None:
    path = write(tmp_path, *dataset(1))
    async with OpenAIServer() as server:
        server.api_key = "another"
        answer = await asyncio.to_thread(
            stead, "eval", str(path), "--embedder", "openai/text-embedding-3-small",
            STEAD_OPENAI_API_KEY="key", STEAD_OPENAI_BASE_URL=server.base_url,
        )  # fmt: skip
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "embedder_" in answer.stderr


def test_a_table_for_a_person(cli: Cli, access: DatabaseAccess, tmp_path: Path) -> None:
    path = write(tmp_path, *dataset(1))
    shown = on_a_terminal(
        cli, access, "eval", str(path), "--without", "dense", "--by-category", "--k", "2"
    )
    assert re.search(r"setting +@2 +n +p50 ms +p95 ms", shown)
    assert re.search(r"static +\d\.\d{3} +3 +\d", shown)
    assert re.search(r"static without dense +\d\.\d{3} +3 +\d", shown)
    assert re.search(r" single +\d\.\d{3} +2", shown)
    # The last that is shown before the table, however quick it was.
    assert "asking 1/1" in shown


def on_a_terminal(cli: Cli, access: DatabaseAccess, *arguments: str) -> str:
    """What a person sees, without colours."""
    master, slave = pty.openpty()
    try:
        ended = subprocess.Popen(
            [sys.executable, "-m", "stead", "memory", *arguments],
            env={**cli.env, **addresses(access), "COLUMNS": "120", "TERM": "xterm-256color"},
            stdin=slave, stdout=slave, stderr=slave, cwd=cli.home,
        )  # fmt: skip
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert ended.wait(90) == 0, shown.decode()
    finally:
        os.close(master)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_it_cleans_up(
    cli: Cli, access: DatabaseAccess, tmp_path: Path, number: signal.Signals
) -> None:
    path = write(tmp_path, *dataset(200))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stead", "memory", "eval", str(path),
        env={**cli.env, **addresses(access)}, cwd=cli.home,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    admin = await asyncpg.connect(access.admin_url)
    try:
        # In the midst of storing.
        while not await admin.fetchval(
            "select exists (select from public.agent_memories m join public.tenants t on t.id = m.tenant_id "
            "where t.slug ~ '^eval-')"
        ):
            assert process.returncode is None
            await asyncio.sleep(0.01)
    finally:
        await admin.close()
    process.send_signal(number)
    out, err = await process.communicate()
    assert process.returncode not in {0, None}
    assert b"Traceback" not in err
    assert out == b""


async def test_what_a_killed_one_left_is_deleted_a_day_later(access: DatabaseAccess) -> None:
    admin = await asyncpg.connect(access.admin_url)
    kept = {"eval-0123456789ac": "stead memory eval", "eval-0123456789ad": "Evaluations Ltd"}
    try:
        for slug, name, age in (
            ("eval-0123456789ab", "stead memory eval", timedelta(hours=25)),
            ("eval-0123456789ac", "stead memory eval", timedelta(hours=1)),
            ("eval-0123456789ad", "Evaluations Ltd", timedelta(hours=25)),
        ):
            await admin.execute(
                "insert into public.tenants (slug, name, created_at) values ($1, $2, now() - $3::interval)",
                slug, name, age,
            )  # fmt: skip
        async with scratch_tenant(access.admin_url) as tenant:
            left = await admin.fetch("select slug, name from public.tenants where slug ~ '^eval-'")
            assert {row["slug"]: row["name"] for row in left if row["slug"] != tenant.slug} == kept
    finally:
        await admin.execute("delete from public.tenants where slug ~ '^eval-'")
        await admin.close()


BAD: dict[str, tuple[list[Any], str]] = {
    "no JSON": (["{"], "line 1: is no JSON"),
    "a list": (["[]"], "line 1: is no JSON object"),
    "no type": ([{"scope": "a"}], "line 1: type: None is neither"),
    "no scope": ([{"type": "message"}], "line 1: scope: is missing"),
    "no text": ([{**dataset()[0], "text": None}], "line 1: text: is missing"),
    "text that is none": ([{**dataset()[0], "text": ["a"]}], "line 1: text: is no text"),
    "NUL": ([{**dataset()[0], "text": "a\x00"}], "line 1: text: has a NUL"),
    "half a character": (['{"type":"message","scope":"\\ud800"}'], "line 1: scope: has a NUL"),
    "a long text": ([{**dataset()[0], "text": "a" * 100_001}], "line 1: text: has 100001 characters"),
    "no time": ([{**dataset()[0], "at": "last May"}], "line 1: at: 'last May' is no moment"),
    "a far time": ([{**dataset()[0], "at": "0001-01-01T00:00:00+14:00"}], "line 1: at: lies beyond"),
    "an id twice": ([dataset()[0], "", dataset()[0]], "line 3: id: 's0-0' is the id of an earlier"),
    "evidence that is none": (
        [dataset()[0], {**dataset()[5], "evidence": "s0-0"}],
        "line 2: evidence: is no list",
    ),
    "evidence elsewhere": (
        [dataset()[0], dataset()[8], {**dataset()[5], "evidence": ["s1-0"]}],
        "line 3: evidence: 's1-0' is no message of 's0'",
    ),
    "an empty question": ([{**dataset()[5], "text": " "}], "line 1: text: is empty"),
    "no question": (dataset()[:5], "has no question with evidence"),
    "nested": (["[" * 100_000], "line 1: is nested too deeply"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_data_set_that_is_wrong_says_where(
    refusal: Callable[..., Awaitable[SteadError]], tmp_path: Path, case: str
) -> None:
    rows, says = BAD[case]
    error = await refusal(str(write(tmp_path, *rows)))
    assert error.code == "dataset_invalid"
    assert says in error.detail
    match = re.match(r"line (\d+)", says)
    assert error.extra == ({"line": int(match[1])} if match else {})


async def test_a_file_that_cannot_be_read(
    refusal: Callable[..., Awaitable[SteadError]], tmp_path: Path
) -> None:
    missing = await refusal(str(tmp_path / "none.jsonl"))
    assert (missing.code, "No such file" in missing.detail) == ("dataset_invalid", True)
    assert (await refusal(str(tmp_path))).code == "dataset_invalid"
    (tmp_path / "latin.jsonl").write_bytes(b'{"type":"message"}\n{"type":"\xe9"}\n')
    latin = await refusal(str(tmp_path / "latin.jsonl"))
    assert latin.detail == "line 1: scope: is missing"
    (tmp_path / "latin.jsonl").write_bytes(b'{"type":"\xe9"}\n')
    assert (await refusal(str(tmp_path / "latin.jsonl"))).detail == "line 1: is not UTF-8"


async def test_settings_that_are_wrong(
    refusal: Callable[..., Awaitable[SteadError]], tmp_path: Path
) -> None:
    path = str(write(tmp_path, *dataset(1)))
    for arguments, code in (
        (("--without", "spelling"), "evaluation_settings_invalid"),
        (("--k", "0"), "evaluation_settings_invalid"),
        (("--k", "201"), "evaluation_settings_invalid"),
        (("--k", "ten"), "invalid"),
        (("--embedder", "magic"), "embedder_unknown"),
    ):
        assert (await refusal(path, *arguments)).code == code


async def test_where_it_could_not_clean_up_it_writes_nothing(
    cli: Cli,
    access: DatabaseAccess,
    refusal: Callable[..., Awaitable[SteadError]],
    tmp_path: Path,
) -> None:
    path = str(write(tmp_path, *dataset(1)))
    # The server's own login only.
    alone = await refusal(path, STEAD_ADMIN_DATABASE_URL="")
    assert (alone.code, "owner's URL" in alone.detail) == ("cannot_clean_up", True)
    weak = await refusal(path, STEAD_ADMIN_DATABASE_URL=access.runtime_url)
    assert (weak.code, "may not make and delete" in weak.detail) == ("cannot_clean_up", True)


async def test_the_report(
    stead: Run, cli: Cli, access: DatabaseAccess, server: Running, person: Person
) -> None:
    first = await open_session(server.client, person)
    await say(server.client, person.headers, first, "My bike is a blue gravel bike.")
    second = await open_session(server.client, person)
    await say(server.client, person.headers, second, "What colour is my bike?")
    tenant = ("--tenant", person.tenant.slug)
    (row,) = lines(await asyncio.to_thread(stead, "report", *tenant))
    assert (row["agent_name"], row["recalls"], row["judged"], row["hit_rate"]) == ("concierge", 2, 1, 1)
    assert lines(await asyncio.to_thread(stead, "report", *tenant, "--agent", "nobody")) == []
    assert lines(await asyncio.to_thread(stead, "report", *tenant, "--since", "0h")) == []
    shown = await asyncio.to_thread(
        on_a_terminal, cli, access, "report", *tenant, "--since", "2026-01-01", "--bucket", "total"
    )
    assert re.search(r"2026-01-01 +concierge +static\S* +2 ", shown)
    wrong = await asyncio.to_thread(stead, "report", *tenant, "--since", "yesterday")
    assert wrong.returncode == 1
    assert "is no time" in wrong.stderr
