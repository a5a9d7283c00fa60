"""What waits, unknown outcomes, dead letters, guardrails, activity."""

from __future__ import annotations

import asyncio
import json

import pytest

from stead import governance, outbox
from stead.actions import Proposed
from stead.console import showing
from stead.core.ids import new_id
from tests.console.conftest import Desk, Page

HOSTILE = (
    "<script>alert(1)</script>",
    "</pre><img src=x onerror=alert(1)>",
    '"><form action="https://evil.example">',
    "{{ 7 * 7 }}{% raw %}",
    "pay \u202e001 ot 1\u202c",
    "zero\u200bwidth\u2066\u2069\ufeff",
    "tag\U000e0041 \u3164 \u2028",
    "a" * 50_000,
    "שלום 1000",
    "\\u202e",
)


async def _approved(desk: Desk, **arguments: object) -> Proposed:
    """An envelope that is ready to run."""
    async with desk.db.transaction(desk.service) as tx:
        tiers = {"high": {"verdict": "allow"}, "critical": {"verdict": "allow"}}
        await governance.policies.put(tx, desk.service, {"tiers": tiers, "trust_from": "critical"})
    return await desk.propose(**arguments)


async def _unknown(desk: Desk, **arguments: object) -> Proposed:
    """An envelope whose outcome nobody knows: its connection was cut."""
    proposed = await _approved(desk, **{"order": "cut <off>", **arguments})
    async with desk.working():
        await desk.until(proposed, "outcome_unknown")
    return proposed


async def _dead(desk: Desk, **arguments: object) -> Proposed:
    proposed = await _unknown(desk, **arguments)
    async with desk.db.transaction(desk.service) as tx:
        await outbox.envelopes.resolve(tx, desk.service, proposed.envelope.id, "give_up")
    return proposed


async def test_what_waits_is_counted_and_what_is_offline_says_so(desk: Desk) -> None:
    await _unknown(desk)
    await _dead(desk)
    browser = await desk.as_service()
    page = await browser.get("/console")
    counts = {" ".join(e.text.split()) for e in page.all("li")}
    assert {"1 unknown outcomes", "1 dead letters", "0 awaiting approval"} <= counts
    assert "No language model is configured" in page.text
    assert "Off" in page.all("span", **{"class": "off"})[0].text


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("succeeded", "succeeded"), ("not_done", "retry_wait"), ("give_up", "dead")],
)
async def test_what_somebody_found_out_is_recorded_once(desk: Desk, outcome: str, status: str) -> None:
    proposed = await _unknown(desk, note="look")
    browser = await desk.as_service()
    path = f"/console/outcomes/{proposed.envelope.id}"
    assert (await browser.get("/console/outcomes")).all("a", href=path)
    page = await browser.get(path)
    assert "ConnectionResetError" in page.text
    assert json.loads(page.all("pre", **{"aria-label": "Arguments"})[0].text) == {
        "order": "cut <off>",
        "note": "look",
    }
    fields = {**page.hidden(), "outcome": outcome}
    assert (await browser.post(f"{path}/resolve", fields)).status_code == 303
    assert (await desk.envelope(proposed)).status == status
    again = await browser.post(f"{path}/resolve", fields)
    assert again.status_code == 409
    assert "outcome_known" in again.text
    assert not (await browser.get("/console/outcomes")).all("a", href=path)


async def test_what_was_found_is_of_the_attempt_that_was_shown(desk: Desk) -> None:
    proposed = await _unknown(desk)
    browser = await desk.as_service()
    path = f"/console/outcomes/{proposed.envelope.id}"
    fields = {**(await browser.get(path)).hidden(), "outcome": "succeeded"}
    for wrong in ({"attempts": "7"}, {"attempts": "-1"}, {"attempts": "one"}, {"outcome": "maybe"}):
        assert (await browser.post(f"{path}/resolve", {**fields, **wrong})).status_code in {409, 422}
    assert (await desk.envelope(proposed)).status == "outcome_unknown"


async def test_a_dead_letter_is_tried_again(desk: Desk) -> None:
    proposed = await _dead(desk)
    browser = await desk.as_service()
    path = f"/console/letters/{proposed.envelope.id}/retry"
    page = await browser.get("/console/letters")
    assert page.all("form", action=path)
    assert (await browser.post(path, page.hidden())).status_code == 303
    assert (await desk.envelope(proposed)).status == "pending"
    again = await browser.post(path, page.hidden())
    assert again.status_code == 409
    assert not (await browser.get("/console/letters")).all("form", action=path)


async def test_draining(desk: Desk) -> None:
    dead = [await _dead(desk) for _ in range(3)]
    browser = await desk.as_service()
    for limit in ("0", "1000", "two", ""):
        answer = await browser.submit("/console/letters", "/console/letters/drain", limit=limit)
        assert answer.status_code == 422
    answer = await browser.submit("/console/letters", "/console/letters/drain", limit="2")
    assert answer.status_code == 303
    states = sorted([(await desk.envelope(each)).status for each in dead])
    assert states == ["dead", "pending", "pending"]


