"""Composio's tools with its own client, against a server that speaks its wire format."""

from __future__ import annotations

import socket
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from stead.db.context import in_transaction
from stead.tools.models import ToolOutcome, ToolSpec
from stead.tools.providers.composio import ComposioClient, ComposioConfig, ComposioProvider
from stead.tools.providers.errors import ToolProviderBusy, ToolProviderUnavailable
from tests.servers.composio import API_KEY, ComposioServer, Fault, tool
from tests.tools.calls import call

HERE = uuid.UUID(int=1)
#: How accounts stand, by tenant and external id.
ACCOUNTS = {(HERE, "ca_live"): "active", (HERE, "ca_old"): "expired", (HERE, "ca_stale"): "active"}


async def account_status(tenant_id: uuid.UUID, external_id: str) -> str | None:
    return ACCOUNTS.get((tenant_id, external_id))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ComposioServer]:
    scopes = {"all_of": ["repo", {"any_of": ["a", "b"]}, {"any_of": ["only"]}]}
    async with ComposioServer(
        tool("GITHUB_CREATE_ISSUE", scope_requirements=scopes, scopes=["ignored"]),
        tool("GITHUB_DELETE_REPO", tags=["destructiveHint", "readOnlyHint"], scopes=["repo", "admin"]),
        tool("GITHUB_READ", tags=["readOnlyHint"], no_auth=True),
        tool("GITHUB_OLD", is_deprecated=True),
        tool("GITHUB_HUGE", input_parameters={"description": "x" * 200_000}),
        tool("SLACK_SEND"),
    ) as running:
        running.accounts["ca_live"] = {"status": "ACTIVE"}
        running.accounts["ca_stale"] = {"status": "EXPIRED"}
        yield running


def provider_at(base_url: str, **more: Any) -> ComposioProvider:
    client = ComposioClient(ComposioConfig(api_key=API_KEY, base_url=base_url))
    return ComposioProvider(client, account_status, **more)


@pytest_asyncio.fixture
async def provider(server: ComposioServer) -> AsyncIterator[ComposioProvider]:
    made = provider_at(server.base_url)
    yield made
    await made.aclose()


async def tools(provider: ComposioProvider, toolkit: str = "github") -> dict[str, ToolSpec]:
    return {spec.slug: spec async for spec in provider.list_tools(toolkit)}


async def test_lists_a_toolkit_page_by_page(provider: ComposioProvider, server: ComposioServer) -> None:
    listed = await tools(provider)
    assert list(listed) == ["GITHUB_CREATE_ISSUE", "GITHUB_DELETE_REPO", "GITHUB_READ"]
    assert [request.query.count("cursor=") for request in server.requests] == [0, 1, 1]
    create, delete, read = listed.values()
    assert (create.version, create.provider, create.risk) == ("20261101_00", "composio", "medium")
    assert create.required_scopes == ("only", "repo")
    assert delete.required_scopes == ("admin", "repo")
    # Hints only raise.
    assert (delete.risk, read.risk) == ("high", "medium")
    assert (create.needs_account, read.needs_account) == (True, False)
    assert not any(spec.idempotent for spec in listed.values())
    assert create.schema["required"] == ["title"]
    assert create.config == {"toolkit": "github"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=500, body={}), ToolProviderUnavailable),
        (Fault(drop=True), ToolProviderUnavailable),
        (Fault(status=401, body={}), ToolProviderUnavailable),
        (Fault(status=429, body={}, headers={"retry-after": "9"}), ToolProviderBusy),
    ],
)
async def test_a_listing_is_whole_or_an_error(
    provider: ComposioProvider, server: ComposioServer, fault: Fault, error: type[Exception]
) -> None:
    # The second page fails, and is asked for once.
    server.faults.extend([Fault(), fault])
    with pytest.raises(error) as raised:
        await tools(provider)
    assert len(server.requests) == 2
    assert API_KEY not in str(raised.value)
    assert getattr(raised.value, "retry_after_s", 9) == 9


async def test_a_listing_without_an_end_ends(provider: ComposioProvider, server: ComposioServer) -> None:
    server.endless = True
    with pytest.raises(ToolProviderUnavailable, match="without an end"):
        await tools(provider)
    assert len(server.requests) < 5


async def test_a_call(provider: ComposioProvider, server: ComposioServer) -> None:
    listed = await tools(provider)
    wanted = call(listed["GITHUB_CREATE_ISSUE"], account="ca_live", key="envelope-7", title="Bug")
    outcome = await provider.execute(wanted)
    assert outcome == ToolOutcome(
        kind="succeeded", result={"id": 1, "title": "Bug"}, provider_id="log_1"
    )
    (effect,) = server.effects
    assert effect == {
        "slug": "GITHUB_CREATE_ISSUE",
        "arguments": {"title": "Bug"},
        "connected_account_id": "ca_live",
        "version": "20261101_00",
        "key": "envelope-7",
    }
    assert server.requests[-1].headers["x-request-id"] == f"{wanted.envelope_id}/1"


async def test_a_call_without_an_account_is_made_for_the_tenant(
    provider: ComposioProvider, server: ComposioServer
) -> None:
    listed = await tools(provider)
    assert (await provider.execute(call(listed["GITHUB_READ"], title="x"))).kind == "succeeded"
    assert server.effects[0]["user_id"] == str(HERE)


