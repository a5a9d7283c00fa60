"""Actions over HTTP: proposed, looked at, edited, called back, resolved."""

from __future__ import annotations

from stead.core.ids import new_id
from tests.http.acting import Acting, acting
from tests.http.conftest import problem_of
from tests.support.people import make_person, make_tenant, service_headers

__all__ = ["acting"]


async def test_an_action_runs_once_and_tells_all_about_itself(acting: Acting) -> None:
    ann = await acting.person()
    keyed = {**ann.headers, "idempotency-key": "k1"}
    made = await acting.propose("do_low", keyed)
    assert (made["is_new"], made["verdict"]) == (True, "allow")
    envelope = await acting.until(made["envelope"]["id"], "succeeded")
    assert acting.effects == ["o1"]
    assert [(a["outcome"], a["result"]) for a in envelope["attempt_list"]] == [
        ("succeeded", {"done": "o1"})
    ]
    assert [d["verdict"] for d in envelope["decisions"]] == ["allow"]
    # The same key: the same action.
    again = await acting.client.post(
        "/v1/outbox", json={"tool": "do_low", "arguments": {"order": "o1"}}, headers=keyed
    )
    assert (again.status_code, again.json()["envelope"]["id"]) == (200, envelope["id"])
    other = await acting.client.post(
        "/v1/outbox", json={"tool": "do_low", "arguments": {"order": "o2"}}, headers=keyed
    )
    problem_of(other, 409, "envelope_key_reused")
    assert acting.effects == ["o1"]


async def test_all_that_is_wrong_is_told_at_once_and_stays_in_the_audit_log(acting: Acting) -> None:
    ann = await acting.person()
    body = {"tool": "do_low", "arguments": {"more": 1}, "evidence": [str(new_id())]}
    refused = await acting.client.post("/v1/outbox", json=body, headers=ann.headers)
    codes = [each["code"] for each in problem_of(refused, 422, "action_refused")["reasons"]]
    assert codes.count("arguments_invalid") == 2
    assert "evidence_unknown" in codes
    policy = {"kill_switch": {"tools": ["do_low"]}}
    put = await acting.client.put("/v1/guardrails", json={"policy": policy}, headers=acting.service)
    assert put.status_code == 200
    denied = await acting.post("/v1/outbox", ann, tool="do_low", arguments={"order": "o1"})
    assert problem_of(denied, 403, "action_denied")["reasons"][0]["code"] == "kill_switch"
    logged = await acting.client.get("/v1/audit?category=outbox", headers=acting.service)
    assert [row["action"] for row in logged.json()["items"]] == ["propose", "refuse"]


