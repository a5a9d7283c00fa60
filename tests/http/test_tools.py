"""The catalogue over HTTP: a service's own tools, what changed in those of others, and nobody else's."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant
from stead.tools import ToolSpec, sync
from tests.http.conftest import problem_of
from tests.support.people import Person, make_tenant, service_headers
from tests.support.servers import Running, running_server
from tests.tools.calls import tool

WANTED: dict[str, Any] = {
    "display_name": "Refund an order",
    "description": "Refunds an order, whole or in part.",
    "schema": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["order_id", "amount"],
    },
    "risk": "high",
    "amount_argument": "amount",
    "http": {
        "method": "POST",
        "url": "https://api.example.com/orders/{order_id}/give_backs",
        "headers": {"authorization": "Bearer {secret:shop}"},
    },
}


class Listing:
    """A provider's tools."""

    def __init__(self, *tools: ToolSpec) -> None:
        self.tools = tools

    async def list_tools(self, tenant: Tenant, toolkit: str) -> AsyncIterator[ToolSpec]:
        assert tenant.slug
        assert not toolkit
        for each in self.tools:
            yield each


async def drifted(db: Database, tenant: Tenant) -> None:
    """A tool that came, and then broke."""
    before = replace(tool("kit.ship", provider="mcp"), schema={"type": "object"})
    await sync(db, tenant, "mcp", Listing(before))
    breaking = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    await sync(db, tenant, "mcp", Listing(replace(before, schema=breaking)))


async def test_a_service_makes_reads_lists_and_retires(server: Running, tenant: Tenant) -> None:
    headers, client = service_headers(tenant), server.client
    made = await client.put("/v1/tools/give_back", json=WANTED, headers=headers)
    assert made.status_code == 200, made.text
    found = made.json()
    assert (found["slug"], found["version"], found["provider"]) == ("give_back", "1", "http")
    assert (found["schema"], found["config"]) == (WANTED["schema"], WANTED["http"])
    assert (found["status"], found["source"], found["current"]) == ("active", "tenant", True)
    assert (await client.put("/v1/tools/give_back", json=WANTED, headers=headers)).json() == found
    assert (await client.get("/v1/tools/give_back", headers=headers)).json() == found
    await client.put("/v1/tools/zoo", json={**WANTED, "version": "2"}, headers=headers)
    page = (await client.get("/v1/tools?provider=http&limit=1", headers=headers)).json()
    assert (page["items"], page["next"]) == ([found], "give_back")
    rest = (await client.get("/v1/tools?provider=http&after=give_back", headers=headers)).json()
    assert [each["slug"] for each in rest["items"]] == ["zoo"]
    assert rest["next"] is None
    assert (await client.delete("/v1/tools/give_back", headers=headers)).status_code == 204
    gone = await client.get("/v1/tools/give_back", headers=headers)
    assert gone.json()["status"] == "removed"
    problem_of(await client.delete("/v1/tools/give_back", headers=headers), 404, "tool_unknown")


async def test_other_tenants_and_people_are_kept_out(
    server: Running, db: Database, tenant: Tenant, other_tenant: Tenant, person: Person
) -> None:
    client, headers, abroad = server.client, service_headers(tenant), service_headers(other_tenant)
    await client.put("/v1/tools/give_back", json=WANTED, headers=headers)
    await drifted(db, tenant)
    (drift,) = (await client.get("/v1/catalog/audit", headers=headers)).json()["items"]
    acknowledge = f"/v1/catalog/audit/{drift['id']}/acknowledge"
    problem_of(await client.get("/v1/tools/give_back", headers=abroad), 404, "tool_unknown")
    problem_of(await client.delete("/v1/tools/give_back", headers=abroad), 404, "tool_unknown")
    problem_of(await client.post(acknowledge, headers=abroad), 404, "drift_unknown")
    assert (await client.get("/v1/catalog/audit", headers=abroad)).json()["items"] == []
    listed = (await client.get("/v1/tools?provider=http", headers=abroad)).json()
    assert listed["items"] == []
    for method, path in (
        ("GET", "/v1/tools"),
        ("GET", "/v1/tools/give_back"),
        ("DELETE", "/v1/tools/give_back"),
        ("GET", "/v1/catalog/audit"),
        ("POST", acknowledge),
    ):
        problem_of(await client.request(method, path, headers=person.headers), 403, "service_only")
    problem_of(await client.get("/v1/tools"), 401, "credentials_missing")
    # Another tenant's of the same name is another one.
    assert (await client.put("/v1/tools/give_back", json=WANTED, headers=abroad)).status_code == 200


