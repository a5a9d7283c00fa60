"""What operators and browsers need: health, status, metrics, request ids, CORS, headers, the document."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from typing import Any

import asyncpg
import pytest

from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.db.embedded import EmbeddedServer
from tests.http.conftest import METRICS_TOKEN, Logs, problem_of
from tests.support.people import Person, make_tenant, open_session
from tests.support.servers import Running, running_server

ORIGIN = "https://app.example.com"


async def _ready(running: Running) -> None:
    # Loading the model engine may still be going on.
    await running.parts.runtime.engine.get()


# Health.


async def test_a_healthy_server_says_so(edge: Running) -> None:
    await _ready(edge)
    assert (await edge.client.get("/healthz")).json() == {"status": "ok"}
    assert (await edge.client.get("/readyz")).json() == {"status": "ready"}
    answer = await edge.client.get("/api/status")
    assert answer.status_code == 200
    status = answer.json()
    assert status["status"] == "ok"
    assert status["database"]["status"] == "ok"
    assert status["database"]["latency_ms"] >= 0
    assert status["env"] == "development"
    assert status["embedder"] == "static"
    assert status["active_runs"] == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", status["version"])
    # What is offline says so.
    assert status["model"]["offline"] is True
    assert status["model"]["note"]


async def test_pending_migrations_are_not_ready(fresh: DatabaseAccess) -> None:
    assert fresh.admin_url is not None
    async with running_server(fresh) as running:
        await _ready(running)
        owner = await asyncpg.connect(fresh.admin_url)
        await owner.execute(
            "delete from supabase_migrations.schema_migrations where version = "
            "(select max(version) from supabase_migrations.schema_migrations)"
        )
        await owner.close()
        document = problem_of(await running.client.get("/readyz"), 503, "not_ready")
        assert document["detail"].startswith("1 ")
        assert "stead db migrate" in document["hint"]
        status = await running.client.get("/api/status")
        assert status.status_code == 503
        assert status.json()["status"] == "degraded"
        assert status.json()["database"]["status"] == "migrations_pending"
        assert (await running.client.get("/healthz")).status_code == 200


class Line:
    """A TCP port that leads to the database while it is up."""

    def __init__(self, cluster: EmbeddedServer, database: str) -> None:
        self._socket = f"{cluster.socket_dir}/.s.PGSQL.5432"
        self._database = database
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._port = 0

    def url(self, user: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{self._port}/{self._database}?sslmode=disable"

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            for end in tuple(self._ends):
                end.close()
            await self._server.wait_closed()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
        self._ends |= {writer, far_writer}

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65_536):
                    target.write(data)
                    await target.drain()
            target.close()

        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        self._ends -= {writer, far_writer}


async def test_without_a_database_it_lives_but_is_not_ready(
    cluster: EmbeddedServer, fresh: DatabaseAccess, db: Database, logs: Logs
) -> None:
    line = Line(cluster, fresh.runtime_url.partition("?")[0].rpartition("/")[2])
    await line.up()
    reached = DatabaseAccess(
        runtime_url=line.url("stead_api"),
        admin_url=line.url("postgres"),
        listen_url=line.url("stead_api"),
    )
    person = Person(tenant=await make_tenant(fresh), id=uuid.uuid4(), email="ann@example.com")
    async with running_server(reached) as running:
        await _ready(running)
        assert (await running.client.get("/readyz")).status_code == 200
        session = await open_session(running.client, person)
        await line.cut()
        answer = await running.client.get("/readyz")
        problem_of(answer, 503, "not_ready")
        assert answer.headers["retry-after"]
        status = await running.client.get("/api/status")
        assert status.status_code == 503
        assert status.json()["database"] == {"status": "unavailable"}
        assert (await running.client.get("/healthz")).status_code == 200
        for method, path, body in (
            ("GET", "/api/sessions", None),
            ("PATCH", f"/api/session/{session}", {"name": "Ann"}),
            ("POST", "/api/chat", {"sessionId": session, "message": "hello"}),
        ):
            answer = await running.client.request(method, path, json=body, headers=person.headers)
            document = problem_of(answer, 503, "database_unavailable")
            assert answer.headers["retry-after"] == "1"
            assert "127.0.0.1" not in document["detail"]
        # And back again, without a restart.
        await line.up()
        assert (await running.client.get("/readyz")).status_code == 200
        answer = await running.client.get(f"/api/session/{session}", headers=person.headers)
        assert answer.status_code == 200
    await line.cut()
    assert "Traceback" not in logs.text


# Metrics.


async def test_metrics_are_for_their_token(edge: Running, server: Running) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer "[:-1]}):
        problem_of(await edge.client.get("/metrics", headers=headers), 401, "credentials_missing")
    answer = await edge.client.get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    # Without a token configured they are open.
    assert (await server.client.get("/metrics")).status_code == 200


async def test_metrics_count_by_route_and_not_by_path(server: Running, person: Person) -> None:
    session = await open_session(server.client, person)
    name = 'stead_http_requests_total{method="GET",route="/api/session/{session_id}",status="200"}'

    async def count() -> float:
        lines = (await server.client.get("/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    before = await count()
    for _ in range(3):
        await server.client.get(f"/api/session/{session}", headers=person.headers)
    assert await count() == before + 3
    await server.client.get(f"/no/such/{session}")
    assert session not in (await server.client.get("/metrics")).text


# Request ids and the access log.


async def test_a_request_has_an_id(server: Running, logs: Logs) -> None:
    answer = await server.client.get("/api/sessions", headers={"x-request-id": "abc-123:x.y_z"})
    assert answer.headers["x-request-id"] == "abc-123:x.y_z"
    assert answer.json()["request_id"] == "abc-123:x.y_z"
    made: set[str] = set()
    for given in ("", "a b", "x" * 129, "<script>", 'a"b'):
        answer = await server.client.get("/api/sessions", headers={"x-request-id": given})
        assert answer.headers["x-request-id"] != given
        made.add(answer.headers["x-request-id"])
    assert len(made) == 5
    assert "<script>" not in logs.text


async def test_the_access_log_says_what_happened_and_to_whom(
    server: Running, person: Person, logs: Logs
) -> None:
    session = await open_session(server.client, person)
    await server.client.get(f"/api/session/{session}", headers={**person.headers, "x-request-id": "r1"})
    await server.client.get("/api/sessions", headers={"x-request-id": "r2"})
    await server.client.get("/nothing/here?secret=hunter2", headers={"x-request-id": "r3"})
    await server.client.get("/healthz", headers={"x-request-id": "r4"})
    found = {line["request_id"]: line for line in logs.requests()}
    assert set(found["r1"]) == {
        "event", "method", "route", "status", "latency_ms", "code", "tenant_id", "request_id",
        "level", "logger", "timestamp",
    }  # fmt: skip
    assert found["r1"]["logger"] == "stead.http"
    assert (found["r1"]["method"], found["r1"]["route"]) == ("GET", "/api/session/{session_id}")
    assert (found["r1"]["status"], found["r1"]["code"]) == (200, None)
    assert found["r1"]["tenant_id"] == str(person.tenant.id)
    assert found["r1"]["latency_ms"] >= 0
    assert (found["r2"]["status"], found["r2"]["code"]) == (401, "credentials_missing")
    assert found["r2"]["tenant_id"] is None
    assert (found["r3"]["route"], found["r3"]["code"]) == ("unmatched", "route_unknown")
    # A load balancer's questions would drown the rest.
    assert "r4" not in found
    for private in (session, "hunter2", person.email, person.token, str(person.id)):
        assert private not in logs.text


async def test_what_nobody_foresaw_is_a_problem_too(
    server: Running, person: Person, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ValueError("the text of an exception may quote CANARY data")

    monkeypatch.setattr(server.parts.authenticator, "admit", broken)
    answer = await server.client.get(
        "/api/sessions", headers={**person.headers, "origin": "http://localhost:3000"}
    )
    document = problem_of(answer, 500, "internal")
    assert document["request_id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "CANARY" not in answer.text
    assert "CANARY" not in logs.text
    (failed,) = [line for line in logs.lines if line["event"] == "request_failed"]
    assert (failed["reason"], failed["request_id"]) == ("ValueError", document["request_id"])
    assert [line["code"] for line in logs.requests()] == ["internal"]


# Browsers.


async def test_cors_is_for_listed_origins(edge: Running, person: Person) -> None:
    asked = {
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,content-type,idempotency-key,x-session-token",
    }
    answer = await edge.client.options("/api/session/x", headers={"origin": ORIGIN, **asked})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    for name in asked["access-control-request-headers"].split(","):
        assert name in answer.headers["access-control-allow-headers"].lower()
    answer = await edge.client.options(
        "/api/session/x", headers={"origin": "https://evil.example", **asked}
    )
    assert "access-control-allow-origin" not in answer.headers
    # On answers too, on refusals as well.
    for headers in (person.headers, {}):
        answer = await edge.client.get("/api/sessions", headers={"origin": ORIGIN, **headers})
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        exposed = answer.headers["access-control-expose-headers"].lower()
        for name in ("x-request-id", "retry-after", "x-vercel-ai-ui-message-stream"):
            assert name in exposed


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthz"),
        ("GET", "/api/sessions"),
        ("GET", "/nothing"),
        ("PUT", "/api/chat"),
        ("GET", "/openapi.json"),
    ],
)
async def test_security_headers(server: Running, method: str, path: str) -> None:
    headers = (await server.client.request(method, path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-site"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_no_route_and_no_method_are_problems(server: Running) -> None:
    for path in ("/", "/nothing", "/api", "/api/chat/x/y/z", "/v1/agents/a/b/c"):
        problem_of(await server.client.get(path), 404, "route_unknown")
    for method, path in (
        ("GET", "/api/session"),
        ("PUT", "/api/chat"),
        ("DELETE", "/api/sessions"),
        ("POST", "/healthz"),
        ("TRACE", "/api/session"),
    ):
        problem_of(await server.client.request(method, path), 405, "method_not_allowed")


# The OpenAPI document.


@pytest.fixture
async def document(server: Running) -> dict[str, Any]:
    return (await server.client.get("/openapi.json")).json()


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


async def test_the_document_holds_every_route(server: Running, document: dict[str, Any]) -> None:
    # /metrics is the scraper's; the document does not describe itself.
    assert document["openapi"].startswith("3.1")
    assert "RFC 9457" in document["info"]["description"]
    found = _operations(document)
    for operation, described in found.items():
        method, path = operation.split(" ")
        answer = await server.client.request(method, re.sub(r"\{\w+\}", "x", path))
        if answer.headers["content-type"].startswith("text/html"):
            continue  # a page, which says in words what is the matter
        assert answer.json().get("code") not in {"route_unknown", "method_not_allowed"}, operation
        assert described.get("description"), f"{operation} has no words"
        assert described.get("tags"), operation
        assert "4XX" in described["responses"], operation
        assert "application/problem+json" in described["responses"]["4XX"]["content"], operation
    assert {"GET /healthz", "GET /readyz", "GET /api/status"} <= set(found)


async def test_the_document_has_examples(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for operation, described in _operations(document).items():
        for media_type, media in described.get("requestBody", {}).get("content", {}).items():
            schema = media["schema"]
            if schema.get("format") == "binary" or media_type == "application/x-www-form-urlencoded":
                continue  # a file, or what a page sends
            names = [
                each["$ref"].rpartition("/")[2]
                for each in (schema, *schema.get("anyOf", []))
                if "$ref" in each
            ]
            assert names, operation
            body = schemas[names[0]]
            shown = "examples" in body or any("examples" in p for p in body["properties"].values())
            assert shown, f"{operation}: {names[0]} has no example"
