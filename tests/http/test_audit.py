"""The audit log over HTTP: the tenant's for its service, a person's own for a person, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from stead import audit
from stead.db import Database
from stead.identity import Principal, Tenant
from tests.http.conftest import problem_of
from tests.support.people import Person, service, service_headers
from tests.support.servers import Running


async def record(db: Database, principal: Principal, action: str, **more: Any) -> None:
    async with db.transaction(principal.served()) as tx:
        await audit.record(tx, principal, category="test", action=action, **more)


async def actions(server: Running, headers: dict[str, str], query: str = "") -> list[str]:
    answer = await server.client.get(f"/v1/audit?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["action"] for item in answer.json()["items"]]


async def test_rows_are_listed_newest_first(server: Running, db: Database, tenant: Tenant) -> None:
    mine, headers = service(tenant), service_headers(tenant)
    for n in range(5):
        await record(db, mine, f"a{n}", subject_type="thing", subject_id=str(n), payload={"n": n})
    assert await actions(server, headers) == ["a4", "a3", "a2", "a1", "a0"]
    assert await actions(server, headers, "action=a2") == ["a2"]
    assert await actions(server, headers, "subject_type=thing&subject=3") == ["a3"]
    assert await actions(server, headers, "category=other") == []
    assert await actions(server, headers, "until=2020-01-01T00:00:00Z") == []
    assert len(await actions(server, headers, "since=2020-01-01T00:00:00Z&category=test")) == 5
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query: dict[str, str] = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await server.client.get("/v1/audit", params=query, headers=headers)).json()
        seen += [item["action"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["a4", "a3", "a2", "a1", "a0"]


async def test_people_see_their_own(
    server: Running, db: Database, tenant: Tenant, other_tenant: Tenant, person: Person
) -> None:
    await record(db, service(tenant), "secret", erasable={"note": "nobody's business"})
    await record(
        db, service(tenant), "about", subject_profile_id=person.id, erasable={"reason": "told to her"}
    )
    await record(db, person.principal, "did")
    await record(db, service(other_tenant), "abroad", subject_profile_id=person.id)
    assert await actions(server, person.headers) == ["did", "about"]
    assert await actions(server, service_headers(tenant)) == ["did", "about", "secret"]
    assert await actions(server, service_headers(other_tenant)) == ["abroad"]
    about = f"profile_id={person.id}"
    assert await actions(server, service_headers(tenant), about) == ["about"]
    answer = await server.client.get("/v1/audit?action=about", headers=person.headers)
    assert answer.json()["items"][0]["texts"] == {"reason": "told to her"}
    server.client.cookies.clear()
    problem_of(await server.client.get("/v1/audit"), 401, "credentials_missing")
    problem_of(
        await server.client.get("/v1/audit/search?q=x", headers=person.headers), 403, "service_only"
    )


async def test_search_with_its_scores(server: Running, db: Database, tenant: Tenant) -> None:
    mine, headers = service(tenant), service_headers(tenant)
    async with db.transaction(mine) as tx:
        await tx.execute(
            "insert into public.evidence_embeddings (source_type, content) values ('tool_output', $1)",
            "The parcel was returned to the sender.",
        )
    answer = await server.client.get("/v1/audit/search?q=parcel&explain=true", headers=headers)
    (item,) = answer.json()["items"]
    assert (item["kind"], item["content"]) == ("tool_output", "The parcel was returned to the sender.")
    assert item["lexical"] > 0
    plain = await server.client.get("/v1/audit/search?q=parcel&kind=tool_output", headers=headers)
    assert "score" not in plain.json()["items"][0]
    none = await server.client.get("/v1/audit/search?q=parcel&kind=proposal", headers=headers)
    assert none.json() == {"items": []}


@pytest.mark.parametrize(
    "query",
    ["?cursor=nonsense", "?since=2026-01-01T00:00:00", "?category=%00", "?limit=0", "/search?q=%20",
     "/search?q=x&kind=", "/search", "?cursor=WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwgMWUxMDBd"],
)  # fmt: skip
async def test_bad_questions_are_refused(server: Running, tenant: Tenant, query: str) -> None:
    answer = await server.client.get(f"/v1/audit{query}", headers=service_headers(tenant))
    assert answer.status_code == 422, answer.text


async def test_a_key_without_the_scope_is_refused(server: Running, tenant: Tenant) -> None:
    made = await server.client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["jobs"]}, headers=service_headers(tenant)
    )
    headers = {"authorization": f"Bearer {made.json()['key']}"}
    problem_of(await server.client.get("/v1/audit", headers=headers), 403, "scope_missing")
