"""`stead schedules`: listed, paused, fired, handed to pg_cron."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stead.cli.main import app
from stead.core.errors import SteadError
from tests.scheduling.conftest import Clockwork, clockwork

__all__ = ["clockwork"]

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def stead(clockwork: Clockwork, tmp_path: Path) -> Run:
    """``stead schedules`` on the database of the clockwork."""
    environment = {"STEAD_HOME": str(tmp_path), "STEAD_DATABASE_URL": clockwork.access.runtime_url}

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["schedules", *words], env=environment)

    return run


@pytest.fixture
async def registered(clockwork: Clockwork) -> Clockwork:
    clockwork.schedules.add("0 7 * * mon-fri", kind="digest", time_zone="Asia/Kathmandu")
    clockwork.schedules.add("0 8 * * *", kind="digest", name="own", tenant=clockwork.tenant.slug)
    await clockwork.firer()
    return clockwork


async def test_schedules_are_listed(stead: Run, registered: Clockwork) -> None:
    slug = registered.tenant.slug
    everyone, own = (await stead("list")).stdout.splitlines()
    assert everyone.startswith("*  digest  digest  ")
    assert everyone.endswith("  0 7 * * mon-fri  Asia/Kathmandu")
    # By its own clock.
    assert "T07:00+05:45" in everyone
    assert own.startswith(f"{slug}  own  ")
    (alone,) = (await stead("list", "--tenant", slug, "--json")).stdout.splitlines()
    found = json.loads(alone)
    assert (found["name"], found["tenant_slug"], found["source"], found["paused"]) == (
        "own", slug, "code", False,
    )  # fmt: skip
    assert "\x1b" not in everyone


async def test_a_schedule_is_paused_and_resumed(stead: Run, registered: Clockwork) -> None:
    assert (await stead("pause", "digest")).exit_code == 0
    assert (await registered.row("digest"))["paused"]
    assert not (await registered.row("own"))["paused"]
    assert "paused" in (await stead("list")).stdout.splitlines()[0]
    resumed = await stead("resume", "digest")
    assert "T07:00+05:45" in resumed.stdout
    assert not (await registered.row("digest"))["paused"]
    await stead("pause", "own", "--tenant", registered.tenant.slug)
    assert (await registered.row("own"))["paused"]


async def test_a_schedule_is_fired_by_hand(stead: Run, registered: Clockwork) -> None:
    await stead("pause", "digest")
    moment = "2026-01-05T07:00:00"
    assert (await stead("fire", "digest", "--at", moment)).stdout == "1 job was made\n"
    assert (await stead("fire", "digest", "--at", moment)).stdout == "0 jobs were made\n"
    assert (await stead("fire", "own", "--tenant", registered.tenant.slug)).stdout == "1 job was made\n"
    assert f"{(await registered.ticks())[0]:%Y-%m-%dT%H:%M:%S}" == moment


async def test_what_is_wrong_is_said_in_words(stead: Run, registered: Clockwork) -> None:
    for words, says in (
        (["pause", "nothing"], "schedule_unknown"),
        (["pause", "own"], f"--tenant {registered.tenant.slug}"),
        (["pause", "digest", "--tenant", registered.tenant.slug], "schedule_unknown"),
        (["list", "--tenant", "nobody"], "tenant_unknown"),
        (["fire", "digest", "--at", "soon"], "no moment"),
        (["export"], "pg_cron_missing"),
    ):
        refused = await stead(*words)
        error = refused.exception
        assert isinstance(error, SteadError), refused.output
        assert says in f"{error.detail} {error.hint} {error.code}"
        assert refused.stdout == ""


async def test_statements_for_pg_cron(stead: Run, registered: Clockwork) -> None:
    await registered.admin("create schema cron")
    await registered.admin(
        "create function cron.schedule(text, text, text) returns integer language sql as 'select 1'"
    )
    printed = (await stead("export")).stdout
    assert printed.count("select cron.schedule(") == 2
    await registered.admin(printed.splitlines()[0])
    await stead("pause", "digest")
    assert (await stead("export")).stdout.count("select cron.schedule(") == 1


def test_help_has_examples() -> None:
    for verb in ("list", "pause", "resume", "fire", "export"):
        assert "Example" in CliRunner().invoke(app, ["schedules", verb, "--help"]).stdout, verb
