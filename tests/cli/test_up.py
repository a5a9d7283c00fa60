"""The main job from a terminal, with nothing but the command: up, chat, leave, come back, be known."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.cli.conftest import Cli


@pytest.fixture(scope="module", autouse=True)
def up(cli: Cli) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        cli.environment["TEST_DB_PORT"] = str(probe.getsockname()[1])
    process = cli.start("up", "--db-port", cli.environment["TEST_DB_PORT"])
    yield
    assert cli.stop(process) == 0
    assert cli.run("down").stdout.strip() == "no embedded database was running"


def test_it_says_where_it_is_and_what_to_try(cli: Cli) -> None:
    said = cli.log()
    assert f"Stead is up on http://127.0.0.1:{cli.port}" in said
    assert "no language model is configured" in said
    assert "three things to try" in said


def test_facts_are_known_in_the_next_session(cli: Cli) -> None:
    told = cli.run("chat", "I live in Lisbon and my dog is called Bruno.")
    assert told.returncode == 0, told.stderr
    asked = cli.run("chat", "What is my dog called?")
    assert "Bruno" in asked.stdout
    assert "[offline model]" in asked.stdout


def test_chat_reads_lines_from_a_pipe(cli: Cli) -> None:
    talked = cli.run("chat", "--profile", "ben@example.com", stdin="I am a baker.\n\nWhat am I?\n")
    assert talked.returncode == 0, talked.stderr
    assert talked.stdout.count("[offline model]") == 2
    assert "baker" in talked.stdout.splitlines()[-1] + talked.stdout


def test_people_do_not_know_of_each_other(cli: Cli) -> None:
    cli.run("chat", "--profile", "cleo@example.com", "My secret number is 4711.")
    asked = cli.run("chat", "--profile", "dan@example.com", "What is my secret number?")
    assert asked.returncode == 0
    assert "4711" not in asked.stdout


def test_an_unknown_agent_is_an_error_in_words(cli: Cli) -> None:
    refused = cli.run("chat", "--agent", "nobody", "Hello")
    assert refused.returncode == 1
    assert "agent_unknown" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_second_up_on_the_port_changes_nothing(cli: Cli) -> None:
    second = cli.run("up")
    assert second.returncode == 1
    assert "port_taken" in second.stderr
    assert "--port" in second.stderr


def test_doctor_finds_nothing_wrong(cli: Cli) -> None:
    examined = cli.run("doctor", "--json")
    assert examined.returncode == 0, examined.stdout
    findings = {finding["what"]: finding for finding in json.loads(examined.stdout)}
    assert findings["migrations"]["verdict"] == "ok"
    assert findings["login"]["verdict"] == "ok"
    assert findings["model"]["verdict"] == "note"
    assert "PostgreSQL 18" in findings["database"]["says"]


def test_psql_reaches_the_database(cli: Cli) -> None:
    counted = cli.run("db", "psql", "-Atc", "select slug from tenants order by 1")
    assert counted.stdout.split() == ["demo", "rafael-tatts"]


def test_other_clients_need_the_password(cli: Cli) -> None:
    password = json.loads((cli.home / "secrets.json").read_text())["database_password"]
    port = int(cli.environment["TEST_DB_PORT"])

    async def ask(given: str) -> object:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user="postgres", password=given, database="stead"
        )
        try:
            return await connection.fetchval("select count(*) from tenants")
        finally:
            await connection.close()

    assert asyncio.run(ask(password)) == 2
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(ask("guess"))


def test_secrets_are_for_their_owner_only(cli: Cli) -> None:
    assert (cli.home / "secrets.json").stat().st_mode & 0o077 == 0


def test_a_tenant_is_added_and_its_token_works(cli: Cli) -> None:
    assert cli.run("tenant", "add", "acme", "--name", "Acme").returncode == 0
    assert cli.run("tenant", "add", "acme").returncode == 0
    assert "is no slug" in cli.run("tenant", "add", "Not A Slug").stderr
    assert cli.run("token", "--tenant", "acme").stdout.count(".") == 2
    assert "tenant_unknown" in cli.run("token", "--tenant", "nobody").stderr


def test_a_mentor_comes_along(cli: Cli) -> None:
    """003's journey, as a visitor: a session, answers, and at once what they are made into."""
    with httpx.Client(base_url=f"http://127.0.0.1:{cli.port}", timeout=30) as visitor:
        session = visitor.post("/api/session", json={"orgId": "rafael-tatts"}).json()["sessionId"]
        context = {"phase_1": {"daily_rate": "300 dollars"}}
        visitor.patch(f"/api/session/{session}", json={"context": context}).raise_for_status()
        for what in ("diagnosis", "summary"):
            made = visitor.post(f"/api/generate/{what}", json={"sessionId": session})
            assert made.status_code == 200, made.text
            assert "[offline model]" in made.json()["content"]
            assert "300 dollars" in made.json()["content"]


def test_an_organisation_is_seeded_from_files(cli: Cli, tmp_path: Path) -> None:
    there = json.loads(cli.run("tenant", "seed", "rafael-tatts", "--json").stdout)
    assert {a["slug"]: a["changed"] for a in there["agents"]} == {
        "rafael-chat": False,
        "rafael-diagnosis": False,
        "rafael-summary": False,
    }
    mine = tmp_path / "my-studio"
    assert cli.run("tenant", "seed", "rafael-tatts", "--copy-to", str(mine)).returncode == 0
    again = cli.run("tenant", "seed", "rafael-tatts", "--copy-to", str(mine))
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    for file, old, new in (
        ("organisation.toml", "rafael-tatts", "my-studio"),
        ("summary.toml", "temperature = 0.2", "temperature = 0.3"),
    ):
        (mine / file).write_text((mine / file).read_text().replace(old, new))
    made = cli.run("tenant", "seed", str(mine))
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[0].startswith("my-studio  ")
    assert "rafael-summary  version 1" in made.stdout.splitlines()
    assert "rafael-summary  version 1, as it was" in cli.run("tenant", "seed", str(mine)).stdout
    unknown = cli.run("tenant", "seed", "nobody")
    assert (unknown.returncode, "rafael-tatts" in unknown.stderr) == (1, True)
    (mine / "chat.toml").write_text("slug =")
    broken = cli.run("tenant", "seed", str(mine))
    assert "organisation_invalid" in broken.stderr
    assert "Traceback" not in broken.stderr