async def test_letters_and_outcomes_of_another_tenant_are_not_there(
    desk: Desk, other_tenant: object
) -> None:
    unknown, dead = await _unknown(desk), await _dead(desk)
    theirs = Desk(desk.running, desk.access, desk.db, other_tenant, desk.stack)  # type: ignore[arg-type]
    browser = await theirs.as_service()
    await browser.get(f"/console/outcomes/{unknown.envelope.id}", status=404)
    form = (await browser.get("/console")).hidden()
    resolve = f"/console/outcomes/{unknown.envelope.id}/resolve"
    fields = {**form, "outcome": "succeeded", "attempts": "1"}
    assert (await browser.post(resolve, fields)).status_code == 404
    assert (await browser.post(f"/console/letters/{dead.envelope.id}/retry", form)).status_code == 404
    assert (await browser.post("/console/letters/drain", {**form, "limit": "9"})).status_code == 303
    assert (await desk.envelope(unknown)).status == "outcome_unknown"
    assert (await desk.envelope(dead)).status == "dead"


async def test_the_kill_switch(desk: Desk) -> None:
    browser = await desk.as_service()
    path = "/console/guardrails/kill-switch"
    page = await browser.get("/console/guardrails")
    assert json.loads(page.all("pre", **{"aria-label": "Policy"})[0].text)["tiers"]["low"]
    fields = page.hidden()
    assert (fields["all"], fields["version"]) == ("on", "0")
    assert (await browser.post(path, fields)).status_code == 422
    fields |= {"confirm": "yes", "reason": "something <odd>"}
    assert (await browser.post(path, fields)).status_code == 303
    stopped = await browser.get("/console/guardrails")
    assert "On: nothing runs." in stopped.text
    assert "something <odd>" in stopped.text
    assert "On: nothing runs" in (await browser.get("/console")).text
    # The same form once more is about a version that is over.
    assert (await browser.post(path, fields)).status_code == 409
    answer = await browser.submit("/console/guardrails", path, confirm="yes")
    assert answer.status_code == 303
    async with desk.db.transaction(desk.service, read_only=True) as tx:
        policy = await governance.policies.get(tx, desk.service)
    assert (policy.version, policy.policy["kill_switch"]["all"]) == (2, False)


async def test_people_see_the_policy_without_the_switch(desk: Desk) -> None:
    browser = await desk.signed_in((await desk.person()).token)
    page = await browser.get("/console/guardrails")
    assert not page.all("form", action="/console/guardrails/kill-switch")


async def test_what_was_done_is_seen_page_by_page(desk: Desk) -> None:
    browser = await desk.as_service()
    for _ in range(60):
        await desk.propose()
    page = await browser.get("/console/activity")
    first = [e.text for e in page.all("tr")]
    older = page.all("a", rel="next")[0].attributes["href"]
    second = [e.text for e in (await browser.get(older)).all("tr")]
    assert len(first) == 51
    assert not set(first[1:]) & set(second[1:])
    only = await browser.get("/console/activity?category=console")
    assert "sign_in" in only.text
    assert "propose" not in only.all("main")[0].text
    await browser.get("/console/activity?before_at=x", status=422)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_arguments_are_text_and_all_of_it_is_seen(desk: Desk, text: str) -> None:
    proposed = await desk.propose(note=text, order="o-9")
    person = await desk.person(approves="critical")
    browser = await desk.signed_in(person.token)
    path = f"/console/approvals/{proposed.approval_id}"
    page, harmless = await browser.get(path), await desk.propose(note="plain", order="o-9")
    plain = await browser.get(f"/console/approvals/{harmless.approval_id}")
    # The same elements as of harmless arguments: nothing of the text became markup.
    assert [e.tag for e in page.elements] == [e.tag for e in plain.elements]
    pre = page.all("pre", **{"aria-label": "Arguments"})[0].text
    assert json.loads(pre) == {"note": text, "order": "o-9"}
    for unseen in "\u202e\u202c\u200b\u2066\u2069\ufeff\U000e0041\u3164\u2028":
        assert unseen not in page.html
    # And what is changed from there is changed from the same value.
    editor = await browser.get(f"{path}/edit")
    assert json.loads(editor.all("textarea")[0].text) == {"note": text, "order": "o-9"}


def test_each_string_is_set_apart_from_its_neighbours() -> None:
    html = str(showing.shown_json({"שלום": 'a "quoted" <b>', "n": [1, None, True]}))
    page = Page(f"<body>{html}</body>")
    assert [e.text for e in page.all("bdi")] == ['"שלום"', '"a \\"quoted\\" <b>"', '"n"']
    assert json.loads(page.text) == {"שלום": 'a "quoted" <b>', "n": [1, None, True]}


def test_what_nobody_sees_is_spelt() -> None:
    assert (
        showing.spell("a\u202eb\x00c\u00a0d\U000e0041 e\n")
        == "a\\u202eb\\u0000c\\u00a0d\\udb40\\udc41 e\\n"
    )
    assert str(showing.shown("<i>" + "x" * 20, 10)) == "<bdi>&lt;i&gt;xxxxxxx…</bdi>"


async def test_a_page_hears_that_something_changed(desk: Desk) -> None:
    person = await desk.person(approves="critical")
    browser = await desk.signed_in(person.token)
    async with browser.client.stream("GET", "/console/changes") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()

        async def changed() -> None:
            async with asyncio.timeout(30):
                async for line in lines:
                    if line == "event: changed":
                        return
            raise AssertionError("the stream ended")

        await changed()  # once at its beginning
        await desk.propose(note="secret of the action")
        await changed()


async def test_ids_that_are_none_are_a_page_too(desk: Desk) -> None:
    browser = await desk.as_service()
    for path in ("approvals/x", f"approvals/{new_id()}", f"outcomes/{new_id()}", "approvals?status=x"):
        answer = await browser.client.get(f"/console/{path}", headers={"accept": "text/html"})
        assert answer.status_code in {404, 422}
        assert Page(answer.text).all("p", role="alert")
