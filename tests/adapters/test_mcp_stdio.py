"""``stead mcp`` as a client starts it: over pipes, to its end, and beside others on one embedded database."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from stead import sessions
from stead.assembly.database import DatabaseAccess
from stead.db import Database, embedded
from stead.memory import records
from tests.support.mcp import ERAS, code_of, contents, text_of
from tests.support.people import Person

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def _environment(**more: str) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("STEAD_")}, **more}


def _arguments(person: Person, *more: str) -> list[str]:
    return ["-m", "stead", "mcp", "--tenant", person.tenant.slug, "--profile", person.email, *more]


@asynccontextmanager
async def _client(
    access: DatabaseAccess, arguments: list[str], mode: str = "auto"
) -> AsyncIterator[Client]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=arguments,
        env=_environment(STEAD_DATABASE_URL=access.runtime_url, STEAD_LOG_LEVEL="warning"),
    )
    with tempfile.TemporaryFile("w+") as said:
        async with Client(stdio_client(parameters, errlog=said), mode=mode) as client:
            yield client
        said.seek(0)
        assert said.read() == ""


async def _started(access: DatabaseAccess, person: Person) -> asyncio.subprocess.Process:
    """A server whose client is this test: it has said hello."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_arguments(person), env=_environment(STEAD_DATABASE_URL=access.runtime_url),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer = await _ask(process, HELLO)
    assert answer["result"]["serverInfo"]["name"] == "stead"
    _send(process, READY)
    return process


def _send(process: asyncio.subprocess.Process, *messages: Any) -> None:
    assert process.stdin is not None
    process.stdin.writelines(json.dumps(message).encode() + b"\n" for message in messages)


async def _ask(process: asyncio.subprocess.Process, message: Any) -> dict[str, Any]:
    assert process.stdout is not None
    _send(process, message)
    return json.loads(await process.stdout.readline())


@pytest.mark.parametrize("mode", ERAS)
async def test_end_to_end(access: DatabaseAccess, db: Database, person: Person, mode: str) -> None:
    async with _client(access, _arguments(person), mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {
            "remember",
            "recall",
            "forget",
        }
        done = await client.call_tool("remember", {"content": "I live in Porto."})
        assert done.structured_content is not None
        found = await client.call_tool("recall", {"question": "Where do I live?"})
        assert "I live in Porto." in text_of(found)
        assert code_of(await client.call_tool("remember", {"content": "\x00"})) == "text_not_storable"
        assert code_of(await client.call_tool("remember", {})) == "tool_arguments_invalid"
    assert await contents(db, person) == ["I live in Porto."]
    async with _client(access, _arguments(person), mode) as client:
        (memory_id,) = done.structured_content["stored"]
        assert not (await client.call_tool("forget", {"memory_id": memory_id})).is_error
    assert await contents(db, person) == []


async def test_memories_come_from_the_session_that_is_named(
    access: DatabaseAccess, db: Database, person: Person
) -> None:
    async with db.transaction(person.principal.served()) as tx:
        session, _ = await sessions.open_session(tx, person.principal)
    async with _client(access, _arguments(person, "--session", str(session.id))) as client:
        done = await client.call_tool("remember", {"content": "I live in Porto."})
        assert done.structured_content is not None
    async with db.transaction(person.principal.served(), read_only=True) as tx:
        page = await records.listing(tx, person.principal, scope_id=person.id)
    assert [(m.session_id, m.profile_id) for m in page.items] == [(session.id, person.id)]


async def test_it_ends_when_its_client_closes_the_pipe(access: DatabaseAccess, person: Person) -> None:
    process = await _started(access, person)
    assert process.stdin is not None
    process.stdin.close()
    output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (0, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_when_it_is_told_to(
    access: DatabaseAccess, person: Person, number: signal.Signals
) -> None:
    process = await _started(access, person)
    # Its standard input stays open, and a read from it cannot be interrupted.
    process.send_signal(number)
    assert process.stdout is not None
    assert process.stderr is not None
    assert await process.stdout.read() == b""
    assert await process.stderr.read() == b""
    assert await process.wait() == 0


async def test_a_client_that_is_gone_is_no_failure(access: DatabaseAccess, person: Person) -> None:
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_arguments(person), env=_environment(STEAD_DATABASE_URL=access.runtime_url),
        stdin=asyncio.subprocess.PIPE, stdout=writing, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(writing)
    os.close(reading)
    _send(process, HELLO, READY, {"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
    assert process.stderr is not None
    assert await process.stderr.read() == b""
    assert await process.wait() == 0


async def test_lines_that_are_no_messages_do_not_end_it(access: DatabaseAccess, person: Person) -> None:
    process = await _started(access, person)
    assert process.stdin is not None
    process.stdin.write(b"CANARY\n\xff\xfe\n[]\n\n" + b"[" * 100_000 + b"\n")
    answer = await _ask(process, {"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
    while answer.get("id") != 2:
        assert process.stdout is not None
        answer = json.loads(await process.stdout.readline())
    assert len(answer["result"]["tools"]) == 3
    process.stdin.close()
    _, errors = await process.communicate()
    assert (process.returncode, b"CANARY" in errors) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--profile", "nobody@example.com"], "invalid"),
        (["--profile", "00000000-0000-4000-8000-000000000001"], "memory_owner_unknown"),
        (["--session", "00000000-0000-4000-8000-000000000001"], "memory_owner_unknown"),
        (["--session", "x"], "invalid"),
        (["--tenant", "no-such-tenant"], "tenant_unknown"),
    ],
)
async def test_what_it_cannot_start_with(
    access: DatabaseAccess, person: Person, arguments: list[str], code: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_arguments(person, *arguments),
        env=_environment(STEAD_DATABASE_URL=access.runtime_url),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert f"({code})" in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stead-mcp-") as folder:
        yield Path(folder)
        embedded.stop(Path(folder), mode="immediate")


async def test_the_last_one_stops_the_embedded_database(home: Path) -> None:
    environment = _environment(STEAD_HOME=str(home))

    async def stead(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stead", *arguments, env=environment, cwd=home,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    status, said = await stead("mcp", "--profile", "ann@example.com")
    assert status == 1
    assert "(migrations_pending)" in said
    assert embedded.status(home) is None
    for arguments in (
        ("db", "migrate"),
        ("tenant", "add", "demo"),
        ("token", "--profile", "ann@example.com"),
    ):
        status, said = await stead(*arguments)
        assert status == 0, said
    assert embedded.status(home) is None
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "stead", "mcp", "--profile", "ann@example.com"],
        env=environment,
        cwd=home,
    )
    async with Client(stdio_client(parameters)) as second_to_end:
        async with Client(stdio_client(parameters)) as first_to_end:
            await first_to_end.call_tool("remember", {"content": "I live in Porto."})
        assert embedded.status(home) is not None
        found = await second_to_end.call_tool("recall", {"question": "Where do I live?"})
        assert "I live in Porto." in text_of(found)
    assert embedded.status(home) is None
