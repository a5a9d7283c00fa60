"""`stead tools`: put, listed, shown, refreshed, and what changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stead.assembly.database import DatabaseAccess
from stead.cli.main import app
from stead.core.errors import SteadError
from stead.db import Database
from stead.identity import Tenant
from tests.http.test_tools import WANTED, drifted

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def stead(access: DatabaseAccess, tenant: Tenant, tmp_path: Path) -> Run:
    """``stead tools`` for the tenant."""
    environment = {"STEAD_HOME": str(tmp_path), "STEAD_DATABASE_URL": access.runtime_url}

    async def run(*words: str, text: str | None = None) -> Result:
        command = ["tools", *words, "--tenant", tenant.slug]
        return await asyncio.to_thread(CliRunner().invoke, app, command, env=environment, input=text)

    return run


async def test_a_tool_is_put_listed_and_shown(stead: Run) -> None:
    put = await stead("put", "give_back", "-", text=json.dumps(WANTED))
    assert put.exit_code == 0, put.output
    assert (await stead("list", "--provider", "http")).stdout == "give_back  1  http  high  active\n"
    (line,) = (await stead("list", "--provider", "http", "--json")).stdout.splitlines()
    shown = json.loads((await stead("show", "give_back")).stdout)
    assert shown == json.loads(line)
    assert (shown["schema"], shown["config"], shown["source"]) == (
        WANTED["schema"], WANTED["http"], "tenant",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no JSON", "invalid"),
        ("{}", "tool_invalid"),
        (json.dumps(WANTED | {"http": {"url": "https://10.0.0.1/"}}), "address_refused"),
    ],
)
async def test_what_is_wrong_is_refused(stead: Run, text: str, code: str) -> None:
    put = await stead("put", "give_back", "-", text=text)
    assert isinstance(put.exception, SteadError)
    assert put.exception.code == code


async def test_drift_is_shown_and_acknowledged(stead: Run, db: Database, tenant: Tenant) -> None:
    assert (await stead("drift")).exit_code == 0
    await drifted(db, tenant)
    shown = await stead("drift", "--severity", "breaking")
    assert shown.exit_code == 1
    drift_id, severity, held, slug, version, kinds = shown.stdout.strip().split("  ")
    assert (severity, held, slug, version) == ("breaking", "held", "kit.ship", "1")
    assert "argument_required" in kinds
    assert (await stead("drift", "--acknowledge", drift_id)).exit_code == 0
    assert (await stead("drift")).exit_code == 0
    (line,) = (await stead("drift", "--all", "--json")).stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert (found["id"], found["acknowledged_by"]) == (drift_id, "stead")


async def test_a_refresh_is_enqueued_once(stead: Run) -> None:
    first = await stead("refresh", "composio", "--toolkit", "github")
    assert first.exit_code == 0, first.output
    again = await stead("refresh", "composio", "--toolkit", "github")
    assert "under way already" in again.output
