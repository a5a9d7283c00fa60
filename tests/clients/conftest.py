"""Clients that others wrote: their packages, installed once, and Node scripts that run them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from tests.clients.conversation import Conversation, Converse, Script
from tests.servers.openai import OpenAIServer
from tests.support import node
from tests.support.people import Person
from tests.support.servers import Running, ServerProcess, running_server

HERE: Final = Path(__file__).parent
_PATIENCE_S: Final = 60


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of installed packages."""
    return node.install(HERE)


@pytest_asyncio.fixture(scope="module")
async def script(packages: Path) -> AsyncIterator[Script]:
    """Runs a scenario of ``<name>.mjs`` with one version of a package, and returns what it found.

    One Node process runs those of a file: loading the packages takes longer than most scenarios, and some of them
    make it look like a browser.
    """
    del packages
    process = await asyncio.create_subprocess_exec(
        "node", "host.mjs",
        cwd=HERE, env=node.environment(), limit=2**24,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    requests, answers = process.stdin, process.stdout

    async def run(name: str, version: str, scenario: str, **given: Any) -> Any:
        wanted = {"script": name, "version": version, "scenario": scenario, "given": given}
        requests.write(json.dumps(wanted).encode() + b"\n")
        async with asyncio.timeout(_PATIENCE_S):
            line = await answers.readline()
        assert line, "node ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        assert answer["complaints"] == []
        return answer["result"]

    try:
        yield run
    finally:
        requests.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _agents() -> Stead:
    app = Stead()
    app.registry.add_tool(_add, name="add")
    app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
    app.registry.add_agent("echo", "You use tools.", tools=["add"])
    app.registry.add_agent("vendor", "You are elsewhere.", model="openai/gpt-4.1-mini", tools=["add"])
    return app


def _add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@pytest_asyncio.fixture(scope="session")
async def quick(access: DatabaseAccess) -> AsyncIterator[Running]:
    """A server that answers at once."""
    async with running_server(access, _agents()) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def slow(access: DatabaseAccess) -> AsyncIterator[Running]:
    """A server whose answers take more than a second, so that there is a middle of an answer."""
    async with running_server(access, _agents(), offline_delay_s=0.04) as running:
        yield running


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[OpenAIServer]:
    """A model's vendor."""
    async with OpenAIServer() as server:
        yield server


@pytest_asyncio.fixture
async def remote(access: DatabaseAccess, vendor: OpenAIServer) -> AsyncIterator[Running]:
    """A server whose agent ``vendor`` answers with the vendor's model."""
    async with running_server(
        access, _agents(), openai_api_key="sk-test", openai_base_url=vendor.base_url
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def second(access: DatabaseAccess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of another server process on the same database. It has no agents of its own."""
    home = tmp_path_factory.mktemp("second")
    process = ServerProcess(access, STEAD_HOME=str(home))
    try:
        await process.start()
        yield process.base_url
    finally:
        await process.stop()


@pytest.fixture
def converse(person: Person) -> Converse:
    """Opens sessions."""

    async def open_one(server: Running, agent: str = "concierge") -> Conversation:
        answer = await server.client.post(
            "/api/session", json={"orgId": person.tenant.slug}, headers=person.headers
        )
        assert answer.status_code == 200, answer.text
        return Conversation(server, person, answer.json()["sessionId"], agent)

    return open_one


@pytest_asyncio.fixture
async def interrupted(
    access: DatabaseAccess, quick: Running, person: Person, script: Script, converse: Converse
) -> Conversation:
    """A conversation whose server was stopped while it answered; another server goes on with it."""
    async with running_server(access, _agents(), offline_delay_s=0.2, drain_s=0) as stopped:
        talk = await converse(stopped)
        await script("transport", "ai6", "leave", **talk.case, text="I live in Lisbon.")
    return Conversation(quick, person, talk.session, "concierge")
