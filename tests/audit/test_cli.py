"""`stead audit`: what it prints, where it writes, how it exits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stead import audit
from stead.assembly.database import DatabaseAccess
from stead.cli import audit as cli_audit
from stead.cli.main import app
from stead.core.errors import SteadError
from tests.audit.conftest import SECRET, Log, open_log

Stead = Callable[..., Result]


@pytest.fixture
def stead(fresh: DatabaseAccess, tmp_path: Path) -> Stead:
    """The command, on the test's database, with the key."""

    def run(*words: str, secret: str | None = SECRET) -> Result:
        environment = {
            "STEAD_HOME": str(tmp_path),
            "STEAD_DATABASE_URL": fresh.runtime_url,
            "STEAD_SERVICE_SECRET": secret,
        }
        return CliRunner().invoke(app, ["audit", *words], env=environment)

    return run


@pytest.fixture
def within(fresh: DatabaseAccess) -> Callable[[Callable[[Log], Coroutine[Any, Any, Any]]], Any]:
    """Does something with the log, outside of any loop that the command runs in."""

    def do(what: Callable[[Log], Coroutine[Any, Any, Any]]) -> Any:
        async def with_log() -> Any:
            async with open_log(fresh) as log:
                return await what(log)

        return asyncio.run(with_log())

    return do


async def _write(log: Log) -> str:
    await log.write(3)
    await log.write(2, log.other)
    return log.tenant.slug


async def _alter(log: Log) -> None:
    await log.admin.execute("update public.audit_log set action = 'x' where id = 2")


def test_seal_verify_export(stead: Stead, within: Any, tmp_path: Path) -> None:
    slug = within(_write)
    sealed = stead("seal")
    assert (sealed.exit_code, sealed.stdout) == (0, "5 rows sealed\n")
    answer = stead("verify")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)  # no terminal: JSON
    assert found["sound"] is True
    assert {tenant["rows"] for tenant in found["tenants"]} == {3, 2}
    (mine,) = (tenant for tenant in found["tenants"] if tenant["tenant"] == slug)
    assert (mine["seals"], mine["signed"], mine["pending"]) == (1, 1, 0)

    target = tmp_path / "audit.jsonl"
    assert stead("export", "--tenant", slug, str(target)).exit_code == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["audit.jsonl"]
    assert stead("export", "--tenant", slug, "-").stdout.count("\n") == 6
    offline = json.loads(stead("verify", "--dump", str(target)).stdout)
    assert offline["tenants"] == [mine]
    # Elsewhere, with the public key and no secret.
    elsewhere = json.loads(
        stead("verify", "--dump", str(target), "--trust", found["key"], secret=None).stdout
    )
    assert elsewhere["tenants"] == [mine]
    assert json.loads(stead("verify", secret=None).stdout)["tenants"][0]["unchecked_signatures"] == 1

    assert stead("verify", "--tenant", slug, "--expect-head", mine["head"]).exit_code == 0
    missing = stead("verify", "--tenant", slug, "--expect-head", "9:" + "0" * 64)
    assert missing.exit_code == 3
    assert json.loads(missing.stdout)["tenants"][0]["faults"][0]["kind"] == "head_missing"

    within(_alter)
    broken = stead("verify")
    assert broken.exit_code == 3
    told = json.loads(broken.stdout)
    assert told["sound"] is False
    (fault,) = (fault for tenant in told["tenants"] for fault in tenant["faults"])
    assert (fault["kind"], fault["seal_no"], fault["audit_id"]) == ("row_altered", 1, 2)
    assert stead("verify", "--dump", str(target)).exit_code == 0  # written before


def test_anchors_prove_check(stead: Stead, within: Any, tmp_path: Path) -> None:
    slug = within(_write)
    anchors, proof = tmp_path / "anchors.jsonl", tmp_path / "proof.json"
    stead("seal")
    assert stead("anchor", str(anchors)).stdout == "2 chains had moved\n"
    assert stead("anchor", str(anchors)).stdout == "0 chains had moved\n"
    assert stead("verify", "--anchors", str(anchors)).exit_code == 0

    proof.write_text(stead("prove", "2", "--tenant", slug).stdout, encoding="utf-8")
    shown = json.loads(stead("check-proof", str(proof)).stdout)
    assert (shown["by"], shown["row"]["id"]) == ("signature", "2")
    by_head = stead("check-proof", str(proof), "--expect-head", shown["head"], secret=None)
    assert json.loads(by_head.stdout)["by"] == "head"
    by_anchor = stead("check-proof", str(proof), "--anchors", str(anchors), secret=None)
    assert json.loads(by_anchor.stdout)["by"] == "head"
    assert stead("check-proof", str(proof), secret=None).exit_code == 3
    proof.write_text(proof.read_text().replace('"forget"', '"remember"'), encoding="utf-8")
    assert stead("check-proof", str(proof)).exit_code == 3

    within(_cut_off)
    assert stead("verify").exit_code == 0
    found = stead("verify", "--anchors", str(anchors))
    assert found.exit_code == 3
    faults = [each["faults"] for each in json.loads(found.stdout)["tenants"]]
    assert {fault["kind"] for some in faults for fault in some} == {"head_missing"}
    anchors.write_bytes(anchors.read_bytes().replace(b'"1:', b'"2:'))
    broken = stead("verify", "--anchors", str(anchors))
    assert isinstance(broken.exception, SteadError)
    assert broken.exception.code == "audit_anchors_invalid"


