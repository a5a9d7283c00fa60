"""003's table of events, as the catalogue, the database and the OpenAPI document have it."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import pytest

from stead.analytics import CATALOGUE
from tests.support.servers import Running

#: As in 003's "Core Events": event, properties, trigger.
TABLE = """
| session.created               | orgId, sessionId                   | Experience started       |
| session.authenticated         | sessionId                          | Clerk auth completed     |
| phase.started                 | sessionId, phase                   | User enters a phase      |
| phase.completed               | sessionId, phase, duration         | User finishes a phase    |
| step.viewed                   | sessionId, phase, step, stepType   | User sees a step         |
| step.completed                | sessionId, phase, step, stepType   | User completes a step    |
| chat.message_sent             | sessionId, messageLength           | User sends chat          |
| chat.message_received         | sessionId, responseLength, latency | AI responds              |
| content.served                | sessionId, contentType, contentId  | Video/resource shown     |
| conversion.checkout_started   | sessionId, planId                  | Whop checkout opened     |
| conversion.checkout_completed | sessionId, planId, amount          | Purchase completed       |
| conversion.call_booked        | sessionId, calendlyUrl             | Call scheduled           |
"""
ROWS = [[cell.strip() for cell in line.split("|")[1:4]] for line in TABLE.strip().splitlines()]
EVENTS = {name: set(properties.split(", ")) for name, properties, _ in ROWS}
DOMAINS = {"session", "phase", "step", "chat", "content", "conversion"}
#: 003 names these, and 'authenticated' in its table besides.
ACTIONS = {
    "created",
    "started",
    "completed",
    "viewed",
    "sent",
    "received",
    "served",
    "booked",
    "authenticated",
}
#: What only a server knows.
SERVER = {"session.created", "session.authenticated", "chat.message_received",
          "conversion.checkout_completed", "conversion.call_booked"}  # fmt: skip


@pytest.fixture
async def document(server: Running) -> dict[str, Any]:
    return (await server.client.get("/openapi.json")).json()


def test_the_catalogue_has_003s_events_and_properties() -> None:
    assert len(EVENTS) == 12
    assert {event.name: {each.name for each in event.properties} for event in CATALOGUE} == EVENTS
    assert {event.domain for event in CATALOGUE} == DOMAINS
    assert {event.action.rpartition("_")[2] for event in CATALOGUE} == ACTIONS
    assert {event.name for event in CATALOGUE if event.fired_by == "server"} == SERVER


async def test_the_database_takes_these_names_and_no_others(catalogue: asyncpg.Connection) -> None:
    checks = await catalogue.fetch(
        "select pg_get_constraintdef(oid) from pg_constraint "
        "where conrelid = 'public.analytics_events'::regclass and contype = 'c'"
    )
    named = [set(re.findall(r"'([a-z]+\.[a-z_]+)'", row[0])) for row in checks]
    assert set(EVENTS) in named


async def test_the_catalogue_is_published(server: Running) -> None:
    answer = await server.client.get("/api/events/catalog")
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == 1
    told = {
        event["name"]: {each["name"] for each in event["properties"]}
        for event in answer.json()["events"]
    }
    assert told == EVENTS


def test_a_generated_client_tells_the_events_apart(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    union = schemas["SendEvents"]["properties"]["events"]["items"]
    assert union["discriminator"]["propertyName"] == "event"
    assert set(union["discriminator"]["mapping"]) == set(EVENTS)
    assert len(union["oneOf"]) == 12
    for name, reference in union["discriminator"]["mapping"].items():
        event = schemas[reference.rpartition("/")[2]]
        assert event["properties"]["event"]["const"] == name
        properties = schemas[event["properties"]["properties"]["$ref"].rpartition("/")[2]]
        assert set(properties["properties"]) == EVENTS[name]
        assert properties["additionalProperties"] is False
        if not name.startswith("conversion.c") or name == "conversion.checkout_started":
            assert set(properties["required"]) == EVENTS[name]
