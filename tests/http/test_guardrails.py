"""Guardrails and objectives over HTTP: read by the tenant, written by its service."""

from __future__ import annotations

from typing import Any

from stead import governance
from stead.core.ids import new_id
from stead.db import Database
from stead.governance import Facts, Lesson
from stead.identity import Tenant
from tests.governance.conftest import action
from tests.http.conftest import problem_of
from tests.http.test_realtime_changes import following
from tests.support.people import Person, service, service_headers
from tests.support.servers import Running

NIGHTLY: dict[str, Any] = {
    "quiet_hours": {"start": "22:00", "end": "07:00"},
    "time_zone": "Asia/Kathmandu",
}


async def test_a_policy_is_read_by_all_and_set_by_the_service(
    server: Running, tenant: Tenant, other_tenant: Tenant, person: Person
) -> None:
    client, headers = server.client, service_headers(tenant)
    default = await client.get("/v1/guardrails", headers=person.headers)
    assert (default.json()["version"], default.headers["etag"]) == (0, '"0"')
    problem_of(
        await client.put("/v1/guardrails", json={"policy": NIGHTLY}, headers=person.headers),
        403,
        "service_only",
    )
    first = await client.put(
        "/v1/guardrails",
        json={"policy": NIGHTLY, "reason": "nobody is there"},
        headers={**headers, "if-match": '"0"'},
    )
    assert (first.status_code, first.headers["etag"]) == (200, '"1"'), first.text
    stale = await client.put(
        "/v1/guardrails", json={"policy": {}}, headers={**headers, "if-match": '"0"'}
    )
    assert problem_of(stale, 409, "policy_changed")["version"] == 1
    problem_of(
        await client.put("/v1/guardrails", json={"policy": {}}, headers={**headers, "if-match": "W/x"}),
        422, "request_invalid",
    )  # fmt: skip
    # What was read can be sent again.
    again = await client.put(
        "/v1/guardrails", json={"policy": first.json()["policy"]}, headers={**headers, "if-match": "1"}
    )
    assert again.json()["policy"] == first.json()["policy"]
    history = await client.get("/v1/guardrails/versions", headers=person.headers)
    assert [(each["version"], each["reason"]) for each in history.json()] == [
        (2, None),
        (1, "nobody is there"),
    ]
    # Nothing of it in another tenant.
    abroad = service_headers(other_tenant)
    assert (await client.get("/v1/guardrails", headers=abroad)).json()["version"] == 0
    assert (await client.get("/v1/guardrails/versions", headers=abroad)).json() == []


async def test_all_faults_of_a_policy_are_told_at_once(server: Running, tenant: Tenant) -> None:
    wrong = {"trust_threshold": 2, "quiet_hours": {"start": "25:00", "end": "07:00"}, "kill_swich": {}}
    answer = await server.client.put(
        "/v1/guardrails", json={"policy": wrong}, headers=service_headers(tenant)
    )
    said = str(problem_of(answer, 422, "request_invalid"))
    assert all(name in said for name in ("trust_threshold", "quiet_hours", "start", "kill_swich"))


async def test_an_anonymous_session_reads_nothing(server: Running, tenant: Tenant) -> None:
    client = server.client
    opened = await client.post("/api/session", json={"orgId": tenant.slug})
    token = {"x-session-token": opened.json()["sessionToken"]}
    client.cookies.clear()
    for path in ("/v1/guardrails", "/v1/guardrails/versions", "/v1/objectives"):
        problem_of(await client.get(path, headers=token), 403, "members_only")
        problem_of(await client.get(path), 401, "credentials_missing")


async def test_an_action_is_tried_out(server: Running, tenant: Tenant, person: Person) -> None:
    client = server.client
    await client.put("/v1/guardrails", json={"policy": NIGHTLY}, headers=service_headers(tenant))
    body: dict[str, Any] = {
        "action": {"tool": "mail.send", "risk": "high", "amount": "12.50", "arguments": {"to": "x"}},
        "at": "2026-11-18T17:00:00Z",
    }
    tried = (await client.post("/v1/guardrails/test", json=body, headers=person.headers)).json()
    assert (tried["verdict"], tried["quorum"], tried["policy_version"]) == ("needs_approval", 1, 1)
    # 07:00 in Kathmandu.
    assert tried["not_before"] == "2026-11-19T01:15:00Z"
    assert {each["rule"] for each in tried["reasons"] if each["verdict"] != "allow"} == {
        "risk", "trust", "quiet_hours",
    }  # fmt: skip
    proposed = {**body, "policy": {"kill_switch": {"tools": ["mail.*"]}}, "facts": {"approved": True}}
    tried = (await client.post("/v1/guardrails/test", json=proposed, headers=person.headers)).json()
    assert tried["verdict"] == "deny"
    assert (await client.get("/v1/guardrails", headers=person.headers)).json()["version"] == 1


