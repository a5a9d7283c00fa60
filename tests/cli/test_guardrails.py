"""`stead guardrails`: shown, set, tried out, replayed; and what cannot be read is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stead import governance
from stead.assembly.database import DatabaseAccess
from stead.cli.main import app
from stead.core.errors import SteadError
from stead.db import Database
from stead.governance import Facts, Lesson
from stead.identity import Tenant
from tests.governance.conftest import action
from tests.support.people import service

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def stead(access: DatabaseAccess, tenant: Tenant, tmp_path: Path) -> Run:
    """``stead guardrails`` of the tenant."""
    environment = {"STEAD_HOME": str(tmp_path), "STEAD_DATABASE_URL": access.runtime_url}

    async def run(*words: str, given: str = "") -> Result:
        command = ["guardrails", *words, "--tenant", tenant.slug]
        return await asyncio.to_thread(CliRunner().invoke, app, command, input=given, env=environment)

    return run


async def test_a_policy_is_shown_set_and_seen_in_the_history(stead: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    document = json.loads((await stead("show")).stdout)
    file.write_text(json.dumps({**document, "require_evidence": "high"}))
    made = await stead("set", str(file), "--expect", "0", "--reason", "we want to know why")
    assert made.exit_code == 0, made.output
    assert json.loads((await stead("show")).stdout)["require_evidence"] == "high"
    again = await stead("set", "-", given="{}")
    assert "version 2" in again.stdout
    late = await stead("set", str(file), "--expect", "1")
    assert isinstance(late.exception, SteadError)
    assert late.exception.code == "policy_changed"
    old = await stead("show", "--version", "1")
    assert json.loads(old.stdout)["require_evidence"] == "high"
    versions = [json.loads(each) for each in (await stead("history")).stdout.splitlines()]
    assert [(each["version"], each["reason"]) for each in versions] == [
        (2, None),
        (1, "we want to know why"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "invalid"), ('{"trust_threshold": 2}', "policy_invalid"), ("[]", "policy_invalid")],
)
async def test_what_cannot_be_read_is_told(stead: Run, text: str, code: str) -> None:
    for words in (("set", "-"), ("test", "mail.send", "--policy", "-"), ("replay", "--policy", "-")):
        answer = await stead(*words, given=text)
        assert isinstance(answer.exception, SteadError), answer.output
        assert answer.exception.code == code
        assert answer.exception.hint


async def test_an_action_is_tried_out(stead: Run) -> None:
    fine = await stead("test", "mail.send")
    assert (fine.exit_code, json.loads(fine.stdout)["verdict"]) == (0, "allow")
    night = json.dumps({"quiet_hours": {"start": "22:00", "end": "07:00"}})
    late = await stead(
        "test",
        "mail.send",
        "--risk",
        "high",
        "--at",
        "2026-12-24T23:00:00Z",
        "--policy",
        "-",
        given=night,
    )
    said = json.loads(late.stdout)
    assert (late.exit_code, said["verdict"], said["not_before"]) == (
        3,
        "needs_approval",
        "2026-12-25 07:00:00+00:00",
    )
    wrong = await stead("test", "mail.send", "--risk", "none")
    assert isinstance(wrong.exception, SteadError)


async def test_decisions_are_replayed_and_a_threshold_is_suggested(
    stead: Run, db: Database, tenant: Tenant
) -> None:
    async with db.transaction(service(tenant)) as tx:
        made = await governance.judge(tx, [action(tenant.id)] * 2, [Facts(tool_known=True)] * 2)
        await governance.record(tx, made, [None, None], stage="proposal")
        await governance.learn(tx, [Lesson(tenant_id=tenant.id, tool="mail.send", outcome="rejected")])
    replayed = await stead(
        "replay", "--policy", "-", "--since", "1h", given='{"kill_switch": {"all": true}}'
    )
    assert json.loads(replayed.stdout)["changes"] == {"allow>deny": 2}
    suggested = json.loads((await stead("suggest", "send a mail")).stdout)
    assert suggested["basis"] == "similar"
    latest = json.loads((await stead("suggest", "--tool", "mail.send")).stdout)
    assert latest["suggested"] > latest["current"]
    assert json.loads((await stead("show")).stdout)["trust_threshold"] == latest["current"]