async def _cut_off(log: Log) -> None:
    """All of it: nothing in the database tells that there was something."""
    for table in (
        "stead.audit_seals",
        "stead.audit_entries",
        "stead.audit_signatures",
        "public.audit_log",
    ):
        await log.admin.execute(f"delete from {table}")


def test_list_and_search(stead: Stead, within: Any) -> None:
    slug = within(_write)
    lines = [json.loads(line) for line in stead("list", "--tenant", slug).stdout.splitlines()]
    assert [line["payload"]["n"] for line in lines] == [2, 1, 0]
    assert stead("list", "--tenant", slug, "--category", "other").stdout == ""
    assert len(stead("list", "--tenant", slug, "--limit", "1").stdout.splitlines()) == 1
    stead("seal")
    within(_index)
    found = [
        json.loads(line) for line in stead("search", "forget", "--tenant", slug).stdout.splitlines()
    ]
    assert {line["title"] for line in found} == {"memory.forget"}


async def _index(log: Log) -> None:
    await audit.index(log.db)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["verify", "--tenant", "nobody"], "tenant_unknown"),
        (["verify", "--dump", "/nowhere/at-all"], "invalid"),
        (["verify", "--expect-head", "1:" + "0" * 64], "invalid"),
        (["verify", "--unsigned-until", "3"], "invalid"),
        (["verify", "--tenant", "x", "--expect-head", "1:abc"], "invalid"),
        (["verify", "--tenant", "x", "--expect-head", "0:" + "0" * 64], "invalid"),
        (["verify", "--tenant", "x", "--expect-head", "1:" + "g" * 64], "invalid"),
        (["verify", "--trust", "abc"], "invalid"),
        (["export", "--tenant", "nobody", "x.jsonl"], "tenant_unknown"),
        (["anchor"], "invalid"),
        (["anchor", "/nowhere/at-all/anchors"], "audit_anchors_invalid"),
        (["verify", "--anchors", "/nowhere/at-all"], "invalid"),
        (["check-proof", "/nowhere/at-all"], "invalid"),
        (["check-proof", "/etc/hostname"], "audit_proof_invalid"),
        (["prove", "1", "--tenant", "nobody"], "tenant_unknown"),
        (["list", "--tenant", "nobody"], "tenant_unknown"),
    ],
)
def test_what_does_not_fit_is_said_so(stead: Stead, words: list[str], code: str) -> None:
    answer = stead(*words)
    assert isinstance(answer.exception, SteadError)
    assert answer.exception.code == code


def test_a_file_that_cannot_be_written(stead: Stead, within: Any, tmp_path: Path) -> None:
    slug = within(_write)
    answer = stead("export", "--tenant", slug, str(tmp_path / "no" / "folder.jsonl"))
    assert isinstance(answer.exception, SteadError)
    assert "cannot be written" in answer.exception.detail


def test_a_dump_of_others(stead: Stead, within: Any, tmp_path: Path) -> None:
    slug = within(_write)
    target = tmp_path / "audit.jsonl"
    stead("export", "--tenant", slug, str(target))
    answer = stead("verify", "--dump", str(target), "--tenant", "somebody")
    assert isinstance(answer.exception, SteadError)
    assert "somebody" in answer.exception.detail


def test_nothing_was_recorded_yet(stead: Stead) -> None:
    answer = stead("verify")
    assert (answer.exit_code, json.loads(answer.stdout)["tenants"]) == (0, [])


def test_sealing_without_the_key_of_a_signed_chain(stead: Stead, within: Any) -> None:
    within(_write)
    stead("seal")
    within(_write)
    answer = stead("seal", secret=None)
    assert isinstance(answer.exception, SteadError)
    assert answer.exception.code == "audit_key_missing"


def test_people_read_sentences(within: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async def prepare(log: Log) -> Any:
        await _write(log)
        await log.seal(log.key)
        await _alter(log)
        return [await log.verify(), await log.verify(log.other)]

    reports = within(prepare)
    cli_audit.show(reports, None, as_json=False)
    said = capsys.readouterr().out
    assert f"{reports[0].slug}: CHANGED. 3 rows in 1 seals, 0 not sealed yet" in said
    assert "row_altered: row 2 of seal 1 is not as it was sealed" in said
    assert f"{reports[1].slug}: sound" in said
    assert f"head {reports[1].head}" in said
    assert "1 signatures were not checked" in said
