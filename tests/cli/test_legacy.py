"""`stead db legacy`: what it prints, moves, drops and refuses."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stead.cli.main import app
from tests.cli.conftest import Cli


def _sql(cli: Cli, statement: str) -> str:
    answer = cli.run("db", "psql", "-qAtc", statement)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.fixture(scope="module")
def tenant(cli: Cli) -> str:
    assert cli.run("db", "migrate").returncode == 0
    assert cli.run("tenant", "add", "acme").returncode == 0
    return "acme"


def test_from_counting_to_dropping(cli: Cli, tenant: str) -> None:
    legacy = ("db", "legacy", "--tenant", tenant)
    assert cli.run(*legacy).stdout.splitlines()[0] == "nothing to do: there are no such tables"
    _sql(
        cli,
        "create table comparison_sessions (id uuid, prompt text); "
        "insert into comparison_sessions select gen_random_uuid(), 'x' from generate_series(1, 3); "
        "create table anonymous_prompts (id int, prompt text); insert into anonymous_prompts values (1, 'x')",
    )

    counted = cli.run(*legacy)
    assert counted.returncode == 3
    assert counted.stdout.splitlines() == [
        "comparison_sessions: 3 rows, 3 would be moved, 0 were there",
        "anonymous_prompts: 1 rows, 0 would be moved, 0 were there; left: 1 never_claimed",
        "nothing was changed: add --apply",
    ]
    assert _sql(cli, "select count(*) from sessions") == "0"

    dropped = cli.run(*legacy, "--apply", "--drop", "--json")
    assert dropped.returncode == 3
    told = {table["table"]: table for table in json.loads(dropped.stdout)}
    assert (told["comparison_sessions"]["moved"], told["comparison_sessions"]["dropped"]) == (3, True)
    assert told["anonymous_prompts"]["kept_because"] == "1 rows were not moved"
    assert told["anonymous_prompts"]["left"] == {"never_claimed": 1}
    assert _sql(cli, "select count(*) from sessions") == "3"

    cli.run(*legacy, "--apply", "--drop", "--force")
    assert _sql(cli, "select to_regclass('anonymous_prompts') is null") == "t"


def test_an_unknown_tenant_is_refused(cli: Cli, tenant: str) -> None:
    answer = cli.run("db", "legacy", "--tenant", "nobody")
    assert answer.returncode == 1
    assert "tenant_unknown" in answer.stderr


@pytest.mark.parametrize("options", [["--drop"], ["--apply", "--force"], ["--force"]])
def test_options_that_say_nothing_alone_are_refused(options: list[str]) -> None:
    answer = CliRunner().invoke(app, ["db", "legacy", "--tenant", "acme", *options])
    assert answer.exit_code == 2
