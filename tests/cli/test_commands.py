"""Commands one by one: what they print, how they exit, what they refuse."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner

from stead.cli.main import app
from stead.db.migration import all_migrations
from tests.cli.conftest import Cli
from tests.support.brokers import redis_broker


def test_a_database_is_migrated_once(cli: Cli) -> None:
    before = cli.run("db", "status", "--json")
    assert before.returncode == 3
    assert len(json.loads(before.stdout)["pending"]) == len(all_migrations())
    assert "pending" in next(
        f["says"] for f in json.loads(cli.run("doctor", "--json").stdout) if f["what"] == "migrations"
    )
    refused = cli.run("serve")
    assert refused.returncode == 1
    assert "migrations_pending" in refused.stderr or "no Stead schema yet" in refused.stderr
    first = cli.run("db", "migrate")
    assert first.returncode == 0, first.stderr
    assert f"{len(all_migrations())} applied" in first.stdout
    assert cli.run("db", "migrate").stdout.strip() == "up to date"
    after = cli.run("db", "status")
    assert after.returncode == 0
    assert "nothing is pending" in after.stdout
    assert "\x1b[" not in after.stdout  # no colour into a pipe


def test_migrations_are_exported_for_supabase(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "supabase" / "migrations"
    assert cli.run("db", "export", str(folder)).returncode == 0
    assert [p.name for p in sorted(folder.iterdir())] == [m.file_name for m in all_migrations()]
    assert "already" in cli.run("db", "export", str(folder)).stdout
    changed = folder / all_migrations()[0].file_name
    changed.write_text("select 1;")
    refused = cli.run("db", "export", str(folder))
    assert refused.returncode == 1
    assert "migration_drift" in refused.stderr
    assert changed.read_text() == "select 1;"


def test_production_refuses_the_offline_model(cli: Cli) -> None:
    for verb in ("serve", "worker", "up"):
        refused = cli.run(verb, STEAD_ENV="production", STEAD_JWT_SECRET="x" * 40)
        assert refused.returncode == 1
        assert "STEAD_MODEL" in refused.stderr


def test_tokens_are_for_development(cli: Cli) -> None:
    refused = cli.run(
        "token", STEAD_ENV="production", STEAD_JWT_SECRET="x" * 40, STEAD_MODEL="openai/gpt-5",
        OPENAI_API_KEY="k",
    )  # fmt: skip
    assert refused.returncode == 1
    assert "development_only" in refused.stderr
    assert refused.stdout == ""


def test_a_setting_that_does_not_fit_is_named(cli: Cli) -> None:
    refused = cli.run("doctor", STEAD_PORT="eighty")
    assert refused.returncode == 1
    assert "STEAD_PORT" in refused.stdout + refused.stderr
    short = cli.run("token", STEAD_JWT_SECRET="short")
    assert "STEAD_JWT_SECRET" in short.stderr
    assert "short" not in short.stderr.replace("STEAD_JWT_SECRET", "")


def test_a_model_without_a_key_is_said_so(cli: Cli) -> None:
    findings = json.loads(cli.run("doctor", "--json", STEAD_MODEL="openai/gpt-5").stdout)
    model = next(finding for finding in findings if finding["what"] == "model")
    assert model["verdict"] == "problem"
    assert "OPENAI_API_KEY" in model["says"]


def test_nothing_to_chat_with_is_said_so(cli: Cli) -> None:
    refused = cli.run("chat", "--token", "x", "Hello")
    assert refused.returncode == 1
    assert "stead up" in refused.stderr


def test_a_module_that_is_not_there(cli: Cli) -> None:
    refused = cli.run("up", "no_such_module:app")
    assert refused.returncode == 1
    assert "target_invalid" in refused.stderr


def test_a_database_that_does_not_answer(cli: Cli) -> None:
    url = "postgresql://postgres:hunter2@127.0.0.1:9/stead"
    refused = cli.run("db", "migrate", STEAD_DATABASE_URL=url)
    assert refused.returncode == 1
    assert "database_unavailable" in refused.stderr
    assert "127.0.0.1:9" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_help_has_examples(cli: Cli) -> None:
    for verb in (
        ["up"],
        ["serve"],
        ["chat"],
        ["token"],
        ["db", "migrate"],
        ["db", "export"],
        ["db", "psql"],
    ):
        helped = CliRunner().invoke(app, [*verb, "--help"])
        assert helped.exit_code == 0
        assert "Example" in helped.stdout, verb
    assert cli.run("--version").stdout.startswith("stead ")


async def test_doctor_looks_at_the_broker(cli: Cli) -> None:
    def findings(**settings: str) -> dict[str, dict[str, str]]:
        said = json.loads(cli.run("doctor", "--json", **settings).stdout)
        return {each["what"]: each for each in said}

    assert findings()["jobs"]["says"] == "delivered by PostgreSQL"
    unset = findings(STEAD_DISPATCH="celery")["settings"]
    assert unset["verdict"] == "problem"
    assert "STEAD_BROKER_URL" in unset["says"]
    url = "redis://:secret@127.0.0.1:1/0"
    down = findings(STEAD_DISPATCH="celery", STEAD_BROKER_URL=url)["jobs"]
    assert down["verdict"] == "problem"
    assert "redis://127.0.0.1:1" in down["says"]
    assert "secret" not in down["says"]
    async with redis_broker() as redis:
        up = (await asyncio.to_thread(findings, STEAD_DISPATCH="celery", STEAD_BROKER_URL=redis.url))[
            "jobs"
        ]
        assert up["verdict"] == "ok"
        assert up["says"].endswith("answers: 0 wait in stead.default")