async def test_past_decisions_are_made_again(
    server: Running, db: Database, tenant: Tenant, person: Person
) -> None:
    async with db.transaction(service(tenant)) as tx:
        made = await governance.judge(tx, [action(tenant.id)] * 3, [Facts(tool_known=True)] * 3)
        await governance.record(tx, made, [new_id() for _ in made], stage="proposal")
    body = {"policy": {"kill_switch": {"all": True}}}
    problem_of(
        await server.client.post("/v1/guardrails/replay", json=body, headers=person.headers),
        403,
        "service_only",
    )
    found = (
        await server.client.post("/v1/guardrails/replay", json=body, headers=service_headers(tenant))
    ).json()
    assert (found["replayed"], found["changes"], found["complete"]) == (3, {"allow>deny": 3}, True)
    assert found["examples"][0]["reasons"][0]["rule"] == "kill_switch"


async def test_a_threshold_is_suggested(server: Running, db: Database, tenant: Tenant) -> None:
    async with db.transaction(service(tenant)) as tx:
        await governance.learn(
            tx, [Lesson(tenant_id=tenant.id, tool="mail.send", outcome="approved")] * 12
        )
    headers = service_headers(tenant)
    latest = (await server.client.get("/v1/guardrails/suggestions", headers=headers)).json()
    assert (latest["considered"], latest["current"], latest["suggested"]) == (12, 0.5, 0.42)
    alike = await server.client.get(
        "/v1/guardrails/suggestions",
        params={"about": "send a mail", "tool": "mail.send"},
        headers=headers,
    )
    assert (alike.json()["basis"], alike.json()["considered"]) == ("similar", 0)


async def test_a_key_needs_the_scope(server: Running, tenant: Tenant) -> None:
    client, headers = server.client, service_headers(tenant)

    async def key(*scopes: str) -> dict[str, str]:
        made = await client.post(
            "/v1/api-keys", json={"name": "k", "scopes": list(scopes)}, headers=headers
        )
        return {"authorization": f"Bearer {made.json()['key']}"}

    problem_of(await client.get("/v1/guardrails", headers=await key("jobs")), 403, "scope_missing")
    put = await client.put("/v1/guardrails", json={"policy": {}}, headers=await key("guardrails"))
    assert put.status_code == 200
    assert put.json()["changed_by"].startswith("service:key:")


async def test_objectives(server: Running, tenant: Tenant, other_tenant: Tenant, person: Person) -> None:
    client, headers = server.client, service_headers(tenant)
    wanted = {"title": "Fewer refunds", "metric": "refunds"}
    once = {**headers, "idempotency-key": "objective-1"}
    made = await client.post("/v1/objectives", json=wanted, headers=once)
    again = await client.post("/v1/objectives", json=wanted, headers=once)
    assert (made.status_code, again.json()) == (201, made.json())
    path = f"/v1/objectives/{made.json()['id']}"
    problem_of(
        await client.post("/v1/objectives", json=wanted, headers=person.headers), 403, "service_only"
    )
    assert [
        each["id"] for each in (await client.get("/v1/objectives", headers=person.headers)).json()
    ] == [made.json()["id"]]
    changed = await client.put(path, json={"title": "No refunds"}, headers=headers)
    assert (changed.json()["title"], changed.json()["metric"]) == ("No refunds", None)
    for method in ("GET", "PUT", "DELETE"):
        body = {"json": wanted} if method == "PUT" else {}
        abroad = await client.request(method, path, headers=service_headers(other_tenant), **body)
        problem_of(abroad, 404, "objective_unknown")
    assert (await client.delete(path, headers=headers)).status_code == 204
    problem_of(await client.get(path, headers=headers), 404, "objective_unknown")


async def test_who_follows_a_policy_is_told_when_it_changes(
    server: Running, tenant: Tenant, other_tenant: Tenant, person: Person
) -> None:
    async with following(server.base_url, person.headers, table="guardrails") as told:
        assert await told.next() == ("ready", {})
        for each in (other_tenant, tenant):
            body = {"policy": {**NIGHTLY, "trust_threshold": 0.75}}
            await server.client.put("/v1/guardrails", json=body, headers=service_headers(each))
        name, change = await told.next()
    assert (name, change["record"]["tenant_id"]) == ("INSERT", str(tenant.id))
    assert (change["record"]["version"], change["record"]["trust_threshold"]) == (1, 0.75)
