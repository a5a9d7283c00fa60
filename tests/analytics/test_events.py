"""Events that are sent, and those that the server records itself."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stead.db import Database
from tests.analytics.conftest import Records, Shop, event, step, visit
from tests.support.people import make_person, make_tenant, service_headers
from tests.support.servers import say

PATH = "/api/events"


async def test_a_batch_is_taken_once_however_often_it_is_sent(shop: Shop, records: Records) -> None:
    session, holder = await visit(shop.client, shop.tenant)
    first = step(session)
    batch = [first, event("phase.started", session, phase=1), first]
    answers = [
        (await shop.client.post(PATH, json={"events": batch}, headers=holder)).json() for _ in range(2)
    ]
    assert answers == [{"accepted": 2, "repeated": 1}, {"accepted": 0, "repeated": 3}]
    mine = [e for e in await records.events(shop.tenant) if str(e["session_id"]) == session]
    assert {(e["name"], e["origin"]) for e in mine} == {
        ("session.created", "server"), ("step.viewed", "browser"), ("phase.started", "browser")
    }  # fmt: skip
    viewed = next(e for e in mine if e["name"] == "step.viewed")
    assert viewed["properties"] == {"phase": "one", "step": "first", "stepType": "question"}
    assert (viewed["phase"], viewed["step"], viewed["forward_at"]) == ("one", "first", None)
    assert next(e for e in mine if e["name"] == "phase.started")["phase"] == "1"


@pytest.mark.parametrize(
    "told",
    [
        event("chat.message_received", "?", responseLength=3, latency=5),
        event("session.created", "?", orgId="x"),
        event("conversion.checkout_completed", "?", amount=1_000_000),
        event("conversion.call_booked", None, calendlyUrl="https://calendly.com/x"),
    ],
    ids=lambda told: told["event"],
)
async def test_what_only_a_server_knows_is_taken_of_a_server(
    shop: Shop, records: Records, db: Database, told: dict[str, Any]
) -> None:
    session, holder = await visit(shop.client, shop.tenant)
    person = await make_person(db, shop.tenant)
    if "sessionId" in told["properties"]:
        told = {**told, "properties": {**told["properties"], "sessionId": session}}
    for headers in (holder, person.headers):
        answer = await shop.client.post(PATH, json={"events": [step(session), told]}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "event_not_yours")
    by_server = await shop.client.post(
        PATH, json={"events": [told]}, headers=service_headers(shop.tenant)
    )
    assert by_server.json() == {"accepted": 1, "repeated": 0}
    kept = [e for e in await records.events(shop.tenant, told["event"]) if str(e["id"]) == told["id"]]
    assert [e["origin"] for e in kept] == ["server"]
    to_be_sent_on = told["event"] != "session.created"
    assert [e["forward_at"] is not None for e in kept] == [to_be_sent_on]
    audited = [a for a in await records.audited(shop.tenant, told["event"])
               if a["payload"] == {"event_id": told["id"], "provider": "server"}]  # fmt: skip
    assert len(audited) == to_be_sent_on


async def test_a_batch_with_a_session_of_others_is_taken_as_a_whole_or_not(
    shop: Shop, records: Records, db: Database
) -> None:
    session, holder = await visit(shop.client, shop.tenant)
    other, _ = await visit(shop.client, shop.tenant)
    elsewhere, _ = await visit(shop.client, shop.rival)
    person = await make_person(db, shop.tenant)
    before = len(await records.events(shop.tenant)), len(await records.events(shop.rival))
    for headers, theirs in (
        (holder, other),
        (holder, elsewhere),
        (holder, str(uuid.uuid4())),
        (person.headers, session),
        (service_headers(shop.tenant), elsewhere),
    ):
        own = session if headers is not person.headers else theirs
        answer = await shop.client.post(
            PATH, json={"events": [step(own), step(theirs)]}, headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "event_session_unknown")
    assert (len(await records.events(shop.tenant)), len(await records.events(shop.rival))) == before
    # The same id in another tenant is another event, and nobody learns that it is taken.
    same = step(session)
    assert (await shop.client.post(PATH, json={"events": [same]}, headers=holder)).status_code == 200
    moved = {**same, "properties": {**same["properties"], "sessionId": elsewhere}}
    answer = await shop.client.post(PATH, json={"events": [moved]}, headers=service_headers(shop.rival))
    assert answer.json() == {"accepted": 1, "repeated": 0}


SESSION = "8c0a3f3e-7a55-4c11-9e3e-0c1d3c6a0f01"


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({**step(SESSION), "event": "step.skipped"}, "events.0"),
        ({**step(SESSION), "event": "session.stolen'; --"}, "events.0"),
        (event("step.viewed", SESSION, phase="one", stepType="x"), "step"),
        (step(SESSION, note="x"), "note"),
        (step(SESSION, name=""), "step"),
        (step(SESSION, name="x" * 101), "step"),
        (step(SESSION, phase=1.5), "phase"),
        (step(SESSION, phase=True), "phase"),
        (event("chat.message_sent", SESSION, messageLength=-1), "messageLength"),
        (event("chat.message_sent", SESSION, messageLength="9"), "messageLength"),
        (event("phase.started", "not-an-id", phase="one"), "sessionId"),
        (step(SESSION, id="11eeefd8-df8d-89fd-b5e2-c1847236e845"), "id"),
        (step(SESSION, at="2026-11-21T10:00:00"), "timestamp"),
    ],
)
async def test_what_is_not_in_the_catalogue_is_refused_and_said(
    shop: Shop, told: dict[str, Any], where: str
) -> None:
    _, holder = await visit(shop.client, shop.tenant)
    answer = await shop.client.post(PATH, json={"events": [told]}, headers=holder)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), answer.text
    assert where in str(answer.json()["errors"])


async def test_a_batch_has_a_bound_and_a_sender(shop: Shop) -> None:
    session, holder = await visit(shop.client, shop.tenant)
    for events in ([], [step(session) for _ in range(101)]):
        answer = await shop.client.post(PATH, json={"events": events}, headers=holder)
        assert answer.status_code == 422
    full = await shop.client.post(
        PATH, json={"events": [step(session) for _ in range(100)]}, headers=holder
    )
    assert full.json() == {"accepted": 100, "repeated": 0}
    nobody = await shop.client.post(PATH, json={"events": [step(session)]})
    assert (nobody.status_code, nobody.json()["code"]) == (401, "credentials_missing")


async def test_a_sender_has_so_many_batches_a_minute(shop: Shop) -> None:
    session, holder = await visit(shop.client, shop.tenant)
    again = {"events": [step(session)]}
    seen = [(await shop.client.post(PATH, json=again, headers=holder)).status_code for _ in range(61)]
    assert seen == [200] * 60 + [429]
    # Others are not held up.
    other, its_holder = await visit(shop.client, shop.tenant)
    answer = await shop.client.post(PATH, json={"events": [step(other)]}, headers=its_holder)
    assert answer.status_code == 200


async def test_times_are_within_the_session_and_not_ahead(shop: Shop, records: Records) -> None:
    session, holder = await visit(shop.client, shop.tenant)
    now = datetime.now(UTC)
    # A clock that is a day slow, and says so.
    slow = now - timedelta(days=1)
    sent = {
        "events": [step(session, at=(slow + timedelta(minutes=-1)).isoformat(), name="corrected"),
                   step(session, at=(slow + timedelta(days=3)).isoformat(), name="ahead")],
        "sentAt": slow.isoformat(),
    }  # fmt: skip
    assert (await shop.client.post(PATH, json=sent, headers=holder)).status_code == 200
    unsaid = {"events": [step(session, at=slow.isoformat(), name="before the session"),
                         step(session, at="9999-12-31T23:59:59+00:00", name="at the end of time")]}  # fmt: skip
    assert (await shop.client.post(PATH, json=unsaid, headers=holder)).status_code == 200
    rows = [e for e in await records.events(shop.tenant) if str(e["session_id"]) == session]
    opened = next(e["occurred_at"] for e in rows if e["name"] == "session.created")
    for row in rows:
        assert opened <= row["occurred_at"] <= row["received_at"], row["step"]


async def test_linking_a_session_is_an_event_once(shop: Shop, records: Records, db: Database) -> None:
    session, holder = await visit(shop.client, shop.tenant)
    person = await make_person(db, shop.tenant)
    for _ in range(2):
        linked = await shop.client.post(
            f"/api/session/{session}/link",
            json={"clerkUserId": str(person.id)},
            headers={**holder, **person.headers},
        )
        assert linked.status_code == 200, linked.text
    found = await records.events(shop.tenant, "session.authenticated")
    assert [str(e["session_id"]) for e in found].count(session) == 1
    # From now on the events are the person's to send, and the token opens nothing.
    assert (
        await shop.client.post(PATH, json={"events": [step(session)]}, headers=person.headers)
    ).status_code == 200
    refused = await shop.client.post(PATH, json={"events": [step(session)]}, headers=holder)
    assert refused.status_code in {401, 403, 404}


async def test_an_answer_is_an_event_with_its_latency_and_is_audited(
    shop: Shop, records: Records, access: Any
) -> None:
    tenant = await make_tenant(access)
    session, holder = await visit(shop.client, tenant)
    frames = await say(shop.client, holder, session, "My name is Ann.")
    said = "".join(frame["delta"] for frame in frames if frame["type"] == "text-delta")
    (received,) = await records.events(tenant, "chat.message_received")
    assert str(received["session_id"]) == session
    assert received["properties"]["responseLength"] == len(said) > 0
    run = await records.connection.fetchrow(
        "select latency_ms from public.agent_runs where session_id = $1", uuid.UUID(session)
    )
    assert received["properties"]["latency"] == run["latency_ms"]
    assert received["forward_at"] is not None
    (audited,) = await records.audited(tenant, "chat.message_received")
    assert audited["subject_id"] == session
    assert audited["payload"] == {"event_id": str(received["id"]), **received["properties"]}
    assert "Ann" not in str(audited)
