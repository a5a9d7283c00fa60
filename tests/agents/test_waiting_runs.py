"""Runs that wait for approval, and go on by themselves."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from stead.actions import Proposed, approving
from stead.agents import queries
from stead.agents.rescue import end_lost_run
from stead.assembly.database import DatabaseAccess
from tests.agents.offices import Office, calls, kinds, office_of, parts_of, refund
from tests.agents.vendors import messages_of, said_in, stored_text, tool_results_in
from tests.servers.script import Reply, ToolCall, Usage
from tests.support.people import Person, make_person, make_tenant, open_session, service
from tests.support.servers import frames_of, text_of

DONE = Reply(text=["Done."], usage=Usage(input_tokens=30, output_tokens=3))


@pytest_asyncio.fixture(scope="module")
async def office(access: DatabaseAccess) -> AsyncIterator[Office]:
    async with office_of(access) as found:
        yield found


@pytest_asyncio.fixture
async def session(office: Office, person: Person) -> str:
    office.effects.clear()
    office.gate.clear()
    return await open_session(office.client, person)


async def ask(office: Office, person: Person, session: str, *more: Reply) -> dict[str, Any]:
    """A refund that waits; the frame that asks for its approval."""
    office.script(calls(refund(), text="A moment."), *more)
    frames = await office.say(person, session, "Refund 25 for A-17.")
    asked = [f for f in frames if f["type"] == "tool-approval-request"]
    assert len(asked) == 1
    assert kinds(frames)[-3:] == ["tool-approval-request", "finish-step", "finish"]
    assert frames[-1]["messageMetadata"]["finishReason"] == "tool-approval"
    return asked[0]


async def runs_of(office: Office, person: Person, session: str) -> list[dict[str, Any]]:
    """Newest first."""
    return (await office.client.get(f"/api/session/{session}/runs", headers=person.headers)).json()


async def respond(
    office: Office,
    who: Person | dict[str, str],
    session: str,
    approval_id: str,
    approved: bool,
    **more: Any,
) -> Any:
    """What `useChat` sends when a person has decided."""
    part = {
        "type": "tool-refund",
        "toolCallId": "call_1",
        "state": "approval-responded",
        "input": {"order": "A-17", "amount": 25},
        "approval": {"id": approval_id, "approved": approved, **more},
    }
    messages = [
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Refund 25 for A-17."}]},
        {"id": "a1", "role": "assistant", "parts": [{"type": "step-start"}, part]},
    ]
    body = {"id": session, "messages": messages, "trigger": "submit-message", "agentId": "clerk"}
    headers = who if isinstance(who, dict) else who.headers
    async with office.client.stream("POST", "/api/chat", json=body, headers=headers) as answer:
        if answer.status_code != 200:
            await answer.aread()
            return answer
        return await frames_of(answer)


async def test_a_run_waits_and_goes_on_when_it_is_approved(
    office: Office, person: Person, session: str
) -> None:
    asked = await ask(office, person, session, DONE)
    (_, waiting) = await messages_of(office.running, person, session)
    (part,) = parts_of(waiting)
    assert (part["state"], part["approval"]) == ("approval-requested", {"id": asked["approvalId"]})
    assert part["input"] == {"order": "A-17", "amount": 25}
    nothing = await office.client.get(f"/api/chat/{session}/stream", headers=person.headers)
    assert nothing.status_code == 204
    async with office.worker():
        await office.go_on()
        assert (office.effects, len(office.models.requests)) == ([], 1)
        await office.vote(person, asked["approvalId"])
        await office.done(person.tenant)
    await office.go_on()
    assert office.effects == [("refund", {"order": "A-17", "amount": 25})]
    _, first, rest = await messages_of(office.running, person, session)
    (part,) = parts_of(first)
    assert (part["state"], part["output"]) == ("output-available", {"refunded": 25})
    assert part["approval"] == {"id": asked["approvalId"], "approved": True}
    assert (stored_text(rest), parts_of(rest)) == ("Done.", [])
    assert tool_results_in(office.models.requests[-1]) == ['{"refunded": 25.0}']
    again, begun = await runs_of(office, person, session)
    assert (begun["status"], begun["finish_reason"]) == ("completed", "tool-approval")
    assert (again["status"], again["finish_reason"]) == ("completed", "stop")
    # What the first run spent is not counted twice.
    assert (again["input_tokens"], again["output_tokens"]) == (30, 3)
    assert not await office.fetch(
        "select from stead.waiting_runs where tenant_id = $1", person.tenant.id
    )
    # The next message sees it all, once.
    office.script(Reply(text=["Yes."]))
    await office.say(person, session, "Is it done?")
    sent = office.models.requests[-1]
    assert tool_results_in(sent) == ['{"refunded": 25.0}']
    assert [text for role, text in said_in(sent) if role == "assistant"] == ["A moment.", "Done."]


async def test_a_rejection_is_told_with_its_reason(office: Office, person: Person, session: str) -> None:
    asked = await ask(office, person, session, Reply(text=["As you wish."]))
    await office.vote(person, asked["approvalId"], "reject", reason="too much")
    await office.go_on()
    _, first, rest = await messages_of(office.running, person, session)
    (part,) = parts_of(first)
    assert part["state"] == "output-denied"
    assert part["approval"]["approved"] is False
    assert stored_text(rest) == "As you wish."
    (told,) = tool_results_in(office.models.requests[-1])
    assert "rejected" in told
    assert "too much" in told
    assert office.effects == []


async def test_the_client_votes_in_the_conversation_and_sees_it_go_on(
    office: Office, person: Person, session: str
) -> None:
    asked = await ask(office, person, session, DONE)

    async def chore() -> None:
        while True:
            await office.runtime.go_on()

    async with office.worker():
        going = asyncio.create_task(chore())
        try:
            frames = await respond(office, person, session, asked["approvalId"], approved=True)
        finally:
            going.cancel()
    assert kinds(frames)[:5] == [
        "start", "tool-input-start", "tool-input-available", "tool-output-available", "start-step",
    ]  # fmt: skip
    assert (text_of(frames), kinds(frames)[-1]) == ("Done.", "finish")
    again = await respond(office, person, session, asked["approvalId"], approved=True)
    assert (again.status_code, again.json()["code"]) == (409, "approval_decided")
    assert len(office.effects) == 1


async def test_who_may_not_vote_does_not(office: Office, person: Person, session: str) -> None:
    asked = await ask(office, person, session)
    approval = asked["approvalId"]
    other = await make_person(office.db, person.tenant, "eve")
    # Another person's session is none to them; in their own session the approval is none.
    assert (await respond(office, other, session, approval, approved=True)).status_code == 404
    theirs = await open_session(office.client, other)
    assert (await respond(office, other, theirs, approval, approved=True)).status_code == 404
    mine = await open_session(office.client, person)
    elsewhere = await respond(office, person, mine, approval, approved=True)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "approval_unknown")
    broken = await respond(office, person, session, "no-id", approved=True)
    assert (broken.status_code, broken.json()["code"]) == (422, "request_invalid")
    await office.go_on()
    (row,) = await office.fetch(
        "select status, approvals from public.approvals where id = $1", uuid.UUID(approval)
    )
    assert row == {"status": "pending", "approvals": 0}


async def test_a_visitor_cannot_approve(office: Office, person: Person) -> None:
    opened = await office.client.post("/api/session", json={"orgId": person.tenant.slug})
    token, session = opened.json()["sessionToken"], opened.json()["sessionId"]
    headers = {"x-session-token": token}
    office.script(calls(refund()))
    async with office.client.stream(
        "POST",
        "/api/chat",
        json={"sessionId": session, "message": "Refund it.", "agentId": "clerk"},
        headers=headers,
    ) as answer:
        frames = await frames_of(answer)
    (asked,) = [f for f in frames if f["type"] == "tool-approval-request"]
    refused = await respond(office, headers, session, asked["approvalId"], approved=True)
    assert (refused.status_code, refused.json()["code"]) == (403, "approval_forbidden")
    # Somebody who may does: the visitor's run goes on in the visitor's name.
    boss = await make_person(office.db, person.tenant, "boss")
    await office.may_approve(boss)
    office.script(DONE)
    office.effects.clear()
    async with office.worker():
        await office.vote(boss, asked["approvalId"])
        await office.done(person.tenant)
    await office.go_on()
    found = await office.client.get(f"/api/session/{session}/messages", headers=headers)
    assert [stored_text(m) for m in found.json()["items"]][-1] == "Done."


async def test_where_it_takes_two_the_stream_ends_after_the_first(
    office: Office, person: Person, session: str
) -> None:
    await office.policy(person.tenant, tiers={"high": {"verdict": "approval", "quorum": 2}})
    asked = await ask(office, person, session)
    one, two = await make_person(office.db, person.tenant), await make_person(office.db, person.tenant)
    await office.may_approve(one)
    await office.may_approve(two)
    own = await respond(office, person, session, asked["approvalId"], approved=True)
    assert (own.status_code, own.json()["code"]) == (403, "approval_forbidden")
    await office.vote(one, asked["approvalId"])
    await office.go_on()
    office.script(DONE)
    async with office.worker():
        await office.vote(two, asked["approvalId"])
        await office.done(person.tenant)
    await office.go_on()
    assert len(office.effects) == 1


async def test_the_session_is_free_meanwhile(office: Office, person: Person, session: str) -> None:
    asked = await ask(office, person, session)
    office.script(Reply(text=["Lovely."]))
    frames = await office.say(person, session, "How is the weather?")
    assert text_of(frames) == "Lovely."
    assert any(
        "waits for a person's approval" in told for told in tool_results_in(office.models.requests[-1])
    )
    office.script(DONE)
    await office.vote(person, asked["approvalId"], "reject")
    await office.go_on()
    said = [stored_text(m) for m in await messages_of(office.running, person, session)]
    assert said == ["Refund 25 for A-17.", "A moment.", "How is the weather?", "Lovely.", "Done."]


async def test_it_does_not_go_on_while_the_session_answers(
    office: Office, person: Person, session: str
) -> None:
    asked = await ask(office, person, session)
    begun = asyncio.Event()
    office.script(Reply(text=[lambda: begun.set() or "One ", "two."], delay_each_s=0.3), DONE)  # type: ignore[func-returns-value]
    saying = asyncio.create_task(office.say(person, session, "Count."))
    await asyncio.wait_for(begun.wait(), 30)
    await office.vote(person, asked["approvalId"], "reject")
    while not saying.done():
        await office.runtime.go_on()
        running = await office.fetch(
            "select count(*) as n from public.agent_runs where session_id = $1 and status = 'running'",
            uuid.UUID(session),
        )
        assert running[0]["n"] <= 1
    await saying
    await until_said(office, person, session, "Done.")


async def until_said(office: Office, person: Person, session: str, words: str) -> None:
    """Goes on until the last message says that."""
    async with asyncio.timeout(30):
        while True:
            await office.go_on()
            if stored_text((await messages_of(office.running, person, session))[-1]) == words:
                return


async def test_what_was_changed_before_it_ran_is_told(
    office: Office, person: Person, session: str
) -> None:
    asked = await ask(office, person, session, DONE)
    boss = await make_person(office.db, person.tenant, "boss")
    await office.may_approve(boss)
    theirs = service(person.tenant)
    (row,) = await office.fetch(
        "select envelope_id from public.approvals where id = $1", uuid.UUID(asked["approvalId"])
    )
    async with office.db.transaction(theirs) as tx:
        edited = await approving.edit(tx, theirs, row["envelope_id"], {"order": "A-17", "amount": 5})
    async with office.worker():
        assert isinstance(edited, Proposed)
        await office.vote(boss, str(edited.approval_id))
        await office.done(person.tenant)
    await office.go_on()
    assert office.effects == [("refund", {"order": "A-17", "amount": 5})]
    (told,) = tool_results_in(office.models.requests[-1])
    assert "changed the arguments" in told
    assert '"amount": 5' in told


async def test_two_calls_wait_and_one_goes_on_only_with_both(
    office: Office, person: Person, session: str
) -> None:
    office.script(calls(refund(1, "c1"), refund(2, "c2")), DONE)
    frames = await office.say(person, session, "Two refunds.")
    one, two = (f["approvalId"] for f in frames if f["type"] == "tool-approval-request")
    async with office.worker():
        await office.vote(person, one, "reject")
        await office.go_on()
        assert len(office.models.requests) == 1
        await office.vote(person, two)
        await office.done(person.tenant)
    await office.go_on()
    _, first, rest = await messages_of(office.running, person, session)
    assert [p["state"] for p in parts_of(first)] == ["output-denied", "output-available"]
    assert stored_text(rest) == "Done."
    assert [e[1]["amount"] for e in office.effects] == [2]


async def test_a_run_that_goes_on_may_wait_again(office: Office, person: Person, session: str) -> None:
    asked = await ask(office, person, session, calls(refund(7, "call_2")))
    async with office.worker():
        await office.vote(person, asked["approvalId"])
        await office.done(person.tenant)
        await office.go_on()
        (row,) = await office.fetch(
            "select calls from stead.waiting_runs where tenant_id = $1", person.tenant.id
        )
        office.script(DONE)
        (second,) = await office.fetch(
            "select id from public.approvals where tenant_id = $1 and status = 'pending'",
            person.tenant.id,
        )
        assert str(second["id"]) in row["calls"]
        await office.vote(person, str(second["id"]))
        await office.done(person.tenant, 2)
    await office.go_on()
    assert [e[1]["amount"] for e in office.effects] == [25, 7]
    messages = await messages_of(office.running, person, session)
    assert stored_text(messages[-1]) == "Done."
    assert tool_results_in(office.models.requests[-1]) == ['{"refunded": 25.0}', '{"refunded": 7.0}']


async def test_what_takes_too_long_is_waited_for_without_the_run(access: DatabaseAccess) -> None:
    async with office_of(access, patience_s=0.2) as office:
        tenant = await make_tenant(access)
        person = await make_person(office.db, tenant)
        session = await open_session(office.client, person)
        await office.policy(tenant, trust_threshold=0)
        office.script(calls(ToolCall(name="slow", arguments={"text": "it"})), DONE)
        async with office.worker():
            frames = await office.say(person, session, "Slowly.")
            assert frames[-1]["messageMetadata"]["finishReason"] == "tool-approval"
            assert "tool-approval-request" not in kinds(frames)
            office.gate.set()
            await office.done(tenant)
        await office.go_on()
        _, first, rest = await messages_of(office.running, person, session)
        assert parts_of(first)[0]["output"] == "at last: it"
        assert stored_text(rest) == "Done."


async def test_regenerating_withdraws_what_was_asked_for(
    office: Office, person: Person, session: str
) -> None:
    asked = await ask(office, person, session)
    office.script(Reply(text=["Rather not."]))
    body = {"id": session, "trigger": "regenerate-message", "agentId": "clerk", "messages": []}
    async with office.client.stream("POST", "/api/chat", json=body, headers=person.headers) as answer:
        assert text_of(await frames_of(answer)) == "Rather not."
    await office.go_on()
    (row,) = await office.fetch(
        "select o.status from public.outbox o join public.approvals a on a.envelope_id = o.id where a.id = $1",
        uuid.UUID(asked["approvalId"]),
    )
    assert row["status"] == "cancelled"
    assert not await office.fetch(
        "select from stead.waiting_runs where tenant_id = $1", person.tenant.id
    )


async def test_a_state_that_cannot_be_read_ends_the_run_and_keeps_the_result(
    office: Office, person: Person, session: str
) -> None:
    asked = await ask(office, person, session)
    await office.fetch(
        "update stead.waiting_runs set state = replace(state, '$schemaVersion', 'schema'), sdk_version = '0.1'"
        " where tenant_id = $1",
        person.tenant.id,
    )
    async with office.worker():
        await office.vote(person, asked["approvalId"])
        await office.done(person.tenant)
    await office.go_on()
    run = (await runs_of(office, person, session))[0]
    assert (run["status"], run["error"]["code"]) == ("failed", "run_state_unreadable")
    assert "0.1" in run["error"]["message"]
    _, first, *rest = await messages_of(office.running, person, session)
    assert parts_of(first)[0]["output"] == {"refunded": 25}
    assert rest == []
    await office.go_on()
    assert len(await runs_of(office, person, session)) == 2


@pytest.mark.parametrize("proposed_more", [False, True])
async def test_a_process_that_dies_while_it_goes_on(
    office: Office, person: Person, session: str, proposed_more: bool
) -> None:
    """Another one goes on from the same place; but not where something was proposed meanwhile: that would be done
    twice."""
    asked = await ask(office, person, session)
    await office.policy(person.tenant, trust_threshold=0)
    begun = asyncio.Event()
    late = Reply(text=["Half ", lambda: begun.set() or "way.", "End."], delay_each_s=0.5)  # type: ignore[func-returns-value]
    if proposed_more:
        office.script(calls(ToolCall(name="note", arguments={"text": "more"}, call_id="call_2")), late)
    else:
        office.script(late)
    async with office.worker():
        await office.vote(person, asked["approvalId"])
        await office.done(person.tenant)
        await office.runtime.go_on()
        await asyncio.wait_for(begun.wait(), 30)
        # Another process takes over what this one is at, as if it had fallen silent.
        run = (await runs_of(office, person, session))[0]
        heir = uuid.uuid4()
        await office.fetch(
            "insert into stead.processes (id, kind, host, pid) values ($1, 'worker', 'h', 1)", heir
        )
        await office.fetch(
            "update public.agent_runs set process_id = $2 where id = $1", uuid.UUID(run["id"]), heir
        )
        await end_lost_run(office.db, heir, person.tenant.id, uuid.UUID(run["id"]))
        office.script(DONE)
        await office.at_rest()
        if proposed_more:
            await office.go_on()
            last = (await runs_of(office, person, session))[0]
            assert (last["id"], last["status"]) == (run["id"], "failed")
            rest = (await messages_of(office.running, person, session))[-1]
            assert parts_of(rest)[0]["output"] == "noted: more"
            assert office.effects[1:] == [("note", "more")]
        else:
            await until_said(office, person, session, "Done.")
            assert [r["status"] for r in await runs_of(office, person, session)] == [
                "completed", "failed", "completed",
            ]  # fmt: skip
    assert [e[0] for e in office.effects][:1] == ["refund"]
    assert [e[0] for e in office.effects].count("refund") == 1
    assert not await office.fetch(
        "select from stead.waiting_runs where tenant_id = $1", person.tenant.id
    )


async def test_only_one_process_goes_on(office: Office, person: Person, session: str) -> None:
    asked = await ask(office, person, session, DONE)
    await office.vote(person, asked["approvalId"], "reject")
    async with office_of(office.access) as other:
        other.script(DONE)
        await asyncio.gather(*(o.go_on() for o in (office, other, office, other)))
        assert len(office.models.requests) - 1 + len(other.models.requests) == 1
    assert len(await runs_of(office, person, session)) == 2


async def test_a_session_that_ended_keeps_the_result_and_no_more(
    office: Office, person: Person, session: str
) -> None:
    asked = await ask(office, person, session)
    await office.client.post(f"/agents/sessions/{session}/close", headers=person.headers)
    async with office.worker():
        await office.vote(person, asked["approvalId"])
        await office.done(person.tenant)
    await office.go_on()
    run = (await runs_of(office, person, session))[0]
    assert (run["status"], run["error"]["code"]) == ("failed", "session_ended")
    first = (await messages_of(office.running, person, session))[-1]
    assert parts_of(first)[0]["output"] == {"refunded": 25}
    assert len(office.models.requests) == 1


async def test_forgetting_takes_the_state_along(office: Office, person: Person, session: str) -> None:
    await ask(office, person, session)
    (row,) = await office.fetch(
        "select state, run_id from stead.waiting_runs where tenant_id = $1", person.tenant.id
    )
    assert "Refund 25" in row["state"]
    async with office.db.transaction(person.principal.served()) as tx:
        held = await queries.lock_waiting(tx, person.tenant.id, row["run_id"])
    assert held is not None
    answer = await office.client.post(
        "/agents/memories/forget", json={"session_id": session}, headers=person.headers
    )
    assert answer.status_code == 200, answer.text
    assert not await office.fetch(
        "select from stead.waiting_runs where tenant_id = $1", person.tenant.id
    )


async def test_a_process_that_is_stopped_leaves_it_to_the_next(
    office: Office, person: Person, session: str
) -> None:
    """Not by force, and in the midst of the answer: what was half said is nobody's message."""
    asked = await ask(office, person, session)
    await office.vote(person, asked["approvalId"], "reject")
    begun = asyncio.Event()
    async with office_of(office.access, drain_s=0.1) as other:
        other.script(Reply(text=["Half ", lambda: begun.set() or "way.", "End."], delay_each_s=0.5))  # type: ignore[func-returns-value]
        await other.runtime.go_on()
        await asyncio.wait_for(begun.wait(), 30)
    assert [r["status"] for r in await runs_of(office, person, session)] == ["failed", "completed"]
    office.script(DONE)
    await until_said(office, person, session, "Done.")
    said = [stored_text(m) for m in await messages_of(office.running, person, session)]
    assert said == ["Refund 25 for A-17.", "A moment.", "Done."]
