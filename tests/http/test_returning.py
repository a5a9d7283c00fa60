"""People who come back (003): with the session that they had, on another device, and in another session."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Self

import httpx

from stead.apps import mentor
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant
from tests.servers.clerk import with_clerk
from tests.support.people import make_tenant, service
from tests.support.servers import Running, say, text_of


@dataclass
class Device:
    """A browser with cookies of its own, and the session that it was given before anybody signed in."""

    client: httpx.AsyncClient
    session: str
    token: str

    @classmethod
    async def new(cls, running: Running, tenant: Tenant) -> Self:
        client = httpx.AsyncClient(base_url=running.base_url, timeout=30)
        opened = (await client.post("/api/session", json={"orgId": tenant.slug})).json()
        return cls(client=client, session=opened["sessionId"], token=opened["sessionToken"])

    async def answer(self, **context: Any) -> None:
        answer = await self.client.patch(f"/api/session/{self.session}", json={"context": context})
        assert answer.status_code == 200, answer.text

    async def say(self, message: str) -> str:
        return text_of(await say(self.client, {}, self.session, message, agentId="rafael-chat"))

    async def link(self, subject: str, headers: dict[str, str]) -> httpx.Response:
        return await self.client.post(
            f"/api/session/{self.session}/link", json={"clerkUserId": subject}, headers=headers
        )


async def seeded(access: DatabaseAccess, db: Database) -> Tenant:
    tenant = await make_tenant(access, f"org_{uuid.uuid4().hex}")
    files = mentor.read_organisation(mentor.shipped()["rafael-tatts"]).agents
    async with db.transaction(service(tenant)) as tx:
        await mentor.apply(tx, service(tenant), files)
    return tenant


async def test_a_person_on_two_devices_is_one_person_who_is_remembered(
    access: DatabaseAccess, db: Database
) -> None:
    tenant = await seeded(access, db)
    ann, bob = f"user_{uuid.uuid4().hex}", f"user_{uuid.uuid4().hex}"
    async with with_clerk(access) as (clerk, running):
        phone, laptop = await Device.new(running, tenant), await Device.new(running, tenant)
        try:
            await phone.answer(phase_1={"daily_rate": "350 dollars"})
            await phone.say("I live in Lisbon.")
            await laptop.answer(phase_1={"style": "blackwork"})
            await laptop.say("My studio is called Old Harbour.")
            # Before the sign-in the two are strangers.
            assert "Lisbon" not in await laptop.say("Where do I live?")
            seen = await laptop.client.get(f"/api/session/{phone.session}")
            assert seen.status_code == 404

            for device in (phone, laptop):
                linked = await device.link(ann, clerk.token(ann, None))
                assert linked.json() == {"success": True, "sessionId": device.session}
                # What the device holds opens nothing any more.
                left = await running.client.get(
                    f"/api/session/{device.session}", headers={"x-session-token": device.token}
                )
                assert left.status_code in {401, 404}, left.text
        finally:
            await phone.client.aclose()
            await laptop.client.aclose()

        # A third device, with nothing but who is signed in.
        async with httpx.AsyncClient(base_url=running.base_url, timeout=30) as third:
            headers = clerk.token(ann, tenant.external_org_id)
            listed = (await third.get("/api/sessions", headers=headers)).json()["items"]
            assert {s["id"]: s["context"] for s in listed} == {
                phone.session: {"phase_1": {"daily_rate": "350 dollars"}},
                laptop.session: {"phase_1": {"style": "blackwork"}},
            }
            told = await third.get(f"/api/session/{phone.session}/messages", headers=headers)
            assert told.json()["items"][0]["parts"][0]["text"] == "I live in Lisbon."
            made = await third.post(
                "/api/generate/diagnosis", json={"sessionId": phone.session}, headers=headers
            )
            assert "350 dollars" in made.json()["content"], made.text
            assert "blackwork" not in made.json()["content"]

            body = {"orgId": tenant.external_org_id}
            fresh = (await third.post("/api/session", json=body, headers=headers)).json()["sessionId"]
            assert fresh not in {phone.session, laptop.session}
            for question, fact in (
                ("Where do I live?", "Lisbon"),
                ("What is my studio called?", "Old Harbour"),
                ("What is my daily rate?", "350 dollars"),
                ("Which style do I tattoo?", "blackwork"),
            ):
                frames = await say(third, headers, fresh, question, agentId="rafael-chat")
                assert fact in text_of(frames), question

        # Somebody else of the same organisation is somebody else.
        async with httpx.AsyncClient(base_url=running.base_url, timeout=30) as theirs:
            headers = clerk.token(bob, tenant.external_org_id)
            assert (await theirs.get("/api/sessions", headers=headers)).json()["items"] == []
            body = {"orgId": tenant.slug}
            fresh = (await theirs.post("/api/session", json=body, headers=headers)).json()["sessionId"]
            frames = await say(theirs, headers, fresh, "Where do I live?", agentId="rafael-chat")
            assert "Lisbon" not in text_of(frames)


async def test_an_agent_looks_for_what_was_said_before(access: DatabaseAccess, db: Database) -> None:
    """003's shared tool: what `memory_search` finds is the caller's, and counts as given to the model."""
    tenant = await seeded(access, db)
    ann, bob = f"user_{uuid.uuid4().hex}", f"user_{uuid.uuid4().hex}"
    async with with_clerk(access) as (clerk, running):
        client = running.client
        frames: dict[str, list[dict[str, Any]]] = {}
        for who in (ann, bob):
            headers = clerk.token(who, tenant.external_org_id)
            body = {"orgId": tenant.slug}
            for message in ("My mentor is called Inez.",) if who == ann else ():
                first = (await client.post("/api/session", json=body, headers=headers)).json()
                await say(client, headers, first["sessionId"], message, agentId="rafael-chat")
            session = (await client.post("/api/session", json=body, headers=headers)).json()["sessionId"]
            call = '/tool memory_search {"query": "mentor"}'
            frames[who] = await say(client, headers, session, call, agentId="rafael-chat")
        found = {
            who: next(f["output"] for f in seen if f["type"] == "tool-output-available")
            for who, seen in frames.items()
        }
    assert "Inez" in str(found[ann])
    assert "Inez" not in str(found[bob])
    run_id = uuid.UUID(frames[ann][0]["messageMetadata"]["runId"])
    async with db.transaction(service(tenant), read_only=True) as tx:
        uses = await tx.rows(
            "select details from public.memory_logs where run_id = $1 and operation = 'read'", run_id
        )
    assert len(uses) == 1
    assert uses[0]["details"]["used"]
