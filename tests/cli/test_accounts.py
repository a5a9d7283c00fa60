"""`stead accounts`: linked, listed, looked at, revoked, without a running server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import Result
from typer.testing import CliRunner

from stead.assembly.database import DatabaseAccess
from stead.cli.main import app
from stead.core.errors import SteadError
from stead.identity import Tenant
from tests.servers.composio import API_KEY, ComposioServer

Run = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture
async def composio() -> AsyncIterator[ComposioServer]:
    async with ComposioServer() as server:
        yield server


@pytest.fixture
def stead(access: DatabaseAccess, composio: ComposioServer, tenant: Tenant, tmp_path: Path) -> Run:
    """``stead accounts … --tenant`` of that tenant."""
    environment = {
        "STEAD_HOME": str(tmp_path),
        "STEAD_DATABASE_URL": access.runtime_url,
        "STEAD_COMPOSIO_API_KEY": API_KEY,
        "STEAD_COMPOSIO_BASE_URL": composio.base_url,
        "STEAD_COMPOSIO_AUTH_CONFIGS": '{"github": "ac_github"}',
    }

    async def run(*words: str, **more: str) -> Result:
        command = ["accounts", *words, "--tenant", tenant.slug]
        return await asyncio.to_thread(CliRunner().invoke, app, command, env={**environment, **more})

    return run


async def test_an_account_from_link_to_end(stead: Run, composio: ComposioServer) -> None:
    linked = await stead("link", "github")
    assert linked.exit_code == 0, linked.output
    assert linked.stdout.splitlines()[-1].startswith("https://connect.composio.dev/link/")
    (found,) = [json.loads(line) for line in (await stead("list", "--json")).stdout.splitlines()]
    assert (found["toolkit"], found["status"], found["profile_id"]) == ("github", "initiated", None)
    composio.stands(found["external_id"], "ACTIVE")
    assert "github is active" in (await stead("refresh", found["id"])).output
    assert "github is revoked" in (await stead("revoke", found["id"])).output
    (line,) = (await stead("list")).stdout.splitlines()
    assert line == f"{found['id']}  github  revoked  {found['external_id']}"


async def test_what_cannot_be(stead: Run, composio: ComposioServer) -> None:
    async def code(*words: str, **more: str) -> str:
        failed = await stead(*words, **more)
        assert isinstance(failed.exception, SteadError), failed.output
        return failed.exception.code

    nobodys = "01a1fb26-2e37-7060-84c3-e275028161d3"
    assert await code("link", "gmail") == "account_not_linkable"
    assert await code("refresh", nobodys) == "account_unknown"
    assert await code("revoke", nobodys) == "account_unknown"
    assert await code("link", "github", STEAD_COMPOSIO_API_KEY="") == "accounts_not_configured"
    assert composio.accounts == {}
