"""`stead sessions reap`: what it prints, ends and refuses."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stead.cli.main import app
from stead.core.errors import Invalid
from tests.cli.conftest import Cli


def _sql(cli: Cli, statement: str) -> str:
    answer = cli.run("db", "psql", "-qAtc", statement)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.fixture(scope="module")
def tenants(cli: Cli) -> None:
    assert cli.run("db", "migrate").returncode == 0
    for slug in ("acme", "other"):
        assert cli.run("tenant", "add", slug).returncode == 0


@pytest.fixture
def idle(cli: Cli, tenants: None) -> None:
    """Two sessions of one tenant and one of another, idle for 30 hours; one for two."""
    _sql(
        cli,
        "delete from sessions; insert into sessions (tenant_id, last_active_at) "
        "select t.id, now() - make_interval(hours => x.h) "
        "from (values ('acme', 30), ('acme', 30), ('other', 30), ('acme', 2)) x (slug, h) "
        "join tenants t using (slug)",
    )


def _left(cli: Cli) -> int:
    return int(_sql(cli, "select count(*) from sessions where status = 'in_progress'"))


def test_idle_sessions_end(cli: Cli, idle: None) -> None:
    answer = cli.run("sessions", "reap")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == ["acme  2", "other  1", "3 were ended"]
    assert _left(cli) == 1
    assert cli.run("sessions", "reap", "--dry-run").stdout.splitlines() == ["0 would be ended"]


def test_a_dry_run_ends_nothing(cli: Cli, idle: None) -> None:
    answer = cli.run("sessions", "reap", "--dry-run", "--json", "--older-than", "1h")
    assert json.loads(answer.stdout) == {
        "sessions": 4,
        "dry_run": True,
        "older_than_s": 3600,
        "tenants": {"acme": 3, "other": 1},
    }
    assert _left(cli) == 4


def test_one_tenant_alone(cli: Cli, idle: None) -> None:
    assert cli.run("sessions", "reap", "--tenant", "acme").stdout.splitlines() == [
        "acme  2",
        "2 were ended",
    ]
    assert _left(cli) == 2
    refused = cli.run("sessions", "reap", "--tenant", "nobody")
    assert refused.returncode == 1
    assert "tenant_unknown" in refused.stderr


def test_the_setting_says_how_long(cli: Cli, idle: None) -> None:
    assert "3 would be" in cli.run("sessions", "reap", "--dry-run", STEAD_SESSION_TIMEOUT_H="24").stdout
    assert "0 would be" in cli.run("sessions", "reap", "--dry-run", STEAD_SESSION_TIMEOUT_H="48").stdout
    assert _left(cli) == 4


@pytest.mark.parametrize(
    ("hours", "said"), [("0", "never time out"), ("0.001", "after a minute"), ("-1", "")]
)
def test_a_setting_that_says_never_or_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, hours: str, said: str
) -> None:
    monkeypatch.setenv("STEAD_SESSION_TIMEOUT_H", hours)
    refused = CliRunner().invoke(app, ["sessions", "reap"])
    assert isinstance(refused.exception, Invalid)
    assert "STEAD_SESSION_TIMEOUT_H" in refused.exception.detail
    assert said in refused.exception.detail


@pytest.mark.parametrize("time", ["24", "h", "-1h", "1w", "1 h", "0h", "30s", "1e3h", "999999999d", ""])
def test_what_is_no_time_is_refused(time: str) -> None:
    """Before anything is started."""
    refused = CliRunner().invoke(app, ["sessions", "reap", f"--older-than={time}"])
    assert isinstance(refused.exception, Invalid)
    assert refused.exception.hint
    assert refused.stdout == ""


def test_help_has_an_example() -> None:
    assert "Example" in CliRunner().invoke(app, ["sessions", "reap", "--help"]).stdout