async def test_drift_is_listed_and_acknowledged(server: Running, db: Database, tenant: Tenant) -> None:
    headers, client = service_headers(tenant), server.client
    await drifted(db, tenant)
    await sync(db, tenant, "mcp", Listing(tool("kit.other", provider="mcp")))
    first = (await client.get("/v1/catalog/audit?limit=1", headers=headers)).json()
    assert first["items"][0]["changes"][0]["kind"] == "tool_removed"
    rest = (
        await client.get(
            "/v1/catalog/audit", params={"limit": 1, "cursor": first["next"]}, headers=headers
        )
    ).json()
    (drift,) = rest["items"]
    assert rest["next"] is None
    assert (drift["severity"], drift["held"], drift["tool_slug"]) == ("breaking", True, "kit.ship")
    assert drift["changes"][0]["kind"] == "argument_required"
    for query, count in (
        ("severity=harmless", 0),
        ("severity=breaking&severity=risky", 2),
        ("tool=kit.ship", 2),
        ("tool=kit.none", 0),
        ("acknowledged=true", 0),
    ):
        found = await client.get(f"/v1/catalog/audit?{query}", headers=headers)
        assert len(found.json()["items"]) == count, query
    done = await client.post(f"/v1/catalog/audit/{drift['id']}/acknowledge", headers=headers)
    assert done.json()["acknowledged_at"] is not None
    found = await client.get("/v1/catalog/audit?acknowledged=true", headers=headers)
    assert [each["id"] for each in found.json()["items"]] == [drift["id"]]


async def test_a_refresh_is_one_job(server: Running, tenant: Tenant) -> None:
    headers, client = service_headers(tenant), server.client
    body = {"provider": "nobody", "toolkit": "github"}
    problem_of(
        await client.post("/v1/catalog/refresh", json=body, headers=headers),
        404,
        "tool_provider_unknown",
    )
    server.parts.tool_sources.add("lister", Listing())
    body["provider"] = "lister"
    made = await client.post("/v1/catalog/refresh", json=body, headers=headers)
    assert (made.status_code, made.json()["new"]) == (202, True)
    again = await client.post("/v1/catalog/refresh", json=body, headers=headers)
    assert again.json() == {"job_id": made.json()["job_id"], "new": False}


async def test_a_worker_asks_the_provider_and_the_tools_are_there(fresh: DatabaseAccess) -> None:
    headers = service_headers(await make_tenant(fresh))
    async with running_server(fresh, Stead(), worker=True) as running:
        running.parts.tool_sources.add("lister", Listing(tool("kit.ship", provider="lister")))
        made = await running.client.post(
            "/v1/catalog/refresh", json={"provider": "lister"}, headers=headers
        )
        path = f"/v1/jobs/{made.json()['job_id']}/details"
        job: dict[str, Any] = {"completed_at": None}
        async with asyncio.timeout(30):
            while job["completed_at"] is None:
                await asyncio.sleep(0.02)
                job = (await running.client.get(path, headers=headers)).json()
        assert job["status"] == "completed", job["error"]
        found = await running.client.get("/v1/tools/kit.ship", headers=headers)
        assert (found.json()["provider"], found.json()["status"]) == ("lister", "active")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"schema": {"type": "array"}}, "tool_schema_invalid"),
        (
            {"schema": {"type": "object", "properties": {"x": {"$ref": "http://a/"}}}},
            "tool_schema_invalid",
        ),
        ({"http": {"url": "https://127.0.0.1/"}}, "address_refused"),
        ({"http": {"url": "http://api.example.com/"}}, "address_refused"),
        ({"http": {"url": "https://{order_id}.example.com/"}}, "tool_invalid"),
        ({"http": {"url": "https://api.example.com/", "headers": {"host": "x"}}}, "tool_invalid"),
        ({"amount_argument": "none"}, "tool_invalid"),
        ({"required_scopes": ["a b"]}, "tool_invalid"),
        ({"description": "a\x00b"}, "text_not_storable"),
        ({"risk": "none"}, "request_invalid"),
        ({"provider": "local"}, "request_invalid"),
        ({"timeout_s": 0}, "request_invalid"),
    ],
)
async def test_what_is_wrong_is_refused(
    server: Running, tenant: Tenant, change: dict[str, Any], code: str
) -> None:
    answer = await server.client.put(
        "/v1/tools/give_back", json={**WANTED, **change}, headers=service_headers(tenant)
    )
    problem_of(answer, 422, code)


async def test_what_is_not_there_or_no_name(server: Running, tenant: Tenant) -> None:
    headers, client = service_headers(tenant), server.client
    problem_of(await client.get("/v1/tools/none", headers=headers), 404, "tool_unknown")
    problem_of(await client.get("/v1/tools/a%20b", headers=headers), 422, "request_invalid")
    problem_of(await client.get("/v1/tools?provider=A", headers=headers), 422, "request_invalid")
    problem_of(await client.get("/v1/catalog/audit?cursor=x", headers=headers), 422, "request_invalid")
    path = f"/v1/catalog/audit/{uuid.uuid4()}/acknowledge"
    problem_of(await client.post(path, headers=headers), 404, "drift_unknown")
