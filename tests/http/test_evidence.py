"""Evidence and its files over HTTP: a service's own, and links that open one file for a while."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant, keys
from tests.http.conftest import Logs, problem_of
from tests.support.people import Person, service, service_headers
from tests.support.servers import Running, running_server

PAID: dict[str, Any] = {
    "source_type": "tool_output",
    "content": "Invoice 4711 was paid twice.",
    "metadata": {"n": 2},
}
FILE = b"%PDF-1.7 " + bytes(range(256)) * 9000


@pytest_asyncio.fixture(scope="module")
async def filing(
    access: DatabaseAccess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """A server with a folder of its own."""
    folder = tmp_path_factory.mktemp("artifacts")
    async with running_server(
        access, Stead(), artifacts_url=folder.as_uri(), max_artifact_bytes=3_000_000
    ) as running:
        yield running


async def key_with(db: Database, tenant: Tenant, *scopes: str) -> dict[str, str]:
    """Headers of a new key with those scopes."""
    async with db.transaction(service(tenant)) as tx:
        _, text = await keys.create(tx, service(tenant), name="k", scopes=scopes)
    return {"authorization": f"Bearer {text}"}


async def stored(
    running: Running, headers: dict[str, str], body: bytes = FILE, **params: str
) -> httpx.Response:
    return await running.client.post(
        "/v1/artifacts",
        params={"name": "Rechnung März.pdf", **params},
        content=body,
        headers={**headers, "content-type": "application/pdf"},
    )


async def link_of(running: Running, headers: dict[str, str], artifact_id: str, **body: int) -> str:
    answer = await running.client.post(f"/v1/artifacts/{artifact_id}/link", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["url"]


async def test_evidence_is_recorded_found_and_deleted(server: Running, tenant: Tenant) -> None:
    headers, client = service_headers(tenant), server.client
    once = {**headers, "idempotency-key": "4711"}
    made = await client.post("/v1/evidence", json=PAID, headers=once)
    assert made.status_code == 201, made.text
    assert (await client.post("/v1/evidence", json=PAID, headers=once)).json() == made.json()
    (evidence,) = (await client.get("/v1/evidence", headers=headers)).json()
    assert evidence | PAID | made.json() == evidence
    path = f"/v1/evidence/{evidence['id']}"
    assert (await client.get(path, headers=headers)).json() == evidence
    found = await client.post("/v1/evidence/search", json={"query": "paid twice"}, headers=headers)
    assert [hit["evidence"] for hit in found.json()] == [evidence]
    assert (await client.delete(path, headers=headers)).status_code == 204
    problem_of(await client.get(path, headers=headers), 404, "evidence_unknown")


async def test_people_and_other_tenants_are_kept_out(
    filing: Running, tenant: Tenant, other_tenant: Tenant, person: Person
) -> None:
    client, headers, abroad = filing.client, service_headers(tenant), service_headers(other_tenant)
    evidence = (await client.post("/v1/evidence", json=PAID, headers=headers)).json()
    artifact = (await stored(filing, headers, evidence_id=evidence["id"])).json()
    assert (await client.get("/v1/evidence", headers=abroad)).json() == []
    assert (await client.get("/v1/artifacts", headers=abroad)).json() == []
    found = await client.post("/v1/evidence/search", json={"query": "paid twice"}, headers=abroad)
    assert found.json() == []
    for path, code in (
        (f"/v1/evidence/{evidence['id']}", "evidence_unknown"),
        (f"/v1/artifacts/{artifact['id']}", "artifact_unknown"),
    ):
        for method in ("GET", "DELETE"):
            problem_of(await client.request(method, path, headers=abroad), 404, code)
            problem_of(await client.request(method, path, headers=person.headers), 403, "service_only")
    path = f"/v1/artifacts/{artifact['id']}/link"
    problem_of(await client.post(path, json={}, headers=abroad), 404, "artifact_unknown")
    problem_of(await client.post(path, json={}, headers=person.headers), 403, "service_only")
    problem_of(await stored(filing, person.headers), 403, "service_only")
    problem_of(await stored(filing, {}), 401, "credentials_missing")
    problem_of(await stored(filing, abroad, evidence_id=evidence["id"]), 404, "evidence_unknown")
    problem_of(await stored(filing, abroad, profile_id=str(person.id)), 422, "artifact_invalid")


async def test_a_key_needs_the_scope_of_the_endpoint_and_of_the_kind(
    server: Running, db: Database, tenant: Tenant
) -> None:
    client, headers = server.client, service_headers(tenant)
    none, some = await key_with(db, tenant, "jobs"), await key_with(db, tenant, "evidence")
    granted = await key_with(db, tenant, "evidence", "finance:write")
    problem_of(await client.get("/v1/evidence", headers=none), 403, "scope_missing")
    rule = {"source_type": "tool_output", "scope": "finance:write"}
    path = "/v1/evidence/scopes/tool_output"
    problem_of(await client.put(path, json={"scope": "x"}, headers=some), 403, "scope_missing")
    answer = await client.put(path, json={"scope": rule["scope"]}, headers=headers)
    assert answer.json() == rule
    assert (await client.get("/v1/evidence/scopes", headers=some)).json() == [rule]
    problem_of(await client.post("/v1/evidence", json=PAID, headers=some), 403, "scope_missing")
    assert (await client.post("/v1/evidence", json=PAID, headers=granted)).status_code == 201
    problem_of(await client.delete(path, headers=granted), 403, "scope_missing")
    for _ in range(2):
        assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.post("/v1/evidence", json=PAID, headers=some)).status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": ""}, "request_invalid"),
        ({"content": "a\x00b"}, "text_not_storable"),
        ({"source_type": "A kind"}, "request_invalid"),
        ({"metadata": []}, "request_invalid"),
        ({"tenant_id": "x"}, "request_invalid"),
        ({"profile_id": "01a1fb26-2e37-7060-84c3-e275028161d3"}, "evidence_person_unknown"),
    ],
)
async def test_what_is_wrong_is_refused(
    server: Running, tenant: Tenant, change: dict[str, Any], code: str
) -> None:
    answer = await server.client.post(
        "/v1/evidence", json={**PAID, **change}, headers=service_headers(tenant)
    )
    problem_of(answer, 422, code)


async def test_a_file_goes_in_and_comes_out_by_a_link(filing: Running, tenant: Tenant) -> None:
    headers, client = service_headers(tenant), filing.client
    answer = await stored(filing, headers)
    assert answer.status_code == 201, answer.text
    artifact = answer.json()
    assert (artifact["bytes"], artifact["media_type"]) == (len(FILE), "application/pdf")
    assert artifact["sha256"] == hashlib.sha256(FILE).hexdigest()
    assert artifact["bucket"] == "evidence-artifacts"
    assert (await client.get("/v1/artifacts", headers=headers)).json() == [artifact]
    url = await link_of(filing, headers, artifact["id"], expires_in_s=60)
    assert url.startswith(f"{filing.base_url}/v1/artifacts/{artifact['id']}/content?")
    async with httpx.AsyncClient() as nobody:
        whole = await nobody.get(url)
        assert whole.content == FILE
        assert whole.headers["content-disposition"] == (
            "attachment; filename=\"Rechnung M_rz.pdf\"; filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf"
        )
        assert whole.headers["content-type"] == "application/pdf"
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert whole.headers["content-security-policy"].startswith("sandbox;")
        assert whole.headers["cache-control"] == "private, no-store"
        part = await nobody.get(url, headers={"range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, FILE[1000:2000])
        assert (await nobody.get(url, headers={"range": "bytes=99999999-"})).status_code == 416
        problem_of(await nobody.get(url[:-8] + "AAAAAAA="), 403, "link_invalid")
        problem_of(await nobody.get(url.replace("expires=", "expires=1")), 403, "link_invalid")
        problem_of(await nobody.get(url.partition("?")[0]), 422, "request_invalid")
        assert (
            await client.delete(f"/v1/artifacts/{artifact['id']}", headers=headers)
        ).status_code == 204
        problem_of(await nobody.get(url), 404, "artifact_unknown")


async def test_a_link_lives_as_long_as_was_asked_for(
    filing: Running, tenant: Tenant, access: DatabaseAccess
) -> None:
    headers = service_headers(tenant)
    artifact = (await stored(filing, headers)).json()
    path = f"/v1/artifacts/{artifact['id']}/link"
    made = await filing.client.post(path, json={"expires_in_s": 3600}, headers=headers)
    left = datetime.fromisoformat(made.json()["expires_at"]) - datetime.fromisoformat(
        artifact["created_at"]
    )
    assert timedelta(minutes=59) < left < timedelta(minutes=61)
    for seconds in (0, -1, 604_801):
        answer = await filing.client.post(path, json={"expires_in_s": seconds}, headers=headers)
        problem_of(answer, 422, "request_invalid")


async def test_a_file_is_larger_than_a_body_but_not_than_its_limit(
    filing: Running, tenant: Tenant
) -> None:
    headers = service_headers(tenant)
    assert (await stored(filing, headers, b"x" * 3_000_000)).status_code == 201
    problem_of(await stored(filing, headers, b"x" * 3_000_001), 413, "body_too_large")

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 100_000

    answer = await filing.client.post(
        "/v1/artifacts", params={"name": "a"}, content=unannounced(), headers=headers
    )
    assert answer.status_code == 413
    assert len((await filing.client.get("/v1/artifacts", headers=headers)).json()) == 1
    # Only there.
    answer = await filing.client.post(
        "/v1/evidence", content=json.dumps({"content": "x" * 2_000_000}),
        headers={**headers, "content-type": "application/json"},
    )  # fmt: skip
    problem_of(answer, 413, "body_too_large")


async def test_no_link_and_no_text_is_logged(filing: Running, tenant: Tenant, logs: Logs) -> None:
    headers = service_headers(tenant)
    await filing.client.post("/v1/evidence", json=PAID, headers=headers)
    artifact = (await stored(filing, headers)).json()
    url = await link_of(filing, headers, artifact["id"])
    await filing.client.get(url)
    async with asyncio.timeout(30):
        # A download is logged when its last byte was sent.
        while not any("/content" in line["route"] for line in logs.requests()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    # What the client of this test says of itself is not Stead's.
    ours = json.dumps([line for line in logs.lines if not line["logger"].startswith("http")])
    for secret in (urlsplit(url).query.partition("signature=")[2], "4711", "Rechnung"):
        assert secret not in ours


async def test_a_missing_file_is_said(filing: Running, tenant: Tenant) -> None:
    headers = service_headers(tenant)
    artifact = (await stored(filing, headers)).json()
    url = await link_of(filing, headers, artifact["id"])
    path = filing.parts.artifacts.path(f"{tenant.id}/{artifact['id']}")
    assert path is not None
    _remove(path)
    problem_of(await filing.client.get(url), 404, "artifact_content_missing")


def _remove(path: Path) -> None:
    path.unlink()


async def test_shared_schedules_are_listed_and_paused_by_a_service_for_itself(
    server: Running, tenant: Tenant, person: Person
) -> None:
    client, headers = server.client, service_headers(tenant)
    problem_of(await client.get("/v1/schedules/shared", headers=person.headers), 403, "service_only")
    for verb in ("pause", "resume"):
        path = f"/v1/schedules/shared/nothing/{verb}"
        problem_of(await client.post(path, headers=headers), 404, "schedule_unknown")
        problem_of(await client.post(path, headers=person.headers), 403, "service_only")
    assert (await client.get("/v1/schedules/shared", headers=headers)).status_code == 200