#: How a call fails, what it comes to, and how often the tool ran.
FAULTS: list[tuple[Fault, str, str, int]] = [
    (Fault(status=500, body={}, done=True), "unknown", "http_500", 1),
    (Fault(status=502, body={"error": {"message": "bad gateway"}}), "unknown", "http_502", 0),
    (Fault(status=503, body={}, headers={"retry-after": "3"}), "unknown", "http_503", 0),
    (Fault(status=408, body={}), "unknown", "http_408", 0),
    (Fault(drop=True), "unknown", "connection_lost", 0),
    (Fault(half=True), "unknown", "connection_lost", 1),
    (Fault(hang=True), "unknown", "timeout", 0),
    (Fault(status=429, body={}, headers={"retry-after": "7"}), "retryable", "rate_limited", 0),
    (Fault(status=400, body={}), "permanent", "http_400", 0),
    (Fault(status=401, body={}), "permanent", "http_401", 0),
    (Fault(status=403, body={}), "permanent", "http_403", 0),
    (Fault(status=404, body={}), "permanent", "http_404", 0),
    (Fault(status=409, body={}), "permanent", "http_409", 0),
    (Fault(status=422, body={}), "permanent", "http_422", 0),
    (Fault(body="what", done=True), "unknown", "result_invalid", 1),
    (Fault(body={"data": {}}, done=True), "unknown", "result_invalid", 1),
    (Fault(body={"data": {}, "successful": "yes"}, done=True), "unknown", "result_invalid", 1),
    (Fault(body={"data": "z" * 17_000_000, "successful": True}), "unknown", "connection_lost", 0),
]


@pytest.mark.parametrize(("fault", "kind", "code", "effects"), FAULTS)
async def test_what_a_failure_comes_to(
    provider: ComposioProvider,
    server: ComposioServer,
    fault: Fault,
    kind: str,
    code: str,
    effects: int,
) -> None:
    listed = await tools(provider)
    asked = len(server.requests)
    server.faults.append(fault)
    wanted = call(
        listed["GITHUB_CREATE_ISSUE"], account="ca_live", timeout_s=0.5 if fault.hang else 20, title="x"
    )
    outcome = await provider.execute(wanted)
    assert (outcome.kind, outcome.code) == (kind, code), outcome
    assert outcome.retry_after_s == (7 if code == "rate_limited" else None)
    # Nobody tried again: that is for the outbox to decide.
    assert len(server.requests) == asked + 1
    assert len(server.effects) == effects
    assert API_KEY not in repr(outcome)


async def test_a_redirect_is_not_followed_with_the_key(
    provider: ComposioProvider, server: ComposioServer
) -> None:
    listed = await tools(provider)
    async with ComposioServer() as elsewhere:
        target = {"location": f"{elsewhere.base_url}/api/v3.1/tools/execute/X"}
        server.faults.append(Fault(status=307, body={}, headers=target))
        outcome = await provider.execute(call(listed["GITHUB_READ"], title="x"))
        assert elsewhere.requests == []
    assert outcome.kind == "permanent"


async def test_what_the_tool_itself_says_failed(
    provider: ComposioProvider, server: ComposioServer
) -> None:
    listed = await tools(provider)
    outcome = await provider.execute(call(listed["GITHUB_READ"], title="refused"))
    assert outcome == ToolOutcome(
        kind="permanent", code="tool_failed", error="422: title is taken", provider_id="log_2"
    )


@pytest.mark.parametrize(
    ("tenant", "account", "code"),
    [
        (HERE, None, "account_missing"),
        (HERE, "ca_old", "account_expired"),
        (HERE, "ca_nobodys", "account_unknown"),
        (uuid.UUID(int=2), "ca_live", "account_unknown"),
    ],
)
async def test_nothing_is_called_through_an_account_that_is_not_the_tenants_or_not_active(
    provider: ComposioProvider,
    server: ComposioServer,
    tenant: uuid.UUID,
    account: str | None,
    code: str,
) -> None:
    listed = await tools(provider)
    asked = len(server.requests)
    wanted = call(listed["GITHUB_CREATE_ISSUE"], tenant=tenant, account=account, title="x")
    outcome = await provider.execute(wanted)
    assert (outcome.kind, outcome.code) == ("permanent", code)
    assert len(server.requests) == asked


async def test_an_account_that_expired_at_composio(
    provider: ComposioProvider, server: ComposioServer
) -> None:
    listed = await tools(provider)
    wanted = call(listed["GITHUB_CREATE_ISSUE"], account="ca_stale", title="x")
    outcome = await provider.execute(wanted)
    assert (outcome.kind, outcome.code) == ("permanent", "http_400")
    assert outcome.error == "The connected account is EXPIRED"
    assert server.effects == []


async def test_a_server_that_is_not_there_was_not_called(provider: ComposioProvider) -> None:
    listed = await tools(provider)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gone = provider_at(f"http://127.0.0.1:{port}")
    outcome = await gone.execute(call(listed["GITHUB_READ"], title="x"))
    assert (outcome.kind, outcome.code) == ("retryable", "unreachable")
    await gone.aclose()


async def test_a_large_result_is_cut_and_stays_a_success(server: ComposioServer) -> None:
    provider = provider_at(server.base_url, max_result_bytes=200)
    listed = await tools(provider)
    outcome = await provider.execute(call(listed["GITHUB_READ"], title="y" * 500))
    assert outcome.kind == "succeeded"
    assert outcome.result["truncated"] is True
    assert len(server.effects) == 1
    await provider.aclose()


async def test_nothing_is_called_inside_a_transaction(provider: ComposioProvider) -> None:
    listed = await tools(provider)
    token = in_transaction.set(True)
    try:
        with pytest.raises(RuntimeError, match="transaction"):
            await provider.execute(call(listed["GITHUB_READ"], title="x"))
    finally:
        in_transaction.reset(token)
