"""Approvals on pages: seen as they will run, voted on once, changed first."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from stead.actions import approvers, approving
from stead.assembly.database import DatabaseAccess
from tests.console.conftest import EFFECTS, Browser, Desk, Page
from tests.support.people import Person, make_person


async def _approver(desk: Desk) -> tuple[Person, Browser]:
    person = await desk.person(approves="critical")
    return person, await desk.signed_in(person.token)


async def test_an_approver_sees_what_will_run_and_approves_it(desk: Desk) -> None:
    proposed = await desk.propose(order="o-77", amount=12.5)
    person, browser = await _approver(desk)
    waiting = await browser.get("/console")
    path = f"/console/approvals/{proposed.approval_id}"
    assert waiting.all("a", href=path)
    shown = await browser.get(path)
    assert json.loads(shown.all("pre")[0].text) == {"order": "o-77", "amount": 12.5}
    assert shown.hidden()["digest"] == proposed.envelope.digest.hex()
    answer = await browser.submit(path, f"{path}/vote", vote="approve")
    assert answer.headers["location"] == f"{path}?done=voted"
    assert (await desk.envelope(proposed)).status == "pending"
    after = await browser.get(f"{path}?done=voted")
    assert str(person.id) in after.text
    async with desk.working():
        await desk.until(proposed, "succeeded")
    assert EFFECTS.count("o-77") == 1
    assert "the action is succeeded" in (await browser.get(path)).text
    assert not after.all("form", action=f"{path}/vote")


async def test_a_form_that_is_sent_twice_counts_once_and_says_so(desk: Desk) -> None:
    proposed = await desk.propose()
    _, browser = await _approver(desk)
    path = f"/console/approvals/{proposed.approval_id}"
    fields = {**(await browser.get(path)).hidden(), "vote": "approve"}
    assert (await browser.post(f"{path}/vote", fields)).status_code == 303
    again = await browser.post(f"{path}/vote", fields)
    assert again.status_code == 409
    assert "approved" in Page(again.text).all("p", role="alert")[0].text
    async with desk.db.transaction(desk.service, read_only=True) as tx:
        assert proposed.approval_id is not None
        assert len(await approving.ballots(tx, desk.service, proposed.approval_id)) == 1


async def test_who_proposed_it_does_not_approve_it(desk: Desk) -> None:
    person, browser = await _approver(desk)
    proposed = await desk.propose(person.principal)
    path = f"/console/approvals/{proposed.approval_id}"
    assert "somebody else has to approve it" in (await browser.get(path)).text
    answer = await browser.submit(path, f"{path}/vote", vote="approve")
    assert answer.status_code == 403
    assert "nobody approves what they proposed" in Page(answer.text).text
    assert (await desk.envelope(proposed)).status == "awaiting_approval"


async def test_a_service_sees_but_does_not_vote(desk: Desk) -> None:
    proposed = await desk.propose()
    browser = await desk.as_service()
    path = f"/console/approvals/{proposed.approval_id}"
    page = await browser.get(path)
    assert "Only a person can vote" in page.text
    fields = {**page.hidden(), "digest": proposed.envelope.digest.hex(), "vote": "approve"}
    assert (await browser.post(f"{path}/vote", fields)).status_code == 403


async def test_rejecting_needs_a_reason(desk: Desk) -> None:
    proposed = await desk.propose()
    _, browser = await _approver(desk)
    path = f"/console/approvals/{proposed.approval_id}"
    assert (await browser.submit(path, f"{path}/vote", vote="reject", reason=" ")).status_code == 422
    assert (await desk.envelope(proposed)).status == "awaiting_approval"
    answer = await browser.submit(path, f"{path}/vote", vote="reject", reason="not this <b>one</b>")
    assert answer.status_code == 303
    envelope = await desk.envelope(proposed)
    assert (envelope.status, envelope.last_error) == ("rejected", "it was rejected")
    page = await browser.get(path)
    assert "not this <b>one</b>" in page.text
    assert not page.all("b")


async def test_a_vote_is_on_what_the_page_showed(desk: Desk) -> None:
    proposed = await desk.propose()
    _, browser = await _approver(desk)
    path = f"/console/approvals/{proposed.approval_id}"
    answer = await browser.submit(path, f"{path}/vote", vote="approve", digest="00" * 32)
    assert answer.status_code == 409
    assert (await desk.envelope(proposed)).status == "awaiting_approval"


async def test_changed_first_and_then_approved(desk: Desk) -> None:
    proposed = await desk.propose(amount=1000)
    _, browser = await _approver(desk)
    path = f"/console/approvals/{proposed.approval_id}/edit"
    editor = await browser.get(path)
    assert json.loads(editor.all("textarea")[0].text) == {"order": "o-1", "amount": 1000}
    fields = {**editor.hidden(), "arguments": '{"order": "o-1", "amount": 10}'}
    answer = await browser.post(path, fields)
    assert answer.status_code == 303, answer.text
    new = answer.headers["location"].partition("?")[0]
    assert str(proposed.approval_id) not in new
    assert json.loads((await browser.get(new)).all("pre")[0].text) == {"order": "o-1", "amount": 10}
    # The old one is about arguments that are gone, and its editor's form is of another version.
    assert "its arguments are gone" in (await browser.get(path.removesuffix("/edit"))).text
    assert (await browser.post(path, fields)).status_code == 409
    assert (await browser.submit(new, f"{new}/vote", vote="approve")).status_code == 303
    envelope = await desk.envelope(proposed)
    assert (envelope.status, envelope.arguments["amount"]) == ("pending", 10)


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"nothing": 1}', '{"order": 1}', '{"order": NaN}', "[" * 5000]
)
async def test_what_cannot_be_changed_is_told_beside_what_was_typed(desk: Desk, text: str) -> None:
    proposed = await desk.propose()
    _, browser = await _approver(desk)
    path = f"/console/approvals/{proposed.approval_id}/edit"
    answer = await browser.submit(path, path, arguments=text)
    assert answer.status_code == 422
    page = Page(answer.text)
    assert page.all("div", role="alert")
    assert page.all("textarea")[0].text.strip() == text
    assert (await desk.envelope(proposed)).version == 1


async def test_who_may_not_approve_a_tier_does_not_change_it(desk: Desk) -> None:
    proposed = await desk.propose()
    person = await desk.person(approves="low")
    browser = await desk.signed_in(person.token)
    path = f"/console/approvals/{proposed.approval_id}/edit"
    answer = await browser.submit(path, path, arguments='{"order": "mine"}')
    assert answer.status_code == 403
    assert (await desk.envelope(proposed)).arguments == {"order": "o-1"}


async def test_people_who_are_no_approvers_see_their_own_only(desk: Desk) -> None:
    somebody = await desk.person()
    theirs = await desk.propose(somebody.principal)
    other = await desk.propose()
    browser = await desk.signed_in(somebody.token)
    page = await browser.get("/console/approvals")
    assert page.all("a", href=f"/console/approvals/{theirs.approval_id}")
    assert not page.all("a", href=f"/console/approvals/{other.approval_id}")
    await browser.get(f"/console/approvals/{other.approval_id}", status=404)


async def test_another_tenant_sees_and_does_nothing(
    desk: Desk, access: DatabaseAccess, stranger: Person
) -> None:
    proposed = await desk.propose()
    theirs = Desk(desk.running, desk.access, desk.db, stranger.tenant, desk.stack)
    approver = await theirs.person(approves="critical")
    path = f"/console/approvals/{proposed.approval_id}"
    for browser in (await theirs.signed_in(approver.token), await theirs.as_service()):
        await browser.get(path, status=404)
        await browser.get(f"{path}/edit", status=404)
        assert str(proposed.approval_id) not in (await browser.get("/console/approvals")).html
        form = (await browser.get("/console")).hidden()["form"]
        digest = proposed.envelope.digest.hex()
        fields = {"form": form, "digest": digest, "vote": "approve", "arguments": '{"order": "x"}'}
        assert (await browser.post(f"{path}/vote", fields)).status_code == 404
        assert (await browser.post(f"{path}/edit", fields)).status_code == 404
    envelope = await desk.envelope(proposed)
    assert (envelope.status, envelope.version) == ("awaiting_approval", 1)


async def test_an_approver_votes_for_who_delegated_to_them(desk: Desk) -> None:
    absent = await desk.person(approves="critical")
    deputy = await make_person(desk.db, desk.tenant)
    async with desk.db.transaction(absent.principal.served()) as tx:
        until = datetime.now(UTC) + timedelta(days=1)
        await approvers.delegate(tx, absent.principal.served(), deputy.id, ends_at=until)
    proposed = await desk.propose()
    browser = await desk.signed_in(deputy.token)
    path = f"/console/approvals/{proposed.approval_id}"
    assert (await browser.get(path)).all("option", value=str(absent.id))
    answer = await browser.submit(path, f"{path}/vote", vote="approve", counts_for=str(absent.id))
    assert answer.status_code == 303, answer.text
    assert (await desk.envelope(proposed)).status == "pending"
