"""Approvals over HTTP: who may vote on what, edits, delegations, links."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tests.http.acting import Acting, acting
from tests.http.conftest import problem_of
from tests.http.test_realtime_changes import following

__all__ = ["acting"]


async def test_an_approver_lets_exactly_what_was_looked_at_run(acting: Acting) -> None:
    ann, carla = await acting.person(), await acting.person(approves="high", name="carla")
    made = await acting.propose("do_high", ann.headers)
    path = f"/v1/approvals/{made['approval_id']}"
    listed = await acting.client.get("/v1/approvals", headers=carla.headers)
    (asked,) = listed.json()["items"]
    assert (asked["arguments"], asked["tool_slug"]) == ({"order": "o1"}, "do_high")
    assert (await acting.client.get("/v1/approvals", headers=ann.headers)).json()["items"] == []
    own = await acting.client.get("/v1/approvals?whose=all", headers=ann.headers)
    assert [each["id"] for each in own.json()["items"]] == [asked["id"]]
    digest = asked["digest"]
    wrong = await acting.post(f"{path}/approve", carla, digest="00" * 32)
    problem_of(wrong, 409, "approval_decided")
    problem_of(await acting.post(f"{path}/approve", ann, digest=digest), 403, "approval_forbidden")
    by_key = await acting.client.post(f"{path}/approve", json={"digest": digest}, headers=acting.service)
    problem_of(by_key, 403, "approval_forbidden")
    voted = await acting.post(f"{path}/approve", carla, digest=digest, reason="fine")
    assert voted.json()["status"] == "approved"
    assert [(v["profile_id"], v["vote"]) for v in voted.json()["votes"]] == [(str(carla.id), "approve")]
    await acting.until(made["envelope"]["id"], "succeeded")
    assert acting.effects == ["o1"]
    problem_of(await acting.post(f"{path}/approve", carla, digest=digest), 409, "approval_decided")


async def test_one_vote_against_it_ends_it(acting: Acting) -> None:
    ann, carla = await acting.person(), await acting.person(approves="high", name="carla")
    made = await acting.propose("do_high", ann.headers)
    path = f"/v1/approvals/{made['approval_id']}"
    shown = (await acting.client.get(path, headers=carla.headers)).json()
    without = await acting.post(f"{path}/reject", carla, digest=shown["digest"])
    problem_of(without, 422, "request_invalid")
    await acting.post(f"{path}/reject", carla, digest=shown["digest"], reason="too much")
    envelope = await acting.until(made["envelope"]["id"], "rejected")
    assert (envelope["last_error"], acting.effects) == ("it was rejected", [])
    seen = (await acting.client.get(path, headers=carla.headers)).json()
    assert [vote["reason"] for vote in seen["votes"]] == ["too much"]


async def test_an_approver_edits_and_approves_in_one_call(acting: Acting) -> None:
    ann, carla = await acting.person(), await acting.person(approves="critical", name="carla")
    made = await acting.propose("do_high", ann.headers)
    path = f"/v1/approvals/{made['approval_id']}/edit"
    body = {"digest": made["envelope"]["digest"], "arguments": {"order": "less"}, "approve": True}
    edited = await acting.post(path, carla, **body)
    assert edited.status_code == 200, edited.text
    await acting.until(made["envelope"]["id"], "succeeded")
    assert acting.effects == ["less"]
    problem_of(await acting.post(path, carla, **body), 409, "approval_decided")
    # Where it takes two, whoever edited is none of them: the edit stands, and waits for others.
    critical = await acting.propose("do_critical", ann.headers)
    body["digest"] = critical["envelope"]["digest"]
    refused = await acting.post(f"/v1/approvals/{critical['approval_id']}/edit", carla, **body)
    problem_of(refused, 403, "approval_forbidden")
    waits = await acting.until(critical["envelope"]["id"], "awaiting_approval")
    assert (waits["version"], waits["arguments"]) == (2, {"order": "less"})
    assert acting.effects == ["less"]
    assert (await acting.client.get("/v1/approvals", headers=carla.headers)).json()["items"] == []


async def test_whoever_is_delegated_to_votes_in_that_place(acting: Acting) -> None:
    ann = await acting.person()
    carla, dora = await acting.person(approves="high", name="carla"), await acting.person(name="dora")
    made = await acting.propose("do_high", ann.headers)
    path, digest = f"/v1/approvals/{made['approval_id']}", made["envelope"]["digest"]
    problem_of(await acting.post(f"{path}/approve", dora, digest=digest), 404, "approval_unknown")
    ends_at = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    delegated = await acting.post(
        "/v1/approvals/delegations", carla, to_id=str(dora.id), ends_at=ends_at
    )
    assert delegated.status_code == 201, delegated.text
    (mine,) = (await acting.client.get("/v1/approvals", headers=dora.headers)).json()["items"]
    assert mine["id"] == made["approval_id"]
    alone = await acting.post(f"{path}/approve", dora, digest=digest)
    problem_of(alone, 403, "approval_forbidden")
    voted = await acting.post(f"{path}/approve", dora, digest=digest, counts_for=str(carla.id))
    assert voted.json()["votes"][0]["counts_for"] == str(carla.id)
    await acting.until(made["envelope"]["id"], "succeeded")
    for who, status in ((ann, 404), (carla, 204), (carla, 404)):
        ended = await acting.client.delete(
            f"/v1/approvals/delegations/{delegated.json()['id']}", headers=who.headers
        )
        assert ended.status_code == status
    too_long = (datetime.now(UTC) + timedelta(days=100)).isoformat()
    refused = await acting.post("/v1/approvals/delegations", carla, to_id=str(dora.id), ends_at=too_long)
    problem_of(refused, 422, "approver_invalid")


async def test_approvers_are_named_by_the_service(acting: Acting) -> None:
    ann, carla = await acting.person(), await acting.person(approves="low", name="carla")
    listed = await acting.client.get("/v1/approvers", headers=acting.service)
    assert [(a["profile_id"], a["most_risk"]) for a in listed.json()] == [(str(carla.id), "low")]
    problem_of(
        await acting.client.put(
            f"/v1/approvers/{ann.id}", json={"most_risk": "critical"}, headers=ann.headers
        ),
        403,
        "service_only",
    )
    made = await acting.propose("do_high", ann.headers)
    path, digest = f"/v1/approvals/{made['approval_id']}", made["envelope"]["digest"]
    assert (await acting.client.get("/v1/approvals", headers=carla.headers)).json()["items"] == []
    problem_of(await acting.post(f"{path}/approve", carla, digest=digest), 403, "approval_forbidden")
    gone = await acting.client.delete(f"/v1/approvers/{carla.id}", headers=acting.service)
    assert gone.status_code == 204
    problem_of(await acting.client.get(path, headers=carla.headers), 404, "approval_unknown")


async def test_a_link_is_for_one_vote_and_opening_it_changes_nothing(acting: Acting) -> None:
    ann, carla = await acting.person(), await acting.person(approves="high", name="carla")
    trick = "<script>alert(1)</script> \u202e"
    made = await acting.propose("do_high", ann.headers, arguments={"order": trick})
    path = f"/v1/approvals/{made['approval_id']}/links"
    problem_of(await acting.post(path, carla, profile_id=str(carla.id)), 403, "service_only")
    link = await acting.client.post(path, json={"profile_id": str(carla.id)}, headers=acting.service)
    where = link.json()["path"]
    page = await acting.client.get(where)
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "\u202e" not in page.text
    assert "&lt;script&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == (
        "no-store",
        "no-referrer",
    )
    assert "noindex" in page.headers["x-robots-tag"]
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', page.text)[0]
    assert digest == made["envelope"]["digest"]
    assert (await acting.client.get(where)).status_code == 200
    for form in ({"vote": "approve"}, {"vote": "maybe", "digest": digest}, {"digest": "x"}):
        assert (await acting.client.post(where, data=form)).status_code == 422
    as_json = await acting.client.post(where, json={"vote": "approve", "digest": digest})
    assert as_json.status_code == 415
    stale = await acting.client.post(where, data={"vote": "approve", "digest": "00" * 32})
    assert stale.status_code == 409
    voted = await acting.client.post(where, data={"vote": "approve", "digest": digest})
    assert voted.status_code == 200, voted.text
    await acting.until(made["envelope"]["id"], "succeeded")
    assert acting.effects == [trick]
    browser = {"accept": "text/html,*/*;q=0.8"}
    problem_of(await acting.client.get(where), 404, "approval_link_unknown")
    for again in (
        await acting.client.get(where, headers=browser),
        await acting.client.post(where, data={"vote": "approve", "digest": digest}, headers=browser),
        await acting.client.get(where[:-1] + ("A" if where[-1] != "A" else "B"), headers=browser),
    ):
        assert again.status_code == 404
        assert again.headers["content-type"].startswith("text/html")


async def test_a_link_gives_no_right_that_its_person_lacks(acting: Acting) -> None:
    ann, dora = await acting.person(), await acting.person(name="dora")
    made = await acting.propose("do_high", ann.headers)
    link = await acting.client.post(
        f"/v1/approvals/{made['approval_id']}/links",
        json={"profile_id": str(dora.id)},
        headers=acting.service,
    )
    form = {"vote": "approve", "digest": made["envelope"]["digest"]}
    assert (await acting.client.post(link.json()["path"], data=form)).status_code == 404
    assert (await acting.until(made["envelope"]["id"], "awaiting_approval"))["version"] == 1


async def test_changes_of_both_tables_are_told_to_who_may_see_them(acting: Acting) -> None:
    ann, carla = await acting.person(), await acting.person(approves="high", name="carla")
    base = acting.server.base_url
    async with (
        following(base, carla.headers, table="approvals") as asked,
        following(base, ann.headers, table="outbox") as told,
    ):
        assert await asked.next() == await told.next() == ("ready", {})
        made = await acting.propose("do_high", ann.headers)
        name, change = await asked.next()
        assert (name, change["record"]["id"]) == ("INSERT", made["approval_id"])
        _, change = await told.next()
        assert change["record"]["status"] == "awaiting_approval"
        await acting.post(
            f"/v1/approvals/{made['approval_id']}/approve", carla, digest=made["envelope"]["digest"]
        )
        while change["record"]["status"] != "succeeded":
            _, change = await told.next()
