"""Schedules over HTTP: a service's own, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from stead.identity import Tenant
from tests.http.conftest import problem_of
from tests.support.people import Person, service_headers
from tests.support.servers import Running

#: A kind that every server has a handler for.
WANTED: dict[str, Any] = {
    "name": "nightly",
    "cron": "30 2 * * *",
    "time_zone": "Europe/Lisbon",
    "kind": "research",
    "input": {"user_idea": "A CRM for dog walkers"},
    "missed": "skip",
}


async def test_a_service_makes_lists_pauses_and_deletes(server: Running, tenant: Tenant) -> None:
    headers, client = service_headers(tenant), server.client
    made = await client.post("/v1/schedules", json=WANTED, headers=headers)
    assert made.status_code == 201, made.text
    schedule = made.json()
    assert schedule | WANTED == schedule
    assert (schedule["source"], schedule["paused"], schedule["last_at"]) == ("api", False, None)
    again = await client.post("/v1/schedules", json=WANTED, headers=headers)
    assert again.json() == schedule
    assert (await client.get("/v1/schedules", headers=headers)).json() == [schedule]
    for _ in range(2):
        paused = await client.post("/v1/schedules/nightly/pause", headers=headers)
        assert paused.json()["paused"] is True
    resumed = await client.post("/v1/schedules/nightly/resume", headers=headers)
    assert resumed.json() == schedule
    changed = await client.post("/v1/schedules", json={**WANTED, "cron": "0 4 * * *"}, headers=headers)
    assert changed.json()["id"] == schedule["id"]
    assert changed.json()["next_at"] != schedule["next_at"]
    assert (await client.delete("/v1/schedules/nightly", headers=headers)).status_code == 204
    problem_of(await client.delete("/v1/schedules/nightly", headers=headers), 404, "schedule_unknown")


async def test_other_tenants_and_people_are_kept_out(
    server: Running, tenant: Tenant, other_tenant: Tenant, person: Person
) -> None:
    client = server.client
    await client.post("/v1/schedules", json=WANTED, headers=service_headers(tenant))
    abroad = service_headers(other_tenant)
    assert (await client.get("/v1/schedules", headers=abroad)).json() == []
    for method, path in (
        ("POST", "/v1/schedules/nightly/pause"),
        ("POST", "/v1/schedules/nightly/resume"),
        ("DELETE", "/v1/schedules/nightly"),
    ):
        problem_of(await client.request(method, path, headers=abroad), 404, "schedule_unknown")
        problem_of(await client.request(method, path, headers=person.headers), 403, "service_only")
    problem_of(await client.get("/v1/schedules", headers=person.headers), 403, "service_only")
    # The cookie of a session that another test opened.
    client.cookies.clear()
    problem_of(await client.get("/v1/schedules"), 401, "credentials_missing")
    # Another tenant's of the same name is another one.
    theirs = await client.post("/v1/schedules", json=WANTED, headers=abroad)
    assert theirs.status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cron": "0 25 * * *"}, "schedule_invalid"),
        ({"cron": "R R * * *"}, "schedule_invalid"),
        ({"cron": "0 0 31 2 *"}, "schedule_invalid"),
        ({"time_zone": "../../etc/passwd"}, "schedule_invalid"),
        ({"time_zone": "Europe/Lisbon\x00"}, "text_not_storable"),
        ({"kind": "nothing"}, "job_kind_unknown"),
        ({"input": {"no": "such"}}, "job_input_invalid"),
        ({"tick_argument": "when"}, "job_input_invalid"),
        ({"name": "No Name"}, "request_invalid"),
        ({"missed": "sometimes"}, "request_invalid"),
        ({"tenant": "demo"}, "request_invalid"),
    ],
)
async def test_what_is_wrong_is_refused(
    server: Running, tenant: Tenant, change: dict[str, Any], code: str
) -> None:
    answer = await server.client.post(
        "/v1/schedules", json={**WANTED, **change}, headers=service_headers(tenant)
    )
    problem_of(answer, 422, code)
