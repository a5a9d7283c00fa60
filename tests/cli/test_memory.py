"""``stead memory``: what a person sees, what a program reads, and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from stead import memory
from stead.assembly.database import DatabaseAccess
from stead.cli.main import app
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import Database
from stead.memory import NewMemory, records
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.cli.conftest import Cli
from tests.support.people import Person, make_person

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)
Run = Callable[..., subprocess.CompletedProcess[str]]
Refusal = Callable[..., Awaitable[SteadError]]


@pytest.fixture
def stead(cli: Cli, access: DatabaseAccess, person: Person) -> Run:
    """``stead memory …`` on the shared database, in the tenant of the test."""

    def run(verb: str, *arguments: str, tenant: str | None = None) -> subprocess.CompletedProcess[str]:
        return cli.run(
            "memory", verb, "--tenant", tenant or person.tenant.slug, *arguments,
            STEAD_DATABASE_URL=access.runtime_url,
        )  # fmt: skip

    return run


@pytest.fixture
def refusal(cli: Cli, access: DatabaseAccess) -> Refusal:
    """The error that ``stead memory …`` ends with; in this process, which is quicker."""

    async def run(tenant: str, verb: str, *arguments: str) -> SteadError:
        environment = {"STEAD_HOME": str(cli.home), "STEAD_DATABASE_URL": access.runtime_url}
        command = ["memory", verb, "--tenant", tenant, *arguments]
        ended = await asyncio.to_thread(CliRunner().invoke, app, command, env=environment)
        assert isinstance(ended.exception, SteadError), ended.output
        assert ended.output == ""
        return ended.exception

    return run


@pytest_asyncio.fixture
async def known(db: Database, person: Person) -> dict[str, UUID]:
    """Where the person lived and lives, and a pet."""
    embedder = build_embedder("static", EmbedderConfig())
    principal = person.principal
    new = [
        NewMemory(content="I live in Lisbon.", happened_at=AT, topic="residence"),
        NewMemory(content="My dog is called Bruno.", happened_at=AT),
        NewMemory(content="Hello there!", happened_at=AT, kind="turn", speaker="user"),
    ]
    ready = await memory.prepare(embedder, new)
    async with db.transaction(principal.served()) as tx:
        done = await memory.remember(
            tx, principal, session_id=None, profile_id=person.id, memories=ready, embedder=embedder
        )
    turn, lisbon, dog = done.stored
    vector = (await embedder.embed(["I live in Porto."]))[0]
    async with db.transaction(principal.served()) as tx:
        porto = await records.update(
            tx, principal, lisbon, content="I live in Porto.", embedder=embedder, vector=vector
        )
    return {"turn": turn, "lisbon": lisbon, "dog": dog, "porto": porto.id}


def lines(answer: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert answer.returncode == 0, answer.stderr
    assert "\x1b" not in answer.stdout
    return [json.loads(line) for line in answer.stdout.splitlines()]


async def test_search_for_a_program(stead: Run, person: Person, known: dict[str, UUID]) -> None:
    by_email = lines(stead("search", "Where do I live?", "--profile", person.email, "--limit", "2"))
    assert by_email[0]["content"] == "I live in Porto."
    assert by_email[0]["id"] == str(known["porto"])
    assert by_email[0]["score"] >= by_email[1]["score"]
    assert "scores" not in by_email[0]
    explained = lines(stead("search", "Where do I live?", "--profile", str(person.id), "--explain"))
    assert explained[0]["scores"]["lexical"] > 0
    day = (AT + timedelta(days=1)).date().isoformat()
    then = lines(stead("search", "Where do I live?", "--profile", person.email, "--as-of", day))
    assert then[0]["content"] == "I live in Lisbon."


async def test_list_show_and_history(stead: Run, person: Person, known: dict[str, UUID]) -> None:
    whose = ("--profile", person.email)
    assert {m["content"] for m in lines(stead("list", *whose))} == {
        "I live in Porto.", "My dog is called Bruno.", "Hello there!",
    }  # fmt: skip
    facts = lines(stead("list", *whose, "--kind", "fact", "--superseded"))
    assert {m["id"] for m in facts} == {str(known[n]) for n in ("porto", "lisbon", "dog")}
    assert len(lines(stead("list", *whose, "--limit", "1"))) == 1
    (shown,) = lines(stead("show", str(known["lisbon"])))
    assert shown["superseded_by"] == str(known["porto"])
    versions = lines(stead("history", str(known["porto"])))
    assert [m["content"] for m in versions] == ["I live in Lisbon.", "I live in Porto."]


async def test_export_to_a_file_and_to_a_pipe(
    stead: Run, person: Person, known: dict[str, UUID], tmp_path: Path
) -> None:
    piped = lines(stead("export", "--profile", person.email))
    file = tmp_path / "ann.ndjson"
    written = stead("export", "--profile", person.email, str(file))
    assert (written.returncode, written.stdout) == (0, "")
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert records == piped
    assert records[-1] == {"type": "end", "records": len(records) - 1}
    assert {r["content"] for r in records if r["type"] == "memory"} >= {"I live in Lisbon."}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    refused = stead("export", "--profile", person.email, str(tmp_path / "no" / "where"))
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    assert os.listdir(tmp_path) == ["ann.ndjson"]  # noqa: PTH208 - no draft is left


async def test_of_a_session(stead: Run, db: Database, person: Person) -> None:
    embedder = build_embedder("static", EmbedderConfig())
    async with db.transaction(person.principal.served()) as tx:
        session = await tx.value(
            "insert into public.sessions (tenant_id, profile_id) values ($1, $2) returning id",
            person.tenant.id, person.id,
        )  # fmt: skip
        for content, of in (("I like tea.", session), ("I like figs.", None)):
            await memory.remember(
                tx, person.principal, session_id=of, profile_id=person.id, embedder=embedder,
                memories=[NewMemory(content=content, happened_at=AT)],
            )  # fmt: skip
    assert [m["content"] for m in lines(stead("list", "--session", str(session)))] == ["I like tea."]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list"], "--profile"),
        (["list", "--profile", "nobody@example.com"], "nobody@example.com"),
        (["list", "--profile", "{unknown}"], "memory_owner_unknown"),
        (["list", "--session", "xyz"], "no id"),
        (["list", "--profile", "{email}", "--kind", "opinion"], "turn, fact, summary"),
        (["search", "  ", "--profile", "{email}"], "is empty"),
        (["search", "x", "--profile", "{email}", "--as-of", "yesterday"], "no moment"),
        (["show", "xyz"], "no id"),
        (["show", "{unknown}"], "memory_unknown"),
        (["history", "{unknown}"], "memory_unknown"),
        (["export"], "--profile"),
    ],
)
async def test_what_is_wrong_is_said_in_words(
    refusal: Refusal, person: Person, arguments: list[str], says: str
) -> None:
    given = [a.format(email=person.email, unknown=new_id()) for a in arguments]
    error = await refusal(person.tenant.slug, *given)
    assert says in f"{error.detail} {error.hint} {error.code}"


async def test_a_refusal_is_an_error_of_the_command(stead: Run) -> None:
    refused = stead("show", str(new_id()))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "memory_unknown" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_another_tenant_sees_nothing(
    refusal: Refusal, person: Person, stranger: Person, known: dict[str, UUID]
) -> None:
    abroad = stranger.tenant.slug
    for tenant, arguments, code in (
        (abroad, ("show", str(known["porto"])), "memory_unknown"),
        (abroad, ("history", str(known["porto"])), "memory_unknown"),
        (abroad, ("list", "--profile", str(person.id)), "memory_owner_unknown"),
        (abroad, ("list", "--profile", person.email), "invalid"),
        (abroad, ("export", "--profile", str(person.id)), "memory_owner_unknown"),
        (abroad, ("search", "Porto", "--profile", str(person.id)), "memory_owner_unknown"),
        ("no-such-tenant", ("show", str(known["porto"])), "tenant_unknown"),
    ):
        assert (await refusal(tenant, *arguments)).code == code


async def test_a_person_sees_a_table(
    cli: Cli, access: DatabaseAccess, db: Database, person: Person, known: dict[str, UUID]
) -> None:
    colleague = await make_person(db, person.tenant, "bob")
    async with db.transaction(colleague.principal.served()) as tx:
        await memory.remember(
            tx, colleague.principal, session_id=None, profile_id=colleague.id,
            memories=[NewMemory(content="[bold]I[/bold] am \x1b]0;root\x07 \x1b[31mred.", happened_at=AT)],
            embedder=build_embedder("static", EmbedderConfig()),
        )  # fmt: skip

    async def at_a_terminal(*arguments: str) -> str:
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stead", "memory", *arguments, "--tenant", person.tenant.slug,
            env={**cli.env, "STEAD_DATABASE_URL": access.runtime_url, "COLUMNS": "200", "TERM": "xterm"},
            stdout=theirs, stderr=subprocess.STDOUT, cwd=cli.home,
        )  # fmt: skip
        os.close(theirs)
        said = b""
        try:
            while chunk := await asyncio.to_thread(os.read, ours, 65_536):
                said += chunk
        except OSError:
            pass  # Linux's word for the end of a terminal
        os.close(ours)
        assert await process.wait() == 0, said.decode()
        return said.decode()

    listed = await at_a_terminal("list", "--profile", person.email)
    assert "I live in Porto." in listed
    assert str(known["porto"]) in listed
    assert "{" not in listed
    explained = await at_a_terminal("search", "dog", "--profile", person.email, "--explain")
    assert "lexical" in explained
    shown = await at_a_terminal("show", str(known["dog"]))
    assert "My dog is called Bruno." in shown
    # What somebody said does not reach the terminal as commands, nor as markup.
    hostile = await at_a_terminal("list", "--profile", colleague.email)
    assert "[bold]I[/bold]" in hostile
    assert "\x1b]0;" not in hostile
    assert "\x1b[31mred" not in hostile
    nobody = await make_person(db, person.tenant, "cleo")
    assert "nothing is remembered" in await at_a_terminal("list", "--profile", nobody.email)


def test_help_has_examples() -> None:
    for verb in ("search", "list", "show", "history", "export"):
        assert "Example" in CliRunner().invoke(app, ["memory", verb, "--help"]).stdout, verb
