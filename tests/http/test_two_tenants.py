"""Somebody else's id answers as one that does not exist, at every endpoint that there is (BARS 16).

The endpoints come from the OpenAPI document. One that takes an id in a way that is not known here fails
these tests until it is added.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Tenant
from tests.http.conftest import Ledger
from tests.support.people import Person, make_person, open_session, service_headers
from tests.support.servers import Running, say

# What identifiers are called in paths, and an unknown one of each.
UNKNOWN = {
    "session_id": lambda: str(new_id()),
    "run_id": lambda: str(new_id()),
    "slug": lambda: f"agent-{uuid.uuid4().hex[:8]}",
    "key_id": lambda: "".join("abcdefghijkl"),
    "org": lambda: f"t-{uuid.uuid4().hex[:12]}",
    "cursor_session": lambda: str(new_id()),
    "memory_id": lambda: str(new_id()),
    "message_id": lambda: str(new_id()),
    "profile_id": lambda: str(new_id()),
    "project_id": lambda: str(new_id()),
    "path": lambda: f"src/{uuid.uuid4().hex}.ts",
    "roadmap_id": lambda: str(new_id()),
    "daily_session_id": lambda: str(new_id()),
    "job_id": lambda: str(new_id()),
    "objective_id": lambda: str(new_id()),
    "account_id": lambda: str(new_id()),
    "envelope_id": lambda: str(new_id()),
    "approval_id": lambda: str(new_id()),
    "entry_id": lambda: str(new_id()),
    "evidence_id": lambda: str(new_id()),
    "artifact_id": lambda: str(new_id()),
    "type": lambda: f"type-{uuid.uuid4().hex[:8]}",
}

CURRICULUM = {
    "title": "Learn",
    "description": "by building",
    "skill_level": "beginner",
    "modules": [{"title": "One", "description": "", "steps": ["a", "b"], "estimated_hours": 1}],
    "total_estimated_hours": 1,
}

# Bodies of writes; names in braces stand for ids.
BODIES: dict[str, list[dict[str, Any] | None]] = {
    "PATCH /api/session/{session_id}": [{"name": "Mallory", "context": {"a": 1}}],
    "POST /api/session/{session_id}/link": [{"clerkUserId": "{me}"}],
    "POST /api/session/{session_id}/complete": [{"context": {"a": 1}}, None],
    "POST /agents/sessions/{session_id}/close": [None],
    "POST /api/chat/{session_id}/stop": [None],
    "POST /v1/agents/{slug}/versions": [{"instructions": "You obey."}],
    "POST /api/session/{session_id}/messages/{message_id}/feedback": [{"rating": "up"}],
    "PATCH /v1/projects/{project_id}": [{"title": "Mine"}],
    "PUT /v1/projects/{project_id}/files/{path}": [{"content": "I obey."}],
    "POST /v1/projects/{project_id}/roadmaps": [CURRICULUM],
    "POST /v1/projects/{project_id}/roadmaps/{roadmap_id}/advance": [{"finished_step": 0}],
    "POST /v1/projects/{project_id}/daily-sessions": [None],
    "POST /v1/projects/{project_id}/daily-sessions/{daily_session_id}/messages": [{"message": "hello"}],
    "POST /v1/projects/{project_id}/export/github": [{"repo_name": "mine", "github_token": "t"}],
    "PUT /v1/agents/{slug}/listing": [{"rating": 1}],
    "POST /v1/agents/{slug}/endorsements": [{"author": "Mallory", "quote": "bad"}],
    "PATCH /api/admin/waitlist/{entry_id}": [{"status": "contacted"}],
    "POST /v1/jobs/{job_id}/respond": [{"responses": [{"question_id": "q1", "answer": "x"}]}],
    "PUT /v1/objectives/{objective_id}": [{"title": "Mine"}],
    "POST /v1/jobs/{job_id}/cancel": [None],
    "POST /v1/jobs/{job_id}/retry": [None],
    "PATCH /v1/outbox/{envelope_id}": [{"arguments": {"word": "xylophones"}}],
    "POST /v1/outbox/{envelope_id}/cancel": [None],
    "POST /v1/outbox/{envelope_id}/resolve": [{"outcome": "not_done"}],
    "POST /v1/outbox/dlq/{envelope_id}/retry": [None],
    "POST /v1/approvals/{approval_id}/approve": [{"digest": "00" * 32}],
    "POST /v1/approvals/{approval_id}/reject": [{"digest": "00" * 32, "reason": "no"}],
    "POST /v1/approvals/{approval_id}/edit": [{"digest": "00" * 32, "arguments": {}}],
    "POST /v1/approvals/{approval_id}/links": [{"profile_id": "{me}"}],
    "POST /v1/accounts/{account_id}/refresh": [None],
    "POST /v1/accounts/{account_id}/revoke": [None],
    "POST /v1/artifacts/{artifact_id}/link": [{}, {"expires_in_s": 60}],
    "PATCH /agents/memories/{memory_id}": [{"metadata": {"a": 1}}, {"content": "I obey."}],
}

# Endpoints without an id in their path, but with one in the body.
IN_BODY: dict[str, list[dict[str, Any]]] = {
    "POST /api/chat": [
        {"sessionId": "{session_id}", "message": "hello"},
        {"id": "{session_id}", "message": "hello"},
        {"sessionId": "{session_id}", "message": "hello", "agentId": "{slug}"},
        {"id": "{session_id}", "trigger": "regenerate-message"},
    ],
    "POST /api/session": [{"orgId": "{org}"}],
    "POST /api/generate/{type}": [{"sessionId": "{session_id}"}],
    "POST /api/events": [
        {
            "events": [
                {
                    "id": "6f0c1d9e-52d3-4a0e-9f57-3d1f4f0c7a11",
                    "event": "phase.started",
                    "properties": {"sessionId": "{session_id}", "phase": "one"},
                }
            ]
        },
    ],
    "POST /agents/memories": [
        {"profile_id": "{profile_id}", "memories": [{"content": "I obey."}]},
        {"session_id": "{session_id}", "memories": [{"content": "I obey."}]},
    ],
    "POST /agents/memories/forget": [
        {"memory_id": "{memory_id}"},
        {"session_id": "{session_id}"},
        {"profile_id": "{profile_id}"},
    ],
    "POST /v1/run-agent": [
        {"project_id": "{project_id}", "agent_type": "research", "input_context": {"user_idea": "x"}}
    ],
    "POST /v1/run-pipeline": [{"project_id": "{project_id}", "input_context": {"user_idea": "x"}}],
    "POST /v1/jobs": [
        {"kind": "research", "input": {"user_idea": "x"}, "project_id": "{project_id}"},
    ],
    "POST /api/agents/compare": [
        {"goal": "xylophone", "session_id": "{session_id}"},
        {"goal": "xylophone", "profile_id": "{profile_id}"},
    ],
    "POST /api/agents/chat": [{"agent": "{slug}", "message": "hello", "session_id": "{session_id}"}],
    "POST /agents/run": [{"session_id": "{session_id}", "prompt": "hello"}],
    "POST /api/hire/waitlist": [{"agent_session_id": "{session_id}", "agent": "{slug}"}],
    "POST /agents/memories/search": [
        {"profile_id": "{profile_id}", "query": "xylophone"},
        {"session_id": "{session_id}", "query": "xylophone"},
    ],
}

# What everybody of the tenant may read, whoever made it.
OF_THE_TENANT = {"GET /v1/objectives/{objective_id}"}

# Endpoints that take no id at all: what they list is looked at below, or says nothing of anybody.
WITHOUT_ID = {
    "GET /api/sessions",
    "GET /v1/changes",
    # What is for hire is everybody's of the tenant to see; looked at in test_marketplace.
    "GET /api/agents",
    "GET /api/agents/{slug}",
    # For services, of their own tenant; looked at in test_marketplace.
    "GET /api/admin/waitlist",
    # Whose is in the query, and looked at in tests/agents/test_generating.
    "GET /api/generate/{type}",
    # The same, and looked at in test_memories.
    "GET /agents/memories",
    "GET /agents/memories/export",
    "GET /api/admin/memories",
    # For services; what it sums up is looked at in test_evaluation.
    "GET /agents/memories/evaluation",
    "GET /v1/projects",
    "POST /v1/projects",
    "GET /v1/jobs",
    # A list, which is empty for others; looked at below.
    "GET /v1/jobs/{project_id}/list",
    # For services, of their own tenant: a queue has its name from the program.
    "GET /v1/queues",
    "PATCH /v1/queues/{queue}",
    # The same; looked at in test_schedules.
    "GET /v1/schedules",
    "POST /v1/schedules",
    "DELETE /v1/schedules/{name}",
    "POST /v1/schedules/{name}/pause",
    "POST /v1/schedules/{name}/resume",
    # The same; looked at in test_tools.
    "GET /v1/tools",
    "GET /v1/tools/{slug}",
    "PUT /v1/tools/{slug}",
    "DELETE /v1/tools/{slug}",
    "GET /v1/catalog/audit",
    "POST /v1/catalog/audit/{drift_id}/acknowledge",
    "POST /v1/catalog/refresh",
    # The caller's own rows; looked at in test_audit.
    "GET /v1/audit",
    "GET /v1/audit/search",
    # A list of one's own, and what is linked for oneself; looked at in test_accounts.
    "GET /v1/accounts",
    "POST /v1/accounts/link",
    # For a provider, which proves what it says of an account by its signature; looked at in test_accounts.
    "POST /v1/webhooks/composio",
    # Likewise; looked at in tests/analytics, as is the funnel of the caller's tenant.
    "POST /v1/webhooks/whop/{org}",
    "POST /v1/webhooks/calendly/{org}",
    "GET /v1/events/funnel",
    # The same for everybody.
    "GET /api/events/catalog",
    # What serves every tenant, as each sees it.
    "GET /v1/schedules/shared",
    "POST /v1/schedules/shared/{name}/pause",
    "POST /v1/schedules/shared/{name}/resume",
    # For services, of their own tenant; looked at in test_evidence, as are ids in queries.
    "GET /v1/evidence",
    "POST /v1/evidence",
    "POST /v1/evidence/search",
    "GET /v1/evidence/scopes",
    "PUT /v1/evidence/scopes/{source_type}",
    "DELETE /v1/evidence/scopes/{source_type}",
    "GET /v1/artifacts",
    "POST /v1/artifacts",
    # Opened by a signature, whoever presents it.
    "GET /v1/artifacts/{artifact_id}/content",
    # What it tells of is what the caller's policies show.
    # Of the caller's tenant; looked at in test_guardrails.
    "GET /v1/guardrails",
    "PUT /v1/guardrails",
    "GET /v1/guardrails/versions",
    "POST /v1/guardrails/test",
    "POST /v1/guardrails/replay",
    "GET /v1/guardrails/suggestions",
    # Of the caller's tenant and for who may; looked at in test_outbox, test_approvals and test_webhook_endpoints.
    "GET /v1/outbox",
    "POST /v1/outbox",
    "GET /v1/outbox/status",
    "GET /v1/outbox/dlq",
    "POST /v1/outbox/dlq/drain",
    "GET /v1/approvals",
    "GET /v1/approvals/delegations",
    "POST /v1/approvals/delegations",
    "DELETE /v1/approvals/delegations/{delegation_id}",
    "GET /v1/approvals/links/{token}",
    "POST /v1/approvals/links/{token}",
    "GET /v1/approvers",
    "PUT /v1/approvers/{profile_id}",
    "DELETE /v1/approvers/{profile_id}",
    "GET /v1/webhook-endpoints",
    "POST /v1/webhook-endpoints",
    "PATCH /v1/webhook-endpoints/{endpoint_id}",
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret",
    "DELETE /v1/webhook-endpoints/{endpoint_id}",
    "GET /v1/objectives",
    "POST /v1/objectives",
    "GET /v1/agents",
    "POST /v1/agents",
    "GET /v1/api-keys",
    "POST /v1/api-keys",
    "GET /healthz",
    "GET /readyz",
    "GET /api/status",
}


@dataclass(frozen=True)
class Call:
    """One way to call an endpoint, with ids left open."""

    operation: str
    body: dict[str, Any] | None

    async def by(
        self, client: httpx.AsyncClient, headers: dict[str, str], ids: dict[str, str], me: str
    ) -> httpx.Response:
        """Makes the call with those ids."""
        method, path = self.operation.split(" ")
        body = _filled(self.body, {**ids, "me": me})
        client.cookies.clear()
        return await client.request(method, path.format(**ids), json=body, headers=headers)


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, ids) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, ids) for item in value]
    return value.format(**ids) if isinstance(value, str) else value


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "put", "post", "patch", "delete", "head", "options", "trace"}:
                yield f"{method.upper()} {path}", operation


def _calls(document: dict[str, Any]) -> list[Call]:
    calls: list[Call] = []
    for operation, described in _operations(document):
        named = {p["name"] for p in described.get("parameters", []) if p["in"] == "path"}
        assert named <= set(UNKNOWN) or operation in WITHOUT_ID, (
            f"{operation} takes ids that this test does not know: {named}"
        )
        if operation in WITHOUT_ID:
            continue
        if operation in IN_BODY:
            calls += [Call(operation, body) for body in IN_BODY[operation]]
        elif named:
            needs_body = "requestBody" in described or not operation.startswith(("GET ", "DELETE "))
            assert not needs_body or operation in BODIES, f"say here what to send to {operation}"
            calls += [Call(operation, body) for body in BODIES.get(operation, [None])]
        else:
            assert operation in WITHOUT_ID, f"{operation} is new: does it take an id in its body?"
    return calls


@pytest.fixture
async def document(server: Running) -> dict[str, Any]:
    return (await server.client.get("/openapi.json")).json()


@pytest.fixture
async def owned(server: Running, person: Person) -> dict[str, str]:
    """One of everything that has an id, all of it the first person's or its organisation's."""
    service = service_headers(person.tenant)
    session = await open_session(server.client, person)
    await say(server.client, person.headers, session, "My secret word is xylophone.")
    runs = await server.client.get(f"/api/session/{session}/runs", headers=person.headers)
    slug = f"agent-{uuid.uuid4().hex[:8]}"
    for path, body in (
        ("/v1/agents", {"slug": slug, "name": "xylophone", "generates": "xylophone"}),
        (f"/v1/agents/{slug}/versions", {"instructions": "xylophone"}),
    ):
        assert (await server.client.post(path, json=body, headers=service)).status_code == 201
    key = await server.client.post("/v1/api-keys", json={"name": "xylophone"}, headers=service)
    memory = await server.client.post(
        "/agents/memories", json={"memories": [{"content": "A xylophone."}]}, headers=person.headers
    )
    client, mine = server.client, {"headers": person.headers}
    project = (await client.post("/v1/projects", json={"title": "xylophone"}, **mine)).json()["id"]
    where = f"/v1/projects/{project}"
    path = "src/xylophone.ts"
    for content in ("xylophone", "another xylophone"):
        await client.put(f"{where}/files/{path}", json={"content": content}, **mine)
    roadmap = await client.post(f"{where}/roadmaps", json=CURRICULUM, **mine)
    daily = await client.post(f"{where}/daily-sessions", **mine)
    context = {"user_idea": "xylophone"}
    job = await client.post(
        "/v1/run-agent",
        json={"project_id": project, "agent_type": "research", "input_context": context},
        **mine,
    )
    tool = {
        "display_name": "Say",
        "schema": {"type": "object", "properties": {"word": {"type": "string"}}},
        "risk": "high",
        "http": {"url": "https://api.example.com/say"},
    }
    assert (await client.put("/v1/tools/say", json=tool, headers=service)).status_code == 200
    action = {"tool": "say", "arguments": {"word": "xylophone"}}
    proposed = (await client.post("/v1/outbox", json=action, **mine)).json()
    objective = await client.post("/v1/objectives", json={"title": "xylophone"}, headers=service)
    async with server.parts.db.transaction(person.principal.served()) as tx:
        account = await tx.value(
            """
            insert into public.connected_accounts (tenant_id, profile_id, provider, toolkit, external_id, metadata)
            values ($1, $2, 'composio', 'github', $3, '{"name": "xylophone"}') returning id
            """,
            person.tenant.id,
            person.id,
            f"ca_{uuid.uuid4().hex}",
        )
    entry = await client.post(
        "/api/hire/waitlist", json={"agent_session_id": session, "agent": slug}, **mine
    )
    evidence = await client.post(
        "/v1/evidence", json={"source_type": "tool_output", "content": "A xylophone."}, headers=service
    )
    artifact = await client.post(
        "/v1/artifacts", params={"name": "xylophone"}, content=b"xylophone", headers=service
    )
    return {
        "objective_id": objective.json()["id"],
        "account_id": str(account),
        "envelope_id": proposed["envelope"]["id"],
        "approval_id": proposed["approval_id"],
        "entry_id": entry.json()["id"],
        "evidence_id": evidence.json()["id"],
        "artifact_id": artifact.json()["id"],
        "project_id": project,
        "path": path,
        "roadmap_id": roadmap.json()["id"],
        "daily_session_id": daily.json()["id"],
        "job_id": job.json()["job_id"],
        "session_id": session,
        "run_id": runs.json()[0]["id"],
        "slug": slug,
        "key_id": key.json()["id"],
        "org": person.tenant.slug,
        "cursor_session": session,
        "memory_id": memory.json()["stored"][0],
        "message_id": runs.json()[0]["message_id"],
        "profile_id": str(person.id),
        "type": "xylophone",
    }


async def _holder(server: Running, tenant: Tenant) -> dict[str, str]:
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        opened = await client.post("/api/session", json={"orgId": tenant.slug})
    return {"x-session-token": opened.json()["sessionToken"]}


async def test_each_endpoint_is_known_here(document: dict[str, Any]) -> None:
    present = {operation for operation, _ in _operations(document)}
    assert {call.operation for call in _calls(document)} | WITHOUT_ID == present


def test_a_new_endpoint_fails_until_it_is_added() -> None:
    unknown_id = [{"name": "widget_id", "in": "path"}]
    added = {"paths": {"/v1/widgets/{widget_id}": {"get": {"parameters": unknown_id}}}}
    with pytest.raises(AssertionError, match="does not know"):
        _calls(added)
    known_id = [{"name": "session_id", "in": "path"}]
    with pytest.raises(AssertionError, match="what to send"):
        _calls({"paths": {"/v1/x/{session_id}": {"post": {"parameters": known_id}}}})
    with pytest.raises(AssertionError, match="is new"):
        _calls({"paths": {"/v1/widgets": {"post": {}}}})


async def test_others_ids_answer_as_unknown_ones_and_nothing_changes(
    server: Running,
    db: Database,
    ledger: Ledger,
    document: dict[str, Any],
    person: Person,
    stranger: Person,
    owned: dict[str, str],
) -> None:
    colleague = await make_person(db, person.tenant, "bob")
    # Who asks, and who they say they are.
    others = {
        "a stranger": (stranger.headers, str(stranger.id)),
        "a stranger's service": (service_headers(stranger.tenant), str(stranger.id)),
        "a colleague": (colleague.headers, str(colleague.id)),
        "a colleague who names the owner": (colleague.headers, str(person.id)),
        "an anonymous holder here": (await _holder(server, person.tenant), str(person.id)),
        "an anonymous holder elsewhere": (await _holder(server, stranger.tenant), str(person.id)),
        "a colleague with a session's token": (
            {**colleague.headers, **await _holder(server, person.tenant)},
            str(colleague.id),
        ),
    }
    before = await ledger.of(person.tenant.id)
    for who, (headers, me) in others.items():
        calls = [
            call
            for call in _calls(document)
            # Everybody may begin in an organisation that is not known to be another than their own.
            if (call.operation != "POST /api/session" or who.startswith("a stranger"))
            and (call.operation not in OF_THE_TENANT or not who.startswith("a colleague"))
        ]
        answers = await asyncio.gather(
            *(call.by(server.client, headers, owned, me) for call in calls),
            *(
                call.by(server.client, headers, {name: make() for name, make in UNKNOWN.items()}, me)
                for call in calls
            ),
        )
        for call, theirs, unknown in zip(
            calls, answers[: len(calls)], answers[len(calls) :], strict=True
        ):
            where = f"{who}: {call}"
            assert 400 <= theirs.status_code < 500, where
            assert theirs.status_code == unknown.status_code, where
            assert theirs.headers["content-type"] == "application/problem+json", where
            for member in ("code", "title", "type"):
                assert theirs.json()[member] == unknown.json()[member], where
            assert "xylophone" not in theirs.text, where
    after = await ledger.of(person.tenant.id)
    assert after == before


async def test_lists_hold_nothing_of_others(
    server: Running, db: Database, person: Person, stranger: Person, owned: dict[str, str]
) -> None:
    colleague = await make_person(db, person.tenant, "bob")
    await open_session(server.client, person)
    page = await server.client.get("/api/sessions", params={"limit": 1}, headers=person.headers)
    cursor = page.json()["next_cursor"]
    # A cursor is a place in time, not a right to see what is there.
    for headers in (stranger.headers, colleague.headers, await _holder(server, person.tenant)):
        for params in ({}, {"cursor": cursor}):
            listed = await server.client.get("/api/sessions", params=params, headers=headers)
            assert listed.status_code == 200
            assert owned["session_id"] not in listed.text
            for path in ("/v1/projects", "/v1/jobs", f"/v1/jobs/{owned['project_id']}/list"):
                listed = await server.client.get(path, headers=headers)
                assert listed.status_code == 200, listed.text
                assert listed.json()["items"] == []
    abroad = service_headers(stranger.tenant)
    for path in ("/v1/api-keys", "/v1/agents", "/api/sessions", "/v1/projects", "/v1/jobs"):
        listed = await server.client.get(path, headers=abroad)
        assert listed.status_code == 200
        assert "xylophone" not in listed.text
        assert not any(value in listed.text for value in owned.values())
    at_home = await server.client.get("/v1/api-keys", headers=service_headers(person.tenant))
    assert [key["id"] for key in at_home.json()] == [owned["key_id"]]


async def test_the_owner_gets_through_with_the_same_calls(
    server: Running, document: dict[str, Any], person: Person, owned: dict[str, str]
) -> None:
    """So that the answers above are for who asks, and not for a mistake in the request."""
    # What ends the session comes last, and last of all what ends everything.
    last = ("complete", "close", "stop", "stream")
    calls = sorted(
        _calls(document),
        key=lambda call: (
            call.operation.endswith("forget"),
            call.operation == "DELETE /v1/projects/{project_id}",
            call.operation.startswith("DELETE /v1/projects"),
            call.operation.endswith(last),
        ),
    )
    for call in calls:
        if "trigger" in (call.body or {}) or call.operation == "POST /api/chat":
            continue
        if call.operation.endswith("forget") and "memory_id" in (call.body or {}):
            continue  # deleted by then
        # A job that asks nothing, one that then would never end its stream, and somebody else's server.
        if call.operation.endswith(("respond", "retry", "refresh", "export/github", "/resolve")):
            continue
        # What somebody proposed themselves they do not approve: see test_approvals.
        if call.operation.startswith("POST /v1/approvals/"):
            continue
        headers = person.headers
        for_services = (
            "/v1/agents", "/v1/api-keys", "/v1/objectives", "/v1/evidence", "/v1/artifacts", "/api/admin/waitlist",
        )  # fmt: skip
        if call.operation.partition(" ")[2].startswith(for_services):
            headers = service_headers(person.tenant)
        answer = await call.by(server.client, headers, owned, str(person.id))
        assert answer.status_code in {200, 201, 204}, f"{call}: {answer.text}"
