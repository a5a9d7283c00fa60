"""MCP servers that fail: what a call comes to, and that nothing is called twice.

Against servers of our own, over the real transports; the reference server is in `tests/clients`.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from stead.db.context import in_transaction
from stead.tools.models import ToolOutcome, ToolSpec
from stead.tools.providers.errors import ToolProviderMisconfigured, ToolProviderUnavailable
from stead.tools.providers.mcp import McpServer, ToolRule
from stead.tools.providers.mcp.provider import McpProvider
from tests.servers import mcp_script
from tests.servers.mcp_script import Fault, McpScript
from tests.servers.script import Request
from tests.tools.calls import call

SECRETS = {"NOTES_TOKEN": "canary-5f1e9c"}


@pytest_asyncio.fixture
async def script() -> AsyncIterator[McpScript]:
    async with McpScript() as server:
        yield server


@pytest_asyncio.fixture
async def provider(script: McpScript) -> AsyncIterator[McpProvider]:
    headers = {"authorization": "Bearer ${NOTES_TOKEN}"}
    rules = {"wipe": ToolRule(risk="critical"), "leave": ToolRule(risk="low", idempotent=True)}
    made = McpProvider(
        [McpServer(name="notes", url=script.base_url, headers=headers, tools=rules)], SECRETS.get
    )
    yield made
    await made.aclose()


async def tools(provider: McpProvider, server: str = "notes") -> dict[str, ToolSpec]:
    return {spec.config["tool"]: spec async for spec in provider.list_tools(server)}


def sent(script: McpScript, method: str) -> list[Request]:
    """Requests of that method."""
    return [each for each in script.requests if each.body and each.body.get("method") == method]


async def test_lists_page_by_page_and_hints_only_raise(provider: McpProvider) -> None:
    listed = await tools(provider)
    # One name cannot be used, one schema is too large, one tool comes twice.
    assert list(listed) == ["note", "wipe", "die", "leave", "fail"]
    risks = {name: spec.risk for name, spec in listed.items()}
    # A read-only hint lowers nothing, a destructive one raises, and the operator's word stands.
    assert risks == {
        "note": "medium",
        "wipe": "critical",
        "die": "medium",
        "leave": "low",
        "fail": "medium",
    }
    assert [name for name, spec in listed.items() if spec.idempotent] == ["leave"]
    assert listed["note"].slug == "notes.note"
    assert listed["note"].description == ""
    assert listed["note"].config == {"server": "notes", "tool": "note"}


async def test_a_destructive_hint_raises_what_the_server_is_said_to_be(script: McpScript) -> None:
    provider = McpProvider([McpServer(name="notes", url=script.base_url, risk="low")], SECRETS.get)
    listed = await tools(provider)
    assert (listed["note"].risk, listed["wipe"].risk) == ("low", "high")
    await provider.aclose()


async def test_a_call_carries_the_secret_by_name_and_the_key(
    provider: McpProvider, script: McpScript
) -> None:
    listed = await tools(provider)
    outcome = await provider.execute(call(listed["note"], key="envelope-7", text="x"))
    assert outcome == ToolOutcome(kind="succeeded", result={"text": '{"text": "x"}'})
    (request,) = sent(script, "tools/call")
    assert request.headers["authorization"] == "Bearer canary-5f1e9c"
    assert request.body["params"]["_meta"]["dev.stead/idempotency-key"] == "envelope-7"
    assert "canary" not in repr(listed)


async def test_each_tenant_has_a_session_of_its_own(provider: McpProvider, script: McpScript) -> None:
    listed = await tools(provider)
    here, there = uuid.uuid4(), uuid.uuid4()
    for tenant in (here, there, here):
        await provider.execute(call(listed["note"], tenant=tenant))
    used = [request.headers["mcp-session-id"] for request in sent(script, "tools/call")]
    assert used[0] == used[2] != used[1]
    listing = sent(script, "tools/list")[0]
    assert listing.headers["mcp-session-id"] not in used


#: How a call fails, what it comes to, and how often it was carried out.
FAULTS: list[tuple[Fault, tuple[Any, ...], int]] = [
    (Fault(drop=True), ("unknown", "failed_32000"), 1),
    (Fault(half=True), ("unknown", "failed_32000"), 1),
    (Fault(status=500, body={"error": "oops"}), ("unknown", "http_500"), 0),
    (Fault(status=502, body={}), ("unknown", "http_502"), 0),
    (Fault(status=503, body={}, headers={"retry-after": "3"}), ("unknown", "http_503"), 0),
    (Fault(status=429, body={}, headers={"retry-after": "7"}), ("retryable", "rate_limited"), 0),
    (Fault(status=401, body={}), ("permanent", "http_401"), 0),
    (Fault(status=403, body={}), ("permanent", "http_403"), 0),
    (
        Fault(status=302, body={}, headers={"location": "http://127.0.0.1:9/"}),
        ("permanent", "refused_32600"),
        0,
    ),
    (Fault(body="not a message"), ("unknown", "failed_32700"), 1),
    (
        Fault(body={"jsonrpc": "2.0", "id": 0, "error": {"code": -32603, "message": "?"}}),
        ("unknown", None),
        1,
    ),
    (Fault(hang=True), ("unknown", "timeout"), 1),
]


@pytest.mark.parametrize(("fault", "expected", "effects"), FAULTS)
async def test_what_a_failure_comes_to(
    provider: McpProvider, script: McpScript, fault: Fault, expected: tuple[Any, ...], effects: int
) -> None:
    listed = await tools(provider)
    await provider.execute(call(listed["note"]))
    script.calls.clear()
    script.faults.append(fault)
    outcome = await provider.execute(
        call(listed["note"], timeout_s=1 if fault.hang or fault.body else 20)
    )
    kind, code = expected
    if outcome.code == "timeout":
        # An answer to another request is none to this one.
        code = "timeout"
    assert (outcome.kind, outcome.code) == (kind, code), outcome
    assert len(script.calls) == effects
    assert outcome.retry_after_s == (7 if code == "rate_limited" else None)
    assert "canary" not in repr(outcome)
    # The provider goes on, with a new session where the old one is of no use.
    assert (await provider.execute(call(listed["note"]))).kind == "succeeded"


async def test_what_the_operator_calls_idempotent_may_be_tried_again(
    provider: McpProvider, script: McpScript
) -> None:
    listed = await tools(provider)
    script.faults.append(Fault(drop=True))
    outcome = await provider.execute(call(listed["leave"]))
    assert (outcome.kind, outcome.code) == ("retryable", "failed_32000")


async def test_a_forgotten_session_is_opened_anew_and_the_call_made_once(
    provider: McpProvider, script: McpScript
) -> None:
    listed = await tools(provider)
    await provider.execute(call(listed["note"]))
    script.forgotten.update(script.sessions)
    script.calls.clear()
    assert (await provider.execute(call(listed["note"]))).kind == "succeeded"
    assert len(script.calls) == 1


async def test_a_server_that_is_not_there_was_not_called(script: McpScript) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    provider = McpProvider([McpServer(name="gone", url=f"http://127.0.0.1:{port}/mcp")], SECRETS.get)
    spec = ToolSpec(
        slug="gone.x", version="1", provider="mcp", display_name="x", description="", schema={},
        config={"server": "gone", "tool": "x"},
    )  # fmt: skip
    outcome = await provider.execute(call(spec))
    assert (outcome.kind, outcome.code) == ("retryable", "server_unreachable")
    with pytest.raises(ToolProviderUnavailable):
        await tools(provider, "gone")
    await provider.aclose()


async def test_a_server_that_went_away_between_two_calls_was_not_called(
    provider: McpProvider, script: McpScript
) -> None:
    listed = await tools(provider)
    await provider.execute(call(listed["note"]))
    await script.close()
    outcome = await provider.execute(call(listed["note"]))
    assert (outcome.kind, outcome.code) == ("retryable", "server_unreachable")


async def test_results_are_bounded_and_storable(script: McpScript) -> None:
    provider = McpProvider(
        [McpServer(name="notes", url=script.base_url)], SECRETS.get, max_result_bytes=500
    )
    listed = await tools(provider)
    outcome = await provider.execute(call(listed["note"], text="y" * 1000))
    assert outcome.kind == "succeeded"
    assert outcome.result["truncated"] is True
    assert outcome.result["bytes"] > 1000
    odd = await provider.execute(call(listed["note"], text="\x00"))
    assert odd.result == {"text": '{"text": "\\u0000"}'}
    # Longer than any answer may be: it was called, and what it said is not known.
    script.faults.append(Fault(body={"x": "z" * 5_000_000}))
    outcome = await provider.execute(call(listed["note"]))
    assert (outcome.kind, outcome.code) == ("unknown", "failed_32700")
    await provider.aclose()


async def test_only_whom_the_operator_lets(script: McpScript) -> None:
    server = McpServer(name="notes", url=script.base_url, tenants=frozenset({"acme"}))
    provider = McpProvider([server], SECRETS.get)
    listed = await tools(provider)
    script.calls.clear()
    outcome = await provider.execute(call(listed["note"], tenant_slug="other"))
    assert (outcome.kind, outcome.code) == ("permanent", "server_unknown")
    assert script.calls == []
    assert (provider.servers("acme"), provider.servers("other")) == (["notes"], [])
    await provider.aclose()


async def test_a_secret_that_is_not_there(script: McpScript) -> None:
    server = McpServer(name="notes", url=script.base_url, headers={"x": "${NOT_SET}"})
    provider = McpProvider([server], SECRETS.get)
    with pytest.raises(ToolProviderMisconfigured, match="NOT_SET"):
        await tools(provider)
    await provider.aclose()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x"},
        {"name": "x", "command": "y", "url": "http://z"},
        {"name": "X.y", "command": "y"},
        {"name": "x", "url": "file:///etc/passwd"},
        {"name": "x", "url": "https://user:secret@example.com/mcp"},
    ],
)
def test_what_is_no_server(wrong: dict[str, Any]) -> None:
    with pytest.raises(ToolProviderMisconfigured):
        McpServer(**wrong)


async def test_nothing_is_called_inside_a_transaction(provider: McpProvider) -> None:
    listed = await tools(provider)
    token = in_transaction.set(True)
    try:
        with pytest.raises(RuntimeError, match="transaction"):
            await provider.execute(call(listed["note"]))
    finally:
        in_transaction.reset(token)


async def test_a_cancelled_call_ends_at_once(provider: McpProvider, script: McpScript) -> None:
    listed = await tools(provider)
    script.faults.append(Fault(hang=True))
    before = len(script.requests)
    task = asyncio.create_task(provider.execute(call(listed["note"])))
    while not script.calls:
        before += 1
        await script.received(before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await provider.execute(call(listed["note"]))).kind == "succeeded"


def _program(log: Path, **more: Any) -> McpProvider:
    script = Path(mcp_script.__file__)
    server = McpServer(name="notes", command=sys.executable, args=(str(script), str(log)), **more)
    return McpProvider([server], SECRETS.get)


async def test_a_program_that_dies_in_a_call_leaves_it_unknown(tmp_path: Path) -> None:
    log = tmp_path / "effects"
    provider = _program(log)
    listed = await tools(provider)
    outcome = await provider.execute(call(listed["die"]))
    assert (outcome.kind, outcome.code) == ("unknown", "failed_32000")
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["die"]
    # It is started again for the next one.
    assert (await provider.execute(call(listed["note"]))).kind == "succeeded"
    await provider.aclose()


async def test_a_program_that_left_between_two_calls_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "effects"
    provider = _program(log)
    listed = await tools(provider)
    for _ in range(3):
        assert (await provider.execute(call(listed["leave"]))).kind == "succeeded"
        (connection,) = (c for (_, tenant), c in provider._connections._open.items() if tenant)
        client = await connection.client()
        async with asyncio.timeout(20):
            while not client.session._dispatcher._closed:  # noqa: ASYNC110 - until its end has been read
                await asyncio.sleep(0.01)
    names, pids = zip(*(line.split() for line in log.read_text().splitlines()), strict=True)
    assert names == ("leave",) * 3
    assert len(set(pids)) == 3
    await provider.aclose()


async def test_what_a_tools_own_error_comes_to_is_configured(tmp_path: Path) -> None:
    for said in ("permanent", "unknown"):
        provider = _program(tmp_path / "effects", tool_errors=said)
        listed = await tools(provider)
        outcome = await provider.execute(call(listed["fail"]))
        assert (outcome.kind, outcome.code, outcome.error) == (said, "tool_error", "{}")
        await provider.aclose()


async def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    provider = McpProvider([McpServer(name="notes", command=str(tmp_path / "nothing"))], SECRETS.get)
    with pytest.raises(ToolProviderUnavailable):
        await tools(provider)
    await provider.aclose()


async def test_an_idle_session_ends_by_itself_and_its_program_with_it(tmp_path: Path) -> None:
    log = tmp_path / "effects"
    script = Path(mcp_script.__file__)
    server = McpServer(name="notes", command=sys.executable, args=(str(script), str(log)))
    provider = McpProvider([server], SECRETS.get, idle_s=0)
    listed = await tools(provider)
    async with asyncio.timeout(30):
        while True:
            await provider.execute(call(listed["note"]))
            pids = {line.split()[1] for line in log.read_text().splitlines()}
            if len(pids) > 1:
                break
            await asyncio.sleep(0.1)
    await provider.aclose()
