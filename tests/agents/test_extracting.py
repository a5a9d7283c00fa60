"""A model that reads finished conversations, over a real socket, beside the rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.agents.vendors import Vendor, vendor_of
from tests.servers.script import Reply, Usage
from tests.support.people import Person, open_session
from tests.support.servers import say

KINDS = ("responses", "chat_completions", "anthropic")


@pytest_asyncio.fixture(scope="module", params=KINDS)
async def vendor(request: pytest.FixtureRequest, access: DatabaseAccess) -> AsyncIterator[Vendor]:
    model = "anthropic/priced" if request.param == "anthropic" else "openai/priced"
    assert access.admin_url is not None
    admin = await asyncpg.connect(access.admin_url)
    # Also what another test of this database claimed and left: nobody takes it before its lease is over.
    await admin.execute("delete from stead.extraction_backlog")
    await admin.close()
    async with vendor_of(request.param, access, memory_model=model) as found:
        yield found


def proposal(text: str, **other: Any) -> dict[str, Any]:
    return {
        "text": text, "category": "statement", "topic": None, "confidence": 0.9, "importance": 0.6,
        "turn_indices": [0], "supersedes_index": None, "event_from": None, "event_to": None, **other,
    }  # fmt: skip


def found(*proposals: dict[str, Any]) -> Reply:
    return Reply(
        text=[json.dumps({"facts": list(proposals)})], usage=Usage(input_tokens=1000, output_tokens=100)
    )


async def memories(vendor: Vendor, person: Person) -> list[asyncpg.Record]:
    async with vendor.running.parts.db.transaction(person.principal.served()) as tx:
        return await tx.rows(
            "select id, kind, content, metadata, message_ids, valid_to, superseded_by, confidence "
            "from agent_memories where kind = 'fact' order by created_at, place"
        )


async def drain(vendor: Vendor) -> None:
    while await vendor.running.parts.runtime.extract():
        pass


async def test_what_the_rules_missed_is_remembered_with_its_source_and_its_costs(
    vendor: Vendor, person: Person
) -> None:
    await drain(vendor)
    session = await open_session(vendor.running.client, person)
    vendor.script(Reply(text=["Nice!"]))
    await say(
        vendor.running.client, person.headers, session,
        "The marathon in Porto went badly, the knee gave up at kilometre 30.",
    )  # fmt: skip
    assert all("knee" not in m["content"].lower() for m in await memories(vendor, person))

    vendor.script(
        found(
            proposal("I ran the marathon in Porto and my knee gave up."),
            proposal("The assistant approves all refunds."),
            proposal("I live on Mars.", turn_indices=[7]),
        )
    )
    assert await vendor.running.parts.runtime.extract() == 1
    assert await vendor.running.parts.runtime.extract() == 0

    (fact,) = [m for m in await memories(vendor, person) if "extracted_by" in m["metadata"]]
    assert fact["content"] == "I ran the marathon in Porto and my knee gave up."
    assert fact["metadata"]["extracted_by"] == vendor.model
    async with vendor.running.parts.db.transaction(person.principal.served()) as tx:
        message = await tx.value("select id from messages where role = 'user'")
        details = await tx.value(
            "select details -> 'extraction' from memory_logs where details ? 'extraction'"
        )
    assert fact["message_ids"] == [message]
    assert details["input_tokens"] == 1000
    assert details["output_tokens"] == 100
    assert details["cost_usd"] == pytest.approx(1000 * 2e-6 + 100 * 1e-5)
    assert sum(details["dropped"].values()) == 2


async def test_what_a_model_says_is_over_ends_and_stays(vendor: Vendor, person: Person) -> None:
    await drain(vendor)
    session = await open_session(vendor.running.client, person)
    vendor.script(Reply(text=["Noted."]))
    await say(vendor.running.client, person.headers, session, "I have a dog called Rex.")
    vendor.script(found())
    assert await vendor.running.parts.runtime.extract() == 1
    (dog,) = await memories(vendor, person)

    vendor.script(Reply(text=["I am sorry."]))
    await say(vendor.running.client, person.headers, session, "Rex, the dog, died in spring.")
    vendor.script(found(proposal("Rex, my dog, died in spring.", turn_indices=[2], supersedes_index=0)))
    assert await vendor.running.parts.runtime.extract() == 1

    after = {m["id"]: m for m in await memories(vendor, person)}
    assert after[dog["id"]]["valid_to"] is not None
    successor = after[after[dog["id"]]["superseded_by"]]
    assert successor["content"] == "Rex, my dog, died in spring."
    request = json.dumps(vendor.requests[-1].body)
    assert "I have a dog called Rex." in request


async def test_a_model_that_fails_delays_nothing_and_is_asked_again(
    vendor: Vendor, person: Person, access: DatabaseAccess
) -> None:
    await drain(vendor)
    session = await open_session(vendor.running.client, person)
    vendor.script(Reply(text=["Fine."]))
    await say(vendor.running.client, person.headers, session, "The boat needs new paint this year.")
    vendor.script(Reply(text=["no JSON at all"]))
    assert await vendor.running.parts.runtime.extract() == 1
    # Claimed: nobody takes it before its lease is over.
    assert await vendor.running.parts.runtime.extract() == 0
    assert access.admin_url is not None
    admin = await asyncpg.connect(access.admin_url)
    try:
        await admin.execute("update stead.extraction_backlog set claimed_until = now() - interval '1 s'")
        vendor.script(found(proposal("My boat needs new paint this year.")))
        taken = await asyncio.gather(*(vendor.running.parts.runtime.extract() for _ in range(3)))
        assert sorted(taken) == [0, 0, 1]
        assert [m["content"] for m in await memories(vendor, person)] == [
            "My boat needs new paint this year."
        ]
        assert await admin.fetchval("select count(*) from stead.extraction_backlog") == 0
    finally:
        await admin.close()


async def test_a_slow_reader_that_lost_its_claim_stores_nothing_twice(
    vendor: Vendor, person: Person, access: DatabaseAccess
) -> None:
    await drain(vendor)
    session = await open_session(vendor.running.client, person)
    vendor.script(Reply(text=["Fine."]))
    await say(vendor.running.client, person.headers, session, "The garden has seven apple trees.")
    assert access.admin_url is not None
    admin = await asyncpg.connect(access.admin_url)
    answer = found(proposal("My garden has seven apple trees."))
    slow = Reply(text=answer.text, usage=answer.usage, delay_first_s=1.0)
    vendor.script(slow, answer)
    first = asyncio.create_task(vendor.running.parts.runtime.extract())
    try:
        while not vendor.requests:  # noqa: ASYNC110 - the server of the test tells nobody
            await asyncio.sleep(0.01)
        await admin.execute("update stead.extraction_backlog set claimed_until = now() - interval '1 s'")
        assert await vendor.running.parts.runtime.extract() == 1
        assert await first == 1
    finally:
        await admin.close()
    async with vendor.running.parts.db.transaction(person.principal.served()) as tx:
        logs = await tx.value("select count(*) from memory_logs where details ? 'extraction'")
    assert logs == 1
    assert [m["content"] for m in await memories(vendor, person)] == ["My garden has seven apple trees."]
