"""The reference MCP server as a provider of tools, over both transports."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from stead.tools.models import ToolSpec
from stead.tools.providers.mcp import McpServer
from stead.tools.providers.mcp.provider import McpProvider
from tests.tools.calls import call

_PROGRAM: Final = "@modelcontextprotocol/server-everything/dist/index.js"
SECRETS: Final = {"EVERYTHING_TOKEN": "canary-81ba02"}


@pytest_asyncio.fixture(params=["stdio", "streamable-http"])
async def provider(
    request: pytest.FixtureRequest, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[McpProvider]:
    """The server behind a provider; as a program of its own, or reached by its URL."""
    program = str(packages / _PROGRAM)
    if request.param == "stdio":
        monkeypatch.setenv("STEAD_JWT_SECRET", "must-not-be-inherited")
        server = McpServer(
            name="everything",
            command="node",
            args=(program, "stdio"),
            env={"TOKEN": "${EVERYTHING_TOKEN}"},
        )
        made = McpProvider([server], SECRETS.get)
        yield made
        await made.aclose()
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        "node", program, "streamableHttp",
        env={**os.environ, "PORT": str(port)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    made = McpProvider([McpServer(name="everything", url=f"http://127.0.0.1:{port}/mcp")], SECRETS.get)
    try:
        await _listens(port)
        yield made
    finally:
        await made.aclose()
        process.kill()
        await process.wait()


async def _listens(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def tools(provider: McpProvider) -> dict[str, ToolSpec]:
    return {spec.config["tool"]: spec async for spec in provider.list_tools("everything")}


async def test_its_tools_are_listed(provider: McpProvider) -> None:
    listed = await tools(provider)
    assert {"echo", "get-sum", "get-structured-content", "get-tiny-image"} <= listed.keys()
    echo = listed["echo"]
    assert (echo.slug, echo.provider, echo.risk, echo.idempotent) == (
        "everything.echo", "mcp", "medium", False,
    )  # fmt: skip
    assert echo.schema["properties"]["message"]["type"] == "string"
    assert {spec.risk for spec in listed.values()} <= {"medium", "high"}


async def test_its_tools_are_called(provider: McpProvider) -> None:
    listed = await tools(provider)

    async def result(name: str, **arguments: Any) -> Any:
        outcome = await provider.execute(call(listed[name], **arguments))
        assert outcome.kind == "succeeded", outcome
        return outcome.result

    assert await result("echo", message="bom dia") == {"text": "Echo: bom dia"}
    assert await result("get-sum", a=2, b=3) == {"text": "The sum of 2 and 3 is 5."}
    weather = await result("get-structured-content", location="New York")
    assert weather["structured"]["conditions"]
    image = await result("get-tiny-image")
    assert image["attachments"][0]["media_type"] == "image/png"
    links = await result("get-resource-links", count=2)
    assert [each["type"] for each in links["attachments"]] == ["resource_link"] * 2


async def test_what_it_refuses_is_not_tried_again(provider: McpProvider) -> None:
    listed = await tools(provider)
    outcome = await provider.execute(call(listed["get-sum"], a="two", b=3))
    assert outcome.kind == "permanent"
    assert "a" in (outcome.error or "")


async def test_a_call_that_takes_too_long_is_unknown_and_the_session_goes_on(
    provider: McpProvider,
) -> None:
    listed = await tools(provider)
    slow = call(listed["trigger-long-running-operation"], timeout_s=0.5, duration=30, steps=3)
    outcome = await provider.execute(slow)
    assert (outcome.kind, outcome.code) == ("unknown", "timeout")
    again = await provider.execute(call(listed["echo"], message="still here"))
    assert again.result == {"text": "Echo: still here"}


@pytest.mark.parametrize("provider", ["stdio"], indirect=True)
async def test_a_program_gets_its_secret_and_nothing_else_of_ours(provider: McpProvider) -> None:
    listed = await tools(provider)
    outcome = await provider.execute(call(listed["get-env"]))
    assert '"TOKEN": "canary-81ba02"' in outcome.result["text"]
    assert "must-not-be-inherited" not in outcome.result["text"]
    assert "STEAD_" not in outcome.result["text"]
