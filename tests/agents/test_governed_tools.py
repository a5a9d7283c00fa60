"""Governed tools in runs: proposed, never run there; what they came to is told to the model and to the client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.agents.offices import Office, calls, kinds, office_of, parts_of, refund
from tests.agents.vendors import messages_of, tool_results_in
from tests.servers.script import Reply, ToolCall
from tests.support.people import Person, make_person, open_session
from tests.support.servers import text_of

DONE = Reply(text=["Done."])


@pytest_asyncio.fixture(scope="module")
async def office(access: DatabaseAccess) -> AsyncIterator[Office]:
    async with office_of(access) as found:
        yield found


@pytest_asyncio.fixture
async def session(office: Office, person: Person) -> str:
    office.effects.clear()
    return await open_session(office.client, person)


async def test_what_is_allowed_is_done_by_a_worker_within_the_run(
    office: Office, person: Person, session: str
) -> None:
    await office.policy(person.tenant, trust_threshold=0)
    office.script(calls(ToolCall(name="note", arguments={"text": "milk"})), DONE)
    async with office.worker():
        frames = await office.say(person, session, "Note milk.")
    assert text_of(frames) == "Done."
    (told,) = [f for f in frames if f["type"] == "tool-output-available"]
    assert told["output"] == "noted: milk"
    assert office.effects == [("note", "milk")]
    assert tool_results_in(office.models.requests[-1]) == ["noted: milk"]
    (envelope,) = await office.fetch(
        "select * from public.outbox where tenant_id = $1", person.tenant.id
    )
    run = frames[0]["messageMetadata"]["runId"]
    assert (str(envelope["run_id"]), str(envelope["session_id"])) == (run, session)
    assert envelope["external_id"] == f"run:{run}:call_1"
    assert (envelope["proposed_by"], envelope["proposer_id"]) == ("agent:clerk", person.id)
    assert envelope["by_agent"]


async def test_schemas_come_from_the_catalogue_and_what_it_lacks_is_not_offered(
    office: Office, person: Person, session: str
) -> None:
    office.script(DONE)
    await office.say(person, session, "Hello.")
    offered = {tool["name"]: tool for tool in office.models.requests[0].body["tools"]}
    assert sorted(offered) == ["add", "broken", "mail", "note", "refund", "slow"]
    assert offered["refund"]["parameters"]["required"] == ["order", "amount"]
    assert offered["refund"]["description"].startswith("Gives money back.")


async def test_what_a_policy_denies_is_an_error_that_the_model_reads(
    office: Office, person: Person, session: str
) -> None:
    await office.policy(person.tenant, kill_switch={"tools": ["refund"]})
    office.script(calls(refund()), Reply(text=["Sorry."]))
    frames = await office.say(person, session, "Refund it.")
    (told,) = [f for f in frames if f["type"] == "tool-output-error"]
    assert "refused and not done" in told["errorText"]
    assert tool_results_in(office.models.requests[-1]) == [told["errorText"]]
    assert (text_of(frames), office.effects) == ("Sorry.", [])
    (_, answer) = await messages_of(office.running, person, session)
    assert parts_of(answer)[0]["state"] == "output-error"


async def test_arguments_that_do_not_fit_are_told_to_the_model_at_once(
    office: Office, person: Person, session: str
) -> None:
    wrong = ToolCall(name="refund", arguments={"order": 7, "more": True})
    office.script(calls(wrong), Reply(text=["Sorry."]))
    frames = await office.say(person, session, "Refund it.")
    (told,) = [f for f in frames if f["type"] == "tool-output-error"]
    assert "/order: must be of type string" in told["errorText"]
    assert "lacks amount" in told["errorText"]
    assert "tool-approval-request" not in kinds(frames)


@pytest.mark.parametrize("arguments", ["{", "[1]", "", '{"text": NaN}'])
async def test_arguments_that_are_no_object_hold_nothing_up(
    office: Office, person: Person, session: str, arguments: str
) -> None:
    office.script(calls(ToolCall(name="note", arguments=arguments)), DONE)
    frames = await office.say(person, session, "Note milk.")
    assert [f["type"] for f in frames if f["type"].startswith("tool-output")] == ["tool-output-error"]
    assert text_of(frames) == "Done."
    assert "no JSON object" in tool_results_in(office.models.requests[-1])[0]
    assert not await office.fetch("select from public.outbox where tenant_id = $1", person.tenant.id)


async def test_a_tool_that_fails_without_an_effect_known_leaves_the_run_waiting(
    office: Office, person: Person, session: str
) -> None:
    """What it did nobody knows: a person looks, and says so; it is not done again."""
    await office.policy(person.tenant, trust_threshold=0)
    office.script(calls(ToolCall(name="broken")))
    async with office.worker():
        frames = await office.say(person, session, "Break it.")
    assert frames[-1]["messageMetadata"]["finishReason"] == "tool-approval"
    assert "tool-approval-request" not in kinds(frames)
    (envelope,) = await office.fetch(
        "select status, attempts from public.outbox where tenant_id = $1", person.tenant.id
    )
    assert envelope == {"status": "outcome_unknown", "attempts": 1}


async def test_direct_and_governed_tools_side_by_side(
    office: Office, person: Person, session: str
) -> None:
    await office.policy(person.tenant, trust_threshold=0)
    office.script(
        calls(
            ToolCall(name="add", arguments={"a": 1, "b": 2}, call_id="c1"),
            ToolCall(name="note", arguments={"text": "one"}, call_id="c2"),
            ToolCall(name="note", arguments={"text": "two"}, call_id="c3"),
        ),
        DONE,
    )
    async with office.worker():
        frames = await office.say(person, session, "Do it all.")
    outputs = {f["toolCallId"]: f["output"] for f in frames if f["type"] == "tool-output-available"}
    assert outputs == {"c1": 3, "c2": "noted: one", "c3": "noted: two"}
    assert sorted(office.effects) == [("note", "one"), ("note", "two")]


async def test_a_key_that_is_used_for_something_else_is_refused(
    office: Office, person: Person, session: str
) -> None:
    """A model may give two calls one id: the second one is no action of its own."""
    await office.policy(person.tenant, trust_threshold=0)
    office.script(
        calls(ToolCall(name="note", arguments={"text": "one"})),
        calls(ToolCall(name="note", arguments={"text": "two"})),
        DONE,
    )
    async with office.worker():
        await office.say(person, session, "Twice.")
    assert office.effects == [("note", "one")]


async def test_a_tool_acts_through_the_account_of_whom_it_works_for(
    office: Office, person: Person, session: str
) -> None:
    await office.policy(person.tenant, trust_threshold=0)
    other = await make_person(office.db, person.tenant, "eve")

    async def connect(whose: Person | None, name: str) -> None:
        await office.fetch(
            """
            insert into public.connected_accounts
              (tenant_id, profile_id, provider, toolkit, external_id, status, scopes)
            values ($1, $2, 'composio', 'mail', $3, 'active', '{mail:send,mail:read}')
            """,
            person.tenant.id,
            whose.id if whose else None,
            f"{name}-{person.tenant.slug}",
        )

    sending = calls(ToolCall(name="mail", arguments={"to": "bob"}))
    async with office.worker():
        await connect(other, "eves")
        office.script(sending, Reply(text=["No."]))
        await office.say(person, session, "Mail Bob.")
        # Another person's is never taken, and without one it is not done.
        assert office.effects == []
        for name, whose in (("ours", None), ("mine", person)):
            await connect(whose, name)
            office.script(sending, DONE)
            await office.say(person, session, "Mail Bob.")
            assert office.effects[-1] == ("mail", ("bob", f"{name}-{person.tenant.slug}"))
