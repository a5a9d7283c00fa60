"""Approve, reject, expire, cancel and edit at once: one wins, and what ran is what was approved."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from stead import audit, outbox
from stead.actions import (
    ApprovalDecided,
    ApprovalUnknown,
    EnvelopeNotEditable,
    Proposed,
    approving,
    upkeep,
)
from stead.identity import Principal
from tests.actions.conftest import Office, office

__all__ = ["office"]
RACES = int(os.environ.get("GUARANTEE_RACES", "1000"))
AT_ONCE = 5
SEED = 20261121
LOST = (ApprovalDecided, ApprovalUnknown, EnvelopeNotEditable, outbox.EnvelopeNotCancellable)


class Race:
    """One action and everybody who wants something of it."""

    def __init__(self, office: Office, admin: asyncpg.Pool[asyncpg.Record], number: int) -> None:
        self.office = office
        self.admin = admin
        self.number = number
        self.won: list[str] = []
        self.proposed: Proposed

    async def vote(self, who: Principal, vote: str) -> None:
        """By the digest of what was looked at."""
        await self.office.vote(
            self.proposed.approval_id, who, vote, digest=self.proposed.envelope.digest
        )

    async def expire(self) -> None:
        """Its time is over at this moment."""
        await self.admin.execute(
            "update public.approvals set expires_at = clock_timestamp() where id = $1 and status = 'pending'",
            self.proposed.approval_id,
        )
        status = "pending"
        while status == "pending":
            # What somebody else is at is passed over.
            await upkeep.expire_approvals(self.office.db)
            status = await self.admin.fetchval(
                "select status from public.approvals where id = $1", self.proposed.approval_id
            )
        if status != "expired":
            raise ApprovalDecided("not expired")

    async def edit(self) -> None:
        """Another order."""
        service = self.office.service
        async with self.office.db.transaction(service) as tx:
            edited = await approving.edit(
                tx, service, self.proposed.envelope.id, {"order": f"edited{self.number}"}
            )
        assert isinstance(edited, Proposed)

    async def cancel(self) -> None:
        """Not at all."""
        service = self.office.service
        async with self.office.db.transaction(service) as tx:
            await approving.cancel(tx, service, self.proposed.envelope.id)

    async def run(self, chance: random.Random, author: Principal, voters: list[Principal]) -> None:
        """All at once, in an order of chance."""
        self.proposed = await self.office.propose(
            "do_high", by=author, arguments={"order": f"first{self.number}"}
        )
        moves: dict[str, Callable[[], Awaitable[Any]]] = {
            "approve": lambda: self.vote(voters[0], "approve"),
            "reject": lambda: self.vote(voters[1], "reject"),
            "expire": self.expire,
            "edit": self.edit,
            "cancel": self.cancel,
        }
        names = chance.sample(list(moves), k=chance.randint(3, 5))
        steps = [chance.randrange(4) for _ in names]

        async def one(name: str, after: int) -> None:
            for _ in range(after):
                await asyncio.sleep(0)
            try:
                await moves[name]()
            except LOST:
                return
            self.won.append(name)

        await asyncio.gather(*(one(n, s) for n, s in zip(names, steps, strict=True)))


@pytest.mark.timeout(600)
async def test_one_wins(office: Office) -> None:
    chance = random.Random(SEED)
    author = await office.person()
    voters = [await office.person(approves="critical") for _ in range(2)]
    races: list[Race] = []
    async with (
        asyncpg.create_pool(office.access.admin_url, min_size=1, max_size=AT_ONCE) as admin,
        office.worker(poll_s=0.2),
    ):
        for first in range(0, RACES, AT_ONCE):
            batch = [Race(office, admin, first + n) for n in range(AT_ONCE)]
            await asyncio.gather(*(race.run(chance, author, voters) for race in batch))
            races += batch
        async with asyncio.timeout(60):
            while await admin.fetchval(  # noqa: ASYNC110 - a worker works
                "select exists (select from public.outbox where status in ('pending', 'executing', 'retry_wait'))"
            ):
                await asyncio.sleep(0.05)
        rows = await admin.fetch(
            """
            select o.id, o.status, o.version, o.digest, o.arguments ->> 'order' as "order",
              (select jsonb_object_agg(a.envelope_version, a.status) from public.approvals a
               where a.envelope_id = o.id)::text as asked,
              (select a.digest from public.approvals a
               where a.envelope_id = o.id and a.status = 'approved') as agreed
            from public.outbox o
            """
        )
    stands = {row["id"]: row for row in rows}
    done = Counter(effect["order"] for effect in office.effects)
    winners: Counter[str] = Counter()
    for race in races:
        row = stands[race.proposed.envelope.id]
        _check(race, row, done)
        winners.update(race.won[:1])
    # All of them win at times: it is a race.
    assert set(winners) == {"approve", "reject", "expire", "edit", "cancel"}, winners
    assert sum(done.values()) == sum(row["status"] == "succeeded" for row in rows)
    while await audit.seal(office.db):
        pass
    async with office.db.transaction(office.service, read_only=True) as tx:
        assert (await audit.verify(tx, office.tenant)).faults == ()


def _check(race: Race, row: asyncpg.Record, done: Counter[str]) -> None:
    envelope_id: UUID = row["id"]
    # An edit makes another one of it, which the others may still end; apart from that one wins. What was approved
    # can still be cancelled as long as it has not begun.
    ends = [name for name in race.won if name != "edit"]
    assert len(ends) <= 1 or ends == ["approve", "cancel"], (envelope_id, race.won)
    first, edited = done[f"first{race.number}"], done[f"edited{race.number}"]
    if row["status"] == "succeeded":
        assert ends == ["approve"]
        assert "edit" not in race.won
        # What ran is what was approved: of that version, with that digest.
        assert (first, edited) == (1, 0)
        assert row["agreed"] == row["digest"] == race.proposed.envelope.digest
        assert (row["order"], row["version"]) == (f"first{race.number}", 1)
        return
    assert (first, edited) == (0, 0)
    if ends == ["approve"]:
        # The approval's time was over before it was used: it is asked for anew, as another version, of which an
        # edit that came late enough made another one yet.
        assert (row["status"], row["version"]) == ("awaiting_approval", 2 + ("edit" in race.won))
        assert row["agreed"] not in {None, row["digest"]}
        return
    assert (row["agreed"] is None) == ("approve" not in ends)
    if "edit" in race.won:
        assert (row["order"], row["version"]) == (f"edited{race.number}", 2)
        assert '"1": "superseded"' in row["asked"]
    expected = {"reject": "rejected", "expire": "expired", "cancel": "cancelled"}
    assert row["status"] == (expected[ends[-1]] if ends else "awaiting_approval")