async def test_lists_are_paged_and_filtered_and_ones_own(acting: Acting) -> None:
    ann, bob = await acting.person(), await acting.person(name="bob")
    ids = [(await acting.propose("do_high", ann.headers))["envelope"]["id"] for _ in range(3)]
    seen: list[str] = []
    params: dict[str, str | int] = {"limit": 2, "status": "awaiting_approval", "tool": "do_high"}
    while True:
        page = (await acting.client.get("/v1/outbox", params=params, headers=ann.headers)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == ids[::-1]
    for headers in (bob.headers, service_headers(await make_tenant(acting.access))):
        assert (await acting.client.get("/v1/outbox", headers=headers)).json()["items"] == []
        hidden = await acting.client.get(f"/v1/outbox/{ids[0]}", headers=headers)
        problem_of(hidden, 404, "envelope_unknown")
    none = await acting.client.get("/v1/outbox?status=succeeded", headers=ann.headers)
    assert none.json()["items"] == []
    problem_of(
        await acting.client.get("/v1/outbox?status=done", headers=ann.headers), 422, "request_invalid"
    )


async def test_what_waits_is_edited_and_called_back(acting: Acting) -> None:
    ann, bob = await acting.person(), await acting.person(name="bob")
    made = await acting.propose("do_high", ann.headers)
    path = f"/v1/outbox/{made['envelope']['id']}"
    wanted = {"arguments": {"order": "o2"}}
    problem_of(
        await acting.client.patch(path, json=wanted, headers=bob.headers), 404, "envelope_unknown"
    )
    edited = (await acting.client.patch(path, json=wanted, headers=ann.headers)).json()
    assert (edited["envelope"]["version"], edited["envelope"]["arguments"]) == (2, {"order": "o2"})
    assert edited["approval_id"] != made["approval_id"]
    old = await acting.client.get(f"/v1/approvals/{made['approval_id']}", headers=ann.headers)
    assert old.json()["status"] == "superseded"
    wrong = await acting.client.patch(path, json={"arguments": {}}, headers=ann.headers)
    problem_of(wrong, 422, "action_refused")
    problem_of(await acting.post(f"{path}/cancel", bob), 404, "envelope_unknown")
    assert (await acting.post(f"{path}/cancel", ann)).json()["status"] == "cancelled"
    problem_of(await acting.post(f"{path}/cancel", ann), 409, "envelope_not_cancellable")
    late = await acting.client.patch(path, json=wanted, headers=ann.headers)
    problem_of(late, 409, "envelope_not_editable")
    assert acting.effects == []


async def test_who_looks_after_unknown_outcomes_and_dead_letters(acting: Acting) -> None:
    ann, carla = await acting.person(), await acting.person(approves="low", name="carla")
    made = await acting.propose("fail", ann.headers)
    envelope = await acting.until(made["envelope"]["id"], "outcome_unknown")
    path = f"/v1/outbox/{envelope['id']}"
    problem_of(await acting.post(f"{path}/resolve", ann, outcome="give_up"), 403, "approvers_only")
    counted = await acting.client.get("/v1/outbox/status", headers=carla.headers)
    assert counted.json() == {"depths": {"outcome_unknown": 1}, "dlq": 0}
    problem_of(await acting.client.get("/v1/outbox/status", headers=ann.headers), 403, "approvers_only")
    given_up = await acting.post(f"{path}/resolve", carla, outcome="give_up")
    assert given_up.json()["status"] == "dead"
    problem_of(await acting.post(f"{path}/resolve", carla, outcome="give_up"), 409, "outcome_known")
    letters = await acting.client.get("/v1/outbox/dlq", headers=ann.headers)
    assert [each["id"] for each in letters.json()["items"]] == [envelope["id"]]
    problem_of(await acting.post("/v1/outbox/dlq/drain", ann), 403, "approvers_only")
    drained = await acting.post("/v1/outbox/dlq/drain", carla)
    assert [each["id"] for each in drained.json()["items"]] == [envelope["id"]]
    await acting.until(envelope["id"], "outcome_unknown")
    retried = await acting.client.post(f"/v1/outbox/dlq/{envelope['id']}/retry", headers=acting.service)
    problem_of(retried, 409, "envelope_not_dead")
    done = await acting.post(f"{path}/resolve", carla, outcome="succeeded", result={"id": "x"})
    assert done.json()["status"] == "succeeded"
    logged = await acting.client.get(
        "/v1/audit", params={"action": "resolve", "actor": str(carla.id)}, headers=acting.service
    )
    assert len(logged.json()["items"]) == 2


async def test_keys_need_the_scope(acting: Acting) -> None:
    async def key(*scopes: str) -> dict[str, str]:
        made = await acting.client.post(
            "/v1/api-keys", json={"name": "k", "scopes": list(scopes)}, headers=acting.service
        )
        return {"authorization": f"Bearer {made.json()['key']}"}

    for path, scope in (("/v1/outbox", "outbox"), ("/v1/approvals", "approvals")):
        assert (await acting.client.get(path, headers=await key(scope))).status_code == 200
        problem_of(await acting.client.get(path, headers=await key("chat")), 403, "scope_missing")
    agent = {"name": "concierge"}
    ann = await make_person(acting.db, acting.tenant)
    as_agent = await acting.post("/v1/outbox", ann, tool="do_low", agent=agent)
    problem_of(as_agent, 403, "service_only")
