"""What the server says in channels of its own: approvals, policies, depths; to that tenant, and once it is so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from stead import outbox
from stead.core.ids import new_id
from stead.realtime import LiveUpdates
from stead.realtime.messages import Message
from tests.actions.conftest import Office
from tests.support.people import make_tenant


class Ear:
    """Somebody in a channel."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self._more = asyncio.Event()

    def hear(self, message: Message) -> None:
        """Something was said."""
        self.said.append((message.event, message.payload))
        self._more.set()

    async def until(self, wanted: Callable[[list[Any]], bool]) -> list[Any]:
        """What was said, as soon as it is that."""
        async with asyncio.timeout(30):
            while not wanted(self.said):
                self._more.clear()
                await self._more.wait()
        return self.said


@asynccontextmanager
async def listening(office: Office, *channels: str) -> AsyncIterator[list[Ear]]:
    """In channels of the office, and in the same of another tenant."""
    other = await make_tenant(office.access)
    live = LiveUpdates(office.db, office.hub, new_id())
    await live.start()
    ears = [Ear() for _ in range(len(channels) + 1)]
    try:
        for name, ear in zip(channels, ears, strict=False):
            await live.channels.join(office.tenant.id, f"{name}:{office.tenant.id}", ear)
            await live.channels.join(other.id, f"{name}:{office.tenant.id}", ears[-1])
        yield ears
        assert ears[-1].said == []
    finally:
        await live.stop()


async def test_approvals_are_told_from_their_beginning_to_their_end(office: Office) -> None:
    judge = await office.person(approves="critical")
    async with listening(office, "approvals") as (ear, _):
        proposed = await office.propose("do_critical")
        await office.vote(proposed.approval_id, judge, "reject", reason="a secret of the judge")
        said = await ear.until(lambda said: len(said) >= 2 and said[-1][1]["status"] == "rejected")
        assert {event for event, _ in said} == {"approval"}
        assert said[0][1]["status"] == "pending"
        assert {payload["id"] for _, payload in said} == {str(proposed.approval_id)}
        assert {payload["envelope_id"] for _, payload in said} == {str(proposed.envelope.id)}
        assert "secret" not in str(said)


async def test_a_new_policy_is_told(office: Office) -> None:
    async with listening(office, "guardrails") as (ear, _):
        await office.policy(trust_threshold=0.9)
        ((event, payload),) = await ear.until(bool)
        assert (event, set(payload)) == ("policy", {"version"})


async def test_depths_are_told_when_they_change_and_only_then(office: Office) -> None:
    async with listening(office, "outbox") as (ear, _):
        await office.propose("do_low")
        first, second = await asyncio.gather(
            outbox.upkeep.tell(office.db), outbox.upkeep.tell(office.db)
        )
        assert first + second >= 1
        await ear.until(lambda said: ("depth", {"pending": 1}) in said)
        assert await outbox.upkeep.tell(office.db) == 0
        await office.propose("do_critical")
        await outbox.upkeep.tell(office.db)
        await ear.until(lambda said: ("depth", {"pending": 1, "awaiting_approval": 1}) in said)
        told = [payload for _, payload in ear.said if payload]
        assert told == [{"pending": 1}, {"pending": 1, "awaiting_approval": 1}]


async def test_nobody_listens_and_nothing_is_written(office: Office) -> None:
    await office.propose("do_critical")
    assert await outbox.upkeep.tell(office.db) == 0
    async with listening(office, "approvals") as (ear, _):
        proposed = await office.propose("do_critical", arguments={"order": "o2"})
        said = await ear.until(bool)
        assert {payload["id"] for _, payload in said} == {str(proposed.approval_id)}
