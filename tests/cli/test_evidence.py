"""`stead evidence`: recorded, found, deleted; files stored and linked to; scopes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stead.assembly.database import DatabaseAccess
from stead.cli.main import app
from stead.evidence import EvidenceUnknown
from stead.identity import Tenant

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def stead(access: DatabaseAccess, tenant: Tenant, tmp_path: Path) -> Run:
    """``stead evidence`` for the test's tenant."""
    environment = {"STEAD_HOME": str(tmp_path / "home"), "STEAD_DATABASE_URL": access.runtime_url}

    async def run(*words: str) -> Result:
        line = ["evidence", *words, "--tenant", tenant.slug]
        return await asyncio.to_thread(CliRunner().invoke, app, line, env=environment)

    return run


async def test_evidence_is_recorded_listed_found_and_deleted(stead: Run) -> None:
    made = await stead("add", "Invoice 4711 was paid\ntwice.", "--type", "tool_output")
    evidence_id = made.stdout.strip()
    (listed,) = (await stead("list", "--type", "tool_output", "--json")).stdout.splitlines()
    assert json.loads(listed)["id"] == evidence_id
    assert (await stead("list", "--type", "other")).stdout == ""
    (found,) = (await stead("search", "paid twice")).stdout.splitlines()
    assert found.startswith(f"{evidence_id}  ")
    assert (await stead("delete", evidence_id)).exit_code == 0
    assert (await stead("list")).stdout == ""
    assert isinstance((await stead("delete", evidence_id)).exception, EvidenceUnknown)


async def test_scopes_are_needed_and_released(stead: Run) -> None:
    assert (await stead("require", "invoice", "--scope", "finance:write")).exit_code == 0
    assert (await stead("scopes")).stdout == "invoice  finance:write\n"
    assert (await stead("require", "invoice")).exit_code == 0
    assert (await stead("scopes")).stdout == ""


async def test_a_file_is_stored_and_linked_to(stead: Run, tmp_path: Path) -> None:
    file = tmp_path / "an invoice.pdf"
    await asyncio.to_thread(file.write_bytes, b"%PDF-1.7")
    artifact_id = (await stead("put", str(file))).stdout.strip()
    (line,) = (await stead("files", "--json")).stdout.splitlines()
    said = json.loads(line)
    assert (said["id"], said["name"], said["bytes"]) == (artifact_id, file.name, 8)
    assert said["media_type"] == "application/pdf"
    assert "key" not in said
    link = (await stead("link", artifact_id, "--expires", "60")).stdout.strip()
    assert link.startswith(f"http://127.0.0.1:8787/v1/artifacts/{artifact_id}/content?expires=")
    kept = [path for path in (tmp_path / "home" / "artifacts").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [artifact_id]
