"""The TypeScript client: its types are those of this server, and its own tests hold against a real one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.cli.main import app as cli
from stead.db import Database
from stead.identity import Tenant
from tests.docs.pages import ROOT, blocks
from tests.support import node
from tests.support.people import Person, make_person
from tests.support.servers import running_server

CLIENT: Final = ROOT / "clients" / "typescript"
SECRET: Final = "whsec_" + "dHlwZXNjcmlwdC10eXBlc2NyaXB0LXR5cGVzY3JpcHQ="
#: One for each of the client's test files, or of its tests where they count what a person has.
PEOPLE: Final = (
    "mentor", "sessions", "linking", "agents", "memories", "chat", "problems", "impatient", "patient", "retries",
    "lost", "twice", "cut", "routes",
)  # fmt: skip


@pytest.fixture(scope="module")
def client() -> Path:
    """The client's folder, with its packages and what is published of it."""
    node.install(CLIENT, build=True)
    return CLIENT


def test_its_types_are_generated_from_this_servers_document(client: Path) -> None:
    document = CliRunner().invoke(cli, ["openapi"])
    assert document.exit_code == 0
    node.run(client, "node", "scripts/generate.mjs", "-", "--check", given=document.output)


def test_the_check_of_its_types_notices_another_document(client: Path) -> None:
    document = {"openapi": "3.1.0", "info": {"title": "Another", "version": "1"}, "paths": {}}
    with pytest.raises(AssertionError, match=r"stale: src/schema\.d\.ts, src/operations\.ts"):
        node.run(client, "node", "scripts/generate.mjs", "-", "--check", given=json.dumps(document))


def test_the_compiler_takes_what_is_right_and_nothing_else(client: Path) -> None:
    """Its own tests, those of its types, and the examples of the documentation."""
    node.run(client, "node", "node_modules/typescript/bin/tsc", "--noEmit")


def test_what_is_published(client: Path) -> None:
    (packed,) = json.loads(node.run(client, "npm", "pack", "--dry-run", "--json"))
    names = {file["path"] for file in packed["files"]}
    others = {name for name in names if not name.startswith("dist/")}
    assert others == {"LICENSE", "README.md", "package.json"}
    assert {"dist/index.js", "dist/index.d.ts", "dist/schema.d.ts"} <= names
    package = json.loads((client / "package.json").read_text(encoding="utf-8"))
    assert list(package["dependencies"]) == ["openapi-fetch"]
    # It runs where there is no Node.
    sources = [path.read_text(encoding="utf-8") for path in (client / "dist").glob("*.js")]
    assert not any(re.search(r"node:|\bprocess\.|\bBuffer\b|\brequire\(", text) for text in sources)
    # By its own name, as a program that depends on it would.
    names = node.run(
        client, "node", "-e", "import('@stead/client').then((m) => console.log(Object.keys(m)))"
    )
    assert "createStead" in names


def test_the_handlers_of_the_documentation_are_those_that_are_tested() -> None:
    examples = CLIENT / "examples"
    found: set[Path] = set()
    for block in blocks():
        named = re.match(r"// ((?:app|lib)/\S+\.ts)\n", block.text)
        if named and block.page.name == "call-from-typescript.md":
            file = examples / named[1]
            assert file.read_text(encoding="utf-8") == block.text, file
            found.add(file)
    assert found == set(examples.rglob("*.ts"))


@pytest_asyncio.fixture
async def given(
    access: DatabaseAccess, db: Database, tenant: Tenant, stranger: Person
) -> AsyncIterator[dict[str, Any]]:
    """Servers and people, as the client's tests are told of them."""

    def agents() -> Stead:
        app = Stead()
        app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
        return app

    def told(person: Person) -> dict[str, str]:
        return {"id": str(person.id), "email": person.email, "token": person.token}

    async with (
        running_server(access, agents(), service_secret=SECRET) as quick,
        running_server(access, agents(), offline_delay_s=0.04) as slow,
        running_server(access, agents(), rate_limit="1/second") as limited,
    ):
        yield {
            "url": quick.base_url,
            "slowUrl": slow.base_url,
            "limitedUrl": limited.base_url,
            "tenant": tenant.slug,
            "serviceSecret": SECRET,
            "people": {name: told(await make_person(db, tenant, name)) for name in PEOPLE},
            "stranger": told(stranger),
        }


async def test_against_a_real_server(client: Path, given: dict[str, Any], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    process = await asyncio.create_subprocess_exec(
        "node", "node_modules/vitest/vitest.mjs", "run",
        "--reporter=default", "--reporter=json", f"--outputFile.json={report}",
        cwd=client, env=node.environment(STEAD_TEST=json.dumps(given), STEAD_URL=given["url"], NO_COLOR="1"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["numPassedTests"] == found["numTotalTests"] > 0, output.decode()
    files = {Path(each["name"]).name for each in found["testResults"]}
    assert files == {path.name for path in (client / "tests").glob("*.test.ts")}
